"""An abstract as data: windows of printed numbers, faults, readings, and agreement with the claims of the cohorts."""

from __future__ import annotations

import copy
import math
import re
import tomllib

import pandas as pd
import pytest
from conftest import ROOT

from remission import paths
from remission.ensemble import abstract as abstracts
from remission.ensemble.abstract import Claim, Quantity
from remission.errors import ContractError

GUIDE = (ROOT / "docs" / "abstracts.md").read_text(encoding="utf-8")


def given(**changes):
    """A file without fault, with changes of top-level keys."""
    return copy.deepcopy({
        "unit": "month", "horizon": 60,
        "arms": [{"key": "A", "patients": 20}, {"key": "B", "patients": 18, "reference": True}],
        "groups": {"arm": "A", "reference": "good", "other": "poor"},
        "claims": [row(), row(id="b", quantity="relapses", printed="9")],
        "readings": {"other": {"about": "said otherwise", "a": {"endpoint": "relapse_or_death"}, "b": {"drop": True}}},
        "unused": [{"what": "ages", "why": "not needed"}]} | changes)


def row(**changes):
    return {"id": "a", "quantity": "median", "endpoint": "relapse", "arm": "A", "printed": "21.5"} | changes


def problems(file, reading=()):
    with pytest.raises(ContractError) as raised:
        abstracts.build("x", file, reading)
    return [str(one) for one in raised.value.problems]


class TestWindow:
    @pytest.mark.parametrize(("printed", "rule", "expected"), [
        ("2.2", "rounded", (2.15, 2.25, False)), ("0.75", "rounded", (0.745, 0.755, False)),
        ("26", "rounded", (25.5, 26.5, False)), ("0.07", "rounded", (0.065, 0.075, False)),
        ("2.20", "rounded", (2.195, 2.205, False)), ("-0.4", "rounded", (-0.45, -0.35, False)),
        ("16", "truncated", (16.0, 17.0, False)), ("0.4", "truncated", (0.4, 0.5, False)),
        ("12", "exact", (12.0, 12.0, True)), ("0.5", "exact", (0.5, 0.5, True)),
        ("not reached", "rounded", (math.inf, math.inf, True)), ("<0.0001", "rounded", (0.0, 0.0001, False)),
        ("< .05", "exact", (0.0, 0.05, False)), (" 3 ", "exact", (3.0, 3.0, True)),
    ])
    def test_printed_numbers(self, printed, rule, expected):
        assert abstracts.window(printed, rule) == expected

    @pytest.mark.parametrize("printed", ["", "ns", "1,5", "1.2.3", "1e3", ">0.05", "12 months", "5%", ".", "2."])
    def test_what_is_no_number(self, printed):
        with pytest.raises(ValueError, match=f"^{re.escape(printed)}$"):
            abstracts.window(printed, "rounded")

    def test_the_upper_end_belongs_to_the_next_number(self):
        half_open, closed = (Claim("a", Quantity("median"), 2.15, 2.25, closed, "") for closed in (False, True))
        for value, first, second in ((2.15, True, True), (2.2, True, True), (2.25, False, True), (2.1499, False, False),
                                     (2.2501, False, False), (math.nan, False, False), (math.inf, False, False)):
            assert (half_open.holds(value), closed.holds(value)) == (first, second), value

    def test_a_median_not_reached(self):
        claim = Claim("a", Quantity("median"), math.inf, math.inf, True, "not reached")
        assert claim.holds(math.inf) and not claim.holds(1e9) and not claim.holds(math.nan)


