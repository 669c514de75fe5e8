"""The response curve: what ARR and value do as a team grows, against today's size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from subsim.experiment.contrast import GROSS_MARGIN
from subsim.report.style import BLUE, GREEN, GREY, INK, axes, headline, money_axis, styled
from subsim.report.words import listed, money, percent, plain

if TYPE_CHECKING:
    from subsim.staffing.staff import Staffing, TeamStaffing

_SHOWN = (("arr", BLUE, "ARR in force"), ("net_value", GREEN, "net value so far"))


def response(staffing: Staffing, one: TeamStaffing, *, ax: Axes | None = None) -> Axes:
    """ARR and net value by seats, as paired differences to today's count, with central 50 and 90 % intervals.

    Counts that keep the limits and that fresh draws could not tell apart are marked on the axis.
    """
    found = one.response
    horizon = one.choice.horizon_months
    base = min(range(len(found.seats)), key=lambda i: (abs(found.seats[i] - one.today), i))
    with styled():
        ax = axes(ax, left=0.1, right=0.8, top=0.72, bottom=0.13)
        ends = []
        for metric, colour, label in _SHOWN:
            values = found.draws(metric, horizon)
            change = values - values[base]
            q05, q25, q50, q75, q95 = np.quantile(change, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
            ax.fill_between(found.seats, q05, q95, color=colour, alpha=0.12, linewidth=0)
            ax.fill_between(found.seats, q25, q75, color=colour, alpha=0.22, linewidth=0)
            ax.plot(found.seats, q50, color=colour, linewidth=2, marker="o", markersize=4)
            ends.append((float(q50[-1]), colour, label))
        _labels(ax, ends, found.seats[-1])
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.axvline(found.seats[base], color=GREY, linewidth=0.8, linestyle=(0, (3, 3)))
        low = ax.get_ylim()[0]
        ax.annotate(
            "today", (found.seats[base], low), (4, 4), textcoords="offset points", fontsize=8, color=GREY, va="bottom"
        )
        if one.choice.best:
            ax.plot(one.choice.best, [low] * len(one.choice.best), "^", color=GREEN, markersize=9, clip_on=False)
        ax.set_ylim(bottom=low)
        ax.xaxis.set_major_locator(FixedLocator(list(found.seats)))
        ax.set_xlabel(f"seats: {_title(staffing, one)}")
        money_axis(ax, staffing.scenario.currency, sign=True)
        headline(ax, _finding(staffing, one), _subtitle(staffing, one, horizon))
    return ax


def _labels(ax: Axes, ends: list[tuple[float, str, str]], last: int) -> None:
    """Names at the right end of their curves, apart if the curves meet."""
    low, high = ax.get_ylim()
    gap = 0.07 * (high - low)
    where = [end for end, _, _ in ends]
    if abs(where[0] - where[1]) < gap:
        middle = sum(where) / 2
        where = [middle + gap / 2, middle - gap / 2] if where[0] >= where[1] else [middle - gap / 2, middle + gap / 2]
    beside: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False, "va": "center"}
    for y, (_, colour, label) in zip(where, ends, strict=True):
        ax.annotate(label, (last, y), (16, 0), color=colour, fontweight="bold", **beside)


def _title(staffing: Staffing, one: TeamStaffing) -> str:
    team = one.response.team
    return plain(staffing.scenario.teams[team].title or team)


def _finding(staffing: Staffing, one: TeamStaffing) -> str:
    best = sorted(one.choice.best)
    title = _title(staffing, one)
    if not best:
        return f"{title}: no number of seats keeps the limits"
    if len(best) == 1:
        return f"{title}: {best[0]} seats are worth most, today {one.today}"
    return f"{title}: {listed([str(count) for count in best])} seats are worth about the same"


def _subtitle(staffing: Staffing, one: TeamStaffing, horizon: int) -> str:
    lines = [
        f"Change against {one.today} seats after {horizon} months; lines are medians, bands central 50 and 90 % "
        f"intervals over {staffing.draws} paired draws.",
        f"Net value: gross margin on ARR (assumed {percent(GROSS_MARGIN)}) less cost of customer success, added up.",
    ]
    if one.choice.best:
        top = one.choice.best[0]
        expected = dict(zip(one.choice.table["seats"], one.choice.table["expected"].astype(float), strict=True))
        value = money(expected[top], staffing.scenario.currency)
        lines[1] += " Triangles: counts to choose from."
        lines.append(f"With {top} seats it is expected to be {value}.")
    return "\n".join(lines)
