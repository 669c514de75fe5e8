"""SimPy with a total order of events: time, kind, number; never the order in which they were scheduled."""

from heapq import heappush
from typing import Any

from simpy import Environment
from simpy.events import Event

from subsim.engine.events import MONTH_END

_DOMAIN = 2  # after SimPy's own priorities, URGENT (0) and NORMAL (1)


class KeyedEnvironment(Environment):
    """A SimPy environment of whole minutes whose domain events are their key.

    SimPy's own events (a process starts, resumes, a timeout of a user's process ends) come before the domain events of
    their minute, in the order in which they were scheduled. So everything that a domain event sets in motion has come
    to rest before the next one.

    >>> env = KeyedEnvironment(horizon=100)
    >>> order = []
    >>> def waits(kind):
    ...     yield env.at(5, kind, 0)
    ...     order.append((env.minute, kind))
    >>> _ = env.process(waits(8)), env.process(waits(3))
    >>> env.run()
    >>> order
    [(5, 3), (5, 8)]
    """

    def __init__(self, horizon: int) -> None:
        super().__init__(initial_time=0)
        self.horizon = horizon

    @property
    def minute(self) -> int:
        """Minutes since the scenario's start."""
        return int(self._now)

    def at(self, t: int, kind: int, number: int) -> Event:
        """The domain event of that kind and number at minute t; at or past the horizon only the last month ends."""
        event = Event(self)
        event._ok = True
        event._value = None
        if t < self.horizon or kind == MONTH_END:
            entry: Any = (t, _DOMAIN, (kind, number, next(self._eid)), event)
            heappush(self._queue, entry)
        return event
