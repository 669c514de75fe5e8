"""Support tickets of an account: one is open at a time."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.lifecycle import play
from subsim.engine.reference.work import WorkItem, raise_item
from subsim.model import slots as at
from subsim.model.rules import tickets, work
from subsim.model.rules.clock import DAY, NEVER

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model


def support(model: Model, account: Account) -> Generator[Event, Any, None]:
    """An account opens a ticket, waits until it is solved or given up, and some day opens the next."""
    while True:
        plan_ticket(model, account)
        planned = account.ticket_at
        if planned == NEVER:
            return
        yield model.env.at(planned, ev.TICKET, account.number)
        if account.ticket_at != model.now or not account.alive:
            return
        item = open_ticket(model, account)
        if item is not None:
            item.closed = model.env.event()
            yield item.closed


def plan_ticket(model: Model, account: Account) -> None:
    """Draw when the next ticket is opened, unless one is open; where nobody answers tickets, none are opened."""
    account.ticket_at = NEVER
    kind = model.work_of(work.TICKET)
    if not account.alive or kind is None or model.tiers[account.tier].does[kind.number] is None:
        return
    if account.open_items[kind.number] is not None:
        return
    adopted = account.stage == ev.ADOPTED
    after = tickets.gap(model.p, model.key, account.entity, account.tickets, account.segment, adopted, account.fit)
    if after < NEVER:
        account.ticket_at = model.now + after


def open_ticket(model: Model, account: Account) -> WorkItem | None:
    """Open a ticket; many in 30 days raise a save play."""
    now = model.now
    account.ticket_at = NEVER
    account.tickets += 1
    model.record.segment(account.segment, m.S_TICKETS)
    if now - account.spike_from > 30 * DAY:
        account.spike_from = now
        account.spike_tickets = 0
    account.spike_tickets += 1
    if account.spike_tickets == int(model.p[at.ticket_spike + account.tier]) + 1:
        play(model, account, work.SAVE, tag=account.tickets)
    kind = model.work_of(work.TICKET)
    return raise_item(model, account, kind, NEVER, account.tickets) if kind is not None else None
