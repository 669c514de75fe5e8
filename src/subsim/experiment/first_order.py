"""First-order shares of variance from draws as they are, by SALib's RBD-FAST, and what chance alone would show."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from subsim.errors import InputError

Floats = npt.NDArray[np.float64]
#: The first harmonic holds nearly all of what a monotone effect does, the second a hump; each one more adds noise.
HARMONICS: Final = 2
RESAMPLES: Final = 30
LEVEL: Final = 0.9
SURE: Final = 0.95


@dataclass(frozen=True)
class FirstOrder:
    """Share of the variance that each column explains alone, its interval, and what numbers without effect reach."""

    share: Floats
    low: Floats
    high: Floats
    noise: float
    """See `noise_level`."""


def first_order(x: Floats, y: Floats, *, seed: int) -> FirstOrder:
    """Var(E[y | x_i]) / Var(y) of every column of x [draws, numbers], by RBD-FAST for given data.

    The share is that of the first harmonics of y in the order of x_i, its bias corrected (Plischke 2010; Tissot and
    Prieur 2012); the interval is SALib's, from resampled halves.

    Raises:
        InputError: the extra `sensitivity` is not installed.
    """
    analyze = _analyze()
    found = analyze(_problem(x), x, y, M=HARMONICS, num_resamples=RESAMPLES, conf_level=LEVEL, seed=seed % 2**32)
    share, half = np.array(found["S1"], dtype=float), np.array(found["S1_conf"], dtype=float)
    return FirstOrder(share, share - half, share + half, noise_level(len(y), x.shape[1]))


def noise_level(draws: int, numbers: int) -> float:
    """What the largest share of so many numbers without effect stays below in 95 % of runs of so many draws.

    Without effect the harmonics are alike and independent, so that the first M of K hold Beta(M, K - M) of the
    variance; the bias is corrected as in the estimate.

    >>> noise_level(300, 138) > noise_level(1000, 138) > noise_level(1000, 10)
    True
    """
    harmonics = (draws - 1) // 2
    held = stats.beta.ppf(SURE ** (1 / numbers), HARMONICS, harmonics - HARMONICS)
    bias = 2 * HARMONICS / draws
    return float(held - bias / (1 - bias) * (1 - held))


def _problem(x: Floats) -> dict[str, Any]:
    return {"num_vars": x.shape[1], "names": [str(i) for i in range(x.shape[1])]}


def _analyze() -> Any:
    """SALib's function, or a sentence about how to get it."""
    try:
        return importlib.import_module("SALib.analyze.rbd_fast").analyze
    except ImportError:
        raise InputError(
            where="sensitivity",
            found="SALib is not installed",
            allowed="the sensitivity extra",
            do='install it: pip install "subsim[sensitivity]"',
        ) from None
