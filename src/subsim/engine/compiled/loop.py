"""The event loop: one run from its first minute to its horizon."""

import math
from typing import Any

import numpy as np

from subsim._jit import entry, inner, word
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.account import (
    arm,
    arm_all,
    begin_term,
    churn,
    engage,
    new_spell,
    next_ticket,
    play,
    plays,
    reach_value,
    reroute,
    risk_rate,
    set_arr,
    shift,
    start_calendars,
)
from subsim.engine.compiled.book import by_segment, by_tier, note
from subsim.engine.compiled.entry import come_back, new_account
from subsim.engine.compiled.heap import pop, push
from subsim.engine.compiled.item import account_of, numbered, work_of
from subsim.engine.compiled.month import close_month
from subsim.engine.compiled.people import dismiss, fill, go, reassign, review
from subsim.engine.compiled.service import (
    count_ticket,
    deadline,
    dispatch,
    end_service,
    overflow,
    self_serve_opportunity,
)
from subsim.engine.compiled.start import begin, copy, zero
from subsim.engine.compiled.work import raise_item
from subsim.engine.state import CHANGES, MONTH, N_ACCOUNTS, N_EVENTS, N_HANDLED, STATUS
from subsim.model import slots as at
from subsim.model.rules import arrival, clock, engagement, renewal, risk, touches, work
from subsim.model.rules.clock import DAY, NEVER, minutes
from subsim.random import purposes
from subsim.random.entities import future_entity, referral_entity

_TIME_BITS = word(37)
_KIND_BITS = word(32)
_KIND_MASK = word(31)
_NUMBER_MASK = word((1 << 32) - 1)


@inner
def on_lever(w: Any, s: Any, r: int, t: int) -> None:
    """A lever takes effect."""
    lever = w.levers[r]
    note(s, t, ev.LEVER, r, lever.action, 0, 0)
    if lever.action == ev.SET:
        s.p[lever.number] = lever.value
        s.count[CHANGES] += 1
    elif lever.action == ev.SCALE:
        s.p[lever.number] *= lever.value
        s.count[CHANGES] += 1
    elif lever.action == ev.LEAVE:
        dismiss(w, s, lever.number, lever.count, t)
    else:
        for i in range(s.count[N_ACCOUNTS]):
            if s.accounts[i].alive:
                if lever.action == ev.ROUTE:
                    reroute(w, s, i, t)
                elif s.accounts[i].tier == lever.number:
                    start_calendars(w, s, i, t, False)


@inner
def on_risk(w: Any, s: Any, number: int, t: int) -> None:
    """One of an account's risks has come."""
    i = number // risk.RISKS
    which = number % risk.RISKS
    a = s.accounts[i]
    if s.pending[i, which] != t or not a.alive:
        return
    n = s.spells[i, which]
    rate = s.rate[i, which]
    new_spell(s, i, which)
    s.rate[i, which] = rate
    if which == risk.IN_TERM_LOSS:
        churn(w, s, i, t, renewal.UNCONTROLLED)
        return
    if which == risk.SPONSOR_LEAVES:
        on_sponsor(w, s, i, t, n)
        s.rate[i, which] = risk_rate(w, s, i, which)
    elif which == risk.UNCONTROLLABLE:
        a.doomed = 1
        s.rate[i, which] = 0.0
        note(s, t, ev.L_DOOMED, i, n, 0, 0)
    elif which == risk.OPPORTUNITY:
        note(s, t, ev.L_OPPORTUNITY, i, n, 0, 0)
        on_opportunity(w, s, i, t, n)
    elif which == risk.IN_TERM_CONTRACTION:
        share = renewal.kept_share(s.p, s.key, purposes.IN_TERM_KEEP, a.entity, n)
        set_arr(s, i, t, max(1, int(a.arr * share + 0.5)), m.S_CONTRACTION, ev.L_CONTRACTION, n)
    elif which == risk.REFERRAL:
        s.rate[i, which] = 0.0
        a.lead_at = t + minutes(s.p[at.referral_lag])
        by_segment(s, a.segment, m.S_REFERRALS, 1)
        note(s, t, ev.L_REFERRAL, i, n, 0, 0)
        push(w, s, a.lead_at, ev.LEAD, i)
    else:
        play(w, s, i, work.INVOICE, t, NEVER, n)
    arm(w, s, i, which, t)


