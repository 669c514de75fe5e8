"""The likelihood of a whole bridge: what the emulators of its segments say about their own and the shared numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate.aggregate_emulator import Emulator

Floats = NDArray[np.float64]
_EDGE = 0.1  # how softly points are held inside the design, prior standard deviations
PLAN, VALUE, VALUE_SD = 0, 1, 2  # the first of a segment's own numbers
TREND = 0  # the first of the shared ones


@dataclass(frozen=True)
class Anchors:
    """How the level of new business follows from the ARR that it brings, by segment; priors as (mean, sd).

    log plan = level + spread w - log(first ARR) - (its spread)**2 / 2 + half the years of the history x trend
    """

    level: Floats
    spread: Floats
    half_years: float
    log_value: Floats
    log_value_sd: Floats
    trend: Floats
    log_plan: Floats


@dataclass(frozen=True)
class Likelihood:
    """Log likelihood of points: kept numbers of each segment in turn, then kept shared ones, on a standard scale."""

    emulators: Sequence[Emulator]
    observed: Sequence[Floats]
    """Summaries of the book by segment."""
    anchors: Anchors
    edges: Floats
    """(segments, own, 2): between which the design lies."""
    own: int
    """How many of an emulator's numbers are the segment's own."""
    places: tuple[tuple[int, int], ...] = field(init=False)
    """(segment, number) of each coordinate; segment -1 for shared numbers."""

    def __post_init__(self) -> None:
        mine = [(i, int(k)) for i, emulator in enumerate(self.emulators) for k in emulator.kept if k < self.own]
        shared = sorted({int(k) - self.own for emulator in self.emulators for k in emulator.kept if k >= self.own})
        object.__setattr__(self, "places", (*mine, *((-1, k) for k in shared)))

    def __call__(self, points: Floats) -> Floats:
        """Of points (points, places)."""
        total = np.zeros(len(points))
        at = {place: points[:, column] for column, place in enumerate(self.places)}
        for i, (emulator, observed) in enumerate(zip(self.emulators, self.observed, strict=True)):
            x = np.column_stack([at[(i, k) if k < self.own else (-1, k - self.own)] for k in emulator.kept.tolist()])
            total += emulator.log_likelihood(x, emulator.project(observed))
            total += self._plan(i, at)
        for (i, k), value in at.items():
            if i >= 0:
                low, high = self.edges[i, k]
                total -= 0.5 * (np.maximum(np.maximum(value - high, low - value), 0.0) / _EDGE) ** 2
        return total

    def _plan(self, segment: int, at: dict[tuple[int, int], Floats]) -> Floats:
        """New business was designed around the ARR that it brings; here its own prior takes that design's place."""
        known = self.anchors
        w, value = at[segment, PLAN], at[segment, VALUE]
        mean, sd = known.log_value[segment]
        spread_mean, spread_sd = known.log_value_sd[segment]
        log_plan = known.level[segment] + known.spread[segment] * w - (mean + sd * value)
        log_plan -= np.exp(spread_mean + spread_sd * at[segment, VALUE_SD]) ** 2 / 2
        log_plan += known.half_years * (known.trend[0] + known.trend[1] * at[-1, TREND])
        surprise = (log_plan - known.log_plan[segment, 0]) / known.log_plan[segment, 1]
        return np.asarray(0.5 * w**2 - 0.5 * surprise**2)
