"""Small worlds with everything turned up, made from a few choices: to compare engines, and to check what must hold.

A `Case` is what both engines take. `case` builds one from its choices; `cases` lets Hypothesis choose. A feature left
out keeps the catalogue's defaults, so a failing example shrinks to the features that it needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from subsim.engine import events as ev
from subsim.engine import state
from subsim.engine.compiled.loop import simulate
from subsim.engine.frame import frame
from subsim.engine.reference import Extra, ReferenceResult, run_reference
from subsim.model import slots as at
from subsim.model.catalogue import parameters
from subsim.model.rules.clock import DAY, NEVER
from subsim.model.rules.work import ROLES
from subsim.random import purposes
from subsim.random.entities import name_entity
from subsim.random.philox import uniform

SEGMENTS = ("smb", "mid_market", "enterprise", "public")
WORKS = (
    "onboarding",
    "handoff",
    "renewal_prep",
    "save",
    "rescue",
    "sponsor_recovery",
    "expansion",
    "reactivation_outreach",
    "late_invoice",
    "ticket",
    "status_call",
    "business_review",
)
CALENDARS = (WORKS.index("status_call"), WORKS.index("business_review"))
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIRST_DAY = 739252  # 1 January 2025
COVERAGES = (ev.DIGITAL, ev.NAMED, ev.POOLED, ev.HYBRID)

#: Choices for parameters, by feature: {feature: {parameter: values}}.
FEATURES: dict[str, dict[str, Sequence[float]]] = {
    "policies": {
        "work.overload": (0, 1, 2, 3),
        "work.deadline": (0, 1, 5, 20),
        "work.patience_exponential": (0, 1),
        "work.hours": (0.5, 3, 12, 40),
        "work.priority": (1, 2, 2, 5),
        "coverage.priority": (-1, 0, 2),
        "coverage.overflow": (0, 1, 5),
        "overtime.cap": (0, 5, 20),
        "overtime.attrition": (0, 2),
    },
    "plays": {
        "playbook.on": (0, 1, 1),
        "score.red": (40, 70),
        "score.inactive": (50, 90),
        "playbook.save_concession": (0.2,),
    },
    "calendars": {"touch.cadence": (0, 7, 30)},
    "leaving": {
        "seat.leave_rate": (0, 1, 6),
        "seat.leave_load": (0, 5),
        "seat.backfill": (0, 1),
        "seat.hiring_lag": (0, 10, 45),
        "handover.delay": (0, 3, 30),
    },
    "losses": {
        "renewal.in_term_loss": (0, 0.5, 4),
        "renewal.uncontrollable": (0, 0.5),
        "renewal.base": (-2, 0),
        "renewal.beta_mixing": (0, 1),
        "contraction.rate": (0, 1),
        "invoice.late_rate": (0, 3),
    },
    "comebacks": {"renewal.reactivation": (0.5, 4, 20), "renewal.reactivation_share": (0.3, 1.2)},
    "prices": {
        "renewal.price_uplift": (-0.1, 0, 0.05),
        "renewal.contraction": (-3, 1),
        "renewal.notice_days": (0, 30, 90),
        "term.monthly_share": (0, 0.5),
    },
    "sponsors": {"sponsor.leave_rate": (0, 3), "sponsor.returns": (0, 4), "sponsor.recovers": (0.5, 1)},
    "growth": {
        "expansion.rate": (1, 4),
        "expansion.win": (0.5, 1),
        "value.wallet": (1, 1.2, 3),
        "engagement.rest": (0, 2),
        "advocacy.level": (-3, 0),
        "advocacy.days": (0, 30),
        "referral.rate": (1, 10),
        "referral.lag": (0, 20),
    },
    "tickets": {"ticket.rate": (0, 1, 4), "ticket.spike": (1, 3), "ticket.target": (0, 2)},
    "onboarding": {
        "onboarding.hours": (0, 5, 30),
        "onboarding.customer_delay": (0, 10, 60),
        "onboarding.patience": (5, 40),
        "onboarding.serial": (0, 1),
    },
    "market": {
        "arrival.word_of_mouth": (0, 5),
        "arrival.qualification_threshold": (-9, -0.5),
        "arrival.fit_mean": (-1, 0),
    },
    "campaigns": {
        "campaign.on": (0, 1, 1),
        "campaign.every": (7, 30),
        "campaign.reach": (0.2, 1),
        "campaign.tier": (0, 1),
    },
    "hires": {},
    "routes": {},
    "levers": {},
    "ties": {},
}


@dataclass(frozen=True)
class Case:
    """What both engines take."""

    world: state.World
    row: NDArray[np.float64]
    months: int
    teams: int
    tiers: int
    seed: int


class Chance:
    """Choices that depend on a number and a name alone."""

    def __init__(self, spin: int) -> None:
        self.spin = spin

    def below(self, limit: int, name: str, n: int = 0) -> int:
        return int(uniform(self.spin, 0, purposes.PARAMETER, name_entity(name), n) * limit)

    def among[T](self, values: Sequence[T], name: str, n: int = 0) -> T:
        return values[self.below(len(values), name, n)]


def default_row() -> NDArray[np.float64]:
    row = np.zeros(at.LENGTH)
    names = {"segment": SEGMENTS, "work": WORKS}
    for parameter in parameters().values():
        start = getattr(at, parameter.slot)
        row[start : start + parameter.size] = parameter.value
        for i, name in enumerate(names.get(parameter.by[0], ()) if len(parameter.by) == 1 else ()):
            row[start + i] = parameter.value_for(name)
    return row


def make_row(chance: Chance, features: Sequence[str], tiers: int) -> NDArray[np.float64]:
    row = default_row()
    for feature in features:
        for name, values in FEATURES[feature].items():
            parameter = parameters()[name]
            start = getattr(at, parameter.slot)
            for j in range(parameter.size):
                row[start + j] = chance.among(values, name, j)
    cadences = row[at.touch_cadence : at.touch_cadence + at.TIERS * at.WORK].reshape(at.TIERS, at.WORK)
    kept = cadences[:tiers, CALENDARS].copy()
    cadences[:] = 0.0
    cadences[:tiers, CALENDARS] = kept
    return row


def opening_base(chance: Chance, accounts: int, segments: int, ties: bool) -> NDArray[Any]:
    base = np.zeros(accounts, state.OPENING)
    for i, row in enumerate(base):
        row["entity"] = 1000 + i
        row["segment"] = chance.below(segments, "segment", i)
        row["arr"] = row["first_arr"] = 100_000 * (1 + chance.below(30, "arr", i))
        row["start"] = -DAY * chance.below(900, "start", i)
        row["term_end"] = DAY * (60 if ties else 1 + chance.below(365, "end", i))
        row["renewals"] = chance.below(4, "renewals", i)
        row["term"] = chance.among((1, 12, 12, 24, 36), "term", i)
        row["anchor"] = chance.among((1, 15, 31), "anchor", i)
        row["onboarded"] = chance.among((-1, 0, 1), "onboarded", i)
        row["sponsor"] = chance.among((-1, 0, 1), "sponsor", i)
        row["prepared"] = chance.among((-1, 0, 1), "prepared", i)
        row["ttv_days"] = chance.among((-1.0, 20.0), "ttv", i)
        row["score"] = chance.among((-1.0, 30.0, 75.0), "score", i)
        row["review_at"] = chance.among((0, 1, 9 * DAY), "review", i)
    return base.view(np.recarray)


def last_touches(chance: Chance, accounts: int, works: int) -> NDArray[np.int32]:
    """When touches of the book were last due: unknown, long ago, waiting now, due soon."""
    days = (None, -400, -80, -20, 3)
    chosen = [[chance.among(days, "touched", i * works + k) for k in range(works)] for i in range(accounts)]
    rows = [[NEVER if day is None else day * DAY for day in row] for row in chosen]
    return np.array(rows, np.int32).reshape(accounts, works)


def monthly_scores(chance: Chance, base: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Log odds and minutes of up to twelve scores of each account, with gaps."""
    odds, minutes = np.zeros((len(base), 12)), np.full((len(base), 12), NEVER, np.int32)
    for i in range(len(base)):
        t = -DAY * chance.below(40, "read", i)
        for j in range(chance.among((0, 1, 3, 12), "scores", i)):
            odds[i, j], minutes[i, j] = chance.among((-1.5, 0.4, 1.1, 3.0), "odds", 12 * i + j), t
            t -= DAY * chance.among((25, 30, 31, 90), "apart", 12 * i + j)
    return odds, minutes


