"""The coverage lab's picture: what each way of coverage changes for the same money, and what it leaves uncovered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes

from subsim.experiment.contrast import GROSS_MARGIN
from subsim.report.prose_staffing import segment_title
from subsim.report.style import BLUE, GREEN, GREY, INK, axes, headline, money_axis, room, styled
from subsim.report.words import capital, chance, money, percent

if TYPE_CHECKING:
    from subsim.staffing.coverage import Coverage

_KINDS = (("arr_change", BLUE, "ARR", -0.16), ("net_change", GREEN, "net value", 0.16))
_COLUMNS = ("cost a year", "per CSM", "uncovered", "P(pays)")
_FIRST, _STEP = 34, 50  # points to the first column of numbers, and between columns
_LONGEST = 34  # letters of a plan's title on a slide


def coverage_lab(found: Coverage, *, ax: Axes | None = None) -> Axes:
    """Plans against today's: differences of ARR and net value with 90 % intervals; cost, ratio and gaps beside."""
    rows = found.plans
    titles = [_short(capital(title)) for title in rows["title"]]
    with styled():
        ax = axes(ax, left=room(titles, least=0.18, letter=0.0102), right=0.62, top=0.71, bottom=0.1)
        for place, row in enumerate(rows.to_dict("records")):
            if place:
                for metric, colour, _, offset in _KINDS:
                    y = place + offset
                    ax.plot([row[f"{metric}_q05"], row[f"{metric}_q95"]], [y, y], color=colour, linewidth=3, alpha=0.5)
                    ax.plot(row[metric], y, "o", color=colour, markersize=5, markeredgecolor="white")
            _numbers(ax, found, place, row)
        ax.axvline(0, color=INK, linewidth=1)
        ax.set_yticks(range(len(rows)), titles)
        for label, best in zip(ax.get_yticklabels(), rows["best"], strict=True):
            label.set_fontweight("bold" if best else "normal")
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.margins(x=0.06)
        money_axis(ax, found.scenario.currency, axis="x", sign=True)
        ax.spines["left"].set_visible(False)
        _heads(ax)
        headline(ax, _finding(found), _subtitle(found))
    return ax


def _short(title: str) -> str:
    return title if len(title) <= _LONGEST else title[: _LONGEST - 1].rstrip(" ,") + "…"


def _heads(ax: Axes) -> None:
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    for i, head in enumerate(_COLUMNS):
        ax.annotate(head, (1, 1), (_FIRST + _STEP * i, 4), ha="center", fontsize=8, color=GREY, **above)
    for (_, colour, label, _), shift in zip(_KINDS, (0, 48), strict=True):
        ax.annotate(f"● {label}", (0, 1), (shift, 4), color=colour, fontweight="bold", **above)


def _numbers(ax: Axes, found: Coverage, place: int, row: Any) -> None:
    currency = found.scenario.currency
    ratio = row["accounts_per_csm"]
    texts = (
        money(row["cost_a_year"], currency),
        ("digital" if row["served_by"] == "campaigns" else "nobody") if pd.isna(ratio) else f"{ratio:.0f}",
        money(row["uncovered_arr"], currency),
        chance(row["p_pays"]) if place else "",
    )
    beside: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    for i, text in enumerate(texts):
        unequal = i == 0 and not row["equal_budget"]
        where = (_FIRST + _STEP * i, 0)
        style = "italic" if unequal else "normal"
        ax.annotate(text, (1, place), where, ha="center", va="center", fontsize=9, fontstyle=style, **beside)


def _finding(found: Coverage) -> str:
    segment = segment_title(found)
    titles = dict(zip(found.plans["plan"], found.plans["title"], strict=True))
    if len(found.best) == 1:
        title = titles[found.best[0]]
        return f"{segment}: {title[:1].lower() + title[1:]} has the highest net value"
    if len(found.best) == len(found.plans):
        return f"{segment}: these draws tell no way of coverage from another"
    return f"{segment}: {len(found.best)} of {len(found.plans)} ways of coverage cannot be told apart"


def _subtitle(found: Coverage) -> str:
    unequal = int((~found.plans["equal_budget"]).sum())
    equal = f"Same budget within a seat ({money(found.budget, found.scenario.currency)} a year)"
    equal += f", but for {unequal} in italics." if unequal else "."
    return (
        f"Change against today after {found.horizon_months} months: means and central 90 % intervals over "
        f"{found.runs.draws} paired draws.\n{equal} Bold: highest net value, or not to be told from it.\n"
        "Per CSM: accounts. Uncovered: ARR whose touches are dropped. "
        f"Gross margin ({percent(GROSS_MARGIN)}) and effects of touches are assumed."
    )
