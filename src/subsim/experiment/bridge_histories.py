"""Bridges that simulated companies would have kept, for a calibration that has only a bridge to learn from.

One history for each draw of parameters: the same months and segments as the real bridge, the same ARR at its start. A
bridge says nothing of people, so the companies are ones whose people keep up: no account is neglected, every expansion
opportunity is worked, and customers need their own time to reach value. Prices do not rise; what a company gains from
price counts as expansion.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from subsim import units
from subsim.engine import simulate
from subsim.engine.metrics import SEGMENT
from subsim.engine.run import Setup
from subsim.experiment.build import build
from subsim.experiment.opening import OpeningBase, made_up_opening
from subsim.experiment.parameters import Names, cells, draw_rows
from subsim.model.catalogue import parameter, parameters
from subsim.random import Purpose, uniform_array
from subsim.scenario import Scenario
from subsim.units import add_months

Floats = NDArray[np.float64]
Design = Mapping[tuple[str, tuple[str, ...]], Floats]
"""Values by catalogue name and cell, (runs,); beside the catalogue's arrival.plan, arrival.trend and arrival.season."""

#: What people do for customers, as if they always kept up; see the module's text.
SERVED = {"engagement.neglect": 0.0, "expansion.self_serve": 1.0, "onboarding.self_serve": 1.0}
TENURE = "730 days"  # mean age of the accounts that a bridge opens with; judgement, grade D
ENVELOPE = 8.0  # leads for each planned deal: room for good months
_FLOWS = (
    ("new", "reactivation"),
    ("expansion_seats", "expansion_cross_sell", "price_up"),
    ("contraction", "price_down", "concession"),
    ("churn",),
)


@dataclass(frozen=True)
class _Shape:
    """What the histories have in common with the real bridge."""

    start: dt.date
    months: int
    opening_cents: Mapping[str, int]


def bridge_histories(
    start: dt.date,
    months: int,
    opening_cents: Mapping[str, int],
    design: Design,
    *,
    seed: int,
    cores: int = 2,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.int64]:
    """Flows of simulated companies in cents: int64[runs, months, segments, (new, expansion, contraction, churn)].

    What comes back counts as new. Run j has the j-th values of the design and the random numbers of run j.

    Args:
        start: first day of the bridge that they stand beside.
        months: of that bridge.
        opening_cents: ARR with which it opens, by segment.
        design: the numbers that differ between the runs; others are drawn from the catalogue's priors.
        seed: 0 or more.
        cores: threads.
        progress: called with the number of runs that are done.

    Raises:
        InputError: a segment's name that a scenario could not have, or a horizon that is too long.
    """
    runs = len(next(iter(design.values())))
    world = _World.of(_Shape(start, months, opening_cents), design, runs, seed)
    flows = np.empty((runs, months, len(opening_cents), len(_FLOWS)), np.int64)

    def one(run: int) -> None:
        cube = simulate(world.setup_of(run), seed=seed, first_draw=run, draws=1).segments[0]
        for column, names in enumerate(_FLOWS):
            flows[run, :, :, column] = cube[..., [SEGMENT.index(name) for name in names]].sum(axis=-1)

    with ThreadPoolExecutor(cores) as pool:
        for done, _ in enumerate(pool.map(one, range(runs)), start=1):
            if progress is not None and done % 50 == 0:
                progress(done)
    return flows


