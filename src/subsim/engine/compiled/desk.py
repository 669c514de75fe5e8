"""Queues of work items: skew heaps whose links lie in the items, so any item can leave from anywhere.

A desk is a team's pool (its number) or a seat's own queue (TEAMS + seat). Order: rank (priority, due date, joining),
then account and work type.
"""

from typing import Any

from subsim._jit import inner
from subsim.engine.compiled.item import account_of


@inner
def precedes(s: Any, x: int, y: int) -> bool:
    """Whether item x comes before item y."""
    rank_x, rank_y = s.items[x].rank, s.items[y].rank
    if rank_x != rank_y:
        return rank_x < rank_y
    i, j = account_of(s, x), account_of(s, y)
    return i < j or (i == j and x < y)


@inner
def _merge(s: Any, a: int, b: int) -> int:
    """Merge two heaps by their roots (-1: empty); children swap along the path, which keeps it short on average."""
    if a < 0:
        return b
    if b < 0:
        return a
    if precedes(s, b, a):
        a, b = b, a
    root = a
    while True:
        right = s.items[a].right
        s.items[a].right = s.items[a].left
        if right >= 0 and precedes(s, b, right):
            right, b = b, right
        if right < 0:
            s.items[a].left = b
            s.items[b].parent = a
            break
        s.items[a].left = right
        s.items[right].parent = a
        a = right
    return root


@inner
def join(s: Any, desk: int, x: int) -> None:
    """Put an item into a desk's queue."""
    item = s.items[x]
    item.left = -1
    item.right = -1
    item.desk = desk
    s.waiting[account_of(s, x)] += 1
    root = _merge(s, s.roots[desk], x)
    s.roots[desk] = root
    s.items[root].parent = -1


@inner
def leave(s: Any, x: int) -> None:
    """Take an item out of its desk's queue, wherever it stands."""
    item = s.items[x]
    rest = _merge(s, item.left, item.right)
    parent = item.parent
    if rest >= 0:
        s.items[rest].parent = parent
    if parent < 0:
        s.roots[item.desk] = rest
    elif s.items[parent].left == x:
        s.items[parent].left = rest
    else:
        s.items[parent].right = rest
    item.desk = -1
    s.waiting[account_of(s, x)] -= 1