FAULTS = {
    "unknown quantity": ({"claims": [row(quantity="mean")]}, "claims[a]: unknown quantity 'mean'"),
    "unknown endpoint": ({"claims": [row(endpoint="PFS")]}, "endpoint 'PFS' is unknown"),
    "unknown arm": ({"claims": [row(arm="C")]}, "arm 'C' is unknown"),
    "unknown group": ({"claims": [row(group="fair")]}, "group 'fair' is unknown"),
    "group of another arm": ({"claims": [row(arm="B", group="good")]}, "group 'good' is not one of arm 'B'"),
    "group of both arms": ({"claims": [row(arm="", group="good")]}, "group 'good' is not one of arm ''"),
    "unknown key": ({"claims": [row(unti="year")]}, "unknown key 'unti'"),
    "unknown unit": ({"claims": [row(unit="fortnight")]}, "unit 'fortnight' is unknown"),
    "unknown rule": ({"claims": [row(rule="ceiling")]}, "rule 'ceiling' is unknown"),
    "unknown among": ({"claims": [row(among="some")]}, "among 'some' is unknown"),
    "unknown test": ({"claims": [row(quantity="p", arm="", test="t")]}, "test 't' is unknown"),
    "lacks endpoint": ({"claims": [{"id": "a", "quantity": "median", "arm": "A", "printed": "2"}]},
                       "a median needs endpoint"),
    "lacks id": ({"claims": [{"quantity": "relapses", "arm": "A", "printed": "2"}]}, "claims[1]: a relapses needs id"),
    "lacks at": ({"claims": [row(quantity="survival", printed="0.5")]}, "a survival needs at"),
    "lacks rank": ({"claims": [row(quantity="ongoing_time")]}, "a ongoing_time needs rank"),
    "id is no text": ({"claims": [row(id=7)]}, "claims[7]: an id is text"),
    "id twice": ({"claims": [row(), row()]}, "id a stands twice"),
    "at is no time": ({"claims": [row(quantity="survival", at="5 years")]}, "at '5 years' is not a time"),
    "at is negative": ({"claims": [row(quantity="survival", at=-1)]}, "at -1 is not a time"),
    "rank 0": ({"claims": [row(quantity="ongoing_time", rank=0)]}, "rank 0 is not a place"),
    "rank 1.5": ({"claims": [row(quantity="ongoing_time", rank=1.5)]}, "rank 1.5 is not a place"),
    "decimal comma": ({"claims": [row(printed="21,5")]}, "'21,5' is not a printed number"),
    "without quotes": ({"claims": [row(printed=21.5)]}, "21.5 is not a printed number"),
    "nothing printed": ({"claims": [{"id": "a", "quantity": "relapses", "arm": "A"}]}, "None is not a printed number"),
    "interval of one": ({"claims": [row(interval=[1])]}, "interval [1] is not two numbers in order"),
    "interval of text": ({"claims": [row(interval=["a", "b"])]}, "is not two numbers in order"),
    "interval reversed": ({"claims": [row(interval=[2, 1])]}, "interval [2, 1] is not two numbers in order"),
    "count not reached": ({"claims": [row(quantity="relapses", printed="not reached")]}, "cannot be 'not reached'"),
    "p of an arm without groups": ({"claims": [row(quantity="p", arm="B", printed="0.1")]},
                                   "a p compares two arms, or the groups of the arm"),
    "p of one arm": ({"arms": [{"key": "A", "patients": 9}], "claims": [row(quantity="p", arm="", printed="0.1")]},
                     "a p compares two arms, or the groups of the arm"),
    "no claims": ({"claims": []}, "nothing is printed"),
    "claims is a table": ({"claims": {"a": 1}}, "claims: not a table. Mend: write [[claims]]"),
    "arms is a table": ({"arms": {"key": "A"}}, "arms: not a table. Mend: write [[arms]]"),
    "readings is a list": ({"readings": [1]}, "readings: not a table. Mend: write [readings]"),
    "reading is text": ({"readings": {"other": "all"}}, "readings.other: a reading changes keys of claims"),
    "change is text": ({"readings": {"other": {"a": "all"}}}, "readings.other: a reading changes keys of claims"),
    "unknown top key": ({"horizn": 5}, "horizn: unknown key"),
    "no arms": ({"arms": [], "groups": {}}, "0 arms"),
    "three arms": ({"arms": [{"key": key, "patients": 3} for key in "ABC"]}, "3 arms"),
    "no reference": ({"arms": [{"key": key, "patients": 3} for key in "AB"]}, "exactly one of two arms"),
    "equal keys": ({"arms": [{"key": "A", "patients": 3}, {"key": "A", "patients": 3, "reference": True}]},
                   "both arms have one key"),
    "no patients": ({"arms": [{"key": "A", "patients": 0}]}, "an arm needs a key and a number of patients"),
    "patients true": ({"arms": [{"key": "A", "patients": True}]}, "an arm needs a key and a number of patients"),
    "unknown key of an arm": ({"arms": [{"key": "A", "patients": 3, "n": 3}]}, "arms[1]: unknown key 'n'"),
    "no horizon": ({"horizon": 0}, "the longest time that anybody can have been followed is missing"),
    "horizon text": ({"horizon": "5 years"}, "the longest time that anybody can have been followed is missing"),
    "horizon without end": ({"horizon": math.inf}, "the longest time that anybody can have been followed is missing"),
    "unit of the report": ({"unit": "decade"}, "unknown unit 'decade'"),
    "groups of no arm": ({"groups": {"arm": "C", "reference": "good", "other": "poor"}}, "groups need an arm"),
    "one group twice": ({"groups": {"arm": "A", "reference": "good", "other": "good"}}, "groups need an arm"),
    "ask for a number": ({"ask": {"survival": 5}}, "ask.survival: not a list of times"),
    "ask for something else": ({"ask": {"median": [5]}}, "ask.median: not a list of times"),
    "unused without why": ({"unused": [{"what": "ages"}]}, "unused[1]: what is left out needs what and why"),
}


