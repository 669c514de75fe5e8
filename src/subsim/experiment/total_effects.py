"""Total effects of single numbers: the same futures run again with one number drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from subsim.experiment.parameters import Cell, cells, draw_rows
from subsim.experiment.processors import processors
from subsim.experiment.results import Outcome, Runs
from subsim.experiment.run import cube_of
from subsim.random import purposes, uniform_array
from subsim.random.entities import name_entity

Floats = npt.NDArray[np.float64]
RESAMPLES: Final = 500
ENDS: Final = (0.05, 0.95)


def drawn_anew(
    runs: Runs, names: Sequence[str], cell: Cell, workers: int | None, progress: Callable[[int], None] | None
) -> Runs:
    """The runs of some scenarios with one number drawn anew and all else, luck included, as it was.

    The number has to be independent of the others, so one that keeps its prior or is declared.
    """
    fresh = draw_rows({cell.index: cell}, draws=2 * runs.draws, seed=runs.seed)[runs.draws :, cell.index]
    outcomes = {}
    for name in names:
        outcome = runs.outcome(name)
        own = [one.index for one in cells(outcome.scenario).values() if _same(one, cell)]
        numbers = outcome.setup.parameters.copy()
        numbers[:, own] = fresh[:, None]
        setup = replace(outcome.setup, parameters=numbers)
        cube = cube_of(setup, runs.draws, runs.seed, "compiled", workers or processors(), progress)
        outcomes[name] = Outcome(outcome.scenario, setup, cube)
    return Runs(outcomes, seed=runs.seed, draws=runs.draws)


def _same(one: Cell, other: Cell) -> bool:
    return (one.parameter.name, one.keys) == (other.parameter.name, other.keys)


def total(y: Floats, again: Floats, *, seed: int) -> tuple[float, float, float]:
    """Jansen's (1999) estimate mean((y - y')^2) / (2 Var y), with the ends of its central 90 % bootstrap interval.

    >>> total(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 3.0]), seed=1)
    (0.0, 0.0, 0.0)
    """
    known = ~(np.isnan(y) | np.isnan(again))
    y, again = y[known], again[known]
    u = uniform_array(
        seed, np.arange(RESAMPLES)[:, None], purposes.PARAMETER, name_entity("bootstrap"), np.arange(len(y))
    )
    picked = (u * len(y)).astype(np.int64)
    squares = (y - again) ** 2 / 2
    spread = y[picked].var(axis=1)
    low, high = np.quantile(squares[picked].mean(axis=1) / np.where(spread > 0, spread, np.inf), ENDS)
    return float(squares.mean() / y.var()), float(low), float(high)
