"""The sponsor: how often accounts have none, and whether one of the opening base has one."""

from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.draw import draw
from subsim.random import purposes


@rule
def share_without(p: Any, segment: int) -> float:
    """Long-run share of time without a sponsor: leaves / (returns + leaves)."""
    leaves = p[at.sponsor_leave_rate + segment]
    return leaves / (p[at.sponsor_returns] + leaves) if leaves > 0.0 else 0.0


@rule
def present_at_start(p: Any, key: Any, entity: int, segment: int, known: int) -> int:
    """What the book knows; else 1 with the long-run share that have a sponsor: returns / (returns + leaves)."""
    if known >= 0:
        return known
    returns = p[at.sponsor_returns]
    leaves = p[at.sponsor_leave_rate + segment]
    if leaves <= 0.0:
        return 1
    return 1 if draw(key, purposes.OPENING_SPONSOR, entity, 0) * (returns + leaves) < returns else 0
