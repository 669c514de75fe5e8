"""Named against pooled: the difference of ARR by load, and where it changes sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from subsim.report.style import BLUE, GREY, INK, VERMILLION, axes, headline, money_axis, styled
from subsim.report.words import capital, percent, plain

if TYPE_CHECKING:
    from subsim.staffing.pooling import Pooling


def pooling(found: Pooling, *, ax: Axes | None = None) -> Axes:
    """Paired difference of ARR, pooled minus named, by utilisation, with central 50 and 90 % intervals and waits."""
    rows = found.table.sort_values("seats", kind="stable")
    place = range(len(rows))
    with styled():
        ax = axes(ax, left=0.13, right=0.95, top=0.74, bottom=0.22)
        for low, high, alpha in (("q05", "q95", 0.14), ("q25", "q75", 0.26)):
            ax.fill_between(
                place, rows[low].astype(float), rows[high].astype(float), color=BLUE, alpha=alpha, linewidth=0
            )
        ax.plot(place, rows["mean"].astype(float), color=BLUE, linewidth=2, marker="o", markersize=5)
        ax.axhline(0, color=INK, linewidth=0.8)
        if found.tells_apart and found.crossover is not None:
            load = rows["utilisation"].astype(float).to_numpy()
            at = float(np.interp(found.crossover, load[::-1], list(place)[::-1]))
            ax.axvline(at, color=VERMILLION, linewidth=1.2, linestyle=(0, (3, 3)))
            text = f"crossover at {percent(found.crossover)} load"
            where = (at, ax.get_ylim()[1])
            ax.annotate(text, where, (4, -4), textcoords="offset points", va="top", color=VERMILLION, fontsize=8.5)
        ax.set_xticks(place, [_label(row) for row in rows.to_dict("records")])
        ax.tick_params(axis="x", labelsize=8)
        beside: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
        ax.annotate(
            "seats\nload (named)\nwait named | pool", (0, 0), (-70, -6), va="top", fontsize=7.5, color=GREY, **beside
        )
        money_axis(ax, found.currency, sign=True)
        headline(ax, _finding(found), _subtitle(found))
    return ax


def _label(row: Any) -> str:
    return f"{row['seats']:.0f}\n{percent(row['utilisation'])}\n{row['wait_named']:.1f} | {row['wait_pooled']:.1f} d"


def _finding(found: Pooling) -> str:
    tier = capital(plain(found.tier))
    if not found.tells_apart:
        return f"{tier}: a pool and named seats cannot be told apart"
    if found.crossover is not None:
        return f"{tier}: a pool is better from about {percent(found.crossover)} load on"
    better = "a pool" if float(found.table["mean"].mean()) > 0 else "named seats"
    return f"{tier}: {better} did better at every size tried"


def _subtitle(found: Pooling) -> str:
    return (
        f"ARR after {found.horizon_months} months, pooled minus named, {found.runs.draws} paired draws; "
        "line is the mean,\n"
        "bands central 50 and 90 % intervals. A pool waits less; a person who knows the account lifts more (assumed)."
    )
