"""Onboarding and time to value (TTV)."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules import people
from subsim.model.rules.clock import DAY, minutes
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.quantiles import gamma, lognormal, normal


@rule
def work_minutes(p: Any, key: Any, entity: int, segment: int, fit: float) -> int:
    """Minutes of work that onboarding takes: Gamma around the segment's mean, more for an ill-fitting account."""
    shape = p[at.onboarding_hours_shape]
    hours = p[at.onboarding_hours + segment] * gamma(draw(key, purposes.ONBOARDING_HOURS, entity, 0), shape) / shape
    if fit < p[at.onboarding_misfit_below]:
        hours *= 1.0 + p[at.onboarding_misfit_overhead]
    return int(hours * 60.0 + 0.5)


@rule
def work_left(p: Any, key: Any, entity: int, segment: int, fit: float, team: int, start: int) -> int:
    """Minutes of that work still to do; of an account that came before minute 0 a seat has worked on it ever since."""
    whole = work_minutes(p, key, entity, segment, fit)
    return whole if start >= 0 else max(0, whole - int(people.full_pace(p, team) * -start))


@rule
def customer_delay(p: Any, key: Any, entity: int, segment: int, behind_days: float) -> float:
    """Days that the customer itself still needs to reach first value: lognormal, given that more than some are behind.

    With none behind these are all its days. The chance of a longer delay is shared out evenly, computed in the upper
    tail, where it keeps its digits.
    """
    u = draw(key, purposes.CUSTOMER_DELAY, entity, 0)
    median = p[at.onboarding_customer_delay + segment]
    spread = p[at.onboarding_customer_delay_sd + segment]
    if behind_days <= 0.0:
        return lognormal(u, median, spread)
    if spread <= 0.0 or median <= 0.0:
        return max(0.0, median - behind_days)
    longer = 0.5 * math.erfc(math.log(behind_days / median) / spread / math.sqrt(2.0))
    z = -normal(max(1e-300, longer * (1.0 - u)))
    return max(0.0, median * math.exp(spread * z) - behind_days)


@rule
def days_behind(p: Any, key: Any, entity: int, segment: int, fit: float, team: int, start: int) -> float:
    """Days of the customer's own time before minute 0: since it came, or since its work was done if that goes first."""
    if start >= 0:
        return 0.0
    if p[at.onboarding_serial] <= 0.5:
        return -start / DAY
    whole = work_minutes(p, key, entity, segment, fit)
    return max(0, -start - people.service(whole, people.full_pace(p, team))) / DAY


@rule
def delay_left(p: Any, key: Any, entity: int, segment: int, fit: float, team: int, start: int) -> float:
    """Days that the customer itself still needs, given what of its own time lies behind minute 0."""
    return customer_delay(p, key, entity, segment, days_behind(p, key, entity, segment, fit, team, start))


@rule
def reached_before(p: Any, key: Any, entity: int, segment: int, tenure_days: float) -> float:
    """Days to first value of an account of whose onboarding nothing is known; -1 if they exceed its tenure."""
    days = lognormal(
        draw(key, purposes.OPENING_TTV, entity, 0),
        p[at.onboarding_customer_delay + segment],
        p[at.onboarding_customer_delay_sd + segment],
    )
    return days if days <= tenure_days else -1.0


@rule
def first_value_at(p: Any, begun: int, service: int, delay_days: float) -> int:
    """When first value is reached after work begun at a minute: the later of both, or one after the other."""
    delay = minutes(delay_days)
    if p[at.onboarding_serial] > 0.5:
        return begun + service + delay
    return begun + max(service, delay)


@rule
def self_serve_days(p: Any, key: Any, entity: int, segment: int, start: int) -> float:
    """Days that an account still needs to first value without anybody's help; alone since it came."""
    slower = p[at.onboarding_self_serve]
    if slower <= 0.0:
        return 0.0
    return slower * customer_delay(p, key, entity, segment, max(0, -start) / DAY / slower)


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
