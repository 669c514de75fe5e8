"""Where to look among combinations of team sizes: each team alone first, then together around what looks best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from subsim.errors import InputError
from subsim.experiment.metrics import team_window
from subsim.experiment.quantiles import interval
from subsim.experiment.run import run
from subsim.scenario import Scenario
from subsim.staffing.choice import below_floor
from subsim.staffing.response import WINDOW_MONTHS, Floats, plan_draws, with_seats

Plan = tuple[int, ...]
"""Seats of each team, in the order in which the teams were named."""
Draws = Mapping[str, Floats]
"""Draws of a plan at the horizon, by metric."""

METRICS: Final = ("arr", "grr_ttm", "nrr_ttm", "cs_cost", "net_value")
COARSE: Final = 4  # counts at which each team alone is tried first
MOST_GRID: Final = 20_000


@dataclass(frozen=True)
class Ask:
    """How plans are run: same seed and draws for all, so that they meet the same customers with the same luck."""

    scenario: Scenario
    teams: tuple[str, ...]
    horizon_months: int
    draws: int
    seed: int
    workers: int | None = None
    progress: Callable[[int], None] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, plans: Iterable[Plan], *, seed: int | None = None) -> dict[Plan, Draws]:
        """Draws of each plan, on another seed where one is named."""
        chosen = list(dict.fromkeys(plans))
        if not chosen:
            return {}
        runs = run(
            [self.variant(plan) for plan in chosen],
            draws=self.draws,
            seed=self.seed if seed is None else seed,
            workers=self.workers,
            progress=self.progress,
            **self.options,
        )
        return {plan: self._draws(runs, plan) for plan in chosen}

    def variant(self, plan: Plan) -> Scenario:
        """The scenario with a plan's seats from its first day."""
        scenario = self.scenario
        for team, count in zip(self.teams, plan, strict=True):
            scenario = with_seats(scenario, team, count)
        return scenario.replace(name=self.name(plan))

    def name(self, plan: Plan) -> str:
        """A plan in words: `mid_touch 4, enterprise_csm 6`."""
        return ", ".join(f"{team} {count}" for team, count in zip(self.teams, plan, strict=True))

    def _draws(self, runs: Any, plan: Plan) -> Draws:
        name, months = self.name(plan), self.horizon_months
        found = {metric: plan_draws(runs, name, metric, months) for metric in METRICS}
        window = team_window(runs.outcome(name).cube, "expired_share", months - min(WINDOW_MONTHS, months), months)
        return {**found, "expired_share": window[:, -1]}

    @property
    def interval(self) -> dict[str, Any]:
        """Kind and levels of intervals over the draws."""
        return interval(bool(self.options.get("fixed_parameters", False)))


def grid(teams: Sequence[str], ranges: Sequence[Sequence[int]]) -> list[Plan]:
    """Every combination of the counts.

    Raises:
        InputError: more combinations than the search can look over.
    """
    size = int(np.prod([len(counts) for counts in ranges]))
    if size > MOST_GRID:
        found = f"{size:,} combinations of {len(teams)} teams"
        raise InputError(where="seats", found=found, allowed=f"at most {MOST_GRID:,}", do="Give shorter ranges.")
    return list(product(*ranges))


