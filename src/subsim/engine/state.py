"""The state of one run as typed arrays, and what a run is given to start from.

Nothing else holds state. Both numbers of accounts and pending events can outgrow their arrays; the run then stops
with a status and is begun again with larger ones (identical, since draws depend on identity alone).
"""

from typing import Any, NamedTuple

import numpy as np

from subsim.engine import metrics
from subsim.model.rules.risk import RISKS
from subsim.model.slots import TEAMS

ACCOUNT = np.dtype(
    [
        ("entity", "u8"),
        ("arr", "i8"),
        ("first_arr", "i8"),
        ("last_arr", "i8"),  # before it left
        ("v", "f8"),
        ("fit", "f8"),
        ("e", "f8"),
        ("rest", "f8"),
        ("response", "f8"),
        ("ttv_days", "f8"),  # below zero: first value not reached
        ("score", "f8"),  # last reading; 101 before the first
        ("e_at", "i4"),  # minute to which engagement is computed
        ("start", "i4"),
        ("term_end", "i4"),
        ("notice_at", "i4"),
        ("first_value_at", "i4"),
        ("stall_at", "i4"),
        ("review_at", "i4"),
        ("ticket_at", "i4"),
        ("lead_at", "i4"),
        ("back_at", "i4"),
        ("since", "i4"),  # when the present owner took over
        ("above_since", "i4"),  # since when engagement is at an advocate's level; -1: it is not
        ("lost_at", "i4"),
        ("owner", "i4"),  # seat, or -1
        ("k", "i4"),  # renewals so far
        ("reviews", "i4"),
        ("lives", "i4"),  # times it came back
        ("ticket_n", "i4"),
        ("spike_from", "i4"),
        ("spike_n", "i4"),
        ("rest_of", "i4"),  # levers that had changed numbers when its rest was computed at a review
        ("term", "i2"),
        ("anchor", "i1"),
        ("segment", "i2"),  # wide enough to index parameters in plain Python too
        ("tier", "i2"),
        ("stage", "i1"),
        ("band", "i1"),  # of the last score; -1 before the first
        ("alive", "i1"),
        ("sponsor", "i1"),
        ("advocate", "i1"),
        ("doomed", "i1"),
        ("prepared", "i1"),
        ("conceded", "i1"),
        ("inactive", "i1"),  # last score was under the inactivity level
    ],
    align=True,
)

ITEM = np.dtype(
    [
        ("rank", "i8"),
        ("state", "i4"),  # 0 none, 1 waiting, 2 in service
        ("desk", "i4"),
        ("left", "i4"),
        ("right", "i4"),
        ("parent", "i4"),
        ("minutes", "i4"),
        ("raised", "i4"),
        ("lapses", "i4"),
        ("overflow", "i4"),
        ("next_due", "i4"),
        ("n", "i4"),  # items of this type so far
        ("tag", "i4"),  # due date of the touch, or number of the opportunity, that the item stands for
    ],
    align=True,
)

SEAT = np.dtype(
    [
        ("threshold", "f8"),
        ("team", "i8"),
        ("team_key", "i8"),
        ("number", "i8"),
        ("state", "i8"),  # 0 empty, 1 idle, 2 busy
        ("serves", "i8"),  # item in hand, or -1
        ("since", "i8"),
        ("phase", "i8"),  # minutes of a ramp phase; -1: the team's
        ("idle_since", "i8"),
        ("idle_before", "i8"),  # idle seats of the team before and after it, or -1
        ("idle_after", "i8"),
        ("mark", "i8"),  # minute to which its time is booked
        ("incumbent", "i8"),  # number of the person on the seat; -1 before the first
        ("accounts", "i8"),
        ("arrives_at", "i8"),
        ("leaves_at", "i8"),
        ("review_at", "i8"),
        ("orphans_at", "i8"),  # from when the accounts of an empty seat may go to others
        ("leaving", "i8"),
        ("no_backfill", "i8"),
        ("busy", "i8"),  # since its last review, for load-dependent leaving
        ("overtime", "i8"),
    ],
    align=True,
)

EVENT = np.dtype([("key", "u8"), ("after", "i8")])  # after: next event of the same bucket, or next free place

