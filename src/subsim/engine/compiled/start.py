"""The start of a run: what the last one left is cleared, seats are filled, the opening base enters; its cubes."""

from typing import Any

from subsim._jit import inner, word
from subsim.engine import events as ev
from subsim.engine.compiled.entry import compare_alike, open_account
from subsim.engine.compiled.heap import clear_events, push, push_key
from subsim.engine.compiled.people import arrive
from subsim.engine.state import ROOM_BITS
from subsim.model import slots as at
from subsim.model.rules import arrival, people
from subsim.model.rules.clock import NEVER, minutes

_TIME_BITS = word(37)


@inner
def begin(w: Any, s: Any, row: Any, seed: int, run: int) -> None:
    """Set a run to its start."""
    for j in range(row.size):
        s.p[j] = row[j]
    s.key[0] = seed
    s.key[1] = run
    clear(s)
    for month in range(1, w.months.size):
        push_key(s, w.months[month], word(w.months[month]) << _TIME_BITS)
    for r in range(w.levers.size):
        push(w, s, w.levers[r].at, ev.LEVER, r)
    for seat in range(s.seats.size):
        plan_seat(w, s, seat)
    compare_alike(w, s)
    for o in range(w.opening.size):
        open_account(w, s, o)
    for segment in range(w.plan.shape[0]):
        if w.envelope[segment] > 0.0:
            push(w, s, arrival.gap(s.key, w.sources[segment], 0, w.envelope[segment]), ev.ARRIVAL, segment)
    for c in range(w.n_campaigns):
        push(w, s, minutes(s.p[at.campaign_every + c]), ev.CAMPAIGN, c)


@inner
def clear(s: Any) -> None:
    """Empty what a run before has left behind."""
    for j in range(s.count.size):
        s.count[j] = 0
    while 1 << s.count[ROOM_BITS] < s.accounts.size:
        s.count[ROOM_BITS] += 1
    clear_events(s)
    for j in range(s.roots.size):
        s.roots[j] = -1
    for j in range(s.idle_first.size):
        s.idle_first[j] = -1
        s.idle_last[j] = -1
    for j in range(s.sends.size):
        s.sends[j] = 0
    for j in range(3):
        s.mood[j] = 0.0
    for j in range(s.sources.size):
        s.sources[j] = 0
        s.multiplier[j, 0] = -1.0


@inner
def plan_seat(w: Any, s: Any, seat: int) -> None:
    """A seat of the opening team is filled; a hire's comes later."""
    x = s.seats[seat]
    plan = w.seats[seat]
    x.state = 0
    x.serves = -1
    x.incumbent = -1
    x.accounts = 0
    x.no_backfill = 0
    x.leaving = 0
    x.mark = 0
    x.orphans_at = NEVER
    x.arrives_at = NEVER
    x.leaves_at = NEVER
    x.review_at = NEVER
    if plan.arrives_at <= 0:
        arrive(w, s, seat, 0, people.LONG_AGO)
    else:
        x.arrives_at = plan.arrives_at
        push(w, s, plan.arrives_at, ev.SEAT_ARRIVES, seat)


@inner
def zero(s: Any) -> None:
    """Clear the run's cubes."""
    for cube in (s.segments, s.teams, s.tiers):
        for x in range(cube.shape[0]):
            for y in range(cube.shape[1]):
                for z in range(cube.shape[2]):
                    cube[x, y, z] = 0


@inner
def copy(source: Any, target: Any) -> None:
    """Copy a cube."""
    for x in range(source.shape[0]):
        for y in range(source.shape[1]):
            for z in range(source.shape[2]):
                target[x, y, z] = source[x, y, z]
