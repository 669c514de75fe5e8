"""Work items: raised, queued, moved between desks, dropped."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference.desk import Desk
from subsim.model import slots as at
from subsim.model.rules import onboarding
from subsim.model.rules import work as rules
from subsim.model.rules.clock import NEVER, minutes

if TYPE_CHECKING:
    from subsim.engine.reference.account import Account
    from subsim.engine.reference.model import Model
    from subsim.engine.reference.seats import Team

SQUEEZED = -1  # instead of the date of lapsing


@dataclass(frozen=True, slots=True)
class WorkType:
    """A kind of work that the scenario has."""

    number: int
    role: int
    key: Any  # np.uint64: joins an account's identity for draws of this type


@dataclass(slots=True, eq=False)
class WorkItem:
    """One piece of work for one account: waiting at a desk, then in service, then closed."""

    number: int
    account: Account
    work: WorkType
    minutes: int
    rank: int
    raised: int
    lapses: int
    tag: int  # due date of the touch, or number of the opportunity, that it stands for
    overflow_at: int = NEVER
    desk: Desk | None = None  # where it waits
    closed: Event | None = None  # for whoever waits until it is done or has expired

    @property
    def waits(self) -> bool:
        """Whether nobody has begun it."""
        return self.desk is not None

    def close(self) -> None:
        """It is done or has expired: the account may be given another of its type."""
        self.account.open_items[self.work.number] = None
        if self.closed is not None:
            self.closed.succeed()


def waiting_at(item: WorkItem) -> Desk:
    """The desk of an item that is known to wait."""
    if item.desk is None:
        raise RuntimeError(f"item {item.number} does not wait")
    return item.desk


def ask_dispatch(model: Model, team: Team) -> None:
    """Have the team's seats handed out at the end of this minute."""
    if team.dispatch_at != model.now:
        team.dispatch_at = model.now
        team.called.succeed()


def desk_of(model: Model, account: Account, team: Team) -> Desk:
    """Where an account's item for a team waits: at its owner's desk where tiers have owners, else in the pool."""
    tier = model.tiers[account.tier]
    if account.owner is not None and team is tier.team and tier.has_owners:
        return account.owner.desk
    return team.pool


def raise_item(model: Model, account: Account, work: WorkType, latest: int, tag: int) -> WorkItem | None:
    """Raise an account's item of a type, unless one is open or nobody does such work; ``latest`` caps its due date."""
    team = model.tiers[account.tier].does[work.number]
    if account.open_items[work.number] is not None or team is None:
        return None
    now, p, key = model.now, model.p, model.key
    n = account.raised[work.number]
    account.raised[work.number] = n + 1
    who = account.entity ^ work.key
    if work.role == rules.ONBOARDING:
        takes = onboarding.work_left(p, key, account.entity, account.segment, account.fit, team.number, account.start)
    else:
        scale = rules.scale_of_mean(p[at.work_hours_shape + work.number])
        takes = rules.item_minutes(p, key, who, n, work.number, scale)
    due_at = min(rules.due(p, now, work.number), latest)
    policy = rules.policy(p, work.number)
    lapses = NEVER
    if policy != rules.WAIT:
        lapses = min(rules.lapses(p, key, who, n, work.number, now, due_at), latest)
    rank = rules.rank(p, work.number, account.tier, due_at, now)
    item = WorkItem(model.item_number(account, work), account, work, takes, rank, now, lapses, tag)
    account.open_items[work.number] = item
    if policy in (rules.EXPIRE, rules.OVERTIME):
        model.env.process(model.deadline(item))
    _count_demand(model, item, team)
    if work.role == rules.CALENDAR:
        model.record.tier(account.tier, m.R_TOUCHES_DUE)
    model.record.note(now, ev.L_RAISED, account.number, work.number, takes, due_at)
    queue(model, item, team)
    return item


def _count_demand(model: Model, item: WorkItem, team: Team) -> None:
    model.record.team(team.number, m.T_ITEMS_DEMANDED)
    model.record.team(team.number, m.T_MINUTES_DEMANDED, item.minutes)


def queue(model: Model, item: WorkItem, team: Team) -> None:
    """Let an item wait where it belongs now."""
    account = item.account
    desk = desk_of(model, account, team)
    desk.join(item)
    item.overflow_at = NEVER
    if desk.seat is not None and model.tiers[account.tier].coverage == ev.HYBRID:
        patience = minutes(model.p[at.coverage_overflow + account.tier])
        item.overflow_at = max(model.now, item.raised + patience)
        model.env.process(overflow(model, item))
    ask_dispatch(model, team)


def overflow(model: Model, item: WorkItem) -> Generator[Event, Any, None]:
    """A hybrid tier's item waits for its owner; after a while anybody in the team may take it."""
    yield model.env.at(item.overflow_at, ev.OVERFLOW, item.number)
    desk = item.desk
    if desk is not None and desk.seat is not None and item.overflow_at == model.now:
        desk.leave(item)
        desk.team.pool.join(item)
        ask_dispatch(model, desk.team)


def cancel(model: Model, item: WorkItem) -> None:
    """Drop a waiting item whose reason is gone; whoever waits for its end waits in vain."""
    desk = waiting_at(item)
    desk.leave(item)
    item.account.open_items[item.work.number] = None
    model.record.team(desk.team.number, m.T_ITEMS_CANCELLED)
    model.record.team(desk.team.number, m.T_MINUTES_CANCELLED, item.minutes)
    model.record.note(model.now, ev.L_CANCELLED, item.account.number, item.work.number)


def move_items(model: Model, account: Account) -> None:
    """Let an account's waiting items follow it to its new tier or owner; those that nobody does there are dropped."""
    for work in model.works:
        item = account.open_items[work.number]
        if item is None or not item.waits:
            continue
        desk = waiting_at(item)
        team = model.tiers[account.tier].does[work.number]
        if team is desk.team:
            desk.leave(item)
        else:
            cancel(model, item)
            if team is None:
                continue
            account.open_items[work.number] = item
            _count_demand(model, item, team)
        queue(model, item, team)
