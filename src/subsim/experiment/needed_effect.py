"""How large an effect must be for a decision to pay: the same draws, run again with other values of one effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import COMPARED
from subsim.experiment.parameters import cells
from subsim.experiment.quantiles import clean
from subsim.experiment.run import run
from subsim.model.catalogue import parameter
from subsim.scenario.values import write_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from subsim.experiment.parameters import Cell
    from subsim.scenario import Scenario

COLUMNS = ("effect", "mean", "q05", "q95", "p_better")


@dataclass(frozen=True)
class NeededEffect:
    """The effect at which a decision breaks even, and what was tried.

    `value` is None where the decision is better, or worse, at both ends of what was tried. `table` has a row for each
    effect that was tried: effect, mean, q05, q95 (of the gain: positive where the decision is better) and p_better.
    """

    parameter: str
    of: str
    metric: str
    horizon_months: int
    currency: str
    value: float | None
    believed: float
    """The centre of what the scenario believes."""
    p_reached: float | None
    """Probability, under that belief, that the effect lies on the side where the decision pays."""
    table: pd.DataFrame

    @property
    def rising(self) -> bool:
        """Whether a larger effect makes the decision better."""
        return bool(self.table["mean"].iloc[-1] > self.table["mean"].iloc[0])

    @property
    def text(self) -> str:
        """The answer in two sentences."""
        what = f"{self.parameter}{f' of {self.of}' if self.of else ''}"
        low, high = self.table["effect"].min(), self.table["effect"].max()
        if self.value is None:
            better = bool((self.table["mean"] > 0).all())
            word = "is better" if better else "is not better"
            return f"The decision {word} in {self.metric} for every {what} from {low:g} to {high:g}."
        chance = "" if self.p_reached is None else f"; it is so with probability {self.p_reached:.2f}"
        least = "least" if self.rising else "most"
        return (
            f"{what} must be at {least} {self.value:.3g} for the decision to break even in {self.metric} after "
            f"{self.horizon_months} months. What is believed is {self.believed:.3g}{chance}."
        )

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """The gain by the size of the effect, and where it breaks even."""
        drawn: Axes = presenting.figures().needed(self, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the effect that is needed, what is believed, and what was tried."""
        return {
            "parameter": self.parameter,
            "of": self.of,
            "metric": self.metric,
            "horizon_months": self.horizon_months,
            "currency": self.currency,
            "needed": self.value,
            "believed": self.believed,
            "p_reached": self.p_reached,
            "tried": [clean(row) for row in self.table.to_dict("records")],
        }

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def needed_effect(
    base: Scenario,
    scenario: Scenario,
    name: str,
    *,
    low: float,
    high: float,
    metric: str = "net_value",
    draws: int = 50,
    seed: int = 1,
    steps: int = 6,
    workers: int | None = None,
    posterior: Any = None,
    **keys: str,
) -> NeededEffect:
    """The smallest value of an effect for which `scenario` is better than `base` on average.

    Both are run with the effect set to a value (as an assumption, for all draws), the same luck and otherwise the same
    parameters; bisection of the mean difference at the longest common horizon, on the assumption that it crosses zero
    once between `low` and `high`.

    Args:
        base: what happens otherwise.
        scenario: the decision, such as two more seats.
        name: the effect, such as `work.lift`.
        low: smallest value tried.
        high: largest value tried.
        metric: what must be better, as in a contrast: `net_value`, `arr`, `grr_ttm`, ...
        draws: runs of each scenario at each value.
        seed: of the runs.
        steps: halvings of the range, each one more pair of runs.
        workers: threads.
        posterior: joint draws of a calibration, as `run` takes them.
        keys: which cell, such as `work="business_review"`; all of them where none is named.

    Raises:
        InputError: low is not below high, or the effect or the metric is unknown.

    Example:
        needed_effect(base, plus_two, "work.lift", work="business_review", low=0.0, high=1.0).text
    """
    row = parameter(name, "effect")
    if not low < high:
        raise InputError(where="effect", found=f"{low:g} to {high:g}", allowed="low below high")
    if metric not in COMPARED:
        raise InputError(where="metric", found=repr(metric), allowed=", ".join(COMPARED))
    sign = 1.0 if COMPARED[metric][0] == "higher" else -1.0
    rows: list[tuple[float, ...]] = []
    horizon = 0

    def gain(effect: float) -> float:
        nonlocal horizon
        pair = [with_effect(each, name, write_value(row, effect), keys) for each in (base, scenario)]
        runs = run(pair, draws=draws, seed=seed, workers=workers, posterior=posterior)
        found = runs.contrast(scenario.name, base=base.name).row(metric)
        horizon = int(found["horizon_months"])
        mean, *ends = (sign * float(found[key]) for key in ("mean", "q05", "q95"))
        rows.append((effect, mean, *sorted(ends), float(found["p_better"])))
        return mean

    value = _crossing(gain, low, high, steps)
    cell = believed_cell(scenario, name, keys)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("effect", ignore_index=True)
    reached = None if value is None or cell is None else _chance(cell, value, rising=rows[1][1] > rows[0][1])
    believed = row.value if cell is None else cell.value
    return NeededEffect(name, ", ".join(keys.values()), metric, horizon, base.currency, value, believed, reached, table)


def _crossing(gain: Callable[[float], float], low: float, high: float, steps: int) -> float | None:
    """Where the gain crosses zero; None where it has one sign at both ends."""
    at_low, at_high = gain(low), gain(high)
    if (at_low > 0) == (at_high > 0):
        return None
    for _ in range(steps):
        middle = (low + high) / 2
        at_middle = gain(middle)
        if (at_middle > 0) == (at_low > 0):
            low, at_low = middle, at_middle
        else:
            high, at_high = middle, at_middle
    return low + (high - low) * at_low / (at_low - at_high)


def with_effect(scenario: Scenario, name: str, value: object, keys: dict[str, str]) -> Scenario:
    """The scenario with the effect set, in place of what it declares or assumes about it."""
    data = scenario.to_dict()

    def others(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        same = {"parameter": name, **keys}
        return [item for item in items if any(item.get(key) != value for key, value in same.items())]

    fixed = {"parameter": name, **keys, "value": value, "because": "tried: how large must it be?"}
    changes = {"assumptions": [*others(data.get("assumptions", [])), fixed], "effects": others(data.get("effects", []))}
    return scenario.replace(**changes)


def believed_cell(scenario: Scenario, name: str, keys: dict[str, str]) -> Cell | None:
    """What the scenario believes about the effect; None where several cells differ."""
    own = [
        cell
        for cell in cells(scenario).values()
        if cell.parameter.name == name and (not keys or set(cell.keys) <= set(keys.values()))
    ]
    return own[0] if len({(cell.value, cell.prior) for cell in own}) == 1 else None


def _chance(cell: Cell, value: float, *, rising: bool) -> float | None:
    """Probability that a normal belief reaches the value, on the side where the decision pays."""
    sd = cell.prior.sd + cell.prior.sd_share * abs(cell.value)
    if cell.prior.family != "normal" or sd == 0:
        return None
    below = NormalDist(cell.value, sd).cdf(value)
    return 1 - below if rising else below
