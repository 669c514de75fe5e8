"""Sizes of several teams together: ARR against cost against the risk of missing the GRR floor, and what holds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import DEFINITIONS, GROSS_MARGIN_SOURCE, horizons_of
from subsim.experiment.quantiles import clean
from subsim.scenario import Scenario
from subsim.staffing.budget import seat_cost_a_year
from subsim.staffing.choice import CONFIDENCE, TAIL, WORTH_IN_SEATS, Limits, below_floor, known_mean
from subsim.staffing.frontier_search import Ask, Draws, Plan, search, undominated
from subsim.staffing.response import HORIZONS, Floats
from subsim.staffing.selection import contenders, rivals, tail_mean
from subsim.staffing.spreads import chance_above_zero, spread
from subsim.staffing.staff import fresh_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PLANS: Final = 24  # combinations that are run in the search
MOST_CONTENDERS: Final = 5  # of those worth most, that are judged again
MOST_JUDGED: Final = 12  # in all

COLUMNS: Final[dict[str, str]] = {
    "cost_a_year": "cost of customer success a year, mean over draws and over the horizon",
    "arr": "mean ARR at the horizon, with q05 and q95",
    "arr_change": "paired difference of ARR to today's plan: mean, q05, q95; p_more_arr: share of draws above zero",
    "grr": "mean gross revenue retention of the twelve months to the horizon",
    "p_grr_below_floor": "share of draws in which that GRR is below the floor",
    "net_value": DEFINITIONS["net_value"],
    "net_change": "paired difference of net value to today's plan: mean, q05, q95; p_pays: share of draws above zero",
    "cvar": "mean net value in the worst tenth of draws",
    "regret": "mean shortfall of net value to the best of these plans in the same draw",
    "expired_share": "items dropped at their deadline, all teams, last twelve months",
    "on_arr_frontier": "no other of these plans costs as little and has as much ARR, on average",
    "on_risk_frontier": "no other of these plans costs as little and misses the floor as rarely",
    "best": "keeps the limits, and these draws cannot tell it from the highest net value",
}


@dataclass(frozen=True)
class Frontier:
    """Plans for several teams: `.table`, `.text`, `.figure()`.

    `table` has the plans that were judged on fresh numbers, cheapest first (`COLUMNS` says what its columns are);
    `tried` has every combination that the search ran, on the search's own numbers. `best` are the plans that fresh
    numbers could not tell apart, highest net value first; empty when no plan keeps the limits.
    """

    scenario: Scenario
    teams: tuple[str, ...]
    today: Plan
    best: tuple[Plan, ...]
    table: pd.DataFrame
    tried: pd.DataFrame = field(repr=False)
    limits: Limits
    floor: float
    """GRR floor against which the risk is counted: the limit, or else today's median GRR."""
    combinations: int
    horizon_months: int
    draws: int
    seed: int
    worth: float

    @property
    def text(self) -> str:
        """Which plans hold up, what the frontier costs, and what today's plan gives away, in a paragraph."""
        return str(presenting.prose().frontier_paragraph(self))

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """ARR against annual cost with the frontier, coloured by risk, today's plan marked; returns the axes."""
        drawn: Axes = presenting.figures().frontier(self, ax=ax)
        return drawn

    def scenario_of(self, plan: Plan) -> Scenario:
        """The scenario of a plan, to run, compare or write to a file."""
        return Ask(self.scenario, self.teams, self.horizon_months, self.draws, self.seed).variant(plan)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: plans, what was tried, limits, definitions and the kind of interval."""
        return {
            "scenario": self.scenario.name,
            "teams": list(self.teams),
            "today": list(self.today),
            "best": [list(plan) for plan in self.best],
            "draws": self.draws,
            "seed": self.seed,
            "fresh_seed": fresh_seed(self.seed),
            "currency": self.scenario.currency,
            "horizon_months": self.horizon_months,
            "combinations": self.combinations,
            "grr_floor": round(self.floor, 6),
            "floor_is_a_limit": self.limits.grr_floor is not None,
            "risk": self.limits.risk,
            "worth": round(self.worth, 2),
            "interval": self.table.attrs["interval"],
            "definitions": COLUMNS,
            "assumption": GROSS_MARGIN_SOURCE,
            "plans": [clean(row) for row in self.table.to_dict("records")],
            "tried": [clean(row) for row in self.tried.to_dict("records")],
        }

    def __repr__(self) -> str:
        plans = " or ".join(map(str, self.best)) or "none"
        return f"Frontier({self.scenario.name}; {' x '.join(self.teams)}: {plans})"

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def frontier(
    scenario: Scenario,
    *,
    seats: Mapping[str, Sequence[int]],
    draws: int = 200,
    seed: int = 1,
    limits: Limits | None = None,
    most: int = MOST_PLANS,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Frontier:
    """What combinations of team sizes cost and bring, which of them no other beats, and which hold up.

    Every plan meets the same customers with the same luck. Few combinations are all run; of many, each team is tried
    alone first and the combinations that this points to are run together. Plans on the frontier and contenders by
    expected net value (Kim and Nelson 2001) are judged again on fresh numbers, and those are the numbers in the table.

    Args:
        scenario: the plan of today, with people, tiers and horizon.
        seats: counts to try from the first day on, by team; two teams or more.
        draws: futures for each plan, in the search and again on fresh numbers.
        seed: same seed, same answer.
        limits: what a choice has to keep. Without a GRR floor the risk is counted against today's median GRR, and no
            plan falls for it.
        most: combinations that are run in the search.
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`, for example `fixed_parameters=True`.

    Raises:
        InputError: an unknown team, fewer than two teams, no counts, too many combinations, or fewer than two draws.
    """
    ranges = _ranges(scenario, seats)
    if draws < 2:
        raise InputError(where="draws", found=str(draws), allowed="2 or more, to compare plans draw by draw")
    if most < 2:
        raise InputError(where="most", found=str(most), allowed="2 or more plans to run")
    limits = limits or Limits()
    horizon = horizons_of(scenario.horizon_months, HORIZONS)[-1]
    ask = Ask(scenario, tuple(ranges), horizon, draws, seed, workers, progress, options)
    today = tuple(scenario.teams[team].seats for team in ranges)
    known = ask([today])
    floor = _floor(limits, known[today])
    tried = search(ask, tuple(ranges.values()), today, known, floor=floor, most=most)
    worth = max(1.0, WORTH_IN_SEATS * min(seat_cost_a_year(scenario, team) for team in ranges) * horizon / 12)
    judged = ask(_finalists(tried, today, limits, floor, worth), seed=fresh_seed(seed))
    table, best = _judge(ask, judged, today, limits, floor, worth)
    found = _numbers(ask, tried, today, floor)
    found["judged"] = [plan in judged for plan in tried]
    combinations = int(np.prod([len(counts) for counts in ranges.values()]))
    return Frontier(
        scenario, ask.teams, today, best, table, found, limits, floor, combinations, horizon, draws, seed, worth
    )


def _ranges(scenario: Scenario, seats: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    if len(seats) < 2:
        found = ", ".join(seats) or "no team"
        do = "For one team size it alone: `staff`, without --together."
        raise InputError(where="seats", found=found, allowed="two teams or more", do=do)
    for team, counts in seats.items():
        if team not in scenario.teams:
            allowed = ", ".join(scenario.teams) or "none: the scenario has no teams"
            raise InputError(where="team", found=repr(team), allowed=allowed)
        if not counts or min(counts) < 0:
            found = "none" if not counts else str(min(counts))
            raise InputError(where=f"seats of {team}", found=found, allowed="one or more counts from 0 on")
    return {team: tuple(sorted(set(counts))) for team, counts in seats.items()}


def _floor(limits: Limits, today: Draws) -> float:
    if limits.grr_floor is not None:
        return limits.grr_floor
    grr = today["grr_ttm"]
    known = grr[~np.isnan(grr)]
    return float(np.median(known)) if known.size else float("nan")


def _keeps(draws: Sequence[Draws], limits: Limits, floor: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    keeps = np.ones(len(draws), dtype=bool)
    if limits.grr_floor is not None:
        keeps &= below_floor(_stack(draws, "grr_ttm"), floor) <= limits.risk
    if limits.expired_share is not None:
        keeps &= np.nan_to_num(known_mean(_stack(draws, "expired_share")), nan=1.0) <= limits.expired_share
    return keeps


def _stack(draws: Sequence[Draws], metric: str) -> Floats:
    return np.stack([one[metric] for one in draws])


def _finalists(tried: Mapping[Plan, Draws], today: Plan, limits: Limits, floor: float, worth: float) -> list[Plan]:
    """Today's plan, the contenders by net value among those that keep the limits, then the frontiers by turns."""
    plans, draws = list(tried), list(tried.values())
    value, cost = _stack(draws, "net_value"), _stack(draws, "cs_cost").mean(axis=1)
    allowed = np.flatnonzero(_keeps(draws, limits, floor))
    chosen = [today]
    if allowed.size:
        kept = contenders(value[allowed], worth=worth, confidence=CONFIDENCE).kept
        chosen += [plans[allowed[i]] for i in kept[:MOST_CONTENDERS]]
    arr, risk = _stack(draws, "arr").mean(axis=1), below_floor(_stack(draws, "grr_ttm"), floor)
    fronts = [np.flatnonzero(undominated(cost, arr)), np.flatnonzero(undominated(cost, -np.nan_to_num(risk)))]
    ordered = [sorted(front, key=lambda i: -value[i].mean()) for front in fronts]
    for place in range(max(map(len, ordered))):
        chosen += [plans[front[place]] for front in ordered if place < len(front)]
    return list(dict.fromkeys(chosen))[:MOST_JUDGED]


def _judge(
    ask: Ask, judged: Mapping[Plan, Draws], today: Plan, limits: Limits, floor: float, worth: float
) -> tuple[pd.DataFrame, tuple[Plan, ...]]:
    """Table of the plans on fresh numbers, cheapest first, and the plans that hold up."""
    plans, draws = list(judged), list(judged.values())
    keeps = _keeps(draws, limits, floor)
    allowed = np.flatnonzero(keeps)
    best: tuple[Plan, ...] = ()
    if allowed.size:
        values = _stack(draws, "net_value")[allowed]
        best = tuple(plans[allowed[one.index]] for one in rivals(values, worth=worth) if one.holds)
    table = _numbers(ask, judged, today, floor)
    cost, arr, risk = (table[name].to_numpy(dtype=float) for name in ("cost_a_year", "arr", "p_grr_below_floor"))
    table["on_arr_frontier"] = undominated(cost, arr)
    table["on_risk_frontier"] = undominated(cost, -risk) & ~np.isnan(risk)
    table["keeps_limits"] = keeps
    table["best"] = [plan in best for plan in plans]
    table = table.sort_values(["cost_a_year", "arr"], kind="stable").reset_index(drop=True)
    table.attrs = {
        "interval": ask.interval,
        "currency": ask.scenario.currency,
        "definitions": COLUMNS,
        "assumption": GROSS_MARGIN_SOURCE,
    }
    return table, best


def _numbers(ask: Ask, found: Mapping[Plan, Draws], today: Plan, floor: float) -> pd.DataFrame:
    """A row for each plan: seats, cost, ARR, retention, risk and value, with paired differences to today's plan."""
    draws = list(found.values())
    value = _stack(draws, "net_value")
    risk, regret, tail = below_floor(_stack(draws, "grr_ttm"), floor), value.max(axis=0) - value, tail_mean(value, TAIL)
    rows = []
    for i, (plan, one) in enumerate(found.items()):
        rows.append(
            {
                "plan": ask.name(plan),
                **{f"seats_{team}": count for team, count in zip(ask.teams, plan, strict=True)},
                "today": plan == today,
                "cost_a_year": round(float(one["cs_cost"].mean()) * 12 / ask.horizon_months, 2),
                **spread("arr", one["arr"]),
                **spread("arr_change", one["arr"] - found[today]["arr"]),
                "p_more_arr": chance_above_zero(one["arr"] - found[today]["arr"]),
                "grr": round(float(known_mean(one["grr_ttm"])), 6),
                "nrr": round(float(known_mean(one["nrr_ttm"])), 6),
                "p_grr_below_floor": round(float(risk[i]), 6),
                **spread("net_value", one["net_value"]),
                **spread("net_change", one["net_value"] - found[today]["net_value"]),
                "p_pays": chance_above_zero(one["net_value"] - found[today]["net_value"]),
                "cvar": round(float(tail[i]), 2),
                "regret": round(float(regret[i].mean()), 2),
                "expired_share": round(float(known_mean(one["expired_share"])), 6),
            }
        )
    return pd.DataFrame(rows)
