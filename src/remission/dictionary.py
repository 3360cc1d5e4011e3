"""The data dictionary, from the declarations: tables and columns, keys of `study.toml`, checks.

`python -m remission.dictionary > docs/data_dictionary.md` writes it.
"""

from __future__ import annotations

from remission import checks, keys
from remission.schema import ANALYSIS, DAY_COLUMN, RAW, Column, Table

_KIND_HEADS = {
    "structure": "Checks of structure: files, columns, rows", "values": "Checks of values: ranges, units, wording",
    "order": "Checks of order within a patient", "across": "Checks across tables", "privacy": "Checks for privacy"}


def dictionary() -> str:
    """The data dictionary as Markdown.

    Returns
    -------
    str
        `docs/data_dictionary.md`.

    Examples
    --------
    >>> "### V07 laboratory_maximum" in dictionary()
    True
    """
    lines = [
        "# Data dictionary", "",
        "Made by `python -m remission.dictionary` from the declarations in the package (`schema.py`, `keys.py` and "
        "`data/checks.csv` under `src/remission/`); do not edit it here.", "",
        "## Raw tables: `data/raw/<cohort>/<table>.csv` or `.xlsx`", "",
        "One file a table, or one workbook with a sheet a table. Required tables: "
        + ", ".join(f"`{table.name}`" for table in RAW.values() if table.required)
        + ". A date column may come as study time instead, counted from the time origin in the unit that `study.toml` "
        "declares: " + ", ".join(f"`{date}` as `{day}`" for date, day in DAY_COLUMN.items()) + ". Further columns are "
        "kept and reported. Values in another wording, notation or unit are read where they have one meaning.", "",
        *_sections(RAW),
        "## `study.toml`", "", *_keys(),
        "## Checks", "", *_checks(),
        "## Analysis tables: `data/processed/<cohort>/<table>.csv`", "",
        "Named after ADaM, not claimed to comply with it: day 0 is the time origin itself. `CNSR` 0 is an event, the "
        "reverse of most software; it is turned in one function, `remission.survival.endpoint`.", "",
        *_sections(ANALYSIS),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _sections(tables: dict[str, Table]) -> list[str]:
    lines = []
    for table in tables.values():
        lines += [f"### `{table.name}`", "", f"{table.description[0].upper()}{table.description[1:]}. "
                  f"Key: {', '.join(f'`{name}`' for name in table.key)}.", "",
                  "| column | type | unit | required | values | meaning |", "|---|---|---|---|---|---|"]
        lines += [f"| `{column.name}` | {column.kind} | {column.unit} | {_required(column)} | {column.accepted} | "
                  f"{column.description}{_partial(column)} |" for column in table.columns]
        lines.append("")
    return lines


def _required(column: Column) -> str:
    return "yes" if column.required else "column" if column.needed else ""


def _partial(column: Column) -> str:
    return f"; a month without a day becomes its {column.partial}" if column.partial else ""


def _keys() -> list[str]:
    lines = ["`*` stands for a name of your own, `[[arms]]` for one block an arm.", "",
             "| key | type | required | values | meaning | example |", "|---|---|---|---|---|---|"]
    for key in keys.KEYS:
        ends = [f"{end:g}" if end is not None else "" for end in (key.least, key.greatest)]
        values = ", ".join(map(str, key.values)) or (" to ".join(ends) if all(ends) else f"at least {ends[0]}"
                                                     if ends[0] else "")
        shown = ", ".join(keys.ENDPOINTS) if key.name == "endpoints.*" else values
        lines.append(f"| `{key.name}` | {key.kind} | {'yes' if key.required else ''} | {shown} | {key.meaning} | "
                     f"`{key.example}` |")
    return [*lines, ""]


def _checks() -> list[str]:
    lines = ["`make check COHORT=name` and notebook 01 name what they find by these codes. The code never changes; the "
             "word beside it is the rule that `cleaning_log.csv` and `quarantine.csv` carry (there, a few rules are "
             "broader: `unreadable_value`, `impossible_value` and `missing_value` stand for several codes). What "
             "follows is one of: " + "; ".join(f"*{name}*, {words}" for name, words in checks.SEVERITIES.items())
             + ". In optional tables a fault stops nothing: the row is set aside, or, where the cell is not needed to "
             "understand the row, the cell becomes missing.", ""]
    for kind, head in _KIND_HEADS.items():
        lines += [f"## {head}", ""]
        for check in [check for check in checks.CHECKS.values() if check.kind == kind]:
            lines += [f"### {check.code} {check.rule}", "", f"Finds: {check.meaning.removeprefix('query: ')}.", "",
                      f"Follows: {_follows(check)}.", "", f"Mend: {check.mend}.", ""]
    return lines


def _follows(check: checks.Check) -> str:
    said = f"{check.severity}; {checks.SEVERITIES[check.severity]}"
    return f"{said} (in optional tables: {check.elsewhere})" if check.elsewhere else said


if __name__ == "__main__":
    print(dictionary(), end="")