@inner
def on_sponsor(w: Any, s: Any, i: int, t: int, n: int) -> None:
    """The sponsor leaves, or one is found without anybody's doing."""
    a = s.accounts[i]
    if a.sponsor:
        a.sponsor = 0
        note(s, t, ev.L_SPONSOR_LEFT, i, n, 0, 0)
        shift(s, i, t, -s.p[at.sponsor_shock] * s.p[at.sponsor_shock_share + a.segment])
        play(w, s, i, work.SPONSOR, t, NEVER, n)
    else:
        a.sponsor = 1
        note(s, t, ev.L_SPONSOR_BACK, i, n, 0, 0)


@inner
def on_opportunity(w: Any, s: Any, i: int, t: int, n: int) -> None:
    """An expansion opportunity: work for the account's people, or the customer's own doing where there are none."""
    a = s.accounts[i]
    if not a.sponsor:
        return
    if plays(w, s, i, work.EXPANSION) and w.work_team[a.tier, w.work_of_role[work.EXPANSION]] >= 0:
        play(w, s, i, work.EXPANSION, t, NEVER, n)
    else:
        self_serve_opportunity(s, i, t, n)


@inner
def on_term_end(w: Any, s: Any, i: int, t: int) -> None:
    """The term ends: the account leaves, or renews (perhaps for less, at a new price)."""
    a = s.accounts[i]
    if a.term_end != t or not a.alive:
        return
    engage(s, i, t)
    k = a.k + 1
    rise = renewal.uplift(s.p, a.segment, a.term)
    given = s.p[at.playbook_save_concession] if a.conceded else 0.0
    log_price = math.log((1.0 + rise) * max(1e-9, 1.0 - given))
    adopted = a.stage == ev.ADOPTED
    sponsor = a.sponsor != 0
    by_segment(s, a.segment, m.S_ATR, a.arr)
    by_segment(s, a.segment, m.S_RENEWALS_DUE, 1)
    stays = not a.doomed
    why = renewal.UNCONTROLLED
    if stays:
        prepared = a.prepared != 0 or a.term < 6
        h = renewal.hazard(s.p, a.segment, a.tier, a.term, k, a.e, a.fit, adopted, sponsor, log_price, prepared)
        stays = renewal.stays(s.key, a.entity, k, a.v, h)
        why = renewal.reason(s.p, a.e, a.fit, adopted, sponsor, log_price)
    a.k = k
    if not stays:
        by_segment(s, a.segment, m.S_RENEWALS_LOST, 1)
        churn(w, s, i, t, why)
        return
    renew(w, s, i, t, k, rise, given)


@inner
def renew(w: Any, s: Any, i: int, t: int, k: int, rise: float, given: float) -> None:
    """Sign the k-th renewal."""
    a = s.accounts[i]
    before = a.arr
    note(s, t, ev.L_RENEWED, i, k, before, before)
    if renewal.contracts(s.p, s.key, a.entity, k, a.segment, a.e):
        share = renewal.kept_share(s.p, s.key, purposes.CONTRACTION_KEEP, a.entity, k)
        set_arr(s, i, t, max(1, int(a.arr * share + 0.5)), m.S_CONTRACTION, ev.L_CONTRACTION, k)
    by_segment(s, a.segment, m.S_RENEWED, min(before, a.arr))
    if given > 0.0:
        set_arr(s, i, t, max(1, int(a.arr * (1.0 - given) + 0.5)), m.S_CONCESSION, ev.L_CONCESSION, k)
    a.conceded = 0
    if rise != 0.0:
        metric = m.S_PRICE_UP if rise > 0.0 else m.S_PRICE_DOWN
        set_arr(s, i, t, max(1, int(a.arr * (1.0 + rise) + 0.5)), metric, ev.L_PRICE, k)
    begin_term(w, s, i, t, clock.add_months(t, a.term, a.anchor, w.first_day))
    reroute(w, s, i, t)


@inner
def on_review(w: Any, s: Any, i: int, t: int) -> None:
    """The monthly review: usage moved, the score is read, signals raise plays, risks look ahead."""
    a = s.accounts[i]
    if a.review_at != t or not a.alive:
        return
    n = a.reviews
    a.reviews = n + 1
    engage(s, i, t)
    if a.rest_of != s.count[CHANGES]:  # else it is what it was
        a.rest = engagement.rest(s.p, a.segment, a.fit, a.ttv_days)
        a.rest_of = s.count[CHANGES]
    a.e += engagement.monthly_movement(s.p, s.key, a.entity, n)
    a.score = engagement.score(s.p, s.key, a.entity, n, a.e)
    a.band = engagement.band(s.p, a.score)
    note(s, t, ev.REVIEW, i, a.band, int(a.score * 1e6), n)
    low = a.score < s.p[at.score_inactive]
    if a.band == engagement.RED:
        play(w, s, i, work.SAVE, t, NEVER, n)
    elif low and a.inactive:
        play(w, s, i, work.OUTREACH, t, NEVER, n)
    a.inactive = 1 if low else 0
    advocacy(s, i, t)
    reroute(w, s, i, t)
    a.review_at = t + clock.MONTH
    push(w, s, a.review_at, ev.REVIEW, i)
    arm_all(w, s, i, t)


