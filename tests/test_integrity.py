"""Results belong to their inputs or verify says so; names stay inside; patients stay out of commits."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from remission import alone, manifest, paths, provenance, results
from remission.errors import ContractError

COHORT = "freireich1963"
SHIPPED = ("ash2012_reconstructed", "chiaretti2004", "freireich1963", "scrucca_bmt", "wassmann2003")


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository with one cohort whose last run is the one that its manifest describes."""
    for name in (f"data/raw/{COHORT}", f"data/processed/{COHORT}", f"figures/{COHORT}", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    manifest.write(COHORT)
    return tmp_path


class TestVerify:
    def test_it_says_that_all_is_well(self, copy, capsys):
        assert manifest.main([COHORT]) == 0
        assert capsys.readouterr().out == f"{COHORT}: results, inputs, code and lock are as the last run left them\n"

    def test_it_names_files_by_what_is_to_be_done(self, copy, capsys):
        (copy / f"data/raw/{COHORT}/patients.csv").write_text("x")
        (copy / f"data/raw/{COHORT}/more.csv").write_text("x")
        (copy / f"data/processed/{COHORT}/adsl.csv").unlink()
        (copy / f"figures/{COHORT}/forest.png").write_bytes(b"x")
        (copy / f"figures/{COHORT}/mine.png").write_bytes(b"x")
        (copy / "requirements.lock").write_text("x")
        assert manifest.main([COHORT]) == 1
        assert capsys.readouterr().out.splitlines() == [
            "requirements.lock: changed since the run",
            f"-> The results do not belong to this code: make COHORT={COHORT}.",
            f"data/raw/{COHORT}/more.csv: not part of the run",
            f"data/raw/{COHORT}/patients.csv: changed since the run",
            "-> The results do not belong to these inputs: put back what was changed by mistake, then make "
            f"COHORT={COHORT}.",
            f"data/processed/{COHORT}/adsl.csv: missing", f"figures/{COHORT}/forest.png: changed since the run",
            f"-> Results were changed after the run, or a run was cut off: make COHORT={COHORT} makes them anew.",
            f"figures/{COHORT}/mine.png: not part of the run", "-> No run made these files: move or delete them."]

    def test_code_of_package_and_notebooks_counts_and_prose_does_not(self, copy):
        path = copy / "notebooks/02_toxicity.ipynb"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        notebook["cells"][0]["source"] = ["# other words"]
        path.write_text(json.dumps(notebook), encoding="utf-8")
        assert manifest.check(COHORT) == []
        next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["source"] = ["1"]
        path.write_text(json.dumps(notebook), encoding="utf-8")
        assert manifest.check(COHORT) == ["notebooks/02_toxicity.ipynb: changed since the run"]
        said = json.loads((copy / f"data/processed/{COHORT}/manifest.json").read_text())
        assert {"src/remission/manifest.py", "src/remission/data/ctcae.csv"} <= said["code"].keys()

    def test_line_ends_of_a_checkout_are_no_change_of_code(self, copy):
        lock = copy / "requirements.lock"
        lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
        assert manifest.check(COHORT) == []

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"lock": "", "code": 3, "inputs": {}, "outputs": {}}'])
    def test_a_damaged_manifest_is_one_line(self, copy, text, capsys):
        (copy / f"data/processed/{COHORT}/manifest.json").write_text(text)
        assert manifest.main([COHORT]) == 1
        assert "damaged, or of an older version" in capsys.readouterr().out

    def test_an_unknown_cohort_is_one_message(self, copy, capsys):
        assert manifest.main(["nobody"]) == 1
        said = capsys.readouterr().err
        assert said.startswith("cohort nobody: 1 problem\n  cohort: there is no folder data/raw/nobody")

    def test_the_same_files_give_the_same_bytes(self, copy):
        before = (copy / f"data/processed/{COHORT}/manifest.json").read_bytes()
        manifest.write(COHORT)
        assert (copy / f"data/processed/{COHORT}/manifest.json").read_bytes() == before


