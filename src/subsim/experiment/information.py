"""What to measure next: how much better decisions would be if a parameter were known (EVPI, EVPPI)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.at_horizon import at_horizon
from subsim.experiment.parameters import cells
from subsim.experiment.quantiles import clean
from subsim.experiment.results import Runs
from subsim.random import purposes, uniform_array
from subsim.random.entities import name_entity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
BINS: Final = 20
LEAST_IN_BIN: Final = 5
SHUFFLES: Final = 20


@dataclass(frozen=True)
class Information:
    """Value of knowing everything, and of knowing one parameter, in currency units of net value: `table`, `text`."""

    best: str
    evpi: float
    table: pd.DataFrame
    currency: str

    @property
    def text(self) -> str:
        """Which parameters are worth measuring before deciding."""
        worth = self.table[self.table["evppi"] > 0]
        if self.evpi <= 0 or worth.empty:
            return f"{self.best} is best in expectation, and knowing no single parameter better would change that."
        names = ", ".join(
            f"{row['parameter']}{f' ({row["of"]})' if row['of'] else ''} {row['evppi']:,.0f}"
            for row in worth.head(3).to_dict("records")
        )
        return (
            f"{self.best} is best in expectation. Knowing the future would be worth {self.evpi:,.0f} {self.currency} "
            f"of net value; knowing one parameter at most: {names}."
        )

    def figure(self, *, top: int = 10, ax: Axes | None = None) -> Axes:
        """What knowing everything, and each number, would be worth."""
        drawn: Axes = presenting.figures().information(self, top=top, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the best plan, EVPI, and a row for each number."""
        rows = [clean(row) for row in self.table.to_dict("records")]
        return {"best": self.best, "evpi": self.evpi, "currency": self.currency, "numbers": rows}

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def value_of_information(runs: Runs, *, horizon_months: int | None = None) -> Information:
    """Expected value of information for the choice between the scenarios of `runs`, on net value up to a horizon.

    EVPI = E[max over plans] - max over plans of E, over draws: what a clairvoyant would be paid, chance included. EVPPI
    of a parameter replaces the net value by its mean given the parameter (means in bins of equal numbers of draws,
    Strong and Oakley 2013, less what the same bins give after shuffling); it is between 0 and EVPI.

    Columns of the table: parameter, of, label, evppi, share (of EVPI), largest first.

    Raises:
        InputError: one scenario alone, or too few draws to tell anything.
    """
    if len(runs) < 2:
        raise InputError(where="value of information", found="one scenario", allowed="two or more plans to choose from")
    if runs.draws < 2 * LEAST_IN_BIN:
        raise InputError(where="draws", found=str(runs.draws), allowed=f"{2 * LEAST_IN_BIN} or more")
    months = min(runs.outcome(name).setup.months for name in runs.names)
    horizon = months if horizon_months is None else horizon_months
    if not 1 <= horizon <= months:
        raise InputError(where="horizon", found=f"{horizon} months", allowed=f"1 to {months} months")
    values = np.stack([at_horizon(runs, name, "net_value", horizon) for name in runs.names])
    whole = evpi(values)
    base = runs.outcome(runs.names[0])
    rows = []
    for cell in cells(base.scenario).values():
        x = base.setup.parameters[:, cell.index]
        if np.ptp(x) > 0:
            worth = min(evppi(values, x), whole)
            label = cell.parameter.label
            rows.append({"parameter": cell.parameter.name, "of": " ".join(cell.keys), "label": label, "evppi": worth})
    table = pd.DataFrame(rows, columns=["parameter", "of", "label", "evppi"])
    table = table.sort_values("evppi", ascending=False, kind="stable").reset_index(drop=True)
    table["share"] = table["evppi"] / whole if whole > 0 else 0.0
    best = runs.names[int(np.argmax(values.mean(axis=1)))]
    return Information(best, whole, table, base.scenario.currency)


def evpi(values: Floats) -> float:
    """Expected value of perfect information of array [actions, draws]; never below 0.

    >>> evpi(np.array([[0.0, 0.0], [-1.0, 3.0]]))
    0.5
    """
    return max(0.0, float(values.max(axis=0).mean() - values.mean(axis=1).max()))


def evppi(values: Floats, x: Floats, *, bins: int = BINS) -> float:
    """Expected value of knowing one quantity `x` (array over draws) when choosing between rows of `values`.

    Conditional means are taken in at most `bins` bins of equal numbers of draws; noise in them alone would look like
    value, so what the bins give for shuffled `x` is taken off.
    """
    count = max(1, min(bins, len(x) // LEAST_IN_BIN))
    order = np.argsort(x, kind="stable")
    found = evpi(_bin_means(values, order, count))
    u = uniform_array(0, np.arange(SHUFFLES)[:, None], purposes.PARAMETER, name_entity("shuffle"), np.arange(len(x)))
    noise = [evpi(_bin_means(values, np.argsort(row, kind="stable"), count)) for row in u]
    return max(0.0, found - float(np.mean(noise)))


def _bin_means(values: Floats, order: npt.NDArray[np.int64], count: int) -> Floats:
    """Every draw's value replaced by its bin's mean, so that bins of unequal size weigh right."""
    parts = np.array_split(order, count)
    return np.concatenate(
        [np.repeat(values[:, part].mean(axis=1, keepdims=True), len(part), axis=1) for part in parts], 1
    )
