"""Every statistic against R: the numbers of data/r_reference.json, made by data/r_reference.R.

A closed form has to agree to 1e-9 relative, and so has whatever is fitted here, since both sides go on to the last
digits; peers' fits have to agree to 1e-6, numbers drawn at random within four standard errors. `python tests/parity.py`
prints the table.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import parity
import pytest

GROUPS = defaultdict(list)
for engine, fact in parity.PAIRS:
    GROUPS[fact.data, engine, fact.analysis].append(fact)


@pytest.mark.parametrize(("engine", "facts"), [
    pytest.param(engine, facts, id=f"{data}-{engine}-{analysis}")
    for (data, engine, analysis), facts in GROUPS.items()])
def test_equals_r(engine, facts, record_property):
    lines = [parity.compare(engine, fact) for fact in facts]
    record_property("parity", (engine, [(line.difference, line.allowed) for line in lines]))
    differ = [line for line in lines if not line.agrees]
    assert not differ, "\n".join([parity.table(differ), *(line.fact.call for line in differ)])


class TestTable:
    def test_it_is_long_enough_to_mean_something(self):
        ours = [fact for engine, fact in parity.PAIRS if engine.startswith("remission")]
        assert sum(not math.isnan(fact.value) for fact in ours) >= 1900

    def test_every_number_of_r_is_asked_of_ours(self):
        asked = {fact for engine, fact in parity.PAIRS if engine.startswith("remission")}
        rest = [fact for fact in parity.FACTS if fact not in asked]
        breslow = [fact for fact in rest if "breslow" in fact.analysis]  # for two peers that have no other ties
        variance = [fact for fact in rest if fact.statistic == "variance"]  # under left truncation; chi2 and score tell
        assert (len(variance), len(rest)) == (5, len(breslow) + 5)

    def test_every_data_set_has_every_statistic_that_it_can_have(self):
        sets = {"aml", "drug6mp", "km_bmt", "sksurv_bmt", "bioc_all", "exemplar", "exemplar_os", "monotone"}
        everywhere = {"km", "logrank", "gehan", "fh10", "fh01", "fh11", "cox", "cox_profile", "firth", "rmst",
                      "rmst_difference", "milestone", "followup", "concordance", "permutation_drawn"}
        found = {(fact.data, fact.analysis) for fact in parity.FACTS}
        assert {(data, analysis) for data in sets for analysis in everywhere} <= found
        assert {data for data, analysis in found if analysis == "cif1"} == {"km_bmt", "sksurv_bmt", "exemplar"}

    def test_every_engine_is_there(self):
        count = Counter(engine for engine, _ in parity.PAIRS)
        assert set(count) == {"remission", "remission.batch", "lifelines", "scikit-survival", "comprisk", "firthmodels"}
        assert min(count.values()) >= 30

    def test_it_prints(self):
        lines = [parity.compare(engine, fact) for engine, fact in parity.PAIRS
                 if (fact.data, fact.analysis) == ("aml", "logrank")]
        assert "aml         Maintained    logrank                    chi2" in parity.table(lines)
        assert "lifelines       logrank                           2        0" in parity.summary(lines)
        assert "lifelines: 8 left out, the curve rests on the level" in parity.left_out()
