"""study.toml: units, and every fault at once."""

from __future__ import annotations

import pytest

from remission import study
from remission.errors import ContractError


@pytest.mark.parametrize(("value", "unit", "days"), [
    (23, "week", 161),  # 23 * 7
    (6, "month", 183),  # 182.625, half up
    (2, "month", 61),  # 60.875
    (2.2, "year", 804),  # 803.55
    (0.5, "day", 1),  # a half goes up
    (-0.5, "day", 0),
])
def test_to_days_rounds_half_up(value, unit, days):
    assert study.to_days(value, unit) == days


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data" / "raw" / "mine").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "raw" / "mine"


def test_all_faults_are_named_at_once(folder):
    (folder / "study.toml").write_text(
        'kind = "guess"\ntitle = "t"\ncitation = "c"\n[time]\nunit = "fortnight"\ndate_order = "YDM"\n'
        '[endpoints]\nPFS = "x"\n[[arms]]\nkey = "A"\nlabel = "a"\n[[arms]]\nkey = "B"\n')
    with pytest.raises(ContractError) as caught:
        study.read("mine")
    said = str(caught.value)
    for part in ("cohort mine: 5 problems", "kind", "fortnight", "YDM", "PFS", "arms[2]"):
        assert part in said, part


def test_two_arms_need_one_reference(folder):
    (folder / "study.toml").write_text('kind = "own"\ntitle = "t"\ncitation = "c"\n'
                                       '[[arms]]\nkey = "A"\nlabel = "a"\n[[arms]]\nkey = "B"\nlabel = "b"\n')
    with pytest.raises(ContractError, match="exactly one arm must have reference"):
        study.read("mine")


def test_unknown_cohort_names_those_that_exist(folder):
    (folder / "study.toml").write_text("")
    with pytest.raises(ContractError, match="cohorts here: mine"):
        study.read("yours")


def test_broken_toml_is_one_message(folder):
    (folder / "study.toml").write_text('kind = "own')
    with pytest.raises(ContractError, match="not readable"):
        study.read("mine")


def test_contrast_reads_against_the_reference():
    read = study.read("freireich1963")
    assert (read.contrast, read.reference) == ("6-MP vs placebo", "placebo")


def test_one_arm_has_no_contrast():
    assert study.read("wassmann2003").contrast is None
