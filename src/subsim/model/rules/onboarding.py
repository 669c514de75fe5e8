"""Onboarding and time to value (TTV)."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import minutes
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.quantiles import gamma, lognormal


@rule
def work_minutes(p: Any, key: Any, entity: int, segment: int, fit: float) -> int:
    """Minutes of work that onboarding takes: Gamma around the segment's mean, more for an ill-fitting account."""
    shape = p[at.onboarding_hours_shape]
    hours = p[at.onboarding_hours + segment] * gamma(draw(key, purposes.ONBOARDING_HOURS, entity, 0), shape) / shape
    if fit < p[at.onboarding_misfit_below]:
        hours *= 1.0 + p[at.onboarding_misfit_overhead]
    return int(hours * 60.0 + 0.5)


@rule
def customer_delay(p: Any, key: Any, entity: int, segment: int) -> float:
    """Days that the customer itself needs to reach first value: lognormal."""
    return lognormal(
        draw(key, purposes.CUSTOMER_DELAY, entity, 0),
        p[at.onboarding_customer_delay + segment],
        p[at.onboarding_customer_delay_sd + segment],
    )


@rule
def first_value_at(p: Any, begun: int, service: int, delay_days: float) -> int:
    """When first value is reached after work begun at a minute: the later of both, or one after the other."""
    delay = minutes(delay_days)
    if p[at.onboarding_serial] > 0.5:
        return begun + service + delay
    return begun + max(service, delay)


@rule
def self_serve_days(p: Any, delay_days: float) -> float:
    """Days to first value without anybody's help."""
    return delay_days * p[at.onboarding_self_serve]


@rule
def patience_days(p: Any, key: Any, entity: int, segment: int) -> float:
    """Days after which an unfinished onboarding stalls: lognormal."""
    return lognormal(
        draw(key, purposes.PATIENCE, entity, 0), p[at.onboarding_patience + segment], p[at.onboarding_patience_sd]
    )


@rule
def lateness(p: Any, segment: int, ttv_days: float) -> float:
    """Log ratio of time to value over the segment's target (at least a minute is counted)."""
    return math.log(max(ttv_days, 1.0 / 1440.0) / p[at.onboarding_target + segment])
