"""How the business answers to the number of seats in a team: one run of the scenario for every count, same luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.experiment.contrast import compared, horizons_of
from subsim.experiment.metrics import DECIMALS, METRICS, team_window
from subsim.experiment.quantiles import STATISTICS, summarise
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.scenario import Scenario

Floats = npt.NDArray[np.float64]
HORIZONS: Final = (12, 24, 36)
WINDOW_MONTHS: Final = 12

#: What a curve shows: level at the horizon, sum up to it, or the team's last twelve months before it.
LEVELS: Final = ("arr", "grr_ttm", "nrr_ttm", "logos")
SUMS: Final = ("cs_cost", "net_value")
WORK: Final = ("utilisation", "wait_days", "expired_share")
CURVE: Final = (
    "arr",
    "grr_ttm",
    "nrr_ttm",
    "logos",
    "cs_cost",
    "net_value",
    "utilisation",
    "wait_days",
    "expired_share",
)


@dataclass(frozen=True)
class Response:
    """Runs of a scenario with different numbers of seats in one team; the first axis of `draws` is the seat count."""

    scenario: Scenario
    team: str
    seats: tuple[int, ...]
    runs: Runs = field(repr=False)

    @property
    def horizons(self) -> tuple[int, ...]:
        """Months at which the curve is read."""
        return tuple(horizons_of(self.scenario.horizon_months, HORIZONS))

    def draws(self, metric: str, horizon_months: int) -> Floats:
        """All draws of a metric at a horizon: array [seat counts, draws]; NaN where there is no value."""
        return np.stack([self._draws(count, metric, horizon_months) for count in self.seats])

    def _draws(self, count: int, metric: str, horizon: int) -> Floats:
        name = variant_name(self.team, count)
        if metric in WORK:
            outcome = self.runs.outcome(name)
            team = outcome.setup.team_names.index(self.team)
            return team_window(outcome.cube, metric, horizon - min(WINDOW_MONTHS, horizon), horizon)[:, team]
        return plan_draws(self.runs, name, metric, horizon)

    def curve(self) -> pd.DataFrame:
        """Long table: team, seats, metric, horizon_months, mean and quantiles over draws."""
        rows = []
        for metric in CURVE:
            for horizon in self.horizons:
                numbers = summarise(self.draws(metric, horizon).T, _decimals(metric)).T
                for count, values in zip(self.seats, numbers, strict=True):
                    keys = {"team": self.team, "seats": count, "metric": metric, "horizon_months": horizon}
                    rows.append({**keys, **dict(zip(STATISTICS, values, strict=True))})
        return pd.DataFrame(rows)

    def marginal(self) -> pd.DataFrame:
        """What each step from one count to the next changes, draw by draw, a seat where steps are larger.

        Columns: team, seats_from, seats_to, metric (arr, net_value), horizon_months, mean and quantiles of the
        difference per seat, p_better: share of draws in which it is above zero.
        """
        rows = []
        for metric in ("arr", "net_value"):
            for horizon in self.horizons:
                values = self.draws(metric, horizon)
                for i, (low, high) in enumerate(zip(self.seats, self.seats[1:], strict=False)):
                    step = (values[i + 1] - values[i]) / (high - low)
                    keys = {"team": self.team, "seats_from": low, "seats_to": high}
                    keys |= {"metric": metric, "horizon_months": horizon}
                    numbers = dict(zip(STATISTICS, summarise(step, DECIMALS["money"]), strict=True))
                    chance = float((step > 0).mean() + 0.5 * (step == 0).mean())
                    rows.append({**keys, **numbers, "p_better": round(chance, 6)})
        return pd.DataFrame(rows)


def _decimals(metric: str) -> int:
    return DECIMALS[METRICS[metric].kind if metric in METRICS else "money"]


def plan_draws(runs: Runs, name: str, metric: str, horizon_months: int) -> Floats:
    """All draws of a metric of the company: its level at the horizon, or its sum up to it for cost and net value."""
    values = compared(runs, name, metric, horizon_months)
    return values.sum(axis=1) if metric in SUMS else values[:, -1]


def variant_name(team: str, count: int) -> str:
    """Name of the scenario in which a team has that many seats."""
    return f"{team}: {count}"


def with_seats(scenario: Scenario, team: str, count: int) -> Scenario:
    """The scenario with another number of seats in a team from its first day."""
    if team not in scenario.teams:
        allowed = ", ".join(scenario.teams) or "none: the scenario has no teams"
        raise InputError(where="team", found=repr(team), allowed=allowed)
    facts: dict[str, Any] = scenario.to_dict()
    facts["teams"] = {**facts["teams"], team: {**facts["teams"][team], "seats": count}}
    return Scenario.from_dict(facts | {"name": variant_name(team, count)})


def respond(
    scenario: Scenario,
    *,
    team: str,
    seats: Sequence[int],
    draws: int = 200,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Response:
    """Run a scenario once for every number of seats in a team, with the same parameter draws and the same luck.

    Args:
        scenario: the plan; its own number of seats in the team is replaced.
        team: name of the team.
        seats: numbers of seats to try, from the first day on; they are sorted, and repeated ones counted once.
        draws: futures for each count.
        seed: same seed, same result.
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`.

    Raises:
        InputError: an unknown team, no counts, or a negative one.
    """
    counts = tuple(sorted(set(seats)))
    if not counts or counts[0] < 0:
        found = "none" if not counts else str(counts[0])
        raise InputError(where="seats", found=found, allowed="one or more counts from 0 on, such as 2..12")
    variants = [with_seats(scenario, team, count) for count in counts]
    runs = run(variants, draws=draws, seed=seed, workers=workers, progress=progress, **options)
    return Response(scenario, team, counts, runs)
