"""Measuring on a shared machine: interleaved rounds, processor time, medians of the ratios within a round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from subsim.experiment.processors import processors
from subsim.random.philox import _fill

Clock = Callable[[], float]


@dataclass(frozen=True)
class Result:
    """One measured number with its target; ``meets`` is None where there is none, or where it could not be judged."""

    name: str
    value: float
    unit: str
    target: str = ""
    meets: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """The result as it is printed."""
        verdict = {True: "met", False: "NOT MET", None: ""}[self.meets]
        aim = f"target {self.target}" if self.target else ""
        details = ", ".join(f"{key} {_short(value)}" for key, value in self.details.items())
        return f"{self.name:<44} {_short(self.value):>9} {self.unit:<8} {aim:<22} {verdict:<8} {details}".rstrip()


def _short(value: Any) -> str:
    return (
        f"{value:,.4g}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}" if _is(value) else str(value)
    )


def _is(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def rounds(
    tasks: Mapping[str, Callable[[], object]], count: int, clock: Clock = time.thread_time
) -> dict[str, list[float]]:
    """Seconds of every task in every round; tasks take turns, so that a disturbance hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(count):
        for name, task in tasks.items():
            begin = clock()
            task()
            seconds[name].append(clock() - begin)
    return seconds


def ratio(over: list[float], under: list[float]) -> float:
    """Median over the rounds of one task's time over another's."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def uniform_ns(count: int = 300_000) -> float:
    """How fast the machine is just now: ns of a keyed uniform while every processor draws them, of the slowest one.

    The best of five; some 15 ns where a processor of 2.5 GHz has the machine to itself.
    """

    def draw(_: int) -> float:
        seconds, out = [], np.empty(count)
        for _ in range(5):
            begin = time.perf_counter()
            _fill(1, same, 1, entities, same, out)
            seconds.append(time.perf_counter() - begin)
        return min(seconds) / count * 1e9

    entities, same = np.arange(count, dtype=np.uint64), np.zeros(count, np.int64)
    with ThreadPoolExecutor(processors()) as pool:
        return max(pool.map(draw, range(processors())))
