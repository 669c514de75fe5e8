from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from subsim.errors import EngineError, InputError
from subsim.experiment import run as running
from subsim.experiment.run import chunks, run
from tests.unit.experiment import synthetic

DRAWS = 23


@pytest.fixture(autouse=True)
def simulator(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Engine and set-up replaced by synthetic cubes, of which chunks are rows; gives the calls."""
    calls: list[dict[str, Any]] = []
    whole = synthetic.cube(DRAWS, 4)

    def simulate(setup: Any, **named: Any) -> SimpleNamespace:
        calls.append(named)
        rows = slice(named["first_draw"], named["first_draw"] + named["draws"])
        arrays = {name: getattr(whole, name)[rows] for name in ("segments", "teams", "tiers")}
        return SimpleNamespace(**arrays, opening_arr=whole.opening_arr, opening_logos=whole.opening_logos)

    def build(scenario: Any, **_: Any) -> Any:
        return synthetic.outcome(scenario.name, 1, 4).setup

    monkeypatch.setattr(running, "simulate", simulate)
    monkeypatch.setattr(running, "build", build)
    return calls


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_change_nothing(workers: int) -> None:
    runs = run(synthetic.scenario("a", 4), draws=DRAWS, seed=9, workers=workers)
    assert np.array_equal(runs.outcome("a").cube.segments, synthetic.cube(DRAWS, 4).segments)
    assert np.array_equal(runs.outcome("a").cube.teams, synthetic.cube(DRAWS, 4).teams)


def test_every_chunk_gets_seed_and_engine_and_progress_counts_draws(simulator: list[dict[str, Any]]) -> None:
    done: list[int] = []
    run([synthetic.scenario("a", 4), synthetic.scenario("b", 4)], draws=DRAWS, seed=9, workers=2, progress=done.append)
    assert sum(done) == 2 * DRAWS
    assert {(call["seed"], call["engine"], call["workers"]) for call in simulator} == {(9, "compiled", 1)}


@pytest.mark.parametrize(("draws", "workers"), [(1, 1), (1, 8), (7, 1), (200, 2), (3, 2)])
def test_chunks_cover_every_draw_once(draws: int, workers: int) -> None:
    covered = [draw for first, count in chunks(draws, workers) for draw in range(first, first + count)]
    assert covered == list(range(draws))


def test_a_failing_chunk_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise EngineError("queue is full")

    monkeypatch.setattr(running, "simulate", fail)
    with pytest.raises(EngineError, match="queue is full"):
        run(synthetic.scenario("a", 4), draws=4, workers=2)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"draws": 0}, "draws"),
        ({"draws": 1 << 24}, "draws"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"engine": "abacus"}, "engine"),
        ({"workers": 0}, "workers"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as caught:
        run(synthetic.scenario("a", 4), **wrong)
    assert caught.value.where == where


def test_scenarios_need_different_names_and_there_must_be_one() -> None:
    with pytest.raises(InputError, match="a twice"):
        run([synthetic.scenario("a", 4), synthetic.scenario("a", 4)])
    with pytest.raises(InputError, match="at least one"):
        run([])
