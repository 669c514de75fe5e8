"""The event list: a binary heap of packed keys, time (27 bits) | kind (5) | number (32)."""

from typing import Any

from subsim._jit import inner, word
from subsim.engine.events import HEAP_FULL
from subsim.engine.state import N_EVENTS, STATUS

_TIME_BITS = word(37)
_KIND_BITS = word(32)


@inner
def push_key(s: Any, key: int) -> None:
    """Add a packed event."""
    n = s.count[N_EVENTS]
    if n >= s.events.size:
        s.count[STATUS] = HEAP_FULL
        return
    s.count[N_EVENTS] = n + 1
    while n > 0:
        up = (n - 1) >> 1
        if s.events[up] <= key:
            break
        s.events[n] = s.events[up]
        n = up
    s.events[n] = key


@inner
def push(w: Any, s: Any, t: int, kind: int, number: int) -> None:
    """Schedule an event; what lies at or past the horizon never happens."""
    if t < w.months[w.months.size - 1]:
        push_key(s, (word(t) << _TIME_BITS) | (word(kind) << _KIND_BITS) | word(number))


@inner
def pop(s: Any) -> int:
    """Take the next event's key."""
    top = s.events[0]
    n = s.count[N_EVENTS] - 1
    s.count[N_EVENTS] = n
    if n > 0:
        last = s.events[n]
        hole = 0
        child = 1
        while child < n:
            if child + 1 < n and s.events[child + 1] < s.events[child]:
                child += 1
            if s.events[child] >= last:
                break
            s.events[hole] = s.events[child]
            hole = child
            child = 2 * hole + 1
        s.events[hole] = last
    return top  # type: ignore[no-any-return]
