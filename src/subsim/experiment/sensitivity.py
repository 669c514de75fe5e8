"""Which numbers move a forecast: first-order shares of variance from the draws of a run, total effects where asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.at_horizon import Floats, at_horizon, check_metric
from subsim.experiment.first_order import first_order
from subsim.experiment.parameters import Cell, Learned, cells
from subsim.experiment.quantiles import clean
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.experiment.total_effects import drawn_anew, total
from subsim.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_DRAWS: Final = 50
FIFTH: Final = 5
CALIBRATED, DECLARED, ASSUMED = "calibrated", "declared", "assumed"
INTERVAL: Final = {"kind": "bootstrap of halves of the draws, wide rather than narrow", "levels": [0.9]}
METHOD: Final = "first order: RBD-FAST from given data, 2 harmonics; total: Jansen's estimator with the same luck"
TOTAL: Final = ("total", "total_low", "total_high")
COLUMNS: Final = (
    "parameter",
    "of",
    "title",
    "rests_on",
    "grade",
    "first_order",
    "low",
    "high",
    "stands_out",
    "direction",
    "at_low",
    "at_high",
    *TOTAL,
)


@dataclass(frozen=True)
class Sensitivity:
    """Numbers of a scenario by how much of a metric's variance each explains alone: `table`, `text`, `figure()`.

    Columns of the table: parameter, of, title, rests_on (calibrated, declared or assumed), grade, first_order with its
    90 % interval low to high, stands_out (above what numbers without any effect would show), direction (rank
    correlation), at_low and at_high (mean of the metric in the lowest and the highest fifth of the number), total with
    its interval.
    """

    scenario: str
    base: str | None
    metric: str
    horizon_months: int
    currency: str
    noise: float
    table: pd.DataFrame
    runs: Runs = field(repr=False)

    @property
    def text(self) -> str:
        """What moves the metric most, how much is explained, and how much of that is assumed."""
        return str(presenting.words_of("sensitivity_words").paragraph(self))

    def figure(self, *, top: int = 12, ax: Axes | None = None) -> Axes:
        """The numbers that matter most, with intervals; what is assumed in another colour than what is calibrated."""
        drawn: Axes = presenting.figures().sensitivity(self, top=top, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: what was asked, the noise level and a row for each number."""
        return {
            "scenario": self.scenario,
            "base": self.base,
            "metric": self.metric,
            "horizon_months": self.horizon_months,
            "currency": self.currency,
            "draws": self.runs.draws,
            "seed": self.runs.seed,
            "noise": self.noise,
            "interval": self.table.attrs["interval"],
            "method": self.table.attrs["method"],
            "numbers": [clean(row) for row in self.table.to_dict("records")],
        }

    def __repr__(self) -> str:
        first = self.table.head(3).to_dict("records")
        shown = ", ".join(f"{row['parameter']} {row['first_order']:.2f}" for row in first)
        return f"Sensitivity({self.scenario}, {self.metric} after {self.horizon_months} months: {shown})"

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.head(20).to_html(index=False)}"


