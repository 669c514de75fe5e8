"""People: hours, ramp, leaving, and knowing the account."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import DAY, YEAR

#: Utilisation from which load may raise the rate of leaving.
BUSY = 0.85
#: Since when a seat of the opening team has been filled: long enough to be ramped.
LONG_AGO = -20 * YEAR


@rule
def ramp(p: Any, since: int, now: int, phase: int) -> float:
    """Share of full hours of somebody who came at ``since``; two phases of ``phase`` minutes, then 1."""
    if now - since < phase:
        return p[at.seat_ramp_early]
    return p[at.seat_ramp_late] if now - since < 2 * phase else 1.0


@rule
def pace(p: Any, team: int, since: int, now: int, phase: int) -> float:
    """Minutes of work done per minute of the calendar: effective hours a year x tooling x ramp."""
    hours = p[at.seat_effective_hours + team] * p[at.seat_hours_factor + team] * ramp(p, since, now, phase)
    return hours * 60.0 / YEAR


@rule
def full_pace(p: Any, team: int) -> float:
    """Pace of somebody who is ramped."""
    return p[at.seat_effective_hours + team] * p[at.seat_hours_factor + team] * 60.0 / YEAR


@rule
def service(work_minutes: int, pace_now: float) -> int:
    """Calendar minutes that work takes at a pace (at least one)."""
    return max(1, int(work_minutes / pace_now + 0.5))


@rule
def leave_rate(p: Any, team: int, utilisation: float, overtime_share: float) -> float:
    """Rate of leaving per year; load above 85 % and overtime may raise it."""
    load = p[at.seat_leave_load] * max(0.0, utilisation - BUSY) + p[at.overtime_attrition] * overtime_share
    return p[at.seat_leave_rate + team] * math.exp(load)


@rule
def continuity(p: Any, since: int, now: int) -> float:
    """Multiplier on lift from the same person's time with the account: 1 + c_max (1 - exp(-t / tau))."""
    days = max(0, now - since) / DAY
    return 1.0 + p[at.continuity_ceiling] * (1.0 - math.exp(-days / p[at.continuity_days]))
