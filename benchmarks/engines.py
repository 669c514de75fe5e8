"""The compiled engine against SimPy, against C, and on two threads; common random numbers against independent ones."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from c_loop import CLoop, has_compiler
from measure import Result, ratio, rounds

import subsim as ss
from subsim.engine import Cube, Setup, metrics, simulate
from subsim.experiment.build import build
from subsim.experiment.run import chunks

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
SEED = 1


def demo(draws: int) -> Setup:
    """The demo company's baseline: some 560 accounts, 36 months."""
    return build(ss.load_scenario(SCENARIOS / "baseline.yaml"), draws=draws, seed=SEED)


def against_simpy(setup: Setup, quick: bool) -> list[Result]:
    """Events per second of both engines on one core; their cubes must be equal."""
    draws = 1 if quick else 2
    cubes = simulate(setup, seed=SEED, draws=draws), simulate(setup, seed=SEED, engine="simpy", draws=draws)
    _must_be_equal("SimPy", *(_arrays(cube) for cube in cubes))
    tasks = {
        "simpy": lambda: simulate(setup, seed=SEED, engine="simpy", draws=draws),
        "compiled": lambda: simulate(setup, seed=SEED, draws=8),
    }
    seconds = rounds(tasks, 1 if quick else 3)
    events = _events(setup, draws=8)
    fast, slow = (statistics.median(seconds[name]) / runs for name, runs in (("compiled", 8), ("simpy", draws)))
    value = ratio(seconds["simpy"], seconds["compiled"]) * 8 / draws
    details = {"compiled ms a run": 1e3 * fast, "simpy ms a run": 1e3 * slow, "events a run": events}
    details |= {"compiled events/s": events / fast, "simpy events/s": events / slow}
    return [Result("compiled over SimPy, events per second", value, "x", ">= 100", value >= 100, details)]


def against_c(setup: Setup, quick: bool) -> list[Result]:
    """Time of the compiled engine over that of the same loop in C; their cubes must be equal."""
    if not has_compiler():
        print("no gcc here: the loop in C is left out")
        return []
    draws = min(len(setup.parameters), 10)
    rows = setup.parameters[:draws]
    cube = simulate(setup, seed=SEED, draws=draws)
    room = tuple(np.empty_like(array) for array in _arrays(cube))
    loop = CLoop(setup)
    loop.run(rows, SEED, 0, room)
    _must_be_equal("C", _arrays(cube), room)
    tasks = {
        "c": lambda: loop.run(rows, SEED, 0, room),
        "compiled": lambda: simulate(setup, seed=SEED, draws=draws),
    }
    seconds = rounds(tasks, 7 if quick else 21)
    value = ratio(seconds["compiled"], seconds["c"])
    details = {f"{name} ms a run": 1e3 * statistics.median(times) / draws for name, times in seconds.items()}
    return [Result("compiled over the same loop in C, time", value, "x", "<= 1.5", value <= 1.5, details)]


def on_two_threads(setup: Setup, quick: bool) -> list[Result]:
    """Elapsed time with one worker over that with two; other load on the machine lowers it."""
    draws = min(len(setup.parameters), 32 if quick else 128)
    tasks = {"1": lambda: _threaded(setup, draws, 1), "2": lambda: _threaded(setup, draws, 2)}
    elapsed = rounds(tasks, 3 if quick else 7, time.perf_counter)
    processor = rounds(tasks, 1 if quick else 3, time.process_time)
    speedups = [one / two for one, two in zip(elapsed["1"], elapsed["2"], strict=True)]
    details = {"best round": max(speedups), "processor time": ratio(processor["2"], processor["1"])}
    value = statistics.median(speedups)
    return [Result("two threads over one, elapsed", value, "x", ">= 1.8 when idle", max(speedups) >= 1.8, details)]


def _threaded(setup: Setup, draws: int, workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        parts = [
            pool.submit(simulate, setup, seed=SEED, first_draw=first, draws=count)
            for first, count in chunks(draws, workers)
        ]
    for part in parts:
        part.result()


def common_numbers(quick: bool) -> list[Result]:
    """Standard deviation of a difference of ARR at 12 months: independent seeds over the same seed."""
    draws = 60 if quick else 400
    results = []
    base = _arr_12(build(ss.load_scenario(SCENARIOS / "baseline.yaml"), draws=draws, seed=SEED), SEED)
    for name in ("two_more_csms", "faster_onboarding"):
        scenario = ss.load_scenario(SCENARIOS / f"{name}.yaml")
        setup = build(scenario, draws=draws, seed=SEED)
        other = replace(setup, parameters=build(scenario, draws=draws, seed=SEED + 1).parameters)
        common, independent = _arr_12(setup, SEED) - base, _arr_12(other, SEED + 1) - base
        value = float(independent.std() / common.std())
        details = {
            "variance": value**2,
            "mean difference $": float(common.mean()) / 100,
            "sd common $": float(common.std()) / 100,
            "sd independent $": float(independent.std()) / 100,
        }
        results.append(Result(f"{name}: sd independent over common", value, "x", ">= 5", value >= 5, details))
    return results


def _arr_12(setup: Setup, seed: int) -> np.ndarray:
    cube = simulate(setup, seed=seed)
    return cube.segments[:, 11, :, metrics.SEGMENT.index("arr")].sum(axis=1).astype(float)


def _arrays(cube: Cube) -> tuple[np.ndarray, ...]:
    return cube.segments, cube.teams, cube.tiers


def _must_be_equal(what: str, ours: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...]) -> None:
    if not all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)):
        raise SystemExit(f"the compiled engine and {what} give different cubes: nothing to compare")


def _events(setup: Setup, draws: int) -> int:
    """Events of a run that are handled, on average."""
    from subsim.engine.run import run_traced  # noqa: PLC0415
    from subsim.engine.state import N_HANDLED  # noqa: PLC0415

    return round(statistics.mean(int(run_traced(setup, seed=SEED, draw=j)[1].count[N_HANDLED]) for j in range(draws)))
