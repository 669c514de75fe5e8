"""Plays whose outcome is open, and campaigns."""

from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.draw import draw
from subsim.random import purposes


@rule
def save_succeeds(p: Any, key: Any, entity: int, n: int) -> bool:
    """Whether the n-th completed save play works."""
    return draw(key, purposes.SAVE, entity, n) < p[at.playbook_save_success]


@rule
def sponsor_recovers(p: Any, key: Any, entity: int, n: int) -> bool:
    """Whether a completed recovery after the n-th loss of a sponsor finds a new one."""
    return draw(key, purposes.SPONSOR_RECOVERS, entity, n) < p[at.sponsor_recovers]


@rule
def reached(p: Any, key: Any, who: int, n: int, campaign: int) -> bool:
    """Whether the n-th send of a campaign reaches an account (``who`` joins both)."""
    return draw(key, purposes.CAMPAIGN_REACH, who, n) < p[at.campaign_reach + campaign]
