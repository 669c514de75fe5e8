"""What a plan is budgeted to cost in a year: seats and sends at their stated price, before anybody leaves."""

from __future__ import annotations

from subsim.model.catalogue import parameter
from subsim.scenario import Scenario

DAYS_A_YEAR = 365.25


def seat_cost_a_year(scenario: Scenario, team: str) -> float:
    """Loaded cost of one seat in currency units: the team's own, or the catalogue's."""
    cost = scenario.teams[team].cost
    return parameter("seat.cost").value if cost is None else cost / 100


def campaign_cost_a_year(scenario: Scenario, campaign: str) -> float:
    """What a running campaign's sends cost in a year, in currency units; 0 where it does not run at the start."""
    known = scenario.campaigns[campaign]
    if not known.run:
        return 0.0
    send = parameter("campaign.cost").value if known.cost is None else known.cost / 100
    return send * DAYS_A_YEAR / known.every


def budget_a_year(scenario: Scenario) -> float:
    """Opening seats and running campaigns of a scenario for a year, in currency units; levers are not in it.

    The simulation spends less where seats stand empty after somebody has left, and more or less where levers act.
    """
    seats = sum(known.seats * seat_cost_a_year(scenario, team) for team, known in scenario.teams.items())
    return seats + sum(campaign_cost_a_year(scenario, campaign) for campaign in scenario.campaigns)
