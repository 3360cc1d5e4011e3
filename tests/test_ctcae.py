"""Grades at, just under and just over every cut of every version, against the criteria written out by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from remission import ctcae
from remission.ctcae import criteria, criteria_text, cut_table, grade

STEP = 1e-6
ALL, LATE = ("3.0", "4.03", "5.0", "6.0"), ("5.0", "6.0")

# The criteria written out by hand and not from data/ctcae.csv: 4.03 (14 June 2010), 5.0 (27 November 2017) and 6.0 from
# the wording that the R package admiral quotes, 3.0 (9 August 2006) from secondary literature. Versions, tests, class
# of the baseline, then where grades 1 to 4 begin. "<1.5" is a value, "<LLN" and ">3U" refer to a limit of normal, ">3B"
# to the baseline; "." is a grade that has no number there.
PRINTED = [
    (("3.0", "4.03", "5.0"), ("ANC",), "any", "<LLN <1.5 <1.0 <0.5"),
    (("6.0",), ("ANC",), "any", "<1.5 <1.0 <0.5 <0.1"),
    (("3.0", "4.03", "5.0"), ("PLT",), "any", "<LLN <75 <50 <25"),
    (("6.0",), ("PLT",), "any", "<LLN <75 <50 <10"),
    (("3.0",), ("HB",), "any", "<LLN <10 <8 <6.5"),
    (("4.03", "5.0", "6.0"), ("HB",), "any", "<LLN <10 <8 ."),
    (ALL, ("WBC",), "any", "<LLN <3 <2 <1"),
    (("3.0",), ("ALT", "AST"), "any", ">1U >2.5U >5U >20U"),
    (("4.03",), ("ALT", "AST"), "any", ">1U >3U >5U >20U"),
    (LATE, ("ALT", "AST"), "normal", ">1U >3U >5U >20U"),
    (("5.0",), ("ALT", "AST"), "high", ">=1.5B >3B >5B >20B"),
    (("6.0",), ("ALT", "AST"), "high", ">=1B >1.5B >2B >4B"),
    (("3.0", "4.03"), ("ALP", "GGT"), "any", ">1U >2.5U >5U >20U"),
    (("5.0",), ("ALP", "GGT"), "normal", ">1U >2.5U >5U >20U"),
    (("5.0",), ("ALP", "GGT"), "high", ">=2B >2.5B >5B >20B"),
    (("6.0",), ("ALP",), "normal", ">1U . . ."),
    (("6.0",), ("ALP",), "high", ">1B . . ."),
    (("6.0",), ("GGT",), "normal", ">1U >2.5U >5U >20U"),
    (("6.0",), ("GGT",), "high", ">=1B >1.5B >3B >10B"),
    (("3.0", "4.03"), ("BILI",), "any", ">1U >1.5U >3U >10U"),
    (LATE, ("BILI",), "normal", ">1U >1.5U >3U >10U"),
    (("5.0",), ("BILI",), "high", ">1B >1.5B >3B >10B"),
    (("6.0",), ("BILI",), "high", ">=1B >1.5B >2.5B >10B"),
    (("3.0", "4.03", "5.0"), ("CREAT",), "any", ">1U >1.5U >3U >6U"),
    (("4.03",), ("CREAT",), "any", ">1B >1.5B >3B ."),
    (("5.0",), ("CREAT",), "any", ". >1.5B >3B ."),
    (("6.0",), ("CREAT",), "any", ">1U . . >6U"),
    (("6.0",), ("CREAT",), "not low", ". >1.5U >3U ."),
    (("6.0",), ("CREAT",), "low", ". >1.5B >3B ."),
]
LLN = {"ANC": 1.8, "PLT": 150.0, "HB": 12.0, "WBC": 4.0}
# Limits and baselines that leave one rule to decide; 1.1 makes 1.5 x ULN 1.6500000000000001 in binary, so that a value
# of 1.65 tests that the cut itself is not past the cut.
SETTINGS = {
    ("U", "any"): {"uln": 1.1}, ("U", "normal"): {"uln": 1.1, "baseline": 1.1}, ("U", "not low"): {"uln": 1.1},
    ("B", "any"): {"uln": 1e6, "baseline": 1.1}, ("B", "high"): {"uln": 0.9, "baseline": 1.1},
    ("B", "low"): {"uln": 1e6, "lln": 2.0, "baseline": 1.1},
}


def cuts():
    """One entry a cut: version, test, class of baseline, grade, sign, factor or value, what it refers to."""
    for versions, tests, baseline, text in PRINTED:
        for version in versions:
            for test in tests:
                for number, word in enumerate(text.split(), 1):
                    if word != ".":
                        sign, factor, whole = re.fullmatch(r"([<>]=?)([\d.]*)(LLN|U|B|)", word).groups()
                        yield version, test, baseline, number, sign, float(factor or 1), whole


CUTS = list(cuts())


def expected(version, test, baseline, whole, number):
    """Grade of a value that has passed every cut of its rules up to, and not including, this grade's."""
    classes = {baseline, "any"}
    rules = [one for one in CUTS if one[:2] == (version, test) and one[2] in classes]
    if whole == "U":  # with a baseline that is missing or normal, and grades that refer to the limit alone
        classes |= {"normal", "not low"}
        rules = [one for one in CUTS if one[:2] == (version, test) and one[2] in classes and one[6] == "U"]
    elif whole == "B":  # the upper limit is out of reach
        rules = [one for one in rules if one[6] == "B"]
    return max((one[3] for one in rules if one[3] < number), default=0)


