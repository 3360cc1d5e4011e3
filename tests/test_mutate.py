"""The proof by mutation rests on this: mutants are drawn by the seed, really applied, taken back, and met by a test."""

from __future__ import annotations

import ast
import time

import mutants
import mutate
import mutate_checks
import mutate_selection
import pytest
from conftest import ROOT

KINDS = ("datum", "code", "shown")


@pytest.fixture(scope="module")
def drawn():
    return mutants.draw(ROOT, 2012, 20)


def test_a_seed_draws_the_same_mutants_and_another_seed_others(drawn):
    assert mutants.draw(ROOT, 2012, 20) == drawn
    assert len(set(drawn) & set(mutants.draw(ROOT, 2013, 20))) < 12


def test_there_are_enough_of_each_kind_and_of_every_place(drawn):
    assert [sum(one.kind == kind for one in drawn) for kind in KINDS] == [20, 20, 20] and len(set(drawn)) == 60
    assert {one.path.split("/")[2] for one in drawn if one.kind == "datum"} == set(mutate.cohorts())
    assert len({one.path.split("/")[2] for one in drawn if one.kind == "code"}) >= len(mutants.PACKAGES)


def test_each_mutant_alters_its_place_and_nothing_else(drawn, tmp_path):
    for one in drawn:
        whole = mutants.read(ROOT / one.path)
        (tmp_path / one.path).parent.mkdir(parents=True, exist_ok=True)
        mutants.write(tmp_path / one.path, whole)
        assert (tmp_path / one.path).read_bytes() == (ROOT / one.path).read_bytes()
        one.apply(tmp_path)
        text = mutants.read(tmp_path / one.path)
        assert text != whole and len(text) - len(whole) == len(one.after) - len(one.before)
        assert text[:one.start] == whole[:one.start] and text.endswith(whole[one.start + len(one.before):])
        if one.path.endswith(".py"):
            assert ast.dump(ast.parse(text.encode("latin-1"))) != ast.dump(ast.parse(whole.encode("latin-1")))


def test_a_mutant_of_another_state_of_the_file_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(ValueError, match="does not hold '2'"):
        mutants.Mutant("datum", "a.csv", 2, "2", "3").apply(tmp_path)


def test_words_for_readers_are_no_places_of_the_code():
    said = ('def f(x: int = 3) -> str:\n    """1 > 0"""\n    if x < 2:\n'
            '        raise ValueError(f"{x + 7} > 5")\n    return x + 1\n')
    assert [(before, after) for _, before, after in sorted(mutants.of_python(said))] == [
        ("<", "<="), ("2", "3"), ("+", "-"), ("1", "2")]


@pytest.mark.parametrize(("before", "after"), [("19", "20"), ("0.46", "0.47"), ("0.99", "1.00")])
def test_a_shown_number_moves_by_its_last_digit(before, after):
    assert mutants.bumped(before) == after


def test_a_mutant_is_met_in_a_copy_and_the_file_put_back(tmp_path, monkeypatch):
    """A child that alters the package is noticed by the module's own examples; the checkout stays as it is."""
    path = "src/remission/study.py"
    (tmp_path / path).parent.mkdir(parents=True)
    mutants.write(tmp_path / path, mutants.read(ROOT / path))
    monkeypatch.chdir(tmp_path)
    seen = []

    def look(_, outcome):
        seen.append(mutants.read(tmp_path / path))
        outcome.noticed = "seen"

    monkeypatch.setattr(mutate, "_code", look)
    text = mutants.read(ROOT / path)
    mutant = mutants.Mutant("code", path, text.index("30.4375"), "30.4375", "60.875")
    assert mutate.meet(mutant).noticed == "seen" and "60.875" in seen[0]
    assert mutants.read(tmp_path / path) == text == mutants.read(ROOT / path)


def test_a_check_that_cannot_be_made_has_noticed_nothing():
    with pytest.raises(RuntimeError, match="no_such_file"):
        mutate_checks.in_child(mutate_checks.tests, "tests/no_such_file.py")


def test_a_failing_test_is_named_and_a_passing_one_is_not(tmp_path):
    (tmp_path / "test_two.py").write_text("def test_a():\n    assert 1\n\n\ndef test_b():\n    assert 0\n")
    assert mutate_checks.in_child(mutate_checks.tests, str(tmp_path / "test_two.py")).endswith("test_two.py::test_b")
    assert mutate_checks.in_child(mutate_checks.tests, f"{tmp_path / 'test_two.py'}::test_a") == ""


def test_what_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(mutate_checks, "TIMEOUT", 0.2)
    assert mutate_checks.in_child(time.sleep, 60) == mutate_checks.NO_END


def test_every_module_that_computes_has_tests_and_every_figure_a_notebook():
    listed = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("src/remission/**/*.py")]
    for names in mutants.code(listed).values():
        assert [name for name in names if not mutate_selection.tests_of(name)] == []
    nearest = mutate_selection.tests_of("src/remission/estimators/curves.py")[0]
    assert "tests/test_estimators.py" in nearest
    assert {mutate_selection.maker(path.stem) for path in ROOT.glob("figures/*/*.csv")} <= {
        path.stem for path in ROOT.glob("notebooks/*.ipynb")}


def test_explained_mutants_name_places_that_exist_and_say_why():
    rows = mutate.explained()
    assert rows and len({tuple(row.values()) for row in rows}) == len(rows)
    for row in rows:
        found = [line for line in (ROOT / row["path"]).read_text(encoding="utf-8").split("\n")
                 if line.strip() == row["line"]]
        assert found and row["before"] in row["line"] and row["before"] != row["after"] and len(row["why"].split()) > 4