@inner
def advocacy(s: Any, i: int, t: int) -> None:
    """An adopted account above the advocate's level for long enough is one; below it no longer."""
    a = s.accounts[i]
    if a.e <= s.p[at.advocacy_level] or a.stage != ev.ADOPTED:
        a.above_since = -1
        a.advocate = 0
        return
    if a.above_since < 0:
        a.above_since = t
    if not a.advocate and t - a.above_since >= s.p[at.advocacy_days] * DAY:
        a.advocate = 1
        note(s, t, ev.L_ADVOCATE, i, 0, 0, 0)


@inner
def on_arrival(w: Any, s: Any, segment: int, t: int) -> None:
    """The next lead of a source: perhaps a customer; then its successor."""
    source = w.sources[segment]
    n = s.sources[segment]
    s.sources[segment] = n + 1
    push(w, s, t + arrival.gap(s.key, source, n + 1, w.envelope[segment]), ev.ARRIVAL, segment)
    month = s.count[MONTH]
    if s.multiplier[segment, 0] != month:
        s.multiplier[segment, 0] = month
        s.multiplier[segment, 1] = arrival.month_multiplier(s.p, s.key, source, month)
    wave = s.multiplier[segment, 1]
    if s.p[at.arrival_word_of_mouth] > 0.0:
        lost = s.mood[0] * math.exp(-(t - s.mood[1]) / clock.YEAR)
        wave *= arrival.word_of_mouth(s.p, lost, s.mood[2])
    if arrival.accepted(s.p, s.key, source, n, segment, w.plan[segment, month], wave, w.envelope[segment]):
        new_account(w, s, future_entity(source, n), segment, t, 0.0)


@inner
def on_lead(w: Any, s: Any, i: int, t: int) -> None:
    """A referred company signs."""
    a = s.accounts[i]
    if a.lead_at == t:
        a.lead_at = NEVER
        entity = referral_entity(a.entity, s.spells[i, risk.REFERRAL])
        new_account(w, s, entity, a.segment, t, s.p[at.referral_fit_bonus])


@inner
def on_stall(w: Any, s: Any, i: int, t: int) -> None:
    """The customer's patience with onboarding is over."""
    a = s.accounts[i]
    if a.stall_at == t and a.alive and a.stage == ev.ONBOARDING:
        a.stall_at = NEVER
        by_segment(s, a.segment, m.S_STALLED, 1)
        note(s, t, ev.STALL, i, 0, 0, 0)
        shift(s, i, t, -s.p[at.onboarding_stall_shock])
        play(w, s, i, work.RESCUE, t, NEVER, 0)


@inner
def on_notice(w: Any, s: Any, i: int, t: int) -> None:
    """Time to prepare the renewal."""
    a = s.accounts[i]
    if a.notice_at == t and a.alive:
        a.notice_at = NEVER
        play(w, s, i, work.PREP, t, a.term_end, a.k)


@inner
def on_campaign(w: Any, s: Any, c: int, t: int) -> None:
    """A campaign is sent to its tiers."""
    n = s.sends[c]
    s.sends[c] = n + 1
    push(w, s, t + minutes(s.p[at.campaign_every + c]), ev.CAMPAIGN, c)
    if s.p[at.campaign_on + c] < 0.5:
        return
    note(s, t, ev.CAMPAIGN, c, n, 0, 0)
    for tier in range(s.tiers.shape[1]):
        if s.p[at.campaign_tier + tier * at.CAMPAIGNS + c] > 0.5:
            by_tier(s, tier, m.R_CAMPAIGN_COST, int(s.p[at.campaign_cost + c] * 100.0 + 0.5))
            break  # the first tier it addresses carries the cost
    for i in range(s.count[N_ACCOUNTS]):
        a = s.accounts[i]
        if a.alive and s.p[at.campaign_tier + a.tier * at.CAMPAIGNS + c] > 0.5:
            if touches.reached(s.p, s.key, a.entity ^ w.campaign_key[c], n, c):
                note(s, t, ev.L_REACHED, i, c, 0, n)
                shift(s, i, t, s.p[at.campaign_lift + c] * a.response)


