"""Published cohorts of real patients, laid out as raw tables: values move between tables, none is changed."""

from __future__ import annotations

import sys

import pandas as pd

from remission import paths

#: Wassmann et al., Leukemia 2003, article 2403093, Table 2, cell by cell; months from the start of imatinib, "+" is
#: ongoing at the last report. Doses are not printed patient by patient, so there is no dosing table.
_WASSMANN = pd.DataFrame(
    [("1", "MRD positive", "3.4", "21.4+", "", "", "18+", "", "21.4+", "haematologic CR, MRD declining"),
     ("2", "MRD positive", "4.8", "20.81+", "", "", "16+", "", "20.8+", "haematologic CR, MRD negative"),
     ("3", "MRD positive", "3.5", "9", "CNS", "intrathecal; CNS irradiation; imatinib + IFN", "17+", "4", "20.5+",
      "haematologic CR, MRD negative"),
     ("4", "MRD positive", "3.8", "6.4", "CNS", "intrathecal; CNS irradiation; imatinib + IFN", "15.3+", "2", "19.1+",
      "marrow CR, MRD negative"),
     ("5", "MRD positive", "4", "5", "BM", "6-MP; MTX; imatinib", "1", "", "10.5", "dead"),
     ("6", "refractory first relapse, imatinib failure", "0.5", "5.4", "BM",
      "second autologous SCT; unrelated-donor SCT", "5", "",
      "14.3", "dead")],
    columns=["patient", "disease_status_at_ifn", "imatinib_to_ifn_months", "dfs", "site", "relapse_therapy",
             "combination", "interrupted_weeks", "os", "outcome"])

#: What the follow-up text of the ALL data says, as status at last contact; the first pattern that occurs decides.
FOLLOW_UP = (("REL", "alive after relapse"), ("DEATH IN CR", "died in remission"), ("CCR", "alive in remission"))
#: Where follow-up is blank, what the response to induction says.
RESPONSE = (("DEATH IN CR", "died in remission"), ("DEATH IN INDUCTION", "never in remission"),
            ("REF", "never in remission"))


def freireich1963() -> dict[str, pd.DataFrame]:
    """Forty-two children in remission, 6-mercaptopurine or placebo; weeks from randomisation.

    Returns
    -------
    dict of DataFrame
        Raw tables by name, all text.

    References
    ----------
    Freireich EJ, Gehan E, Frei E, et al. Blood 1963;21(6):699-716; as in `lifelines.datasets.load_leukemia`.

    Examples
    --------
    >>> freireich1963()["patients"].groupby("arm").size().to_dict()
    {'6-MP': 21, 'placebo': 21}
    """
    from lifelines.datasets import load_leukemia

    given = load_leukemia()
    patient = pd.Series([f"F{number:02d}" for number in range(1, len(given) + 1)])
    weeks, relapsed = given["t"].astype(str), given["status"].eq(1)
    return {
        "patients": _text(patient_id=patient, arm=given["Rx"].map({0: "6-MP", 1: "placebo"}),
                          sex=given["sex"].map({0: "F", 1: "M"}), log_wbc=given["logWBC"].map("{:.2f}".format)),
        "remission_events": _relapses(patient, weeks, relapsed),
        "disposition": _text(patient_id=patient, last_contact_day=weeks,
                             status=relapsed.map({True: "alive after relapse", False: "alive in remission"})),
    }


def wassmann2003() -> dict[str, pd.DataFrame]:
    """Six patients with Ph+ALL on imatinib and interferon-alpha; months from the start of imatinib.

    Returns
    -------
    dict of DataFrame
        Raw tables by name, all text.

    References
    ----------
    Wassmann and others. Leukemia 2003, article 2403093, Table 2.

    Examples
    --------
    >>> wassmann2003()["remission_events"]["day"].tolist()
    ['9', '6.4', '5', '5.4']
    """
    given = _WASSMANN
    patient = "W" + given["patient"]
    relapsed, dead = ~given["dfs"].str.endswith("+"), given["outcome"].eq("dead")
    os_months = given["os"].str.rstrip("+")
    therapy = pd.DataFrame({"patient_id": patient, "day": "", "procedure": given["relapse_therapy"].str.split("; ")})
    therapy = therapy.explode("procedure")
    therapy["detail"] = therapy["procedure"].str.extract(r"^(.*) SCT$", expand=False).fillna("")
    therapy["procedure"] = therapy["procedure"].str.replace(r".* SCT$", "SCT", regex=True)
    status = relapsed.map({True: " after relapse", False: " in remission"})
    return {
        "patients": _text(
            patient_id=patient, arm="IM+IFN", disease_status_at_ifn=given["disease_status_at_ifn"],
            imatinib_to_ifn_months=given["imatinib_to_ifn_months"],
            combination_months=given["combination"].str.rstrip("+"),
            combination_ongoing=given["combination"].str.endswith("+").map({True: "Y", False: "N"}),
            combination_interrupted_weeks=given["interrupted_weeks"], relapse_therapy=given["relapse_therapy"],
            printed_dfs_months=given["dfs"], printed_os_months=given["os"], outcome=given["outcome"]),
        "remission_events": _relapses(patient, given["dfs"], relapsed, site=given["site"]),
        "disposition": _text(patient_id=patient, last_contact_day=os_months,
                             status=dead.map({True: "died", False: "alive"}) + status,
                             death_day=os_months.where(dead, "")),
        "procedures": therapy[therapy["procedure"].isin(["intrathecal", "CNS irradiation", "SCT"])]
        .reset_index(drop=True),
    }


