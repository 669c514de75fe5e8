"""A pilot's design in words: what the decision turns on, which pilot is worth it, and what that rests on."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any

import numpy as np

from subsim.experiment.contrast import GROSS_MARGIN, GROSS_MARGIN_SOURCE
from subsim.report.words import capital, chance, money, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.pilot_design import PilotDesign


def paragraphs(design: PilotDesign) -> str:
    """What it turns on, which pilot, what it rests on."""
    return "\n\n".join([_turns_on(design), _pilot(design), _rests_on(design)])


def _turns_on(design: PilotDesign) -> str:
    belief, even = design.belief, design.break_even
    mean = float(design.gain.at(np.array(belief.mean), belief.sd**2))
    chosen = "would be chosen" if mean > 0 else "would not be chosen"
    needed = "no lift that is believed possible makes it even" if even is None else f"it breaks even at {even:.2f}"
    return (
        f"**{capital(plain(design.plan))} against {plain(design.base)}** turns on the lift of a {plain(design.touch)}, "
        f"believed to be {belief.mean:.2f} (standard deviation {belief.sd:.2f}). On this belief its mean net value in "
        f"{design.horizon_months} months is {money(mean, design.currency, sign=True)}, so it {chosen}; {needed}, and "
        f"it pays with probability {chance(design.gain.p_positive(belief))}. Knowing the lift exactly, today, would be "
        f"worth {money(design.evppi, design.currency)}."
    )


def _pilot(design: PilotDesign) -> str:
    if design.smallest is None:
        worth, cost, delay, _ = _amounts(design, design.best)
        teaches = "would teach nothing" if isinf(design.best["error"]) else f"would be worth {worth}"
        return (
            f"**No pilot of those tried is worth its cost: decide now.** The least bad, {_named(design.best)}, "
            f"{teaches} and cost {cost}, with {delay} lost by waiting."
        )
    one = design.smallest
    worth, cost, delay, net = _amounts(design, one)
    learns = "" if one["p_learns"] == 1 else f", if it teaches anything (chance {chance(one['p_learns'])})"
    more = ""
    if one.name != design.best.name:
        more = f" The best of those tried is {_named(design.best)}: net {_amounts(design, design.best)[-1]}."
    return (
        f"**The smallest pilot worth its cost: {_named(one)}.** It would know the lift with a standard error of "
        f"{one['error']:.2f}{learns}, and change the decision with probability {chance(one['p_changes'])}. Its "
        f"information is worth {worth}; the extra touches cost {cost} and waiting {delay}: net {net}.{more}"
    )


def _amounts(design: PilotDesign, row: Any) -> list[str]:
    return [money(row[name], design.currency) for name in ("evsi", "pilot_cost", "delay_cost", "net_benefit")]


def _named(row: Any) -> str:
    return f"{row['accounts']:.0f} accounts, half of them treated, for {row['months']:.0f} months"


def _rests_on(design: PilotDesign) -> str:
    rows = design.trials.table
    return (
        f"Values are means over simulated futures of net value: {percent(GROSS_MARGIN)} gross margin on ARR less cost "
        f"of customer success ({GROSS_MARGIN_SOURCE}), as a quadratic in the lift through {len(design.gains)} values "
        f"of it. Errors come from {len(rows)} simulated pilots in companies like the demo company, "
        f"{int(rows['learned'].sum())} of which taught something, read by the estimator that calibration uses; between "
        "sizes they follow the square root of the number of accounts. While a pilot runs the plan waits, and what the "
        "treated half gains meanwhile is not counted. The belief is normal."
    )
