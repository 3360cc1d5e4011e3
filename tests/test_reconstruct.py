"""The synthetic cohort: its claims hold, its patients are plausible, its disorder is complete, its bytes are fixed."""

from __future__ import annotations

import math
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from remission import paths, reconstruct, schema
from remission.reconstruct import outcomes
from remission.reconstruct.check import outcomes_of
from remission.reconstruct.patients import DATA_CUT
from remission.reconstruct.statistics import km_median, logrank_p, score_p

FOLDER = ROOT / "data" / "raw" / reconstruct.COHORT
IFN = "IFN+IM"


@cache
def truth():
    return reconstruct.truth(reconstruct.SEED)


@cache
def disordered():
    return reconstruct.disorder(truth(), reconstruct.SEED)


@cache
def claims():
    return reconstruct.claims().set_index("id")


class TestStatistics:
    """Values of R 4.2.2, survival 3.5-3."""

    time = np.array([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161, 5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45])
    event = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1], bool)
    kept = np.repeat([True, False], [11, 12])

    def test_medians_of_aml(self):  # survfit(Surv(time, status) ~ x, aml)
        assert km_median(self.time[self.kept], self.event[self.kept]) == 31
        assert km_median(self.time[~self.kept], self.event[~self.kept]) == 23

    def test_logrank_of_aml(self):  # 1 - pchisq(survdiff(Surv(time, status) ~ x, aml)$chisq, 1)
        assert logrank_p(self.time, self.event, self.kept) == pytest.approx(0.06533932, abs=1e-8)

    def test_median_of_an_even_number_is_the_middle_of_the_step(self):  # survfit(Surv(1:4, rep(1, 4)) ~ 1)
        assert km_median(np.array([1, 2, 3, 4]), np.ones(4, bool)) == 2.5

    def test_no_median_above_one_half_or_on_an_open_step(self):
        assert math.isnan(km_median(np.array([1, 2, 3]), np.array([True, False, False])))
        assert math.isnan(km_median(np.array([1, 2, 3, 4]), np.array([True, True, False, False])))

    def test_score_test(self):  # summary(coxph(Surv(t, e) ~ x, ties = "breslow"))$sctest
        time, event = np.array([5, 8, 12, 15, 20, 26, 33, 40]), np.array([1, 1, 0, 1, 1, 0, 1, 0], bool)
        marker = np.array([0.5, -1.2, 0.3, 2.1, 1.4, -0.7, 0.9, -0.2])
        assert score_p(time, event, marker) == pytest.approx(0.456073, abs=1e-6)

    def test_a_constant_marker_has_no_p(self):
        assert math.isnan(score_p(np.array([1, 2]), np.ones(2, bool), np.ones(2)))
        assert math.isnan(logrank_p(np.array([1, 2]), np.ones(2, bool), np.ones(2, bool)))


