"""How long onboardings waited for the team: its queue rebuilt from kick-offs, hours and seats.

A book tells when an onboarding began and when value came, not how long it lay. With the hours of each and the people of
the team, first come first served, the wait follows; without them it is taken as none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate.company import company_prior
from subsim.calibrate.first_come import begun
from subsim.calibrate.importance import of_prior
from subsim.calibrate.priors import Key, Prior
from subsim.calibrate.spells import YEAR_DAYS, day_number

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TEAM = "onboarding"  # a team counts whose name has this word in it
NEVER = 1e-6  # least density of a first value: the queue is rebuilt from few facts
LEAST = 0.5  # days that a delay takes at least
ENOUGH = 500  # onboardings of a segment that are looked at, about
FIRST_SD, ROUNDS = 0.6, 6  # where the search for the spread of delays begins, and its rounds
#: Days by which a date may be off: of itself, and at most by waiting, of which half is reached after so many days.
#: Judgement (grade D), set where queues of known companies are rebuilt about so far off.
NEAR, QUEUED, LONG = 1.0, 3.0, 30.0
MIDDAY = 0.5  # what happened on a day happened in the middle of it
SCAN = tuple(np.arange(-10, 11) * 0.25)  # of pace, in standard deviations of its prior
LEVELS = (-1.0, 0.0, 1.0)  # of both phases of the ramp
BEGINS = 3  # best points of the scan from which to climb, in steps of
STEPS = (0.2, 0.08, 0.03)


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
    names = sorted(set(segment[known]))
    groups = []
    for name in names:
        here = np.flatnonzero(known & (segment == name))
        own = company_prior(("onboarding.customer_delay", (name,)))
        groups.append((here[:: 1 + len(here) // ENOUGH], own))  # all of them queue, some are looked at

    queue = _Queue.of(book, start, hours)

    def weight(z: Floats) -> float:
        pace = Pace.of(z)
        waited = queue.waits(pace)
        taken, work, off = reached - start - waited, hours / pace.hours, uncertain(waited)
        parts = [_likelihood(taken[here], work[here], off[here], own) for here, own in groups]
        return sum(parts) - float(z @ z) / 2

    hired = _team(book)["start_date"].nunique() > 1  # without a hire the ramp does not matter
    axes = np.eye(3)[: 3 if hired else 1]
    phases = [np.array([0.0, level, level]) for level in LEVELS] if hired else [best]
    coarse = [phase + axes[0] * far for phase in phases for far in SCAN]
    found = {tuple(z): weight(z) for z in coarse}
    begins = sorted(found, key=lambda z: -found[z])[:BEGINS]
    ends = [_climbed(weight, np.array(z), found[z], axes) for z in begins]
    return Pace.of(max(ends, key=lambda end: end[1])[0])


def _climbed(weight: Callable[[Floats], float], z: Floats, height: float, axes: Floats) -> tuple[Floats, float]:
    """The best that ever smaller steps along the axes find from a point, and its weight."""
    for step in STEPS:
        while True:
            tried = [z + axis * step * side for axis in axes for side in (-2, -1, 1, 2)]
            best, highest = max(((one, weight(one)) for one in tried), key=lambda pair: pair[1])
            if highest <= height:
                break
            z, height = best, highest
    return z, height


def uncertain(waited: Floats) -> Floats:
    """Days by which the beginning of the work may be off: the longer the queue, the less is its order known."""
    return NEAR + QUEUED * waited / (waited + LONG)


def _likelihood(taken: Floats, work: Floats, off: Floats, own: Prior) -> float:
    """Log likelihood of days from the beginning of the work to first value, at the best lognormal of the delays.

    First value comes at the later of the customer's delay and the end of the work, which is known to `off` days. The
    delay is therefore either what was taken or at most that; its mean and spread are found by expectation and
    maximisation over the two.

    Args:
        taken: days taken; a queue rebuilt wrongly makes them negative.
        work: days of work.
        off: standard deviation of the end of the work.
        own: prior of the median delay.
    """
    log_taken, gap = np.log(np.maximum(taken, LEAST)), (taken - work) / off
    done = special.log_ndtr(gap)  # the work was done by then
    ends = -0.5 * gap**2 - np.log(off * np.sqrt(2 * np.pi))  # it was done just then
    mean, sd = np.log(own.centre), FIRST_SD
    for _ in range(ROUNDS):
        a = (log_taken - mean) / sd
        below = special.log_ndtr(a)
        density = -0.5 * a**2 - np.log(sd * np.sqrt(2 * np.pi))
        itself = special.expit(density - log_taken + done - below - ends)  # chance that the delay is what was taken
        tail = np.exp(density + np.log(sd) - below)
        hidden = mean - sd * tail, sd**2 * np.maximum(1 - a * tail, 0.0)  # of the logarithm of a delay at most that
        weight = sd**2 / own.spread**2
        new = (itself @ log_taken + (1 - itself) @ hidden[0] + weight * np.log(own.centre)) / (len(taken) + weight)
        squares = itself @ (log_taken - new) ** 2 + (1 - itself) @ (
            hidden[1] + (mean - new) * (2 * hidden[0] - mean - new)
        )
        mean, sd = new, max(float(np.sqrt(squares / len(taken))), 0.1)
    a = (log_taken - mean) / sd
    exact = -0.5 * a**2 - np.log(sd * np.sqrt(2 * np.pi)) - log_taken + done
    total = np.logaddexp(exact, special.log_ndtr(a) + ends)
    return float(np.maximum(total, np.log(NEVER)).sum() - 0.5 * ((mean - np.log(own.centre)) / own.spread) ** 2)


def waits(book: Book, start: Floats, hours: Floats, pace: Pace) -> Floats:
    """Days that each onboarding waited before somebody began it.

    Args:
        book: its `seats` have a team with "onboarding" in its name, or nothing is known and every wait is 0.
        start: kick-off as a day number.
        hours: work of each; NaN unknown.
        pace: of the team's people.
    """
    return _Queue.of(book, start, hours).waits(pace)


@dataclass(frozen=True)
class _Queue:
    """Onboardings in the order of their kick-off (`place` among all), and the people who take them."""

    count: int
    place: Ints
    ready: Floats
    hours: Floats
    people: Floats

    @classmethod
    def of(cls, book: Book, start: Floats, hours: Floats) -> _Queue:
        """The queue of a book; an empty one where nothing is known of people or work."""
        team, known = _team(book), np.flatnonzero(np.isfinite(start) & np.isfinite(hours))
        if team.empty or not len(known):
            return cls(len(start), np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros((3, 0)))
        order = known[np.argsort(start[known], kind="stable")]
        return cls(len(start), order, start[order] + MIDDAY, hours[order], _people(team))

    def waits(self, pace: Pace) -> Floats:
        """Days that each onboarding waited at a pace."""
        result = np.zeros(self.count)
        rates = (pace.hours * pace.early, pace.hours * pace.late, pace.hours)
        result[self.place] = begun(self.ready, self.hours, self.people, rates, pace.phase) - self.ready
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
    return np.array([came, arrived, np.where(np.isnan(left), np.inf, left + MIDDAY)])
