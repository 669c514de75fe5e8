"""An account's own life: engagement, money, risks, stage, tier, and the end."""

import math
from typing import Any

from subsim._jit import inner
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.book import by_segment, note
from subsim.engine.compiled.heap import push
from subsim.engine.compiled.item import item_of, number_of
from subsim.engine.compiled.work import cancel, move_items, raise_item
from subsim.model import slots as at
from subsim.model.rules import engagement, expansion, onboarding, renewal, risk, tickets, work
from subsim.model.rules.clock import NEVER, YEAR, minutes


@inner
def engagement_at(s: Any, i: int, t: int) -> float:
    """An account's engagement at minute t, if nothing happens to it until then."""
    a = s.accounts[i]
    return engagement.now(s.p, a.segment, a.e, a.rest, a.start, a.e_at, t, a.stage == ev.ADOPTED)


@inner
def engage(s: Any, i: int, t: int) -> None:
    """Bring an account's engagement up to now."""
    a = s.accounts[i]
    if t > a.e_at:
        a.e = engagement_at(s, i, t)
        a.e_at = t


@inner
def shift(s: Any, i: int, t: int, by: float) -> None:
    """Lift or shock engagement now."""
    engage(s, i, t)
    s.accounts[i].e += by


@inner
def set_arr(s: Any, i: int, t: int, arr: int, metric: int, code: int, why: int) -> None:
    """Change an account's ARR and book the difference under a line of the bridge."""
    a = s.accounts[i]
    by_segment(s, a.segment, metric, abs(arr - a.arr))
    note(s, t, code, i, why, a.arr, arr)
    a.arr = arr


@inner
def expand(s: Any, i: int, t: int, n: int) -> None:
    """Book the n-th expansion of an account."""
    a = s.accounts[i]
    gain = expansion.gain(s.p, s.key, a.entity, n, a.segment, a.arr, a.first_arr)
    if gain > 0:
        if expansion.is_cross_sell(s.p, s.key, a.entity, n):
            set_arr(s, i, t, a.arr + gain, m.S_EXPANSION_CROSS_SELL, ev.L_CROSS_SELL, n)
        else:
            set_arr(s, i, t, a.arr + gain, m.S_EXPANSION_SEATS, ev.L_EXPANSION, n)


@inner
def risk_rate(w: Any, s: Any, i: int, which: int) -> float:
    """Rate per year of one of an account's risks, as it stands."""
    a = s.accounts[i]
    if which == risk.SPONSOR_LEAVES:
        return s.p[at.sponsor_leave_rate + a.segment] if a.sponsor else s.p[at.sponsor_returns]
    if which == risk.UNCONTROLLABLE:
        return 0.0 if a.doomed else s.p[at.renewal_uncontrollable + a.segment]
    if which == risk.IN_TERM_LOSS:
        return s.p[at.renewal_in_term_loss + a.segment]
    if which == risk.OPPORTUNITY:
        if a.stage != ev.ADOPTED or not a.sponsor:
            return 0.0
        return expansion.rate(s.p, a.segment, a.e)
    if which == risk.IN_TERM_CONTRACTION:
        return s.p[at.contraction_rate + a.segment]
    if which == risk.REFERRAL:
        return s.p[at.referral_rate + a.segment] if a.advocate and a.lead_at == NEVER else 0.0
    if which == risk.LATE_INVOICE and w.work_of_role[work.INVOICE] >= 0:
        return s.p[at.invoice_late_rate + a.segment]
    return 0.0


@inner
def new_spell(s: Any, i: int, which: int) -> None:
    """Begin a new spell of a risk; its rate is set by the next review."""
    s.spells[i, which] += 1
    s.pending[i, which] = NEVER
    s.rate[i, which] = 0.0
    s.left[i, which] = risk.threshold(s.key, risk.purpose_of(which), s.accounts[i].entity, s.spells[i, which])


@inner
def arm(w: Any, s: Any, i: int, which: int, t: int) -> None:
    """Look ahead to the next review: schedule the risk if its threshold is met by then, else use some of it up."""
    until = s.accounts[i].review_at
    when, s.left[i, which] = risk.look_ahead(s.left[i, which], s.rate[i, which], t, until)
    s.pending[i, which] = when
    if when != NEVER:
        push(w, s, when, ev.RISK, i * risk.RISKS + which)


