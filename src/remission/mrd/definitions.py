"""The written definitions of the MRD analysis, with the numbers that a cohort sets."""

from __future__ import annotations

from typing import Any

from remission.adam.admrd import rules
from remission.adam.molecular import DEPTHS
from remission.study import Study


def definitions(study: Study) -> str:
    """The written definitions that this cohort's MRD analysis follows.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        Markdown list, with the numbers of `[mrd]` in study.toml or their defaults.

    Examples
    --------
    >>> from remission.study import Study
    >>> print(definitions(Study("demo", "own", "", "", ())).splitlines()[4])
    - **sample of a day**: marrow before blood, then more ABL1 copies
    """
    rule = rules(study)
    made = _samples(rule) | _markers(rule) | _course(rule)
    return "\n".join(f"- **{notion}**: {words}" for notion, words in made.items())


def _samples(rule: dict[str, Any]) -> dict[str, str]:
    few, failed = f"{rule['insufficient_abl']:,}", f"{rule['failure_ratio']:g}%"
    first, last = rule["baseline_window_days"]
    return {
        "level": "100 x BCR::ABL1 / ABL1 in %, as log10; below the detection limit it is censored there, never zero",
        "detection limit": "as reported, or 100 / ABL1 copies where that is higher or none was reported",
        "positive, not quantifiable": _between(rule["quantifiable_log10"]),
        "insufficient sample": f"ABL1 below {few} copies and negative: says nothing, left out; a positive sample stays "
                               "positive",
        "sample of a day": "marrow before blood, then more ABL1 copies",
        "scale": _scale(rule["international_scale_factor"]),
        "reduction": f"log10 of the level at diagnosis over the level now; at diagnosis is the last quantified sample "
                     f"between days {first} and {last} of diagnosis, before remission, of the same source where there "
                     "is one; for a negative sample it is at least the reduction to its limit, for one that is "
                     "positive but not quantifiable at most that",
        "depth": _depth(rule),
        "category": f"complete is negative with a detection limit of at most {rule['negative_lod']:g}%; failure is "
                    f"quantified at {failed} or more; intermediate is anything else: quantified below {failed}, "
                    "positive but not quantifiable, or negative and not sensitive enough",
    }


def _between(wide: float) -> str:
    if wide > 0:
        return (f"known to be positive; its level lies between the detection limit and {wide:g} log10 above it, where "
                "quantification starts")
    return "known to be positive; where quantification starts is not recorded, so it enters at its detection limit"


def _scale(factors: dict[str, float]) -> str:
    local = "every ratio is as its laboratory measured it"
    if not factors:
        return f"no laboratory's conversion factor is declared: {local}; p190 has no international scale in any case"
    each = ", ".join(f"{name} x {value:g}" for name, value in sorted(factors.items()))
    return (f"p210 ratios and limits are converted to the International Scale ({each}); p190, both transcripts "
            "together, an unknown transcript and other laboratories stay as measured")


def _depth(rule: dict[str, Any]) -> str:
    ratios, copies = rule["depth_ratio"], rule["depth_abl"]
    each = [f"{level} at or below {ratios[level]:g}%"
            + (f" with at least {copies[level]:,} ABL1 copies" if level in copies else "")
            for level in DEPTHS if level in ratios]
    return ("; ".join(each) + "; a negative sample counts by its detection limit and its copies, one that is positive "
            "but not quantifiable never as deeper than MMR, and one too insensitive to tell is unknown")


def _markers(rule: dict[str, Any]) -> dict[str, str]:
    first, last = rule["start_window_days"]
    return {
        "early response": f"a sample at or below {rule['response_ratio']:g}% within "
                          f"{rule['response_window_days']} days of diagnosis and not after the origin",
        "ever negative": f"a negative sample with a detection limit of at most {rule['negative_lod']:g}%, after "
                         "diagnosis and not after the origin",
        "level at start": f"the sample closest to day 0 between days {first} and {last}",
        "mutation": "a kinase-domain variant found up to the origin; analysed and not found is none, not analysed is "
                    "unknown",
    }


def _course(rule: dict[str, Any]) -> dict[str, str]:
    days, step = rule["prolonged_days"], f"{rule['rise_log10']:g} log10"
    months = ", ".join(f"{month:g}" for month in rule["landmarks"])
    chosen = {"two positive": "the first", "rise": "the second"}[rule["molecular_relapse"]]
    return {
        "state over time": "from the day after a sample to the day of the next the patient is in the state of that "
                           "sample; before the first sample in remission the state is unknown",
        "landmarks": f"{months} months after the origin; the last sample up to the landmark tells the state, unless "
                     f"it is more than {rule['landmark_age_days']} days old",
        "prolonged positivity": f"at least {rule['prolonged_samples']} consecutive positive samples under maintenance "
                                f"over at least {days} days, with no relapse during them nor within {days} days after "
                                "the last",
        "molecular rise": f"a quantified sample at least {step} above the lowest earlier level since day "
                          f"{rule['start_window_days'][0]}",
        "molecular relapse": f"after a complete sample, either two consecutive positive samples, or a quantified "
                             f"sample at {rule['failure_ratio']:g}% or more and at least {step} above the lowest "
                             f"level since that complete sample; the study rests on {chosen} and both are shown",
    }
