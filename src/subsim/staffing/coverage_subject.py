"""Whose coverage is in question: a segment, the tier that takes it, the team at stake, and what counts as small."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from subsim.errors import InputError
from subsim.experiment.build import build
from subsim.scenario import Scenario
from subsim.staffing.budget import seat_cost_a_year


@dataclass(frozen=True)
class Subject:
    """Whose coverage is in question: the accounts of a segment in the tier that takes all of them that no band does."""

    scenario: Scenario
    segment: str
    tier: str
    team: str
    threshold_cents: int

    @property
    def seats(self) -> int:
        """Seats that the team has today."""
        return self.scenario.teams[self.team].seats

    @property
    def served(self) -> bool:
        """Whether people serve these accounts today."""
        return self.scenario.tiers[self.tier].team is not None

    @property
    def seat_cost(self) -> float:
        """Cost of one of them a year."""
        return seat_cost_a_year(self.scenario, self.team)


def subject_of(scenario: Scenario, segment: str | None, team: str | None, threshold_cents: int | None) -> Subject:
    """The segment named, or the first one that people serve, with its tier, team and threshold.

    Without a threshold it is the median ARR of the opening accounts in question, to the next 1,000.

    Raises:
        InputError: an unknown segment or team, a segment that nobody serves, or no accounts to take a median of.
    """
    if segment is None:
        served = [name for name in scenario.segments if scenario.tiers[_main_tier(scenario, name)].team]
        if not served:
            allowed = "a scenario in which a team serves a segment"
            raise InputError(where="segment", found="none that people serve", allowed=allowed)
        segment = served[0]
    known_name("segment", segment, scenario.segments)
    tier = _main_tier(scenario, segment)
    if team is None:
        team = scenario.tiers[tier].team
    if team is None:
        allowed = ", ".join(scenario.teams) or "none: the scenario has no teams"
        found = f"nobody serves {segment} (tier {tier} is digital)"
        raise InputError(where="team", found=found, allowed=allowed, do="Name the team that would.")
    known_name("team", team, scenario.teams)
    cents = _median_arr(scenario, segment, tier) if threshold_cents is None else threshold_cents
    return Subject(scenario, segment, tier, team, cents)


def known_name(what: str, name: str, known: Collection[str]) -> None:
    """Refuse a name that is not among those known, with the nearest one."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        do = f"did you mean {near[0]}?" if near else ""
        raise InputError(where=what, found=repr(name), allowed=", ".join(known) or f"none: no {what}", do=do)


def _main_tier(scenario: Scenario, segment: str) -> str:
    return next(rule.to for rule in scenario.routing if rule.only_segment and rule.segment in (None, segment))


def _median_arr(scenario: Scenario, segment: str, tier: str) -> int:
    setup = build(scenario, draws=1, seed=0, fixed_parameters=True)
    place = setup.segment_names.index(segment)
    arr = [int(row.arr) for row in setup.world.opening if row.segment == place and row.arr > 0]
    inside = [cents for cents in arr if _tier_by_size(scenario, segment, cents) == tier]
    if not inside:
        found = f"no opening accounts of {segment} in {tier}"
        raise InputError(where="threshold", found=found, allowed="an amount of ARR, such as $25k")
    return round(float(np.median(inside)) / 100_000) * 100_000 or int(np.median(inside))


def _tier_by_size(scenario: Scenario, segment: str, cents: int) -> str:
    """Tier of an account by segment and ARR; rules about scores and stages are passed over."""
    for rule in scenario.routing:
        low, high = rule.arr_from or 0, cents + 1 if rule.arr_below is None else rule.arr_below
        if rule.segment in (None, segment) and low <= cents < high and rule.score_below is None and rule.stage is None:
            return rule.to
    return _main_tier(scenario, segment)
