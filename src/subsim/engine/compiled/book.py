"""Bookkeeping of a run: counters of the month, and the trace."""

from typing import Any

from subsim._jit import inner
from subsim.engine.events import LOG_FULL
from subsim.engine.state import MONTH, N_LOG, STATUS


@inner
def by_segment(s: Any, segment: int, metric: int, amount: int) -> None:
    """Add to a segment's counter of the month."""
    s.segments[s.count[MONTH], segment, metric] += amount


@inner
def by_team(s: Any, team: int, metric: int, amount: int) -> None:
    """Add to a team's counter of the month."""
    s.teams[s.count[MONTH], team, metric] += amount


@inner
def by_tier(s: Any, tier: int, metric: int, amount: int) -> None:
    """Add to a tier's counter of the month."""
    s.tiers[s.count[MONTH], tier, metric] += amount


@inner
def note(s: Any, t: int, code: int, who: int, other: int, before: int, after: int) -> None:
    """Write a line of the trace, when there is one."""
    if s.log.size == 0:
        return
    n = s.count[N_LOG]
    if n >= s.log.size:
        s.count[STATUS] = LOG_FULL
        return
    line = s.log[n]
    line.minute = t
    line.code = code
    line.who = who
    line.other = other
    line.before = before
    line.after = after
    s.count[N_LOG] = n + 1
