"""Serving work: seats take the next item, finish it, and what that does to the account."""

from typing import Any

from subsim._jit import inner
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.account import expand, new_spell, next_ticket, onboard_alone, shift
from subsim.engine.compiled.book import by_segment, by_team, by_tier, note
from subsim.engine.compiled.desk import join, leave, precedes
from subsim.engine.compiled.heap import push
from subsim.engine.compiled.idle import stand_by, stand_down
from subsim.engine.compiled.item import account_of, item_of, work_of
from subsim.engine.compiled.people import book_time, vacate
from subsim.engine.compiled.work import ask_dispatch, next_touch
from subsim.model import slots as at
from subsim.model.rules import expansion, onboarding, people, risk, tickets, touches
from subsim.model.rules import work as rules
from subsim.model.rules.clock import minutes


@inner
def candidate(s: Any, seat: int) -> int:
    """The item a seat would take next: the first of its own desk and of its team's pool; -1 when both are empty."""
    own = s.roots[at.TEAMS + seat]
    pool = s.roots[s.seats[seat].team]
    if own < 0:
        return pool
    if pool < 0:
        return own
    return own if precedes(s, own, pool) else pool


@inner
def dispatch(w: Any, s: Any, team: int, t: int) -> None:
    """Hand out a team's idle seats, the longest idle first."""
    seat = s.idle_first[team]
    while seat >= 0:
        after = s.seats[seat].idle_after
        x = candidate(s, seat)
        if x >= 0:  # what one seat takes leaves no other with more to do: once through the list is enough
            begin_service(w, s, seat, x, t)
        seat = after


@inner
def pace_of(s: Any, seat: int, t: int) -> float:
    """Minutes of work a seat does per minute now."""
    x = s.seats[seat]
    phase = x.phase if x.phase >= 0 else minutes(s.p[at.seat_ramp_days + x.team])
    return people.pace(s.p, x.team, x.since, t, phase)


@inner
def begin_service(w: Any, s: Any, seat: int, x: int, t: int) -> None:
    """A seat begins an item."""
    chair = s.seats[seat]
    item = s.items[x]
    i = account_of(s, x)
    work = work_of(s, x)
    leave(s, x)
    book_time(s, seat, t)
    stand_down(s, seat)
    chair.state = 2
    chair.serves = x
    item.state = 2
    if rules.policy(s.p, work) == rules.SQUEEZE and t > item.lapses:
        short = rules.squeezed_minutes(s.p, item.minutes)
        by_team(s, chair.team, m.T_MINUTES_CANCELLED, item.minutes - short)
        item.minutes = short
        item.lapses = -1  # marks it as squeezed
    lasts = people.service(item.minutes, pace_of(s, seat, t))
    by_team(s, chair.team, m.T_ITEMS_STARTED, 1)
    by_team(s, chair.team, m.T_WAIT_MINUTES, t - item.raised)
    if t > item.raised:
        by_team(s, chair.team, m.T_ITEMS_WAITED, 1)
    note(s, t, ev.L_BEGUN, i, work, seat, t - item.raised)
    push(w, s, t + lasts, ev.SERVICE_END, seat)
    if w.work_role[work] == rules.ONBOARDING:
        plan_value(w, s, i, chair.team, t, lasts)


@inner
def plan_value(w: Any, s: Any, i: int, team: int, t: int, lasts: int) -> None:
    """Schedule first value after onboarding began now and lasts so long."""
    a = s.accounts[i]
    delay = onboarding.delay_left(s.p, s.key, a.entity, a.segment, a.fit, team, a.start)
    a.first_value_at = onboarding.first_value_at(s.p, t, lasts, delay)
    push(w, s, a.first_value_at, ev.FIRST_VALUE, i)


@inner
def end_service(w: Any, s: Any, seat: int, t: int) -> None:
    """A seat is done with its item."""
    chair = s.seats[seat]
    x = chair.serves
    i = account_of(s, x)
    book_time(s, seat, t)
    chair.serves = -1
    stand_by(s, seat, t)
    by_team(s, chair.team, m.T_ITEMS_DONE, 1)
    by_team(s, chair.team, m.T_MINUTES_SERVED, s.items[x].minutes)
    gain = 1.0
    a = s.accounts[i]
    if a.owner == seat:
        gain = people.continuity(s.p, a.since, t)
    if s.items[x].lapses == -1:
        gain *= s.p[at.work_squeeze_lift]
    finish(w, s, i, work_of(s, x), t, gain)
    if chair.leaving:
        vacate(w, s, seat, t)
    if candidate(s, seat) >= 0:
        ask_dispatch(s, chair.team, t)