class TestMixture:
    """In a run by make the manifest takes in what the run made, and nothing when the inputs moved under it."""

    @pytest.fixture
    def run(self, copy, monkeypatch):
        names = provenance.notebooks()
        homes = (paths.processed(COHORT), paths.figures(COHORT))
        files = [path for home in homes for path in provenance.files(home)]
        for name in names[:-1]:
            journal = copy / "journal"
            journal.write_text("".join(f"{path}\n" for path in (files if name == names[0] else [])))
            provenance.record(COHORT, name, journal, provenance.ingredients(COHORT))
            (paths.build(COHORT) / f"{name}.ipynb").write_text("{}")
        provenance.stamp(COHORT)
        mine = paths.build(COHORT) / f"{names[-1]}.journal"
        mine.write_text("")
        monkeypatch.setenv(paths.JOURNAL_VARIABLE, str(mine))
        return copy

    def test_a_file_of_another_origin_is_not_taken_in(self, run):
        (run / f"figures/{COHORT}/mine.png").write_bytes(b"x")
        manifest.write(COHORT)
        assert manifest.check(COHORT) == [f"figures/{COHORT}/mine.png: not part of the run"]

    def test_inputs_that_changed_after_the_first_notebook_are_refused_by_name(self, run):
        (run / f"data/raw/{COHORT}/patients.csv").write_text("x")
        with pytest.raises(ContractError, match=rf"data/raw/{COHORT}/patients.csv changed after 01_clean_patient"):
            manifest.write(COHORT)

    def test_preparing_removes_what_no_longer_is_as_it_was_left_and_what_was_never_finished(self, run):
        (run / f"data/processed/{COHORT}/adsl.csv").write_text("x")
        half = run / f"figures/{COHORT}/{paths.UNFINISHED}x.png"
        half.write_bytes(b"")
        assert alone.prepare(COHORT) == [f"data/processed/{COHORT}/adsl.csv: changed"]
        left = sorted(path.stem for path in paths.build(COHORT).glob("*.ipynb"))
        assert left == provenance.notebooks()[1:-1] and not half.exists()
        assert alone.prepare(COHORT) == []

    def test_a_tampered_figure_is_removed_so_that_it_is_drawn_again(self, run):
        figure = run / f"figures/{COHORT}/forest.png"
        figure.write_bytes(figure.read_bytes() + b"x")
        alone.prepare(COHORT)
        assert not figure.exists() and (run / f"figures/{COHORT}/swimmer.png").exists()

    def test_results_that_were_changed_are_all_made_again(self, run):
        path = run / f"data/processed/{COHORT}/results.csv"
        whole = path.read_text(encoding="utf-8")
        path.write_text(whole.replace("03_remission_duration", "99_elsewhere", 1), encoding="utf-8")
        said = f"data/processed/{COHORT}/results.csv: changed in the rows of 03_remission_duration"
        assert alone.prepare(COHORT) == [said]
        assert not path.exists() and not list(paths.build(COHORT).glob("*.ipynb"))

    def test_the_stamp_keeps_its_time_while_nothing_changes(self, run):
        path = paths.build(COHORT) / provenance.STAMP
        os.utime(path, (1, 1))
        assert provenance.stamp(COHORT) == [] and path.stat().st_mtime == 1
        patients = run / f"data/raw/{COHORT}/patients.csv"
        patients.write_text(patients.read_text() + "\n")
        os.utime(patients, (0, 0))  # older than every output, as a file from an archive is
        assert provenance.stamp(COHORT) == [f"data/raw/{COHORT}/patients.csv"] and path.stat().st_mtime > 1


def test_rows_of_a_notebook_of_an_earlier_version_are_dropped(elsewhere):
    for notebook in ("01_a", "02_old"):
        one = results.row("a", "b", "c", "d", notebook, 1, method="", display="")
        results.save(results.frame([one]), "x", notebook)
    assert results.prune("x", ["01_a", "03_c"]) == 1
    assert results.load("x")["notebook"].tolist() == ["01_a"]


