"""Controls that redraw a comparison at once; where nothing is live, the picture of the first choice stands in."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from IPython.display import display

from remission import show
from remission.club import comparison, drawing
from remission.club.comparison import Comparison
from remission.study import Study

#: What a front end without live controls shows instead.
STILL = "image/png"


def arms(adsl: pd.DataFrame, adtte: pd.DataFrame, study: Study) -> None:
    """Offer event rule and clock, and show the two arms under them.

    Parameters
    ----------
    adsl, adtte : DataFrame
        Analysis tables; days.
    study : Study
    """
    if not study.contrast:
        show.say("*This cohort has no two arms to compare.*")
        return
    choices = {"event": {words: key for key, words in comparison.events(adtte).items()},
               "clock": {words: key for key, words in comparison.clocks(adsl, adtte, study).items()}}
    if "competing" in choices["event"].values():
        comparison.of_arms(adsl, adtte, study, "competing")  # its library takes a second to load: now, not at a choice
    offer(choices, lambda event, clock: comparison.of_arms(adsl, adtte, study, event, clock), study)


def states(adtv: pd.DataFrame, study: Study) -> None:
    """Offer landmark, MRD threshold and arm, and show MRD positive against negative patients under them.

    Parameters
    ----------
    adtv : DataFrame
        Counting process of MRD states; days.
    study : Study
    """
    if adtv.empty:
        show.say("*This cohort records no MRD.*")
        return
    there = [arm for arm in study.arm_keys if (adtv["TRT01A"] == arm).any()]
    choices = {"landmark": comparison.landmark_days(study), "positive from": comparison.thresholds(study),
               "arm": {**{arm: arm for arm in there}, **({"all, stratified": "all"} if len(there) > 1 else {})}}
    offer(choices, lambda *chosen: comparison.of_states(adtv, study, *chosen), study)


def offer(choices: Mapping[str, Mapping[str, Any]], compare: Callable[..., Comparison], study: Study) -> None:
    """Show a menu for each choice above the comparison that they give, and say what the first choice gives.

    Parameters
    ----------
    choices : mapping
        For each menu its options: words and value. The first option is chosen at first.
    compare : callable
        From one value a menu, in order.
    study : Study

    Notes
    -----
    One output carries both the live controls and a picture of the first choice; a front end shows the richest that it
    can. The sentence stands apart, so that a check of outputs reads the numbers.
    """
    import ipywidgets  # half a second, for one notebook of eleven

    menus = [ipywidgets.Dropdown(options=list(options.items()), description=name,
                                 style={"description_width": "7em"}, layout={"width": "36em", "max_width": "98%"})
             for name, options in choices.items()]
    first, sheet = compare(*(menu.value for menu in menus)), drawing.Sheet(study)
    still = sheet.drawn(first)
    page = ipywidgets.HTML(_page(first, still))

    def redraw(_) -> None:
        now = compare(*(menu.value for menu in menus))
        page.value = _page(now, sheet.drawn(now))

    for menu in menus:
        menu.observe(redraw, names="value")
    live = ipywidgets.VBox([*menus, page])._repr_mimebundle_()
    alt = f"{study.name}: {drawing.subject(first)}. Hazard ratio {first.ratio}, {first.p}"
    display({**live, "text/plain": "controls", STILL: b64encode(still).decode()}, raw=True,
            metadata={STILL: {"alt": alt}})
    show.say(f"*At first: {', '.join(next(iter(options)) for options in choices.values())}.* {_said(first)}")


def _page(one: Comparison, png: bytes) -> str:
    """The picture as a part of a page, with its numbers as text for those who do not see it."""
    alt = html.escape(f"{drawing.subject(one)}. {_said(one)}")
    return f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{b64encode(png).decode()}">'


def _said(one: Comparison) -> str:
    if not one.groups:
        return f"{one.p[:1].upper()}{one.p[1:]}."
    groups = "; ".join(f"{group.label} {int(group.patients['event'].sum())} of {len(group.patients)} with event, "
                       f"median {group.median}" for group in one.groups)
    return f"Hazard ratio {one.ratio}, {one.p}. {groups}."
