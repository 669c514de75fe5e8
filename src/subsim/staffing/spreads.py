"""Draws as a few columns of a table of plans: mean with a 90 % interval, and the chance to be above zero."""

from __future__ import annotations

import numpy as np

from subsim.staffing.response import Floats


def spread(name: str, values: Floats, decimals: int = 2) -> dict[str, float]:
    """Mean, 5 % and 95 % quantiles of the draws that have a value, as columns; NaN where none has.

    >>> spread("arr", np.array([1.0, 2.0, 3.0]))
    {'arr': 2.0, 'arr_q05': 1.1, 'arr_q95': 2.9}
    """
    known = values[~np.isnan(values)]
    numbers = (known.mean(), *np.quantile(known, [0.05, 0.95])) if known.size else (np.nan,) * 3
    names = (name, f"{name}_q05", f"{name}_q95")
    return {key: round(float(value), decimals) + 0.0 for key, value in zip(names, numbers, strict=True)}


def chance_above_zero(change: Floats) -> float:
    """Share of draws above zero; ties count half."""
    return round(float((change > 0).mean() + 0.5 * (change == 0).mean()), 6)
