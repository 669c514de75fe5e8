"""A metric's draws at a horizon: a level in its last month, a flow added up to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from subsim.errors import InputError
from subsim.experiment.contrast import compared
from subsim.experiment.metrics import CS_COST, DECIMALS, METRICS, SEGMENT_METRICS
from subsim.experiment.quantiles import STATISTICS, summarise

if TYPE_CHECKING:
    from subsim.experiment.results import Runs

Floats = npt.NDArray[np.float64]
NET_VALUE = "net_value"


def at_horizon(runs: Runs, scenario: str, metric: str, months: int) -> Floats:
    """Draws of a metric of the whole business after so many months; NaN where a ratio has no value.

    Raises:
        InputError: a metric that is none of the business (those of teams are none), or months beyond the horizon.
    """
    last = runs.outcome(scenario).setup.months
    if not 1 <= months <= last:
        raise InputError(where="horizon", found=f"{months} months", allowed=f"1 to {last} months")
    values = compared(runs, scenario, check_metric(metric), months)
    return values[:, -1] if is_level(metric) else values.sum(axis=1)


def check_metric(metric: str) -> str:
    """The metric, if it is one of the whole business."""
    allowed = [*SEGMENT_METRICS, CS_COST.name, NET_VALUE]
    if metric not in allowed:
        raise InputError(where="metric", found=repr(metric), allowed=", ".join(allowed))
    return metric


def is_level(metric: str) -> bool:
    """Whether a metric is read in the last month, not added up."""
    return metric != NET_VALUE and METRICS[metric].level


def is_better_lower(metric: str) -> bool:
    """Whether less of it is better."""
    return metric in ("churn", "contraction", "logos_lost", CS_COST.name)


def decimals_of(metric: str) -> int:
    """Decimals that tables keep."""
    return DECIMALS["money" if metric == NET_VALUE else METRICS[metric].kind]


def summary(values: Floats, decimals: int) -> dict[str, float]:
    """Mean and quantiles of draws, by name."""
    return dict(zip(STATISTICS, summarise(values, decimals).tolist(), strict=True))
