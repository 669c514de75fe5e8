"""Results that have been computed: what is left of runs once nothing will be simulated any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from subsim.experiment.results import Outcome, Runs

if TYPE_CHECKING:
    from subsim.scenario import Scenario


@dataclass(frozen=True)
class Calendar:
    """What results need of a set-up once everything has been simulated."""

    segment_names: tuple[str, ...]
    team_names: tuple[str, ...]
    month_ends: tuple[dt.date, ...]
    book_fingerprint: str | None

    @property
    def months(self) -> int:
        """Months of the horizon."""
        return len(self.month_ends)


@dataclass(frozen=True)
class Opening:
    """What results need of a cube once its metrics are known."""

    opening_arr: npt.NDArray[np.int64]


def outcome(scenario: Scenario, calendar: Calendar, opening_arr: npt.NDArray[np.int64]) -> Outcome:
    """A scenario's outcome without its set-up and its cube."""
    kept: Any = (calendar, Opening(opening_arr))
    return Outcome(scenario, *kept)


def parts(runs: Runs, metrics: Iterable[str]) -> dict[str, Any]:
    """Arguments of `Runs` that make the same results with these metrics alone, to send to another process.

    Set-up and cube are left out, and of a scenario there is what pictures name: a process that only draws loads neither
    the engine nor the checks of scenarios.
    """
    outcomes = {}
    for name, each in runs.outcomes.items():
        setup = each.setup
        calendar = Calendar(setup.segment_names, setup.team_names, setup.month_ends, setup.book_fingerprint)
        outcomes[name] = outcome(_named(each.scenario), calendar, each.cube.opening_arr)
    return {
        "outcomes": outcomes,
        "seed": runs.seed,
        "draws": runs.draws,
        "engine": runs.engine,
        "fixed_parameters": runs.fixed_parameters,
        "calibrated": runs.calibrated,
        "_cache": {(name, metric): runs.values(name, metric) for name in runs.names for metric in metrics},
    }


def _named(scenario: Scenario) -> Any:
    """Name, currency, start and titles of teams."""
    teams = {name: SimpleNamespace(title=team.title) for name, team in scenario.teams.items()}
    return SimpleNamespace(name=scenario.name, currency=scenario.currency, start=scenario.start, teams=teams)
