"""Idle seats of a team in a list, the longest idle first, so that handing out work need not look at busy ones.

Seats idle since the same minute stand in the order of their numbers.
"""

from typing import Any

from subsim._jit import inner


@inner
def stand_by(s: Any, seat: int, t: int) -> None:
    """A seat becomes idle now: it goes to the end of its team's list."""
    x = s.seats[seat]
    x.state = 1
    x.idle_since = t
    before = s.idle_last[x.team]
    while before >= 0 and before > seat and s.seats[before].idle_since == t:
        before = s.seats[before].idle_before
    x.idle_before = before
    if before >= 0:
        x.idle_after = s.seats[before].idle_after
        s.seats[before].idle_after = seat
    else:
        x.idle_after = s.idle_first[x.team]
        s.idle_first[x.team] = seat
    if x.idle_after >= 0:
        s.seats[x.idle_after].idle_before = seat
    else:
        s.idle_last[x.team] = seat


@inner
def stand_down(s: Any, seat: int) -> None:
    """An idle seat leaves the list."""
    x = s.seats[seat]
    if x.idle_before >= 0:
        s.seats[x.idle_before].idle_after = x.idle_after
    else:
        s.idle_first[x.team] = x.idle_after
    if x.idle_after >= 0:
        s.seats[x.idle_after].idle_before = x.idle_before
    else:
        s.idle_last[x.team] = x.idle_before
