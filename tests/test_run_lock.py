"""One run at a time on a cohort: the second waits or refuses, and no crash leaves a lock behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from remission import lock

COHORT = "freireich1963"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository with one cohort and no notebook."""
    shutil.copytree(ROOT / "data" / "raw" / COHORT, tmp_path / "data" / "raw" / COHORT)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def alone(*arguments, cohort=COHORT, **how):
    command = [sys.executable, "-m", "remission.alone", cohort, *arguments]
    return subprocess.Popen(command, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how})


def holder(folder):
    """A run that has begun and lasts until its file `go` is there."""
    first = alone("--", "sh", "-c", "touch began; until test -e go; do sleep 0.05; done; echo first")
    until(lambda: (folder / "began").exists())
    return first


def until(done):
    for _ in range(600):
        if done():
            return
        time.sleep(0.05)
    pytest.fail("nothing happened for half a minute")


def test_the_second_run_waits_with_one_line_and_then_goes_on(copy):
    first = holder(copy)
    assert lock.under_way(COHORT)
    second = alone("--wait", "60", "--", "echo", "second")
    said = second.stderr.readline()
    assert said == (f"{COHORT}: another run (process {first.pid}) is under way; waiting for it, at most 60 s "
                    "(WAIT=0 refuses)\n")
    (copy / "go").touch()
    assert first.communicate()[0] == "first\n"
    assert second.communicate() == ("second\n", "") and second.returncode == 0
    assert not lock.under_way(COHORT)


@pytest.mark.parametrize("wait, words", [("0", "so this one stops and has changed nothing"),
                                         ("0.3", "after 0.3 s of waiting")])
def test_it_refuses_when_it_is_told_to_or_has_waited_long_enough(copy, wait, words):
    first = holder(copy)
    second = alone("--wait", wait, "--", "touch", "never")
    out, err = second.communicate()
    (copy / "go").touch()
    first.communicate()
    assert second.returncode == 1 and out == "" and words in err and "Traceback" not in err
    assert not (copy / "never").exists()


def test_another_cohort_is_not_held_up(copy):
    shutil.copytree(copy / "data" / "raw" / COHORT, copy / "data" / "raw" / "other")
    first = holder(copy)
    second = alone("--wait", "0", "--", "echo", "second", cohort="other")
    assert second.communicate()[0] == "second\n"
    (copy / "go").touch()
    first.communicate()


def test_a_killed_run_leaves_no_lock_but_what_it_started_still_holds_it(copy):
    first = alone("--", "sh", "-c", "sh -c 'touch began; until test -e go; do sleep 0.05; done' & wait",
                  start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until((copy / "began").exists)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert lock.under_way(COHORT)  # its child may still write
    (copy / "go").touch()
    until(lambda: not lock.under_way(COHORT))
    assert alone("--wait", "0", "--", "echo", "second").communicate()[0] == "second\n"


def test_a_lock_file_that_was_deleted_does_not_let_two_in(copy):
    first = holder(copy)
    shutil.rmtree(copy / "build")  # make clean in the middle of a run
    handle = lock.hold(COHORT, 0)
    with pytest.raises(lock.Busy):
        lock.hold(COHORT, 0)
    os.close(handle)
    (copy / "go").touch()
    first.communicate()


def test_status_and_arguments_of_the_command_go_through_without_a_shell(copy):
    process = alone("--", sys.executable, "-c", "import sys; print(sys.argv[1]); sys.exit(7)", "$HOME; `id` * --wait")
    assert process.communicate()[0] == "$HOME; `id` * --wait\n" and process.returncode == 7


def test_an_unknown_cohort_makes_no_folder(copy):
    process = alone("--", "echo", "x", cohort="nobody")
    assert "cohort nobody: 1 problem" in process.communicate()[1] and process.returncode == 1
    assert not (copy / "build").exists()
