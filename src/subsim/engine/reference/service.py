"""Serving work: seats take the next item and finish it, or it lapses; and what either does to the account."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import shift
from subsim.engine.reference.lifecycle import begin_spell, expand
from subsim.engine.reference.onboarding import onboard_alone, plan_value
from subsim.engine.reference.people import book_time, vacate
from subsim.engine.reference.work import SQUEEZED, ask_dispatch, waiting_at
from subsim.model import slots as at
from subsim.model.rules import expansion, people, risk, tickets, touches
from subsim.model.rules import work as rules
from subsim.model.rules.clock import NEVER, minutes

if TYPE_CHECKING:
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.seats import Seat, Team
    from subsim.engine.reference.work import WorkItem


def team_work(model: Model, team: Team) -> Generator[Event, Any, None]:
    """A team hands out its idle seats at the end of every minute in which somebody asked."""
    while True:
        yield team.called
        team.called = model.env.event()
        yield model.env.at(model.now, ev.DISPATCH, team.number)
        team.dispatch_at = NEVER
        hand_out(model, team)


def hand_out(model: Model, team: Team) -> None:
    """Give waiting items to idle seats, the longest idle first."""
    while True:
        idle = [seat for seat in team.seats if seat.filled and seat.item is None]
        ready = [(seat, item) for seat in idle if (item := seat.next_item()) is not None]
        if not ready:
            return
        seat, item = min(ready, key=lambda pair: pair[0].idle_since)
        begin(model, seat, item)


def _pace(model: Model, seat: Seat) -> float:
    """Minutes of work a seat does per minute now."""
    team = seat.team.number
    phase = seat.phase if seat.phase >= 0 else minutes(model.p[at.seat_ramp_days + team])
    return people.pace(model.p, team, seat.since, model.now, phase)


def begin(model: Model, seat: Seat, item: WorkItem) -> None:
    """A seat begins an item."""
    record, team, now = model.record, seat.team.number, model.now
    waiting_at(item).leave(item)
    book_time(model, seat)
    seat.item = item
    if rules.policy(model.p, item.work.number) == rules.SQUEEZE and now > item.lapses:
        short = rules.squeezed_minutes(model.p, item.minutes)
        record.team(team, m.T_MINUTES_CANCELLED, item.minutes - short)
        item.minutes = short
        item.lapses = SQUEEZED
    lasts = people.service(item.minutes, _pace(model, seat))
    record.team(team, m.T_ITEMS_STARTED)
    record.team(team, m.T_WAIT_MINUTES, now - item.raised)
    if now > item.raised:
        record.team(team, m.T_ITEMS_WAITED)
    record.note(now, ev.L_BEGUN, item.account.number, item.work.number, seat.index, now - item.raised)
    model.env.process(serve(model, seat, item, now + lasts))
    if item.work.role == rules.ONBOARDING:
        plan_value(model, item.account, seat.team.number, lasts)


def serve(model: Model, seat: Seat, item: WorkItem, until: int) -> Generator[Event, Any, None]:
    """A seat works on an item until it is done."""
    yield model.env.at(until, ev.SERVICE_END, seat.index)
    book_time(model, seat)
    seat.item = None
    seat.idle_since = model.now
    model.record.team(seat.team.number, m.T_ITEMS_DONE)
    model.record.team(seat.team.number, m.T_MINUTES_SERVED, item.minutes)
    gain = 1.0
    if item.account.owner is seat:
        gain = people.continuity(model.p, item.account.owner_since, model.now)
    if item.lapses == SQUEEZED:
        gain *= float(model.p[at.work_squeeze_lift])
    finish(model, item, gain)
    if seat.leaving:
        vacate(model, seat)
    ask_dispatch(model, seat.team)


def finish(model: Model, item: WorkItem, gain: float) -> None:
    """What a finished item does to its account."""
    account, role, p, key = item.account, item.work.role, model.p, model.key
    item.close()
    model.record.note(model.now, ev.L_DONE, account.number, item.work.number, 0, model.now - item.raised)
    if not account.alive:
        return
    lift = p[at.work_lift + item.work.number] * gain * account.response
    if role == rules.TICKET:
        in_time = model.now - item.raised <= minutes(p[at.ticket_target])
        shift(model, account, tickets.effect(p, in_time))
    elif role == rules.SAVE:
        if touches.save_succeeds(p, key, account.entity, account.raised[item.work.number]):
            shift(model, account, lift)
            account.conceded = True
    else:
        shift(model, account, lift)
    if role == rules.CALENDAR:
        model.record.tier(account.tier, m.R_TOUCHES_DONE)
    elif role == rules.PREP:
        if item.tag == account.renewals:  # not one that was finished after its renewal
            account.prepared = True
    elif role == rules.SPONSOR:
        if not account.sponsor and touches.sponsor_recovers(p, key, account.entity, item.tag):
            account.sponsor = True
            begin_spell(model, account, risk.SPONSOR_LEAVES)
            model.record.note(model.now, ev.L_SPONSOR_BACK, account.number)
    elif role == rules.EXPANSION and expansion.won(p, key, account.entity, item.tag, True):
        expand(model, account, item.tag)


def deadline(model: Model, item: WorkItem) -> Generator[Event, Any, None]:
    """An item that nobody has begun by its deadline expires, or somebody does it out of hours."""
    yield model.env.at(item.lapses, ev.DEADLINE, item.number)
    if not item.waits or item.lapses != model.now:
        return
    seat = None
    if rules.policy(model.p, item.work.number) == rules.OVERTIME:
        seat = overtime_seat(model, item)
    if seat is None:
        expire(model, item)
    else:
        work_overtime(model, seat, item)


def overtime_seat(model: Model, item: WorkItem) -> Seat | None:
    """Who does an item out of hours: its owner, else the seat with the least overtime; None when all are at a cap."""
    desk = waiting_at(item)
    cap = model.overtime_cap(desk.team)
    willing = [seat for seat in desk.team.seats if seat.filled and seat.overtime + item.minutes <= cap]
    if desk.seat in willing:
        return desk.seat
    return min(willing, key=lambda seat: seat.overtime, default=None)


def work_overtime(model: Model, seat: Seat, item: WorkItem) -> None:
    """A seat does an item at once, on top of its hours."""
    record, team, now = model.record, seat.team.number, model.now
    seat.overtime += item.minutes
    waiting_at(item).leave(item)
    record.team(team, m.T_ITEMS_STARTED)
    record.team(team, m.T_ITEMS_DONE)
    record.team(team, m.T_WAIT_MINUTES, now - item.raised)
    record.team(team, m.T_ITEMS_WAITED)
    record.team(team, m.T_MINUTES_SERVED, item.minutes)
    record.team(team, m.T_OVERTIME_MINUTES, item.minutes)
    record.note(now, ev.L_OVERTIME, item.account.number, item.work.number, seat.index, item.minutes)
    if item.work.role == rules.ONBOARDING:
        lasts = people.service(item.minutes, _pace(model, seat))
        plan_value(model, item.account, seat.team.number, lasts)
    finish(model, item, 1.0)


def expire(model: Model, item: WorkItem) -> None:
    """An item lapses: it leaves its queue and nothing is done, with what follows from that."""
    account, desk = item.account, waiting_at(item)
    desk.leave(item)
    item.close()
    model.record.team(desk.team.number, m.T_ITEMS_EXPIRED)
    model.record.team(desk.team.number, m.T_MINUTES_EXPIRED, item.minutes)
    model.record.note(model.now, ev.L_EXPIRED, account.number, item.work.number, 0, model.now - item.raised)
    if item.work.role == rules.CALENDAR:
        model.record.tier(account.tier, m.R_TOUCHES_MISSED)
    elif item.work.role == rules.ONBOARDING:
        onboard_alone(model, account)
    elif item.work.role == rules.TICKET:
        shift(model, account, tickets.effect(model.p, False))
