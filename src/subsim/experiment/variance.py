"""Where the spread of a forecast comes from: parameters that nobody knows, chance, and too few draws.

And what is left when chance is averaged out: the difference that a decision is expected to make, as far as it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.build import build
from subsim.experiment.contrast import Verdict, compared, horizons_of, p_better, verdict_of
from subsim.experiment.parameters import Learned
from subsim.experiment.processors import processors
from subsim.experiment.quantiles import clean
from subsim.experiment.results import Calibrated, Outcome, Runs
from subsim.experiment.run import cube_of, refuse_failed
from subsim.experiment.starts import read_start
from subsim.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
METRICS: Final[dict[str, bool]] = {"arr": False, "grr_ttm": False, "nrr_ttm": False, "net_value": True}


@dataclass(frozen=True)
class VarianceSplit:
    """Rows of `table`: metric, horizon_months, what the variance is made of, and what is expected.

    parameters, chance, total, parameter_share, monte_carlo_se: see `split_variance`; mean, q05, q95: the forecast or
    difference with chance averaged out, and its central 90 % interval over parameters; p_better: the chance that this
    difference is an improvement, NaN without a base.
    """

    scenario: str
    base: str | None
    table: pd.DataFrame

    def row(self, metric: str = "arr", horizon_months: int | None = None) -> pd.Series[Any]:
        """One row of the table, at the longest horizon when none is named."""
        rows = self.table[self.table["metric"] == metric]
        found = rows[rows["horizon_months"] == (horizon_months or rows["horizon_months"].max())]
        if found.empty:
            allowed = ", ".join(f"{name}@{months}" for name, months in self.table.iloc[:, :2].to_numpy())
            raise InputError(where="variance", found=f"{metric}@{horizon_months}", allowed=allowed)
        return found.iloc[0]

    def verdict(self, metric: str = "arr", horizon_months: int | None = None) -> Verdict:
        """Whether the difference that is expected is an improvement, or what is known cannot tell."""
        return verdict_of(float(self.row(metric, horizon_months)["p_better"]))

    @property
    def text(self) -> str:
        """How much of the spread of ARR is ignorance of parameters, and what is expected, in sentences."""
        row = self.row()
        share = 100 * float(row["parameter_share"])
        of = f"the difference to {self.base}" if self.base else "the forecast"
        return (
            f"{self.scenario}: {share:.0f} % of the variance of {of} of ARR after {row['horizon_months']} months comes "
            f"from parameters that are not known better, {100 - share:.0f} % from chance. The mean is known to within "
            f"{1.96 * float(row['monte_carlo_se']):,.0f} (95 %) from the number of draws alone. With chance averaged "
            f"out it is {row['mean']:,.0f} (90 % interval {row['q05']:,.0f} to {row['q95']:,.0f}){self._said(row)}."
        )

    def _said(self, row: pd.Series[Any]) -> str:
        if self.base is None:
            return ""
        return f", an improvement with probability {row['p_better']:.2f}: {self.verdict()}"

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """Shares of parameters and chance, by metric and horizon."""
        drawn: Axes = presenting.figures().variance(self, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: what was split and the rows of the table."""
        rows = [clean(row) for row in self.table.to_dict("records")]
        return {"scenario": self.scenario, "base": self.base, "table": rows}

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
    posterior: Learned | None = None,
    progress: Callable[[int], None] | None = None,
) -> VarianceSplit:
    """Split the variance of a forecast, or of a paired difference to a base, into parameters and chance.

    Every parameter draw is run `repeats` times with different luck. With J parameter draws, R repeats and the usual
    mean squares between and within (one-way random effects), chance = MS_within, parameters = max(0, (MS_between -
    MS_within) / R), total = their sum; the standard error of the overall mean is sqrt(MS_between / (J R)). What is
    expected under each parameter draw is estimated by `expected`.

    Args:
        scenario: what is forecast.
        base: if given, the paired difference scenario minus base is split.
        parameter_draws: J, at least 2.
        repeats: R, at least 2.
        seed: same seed, same answer.
        workers: threads.
        posterior: joint draws of a calibration, as `run` takes them.
        progress: called with the number of draws just finished.

    Raises:
        InputError: fewer than two parameter draws or repeats, or a posterior that failed its checks.
    """
    if parameter_draws < 2 or repeats < 2:
        found = f"{parameter_draws} parameter draws, {repeats} repeats"
        raise InputError(where="variance", found=found, allowed="at least 2 of each")
    refuse_failed(posterior)
    both = [scenario] if base is None else [scenario, base]
    runs = nested(both, parameter_draws, repeats, seed=seed, workers=workers, posterior=posterior, progress=progress)
    return split_of(runs, parameter_draws, scenario.name, None if base is None else base.name)