def search(
    ask: Ask, ranges: Sequence[Sequence[int]], today: Plan, known: Mapping[Plan, Draws], *, floor: float, most: int
) -> dict[Plan, Draws]:
    """Plans worth running, with their draws: all if they are few, otherwise those that the teams alone point to.

    `known` are plans that were run before; they are in the answer.

    With more combinations than `most`: (1) each team is tried alone at a few of its counts, the others as near to
    today's as the ranges allow; (2) their effects, added up draw by draw, predict every combination; (3) combinations
    predicted to be undominated (ARR against cost, risk against cost) or worth most are run together, and once more
    with the prediction corrected by what has been seen, until `most` plans have been run.
    """
    everything = grid(ask.teams, ranges)
    if len(everything) <= most:
        return {**known, **ask(plan for plan in everything if plan not in known)}
    centre = tuple(min(counts, key=lambda n: (abs(n - now), n)) for counts, now in zip(ranges, today, strict=True))
    alone = [_with(centre, i, count) for i, counts in enumerate(ranges) for count in coarse(counts)]
    tried = {**known, **ask(plan for plan in [centre, *alone] if plan not in known)}
    table = np.array(everything)
    while len(tried) < most:
        value, cost, arr, risk = _predict(tried, table, alone, centre, floor)
        wanted = [everything[i] for i in _promising(value, cost, arr, risk) if everything[i] not in tried]
        batch = wanted[: max(1, min(most - len(tried), (most + 1) // 2))]
        if not batch:
            break
        tried |= ask(batch)
    return tried


def coarse(counts: Sequence[int]) -> list[int]:
    """A few counts from the first to the last, evenly apart.

    >>> coarse(range(2, 13)), coarse([1, 2])
    ([2, 5, 9, 12], [1, 2])
    """
    places = np.unique(np.linspace(0, len(counts) - 1, min(COARSE, len(counts))).round().astype(int))
    return [counts[i] for i in places]


def undominated(cost: Floats, gain: Floats) -> npt.NDArray[np.bool_]:
    """Which points no other beats: none costs as little or less and gains as much or more, one of them strictly.

    >>> undominated(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0, 3.0])).tolist()
    [True, True, False, False]
    """
    keep = np.zeros(len(cost), dtype=bool)
    best, at = -np.inf, np.nan
    for i in np.lexsort((-gain, cost)):
        if gain[i] > best:
            best, at = gain[i], cost[i]
        keep[i] = gain[i] == best and cost[i] == at
    return keep


def _with(plan: Plan, place: int, count: int) -> Plan:
    return (*plan[:place], count, *plan[place + 1 :])


def _predict(
    tried: Mapping[Plan, Draws], table: npt.NDArray[np.int64], alone: Sequence[Plan], centre: Plan, floor: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Expected net value, cost, ARR and risk of every plan: effects of each team alone added, then corrected."""
    metrics = ("net_value", "cs_cost", "arr", "grr_ttm")
    seen = np.array(list(tried))
    found = []
    for metric in metrics:
        whole = {plan: np.nan_to_num(draws[metric], nan=1.0) for plan, draws in tried.items()}
        curves = [_curve(whole, alone, centre, i) for i in range(len(centre))]
        guess = _added(curves, table, whole[centre])
        error = np.stack([whole[plan] for plan in tried]) - _added(curves, seen, whole[centre])
        found.append(guess + _nearest(table, seen, error))
    value, cost, arr, grr = found
    return value.mean(axis=1), cost.mean(axis=1), arr.mean(axis=1), below_floor(grr, floor)


Effect = tuple[npt.NDArray[np.int64], Floats]
"""Counts of one team, and what they change against the centre: array [counts, draws]."""


def _curve(whole: Mapping[Plan, Floats], alone: Sequence[Plan], centre: Plan, place: int) -> Effect:
    """The effect of one team's counts, from the plans in which it alone differs from the centre."""
    plans = sorted({plan for plan in [*alone, centre] if _with(plan, place, centre[place]) == centre})
    return np.array([plan[place] for plan in plans]), np.stack([whole[plan] - whole[centre] for plan in plans])


def _added(curves: Sequence[Effect], plans: npt.NDArray[np.int64], base: Floats) -> Floats:
    """Base plus each team's own effect, linear between the counts that were tried: array [plans, draws]."""
    total = np.tile(base, (len(plans), 1))
    for place, (counts, effect) in enumerate(curves):
        count = plans[:, place]
        right = np.clip(np.searchsorted(counts, count), 1, max(1, len(counts) - 1))
        if len(counts) == 1:
            continue
        left = right - 1
        share = (count - counts[left]) / (counts[right] - counts[left])
        total += effect[left] * (1 - share)[:, None] + effect[right] * share[:, None]
    return total


def _nearest(plans: npt.NDArray[np.int64], seen: npt.NDArray[np.int64], error: Floats) -> Floats:
    """Error of the prediction at the nearest plan seen (fewest seats apart), less with distance: teams interact."""
    apart = np.abs(plans[:, None, :] - seen[None, :, :]).sum(axis=2)
    near = apart.argmin(axis=1)
    return np.asarray(error[near] / (1 + apart[np.arange(len(plans)), near])[:, None])


def _promising(value: Floats, cost: Floats, arr: Floats, risk: Floats) -> list[int]:
    """Plans in turn from three lists: worth most; undominated in ARR; undominated in risk, spread along cost."""
    lists = [
        list(np.argsort(-value, kind="stable")),
        _spread(np.flatnonzero(undominated(cost, arr)), cost),
        _spread(np.flatnonzero(undominated(cost, -risk)), cost),
    ]
    longest = max(map(len, lists))
    return list(dict.fromkeys(int(one[i]) for i in range(longest) for one in lists if i < len(one)))


def _spread(points: npt.NDArray[np.int64], cost: Floats) -> list[int]:
    """The points in an order in which any first few are spread along cost: ends, middle, quarters and so on."""
    ordered = [int(i) for i in points[np.argsort(cost[points], kind="stable")]]
    if len(ordered) < 3:
        return ordered
    picked, step = [ordered[0], ordered[-1]], len(ordered) - 1
    while step > 1:
        step = (step + 1) // 2
        picked += ordered[::step]
    return list(dict.fromkeys([*picked, *ordered]))