class TestClaims:
    def test_each_claim_is_checkable_or_says_why_not(self):
        assert claims().index.is_unique
        assert ((claims()["result_id"] == "") == (claims()["why_not"] != "")).all()

    def test_the_sixty_of_the_source_list_are_there(self):
        groups = {"D": 5, "A": 6, "E": 3, "S": 8, "R": 7, "F": 13, "M": 7, "T": 4, "X": 3, "K": 4}
        named = {f"{letter}{n:02d}" for letter, count in groups.items() for n in range(1, count + 1)}
        assert len(named) == 60 and named <= set(claims().index)

    def test_intervals_are_intervals(self):
        asked = claims()[claims()["result_id"] != ""]
        assert (asked["lower"].astype(float) <= asked["upper"].astype(float)).all()
        assert claims()["upper_open"].isin(["", "Y"]).all()
        # A rounding interval leaves its upper end to the next printed value.
        assert (asked.loc[asked["printed"].str.fullmatch(r"\d+\.\d+"), "upper_open"] == "Y").all()

    def test_conflicts_name_claims(self):
        named = claims()["conflicts_with"].str.split(";").explode()
        assert set(named) - {""} <= set(claims().index)

    def test_every_checkable_claim_holds_under_its_reading(self):
        held = reconstruct.check(truth(), reconstruct.claims())
        assert len(held) == (claims()["result_id"] != "").sum()
        assert held.loc[~held["reading_holds"], "id"].tolist() == []

    def test_only_contradicted_claims_fail_as_worded(self):
        held = reconstruct.check(truth(), reconstruct.claims())
        failed = held[~held["holds"]]
        assert failed["id"].tolist() == ["E02", "R03", "F08"]
        assert (failed["conflicts_with"] != "").all()

    def test_the_check_sees_a_changed_table(self):
        tables = {**truth(), "patients": truth()["patients"].assign(age=truth()["patients"]["age"] + 1)}
        held = reconstruct.check(tables, reconstruct.claims()).set_index("id")
        assert not held.loc[["A01", "A02", "A03"], "holds"].any() and held.loc["D01", "holds"]

    def test_two_rows_for_one_result_leave_their_overlap(self):
        row = {"result_id": "r", "lower": "1", "upper": "3", "unit": "year", "reading_result_id": "",
               "reading_lower": "", "reading_upper": ""}
        other = {"result_id": "r", "lower": "2", "upper": "9", "unit": "year"}
        assert outcomes.targets(pd.DataFrame([row]), pd.DataFrame([other])) == {"r": (730.5, 1095.75)}

    def test_another_reading_replaces_the_wording(self):
        row = {"result_id": "r", "lower": "1", "upper": "3", "unit": "n", "reading_result_id": "s", "reading_lower": "",
               "reading_upper": "4"}
        assert outcomes.targets(pd.DataFrame([row]), pd.DataFrame()) == {"s": (1.0, 4.0)}

    def test_claims_that_no_cohort_satisfies_are_reported(self, monkeypatch):
        monkeypatch.setattr(outcomes, "STEPS", 20)
        monkeypatch.setattr(outcomes, "RESTARTS", 1)
        wanted = outcomes.targets(reconstruct.claims(), reconstruct.design())
        with pytest.raises(RuntimeError, match="no cohort satisfies the claims"):
            outcomes.search({**wanted, "range.OSDX.all.IM.min_any": (9000.0, 9001.0)}, 1)


class TestForm:
    @pytest.mark.parametrize("name", schema.RAW)
    def test_columns_types_and_order_are_the_clean_form(self, name):
        frame, table = truth()[name], schema.RAW[name]
        expected = []
        for column in table.columns:
            expected += {"date": [column.name, schema.DAY_COLUMN.get(column.name)],
                         "text": ["state", "ratio"] if column.name == "result_text" else [column.name]}.get(
                             column.kind, [column.name])
        assert list(frame.columns) == expected
        kinds = {"date": "datetime64[ns]", "integer": "Int64", "number": "float64", "text": "object"}
        assert all(frame[column.name].dtype == kinds[column.kind] for column in table.columns if column.name in frame)
        assert not frame.duplicated(list(table.key)).any()
        assert frame.sort_values(list(table.key), kind="stable").index.equals(frame.index)

    @pytest.mark.parametrize("name", schema.RAW)
    def test_closed_vocabularies_and_required_cells(self, name):
        for column in schema.RAW[name].columns:
            if column.name not in truth()[name]:
                continue
            cells = truth()[name][column.name]
            if closed := column.values:  # noqa: PD011
                assert set(cells.dropna().astype(str)) <= set(closed)
            assert not (column.required and cells.isna().any())

    @pytest.mark.parametrize("name", schema.RAW)
    def test_each_date_is_its_day(self, name):
        frame = truth()[name]
        origin = frame["patient_id"].map(truth()["patients"].set_index("patient_id")["maintenance_start"])
        for column in frame.columns.intersection(list(schema.DAY_COLUMN)):
            if frame[column].dtype == "datetime64[ns]":
                assert ((frame[column] - origin).dt.days.dropna() == frame[schema.DAY_COLUMN[column]].dropna()).all()

    def test_size(self):
        assert truth()["patients"]["arm"].value_counts().to_dict() == {IFN: 19, "IM": 12}
        assert len(truth()["laboratory"]) <= 5000


