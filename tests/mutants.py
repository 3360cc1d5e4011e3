"""Mutants: one datum, one constant of the code or one shown number altered, chosen by a seed.

A mutant is a replacement of a few characters in one file, so that it can be listed, applied, taken back and explained.
"""

from __future__ import annotations

import ast
import csv
import json
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Patients' tables, as received; claims.csv holds what was printed.
TABLES = ("patients", "remission_events", "disposition", "procedures", "chemotherapy_cycles", "dosing", "laboratory",
          "adverse_events", "mrd", "mutations", "claims")
#: What computes. Left out: what reads, words, lays out or draws (its numbers are shown and mutated as figure values).
PACKAGES = ("adam", "batch", "cleaning", "critique", "ensemble", "estimators", "identification", "mrd", "survival",
            "toxicity", "ledger", "study", "raw")
WORDING = re.compile(r"wording|words|report|layout|tables|sentences|remark|licence|harms|printed|readings|inquiry|"
                     r"findings|questions|vocabulary|spread|parts|job")
TABLES_OF_CODE = ("src/remission/data/ctcae.csv", "src/remission/data/units.csv")
#: Calls whose arguments are words for a reader.
SAYING = {"print", "ContractError", "Problem", "ValueError", "RuntimeError", "KeyError", "TypeError", "say", "warn",
          "field", "join", "format"}
SIGNS = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
         ast.NotEq: ("!=", "=="), ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
         ast.And: ("and", "or"), ast.Or: ("or", "and"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&")}
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


@dataclass(frozen=True)
class Mutant:
    """One replacement: kind (datum, code, shown), path from the root, place of the characters `before`, and `after`."""

    kind: str
    path: str
    start: int
    before: str
    after: str

    def apply(self, home: Path) -> None:
        """Alter the file in a copy of the checkout; `ValueError` if it does not hold what is to be replaced."""
        text = read(home / self.path)
        if text[self.start:self.start + len(self.before)] != self.before:
            raise ValueError(f"{self.path} does not hold {self.before!r} at {self.start}")
        write(home / self.path, text[:self.start] + self.after + text[self.start + len(self.before):])

    def line(self, home: Path) -> tuple[int, str]:
        """Number and text of the line that is altered."""
        text = read(home / self.path)
        number = text.count("\n", 0, self.start)
        return number + 1, text.split("\n")[number].strip()


def read(path: Path) -> str:
    """Text of a file with one character a byte, so that any encoding goes back as it came."""
    return path.read_bytes().decode("latin-1")


def write(path: Path, text: str) -> None:
    """The reverse of `read`."""
    path.write_bytes(text.encode("latin-1"))


def draw(home: Path, seed: int, count: int) -> list[Mutant]:
    """`count` mutants of each kind, the same for the same seed and files.

    Every stratum has its turn before any has a second one. Strata are the tables of each cohort, the packages that
    compute, and the files of shown numbers.
    """
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=home, check=True).stdout.split()
    chosen: list[Mutant] = []
    for kind, strata in (("datum", data(listed)), ("code", code(listed)), ("shown", shown(listed))):
        chance = random.Random(f"{seed} {kind}")
        order, mine = sorted(strata), []
        chance.shuffle(order)
        for turn in range(20 * count):
            path = home / chance.choice(strata[order[turn % len(order)]])
            mutant = one(chance, kind, path.relative_to(home).as_posix(), read(path))
            if mutant and mutant not in mine:
                mine.append(mutant)
            if len(mine) == count:
                break
        chosen += mine
    return chosen


def data(listed: list[str]) -> dict[str, list[str]]:
    """Raw tables, each a stratum."""
    return {name: [name] for name in listed if re.fullmatch(rf"data/raw/\w+/({'|'.join(TABLES)})\.csv", name)}


def code(listed: list[str]) -> dict[str, list[str]]:
    """Modules that compute, by package, and the tables of cut-points and units."""
    found: dict[str, list[str]] = {"data": list(TABLES_OF_CODE)}
    for name in listed:
        said = re.fullmatch(r"src/remission/(\w+?)(?:/.*)?(?:\.py)", name)
        if said and said[1] in PACKAGES and not WORDING.search(name.partition("remission/")[2].partition("/")[2]):
            found.setdefault(said[1], []).append(name)
    return found


def shown(listed: list[str]) -> dict[str, list[str]]:
    """Files of shown numbers: figures of each cohort, results of each cohort, quotes of the README, notebooks."""
    found: dict[str, list[str]] = {"README": ["README.md"]}
    for name in listed:
        if said := re.fullmatch(r"figures/(\w+)/[^/]+\.csv", name):
            found.setdefault(f"figures {said[1]}", []).append(name)
            if re.search(r"/(km_|forest|cumulative_incidence|definition_grid|claim_ledger)", name):
                found.setdefault("main figures", []).append(name)
        elif said := re.fullmatch(r"data/processed/(\w+)/(results|claims)\.csv", name):
            found.setdefault(f"{said[2]} {said[1]}", []).append(name)
        elif re.fullmatch(r"notebooks/0[1-9]\w*\.ipynb", name):
            found.setdefault("notebooks", []).append(name)
    return found


