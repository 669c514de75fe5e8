"""Ready-made plans of coverage with their seats solved for the same money."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Final

from subsim.engine.metrics import TEAM
from subsim.errors import InputError
from subsim.experiment.run import run
from subsim.scenario import Scenario
from subsim.staffing.budget import budget_a_year
from subsim.staffing.coverage_subject import Subject, known_name
from subsim.staffing.coverage_variants import tier_name, variant
from subsim.staffing.touch_models import MODELS, TouchModel

PILOT_DRAWS: Final = 6  # of the demand that stays with a team when accounts leave it; parameters at their centres
PILOT_MONTHS: Final = 12


class TooLittle(InputError):
    """A budget that leaves a plan without anybody."""


@dataclass(frozen=True)
class Plan:
    """A way to cover the segment: its scenario and its budget a year against the one that all plans share."""

    name: str
    title: str
    scenario: Scenario
    budget: float
    """Seats and sends for a year at stated prices."""
    gap: float
    """Budget less the shared one: what rounding to whole seats leaves, or what the plan saves."""
    unit_cost: float
    """Cost of the seat that was solved for; 0 where nothing was."""

    @property
    def equal(self) -> bool:
        """Whether the plan costs the same within one seat."""
        return abs(self.gap) <= max(self.unit_cost, 1.0)


def plan_of(subject: Subject, name: str, *, budget: float, rep_cost: float, seed: int) -> Plan:
    """A ready-made plan with its seats solved so that it costs the budget, to within half a seat where it can.

    Raises:
        InputError: an unknown name, or a budget that is too small for it.
    """
    known_name("plan", name, MODELS)
    model = MODELS[name]
    if name == "today":
        cost = budget_a_year(subject.scenario)
        return Plan(name, model.title, subject.scenario.replace(name=model.title), cost, cost - budget, 0.0)
    seats, reps, unit = subject.seats, 0, subject.seat_cost
    money = "team" if model.money == "saved" and not subject.served else model.money  # nothing to give up
    if money == "team":
        seats += _rounded((budget - _cost(subject, model, seats, reps, rep_cost)) / unit)
    else:
        stays = _share_that_stays(subject, model, rep_cost, seed)
        seats = max(int(stays > 0 < seats), _rounded(seats * stays))  # somebody stays where work does
        unit = rep_cost if money == "representatives" else 0.0
        left = budget - _cost(subject, model, seats, reps, rep_cost)
        reps = _rounded(left / rep_cost) if money == "representatives" else 0
    solved = {"team": seats, "representatives": reps, "saved": 1}[money]
    if solved < 1:
        least = budget + unit * (1 - solved)
        raise TooLittle(where=model.title, found=f"{budget:,.0f} a year", allowed=f"about {least:,.0f} a year")
    if not model.parts and not model.first and seats == subject.seats:
        least = budget_a_year(subject.scenario) + unit
        raise TooLittle(where=model.title, found=f"{budget:,.0f} a year", allowed=f"about {least:,.0f} a year")
    scenario = variant(subject, model, seats, reps, rep_cost)
    cost = budget_a_year(scenario)
    return Plan(name, model.title, scenario, cost, cost - budget, unit)


def changes_nothing(subject: Subject, plan: Plan) -> bool:
    """Whether a ready-made plan serves the segment just as it is served today."""
    model, now = MODELS[plan.name], subject.scenario
    if plan.name == "today":
        return False
    if model.programme or model.first or plan.scenario.teams[subject.team].seats != subject.seats:
        return False
    today = now.tiers[subject.tier].model_dump(exclude={"title"})
    new = [plan.scenario.tiers[tier_name(subject, part)].model_dump(exclude={"title"}) for part in model.parts]
    return all(one == today for one in new) and not any(part.priority for part in model.parts)


def _rounded(value: float) -> int:
    return floor(value + 0.5)


def _cost(subject: Subject, model: TouchModel, seats: int, reps: int, rep_cost: float) -> float:
    return budget_a_year(variant(subject, model, seats, reps, rep_cost))


def _share_that_stays(subject: Subject, model: TouchModel, rep_cost: float, seed: int) -> float:
    """Share of the team's hours of work that other accounts still ask for, in the first year, on a few draws."""
    here = subject.scenario.replace(name="here")
    gone = variant(subject, model, subject.seats, 0, rep_cost).replace(name="gone")
    runs = run([here, gone], draws=PILOT_DRAWS, seed=seed, fixed_parameters=True)
    hours = []
    for name in ("here", "gone"):
        outcome = runs.outcome(name)
        team = outcome.setup.team_names.index(subject.team)
        hours.append(float(outcome.cube.teams[:, :PILOT_MONTHS, team, TEAM.index("minutes_demanded")].sum()))
    return min(1.0, hours[1] / hours[0]) if hours[0] > 0 else 0.0
