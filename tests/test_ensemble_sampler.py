"""The sampler: laws add up to 1, moves keep a distribution, chains end in the prior, draws agree with every claim."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from remission.ensemble import abstract, moves, priors, sample, walk
from remission.ensemble.abstract import COUNTS, Quantity
from remission.ensemble.cohorts import DEATH, ONGOING, RELAPSE, Cohorts, Layout, endpoint
from remission.ensemble.quantities import grouped, value
from remission.estimators import comparisons, curves, models, restricted

FAMILIES = list(priors.FAMILIES)
WHOLE = priors.Parts(True, True, True, True, True)


def cohorts_of(states, chains):
    """Cohorts with one patient a state, the same in every chain."""
    made = Cohorts(*(np.broadcast_to(np.array(part), (chains, len(states))) for part in zip(*states, strict=True)))
    return made._replace(dead=made.dead.astype(bool), time=made.time.astype(np.int32))


def patients(parts, horizon):
    """Everything that one patient can be, in whole grains; treatment, which is no whole number, goes on to the end."""
    return list(itertools.product(
        range(horizon), range(3 if parts.deaths else 2), range(horizon if parts.diagnosis else 1),
        range(horizon if parts.survival else 1), (0, 1) if parts.survival else (0,), (1.0,),
        (0, 1) if parts.group else (0,)))


class TestLaws:
    X = np.linspace(0.002, 0.999, 40)[None]

    def z(self, seed=0):
        return np.random.default_rng(seed).standard_normal((1, priors.WIDTH))

    def of(self, family, z):
        return np.exp(priors.relapse_survival(family, priors.split(z)["relapse"], self.X))[0]

    def test_weibull_is_scipys(self):
        z = self.z()
        law = stats.weibull_min(np.exp(0.5 * z[0, 1]), scale=0.3 * np.exp(1.2 * z[0, 0]))
        np.testing.assert_allclose(self.of("weibull", z), law.sf(self.X[0]), rtol=1e-12)

    def test_cure_is_a_mixture_with_scipys_weibull(self):
        z = self.z(1)
        law, cured = stats.weibull_min(np.exp(0.4 * z[0, 2]), scale=0.15 * np.exp(z[0, 1])), stats.norm.cdf(z[0, 0])
        np.testing.assert_allclose(self.of("cure", z), cured + (1 - cured) * law.sf(self.X[0]), rtol=1e-12)

    def test_uniform_is_scipys(self):
        z = self.z(2)
        share = stats.norm.cdf(-z[0, 0])
        np.testing.assert_allclose(self.of("uniform", z), 1 - share * stats.uniform.cdf(self.X[0]), rtol=1e-12)

    def test_piecewise_is_the_integral_of_its_hazard(self):
        z = self.z(3)
        levels = 2 * np.exp(z[0, 0] + 0.8 * z[0, 1:6])

        def hazard(x):
            return levels[np.searchsorted(priors.CUTS, x, side="right") - 1]

        for x, found in zip(self.X[0][::8], self.of("piecewise", z)[::8], strict=True):
            area = integrate.quad(hazard, 0, x, points=[cut for cut in priors.CUTS if 0 < cut < x] or None)[0]
            assert found == pytest.approx(np.exp(-area), rel=1e-9)

    def test_one_patient_is_the_product_of_scipys_laws(self):
        """Relapse in grain 3, death 5 grains later, while death in remission and the end of follow-up stay away."""
        horizon, z = 50, self.z(4)
        state = cohorts_of([(3, RELAPSE, 6, 5, True, 1.0, 1)], 1)
        found = priors.log_density(np.array([0]), z, state, horizon, WHOLE)[0, 0]
        law = {name: part[:, 0, 0] for name, part in priors.split(z).items()}

        def grain(distribution, t):
            return distribution.cdf((t + 1) / horizon) - distribution.cdf(t / horizon)

        relapse = stats.weibull_min(np.exp(0.5 * law["relapse"][1]), scale=0.3 * np.exp(1.2 * law["relapse"][0]))
        after = stats.weibull_min(np.exp(0.3 * law["after"][1]), scale=0.1 * np.exp(law["after"][0]))
        front = stats.lognorm(0.4 * np.exp(0.3 * law["front"][1]), scale=np.exp(0.5 * law["front"][0]) / 12)
        lived = stats.norm.sf((np.log(8 / 42) - 0.5 - law["follow_up"][0]) / np.exp(-0.5 + 0.4 * law["follow_up"][1]))
        member = 1 / (1 + np.exp(-(law["group"][0] + law["group"][1] * (np.log(3.5 / horizon) + 1.5))))
        expected = (grain(relapse, 3) * stats.expon(scale=2 * np.exp(-law["death"][0])).sf(3 / horizon) * lived
                    * grain(after, 5) * grain(front, 6) * stats.norm.cdf(law["treatment"][0]) * member)
        assert np.exp(found) == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize("parts", [priors.Parts(), priors.Parts(deaths=False), WHOLE], ids=["few", "none", "all"])
    @pytest.mark.parametrize("family", FAMILIES)
    def test_chances_add_up_to_1(self, family, parts):
        horizon, z = 6, np.random.default_rng(5).standard_normal((20, priors.WIDTH))
        found = priors.log_density(np.full(20, FAMILIES.index(family)), z, cohorts_of(patients(parts, horizon), 20),
                                   horizon, parts)
        if parts.treatment:  # only those treated to the end are listed
            found = found - stats.norm.logcdf(priors.split(z)["treatment"][0])
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-9)

    @pytest.mark.parametrize("parts", [priors.Parts(), priors.Parts(True, True, False, True, True)], ids=["few", "all"])
    @pytest.mark.parametrize("family", FAMILIES)
    def test_simulated_patients_are_as_frequent_as_scored(self, family, parts):
        horizon, z = 4, np.random.default_rng(6).standard_normal((1, priors.WIDTH)) / 2
        states = patients(parts, horizon)
        chance = np.exp(priors.log_density(np.array([FAMILIES.index(family)]), z, cohorts_of(states, 1), horizon,
                                           parts))[0]
        drawn = priors.simulate(family, np.repeat(z, 60_000, axis=0), 1, horizon, parts, np.random.default_rng(7))
        kept = [number for number, on in enumerate((True, True, parts.diagnosis, parts.survival, parts.survival, False,
                                                    parts.group)) if on]
        place = {tuple(state[number] for number in kept): row for row, state in enumerate(states)}
        seen = zip(*(drawn[number][:, 0].astype(int).tolist() for number in kept), strict=True)
        assert agrees(np.bincount([place[one] for one in seen], minlength=len(states)), chance)


def agrees(counts, chances, least=1e-4):
    """Chi-square test of counts against chances; rare states are taken together."""
    expected = counts.sum() * chances / chances.sum()
    rare = expected < 10
    seen, due = (np.append(part[~rare], part[rare].sum()) for part in (counts, expected))
    if due[-1] < 5:
        assert seen[-1] < 25
        seen, due = seen[:-1], due[:-1]
    return stats.chi2.sf(((seen - due)**2 / due).sum(), len(due) - 1) > least


class Tiny:
    """All cohorts of a report with few patients and grains, and their chances under fixed laws and the claims."""

    def __init__(self, claims, size, horizon=4, groups=False, family="weibull", arms=1, apart=0.5):
        keys = ["A", "B"][:arms]
        given = {"unit": "day", "horizon": horizon, "claims": claims,
                 "arms": [{"key": key, "patients": size, "reference": key == "B"} for key in keys]}
        if groups:
            given["groups"] = {"arm": "A", "reference": "good", "other": "poor"}
        self.ready = walk.setting(abstract.build("tiny", given))
        parts = self.ready.parts["A"]
        rng = np.random.default_rng(8)
        self.laws = {key: apart * rng.standard_normal((1, priors.WIDTH)) for key in keys}
        self.family = np.array([FAMILIES.index(family)])
        states, whole = patients(parts, horizon), size * arms
        single = cohorts_of(states, 1)
        chance = {key: priors.log_density(self.family, z, single, horizon, parts)[0] for key, z in self.laws.items()}
        self.base = len(states)
        index = np.indices((self.base,) * whole).reshape(whole, -1).T
        self.all = Cohorts(*(part[0][index] for part in single))
        weight = sum(chance[keys[column // size]][index[:, column]] for column in range(whole))
        hard = self.ready.ruler.holds(self.all, list(self.ready.hard))
        miss = self.ready.ruler.distance(self.all, list(self.ready.soft))
        self.agree = hard & (miss == 0).all(axis=1)
        self.chance = np.exp(weight - miss.sum(axis=1) / walk.TEMPER) * hard
        self.chance /= self.chance.sum()
        self.states = states

    def chains(self, rows):
        first = self.all.take(rows)
        first = Cohorts(*(part.copy() for part in first))
        laws = {key: np.repeat(z, len(rows), axis=0) for key, z in self.laws.items()}
        return walk.Chains(first, laws, np.repeat(self.family, len(rows)), np.arange(len(rows)),
                           self.ready.ruler.distance(first, list(self.ready.soft)))

    def counts(self, chains):
        number = {state: place for place, state in enumerate(self.states)}
        code = np.array([[number[one] for one in zip(*row, strict=True)] for row in zip(
            *(part.tolist() for part in chains.cohorts._replace(dead=chains.cohorts.dead.astype(int))), strict=True)])
        place = (code * self.base ** np.arange(code.shape[1])[::-1]).sum(axis=1)
        return np.bincount(place, minlength=len(self.chance))


ALWAYS = [{"id": "d", "quantity": "deaths_in_remission", "arm": "A", "interval": [0, 9]}]
LONGEST = {"id": "l", "quantity": "longest", "endpoint": "relapse", "arm": "A", "among": "all", "interval": [2, 3]}
LATE = LONGEST | {"interval": [4, 9]}
LIVES = [*ALWAYS, {"id": "s", "quantity": "longest", "endpoint": "survival_from_diagnosis", "arm": "A", "among": "all",
                   "interval": [2, 7]}]


TIMES = [*ALWAYS, LONGEST, {"id": "m", "quantity": "survival", "endpoint": "relapse", "arm": "A", "at": 1,
                            "interval": [0.6, 0.7]}]


#: Report, number of patients and horizon for every kind of move; some claims forbid half of all cohorts.
CASES = {
    **{kind: (TIMES, 3, 4) for kind in ("jitter", "pair", "leap", "swap", "code")}, "neighbours": ([LATE], 3, 7),
    "ending": ([LONGEST], 3, 4), **{kind: (LIVES, 1, 4) for kind in ("front", "after", "dead", "slide", "lag")},
    "exchange": (LIVES, 2, 3),
    "label": ([*ALWAYS, {"id": "g", "quantity": "longest", "endpoint": "relapse", "arm": "A", "group": "poor",
                         "among": "all", "interval": [1, 3]}], 2, 4)}


class TestMoves:
    """Chains that start from the target distribution are still there after some moves of one kind."""

    def after(self, kind, monkeypatch, steps=6, chains=20_000):
        claims, size, horizon = CASES[kind]
        tiny, rng = Tiny(claims, size, horizon, groups=kind == "label"), np.random.default_rng(9)
        now = tiny.chains(rng.choice(len(tiny.chance), chains, p=tiny.chance))
        before = Cohorts(*(part.copy() for part in now.cohorts))
        monkeypatch.setattr(walk, "LAWS", 0)
        monkeypatch.setattr(moves, "choice", lambda *_: moves.Choice(((kind, "A"),), np.array([1.0])))
        monkeypatch.setattr(moves, "NARROW", -0.5)  # wide steps, since the horizon has few grains
        accepted = walk.walk(tiny.ready, now, steps, rng)[kind]
        moved = any((one != two).any() for one, two in zip(before, now.cohorts, strict=True))
        return tiny, now, accepted, moved

    def test_every_kind_is_tried(self):
        assert set(CASES) | {"share"} == set(moves.MOVES)

    @pytest.mark.parametrize("kind", CASES)
    def test_a_move_keeps_the_distribution(self, kind, monkeypatch):
        tiny, now, accepted, moved = self.after(kind, monkeypatch)
        assert moved and accepted > 0.02
        assert agrees(tiny.counts(now), tiny.chance)

    def test_a_one_sided_move_is_caught(self, monkeypatch):
        fair = moves.propose

        def propose(kind, part, cohorts, horizon, rng):
            move = fair(kind, part, cohorts, horizon, rng)
            return move._replace(fields={"time": np.maximum(move.fields["time"], 1)})

        monkeypatch.setattr(moves, "propose", propose)
        tiny, now, _, _ = self.after("leap", monkeypatch)
        assert not agrees(tiny.counts(now), tiny.chance)

    def test_treatment_keeps_its_atom_and_its_even_part(self, monkeypatch):
        claims = [{"id": "t", "quantity": "longest", "endpoint": "treatment", "arm": "A", "among": "all",
                   "interval": [0, 9]}]
        ready = walk.setting(abstract.build("t", {"unit": "day", "horizon": 10, "claims": claims,
                                                  "arms": [{"key": "A", "patients": 1}]}))
        rng, z = np.random.default_rng(10), np.zeros((20_000, priors.WIDTH))
        z[:, priors.WIDTH - 3] = 0.5  # treatment: normal(0.5), 0.69, goes on to the end
        first = priors.simulate("weibull", np.zeros((20_000, priors.WIDTH)), 1, 10, ready.parts["A"], rng)
        chains = walk.Chains(first, {"A": z}, np.zeros(len(z), int), np.arange(len(z)), np.zeros((len(z), 0)))
        monkeypatch.setattr(walk, "LAWS", 0)
        monkeypatch.setattr(moves, "choice", lambda *_: moves.Choice((("share", "A"),), np.array([1.0])))
        walk.walk(ready, chains, 40, rng)
        share = chains.cohorts.share[:, 0]
        through = int((share == 1).sum())
        assert stats.binomtest(through, len(share), stats.norm.cdf(0.5)).pvalue > 1e-4
        assert stats.kstest(share[share < 1], "uniform").pvalue > 1e-4

    HALVES = ({"id": "h", "quantity": "survival", "endpoint": "relapse", "arm": "A", "at": 1, "interval": [0.3, 0.7]},)
    P = ({"id": "p", "quantity": "p", "endpoint": "relapse", "interval": [0.2, 0.5]},)

    @pytest.mark.parametrize(("claims", "size", "arms", "horizon", "family"), [
        ((*ALWAYS, *HALVES), 2, 1, 4, "piecewise"), (P, 2, 2, 3, "uniform")], ids=["curve", "p"])
    def test_all_moves_reach_every_cohort(self, claims, size, arms, horizon, family, monkeypatch):
        """Chains from one cohort end where the listing of all says; those that agree are the prior given the claims."""
        tiny = Tiny(list(claims), size, horizon, family=family, arms=arms, apart=0.2)
        now = tiny.chains(np.full(3000, np.flatnonzero(tiny.agree)[-1]))
        monkeypatch.setattr(walk, "LAWS", 0)
        walk.walk(tiny.ready, now, 600, np.random.default_rng(11))
        counts = tiny.counts(now)
        assert agrees(counts, tiny.chance)
        assert 0.1 < tiny.chance[tiny.agree].sum() < 0.999
        assert agrees(counts * tiny.agree, tiny.chance * tiny.agree)
        assert counts[tiny.agree].sum() == now.agree().sum()


REPORT = {"unit": "month", "horizon": 60, "groups": {"arm": "A", "reference": "good", "other": "poor"},
          "arms": [{"key": "A", "patients": 6}, {"key": "B", "patients": 4, "reference": True}]}
#: True of every cohort, so that the report has all its parts and says nothing.
EMPTY = [{"id": f"{kind}{arm}", "quantity": "longest", "endpoint": kind, "arm": arm, "among": "all",
          "interval": [0, 999]}
         for kind in ("relapse_or_death", "survival_from_diagnosis", "treatment") for arm in "AB"]


def numbers(ready, chains):
    """What is compared of chains: patients' times, outcomes and the laws' parameters."""
    made = {}
    for arm, part in ready.layout.arms.items():
        now = chains.cohorts
        for name in ("relapse", "survival_from_diagnosis", "treatment", "follow_up"):
            time, event = endpoint(now, name, part)
            made |= {f"{name} time {arm}": time.mean(axis=1), f"{name} events {arm}": event.sum(axis=1)}
        made |= {f"deaths {arm}": (now.code[:, part] == DEATH).sum(axis=1), f"label {arm}": now.label[:, part].sum(
            axis=1), f"first {arm}": now.time[:, part].min(axis=1)}
        for column in range(priors.WIDTH):
            made |= {f"z{column} {arm}": chains.laws[arm][:, column], f"z{column}^2 {arm}":
                     chains.laws[arm][:, column]**2}
    return made


def prior_chains(ready, family, size, rng):
    """Laws and cohorts drawn together, with no chain at all."""
    laws = {arm: rng.standard_normal((size, priors.WIDTH)) for arm in ready.layout.arms}
    arms = [priors.simulate(family, laws[arm], part.stop - part.start, ready.abstract.horizon, ready.parts[arm], rng)
            for arm, part in ready.layout.arms.items()]
    first = Cohorts(*(np.concatenate(parts, axis=1) for parts in zip(*arms, strict=True)))
    return walk.Chains(first, laws, np.full(size, FAMILIES.index(family)), np.arange(size),
                       ready.ruler.distance(first, list(ready.soft)))


class TestJointDistribution:
    """Geweke, JASA 2004;99:799: what a chain does to the prior must leave the prior as it is."""

    @pytest.mark.parametrize("family", FAMILIES)
    def test_laws_and_patients_together_keep_the_prior(self, family):
        ready, rng = walk.setting(abstract.build("all", REPORT | {"claims": EMPTY})), np.random.default_rng(13)
        one, two = (prior_chains(ready, family, 3000, rng) for _ in range(2))
        walk.walk(ready, two, 150, rng)
        first, second = numbers(ready, one), numbers(ready, two)
        found = [stats.ks_2samp(first[name], second[name], method="asymp").pvalue for name in first]
        assert min(found) > 1e-4 / 8

    def test_chains_from_a_search_end_in_the_prior_given_the_counts(self):
        counts = [{"id": f"r{arm}", "quantity": "relapses", "arm": arm, "printed": number}
                  for arm, number in (("A", "3"), ("B", "2"))]
        given = {key: part for key, part in REPORT.items() if key != "groups"}
        ready, rng = walk.setting(abstract.build("counts", given | {"claims": counts})), np.random.default_rng(14)
        chains = walk.start(ready, ("cure",), 3000, rng)
        walk.walk(ready, chains, sample.BURN, rng)
        plain = prior_chains(ready, "cure", 30_000, rng)
        rows = np.flatnonzero(ready.ruler.holds(plain.cohorts, [0, 1]))
        kept = walk.Chains(plain.cohorts.take(rows), {arm: z[rows] for arm, z in plain.laws.items()},
                           plain.family[rows], plain.start[rows], plain.miss[rows])
        first, second = numbers(ready, kept), numbers(ready, chains)
        told = [name for name in first if name.startswith(("relapse", "z0", "z1 ", "first"))]
        found = {name: stats.ks_2samp(first[name], second[name], method="asymp").pvalue for name in told}
        assert min(found.values()) > 1e-4, found


def measured(cohort, layout, quantity):
    """A quantity of one cohort by `remission.estimators` (lifelines, scikit-survival) and plain pandas."""
    arm = np.concatenate([[name] * (part.stop - part.start) for name, part in layout.arms.items()])
    time, event = endpoint(cohort, quantity.endpoint, slice(None))
    data = pd.DataFrame({"arm": arm, "time": time[0].astype(float), "event": event[0].astype(bool),
                         "code": cohort.code[0], "group": np.where(cohort.label[0] == 1, "other", "reference")})
    data = data[data["arm"] == quantity.arm] if quantity.arm else data
    data = data[data["group"] == quantity.group] if quantity.group else data
    reference = next(name for name, part in layout.arms.items() if not layout.arm[part].any())
    if quantity.arm:
        data, reference = data.assign(arm=data["group"]), "reference"
    kind = quantity.kind
    if kind in COUNTS:
        return (data["code"] == dict(zip(COUNTS, (RELAPSE, DEATH, ONGOING), strict=True))[kind]).sum()
    if kind == "ongoing_time":
        return data.loc[data["code"] == ONGOING, "time"].sort_values().iloc[quantity.rank - 1]
    if kind in ("shortest", "longest"):
        times = data["time"] if quantity.among == "all" else data.loc[data["event"], "time"]
        return times.min() if kind == "shortest" else times.max()
    if kind == "median":
        return curves.quantile(curves.kaplan_meier(data)).value
    if kind == "survival":
        return curves.survival_at(curves.kaplan_meier(data), quantity.at).value
    if kind == "p":
        return comparisons.logrank(data, reference).p
    if kind == "hazard_ratio":
        return models.cox(data, reference).value
    if kind == "rmst_difference":
        return restricted.rmst_difference(data, reference, quantity.at).value
    raise ValueError(kind)


class TestDraws:
    @pytest.fixture(scope="class", params=["ash2012_reconstructed", "freireich1963"])
    @classmethod
    def drawn(cls, request):
        return sample.ensemble(abstract.read(request.param), 100, 1, burn=300, apart=20)

    def test_every_draw_agrees_with_every_claim(self, drawn):
        whole, rows = drawn.ready.abstract, range(100)
        assert len(drawn.draws) == len(drawn.cohorts.time) >= 100
        for claim in whole.claims:
            quantity = grouped(claim.quantity, whole)
            found = [measured(drawn.cohorts.take([row]), drawn.ready.layout, quantity) for row in rows]
            assert all(claim.holds(one) for one in found), claim.id

    def test_columns_are_what_the_estimators_give(self, drawn):
        for target in drawn.targets:
            if target.quantity.kind in ("hazard_ratio", "p", "survival", "rmst_difference"):
                quantity = target.quantity
                found = [measured(drawn.cohorts.take([row]), drawn.ready.layout, quantity) for row in range(8)]
                np.testing.assert_allclose(drawn.draws[target.name][:8], found, rtol=1e-6)

    def test_same_seed_same_draws(self):
        report = abstract.read("freireich1963")
        one, two, other = (sample.draw(report, "cure", 20, seed, burn=60, apart=20) for seed in (3, 3, 4))
        pd.testing.assert_frame_equal(one, two)
        assert not one.equals(other)


class TestGroups:
    """Two groups of one arm, whose members differ from cohort to cohort."""

    LAYOUT = Layout({"A": slice(0, 5)}, np.array([True] * 5), False, False, False, slice(0, 5))

    def cohorts(self, labels):
        rows = len(labels)
        return Cohorts(np.broadcast_to([2, 4, 6, 8, 9], (rows, 5)), np.broadcast_to([1, 1, 0, 1, 1], (rows, 5)),
                       *(np.zeros((rows, 5), int) for _ in range(3)), np.ones((rows, 5)), np.array(labels))

    @pytest.mark.parametrize(("kind", "among"), [("median", "events"), ("shortest", "events"), ("shortest", "all"),
                                                 ("longest", "all"), ("rmst_difference", "events"), ("p", "events")])
    def test_every_cohort_has_members_of_its_own(self, kind, among):
        made = self.cohorts([[1, 1, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 1, 1]])
        quantity = Quantity(kind, "relapse", "A", "" if kind in ("rmst_difference", "p") else "other", among, at=4)
        found = value(made, self.LAYOUT, quantity)
        layout = self.LAYOUT._replace(arms={"A": slice(0, 5), "none": slice(5, 5)}, arm=self.LAYOUT.arm)
        expected = [measured(made.take([row]), layout, quantity) for row in range(3)]
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    @pytest.mark.parametrize("kind", ["median", "shortest", "longest"])
    def test_a_group_without_members_has_no_times(self, kind):
        made = self.cohorts([[0] * 5])
        assert np.isnan(value(made, self.LAYOUT, Quantity(kind, "relapse", "A", "other", "all")))[0]


class TestDiagnostics:
    def draws(self, starts, each, made):
        rows = np.arange(starts * each)
        return pd.DataFrame({"family": "cure", "start": rows % starts, "chain": rows % starts, "draw": rows // starts,
                             "x": made.T.ravel()})

    @pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
    def test_effective_number_of_an_autoregression(self, phi):
        """Variance of the mean of n terms of AR(1): (1 + 2 sum (1 - k/n) phi^k) / n of one term's."""
        starts, each = 4000, 20
        rng, now = np.random.default_rng(15), None
        terms = []
        for _ in range(each):
            shock = rng.standard_normal(starts)
            now = shock if now is None else phi * now + np.sqrt(1 - phi**2) * shock
            terms.append(now)
        found = sample.diagnostics(self.draws(starts, each, np.array(terms).T)).iloc[0]
        lags = np.arange(1, each)
        expected = starts * each / (1 + 2 * ((1 - lags / each) * phi**lags).sum())
        # The variance of 4,000 means is known to 2.2% (chi-square, 3,999 degrees of freedom); the limits are 4 of it.
        assert found["effective"] == pytest.approx(min(expected, starts * each), rel=0.09)
        assert abs(found["drift"]) < 4 * np.sqrt(2 / starts)

    def test_draws_that_equal_their_start_count_once_a_start(self):
        made = np.repeat(np.random.default_rng(16).standard_normal((50, 1)), 8, axis=1)
        found = sample.diagnostics(self.draws(50, 8, made)).iloc[0]
        assert found["effective"] == pytest.approx(50, rel=0.03)
        assert found["drift"] == 0

    def test_a_drift_is_seen_and_constants_are_left_out(self):
        made = np.random.default_rng(17).standard_normal((500, 4)) + np.arange(4)
        frame = self.draws(500, 4, made).assign(same=1.0, endless=np.inf)
        found = sample.diagnostics(frame)
        assert found["quantity"].tolist() == ["x"]
        assert found["drift"][0] == pytest.approx(3 / np.sqrt(1 + 1.25), rel=0.06)
