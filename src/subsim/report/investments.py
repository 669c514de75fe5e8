"""Investments in time to value: what each may cost once, its price, and the days that it saves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from subsim.experiment.contrast import GROSS_MARGIN
from subsim.report.style import BLUE, GREY, INK, VERMILLION, axes, headline, money_axis, room, styled
from subsim.report.words import capital, chance, money, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.time_to_value import TimeToValue

_BEHIND: Any = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}  # numbers over the line at zero


def investments(found: TimeToValue, *, ax: Axes | None = None) -> Axes:
    """What each investment may cost once at the longest horizon, with central 50 and 90 % intervals and its price."""
    names = [each.name for each in found.investments]
    rows = [found.cost_row(name) for name in names]
    with styled():
        ax = axes(ax, left=room((plain(name) for name in names), least=0.2), right=0.72, top=0.71)
        for y, row in enumerate(rows):
            _bar(ax, y, row, found.currency)
            beside: dict[str, Any] = {
                "xycoords": ("axes fraction", "data"),
                "textcoords": "offset points",
                "annotation_clip": False,
                "va": "center",
                "ha": "center",
                "fontsize": 10,
            }
            ax.annotate(f"{row['days_saved']:.1f}", (1, y), (30, 0), **beside)
            ax.annotate(chance(row["p_pays"]), (1, y), (108, 0), **beside)
        above: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "annotation_clip": False,
            "fontsize": 8.5,
        }
        ax.annotate("days saved", (1, 1), (30, 4), color=GREY, ha="center", **above)
        ax.annotate("P(pays)", (1, 1), (108, 4), color=GREY, ha="center", **above)
        ax.annotate("● net value", (0, 1), (0, 4), color=BLUE, fontweight="bold", **above)
        if any(each.one_off for each in found.investments):
            ax.annotate("◆ price, once", (0, 1), (76, 4), color=VERMILLION, fontweight="bold", **above)
        ax.axvline(0, color=INK, linewidth=1)
        ax.margins(x=0.18)
        ax.set_yticks(range(len(names)), [capital(plain(name)) for name in names])
        ax.set_ylim(len(names) - 0.5, -0.6)
        ax.tick_params(axis="y", length=0)
        money_axis(ax, found.currency, axis="x", sign=True)
        ax.spines["left"].set_visible(False)
        headline(ax, _finding(found), _subtitle(found))
    return ax


def _bar(ax: Axes, y: int, row: Any, currency: str) -> None:
    ax.plot([row["q05"], row["q95"]], [y, y], color=BLUE, linewidth=2, alpha=0.55, solid_capstyle="butt")
    ax.plot([row["q25"], row["q75"]], [y, y], color=BLUE, linewidth=5, alpha=0.75, solid_capstyle="butt")
    ax.plot(row["mean"], y, "o", color=BLUE, markersize=6, markeredgecolor="white")
    ax.annotate(
        money(row["mean"], currency, sign=True),
        (row["mean"], y),
        (0, 8),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
        color=BLUE,
        bbox=_BEHIND,
    )
    if row["one_off"]:
        ax.plot(row["one_off"], y, "D", color=VERMILLION, markersize=5, markeredgecolor="white", zorder=4)
        ax.annotate(
            money(row["one_off"], currency),
            (row["one_off"], y),
            (0, -9),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8.5,
            color=VERMILLION,
            bbox=_BEHIND,
        )


def _finding(found: TimeToValue) -> str:
    best = max(found.investments, key=lambda each: float(found.cost_row(each.name)["mean"]) - each.one_off)
    row = found.cost_row(best.name)
    name = capital(plain(best.name))
    if row["mean"] - best.one_off <= 0:
        return f"No investment in time to value pays within {row['horizon_months']} months"
    days = f"saves {row['days_saved']:.1f} days"
    if best.one_off:
        return f"{name} {days} and is worth {money(row['mean'], found.currency)}, more than its price"
    return f"{name} {days} and may cost up to {money(row['mean'], found.currency)}"


def _subtitle(found: TimeToValue) -> str:
    months = int(found.cost_row(found.investments[0].name)["horizon_months"])
    spread = found.table.attrs["interval"]["kind"].split(" draws of ")[-1]
    return (
        f"Net value against {plain(found.base)} in {months} months, before the one-off price: "
        f"{percent(GROSS_MARGIN)} margin (assumed) on ARR\nless cost of customer success and yearly cost. Dots are "
        f"means, bars central 50 and 90 % intervals\nover {found.runs.draws} paired draws of {spread}. Days: "
        "signature to first value, mean."
    )