@pytest.mark.parametrize(("version", "test", "baseline", "number", "sign", "factor", "whole"), CUTS,
                         ids=lambda part: str(part))
def test_grade_at_just_under_and_just_over_each_cut(version, test, baseline, number, sign, factor, whole):
    if sign == "<":
        cut, given, outside = LLN[test] if whole == "LLN" else factor, {"lln": LLN[test]}, STEP
    else:
        given, outside = SETTINGS[whole, baseline], -STEP
        cut = round(factor * given["uln" if whole == "U" else "baseline"], 9)
    before = expected(version, test, baseline, whole, number)
    graded = grade([cut + outside, cut, cut - outside], test, version, **given)
    assert graded.tolist() == [before, number if sign.endswith("=") else before, number]


def test_the_data_hold_these_cuts_and_no_others():
    basis = {"value": "", "lln": "LLN", "uln": "U", "baseline": "B"}
    held = {(row.version, row.test, row.baseline, row.grade, ("<" if row.direction == "low" else ">")
             + ("=" if row.inclusive == "Y" else ""), row.cut, basis[row.basis]) for row in criteria().itertuples()}
    assert held == set(CUTS)
    assert len(criteria()) == len(CUTS) == 198


def test_criteria_are_complete_and_cited():
    table = criteria()
    assert set(table["version"]) == set(ctcae.VERSIONS)
    assert set(table["test"]) == set(ctcae.LABELS) == set(ctcae.UNITS) == set(sum(ctcae.GROUPS.values(), ()))
    assert (table.groupby("version")["test"].nunique() == 10).all()
    cited = table.groupby("version")["citation"].unique()
    assert all(len(one) == 1 and one[0].startswith(f"CTCAE v{version}") for version, one in cited.items())
    assert (table.groupby("test")["direction"].nunique() == 1).all()
    absolute = table[table["basis"] == "value"]
    assert all(ctcae.UNITS[row.test] == (row.unit,) for row in absolute.itertuples())
    assert (table.loc[table["basis"] != "value", "unit"] == "").all()


def test_no_value_falls_between_two_grades():
    # Printed classes end where the next begins ("<75 - 50", "<50 - 25"), whatever the decimals of the laboratory.
    values = np.arange(0, 4000) / 10
    graded = grade(values, "PLT", "5.0", lln=150)
    assert not np.isnan(graded).any() and (np.diff(graded) <= 0).all()
    assert graded[[749, 750, 499, 500]].tolist() == [2, 1, 3, 2]
    # A gap of the text itself: version 5.0 begins grade 1 at 1.5 x a high baseline, version 6.0 at the baseline.
    assert grade([119.9], "ALT", "5.0", uln=50, baseline=80).tolist() == [0]
    assert grade([119.9], "ALT", "6.0", uln=50, baseline=80).tolist() == [1]
    # Version 6.0 starts neutrophils at 1.5, below most laboratories' limits: between them is grade 0.
    assert grade([1.6], "ANC", "6.0", lln=1.8).tolist() == [0]


def test_haemoglobin_grade_4_exists_in_version_3_only():
    assert [float(grade([6.4], "HB", version, lln=12)[0]) for version in ctcae.VERSIONS] == [4, 3, 3, 3]


def test_neutrophils_and_platelets_change_grade_with_version_6():
    assert [float(grade([0.8], "ANC", version, lln=1.8)[0]) for version in ctcae.VERSIONS] == [3, 3, 3, 2]
    assert [float(grade([20], "PLT", version, lln=150)[0]) for version in ctcae.VERSIONS] == [4, 4, 4, 3]


def test_missing_value_and_missing_limit_are_unknown_not_zero():
    graded = grade([np.nan, 1.6, 1.4, 0.4], "ANC", "5.0")
    assert np.isnan(graded[:2]).all()
    assert graded[2:].tolist() == [2, 4]  # an absolute cut decides without a limit of normal
    assert np.isnan(grade([50], "ALT", "5.0")).all()
    assert np.isnan(grade([50], "ALT", "5.0", baseline=40)).all()  # without a limit nobody knows whether 40 was high
    assert grade([1.6], "ANC", "6.0").tolist() == [0]  # version 6 needs no limit of normal for neutrophils


@pytest.mark.parametrize("test", ["ALT", "AST", "ALP", "GGT", "BILI"])
def test_an_abnormal_baseline_is_never_graded_against_itself(test):
    # pharmaverse/admiral issue 2512: with its own value as baseline a baseline of 4 x ULN comes out as grade 0 in
    # version 5.0; graded by the limits of normal it is grade 2 (grade 3 for bilirubin, 1 for ALP in version 6.0).
    value = [200.0]
    wrong = grade(value, test, "5.0", uln=50, baseline=value)
    right = {version: float(grade(value, test, version, uln=50)[0]) for version in ctcae.VERSIONS}
    assert wrong.tolist() == [0]
    late = {"BILI": (3, 3), "ALP": (2, 1)}.get(test, (2, 2))
    assert right == {"3.0": late[0], "4.03": late[0], "5.0": late[0], "6.0": late[1]}


