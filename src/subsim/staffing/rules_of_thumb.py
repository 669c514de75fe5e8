"""What the usual formulas say about a team, beside the simulation: ARR, accounts, hours, Erlang C, square root."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import numpy as np
import pandas as pd

from subsim.engine.metrics import TEAM
from subsim.experiment.results import Runs
from subsim.staffing import queues

ARR_PER_CSM: Final = 2_000_000
ARR_SOURCE: Final = "guide-post of $2M ARR per CSM (Gainsight, 2014); opinion, grade C"
#: Accounts per CSM by how many accounts a seat has today: the nearest of the published three is used.
ACCOUNTS_PER_CSM: Final = {"high touch": 22, "mid touch": 49, "low touch": 144}
ACCOUNTS_SOURCE: Final = "accounts per CSM 22 high, 49 mid, 144 low touch (Gainsight Pulse 2025, second hand); grade C"
#: Planning targets of the formulas are conventions without a measurement behind them, grade D; change them here.
BUSY: Final = 0.85  # hours rule: share of a seat's customer hours that is planned
WITHIN_DAYS: Final = 3.0  # Erlang C: most items are begun within this many days
SHARE: Final = 0.80
HOURS_PER_YEAR: Final = 365.25 * 24
WAITING: Final = 0.20  # square root: share of items that wait at all


@dataclass(frozen=True)
class Demand:
    """A team's work in the first year of a scenario, mean over draws."""

    arr: float
    """Mean ARR of the accounts that its seats own, in currency units."""
    accounts: float
    hours_a_year: float
    items_a_day: float
    hours_a_seat_and_year: float
    seats: float

    @property
    def load(self) -> float:
        """Seats that are busy on average if all the work is done."""
        return self.hours_a_year / self.hours_a_seat_and_year

    @property
    def days_an_item(self) -> float:
        """Mean calendar days that one seat needs for an item."""
        return self.load / self.items_a_day


def demand(runs: Runs, name: str, team: str) -> Demand | None:
    """A team's demand in the first twelve months of a run; None where it has no seats or no work."""
    outcome = runs.outcome(name)
    months = min(12, outcome.setup.months)
    cube = outcome.cube.teams[:, :months, outcome.setup.team_names.index(team)].astype(np.float64)
    column = {key: cube[..., i] for i, key in enumerate(TEAM)}
    seat_months = column["seats"].sum(axis=1).mean()
    items = column["items_demanded"].sum(axis=1).mean()
    minutes, served, busy = (
        float(column[key].sum(axis=1).mean()) for key in ("minutes_demanded", "minutes_served", "busy_minutes")
    )
    if min(seat_months, items, minutes, served, busy) <= 0:
        return None
    year = 12 / months
    return Demand(
        arr=float(column["arr_owned"].mean()) / 100,
        accounts=float(column["accounts"].mean()),
        hours_a_year=minutes / 60 * year,
        items_a_day=float(items) * year / 365.25,
        # Work in hours, busy time by the calendar: how many hours of work a seat gives in a year without a pause.
        hours_a_seat_and_year=served / busy * HOURS_PER_YEAR,
        seats=float(seat_months) / months,
    )


def rules_of_thumb(runs: Runs, name: str, team: str) -> pd.DataFrame:
    """Seats by each formula, with what it looks at, what it leaves out, and where its number comes from.

    Columns: rule, seats (None where the rule does not apply), basis, leaves_out, source.
    """
    found = demand(runs, name, team)
    rows = [] if found is None else [*_by_size(found), *_by_work(found)]
    return pd.DataFrame(rows, columns=["rule", "seats", "basis", "leaves_out", "source"])


def _by_size(found: Demand) -> list[dict[str, Any]]:
    if found.accounts <= 0:
        basis = "its seats own no accounts"
        none = {"seats": None, "basis": basis, "leaves_out": "applies to named seats only"}
        return [
            {"rule": "ARR per CSM", **none, "source": ARR_SOURCE},
            {"rule": "accounts per CSM", **none, "source": ACCOUNTS_SOURCE},
        ]
    today = found.accounts / found.seats
    touch, ratio = min(ACCOUNTS_PER_CSM.items(), key=lambda item: abs(np.log(item[1] / today)))
    return [
        {
            "rule": "ARR per CSM",
            "seats": max(1, ceil(found.arr / ARR_PER_CSM)),
            "basis": f"{found.arr / 1e6:.1f}M ARR owned, 2M each",
            "leaves_out": "how many customers that is, and what they need",
            "source": ARR_SOURCE,
        },
        {
            "rule": "accounts per CSM",
            "seats": max(1, ceil(found.accounts / ratio)),
            "basis": f"{found.accounts:.0f} accounts, {ratio} each ({touch})",
            "leaves_out": "that customers are unequal, and the hours behind them",
            "source": ACCOUNTS_SOURCE,
        },
    ]


def _by_work(found: Demand) -> list[dict[str, Any]]:
    work = found.days_an_item
    return [
        {
            "rule": "hours",
            "seats": max(1, ceil(found.load / BUSY)),
            "basis": f"{found.hours_a_year:,.0f} hours a year, {found.hours_a_seat_and_year:,.0f} a seat, "
            f"{100 * BUSY:.0f} % planned",
            "leaves_out": "peaks, waits and what waiting costs",
            "source": "workload formula; hours as simulated in the first year",
        },
        {
            "rule": "Erlang C",
            "seats": queues.seats_for(found.load, work, target=WITHIN_DAYS, share=SHARE),
            "basis": f"{found.items_a_day:.1f} items a day of {work:.2f} calendar days each, {100 * SHARE:.0f} % "
            f"begun within {WITHIN_DAYS:g} days",
            "leaves_out": "deadlines, named seats, bunched renewals, and what waiting costs",
            "source": "Erlang (1917); arrivals and work as simulated in the first year",
        },
        {
            "rule": "square root",
            "seats": queues.square_root_seats(found.load, WAITING),
            "basis": f"load of {found.load:.1f} seats, {100 * WAITING:.0f} % of items wait",
            "leaves_out": "the same as Erlang C",
            "source": "Halfin and Whitt (1981)",
        },
    ]
