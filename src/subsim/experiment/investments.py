"""What can be bought to bring customers to first value sooner: levers with a price, or a scenario with one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from subsim import units
from subsim.errors import InputError
from subsim.experiment.at_horizon import Floats
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario
from subsim.scenario.levers import Hire, Lever, Scale

CENTS = 100


@dataclass(frozen=True)
class Investment:
    """A change of the base and what it costs besides the people that the simulation pays: once, and every year."""

    name: str
    levers: tuple[Lever, ...] = ()
    scenario: Scenario | None = None
    one_off: float = 0.0
    """Currency units, paid once."""
    yearly: float = 0.0
    """Currency units a year, from the day of the first lever on."""

    def plan(self, base: Scenario) -> Scenario:
        """The base with the investment made.

        Raises:
            InputError: the investment is named like the base, or its scenario has other dates or another currency.
        """
        if self.name == base.name:
            raise InputError(where="investment", found=f"{self.name!r}, the base's name", allowed="another name")
        if self.scenario is None:
            return base.replace(name=self.name, levers=[*base.levers, *self.levers])
        for what in ("start", "horizon_months", "currency", "book"):
            own, its = getattr(base, what), getattr(self.scenario, what)
            if own != its:
                where = f"investment {self.name!r}"
                raise InputError(where=where, found=f"{what} {its}", allowed=f"the base's {what}, {own}")
        return self.scenario


def investment(
    name: str,
    *,
    levers: Sequence[Lever] = (),
    scenario: Scenario | None = None,
    one_off: object = 0,
    yearly: object = 0,
) -> Investment:
    """An investment in time to value: levers on the base, or a scenario of its own; costs such as `$60k`.

    Seats that a lever hires are paid in the simulation and belong in neither cost.

    Raises:
        InputError: neither or both of levers and scenario, or a cost that is no amount of money.

    >>> from subsim.scenario.levers import scale
    >>> guided = scale("onboarding.customer_delay", by=0.8, from_="2026-10-01")
    >>> investment("Guided set-up", levers=[guided], one_off="$60k").one_off
    60000.0
    """
    if bool(levers) == (scenario is not None):
        found = "both" if levers else "neither"
        raise InputError(where=f"investment {name!r}", found=found, allowed="levers or a scenario")
    once, each_year = _cost(name, "one-off cost", one_off), _cost(name, "yearly cost", yearly)
    return Investment(name, tuple(levers), scenario, once, each_year)


def _cost(name: str, what: str, value: object) -> float:
    where = f"{what} of {name!r}"
    cents = units.money_cents(value, where=where)
    if cents < 0:
        raise InputError(where=where, found=str(value), allowed="nothing or more")
    return cents / CENTS


def bought(base: Scenario, plan: Scenario) -> list[Lever]:
    """Levers of the plan that the base does not have."""
    return [lever for lever in plan.levers if lever not in base.levers]


def settled(base: Scenario, plan: Scenario) -> dt.date:
    """First day on which all that was bought is in full force: phased in, ramped up."""
    days = [lever.date + dt.timedelta(days=ceil(_takes(plan, lever))) for lever in bought(base, plan)]
    return max([base.start, *days])


def _takes(plan: Scenario, lever: Lever) -> float:
    """Days from a lever's date until it works in full."""
    if isinstance(lever, Scale):
        return lever.phase_in
    if isinstance(lever, Hire):
        own = plan.teams[lever.team].ramp if lever.ramp is None else lever.ramp
        return 2 * parameter("seat.ramp_days").value if own is None else own
    return 0.0


def own_costs(base: Scenario, each: Investment, plan: Scenario, months: int) -> Floats:
    """What the investment itself has cost by the end of each month: array [months], currency units.

    The one-off cost falls due with the first lever; the yearly one is paid month by month, from that day's month on.
    """
    first = min((lever.date for lever in bought(base, plan)), default=base.start)
    after = np.array([units.add_months(base.start, month + 1) > first for month in range(months)])
    return np.asarray(after * each.one_off + after.cumsum() * each.yearly / 12, dtype=np.float64)
