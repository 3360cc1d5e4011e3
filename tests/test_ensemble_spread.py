"""An ensemble in parts: the same whoever draws them, and whole whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import types
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest
from conftest import ROOT

from remission import lock
from remission.ensemble import abstract, engines, parts, spread
from remission.ensemble.job import FAMILIES, Job, Task, chunk, plan, share
from remission.errors import ContractError, Problem

NAME = "freireich1963"
#: Processes that are started import this very module for `draw`.
COMMAND = "import sys, test_ensemble_spread as t; sys.exit(t.spread.main(sys.argv[1:], draw=t.draw))"
#: Seconds that a part takes where something is to be killed meanwhile.
SLOWLY = "TEST_SECONDS_A_PART"


def draw(whole, family, size, seed):
    """In the sampler's place: random numbers that depend on nothing but the arguments."""
    time.sleep(float(os.environ.get(SLOWLY, "0")))
    random_ = np.random.default_rng(seed)
    values = random_.normal(len(whole.claims) + len(family), 1.0, (size, 2))
    frame = pd.DataFrame({"family": family, "chain": np.arange(size) % 4, "draw": np.arange(size) // 4,
                          "median": values[:, 0], "p": np.where(values[:, 1] > 9, np.nan, values[:, 1])})
    return frame.set_index(np.zeros(size))  # row labels say nothing


def draw_few(whole, family, size, seed):
    return draw(whole, family, size - (family == "cure"), seed)


def draw_none(whole, family, size, seed):
    raise ContractError(whole.name, [Problem("abstract.toml", family, (), "no cohort agrees", "look at the claims")])


def draw_too_many(whole, family, size, seed):
    return draw(whole, family, size + 1, seed)


def draw_and_die(whole, family, size, seed):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def job():
    return Job(abstract.read(NAME), draw, seed=7, size=5)


