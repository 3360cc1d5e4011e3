"""Tables for publication: display strings of results, shown in a notebook and saved as HTML and as LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd
from IPython.display import HTML, Markdown, display

from remission import disclosure, exports, paths
from remission.study import Study

#: What stands before it in a column's name is the heading over several columns: an arm and its number of patients.
OVER = ": "
#: Tables with more characters than this break over pages in LaTeX.
PAGE = 3000
#: Share of the width that the row labels take; the other columns share the rest by their longest cell, in characters
#: within these bounds.
LABEL, SHORT, LONG = 0.26, 22, 40
#: Parts of a display string that a line break must not tear.
WHOLE = re.compile(r"95% CI|[\d.]+ to [\w. ]+(?=\))|range [^,)]+|[nN] = \d+|\d+ of \d+")
INK, GREY = "#262626", "#8C8C8C"
LOOK = {"table_font_size": "13px", "table_font_names": ["Arial", "Helvetica", "sans-serif"], "table_font_color": INK,
        "heading_align": "left", "heading_title_font_size": "15px",
        "column_labels_font_weight": "bold", "row_group_font_weight": "bold", "data_row_padding": "3px",
        "row_group_padding": "4px", "source_notes_font_size": "11px", "table_border_top_color": INK,
        "table_border_bottom_color": INK, "column_labels_border_top_color": INK,
        "column_labels_border_bottom_color": INK, "table_body_border_bottom_color": INK,
        "row_group_border_top_color": GREY, "row_group_border_bottom_color": GREY, "stub_border_style": "none",
        "table_width": "100%"}
#: Below this width, in pixels a column, a page scrolls sideways in place of squeezing the table.
NARROW = 170
#: Where great_tables says in LaTeX how columns are aligned, and the rule below its headings.
SPECIFICATION = re.compile(r"(\\begin\{(?:longtable|tabular\*\}\{\\linewidth)\}\{)"
                           r"(?:@\{\\extracolsep\{\\fill\}\})?[lcr|]+\}")
RULE = r"\midrule\addlinespace[2.5pt]"
#: Signs that LaTeX sets only in mathematics.
SIGNS = {"≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "µ": r"$\mu$", "α": r"$\alpha$"}


@dataclass(frozen=True)
class Table:
    """A table ready to be printed.

    Attributes
    ----------
    frame : DataFrame
        From `arrange`, or of its form: perhaps `group`, then `label`, then columns of strings named as `heading` does.
    name : str
        File name without suffix, and the table's identifier inside a page; fixed, so that bytes are stable.
    title : str
    notes : tuple of str
        Counting rules and abbreviations, one line each.
    """

    frame: pd.DataFrame
    name: str
    title: str
    notes: tuple[str, ...] = ()

    @property
    def cells(self) -> list[str]:
        """Columns that hold cells, not names of lines."""
        return [column for column in self.frame if column not in ("group", "label")]


def heading(arm: str, n: int, words: str = "") -> str:
    """Name of a column: the arm, its number of patients, and what is counted.

    Examples
    --------
    >>> heading("IM", 12, "any grade")
    'IM, N = 12: any grade'
    """
    return f"{arm}, N = {n}{OVER + words if words else ''}"


def arrange(rows: pd.DataFrame, label: str, column: str, group: str | None = None) -> pd.DataFrame:
    """Set display strings of results in lines and columns, in the order in which they come.

    Parameters
    ----------
    rows : DataFrame
        Results, from `results.frame`, with the columns named by the other arguments added.
    label, column, group : str
        Columns of `rows` that name the line, the column, and the group of lines. If `column` is categorical, its
        categories give the order of the columns.

    Returns
    -------
    DataFrame
        `group` (if asked for), `label`, and a column of strings for each value of `column`; an empty string where
        there is no such result.

    Raises
    ------
    ValueError
        When two results claim one cell.

    Examples
    --------
    >>> rows = pd.DataFrame({"what": ["any", "any"], "head": ["A, N = 2", "B, N = 1"], "display": ["1 of 2", "0 of 1"]})
    >>> arrange(rows, "what", "head").values.tolist()
    [['any', '1 of 2', '0 of 1']]
    """
    keys = [*([group] if group else []), label]
    names = ["group", "label"][-len(keys):]
    if rows.empty:
        return pd.DataFrame(columns=names)
    twice = rows[rows.duplicated([*keys, column], keep=False)]
    if len(twice):
        raise ValueError(f"two results for one cell: {twice['result_id'].tolist()[:4]}")
    heads = list(rows[column].unique())
    if isinstance(rows[column].dtype, pd.CategoricalDtype):
        heads = [head for head in rows[column].cat.categories if head in heads]
    made = rows.astype({column: str}).pivot_table(index=keys, columns=column, values="display", aggfunc="first")
    lines = pd.MultiIndex.from_frame(rows[keys].drop_duplicates()) if group else pd.Index(rows[label].unique())
    made = made.reindex(index=lines, columns=heads).fillna("")
    made = made.rename_axis(index=names, columns=None).reset_index()
    if group:  # the lines of a group stand together
        first = {name: number for number, name in enumerate(made["group"].unique())}
        made = made.sort_values("group", key=lambda values: values.map(first), kind="stable", ignore_index=True)
    if not {"unit", "value", "n", "events"} <= set(rows):
        return made
    # A median number of cycles has the unit n too; a count of patients says of how many, or has events.
    counts = (rows["unit"] == "n") & (rows["events"].notna() | rows["display"].str.match(r"\d+ of \d+"))
    made.attrs = {"counts": _numbers(rows.assign(value=rows["value"].where(counts)), made, keys, column),
                  "sizes": _numbers(rows, made, keys, column, "n")}
    return made


def _numbers(rows: pd.DataFrame, made: pd.DataFrame, keys: list[str], column: str,
             what: str = "value") -> dict[str, list[float]]:
    """Numbers behind the display strings of `made`, by column in the order of lines; NaN where there is none."""
    names = list(made.columns[:len(keys)])
    numbers = pd.DataFrame({name: rows[key] for name, key in zip(names, keys, strict=True)}
                           | {"head": rows[column].astype(str), "number": rows[what].astype(float)})
    found = {head: mine.set_index(names)["number"] for head, mine in numbers.groupby("head", sort=False)}
    lines = pd.MultiIndex.from_frame(made[names]) if len(names) > 1 else pd.Index(made[names[0]])
    # Lists, not a frame: pandas compares these attributes when it puts columns together.
    return {head: found[head].reindex(lines).tolist() for head in made.columns[len(keys):]}


def released(table: Table, study: Study) -> Table:
    """The table as it may leave the house: without small counts, if the study asks for that.

    Parameters
    ----------
    table : Table
    study : Study
        `suppress_below` is the smallest count to be shown; 0 shows all.

    Returns
    -------
    Table
        The same one where nothing is to be hidden.
    """
    limit = study.suppress_below
    if not limit or table.frame.empty:
        return table
    note = f"Counts from 1 to {limit - 1}, and what would give them back, are not shown."
    notes = (*(disclosure.in_text(one, limit) for one in table.notes), note)
    return Table(disclosure.cells(table.frame, table.cells, limit), table.name, table.title, notes)


def _built(table: Table, study: Study):
    """Build the table: spanners over the columns of an arm, counting rules below, last the cohort and its banner."""
    from great_tables import GT  # half a second to import, so only where a table is made

    short = {column: f"c{number}" for number, column in enumerate(table.cells, 1)}
    frame = exports.neutral(table.frame.astype(object)).set_axis(table.frame.columns, axis=1)
    frame[table.cells] = frame[table.cells].apply(lambda column: column.map(_unbroken))
    made = GT(frame.rename(columns=short), id=table.name, rowname_col="label",
              groupname_col="group" if "group" in table.frame else None).tab_header(table.title)
    made = made.cols_label({short[column]: _unbroken(exports.harmless(column.rpartition(OVER)[2]))
                            for column in table.cells})
    over = dict.fromkeys(column.rpartition(OVER)[0] for column in table.cells if OVER in column)
    for number, head in enumerate(over, 1):
        mine = [short[column] for column in table.cells if column.startswith(head + OVER)]
        made = made.tab_spanner(_unbroken(exports.harmless(head)), mine, id=f"s{number}")
    for note in [*table.notes, f"{study.name}, {study.title}. {study.banner}"]:
        made = made.tab_source_note(note)
    return made.cols_align("left")


def _unbroken(text: str) -> str:
    """Join with no-break spaces what belongs together, so that a narrow cell breaks between and not within.

    Examples
    --------
    >>> _unbroken("1 of 2 (50.0%, 95% CI 1.3 to 98.7)").split(" ")
    ['1\\xa0of\\xa02', '(50.0%,', '95%\\xa0CI', '1.3\\xa0to\\xa098.7)']
    """
    return WHOLE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def widths(table: Table) -> list[float]:
    """Share of the width of each column, row labels first.

    Examples
    --------
    >>> frame = pd.DataFrame({"label": ["a"], "b": ["yes"], "c": ["no"]})
    >>> [round(share, 2) for share in widths(Table(frame, "t", "t"))]
    [0.26, 0.37, 0.37]
    """
    longest = [max(len(column), *table.frame[column].str.len()) for column in table.cells]
    weights = [min(max(length, SHORT), LONG) for length in longest]
    return [LABEL, *((1 - LABEL) * weight / sum(weights) for weight in weights)]


def html(table: Table, study: Study, *, page: bool = False) -> str:
    """Render a table as HTML: black on white, no script, no font or file from elsewhere.

    Parameters
    ----------
    table : Table
    study : Study
        Its banner becomes the last note.
    page : bool
        A whole page that a browser or a word processor opens, instead of a fragment.

    Returns
    -------
    str

    Examples
    --------
    >>> from remission.study import read
    >>> frame = pd.DataFrame({"label": ["Nausea"], "IM, N = 12: any grade": ["2 of 12"]})
    >>> "Nausea" in html(Table(frame, "events", "Adverse events"), read("freireich1963"))
    True
    """
    from great_tables import loc, style

    names = ["label", *(f"c{number}" for number in range(1, len(table.cells) + 1))]
    sizes = {name: f"{100 * share:.1f}%" for name, share in zip(names, widths(table), strict=True)}
    # A word processor reads borders from the cell and not from the style sheet.
    made = _built(table, study).tab_style(style.borders("bottom", INK), loc.column_labels()).cols_width(sizes)
    made = made.tab_options(**LOOK).opt_css(f"#{table.name} .gt_row {{ vertical-align: top; }}\n"
                                            f"#{table.name} .gt_table {{ min-width: {NARROW * len(names)}px; }}")
    text = made.as_raw_html(make_page=page)
    return text.replace('<meta charset="utf-8"/>', f'<meta charset="utf-8"/>\n<title>{escape(table.title)}</title>')


def latex(table: Table, study: Study) -> str:
    """Render a table as a LaTeX fragment whose cells wrap.

    Parameters
    ----------
    table : Table
    study : Study

    Returns
    -------
    str
        Needs the packages array, booktabs, caption and, for a table longer than a page, longtable.

    Raises
    ------
    ValueError
        When great_tables writes its LaTeX in another form than this module knows.

    Examples
    --------
    >>> from remission.study import read
    >>> frame = pd.DataFrame({"label": ["Nausea"], "IM, N = 12: any grade": ["2 of 12"]})
    >>> latex(Table(frame, "events", "Adverse events"), read("freireich1963")).splitlines()[0]
    '% packages: array, booktabs, caption'
    """
    long = int(table.frame.map(len).to_numpy().sum()) > PAGE
    text = _built(table, study).tab_options(table_font_size="8pt").as_latex(use_longtable=long)
    # great_tables sets columns that never wrap; the cells here are sentences, so every column gets its width.
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{\dimexpr {share - 5e-4:.4f}\linewidth-2\tabcolsep}}"
                      for share in widths(table))
    text, found = SPECIFICATION.subn(lambda match: rf"\renewcommand{{\arraystretch}}{{1.2}}{match[1]}{columns}}}", text)
    if long:  # the headings stand on every page
        text = text.replace(RULE, f"{RULE}\n\\endhead", 1)
    if found != 1 or long > text.count(r"\endhead"):
        raise ValueError("great_tables has changed the form of its LaTeX: look at the column specification")
    text = text.replace(r"\begin{minipage}", r"\noindent\begin{minipage}")
    for sign, command in SIGNS.items():
        text = text.replace(sign, command)
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return "\n".join([f"% packages: array, booktabs, caption{', longtable' if long else ''}", *lines, ""])


def files(study: Study, name: str) -> dict[str, Path]:
    """Where a table is saved, by kind."""
    folder = paths.processed(study.name) / "tables"
    return {kind: folder / f"{name}.{kind}" for kind in ("html", "tex")}


def save(table: Table, study: Study) -> str:
    """Save a table as `tables/<name>.html` and `.tex`.

    Parameters
    ----------
    table : Table
    study : Study

    Returns
    -------
    str
        One line for the reader. Without lines no file is written, and older ones of that name are removed.
    """
    where = files(study, table.name)
    if table.frame.empty:
        for path in where.values():
            paths.remove(path)
        folder = where["html"].parent
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        return f"{table.name}: this cohort has no data for it"
    table = released(table, study)
    texts = {"html": html(table, study, page=True), "tex": latex(table, study)}
    for kind, path in where.items():
        with paths.atomic(path) as temporary:
            temporary.write_text(texts[kind], encoding="utf-8", newline="\n")
    return f"{paths.shown(where['html'])} and .tex: {len(table.frame)} lines"


def show(table: Table, study: Study, absent: str) -> None:
    """Save a table, show it, and say where it is.

    Parameters
    ----------
    table : Table
    study : Study
    absent : str
        Said instead of a table without lines.
    """
    said = save(table, study)
    display(Markdown(f"*{absent}*") if table.frame.empty else HTML(html(released(table, study), study)))
    print(said)
