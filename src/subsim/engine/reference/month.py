"""Month ends: levels, cohorts of twelve months ago, costs."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import engagement_now
from subsim.engine.reference.people import book_time
from subsim.engine.reference.work import waiting_at
from subsim.model import slots as at
from subsim.model.rules.clock import YEAR

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.seats import Team


def month_ends(model: Model) -> Generator[Event, Any, None]:
    """Every month is closed at the midnight that begins the next; the run ends with the last."""
    for begins in model.world.months[1:]:
        yield model.env.at(int(begins), ev.MONTH_END, 0)
        close_month(model)
        model.record.month += 1


def close_month(model: Model) -> None:
    """Write the month's levels."""
    record, world, month = model.record, model.world, model.record.month
    window = int(world.months[month - 11]) if month >= 11 else -1
    ago = 11 - month
    if ago > 0:
        for segment in range(len(world.plan)):
            record.segment(segment, m.S_TTM_OPENING, world.lost_history[segment, ago])
            record.segment(segment, m.S_TTM_LOGOS_OPENING, world.lost_logos[segment, ago])
    for account in model.accounts:
        close_cohort(model, account, window)
        if account.alive:
            close_account(model, account)
    for team in model.teams:
        close_team(model, team)


def close_cohort(model: Model, account: Account, window: int) -> None:
    """Trailing twelve months: what the accounts of a year ago paid then and pay now; one lost in between counts 0."""
    record, segment, month = model.record, account.segment, model.record.month
    then = account.history[month % 12]
    account.history[month % 12] = account.arr
    if then <= 0:
        return
    record.segment(segment, m.S_TTM_OPENING, then)
    record.segment(segment, m.S_TTM_LOGOS_OPENING)
    if account.alive and account.lost_at < window:
        record.segment(segment, m.S_TTM_KEPT, min(then, account.arr))
        record.segment(segment, m.S_TTM_NET, account.arr)
        record.segment(segment, m.S_TTM_LOGOS_KEPT)


def close_account(model: Model, account: Account) -> None:
    """Levels of a live account."""
    record, segment = model.record, account.segment
    record.segment(segment, m.S_ARR, account.arr)
    record.segment(segment, m.S_LOGOS)
    record.segment(segment, m.S_IN_ONBOARDING, account.stage == ev.ONBOARDING)
    if account.band >= 0:
        record.segment(segment, m.S_SCORE_RED + account.band)
    record.segment(segment, m.S_ADVOCATES, account.advocate)
    record.segment(segment, m.S_WITHOUT_SPONSOR, not account.sponsor)
    record.segment(segment, m.S_ENGAGEMENT_MILLI, math.floor(engagement_now(model, account) * 1000.0 + 0.5))
    record.tier(account.tier, m.R_ACCOUNTS)
    record.tier(account.tier, m.R_ARR, account.arr)
    if account.owner is not None:
        record.team(account.owner.team.number, m.T_ACCOUNTS)
        record.team(account.owner.team.number, m.T_ARR_OWNED, account.arr)
    backlog(model, account)


def backlog(model: Model, account: Account) -> None:
    """Waiting items of an account by team, and its ARR once for each team it waits for."""
    waits_for = [waiting_at(item).team.number for item in account.open_items if item is not None and item.waits]
    for team in waits_for:
        model.record.team(team, m.T_BACKLOG_ITEMS)
    for team in set(waits_for):
        model.record.team(team, m.T_BACKLOG_ARR, account.arr)


def close_team(model: Model, team: Team) -> None:
    """Time up to now, seats filled, and what the team's time has cost."""
    for seat in team.seats:
        book_time(model, seat)
        model.record.team(team.number, m.T_SEATS, seat.filled)
    if team.number < len(model.record.teams[0]):
        cents = model.p[at.seat_cost + team.number] * 100.0
        minutes = int(model.record.teams[model.record.month, team.number, m.T_AVAILABLE_MINUTES])
        model.record.team(team.number, m.T_COST, int(minutes * cents / YEAR + 0.5))
