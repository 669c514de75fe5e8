"""Plans against a base: what each gains and costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from subsim.experiment.contrast import GROSS_MARGIN
from subsim.report.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    axes,
    headline,
    money_axis,
    room,
    styled,
)
from subsim.report.words import capital, chance, money, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.contrast import Contrast


def coverage(contrasts: Sequence[Contrast], *, horizon_months: int | None = None, ax: Axes | None = None) -> Axes:
    """Plans against the base: difference of ARR and of cost with central intervals, and the chance that it pays."""
    first = contrasts[0]
    horizon = int(first.row("arr", horizon_months)["horizon_months"])
    kinds = (("arr", BLUE, "ARR in force", -0.17), ("cs_cost", VERMILLION, "cost of CS", 0.17))
    with styled():
        ax = axes(ax, left=room((plain(contrast.scenario) for contrast in contrasts), least=0.2), right=0.72, top=0.73)
        for i, contrast in enumerate(contrasts):
            for metric, colour, _, offset in kinds:
                _interval_row(ax, i + offset, contrast.row(metric, horizon), colour, first.currency)
            beside: dict[str, Any] = {
                "xycoords": ("axes fraction", "data"),
                "textcoords": "offset points",
                "annotation_clip": False,
            }
            for metric, shift in (("arr", 30), ("net_value", 108)):
                better = contrast.row(metric, horizon)["p_better"]
                ax.annotate(chance(better), (1, i), (shift, 0), va="center", ha="center", fontsize=10, **beside)
        above: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "annotation_clip": False,
            "ha": "center",
        }
        ax.annotate("P(more ARR)", (1, 1), (30, 4), fontsize=8.5, color=GREY, **above)
        ax.annotate("P(pays off)", (1, 1), (108, 4), fontsize=8.5, color=GREY, **above)
        for (_, colour, label, _), shift in zip(kinds, (0, 82), strict=True):
            ax.annotate(f"● {label}", (0, 1), (shift, 4), **{**above, "ha": "left"}, color=colour, fontweight="bold")
        ax.axvline(0, color=INK, linewidth=1)
        ax.margins(x=0.3)  # room for the numbers beside the longest bars
        ax.set_yticks(range(len(contrasts)), [capital(plain(contrast.scenario)) for contrast in contrasts])
        ax.set_ylim(len(contrasts) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        money_axis(ax, first.currency, axis="x", sign=True)
        ax.spines["left"].set_visible(False)
        best = max(contrasts, key=lambda contrast: float(contrast.row("net_value", horizon)["mean"]))
        headline(ax, _coverage_finding(best, horizon), _coverage_subtitle(first, horizon))
    return ax


def _coverage_finding(best: Contrast, horizon: int) -> str:
    arr, cost, value = (best.row(metric, horizon) for metric in ("arr", "cs_cost", "net_value"))
    if value["mean"] <= 0:
        return f"No plan pays for itself within {horizon} months against {plain(best.base)}"
    return (
        f"{capital(plain(best.scenario))} nets most: ARR {money(arr['q50'], best.currency, sign=True)}, "
        f"cost {money(cost['q50'], best.currency, sign=True)}"
    )


def _coverage_subtitle(first: Contrast, horizon: int) -> str:
    spread_over = first.table.attrs["interval"]["kind"].split(" draws of ")[-1]
    return (
        f"Difference to {plain(first.base)} after {horizon} months: ARR in force, and cost of customer success "
        "added up. Dots are medians,\nbars central 50 and 90 % intervals over "
        f"{first.draws} paired draws of {spread_over}. "
        f"Pays off: {percent(GROSS_MARGIN)} margin\n(assumed) on the difference of ARR, less the difference of cost, "
        "is above zero by then."
    )


def _interval_row(ax: Axes, y: float, row: Any, colour: str, currency: str) -> None:
    ax.plot([row["q05"], row["q95"]], [y, y], color=colour, linewidth=2, alpha=0.55, solid_capstyle="butt")
    ax.plot([row["q25"], row["q75"]], [y, y], color=colour, linewidth=5, alpha=0.75, solid_capstyle="butt")
    ax.plot(row["q50"], y, "o", color=colour, markersize=6, markeredgecolor="white")
    is_below = row["q50"] < 0  # numbers stand away from the line at zero
    ax.annotate(
        money(row["q50"], currency, sign=True),
        (row["q05"] if is_below else row["q95"], y),
        (-6 if is_below else 6, 0),
        textcoords="offset points",
        ha="right" if is_below else "left",
        va="center",
        fontsize=8,
        color=colour,
    )
