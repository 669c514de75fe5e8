"""The plan of new business: what the scenario says, else a posterior, else the parameter file."""

from __future__ import annotations

import calendar
from typing import Any

import numpy as np

from subsim.experiment.parameters import PLAN, Floats, Learned, Names, parameter_rows
from subsim.model import slots
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario
from subsim.units import add_months


def plan_of(scenario: Scenario, posterior: Learned | None = None) -> Any:
    """float64[segments, months]: new logos in each calendar month.

    A segment without a plan of its own takes the posterior's: the median level at the book's end, and the season. The
    growth of the past is not carried on; who believes in it writes it into the plan. Without a posterior it takes the
    parameter file's plan, if there is one.
    """
    filed = {row.get("segment"): float(row["value"]) for row in parameter_rows(scenario) if row["parameter"] == PLAN}
    plan = np.array(
        [
            segment.new_business.monthly(scenario.start, scenario.horizon_months)
            for segment in scenario.segments.values()
        ],
        np.float64,
    )
    for i, (name, segment) in enumerate(scenario.segments.items()):
        if "new_business" in segment.model_fields_set:
            continue
        level = None if posterior is None else posterior.values(PLAN, (name,))
        if posterior is not None and level is not None:
            plan[i] = np.median(level) * _season(scenario, posterior)
        elif name in filed:
            plan[i] = filed[name]
    return plan


def plan_scales(scenario: Scenario, names: Names, posterior: Learned, draws: int) -> Floats:
    """float64[draws, LENGTH]: where the plan is the posterior's, each draw's level over the median; ones elsewhere."""
    scales = np.ones((draws, slots.LENGTH))
    chosen = posterior.order(draws)
    for name, segment in scenario.segments.items():
        level = posterior.values(PLAN, (name,))
        if level is not None and "new_business" not in segment.model_fields_set:
            (place,) = names.index(parameter("arrival.plan_scale"), {"segment": name})
            scales[:, place] = level[chosen] / np.median(level)
    return scales


def _season(scenario: Scenario, posterior: Learned) -> Floats:
    """Factor of each month of the horizon: the posterior mean of its season, 1 where none was learned."""
    factors = np.ones(scenario.horizon_months)
    for month in range(scenario.horizon_months):
        name = calendar.month_name[add_months(scenario.start, month).month].lower()
        season = posterior.values("arrival.season", (name,))
        if season is not None:
            factors[month] = float(np.exp(season).mean())
    return factors
