"""The frontier over several teams: ARR against the yearly cost of customer success, coloured by the risk to GRR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import PercentFormatter

from subsim.report.prose_staffing import in_words, titles
from subsim.report.style import GREEN, GREY, INK, LOAD, PALE, axes, headline, money_axis, styled
from subsim.report.words import capital, listed, money, percent

if TYPE_CHECKING:
    from subsim.staffing.frontier import Frontier

# In shares of the axes: half the width of a point, the width of a letter, and where a label may stand.
_POINT = 0.012
_LETTER = 0.0115
_PLACES = (
    (0.0, 0.07, "center", "center"),
    (0.0, -0.075, "center", "center"),
    (0.022, 0.0, "left", "center"),
    (-0.022, 0.0, "right", "center"),
    (0.018, -0.06, "left", "center"),
    (-0.018, 0.06, "right", "center"),
)


def frontier(found: Frontier, *, ax: Axes | None = None) -> Axes:
    """ARR at the horizon against annual cost: judged plans by risk, the frontier's line, today ringed, seats beside."""
    rows = found.table
    own = ax is None
    with styled():
        ax = axes(ax, left=0.1, right=0.85, top=0.72, bottom=0.13)
        _tried(ax, found)
        front = rows[rows["on_arr_frontier"]].sort_values("cost_a_year")
        ax.plot(front["cost_a_year"], front["arr"], color=INK, linewidth=1.2, zorder=2)
        norm = _norm(rows)
        edge = [GREEN if best else INK for best in rows["best"]]
        width = [2.4 if best else 0.8 for best in rows["best"]]
        colours = LOAD(norm(rows["p_grr_below_floor"].fillna(0).to_numpy(dtype=float)))
        ax.scatter(rows["cost_a_year"], rows["arr"], c=colours, edgecolors=edge, linewidths=width, s=95, zorder=3)
        today = rows[rows["today"]]
        ax.scatter(
            today["cost_a_year"], today["arr"], facecolors="none", edgecolors=INK, linewidths=1.2, s=240, zorder=3
        )
        ax.margins(x=0.08, y=0.14)
        money_axis(ax, found.scenario.currency)
        money_axis(ax, found.scenario.currency, axis="x")
        ax.grid(visible=True, color=PALE, linewidth=0.6, alpha=0.7)
        ax.set_xlabel(f"cost of customer success a year; beside the points: {_order(found)}")
        _labels(ax, found, rows)
        headline(ax, _finding(found), _subtitle(found))
        if own:
            _scale(ax, norm, found)
    return ax


def _norm(rows: pd.DataFrame) -> Normalize:
    """Colours from the smallest risk to the largest, over ten points at least: what matters is the difference."""
    low, high = float(rows["p_grr_below_floor"].min()), float(rows["p_grr_below_floor"].max())
    if not low <= high:  # no plan has a GRR
        return Normalize(0, 0.1)
    return Normalize(max(0.0, min(low, high - 0.1)), max(high, 0.1))


def _tried(ax: Axes, found: Frontier) -> None:
    """Plans that the search ran and passed over, where their difference to today puts them."""
    today = found.table.loc[found.table["today"], "arr"].iloc[0]
    rest = found.tried[~found.tried["judged"]]
    ax.scatter(rest["cost_a_year"], today + rest["arr_change"], color=PALE, s=22, zorder=1)


def _labels(ax: Axes, found: Frontier, rows: pd.DataFrame) -> None:
    """Seats beside the plans that matter: the frontier, the best and today's; on top of no point and no other label."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    rows = rows.assign(x=(rows["cost_a_year"] - left) / (right - left), y=(rows["arr"] - low) / (high - low))
    taken = [(x, y, _POINT) for x, y in zip(rows["x"], rows["y"], strict=True)]
    shown = rows[rows["today"] | rows["best"] | rows["on_arr_frontier"]]
    for row in shown.sort_values(["today", "best"], ascending=False, kind="stable").to_dict("records"):
        seats = " + ".join(str(row[f"seats_{team}"]) for team in found.teams)
        text = f"today {seats}" if row["today"] else seats
        half = _LETTER * len(text) / 2
        for dx, dy, sideways, upright in _PLACES:
            x, y = row["x"] + dx + half * (1 if dx > 0 else -1 if dx < 0 else 0), row["y"] + dy
            if all(abs(x - a) > half + wide or abs(y - b) > 0.04 for a, b, wide in taken):
                taken.append((x, y, half))
                beside: dict[str, Any] = {"xycoords": "axes fraction", "ha": sideways, "va": upright, "fontsize": 8.5}
                beside["fontweight"] = "bold" if row["best"] or row["today"] else "normal"
                place = (row["x"] + dx, row["y"] + dy)
                ax.annotate(text, place, color=GREEN if row["best"] else INK, zorder=4, **beside)
                break


def _scale(ax: Axes, norm: Normalize, found: Frontier) -> None:
    """Colour scale of the risk at the right margin."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    place = figure.add_axes((0.885, 0.13, 0.018, 0.5))
    figure.colorbar(ScalarMappable(norm, LOAD), cax=place, format=PercentFormatter(1.0, 0))
    place.tick_params(labelsize=8, length=0)
    place.set_title(f"P(GRR below\n{percent(found.floor, 1)})", fontsize=8, color=GREY, loc="left", pad=8)


def _order(found: Frontier) -> str:
    return f"seats of {' + '.join(titles(found))}"


def _finding(found: Frontier) -> str:
    if not found.best:
        return "No combination of seats keeps the limits"
    if len(found.best) == 1:
        return f"{capital(in_words(found, found.best[0]))}: worth most"
    plans = [" + ".join(map(str, plan)) for plan in sorted(found.best)]
    return f"No plan is best: {listed(plans)} seats are worth about the same"


def _subtitle(found: Frontier) -> str:
    floor = "the limit" if found.limits.grr_floor is not None else "today's median"
    rest = int((~found.tried["judged"]).sum())
    return (
        f"ARR after {found.horizon_months} months, mean over {found.draws} fresh draws that had no part in choosing. "
        "The line joins plans\nthat no other beats; "
        + ("green: worth most in net value; " if found.best else "")
        + f"ring: today ({money(_today(found), found.scenario.currency)} a year); pale: {rest} more tried.\n"
        f"Colour: chance that GRR misses {percent(found.floor, 1)} ({floor}). Gross margin and effects of touches are "
        "assumed."
    )


def _today(found: Frontier) -> float:
    return float(found.table.loc[found.table["today"], "cost_a_year"].iloc[0])
