"""Grades at, just under and just over every cut. Cut-points: CTCAE documents named in data/ctcae.csv."""

from __future__ import annotations

import numpy as np
import pytest

from remission import ctcae
from remission.ctcae import criteria, grade

LLN = {"ANC": 1.8, "PLT": 150.0, "HB": 12.0, "WBC": 4.0}
EPSILON = 1e-6

# test -> version -> value below which grades 1, 2, 3, 4 begin (CTCAE text: "<LLN - 1.5", "<1.5 - 1.0", ...)
LOW = {
    "ANC": {"3.0": (1.8, 1.5, 1.0, 0.5), "4.03": (1.8, 1.5, 1.0, 0.5), "5.0": (1.8, 1.5, 1.0, 0.5),
            "6.0": (1.5, 1.0, 0.5, 0.1)},
    "PLT": {"3.0": (150, 75, 50, 25), "4.03": (150, 75, 50, 25), "5.0": (150, 75, 50, 25), "6.0": (150, 75, 50, 10)},
    "HB": {"3.0": (12, 10, 8, 6.5), "4.03": (12, 10, 8), "5.0": (12, 10, 8), "6.0": (12, 10, 8)},
    "WBC": {version: (4, 3, 2, 1) for version in ctcae.VERSIONS},
}
# test -> version -> multiples of the upper limit of normal above which grades 1, 2, 3, 4 begin, normal baseline
HIGH = {
    "ALT": {"3.0": (1, 2.5, 5, 20), "4.03": (1, 3, 5, 20), "5.0": (1, 3, 5, 20), "6.0": (1, 3, 5, 20)},
    "AST": {"3.0": (1, 2.5, 5, 20), "4.03": (1, 3, 5, 20), "5.0": (1, 3, 5, 20), "6.0": (1, 3, 5, 20)},
    "BILI": {version: (1, 1.5, 3, 10) for version in ctcae.VERSIONS},
    "CREAT": {version: (1, 1.5, 3, 6) for version in ctcae.VERSIONS},
}


@pytest.mark.parametrize(("test", "version"), [(test, version) for test in LOW for version in LOW[test]])
def test_low_criteria_at_under_and_over_each_cut(test, version):
    for number, cut in enumerate(LOW[test][version], 1):
        graded = grade([cut + EPSILON, cut, cut - EPSILON], test, version, lln=LLN[test])
        assert graded.tolist() == [number - 1, number - 1, number]


@pytest.mark.parametrize(("test", "version"), [(test, version) for test in HIGH for version in HIGH[test]])
def test_high_criteria_at_under_and_over_each_cut(test, version):
    uln = 1.1  # 1.5 x 1.1 is 1.6500000000000001 in binary: the value 1.65 is at the cut, not past it
    for number, factor in enumerate(HIGH[test][version], 1):
        cut = round(factor * uln, 6)
        graded = grade([cut - EPSILON, cut, cut + EPSILON], test, version, uln=uln)
        assert graded.tolist() == [number - 1, number - 1, number]


def test_haemoglobin_grade_4_exists_in_version_3_only():
    assert [float(grade([6.4], "HB", version, lln=12)[0]) for version in ctcae.VERSIONS] == [4, 3, 3, 3]


def test_neutrophils_change_grade_with_version_6():
    assert [float(grade([0.8], "ANC", version, lln=1.8)[0]) for version in ctcae.VERSIONS] == [3, 3, 3, 2]


def test_missing_value_and_missing_limit_are_unknown_not_zero():
    graded = grade([np.nan, 1.6, 1.4, 0.4], "ANC", "5.0")
    assert np.isnan(graded[:2]).all()
    assert graded[2:].tolist() == [2, 4]  # an absolute cut decides without a limit of normal
    assert np.isnan(grade([50], "ALT", "5.0")).all()
    assert grade([1.6], "ANC", "6.0").tolist() == [0]  # version 6 needs no limit of normal for neutrophils


# CTCAE v5.0, ALT, baseline abnormal: 1.5 - 3.0 / >3.0 - 5.0 / >5.0 - 20.0 / >20.0 x baseline
@pytest.mark.parametrize(("value", "expected"), [
    (100, 0), (149.999, 0), (150, 1), (300, 1), (300.001, 2), (500, 2), (500.001, 3), (2000, 3), (2000.001, 4)])
def test_version_5_multiplies_an_abnormal_baseline(value, expected):
    assert grade([value], "ALT", "5.0", uln=50, baseline=100).tolist() == [expected]


# CTCAE v6.0, ALT, baseline abnormal: 1.0 - 1.5 / >1.5 - 2.0 / >2.0 - 4.0 / >4.0 x baseline
@pytest.mark.parametrize(("value", "expected"), [(99.9, 0), (100, 1), (150, 1), (150.1, 2), (200.1, 3), (400.1, 4)])
def test_version_6_multiplies_an_abnormal_baseline_by_other_factors(value, expected):
    assert grade([value], "ALT", "6.0", uln=50, baseline=100).tolist() == [expected]


def test_normal_baseline_and_older_versions_use_the_upper_limit():
    assert grade([300], "ALT", "5.0", uln=50, baseline=50).tolist() == [3]  # a baseline at the limit is normal
    assert grade([300], "ALT", "4.03", uln=50, baseline=100).tolist() == [3]


def test_creatinine_takes_the_worse_of_limit_and_baseline():
    # v4.03 and v5.0, grade 2: >1.5 - 3.0 x baseline; >1.5 - 3.0 x ULN. Value 1.1, limit 1.2, baseline 0.6: 1.83 x.
    def graded(value):
        return [float(grade([value], "CREAT", version, uln=1.2, baseline=0.6)[0]) for version in ctcae.VERSIONS]

    assert graded(1.1) == [0, 2, 2, 0]
    # v4.03 grade 1 also above baseline within normal; v5.0 above the limit of normal only
    assert graded(0.7) == [0, 1, 0, 0]


def test_a_wrong_unit_is_refused():
    with pytest.raises(ValueError, match="PLT is graded in 10\\^9/L"):
        grade([80_000], "PLT", "5.0", unit="/µL")
    assert grade([8.0], "HB", "5.0", lln=12, unit="g/dL").tolist() == [2]


@pytest.mark.parametrize("arguments", [("ANC", "2.0"), ("LDH", "5.0")])
def test_unknown_version_or_test_is_refused(arguments):
    with pytest.raises(ValueError, match="is unknown; one of"):
        grade([1], *arguments)


def test_criteria_are_complete_and_cited():
    table = criteria()
    assert set(table["version"]) == set(ctcae.VERSIONS)
    assert (table.groupby("version")["test"].nunique() == 8).all()
    assert table["citation"].str.startswith("CTCAE v").all()
    assert set(table["direction"]) == {"low", "high"}
    assert set(table["inclusive"]) == {"Y", "N"}
    assert not table.duplicated(["version", "test", "grade", "baseline", "basis"]).any()
