"""A cohort read in blocks of patients gives the report of the cohort read at once."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from cohort_on_disk import STUDY, TABLES, put
from conftest import COHORTS, ROOT

from remission import check, raw
from remission.cleaning import findings, survey
from remission.raw import text
from remission.study import read as read_study

ASH = ROOT / "data" / "raw" / "ash2012_reconstructed"
#: What exports put into cells.
ODD = ["", "  ", "n/a", "soon", "13/25/2004", "03/04/2005", "25/12/2004", "12.5.2004", "01.02.1999", "2031-01-01",
       "38110", "<5", "1.234", "1e9", "-1", "0", "99999", "neg", "PNQ", "unknown", "IM", "alive in remission",
       "died after relapse", "#REF!", "=1+1", "MÃ¼de", "A\u200b1", "Übelkeit", "10^9/L", "/µl", "'007"]


def agree(name, *rows):
    """The report of a cohort, once it was found to be the same in blocks."""
    study = read_study(name)
    whole = check.check(study)
    for size in rows:
        blocks = check.check(study, rows=size)
        for part in ("queries", "repairs", "accounts"):
            pd.testing.assert_frame_equal(getattr(whole, part), getattr(blocks, part))
        assert check.text(whole) == check.text(blocks)
    return whole


@pytest.mark.parametrize(("name", "rows"), [
    ("ash2012_reconstructed", 900), ("chiaretti2004", 17), ("freireich1963", 14), ("scrucca_bmt", 10),
    ("wassmann2003", 1)])
def test_shipped_cohorts_in_blocks_of_a_few_patients(name, rows):
    assert name in COHORTS and agree(name, rows).verdict in ("ready", "ready with questions")


def mutated(seed: int) -> dict[str, str]:
    """A third of the reconstructed cohort's patients with every fifteenth cell, row or identity put wrong."""
    rng, made = np.random.default_rng(seed), {}
    for name in TABLES:
        content = (ASH / f"{name}.csv").read_text(encoding="utf-8-sig")
        separator = raw.sniff(content.splitlines()[0])
        header, *rows = csv.reader(content.splitlines(), delimiter=separator)
        rows = [row for place, row in enumerate(rows) if row[0].strip()[-1:] in "159" and (
            name != "laboratory" or place % 9 == 0)]
        who = sorted({row[0] for row in rows})
        for row in rows:
            for place in np.flatnonzero(rng.random(len(row)) < 1 / 60):
                row[place] = rng.choice(ODD if place else [*ODD[:4], *who, f" {row[0]}", f"{row[0]}\u00a0"])
        rows += [rows[place] for place in rng.integers(0, len(rows), 3)]
        rows += [[""] * len(header), rows[0][:2], [*rows[-1], "more"], ["STRANGER", *rows[0][1:]]]
        out = io.StringIO()
        csv.writer(out, delimiter=separator, lineterminator="\n").writerows([header, *rng.permutation(
            np.array(rows, dtype=object)).tolist()])
        made[name] = out.getvalue()
    return made


@pytest.mark.parametrize(("seed", "rows"), [(0, 120), (1, 400)])
def test_mutated_cohorts_in_blocks(seed, rows, tmp_path, monkeypatch):
    put(tmp_path, mutated(seed), (ASH / "study.toml").read_text(encoding="utf-8").replace('date_order = "DMY"', ""))
    monkeypatch.chdir(tmp_path)
    found = agree("mini", rows)
    assert len(found.queries) > 100 and {"error", "aside", "warning"} <= set(found.queries["severity"])


ANC = "".join(f"0{1 + day % 3};{day + 1}.2.2004;ANC;2,1;10^9/L;1,8;7,7\n" for day in range(9))
UNTOLD = STUDY.replace('date_order = "DMY"', "")


#: One count far from the median, an arm without event, a garbled letter in the last block, an unknown patient, a table
#: outside the contract, slashed dates of which one tells the order of all, and of which none does.
ACROSS = {
    "laboratory": TABLES["laboratory"] + ANC + "02;1.3.2004;ANC;450;10^9/L;;\n",
    "disposition": TABLES["disposition"].replace("died in remission;9.9.2006;stroke", "alive in remission;;MÃ¼de"),
    "mrd": TABLES["mrd"].replace("02;15", "2;15"), "diary": "patient_id;note\n01;fine\n",
    "procedures": "patient_id;date;procedure\n01;1/2/2003;intrathecal\n02;25/4/2003;intrathecal\n",
    "mutations": "patient_id;date;method;variant;allele_fraction\n01;1/9/2004;a;T315I;6\n02;2/3/2004;a;none;\n"}


@pytest.mark.parametrize(("codes", "tables", "study"), [
    ({"V68", "A07", "S08", "A01", "S20", "V19", "V20"}, ACROSS, UNTOLD),
    ({"A03"}, {"remission_events": "patient_id;date;event;site\n\n;;;\n"}, STUDY),
    ({"P07", "P04"}, {"adverse_events": TABLES["adverse_events"].replace("Fatigue", "Herr Krause").replace(
        "Depression", "Tel. 0221 4567890")}, STUDY),
    ({"O01", "V30"}, {"patients": TABLES["patients"].replace("20.3.2003", "1.1.2003").replace("10.7.2003", "5.1.2003")
                      .replace("IFN+IM;M", "XX;M")}, STUDY),
    ({"S01"}, {"disposition": None}, STUDY),
])
def test_what_only_the_whole_cohort_tells(codes, tables, study, tmp_path, monkeypatch):
    put(tmp_path, tables, study)
    monkeypatch.chdir(tmp_path)
    found = agree("mini", 1)
    assert {*found.queries["code"], *found.repairs["code"]} >= codes


def test_packed_tables_hold_the_same_texts():
    study = read_study("ash2012_reconstructed")
    packed = raw.read(study, packed=True)
    for name, frame in raw.read(study).items():
        texts = packed[name].astype(dict.fromkeys(frame.columns.drop("_line"), object))
        pd.testing.assert_frame_equal(texts, frame)
        assert packed[name].attrs == frame.attrs
        assert (packed[name].drop(columns="_line").dtypes == "category").all()


def test_lines_that_are_cut_anywhere_are_the_same_rows(monkeypatch):
    content = b'patient_id,note\r\n01,"two\r\nlines"\r02,plain\n\n\r\n03,"a\nb"\n'
    whole = text.read(content, "notes")
    assert whole["_line"].tolist() == [2, 4, 7]
    for part in range(1, len(content)):
        monkeypatch.setattr(text, "PART", part)
        pd.testing.assert_frame_equal(text.read(content, "notes"), whole)


def test_a_large_cohort_is_read_in_blocks(monkeypatch):
    blocks = []
    look = survey.cleaning.look
    monkeypatch.setattr(survey, "LARGE", 1000)
    monkeypatch.setattr(survey, "ROWS", 40)
    monkeypatch.setattr(survey.cleaning, "look", lambda *given: blocks.append(given) or look(*given))
    assert check.check("freireich1963").verdict == "ready with questions"
    assert len(blocks) == 3


def test_the_first_patients_are_named_and_the_others_counted():
    rows = pd.DataFrame({"line": range(2, 9), "value": "", "patient": [*"ABCDEF", ""]})
    found = findings.Finding("no_disposition", "disposition", "patient_id", "{count}: {who}{more}", rows)
    assert findings.problem(found).what == "7: A, B, C, D, E and 2 more"
