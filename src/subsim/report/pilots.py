"""Pilots by size and length: what each is worth after its cost and the wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from subsim.report.style import BLUE, GREEN, GREY, INK, PURPLE, VERMILLION, axes, headline, money_axis, spread, styled
from subsim.report.words import capital, money, plain

if TYPE_CHECKING:
    from subsim.experiment.pilot_design import PilotDesign

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE)


def pilots(design: PilotDesign, *, ax: Axes | None = None) -> Axes:
    """Net benefit of a pilot (worth of its information less cost and wait) by accounts, a line for each length."""
    lengths = sorted(set(design.table["months"]))
    with styled():
        ax = axes(ax, right=0.84, top=0.72, bottom=0.15)
        ends = []
        for i, length in enumerate(lengths):
            rows = design.table[design.table["months"] == length].sort_values("accounts")
            colour = _COLOURS[i % len(_COLOURS)]
            ax.plot(rows["accounts"], rows["net_benefit"], color=colour, linewidth=2, marker="o", markersize=6)
            blank = rows[rows["p_learns"] == 0]
            ax.plot(blank["accounts"], blank["net_benefit"], "o", color=colour, markersize=6, markerfacecolor="white")
            ends.append((float(rows["net_benefit"].iloc[-1]), colour, f"{length} months"))
        ax.axhline(0, color=INK, linewidth=1)
        chosen = design.smallest
        if chosen is not None:
            ax.plot(chosen["accounts"], chosen["net_benefit"], "o", color=INK, markersize=13, fillstyle="none")
        ax.margins(x=0.06, y=0.15)
        low, high = ax.get_ylim()
        last = int(design.table["accounts"].max())
        for (_, colour, label), y in zip(ends, spread([end[0] for end in ends], 0.06 * (high - low)), strict=True):
            ax.annotate(
                label,
                (last, y),
                (12, 0),
                textcoords="offset points",
                va="center",
                color=colour,
                fontweight="bold",
                annotation_clip=False,
            )
        ax.set_xticks(sorted(set(design.table["accounts"])))
        ax.set_xlabel("accounts in the pilot, half of them treated", color=GREY)
        money_axis(ax, design.currency, sign=True)
        headline(ax, _finding(design), _subtitle(design))
    return ax


def _finding(design: PilotDesign) -> str:
    chosen = design.smallest
    if chosen is None:
        return "No pilot is worth its cost: decide now"
    net = money(chosen["net_benefit"], design.currency)
    return f"{chosen['accounts']:.0f} accounts for {chosen['months']:.0f} months are enough: a pilot worth {net}"


def _subtitle(design: PilotDesign) -> str:
    circle = "" if design.smallest is None else " Circle: the smallest worth it."
    blank = " Hollow: would teach nothing." if (design.table["p_learns"] == 0).any() else ""
    name, touch = capital(plain(design.plan)), plain(design.touch)
    return (
        f"{name}: what a pilot of the {touch} teaches, less its cost and the wait,\n"
        f"in net value over {design.horizon_months} months. Means under what is believed of the lift "
        f"({design.belief.mean:.2f}, standard deviation {design.belief.sd:.2f}).\nKnowing it exactly, today, would be "
        f"worth {money(design.evppi, design.currency)}.{circle}{blank}"
    )
