"""First come, first served: when people who come, ramp up and leave begin each piece of work."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from subsim._jit import inner, rule

Floats = NDArray[np.float64]


def begun(ready: Floats, work: Floats, people: Floats, pace: tuple[float, float, float], phase: float) -> Floats:
    """The moment at which each piece of work is begun; that at which it was ready where nobody is left.

    Args:
        ready: when each could begin, in rising order.
        work: hours of each.
        people: [3, people] free from, arrived, leaves. Who leaves has finished what was in hand, so nobody begins work
            of which more would lie after the leaving than before it; half of it, as hours and days are not exact.
        pace: hours in a day in the first and the second phase after arrival, and from then on.
        phase: length of a phase.

    >>> one = np.array([[0.0], [-100.0], [np.inf]])
    >>> begun(np.array([1.0, 2.0]), np.array([20.0, 20.0]), one, (2.0, 3.0, 4.0), 30.0).tolist()
    [1.0, 6.0]
    """
    queue = np.ascontiguousarray(people[:, np.lexsort(people[::-1])], float)
    found = np.array(ready, float)
    early, late, full = pace
    _serve(found, np.ascontiguousarray(work, float), queue, float(early), float(late), float(full), float(phase))
    return found


@inner
def _sooner(queue: Any, a: int, b: int) -> bool:
    """Whether place a of the queue is free before b; at the same time who arrived first, then who leaves first."""
    for row in range(3):
        if queue[row, a] != queue[row, b]:
            return bool(queue[row, a] < queue[row, b])
    return False


@inner
def _sink(queue: Any, size: int) -> None:
    """Bring the first of a heap to its place."""
    at = 0
    while True:
        least = at
        for child in range(2 * at + 1, min(2 * at + 3, size)):
            if _sooner(queue, child, least):
                least = child
        if least == at:
            return
        for row in range(3):
            queue[row, at], queue[row, least] = queue[row, least], queue[row, at]
        at = least


@rule
def _serve(begin: Any, work: Any, queue: Any, early: float, late: float, full: float, phase: float) -> None:
    """Each piece in turn goes to whoever is free first; `queue` is a heap, sorted at first."""
    size = queue.shape[1]
    for i in range(begin.shape[0]):
        while size > 0:
            at = max(queue[0, 0], begin[i])
            known = at - queue[1, 0]
            pace = early if known < phase else (late if known < 2.0 * phase else full)
            days = work[i] / pace
            if at + 0.5 * days < queue[2, 0]:
                begin[i] = at
                queue[0, 0] = at + days
                _sink(queue, size)
                break
            size -= 1
            for row in range(3):
                queue[row, 0] = queue[row, size]
            _sink(queue, size)
