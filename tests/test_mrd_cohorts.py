"""Notebooks 04 on cohorts that lack something or hold only one kind of patient: sections say so, none fails."""

from __future__ import annotations

import json
import re
import shutil

import matplotlib.pyplot as plt
import pytest
from conftest import ROOT

from remission import adam, cleaning, raw, results, show, store
from remission import study as studies
from remission.figures import style
from remission.mrd import chance, dynamic, simulate, subsets

SOURCE = "ash2012_reconstructed"
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("04*.ipynb"))
#: Parameters of the notebooks that cost time, where a notebook has them.
FEW = {"permutations": 49, "bootstraps": 10, "replicates": 50, "draws": 50, "imputations": 3, "multiverse_draws": 49}
#: Numbers of random draws that no parameter of a notebook sets.
DEFAULTS = ((simulate.operating_characteristics, "replicates", 20), (subsets.subset_readings, "draws", 100),
            (chance.analyse, "draws", 200), (dynamic.predict, "draws", 20))
CONTROL = '[[arms]]\nkey = "IM"'


def without(*names):
    return lambda tables: {name: frame for name, frame in tables.items() if name not in names}


def samples(change):
    return lambda tables: tables | {"mrd": change(tables["mrd"].copy())}


def one_a_patient(frame):
    """The last sample up to the origin; the first one of a patient who has none before."""
    frame = frame.assign(late=frame["day"] > 0, far=frame["day"].abs()).sort_values(["patient_id", "late", "far"])
    return frame.drop_duplicates("patient_id").drop(columns=["late", "far"]).sort_index()


def all_negative(frame):
    return frame.assign(state="NEGATIVE", ratio=float("nan"), bcr_abl_copies=0.0, abl_copies=50_000.0)


def all_positive(frame):
    return frame.assign(state="QUANTIFIED", ratio=frame["ratio"].fillna(0.02).clip(lower=0.02))


def no_relapse(tables):
    status = tables["disposition"]["status"].replace({"died after relapse": "died in remission",
                                                      "alive after relapse": "alive in remission"})
    return tables | {"remission_events": tables["remission_events"].iloc[:0],
                     "disposition": tables["disposition"].assign(status=status)}


def first_arm_only(tables):
    patients = tables["patients"]
    kept = patients.loc[patients["arm"] == "IFN+IM", "patient_id"]
    return {name: frame[frame["patient_id"].isin(kept)].reset_index(drop=True) for name, frame in tables.items()}


def third_arm(tables):
    patients = tables["patients"]
    third = patients["patient_id"].isin(patients.loc[patients["arm"] == "IFN+IM", "patient_id"].iloc[::3])
    return tables | {"patients": patients.assign(arm=patients["arm"].mask(third, "third"))}


def few(tables):
    patients = tables["patients"].groupby("arm").head(2)["patient_id"]
    return {name: frame[frame["patient_id"].isin(patients)].reset_index(drop=True) for name, frame in tables.items()}


def same(tables):
    return tables


def arms(study, keep=True, more=""):
    head, _, tail = study.partition(CONTROL)
    rest = tail[tail.index("[dose"):]
    return head + (CONTROL + tail[:-len(rest)] if keep else "") + more + rest


#: What is done to the clean tables, and to `study.toml`.
COHORTS = {
    "no mutations": (without("mutations"), same),
    "no samples": (without("mrd"), same),
    "no marker at all": (without("mrd", "mutations", "chemotherapy_cycles"), same),
    "no source, transcript type or ABL1 copies": (
        lambda tables: tables | {"patients": tables["patients"].assign(transcript=None),
                                 "mrd": tables["mrd"].assign(source=None, abl_copies=float("nan"))}, same),
    "one sample a patient": (samples(one_a_patient), same),
    "all negative": (samples(all_negative), same),
    "all positive": (samples(all_positive), same),
    "no relapse": (no_relapse, same),
    "one arm": (first_arm_only, lambda study: arms(study, keep=False)),
    "three arms": (third_arm, lambda study: arms(study, more='[[arms]]\nkey = "third"\nlabel = "Third arm"\n\n')),
    "two patients an arm": (few, same),
}
#: Markers that a cohort must still have, and those that it cannot have.
MARKERS = {"no mutations": ("response6m", "mutation"), "no samples": ("cycles", "ever_negative"),
           "all negative": ("ever_negative", ""), "one sample a patient": ("level_at_start", ""),
           "no source, transcript type or ABL1 copies": ("response6m", "")}


@pytest.fixture(scope="module")
def clean():
    study = studies.read(SOURCE)
    return cleaning.clean(raw.read(study), study).tables


@pytest.fixture
def said(monkeypatch):
    """What the notebooks show: text of Markdown, and the kind of everything else."""
    heard = []

    def listen(shown):
        heard.append(shown.data if type(shown).__name__ == "Markdown" else type(shown).__name__)
    for module in (show, style):
        monkeypatch.setattr(module, "display", listen)
    monkeypatch.setitem(style.RC, "figure.dpi", 30)  # nobody looks at these figures, and encoding them is half the time
    return heard


def prepare(folder, name, clean, monkeypatch):
    """A cohort named `odd`, its analysis tables already derived, below a root of its own."""
    change, rewrite = COHORTS[name]
    home, source = folder / "data" / "raw" / "odd", ROOT / "data" / "raw" / SOURCE
    home.mkdir(parents=True)
    (folder / "pyproject.toml").write_text("")
    (home / "study.toml").write_text(rewrite((source / "study.toml").read_text(encoding="utf-8")), encoding="utf-8")
    for file in ("claims.csv", "readings.csv", "external.csv"):
        if name in ("one arm", "no samples"):
            shutil.copy(source / file, home / file)
    monkeypatch.chdir(folder)
    study = studies.read("odd")
    tables = change({key: frame.copy() for key, frame in clean.items()})
    store.write_all(adam.derive_all(tables, study), "odd")
    return study


def code_cells(notebook):
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(notebook, space):
    for source in code_cells(notebook):
        exec(compile(source, notebook, "exec"), space)
        space.update({"cohort": "odd"} | {key: value for key, value in FEW.items() if key in space})


@pytest.mark.parametrize("name", COHORTS)
def test_every_cell_runs_and_every_number_has_a_word(tmp_path, monkeypatch, clean, said, name):
    monkeypatch.setitem(style.RC, "figure.dpi", 40)
    for function, argument, draws in DEFAULTS:
        monkeypatch.setitem(function.__kwdefaults__, argument, draws)
    prepare(tmp_path, name, clean, monkeypatch)
    before = plt.get_fignums()
    for notebook in NOTEBOOKS:
        run(notebook, {"__name__": "__main__"})
    assert plt.get_fignums() == before
    saved = results.load("odd")
    assert saved["result_id"].is_unique
    bare = saved.loc[saved["display"].str.contains(r"\bnan\b|None|<NA>|\binf\b", regex=True), ["result_id", "display"]]
    assert bare.to_numpy().tolist() == []
    text = " ".join(said)
    assert [one for one in said if re.search(r"\bnan\b|<NA>|= None|None\)", one)] == []
    markers = set(saved.loc[saved["analysis"] == "mrd", "endpoint"])
    there, absent = MARKERS.get(name, ("", ""))
    assert (not there or there in markers) and (not absent or absent not in markers)
    if name == "no marker at all":
        assert not markers and "No marker is known in this cohort" in text
    if name == "no relapse":
        mine = saved[(saved["analysis"] == "mrd") & (saved["statistic"] == "verdict")]
        assert len(mine) and set(mine["display"]) == {"not estimable"}
