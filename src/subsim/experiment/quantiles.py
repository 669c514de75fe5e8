"""Summaries over draws: mean, quantiles, and the statement of what kind of interval they make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVELS: Final[dict[str, float]] = {
    "q05": 0.05,
    "q10": 0.10,
    "q25": 0.25,
    "q50": 0.50,
    "q75": 0.75,
    "q90": 0.90,
    "q95": 0.95,
}
STATISTICS: Final = ("mean", *LEVELS)


def interval(fixed_parameters: bool = False) -> dict[str, Any]:
    """What the quantiles say, for the attributes of tables and for JSON."""
    spread = "chance alone, parameters fixed" if fixed_parameters else "parameters and chance"
    return {"kind": f"central predictive interval over draws of {spread}", "levels": [0.5, 0.8, 0.9]}


def summarise(values: Floats, decimals: int) -> Floats:
    """Mean and quantiles over the first axis (draws): array [8, ...] in the order of `STATISTICS`.

    Quantiles interpolate linearly (type 7 of Hyndman and Fan, 1996). Draws without a value (a ratio to nothing) are
    left out; NaN where no draw has one.
    """
    out = np.full((len(STATISTICS), *values.shape[1:]), np.nan)
    known = ~np.isnan(values)
    whole = known.all(axis=0)
    partly = known.any(axis=0) & ~whole
    if whole.any():
        out[0, whole] = values[:, whole].mean(axis=0)
        out[1:, whole] = np.quantile(values[:, whole], list(LEVELS.values()), axis=0)
    if partly.any():
        out[0, partly] = np.nanmean(values[:, partly], axis=0)
        out[1:, partly] = np.nanquantile(values[:, partly], list(LEVELS.values()), axis=0)
    return np.round(out, decimals) + 0.0  # no negative zero


def clean(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row for JSON: NaN and empty text become null."""
    return {
        str(key): None if value == "" or (isinstance(value, float) and math.isnan(value)) else value
        for key, value in row.items()
    }
