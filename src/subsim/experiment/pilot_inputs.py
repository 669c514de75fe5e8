"""What the design of a pilot starts from: the belief about the lift, who gives the touch, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from subsim import units
from subsim.errors import InputError
from subsim.experiment.needed_effect import believed_cell
from subsim.experiment.parameters import Learned
from subsim.experiment.preposterior import Belief
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario

LIFT: Final = "work.lift"
MONTHS_A_YEAR: Final = 12
#: Numbers that decide how clearly health scores show a lift; a posterior's medians stand in for the catalogue's.
OF_THE_COMPANY: Final = ("engagement.drift", "engagement.noise")


def check(base: Scenario, accounts: Sequence[int], months: Sequence[int], repeats: int) -> None:
    """Refuse sizes and lengths that cannot be."""
    last = base.horizon_months - 1
    for what, values, low, high in (
        ("accounts", accounts, 20, 100_000),
        ("months", months, 1, last),
        ("repeats", [repeats], 1, 1_000),
    ):
        wrong = [value for value in values if not low <= value <= high]
        if wrong or not values:
            found = str(wrong[0]) if wrong else "none"
            raise InputError(where=what, found=found, allowed=f"{low} to {high}")


def tier(base: Scenario, touch: str, every: str, tier: str | None) -> str:
    """The tier whose people give the touch, more often to the treated than now."""
    often = units.days(every, where="every")
    giving = {name: one.touches[touch] for name, one in base.tiers.items() if touch in one.touches and one.team}
    if not giving:
        raise InputError(where="touch", found=repr(touch), allowed="a touch in the calendar of a tier with people")
    if tier is not None and tier not in giving:
        raise InputError(where="tier", found=repr(tier), allowed=", ".join(giving))
    rarer = [name for name, now in giving.items() if now > often and tier in (None, name)]
    if not rarer:
        now = units.days_text(giving[tier] if tier else max(giving.values()))
        raise InputError(where="every", found=every, allowed=f"more often than now, every {now}")
    return rarer[0]


def belief(base: Scenario, touch: str, posterior: Learned | None) -> Belief:
    """What is believed about the lift: a posterior's draws, or the scenario's own prior."""
    cell = believed_cell(base, LIFT, {"work": touch})
    learned = None if posterior is None or cell is None or cell.decided else posterior.values(LIFT, (touch,))
    if learned is not None:
        belief = Belief(float(learned.mean()), float(learned.std()))
    elif cell is None or cell.prior.family not in ("normal", "fixed"):
        raise InputError(where=f"{LIFT} of {touch}", found="no normal belief", allowed="a mean and a spread")
    else:
        belief = Belief(cell.value, cell.prior.sd + cell.prior.sd_share * abs(cell.value))
    if belief.sd <= 0:
        do = "declare it under effects: with its uncertainty"
        raise InputError(where=f"{LIFT} of {touch}", found="taken as known", allowed="a belief with a spread", do=do)
    return belief


def numbers(posterior: Learned | None) -> dict[str | tuple[str, str], float]:
    """Numbers of the company in place of the catalogue's."""
    values = {} if posterior is None else {name: posterior.values(name, ()) for name in OF_THE_COMPANY}
    return {name: float(np.median(draws)) for name, draws in values.items() if draws is not None}


def cost_of_a_month(base: Scenario, tier: str, touch: str, every: str) -> float:
    """Cost of the extra touches of one treated account in a month, at the serving team's loaded cost of an hour."""
    one = base.tiers[tier]
    team = base.teams[str(one.team)]
    month = 365.25 / MONTHS_A_YEAR
    extra = month / units.days(every, where="every") - month / one.touches[touch]
    own = base.work[touch].hours if touch in base.work else None
    hours = parameter("work.hours").value_for(touch) if own is None else own
    seat = parameter("seat.cost").value if team.cost is None else team.cost / 100
    available = parameter("seat.effective_hours").value if team.effective_hours is None else team.effective_hours
    return extra * hours * seat / available