class TestFaults:
    def test_the_file_itself_has_none(self):
        assert [claim.id for claim in abstracts.build("x", given()).claims] == ["a", "b"]

    @pytest.mark.parametrize("name", FAULTS)
    def test_each_gives_one_clear_message(self, name):
        changes, message = FAULTS[name]
        said = problems(given(**changes))
        assert len(said) == 1 and message in said[0] and "Mend: " in said[0], said

    def test_all_faults_of_the_claims_at_once(self):
        said = problems(given(claims=[row(arm="C"), row(id="b", printed="x"), row(id="c"), row(id="c")]))
        assert [one.split(": ")[0] for one in said] == ["abstract.toml.claims[a]", "abstract.toml.claims[b]",
                                                        "abstract.toml.claims"]

    def test_unknown_reading_and_unknown_claim_of_a_reading(self):
        assert problems(given(), "another") == ["abstract.toml.readings: no reading 'another'. Mend: one of other."]
        file = given(readings={"other": {"z": {"drop": True}}})
        assert problems(file, "other") == ["abstract.toml.readings.other: no claim z. Mend: name a claim's id."]

    def test_a_reading_cannot_make_a_fault(self):
        file = given(readings={"other": {"a": {"endpoint": "PFS"}}})
        assert "endpoint 'PFS' is unknown" in problems(file, "other")[0]

    def test_missing_file(self, tmp_path):
        with pytest.raises(ContractError, match="not found"):
            abstracts.read(tmp_path / "none.toml")

    @pytest.mark.parametrize("content", [b"unit = ", b"\xff\xfe\x00", b"a = 1\na = 2"])
    def test_a_file_that_is_no_toml(self, tmp_path, content):
        (tmp_path / "a.toml").write_bytes(content)
        with pytest.raises(ContractError, match="not readable"):
            abstracts.read(tmp_path / "a.toml")

    def test_byte_order_mark_of_an_editor(self, tmp_path):
        text = 'horizon = 5\n[[arms]]\nkey = "A"\npatients = 3\n[[claims]]\nid = "a"\nquantity = "relapses"\n' \
               'arm = "A"\nprinted = "2"\n'
        (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert abstracts.read(tmp_path / "mine.toml").name == "mine"


class TestAbstract:
    def test_units(self):
        """A month is 30.4375 days, a year 365.25; `at` and the horizon are in the unit of the report."""
        made = abstracts.build("x", given(claims=[
            row(), row(id="b", printed="2", unit="year"),
            row(id="c", quantity="survival", at=12, printed="0.61", unit="year")]))
        first, second, third = made.claims
        assert (first.lower, first.upper) == (21.45 * 30.4375, 21.55 * 30.4375)
        assert (second.lower, second.upper) == (1.5 * 365.25, 2.5 * 365.25)
        assert (third.quantity.at, third.lower, third.upper) == (365.25, 0.605, 0.615)
        assert made.horizon == 1827  # 60 months are 1826.25 days
        assert made.per_unit == 30.4375

    def test_order_and_contrast(self):
        made = abstracts.build("x", given())
        assert ([arm.key for arm in made.order], made.contrast) == (["A", "B"], "A vs B")
        file = given(arms=[{"key": "B", "patients": 18, "reference": True}, {"key": "A", "patients": 20}])
        assert [arm.key for arm in abstracts.build("x", file).order] == ["A", "B"]
        assert abstracts.build("x", given(arms=[{"key": "A", "patients": 20}])).contrast == ""

    def test_readings_are_switches(self):
        plain, other = abstracts.build("x", given()), abstracts.build("x", given(), "other")
        assert [(claim.id, claim.quantity.endpoint) for claim in plain.claims] == [("a", "relapse"), ("b", "relapse")]
        assert [(claim.id, claim.quantity.endpoint) for claim in other.claims] == [("a", "relapse_or_death")]
        assert plain.readings == other.readings == {"other": "said otherwise"}
        assert (plain.reading, other.reading) == ((), ("other",))
        assert plain.unused == {"ages": "not needed"}

    def test_two_readings_one_after_the_other(self):
        file = given(readings={"one": {"a": {"among": "all"}}, "two": {"a": {"endpoint": "survival"}}})
        asked = abstracts.build("x", file, ("one", "two")).claims[0].quantity
        assert (asked.among, asked.endpoint) == ("all", "survival")

    def test_what_is_left_of_three_counts(self):
        def count(kind, printed, **more):
            return row(id=kind + str(more), quantity=kind, printed=printed, **more)

        dying = count("deaths_in_remission", "1") | {"arm": "B"}
        made = abstracts.build("x", given(claims=[count("relapses", "9"), count("ongoing", "8"), dying]))
        assert [made.count("A", kind) for kind in abstracts.COUNTS] == [9, 3, 8]
        assert made.count("B", "relapses") is None
        one = abstracts.build("x", given(claims=[count("relapses", "9"), dying]))
        assert [one.count("A", kind) for kind in abstracts.COUNTS] == [9, None, None]

    def test_a_report_that_knows_no_deaths_in_remission_has_none(self):
        one = abstracts.build("x", given(claims=[row(quantity="relapses", printed="9")]))
        assert [one.count("A", kind) for kind in abstracts.COUNTS] == [9, 0, 11]

    def test_an_interval_or_a_group_is_no_count_of_the_arm(self):
        file = given(claims=[row(quantity="relapses", interval=[8, 9]),
                             row(id="b", quantity="relapses", group="good", printed="4")])
        assert abstracts.build("x", file).count("A", "relapses") is None

    def test_without(self):
        made = abstracts.build("x", given())
        assert [claim.id for claim in abstracts.without(made, "a").claims] == ["b"]


UNITS = {"year": 365.25, "month": 30.4375, "week": 7, "n": 1, "p": 1, "probability": 1}


class TestCohorts:
    @pytest.mark.parametrize(("name", "least"), [("ash2012_reconstructed", 30), ("freireich1963", 4)])
    def test_same_id_same_window_as_the_claims_of_the_cohort(self, name, least):
        made = abstracts.read(name)
        printed = pd.read_csv(paths.raw(name) / "claims.csv", dtype=str, keep_default_na=False).set_index("id")
        grain = UNITS.get(made.grain, 1)
        worded = abstracts.read(name, [one for one in made.readings if one == "as worded"])
        arms = {claim.id: claim.quantity.arm for claim in worded.claims}
        shared = [claim for claim in made.claims if claim.id in printed.index]
        assert len(shared) >= least
        for claim in shared:
            row = printed.loc[claim.id]
            scale = UNITS[row["unit"]] / (grain if claim.quantity.kind in abstracts.TIMES else 1)
            bounds = float(row["lower"]) * scale, float(row["upper"]) * scale
            assert (claim.lower, claim.upper) == pytest.approx(bounds, rel=1e-12), claim.id
            assert claim.closed == (row["upper_open"] != "Y"), claim.id
            assert arms[claim.id] == {"all": "", "IFN+IM vs IM": ""}.get(row["arm"], row["arm"]), claim.id

    def test_every_reading_of_the_files_can_be_switched_on(self):
        for name in ("ash2012_reconstructed", "freireich1963"):
            made = abstracts.read(name)
            for reading in made.readings:
                assert abstracts.read(name, reading).reading == (reading,)


class TestGuide:
    """docs/abstracts.md says what the code takes, no more and no less."""

    @staticmethod
    def listed(heading):
        section = GUIDE.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
        rows = re.findall(r"^\| (`[^|]+) \|(.*)\|$", section, re.M)
        return {name: cells for first, cells in rows for name in re.findall(r"`(\w+)`", first)}

    def test_quantities_and_what_they_need(self):
        found = self.listed("### Quantities")
        needs = {name: tuple(re.findall(r"`(\w+)`", cells.rsplit("|", 1)[1])) for name, cells in found.items()}
        assert needs == abstracts.QUANTITIES

    def test_endpoints(self):
        assert tuple(self.listed("### Endpoints")) == abstracts.ENDPOINTS

    def test_keys(self):
        assert set(self.listed("## Claims")) == abstracts._KEYS
        assert set(self.listed("## The head of the file")) == set(abstracts._TOP)

    def test_closed_vocabularies(self):
        cells = self.listed("## Claims")
        for key, allowed in (("test", abstracts.TESTS), ("among", abstracts.AMONG), ("rule", abstracts.RULES)):
            assert set(allowed) <= set(re.findall(r"`([\w-]+)`", cells[key])), key

    def test_the_example_is_read_and_its_reading_switches(self):
        example = tomllib.loads(re.search(r"```toml\n(.*?)```", GUIDE, re.S)[1])
        made, switched = abstracts.build("example", example), abstracts.build("example", example, "relapses only")
        assert (made.contrast, len(made.claims), made.claims[2].quantity.among) == ("A vs obs", 5, "all")
        assert switched.claims[2].quantity.among == "events"
        assert made.unused
