"""Touches: the calendars of an account, and campaigns to many."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import shift
from subsim.engine.reference.work import raise_item
from subsim.model import slots as at
from subsim.model.rules import touches
from subsim.model.rules import work as rules
from subsim.model.rules.clock import NEVER, minutes

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.work import WorkItem, WorkType


def _cadence_days(model: Model, account: Account, work: WorkType) -> float:
    return float(model.p[at.touch_cadence + account.tier * at.WORK + work.number])


def start_calendars(model: Model, account: Account, fresh: bool) -> None:
    """Start the tier's calendars that are not running: a cadence from now for a new account, else somewhere in one."""
    for work in model.works:
        if work.role != rules.CALENDAR:
            continue
        cadence = minutes(_cadence_days(model, account, work))
        idle = account.open_items[work.number] is None and account.next_due[work.number] == NEVER
        if cadence > 0 and idle:
            first = model.now + cadence
            if not fresh:
                who, n = account.entity ^ work.key, account.raised[work.number]
                first = rules.first_touch_at(model.key, who, n, model.now, cadence)
            account.next_due[work.number] = first
            model.env.process(calendar(model, account, work))


def resume_calendars(model: Model, account: Account, last_due: Any) -> None:
    """Calendars go on from the last touches of the book; a touch that should have been raised by now waits."""
    for work in model.works:
        cadence = minutes(_cadence_days(model, account, work))
        if work.role != rules.CALENDAR or cadence <= 0:
            continue
        next_at = rules.touch_goes_on(model.p, work.number, cadence, int(last_due[work.number]))
        if next_at <= 0:
            latest = next_at + minutes(model.p[at.work_deadline + work.number])
            item = raise_item(model, account, work, latest, next_at)
            if item is not None:
                model.env.process(calendar(model, account, work, item))
        elif next_at < NEVER:
            account.next_due[work.number] = next_at
            model.env.process(calendar(model, account, work))


def calendar(
    model: Model, account: Account, work: WorkType, item: WorkItem | None = None
) -> Generator[Event, Any, None]:
    """A calendar: a touch falls due, waits, is done or missed; the next is due a cadence after this one was."""
    while True:
        if item is None:
            due = account.next_due[work.number]
            yield model.env.at(due, ev.DUE, model.item_number(account, work))
            if account.next_due[work.number] != model.now or not account.alive:
                return
            account.next_due[work.number] = NEVER
            if _cadence_days(model, account, work) <= 0.0:
                return
            item = raise_item(model, account, work, NEVER, due)
            if item is None:
                return
        item.closed = model.env.event()
        yield item.closed
        cadence = minutes(_cadence_days(model, account, work))
        if cadence <= 0 or not account.alive:
            return
        account.next_due[work.number] = max(item.tag + cadence, model.now)
        item = None


def campaign(model: Model, number: int, entity: Any) -> Generator[Event, Any, None]:
    """A campaign is sent again and again to the accounts of its tiers; some are reached."""
    p, n = model.p, 0
    while True:
        yield model.env.at(model.now + minutes(p[at.campaign_every + number]), ev.CAMPAIGN, number)
        if p[at.campaign_on + number] >= 0.5:
            send(model, number, entity, n)
        n += 1


def send(model: Model, number: int, entity: Any, n: int) -> None:
    """The n-th send of a campaign; the first tier that it addresses carries the cost."""
    p = model.p
    model.record.note(model.now, ev.CAMPAIGN, number, n)
    addressed = [bool(p[at.campaign_tier + tier.number * at.CAMPAIGNS + number] > 0.5) for tier in model.tiers]
    if True in addressed:
        model.record.tier(addressed.index(True), m.R_CAMPAIGN_COST, int(p[at.campaign_cost + number] * 100.0 + 0.5))
    for account in model.accounts:
        if not account.alive or not addressed[account.tier]:
            continue
        if touches.reached(p, model.key, account.entity ^ entity, n, number):
            model.record.note(model.now, ev.L_REACHED, account.number, number, 0, n)
            shift(model, account, p[at.campaign_lift + number] * account.response)