@inner
def on_ticket(w: Any, s: Any, i: int, t: int) -> None:
    """An account opens a ticket; many in 30 days raise a save play."""
    a = s.accounts[i]
    if a.ticket_at != t or not a.alive:
        return
    a.ticket_at = NEVER
    a.ticket_n += 1
    count_ticket(s, i)
    if t - a.spike_from > 30 * DAY:
        a.spike_from = t
        a.spike_n = 0
    a.spike_n += 1
    if a.spike_n == int(s.p[at.ticket_spike + a.tier]) + 1:
        play(w, s, i, work.SAVE, t, NEVER, a.ticket_n)
    k = w.work_of_role[work.TICKET]
    if k < 0 or not raise_item(w, s, i, k, t, NEVER, a.ticket_n):
        next_ticket(w, s, i, t)


@inner
def on_due(w: Any, s: Any, x: int, t: int) -> None:
    """A touch of the calendar is due."""
    i = account_of(s, x)
    k = work_of(s, x)
    item = s.items[x]
    a = s.accounts[i]
    if item.next_due != t or not a.alive:
        return
    item.next_due = NEVER
    if s.p[at.touch_cadence + a.tier * at.WORK + k] > 0.0:
        raise_item(w, s, i, k, t, NEVER, t)


@inner
def handle(w: Any, s: Any, t: int, kind: int, number: int) -> None:
    """What each kind of event does, the frequent ones first."""
    if kind == ev.DISPATCH:
        dispatch(w, s, number, t)
    elif kind == ev.SERVICE_END:
        end_service(w, s, number, t)
    elif kind == ev.DUE:
        on_due(w, s, numbered(s, number), t)
    elif kind == ev.DEADLINE:
        deadline(w, s, numbered(s, number), t)
    elif kind == ev.REVIEW:
        on_review(w, s, number, t)
    elif kind == ev.RISK:
        on_risk(w, s, number, t)
    elif kind == ev.ARRIVAL:
        on_arrival(w, s, number, t)
    elif kind == ev.TERM_END:
        on_term_end(w, s, number, t)
    elif kind == ev.NOTICE:
        on_notice(w, s, number, t)
    elif kind == ev.FIRST_VALUE:
        a = s.accounts[number]
        if a.first_value_at == t and a.alive:
            reach_value(w, s, number, t)
    elif kind == ev.STALL:
        on_stall(w, s, number, t)
    elif kind == ev.TICKET:
        on_ticket(w, s, number, t)
    elif kind == ev.OVERFLOW:
        overflow(s, numbered(s, number), t)
    elif kind == ev.CAMPAIGN:
        on_campaign(w, s, number, t)
    elif kind == ev.LEAD:
        on_lead(w, s, number, t)
    elif kind == ev.REACTIVATION:
        if s.accounts[number].back_at == t:
            come_back(w, s, number, t)
    else:
        handle_people(w, s, t, kind, number)


@inner
def handle_people(w: Any, s: Any, t: int, kind: int, number: int) -> None:
    """Events of seats, and levers."""
    if kind == ev.SEAT_REVIEW:
        if s.seats[number].review_at == t and s.seats[number].state > 0:
            review(w, s, number, t)
    elif kind == ev.SEAT_LEAVES:
        if s.seats[number].leaves_at == t and s.seats[number].state > 0:
            go(w, s, number, t)
    elif kind == ev.SEAT_ARRIVES:
        if s.seats[number].arrives_at == t and s.seats[number].state == 0:
            fill(w, s, number, t)
    elif kind == ev.REASSIGN:
        reassign(w, s, number, t)
    else:
        on_lever(w, s, number, t)


@entry
def simulate(w: Any, s: Any, rows: Any, seed: Any, first_run: Any, segments: Any, teams: Any, tiers: Any) -> int:
    """Run every row of parameters to the horizon; the cubes of run j go to ``segments[j]``, ``teams[j]``, ``tiers[j]``.

    Returns the number of runs that came to their end; fewer than asked when an array was too small (see the status).
    """
    for j in range(rows.shape[0]):
        zero(s)
        begin(w, s, rows[j], seed, first_run + j)
        while s.count[N_EVENTS] > 0 and s.count[STATUS] == ev.OK:
            key: Any = pop(s)
            t: Any = np.int64(key >> _TIME_BITS)
            kind: Any = np.int64((key >> _KIND_BITS) & _KIND_MASK)
            s.count[N_HANDLED] += 1
            if kind == ev.MONTH_END:
                close_month(w, s, t)
            else:
                number: Any = np.int64(key & _NUMBER_MASK)
                handle(w, s, t, kind, number)
        if s.count[STATUS] != ev.OK:
            return j
        copy(s.segments, segments[j])
        copy(s.teams, teams[j])
        copy(s.tiers, tiers[j])
    return rows.shape[0]