@inner
def finish(w: Any, s: Any, i: int, work: int, t: int, gain: float) -> None:
    """What a finished item does to its account."""
    item = s.items[item_of(s, i, work)]
    a = s.accounts[i]
    item.state = 0
    note(s, t, ev.L_DONE, i, work, 0, t - item.raised)
    if not a.alive:
        return
    role = w.work_role[work]
    lift = s.p[at.work_lift + work] * gain * a.response
    if role == rules.SAVE:
        if touches.save_succeeds(s.p, s.key, a.entity, item.n):
            shift(s, i, t, lift)
            a.conceded = 1
        return
    if role == rules.TICKET:
        in_time = t - item.raised <= minutes(s.p[at.ticket_target])
        shift(s, i, t, tickets.effect(s.p, in_time))
        next_ticket(w, s, i, t)
        return
    shift(s, i, t, lift)
    if role == rules.CALENDAR:
        by_tier(s, a.tier, m.R_TOUCHES_DONE, 1)
        next_touch(w, s, i, work, t)
    elif role == rules.PREP:
        if item.tag == a.k:  # not one that was finished after its renewal
            a.prepared = 1
    elif role == rules.SPONSOR:
        if not a.sponsor and touches.sponsor_recovers(s.p, s.key, a.entity, item.tag):
            a.sponsor = 1
            new_spell(s, i, risk.SPONSOR_LEAVES)
            note(s, t, ev.L_SPONSOR_BACK, i, 0, 0, 0)
    elif role == rules.EXPANSION and expansion.won(s.p, s.key, a.entity, item.tag, True):
        expand(s, i, t, item.tag)


@inner
def expire(w: Any, s: Any, x: int, t: int) -> None:
    """An item lapses: it leaves its queue and nothing is done, with what follows from that."""
    item = s.items[x]
    i = account_of(s, x)
    work = work_of(s, x)
    desk = item.desk
    team = s.seats[desk - at.TEAMS].team if desk >= at.TEAMS else desk
    leave(s, x)
    item.state = 0
    by_team(s, team, m.T_ITEMS_EXPIRED, 1)
    by_team(s, team, m.T_MINUTES_EXPIRED, item.minutes)
    note(s, t, ev.L_EXPIRED, i, work, 0, t - item.raised)
    a = s.accounts[i]
    role = w.work_role[work]
    if role == rules.CALENDAR:
        by_tier(s, a.tier, m.R_TOUCHES_MISSED, 1)
        next_touch(w, s, i, work, t)
    elif role == rules.ONBOARDING:
        onboard_alone(w, s, i, t)
    elif role == rules.TICKET:
        shift(s, i, t, tickets.effect(s.p, False))
        next_ticket(w, s, i, t)


@inner
def deadline(w: Any, s: Any, x: int, t: int) -> None:
    """An item reaches its deadline unserved: it expires, or somebody does it out of hours."""
    item = s.items[x]
    if item.state != 1 or item.lapses != t:
        return
    if rules.policy(s.p, work_of(s, x)) == rules.OVERTIME:
        seat = overtime_seat(w, s, x)
        if seat >= 0:
            chair = s.seats[seat]
            chair.overtime += item.minutes
            leave(s, x)
            by_team(s, chair.team, m.T_ITEMS_STARTED, 1)
            by_team(s, chair.team, m.T_ITEMS_DONE, 1)
            by_team(s, chair.team, m.T_WAIT_MINUTES, t - item.raised)
            by_team(s, chair.team, m.T_ITEMS_WAITED, 1)
            by_team(s, chair.team, m.T_MINUTES_SERVED, item.minutes)
            by_team(s, chair.team, m.T_OVERTIME_MINUTES, item.minutes)
            note(s, t, ev.L_OVERTIME, account_of(s, x), work_of(s, x), seat, item.minutes)
            if w.work_role[work_of(s, x)] == rules.ONBOARDING:
                lasts = people.service(item.minutes, pace_of(s, seat, t))
                plan_value(w, s, account_of(s, x), chair.team, t, lasts)
            finish(w, s, account_of(s, x), work_of(s, x), t, 1.0)
            return
    expire(w, s, x, t)


@inner
def overtime_seat(w: Any, s: Any, x: int) -> int:
    """Who does an item out of hours: its owner, else the seat with the least overtime; -1 when all are at their cap."""
    item = s.items[x]
    desk = item.desk
    team = s.seats[desk - at.TEAMS].team if desk >= at.TEAMS else desk
    cap = s.p[at.overtime_cap + team] * 60.0
    best = -1
    for seat in range(w.team_from[team], w.team_from[team + 1]):
        chair = s.seats[seat]
        if chair.state > 0 and chair.overtime + item.minutes <= cap:
            if desk == at.TEAMS + seat:
                return seat
            if best < 0 or chair.overtime < s.seats[best].overtime:
                best = seat
    return best


@inner
def overflow(s: Any, x: int, t: int) -> None:
    """A hybrid tier's item has waited long enough for its owner: anybody in the team may take it."""
    item = s.items[x]
    if item.state == 1 and item.overflow == t and item.desk >= at.TEAMS:
        team = s.seats[item.desk - at.TEAMS].team
        leave(s, x)
        join(s, team, x)
        ask_dispatch(s, team, t)


@inner
def self_serve_opportunity(s: Any, i: int, t: int, n: int) -> None:
    """An opportunity that nobody works: the customer may still buy."""
    a = s.accounts[i]
    if expansion.won(s.p, s.key, a.entity, n, False):
        expand(s, i, t, n)


@inner
def count_ticket(s: Any, i: int) -> None:
    """Count a ticket of the month."""
    by_segment(s, s.accounts[i].segment, m.S_TICKETS, 1)
