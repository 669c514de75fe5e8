"""A scenario in which a segment is served by a touch model: tiers, routing, campaigns, priorities and teams."""

from __future__ import annotations

from typing import Any, Final

from subsim import units
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario
from subsim.staffing import touch_models
from subsim.staffing.budget import DAYS_A_YEAR
from subsim.staffing.coverage_subject import Subject
from subsim.staffing.touch_models import Part, TouchModel

REPRESENTATIVES: Final = "reps"
RENEWAL_WINDOW: Final = "90 days"


def variant(subject: Subject, model: TouchModel, seats: int, reps: int, rep_cost: float) -> Scenario:
    """The scenario of a model with so many seats in the team at stake and so many representatives."""
    facts: dict[str, Any] = subject.scenario.to_dict()
    facts["name"] = model.title
    tiers = {tier_name(subject, part): part for part in model.parts}
    facts["tiers"] = {**facts["tiers"], **{name: _tier(subject, part, model) for name, part in tiers.items()}}
    facts["teams"] = {**facts["teams"], subject.team: {**facts["teams"][subject.team], "seats": seats}}
    if model.money == "representatives":
        team = {"title": "Renewal representatives", "seats": reps, "cost": _money(rep_cost)}
        facts["teams"][REPRESENTATIVES] = team
    facts["routing"] = _routing(subject, tiers)
    facts["levers"] = _levers(subject, facts.get("levers", []), tiers, seats)
    facts["assumptions"] = _assumptions(subject, facts.get("assumptions", []), tiers)
    facts["campaigns"] = _campaigns(subject, facts.get("campaigns", {}), tiers, model)
    if model.first:
        facts["work"] = _priorities(subject.scenario, facts.get("work", {}), model.first)
    if "renewal_prep" in model.first:
        facts["policies"] = {**facts.get("policies", {}), "renewal_notice": RENEWAL_WINDOW}
    return Scenario.from_dict(facts)


def tier_name(subject: Subject, part: Part) -> str:
    """Name of the tier that a part of a model makes."""
    return f"{subject.tier}_{part.mark}"


def _money(amount: float) -> str:
    return units.money_text(round(100 * amount))


def _tier(subject: Subject, part: Part, model: TouchModel) -> dict[str, Any]:
    today = subject.scenario.tiers[subject.tier]
    old: dict[str, Any] = subject.scenario.to_dict()["tiers"][subject.tier]
    coverage = part.coverage or (today.coverage if today.team else "named")
    touches = dict(part.touches) if part.touches is not None else _calendar(subject)
    if part.cadence != 1:
        touches = {name: units.days_text(units.days(every) * part.cadence) for name, every in touches.items()}
    plays = part.plays if part.plays is not None else today.playbooks if today.team else touch_models.LOW_PLAYS
    plays = tuple(play for play in plays if play != "ticket")
    tier: dict[str, Any] = {key: old[key] for key in ("onboarding_team", "support_team") if key in old}
    tier |= {"title": f"{today.title}: {model.title}", "coverage": coverage, "touches": touches}
    tier["playbooks"] = [*plays, *(["ticket"] if today.support_team else [])]
    if part.team != "none":
        tier["team"] = REPRESENTATIVES if part.team == "representatives" else subject.team
    if coverage == "hybrid":
        tier["overflow"] = old.get("overflow", touch_models.OVERFLOW)
    return tier


def _calendar(subject: Subject) -> dict[str, Any]:
    """Today's touches of the tier in question; low touch where nobody serves it."""
    today = subject.scenario.tiers[subject.tier]
    if not today.team:
        return dict(touch_models.LOW_TOUCHES)
    return {name: units.days_text(every) for name, every in today.touches.items()}


def _routing(subject: Subject, tiers: dict[str, Part]) -> list[Any]:
    """Before each rule that brings accounts of the segment to its tier, the same rule for the new tiers."""
    rules: list[Any] = []
    for rule, facts in zip(subject.scenario.routing, subject.scenario.to_dict()["routing"], strict=True):
        if rule.to == subject.tier and rule.segment in (None, subject.segment):
            for name, part in tiers.items():
                band = _band(subject, part, rule)
                if band is not None:
                    rules.append({**facts, **band, "segment": subject.segment, "to": name})
        rules.append(facts)
    return _reached(rules, set(subject.scenario.segments))


