"""Closed-form queues: what a team of a given size does to waits, with nothing else going on.

Arrivals are Poisson, work is exponential, everyone in a team can take every item. The simulation needs none of this to
hold; these forms are printed beside it, since planners know them, and test it. `load` is the offered load: items a day
times days of work an item, the number of people that are busy on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, sqrt

from scipy.stats import norm

from subsim.errors import InputError

_MOST_SEATS = 100_000


def erlang_b(load: float, seats: int) -> float:
    """Chance that all of `seats` are busy when items that find no one free are lost.

    Erlang's recursion B_k = R B_(k-1) / (k + R B_(k-1)), B_0 = 1 (Erlang 1917), stable for any size.

    >>> round(erlang_b(10, 10), 4)
    0.2146
    """
    _positive(load=load)
    blocked = 1.0
    for k in range(1, seats + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked


def chance_of_waiting(load: float, seats: int) -> float:
    """Erlang C: chance that an item has to wait; 1 where the team cannot keep up.

    >>> round(chance_of_waiting(20, 25), 3)
    0.209
    """
    if seats <= load:
        return 1.0
    blocked = erlang_b(load, seats)
    return blocked / (1.0 - load / seats * (1.0 - blocked))


def mean_wait(load: float, seats: int, work: float) -> float:
    """Mean wait W_q = C / (seats/work - rate), in the unit of `work` (mean time of an item); inf if it cannot keep up.

    >>> round(mean_wait(0.8, 1, 1.0), 3)
    4.0
    """
    _positive(work=work)
    return chance_of_waiting(load, seats) * work / (seats - load) if seats > load else float("inf")


def served_within(load: float, seats: int, work: float, target: float) -> float:
    """Service level: share of items begun within `target` (same unit as `work`)."""
    if seats <= load:
        return 0.0
    return 1.0 - chance_of_waiting(load, seats) * exp(-(seats - load) * target / work)


def seats_for(load: float, work: float, *, target: float, share: float, max_utilisation: float = 1.0) -> int:
    """Fewest seats that begin `share` of items within `target` and stay at or below a utilisation (Erlang C).

    >>> seats_for(10.0, 180.0, target=20.0, share=0.8, max_utilisation=0.85)
    14
    """
    if not 0 < share < 1 or not 0 < max_utilisation <= 1:
        raise InputError(
            where="service level", found=f"{share:g} at {max_utilisation:g}", allowed="shares between 0 and 1"
        )
    seats = max(1, ceil(load / max_utilisation - 1e-9))
    while served_within(load, seats, work, target) < share:
        seats += 1
        if seats > _MOST_SEATS:
            raise InputError(where="load", found=f"{load:g}", allowed=f"a load that {_MOST_SEATS:,} seats can carry")
    return seats


@dataclass(frozen=True)
class Impatient:
    """A team whose items are dropped when they wait too long (Erlang A), in the long run."""

    waiting: float
    """Share of items that wait at all."""
    dropped: float
    """Share of items that are dropped before anybody begins them."""
    queue: float
    """Mean number of items waiting."""
    utilisation: float


def impatient(rate: float, work: float, patience: float, seats: int) -> Impatient:
    """Erlang A: Poisson arrivals (`rate`), exponential work and exponential patience (means, one unit of time).

    The number in the system is a birth-death process with death rate min(k, n)/work + max(0, k - n)/patience; drops
    follow from `dropped = E[queue] / (patience x rate)` (Garnett, Mandelbaum and Reiman 2002).

    >>> one = impatient(10, 1.0, 2.0, 10)
    >>> round(one.waiting, 2), round(one.dropped, 3), round(one.utilisation, 2)
    (0.62, 0.104, 0.9)
    """
    _positive(rate=rate, work=work, patience=patience)
    weight = total = 1.0
    waiting, queue, busy = (1.0 if seats == 0 else 0.0), 0.0, 0.0
    k = 0
    while k < seats or weight > 1e-16 * total:
        k += 1
        weight *= rate / (min(k, seats) / work + max(0, k - seats) / patience)
        total += weight
        busy += min(k, seats) * weight
        if k >= seats:
            waiting += weight
            queue += (k - seats) * weight
        if total > 1e250:  # large systems: keep the numbers in range, only ratios count
            weight, total, busy, waiting, queue = (x / 1e250 for x in (weight, total, busy, waiting, queue))
    queue /= total
    return Impatient(
        waiting=waiting / total,
        dropped=queue / (patience * rate),
        queue=queue,
        utilisation=busy / total / seats if seats else float("nan"),
    )


@dataclass(frozen=True)
class ClosedBook:
    """A book of accounts served by a team: only accounts that are not already waiting can ask (finite source)."""

    wait: float
    """Mean wait of a request."""
    utilisation: float


def closed_book(accounts: int, rate: float, work: float, seats: int) -> ClosedBook:
    """M/M/c//N: each idle account asks `rate` times a unit of time; a request takes `work` on average.

    The number of accounts with an open request is a birth-death process (any text on finite-source queues).

    >>> round(closed_book(200, 0.05, 0.4, 5).wait, 3)
    0.162
    """
    _positive(rate=rate, work=work, accounts=accounts, seats=seats)
    weights = [1.0]
    for k in range(1, accounts + 1):
        weights.append(weights[-1] * (accounts - k + 1) * rate * work / min(k, seats))
        if weights[-1] > 1e250:
            weights = [weight / 1e250 for weight in weights]
    total = sum(weights)
    asked = sum((accounts - k) * rate * weight for k, weight in enumerate(weights)) / total
    queue = sum(max(0, k - seats) * weight for k, weight in enumerate(weights)) / total
    busy = sum(min(k, seats) * weight for k, weight in enumerate(weights)) / total
    return ClosedBook(wait=queue / asked, utilisation=busy / seats)


def seats_for_book(accounts: int, rate: float, work: float, *, wait: float) -> int:
    """Fewest seats with a mean wait of at most `wait` in a closed book.

    >>> seats_for_book(200, 0.05, 0.4, wait=0.25)
    5
    """
    _positive(wait=wait)
    return next(seats for seats in range(1, accounts + 1) if closed_book(accounts, rate, work, seats).wait <= wait)


def square_root_seats(load: float, chance: float) -> int:
    """Square-root staffing: `load + beta sqrt(load)` seats, beta so that about `chance` of items wait.

    Halfin and Whitt (1981): chance = 1 / (1 + beta Phi(beta) / phi(beta)).

    >>> square_root_seats(20, 0.209)
    25
    """
    _positive(load=load)
    return ceil(load + halfin_whitt_beta(chance) * sqrt(load) - 1e-9)


def halfin_whitt_beta(chance: float) -> float:
    """Safety seats per square root of load for a chance of waiting.

    >>> [round(halfin_whitt_beta(p), 2) for p in (0.5, 0.3, 0.2, 0.1)]
    [0.51, 0.83, 1.06, 1.42]
    """
    if not 0 < chance < 1:
        raise InputError(where="chance of waiting", found=f"{chance:g}", allowed="more than 0 and less than 1")
    low, high = 0.0, 40.0
    for _ in range(80):
        beta = (low + high) / 2
        if 1 / (1 + beta * norm.cdf(beta) / norm.pdf(beta)) > chance:
            low = beta
        else:
            high = beta
    return (low + high) / 2


def onboarding_weeks(starts: float, *stages: tuple[float, int]) -> float:
    """Mean time through onboarding stages in a row, each (work per customer, people).

    `starts` is the number of new customers in a unit of time, the unit that work is given in.
    Burke (1956): what leaves an M/M/c queue is Poisson again, so the stages' times W = W_q + work add up.

    >>> round(onboarding_weeks(3, (1.0, 4), (0.5, 2)), 3)
    2.652
    """
    _positive(starts=starts)
    return sum(mean_wait(starts * work, seats, work) + work for work, seats in stages)


def waits_named_and_pooled(utilisation: float, seats: int, work: float) -> tuple[float, float]:
    """Mean wait when every seat has its own accounts, and when one pool serves them all, at equal utilisation.

    Continuity (what a familiar person does better) is not in it; the simulation has it.

    >>> named, pooled = waits_named_and_pooled(0.85, 10, 2 / 4.6)
    >>> round(named, 1), round(pooled, 2)
    (2.5, 0.15)
    """
    if not 0 < utilisation < 1:
        raise InputError(where="utilisation", found=f"{utilisation:g}", allowed="more than 0 and less than 1")
    return mean_wait(utilisation, 1, work), mean_wait(utilisation * seats, seats, work)


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value > 0:
            raise InputError(where=name, found=f"{value:g}", allowed="more than 0")
