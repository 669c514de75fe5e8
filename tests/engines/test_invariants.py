"""What must hold in every run: checked on traces and cubes of the compiled engine."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference import ReferenceResult
from subsim.model import slots as at
from subsim.model.rules import people, work
from tests.engines.worlds import WORKS, Case, busy_case, case, cases, digest, run_compiled, run_reference_of

NOT_OF_ACCOUNTS = {ev.LEVER, ev.SEAT_ARRIVES, ev.SEAT_LEAVES, ev.CAMPAIGN, ev.L_DECLINED}
WAITING, MOVED, IN_SERVICE = "waiting", "moved", "in service"


def segment(run: ReferenceResult, name: str) -> Any:
    return run.segments[:, :, m.SEGMENT.index(name)]


def team(run: ReferenceResult, name: str) -> Any:
    return run.teams[:, :, m.TEAM.index(name)]


def tier(run: ReferenceResult, name: str) -> Any:
    return run.tiers[:, :, m.TIER.index(name)]


def lines(run: ReferenceResult) -> list[tuple[int, int, int, int, int, int]]:
    return run.log.tolist()  # type: ignore[no-any-return]


def check_money(world: Case, run: ReferenceResult) -> None:
    """Opening plus the lines of the bridge is closing, to the cent; accounts add up as well."""
    book = world.world.opening
    groups = run.segments.shape[1]
    arr = np.array([book["arr"][book["segment"] == s].sum() for s in range(groups)])
    logos = np.bincount(book["segment"], minlength=groups)
    up = ("new", "expansion_seats", "expansion_cross_sell", "price_up", "reactivation")
    down = ("price_down", "contraction", "concession", "churn")
    change = sum(segment(run, name) for name in up) - sum(segment(run, name) for name in down)
    assert np.array_equal(arr + change.cumsum(axis=0), segment(run, "arr"))
    moves = segment(run, "logos_new") + segment(run, "logos_reactivated") - segment(run, "logos_lost")
    assert np.array_equal(logos + moves.cumsum(axis=0), segment(run, "logos"))
    assert np.array_equal(tier(run, "accounts").sum(axis=1), segment(run, "logos").sum(axis=1))
    assert np.array_equal(tier(run, "arr").sum(axis=1), segment(run, "arr").sum(axis=1))
    reasons = [name for name in m.SEGMENT if name.startswith("churn_")]
    assert np.array_equal(sum(segment(run, name) for name in reasons), segment(run, "churn"))


def check_cohorts(run: ReferenceResult) -> None:
    """Nobody keeps more than was there."""
    assert (segment(run, "ttm_kept") <= segment(run, "ttm_opening")).all()
    assert (segment(run, "ttm_kept") <= segment(run, "ttm_net")).all()
    assert (segment(run, "ttm_logos_kept") <= segment(run, "ttm_logos_opening")).all()
    assert (segment(run, "renewed") <= segment(run, "atr")).all()


def check_lives(run: ReferenceResult) -> None:
    """A lost account does nothing until it comes back; only work in hand is still finished."""
    lost: dict[int, int] = {}
    for t, code, who, *_ in lines(run):
        if code in NOT_OF_ACCOUNTS:
            continue
        if code == ev.L_REACTIVATION:
            assert who in lost, "came back without having left"
            del lost[who]
        elif who in lost:
            assert code == ev.L_DONE or (code == ev.L_CANCELLED and t == lost[who]), (t, ev.TRACE[code], who)
        elif code == ev.L_CHURN:
            lost[who] = t


def check_work(world: Case, run: ReferenceResult) -> None:
    """Each item is raised, then begun or dropped, then done; all that was demanded is somewhere."""
    now: dict[tuple[int, int], str] = {}
    minutes: dict[tuple[int, int], int] = {}
    seat_of: dict[tuple[int, int], int] = {}
    tier_changed: dict[int, int] = {}
    for t, code, who, other, before, _ in lines(run):
        item = (who, other)
        if code == ev.L_TIER:
            tier_changed[who] = t
        elif code == ev.L_RAISED:
            assert now.get(item, MOVED) == MOVED, (t, item)
            now[item], minutes[item] = WAITING, before
        elif code in (ev.L_BEGUN, ev.L_OVERTIME):
            assert now[item] in (WAITING, MOVED), (t, item)
            now[item] = IN_SERVICE
            seat_of[item] = before
        elif code == ev.L_DONE:
            assert now.pop(item) == IN_SERVICE, (t, item)
        elif code in (ev.L_EXPIRED, ev.L_CANCELLED):
            assert now.pop(item) in (WAITING, MOVED), (t, item)
            if code == ev.L_CANCELLED and tier_changed.get(who) == t:
                now[item] = MOVED  # dropped, or handed to the team that does it in the new tier
    teams = run.teams.shape[1]
    in_service = Counter(
        int(world.world.seats["team"][seat_of[item]]) for item, is_ in now.items() if is_ == IN_SERVICE
    )
    demanded = team(run, "items_demanded").sum(axis=0)
    left = sum(team(run, f"items_{end}").sum(axis=0) for end in ("done", "expired", "cancelled"))
    backlog = team(run, "backlog_items")[-1]
    assert np.array_equal(demanded, left + backlog + [in_service[k] for k in range(teams)])
    waiting = sum(is_ == WAITING for is_ in now.values())
    moved = sum(is_ == MOVED for is_ in now.values())
    assert waiting <= backlog.sum() <= waiting + moved
    rest = sum(team(run, f"minutes_{name}").sum() * sign for name, sign in MINUTES)
    assert 0 <= rest <= sum(minutes[item] for item in now)
    squeezes = (world.row[at.work_overload : at.work_overload + len(WORKS)] == work.SQUEEZE).any()
    if not moved and not squeezes:
        assert rest == sum(minutes[item] for item in now)


MINUTES = (("demanded", 1), ("served", -1), ("expired", -1), ("cancelled", -1))


def check_time(world: Case, run: ReferenceResult) -> None:
    """Nobody is busier than there; nobody does more in the time than the pace allows."""
    available, busy = team(run, "available_minutes"), team(run, "busy_minutes")
    assert (busy <= available).all()
    seats = np.diff(world.world.team_from)[: run.teams.shape[1]]
    assert (available <= seats * np.diff(world.world.months)[:, None]).all()
    assert (team(run, "seats") <= seats).all()
    for k in range(run.teams.shape[1]):
        best = people.pace(world.row, k, people.LONG_AGO, 0, 0)
        in_hours = (team(run, "minutes_served") - team(run, "overtime_minutes"))[:, k].sum()
        rounding = team(run, "items_done")[:, k].sum()  # an item's time is rounded to a whole minute
        assert in_hours <= (busy[:, k].sum() + rounding) * best + 1e-6
    assert all((team(run, name) >= 0).all() for name in m.TEAM)


def check_owners(world: Case, run: ReferenceResult) -> None:
    """Accounts owned, by team, are those whose last owner in the trace sits in it."""
    owner: dict[int, int] = {}
    for _, code, who, other, *_ in lines(run):
        if code == ev.L_OWNER:
            owner[who] = other
        elif code == ev.L_CHURN:
            owner.pop(who, None)
    owned = Counter(int(world.world.seats["team"][seat]) for seat in owner.values() if seat >= 0)
    assert team(run, "accounts")[-1].tolist() == [owned[k] for k in range(run.teams.shape[1])]
    assert (team(run, "accounts").sum(axis=1) <= segment(run, "logos").sum(axis=1)).all()


def check_time_order(world: Case, run: ReferenceResult) -> None:
    """The trace is in order of time and inside the horizon."""
    assert (np.diff(run.log["minute"]) >= 0).all()
    assert run.log["minute"].max(initial=0) < world.world.months[-1]


def check_all(world: Case, run: ReferenceResult) -> None:
    check_time_order(world, run)
    check_money(world, run)
    check_cohorts(run)
    check_lives(run)
    check_work(world, run)
    check_time(world, run)
    check_owners(world, run)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(max_accounts=60))
def test_invariants_hold_in_random_worlds(world: Case) -> None:
    check_all(world, run_compiled(world)[0])


@pytest.mark.parametrize("spin", range(6))
def test_invariants_hold_when_everything_is_turned_up(spin: int) -> None:
    world = busy_case(spin)
    check_all(world, run_compiled(world)[0])


def test_first_value_comes_once_even_to_those_who_left_and_came_back_before_it() -> None:
    world = case(1, (ev.NAMED,), (3,), 3, 12, 40, ("losses", "comebacks", "onboarding"))
    for name, value in (
        ("renewal_in_term_loss", 4.0),
        ("renewal_reactivation", 18.0),
        ("onboarding_customer_delay", 70.0),
        ("onboarding_hours", 20.0),
    ):
        start = getattr(at, name)
        world.row[start : start + at.SEGMENTS] = value
    codes = {code: Counter[int]() for code in (ev.FIRST_VALUE, ev.L_REACTIVATION)}
    for _, code, who, *_ in lines(run_compiled(world)[0]):
        if code in codes:
            codes[code][who] += 1
    assert set(codes[ev.FIRST_VALUE]) & set(codes[ev.L_REACTIVATION])
    assert max(codes[ev.FIRST_VALUE].values()) == 1


def test_work_whose_lift_brings_more_of_it_comes_to_an_end() -> None:
    months, accounts = 6, 12
    world = busy_case(months=months, accounts=accounts)
    world.row[at.work_lift + WORKS.index("expansion")] = 50.0
    world.row[at.expansion_engagement] = 2.0
    run = run_compiled(world)[0]
    times = Counter(who for _, code, who, *_ in lines(run) if code == ev.L_OPPORTUNITY)
    assert 0 < max(times.values()) < 2 * 365 * months / 12
    assert digest(run) == digest(run_reference_of(world))
