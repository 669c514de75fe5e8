"""Where the spread of a forecast comes from: parameters that nobody knows, chance, and too few draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.experiment.build import build
from subsim.experiment.contrast import compared, horizons_of
from subsim.experiment.results import Outcome, Runs
from subsim.experiment.run import cube_of
from subsim.scenario import Scenario

Floats = npt.NDArray[np.float64]
METRICS: Final[dict[str, bool]] = {"arr": False, "grr_ttm": False, "nrr_ttm": False, "net_value": True}


@dataclass(frozen=True)
class VarianceSplit:
    """Rows metric, horizon_months, of, parameters, chance, total, parameter_share, monte_carlo_se: `table`, `text`."""

    scenario: str
    base: str | None
    table: pd.DataFrame

    @property
    def text(self) -> str:
        """How much of the spread of ARR is ignorance of parameters, in a sentence."""
        rows = self.table[self.table["metric"] == "arr"]
        row = rows[rows["horizon_months"] == rows["horizon_months"].max()].iloc[0]
        share = 100 * float(row["parameter_share"])
        of = f"the difference to {self.base}" if self.base else "the forecast"
        return (
            f"{self.scenario}: {share:.0f} % of the variance of {of} of ARR after {row['horizon_months']} months comes "
            f"from parameters that are not known better, {100 - share:.0f} % from chance. The mean is known to within "
            f"{1.96 * float(row['monte_carlo_se']):,.0f} (95 %) from the number of draws alone."
        )

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def split_variance(
    scenario: Scenario,
    base: Scenario | None = None,
    *,
    parameter_draws: int = 50,
    repeats: int = 4,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> VarianceSplit:
    """Split the variance of a forecast, or of a paired difference to a base, into parameters and chance.

    Every parameter draw is run `repeats` times with different luck. With J parameter draws, R repeats and the usual
    mean squares between and within (one-way random effects), chance = MS_within, parameters = max(0, (MS_between -
    MS_within) / R), total = their sum; the standard error of the overall mean is sqrt(MS_between / (J R)).

    Args:
        scenario: what is forecast.
        base: if given, the paired difference scenario minus base is split.
        parameter_draws: J, at least 2.
        repeats: R, at least 2.
        seed: same seed, same answer.
        workers: threads.
        progress: called with the number of draws just finished.

    Raises:
        InputError: fewer than two parameter draws or repeats.
    """
    if parameter_draws < 2 or repeats < 2:
        found = f"{parameter_draws} parameter draws, {repeats} repeats"
        raise InputError(where="variance", found=found, allowed="at least 2 of each")
    both = [scenario] if base is None else [scenario, base]
    runs = _nested(both, parameter_draws, repeats, seed, workers, progress)
    rows = []
    for metric in METRICS:
        for horizon in horizons_of(scenario.horizon_months):
            values = _at(runs, scenario.name, metric, horizon)
            if base is not None:
                values = values - _at(runs, base.name, metric, horizon)
            parts = components(values.reshape(parameter_draws, repeats))
            if parts is not None:
                rows.append({"metric": metric, "horizon_months": horizon, **parts})
    return VarianceSplit(scenario.name, None if base is None else base.name, pd.DataFrame(rows))


def components(values: Floats) -> dict[str, float] | None:
    """Variance components of array [groups, repeats]; None where a value is missing.

    >>> components(np.array([[1.0, 3.0], [5.0, 7.0]]))["chance"]
    2.0
    """
    if np.isnan(values).any():
        return None
    groups, repeats = values.shape
    within = float(values.var(axis=1, ddof=1).mean())
    between = float(repeats * values.mean(axis=1).var(ddof=1))
    parameters = max(0.0, (between - within) / repeats)
    total = parameters + within
    return {
        "parameters": parameters,
        "chance": within,
        "total": total,
        "parameter_share": parameters / total if total > 0 else float("nan"),
        "monte_carlo_se": (between / (groups * repeats)) ** 0.5,
    }


def _at(runs: Runs, name: str, metric: str, horizon: int) -> Floats:
    values = compared(runs, name, metric, horizon)
    return values.sum(axis=1) if METRICS[metric] else values[:, -1]


def _nested(
    scenarios: Sequence[Scenario],
    groups: int,
    repeats: int,
    seed: int,
    workers: int | None,
    progress: Callable[[int], None] | None,
) -> Runs:
    """Runs whose draws j R .. j R + R - 1 share the j-th parameter vector, each with its own luck."""
    outcomes = {}
    for scenario in scenarios:
        setup = build(scenario, draws=groups, seed=seed)
        setup = replace(setup, parameters=np.repeat(setup.parameters, repeats, axis=0))
        cube = cube_of(setup, groups * repeats, seed, "compiled", workers or joblib.cpu_count(), progress)
        outcomes[scenario.name] = Outcome(scenario, setup, cube)
    return Runs(outcomes, seed=seed, draws=groups * repeats, engine="compiled", fixed_parameters=False)