def split_of(runs: Runs, groups: int, scenario: str, base: str | None = None) -> VarianceSplit:
    """The split of runs that `nested` has made, with so many parameter draws."""
    rows = []
    for metric in METRICS:
        for horizon in horizons_of(runs.outcome(scenario).setup.months):
            values = _at(runs, scenario, metric, horizon)
            if base is not None:
                values = values - _at(runs, base, metric, horizon)
            values = values.reshape(groups, -1)
            parts = components(values)
            if parts is not None:
                means = expected(values)
                low, high = np.quantile(means, (0.05, 0.95)).tolist()
                better = float("nan") if base is None else p_better(means, "higher")
                found = {"mean": float(means.mean()), "q05": low, "q95": high, "p_better": better}
                rows.append({"metric": metric, "horizon_months": horizon, **parts, **found})
    return VarianceSplit(scenario, base, pd.DataFrame(rows))


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


def expected(values: Floats) -> Floats:
    """What is expected under each parameter draw, from array [groups, repeats]: array [groups].

    The groups' means still hold the chance of few repeats. They are drawn towards the overall mean until their variance
    is that of the parameters plus the squared standard error of the overall mean, so that what they spread over is
    neither chance nor surer than the number of draws allows. The variance of the parameters is itself an estimate x
    with standard error s: its mean given that it is not below 0 is taken, x + s phi(x / s) / Phi(x / s).

    >>> expected(np.array([[1.0, 1.0], [3.0, 3.0]])).tolist()  # no chance
    [1.0, 3.0]
    """
    parts, means = components(values), values.mean(axis=1)
    spread = float(means.var(ddof=1))
    if parts is None or spread == 0:
        return means
    groups, repeats = values.shape
    chance, between = parts["chance"], repeats * spread
    x = (between - chance) / repeats
    s = (2 * between**2 / (groups - 1) + 2 * chance**2 / (groups * (repeats - 1))) ** 0.5 / repeats
    normal = NormalDist()
    of_parameters = x + s * normal.pdf(x / s) / normal.cdf(x / s)
    wanted = of_parameters + parts["monte_carlo_se"] ** 2
    shrunk: Floats = means.mean() + (means - means.mean()) * min(1.0, (wanted / spread) ** 0.5)
    return shrunk


def _at(runs: Runs, name: str, metric: str, horizon: int) -> Floats:
    values = compared(runs, name, metric, horizon)
    return values.sum(axis=1) if METRICS[metric] else values[:, -1]


def nested(
    scenarios: Sequence[Scenario],
    groups: int,
    repeats: int,
    *,
    seed: int = 1,
    workers: int | None = None,
    posterior: Learned | None = None,
    progress: Callable[[int], None] | None = None,
) -> Runs:
    """Runs whose draws j R .. j R + R - 1 share the j-th parameter vector, each with its own luck."""
    outcomes = {}
    read = cache(read_start)
    for scenario in scenarios:
        setup = build(scenario, draws=groups, seed=seed, posterior=posterior, read=read)
        setup = replace(setup, parameters=np.repeat(setup.parameters, repeats, axis=0))
        cube = cube_of(setup, groups * repeats, seed, "compiled", workers or processors(), progress)
        outcomes[scenario.name] = Outcome(scenario, setup, cube)
    calibrated = None if posterior is None else Calibrated.of(posterior)
    return Runs(outcomes, seed=seed, draws=groups * repeats, engine="compiled", calibrated=calibrated)