def _reached(rules: list[Any], left: set[str]) -> list[Any]:
    """The rules without those that no account comes to, because rules before them take every account."""
    found = []
    for rule in rules:
        about = {rule["segment"]} if "segment" in rule else set(left)
        if about & left:
            found.append(rule)
        if rule.keys() <= {"segment", "to"}:
            left = left - about
    return found


def _band(subject: Subject, part: Part, rule: Any) -> dict[str, str] | None:
    """ARR limits of a part within a rule or lever; None where nothing is left between them."""
    low, high, cut = rule.arr_from, rule.arr_below, subject.threshold_cents
    if part.band == "below":
        high = cut if high is None else min(high, cut)
    elif part.band == "from":
        low = cut if low is None else max(low, cut)
    if low is not None and high is not None and low >= high:
        return None
    limits = {"arr_from": low, "arr_below": high}
    return {key: units.money_text(value) for key, value in limits.items() if value is not None}


def _levers(subject: Subject, levers: list[Any], tiers: dict[str, Part], seats: int) -> list[Any]:
    """Routes to the segment's tier lead to the new ones, its cadences hold there too; nobody joins a team given up."""
    found: list[Any] = []
    for lever, facts in zip(subject.scenario.levers, levers, strict=True):
        ((kind, body),) = facts.items()
        if kind == "route" and body["to"] == subject.tier and body["segment"] == subject.segment and tiers:
            bands = {name: _band(subject, part, lever) for name, part in tiers.items()}
            found += [{kind: {**body, **band, "to": name}} for name, band in bands.items() if band is not None]
        elif kind in ("hire", "leave") and body["team"] == subject.team and seats == 0:
            continue
        else:
            found.append(facts)
            if kind == "cadence" and body["tier"] == subject.tier:
                kept = [name for name, part in tiers.items() if part.touches is None]
                found += [{kind: {**body, "tier": name}} for name in kept]
    return found


def _assumptions(subject: Subject, rows: list[Any], tiers: dict[str, Part]) -> list[Any]:
    """What is assumed of the segment's tier is assumed of the new ones; smaller accounts stand behind."""
    ours = [row for row in rows if row.get("tier") == subject.tier and row["parameter"] != "coverage.priority"]
    copies = [{**row, "tier": name} for row in ours for name in tiers]
    behind = [
        {"parameter": "coverage.priority", "tier": name, "value": part.priority}
        for name, part in tiers.items()
        if part.priority
    ]
    return [*rows, *copies, *behind]


def _campaigns(subject: Subject, known: dict[str, Any], tiers: dict[str, Part], model: TouchModel) -> dict[str, Any]:
    """Campaigns of the segment's tier reach the new ones too; a programme costs one seat of the team a year."""
    found = {
        name: {**body, "tiers": [*body["tiers"], *(tiers if subject.tier in body["tiers"] else ())]}
        for name, body in known.items()
    }
    if model.programme:
        digital = [name for name, part in tiers.items() if part.coverage == "digital"] or list(tiers)
        sends = sum(DAYS_A_YEAR / units.days(every) for every in touch_models.PROGRAMME.values())
        cost = _money(subject.seat_cost / sends)
        for name, every in touch_models.PROGRAMME.items():
            found[f"programme_{name}"] = {"every": every, "tiers": digital, "cost": cost}
    return found


def _priorities(scenario: Scenario, known: dict[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    """All types of work of the company: these first, the others a shift behind in the order that they have today."""
    found = dict(known)
    for name in scenario.work_types:
        stated = scenario.work[name].priority if name in scenario.work else None
        today = round(parameter("work.priority").value_for(name)) if stated is None else stated
        found[name] = {**known.get(name, {}), "priority": 0 if name in first else today + touch_models.SHIFT}
    return found
