"""What common random numbers buy: scenarios differ by what was decided, not by luck."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import subsim
from subsim.engine import Cube, simulate
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.run import trace_log
from subsim.experiment.build import build
from subsim.scenario import Scenario, load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
MONTHS = 12
DRAWS = 60
FLOOR = 5.0
#: Lines of the trace that are not about an account.
NOT_ACCOUNTS = (ev.LEVER, ev.SEAT_ARRIVES, ev.SEAT_LEAVES, ev.CAMPAIGN)


def plan(name: str, **changes: Any) -> Scenario:
    """A shipped scenario, over the months that matter here."""
    return load_scenario(SCENARIOS / f"{name}.yaml").replace(horizon=f"{MONTHS} months", **changes)


def runs(scenario: Scenario, seed: int, fixed: bool, draws: int = DRAWS) -> Cube:
    return simulate(build(scenario, draws=draws, seed=seed, fixed_parameters=fixed), seed=seed)


def arr(cube: Cube) -> Any:
    """Company ARR at the last month end, by draw."""
    return cube.segments[:, -1, :, m.S_ARR].sum(axis=1) / 100


@pytest.mark.parametrize("fixed", [True, False], ids=["chance alone", "parameters too"])
def test_the_difference_is_at_least_five_times_steadier_than_with_independent_seeds(fixed: bool) -> None:
    base = arr(runs(plan("baseline"), 1, fixed))
    paired = arr(runs(plan("two_more_csms"), 1, fixed)) - base
    apart = arr(runs(plan("two_more_csms"), 2, fixed)) - base
    assert paired.std(ddof=1) * FLOOR <= apart.std(ddof=1)


def test_scenarios_are_identical_before_the_levers_date() -> None:
    base, more = (runs(plan(name), 1, False, 10) for name in ("baseline", "two_more_csms"))
    until = 3  # the hires come on 1 October, three months after the start
    for part in ("segments", "teams", "tiers"):
        one, other = getattr(base, part), getattr(more, part)
        assert one[:, :until].tobytes() == other[:, :until].tobytes()
        assert part == "tiers" or (one[:, until:] != other[:, until:]).any()


def test_a_lever_leaves_alone_the_accounts_that_it_does_not_reach() -> None:
    """Small accounts are served by other teams: their trace stays, line by line; that of enterprise accounts moves."""
    lines = {}
    for name in ("baseline", "two_more_csms"):
        setup = build(plan(name), draws=1, seed=1)
        log = trace_log(setup, seed=1)
        log.before[log.code == ev.L_BEGUN] = 0  # seats are numbered through all teams
        log = log[(log.who >= 0) & (log.who < len(setup.account_ids)) & ~np.isin(log.code, NOT_ACCOUNTS)]
        segment = setup.world.opening.segment[log.who]
        lines[name] = [log[segment == setup.segment_names.index(s)].tobytes() for s in ("smb", "enterprise")]
    assert lines["baseline"][0] == lines["two_more_csms"][0]
    assert lines["baseline"][1] != lines["two_more_csms"][1]


def test_workers_and_batches_leave_no_trace() -> None:
    scenario = plan("two_more_csms")
    one, two = (subsim.run(scenario, draws=20, seed=3, workers=workers).outcome().cube for workers in (1, 2))
    setup = build(scenario, draws=20, seed=3)
    late = simulate(setup, seed=3, first_draw=13, draws=7)
    for part in ("segments", "teams", "tiers"):
        assert getattr(one, part).tobytes() == getattr(two, part).tobytes()
        assert getattr(one, part)[13:].tobytes() == getattr(late, part).tobytes()


SCRIPT = """
import hashlib, sys
import subsim
runs = subsim.run(subsim.load_scenario(sys.argv[1]), draws=3, seed=5, workers=2)
cube = runs.outcome().cube
print(hashlib.sha256(cube.segments.tobytes() + cube.teams.tobytes() + cube.tiers.tobytes()).hexdigest())
"""


def test_the_hash_seed_of_python_does_not_matter() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(SCENARIOS / "two_more_csms.yaml")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(said) == 1
    assert len(said.pop().strip()) == 64
