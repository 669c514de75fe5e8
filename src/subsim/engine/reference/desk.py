"""Where work waits: a team's pool, or the desk of one of its seats."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subsim.engine.reference.seats import Seat, Team
    from subsim.engine.reference.work import WorkItem


class Desk:
    """A queue in order of rank (priority, due date, time of joining), then of the item's number.

    An item that leaves stays in the heap until it comes to the front: it no longer names this desk as its own.
    """

    __slots__ = ("_heap", "_joined", "seat", "team")

    def __init__(self, team: Team, seat: Seat | None = None) -> None:
        self.team = team
        self.seat = seat
        self._heap: list[tuple[int, int, int, WorkItem]] = []
        self._joined = count()

    def join(self, item: WorkItem) -> None:
        """Put an item into the queue."""
        item.desk = self
        heappush(self._heap, (item.rank, item.number, next(self._joined), item))

    def leave(self, item: WorkItem) -> None:
        """Take an item out of the queue, wherever it stands."""
        item.desk = None

    def first(self) -> WorkItem | None:
        """The item that is served next; None when nothing waits."""
        while self._heap:
            item = self._heap[0][-1]
            if item.desk is self:
                return item
            heappop(self._heap)
        return None
