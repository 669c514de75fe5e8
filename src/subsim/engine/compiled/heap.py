"""The event list: packed keys, time (27 bits) | kind (5) | number (32), in buckets of 64 minutes.

Only the bucket of the present is a heap; later buckets are unordered chains, so adding an event costs the same
however many are pending.
"""

from typing import Any

import numpy as np

from subsim._jit import inner, word
from subsim.engine.compiled.item import numbered
from subsim.engine.events import DEADLINE, DISPATCH, HEAP_FULL
from subsim.engine.state import ASKED, ASKED_AT, BUCKET, BUCKET_BITS, FREE, N_EVENTS, N_LATER, N_NOW, STATUS

_TIME_BITS = word(37)
_KIND_BITS = word(32)
_KIND_MASK = word(31)
_NUMBER_MASK = word((1 << 32) - 1)


@inner
def _sift_up(now: Any, n: int, key: int) -> None:
    """Put a key into the heap of n keys."""
    while n > 0:
        up = (n - 1) >> 1
        if now[up] <= key:
            break
        now[n] = now[up]
        n = up
    now[n] = key


@inner
def _sift_down(now: Any, n: int, key: int) -> None:
    """Put a key into the heap of n keys whose top has been taken."""
    hole = 0
    child = 1
    while child < n:
        if child + 1 < n and now[child + 1] < now[child]:
            child += 1
        if now[child] >= key:
            break
        now[hole] = now[child]
        hole = child
        child = 2 * hole + 1
    now[hole] = key


@inner
def _enter(s: Any, key: int) -> None:
    """Put a key into the heap of the present; where that is full the run ends with a status."""
    n = s.count[N_NOW]
    if n >= s.now.size:
        s.count[STATUS] = HEAP_FULL
    else:
        s.count[N_NOW] = n + 1
        _sift_up(s.now, n, key)


@inner
def push_key(s: Any, t: int, key: int) -> None:
    """Add a packed event at minute t."""
    count = s.count
    bucket = t >> BUCKET_BITS
    if bucket <= count[BUCKET]:
        _enter(s, key)
    else:
        x = count[FREE]
        if x >= 0:
            count[FREE] = s.later[x].after
        else:
            x = count[N_LATER]
            if x >= s.later.size:
                count[STATUS] = HEAP_FULL
                return
            count[N_LATER] = x + 1
        event = s.later[x]
        event.key = key
        event.after = s.buckets[bucket]
        s.buckets[bucket] = x
    count[N_EVENTS] += 1


@inner
def push(w: Any, s: Any, t: int, kind: int, number: int) -> None:
    """Schedule an event; what lies at or past the horizon never happens."""
    if t < w.months[w.months.size - 1]:
        push_key(s, t, (word(t) << _TIME_BITS) | (word(kind) << _KIND_BITS) | word(number))


@inner
def push_dispatch(s: Any, t: int, team: int) -> None:
    """Schedule a team's dispatch at the end of this minute, once; a bit is enough, as time does not pass it by."""
    if not (s.count[ASKED] >> team) & 1:
        s.count[ASKED] |= 1 << team
        s.count[ASKED_AT] = t
        s.count[N_EVENTS] += 1


@inner
def _pop_dispatch(s: Any) -> int:
    team = 0
    while not (s.count[ASKED] >> team) & 1:
        team += 1
    s.count[ASKED] ^= 1 << team
    s.count[N_EVENTS] -= 1
    return (word(s.count[ASKED_AT]) << _TIME_BITS) | (word(DISPATCH) << _KIND_BITS) | word(team)


@inner
def _is_over(s: Any, key: int) -> bool:
    """Whether an event is the deadline of an item that no longer waits: most deadlines are, and need no place."""
    if (key >> _KIND_BITS) & _KIND_MASK != word(DEADLINE):
        return False
    number: Any = np.int64(key & _NUMBER_MASK)
    over: bool = s.items[numbered(s, number)].state != 1
    return over


@inner
def _open_bucket(s: Any) -> None:
    """Move to the next bucket that holds events."""
    count = s.count
    while count[N_NOW] == 0:
        bucket = count[BUCKET] + 1
        count[BUCKET] = bucket
        x = s.buckets[bucket]
        s.buckets[bucket] = -1
        while x >= 0:
            event = s.later[x]
            key = event.key
            if _is_over(s, key):
                count[N_EVENTS] -= 1
            else:
                _enter(s, key)
            after = event.after
            event.after = count[FREE]
            count[FREE] = x
            x = after


@inner
def pop(s: Any) -> int:
    """Take the next event's key; there must be one."""
    count = s.count
    if count[N_NOW] == 0:
        _open_bucket(s)
    now = s.now
    top = now[0]
    if count[ASKED] != 0 and (top >> _TIME_BITS) > word(count[ASKED_AT]):
        return _pop_dispatch(s)
    n = count[N_NOW] - 1
    count[N_NOW] = n
    count[N_EVENTS] -= 1
    if n > 0:
        _sift_down(now, n, now[n])
    return top


@inner
def clear_events(s: Any) -> None:
    """Empty the event list."""
    for b in range(s.buckets.size):
        s.buckets[b] = -1
    s.count[BUCKET] = 0
    s.count[FREE] = -1
    s.count[N_LATER] = 0
    s.count[N_NOW] = 0
    s.count[N_EVENTS] = 0
    s.count[ASKED] = 0