class TestPlausibility:
    def test_order_of_events(self):
        made = truth()["patients"].merge(truth()["disposition"], on="patient_id")
        assert (made["diagnosis_day"] < made["cr_day"]).all() and (made["cr_day"] < 0).all()
        assert (truth()["remission_events"]["day"] > 0).all()
        assert (made["last_contact"] < DATA_CUT).all()
        relapse = truth()["remission_events"].merge(made, on="patient_id")
        assert (relapse["day"] < relapse["last_contact_day"]).all()
        assert made.loc[made["death_day"].notna(), "death_day"].equals(
            made.loc[made["death_day"].notna(), "last_contact_day"])

    @pytest.mark.parametrize("name", ["dosing", "adverse_events", "laboratory", "mrd", "mutations", "procedures"])
    def test_nothing_after_last_contact(self, name):
        last = truth()["disposition"].set_index("patient_id")["last_contact_day"]
        frame = truth()[name]
        for column in frame.columns.intersection(["day", "start_day", "end_day"]):
            assert (frame[column] <= frame["patient_id"].map(last)).fillna(True).all()

    def test_stretches_of_a_drug_follow_one_another(self):
        dosing = truth()["dosing"]
        assert (dosing["end_day"] >= dosing["start_day"]).fillna(True).all()
        following = dosing.groupby(["patient_id", "drug"])["start_day"].shift(-1)
        inner = following.notna()
        assert (following[inner] == dosing.loc[inner, "end_day"] + 1).all()
        assert (dosing.groupby(["patient_id", "drug"])["start_day"].min() == 0).all()
        assert dosing.loc[dosing["end_day"].isna(), "reason_for_change"].isna().all()

    def test_no_study_drug_after_relapse(self):
        relapse = truth()["remission_events"].set_index("patient_id")["day"]
        dosing = truth()["dosing"]
        assert (dosing["end_day"] < dosing["patient_id"].map(relapse)).fillna(True).all()

    def test_a_dose_change_for_an_adverse_event_has_its_event(self):
        dosing, events = truth()["dosing"], truth()["adverse_events"]
        cut = dosing[dosing["reason_for_change"] == "adverse event"]
        acted = events[events["action_taken"] != "none"]
        for row in cut.itertuples():
            drug = "IFN" if row.unit == "MU" else "imatinib"
            mine = acted[(acted["patient_id"] == row.patient_id) & acted["action_taken"].str.startswith(drug)]
            assert mine["start_day"].between(row.end_day - 15, row.end_day + 1).any()
        assert len(acted) == len(cut)

    def test_cycles_end_before_maintenance(self):
        assert (truth()["chemotherapy_cycles"]["end_day"] < 0).all()

    def test_level_at_diagnosis_and_detection_limits(self):
        mrd = truth()["mrd"].sort_values(["patient_id", "day"])
        first = mrd.groupby("patient_id").first()
        assert first["ratio"].between(10, 100).all()
        assert mrd["detection_limit"].between(0.001, 0.1).all()
        enough = mrd["abl_copies"] >= 10_000
        assert (mrd.loc[enough, "detection_limit"] >= 100 / mrd.loc[enough, "abl_copies"] - 1e-12).all()
        assert mrd["ratio"].notna().equals(mrd["state"] == "QUANTIFIED")
        assert 0.03 < (~enough).mean() < 0.15

    def test_ratio_is_that_of_the_copies(self):
        mrd = truth()["mrd"]
        counted = (100 * mrd["bcr_abl_copies"] / mrd["abl_copies"]).map(lambda ratio: float(f"{ratio:.3g}"))
        known = mrd["state"] == "QUANTIFIED"
        assert counted[known].equals(mrd.loc[known, "ratio"])

    def test_most_marrow_relapses_follow_a_rise(self):
        seen = reconstruct.rise_before_relapse(truth())
        assert len(seen) >= 15
        assert (seen["fold"] >= 10).mean() > 0.75

    def test_mutations_prevail_at_relapse(self):
        mutations = truth()["mutations"]
        late = mutations[mutations["day"] > 0].groupby("patient_id")["variant"].agg(lambda v: (v != "none").any())
        early = mutations[mutations["day"] < 0].groupby("patient_id")["variant"].agg(lambda v: (v != "none").any())
        assert late.mean() > 0.6 > 0.5 > early.mean()

    def test_counts_fall_under_chemotherapy_and_recover(self):
        counts = truth()["laboratory"].query("test == 'ANC'")
        assert counts.loc[counts["day"] < -20, "value"].median() < counts.loc[counts["day"] > 0, "value"].median()
        wide = truth()["laboratory"].pivot_table(index=["patient_id", "day"], columns="test", values="value")
        assert (wide["WBC"] >= wide["ANC"]).all()

    def test_isolated_cns_relapses_leave_the_marrow_alone(self):
        alone = truth()["remission_events"].query("site == 'CNS'")
        at = truth()["mrd"].merge(alone[["patient_id", "day"]], on=["patient_id", "day"])
        assert len(at) and (at["ratio"].fillna(0) < 10).all()


