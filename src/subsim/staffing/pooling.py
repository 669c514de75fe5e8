"""Named against pooled: a pool waits less, a familiar person lifts more; at which load does one overtake the other?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import compared
from subsim.experiment.metrics import DECIMALS, team_window
from subsim.experiment.quantiles import STATISTICS, clean, interval, summarise
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODES: Final = ("named", "pooled")
WINDOW_MONTHS: Final = 12


@dataclass(frozen=True)
class Pooling:
    """A tier served by named seats and by one pool, over team sizes: `table`, `crossover`, `text`, `figure()`.

    `table` has a row for each number of seats, fewest (busiest) first: seats, utilisation (named, last twelve months),
    wait_named and wait_pooled (days), dropped_named and dropped_pooled (shares), mean and quantiles of the paired
    difference of ARR at the horizon, pooled minus named, mean_se (standard error of the mean) and p_pooled_better.
    """

    scenario: str
    tier: str
    team: str
    horizon_months: int
    currency: str
    table: pd.DataFrame
    runs: Runs = field(repr=False)

    @property
    def crossover(self) -> float | None:
        """Utilisation from which pooling is better on average, between the last size where it is not and the next.

        None if one of the two is better at every size that was tried. Linear between the two sizes.
        """
        rows = self.table.sort_values("utilisation", kind="stable")
        load = rows["utilisation"].to_numpy(dtype=float)
        gain = rows["mean"].to_numpy(dtype=float)
        turns = np.flatnonzero((gain[:-1] <= 0) & (gain[1:] > 0))
        if not turns.size:
            return None
        at = int(turns[-1])
        return float(load[at] + (load[at + 1] - load[at]) * -gain[at] / (gain[at + 1] - gain[at]))

    @property
    def tells_apart(self) -> bool:
        """Whether at any size the mean difference is more than twice its standard error away from nought."""
        return bool((self.table["mean"].abs() > 2 * self.table["mean_se"]).any())

    @property
    def text(self) -> str:
        """Which way of coverage is better, and from which load on, in a sentence."""
        busy, idle = self.table.iloc[0], self.table.iloc[-1]
        waits = (
            f"At {100 * float(busy['utilisation']):.0f} % load named seats wait {float(busy['wait_named']):.1f} days, "
            f"a pool {float(busy['wait_pooled']):.1f}; at {100 * float(idle['utilisation']):.0f} % it is "
            f"{float(idle['wait_named']):.1f} and {float(idle['wait_pooled']):.1f}."
        )
        if not self.tells_apart:
            verdict = (
                f"For ARR the draws cannot tell a pool from named seats for {self.tier} at any size that was tried."
            )
        elif self.crossover is not None:
            verdict = (
                f"Pooling {self.tier} is better for ARR from about {100 * self.crossover:.0f} % load on, named below."
            )
        else:
            better = "a pool" if float(self.table["mean"].mean()) > 0 else "named seats"
            verdict = f"For ARR {better} did better for {self.tier} on average at every size that was tried."
        return f"{verdict} {waits}"

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """Difference of ARR by load, with the crossover; returns the axes."""
        drawn: Axes = presenting.figures().pooling(self, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "scenario": self.scenario,
            "tier": self.tier,
            "team": self.team,
            "horizon_months": self.horizon_months,
            "currency": self.currency,
            "crossover": self.crossover,
            "rows": [clean(row) for row in self.table.to_dict("records")],
            "interval": self.table.attrs["interval"],
        }

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def pooling(
    scenario: Scenario,
    *,
    tier: str,
    seats: Sequence[int],
    draws: int = 200,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Pooling:
    """Serve a tier by named seats and by one pool of the same people, for several team sizes.

    Args:
        scenario: the plan; the tier's team takes each of the sizes from the first day on.
        tier: a tier with a team.
        seats: team sizes, at least 1.
        draws: futures for each size and way of coverage.
        seed: same seed, same answer.
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`.

    Raises:
        InputError: an unknown tier, one without a team, or no sizes.
    """
    known = scenario.tiers.get(tier)
    if known is None or known.team is None:
        allowed = ", ".join(name for name, one in scenario.tiers.items() if one.team) or "none"
        raise InputError(where="tier", found=repr(tier), allowed=f"a tier with a team: {allowed}")
    sizes = sorted(set(seats))
    if not sizes or sizes[0] < 1:
        raise InputError(where="seats", found=str(list(seats)), allowed="one or more sizes from 1 on")
    variants = [_variant(scenario, tier, known.team, count, mode) for count in sizes for mode in MODES]
    runs = run(variants, draws=draws, seed=seed, workers=workers, progress=progress, **options)
    horizon = scenario.horizon_months
    rows = [_row(runs, known.team, count, horizon) for count in sizes]
    table = pd.DataFrame(rows)
    table.attrs = {"interval": {**interval(runs.fixed_parameters), "of": "paired differences, pooled minus named"}}
    return Pooling(scenario.name, tier, known.team, horizon, scenario.currency, table, runs)


def _name(count: int, mode: str) -> str:
    return f"{count} {mode}"


def _variant(scenario: Scenario, tier: str, team: str, count: int, mode: str) -> Scenario:
    facts: dict[str, Any] = scenario.to_dict()
    facts["teams"] = {**facts["teams"], team: {**facts["teams"][team], "seats": count}}
    facts["tiers"] = {**facts["tiers"], tier: {**facts["tiers"][tier], "coverage": mode}}
    return Scenario.from_dict(facts | {"name": _name(count, mode)})


def _row(runs: Runs, team: str, count: int, horizon: int) -> dict[str, float]:
    named, pooled = (
        {metric: _last_year(runs, _name(count, mode), team, metric, horizon) for metric in _WORK} for mode in MODES
    )
    change = (
        compared(runs, _name(count, "pooled"), "arr", horizon)[:, -1]
        - compared(runs, _name(count, "named"), "arr", horizon)[:, -1]
    )
    return {
        "seats": count,
        "utilisation": named["utilisation"],
        "wait_named": named["wait_days"],
        "wait_pooled": pooled["wait_days"],
        "dropped_named": named["expired_share"],
        "dropped_pooled": pooled["expired_share"],
        **dict(zip(STATISTICS, (float(x) for x in summarise(change, DECIMALS["money"])), strict=True)),
        "mean_se": float(change.std(ddof=1) / np.sqrt(change.size)) if change.size > 1 else float("inf"),
        "p_pooled_better": round(float((change > 0).mean() + 0.5 * (change == 0).mean()), 6),
    }


_WORK: Final = ("utilisation", "wait_days", "expired_share")


def _last_year(runs: Runs, name: str, team: str, metric: str, horizon: int) -> float:
    """Mean over draws of a metric of work in the last twelve months."""
    outcome = runs.outcome(name)
    place = outcome.setup.team_names.index(team)
    values = team_window(outcome.cube, metric, horizon - min(WINDOW_MONTHS, horizon), horizon)[:, place]
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
