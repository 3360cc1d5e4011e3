"""The starter folder: complete, explained, refused where something is there, and checked as what it is: empty."""

from __future__ import annotations

import tomllib

import pytest
from cohort_on_disk import TABLES

from remission import check, keys, new, schema
from remission import study as studies
from remission.errors import ContractError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A root without any cohort."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "data" / "raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "raw"


def test_the_starter_holds_every_table_with_its_header(home):
    made = new.new("ours")
    assert made == home / "ours"
    names = {*(f"{name}.csv" for name in schema.RAW), "study.toml", "README.md"}
    assert {path.name for path in made.iterdir()} == names
    for table in schema.RAW.values():
        assert (made / f"{table.name}.csv").read_text() == ",".join(table.names) + "\n"
    assert [path.name for path in home.iterdir()] == ["ours"]


def test_the_check_says_what_is_still_empty(home, capsys):
    assert new.main(["ours"]) == 0 and "make check COHORT=ours" in capsys.readouterr().out
    assert check.main(["ours"]) == 1
    said = capsys.readouterr().out
    for part in ("arms[1], arms[2]: needs key and label", "title: missing", "citation: missing",
                 "patients: 0 rows", "the table has no rows", "no rows yet; fill in, or delete the file: chemotherapy"):
        assert part in said, part


def test_filled_in_the_starter_is_a_cohort(home):
    made = new.new("ours")
    text = (made / "study.toml").read_text()
    for old, given in (('title = ""', 'title = "t"'), ('citation = ""', 'citation = "c"'), ('decimal = "."',
                       'decimal = ","'), ('key = "" ', 'key = "IFN+IM" '), ('label = "" ', 'label = "both" '),
                       ('key = ""', 'key = "IM"'), ('label = ""', 'label = "one"')):
        text = text.replace(old, given, 1)
    (made / "study.toml").write_text(text)
    for name, rows in TABLES.items():
        (made / f"{name}.csv").write_text(rows)
    found = check.check("ours")
    assert found.verdict == "ready", found.queries.to_string()
    assert studies.read("ours").contrast == "IFN+IM vs IM"


def test_every_key_of_study_toml_stands_in_the_starter_with_its_meaning():
    text = new.study_toml()
    for key in keys.KEYS:
        assert key.meaning[1:] in text or key.name.startswith("arms"), key.name
    switched = "\n".join(line.removeprefix("# ") if line.startswith("# ") and ("=" in line or line.startswith("# ["))
                         and not line.startswith("# Only") else line for line in text.splitlines())
    given = tomllib.loads(switched.replace('key = ""', 'key = "x"').replace('label = ""', 'label = "y"')
                          .replace('title = ""', 'title = "t"').replace('citation = ""', 'citation = "c"'))
    assert keys.verify(given) == []
    assert {"time", "endpoints", "arms", "dose", "toxicity", "mrd", "known_defects", "report"} <= set(given)


@pytest.mark.parametrize("name", ["../up", "/abs", "a/b", ".hidden", "-flag", "", "a b", "ours;rm", "x" * 300, "ü"])
def test_an_unsafe_name_is_refused_and_nothing_is_made(home, name):
    with pytest.raises(ContractError):
        new.new(name)
    assert list(home.iterdir()) == []


def test_what_is_there_is_left_alone(home, capsys):
    new.new("ours")
    (home / "ours" / "patients.csv").write_text("mine\n")
    for name in ("ours", "OURS"):
        assert new.main([name]) == 1
        assert "is there already" in capsys.readouterr().err
    assert (home / "ours" / "patients.csv").read_text() == "mine\n"


def test_a_link_that_leads_out_is_refused(home, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (home / "ours").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ContractError):
        new.new("ours")
    assert list((tmp_path / "elsewhere").iterdir()) == []