@inner
def arm_all(w: Any, s: Any, i: int, t: int) -> None:
    """Refresh the rates of all risks and look ahead."""
    for which in range(risk.LATE_INVOICE + 1):
        s.rate[i, which] = risk_rate(w, s, i, which)
        arm(w, s, i, which, t)


@inner
def choose_tier(w: Any, s: Any, i: int, t: int) -> int:
    """The tier of the first routing rule that fits the account now."""
    a = s.accounts[i]
    for r in range(w.routes.size):
        rule = w.routes[r]
        if (
            t >= rule.since
            and (rule.segment < 0 or rule.segment == a.segment)
            and (rule.stage < 0 or rule.stage == a.stage)
            and rule.arr_from <= a.arr < rule.arr_below
            and a.score < rule.score_below
        ):
            return rule.tier
    return a.tier


@inner
def least_loaded(w: Any, s: Any, team: int) -> int:
    """The present seat of a team with the fewest accounts; -1 when nobody is there."""
    best = -1
    for seat in range(w.team_from[team], w.team_from[team + 1]):
        x = s.seats[seat]
        if x.state > 0 and not x.leaving and (best < 0 or x.accounts < s.seats[best].accounts):
            best = seat
    return best


@inner
def own(w: Any, s: Any, i: int, t: int) -> None:
    """Give an account an owner if its tier has owners."""
    a = s.accounts[i]
    coverage = w.coverage[a.tier]
    a.owner = -1
    if coverage in (ev.NAMED, ev.HYBRID):
        a.owner = least_loaded(w, s, w.tier_team[a.tier])
        if a.owner >= 0:
            s.seats[a.owner].accounts += 1
    a.since = t
    note(s, t, ev.L_OWNER, i, a.owner, 0, 0)


@inner
def start_calendars(w: Any, s: Any, i: int, t: int, fresh: bool) -> None:
    """Start the tier's calendars that are not running: a cadence from now for a new account, else somewhere in one."""
    a = s.accounts[i]
    for k in range(w.n_work):
        if w.work_role[k] != work.CALENDAR:
            continue
        x = item_of(s, i, k)
        item = s.items[x]
        cadence = minutes(s.p[at.touch_cadence + a.tier * at.WORK + k])
        if cadence > 0 and item.state == 0 and item.next_due == NEVER:
            item.next_due = t + cadence
            if not fresh:
                item.next_due = work.first_touch_at(s.key, a.entity ^ w.work_key[k], item.n, t, cadence)
            push(w, s, item.next_due, ev.DUE, number_of(s, x))


@inner
def onboard_alone(w: Any, s: Any, i: int, t: int) -> None:
    """The customer finds first value without help, counted from now."""
    a = s.accounts[i]
    days = onboarding.self_serve_days(s.p, s.key, a.entity, a.segment, a.start)
    a.first_value_at = t + max(1, minutes(days))
    push(w, s, a.first_value_at, ev.FIRST_VALUE, i)


@inner
def next_ticket(w: Any, s: Any, i: int, t: int) -> None:
    """Draw the account's next ticket, unless one is open; where nobody answers tickets, none are opened."""
    a = s.accounts[i]
    a.ticket_at = NEVER
    k = w.work_of_role[work.TICKET]
    if k < 0 or w.work_team[a.tier, k] < 0 or s.items[item_of(s, i, k)].state != 0:
        return
    after = tickets.gap(s.p, s.key, a.entity, a.ticket_n, a.segment, a.stage == ev.ADOPTED, a.fit)
    if after < NEVER:
        a.ticket_at = t + after
        push(w, s, a.ticket_at, ev.TICKET, i)