def test_a_baseline_at_the_limit_is_normal_and_older_versions_know_no_baseline():
    assert grade([300], "ALT", "5.0", uln=50, baseline=50).tolist() == [3]
    assert grade([300], "ALT", "5.0", uln=50, baseline=50.001).tolist() == [3]  # 6 x either
    assert grade([160], "ALT", "5.0", uln=50, baseline=[100]).tolist() == [1]
    assert [float(grade([300], "ALT", version, uln=50, baseline=100)[0]) for version in ("3.0", "4.03")] == [3, 3]
    assert grade([300], "ALT", "5.0", uln=50, baseline=np.nan).tolist() == [3]  # a missing baseline counts as normal


def test_alkaline_phosphatase_in_version_6_must_exceed_baseline_and_limit():
    graded = grade([90, 110, 110, 5000], "ALP", "6.0", uln=100, baseline=[80, 80, 120, 80])
    assert graded.tolist() == [0, 1, 0, 1]


def test_creatinine_takes_the_worse_of_limit_and_baseline():
    # v4.03 and v5.0, grade 2: >1.5 - 3.0 x baseline; >1.5 - 3.0 x ULN. Value 1.1, limit 1.2, baseline 0.6: 1.83 x.
    def graded(value, **given):
        return [float(grade([value], "CREAT", version, uln=1.2, **given)[0]) for version in ctcae.VERSIONS]

    assert graded(1.1, baseline=0.6) == [0, 2, 2, 0]
    # v4.03 grade 1 also above baseline within normal; v5.0 above the limit of normal only
    assert graded(0.7, baseline=0.6) == [0, 1, 0, 0]
    # v6.0 reads the baseline where it lay below the lower limit of normal
    assert graded(1.1, baseline=0.6, lln=0.7) == [0, 2, 2, 2]


@pytest.mark.parametrize(("test", "unit"), [
    ("PLT", "/µL"), ("ANC", "10^6/L"), ("WBC", "%"), ("HB", "g/L"), ("HB", "mmol/L"), ("ALT", "mg/dL"),
    ("AST", "10^9/L"), ("ALP", "g/dL"), ("GGT", "µmol/L"), ("BILI", "U/L"), ("CREAT", "g/dL"), ("CREAT", "")])
def test_a_wrong_unit_is_refused_with_the_right_one_named(test, unit):
    for version in ctcae.VERSIONS:
        with pytest.raises(ValueError, match=rf"{test} is graded in .*, not in .*: convert the values and their"):
            grade([80], test, version, unit=unit, lln=1, uln=2)


def test_a_multiple_of_a_limit_holds_in_every_unit_of_that_quantity():
    # creatinine 1.9 mg/dL = 168 µmol/L; limit 1.2 mg/dL = 106.1 µmol/L: both 1.58 x ULN, grade 2
    assert grade([1.9], "CREAT", "5.0", uln=1.2, unit="mg/dL").tolist() == [2]
    assert grade([168], "CREAT", "5.0", uln=106.1, unit="µmol/L").tolist() == [2]
    assert grade([8.0], "HB", "5.0", lln=12, unit="g/dL").tolist() == [2]


@pytest.mark.parametrize("arguments", [("ANC", "2.0"), ("LDH", "5.0")])
def test_unknown_version_or_test_is_refused(arguments):
    with pytest.raises(ValueError, match="is unknown; one of"):
        grade([1], *arguments)


def test_criteria_in_words():
    table = criteria_text().set_index(["test", "version"])
    assert len(table) == 40
    grades = [f"grade {number}" for number in range(1, 5)]
    assert table.loc[("ANC", "6.0"), ["unit", *grades]].tolist() == ["10^9/L", "<1.5", "<1", "<0.5", "<0.1"]
    assert table.loc[("HB", "3.0"), grades].tolist() == ["<LLN", "<10", "<8", "<6.5"]
    assert table.loc[("ALT", "5.0"), "grade 1"] == ">ULN (baseline not high); ≥1.5 x baseline (baseline >ULN)"
    assert table.loc[("ALP", "6.0"), grades[1:]].tolist() == ["none"] * 3
    assert table.loc[("CREAT", "6.0"), ["unit", "grade 2"]].tolist() == [
        "", ">1.5 x ULN (baseline not low); >1.5 x baseline (baseline <LLN)"]
    with pytest.raises(ValueError, match="is unknown"):
        criteria_text("2.0")


def test_cut_table_of_blood_counts():
    table = cut_table()
    assert table.index.get_level_values("test").unique().tolist() == list(ctcae.CYTOPENIA)
    assert table.loc[("ANC", "6.0")].tolist() == [1.5, 1.0, 0.5, 0.1]
