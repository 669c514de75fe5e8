"""The monthly review of an account: usage has moved, the score is read, signals raise plays, risks look ahead."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine.reference.account import engage
from subsim.engine.reference.lifecycle import play, reroute
from subsim.model import slots as at
from subsim.model.rules import engagement, work
from subsim.model.rules.clock import DAY, MONTH

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model


def reviews(model: Model, account: Account) -> Generator[Event, Any, None]:
    """The reviews in one life of an account; after each its risks look ahead to the next."""
    life = account.lives
    while True:
        yield model.env.at(account.review_at, ev.REVIEW, account.number)
        if not account.lives_on(life):
            return
        review(model, account)
        account.review_at = model.now + MONTH
        account.reviewed.succeed()
        account.reviewed = model.env.event()


def review(model: Model, account: Account) -> None:
    """One review."""
    p, key = model.p, model.key
    n = account.reviews
    account.reviews = n + 1
    engage(model, account)
    account.rest = engagement.rest(p, account.segment, account.fit, account.ttv_days)
    account.engagement += engagement.monthly_movement(p, key, account.entity, n)
    account.score = engagement.score(p, key, account.entity, n, account.engagement)
    account.band = engagement.band(p, account.score)
    model.record.note(model.now, ev.REVIEW, account.number, account.band, int(account.score * 1e6), n)
    inactive = bool(account.score < p[at.score_inactive])
    if account.band == engagement.RED:
        play(model, account, work.SAVE, tag=n)
    elif inactive and account.inactive:
        play(model, account, work.OUTREACH, tag=n)
    account.inactive = inactive
    advocacy(model, account)
    reroute(model, account)


def advocacy(model: Model, account: Account) -> None:
    """An adopted account above the advocate's level for long enough is one; below it no longer."""
    p, now = model.p, model.now
    if account.engagement <= p[at.advocacy_level] or account.stage != ev.ADOPTED:
        account.advocate_level_since = -1
        account.advocate = False
        return
    if account.advocate_level_since < 0:
        account.advocate_level_since = now
    if not account.advocate and now - account.advocate_level_since >= p[at.advocacy_days] * DAY:
        account.advocate = True
        model.record.note(now, ev.L_ADVOCATE, account.number)
