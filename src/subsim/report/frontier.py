"""The frontier over several teams: ARR against the yearly cost of customer success, coloured by the risk to GRR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import PercentFormatter

from subsim.report.style import GREEN, GREY, INK, LOAD, PALE, axes, headline, money_axis, styled
from subsim.report.words import capital, listed, money, percent, plain

if TYPE_CHECKING:
    from subsim.staffing.frontier import Frontier

_NEAR = 0.035  # of the axes' width or height: points closer than this share a label's place


def frontier(found: Frontier, *, ax: Axes | None = None) -> Axes:
    """ARR at the horizon against annual cost: judged plans by risk, the frontier's line, today ringed, seats beside."""
    rows = found.table
    own = ax is None
    with styled():
        ax = axes(ax, left=0.1, right=0.85, top=0.72, bottom=0.13)
        _tried(ax, found)
        front = rows[rows["on_arr_frontier"]].sort_values("cost_a_year")
        ax.plot(front["cost_a_year"], front["arr"], color=INK, linewidth=1.2, zorder=2)
        norm = Normalize(0, max(0.1, float(rows["p_grr_below_floor"].max())))
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


def _tried(ax: Axes, found: Frontier) -> None:
    """Plans that the search ran and passed over, where their difference to today puts them."""
    today = found.table.loc[found.table["today"], "arr"].iloc[0]
    rest = found.tried[~found.tried["judged"]]
    ax.scatter(rest["cost_a_year"], today + rest["arr_change"], color=PALE, s=22, zorder=1)


def _labels(ax: Axes, found: Frontier, rows: pd.DataFrame) -> None:
    """Seats beside the plans that matter: the frontier, the best and today's; none on top of another."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    shown = rows[rows["today"] | rows["best"] | rows["on_arr_frontier"]]
    shown = shown.sort_values(["today", "best", "on_arr_frontier"], ascending=False, kind="stable")
    taken: list[tuple[float, float]] = []
    for row in shown.to_dict("records"):
        x, y = (row["cost_a_year"] - left) / (right - left), (row["arr"] - low) / (high - low)
        seats = " + ".join(str(row[f"seats_{team}"]) for team in found.teams)
        text = f"today {seats}" if row["today"] else seats
        for up in (True, False):
            place = (x, y + (0.055 if up else -0.065))
            if all(abs(place[0] - a) > 2 * _NEAR or abs(place[1] - b) > _NEAR for a, b in taken):
                taken.append(place)
                weight = "bold" if row["best"] or row["today"] else "normal"
                colour = GREEN if row["best"] else INK
                beside: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 8.5}
                beside["va"] = "bottom" if up else "top"
                point = (row["cost_a_year"], row["arr"])
                ax.annotate(text, point, (0, 7 if up else -8), color=colour, fontweight=weight, zorder=4, **beside)
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


def titles(found: Frontier) -> list[str]:
    """Names of the teams as people say them."""
    return [plain(found.scenario.teams[team].title or team) for team in found.teams]


def in_words(found: Frontier, plan: tuple[int, ...]) -> str:
    """A plan as words: `4 mid-touch CSMs + 6 enterprise CSMs`."""
    return " + ".join(f"{count} {title}" for count, title in zip(plan, titles(found), strict=True))


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
        + f"ring: today ({money(_today(found), found.scenario.currency)} a year); pale dots: {rest} more plans tried.\n"
        f"Colour: chance that GRR misses {percent(found.floor, 1)} ({floor}). Gross margin and effects of touches are "
        "assumed."
    )


def _today(found: Frontier) -> float:
    return float(found.table.loc[found.table["today"], "cost_a_year"].iloc[0])
