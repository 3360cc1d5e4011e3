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


BASE = 'kind = "own"\ntitle = "t"\ncitation = "c"\n{top}\n[[arms]]\nkey = "A"\nlabel = "a"\n{arm}\n{end}\n'


@pytest.mark.parametrize(("places", "part"), [
    ({"end": "[time]\ndate_ordr = 'DMY'"}, "time.date_ordr: unknown key. Mend: did you mean date_order?"),
    ({"top": "decimals = ','"}, "decimals: unknown key. Mend: did you mean decimal?"),
    ({"top": "time = 3"}, "time: 3 where a section is expected"),
    ({"end": "[time]\nfixed_times = 5"}, "time.fixed_times: 5 is not a list of numbers"),
    ({"end": "[time]\nfixed_times = []"}, "[] is not a list of numbers"),
    ({"end": "[time]\nfixed_times = [-1]"}, "-1 is out of range"),
    ({"end": "[time]\nserial_epoch = 1970"}, "1970 is unknown. Mend: one of 1900, 1904"),
    ({"end": "[time]\ndata_cutoff = '2012'"}, "'2012' is not a date"),
    ({"end": "[time]\nfixed_times = [nan]"}, "is not a list of numbers"),
    ({"arm": "reference = 'yes'"}, "arms[1].reference: 'yes' is not true or false"),
    ({"arm": "alias = ['x']"}, "arms[1].alias: unknown key. Mend: did you mean aliases?"),
    ({"end": "[report]\nsuppress_below = 5.5"}, "5.5 is not a whole number"),
    ({"end": "[report]\nsuppress_below = 50"}, "from 0 to 20"),
    ({"end": "[dose.imatinib]\nunit = 'mg'"}, "dose.imatinib: lacks start, target, per_week"),
    ({"end": "[toxicity]\nctcae_version = '4'"}, "one of 3.0, 4.03, 5.0, 6.0"),
    ({"end": "[mrd]\nstart_window_days = [7, -42]"}, "the lower one first"),
    ({"end": "[known_defects]\npatients = ['x']"}, "names no column"),
    ({"arm": "aliases = ['x']\n[[arms]]\nkey = 'B'\nlabel = 'b'\naliases = ['X']\nreference = true"},
     "'x' names both A and B"),
    ({"arm": "[[arms]]\nkey = 'A'\nlabel = 'b'\nreference = true"}, "two arms have the same key"),
])
def test_one_fault_is_one_message(folder, places, part):
    (folder / "study.toml").write_text(BASE.format(**({"top": "", "arm": "", "end": ""} | places)))
    with pytest.raises(ContractError) as caught:
        study.read("mine")
    assert part in str(caught.value) and "[S31]" in str(caught.value)


def test_what_is_not_said_has_a_default(folder):
    (folder / "study.toml").write_text(BASE.format(top="", arm="", end=""))
    read = study.read("mine")
    assert (read.date_order, read.serial_epoch, read.data_cutoff, read.suppress_below) == (None, None, None, 0)
    assert read.endpoints == ("TTRLP",)


def test_what_is_said_is_read(folder):
    (folder / "study.toml").write_text(BASE.format(top="", arm="", end="[time]\nserial_epoch = 1904\ndata_cutoff = "
                                                   "2012-06-30\n[report]\nsuppress_below = 5"))
    read = study.read("mine")
    assert (read.serial_epoch, str(read.data_cutoff), read.suppress_below) == (1904, "2012-06-30", 5)
