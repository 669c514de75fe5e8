"""Pictures of single answers: drivers, value of information, variance, the effect that is needed, dates of hiring."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from subsim.report.style import BLUE, GREEN, GREY, INK, PALE, VERMILLION, axes, headline, money_axis, room, styled
from subsim.report.words import capital, chance, money, percent, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subsim.experiment.attribution import Attribution
    from subsim.experiment.information import Information
    from subsim.experiment.needed_effect import NeededEffect
    from subsim.experiment.variance import VarianceSplit
    from subsim.staffing.hiring import HiringPlan

_LETTERS = 36  # on each of at most two lines

_BEHIND: Any = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}  # numbers over the line at zero


def drivers(found: Attribution, *, metric: str = "arr", ax: Axes | None = None) -> Axes:
    """What each change alone gives, and the interaction, as bars that add up to the difference; at the last horizon."""
    months = int(found.table["horizon_months"].max())
    rows = found.table[(found.table["metric"] == metric) & (found.table["horizon_months"] == months)]
    currency = str(found.table.attrs["currency"])
    names = [_short(name) for name in rows["driver"]]
    with styled():
        ax = axes(ax, left=_room(names), right=0.95, top=0.77, bottom=0.1)
        level = 0.0
        for y, row in enumerate(rows.to_dict("records")):
            mean = float(row["mean"])
            is_total = y == len(rows) - 1
            begin = 0.0 if is_total else level
            colour = GREY if is_total else BLUE if mean >= 0 else VERMILLION
            ax.barh(y, mean, left=begin, color=colour, alpha=0.85, height=0.62)
            ends = (begin + float(row["q05"]), begin + float(row["q95"]))
            ax.plot(ends, (y, y), color=INK, linewidth=1)
            place = max(begin, begin + mean, *ends)
            ax.annotate(money(mean, currency, sign=True), (place, y), (5, 0), **_beside(), bbox=_BEHIND)
            if not is_total:
                level += mean
                ax.plot((level, level), (y - 0.31, y + 1.31), color=GREY, linewidth=0.7)
        _rows(ax, names)
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.margins(x=0.16)
        money_axis(ax, currency, axis="x", sign=True)
        whole = float(rows["mean"].iloc[-1])
        what = {"arr": "ARR", "cs_cost": "cost of CS", "net_value": "net value"}.get(metric, plain(metric))
        headline(
            ax,
            f"{capital(plain(found.scenario))}: {what} {money(whole, currency, sign=True)} after {months} months",
            f"Each change of the plan alone against {plain(found.base)}, and what they give by acting together;\n"
            f"the bars add up. Lines: central 90 % intervals over {found.runs.draws} paired draws.",
        )
    return ax


def information(found: Information, *, top: int = 10, ax: Axes | None = None) -> Axes:
    """What knowing each number would be worth for the choice, beside what knowing everything would be."""
    rows = found.table[found.table["evppi"] > 0].head(top).to_dict("records")
    names = ["Everything, luck included", *(_short(_number(row)) for row in rows)]
    values = [found.evpi, *(float(row["evppi"]) for row in rows)]
    with styled():
        ax = axes(ax, left=_room(names), right=0.93, top=0.77, bottom=0.1)
        colours = [GREY, *(VERMILLION if row["label"] == "assumed" else BLUE for row in rows)]
        ax.barh(range(len(names)), values, color=colours, alpha=0.85, height=0.62)
        for y, value in enumerate(values):
            ax.annotate(money(value, found.currency), (value, y), (5, 0), **_beside())
        _rows(ax, names)
        ax.margins(x=0.12)
        money_axis(ax, found.currency, axis="x")
        if max(values) <= 0:
            ax.set_xticks([])
        above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8.5}
        ax.annotate("■ assumed", (0, 1), (0, 4), color=VERMILLION, fontweight="bold", **above)
        ax.annotate("■ can be calibrated", (0, 1), (64, 4), color=BLUE, fontweight="bold", **above)
        finding = (
            f"Knowing {names[1][:1].lower() + names[1][1:]} is worth most"
            if rows
            else "No single number, known better, would change the choice"
        )
        headline(
            ax,
            finding,
            f"{capital(plain(found.best))} is best in expectation. Bars: how much more net value the choice would\n"
            "bring if one number were known before it is made (EVPPI); the first: if all the future were (EVPI).",
        )
    return ax


def variance(found: VarianceSplit, *, ax: Axes | None = None) -> Axes:
    """How much of the variance of each metric comes from parameters and how much from chance, by horizon."""
    rows = found.table.to_dict("records")
    titles = {"arr": "ARR", "grr_ttm": "GRR", "nrr_ttm": "NRR", "net_value": "Net value"}
    names = [f"{titles.get(row['metric'], row['metric'])}, {row['horizon_months']} months" for row in rows]
    shares = np.array([float(row["parameter_share"]) for row in rows])
    with styled():
        ax = axes(ax, left=room(names, least=0.2), right=0.95, top=0.77, bottom=0.1)
        places = np.arange(len(rows))
        ax.barh(places, shares, color=VERMILLION, alpha=0.85, height=0.66)
        ax.barh(places, 1 - shares, left=shares, color=PALE, height=0.66)
        for y, share in enumerate(shares.tolist()):
            if not np.isnan(share):
                ax.annotate(percent(share), (share, y), (4, 0), **_beside())
        _rows(ax, names)
        ax.set_xlim(0, 1)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
        above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8.5}
        ax.annotate("■ numbers nobody knows better", (0, 1), (0, 4), color=VERMILLION, fontweight="bold", **above)
        ax.annotate("■ chance", (0, 1), (168, 4), color=GREY, fontweight="bold", **above)
        last = next((row for row in reversed(rows) if row["metric"] == "arr"), rows[-1])
        of = plain(found.scenario) if found.base is None else f"{plain(found.scenario)} less {plain(found.base)}"
        headline(
            ax,
            f"{percent(float(last['parameter_share']))} of what is uncertain about ARR could be learned",
            f"{capital(of)}: share of the variance that comes from parameters; the rest is luck, which no data remove.",
        )
    return ax


def needed(found: NeededEffect, *, ax: Axes | None = None) -> Axes:
    """The gain of a decision by the size of an effect, with central 90 % intervals, and where it breaks even."""
    rows = found.table
    what = f"{found.parameter}{f' of {plain(found.of)}' if found.of else ''}"
    with styled():
        ax = axes(ax, left=0.12, right=0.95, top=0.77, bottom=0.16)
        x = rows["effect"].astype(float)
        ax.fill_between(x, rows["q05"].astype(float), rows["q95"].astype(float), color=BLUE, alpha=0.16, linewidth=0)
        ax.plot(x, rows["mean"].astype(float), color=BLUE, linewidth=2, marker="o", markersize=4)
        ax.axhline(0, color=INK, linewidth=0.8)
        marks = [(found.believed, GREY, "believed", 12)]
        if found.value is not None:
            marks.append((found.value, VERMILLION, f"needed: {found.value:.2f}", 0))
        top = ax.get_ylim()[1]
        for at, colour, text, down in marks:
            ax.axvline(at, color=colour, linewidth=1.2, linestyle=(0, (3, 3)))
            place: dict[str, Any] = {"textcoords": "offset points", "va": "top", "fontsize": 8.5, "color": colour}
            ax.annotate(text, (at, top), (4, -4 - down), **place)
        ax.set_xlabel(what, color=GREY)
        ax.margins(x=0.03)
        if found.metric in ("arr", "net_value", "churn", "cs_cost"):
            money_axis(ax, found.currency, sign=True)
        reached = "" if found.p_reached is None else f", which is so with chance {chance(found.p_reached)}"
        finding = (
            f"The decision has one sign for every {what} tried"
            if found.value is None
            else f"It pays if {what} is {'above' if found.rising else 'below'} {found.value:.2f}{reached}"
        )
        headline(
            ax,
            finding,
            f"Gain in {plain(found.metric)} after {found.horizon_months} months by the size of the effect: mean, "
            "and central 90 % interval over paired draws.",
        )
    return ax


def hires(found: HiringPlan, *, ax: Axes | None = None) -> Axes:
    """Net value of each start date against not hiring, with central intervals and the last day to approve."""
    months = int(found.table["horizon_months"].max())
    rows = found.table[(found.table["metric"] == "net_value") & (found.table["horizon_months"] == months)]
    names = [str(name) for name in rows["plan"]]
    with styled():
        ax = axes(ax, left=room(names, least=0.2), right=0.68, top=0.75, bottom=0.1)
        for y, row in enumerate(rows.to_dict("records")):
            ax.plot((row["q05"], row["q95"]), (y, y), color=GREEN, linewidth=2, alpha=0.55, solid_capstyle="butt")
            ax.plot((row["q25"], row["q75"]), (y, y), color=GREEN, linewidth=5, alpha=0.75, solid_capstyle="butt")
            ax.plot(row["mean"], y, "o", color=GREEN, markersize=6, markeredgecolor="white")
            ax.annotate(
                money(row["mean"], found.currency, sign=True), (row["mean"], y), (0, 8), **_beside() | {"ha": "center"}
            )
            at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), **_beside()}
            ax.annotate(str(found.approve_by[row["plan"]]), (1, y), (14, 0), **at)
            ax.annotate(chance(row["p_better"]), (1, y), (118, 0), **at)
        above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8.5}
        above |= {"color": GREY, "annotation_clip": False}
        ax.annotate("approve by", (1, 1), (14, 4), **above)
        ax.annotate("P(pays)", (1, 1), (108, 4), **above)
        ax.axvline(0, color=INK, linewidth=1)
        _rows(ax, [capital(name) for name in names])
        ax.margins(x=0.15)
        money_axis(ax, found.currency, axis="x", sign=True)
        best = max(rows.to_dict("records"), key=lambda row: float(row["mean"]))
        title = (
            f"{capital(str(best['plan']))} brings most: {money(best['mean'], found.currency, sign=True)}"
            if best["mean"] > 0
            else f"Hiring {found.seats} does not pay within {months} months at any of these dates"
        )
        headline(
            ax,
            title,
            f"Net value of {found.seats} more for {plain(found.team)} against not hiring, after {months} months. Dots "
            f"are means,\nbars central 50 and 90 % intervals over {found.runs.draws} paired draws. Approve by: start "
            "less time to hire.",
        )
    return ax


def _rows(ax: Axes, names: Sequence[str]) -> None:
    """One row for each name, the first on top."""
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _room(names: Sequence[str]) -> float:
    """Room for the longest line."""
    return room((line for name in names for line in name.split("\n")), least=0.2)


def _beside() -> dict[str, Any]:
    return {"textcoords": "offset points", "va": "center", "fontsize": 8.5, "annotation_clip": False}


def _short(text: str) -> str:
    return capital("\n".join(textwrap.wrap(text, _LETTERS, max_lines=2, placeholder=" …")))


def _number(row: Any) -> str:
    return f"{row['parameter']}{f' of {plain(row["of"])}' if row['of'] else ''}"
