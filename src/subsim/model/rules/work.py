"""Work items: how much they take, when they lapse, and who comes first."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import NEVER, minutes
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.quantiles import exponential, log_gamma, weibull

WAIT, EXPIRE, SQUEEZE, OVERTIME = range(4)
#: Work types with a meaning of their own; all others are touches of a calendar.
ROLES: tuple[str, ...] = (
    "calendar",
    "onboarding",
    "handoff",
    "renewal_prep",
    "save",
    "rescue",
    "sponsor_recovery",
    "expansion",
    "reactivation_outreach",
    "late_invoice",
    "ticket",
)
CALENDAR, ONBOARDING, HANDOFF, PREP, SAVE, RESCUE, SPONSOR, EXPANSION, OUTREACH, INVOICE, TICKET = range(11)

_DUE_BITS, _JOIN_BITS = 27, 27


@rule
def policy(p: Any, work: int) -> int:
    """The overload policy of a work type: WAIT, EXPIRE, SQUEEZE or OVERTIME."""
    return int(p[at.work_overload + work])


@rule
def scale_of_mean(shape: float) -> float:
    """Scale of a Weibull law over its mean, 1 / Gamma(1 + 1 / shape)."""
    return math.exp(-log_gamma(1.0 + 1.0 / shape))


@rule
def item_minutes(p: Any, key: Any, who: int, n: int, work: int, scale: float) -> int:
    """Minutes of the n-th item of a type for an account (``who`` joins both): Weibull around the type's mean.

    ``scale`` is `scale_of_mean` of the type's shape, which an engine need not compute for every item.
    """
    u = draw(key, purposes.WORK_HOURS, who, n)
    return int(weibull(u, p[at.work_hours_shape + work], p[at.work_hours + work] * scale) * 60.0 + 0.5)


@rule
def due(p: Any, now: int, work: int) -> int:
    """The date by which an item raised now should be done; it also orders items of the same priority."""
    return now + minutes(p[at.work_deadline + work])


@rule
def lapses(p: Any, key: Any, who: int, n: int, work: int, now: int, due_at: int) -> int:
    """When the item lapses if nobody has begun it: its due date, or an exponential time with that mean."""
    if p[at.work_patience_exponential + work] > 0.5:
        days = p[at.work_deadline + work] * exponential(draw(key, purposes.WORK_PATIENCE, who, n))
        return now + max(1, minutes(days))
    return due_at


@rule
def rank(p: Any, work: int, tier: int, due_at: int, now: int) -> int:
    """Place in a queue as one integer: priority (with the tier's), then due date, then time of joining."""
    priority = int(p[at.work_priority + work] + p[at.coverage_priority + tier])
    priority = min(max(priority, 0), 255)
    return (((priority << _DUE_BITS) | min(due_at, NEVER - 1)) << _JOIN_BITS) | now


@rule
def squeezed_minutes(p: Any, work_minutes: int) -> int:
    """Minutes of an item done in a hurry."""
    return int(work_minutes * p[at.work_squeeze_hours] + 0.5)


@rule
def first_touch_at(key: Any, who: int, n: int, start: int, cadence: int) -> int:
    """First touch of a calendar that begins now for an account already on board: somewhere in one cadence."""
    return start + 1 + int(draw(key, purposes.TOUCH_OFFSET, who, n) * cadence)


@rule
def touch_goes_on(p: Any, work: int, cadence: int, last_due: int) -> int:
    """When a calendar's next touch is raised, given when the last one was due: a cadence after that one was raised.

    At or before minute 0 it waits by then. NEVER where nothing is known, or no touch has been due for so long that the
    next one would have been, too.
    """
    if last_due == NEVER or last_due + cadence <= 0:
        return NEVER
    return last_due - minutes(p[at.work_deadline + work]) + cadence
