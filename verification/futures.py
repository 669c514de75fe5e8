"""Many futures of one company: the same history to its last minute, then other luck, with and without a decision.

A run is stopped at the end of its history and copied; each copy goes on with random numbers of its own. What hides in
the accounts, in queues and in people's heads is therefore as it truly was, which no book shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from subsim._jit import inner, rule, word
from subsim.engine import Setup
from subsim.engine import events as ev
from subsim.engine.compiled.heap import pop, push_key
from subsim.engine.compiled.loop import handle
from subsim.engine.compiled.month import close_month
from subsim.engine.compiled.start import begin, zero
from subsim.engine.frame import frame
from subsim.engine.run import _enlarge, _state
from subsim.engine.state import N_ACCOUNTS, N_EVENTS, STATUS, State
from subsim.model.rules import risk
from subsim.model.rules.clock import NEVER
from subsim.random import purposes
from subsim.random.entities import account_entity, person_entity

Ints = NDArray[np.int64]
BEGIN, GO_ON, GO_ON_ANEW = 0, 1, 2
_TIME_BITS = word(37)
_KIND_BITS = word(32)
_KIND_MASK = word(31)
_NUMBER_MASK = word((1 << 32) - 1)
_SCHEDULED = 1e299  # thresholds above it stand for an event that is scheduled already


@inner
def forget(s: Any) -> None:
    """Draw anew how long everything that comes at a rate still takes: it has no memory, so this is luck, not state."""
    for i in range(s.count[N_ACCOUNTS]):
        for which in range(risk.RISKS):
            if s.pending[i, which] == NEVER:
                s.spells[i, which] = 0
                s.left[i, which] = risk.threshold(s.key, risk.purpose_of(which), s.accounts[i].entity, 0)
    for seat in range(s.seats.size):
        x = s.seats[seat]
        if x.state > 0 and x.threshold < _SCHEDULED:
            who = person_entity(x.team_key, x.number, x.incumbent)
            x.threshold = risk.threshold(s.key, purposes.SEAT_LEAVES, who, 0)


@rule
def advance(w: Any, s: Any, row: Any, seed: Any, run: Any, how: int, until: int) -> int:
    """Handle all events before a minute, from the beginning or from where the state is; gives the status."""
    if how == BEGIN:
        zero(s)
        begin(w, s, row, seed, run)
    else:
        s.key[0] = seed
        s.key[1] = run
        if how == GO_ON_ANEW:
            forget(s)
    while s.count[N_EVENTS] > 0 and s.count[STATUS] == ev.OK:
        key: Any = pop(s)
        t: Any = np.int64(key >> _TIME_BITS)
        if t >= until:
            push_key(s, t, key)
            break
        kind: Any = np.int64((key >> _KIND_BITS) & _KIND_MASK)
        if kind == ev.MONTH_END:
            close_month(w, s, t)
        else:
            number: Any = np.int64(key & _NUMBER_MASK)
            handle(w, s, t, kind, number)
    return int(s.count[STATUS])


def futures(setup: Setup, history: int, *, seed: int, luck: int, count: int) -> Ints:
    """Counters of the segments in all months: int64[count, months, segments, metrics]; the first `history` are shared.

    The history is that of draw 0 under `seed`. Future j has the luck of run j under the seed `luck`: the same in every
    set-up that shares the history, so that decisions are compared in pairs; and, as accounts and leads then go by the
    names that the book gives them, much of the luck that a run of the product from that book has in draw j.
    """
    begins, ends = int(setup.world.months[history]), int(setup.world.months[-1]) + 1
    state = _state(setup)
    while True:
        known = _history(setup, state, seed, begins)
        found: list[Ints] = []
        while known is not None and len(found) < count and _future(setup, state, known, luck, len(found), ends):
            found.append(state.segments.copy())
        if len(found) == count:
            return np.array(found)
        state = _enlarge(setup, state)


def _history(setup: Setup, state: State, seed: int, until: int) -> State | None:
    """A copy of the state when the history ends; None where the arrays are too small."""
    if _advance(setup, state, seed, 0, BEGIN, until) != ev.OK:
        return None
    known = State(*(array.copy() for array in state))
    known.accounts["entity"] = [account_entity(f"D{i + 1:04d}") for i in range(known.accounts.size)]
    known.accounts["reviews"] = 0
    known.sources[:] = 0
    return known


def _future(setup: Setup, state: State, known: State, luck: int, run: int, until: int) -> bool:
    """Go on from the end of the history; False where the arrays are too small."""
    for array, value in zip(state, known, strict=True):
        array[...] = value
    return _advance(setup, state, luck, run, GO_ON_ANEW, until) == ev.OK


def _advance(setup: Setup, state: State, seed: int, run: int, how: int, until: int) -> int:
    key = np.uint64(seed), np.int64(run)
    return int(advance(frame(setup.world), frame(state), setup.parameters[0], *key, how, until))
