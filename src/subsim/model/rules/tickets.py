"""Support tickets (optional): one open at a time, more during onboarding and for ill-fitting accounts."""

from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import MONTH, NEVER
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.quantiles import exponential


@rule
def gap(p: Any, key: Any, entity: int, n: int, segment: int, adopted: bool, fit: float) -> int:
    """Minutes from the end of one ticket to the n-th; NEVER when the account opens none."""
    rate = p[at.ticket_rate + segment]
    if not adopted:
        rate *= p[at.ticket_onboarding_factor]
    if fit < p[at.onboarding_misfit_below]:
        rate *= p[at.ticket_misfit_factor]
    if rate <= 0.0:
        return NEVER
    return min(NEVER, int(exponential(draw(key, purposes.TICKET_GAP, entity, n)) / rate * MONTH + 0.5))


@rule
def effect(p: Any, in_time: bool) -> float:
    """Change of engagement after a ticket: a small lift when solved in time, a shock when late or never."""
    return p[at.ticket_fast_lift] if in_time else -p[at.ticket_slow_shock]
