"""Both engines agree event for event: every line of the trace, every cell of the cubes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.reference import Model, ReferenceResult
from subsim.engine.reference.account import shift
from subsim.model.rules.clock import DAY
from tests.engines.worlds import (
    Case,
    Room,
    busy_case,
    case,
    cases,
    digest,
    run_compiled,
    run_reference_of,
    try_compiled,
)

ROOT = Path(__file__).parents[2]
NAMES = {"segments": m.SEGMENT, "teams": m.TEAM, "tiers": m.TIER}


def assert_same(compiled: ReferenceResult, reference: ReferenceResult) -> None:
    """Say where the engines part, at the first line and cell."""
    common = min(len(compiled.log), len(reference.log))
    parted = np.flatnonzero(compiled.log[:common] != reference.log[:common])
    first = int(parted[0]) if parted.size else common
    near = slice(max(0, first - 3), first + 2)
    assert first == len(compiled.log) == len(reference.log), (
        f"line {first}: compiled\n{compiled.log[near]}\nreference\n{reference.log[near]}"
    )
    for cube, names in NAMES.items():
        ours, theirs = getattr(compiled, cube), getattr(reference, cube)
        cells = [
            (*map(int, x[:2]), names[x[2]], int(ours[tuple(x)]), int(theirs[tuple(x)]))
            for x in np.argwhere(ours != theirs)
        ]
        assert not cells, f"{cube}: {cells[:5]}"


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_engines_agree_on_random_worlds(world: Case) -> None:
    assert_same(run_compiled(world)[0], run_reference_of(world))


@pytest.mark.parametrize("spin", range(4))
def test_engines_agree_when_everything_is_turned_up(spin: int) -> None:
    world = busy_case(spin)
    assert_same(run_compiled(world)[0], run_reference_of(world))


def test_the_worlds_show_every_kind_of_event() -> None:
    seen: set[int] = set()
    for spin in range(12):
        seen |= set(run_compiled(busy_case(spin))[0].log["code"].tolist())
    missing = sorted(name for code, name in ev.TRACE.items() if code not in seen)
    assert missing == []


def test_engines_agree_on_minutes_shared_by_many() -> None:
    world = case(5, (ev.NAMED, ev.HYBRID), (1, 1), 2, 6, 50, ("ties", "plays", "policies", "calendars", "prices"))
    compiled = run_compiled(world)[0]
    minutes, events = np.unique(compiled.log["minute"], return_counts=True)
    assert events[minutes > 0].max() >= 20
    assert_same(compiled, run_reference_of(world))


def test_plain_python_gives_the_same_numbers() -> None:
    # A fresh interpreter: whether rules are compiled is decided when they are imported.
    script = (
        "from tests.engines.worlds import *\n"
        "world = busy_case(3, months=3, accounts=12)\n"
        "print(digest(run_compiled(world)[0]), digest(run_reference_of(world)))"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    expected = digest(run_compiled(busy_case(3, months=3, accounts=12))[0])
    assert ran.stdout.split() == [expected, expected]


def test_a_run_alone_equals_the_same_run_in_a_batch() -> None:
    world = busy_case(2, months=6)
    batch = run_compiled(world, first_run=0, runs=4)
    alone = run_compiled(world, first_run=3)[0]
    assert digest(alone) == digest(batch[3])
    assert digest(run_reference_of(world, run=3)) == digest(alone)
    assert len({run.segments.tobytes() for run in batch}) == 4, "runs must differ from each other"


@pytest.mark.parametrize(
    ("room", "status"),
    [
        (Room(accounts=45), ev.ACCOUNTS_FULL),
        (Room(events=60), ev.HEAP_FULL),
        (Room(log=200), ev.LOG_FULL),
    ],
)
def test_arrays_that_are_too_small_are_reported_and_larger_ones_change_nothing(room: Room, status: int) -> None:
    world = busy_case(2, months=6)
    results, found = try_compiled(world, 0, 1, room)
    assert (results, found) == ([], status)
    usual, larger = try_compiled(world, 0, 1, Room())[0], try_compiled(world, 0, 1, Room(5000, 99_000, 200_000))[0]
    assert digest(usual[0]) == digest(larger[0])


def test_a_playbook_of_the_user_runs_beside_the_engine() -> None:
    world = busy_case(1, months=6)
    called: list[int] = []

    def executive_calls(model: Model):  # type: ignore[no-untyped-def]  # noqa: ANN202
        """Every 30 days the executives call each account whose score is red."""
        while True:
            yield model.env.timeout(30 * DAY)
            for account in model.live_accounts():
                if account.band == 0:
                    called.append(account.number)
                    shift(model, account, 1.0)

    plain, again = run_reference_of(world), run_reference_of(world, extra=[lambda _: None])
    tried = run_reference_of(world, extra=[executive_calls])
    assert_same(plain, again)
    assert called
    before = plain.log["minute"] < 30 * DAY
    assert np.array_equal(plain.log[before], tried.log[: before.sum()]), "nothing changes before the first call"
    engagement = m.SEGMENT.index("engagement_milli")
    assert tried.segments[1, :, engagement].sum() > plain.segments[1, :, engagement].sum()
