"""Risks of an account, good and bad, that come at a rate: one process each."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import set_arr, shift
from subsim.engine.reference.contract import share_of
from subsim.engine.reference.lifecycle import begin_spell, churn, expand, play, plays
from subsim.model import slots as at
from subsim.model.rules import expansion, renewal, work
from subsim.model.rules import risk as rules
from subsim.model.rules.clock import NEVER, minutes
from subsim.random import purposes

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model

#: Risks whose coming changes their own rate; that of the others stands until the next review.
_CHANGE_THEMSELVES = (rules.SPONSOR_LEAVES, rules.UNCONTROLLABLE, rules.REFERRAL)


def risk(model: Model, account: Account, which: int) -> Generator[Event, Any, None]:
    """One risk in one life of an account: it comes when its rate, taken at each review, has used up its threshold."""
    life = account.lives
    number = account.number * rules.RISKS + which
    while True:
        rate = rate_of(model, account, which)
        while look_ahead(model, account, which, rate):
            yield model.env.at(account.risk_at[which], ev.RISK, number)
            if not account.lives_on(life):
                return
            if account.risk_at[which] != model.now:
                break  # a new spell has begun in between
            spell = account.spells[which]
            begin_spell(model, account, which)
            _COMES[which](model, account, spell)
            if not account.alive:
                return
            if which in _CHANGE_THEMSELVES:
                rate = rate_of(model, account, which)
        yield account.reviewed


def look_ahead(model: Model, account: Account, which: int, rate: float) -> bool:
    """Whether a risk comes before the next review; if not, some of its threshold is used up."""
    left, until = account.threshold_left, account.review_at
    account.risk_at[which], left[which] = rules.look_ahead(left[which], rate, model.now, until)
    return account.risk_at[which] < NEVER


def rate_of(model: Model, account: Account, which: int) -> float:
    """Rate per year of a risk as the account stands."""
    p, segment = model.p, account.segment
    rate = 0.0
    if which == rules.SPONSOR_LEAVES:
        rate = p[at.sponsor_leave_rate + segment] if account.sponsor else p[at.sponsor_returns]
    elif which == rules.UNCONTROLLABLE and not account.doomed:
        rate = p[at.renewal_uncontrollable + segment]
    elif which == rules.IN_TERM_LOSS:
        rate = p[at.renewal_in_term_loss + segment]
    elif which == rules.OPPORTUNITY and account.stage == ev.ADOPTED and account.sponsor:
        rate = expansion.rate(p, segment, account.engagement)
    elif which == rules.IN_TERM_CONTRACTION:
        rate = p[at.contraction_rate + segment]
    elif which == rules.REFERRAL and account.advocate and account.lead_at == NEVER:
        rate = p[at.referral_rate + segment]
    elif which == rules.LATE_INVOICE and model.work_of(work.INVOICE) is not None:
        rate = p[at.invoice_late_rate + segment]
    return float(rate)


def sponsor_changes(model: Model, account: Account, n: int) -> None:
    """The person who bought leaves the customer, or a new one is found without anybody's doing."""
    p = model.p
    account.sponsor = not account.sponsor
    if account.sponsor:
        model.record.note(model.now, ev.L_SPONSOR_BACK, account.number, n)
        return
    model.record.note(model.now, ev.L_SPONSOR_LEFT, account.number, n)
    shift(model, account, -p[at.sponsor_shock] * p[at.sponsor_shock_share + account.segment])
    play(model, account, work.SPONSOR, tag=n)


def is_doomed(model: Model, account: Account, n: int) -> None:
    """Something that nobody can influence will end the contract at its term."""
    account.doomed = True
    model.record.note(model.now, ev.L_DOOMED, account.number, n)


def is_lost_in_term(model: Model, account: Account, n: int) -> None:  # noqa: ARG001 - all risks are called alike
    """The account goes at once."""
    churn(model, account, renewal.UNCONTROLLED)


def opportunity(model: Model, account: Account, n: int) -> None:
    """An expansion opportunity: work for the account's people, or the customer's own doing where there are none."""
    model.record.note(model.now, ev.L_OPPORTUNITY, account.number, n)
    if not account.sponsor:
        return
    kind = model.work_of(work.EXPANSION)
    if kind is not None and plays(model, account, work.EXPANSION) and model.tiers[account.tier].does[kind.number]:
        play(model, account, work.EXPANSION, tag=n)
    elif expansion.won(model.p, model.key, account.entity, n, False):
        expand(model, account, n)


def contracts_in_term(model: Model, account: Account, n: int) -> None:
    """The account gives seats back before its term ends."""
    kept = renewal.kept_share(model.p, model.key, purposes.IN_TERM_KEEP, account.entity, n)
    set_arr(model, account, share_of(account.arr, kept), m.S_CONTRACTION, ev.L_CONTRACTION, n)


def refers(model: Model, account: Account, n: int) -> None:
    """An advocate names another company, which signs after a while."""
    account.lead_at = model.now + minutes(model.p[at.referral_lag])
    model.record.segment(account.segment, m.S_REFERRALS)
    model.record.note(model.now, ev.L_REFERRAL, account.number, n)
    account.referred.succeed()


def invoice_is_late(model: Model, account: Account, n: int) -> None:
    """An invoice is not paid in time."""
    play(model, account, work.INVOICE, tag=n)


_COMES = {
    rules.SPONSOR_LEAVES: sponsor_changes,
    rules.UNCONTROLLABLE: is_doomed,
    rules.IN_TERM_LOSS: is_lost_in_term,
    rules.OPPORTUNITY: opportunity,
    rules.IN_TERM_CONTRACTION: contracts_in_term,
    rules.REFERRAL: refers,
    rules.LATE_INVOICE: invoice_is_late,
}
ALL = tuple(_COMES)
