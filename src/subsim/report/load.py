"""Load on teams as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from subsim.errors import InputError
from subsim.experiment.results import month_ends
from subsim.report.fans import spread_of
from subsim.report.style import (
    INK,
    LOAD,
    axes,
    headline,
    room,
    styled,
)
from subsim.report.words import capital, percent, plain, quarter

if TYPE_CHECKING:
    from subsim.experiment.results import Runs

Floats = npt.NDArray[np.float64]

ENDING = 0.05  # of the hours of its busiest month: below, nobody is there any more (judgement, grade D)


def utilisation(runs: Runs, name: str | None = None, *, ax: Axes | None = None) -> Axes:
    """Load on teams: colour is mean utilisation by month; each quarter's utilisation and expired share in the cells."""
    scenario = runs.outcome(name).scenario
    teams = runs.groups(name, "utilisation")[:-1]
    titles = [plain(runs.team_title(name, team)) for team in teams]
    days = month_ends(runs.outcome(name).setup)
    load = _load(runs, name)
    expired = _expired_share(runs, name)
    if np.isnan(load).all():
        raise InputError(
            where=f"load of {scenario.name}", found="no team with hours to work", allowed="a team with seats"
        )
    edges = np.arange(len(days) + 1)
    with styled():
        ax = axes(ax, left=room(titles), right=0.97, bottom=0.17)
        ax.pcolormesh(edges, np.arange(len(teams) + 1), load, cmap=LOAD, vmin=0.4, vmax=1.05)
        quarters = [(i, min(i + 3, len(days))) for i in range(0, len(days), 3)]
        small = 7.5 if len(quarters) > 8 else 9
        for row in range(len(teams)):
            for first, last in quarters:
                known = int((~np.isnan(load[row, first:last])).sum())
                if 0 < known < last - first:
                    continue  # a team that ends in mid-quarter: no room for words, the colour says it
                mean = float(np.nanmean(load[row, first:last])) if not np.isnan(load[row, first:last]).all() else np.nan
                share = expired(row, first, last)
                where = ((first + last) / 2, row + 0.5)
                colour = "white" if mean > 0.93 else INK
                text = "–" if np.isnan(mean) else percent(mean)
                if known and share >= 0.005:
                    text += f"\n({percent(share)})"
                ax.text(*where, text, ha="center", va="center", fontsize=small, color=colour, linespacing=1.5)
        for first, _ in quarters[1:]:
            ax.axvline(first, color="white", linewidth=1.5)
        for row in range(1, len(teams)):
            ax.axhline(row, color="white", linewidth=3)
        ax.set_yticks(np.arange(len(teams)) + 0.5, [capital(title) for title in titles])
        ax.set_xticks(
            [(a + b) / 2 for a, b in quarters], [quarter(days[b - 1]).replace(" ", "\n") for _, b in quarters]
        )
        ax.tick_params(length=0)
        ax.invert_yaxis()
        for spine in ax.spines.values():
            spine.set_visible(False)
        worst = _busiest(runs, name, quarters)
        dropped = expired(worst[0], *quarters[worst[2]])
        headline(
            ax,
            f"{capital(titles[worst[0]])}: heaviest load, {percent(worst[1])} busy in "
            f"{quarter(days[quarters[worst[2]][1] - 1])}"
            + (f", {percent(dropped)} of its work dropped" if dropped >= 0.005 else ""),
            f"{capital(plain(scenario.name))}: hours busy per hour available, mean over {spread_of(runs)}.\n"
            "In brackets: share of work items dropped at their deadline, from 1 % up. Darker is busier.",
        )
    return ax


def _load(runs: Runs, name: str | None) -> Floats:
    """Mean utilisation, [teams, months]; none where a team that is gone only ends what it had in hand."""
    load = _mean(runs.values(name, "utilisation"))[:, :-1].T
    served = runs.values(name, "hours_served").mean(axis=0)[:, :-1].T
    return np.where(served < ENDING * served.max(axis=1, keepdims=True), np.nan, load)


def _mean(values: Floats) -> Floats:
    """Mean over draws; NaN where no draw has a value."""
    known = ~np.isnan(values)
    return np.asarray(
        np.divide(
            np.where(known, values, 0).sum(axis=0),
            known.sum(axis=0),
            out=np.full(values.shape[1:], np.nan),
            where=known.any(axis=0),
        )
    )


def _expired_share(runs: Runs, name: str | None) -> Any:
    """Function (team, first month, last month) giving the mean share of items dropped."""
    shares = _mean(runs.values(name, "expired_share"))[:, :-1].T

    def share(team: int, first: int, last: int) -> float:
        part = shares[team, first:last]
        return float(np.nanmean(part)) if not np.isnan(part).all() else float("nan")

    return share


def _busiest(runs: Runs, name: str | None, quarters: Sequence[tuple[int, int]]) -> tuple[int, float, int]:
    """Team, utilisation and quarter of the heaviest load; work dropped counts on top of hours busy."""
    load = _load(runs, name).T
    dropped = np.nan_to_num(_mean(runs.values(name, "expired_share"))[:, :-1])
    teams = range(load.shape[1])
    busy = np.array([[_nanmean(load[a:b, team]) for a, b in quarters] for team in teams])
    heavy = busy + np.array([[dropped[a:b, team].mean() for a, b in quarters] for team in teams])
    team, at = np.unravel_index(np.nanargmax(heavy), heavy.shape)
    return int(team), float(busy[team, at]), int(at)


def _nanmean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
