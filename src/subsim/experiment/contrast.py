"""Paired differences between two scenarios: same parameters, same luck, so only the decision differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.metrics import DECIMALS, METRICS
from subsim.experiment.quantiles import STATISTICS, clean, interval, summarise

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from subsim.experiment.results import Runs

Floats = npt.NDArray[np.float64]
Better = Literal["higher", "lower"]
Verdict = Literal["better", "worse", "cannot tell"]

HORIZONS: Final = (3, 6, 12, 24, 36)
SURE: Final = 0.95
GROSS_MARGIN: Final = 0.81
GROSS_MARGIN_SOURCE: Final = "assumed: 81 % subscription gross margin, median of private SaaS companies (SaaS Capital)"

#: What is compared, which direction is better, and whether flows are summed up to the horizon.
COMPARED: Final[dict[str, tuple[Better, bool]]] = {
    "arr": ("higher", False),
    "grr_ttm": ("higher", False),
    "nrr_ttm": ("higher", False),
    "logos": ("higher", False),
    "churn": ("lower", True),
    "cs_cost": ("lower", True),
    "net_value": ("higher", True),
}
DEFINITIONS: Final[dict[str, str]] = {
    "arr": "ARR at the horizon",
    "grr_ttm": "gross revenue retention of the twelve months to the horizon",
    "nrr_ttm": "net revenue retention of the twelve months to the horizon",
    "logos": "accounts at the horizon",
    "churn": "ARR of accounts lost up to the horizon",
    "cs_cost": "cost of customer success up to the horizon",
    "net_value": f"{100 * GROSS_MARGIN:.0f} % gross margin on ARR in force less cost of CS, up to the horizon",
}
COLUMNS: Final = ("scenario", "base", "metric", "horizon_months", *STATISTICS, "p_better", "better")


@dataclass(frozen=True)
class Contrast:
    """Differences scenario minus base: `table` (rows by metric and horizon), `text`, `figure()`."""

    scenario: str
    base: str
    currency: str
    draws: int
    table: pd.DataFrame

    def row(self, metric: str, horizon_months: int | None = None) -> pd.Series[Any]:
        """One row of the table, at the longest horizon when none is named."""
        rows = self.table[self.table["metric"] == metric]
        horizon = rows["horizon_months"].max() if horizon_months is None else horizon_months
        found = rows[rows["horizon_months"] == horizon]
        if found.empty:
            allowed = ", ".join(
                f"{metric}@{months}" for metric, months in self.table[["metric", "horizon_months"]].to_numpy()
            )
            raise InputError(where="contrast", found=f"{metric}@{horizon}", allowed=allowed)
        return found.iloc[0]

    @property
    def text(self) -> str:
        """The difference in one paragraph, with its interval's kind, the chance that it is an improvement, verdicts."""
        return str(presenting.prose().contrast_paragraph(self))

    def verdict(self, metric: str = "arr", horizon_months: int | None = None) -> Verdict:
        """Whether the scenario is better or worse in a metric, or the draws cannot tell (see `verdict_of`).

        It is about one future, chance included; `subsim.split_variance` judges the difference that is expected.
        """
        return verdict_of(float(self.row(metric, horizon_months)["p_better"]))

    def summary(self) -> str:
        """Table and paragraph as text."""
        return f"{self.table.to_string(index=False)}\n\n{self.text}"

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """Differences of ARR and cost with their intervals; returns the axes."""
        drawn: Axes = presenting.figures().coverage([self], ax=ax)
        return drawn

    def to_records(self) -> list[dict[str, Any]]:
        """JSON-ready rows; null where a ratio has no value."""
        return [clean(row) for row in self.table.to_dict("records")]

    def __repr__(self) -> str:
        arr = self.row("arr")
        return (
            f"Contrast({self.scenario} - {self.base}: ARR {arr['mean']:+,.0f} {self.currency} after "
            f"{arr['horizon_months']} months, P(better) {arr['p_better']:.2f})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def contrast(runs: Runs, scenario: str, base: str) -> Contrast:
    """Differences of `scenario` to `base`, draw by draw, at 3, 6, 12, 24 and 36 months as far as both reach.

    `p_better` is the share of draws in which the scenario is better (ties count half) in the stated direction.

    Raises:
        InputError: the two scenarios start on different dates or use different currencies.
    """
    import pandas as pd  # noqa: PLC0415 - a process that draws starts without it

    one, other = runs.outcome(scenario), runs.outcome(base)
    for what, a, b in (
        ("start", one.scenario.start, other.scenario.start),
        ("currency", one.scenario.currency, other.scenario.currency),
    ):
        if a != b:
            raise InputError(
                where=f"compare {scenario} with {base}", found=f"{what} {a} against {b}", allowed=f"the same {what}"
            )
    months = min(one.setup.months, other.setup.months)
    horizons = horizons_of(months)
    rows = []
    for metric, (better, cumulative) in COMPARED.items():
        difference = compared(runs, scenario, metric, months) - compared(runs, base, metric, months)
        if cumulative:
            difference = difference.cumsum(axis=1)
        decimals = DECIMALS[METRICS[metric].kind] if metric in METRICS else DECIMALS["money"]
        for horizon in horizons:
            values = difference[:, horizon - 1]
            numbers = dict(zip(STATISTICS, summarise(values, decimals), strict=True))
            chance = p_better(values, better)
            keys = {"scenario": scenario, "base": base, "metric": metric, "horizon_months": horizon}
            rows.append({**keys, **numbers, "p_better": chance, "better": better})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs = {
        "interval": {**interval(runs.fixed_parameters), "of": "paired differences, scenario minus base, draw by draw"},
        "currency": one.scenario.currency,
        "definitions": DEFINITIONS,
        "assumption": GROSS_MARGIN_SOURCE,
    }
    return Contrast(scenario, base, one.scenario.currency, runs.draws, table)


def horizons_of(months: int, among: Sequence[int] = HORIZONS) -> list[int]:
    """Horizons at which results are read: those within so many months, or else the last month.

    >>> horizons_of(18), horizons_of(2)
    ([3, 6, 12], [2])
    """
    return [horizon for horizon in among if horizon <= months] or [months]


def compared(runs: Runs, scenario: str, metric: str, months: int) -> Floats:
    """Draws of a compared metric over the first months: array [draws, months]; a flow where it is summed later."""
    if metric == "net_value":
        margin = GROSS_MARGIN * runs.samples(scenario, "arr")[:, :months] / 12
        return margin - runs.samples(scenario, "cs_cost")[:, :months]
    return runs.samples(scenario, metric)[:, :months]


def p_better(differences: Floats, better: Better) -> float:
    """Share of draws in which the difference is an improvement; ties count half; NaN without any value."""
    known = differences[~np.isnan(differences)]
    if known.size == 0:
        return float("nan")
    wins = known > 0 if better == "higher" else known < 0
    return round(float(wins.mean() + 0.5 * (known == 0).mean()), 6)


def verdict_of(chance: float) -> Verdict:
    """What a chance of being better lets one say: a sign only where 95 % agree on it; nothing where there is no value.

    >>> verdict_of(0.97), verdict_of(0.03), verdict_of(0.8), verdict_of(float("nan"))
    ('better', 'worse', 'cannot tell', 'cannot tell')
    """
    return "better" if chance >= SURE else "worse" if chance <= 1 - SURE else "cannot tell"
