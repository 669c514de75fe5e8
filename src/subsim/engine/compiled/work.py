"""Work items: raised, begun, done, expired, cancelled, moved between desks."""

from typing import Any

from subsim._jit import inner
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.compiled.book import by_team, by_tier, note
from subsim.engine.compiled.desk import join, leave
from subsim.engine.compiled.heap import push, push_dispatch
from subsim.engine.compiled.item import item_of, number_of
from subsim.model import slots as at
from subsim.model.rules import onboarding
from subsim.model.rules import work as rules
from subsim.model.rules.clock import NEVER, minutes


@inner
def ask_dispatch(s: Any, team: int, t: int) -> None:
    """Have the team's seats handed out at the end of this minute, if one is idle; one that becomes idle asks itself."""
    if s.idle_first[team] >= 0:
        push_dispatch(s, t, team)


@inner
def desk_of(w: Any, s: Any, i: int, team: int) -> int:
    """Where an account's item for a team waits: at its owner's desk in a named or hybrid tier, else in the pool."""
    a = s.accounts[i]
    coverage = w.coverage[a.tier]
    if a.owner >= 0 and team == w.tier_team[a.tier] and coverage in (ev.NAMED, ev.HYBRID):
        return at.TEAMS + a.owner
    return team


@inner
def hours_scale(s: Any, work: int) -> float:
    """`scale_of_mean` of a work type, computed again only when a lever or a new run changes the shape."""
    known = s.hours_scale
    shape = s.p[at.work_hours_shape + work]
    if known[work, 0] != shape:
        known[work, 0] = shape
        known[work, 1] = rules.scale_of_mean(shape)
    scale: float = known[work, 1]
    return scale


@inner
def raise_item(w: Any, s: Any, i: int, work: int, t: int, latest: int, tag: int) -> bool:
    """Raise an account's item of a type, unless one is open or nobody does such work; ``latest`` caps its due date."""
    a = s.accounts[i]
    x = item_of(s, i, work)
    item = s.items[x]
    team = w.work_team[a.tier, work]
    if item.state != 0 or team < 0:
        return False
    n = item.n
    item.n = n + 1
    who = a.entity ^ w.work_key[work]
    role = w.work_role[work]
    if role == rules.ONBOARDING:
        item.minutes = onboarding.work_left(s.p, s.key, a.entity, a.segment, a.fit, team, a.start)
    else:
        item.minutes = rules.item_minutes(s.p, s.key, who, n, work, hours_scale(s, work))
    due_at = min(rules.due(s.p, t, work), latest)
    item.rank = rules.rank(s.p, work, a.tier, due_at, t)
    item.raised = t
    item.state = 1
    item.tag = tag
    policy = rules.policy(s.p, work)
    item.lapses = NEVER
    if policy != rules.WAIT:
        item.lapses = min(rules.lapses(s.p, s.key, who, n, work, t, due_at), latest)
        if policy != rules.SQUEEZE:
            push(w, s, item.lapses, ev.DEADLINE, number_of(s, x))
    by_team(s, team, m.T_ITEMS_DEMANDED, 1)
    by_team(s, team, m.T_MINUTES_DEMANDED, item.minutes)
    if role == rules.CALENDAR:
        by_tier(s, a.tier, m.R_TOUCHES_DUE, 1)
    note(s, t, ev.L_RAISED, i, work, item.minutes, due_at)
    queue(w, s, i, x, team, t)
    return True


@inner
def queue(w: Any, s: Any, i: int, x: int, team: int, t: int) -> None:
    """Let an item wait where it belongs now."""
    desk = desk_of(w, s, i, team)
    item = s.items[x]
    join(s, desk, x)
    item.overflow = NEVER
    tier = s.accounts[i].tier
    if desk >= at.TEAMS and w.coverage[tier] == ev.HYBRID:
        item.overflow = max(t, item.raised + minutes(s.p[at.coverage_overflow + tier]))
        push(w, s, item.overflow, ev.OVERFLOW, number_of(s, x))
    ask_dispatch(s, team, t)


@inner
def next_touch(w: Any, s: Any, i: int, work: int, t: int) -> None:
    """Schedule the next touch of a calendar after one ended: a cadence after it was due, but not before now."""
    item = s.items[item_of(s, i, work)]
    cadence = minutes(s.p[at.touch_cadence + s.accounts[i].tier * at.WORK + work])
    if cadence > 0:
        item.next_due = max(item.tag + cadence, t)
        push(w, s, item.next_due, ev.DUE, i * at.WORK + work)


@inner
def cancel(s: Any, i: int, work: int, t: int) -> None:
    """Drop a waiting item whose reason is gone."""
    x = item_of(s, i, work)
    item = s.items[x]
    desk = item.desk
    team = s.seats[desk - at.TEAMS].team if desk >= at.TEAMS else desk
    leave(s, x)
    item.state = 0
    by_team(s, team, m.T_ITEMS_CANCELLED, 1)
    by_team(s, team, m.T_MINUTES_CANCELLED, item.minutes)
    note(s, t, ev.L_CANCELLED, i, work, 0, 0)


@inner
def move_items(w: Any, s: Any, i: int, t: int) -> None:
    """Let an account's waiting items follow it to its new tier or owner; those that nobody does there are dropped."""
    tier = s.accounts[i].tier
    for work in range(w.n_work):
        x = item_of(s, i, work)
        item = s.items[x]
        if item.state != 1:
            continue
        desk = item.desk
        old = s.seats[desk - at.TEAMS].team if desk >= at.TEAMS else desk
        team = w.work_team[tier, work]
        if team != old:
            cancel(s, i, work, t)
        if team >= 0:
            if team == old:
                leave(s, x)
            else:
                item.state = 1
                by_team(s, team, m.T_ITEMS_DEMANDED, 1)
                by_team(s, team, m.T_MINUTES_DEMANDED, item.minutes)
            queue(w, s, i, x, team, t)
