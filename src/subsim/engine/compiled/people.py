"""Seats: they come, ramp, serve, leave; their accounts change hands."""

from typing import Any

from subsim._jit import inner
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.account import least_loaded, own, shift
from subsim.engine.compiled.book import by_team, note
from subsim.engine.compiled.desk import join, leave
from subsim.engine.compiled.heap import push
from subsim.engine.compiled.idle import stand_by, stand_down
from subsim.engine.compiled.item import item_of
from subsim.engine.compiled.work import ask_dispatch
from subsim.model import slots as at
from subsim.model.rules import people, risk
from subsim.model.rules.clock import MONTH, NEVER, minutes
from subsim.random import purposes
from subsim.random.entities import person_entity

_NOT_AGAIN = 1e300  # a threshold that no rate meets: the leaving is already scheduled


@inner
def book_time(s: Any, seat: int, t: int) -> None:
    """Book a seat's time up to now as available, and as busy if it is."""
    x = s.seats[seat]
    if x.state > 0:
        by_team(s, x.team, m.T_AVAILABLE_MINUTES, t - x.mark)
        if x.state == 2:
            by_team(s, x.team, m.T_BUSY_MINUTES, t - x.mark)
            x.busy += t - x.mark
    x.mark = t


@inner
def hand_over(w: Any, s: Any, i: int, new: int, t: int) -> None:
    """Give an account to another seat (or to a new person on the same one): engagement suffers, waiting work moves."""
    a = s.accounts[i]
    old = a.owner
    if old >= 0:
        shift(s, i, t, -s.p[at.handover_shock])
        s.seats[old].accounts -= 1
    s.seats[new].accounts += 1
    a.owner = new
    a.since = t
    note(s, t, ev.L_OWNER, i, new, old, new)
    if old != new:
        for k in range(w.n_work):
            x = item_of(s, i, k)
            if old >= 0 and s.items[x].state == 1 and s.items[x].desk == at.TEAMS + old:
                leave(s, x)
                join(s, at.TEAMS + new, x)


@inner
def arrive(w: Any, s: Any, seat: int, t: int, since: int) -> None:
    """Somebody takes a seat."""
    x = s.seats[seat]
    x.incumbent += 1
    x.since = since
    x.mark = t
    x.serves = -1
    x.leaving = 0
    x.arrives_at = NEVER
    x.leaves_at = NEVER
    x.busy = 0
    x.overtime = 0
    x.threshold = risk.threshold(s.key, purposes.SEAT_LEAVES, person_entity(x.team_key, x.number, x.incumbent), 0)
    stand_by(s, seat, t)
    review(w, s, seat, t)


@inner
def review(w: Any, s: Any, seat: int, t: int) -> None:
    """Monthly look-ahead of a seat: does its holder leave before the next one?"""
    x = s.seats[seat]
    book_time(s, seat, t)
    cap = s.p[at.overtime_cap + x.team] * 60.0
    share = x.overtime / cap if cap > 0.0 else 0.0
    rate = people.leave_rate(s.p, x.team, x.busy / MONTH, share)
    x.busy = 0
    x.overtime = 0
    x.review_at = t + MONTH
    push(w, s, x.review_at, ev.SEAT_REVIEW, seat)
    when, x.threshold = risk.look_ahead(x.threshold, rate, t, x.review_at)
    if when != NEVER:
        x.threshold = _NOT_AGAIN
        x.leaves_at = when
        push(w, s, when, ev.SEAT_LEAVES, seat)


@inner
def vacate(w: Any, s: Any, seat: int, t: int) -> None:
    """An idle seat's holder goes; accounts wait for a new owner, the seat perhaps for a new holder."""
    x = s.seats[seat]
    book_time(s, seat, t)
    stand_down(s, seat)
    x.state = 0
    x.leaving = 0
    x.leaves_at = NEVER
    x.orphans_at = t + minutes(s.p[at.handover_delay])
    by_team(s, x.team, m.T_LEAVERS, 1)
    note(s, t, ev.SEAT_LEAVES, seat, x.incumbent, 0, 0)
    push(w, s, x.orphans_at, ev.REASSIGN, seat)
    if s.p[at.seat_backfill + x.team] > 0.5 and not x.no_backfill:
        x.arrives_at = t + minutes(s.p[at.seat_hiring_lag + x.team])
        push(w, s, x.arrives_at, ev.SEAT_ARRIVES, seat)


@inner
def go(w: Any, s: Any, seat: int, t: int) -> None:
    """Leave now, or after the item in hand."""
    if s.seats[seat].state == 2:
        s.seats[seat].leaving = 1
    else:
        vacate(w, s, seat, t)


@inner
def fill(w: Any, s: Any, seat: int, t: int) -> None:
    """A hire or a replacement begins: takes over what the seat still owns, what nobody owns, and a fair share."""
    arrive(w, s, seat, t, t)
    x = s.seats[seat]
    team = x.team
    by_team(s, team, m.T_HIRES, 1)
    note(s, t, ev.SEAT_ARRIVES, seat, x.incumbent, 0, 0)
    for i in range(s.count[0]):
        a = s.accounts[i]
        if not a.alive or w.tier_team[a.tier] != team:
            continue
        coverage = w.coverage[a.tier]
        if coverage not in (ev.NAMED, ev.HYBRID):
            continue
        if a.owner < 0:
            own(w, s, i, t)
        elif a.owner == seat:
            hand_over(w, s, i, seat, t)
        elif s.seats[a.owner].state == 0 and s.seats[a.owner].orphans_at <= t:
            hand_over(w, s, i, least_loaded(w, s, team), t)
    level(w, s, seat, t)
    ask_dispatch(s, team, t)


@inner
def level(w: Any, s: Any, seat: int, t: int) -> None:
    """Move accounts from fuller books to a new seat until it has its fair share."""
    team = s.seats[seat].team
    present, accounts = 0, 0
    for other in range(w.team_from[team], w.team_from[team + 1]):
        if s.seats[other].state > 0:
            present += 1
            accounts += s.seats[other].accounts
    share = accounts // present
    for i in range(s.count[0]):
        if s.seats[seat].accounts >= share:
            break
        owner = s.accounts[i].owner
        if owner >= 0 and owner != seat and s.seats[owner].team == team and s.seats[owner].accounts > share:
            hand_over(w, s, i, seat, t)


@inner
def reassign(w: Any, s: Any, seat: int, t: int) -> None:
    """The accounts of an empty seat go to the emptiest books of its team, if anybody is there."""
    x = s.seats[seat]
    if x.state > 0 or x.orphans_at != t:
        return
    for i in range(s.count[0]):
        if s.accounts[i].alive and s.accounts[i].owner == seat:
            new = least_loaded(w, s, x.team)
            if new >= 0:
                hand_over(w, s, i, new, t)
    ask_dispatch(s, x.team, t)


@inner
def dismiss(w: Any, s: Any, team: int, seats: int, t: int) -> None:
    """A lever takes seats away for good, the highest numbers first."""
    seat = w.team_from[team + 1]
    while seats > 0 and seat > w.team_from[team]:
        seat -= 1
        x = s.seats[seat]
        if x.incumbent < 0 or x.no_backfill:
            continue
        x.no_backfill = 1
        seats -= 1
        if x.state == 0:
            x.arrives_at = NEVER
        else:
            go(w, s, seat, t)
