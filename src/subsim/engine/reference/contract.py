"""The contract: term after term, with notice before each end, until a renewal is not signed."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import engage, set_arr
from subsim.engine.reference.lifecycle import churn, play, reroute
from subsim.model import slots as at
from subsim.model.rules import clock, renewal, work
from subsim.model.rules.clock import NEVER
from subsim.random import purposes

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model


def begin_term(model: Model, account: Account, term_end: int) -> None:
    """Set the end of a term and the notice before it."""
    account.term_end = term_end
    account.prepared = False
    account.notice_at = NEVER
    notice = renewal.notice_minutes(model.p, account.term)
    if notice >= 0 and term_end - notice > model.now:
        account.notice_at = term_end - notice


def next_term_end(model: Model, account: Account) -> int:
    """When a term that begins now ends."""
    return clock.add_months(model.now, account.term, account.anchor, model.first_day)


def contract(model: Model, account: Account) -> Generator[Event, Any, None]:
    """The terms of one life of an account."""
    life = account.lives
    while True:
        if account.notice_at < account.term_end:
            yield model.env.at(account.notice_at, ev.NOTICE, account.number)
            if not account.lives_on(life):
                return
            account.notice_at = NEVER
            play(model, account, work.PREP, account.term_end, account.renewals)
        yield model.env.at(account.term_end, ev.TERM_END, account.number)
        if not account.lives_on(life):
            return
        end_term(model, account)


def end_term(model: Model, account: Account) -> None:
    """The term ends: the account leaves, or renews (perhaps for less, at a new price)."""
    engage(model, account)
    p, segment, term = model.p, account.segment, account.term
    k = account.renewals + 1
    rise = renewal.uplift(p, segment, term)
    given = float(p[at.playbook_save_concession]) if account.conceded else 0.0
    log_price = math.log((1.0 + rise) * max(1e-9, 1.0 - given))
    e, fit, sponsor = account.engagement, account.fit, account.sponsor
    adopted = account.stage == ev.ADOPTED
    model.record.segment(segment, m.S_ATR, account.arr)
    model.record.segment(segment, m.S_RENEWALS_DUE)
    account.renewals = k
    why = renewal.UNCONTROLLED
    stays = not account.doomed
    if stays:
        prepared = account.prepared or term < 6
        h = renewal.hazard(p, segment, account.tier, term, k, e, fit, adopted, sponsor, log_price, prepared)
        stays = renewal.stays(model.key, account.entity, k, account.risk_multiplier, h)
        why = renewal.reason(p, e, fit, adopted, sponsor, log_price)
    if stays:
        renew(model, account, rise, given)
    else:
        model.record.segment(segment, m.S_RENEWALS_LOST)
        churn(model, account, why)


def renew(model: Model, account: Account, rise: float, given: float) -> None:
    """Sign a renewal: perhaps for fewer seats, then with a concession, then at the new price."""
    p, key, k, before = model.p, model.key, account.renewals, account.arr
    model.record.note(model.now, ev.L_RENEWED, account.number, k, before, before)
    if renewal.contracts(p, key, account.entity, k, account.segment, account.engagement):
        kept = renewal.kept_share(p, key, purposes.CONTRACTION_KEEP, account.entity, k)
        set_arr(model, account, share_of(account.arr, kept), m.S_CONTRACTION, ev.L_CONTRACTION, k)
    model.record.segment(account.segment, m.S_RENEWED, min(before, account.arr))
    if given > 0.0:
        set_arr(model, account, share_of(account.arr, 1.0 - given), m.S_CONCESSION, ev.L_CONCESSION, k)
    account.conceded = False
    if rise != 0.0:
        line = m.S_PRICE_UP if rise > 0.0 else m.S_PRICE_DOWN
        set_arr(model, account, share_of(account.arr, 1.0 + rise), line, ev.L_PRICE, k)
    begin_term(model, account, next_term_end(model, account))
    reroute(model, account)


def share_of(arr: int, share: float) -> int:
    """A share of ARR in whole cents, at least one."""
    return max(1, int(arr * share + 0.5))