LEVER = np.dtype(
    [
        ("at", "i8"),
        ("action", "i8"),
        ("number", "i8"),  # slot, tier or team that it acts on
        ("count", "i8"),  # seats that leave
        ("value", "f8"),
    ],
    align=True,
)

ROUTE = np.dtype(
    [
        ("since", "i8"),  # minute from which the rule holds
        ("segment", "i8"),  # -1: any
        ("stage", "i8"),  # -1: any
        ("tier", "i8"),
        ("arr_from", "i8"),
        ("arr_below", "i8"),
        ("score_below", "f8"),  # above 100: any
    ],
    align=True,
)

OPENING = np.dtype(
    [
        ("entity", "u8"),
        ("arr", "i8"),
        ("first_arr", "i8"),
        ("start", "i4"),
        ("term_end", "i4"),
        ("renewals", "i4"),
        ("term", "i2"),
        ("anchor", "i1"),
        ("segment", "i1"),
        ("onboarded", "i1"),  # 1 yes, 0 no, -1 unknown
        ("sponsor", "i1"),  # 1 yes, 0 no, -1 unknown
        ("prepared", "i1"),  # whether the running term's renewal has been: 1 yes, 0 no, -1 unknown
        ("ttv_days", "f8"),  # below zero: unknown
        ("score", "f8"),  # below zero: none
        ("review_at", "i4"),  # minute of the next monthly review, 1 or later; 0: unknown
    ],
    align=True,
)

LOG = np.dtype(
    [("minute", "i4"), ("code", "i4"), ("who", "i4"), ("other", "i4"), ("before", "i8"), ("after", "i8")], align=True
)

#: A bucket of the event list spans 2 ** 6 minutes.
BUCKET_BITS = 6
# Counters of a run.
(
    N_ACCOUNTS,
    N_EVENTS,
    N_LOG,
    N_HANDLED,
    MONTH,
    STATUS,
    BUCKET,
    FREE,
    N_LATER,
    N_NOW,
    ASKED,  # teams to be dispatched at the end of the minute ASKED_AT, a bit each
    ASKED_AT,
    CHANGES,  # of numbers, by levers
    ROOM_BITS,  # there is room for 2 ** ROOM_BITS accounts
) = range(COUNTERS := 14)


class World(NamedTuple):
    """What all runs of a scenario share; read only."""

    opening: Any  # OPENING[accounts]
    opening_history: Any  # int64[accounts, 12]: ARR 11, 10, .. 0 months before the start
    opening_touches: Any  # int32[accounts, work]: when the last touch of a calendar was due, in minutes; NEVER: unknown
    opening_readings: Any  # float64[accounts, 12]: log odds of monthly scores, the last one first
    opening_read_at: Any  # int32[accounts, 12]: when, in minutes, at or before 0; NEVER: no score
    done_from: Any  # int64[accounts + 1]: calendar touches done at account o are done_from[o] .. done_from[o + 1] - 1
    done_at: Any  # int32[touches]: when, in minutes, at or before 0, rising for each account
    done_work: Any  # int16[touches]: of which work type
    lost_history: Any  # int64[segments, 13]: ARR of accounts lost before the start, j months before it
    lost_logos: Any  # int64[segments, 13]
    seats: Any  # SEAT[seats], with arrival dates
    team_from: Any  # int64[TEAMS + 1]: seats of team t are team_from[t] .. team_from[t + 1] - 1
    levers: Any  # LEVER[levers]
    routes: Any  # ROUTE[routes]
    plan: Any  # float64[segments, months]: new logos a month, season included
    envelope: Any  # float64[segments]
    sources: Any  # int64[segments]: number of the source of new customers
    work_key: Any  # uint64[work]: joins an account's identity for draws of that work type
    work_role: Any  # int64[work]
    work_of_role: Any  # int64[roles]: work type of a role, or -1
    work_team: Any  # int64[tiers, work]: team, or -1
    tier_team: Any  # int64[tiers]
    coverage: Any  # int64[tiers]
    campaign_key: Any  # uint64[campaigns]
    months: Any  # int64[months + 1]: minute at which each month begins
    first_day: int
    n_work: int
    n_campaigns: int


