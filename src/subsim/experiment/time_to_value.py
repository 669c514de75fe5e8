"""What faster time to value is worth: investments against a base, in days, ARR, renewals, net value, and other work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from subsim import units
from subsim.errors import InputError
from subsim.experiment import presenting, value_tables
from subsim.experiment.contrast import GROSS_MARGIN_SOURCE
from subsim.experiment.investments import Investment, investment, own_costs, settled
from subsim.experiment.journeys import MEASURES, journeys
from subsim.experiment.quantiles import clean, interval
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRACED: Final = 100
MINUTES: Final = 1440


@dataclass(frozen=True)
class TimeToValue:
    """Investments in time to value against a base: `table`, `days`, `break_even`, `work`, `text`, `figure()`.

    `table`: paired differences to the base by investment, metric and horizon; `net_value_after_cost` also takes off
    what the investment itself costs. `days`: time to value and renewals by investment, measure and segment, before and
    after. `break_even`: what an investment may cost once. `work`: what the teams feel in the last year.
    """

    base: str
    investments: tuple[Investment, ...]
    currency: str
    limit_days: float
    traced: int
    table: pd.DataFrame
    days: pd.DataFrame
    break_even: pd.DataFrame
    work: pd.DataFrame
    runs: Runs = field(repr=False)

    def row(self, investment: str, metric: str, horizon_months: int | None = None) -> pd.Series[Any]:
        """One row of the table, at the longest horizon when none is named."""
        rows = self.table[(self.table["investment"] == investment) & (self.table["metric"] == metric)]
        horizon = rows["horizon_months"].max() if horizon_months is None else horizon_months
        return _only(rows[rows["horizon_months"] == horizon], f"{investment}, {metric}, {horizon} months")

    def days_row(self, investment: str, measure: str = "ttv_mean", segment: str = "all") -> pd.Series[Any]:
        """One row of `days`."""
        rows = self.days[(self.days["investment"] == investment) & (self.days["measure"] == measure)]
        return _only(rows[rows["segment"] == segment], f"{investment}, {measure}, {segment}")

    def cost_row(self, investment: str, horizon_months: int | None = None) -> pd.Series[Any]:
        """One row of `break_even`, at the longest horizon when none is named."""
        rows = self.break_even[self.break_even["investment"] == investment]
        horizon = rows["horizon_months"].max() if horizon_months is None else horizon_months
        return _only(rows[rows["horizon_months"] == horizon], f"{investment}, {horizon} months")

    @property
    def text(self) -> str:
        """Days saved, what they bring, what they may cost, and what other work loses: a paragraph for each."""
        return str(presenting.words_of("investment_words").paragraphs(self))

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """What each investment may cost once, with intervals, its price and the days that it saves."""
        drawn: Axes = presenting.figures().investments(self, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: rows of all tables, interval, definitions and assumption."""
        tables = {"table": self.table, "days": self.days, "break_even": self.break_even, "work": self.work}
        return {
            "base": self.base,
            "currency": self.currency,
            "draws": self.runs.draws,
            "traced_draws": self.traced,
            "limit_days": self.limit_days,
            **{name: [clean(row) for row in table.to_dict("records")] for name, table in tables.items()},
            "interval": self.table.attrs["interval"],
            "definitions": {name: definition for name, (_, definition) in MEASURES.items()},
            "assumption": GROSS_MARGIN_SOURCE,
        }

    def __repr__(self) -> str:
        return f"TimeToValue({', '.join(each.name for each in self.investments)} against {self.base})"

    def _repr_html_(self) -> str:
        paragraphs = "".join(f"<p>{part}</p>" for part in self.text.split("\n\n"))
        return paragraphs + self.break_even.to_html(index=False) + self.days.to_html(index=False)


def time_to_value(
    base: Scenario,
    investments: Investment | Scenario | Sequence[Investment | Scenario],
    *,
    draws: int = 200,
    seed: int = 1,
    traced: int | None = None,
    follow: object = "180 days",
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> TimeToValue:
    """What each investment in time to value saves in days and brings in money, on common random numbers.

    Days are read from the stories of all customers that sign after everything bought is in full force and are seen for
    `follow` days; the same customers in the base and with each investment. Money comes from all draws.

    Args:
        base: what happens otherwise.
        investments: see `investment`; a scenario stands for an investment without a price.
        draws: futures for the base and each investment.
        seed: same seed, same answer.
        traced: in how many of them the customers' stories are read; 100 at most when None.
        follow: how long each new customer is followed; who has no first value by then counts so many days.
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`, such as `posterior`.

    Raises:
        InputError: no investment, other dates than the base's, or no time to follow customers before the horizon.

    Example:
        guided = ss.scale("onboarding.customer_delay", by=0.8, from_="2026-10-01")
        ss.time_to_value(base, ss.investment("Guided set-up", levers=[guided], one_off="$60k")).text
    """
    given = [investments] if isinstance(investments, (Investment, Scenario)) else list(investments)
    chosen = [each if isinstance(each, Investment) else investment(each.name, scenario=each) for each in given]
    if not chosen:
        raise InputError(where="investments", found="none", allowed="one or more")
    traced = min(draws, TRACED) if traced is None else traced
    if not 1 <= traced <= draws:
        raise InputError(where="traced draws", found=str(traced), allowed=f"1 to {draws}, the number of draws")
    limit = units.days(follow, where="follow")
    plans = [each.plan(base) for each in chosen]
    since, until = _followed(base, plans, limit)
    runs = run([base, *plans], draws=draws, seed=seed, workers=workers, progress=progress, **options)
    stories = {
        name: journeys(
            runs.outcome(name).setup,
            seed=seed,
            draws=traced,
            since=since,
            until=until,
            limit_days=limit,
            workers=workers,
        )
        for name in runs.names
    }
    days = value_tables.days(runs, stories)
    costs = {
        each.name: own_costs(base, each, plan, base.horizon_months) for each, plan in zip(chosen, plans, strict=True)
    }
    table = value_tables.differences(runs, costs)
    table.attrs = {"interval": {**interval(runs.fixed_parameters), "of": "paired differences to the base"}}
    even = value_tables.break_even(runs, chosen, costs, days)
    return TimeToValue(
        base.name, tuple(chosen), base.currency, limit, traced, table, days, even, value_tables.work(runs, chosen), runs
    )


def _only(rows: pd.DataFrame, asked: str) -> pd.Series[Any]:
    if rows.empty:
        raise InputError(where="row", found=asked, allowed="names, metrics and horizons of the tables")
    return rows.iloc[0]


def _followed(base: Scenario, plans: Sequence[Scenario], limit: float) -> tuple[int, int]:
    """Minutes between which customers have to sign to be followed."""
    first = max(settled(base, plan) for plan in plans)
    since = units.minutes_between(base.start, first)
    end = units.minutes_between(base.start, units.add_months(base.start, base.horizon_months))
    until = end - round(limit * MINUTES)
    if since >= until:
        raise InputError(
            where="follow",
            found=f"{limit:g} days from {first}, when all is in force, and only {base.horizon_months} months in all",
            allowed="an end after that",
            do="invest earlier, lengthen the horizon or follow customers for fewer days",
        )
    return since, until
