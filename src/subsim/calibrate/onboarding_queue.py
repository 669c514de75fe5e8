"""How long onboardings waited for the team: its queue rebuilt from kick-offs, hours and seats.

A book tells when an onboarding began and when value came, not how long it lay. With the hours of each and the people of
the team, first come first served, the wait follows; without them it is taken as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate.company import company_prior
from subsim.calibrate.first_come import begun
from subsim.calibrate.importance import of_prior
from subsim.calibrate.priors import Key
from subsim.calibrate.spells import YEAR_DAYS, day_number

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]
TEAM = "onboarding"  # a team counts whose name has this word in it
NEVER = 1e-4  # chance of a first value before its work was done: the queue is rebuilt from few facts
NEAR, QUEUED = 1.0, 0.05  # days by which a date may be off: of itself, and for each day of waiting
STEPS = (0.5, 0.1, 0.02)  # of the search, in standard deviations of the prior; each looks around the best of the last
REACH = 5  # steps to either side


@dataclass(frozen=True)
class Pace:
    """Hours of work that a ramped seat gives in a calendar day, and the shares of it in the phases (days) of a ramp."""

    hours: float
    early: float
    late: float
    phase: float

    @classmethod
    def of(cls, z: Floats) -> Pace:
        """The pace that lies so many standard deviations from the priors' centres."""
        keys: list[Key] = [("seat.effective_hours", ("",)), ("seat.ramp_early", ()), ("seat.ramp_late", ())]
        hours, early, late = (float(of_prior(company_prior(key), one)) for key, one in zip(keys, z, strict=True))
        return cls(hours / YEAR_DAYS, early, late, company_prior(("seat.ramp_days", ("",))).centre)


def pace_of(book: Book, segment: NDArray[Any], start: Floats, reached: Floats, hours: Floats) -> Pace:
    """The pace at which waits, work and lognormal delays of the customers make the dates of first value most likely.

    A slower team explains late first values by waiting; it cannot explain one that came before the work was done. Found
    one number after the other, in ever smaller steps: where a queue is long, a percent of pace is days of waiting.
    """
    best = np.zeros(3)
    known = np.isfinite(start) & np.isfinite(reached) & np.isfinite(hours)
    if not known.any():
        return Pace.of(best)
    groups = [known & (segment == name) for name in sorted(set(segment))]

    def weight(z: Floats) -> float:
        pace = Pace.of(z)
        waited = waits(book, start, hours, pace)
        taken, work, off = reached - start - waited, hours / pace.hours, uncertain(waited)
        return sum(_likelihood(taken[own], work[own], off[own]) for own in groups) - float(z @ z) / 2

    hired = _team(book)["start_date"].nunique() > 1  # without a hire the ramp does not matter
    for step in STEPS:
        for axis in np.eye(3)[: 3 if hired else 1]:
            tried = [best + axis * step * i for i in range(-REACH, REACH + 1)]
            best = max(tried, key=weight)
    return Pace.of(best)


def uncertain(waited: Floats) -> Floats:
    """Days by which the beginning of the work may be off: the longer the queue, the less is its order known."""
    return NEAR + QUEUED * waited


def _likelihood(taken: Floats, work: Floats, off: Floats) -> float:
    """Log likelihood of days from the beginning of the work to first value, the later of work and customer's delay."""
    seen = taken > work + off
    if seen.sum() < 3:
        return 0.0
    logs = np.log(taken[seen])
    sd = max(float(logs.std()), 0.1)
    centred = (np.log(work[~seen] + off[~seen]) - logs.mean()) / sd
    hidden = np.where(taken[~seen] < work[~seen] - off[~seen], np.log(NEVER), special.log_ndtr(centred))
    return float(hidden.sum() - (logs + np.log(sd) + 0.5 * ((logs - logs.mean()) / sd) ** 2).sum())


def waits(book: Book, start: Floats, hours: Floats, pace: Pace) -> Floats:
    """Days that each onboarding waited before somebody began it.

    Args:
        book: its `seats` have a team with "onboarding" in its name, or nothing is known and every wait is 0.
        start: kick-off as a day number.
        hours: work of each; NaN unknown.
        pace: of the team's people.
    """
    team, result = _team(book), np.zeros(len(start))
    known = np.flatnonzero(np.isfinite(start) & np.isfinite(hours))
    if team.empty or not len(known):
        return result
    order = known[np.argsort(start[known], kind="stable")]
    rates = (pace.hours * pace.early, pace.hours * pace.late, pace.hours)
    result[order] = begun(start[order], hours[order], _people(team), rates, pace.phase) - start[order]
    return result


def _team(book: Book) -> pd.DataFrame:
    """Seats of the onboarding team; none where the book does not tell people or teams."""
    seats = book.tables.get("seats", pd.DataFrame({"team": [], "start_date": []}))
    return seats[seats["team"].astype(str).str.lower().str.contains(TEAM)]


def _people(team: pd.DataFrame) -> Floats:
    """[3, people]: from when each holder of a seat is free, since when there, and until when."""
    came, left = day_number(team["start_date"]), day_number(team["leave_date"])
    first = np.nanmin(came)
    ramp = 2 * company_prior(("seat.ramp_days", ("",))).centre
    arrived = np.where(came == first, came - ramp, came)  # who was there from the beginning is past the ramp
    return np.array([came, arrived, np.where(np.isnan(left), np.inf, left)])