def one(chance: random.Random, kind: str, path: str, text: str) -> Mutant | None:
    """One mutant of a file, or None where there is nothing to alter."""
    if path.endswith(".py"):
        places = sorted(of_python(text))
    elif path.endswith(".csv"):
        return of_table(chance, kind, path, text)
    elif path.endswith(".md"):
        # A number between the second and the third bar of a row whose third cell names a result.
        places = [(number.start() + row.start(1), number[0], bumped(number[0]))
                  for row in re.finditer(r"^\| [^|]+ \|( [^|]+ )\| `[^`|]+` \|$", text, re.M)
                  for number in NUMBER.finditer(row[1])]
    else:
        places = [(start + number.start(), number[0], bumped(number[0])) for start, said in of_outputs(text)
                  for number in NUMBER.finditer(said)]
    if not places:
        return None
    start, before, after = chance.choice(places)
    return Mutant(kind, path, start, before, after)


def bumped(number: str) -> str:
    """The number with its last digit one up.

    Examples
    --------
    >>> bumped("19"), bumped("0.46"), bumped("1.0"), bumped("0.99")
    ('20', '0.47', '1.1', '1.00')
    """
    places = len(number.partition(".")[2])
    return f"{float(number) + 10 ** -places:.{places}f}" if places else str(int(number) + 1)


def of_table(chance: random.Random, kind: str, path: str, text: str) -> Mutant | None:
    """One cell: a number one up or ten times as large, a date moved, a word replaced by another of its column."""
    lines = text.split("\n")
    sign = max(";,\t", key=lines[0].count)
    rows = [next(csv.reader([line], delimiter=sign), []) for line in lines]
    plain = [number for number, line in enumerate(lines) if number and line and '"' not in line]
    for _ in range(100 if plain else 0):
        number = chance.choice(plain)
        cells = rows[number]
        column = chance.randrange(len(cells))
        cell, name = cells[column], rows[0][column] if column < len(rows[0]) else ""
        found = NUMBER.search(cell)
        if not cell or (kind == "shown" and not NUMBER.fullmatch(cell.strip("-"))) or name in ("why", "note", "source"):
            continue
        start = sum(len(line) + 1 for line in lines[:number]) + sum(len(one) + 1 for one in cells[:column])
        if kind == "shown":
            figures = len(cell.strip("-0.").replace(".", ""))
            after = bumped(found[0]) if figures < 6 else f"{float(found[0]) * 1.01:.8g}"
            return Mutant(kind, path, start + found.start(), found[0], after)
        if found:
            times_ten = chance.random() < 0.4 and not re.search(r"\d[./-]\d+[./-]\d", cell)
            after = f"{float(found[0]) * 10:g}" if times_ten and float(found[0]) else bumped(found[0])
            return Mutant(kind, path, start + found.start(), found[0], after)
        others = sorted({row[column] for row in rows[1:] if len(row) == len(cells)} - {cell, ""})
        if others:
            return Mutant(kind, path, start, cell, chance.choice(others))
    return None


def of_python(text: str) -> Iterator[tuple[int, str, str]]:
    """Numbers, comparisons, signs, and words that are compared, outside of docstrings, messages and annotations."""
    begins = [0]
    for line in text.split("\n"):
        begins.append(begins[-1] + len(line) + 1)
    # Offsets of the syntax tree count bytes, and so do characters here: one a byte.
    place = lambda line, column: begins[line - 1] + column  # noqa: E731

    def between(left: ast.expr, right: ast.expr, pair: tuple[str, str]) -> Iterator[tuple[int, str, str]]:
        start = place(left.end_lineno, left.end_col_offset)
        gap = text[start:place(right.lineno, right.col_offset)]
        if (at := gap.find(pair[0])) >= 0 and "#" not in gap:
            yield start + at, *pair

    def visit(node: ast.AST, compared: bool = False) -> Iterator[tuple[int, str, str]]:
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.arguments | ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in SAYING:
                return
        if isinstance(node, ast.AnnAssign):
            yield from visit(node.value) if node.value else ()
            return
        if isinstance(node, ast.FunctionDef):
            for child in node.body:
                yield from visit(child)
            return
        if isinstance(node, ast.Constant):
            start = place(node.lineno, node.col_offset)
            said = text[start:place(node.end_lineno, node.end_col_offset)]
            if type(node.value) is int:
                yield start, said, str(node.value + 1)
            elif type(node.value) is float:
                yield start, said, repr(node.value * 2)
            elif compared and type(node.value) is str and node.value:
                yield start + 1, said[1:-1], said[1:-1] + "_"
            return
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            yield from between(node.left, node.right, SIGNS[type(node.op)])
        if isinstance(node, ast.BoolOp):
            yield from between(node.values[0], node.values[1], SIGNS[type(node.op)])
        if isinstance(node, ast.Compare):
            for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                if type(operator) in SIGNS:
                    yield from between(left, right, SIGNS[type(operator)])
        for child in ast.iter_child_nodes(node):
            yield from visit(child, isinstance(node, ast.Compare))

    yield from visit(ast.parse(text.encode("latin-1")))


def of_outputs(text: str) -> Iterator[tuple[int, str]]:
    """Places of a notebook's shown text: lines of outputs that hold numbers, not of pictures, code or prose."""
    begins = [0]
    for line in text.split("\n"):
        begins.append(begins[-1] + len(line) + 1)
    lines = text.split("\n")
    for cell in json.loads(text.encode("latin-1"))["cells"]:
        for output in cell.get("outputs", []):
            for said in output.get("data", {}).get("text/markdown", []):
                written = json.dumps(said, ensure_ascii=False).encode().decode("latin-1")
                found = [number for number, line in enumerate(lines) if line.strip().rstrip(",") == written]
                if len(found) == 1:
                    yield begins[found[0]], lines[found[0]]