@inner
def reroute(w: Any, s: Any, i: int, t: int) -> None:
    """Move an account to the tier that the routing rules give it now."""
    a = s.accounts[i]
    tier = choose_tier(w, s, i, t)
    if tier == a.tier:
        return
    note(s, t, ev.L_TIER, i, tier, a.tier, tier)
    a.tier = tier
    old, since = a.owner, a.since
    if old >= 0:
        s.seats[old].accounts -= 1
    own(w, s, i, t)
    if old >= 0 and a.owner == old:
        a.since = since
    elif old >= 0:
        shift(s, i, t, -s.p[at.handover_shock])
    move_items(w, s, i, t)
    start_calendars(w, s, i, t, False)
    k = w.work_of_role[work.ONBOARDING]
    if a.stage == ev.ONBOARDING and a.first_value_at == NEVER and k >= 0 and s.items[item_of(s, i, k)].state == 0:
        onboard_alone(w, s, i, t)  # nobody onboards in the new tier
    if a.ticket_at == NEVER:
        next_ticket(w, s, i, t)


@inner
def plays(w: Any, s: Any, i: int, role: int) -> bool:
    """Whether the account's tier runs the playbook of a role."""
    k = w.work_of_role[role]
    return k >= 0 and s.p[at.playbook_on + s.accounts[i].tier * at.WORK + k] > 0.5


@inner
def raise_of(w: Any, s: Any, i: int, role: int, t: int, latest: int, tag: int) -> bool:
    """Raise the work item of a role, if the scenario has such work."""
    k = w.work_of_role[role]
    return k >= 0 and raise_item(w, s, i, k, t, latest, tag)


@inner
def play(w: Any, s: Any, i: int, role: int, t: int, latest: int, tag: int) -> bool:
    """Raise the work item of a playbook, if the tier runs it."""
    return plays(w, s, i, role) and raise_of(w, s, i, role, t, latest, tag)


@inner
def begin_term(w: Any, s: Any, i: int, t: int, term_end: int) -> None:
    """Schedule the end of a term and the notice before it."""
    a = s.accounts[i]
    a.term_end = term_end
    a.prepared = 0
    a.notice_at = NEVER
    push(w, s, term_end, ev.TERM_END, i)
    notice = renewal.notice_minutes(s.p, a.term)
    if notice >= 0 and term_end - notice > t:
        a.notice_at = term_end - notice
        push(w, s, a.notice_at, ev.NOTICE, i)


@inner
def reach_value(w: Any, s: Any, i: int, t: int) -> None:
    """First value: the account is adopted, its resting engagement is set, its handoff is raised."""
    a = s.accounts[i]
    a.first_value_at = NEVER
    a.stall_at = NEVER
    engage(s, i, t)
    a.ttv_days = (t - a.start) / 1440.0
    a.stage = ev.ADOPTED
    a.rest = engagement.rest(s.p, a.segment, a.fit, a.ttv_days)
    by_segment(s, a.segment, m.S_FIRST_VALUES, 1)
    by_segment(s, a.segment, m.S_TTV_MINUTES, t - a.start)
    note(s, t, ev.FIRST_VALUE, i, 0, 0, t - a.start)
    reroute(w, s, i, t)
    play(w, s, i, work.HANDOFF, t, NEVER, 0)


@inner
def churn(w: Any, s: Any, i: int, t: int, why: int) -> None:
    """The account leaves: its ARR goes, its waiting work is dropped, its way back is drawn."""
    a = s.accounts[i]
    by_segment(s, a.segment, m.S_CHURN_FIT + why, a.arr)
    a.last_arr = a.arr
    set_arr(s, i, t, 0, m.S_CHURN, ev.L_CHURN, why)
    by_segment(s, a.segment, m.S_LOGOS_LOST, 1)
    for k in range(w.n_work):
        if s.items[item_of(s, i, k)].state == 1:
            cancel(s, i, k, t)
        s.items[item_of(s, i, k)].next_due = NEVER
    if a.owner >= 0:
        s.seats[a.owner].accounts -= 1
        a.owner = -1
    if a.fit < s.p[at.onboarding_misfit_below]:
        s.mood[0] = s.mood[0] * math.exp(-(t - s.mood[1]) / YEAR) + 1.0
        s.mood[1] = t
    s.mood[2] -= 1.0
    a.alive = 0
    a.lost_at = t
    a.first_value_at = NEVER
    a.stall_at = NEVER
    after = risk.reactivation_after(s.p, s.key, a.entity, a.lives, a.segment)
    a.back_at = NEVER
    if after < NEVER:
        a.back_at = t + after
        push(w, s, a.back_at, ev.REACTIVATION, i)
