"""The ARR bridge as a waterfall with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from subsim.experiment.results import month_ends
from subsim.report.fans import spread_of, start
from subsim.report.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    axes,
    headline,
    money_axis,
    styled,
    tick,
)
from subsim.report.words import capital, money, month, plain

if TYPE_CHECKING:
    from subsim.experiment.results import Runs

Floats = npt.NDArray[np.float64]

GAINS: Final = ("new", "expansion", "reactivation")
LOSSES: Final = ("contraction", "churn")


def bridge(runs: Runs, name: str | None = None, *, months: int = 12, ax: Axes | None = None) -> Axes:
    """Waterfall from opening to closing ARR: mean flows, which add up, with central 90 % intervals of each flow."""
    scenario = runs.outcome(name).scenario
    days = month_ends(runs.outcome(name).setup)
    months = min(months, len(days))
    flows = {metric: runs.samples(name, metric)[:, :months].sum(axis=1) for metric in (*GAINS, *LOSSES)}
    opening = runs.opening_arr(name)
    closing = runs.samples(name, "arr")[:, months - 1]
    with styled():
        ax = axes(ax, right=0.97)
        level = opening
        _bar(ax, 0, 0, opening, GREY, money(opening, scenario.currency))
        for i, (metric, draws) in enumerate(flows.items(), start=1):
            sign = -1 if metric in LOSSES else 1
            mean = sign * float(draws.mean())
            low, high = sorted(level + sign * np.quantile(draws, [0.05, 0.95]))
            colour = VERMILLION if sign < 0 else BLUE
            _bar(ax, i, level, mean, colour, money(mean, scenario.currency, sign=True), (low, high))
            ax.plot([i - 1.32, i + 0.32], [level, level], color=GREY, linewidth=0.7)
            level += mean
        ax.plot([len(flows) - 0.32, len(flows) + 1.32], [level, level], color=GREY, linewidth=0.7)
        low, high = np.quantile(closing, [0.05, 0.95])
        _bar(ax, len(flows) + 1, 0, level, GREY, money(level, scenario.currency), (low, high))
        ax.set_xticks(range(len(flows) + 2), ["Opening\nARR", *(capital(metric) for metric in flows), "Closing\nARR"])
        ax.set_xlim(-0.6, len(flows) + 1.6)
        money_axis(ax, scenario.currency)
        ax.tick_params(axis="x", length=0)
        bottom = _zoom(ax, opening, level, flows)
        means = {metric: float(draws.mean()) for metric, draws in flows.items()}
        lost = sum(means[metric] for metric in LOSSES)
        gained = sum(means[metric] for metric in GAINS)
        verb = "outweigh" if gained >= lost else "do not make up for"
        headline(
            ax,
            f"{money(gained, scenario.currency)} of gains {verb} {money(lost, scenario.currency)} of losses "
            f"in {months} months",
            f"{capital(plain(scenario.name))}: ARR from {month(start(runs, name))} to {month(days[months - 1])}. Bars "
            f"are means, which add up; whiskers are central 90 %\nintervals of each flow over {spread_of(runs)}."
            + (f" The axis starts at {tick(bottom, scenario.currency)}." if bottom else ""),
        )
    return ax


def _bar(
    ax: Axes, x: int, base: float, height: float, colour: str, text: str, whisker: tuple[float, float] | None = None
) -> None:
    ax.bar(x, height, bottom=base, width=0.64, color=colour, alpha=0.85)
    top = max(base, base + height)
    if whisker:
        ax.plot([x, x], whisker, color=INK, linewidth=1.2)
        for end in whisker:
            ax.plot([x - 0.07, x + 0.07], [end, end], color=INK, linewidth=1.2)
        top = max(top, *whisker)
    ax.annotate(text, (x, top), (0, 5), textcoords="offset points", ha="center", fontsize=9, fontweight="bold")


def _zoom(ax: Axes, opening: float, closing: float, flows: dict[str, Floats]) -> float:
    """Cut the axis below the smallest level, so that flows are seen; gives where it starts, for the subtitle."""
    highest = max(opening + sum(np.quantile(flows[metric], 0.95) for metric in GAINS), closing)
    lowest = min(opening, closing, *(opening - np.quantile(flows[metric], 0.95) for metric in LOSSES))
    room = highest - lowest
    bottom = 0.0
    if room > 0:
        step = 10.0 ** np.floor(np.log10(room)) / 2
        bottom = float(max(0.0, np.floor((lowest - 0.9 * room) / step) * step))
    ax.set_ylim(bottom, highest + 0.12 * (highest - bottom) or 1.0)
    return bottom
