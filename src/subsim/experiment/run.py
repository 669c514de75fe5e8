"""Run scenarios: shared parameter draws and seed, chunks of draws over threads, one result whatever the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from subsim.engine import Cube, simulate
from subsim.errors import InputError
from subsim.experiment.build import Reader, Setup, build
from subsim.experiment.parameters import Learned
from subsim.experiment.processors import processors
from subsim.experiment.results import Calibrated, Outcome, Runs
from subsim.experiment.starts import read_start
from subsim.random.philox import RUN_LIMIT
from subsim.scenario import Scenario

Engine = Literal["compiled", "simpy"]
Progress = Callable[[int], None]
Chunk = tuple[int, int]

CHUNKS_PER_WORKER = 8  # enough to keep workers even and progress moving


def run(
    scenarios: Scenario | Sequence[Scenario],
    *,
    draws: int = 200,
    seed: int = 1,
    engine: Engine = "compiled",
    workers: int | None = None,
    fixed_parameters: bool = False,
    posterior: Learned | None = None,
    force: bool = False,
    progress: Progress | None = None,
    read: Reader = read_start,
) -> Runs:
    """Simulate scenarios with the same seed and the same parameter draws.

    Args:
        scenarios: one scenario or several; names must differ. The first is the base of comparisons.
        draws: number of draws, each with its own parameters and its own luck.
        seed: 0 or more; the same seed gives the same result with any number of workers and either engine.
        engine: "compiled", or "simpy" for the readable reference engine.
        workers: threads (compiled) or processes (simpy); as many as there are processors when None.
        fixed_parameters: use every parameter's central value, so that draws differ by chance alone.
        posterior: what a calibration learned (`subsim.calibrate`); one of its draws for each run, in all scenarios the
            same. Numbers that it has not learned are drawn from their priors.
        force: run although the posterior's checks failed.
        progress: called with the number of draws just finished.
        read: gives the start state of a book (folder, last day that counts); reads it when left out.

    Raises:
        InputError: no scenario, two of one name, a number out of range, or a posterior that failed its checks.
    """
    if not force:
        refuse_failed(posterior)
    chosen = _check(scenarios, draws=draws, seed=seed, engine=engine, workers=workers)
    workers = workers or processors()
    read = cache(read)  # a book that several scenarios share is read once
    setups = [
        build(scenario, draws=draws, seed=seed, fixed_parameters=fixed_parameters, posterior=posterior, read=read)
        for scenario in chosen
    ]
    outcomes = {
        scenario.name: Outcome(scenario, setup, cube_of(setup, draws, seed, engine, workers, progress))
        for scenario, setup in zip(chosen, setups, strict=True)
    }
    return Runs(
        outcomes,
        seed=seed,
        draws=draws,
        engine=engine,
        fixed_parameters=fixed_parameters,
        calibrated=None if posterior is None else Calibrated.of(posterior),
    )


def refuse_failed(posterior: Learned | None) -> None:
    """Refuse a posterior whose checks failed."""
    if posterior is not None and posterior.status == "FAIL":
        raise InputError(
            where="posterior",
            found=f"its checks failed ({posterior.book})",
            allowed="PASS or REVIEW",
            do="see what its summary advises; to run all the same, force it (--force)",
        )


def _check(
    scenarios: Scenario | Sequence[Scenario], *, draws: int, seed: int, engine: str, workers: int | None
) -> Sequence[Scenario]:
    chosen = list(scenarios) if isinstance(scenarios, Sequence) else [scenarios]
    names = [scenario.name for scenario in chosen]
    repeated = sorted({name for name in names if names.count(name) > 1})
    wrong = [
        (not names, "scenarios", "none", "at least one scenario", ""),
        (bool(repeated), "scenarios", f"{', '.join(repeated)} twice", "scenarios with different names", "Set `name:`."),
        (not 1 <= draws < RUN_LIMIT, "draws", str(draws), f"1 to {RUN_LIMIT - 1}", ""),
        (not 0 <= seed < 2**64, "seed", str(seed), "0 to 2**64 - 1", ""),
        (engine not in get_args(Engine), "engine", repr(engine), " or ".join(get_args(Engine)), ""),
        (workers is not None and workers < 1, "workers", str(workers), "1 or more", ""),
    ]
    for is_wrong, where, found, allowed, do in wrong:
        if is_wrong:
            raise InputError(where=where, found=found, allowed=allowed, do=do)
    return chosen


def chunks(draws: int, workers: int) -> list[Chunk]:
    """Consecutive (first draw, number of draws) that cover all draws."""
    count = min(draws, 1 if workers == 1 and draws < CHUNKS_PER_WORKER else workers * CHUNKS_PER_WORKER)
    edges = np.linspace(0, draws, count + 1).astype(int).tolist()
    return [(first, last - first) for first, last in pairwise(edges) if last > first]


def cube_of(setup: Setup, draws: int, seed: int, engine: Engine, workers: int, progress: Progress | None) -> Cube:
    """The cube of all draws. Every chunk writes its own rows, so order and workers leave no trace."""
    parts = _threads if engine == "compiled" else _processes
    whole: Cube | None = None
    for (first, count), part in parts(setup, seed, chunks(draws, workers), workers):
        if whole is None:
            whole = Cube(
                **{name: np.empty((draws, *getattr(part, name).shape[1:]), np.int64) for name in _ARRAYS},
                opening_arr=part.opening_arr,
                opening_logos=part.opening_logos,
            )
        for name in _ARRAYS:
            getattr(whole, name)[first : first + count] = getattr(part, name)
        if progress:
            progress(count)
    if whole is None:
        raise InputError(where="draws", found=str(draws), allowed="1 or more")
    return whole


_ARRAYS = ("segments", "teams", "tiers")


def _simulate(setup: Setup, seed: int, engine: Engine, chunk: Chunk) -> tuple[Chunk, Cube]:
    first, count = chunk
    return chunk, simulate(setup, seed=seed, engine=engine, workers=1, first_draw=first, draws=count)


def _threads(setup: Setup, seed: int, parts: list[Chunk], workers: int) -> Iterator[tuple[Chunk, Cube]]:
    """Chunks over threads; the compiled loop releases the interpreter's lock."""
    pool = ThreadPoolExecutor(workers)
    try:
        for done in as_completed([pool.submit(_simulate, setup, seed, "compiled", chunk) for chunk in parts]):
            yield done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # on Ctrl-C: chunks not yet begun are dropped


def _processes(setup: Setup, seed: int, parts: list[Chunk], workers: int) -> Iterator[tuple[Chunk, Cube]]:
    """Chunks over processes; SimPy is plain Python and holds the interpreter's lock."""
    import joblib  # noqa: PLC0415 - an eighth of a second that only the readable engine needs
    import numpy.rec  # noqa: F401, PLC0415 - loaded late; without it record arrays reach the processes as another class

    jobs = (joblib.delayed(_simulate)(setup, seed, "simpy", chunk) for chunk in parts)
    yield from joblib.Parallel(n_jobs=workers, return_as="generator_unordered")(jobs)


#: The smallest scenario: one account, one month, nobody to serve it.
_SMALLEST = {
    "name": "warm-up",
    "start": "2026-01-01",
    "horizon": "1 month",
    "segments": {"smb": {"opening": {"accounts": 1}}},
    "tiers": {"tech": {"coverage": "digital"}},
    "routing": [{"to": "tech"}],
}


def warm_up() -> None:
    """Compile the engine, or load its machine code, by simulating one account for a month."""
    run(Scenario.from_dict(_SMALLEST), draws=1, workers=1)
