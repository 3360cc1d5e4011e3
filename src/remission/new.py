"""A starter folder for a cohort of one's own: `python -m remission.new NAME`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from remission import keys, paths, schema
from remission.errors import ContractError, Problem

#: What the starter's study.toml sets; every other key stands there as a comment. "" is for the user to fill in.
FILLED = {"kind": '"own"', "title": '""', "citation": '""', "decimal": '"."', "time.origin": '"maintenance_start"',
          "time.origin_label": '"start of maintenance"', "time.unit": '"day"', "time.report_unit": '"year"',
          "time.fixed_times": "[1, 2, 3, 5]", "endpoints.TTRLP": f'"{keys.ENDPOINTS["TTRLP"]}"',
          "endpoints.RFS": f'"{keys.ENDPOINTS["RFS"]}"'}
#: Names that stand for `*` in the comments.
STARS = {"dose": "imatinib", "toxicity.unions": "depression or fatigue", "known_defects": "disposition.last_contact",
         "mrd.international_scale_factor": "laboratory A", "mrd.depth_ratio": "MR4", "mrd.depth_abl": "MR4"}
ARMS = '''# One block an arm. Fill in key and label; with a single arm delete the second block.
[[arms]]
key = ""                # short name, as results show it: "A"
label = ""              # name in figures: "interferon + imatinib"
aliases = []            # other names of this arm in the tables: ["combination", "1"]
drugs = []              # drugs that the arm plans: ["interferon alfa-2a", "imatinib"]

[[arms]]
key = ""
label = ""
reference = true        # the arm that the others are compared with
aliases = []
drugs = []
'''


def study_toml() -> str:
    """The starter's `study.toml`: every key with its meaning; what most cohorts leave alone is commented out.

    Returns
    -------
    str

    Examples
    --------
    >>> import tomllib
    >>> tomllib.loads(study_toml())["time"]["unit"]
    'day'
    """
    lines = ["# What this cohort is. Lines that begin with # are switched off; delete the # to switch one on.", ""]
    section = ""
    for key in keys.KEYS:
        head = ".".join(key.parts[:-1])
        if head != section:
            section = head
            lines += ["", *_section(key)]
        if head != "arms.[]":
            lines += _entry(key)
    return "\n".join(lines) + "\n"


def _section(key: keys.Key) -> list[str]:
    """Heading of a section, switched off where nothing in it is set."""
    head, words = ".".join(key.parts[:-1]), keys.SECTIONS.get(key.parts[0], "")
    if head == "arms.[]":
        return ARMS.rstrip().splitlines()
    shown = f'{key.parts[0]}."{STARS[key.parts[0]]}"' if key.name.startswith("dose.*") else head
    off = "" if any(name.startswith(f"{head}.") for name in FILLED) else "# "
    outer = len(key.parts) == 2 or key.parts[0] == "dose"
    return [*([f"# {words[0].upper()}{words[1:]}."] if words and outer else []), f"{off}[{shown}]"]


def _entry(key: keys.Key) -> list[str]:
    """A key's meaning and the key itself; for endpoints, one line each."""
    quote = '"' if key.kind == "text" else ""
    values = f" One of {', '.join(f'{quote}{value}{quote}' for value in key.values)}." if key.values else ""
    said = f"# {key.meaning[0].upper()}{key.meaning[1:]}.{values}"
    if key.name == "endpoints.*":
        return [said, *((f"{code} = " if f"endpoints.{code}" in FILLED else f"# {code} = ") + f'"{words}"'
                        for code, words in keys.ENDPOINTS.items())]
    name = key.parts[-1] if key.parts[-1] != "*" else f'"{STARS[".".join(key.parts[:-1])]}"'
    given = FILLED.get(key.name)
    return [said, f"{name} = {given}" if given else f"# {name} = {key.example}"]


def readme(name: str) -> str:
    """The starter's README: what goes where, and which tables may be deleted."""
    rows = [f"| `{table.name}.csv` | {table.description} | {'keep' if table.required else 'delete the file'} | "
            f"{', '.join(f'`{column.name}`' for column in table.columns if column.required or column.needed)} |"
            for table in schema.RAW.values()]
    return "\n".join([
        f"# {name}", "",
        "This folder holds one cohort. Git ignores it, and everything that is made from it.", "",
        "1. Fill in the tables: one row below the header for each thing. CSV or xlsx, comma or semicolon, dates as "
        "2011-02-28 or as your software writes them. Patients go by a pseudonymous number; no names, no dates of "
        "birth, no insurance numbers.",
        "2. Fill in `study.toml`: title, citation, arms, and whatever else differs.",
        f"3. `make check COHORT={name}` lists what is still empty and every cell to mend; repeat until it says ready.",
        f"4. `make COHORT={name}` runs the whole analysis.", "",
        "| table | holds | if you have none | columns that must be filled |", "|---|---|---|---|", *rows, "",
        "Other columns may be left blank or deleted. A date column may be replaced by study time, counted from the "
        "time origin: `date` by `day`, `start_date` by `start_day`, and so on. `docs/data_dictionary.md` describes "
        "every column, its vocabulary and its range, and every check by its code.", ""])


def new(name: str) -> Path:
    """Make the starter folder of a cohort: all ten tables with their headers, `study.toml` and README.

    Parameters
    ----------
    name : str

    Returns
    -------
    Path
        The folder under `data/raw`.

    Raises
    ------
    ContractError
        When the name cannot be a folder's, or the cohort is there already.
    """
    target = paths.raw(paths.cohort_name(name))
    others = [path.name for path in target.parent.iterdir() if path.name.casefold() == name.casefold()]
    if others or target.is_symlink():
        there = others[0] if others else name
        raise ContractError(name, [Problem("cohort", "", (), f"data/raw/{there} is there already",
                                           "choose another name, or go on with the folder that is there", "S32")])
    made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        for table in schema.RAW.values():
            (made / f"{table.name}.csv").write_text(",".join(table.names) + "\n", encoding="utf-8")
        (made / "study.toml").write_text(study_toml(), encoding="utf-8")
        (made / "README.md").write_text(readme(name), encoding="utf-8")
        made.chmod(0o755)
        made.rename(target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return target


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m remission.new", description="Make a cohort's starter folder.")
    parser.add_argument("cohort", help="name of the new folder under data/raw")
    name = parser.parse_args(arguments).cohort
    try:
        made = new(name)
    except (ContractError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{paths.shown(made)}: {len(schema.RAW)} empty tables, study.toml and README.md\n"
          f"next: fill them in, then make check COHORT={name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
