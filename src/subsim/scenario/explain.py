"""What a scenario will do, in words and a calendar, before anything runs."""

from __future__ import annotations

from subsim import units
from subsim.model.catalogue import parameter
from subsim.scenario.effects import Carrier, carriers
from subsim.scenario.levers import (
    Cadence,
    CampaignSwitch,
    Hire,
    Leave,
    Lever,
    Price,
    Qualify,
    Route,
    Scale,
    ScoreNoise,
)
from subsim.scenario.models import Assumption, Rule, Scenario, Team, Tier
from subsim.scenario.values import row_of, write_value


def explain(scenario: Scenario) -> str:
    """The scenario in words: base, routing, tiers and teams with their hours a year, dated levers."""
    end = units.add_months(scenario.start, scenario.horizon_months)
    base = f"the book {scenario.book}" if scenario.book else "an opening base made from the segments"
    head = [scenario.name, *([scenario.question] if scenario.question else [])]
    span = f"{scenario.start} to {end} ({scenario.horizon_months} months)"
    head.append(f"From {span}, in {scenario.currency}, on {base}.")
    parts = {
        "Segments": _segments(scenario),
        "Routing (the first rule that fits)": [_rule(rule) for rule in scenario.routing],
        "Tiers": [line for name in scenario.tiers for line in _tier(scenario, name)],
        "Teams": [_team(scenario, team) for team in scenario.teams.values()],
        "Campaigns": _campaigns(scenario),
        "Policies": _policies(scenario),
        "Assumptions overridden": [_assumption(item) for item in scenario.assumptions],
        "Effects that the levers work through": [_carrier(each) for each in carriers(scenario)],
        "Calendar": calendar(scenario),
    }
    lines = [*head]
    for title, body in parts.items():
        if body:
            lines += ["", title, *(f"  {line}" for line in body)]
    return "\n".join(lines)


def _carrier(each: Carrier) -> str:
    return f"{each.parameter}{f' of {each.of}' if each.of else ''}: {each.kind}, {each.statement}"


def calendar(scenario: Scenario) -> list[str]:
    """The dated levers in order, one line each; those after the horizon say that they have no effect."""
    end = units.add_months(scenario.start, scenario.horizon_months)
    lines = []
    for lever in sorted(scenario.levers, key=lambda lever: lever.date):
        late = " (after the horizon: no effect)" if lever.date >= end else ""
        lines.append(f"{lever.date}  {lever_text(lever)}{late}")
    return lines or ["no levers: nothing changes"]


def calendar_hours(scenario: Scenario, tier: Tier) -> float:
    """Hours per account-year that a tier's touches need, with the catalogue's mean hours per item."""
    hours = 0.0
    for touch, every in tier.touches.items():
        hours += _item_hours(scenario, touch) * units.YEAR_DAYS / every
    return hours


def lever_text(lever: Lever) -> str:
    """One lever in words, without its date."""
    match lever:
        case Hire():
            ramp = "" if lever.ramp is None else f", at full hours after {units.days_text(lever.ramp)}"
            text = f"{lever.team} gains {_count(lever.seats, 'seat')}{ramp}"
        case Leave():
            text = f"{lever.team} loses {_count(lever.seats, 'seat')}"
        case Route():
            text = f"{lever.segment}{_band(lever.arr_from, lever.arr_below)} moves to {lever.to}"
        case Scale():
            text = _scale_text(lever)
        case Cadence():
            text = f"{lever.touch} in {lever.tier} comes every {units.days_text(lever.every)}"
        case Price():
            text = f"renewals of {lever.segment} raise the price by {_percent(lever.uplift)}"
        case Qualify():
            text = f"deals of {lever.segment} with observed fit below {lever.threshold:g} are declined"
        case CampaignSwitch():
            text = f"the campaign {lever.campaign} {'runs' if lever.run else 'stops'}"
        case ScoreNoise():
            text = f"the health score's error becomes {lever.noise:g}"
        case _:
            text = f"the plan of new business of {lever.segment} is multiplied by {lever.by:g}"
    return text


def _scale_text(lever: Scale) -> str:
    chosen = (*lever.segments, *lever.tiers, *lever.work, *lever.teams, *lever.campaigns)
    target = f" of {', '.join(chosen)}" if chosen else ""
    phase = f", growing over {units.days_text(lever.phase_in)}" if lever.phase_in else ""
    because = f" (overrides an estimate, because: {lever.because})" if lever.because else ""
    return f"{lever.parameter}{target} is multiplied by {lever.by:g}{phase}{because}"


