"""People: they come to a seat, have their monthly review, leave; accounts change hands."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.account import shift
from subsim.engine.reference.lifecycle import own
from subsim.engine.reference.seats import least_loaded
from subsim.engine.reference.work import ask_dispatch
from subsim.model import slots as at
from subsim.model.rules import people, risk
from subsim.model.rules.clock import MONTH, NEVER, minutes
from subsim.random import purposes
from subsim.random.entities import person_entity

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.seats import Seat, Team

_NOT_AGAIN = 1e300  # a threshold that no rate meets: the leaving is already planned


def book_time(model: Model, seat: Seat) -> None:
    """Book a seat's time up to now as available, and as busy if it is."""
    passed = model.now - seat.booked_to
    if seat.filled:
        model.record.team(seat.team.number, m.T_AVAILABLE_MINUTES, passed)
        if seat.item is not None:
            model.record.team(seat.team.number, m.T_BUSY_MINUTES, passed)
            seat.busy += passed
    seat.booked_to = model.now


def plan_seat(model: Model, seat: Seat, arrives_at: int) -> None:
    """A seat of the opening team is filled; a hire's comes later."""
    if arrives_at <= 0:
        arrive(model, seat, people.LONG_AGO)
    else:
        seat.arrives_at = arrives_at
        model.env.process(vacancy(model, seat))


def vacancy(model: Model, seat: Seat) -> Generator[Event, Any, None]:
    """An empty seat waits for its next holder."""
    yield model.env.at(seat.arrives_at, ev.SEAT_ARRIVES, seat.index)
    if seat.arrives_at == model.now and not seat.filled:
        fill(model, seat)


def arrive(model: Model, seat: Seat, since: int) -> None:
    """Somebody takes a seat."""
    seat.filled = True
    seat.incumbent += 1
    seat.since = since
    seat.booked_to = seat.idle_since = model.now
    seat.item = None
    seat.leaving = False
    seat.arrives_at = seat.leaves_at = NEVER
    seat.busy = seat.overtime = 0
    person = model.entity(person_entity(seat.team_key, seat.place, seat.incumbent))
    seat.threshold = risk.threshold(model.key, purposes.SEAT_LEAVES, person, 0)
    review(model, seat)
    model.env.process(reviews(model, seat))


def reviews(model: Model, seat: Seat) -> Generator[Event, Any, None]:
    """The monthly reviews of a seat while the same person holds it."""
    while True:
        yield model.env.at(seat.review_at, ev.SEAT_REVIEW, seat.index)
        if seat.review_at != model.now or not seat.filled:
            return
        review(model, seat)


def review(model: Model, seat: Seat) -> None:
    """Look a month ahead: does the holder leave before the next review?"""
    book_time(model, seat)
    team, now = seat.team.number, model.now
    cap = model.overtime_cap(seat.team)
    overtime_share = seat.overtime / cap if cap > 0.0 else 0.0
    rate = people.leave_rate(model.p, team, seat.busy / MONTH, overtime_share)
    seat.busy = seat.overtime = 0
    seat.review_at = now + MONTH
    when, seat.threshold = risk.look_ahead(seat.threshold, rate, now, seat.review_at)
    if when != NEVER:
        seat.threshold = _NOT_AGAIN
        seat.leaves_at = when
        model.env.process(departure(model, seat))


def departure(model: Model, seat: Seat) -> Generator[Event, Any, None]:
    """The holder of a seat goes on a day that is set."""
    yield model.env.at(seat.leaves_at, ev.SEAT_LEAVES, seat.index)
    if seat.leaves_at == model.now and seat.filled:
        go(model, seat)


def go(model: Model, seat: Seat) -> None:
    """Leave now, or after the item in hand."""
    if seat.item is not None:
        seat.leaving = True
    else:
        vacate(model, seat)


def vacate(model: Model, seat: Seat) -> None:
    """A seat's holder goes; accounts wait for a new owner, the seat perhaps for a new holder."""
    book_time(model, seat)
    team = seat.team.number
    seat.filled = False
    seat.leaving = False
    seat.leaves_at = NEVER
    seat.orphans_at = model.now + minutes(model.p[at.handover_delay])
    model.record.team(team, m.T_LEAVERS)
    model.record.note(model.now, ev.SEAT_LEAVES, seat.index, seat.incumbent)
    model.env.process(orphans(model, seat))
    if model.p[at.seat_backfill + team] > 0.5 and not seat.given_up:
        seat.arrives_at = model.now + minutes(model.p[at.seat_hiring_lag + team])
        model.env.process(vacancy(model, seat))


def orphans(model: Model, seat: Seat) -> Generator[Event, Any, None]:
    """After a while the accounts of an empty seat go to the emptiest books of its team, if anybody is there."""
    yield model.env.at(seat.orphans_at, ev.REASSIGN, seat.index)
    if seat.filled or seat.orphans_at != model.now:
        return
    for account in model.accounts:
        if account.alive and account.owner is seat:
            new = least_loaded(seat.team)
            if new is not None:
                hand_over(model, account, new)
    ask_dispatch(model, seat.team)


def hand_over(model: Model, account: Account, new: Seat) -> None:
    """Give an account to another seat (or to a new person on the same one): engagement suffers, waiting work moves."""
    old = account.owner
    if old is not None:
        shift(model, account, -model.p[at.handover_shock])
        old.accounts -= 1
    new.accounts += 1
    account.owner = new
    account.owner_since = model.now
    before = old.index if old is not None else -1
    model.record.note(model.now, ev.L_OWNER, account.number, new.index, before, new.index)
    if old is None or old is new:
        return
    for item in account.open_items:
        if item is not None and item.desk is old.desk:
            old.desk.leave(item)
            new.desk.join(item)


def fill(model: Model, seat: Seat) -> None:
    """A hire or a replacement begins: takes over what the seat still owns, what nobody owns, and a fair share."""
    team = seat.team
    arrive(model, seat, model.now)
    model.record.team(team.number, m.T_HIRES)
    model.record.note(model.now, ev.SEAT_ARRIVES, seat.index, seat.incumbent)
    for account in model.accounts:
        tier = model.tiers[account.tier]
        if not account.alive or tier.team is not team or not tier.has_owners:
            continue
        owner = account.owner
        if owner is None:
            own(model, account)
        elif owner is seat:
            hand_over(model, account, seat)
        elif not owner.filled and owner.orphans_at <= model.now:
            hand_over(model, account, least_loaded(team) or seat)
    level(model, seat)
    ask_dispatch(model, team)


def level(model: Model, seat: Seat) -> None:
    """Move accounts from fuller books to a new seat until it has its fair share."""
    present = [other for other in seat.team.seats if other.filled]
    share = sum(other.accounts for other in present) // len(present)
    for account in model.accounts:
        if seat.accounts >= share:
            break
        owner = account.owner
        if owner is not None and owner is not seat and owner.team is seat.team and owner.accounts > share:
            hand_over(model, account, seat)


def dismiss(model: Model, team: Team, seats: int) -> None:
    """A lever takes seats away for good, the highest numbers first."""
    taken = 0
    for seat in reversed(team.seats):
        if taken == seats:
            return
        if seat.incumbent < 0 or seat.given_up:
            continue
        seat.given_up = True
        taken += 1
        if seat.filled:
            go(model, seat)
        else:
            seat.arrives_at = NEVER
