"""What an experiment would be worth before it is run: normal belief and noise, a gain quadratic in the effect.

Belief theta ~ N(m, s^2); an experiment with standard error e gives the posterior mean M ~ N(m, p^2) with
p^2 = s^4 / (s^2 + e^2) and the posterior variance s^2 - p^2 (Raiffa and Schlaifer, 1961). For a gain
g(theta) = a + b theta + c theta^2 of doing something instead of nothing, E[g | data] = a + b M + c (M^2 + s^2 - p^2).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NODES: Final = 4001


@dataclass(frozen=True)
class Belief:
    """A normal belief about an effect."""

    mean: float
    sd: float

    def after(self, error: float) -> float:
        """Standard deviation of the posterior mean that an experiment with this standard error would give.

        >>> Belief(0.0, 1.0).after(0.0), Belief(0.0, 1.0).after(float("inf"))
        (1.0, 0.0)
        """
        return self.sd**2 / float(np.hypot(self.sd, error))


@dataclass(frozen=True)
class Gain:
    """What doing it gains over not doing it, by the effect: constant, slope and curvature, in currency units."""

    constant: float
    slope: float
    curvature: float

    @classmethod
    def through(cls, effects: Floats, gains: Floats) -> Gain:
        """The quadratic nearest to gains at some effects (least squares)."""
        curvature, slope, constant = np.polyfit(effects, gains, 2)
        return cls(float(constant), float(slope), float(curvature))

    def at(self, effect: Floats, variance: float = 0.0) -> Floats:
        """Mean gain where the effect is believed to be `effect` with this variance."""
        return np.asarray(self.constant + self.slope * effect + self.curvature * (effect**2 + variance))

    def break_even(self, belief: Belief) -> float | None:
        """The effect nearest to the belief's centre at which the gain is nothing, within 4 standard deviations."""
        roots = np.roots([self.curvature, self.slope, self.constant])
        real = roots[np.isreal(roots)].real
        near = sorted(real[np.abs(real - belief.mean) <= 4 * belief.sd], key=lambda root: abs(root - belief.mean))
        return float(near[0]) if near else None

    def p_positive(self, belief: Belief) -> float:
        """Probability under the belief that the gain is above nothing."""
        return float((self.at(belief.mean + belief.sd * _nodes()) > 0).mean())


@dataclass(frozen=True)
class Worth:
    """What information does for a decision: its value, and the chance that it changes what is done."""

    value: float
    p_changes: float


def worth_of(gain: Gain, belief: Belief, error: float) -> Worth:
    """Expected value of an experiment with this standard error for choosing between doing it and not: EVSI.

    With no error at all it is the value of knowing the effect (EVPPI), which no experiment exceeds.

    >>> certain = worth_of(Gain(0.0, 1.0, 0.0), Belief(0.0, 1.0), 0.0)
    >>> round(certain.value, 3), round(certain.p_changes, 2)  # the first is 1 / sqrt(2 pi)
    (0.399, 0.5)
    """
    spread = belief.after(error)
    expected = gain.at(belief.mean + spread * _nodes(), belief.sd**2 - spread**2)
    now = float(expected.mean())
    return Worth(float(np.maximum(expected, 0).mean()) - max(now, 0.0), float(((expected > 0) != (now > 0)).mean()))


@functools.cache
def _nodes() -> Floats:
    """Equally likely points of a standard normal, with mean 0 and variance 1."""
    inverse = NormalDist().inv_cdf
    half = np.array([inverse((i + 0.5) / NODES) for i in range(NODES // 2)])
    nodes = np.concatenate([half, [0.0], -half[::-1]])
    return np.asarray(nodes / nodes.std())
