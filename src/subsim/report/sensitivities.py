"""What moves a forecast: shares of variance by number, assumed and calibrated apart."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from subsim.report.sensitivity_words import label, metric_name, shown
from subsim.report.style import BLUE, GREY, INK, PALE, VERMILLION, axes, headline, styled
from subsim.report.words import capital, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.sensitivity import Sensitivity

_LETTERS = 55  # what fits beside the bars


def sensitivity(found: Sensitivity, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Share of the variance that each of the largest numbers explains alone, with 90 % intervals."""
    rows = found.table.head(top).to_dict("records")
    with styled():
        ax = axes(ax, left=0.43, right=0.78, top=0.75, bottom=0.1)
        for y, row in enumerate(rows):
            colour = VERMILLION if row["rests_on"] == "assumed" else BLUE
            ax.barh(
                y, max(0.0, row["first_order"]), color=colour, alpha=0.85 if row["stands_out"] else 0.3, height=0.66
            )
            ax.plot([max(0.0, row["low"]), max(0.0, row["high"])], [y, y], color=INK, linewidth=1)
            if not isnan(row["total"]):
                ax.plot(row["total"], y, "o", color=INK, markersize=5, markerfacecolor="white")
            beside: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            text = f"{shown(found, row['at_low'])} | {shown(found, row['at_high'])}"
            ax.annotate(text, (1, y), (10, 0), va="center", fontsize=8, color=INK, annotation_clip=False, **beside)
        ax.axvline(found.noise, color=GREY, linewidth=1, linestyle=(0, (3, 3)))
        ax.set_yticks(range(len(rows)), [label(row, _LETTERS) for row in rows], fontsize=8)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xlim(left=0)
        ax.tick_params(axis="y", length=0)
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
        ax.grid(axis="x", color=PALE, linewidth=0.6, alpha=0.7)
        ax.set_axisbelow(True)
        ax.spines["left"].set_visible(False)
        above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8.5}
        ax.annotate("lowest | highest fifth", (1, 1), (10, 4), color=GREY, annotation_clip=False, **above)
        ax.annotate("■ assumed", (0, 1), (0, 4), color=VERMILLION, fontweight="bold", **above)
        ax.annotate("■ calibrated or declared", (0, 1), (64, 4), color=BLUE, fontweight="bold", **above)
        headline(ax, _finding(found, rows), _subtitle(found, rows))
    return ax


def _finding(found: Sensitivity, rows: list[Any]) -> str:
    first = rows[0]
    if not first["stands_out"]:
        return f"No single number moves {metric_name(found)} beyond what chance would show"
    name = label(first)
    return f"{name} moves {metric_name(found)} most"


def _subtitle(found: Sensitivity, rows: list[Any]) -> str:
    of = plain(found.scenario) if found.base is None else f"{plain(found.scenario)} less {plain(found.base)}"
    total = " Circles: total effect." if any(not isnan(row["total"]) for row in rows) else ""
    return (
        f"{capital(metric_name(found))} of {of} after {found.horizon_months} months: share of the variance that each "
        "number\n"
        f"explains alone, {found.runs.draws} draws. Lines: 90 % intervals. Dashed: what numbers without effect reach.\n"
        f"Right: mean where the number is low and where it is high.{total}"
    )
