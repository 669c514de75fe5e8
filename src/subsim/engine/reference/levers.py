"""Levers: decisions that take effect on a date."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine.reference.lifecycle import reroute
from subsim.engine.reference.people import dismiss
from subsim.engine.reference.touches import start_calendars

if TYPE_CHECKING:
    from subsim.engine.reference.model import Model


def lever(model: Model, number: int, row: Any) -> Generator[Event, Any, None]:
    """A lever waits for its date and takes effect."""
    yield model.env.at(int(row.at), ev.LEVER, number)
    action, acts_on = int(row.action), int(row.number)
    model.record.note(model.now, ev.LEVER, number, action)
    if action == ev.SET:
        model.p[acts_on] = row.value
    elif action == ev.SCALE:
        model.p[acts_on] *= row.value
    elif action == ev.LEAVE:
        dismiss(model, model.teams[acts_on], int(row.count))
    elif action == ev.ROUTE:
        for account in model.live_accounts():
            reroute(model, account)
    else:
        for account in model.live_accounts():
            if account.tier == acts_on:
                start_calendars(model, account, fresh=False)