class State(NamedTuple):
    """What one run changes."""

    p: Any  # float64[LENGTH]
    key: Any  # uint64[2]
    accounts: Any  # ACCOUNT[capacity]
    history: Any  # int64[capacity, 12]
    left: Any  # float64[capacity, RISKS]
    rate: Any  # float64[capacity, RISKS]
    pending: Any  # int32[capacity, RISKS]
    spells: Any  # int32[capacity, RISKS]
    items: Any  # ITEM[work * capacity], see `compiled.item`
    waiting: Any  # int8[capacity]: how many of an account's items wait at a desk
    roots: Any  # int64[TEAMS + seats]
    seats: Any  # SEAT[seats]
    sources: Any  # int64[segments]: leads so far
    multiplier: Any  # float64[segments, 2]: month and its multiplier on arrivals
    sends: Any  # int64[campaigns]
    hours_scale: Any  # float64[work, 2]: shape of hours, and the scale of a law with mean 1 and that shape
    idle_first: Any  # int64[TEAMS]: the team's seat that has been idle longest, or -1
    idle_last: Any  # int64[TEAMS]
    now: Any  # uint64[capacity]: heap of the events of the present bucket
    later: Any  # EVENT[capacity]: events of later buckets
    buckets: Any  # int64[buckets]: first event of a bucket, or -1
    count: Any  # int64[counters]
    mood: Any  # float64[3]: ill-fitting accounts lost within about a year, when that was computed, live accounts
    touched: Any  # float64[opening accounts]: how far touches of the book hold an account of response 1 up
    alike: Any  # float64[segments, 3]: of opening accounts: mean of that, of the head start, and the share of touches
    segments: Any  # int64[months, segments, SEGMENT]
    teams: Any  # int64[months, teams, TEAM]
    tiers: Any  # int64[months, tiers, TIER]
    log: Any  # LOG[capacity], empty: no trace


def new_state(
    world: World, length: int, accounts: int, events: int, log: int, months: int, teams: int, tiers: int
) -> State:
    """Allocate the arrays of a run, with room for a power of two of accounts; `begin` fills them, again and again."""
    accounts = 1 << (accounts - 1).bit_length()
    segments, seats = world.plan.shape[0], world.seats.size
    return State(
        p=np.empty(length),
        key=np.zeros(2, np.uint64),
        accounts=np.zeros(accounts, ACCOUNT).view(np.recarray),
        history=np.zeros((accounts, 12), np.int64),
        left=np.zeros((accounts, RISKS)),
        rate=np.zeros((accounts, RISKS)),
        pending=np.zeros((accounts, RISKS), np.int32),
        spells=np.zeros((accounts, RISKS), np.int32),
        items=np.zeros(accounts * world.n_work, ITEM).view(np.recarray),
        waiting=np.zeros(accounts, np.int8),
        roots=np.full(TEAMS + seats, -1, np.int64),
        seats=world.seats.copy().view(np.recarray),
        sources=np.zeros(segments, np.int64),
        multiplier=np.zeros((segments, 2)),
        hours_scale=np.zeros((world.n_work, 2)),
        sends=np.zeros(max(world.n_campaigns, 1), np.int64),
        idle_first=np.full(TEAMS, -1, np.int64),
        idle_last=np.full(TEAMS, -1, np.int64),
        now=np.zeros(events, np.uint64),
        later=np.zeros(events, EVENT).view(np.recarray),
        buckets=np.full((int(world.months[-1]) >> BUCKET_BITS) + 2, -1, np.int64),
        count=np.zeros(COUNTERS, np.int64),
        mood=np.zeros(3),
        touched=np.zeros(world.opening.size),
        alike=np.zeros((segments, 3)),
        segments=np.zeros((months, segments, len(metrics.SEGMENT)), np.int64),
        teams=np.zeros((months, teams, len(metrics.TEAM)), np.int64),
        tiers=np.zeros((months, tiers, len(metrics.TIER)), np.int64),
        log=np.zeros(log, LOG).view(np.recarray),
    )
