"""A part of an ensemble on disk: Parquet that says what it is a part of, and shows whether it still is whole."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

#: Under this name a part's footer holds what the part is, with the hash of its content.
SAID = b"remission"
#: The file that names the parts of a finished run, in order, with the rows to take of each.
INDEX = "ensemble.json"


def pack(frame: pd.DataFrame, **said: Any) -> bytes:
    """A table as the bytes of a Parquet file.

    Parameters
    ----------
    frame : DataFrame
    **said
        What the table is, as JSON knows it; the number of rows and the hash of the content are added.

    Returns
    -------
    bytes
        The same for the same table and the same version of pyarrow: no time and no path is in it.

    Examples
    --------
    >>> frame = pd.DataFrame({"median": [1.5, 2.5]})
    >>> pack(frame, number=0) == pack(frame, number=0)
    True
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    whole = said | {"rows": len(frame), "content": _content(frame)}
    table = table.replace_schema_metadata({**table.schema.metadata, SAID: json.dumps(whole, sort_keys=True).encode()})
    out, worded = io.BytesIO(), list(frame.select_dtypes("category"))
    pq.write_table(table, out, compression="zstd", use_dictionary=worded, write_page_checksum=True)
    return out.getvalue()


def rows(path: Path, **said: Any) -> int | None:
    """Number of rows of a part, or None when it is missing, damaged, or a part of something else.

    Parameters
    ----------
    path : Path
    **said
        As given to `pack`.

    Returns
    -------
    int or None

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "part.parquet"
    >>> data = pack(pd.DataFrame({"median": [1.5, 2.5]}), number=0)
    >>> _ = path.write_bytes(data)
    >>> rows(path, number=0), rows(path, number=1)
    (2, None)
    >>> _ = path.write_bytes(data[:-1])
    >>> rows(path, number=0) is None
    True
    """
    try:
        table = _table(path)
        found = json.loads(table.schema.metadata[SAID])
        frame = table.to_pandas()
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException):
        return None  # whatever a reader of Parquet makes of foreign bytes
    same = found == said | {"rows": len(frame), "content": _content(frame)}
    return len(frame) if same else None


def load(folder: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """The cohorts of a finished run, families one after the other, each in the order of its chunks.

    Parameters
    ----------
    folder : Path
        As `remission.ensemble.spread.run` returns it.
    columns : list of str, optional
        Columns to read; others are left on disk. All of them take 8 bytes a number.

    Returns
    -------
    DataFrame
        Row numbers count through; `family` is categorical, and with `chunk`, `chain` and `draw` it names a cohort.

    Raises
    ------
    FileNotFoundError
        When no run has ended there.
    """
    parts = json.loads((folder / INDEX).read_text(encoding="utf-8"))["parts"]
    tables = [_table(folder / part["file"], columns).slice(0, part["rows"]) for part in parts]
    return pa.concat_tables(tables).unify_dictionaries().to_pandas()


def _table(path: Path, columns: list[str] | None = None) -> pa.Table:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(columns)


def _content(frame: pd.DataFrame) -> str:
    """Hash of names, types and values."""
    plain = frame.assign(**{name: frame[name].astype(object) for name in frame.select_dtypes("category")})
    heads = json.dumps([[name, str(kind)] for name, kind in frame.dtypes.items()])
    values = pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes()
    return hashlib.sha256(heads.encode() + values).hexdigest()
