"""Where work items are: those of one type lie together, each account's at its place among them.

Nearly all that happens concerns a few types of work, so what is touched stays close together in memory. There is room
for a power of two of accounts, so that taking a place apart needs no division. Events name an item by a number that
goes by account and then type, which is their order within a minute.
"""

from typing import Any

from subsim._jit import inner
from subsim.engine.state import ROOM_BITS
from subsim.model.slots import WORK


@inner
def item_of(s: Any, i: int, work: int) -> int:
    """The item of an account for a type of work."""
    return (work << s.count[ROOM_BITS]) | i


@inner
def account_of(s: Any, x: int) -> int:
    """The account of an item."""
    return x & (s.accounts.size - 1)


@inner
def work_of(s: Any, x: int) -> int:
    """The type of work of an item."""
    return x >> s.count[ROOM_BITS]


@inner
def number_of(s: Any, x: int) -> int:
    """What events call an item."""
    return account_of(s, x) * WORK + work_of(s, x)


@inner
def numbered(s: Any, number: int) -> int:
    """The item that an event means."""
    return item_of(s, number // WORK, number % WORK)
