"""Fan charts of ARR: one scenario with its bands, or several plans side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from subsim.experiment.contrast import p_better, verdict_of
from subsim.experiment.quantiles import interval
from subsim.experiment.results import month_ends
from subsim.report.style import (
    BLUE,
    INK,
    SERIES,
    axes,
    headline,
    money_axis,
    month_axis,
    room,
    spread,
    styled,
)
from subsim.report.words import capital, money, month, plain

if TYPE_CHECKING:
    from subsim.experiment.results import Runs

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

BANDS: Final = ((0.05, 0.95, 0.18), (0.10, 0.90, 0.22), (0.25, 0.75, 0.30))


def fan(runs: Runs, name: str | None = None, *, ax: Axes | None = None) -> Axes:
    """ARR by month: median and central 50, 80 and 90 % bands, from the opening ARR."""
    scenario = runs.outcome(name).scenario
    days, draws = _arr_from_opening(runs, name)
    low, median, high = np.quantile(draws[:, -1], [0.05, 0.5, 0.95])
    with styled():
        ax = axes(ax, right=0.82)
        for lower, upper, alpha in BANDS:
            ax.fill_between(days, *np.quantile(draws, [lower, upper], axis=0), color=BLUE, alpha=alpha, linewidth=0)
        ax.plot(days, np.quantile(draws, 0.5, axis=0), color=BLUE, linewidth=2)
        ax.plot(days[0], draws[0, 0], "o", color=INK, markersize=5, clip_on=False, zorder=5)
        up = bool(median >= draws[0, 0])
        ax.margins(x=0, y=0.12)
        ax.annotate(
            f"{money(draws[0, 0], scenario.currency)} at the start",
            (days[0], draws[0, 0]),
            (6, -13 if up else 8),
            textcoords="offset points",
            fontsize=8.5,
        )
        quantiles = np.quantile(draws[:, -1], [0.05, 0.25, 0.5, 0.75, 0.95])
        texts = ("5 %", "25 %", "median", "75 %", "95 %")
        _labels_at_end(
            ax,
            days[-1],
            [
                (value, f"{money(value, scenario.currency)}  {text}", BLUE, text == "median")
                for value, text in zip(quantiles, texts, strict=True)
            ],
        )
        money_axis(ax, scenario.currency)
        month_axis(ax, len(days) - 1)
        headline(
            ax,
            f"ARR goes from {money(draws[0, 0], scenario.currency)} to {money(median, scenario.currency)} "
            f"by {month(days[-1])}",
            f"{capital(plain(scenario.name))}: ARR in force at month end; 90 % interval at the end "
            f"{money(low, scenario.currency)} to {money(high, scenario.currency)}.\n"
            f"Bands hold the central 50, 80 and 90 % of {spread_of(runs)}.",
        )
    return ax


def plans_fan(runs: Runs, names: Sequence[str] | None = None, *, ax: Axes | None = None) -> Axes:
    """ARR of several plans: medians with central 80 % bands, labelled at the end."""
    names = tuple(names or runs.names)
    currency = runs.outcome(names[0]).scenario.currency
    ends: list[tuple[float, str, str, bool]] = []
    with styled():
        ax = axes(ax, right=1 - room((f"$00.0M  {plain(name)}" for name in names), least=0.2, letter=0.0102))
        for i, name in enumerate(names):
            colour = SERIES[i % len(SERIES)]
            days, draws = _arr_from_opening(runs, name)
            low, median, high = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
            ax.fill_between(days, low, high, color=colour, alpha=0.12 if len(names) < 4 else 0.07, linewidth=0)
            ax.plot(days, median, color=colour, linewidth=2, linestyle="--" if i == 0 else "-")
            ends.append((float(median[-1]), f"{money(median[-1], currency)}  {plain(name)}", colour, i > 0))
        days = _arr_from_opening(runs, names[0])[0]
        _labels_at_end(ax, days[-1], ends)
        money_axis(ax, currency)
        month_axis(ax, len(days) - 1)
        ax.margins(x=0)
        headline(
            ax,
            _plans_finding(runs, names, month(days[-1])),
            f"Median ARR by plan, with bands that hold the central 80 % of {spread_of(runs)}.\n"
            "Bands overlap because all plans share the same uncertainty; the title compares draw by draw.",
        )
    return ax


def _plans_finding(runs: Runs, names: Sequence[str], when: str) -> str:
    """Which plan gains most over the first one, by the median of paired differences, and whether the draws can tell."""
    base, *others = names
    ends = {name: runs.samples(name, "arr")[:, -1] for name in names}
    gains = {name: float(np.median(ends[name] - ends[base])) for name in others or names}
    best = max(gains, key=gains.__getitem__)
    if gains[best] <= 0:
        return f"No plan ends above {plain(base)} in {when}"
    more = money(gains[best], runs.outcome(base).scenario.currency)
    if verdict_of(p_better(ends[best] - ends[base], "higher")) == "better":
        return f"{capital(plain(best))}: {more} more ARR than {plain(base)} in {when}"
    return f"No plan is clearly above {plain(base)} in {when}: {more} more ARR at most"


def _arr_from_opening(runs: Runs, name: str | None) -> tuple[Days, Floats]:
    """Days and draws of ARR, with the opening as first column."""
    arr = runs.samples(name, "arr")
    opening = np.full((len(arr), 1), runs.opening_arr(name))
    days = np.concatenate([[start(runs, name)], month_ends(runs.outcome(name).setup)])
    return days, np.concatenate([opening, arr], axis=1)


def start(runs: Runs, name: str | None) -> np.datetime64:
    """Day on which the scenario begins."""
    return np.datetime64(runs.outcome(name).scenario.start, "s")


def spread_of(runs: Runs) -> str:
    """What the intervals spread over, in words."""
    kind = interval(runs.fixed_parameters)["kind"].split(" draws of ")[-1]
    return f"{runs.draws} draws of {kind}"


def _labels_at_end(ax: Axes, day: np.datetime64, labels: list[tuple[float, str, str, bool]]) -> None:
    """Labels right of the last day, moved apart vertically so that none covers another."""
    low, high = ax.get_ylim()
    gap = (high - low) * 0.052
    for (_, text, colour, is_bold), y in zip(labels, spread([label[0] for label in labels], gap), strict=True):
        ax.annotate(
            text,
            (day, y),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colour,
            fontweight="bold" if is_bold else "normal",
            annotation_clip=False,
        )
