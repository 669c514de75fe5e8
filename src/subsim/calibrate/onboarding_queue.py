"""How long onboardings waited for the team: its queue rebuilt from kick-offs, hours and seats.

A book tells when an onboarding began and when value came, not how long it lay. With the hours of each and the people of
the team, first come first served, the wait follows; without them it is taken as none.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.calibrate.company import company_prior
from subsim.calibrate.spells import YEAR_DAYS, day_number

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]
TEAM = "onboarding"  # a team counts whose name has this word in it


def pace() -> float:
    """Hours of work that a ramped seat gives in a calendar day, at the catalogue's effective hours."""
    return company_prior(("seat.effective_hours", ("",))).centre / YEAR_DAYS


def waits(book: Book, start: Floats, hours: Floats) -> Floats:
    """Days that each onboarding waited before somebody began it.

    Args:
        book: its `seats` have a team with "onboarding" in its name, or nothing is known and every wait is 0.
        start: kick-off as a day number.
        hours: work of each; NaN unknown.
    """
    seats = book.tables.get("seats")
    result = np.zeros(len(start))
    if seats is None or not np.isfinite(hours).any():
        return result
    team = seats[seats["team"].astype(str).str.lower().str.contains(TEAM)]
    known = np.flatnonzero(np.isfinite(start) & np.isfinite(hours))
    if team.empty or not len(known):
        return result
    free = _people(team)
    first = start.copy()
    order = known[np.argsort(start[known], kind="stable")]
    for at in order:
        while free:
            since, arrived, leaves = heapq.heappop(free)
            begin = max(since, start[at])
            if begin < leaves:  # who leaves finishes what is in hand
                first[at] = begin
                heapq.heappush(free, (begin + hours[at] / _pace_at(begin - arrived), arrived, leaves))
                break
    result[known] = first[known] - start[known]
    return np.asarray(result)


def _people(team: pd.DataFrame) -> list[tuple[float, float, float]]:
    """Holders of seats as a heap of (free from, arrived, leaves)."""
    came, left = day_number(team["start_date"]), day_number(team["leave_date"])
    first = np.nanmin(came)
    ramp = 2 * company_prior(("seat.ramp_days", ("",))).centre
    arrived = np.where(came == first, came - ramp, came)  # who was there from the beginning is past the ramp
    people = list(zip(came.tolist(), arrived.tolist(), np.where(np.isnan(left), np.inf, left).tolist(), strict=True))
    heapq.heapify(people)
    return people


def _pace_at(days: float) -> float:
    phase = company_prior(("seat.ramp_days", ("",))).centre
    if days < phase:
        return pace() * company_prior(("seat.ramp_early", ())).centre
    return pace() * (company_prior(("seat.ramp_late", ())).centre if days < 2 * phase else 1.0)
