"""Tables on disk, byte for byte, and cohorts enlarged for benchmarks."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd

from remission import paths

#: Tables that are not comma-separated UTF-8 without byte-order mark.
SEPARATOR = {"laboratory": ";", "mrd": ";"}
BYTE_ORDER_MARK = ("adverse_events",)


def write(raw: dict[str, pd.DataFrame], folder: Path) -> pd.DataFrame:
    """Write raw tables; a file that already holds the same bytes is not touched.

    Parameters
    ----------
    raw : dict of DataFrame
        Text tables, from `disorder`.
    folder : Path

    Returns
    -------
    DataFrame
        One row a file: file, rows, columns, separator, sha256 (first 12 hexadecimal digits).

    Examples
    --------
    >>> import tempfile
    >>> place, table = Path(tempfile.mkdtemp()), {"t": pd.DataFrame({"a": ["1,5"]})}
    >>> write(table, place)["sha256"].item()
    'c25c4dcabc7e'
    """
    made = []
    for name, frame in raw.items():
        path, content = folder / f"{name}.csv", encode(frame, name)
        if not path.is_file() or path.read_bytes() != content:
            with paths.atomic(path) as temporary:
                temporary.write_bytes(content)
        made.append({"file": f"{name}.csv", "rows": len(frame), "columns": frame.shape[1],
                     "separator": {",": "comma", ";": "semicolon"}[SEPARATOR.get(name, ",")],
                     "sha256": hashlib.sha256(content).hexdigest()[:12]})
    return pd.DataFrame(made)


def encode(frame: pd.DataFrame, name: str) -> bytes:
    """Bytes of one raw table: UTF-8, lines ended by a line feed, quotes only where needed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=SEPARATOR.get(name, ","), lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows(frame.to_numpy().tolist())
    return buffer.getvalue().encode("utf-8-sig" if name in BYTE_ORDER_MARK else "utf-8")


def enlarge(tables: dict[str, pd.DataFrame], n: int, seed: int) -> dict[str, pd.DataFrame]:
    """Resample patients with replacement, with new numbers, in every table.

    Parameters
    ----------
    tables : dict of DataFrame
        Raw text tables with `patient_id`; columns that start with `_` (such as line numbers) are left out.
    n : int
        Patients wanted.
    seed : int

    Returns
    -------
    dict of DataFrame
        Raw text tables of `n` patients; rows of unknown patients are left out.

    Examples
    --------
    >>> made = enlarge({"patients": pd.DataFrame({"patient_id": ["A", "B"], "arm": ["x", "y"]})}, 3, seed=1)
    >>> made["patients"]["patient_id"].tolist()
    ['P0000001', 'P0000002', 'P0000003']
    """
    known = tables["patients"]["patient_id"].str.strip().unique()
    drawn = pd.DataFrame({"patient_id": np.random.default_rng(seed).choice(known, n),
                          "new": [f"P{number:07d}" for number in range(1, n + 1)]})
    made = {}
    for name, table in tables.items():
        columns = [column for column in table.columns if not column.startswith("_")]
        stripped = table[columns].assign(patient_id=table["patient_id"].str.strip())
        rows = drawn.merge(stripped, on="patient_id", how="inner")
        rows = rows.assign(patient_id=rows["new"]).sort_values("patient_id", kind="stable")
        made[name] = rows[columns].reset_index(drop=True)
    return made
