"""Onboarding: the team's work and the customer's own time, first value, and patience that ends."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import engage, shift
from subsim.engine.reference.lifecycle import play, raise_of, reroute
from subsim.model import slots as at
from subsim.model.rules import engagement, onboarding, work
from subsim.model.rules.clock import DAY, NEVER, minutes

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model


def begin_onboarding(model: Model, account: Account) -> None:
    """Raise onboarding; where nobody does it, the customer goes alone. An onboarding that lasts too long stalls."""
    if raise_of(model, account, work.ONBOARDING) is None:
        onboard_alone(model, account)
    await_stall(model, account)


def await_stall(model: Model, account: Account) -> None:
    """Patience runs from the account's start; where it has run out before now, the stall lies in the past."""
    patience = onboarding.patience_days(model.p, model.key, account.entity, account.segment)
    account.stall_at = account.start + max(1, minutes(patience))
    if account.stall_at > model.now:
        model.env.process(stall(model, account))
    else:
        account.stall_at = NEVER


def go_on_onboarding(model: Model, account: Account) -> None:
    """An onboarding under way at minute 0 goes on: with what is left of the work, or with the customer alone."""
    p, key, entity, segment = model.p, model.key, account.entity, account.segment
    kind = model.work_of(work.ONBOARDING)
    team = model.tiers[account.tier].does[kind.number] if kind is not None else None
    fit, start = account.fit, account.start
    if team is None or onboarding.work_left(p, key, entity, segment, fit, team.number, start) > 0:
        begin_onboarding(model, account)
        return
    delay = onboarding.delay_left(p, key, entity, segment, fit, team.number, start)
    account.first_value_at = max(1, minutes(delay))
    model.env.process(first_value(model, account))
    await_stall(model, account)


def onboard_alone(model: Model, account: Account) -> None:
    """The customer finds first value without help, counted from now."""
    days = onboarding.self_serve_days(model.p, model.key, account.entity, account.segment, account.start)
    account.first_value_at = model.now + max(1, minutes(days))
    model.env.process(first_value(model, account))


def plan_value(model: Model, account: Account, team: int, lasts: int) -> None:
    """Plan first value: the team's work begins now and lasts so many minutes."""
    p, key, entity, segment = model.p, model.key, account.entity, account.segment
    delay = onboarding.delay_left(p, key, entity, segment, account.fit, team, account.start)
    account.first_value_at = onboarding.first_value_at(p, model.now, lasts, delay)
    model.env.process(first_value(model, account))


def first_value(model: Model, account: Account) -> Generator[Event, Any, None]:
    """The account is on its way to first value."""
    yield model.env.at(account.first_value_at, ev.FIRST_VALUE, account.number)
    if account.first_value_at == model.now and account.alive:
        reach_value(model, account)


def reach_value(model: Model, account: Account) -> None:
    """First value: the account is adopted, its resting engagement is set, its handoff is raised."""
    took = model.now - account.start
    engage(model, account)
    account.first_value_at = NEVER
    account.stall_at = NEVER
    account.ttv_days = took / DAY
    account.stage = ev.ADOPTED
    account.rest = engagement.rest(model.p, account.segment, account.fit, account.ttv_days)
    model.record.segment(account.segment, m.S_FIRST_VALUES)
    model.record.segment(account.segment, m.S_TTV_MINUTES, took)
    model.record.note(model.now, ev.FIRST_VALUE, account.number, 0, 0, took)
    reroute(model, account)
    play(model, account, work.HANDOFF)


def stall(model: Model, account: Account) -> Generator[Event, Any, None]:
    """The customer's patience with onboarding runs out, unless first value comes before."""
    yield model.env.at(account.stall_at, ev.STALL, account.number)
    if account.stall_at != model.now or not account.alive or account.stage != ev.ONBOARDING:
        return
    account.stall_at = NEVER
    model.record.segment(account.segment, m.S_STALLED)
    model.record.note(model.now, ev.STALL, account.number)
    shift(model, account, -model.p[at.onboarding_stall_shock])
    play(model, account, work.RESCUE)
