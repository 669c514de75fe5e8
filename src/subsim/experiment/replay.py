"""Would the simulator, with what was learned, have made the book's last year? What finance reads, drawn and observed.

The scenario is set back a year: the book as it was known then, the people and tiers of the scenario, the new logos that
truly came, no levers. This is a check of fit, not of forecasting: the posterior has seen that year.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from subsim.book import Book
from subsim.errors import InputError
from subsim.experiment.build import book_of
from subsim.experiment.parameters import Floats, Learned
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.scenario import Scenario
from subsim.units import add_months

MONTHS = 12
DRAWS = 100
RETENTION: Mapping[str, str] = {"grr_ttm": "GRR over 12 months", "nrr_ttm": "NRR over 12 months"}


@dataclass(frozen=True)
class Replayed:
    """A quantity of the book and the simulator's draws of it; money in currency units."""

    name: str
    observed: float
    predicted: Floats


def replay(scenario: Scenario, posterior: Learned, *, draws: int = DRAWS, seed: int = 1) -> list[Replayed]:
    """Churned ARR by month, months without churn, the worst month, GRR and NRR of the book's last twelve months.

    Raises:
        InputError: the scenario has no book, or the book is younger than two years.
    """
    book = book_of(scenario)
    if book is None:
        do = "name the scenario's book"
        raise InputError(where=f"scenario {scenario.name}", found="no book", allowed="a scenario with book:", do=do)
    months = np.sort(book.month_ends())
    if len(months) < 2 * MONTHS:
        found, allowed = f"{len(months)} complete months", f"{2 * MONTHS} months, to simulate the last {MONTHS}"
        raise InputError(where=f"book {book.name}", found=found, allowed=allowed)
    past = _past(scenario, book)
    runs = run(past, draws=draws, seed=seed, posterior=posterior, force=True)
    return _compared(book, runs, past.start)


def _past(scenario: Scenario, book: Book) -> Scenario:
    """The scenario a year earlier, with the new logos that came since."""
    start = add_months(scenario.start, -MONTHS)
    monthly = book.monthly()
    new = monthly[monthly["metric"] == "logos_new"]
    segments = scenario.to_dict()["segments"]
    for name, segment in segments.items():
        counts = new[new["segment"] == name].sort_values("month")["value"].to_numpy(float)[-MONTHS:]
        segment["new_business"] = {"plan": counts.tolist() if len(counts) == MONTHS else [0.0]}
    return scenario.replace(
        name=f"{scenario.name}, a year ago",
        start=str(start),
        as_of=str(start - dt.timedelta(days=1)),
        horizon=f"{MONTHS} months",
        segments=segments,
        levers=[],
    )


def _compared(book: Book, runs: Runs, start: dt.date) -> list[Replayed]:
    monthly = book.monthly()
    own = monthly[(monthly["segment"] == "all") & (monthly["month"] > np.datetime64(start))]
    lost = own[own["metric"] == "churn"].sort_values("month")["value"].to_numpy(float) / 100
    churn = runs.samples(None, "churn")
    found = [
        Replayed("churned ARR of a month, mean", float(lost.mean()), churn.mean(axis=1)),
        Replayed("months without churn", float((lost == 0).sum()), (churn == 0).sum(axis=1).astype(float)),
        Replayed("churned ARR of the worst month", float(lost.max()), churn.max(axis=1)),
    ]
    for metric, name in RETENTION.items():
        actual = own[own["metric"] == metric].sort_values("month")["value"].to_numpy(float)[-1]
        found.append(Replayed(name, float(actual), runs.samples(None, metric)[:, -1]))
    return found
