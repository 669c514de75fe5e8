"""Which of several alternatives is best, when all were tried on the same random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subsim.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Selection:
    """Alternatives not told from the best, best mean first, and after how many draws each other one fell."""

    kept: tuple[int, ...]
    dropped_at: dict[int, int]
    worth: float
    confidence: float


def contenders(values: Floats, *, worth: float, confidence: float = 0.95, first: int = 20) -> Selection:
    """Fully sequential selection by Kim and Nelson (2001, procedure KN) on paired draws.

    Alternatives that are clearly worse than another are dropped as draws come in. If the best mean is at least `worth`
    above all others, it is kept with probability `confidence` at least (for normal differences); several that are left
    when the draws end are those that differ too little to say.

    Args:
        values: array [alternatives, draws], more is better; column j of every row used the same random numbers.
        worth: smallest difference of means that matters, in the unit of `values`.
        confidence: chance to keep the best.
        first: draws from which the variances of the differences are estimated.

    Raises:
        InputError: fewer than two draws more than `first`, or a `worth` that is not positive.

    Example:
        >>> values = np.array([[1.0, 2.0, 3.0, 2.0] * 10, [9.0, 8.0, 9.5, 9.0] * 10])
        >>> contenders(values, worth=1.0, first=10).kept
        (1,)
    """
    count, draws = values.shape
    first = min(first, draws)
    if first < 2 or not worth > 0 or not 0.5 < confidence < 1:
        raise InputError(
            where="selection",
            found=f"{draws} draws, worth {worth:g}, confidence {confidence:g}",
            allowed="2 draws or more, a positive worth, and a confidence between 0.5 and 1",
        )
    if count == 1:
        return Selection((0,), {}, worth, confidence)
    freedom = first - 1
    eta = ((2 * (1 - confidence) / (count - 1)) ** (-2 / freedom) - 1) / 2
    spread = _spread(values[:, :first])
    sums = np.cumsum(values, axis=1)
    kept, dropped_at = list(range(count)), {}
    for r in range(first, draws + 1):
        total = sums[:, r - 1]
        margin = np.maximum(0.0, worth / 2 * (2 * eta * freedom * spread / worth**2 - r))
        beaten = [i for i in kept if any(total[i] < total[other] - margin[i, other] for other in kept if other != i)]
        for i in beaten:
            dropped_at[i] = r
        kept = [i for i in kept if i not in beaten]
        if len(kept) == 1:
            break
    means = values.mean(axis=1)
    return Selection(tuple(sorted(kept, key=lambda i: -means[i])), dropped_at, worth, confidence)


def _spread(values: Floats) -> Floats:
    """Variance of every pair's difference."""
    centred = values - values.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / (values.shape[1] - 1)
    own = np.diag(covariance)
    return np.asarray(own[:, None] + own[None, :] - 2 * covariance)


@dataclass(frozen=True)
class Rival:
    """An alternative against the one with the best mean: 90 % interval of the mean difference, and whether it holds."""

    index: int
    low: float
    high: float
    holds: bool


def rivals(values: Floats, *, worth: float) -> tuple[Rival, ...]:
    """Alternatives on draws that had no part in choosing them, best mean first.

    One holds if the 90 % interval of its mean difference to the best (normal approximation over paired draws) reaches
    `-worth` or more: then these draws cannot say that it is worse by an amount that matters.

    Args:
        values: array [alternatives, draws], more is better; column j of every row used the same random numbers.
        worth: smallest difference of means that matters, in the unit of `values`.

    Example:
        >>> [one.holds for one in rivals(np.array([[1.0, 2.0, 3.0], [9.0, 8.0, 9.5]]), worth=1.0)]
        [True, False]
    """
    means = values.mean(axis=1)
    order = np.argsort(-means, kind="stable")
    found = []
    for i in order:
        gap = values[i] - values[order[0]]
        error = gap.std(ddof=1) / np.sqrt(gap.size) if gap.size > 1 else np.inf
        middle, reach = float(gap.mean()), float(1.645 * error)
        found.append(Rival(int(i), middle - reach, middle + reach, bool(i == order[0] or middle + reach >= -worth)))
    return tuple(found)


def tail_mean(values: Floats, share: float = 0.1) -> Floats:
    """CVaR: mean of the worst `share` of draws along the last axis, at least one draw.

    >>> float(tail_mean(np.arange(10.0), 0.2))
    0.5
    """
    worst = max(1, round(share * values.shape[-1]))
    return np.asarray(np.sort(values, axis=-1)[..., :worst].mean(axis=-1))