def sensitivity(
    scenario: Scenario,
    base: Scenario | None = None,
    *,
    metric: str = "arr",
    horizon_months: int | None = None,
    totals: int = 0,
    draws: int = 500,
    seed: int = 1,
    workers: int | None = None,
    posterior: Learned | None = None,
    runs: Runs | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Sensitivity:
    """Rank the numbers of a scenario, assumed and calibrated, by what they explain of a metric's variance.

    The share that a number explains alone, Var(E[metric | number]) / Var(metric), is estimated from draws as they are
    (RBD-FAST for given data, Plischke 2010, with the bias corrected after Tissot and Prieur 2012), so that a run serves
    all numbers at once, also where a posterior makes them dependent. Numbers without effect, drawn beside, say what
    chance alone would show. `totals` adds, for the largest assumed numbers, the total effect: what would remain of the
    variance if all else, luck included, were known (Jansen 1999), from one more run of each.

    Args:
        scenario: what is forecast.
        base: if given, the paired difference scenario minus base is explained.
        metric: of the business, such as arr, grr_ttm or net_value (added up).
        horizon_months: where it is read; the end when None.
        totals: for how many numbers the total effect is found; they must be drawn independently, so not calibrated.
        draws: futures; at least 50, better 500.
        seed: same seed, same answer.
        workers: threads.
        posterior: joint draws of a calibration.
        runs: runs to read in place of new ones, with the scenario (and the base) among them.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`.

    Raises:
        InputError: the extra `sensitivity` is not installed, too few draws, or a metric unknown or without variation.
    """
    check_metric(metric)
    both = [scenario] if base is None else [scenario, base]
    known = runs or run(
        both, draws=draws, seed=seed, workers=workers, posterior=posterior, progress=progress, **options
    )
    names = [one.name for one in both]
    horizon = min(known.outcome(name).setup.months for name in names) if horizon_months is None else horizon_months
    y = _values(known, names, metric, horizon)
    numbers = known.outcome(scenario.name).setup.parameters
    varying = [cell for cell in cells(scenario).values() if np.ptp(numbers[:, cell.index]) > 0]
    seen = ~np.isnan(y)
    _check(y[seen], varying, f"{metric} after {horizon} months")
    x, y_seen = numbers[seen][:, [cell.index for cell in varying]], y[seen]
    alone = first_order(x, y_seen, seed=known.seed)
    table = pd.DataFrame([_row(cell, x[:, i], y_seen, posterior) for i, cell in enumerate(varying)])
    table = table.assign(first_order=alone.share, low=alone.low, high=alone.high, stands_out=alone.share > alone.noise)
    table[list(TOTAL)] = np.nan
    order = table["first_order"].to_numpy().argsort(kind="stable")[::-1]
    for place in [i for i in order.tolist() if table["rests_on"].iloc[i] != CALIBRATED][:totals]:
        again = drawn_anew(known, names, varying[place], workers, progress)
        table.loc[place, list(TOTAL)] = total(y, _values(again, names, metric, horizon), seed=known.seed)
    table = table.iloc[order][list(COLUMNS)].reset_index(drop=True)
    shares = ["first_order", "low", "high", "direction", *TOTAL]
    table[shares] = table[shares].astype(float).round(6) + 0.0
    table.attrs = {"interval": INTERVAL, "method": METHOD}
    shown = None if base is None else base.name
    return Sensitivity(scenario.name, shown, metric, horizon, scenario.currency, round(alone.noise, 6), table, known)


def _values(runs: Runs, names: Sequence[str], metric: str, horizon: int) -> Floats:
    """What is explained: the metric of a scenario, or its difference to the base."""
    values = [at_horizon(runs, name, metric, horizon) for name in names]
    return values[0] if len(values) == 1 else values[0] - values[1]


def _check(y: Floats, varying: list[Cell], where: str) -> None:
    if len(y) < LEAST_DRAWS:
        raise InputError(where="draws", found=f"{len(y)} values of {where}", allowed=f"{LEAST_DRAWS} or more")
    if np.ptp(y) == 0 or not varying:
        raise InputError(where=where, found="the same in every draw", allowed="a metric that differs between draws")


def _row(cell: Cell, x: Floats, y: Floats, posterior: Learned | None) -> dict[str, Any]:
    """What is known of a number besides its share: its source, and the metric where it is low and where it is high."""
    learned = (
        posterior is not None and not cell.decided and posterior.values(cell.parameter.name, cell.keys) is not None
    )
    fifth = max(1, len(x) // FIFTH)
    ranked = y[np.argsort(x, kind="stable")]
    return {
        "parameter": cell.parameter.name,
        "of": " ".join(cell.keys),
        "title": cell.parameter.title,
        "rests_on": CALIBRATED if learned else DECLARED if cell.decided else ASSUMED,
        "grade": cell.parameter.grade,
        "direction": float(stats.spearmanr(x, y).statistic),
        "at_low": round(float(ranked[:fifth].mean()), 6),
        "at_high": round(float(ranked[-fifth:].mean()), 6),
    }