@pytest.mark.parametrize("text", ["", "result_id\n1,2,3\n", "\x00\xff", '"', "a,b\n"])
def test_a_damaged_file_of_results_is_made_anew(elsewhere, text):
    path = paths.processed("x") / "results.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="latin-1")
    results.prune("x", ["01_a"])
    assert not path.exists()


class TestNames:
    @pytest.mark.parametrize("name", [
        "../x", "..", ".", "", "/etc", "a/b", "a\\b", "x;id", "$(id)", "`id`", "a b", "-x", ".x", "x.", "x\n", "ä",
        "a\x00b", "*", "~", "C:x", "x" * 65, "a|b", "'", '"', "--help", "..\\x", "x/../y", "%2e%2e", "＂", None, 7])
    def test_a_name_that_is_no_plain_folder_name_is_refused_everywhere(self, name):
        for place in (paths.cohort_name, paths.raw, paths.processed, paths.figures, paths.build):
            with pytest.raises(ContractError, match="not the name of one folder"):
                place(name)

    @pytest.mark.parametrize("name", ["freireich1963", "my-cohort_2.1", "A", "2024"])
    def test_plain_names_pass(self, name):
        assert paths.cohort_name(name) == name

    @pytest.mark.parametrize("home", ["data/raw", "data/processed", "figures", "build"])
    def test_a_symbolic_link_out_is_refused(self, copy, tmp_path_factory, home):
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (copy / home).mkdir(exist_ok=True)
        (copy / home / "out").symlink_to(elsewhere)
        with pytest.raises(ContractError, match="symbolic link that leads elsewhere"):
            paths.cohort_name("out")

    def test_a_table_that_is_a_link_out_is_refused(self, copy, tmp_path_factory):
        secret = tmp_path_factory.mktemp("elsewhere") / "patients.csv"
        secret.write_text("patient_id,arm\nsecret,A\n")
        home = copy / "data" / "raw" / "linked"
        home.mkdir()
        (home / "real.csv").write_text("patient_id\n")
        (home / "here.csv").symlink_to("real.csv")
        assert paths.cohort_name("linked") == "linked"
        (home / "patients.csv").symlink_to(secret)
        with pytest.raises(ContractError, match=r"linked/patients\.csv is a symbolic link that leads elsewhere"):
            paths.cohort_name("linked")

    def test_a_message_does_not_carry_signs_of_control(self):
        with pytest.raises(ContractError) as caught:
            paths.cohort_name("\x1b[31mx\n" * 90)
        assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 400

    @pytest.mark.parametrize("module", ["run", "manifest", "alone", "check", "new"])
    def test_every_entry_is_guarded(self, module, copy):
        more = ["01_clean_patient_tables"] if module == "run" else []
        command = [sys.executable, "-m", f"remission.{module}", "../x", *more]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and "not the name of one folder" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("name", ["../x", "a b", "$(shell touch pwned)", "x;touch pwned", "-x", ".x",
                                      "`touch pwned`"])
    def test_make_refuses_it_before_anything_runs(self, copy, name):
        shutil.copy(ROOT / "Makefile", copy)
        done = subprocess.run(["make", "--no-print-directory", f"COHORT={name}"], capture_output=True, text=True)
        assert done.returncode == 2 and "COHORT must be the name of one folder" in done.stderr and done.stdout == ""
        assert not (copy / "pwned").exists()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with the hook installed."""
    for name in (".gitignore", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".githooks", tmp_path / ".githooks")
    monkeypatch.chdir(tmp_path)
    for name, value in (("GIT_CONFIG_GLOBAL", os.devnull), ("GIT_CONFIG_NOSYSTEM", "1")):
        monkeypatch.setenv(name, value)
    git("init", "--quiet")
    git("config", "user.email", "a@example.org")
    git("config", "user.name", "a")
    git("config", "core.hooksPath", ".githooks")
    return tmp_path


def git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True)


def commit(folder, name, content="x", force=True):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    git("add", *(["--force"] if force else []), "--", name)
    return git("commit", "--quiet", "-m", "x")


class TestHook:
    @pytest.mark.parametrize("name", ["data/raw/mine/patients.csv", "data/processed/mine/adsl.csv",
                                      "figures/mine/km.png", "build/mine/01.ipynb", "data/raw/patients.csv",
                                      "data/raw/freireich1963b/patients.csv",
                                      "data/raw/Mülheim 1/patients.csv", "patients.csv", "notebooks/export.XLSX",
                                      "docs/table.sav", "data/raw/mine/study.toml"])
    def test_a_forced_file_of_an_own_cohort_is_refused_by_name(self, repository, name):
        done = commit(repository, name)
        assert done.returncode == 1 and "commit refused" in done.stderr and "git restore --staged" in done.stderr
        assert name.rpartition("/")[2].rpartition(" ")[2] in done.stderr

    @pytest.mark.parametrize("name", ["data/raw/freireich1963/patients.csv", "figures/scrucca_bmt/km.png", "README.md",
                                      "src/remission/data/terms.csv", "tests/data/aml.csv", "notebooks/01.ipynb"])
    def test_shipped_files_pass(self, repository, name):
        done = commit(repository, name)
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_further_file_in_a_shipped_cohorts_folder_is_refused(self, repository):
        home = "data/raw/freireich1963"
        assert commit(repository, f"{home}/patients.csv").returncode == 0
        assert commit(repository, f"{home}/patients.csv", "corrected").returncode == 0
        done = commit(repository, f"{home}/mine.csv")
        assert done.returncode == 1 and f"no part of that shipped cohort: {home}/mine.csv" in done.stderr

    def test_a_notebook_that_shows_an_own_cohort_is_refused(self, repository):
        done = commit(repository, "notebooks/03.ipynb", '{"text": "**Local cohort: not part of this repository.**"}')
        assert done.returncode == 1 and "shows a cohort of your own: notebooks/03.ipynb" in done.stderr

    def test_taking_such_a_file_out_passes(self, repository):
        git("config", "core.hooksPath", "/dev/null")
        assert commit(repository, "data/raw/mine/patients.csv").returncode == 0
        git("config", "core.hooksPath", ".githooks")
        git("rm", "--quiet", "data/raw/mine/patients.csv")
        assert git("commit", "--quiet", "-m", "out").returncode == 0

    def test_make_installs_it(self, repository):
        git("config", "--unset", "core.hooksPath")
        assert subprocess.run(["make", "hooks"], capture_output=True).returncode == 0
        assert git("config", "core.hooksPath").stdout == ".githooks\n"
        assert os.access(ROOT / ".githooks" / "pre-commit", os.X_OK)

    def test_git_ignores_an_own_cohort_without_the_hook(self, repository):
        for name in ("data/raw/mine/patients.csv", "data/processed/mine/adsl.csv", "figures/mine/km.png",
                     "build/mine/01.ipynb"):
            commit(repository, name, force=False)
            assert git("check-ignore", "-q", name).returncode == 0
        assert git("ls-files").stdout == ""

    def test_hook_and_gitignore_name_the_same_cohorts(self):
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
        hook = (ROOT / ".githooks" / "pre-commit").read_text(encoding="utf-8")
        assert re.search(r'^shipped="(.*)"$', hook, re.M)[1].split() == list(SHIPPED)
        for home in ("data/raw", "data/processed", "figures"):
            assert re.findall(rf"^!{home}/(.*)/$", ignored, re.M) == list(SHIPPED)

    def test_this_repository_holds_shipped_cohorts_only(self):
        listed = subprocess.run(["git", "ls-files", "data/raw", "data/processed", "figures", "build"], cwd=ROOT,
                                capture_output=True, text=True, check=True).stdout.splitlines()
        homes = {name.removeprefix("data/").split("/")[1] for name in listed}
        assert homes == set(SHIPPED)