def touches_done(chance: Chance, base: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Touches done before the start, of accounts of some segments."""
    rows = []
    for i, segment in enumerate(base["segment"]):
        count = chance.below(8, "done", i) * (chance.below(3, "segment is touched", int(segment)) > 0)
        days = sorted(chance.below(700, "done on", 8 * i + j) for j in range(count))
        rows += [(i, -DAY * day, chance.among(CALENDARS, "done what", day)) for day in reversed(days)]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return {
        "done_from": np.searchsorted(table[:, 0], np.arange(len(base) + 1)).astype(np.int64),
        "done_at": table[:, 1].astype(np.int32),
        "done_work": table[:, 2].astype(np.int16),
    }


def make_seats(chance: Chance, sizes: Sequence[int], hires: bool) -> tuple[NDArray[Any], NDArray[np.int64]]:
    seats = np.zeros(sum(sizes), state.SEAT)
    team_from = np.full(at.TEAMS + 1, sum(sizes), np.int64)
    index = 0
    for team, size in enumerate(sizes):
        team_from[team] = index
        for number in range(size):
            seat = seats[index]
            seat["team"] = team
            seat["team_key"] = 7 + team
            seat["number"] = number
            seat["phase"] = chance.among((-1, 0, 20 * DAY), "phase", index)
            seat["arrives_at"] = DAY * chance.below(200, "hire", index) if hires and number > 0 else 0
            index += 1
    return seats.view(np.recarray), team_from


def make_routes(chance: Chance, segments: int, tiers: int, moving: bool) -> NDArray[Any]:
    routes = np.zeros(segments + (4 if moving else 0), state.ROUTE)
    routes["segment"], routes["stage"], routes["arr_below"], routes["score_below"] = -1, -1, 1 << 62, 200.0
    for r, route in enumerate(routes[:-segments]):
        route["since"] = DAY * chance.among((0, 90), "since", r)
        route["segment"] = chance.below(segments + 1, "route segment", r) - 1
        route["stage"] = chance.among((-1, ev.ONBOARDING, ev.ADOPTED), "stage", r)
        route["tier"] = chance.below(tiers, "route tier", r)
        route["arr_from"] = chance.among((0, 1_500_000), "from", r)
        route["score_below"] = chance.among((200.0, 101.0, 60.0), "below", r)
    routes["segment"][-segments:] = range(segments)
    routes["tier"][-segments:] = [s % tiers for s in range(segments)]
    return routes.view(np.recarray)


def make_levers(chance: Chance, teams: int, tiers: int, row: NDArray[np.float64]) -> NDArray[Any]:
    levers = np.zeros(7, state.LEVER)
    levers["at"] = [DAY * chance.below(250, "lever", r) for r in range(levers.size)]
    tier = chance.below(tiers, "lever tier")
    cadence = at.touch_cadence + tier * at.WORK + CALENDARS[0]
    levers["action"] = [ev.SET, ev.RESTART_CALENDARS, ev.SCALE, ev.ROUTE, ev.LEAVE, ev.SET, ev.SCALE]
    hours = at.work_hours + chance.below(len(WORKS), "lever work")
    switch = at.playbook_on + tier * at.WORK + WORKS.index("save")
    levers["number"] = [cadence, tier, hours, 0, chance.below(teams, "lever team"), switch, at.engagement_rest]
    levers["value"] = [chance.among((0.0, 5.0), "cadence"), 0, 2.0, 0, 0, chance.below(2, "switch"), 0.5]
    levers["count"][4] = chance.below(3, "count")
    levers["at"][1] = levers["at"][0]
    return levers.view(np.recarray)


def case(
    spin: int,
    coverage: Sequence[int],
    sizes: Sequence[int],
    segments: int,
    months: int,
    accounts: int,
    features: Sequence[str],
) -> Case:
    """A case from its choices; ``sizes`` are the seats of each team."""
    chance, tiers, teams = Chance(spin), len(coverage), len(sizes)
    row = make_row(chance, features, tiers)
    works = len(WORKS)
    role = np.array([ROLES.index(name) if name in ROLES else 0 for name in WORKS], np.int64)
    of_role = np.full(len(ROLES), -1, np.int64)
    for k, r in enumerate(role):
        if r > 0:
            of_role[r] = k
    tier_team = np.array([-1 if c == ev.DIGITAL else i % teams for i, c in enumerate(coverage)], np.int64)
    work_team = np.empty((tiers, works), np.int64)
    for tier in range(tiers):
        for k in range(works):
            # Mostly the tier's own team, sometimes another one, sometimes nobody.
            other = chance.below(teams + 1, "does", tier * works + k) - 1
            work_team[tier, k] = other if chance.below(3, "own", tier * works + k) == 0 else tier_team[tier]
    seats, team_from = make_seats(chance, sizes, "hires" in features)
    levers = make_levers(chance, teams, tiers, row) if "levers" in features else np.zeros(0, state.LEVER)
    plan = np.array([[chance.among((0.0, 1.0, 2.0), "plan", s) for _ in range(months)] for s in range(segments)])
    campaigns = 2 if "campaigns" in features else 0
    base = opening_base(chance, accounts, segments, "ties" in features)
    history = np.repeat(base["arr"].astype(np.int64)[:, None], 12, axis=1)
    readings, read_at = monthly_scores(chance, base)
    lost = np.array([[chance.below(500_000, "lost", s * 13 + j) for j in range(13)] for s in range(segments)], np.int64)
    world = state.World(
        opening=base,
        opening_history=history,
        opening_touches=last_touches(chance, accounts, works),
        opening_readings=readings,
        opening_read_at=read_at,
        **touches_done(chance, base),
        lost_history=lost,
        lost_logos=np.minimum(lost, 2),
        seats=seats,
        team_from=team_from,
        levers=levers.view(np.recarray),
        routes=make_routes(chance, segments, tiers, "routes" in features),
        plan=plan,
        envelope=np.array([chance.among((4.0, 9.0), "envelope", s) for s in range(segments)]),
        sources=np.arange(1, segments + 1),
        work_key=np.arange(works).astype(np.uint64) * np.uint64(7919),
        work_role=role,
        work_of_role=of_role,
        work_team=work_team,
        tier_team=tier_team,
        coverage=np.array(coverage, np.int64),
        campaign_key=np.array([11, 12][:campaigns] or [0], np.uint64),
        months=np.array([0, *np.cumsum(MONTH_DAYS)[:months]], np.int64) * DAY,
        first_day=FIRST_DAY,
        n_work=works,
        n_campaigns=campaigns,
    )
    return Case(world, row, months, teams, tiers, spin & 0xFFFF)


@st.composite
def cases(draw: Callable[[st.SearchStrategy[Any]], Any], max_accounts: int = 40, max_months: int = 12) -> Case:
    """Random cases; what they are turns on few choices, so that they shrink."""
    return case(
        spin=draw(st.integers(0, 2**32 - 1)),
        coverage=draw(st.lists(st.sampled_from(COVERAGES), min_size=1, max_size=4)),
        sizes=draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)),
        segments=draw(st.integers(2, 4)),
        months=draw(st.integers(1, max_months)),
        accounts=draw(st.integers(0, max_accounts)),
        features=draw(st.lists(st.sampled_from(sorted(FEATURES)), unique=True, max_size=len(FEATURES))),
    )


def busy_case(spin: int = 1, months: int = 12, accounts: int = 40) -> Case:
    """A case with every feature and every kind of coverage."""
    return case(spin, COVERAGES, (3, 2), 3, months, accounts, tuple(FEATURES))


@dataclass(frozen=True)
class Room:
    """Sizes of the compiled engine's arrays."""

    accounts: int = 2000
    events: int = 50_000
    log: int = 100_000


def try_compiled(case: Case, first_run: int, runs: int, room: Room) -> tuple[list[ReferenceResult], int]:
    """Runs that came to their end, in the shape of the reference's (the last with its trace), and the status."""
    s = state.new_state(
        case.world, at.LENGTH, room.accounts, room.events, room.log, case.months, case.teams, case.tiers
    )
    cubes = [np.zeros((runs, *cube.shape), np.int64) for cube in (s.segments, s.teams, s.tiers)]
    rows = np.tile(case.row, (runs, 1))
    done = simulate(frame(case.world), frame(s), rows, np.uint64(case.seed), np.int64(first_run), *cubes)
    lines = np.asarray(s.log[: s.count[state.N_LOG]]).view(state.LOG).copy()
    results = [
        ReferenceResult(*(cube[j] for cube in cubes), lines if j == runs - 1 else lines[:0]) for j in range(done)
    ]
    return results, int(s.count[state.STATUS])


def run_compiled(case: Case, first_run: int = 0, runs: int = 1) -> list[ReferenceResult]:
    """Runs of the compiled engine with arrays as large as they need."""
    room = Room()
    results, status = try_compiled(case, first_run, runs, room)
    while status != ev.OK:
        room = Room(2 * room.accounts, 2 * room.events, 3 * room.log)
        results, status = try_compiled(case, first_run, runs, room)
    return results


def digest(result: ReferenceResult) -> str:
    """Hash of all that a run leaves behind."""
    content = (np.ascontiguousarray(part).tobytes() for part in result)
    return sha256(b"|".join(content)).hexdigest()


def run_reference_of(case: Case, run: int = 0, extra: Sequence[Extra] = ()) -> ReferenceResult:
    """One traced run of the reference engine."""
    size = (case.months, case.teams, case.tiers)
    return run_reference(case.world, case.row, case.seed, run, *size, trace=True, extra=extra)
