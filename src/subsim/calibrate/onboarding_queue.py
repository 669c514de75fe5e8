"""How long onboardings waited for the team: its queue rebuilt from kick-offs, hours and seats.

A book tells when an onboarding began and when value came, not how long it lay. With the hours of each and the people of
the team, first come first served, the wait follows; without them it is taken as none.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate.company import company_prior
from subsim.calibrate.spells import YEAR_DAYS, day_number

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]
TEAM = "onboarding"  # a team counts whose name has this word in it
PACES = np.linspace(-2.5, 2.5, 11)  # that are tried, in standard deviations of the prior
NEVER = 1e-4  # chance of a first value before its work was done: the queue is rebuilt from few facts


def paces() -> Floats:
    """Paces that a team may have: hours in a calendar day, around the prior of the effective hours."""
    own = company_prior(("seat.effective_hours", ("",)))
    return np.asarray(own.quantile(special.ndtr(PACES)) / YEAR_DAYS)


def pace_of(book: Book, segment: NDArray[Any], start: Floats, reached: Floats, hours: Floats) -> float:
    """The pace at which waits, work and lognormal delays of the customers make the dates of first value most likely.

    A slower team explains late first values by waiting; it cannot explain one that came before the work was done.
    """
    tried = paces()
    known = np.isfinite(start) & np.isfinite(reached) & np.isfinite(hours)
    if not known.any():
        return float(tried[len(tried) // 2])
    found = []
    for z, pace in zip(PACES, tried, strict=True):
        taken, work = reached - start - waits(book, start, hours, pace), hours / pace
        each = [_likelihood(taken[own], work[own]) for own in (known & (segment == name) for name in set(segment))]
        found.append(sum(each) - z**2 / 2)
    return float(tried[int(np.argmax(found))])


def _likelihood(taken: Floats, work: Floats) -> float:
    """Log likelihood of days from the beginning of the work to first value, the later of work and customer's delay."""
    seen = taken > work + 1.0
    if seen.sum() < 3:
        return 0.0
    logs = np.log(taken[seen])
    sd = max(float(logs.std()), 0.1)
    centred = (np.log(work[~seen] + 1.0) - logs.mean()) / sd
    hidden = np.where(taken[~seen] < work[~seen] - 1.0, np.log(NEVER), special.log_ndtr(centred))
    return float(hidden.sum() - (logs + np.log(sd) + 0.5 * ((logs - logs.mean()) / sd) ** 2).sum())


def waits(book: Book, start: Floats, hours: Floats, pace: float) -> Floats:
    """Days that each onboarding waited before somebody began it.

    Args:
        book: its `seats` have a team with "onboarding" in its name, or nothing is known and every wait is 0.
        start: kick-off as a day number.
        hours: work of each; NaN unknown.
        pace: hours of work that a ramped seat gives in a calendar day.
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
                heapq.heappush(free, (begin + hours[at] / (pace * _ramped(begin - arrived)), arrived, leaves))
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


def _ramped(days: float) -> float:
    """Share of full hours so many days after arrival."""
    phase = company_prior(("seat.ramp_days", ("",))).centre
    if days < phase:
        return company_prior(("seat.ramp_early", ())).centre
    return company_prior(("seat.ramp_late", ())).centre if days < 2 * phase else 1.0