def files(folder):
    """Content of every part."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*"))}


def stands(folder):
    """What shows that a part was left alone."""
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.glob("part-*")}


def wait_for(what, seconds=60):
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "nothing happened"
        time.sleep(0.02)


def environment(pause):
    return {**os.environ, "PYTHONPATH": str(ROOT / "tests"), SLOWLY: str(pause)}


def start(*arguments, pause=0.0):
    command = [sys.executable, "-c", COMMAND, NAME, "--seed=7", "--size=5", "--cohorts=120", *arguments]
    return subprocess.Popen(command, env=environment(pause), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def start_until(parts_are_there, folder):
    """A slow run, and its workers, at a moment when some parts are there and others are not."""
    run = start("--jobs=2", pause=0.2)
    wait_for(lambda: len(files(folder)) >= parts_are_there or run.poll() is not None)
    assert run.poll() is None, run.communicate()
    workers = psutil.Process(run.pid).children(recursive=True)
    assert len(workers) >= 2
    return run, workers


class TestParts:
    """A file that was written and what is made of it when it is read."""

    FRAME = pd.DataFrame({"family": pd.Categorical(["cure"] * 50, categories=FAMILIES), "chunk": np.int32(3),
                          "p": np.random.default_rng(1).random(50), "median": [np.nan, *range(49)]})

    def test_it_comes_back_as_it_was(self, tmp_path):
        path = tmp_path / "part.parquet"
        path.write_bytes(parts.pack(self.FRAME, number=3))
        (tmp_path / parts.INDEX).write_text(json.dumps({"parts": [{"file": path.name, "rows": 50}]}))
        pd.testing.assert_frame_equal(parts.load(tmp_path), self.FRAME, check_exact=True)
        assert list(parts.load(tmp_path, ["p"])) == ["p"]

    def test_no_flipped_byte_passes_with_other_numbers(self, tmp_path):
        path, data, random_ = tmp_path / "part.parquet", parts.pack(self.FRAME, number=3), random.Random(3)
        passed = 0
        for place in random_.sample(range(len(data)), 400):
            path.write_bytes(data[:place] + bytes([data[place] ^ random_.randrange(1, 256)]) + data[place + 1:])
            if parts.rows(path, number=3) is not None:  # in a comment, a statistic or the like
                passed += 1
                (tmp_path / parts.INDEX).write_text(json.dumps({"parts": [{"file": path.name, "rows": 50}]}))
                pd.testing.assert_frame_equal(parts.load(tmp_path), self.FRAME, check_exact=True)
        assert passed < 200

    @pytest.mark.parametrize("keep", [0, 4, 100, -1])
    def test_a_cut_one_is_none(self, tmp_path, keep):
        path = tmp_path / "part.parquet"
        path.write_bytes(parts.pack(self.FRAME, number=3)[:keep])
        assert parts.rows(path, number=3) is None

    def test_nor_is_one_of_something_else(self, tmp_path):
        path = tmp_path / "part.parquet"
        path.write_bytes(parts.pack(self.FRAME, number=3))
        assert parts.rows(path, number=3) == 50
        assert parts.rows(path, number=4) is None and parts.rows(path, number=3, key="x") is None
        self.FRAME.to_parquet(path)
        assert parts.rows(path, number=3) is None and parts.rows(tmp_path / "nothing") is None


class TestJob:
    def test_what_a_part_depends_on_has_a_folder_of_its_own(self, job):
        whole = job.abstract
        others = [replace(job, seed=8), replace(job, size=6), replace(job, parameters={"steps": 2}),
                  replace(job, draw=draw_few), replace(job, families=FAMILIES[::-1]), replace(job, lock="x"),
                  replace(job, computed_by=job.computed_by | {"numpy": "1"}),
                  replace(job, computed_by=job.computed_by | {"code": "x"}),
                  replace(job, abstract=abstract.without(whole, whole.claims[0].id)),
                  replace(job, abstract=replace(whole, reading=("x",)))]
        assert len({one.folder for one in [job, replace(job), *others]}) == len(others) + 1

    def test_streams_are_by_place_and_never_shared(self, job):
        seeds = {(task.family, task.number): tuple(task.seed.generate_state(4)) for task in plan(job, 200)}
        assert len(set(seeds.values())) == len(seeds) == 40
        # numpy's own way to the same stream: child 9 of child 2 of the root
        child = np.random.SeedSequence(7).spawn(3)[2].spawn(10)[9]
        assert seeds["cure", 9] == tuple(child.generate_state(4))

    def test_families_share_evenly(self, job):
        assert list(share(1_000_003, FAMILIES).values()) == [250_001, 250_001, 250_001, 250_000]
        assert [(task.family, task.number) for task in plan(job, 21)] == [
            *((family, 0) for family in FAMILIES), ("weibull", 1)]

    def test_a_worker_with_other_code_or_versions_draws_nothing(self, job):
        other = replace(job, computed_by=job.computed_by | {"numpy": "1.0", "code": "x"})
        with pytest.raises(engines.Stopped, match="another version of code, numpy"):
            chunk(Task(other, "cure", 0))


class TestRun:
    def test_number_of_processes_changes_nothing(self, job, elsewhere):
        one = spread.run(job, 100, jobs=1)
        alone = files(one.folder)
        assert len(alone) == 20 and one.cohorts == 100
        for path in one.folder.glob("part-*"):
            path.unlink()
        assert files(spread.run(job, 100, jobs=2).folder) == alone

    def test_rows_are_those_that_draw_gives_in_order(self, job, elsewhere):
        done = spread.run(job, 50, jobs=1)
        found = parts.load(done.folder)
        assert found["family"].value_counts().to_dict() == {"weibull": 13, "piecewise": 13, "cure": 12, "uniform": 12}
        first = found[found["family"] == "cure"]
        assert list(found) == ["family", "chunk", "chain", "draw", "median", "p"]
        direct = pd.concat([draw(job.abstract, "cure", 5, np.random.SeedSequence(7, spawn_key=(2, number)))
                            for number in range(3)])
        assert first["median"].tolist() == direct["median"].tolist()[:12]
        assert first["chunk"].tolist() == [0] * 5 + [1] * 5 + [2] * 2
        assert not found.duplicated(["family", "chunk", "chain", "draw"]).any()

    def test_more_go_on_and_fewer_find_all(self, job, elsewhere):
        done = spread.run(job, 40, jobs=1)
        stood = stands(done.folder)
        assert (done.drawn, done.found) == (8, 0)
        more = spread.run(job, 80, jobs=1)
        assert (more.drawn, more.found, len(parts.load(more.folder))) == (8, 8, 80)
        fewer = spread.run(job, 33, jobs=1)
        assert (fewer.drawn, fewer.found, len(parts.load(fewer.folder))) == (0, 8, 33)
        assert stands(done.folder).items() >= stood.items()
        assert json.loads((done.folder / "job.json").read_text())["seed"] == 7

    def test_damaged_and_half_written_parts_are_made_anew(self, job, elsewhere):
        folder = spread.run(job, 40, jobs=1).folder
        whole = files(folder)
        names = sorted(whole)
        (folder / names[0]).write_bytes(whole[names[0]][:-7])
        (folder / names[1]).write_bytes(b"")
        (folder / names[2]).write_bytes(whole[names[3]])
        (folder / ".unfinished-part-x.parquet").write_bytes(b"x")
        again = spread.run(job, 40, jobs=1)
        assert (again.drawn, again.found) == (3, 5) and files(folder) == whole
        assert not list(folder.glob(".unfinished*"))

    def test_a_family_that_finds_fewer_is_said(self, job, elsewhere):
        done = spread.run(replace(job, draw=draw_few), 40, jobs=1)
        assert (done.cohorts, done.short) == (38, {"cure": 2})
        assert "38 cohorts of 40 asked for; cure lacks 2 (8 parts drawn, 0 found" in str(done)
        assert len(parts.load(done.folder)) == 38

    @pytest.mark.parametrize("kind, said", [(draw_none, "no cohort agrees. Mend: look at the claims"),
                                            (draw_too_many, "6 cohorts drawn where 5 were asked for")])
    def test_a_draw_that_cannot_stops_with_its_own_message(self, job, elsewhere, kind, said):
        with pytest.raises(engines.Stopped, match=said) as caught:
            spread.run(replace(job, draw=kind), 40, jobs=1)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # as it comes from a worker

    def test_a_worker_that_is_ended_stops_the_run_with_a_message(self, job, elsewhere):
        with pytest.raises(engines.Stopped, match=r"ended from outside.*fewer JOBS"):
            spread.run(replace(job, draw=draw_and_die), 40, jobs=2)

    def test_numbers_out_of_range(self, job, elsewhere):
        for wrong, more in ((job, {"cohorts": 0}), (replace(job, size=0), {"cohorts": 9}),
                            (replace(job, seed=-1), {"cohorts": 9}), (job, {"cohorts": 9, "jobs": -1})):
            with pytest.raises(ValueError, match="at least"):
                spread.run(wrong, **more)
        assert not list(elsewhere.rglob("*.parquet"))


    def test_progress_counts_cohorts_and_those_that_are_there(self, job, elsewhere, capfd):
        spread.run(job, 20, jobs=1, progress=True)
        spread.run(job, 40, jobs=1, progress=True)
        said = capfd.readouterr().err
        assert "0.00/20.0" in said and "20.0/40.0" in said and "40.0/40.0" in said
        spread.run(job, 60, jobs=1)
        assert capfd.readouterr().err == ""  # no terminal


class TestCommand:
    @pytest.mark.parametrize("arguments, said", [
        (["--cohorts=3"], "'3' is not a whole number of at least 4"),
        (["--cohorts=1e6"], "'1e6' is not a whole number"), (["--seed=-1"], "'-1' is not a whole number"),
        (["--jobs=0"], "'0' is not a whole number of at least 1"), (["--size=x"], "'x' is not a whole number"),
        (["--dask=somewhere"], "write it as tcp://host:port"), (["--dask=tcp://a:99999"], "write it as tcp://host:port"),
        (["--dask=tcp://a:1;x"], "write it as tcp://host:port")])
    def test_a_bad_value_is_one_line(self, arguments, said, capsys):
        with pytest.raises(SystemExit) as caught:
            spread.main([NAME, *arguments], draw=draw)
        lines = capsys.readouterr().err.splitlines()
        assert caught.value.code == 2 and said in lines[-1] and lines[0].startswith("usage: make ensemble")

    @pytest.mark.parametrize("arguments, said", [
        ([NAME, "--reading=nonsense"], "no reading 'nonsense'"), (["nobody"], "abstract.toml not found"),
        (["../x"], "not the name of one folder"), (["nowhere/abstract.toml"], "abstract.toml not found")])
    def test_a_bad_name_is_one_message(self, arguments, said, capsys, elsewhere):
        assert spread.main(arguments, draw=draw) == 1
        assert said in capsys.readouterr().err

    def test_no_scheduler(self, capsys, elsewhere, monkeypatch):
        monkeypatch.setattr(engines, "PATIENCE", 0.5)
        assert spread.main([NAME, "--dask=tcp://127.0.0.1:9"], draw=draw) == 1
        assert "no Dask scheduler answers at tcp://127.0.0.1:9. Mend" in capsys.readouterr().err

    def test_while_another_run_is_under_way(self, capsys, elsewhere):
        handle = lock.hold("ensemble", 0)
        assert spread.main([NAME, "--wait=0"], draw=draw) == 1
        os.close(handle)
        assert "another run" in capsys.readouterr().err and not list(elsewhere.rglob("*.parquet"))

    @pytest.mark.parametrize("value", ["$(shell touch pwned)", "1;touch pwned", "`touch pwned`", "1 2", "\"1"])
    @pytest.mark.parametrize("name", ["COHORTS", "DASK"])
    def test_make_refuses_what_a_shell_might_read(self, tmp_path, monkeypatch, name, value):
        (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
        monkeypatch.chdir(tmp_path)
        command = ["make", "-n", "--no-print-directory", "ensemble", f"{name}={value}"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 2 and f"{name} must be of letters" in done.stderr and done.stdout == ""
        assert not (tmp_path / "pwned").exists()


class TestKilled:
    """SIGKILL for the process that runs, for a worker of a cluster."""

    @pytest.fixture
    def reference(self, job, tmp_path_factory, monkeypatch):
        """Parts of a run that nothing disturbed."""
        with monkeypatch.context() as other:
            other.setenv("REMISSION_OUTPUT", str(tmp_path_factory.mktemp("reference")))
            return files(spread.run(job, 120, jobs=1).folder)

    def test_a_run_goes_on_where_it_was_and_leaves_no_process(self, job, reference, elsewhere):
        first, workers = start_until(4, job.folder)
        first.kill()
        first.communicate(timeout=60)
        assert psutil.wait_procs(workers, timeout=20)[1] == []
        stood = stands(job.folder)
        assert 4 <= len(stood) < 24 and not (job.folder / parts.INDEX).exists()
        second = start("--jobs=1", "--wait=0")  # the lock ended with its holder
        said = second.communicate(timeout=120)
        assert second.returncode == 0, said
        assert f"{24 - len(stood)} parts drawn, {len(stood)} found" in said[0] and said[1] == ""
        assert stands(job.folder).items() >= stood.items()
        assert files(job.folder) == reference
        assert not list(job.folder.glob(".unfinished*"))

    def test_a_run_that_is_told_to_end_takes_its_workers_along(self, job, elsewhere):
        run, workers = start_until(1, job.folder)
        run.terminate()
        said = run.communicate(timeout=60)
        assert (run.returncode, said[0]) == (143, "") and "Traceback" not in said[1]  # loky may warn of its semaphores
        assert psutil.wait_procs(workers, timeout=20)[1] == []

    def test_a_cluster_that_loses_a_worker_has_the_same_parts(self, job, reference, elsewhere, tmp_path, monkeypatch):
        with dask_cluster(tmp_path / "dask", pause=0.2) as (address, workers):
            with pytest.raises(engines.Stopped, match="lacks this package"):
                spread.run(replace(job, draw=known_here_only()), 20, dask=address)
            with pytest.raises(engines.Stopped, match="another version of numpy than this run"):
                spread.run(replace(job, computed_by=job.computed_by | {"numpy": "1"}), 20, dask=address)
            lost = threading.Event()

            def kill():
                wait_for(lambda: len(files(job.folder)) >= 4)
                workers[0].kill()
                lost.set()

            killer = threading.Thread(target=kill)
            killer.start()
            done = spread.run(job, 120, dask=address)
            assert lost.is_set()  # while the run was under way
            killer.join()
            assert workers[0].wait() == -signal.SIGKILL and workers[1].poll() is None
            assert (done.cohorts, done.drawn) == (120, 24)
            assert files(job.folder) == reference
            with monkeypatch.context() as impatient:
                impatient.setattr(engines, "LOST", 0.5)
                impatient.setattr(engines, "LOOK", 0.3)
                with pytest.raises(engines.Stopped, match="has no worker"):
                    spread.run(replace(job, draw=draw_and_die), 20, dask=address)


def known_here_only():
    """A draw of a module that no other process can import."""
    module = types.ModuleType("known_here_only")
    exec("def draw(whole, family, size, seed): pass", module.__dict__)
    sys.modules[module.__name__] = module
    return module.draw


@contextmanager
def dask_cluster(folder, pause):
    """A scheduler and two workers, each a process of its own, on this machine only."""
    folder.mkdir()
    known = folder / "scheduler.json"
    common = ["--host", "127.0.0.1", "--scheduler-file", str(known), "--no-dashboard"]
    kinds = {"scheduler": ["--port", "0", "--no-show"],
             "worker": ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder), "--death-timeout", "60"]}

    def process(kind):
        with open(folder / f"{kind}.log", "ab") as log:
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *common, *kinds[kind]]
            return subprocess.Popen(command, env=environment(pause), stdout=log, stderr=log, cwd=folder)

    running = [process("scheduler")]
    try:
        wait_for(lambda: known.exists() and known.read_text().endswith("}"))
        running += [process("worker"), process("worker")]
        wait_for(lambda: (folder / "worker.log").read_text().count("Registered to:") == 2)
        yield json.loads(known.read_text())["address"], running[1:]
    finally:
        for one in reversed(running):
            one.kill()
            one.wait()