@dataclass(frozen=True)
class _World:
    """What all runs share, and what each of them changes: parameters, plan, opening base."""

    setup: Setup
    base: OpeningBase
    luck: Floats
    """Standard normal first ARR of each account of the base."""
    counts: NDArray[np.int64]
    """Accounts that each run opens with, (runs, segments); the first ones of the base."""
    first_arr: Floats
    """Median and spread of first ARR, (runs, segments, 2)."""
    plans: Floats
    opening: Sequence[int]

    @classmethod
    def of(cls, shape: _Shape, design: Design, runs: int, seed: int) -> _World:
        names = tuple(shape.opening_cents)
        opening = [shape.opening_cents[name] for name in names]
        median, spread = (
            np.column_stack([design[number, (name,)] for name in names])
            for number in ("value.first_arr", "value.first_arr_sd")
        )
        counts = np.maximum(np.rint(np.array(opening) / 100 / (median * np.exp(spread**2 / 2))), 1).astype(np.int64)
        counts *= np.array(opening) > 0
        scenario = _scenario(shape, dict(zip(names, counts.max(axis=0).tolist(), strict=True)))
        setup = build(scenario, draws=1, seed=seed)
        rows = _rows(scenario, design, runs, seed)
        base = made_up_opening(scenario, Names(scenario), rows[0])
        return cls(
            setup=replace(setup, parameters=rows),
            base=base,
            luck=special.ndtri(uniform_array(seed, 0, Purpose.REVIEW_OFFSET, base.rows["entity"], 3)),
            counts=counts,
            first_arr=np.stack([median, spread], axis=-1),
            plans=_plans(shape, design, runs),
            opening=opening,
        )

    def setup_of(self, run: int) -> Setup:
        """The set-up of one run; its row of parameters stands where all runs' rows stand."""
        kept, arr = [], []
        for segment, count in enumerate(self.counts[run].tolist()):
            mine = np.flatnonzero(self.base.rows["segment"] == segment)[:count]
            median, spread = self.first_arr[run, segment]
            value = np.exp(np.log(median) + spread * self.luck[mine])
            kept.append(mine)
            arr.append(value * (self.opening[segment] / max(value.sum(), 1e-300)))
        chosen = np.concatenate(kept)
        rows = self.base.rows[chosen]
        rows["arr"] = rows["first_arr"] = np.maximum(np.rint(np.concatenate(arr)), 1)
        plan = self.plans[run]
        per_process_month = plan * (units.MONTH_MINUTES / np.diff(self.setup.world.months))
        world = self.setup.world._replace(
            opening=rows.view(np.recarray),
            opening_touches=self.base.touches[chosen],
            opening_readings=self.base.readings[chosen],
            opening_read_at=self.base.read_at[chosen],
            done_from=self.base.done_from[: len(chosen) + 1],  # nothing is done: made-up accounts have no past
            opening_history=np.where(self.base.history[chosen] > 0, rows["arr"][:, None], 0),
            plan=per_process_month,
            envelope=ENVELOPE * plan.max(axis=1),
        )
        return replace(self.setup, world=world, expected_arrivals=float(plan.sum()), sizes={})


def _scenario(shape: _Shape, accounts: Mapping[str, int]) -> Scenario:
    return Scenario.from_dict(
        {
            "name": "History of a bridge",
            "start": str(shape.start),
            "horizon": f"{shape.months} months",
            "segments": {
                name: {"new_business": "1 per month", "opening": {"accounts": count, "tenure": TENURE}}
                for name, count in accounts.items()
            },
            "routing": [{"to": "served"}],
            "tiers": {"served": {"coverage": "digital"}},
        }
    )


def _rows(scenario: Scenario, design: Design, runs: int, seed: int) -> Any:
    """float64[runs, LENGTH]: the design's values, and draws from the catalogue's priors for everything else."""
    names = Names(scenario)
    rows = draw_rows(cells(scenario), draws=runs, seed=seed)
    for (name, keys), values in design.items():
        if name in parameters():
            row = parameter(name)
            rows[:, names.index(row, dict(zip(row.by, keys, strict=False)))] = np.clip(values, row.low, row.high)[
                :, None
            ]
    for name, value in SERVED.items():
        rows[:, names.index(parameter(name), {})] = value
    return rows


def _plans(shape: _Shape, design: Design, runs: int) -> Floats:
    """float64[runs, segments, months]: new logos in each calendar month, whose level is that of the last month."""
    months = [add_months(shape.start, month) for month in range(shape.months)]
    years = (np.arange(shape.months) - (shape.months - 1)) / 12
    nothing = np.zeros(runs)
    trend = design.get(("arrival.trend", ()), nothing)
    season = [design.get(("arrival.season", (calendar.month_name[day.month].lower(),)), nothing) for day in months]
    factor = np.exp(trend[:, None] * years + np.column_stack(season))
    level = np.column_stack([design["arrival.plan", (name,)] for name in shape.opening_cents])
    return np.asarray(level[:, :, None] * factor[:, None, :])