#: Kind of disorder: table, column, pattern of a cell that shows it.
KINDS = {
    "decimal comma": ("laboratory", "value", r"\d+,\d+"),
    "decimal point": ("laboratory", "value", r"\d+\.\d{1,2}"),
    "ISO date": ("patients|disposition|adverse_events", "diagnosis_date|last_contact|start_date", r"\d{4}-\d\d-\d\d"),
    "German date": ("patients", "diagnosis_date", r"\d{1,2}\.\d{1,2}\.\d{4}"),
    "two-digit year": ("dosing", "start_date", r"\d\d\.\d\d\.\d\d"),
    "slashed date": ("adverse_events", "start_date", r"\d\d/\d\d/\d{4}"),
    "month by name": ("dosing", "start_date", r"\d{1,2}\. [A-Z]\D+ \d{4}"),
    "partial date": ("adverse_events", "start_date", r"\d\d/\d{4}|\d{4}-\d\d"),
    "arm alias": ("patients", "arm", r"(?!IFN\+IM$|IM$).+"),
    "drug alias": ("dosing", "drug", r"(Glivec|Roferon|IFN|STI).*"),
    "per microlitre": ("laboratory", "unit", r"/(µl|ul)"),
    "thousands dots": ("laboratory", "value", r"\d{1,3}\.\d{3}"),
    "grams a litre": ("laboratory", "unit", r"g/l"),
    "micromoles": ("laboratory", "unit", r"µmol/l"),
    "million units": ("dosing", "unit", r"Mio\.? I\.?E\.?"),
    "units in full": ("dosing", "dose", r"\d000000|\d\.\d{3}\.000"),
    "weekly dose": ("dosing", "unit", r".+/(week|Woche)"),
    "grams of imatinib": ("dosing", "unit", "g"),
    "MRD neg": ("mrd", "result_text", r"neg\.?|negativ"),
    "MRD PNQ": ("mrd", "result_text", "PNQ"),
    "MRD below limit": ("mrd", "result_text", r"<\s?0,\d+ ?%"),
    "MRD per cent": ("mrd", "result_text", r"\d+,\d+ %"),
    "MRD power of ten": ("mrd", "result_text", r"\d\.\d\dE-\d\d"),
    "blood and marrow": ("mrd", "source", r"KM.*|Knochenmark|.*Blut"),
    "Roman grade": ("adverse_events", "grade", r"I{1,3}"),
    "missing grade": ("adverse_events", "grade", ""),
    "German term": ("adverse_events", "term", r"Müdigkeit|Übelkeit|Durchfall|.*[äöüÄÖÜß].*"),
    "mutation spelling": ("mutations", "variant", r"[A-Z]-\d{3}-[A-Z]"),
    "stray spaces": ("laboratory", "patient_id", r" .*"),
}


