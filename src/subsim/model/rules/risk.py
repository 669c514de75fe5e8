"""Risks that come at a rate: a unit-exponential threshold per spell, met when the integrated rate reaches it.

Rates are refreshed at each monthly review of the account and held until the next one, so a risk whose rate depends on
engagement or on a lever is piecewise constant by process month. The threshold is keyed by (account, risk, spell): a
lever that changes a rate moves the event's time, never its luck.
"""

from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import NEVER, YEAR
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.quantiles import exponential

SPONSOR_LEAVES, UNCONTROLLABLE, IN_TERM_LOSS, OPPORTUNITY, IN_TERM_CONTRACTION, REFERRAL, LATE_INVOICE = range(7)
#: How many risks an account carries (a power of two, so that account and risk share one event number).
RISKS = 8


@rule
def threshold(key: Any, purpose: int, entity: int, spell: int) -> float:
    """The unit-exponential threshold of a spell of a risk."""
    return exponential(draw(key, purpose, entity, spell))


_PURPOSES = (
    purposes.SPONSOR_LEAVES,
    purposes.UNCONTROLLABLE,
    purposes.IN_TERM_LOSS,
    purposes.OPPORTUNITY,
    purposes.IN_TERM_CONTRACTION,
    purposes.REFERRAL,
    purposes.LATE_INVOICE,
    purposes.LATE_INVOICE,  # the eighth place is not used
)


@rule
def purpose_of(risk: int) -> int:
    """The purpose of the random numbers of a risk."""
    return _PURPOSES[risk]


@rule
def look_ahead(left: float, rate: float, now: int, until: int) -> tuple[int, float]:
    """When a threshold with ``left`` to go is met at ``rate`` a year (NEVER: not before ``until``), and its rest."""
    if rate <= 0.0:
        return NEVER, left
    used = rate * (until - now) / YEAR
    if left >= used:
        return NEVER, left - used
    return min(until, now + int(left / rate * YEAR + 0.5)), left


@rule
def passed(left: float, rate: float, minutes: int) -> tuple[bool, float]:
    """Whether a threshold with ``left`` to go was met in so many minutes at ``rate`` a year; and its rest."""
    used = rate * minutes / YEAR
    return left < used, left - used if left >= used else left


@rule
def reactivation_after(p: Any, key: Any, entity: int, spell: int, segment: int) -> int:
    """Minutes until a lost account comes back; NEVER when that would be more than two years."""
    rate = p[at.renewal_reactivation + segment]
    if rate <= 0.0:
        return NEVER
    years = exponential(draw(key, purposes.REACTIVATION, entity, spell)) / rate
    if years > 2.0:
        return NEVER
    return int(years * YEAR + 0.5)