def _segments(scenario: Scenario) -> list[str]:
    lines = []
    for name, segment in scenario.segments.items():
        plan = sum(segment.new_business.monthly(scenario.start, scenario.horizon_months))
        from_file = not segment.new_business.model_fields_set and scenario.parameters_file
        new = (
            f"new logos as {scenario.parameters_file} plans them"
            if from_file
            else f"{plan:,.0f} new logos planned over the horizon"
        )
        opening = f", opens with {segment.opening.accounts:,} accounts" if segment.opening else ""
        lines.append(f"{name} ({segment.title}): {new}{opening}")
    return lines


def _rule(rule: Rule) -> str:
    stage = "" if rule.stage is None else f" in {rule.stage}" if rule.stage == "onboarding" else " after first value"
    score = "" if rule.score_below is None else f" with a score below {rule.score_below:g}"
    who = rule.segment or ("every account" if rule.only_segment else "accounts")
    return f"{who}{_band(rule.arr_from, rule.arr_below)}{stage}{score} -> {rule.to}"


def _band(low: int | None, high: int | None) -> str:
    above = "" if low is None else f" from {units.money_text(low)} ARR"
    below = "" if high is None else f" under {units.money_text(high)} ARR"
    return above + below


def _tier(scenario: Scenario, name: str) -> list[str]:
    tier = scenario.tiers[name]
    people = f", served by {tier.team}" if tier.team else ""
    onboarding = tier.onboarding_team or tier.team or "the customer alone"
    lines = [f"{name}: {tier.coverage}{people}; onboarding by {onboarding}"]
    if tier.touches:
        each = ", ".join(f"{touch} every {units.days_text(every)}" for touch, every in tier.touches.items())
        lines.append(f"  calendar of {calendar_hours(scenario, tier):.1f} hours per account-year: {each}")
    if tier.playbooks:
        each = ", ".join(f"{playbook} ({_item_hours(scenario, playbook):g} h)" for playbook in tier.playbooks)
        lines.append(f"  when signals call for it: {each}")
    return lines


def _item_hours(scenario: Scenario, work: str) -> float:
    decided = scenario.work.get(work)
    if decided is not None and decided.hours is not None:
        return decided.hours
    assumed = [
        item.value for item in scenario.assumptions if item.parameter == "work.hours" and item.work in (None, work)
    ]
    return assumed[-1] if assumed else parameter("work.hours").value_for(work)


def _team(scenario: Scenario, team: Team) -> str:
    hours = parameter("seat.effective_hours").value if team.effective_hours is None else team.effective_hours
    hours *= 1.0 if team.hours_factor is None else team.hours_factor
    cost = round(parameter("seat.cost").value * 100) if team.cost is None else team.cost
    total = units.money_text(cost * team.seats)
    return (
        f"{team.title}: {_count(team.seats, 'seat')}, {hours * team.seats:,.0f} customer hours a year when ramped, "
        f"{total} {scenario.currency} a year"
    )


def _campaigns(scenario: Scenario) -> list[str]:
    lines = []
    for name, campaign in scenario.campaigns.items():
        state = "" if campaign.run else " (not running at the start)"
        lines.append(f"{name}: every {units.days_text(campaign.every)} to {', '.join(campaign.tiers)}{state}")
    return lines


def _policies(scenario: Scenario) -> list[str]:
    policies = scenario.policies
    lines = [f"price uplift of {name}: {_percent(share)}" for name, share in policies.price_uplift.items()]
    lines += [f"fit needed in {name}: {fit:g}" for name, fit in policies.qualification_threshold.items()]
    if policies.score_noise is not None:
        lines.append(f"error of the health score: {policies.score_noise:g}")
    if policies.renewal_notice is not None:
        lines.append(f"renewal preparation starts {units.days_text(policies.renewal_notice)} before term end")
    if policies.save_concession is not None:
        lines.append(f"a successful save costs {_percent(policies.save_concession)} of ARR")
    return lines


def _assumption(item: Assumption) -> str:
    row = row_of(item.parameter)
    target = f" of {', '.join(item.keys.values())}" if item.keys else ""
    usual = write_value(row, row.value_for(*item.keys.values()))
    because = f", because: {item.because}" if item.because else ""
    return f"{row.name}{target} ({row.label}) is {write_value(row, item.value)} instead of {usual}{because}"


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
