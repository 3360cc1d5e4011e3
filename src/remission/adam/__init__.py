"""Analysis tables from clean tables: one module a table, one verb a module."""

from __future__ import annotations

import pandas as pd

from remission.adam.adae import derive_adae
from remission.adam.adex import derive_adex, derive_adexst, derive_adexwk
from remission.adam.adlb import derive_adlb
from remission.adam.admk import derive_admk
from remission.adam.admrd import derive_admrd
from remission.adam.admut import derive_admut
from remission.adam.adsl import derive_adsl
from remission.adam.adtte import derive_adtte
from remission.adam.adtv import derive_adtv
from remission.study import Study


def derive_all(tables: dict[str, pd.DataFrame], study: Study) -> dict[str, pd.DataFrame]:
    """Derive every analysis table that the cohort's clean tables allow.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables by name, from `cleaning.clean`.
    study : Study

    Returns
    -------
    dict of DataFrame
        Analysis tables by name, in the order in which they build on one another; absent ones are left out.
    """
    adsl = derive_adsl(tables, study)
    made = {"adsl": adsl, "adtte": derive_adtte(adsl, study)}
    if "dosing" in tables:
        made["adex"] = derive_adex(tables, adsl, study)
        made["adexwk"] = derive_adexwk(tables, adsl, study)
        made["adexst"] = derive_adexst(tables, adsl, study)
    if "adverse_events" in tables:
        made["adae"] = derive_adae(tables, adsl)
    if "laboratory" in tables:
        made["adlb"] = derive_adlb(tables, adsl, study)
    if "mrd" in tables:
        made["admrd"] = derive_admrd(tables, adsl, study)
        made["adtv"] = derive_adtv(made["admrd"], adsl)
    if "mutations" in tables:
        made["admut"] = derive_admut(tables, adsl)
    if {"mrd", "mutations", "chemotherapy_cycles"} & tables.keys():
        made["admk"] = derive_admk(tables, adsl, made.get("admrd"), study)
    return made
