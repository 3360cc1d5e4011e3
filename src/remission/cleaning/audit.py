"""The record of what cleaning did to one table: repairs, faults of cells, rows set aside."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from remission import raw
from remission.errors import Problem

LOG_COLUMNS = ["rule", "table", "line", "patient_id", "column", "before", "after"]
QUARANTINE_COLUMNS = ["table", "line", "patient_id", "rule", "reason", "content"]


class Audit:
    """Collects, for one table, log entries, faults and quarantined rows; rows are named by their place in the table.

    Parameters
    ----------
    table : str
        Name of the table.
    received : DataFrame
        The table as received, with `_line`, index 0, 1, ….
    """

    def __init__(self, table: str, received: pd.DataFrame):
        self.table, self.received = table, received
        self.lines = received[raw.LINE]
        self.patients = pd.Series("", index=received.index, dtype=object)
        self.dropped = pd.DataFrame({"rule": "", "reason": ""}, index=received.index, dtype=object)
        self._log: list[pd.DataFrame] = []
        self._faults: list[pd.DataFrame] = []

    @property
    def kept(self) -> pd.Series:
        """Rows not in quarantine, as a mask."""
        return self.dropped["rule"] == ""

    def log(self, rule: str | pd.Series, column: str, before: pd.Series | str, after: pd.Series | str,
            rows: pd.Index) -> None:
        """Log one repair a row."""
        if len(rows) == 0:
            return

        def at(given):
            return given.loc[rows].to_numpy() if isinstance(given, pd.Series) else given

        self._log.append(pd.DataFrame({"rule": at(rule), "row": rows, "column": column, "before": at(before),
                                       "after": at(after)}))

    def log_table(self, rule: str, column: str, before: str, after: str) -> None:
        """Log a repair that concerns no single row, such as an extra column."""
        self._log.append(pd.DataFrame({"rule": [rule], "row": [-1], "column": column, "before": before,
                                       "after": after}))

    def rows(self, rule: str, column: str) -> np.ndarray:
        """Rows in which a rule changed a column."""
        found = [part.loc[(part["rule"] == rule) & (part["column"] == column), "row"] for part in self._log]
        return np.concatenate(found) if found else np.array([], dtype=int)

    def fault(self, column: str, texts: pd.Series, kinds: pd.Series | str, rows: pd.Index) -> None:
        """Note cells that could not be read; `settle` decides what follows."""
        if len(rows):
            kind = kinds.loc[rows].to_numpy() if isinstance(kinds, pd.Series) else kinds
            self._faults.append(pd.DataFrame({"row": rows, "column": column, "text": texts.loc[rows].to_numpy(),
                                              "kind": kind}))

    def fault_frame(self, found: pd.DataFrame) -> None:
        """Note faults that come as a frame with row, column, text and kind."""
        if len(found):
            self._faults.append(found[["row", "column", "text", "kind"]])

    def drop(self, rule: str, reason: pd.Series | str, rows: pd.Index) -> None:
        """Send rows to quarantine; the first verdict on a row stands."""
        rows = rows[self.kept.loc[rows].to_numpy()]
        if len(rows):
            self.dropped.loc[rows, "rule"] = rule
            self.dropped.loc[rows, "reason"] = reason.loc[rows].to_numpy() if isinstance(reason, pd.Series) else reason

    def faults(self) -> pd.DataFrame:
        """Every fault: row, column, text, kind."""
        columns = ["row", "column", "text", "kind"]
        return pd.concat(self._faults, ignore_index=True) if self._faults else pd.DataFrame(columns=columns)

    def problems(self, mends: dict[str, str], default: str) -> list[Problem]:
        """Faults as problems: one a column and kind, with the lines and the first few texts."""
        made = []
        for (column, kind), group in self.faults().groupby(["column", "kind"], sort=False):
            texts = list(dict.fromkeys(group["text"]))
            shown = ", ".join(repr(text) for text in texts[:4]) + (f" and {len(texts) - 4} more" if texts[4:] else "")
            lines = tuple(sorted(self.lines.loc[group["row"]]))
            what = f"{kind} {shown}" if any(texts) else kind
            made.append(Problem(self.table, column, lines, what, mends.get(column, default)))
        return made

    def log_frame(self) -> pd.DataFrame:
        """Log entries with the columns of `cleaning_log.csv`, in file order."""
        if not self._log:
            return pd.DataFrame(columns=LOG_COLUMNS)
        whole = pd.concat(self._log, ignore_index=True)
        whole["table"] = self.table
        whole["line"] = whole["row"].map(self.lines).astype("Int64")
        whole["patient_id"] = whole["row"].map(self.patients).fillna("")
        order = {name: place for place, name in enumerate(self.received.columns)}
        whole["place"] = whole["column"].map(order).fillna(len(order))
        return whole.sort_values(["line", "place"], kind="stable", na_position="first")[LOG_COLUMNS]

    def quarantine_frame(self, ragged: dict[int, list[str]]) -> pd.DataFrame:
        """Quarantined rows, kept whole as JSON, in file order; a row of the wrong length as the list of its cells."""
        rows = self.dropped.index[~self.kept]
        cells = self.received.loc[rows].drop(columns=raw.LINE).to_dict("records")
        lines = self.lines.loc[rows].to_numpy()
        content = [json.dumps(ragged.get(int(line), cell), ensure_ascii=False)
                   for line, cell in zip(lines, cells, strict=True)]
        return pd.DataFrame({
            "table": self.table, "line": pd.array(lines, dtype="Int64"),
            "patient_id": self.patients.loc[rows].to_numpy(), "rule": self.dropped.loc[rows, "rule"].to_numpy(),
            "reason": self.dropped.loc[rows, "reason"].to_numpy(),
            "content": np.array(content, dtype=object)}, columns=QUARANTINE_COLUMNS)
