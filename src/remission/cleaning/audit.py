"""The record of what cleaning did to one table: repairs, faults of cells, rows set aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from remission import checks, raw, schema
from remission.cleaning.dates import Order

LOG_COLUMNS = ["rule", "table", "line", "patient_id", "column", "before", "after"]
QUARANTINE_COLUMNS = ["table", "line", "patient_id", "rule", "reason", "content"]
QUERY_COLUMNS = ["table", "line", "patient", "column", "value", "code", "rule", "severity", "what", "mend"]
REPAIR_COLUMNS = ["table", "column", "code", "rule", "cells", "line", "before", "after"]
_CODE, _SEVERITY, _MEANING, _MEND = ({rule: getattr(check, name) for rule, check in checks.RULES.items()}
                                     for name in ("code", "severity", "meaning", "mend"))
#: Checks of cells that are mended in study.toml as well as in the cell.
STUDY_DECIDES = ("serial_date", "date_order_unknown", "ambiguous_date", "after_cutoff")
_FAULT_COLUMNS = ["row", "column", "text", "kind", "rule"]


class _Entries(NamedTuple):
    """What one rule, or several, did to cells of one column: rule, text before and after of each row."""

    column: str
    rows: np.ndarray
    rule: np.ndarray
    before: np.ndarray
    after: np.ndarray


class Audit:
    """Collects, for one table, log entries, faults and quarantined rows; rows are named by their place in the table.

    Parameters
    ----------
    table : str
        Name of the table.
    received : DataFrame
        The table as received, or a part of it, with `_line`, index 0, 1, ….
    orders : mapping of Order
        Order of day and month of date columns whose other parts are not in `received`.
    first : bool
        Whether entries that concern the whole table are logged here; those of a table in parts come with its first.
    """

    def __init__(self, table: str, received: pd.DataFrame, orders: Mapping[str, Order] | None = None, *,
                 first: bool = True):
        self.table, self.received = table, received
        self.orders, self.first = dict(orders or {}), first
        self.lines = received[raw.LINE]
        self.patients = pd.Series("", index=received.index, dtype=object)
        self.dropped = pd.DataFrame({"rule": "", "reason": "", "column": "", "value": "", "check": ""},
                                    index=received.index, dtype=object)
        self._log: list[_Entries] = []
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
            return np.full(len(rows), given, object) if isinstance(given, str) else given.loc[rows].to_numpy(object)

        self._log.append(_Entries(column, np.asarray(rows), at(rule), at(before), at(after)))

    def log_table(self, rule: str, column: str, before: str, after: str) -> None:
        """Log a repair that concerns no single row, such as an extra column."""
        if self.first:
            texts = (np.array([text], object) for text in (rule, before, after))
            self._log.append(_Entries(column, np.array([-1]), *texts))

    def _logged(self) -> pd.DataFrame:
        """Every log entry: rule, row (-1: the table as a whole), column, before, after."""
        columns, rows, rules, before, after = zip(*self._log, strict=True)
        names = np.repeat(np.array(columns, object), list(map(len, rows)))
        return pd.DataFrame({"rule": np.concatenate(rules), "row": np.concatenate(rows), "column": names,
                             "before": np.concatenate(before), "after": np.concatenate(after)})

    def rows(self, rule: str, column: str) -> np.ndarray:
        """Rows in which a rule changed a column."""
        found = [part.rows[part.rule == rule] for part in self._log if part.column == column]
        return np.concatenate(found) if found else np.array([], dtype=int)

    def fault(self, column: str, texts: pd.Series, kinds: pd.Series | str, rows: pd.Index) -> None:
        """Note cells that could not be read; `settle` decides what follows."""
        if len(rows):
            kind = kinds.loc[rows].to_numpy() if isinstance(kinds, pd.Series) else kinds
            self.fault_frame(pd.DataFrame({"row": rows, "column": column, "text": texts.loc[rows].to_numpy(),
                                           "kind": kind}))

    def fault_frame(self, found: pd.DataFrame) -> None:
        """Note faults that come as a frame: row, column, text, kind; the check follows from kind, or is `rule`."""
        if len(found):
            if "rule" not in found:
                rules = {kind: checks.of_fault(kind).rule for kind in found["kind"].unique()}
                found = found.assign(rule=found["kind"].map(rules))
            self._faults.append(found[_FAULT_COLUMNS].reset_index(drop=True))

    def drop(self, rule: str, reason: pd.Series | str, rows: pd.Index, *, column: str | pd.Series = "",
             values: pd.Series | str = "", check: pd.Series | str = "") -> None:
        """Send rows to quarantine; the first verdict on a row stands.

        `column`, `values` and `check` say which cell decided and by which check, where that is known; `check` may name
        one that is finer than `rule`.
        """
        rows = rows[self.kept.loc[rows].to_numpy()] if len(rows) else rows
        if len(rows):
            for name, given in (("rule", rule), ("reason", reason), ("column", column), ("value", values),
                                ("check", check)):
                self.dropped.loc[rows, name] = given.loc[rows].to_numpy() if isinstance(given, pd.Series) else given

    def faults(self) -> pd.DataFrame:
        """Every fault: row, column, text, kind, rule; not to be changed."""
        if not self._faults:
            return pd.DataFrame(columns=_FAULT_COLUMNS)
        self._faults = [pd.concat(self._faults, ignore_index=True)] if len(self._faults) > 1 else self._faults
        return self._faults[0]

    def faulty(self, column: str) -> pd.Series:
        """Rows in which a column, or its twin in study time, has a fault."""
        faults = self.faults()
        return faults.loc[faults["column"].isin([column, schema.DAY_COLUMN.get(column, column)]), "row"]

    def placed_faults(self) -> pd.DataFrame:
        """Every fault with the `line` and the `patient` of its row."""
        faults = self.faults()
        return faults.assign(line=faults["row"].map(self.lines).astype("int64"),
                             patient=faults["row"].map(self.patients).astype(object))

    def log_frame(self) -> pd.DataFrame:
        """Log entries with the columns of `cleaning_log.csv`, in file order."""
        if not self._log:
            return pd.DataFrame(columns=LOG_COLUMNS)
        whole = self._logged()
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

    def queries(self) -> pd.DataFrame:
        """Everything to be looked at in this table but problems, with the columns of `data_queries.csv`.

        Rows set aside, optional cells that could not be read, and questions; cells of rows set aside are left out, as
        the row goes back whole.
        """
        made = [self._aside()] if not self.kept.all() else []
        if self._faults and self._log:
            made.append(self._cells_lost())
        if self._log:
            whole = self._logged()
            asked = (whole["rule"].map(_SEVERITY) == "warning") & ~whole["row"].isin(self.dropped.index[~self.kept])
            made += [self._questions(whole[asked])] if asked.any() else []
        made = [part for part in made if len(part)]
        return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=QUERY_COLUMNS)

    def repairs(self) -> pd.DataFrame:
        """What was changed in kept rows: one row a rule and column, with the count of cells and the first of them."""
        if not self._log:
            return pd.DataFrame(columns=REPAIR_COLUMNS).astype({"line": "Int64", "cells": "int64"})
        made = self._logged()
        made = made[(made["rule"].map(_SEVERITY) == "repaired") & ~made["row"].isin(self.dropped.index[~self.kept])]
        made = made.assign(table=self.table, code=made["rule"].map(_CODE), cells=1, before=made["before"].astype(str),
                           after=made["after"].astype(str), line=made["row"].map(self.lines).astype("Int64"))
        return join_repairs([made[REPAIR_COLUMNS]])

    def _aside(self) -> pd.DataFrame:
        rows = self.dropped[~self.kept]
        check = rows["check"].where(rows["check"] != "", rows["rule"])
        return self._query(rows.index, rows["column"], rows["value"], check, "aside", rows["reason"])

    def _cells_lost(self) -> pd.DataFrame:
        """Faults of optional cells: the cell became missing, the row stays."""
        lost = self.faults().drop_duplicates(["row", "column"])
        logged = self._logged()
        lost = lost.merge(logged.loc[logged["rule"] == "unreadable_value", ["row", "column"]], on=["row", "column"])
        lost = lost[self.kept.loc[lost["row"]].to_numpy()]
        return self._query(lost["row"], lost["column"], lost["text"], lost["rule"], "warning",
                           lost["kind"] + "; the cell became missing")

    def _questions(self, asked: pd.DataFrame) -> pd.DataFrame:
        meaning = asked["rule"].map(_MEANING).str.removeprefix("query: ")
        after = asked["after"].astype(str).str.removeprefix("unchanged").str.removeprefix("; ")
        told = pd.Series([text == "" or known.endswith(text) for text, known in zip(after, meaning, strict=True)],
                         asked.index, dtype=bool)
        said = (": " + after).mask(told, "")
        return self._query(asked["row"], asked["column"], asked["before"], asked["rule"], "warning", meaning + said)

    def _query(self, rows: pd.Series, columns: pd.Series, values: pd.Series, rules: pd.Series,
               severity: str, what: pd.Series) -> pd.DataFrame:
        rows, rules = pd.Series(rows), pd.Series(rules)
        return pd.DataFrame({
            "table": self.table, "line": rows.map(self.lines).astype("Int64").array,
            "patient": rows.map(self.patients).fillna("").to_numpy(), "column": pd.Series(columns).to_numpy(),
            "value": pd.Series(values).astype(str).to_numpy(),
            "code": rules.map(_CODE).to_numpy(), "rule": rules.to_numpy(), "severity": severity,
            "what": pd.Series(what).to_numpy(), "mend": rules.map(_MEND).to_numpy()}, columns=QUERY_COLUMNS)


def join_repairs(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Repairs by table, column and rule: the cells of all parts, and the first in the file; columns as in the file."""
    whole = pd.concat(parts, ignore_index=True).sort_values("line", kind="stable", na_position="first")
    cells = whole.groupby(["table", "column", "code"], sort=False)["cells"].transform("sum")
    once = whole.assign(cells=cells).drop_duplicates(["table", "column", "code"])
    return once.sort_values(["table", "code", "column"], kind="stable", ignore_index=True)
