"""When to hire: the same seats one quarter later and later, what waiting costs, and by when to approve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from subsim import units
from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import GROSS_MARGIN_SOURCE, compared, horizons_of
from subsim.experiment.metrics import DECIMALS
from subsim.experiment.quantiles import STATISTICS, clean, interval, summarise
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario
from subsim.scenario.levers import hire
from subsim.staffing.response import HORIZONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MONTHS_A_QUARTER: Final = 3
METRICS: Final[dict[str, bool]] = {"arr": False, "cs_cost": True, "net_value": True}
NEVER: Final = "no hire"


@dataclass(frozen=True)
class HiringPlan:
    """Hires by start date: `table` against not hiring, `delay` (what each quarter of waiting costs), `text`."""

    team: str
    seats: int
    currency: str
    starts: dict[str, tuple[tuple[dt.date, int], ...]]
    """Start dates and seats by plan name."""
    approve_by: dict[str, dt.date]
    """Last day on which the first hire of a plan can be approved, by the team's hiring lag."""
    table: pd.DataFrame
    delay: pd.DataFrame
    runs: Runs = field(repr=False)

    @property
    def text(self) -> str:
        """Whether to hire, by when to approve, and what a quarter's delay costs, in one paragraph."""
        months = int(self.table["horizon_months"].max())
        rows = self.table[(self.table["metric"] == "net_value") & (self.table["horizon_months"] == months)]
        best = max(rows.to_dict("records"), key=lambda row: float(row["mean"]))
        name = str(best["plan"])
        money = f"{float(best['mean']):+,.0f} {self.currency}"
        if float(best["mean"]) <= 0:
            return (
                f"Hiring {self.seats} for {self.team} does not pay within {months} months at any of the dates tried; "
                f"the least loss of net value is {money} ({name}), and it pays in "
                f"{100 * float(best['p_better']):.0f} % of draws."
            )
        waits = self.delay[(self.delay["metric"] == "net_value") & (self.delay["horizon_months"] == months)]
        first = waits.iloc[0] if len(waits) else None
        text = (
            f"Best is {name}: net value {money} after {months} months against not hiring, paying in "
            f"{100 * float(best['p_better']):.0f} % of draws. Approve by {self.approve_by[name]}."
        )
        if first is None:
            return text
        return (
            f"{text} Waiting a quarter from {first['from_plan']} costs {float(first['mean']):,.0f} {self.currency} "
            f"of net value on average (90 % interval {float(first['q05']):,.0f} to {float(first['q95']):,.0f})."
        )

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """Net value of each start date against not hiring, and the last day to approve it."""
        drawn: Axes = presenting.figures().hires(self, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: plans with dates, rows against not hiring, rows of what waiting costs."""
        return {
            "team": self.team,
            "seats": self.seats,
            "currency": self.currency,
            "plans": [
                {
                    "plan": name,
                    "approve_by": str(self.approve_by[name]),
                    "hires": [{"on": str(date), "seats": seats} for date, seats in hires],
                }
                for name, hires in self.starts.items()
            ],
            "table": [clean(row) for row in self.table.to_dict("records")],
            "delay": [clean(row) for row in self.delay.to_dict("records")],
            "interval": self.table.attrs["interval"],
            "assumption": GROSS_MARGIN_SOURCE,
        }

    def __repr__(self) -> str:
        return f"HiringPlan({self.seats} for {self.team}; {', '.join(self.starts)})"

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}{self.delay.to_html(index=False)}"


def hiring_plan(
    scenario: Scenario,
    *,
    team: str,
    seats: int,
    first: dt.date,
    quarters: int = 4,
    cap: int | None = None,
    draws: int = 200,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> HiringPlan:
    """Compare hiring the same seats on `first` and up to `quarters` - 1 quarters later, with not hiring at all.

    New seats ramp up, may leave, and take over accounts as the scenario says; a leaver's accounts are orphaned for a
    while. All plans meet the same luck and the same parameters.

    Args:
        scenario: the plan without the hires.
        team: which team grows.
        seats: how many in all.
        first: first day of the earliest plan; the team's hiring lag earlier it has to be approved.
        quarters: how many start dates are tried, three months apart.
        cap: most seats that can be filled in a quarter; the rest starts in the quarters after.
        draws: futures for each plan.
        seed: same seed, same answer.
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`.

    Raises:
        InputError: an unknown team, numbers below 1, or no start date before the end of the horizon.
    """
    if team not in scenario.teams:
        raise InputError(where="team", found=repr(team), allowed=", ".join(scenario.teams) or "none: no teams")
    for name, value in (("seats", seats), ("quarters", quarters), ("cap", seats if cap is None else cap)):
        if value < 1:
            raise InputError(where=name, found=str(value), allowed="1 or more")
    end = units.add_months(scenario.start, scenario.horizon_months)
    if not scenario.start <= first < end:
        raise InputError(where="first", found=str(first), allowed=f"{scenario.start} to the day before {end}")
    starts = {}
    for quarter in range(quarters):
        begin = units.add_months(first, MONTHS_A_QUARTER * quarter)
        if begin < end:
            starts[f"hire on {begin}"] = _spread(begin, seats, cap or seats)
    lag = scenario.teams[team].hiring_lag
    days = parameter("seat.hiring_lag").value if lag is None else lag
    plans = [scenario.replace(name=NEVER)]
    for name, hires in starts.items():
        levers = [*scenario.levers, *(hire(team, seats=count, on=date) for date, count in hires)]
        plans.append(scenario.replace(name=name, levers=levers))
    runs = run(plans, draws=draws, seed=seed, workers=workers, progress=progress, **options)
    approve = {name: hires[0][0] - dt.timedelta(days=round(days)) for name, hires in starts.items()}
    table, delay = _table(runs, list(starts)), _delay(runs, list(starts))
    return HiringPlan(team, seats, scenario.currency, starts, approve, table, delay, runs)


def _spread(begin: dt.date, seats: int, cap: int) -> tuple[tuple[dt.date, int], ...]:
    """Hires by quarter, at most `cap` in each."""
    quarters = range((seats + cap - 1) // cap)
    return tuple((units.add_months(begin, MONTHS_A_QUARTER * q), min(cap, seats - q * cap)) for q in quarters)


def _values(runs: Runs, name: str, metric: str, horizon: int) -> Any:
    values = compared(runs, name, metric, horizon)
    return values.sum(axis=1) if METRICS[metric] else values[:, -1]


def _horizons(runs: Runs) -> list[int]:
    return horizons_of(runs.outcome(NEVER).setup.months, HORIZONS)


def _table(runs: Runs, names: list[str]) -> pd.DataFrame:
    rows = []
    for name in names:
        for metric in METRICS:
            for horizon in _horizons(runs):
                change = _values(runs, name, metric, horizon) - _values(runs, NEVER, metric, horizon)
                rows.append({"plan": name, "metric": metric, "horizon_months": horizon, **_row(change, metric)})
    table = pd.DataFrame(rows)
    table.attrs = {"interval": {**interval(runs.fixed_parameters), "of": "paired differences to not hiring"}}
    return table


def _delay(runs: Runs, names: list[str]) -> pd.DataFrame:
    """What the plan one quarter later loses, positive when waiting costs."""
    rows = []
    for sooner, later in pairwise(names):
        for metric in ("arr", "net_value"):
            for horizon in _horizons(runs):
                loss = _values(runs, sooner, metric, horizon) - _values(runs, later, metric, horizon)
                keys = {"from_plan": sooner, "to_plan": later, "metric": metric, "horizon_months": horizon}
                rows.append({**keys, **_row(loss, metric)})
    return pd.DataFrame(rows, columns=["from_plan", "to_plan", "metric", "horizon_months", *STATISTICS, "p_better"])


def _row(change: Any, metric: str) -> dict[str, float]:
    numbers = dict(zip(STATISTICS, summarise(change, DECIMALS["money"]), strict=True))
    wins = change < 0 if metric == "cs_cost" else change > 0
    return {**numbers, "p_better": round(float(wins.mean() + 0.5 * (change == 0).mean()), 6)}
