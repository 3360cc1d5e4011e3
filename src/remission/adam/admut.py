"""Kinase-domain analyses, one row each: what was looked for, on which day, and what was found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remission import schema


def derive_admut(tables: dict[str, pd.DataFrame], adsl: pd.DataFrame) -> pd.DataFrame:
    """Derive the mutation table.

    Parameters
    ----------
    tables : dict of DataFrame
        Clean tables; `mutations` is used, with `variant` as one letter, position, one letter, or `none`.
    adsl : DataFrame
        Subject level.

    Returns
    -------
    DataFrame
        Table `admut`. An analysis without a day stays, with no day and no period: that it was made is known.

    Examples
    --------
    >>> derive_admut({}, schema.empty(schema.ANALYSIS["adsl"])).empty
    True
    """
    table = schema.ANALYSIS["admut"]
    if "mutations" not in tables or tables["mutations"].empty:
        return schema.empty(table)
    found = tables["mutations"].rename(columns={"patient_id": "USUBJID"}).reset_index(drop=True)
    rows = len(found)
    found = found.merge(adsl[["STUDYID", "USUBJID", "TRT01A", "RELDY"]], on="USUBJID", how="inner",
                        validate="many_to_one")
    assert len(found) <= rows
    after = (found["day"] > found["RELDY"]).fillna(False).astype(bool)
    period = pd.Series("MAINTENANCE", found.index).mask((found["day"] < 0).fillna(False), "FRONTLINE")
    made = pd.DataFrame({
        "STUDYID": found["STUDYID"], "USUBJID": found["USUBJID"], "TRT01A": found["TRT01A"],
        "ADY": found["day"].astype("Int64"),
        "PERIOD": period.mask(after, "POSTRELAPSE").where(found["day"].notna(), None),
        "METHOD": found.get("method"), "VARIANT": found["variant"],
        "AF": found["allele_fraction"].astype(float) if "allele_fraction" in found else np.nan,
    })
    return schema.conform(made, table)