def chiaretti2004() -> dict[str, pd.DataFrame]:
    """128 patients with ALL, grouped by BCR/ABL; dates as recorded, defects included.

    The text of each cell stays as it stands in `source/bioc_ALL_phenotype.csv`; `NA` becomes a blank cell. Group,
    status, relapse and transplant are read off the columns that state them (`FOLLOW_UP`, `RESPONSE`). The date last
    seen dates the follow-up entry: it is also the day of the relapse, or of the death, that the entry reports.

    Returns
    -------
    dict of DataFrame
        Raw tables by name, all text.

    References
    ----------
    Chiaretti S, et al. Blood 2004;103(7):2771-2778, and Clin Cancer Res 2005;11(20):7209-7219; phenotype data of the
    Bioconductor package ALL 1.40.0.

    Examples
    --------
    >>> chiaretti2004()["patients"]["arm"].value_counts().to_dict()
    {'other': 91, 'BCR/ABL': 37}
    """
    source = paths.raw("chiaretti2004") / "source" / "bioc_ALL_phenotype.csv"
    given = pd.read_csv(source, dtype=str, keep_default_na=False).replace("NA", "")
    follow_up, seen = given["f.u"], given["date last seen"]
    status = _first_match(follow_up, FOLLOW_UP)
    status = status.where(follow_up != "", _first_match(given["CR"], RESPONSE)).fillna("unknown")
    relapsed, died = follow_up.str.contains("REL"), follow_up.str.contains("DEATH IN CR")
    kind = follow_up.str.extract(r"^(AUBMT|BMT|MUD)\b", expand=False)
    return {
        "patients": _text(
            patient_id=given["cod"], arm=given["mol.biol"].eq("BCR/ABL").map({True: "BCR/ABL", False: "other"}),
            sex=given["sex"], age=given["age"], diagnosis_date=given["diagnosis"], cr_date=given["date.cr"],
            transcript=given["fusion protein"], mol_biol=given["mol.biol"], bt=given["BT"],
            remission=given["remission"], cr=given["CR"], t_4_11=given["t(4;11)"], t_9_22=given["t(9;22)"],
            cyto_normal=given["cyto.normal"], citog=given["citog"], mdr=given["mdr"], kinet=given["kinet"],
            ccr=given["ccr"], relapse=given["relapse"], transplant=given["transplant"]),
        "remission_events": _text(patient_id=given["cod"], date=seen, event="relapse",
                                  site=follow_up.str.extract(r"REL / (\w+)$", expand=False).fillna(""))[relapsed]
        .reset_index(drop=True),
        "disposition": _text(patient_id=given["cod"], last_contact=seen, status=status,
                             death_date=seen.where(died, ""), follow_up=follow_up),
        "procedures": _text(patient_id=given["cod"], date="", procedure="SCT", detail=kind)[kind.notna()]
        .reset_index(drop=True),
    }


def scrucca_bmt() -> dict[str, pd.DataFrame]:
    """Thirty-five transplanted patients with acute leukaemia, relapse against transplant-related death; months.

    Returns
    -------
    dict of DataFrame
        Raw tables by name, all text.

    References
    ----------
    Scrucca L, Santucci A, Aversa F. Bone Marrow Transplant 2007;40:381-387; as in `sksurv.datasets.load_bmt`.

    Examples
    --------
    >>> scrucca_bmt()["disposition"]["status"].value_counts().to_dict()
    {'alive after relapse': 15, 'alive in remission': 11, 'died in remission': 9}
    """
    from sksurv.datasets import load_bmt

    disease, outcome = load_bmt()
    patient = pd.Series([f"S{number:02d}" for number in range(1, len(disease) + 1)])
    months, code = pd.Series(outcome["ftime"]).map("{:g}".format), pd.Series(outcome["status"])
    return {
        "patients": _text(patient_id=patient,
                          arm=disease["dis"].astype(str).map({"0": "ALL", "1": "AML"}).to_numpy()),
        "remission_events": _relapses(patient, months, code.eq(2)),
        "disposition": _text(
            patient_id=patient, last_contact_day=months, death_day=months.where(code.eq(1), ""),
            status=code.map({0: "alive in remission", 1: "died in remission", 2: "alive after relapse"}),
            cause_of_death=code.map({1: "transplant-related"}).fillna("")),
        "procedures": _text(patient_id=patient, day="0", procedure="SCT"),
    }


COHORTS = {made.__name__: made for made in (freireich1963, wassmann2003, chiaretti2004, scrucca_bmt)}


def write(cohort: str) -> list[str]:
    """Write a published cohort's raw tables, each whole or not at all.

    Parameters
    ----------
    cohort : str
        A key of `COHORTS`.

    Returns
    -------
    list of str
        One line a table: path and row count.

    Raises
    ------
    KeyError
        When the cohort is none of these.
    """
    said = []
    for name, table in COHORTS[cohort]().items():
        path = paths.raw(cohort) / f"{name}.csv"
        with paths.atomic(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")
        said.append(f"{paths.shown(path)}: {len(table)} rows")
    return said


def _text(**columns: pd.Series | str) -> pd.DataFrame:
    return pd.DataFrame(columns).astype(object)


def _relapses(patient: pd.Series, day: pd.Series, relapsed: pd.Series, site: pd.Series | str = "") -> pd.DataFrame:
    whole = _text(patient_id=patient, day=day, event="relapse", site=site)
    return whole[relapsed].reset_index(drop=True)


def _first_match(text: pd.Series, patterns: tuple[tuple[str, str], ...]) -> pd.Series:
    found = pd.Series(pd.NA, index=text.index, dtype=object)
    for pattern, status in patterns:
        found = found.mask(found.isna() & text.str.contains(pattern, regex=False), status)
    return found


def _main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COHORTS:
        print(f"usage: python -m remission.published {{{','.join(COHORTS)}}}", file=sys.stderr)
        return 2
    print(*write(arguments[0]), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(_main(sys.argv[1:]))
