"""First come, first served: against a heap of the standard library."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from numpy.typing import NDArray

from subsim.calibrate.first_come import begun
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
PACE, PHASE = (1.2, 2.8, 4.0), 45.0


def by_heap(ready: Floats, work: Floats, people: Floats) -> list[float]:
    """Who is free first takes the next piece, unless more of it would lie after leaving than before."""
    free = [tuple(person) for person in people.T.tolist()]
    heapq.heapify(free)
    found = ready.tolist()
    for i, (at, took) in enumerate(zip(ready.tolist(), work.tolist(), strict=True)):
        while free:
            since, arrived, leaves = heapq.heappop(free)
            begin = max(since, at)
            known = begin - arrived
            pace = PACE[0] if known < PHASE else PACE[1] if known < 2 * PHASE else PACE[2]
            if begin + 0.5 * (took / pace) < leaves:
                found[i] = begin
                heapq.heappush(free, (begin + took / pace, arrived, leaves))
                break
    return found


@pytest.mark.parametrize("people", [1, 2, 7, 30])
def test_each_piece_goes_to_whoever_is_free_first(people: int) -> None:
    u = uniform_array(people, np.arange(500)[:, None], Purpose.PARAMETER, name_entity("first come"), np.arange(4)[None])
    ready, work = np.sort(np.floor(600 * u[:, 0])), 16 * people * -np.log(u[:, 1])
    came = np.where(u[:people, 2] < 0.5, 0.0, np.floor(300 * u[:people, 2]))
    leaves = np.where(u[:people, 3] < 0.5, came + 600 * u[:people, 3], np.inf)
    crew = np.array([came, np.where(came == 0, -90.0, came), leaves])
    assert begun(ready, work, crew, PACE, PHASE).tolist() == by_heap(ready, work, crew)


def test_work_begins_when_it_is_ready_where_nobody_is_left() -> None:
    gone = np.array([[0.0], [0.0], [1.0]])
    assert begun(np.array([5.0]), np.array([1.0]), gone, PACE, PHASE).tolist() == [5.0]
    assert begun(np.array([5.0]), np.array([1.0]), np.zeros((3, 0)), PACE, PHASE).tolist() == [5.0]


def test_who_leaves_begins_nothing_that_would_mostly_lie_after_the_leaving() -> None:
    two = np.array([[0.0, 50.0], [-100.0, -100.0], [20.0, np.inf]])
    ready, work = np.array([0.0, 1.0, 2.0]), np.array([76.0, 8.0, 8.0])  # at 4 hours a day 19, 2 and 2 days
    assert begun(ready, work, two, PACE, PHASE).tolist() == [0.0, 50.0, 52.0]
    assert begun(ready[:2], np.array([72.0, 8.0]), two, PACE, PHASE).tolist() == [0.0, 18.0]