class TestDisorder:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_is_there(self, kind):
        tables, columns, pattern = KINDS[kind]
        places = zip(tables.split("|"), columns.split("|"), strict=True)
        cells = [disordered()[0][table][column] for table, column in places]
        assert pd.concat(cells).str.fullmatch(pattern).any()

    def test_rows_that_do_not_belong(self):
        raw, _ = disordered()
        known = set(raw["patients"]["patient_id"].str.strip())
        assert not set(raw["mrd"]["patient_id"].str.strip()) <= known
        assert raw["laboratory"]["value"].isin(["geronnen", "hämolytisch"]).sum() == 2
        extra = {name: len(raw[name]) - len(truth()[name]) for name in raw}
        assert extra == {"patients": 0, "chemotherapy_cycles": 1, "dosing": 2, "adverse_events": 5, "laboratory": 17,
                         "mrd": 12, "mutations": 1, "remission_events": 0, "disposition": 0, "procedures": 3}

    def test_open_and_overlapping_stretches(self):
        dosing = disordered()[0]["dosing"]
        assert (dosing["end_date"] == "").sum() > truth()["dosing"]["end_date"].isna().sum()

    def test_destroyed_cells_are_named_and_gone(self):
        raw, destroyed = disordered()
        assert list(destroyed.columns) == ["table", "patient_id", "line", "key", "column", "truth"]
        assert set(destroyed["column"]) == {"start_date", "start_day", "end_date", "end_day", "date", "day", "grade"}
        for row in destroyed[~destroyed["column"].str.contains("day")].itertuples():
            cell = raw[row.table].loc[row.line - 2]
            assert cell["patient_id"].strip() == row.patient_id
            assert cell[row.column] == "" if row.column == "grade" else re.fullmatch(r"\d\d/\d{4}|\d{4}-\d\d",
                                                                                     cell[row.column])

    def test_nothing_that_a_claim_rests_on_is_destroyed(self):
        destroyed = disordered()[1]
        assert not destroyed["key"].str.contains("Depression|Fatigue").any()
        assert set(destroyed["table"]) == {"adverse_events", "chemotherapy_cycles", "mutations", "procedures"}

    def test_it_leaves_the_truth_alone_and_repeats_itself(self):
        before = {name: frame.copy() for name, frame in truth().items()}
        again, destroyed = reconstruct.disorder(truth(), reconstruct.SEED)
        assert all(again[name].equals(disordered()[0][name]) for name in again)
        assert destroyed.equals(disordered()[1])
        assert all(before[name].equals(truth()[name]) for name in before)


class TestFiles:
    @pytest.mark.parametrize("name", schema.RAW)
    def test_the_committed_table_comes_out_byte_for_byte(self, name):
        assert reconstruct.encode(disordered()[0][name], name) == (FOLDER / f"{name}.csv").read_bytes()

    def test_an_unchanged_file_is_not_touched(self, tmp_path):
        table = {"patients": pd.DataFrame({"patient_id": ["A"], "arm": ["x"]})}
        reconstruct.write(table, tmp_path)
        before = (tmp_path / "patients.csv").stat()
        reconstruct.write(table, tmp_path)
        after = (tmp_path / "patients.csv").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)

    def test_separators_and_byte_order_mark(self):
        frame = pd.DataFrame({"a": ["1,5"], "b": ["x"]})
        assert reconstruct.encode(frame, "dosing") == b'a,b\n"1,5",x\n'
        assert reconstruct.encode(frame, "laboratory") == b"a;b\n1,5;x\n"
        assert reconstruct.encode(frame, "adverse_events").startswith(b"\xef\xbb\xbf")

    def test_enlarged_cohort(self):
        tables = {"patients": pd.DataFrame({"patient_id": ["A ", "B"], "arm": ["x", "y"]}),
                  "mrd": pd.DataFrame({"patient_id": ["A", "A", "Z"], "date": ["1", "2", "3"], "_line": [2, 3, 4]})}
        made = reconstruct.enlarge(tables, 50, seed=3)
        assert made["patients"]["patient_id"].is_unique and len(made["patients"]) == 50
        assert len(made["mrd"]) == 2 * (made["patients"]["arm"] == "x").sum()
        assert list(made["mrd"].columns) == ["patient_id", "date"]
        assert made["mrd"].equals(reconstruct.enlarge(tables, 50, seed=3)["mrd"])

    def test_the_readme_names_every_column_and_says_what_this_is(self):
        text = (FOLDER / "README.md").read_text(encoding="utf-8")
        assert "SYNTHETIC" in text.splitlines()[0]
        for name, frame in disordered()[0].items():
            section = text.split(f"### `{name}.csv`")[1].split("\n###")[0]
            assert all(f"| `{column}` |" in section for column in frame.columns)

    def test_the_folder_holds_only_what_is_named(self):
        made = {f"{name}.csv" for name in schema.RAW} | {"abstract.toml", "claims.csv", "external.csv", "readings.csv",
                                                          "study.toml", "README.md"}
        assert {path.name for path in FOLDER.iterdir()} == made
        assert paths.raw(reconstruct.COHORT) == FOLDER


def test_outcomes_survive_the_tables():
    # Read back from the tables, the outcomes give the same answers as the search gave.
    found = outcomes.measures(outcomes_of(truth()))
    wanted = outcomes.targets(reconstruct.claims(), reconstruct.design())
    decided = [name for name in found if name in wanted]
    assert len(decided) == 28
    assert [name for name in decided if not wanted[name][0] <= found[name] <= wanted[name][1]] == []
