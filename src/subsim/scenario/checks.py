"""Checks that need more than one part of a scenario: names that must exist, dates in order, seats that add up."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subsim import units
from subsim.model.catalogue import SIZES, parameter
from subsim.scenario.levers import (
    OWN_LEVER,
    SCALABLE,
    Cadence,
    CampaignSwitch,
    Hire,
    Leave,
    Lever,
    Plan,
    Price,
    Qualify,
    Route,
    Scale,
)
from subsim.scenario.roles import OVERLOAD, ROLES, known_touches

if TYPE_CHECKING:
    from subsim.scenario.effects import Effect
    from subsim.scenario.models import Assumption, Scenario, Tier

#: Parameters that a scenario sets under a key of its own, so that `assumptions` is not a second way to do the same.
OWN_KEY = {
    "arrival.qualification_threshold": "policies.qualification_threshold",
    "renewal.price_uplift": "policies.price_uplift",
    "renewal.notice_days": "policies.renewal_notice",
    "score.noise": "policies.score_noise",
    "playbook.save_concession": "policies.save_concession",
    "touch.cadence": "tiers.<tier>.touches",
    "playbook.on": "tiers.<tier>.playbooks",
    "coverage.overflow": "tiers.<tier>.overflow",
    "work.deadline": "work.<type>.deadline",
    "work.priority": "work.<type>.priority",
    "work.overload": "work.<type>.overload",
    "campaign.every": "campaigns.<campaign>.every",
    "campaign.on": "campaigns.<campaign>.run",
    "campaign.cost": "campaigns.<campaign>.cost",
    "campaign.tier": "campaigns.<campaign>.tiers",
    "seat.hours_factor": "teams.<team>.hours_factor",
    "seat.ramp_days": "teams.<team>.ramp",
    "seat.hiring_lag": "teams.<team>.hiring_lag",
    "seat.backfill": "teams.<team>.backfill",
    "seat.cost": "teams.<team>.cost",
    "overtime.cap": "teams.<team>.overtime_cap",
}

_DIMENSIONS = {"segments": "segment", "tiers": "tier", "work": "work", "teams": "team", "campaigns": "campaign"}


@dataclass(frozen=True)
class Problem:
    """One thing that does not fit, with the path to it."""

    path: tuple[str | int, ...]
    found: str
    allowed: str
    do: str = ""


def problems_of(scenario: Scenario) -> list[Problem]:
    """Everything in a scenario whose parts do not fit together, in the order of the file."""
    return [
        *_sizes(scenario),
        *_base(scenario),
        *_plans(scenario),
        *_routing(scenario),
        *_tiers(scenario),
        *_work(scenario),
        *_campaigns(scenario),
        *_policies(scenario),
        *_assumptions(scenario),
        *_levers(scenario),
        *_seats(scenario),
    ]


def names(scenario: Scenario) -> dict[str, Collection[str]]:
    """The names that exist in each dimension."""
    return {
        "segment": scenario.segments,
        "tier": scenario.tiers,
        "work": scenario.work_types,
        "team": scenario.teams,
        "campaign": scenario.campaigns,
    }


def _missing(path: tuple[str | int, ...], what: str, name: str | None, known: Collection[str]) -> Iterator[Problem]:
    if name is not None and name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        listed = ", ".join(known) or f"none: the scenario has no {what}"
        yield Problem(path, f"the unknown {what} {name!r}", listed, f"did you mean {near[0]}?" if near else "")


def _sizes(scenario: Scenario) -> Iterator[Problem]:
    rooms = {"segment": "segments", "tier": "tiers", "work": "work", "team": "teams", "campaign": "campaigns"}
    for dimension, known in names(scenario).items():
        if len(known) > SIZES[dimension]:
            found = f"{len(known)} {'types of work' if dimension == 'work' else rooms[dimension]}"
            note = f" ({len(ROLES)} of them are the model's own)" if dimension == "work" else ""
            yield Problem((rooms[dimension],), found, f"at most {SIZES[dimension]}{note}")
    for room in ("segments", "tiers", "routing"):
        if not getattr(scenario, room):
            yield Problem((room,), f"no {room}", "at least one")


def _base(scenario: Scenario) -> Iterator[Problem]:
    openings = [name for name, segment in scenario.segments.items() if segment.opening]
    if scenario.book is None:
        if not openings:
            yield Problem(("segments",), "no book and no opening", "book: a folder, or opening: {accounts, tenure}")
        if scenario.as_of:
            yield Problem(("as_of",), "as_of without a book", "as_of only with book", "remove as_of, or name a book")
        return
    for name in openings:
        allowed = "the opening base from the book alone"
        yield Problem(("segments", name, "opening"), "an opening beside a book", allowed, "remove one of them")
    if scenario.as_of and scenario.start != scenario.as_of + dt.timedelta(days=1):
        yield Problem(("start",), str(scenario.start), f"the day after as_of: {scenario.as_of + dt.timedelta(days=1)}")


def _plans(scenario: Scenario) -> Iterator[Problem]:
    horizon = scenario.horizon_months
    for name, segment in scenario.segments.items():
        plan = segment.new_business
        path = ("segments", name, "new_business")
        if len(plan.plan) not in (1, 12) and len(plan.plan) < horizon:
            allowed = f"1, 12 or at least {horizon} numbers (one for each month of the horizon)"
            yield Problem((*path, "plan"), f"{len(plan.plan)} numbers", allowed)
        elif len(plan.season) in (0, 12) and plan.envelope is not None:
            peak = max(plan.monthly(scenario.start, horizon))
            if plan.envelope < peak:
                allowed = f"at least the highest month of the plan, {units.number_text(peak)}"
                yield Problem((*path, "envelope"), units.number_text(plan.envelope), allowed)
        if len(plan.season) not in (0, 12):
            yield Problem((*path, "season"), f"{len(plan.season)} numbers", "12 numbers, January first")


def _routing(scenario: Scenario) -> Iterator[Problem]:
    open_segments = dict.fromkeys(scenario.segments)
    for place, rule in enumerate(scenario.routing):
        path = ("routing", place)
        yield from _missing((*path, "to"), "tier", rule.to, scenario.tiers)
        yield from _missing((*path, "segment"), "segment", rule.segment, scenario.segments)
        yield from _band(path, rule.arr_from, rule.arr_below)
        if not open_segments or (rule.segment in scenario.segments and rule.segment not in open_segments):
            yield Problem(path, "a rule that no account reaches", "rules before the one that takes every account")
        if rule.only_segment:
            for name in [rule.segment] if rule.segment else list(open_segments):
                open_segments.pop(name, None)
    misspelt = any(rule.segment is not None and rule.segment not in scenario.segments for rule in scenario.routing)
    if open_segments and scenario.routing and not misspelt:
        found = f"no rule for every account of {', '.join(open_segments)}"
        yield Problem(("routing",), found, "a last rule without conditions", "add - {to: <tier>} at the end")


def _band(path: tuple[str | int, ...], low: int | None, high: int | None) -> Iterator[Problem]:
    if low is not None and high is not None and low >= high:
        found = f"arr_from {units.money_text(low)} and arr_below {units.money_text(high)}"
        yield Problem(path, found, "arr_from smaller than arr_below")


def _tiers(scenario: Scenario) -> Iterator[Problem]:
    for name, tier in scenario.tiers.items():
        path = ("tiers", name)
        for key in ("team", "onboarding_team", "support_team"):
            yield from _missing((*path, key), "team", getattr(tier, key), scenario.teams)
        yield from _coverage(path, tier)
        for touch, every in tier.touches.items():
            at = (*path, "touches", touch)
            yield from _touch(scenario, at, touch)
            yield from _deadline_fits(scenario, at, touch, every)


def _coverage(path: tuple[str | int, ...], tier: Tier) -> Iterator[Problem]:
    if tier.coverage == "digital":
        if tier.team is not None:
            yield Problem((*path, "team"), f"team {tier.team} in a digital tier", "no team", "or use coverage: pooled")
        if tier.touches:
            do = "use campaigns, or coverage: pooled"
            yield Problem((*path, "touches"), "touches in a digital tier", "none: nobody makes them", do)
        manual = [playbook for playbook in tier.playbooks if playbook != "ticket"]
        if manual:
            found = f"the playbooks {', '.join(manual)} in a digital tier"
            yield Problem((*path, "playbooks"), found, "only ticket: nobody runs the others")
    elif tier.team is None:
        yield Problem(path, f"no team in a {tier.coverage} tier", "team: one of the teams")
    if tier.overflow is not None and tier.coverage != "hybrid":
        yield Problem((*path, "overflow"), f"overflow in a {tier.coverage} tier", "overflow only with coverage: hybrid")
    if len(set(tier.playbooks)) < len(tier.playbooks):
        yield Problem((*path, "playbooks"), "a playbook listed twice", "each playbook once")
    if ("ticket" in tier.playbooks) != (tier.support_team is not None):
        found = "the playbook ticket alone" if "ticket" in tier.playbooks else "support_team alone"
        yield Problem(path, found, "support_team and the playbook ticket together")


def _touch(scenario: Scenario, path: tuple[str | int, ...], touch: str) -> Iterator[Problem]:
    if touch in ROLES:
        yield Problem(path, f"{touch} as a touch", "touches of the calendar", f"list {touch} under playbooks")
    elif touch not in scenario.work:
        yield from _missing(path, "touch", touch, (*known_touches(), *(w for w in scenario.work if w not in ROLES)))


def _deadline_fits(scenario: Scenario, path: tuple[str | int, ...], touch: str, every: float) -> Iterator[Problem]:
    """An expiring touch must be due before the next one of its kind is raised."""
    decided = scenario.work.get(touch)
    overload = decided.overload if decided else None
    if (overload or OVERLOAD[int(parameter("work.overload").value_for(touch))]) != "expire":
        return
    deadline = decided.deadline if decided and decided.deadline is not None else None
    deadline = parameter("work.deadline").value_for(touch) if deadline is None else deadline
    if deadline > every:
        found = f"every {units.days_text(every)}, due after {units.days_text(deadline)}"
        do = f"shorten work.{touch}.deadline, or let it wait (overload: wait)"
        yield Problem(path, found, "a deadline no longer than the cadence", do)


def _work(scenario: Scenario) -> Iterator[Problem]:
    known = (*ROLES, *known_touches())
    for name, work in scenario.work.items():
        path = ("work", name)
        if name not in known and work.hours is None:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            do = f"did you mean {near[0]}? A new type of work needs hours: 1 hour" if near else "add hours: 1 hour"
            yield Problem(path, f"the new type of work {name!r} without hours", "hours for a new type", do)
        if name in known:
            for key in ("hours", "lift"):
                if getattr(work, key) is not None:
                    do = f"set work.{key} under assumptions, with because"
                    yield Problem((*path, key), f"{key} of {name}", "decisions only: this number is estimated", do)


def _campaigns(scenario: Scenario) -> Iterator[Problem]:
    for name, campaign in scenario.campaigns.items():
        if not campaign.tiers:
            yield Problem(("campaigns", name, "tiers"), "no tier", "at least one tier")
        for place, tier in enumerate(campaign.tiers):
            yield from _missing(("campaigns", name, "tiers", place), "tier", tier, scenario.tiers)


def _policies(scenario: Scenario) -> Iterator[Problem]:
    for key in ("price_uplift", "qualification_threshold"):
        for name in getattr(scenario.policies, key):
            yield from _missing(("policies", key, name), "segment", name, scenario.segments)


def _assumptions(scenario: Scenario) -> Iterator[Problem]:
    seen: dict[tuple[object, ...], int] = {}
    for place, item in enumerate(scenario.assumptions):
        path = ("assumptions", place)
        yield from selected(scenario, path, item)
        row = parameter(item.parameter)
        if row.name in OWN_KEY:
            yield Problem((*path, "parameter"), row.name, f"the key {OWN_KEY[row.name]}", "set it there")
        elif row.label != "lever" and item.because is None:
            found = f"no because for {row.name} ({row.label})"
            yield Problem(path, found, "because: the reason for overriding it")
        key = (item.parameter, *sorted(item.keys.items()))
        if key in seen:
            yield Problem(
                path, f"{item.parameter} a second time", f"each number once (first in assumptions[{seen[key]}])"
            )
        seen.setdefault(key, place)


def selected(scenario: Scenario, path: tuple[str | int, ...], item: Assumption | Effect) -> Iterator[Problem]:
    """What is wrong with the names that pick one cell of a parameter."""
    row = parameter(item.parameter)
    for dimension, name in item.keys.items():
        if dimension in row.by:
            yield from _missing((*path, dimension), dimension, name, names(scenario)[dimension])
        else:
            yield Problem((*path, dimension), f"{row.name} for one {dimension}", _by(row.by))


def _by(by: tuple[str, ...]) -> str:
    return f"a choice of {' and '.join(by)}" if by else "one number for the whole company"


def _levers(scenario: Scenario) -> Iterator[Problem]:
    for place, lever in enumerate(scenario.levers):
        path = ("levers", place, lever.kind)
        if lever.date < scenario.start:
            key = type(lever).model_fields["date"].alias or "date"
            yield Problem((*path, key), f"the date {lever.date}", f"the scenario's start ({scenario.start}) or later")
        yield from _references(scenario, path, lever)
        if isinstance(lever, Route):
            yield from _band(path, lever.arr_from, lever.arr_below)
        if isinstance(lever, Scale):
            yield from _scale(scenario, path, lever)
        if isinstance(lever, Cadence) and lever.tier in scenario.tiers:
            yield from _new_cadence(scenario, path, lever)


def _references(scenario: Scenario, path: tuple[str | int, ...], lever: Lever) -> Iterator[Problem]:
    if isinstance(lever, (Hire, Leave)):
        yield from _missing((*path, "team"), "team", lever.team, scenario.teams)
    if isinstance(lever, (Route, Price, Qualify, Plan)):
        yield from _missing((*path, "segment"), "segment", lever.segment, scenario.segments)
    if isinstance(lever, Route):
        yield from _missing((*path, "to"), "tier", lever.to, scenario.tiers)
    if isinstance(lever, Cadence):
        yield from _missing((*path, "tier"), "tier", lever.tier, scenario.tiers)
    if isinstance(lever, CampaignSwitch):
        yield from _missing((*path, "campaign"), "campaign", lever.campaign, scenario.campaigns)


def _new_cadence(scenario: Scenario, path: tuple[str | int, ...], lever: Cadence) -> Iterator[Problem]:
    if scenario.tiers[lever.tier].coverage == "digital":
        yield Problem((*path, "tier"), f"a touch in the digital tier {lever.tier}", "a tier with a team")
    yield from _touch(scenario, (*path, "touch"), lever.touch)
    yield from _deadline_fits(scenario, (*path, "every"), lever.touch, lever.every)


def _scale(scenario: Scenario, path: tuple[str | int, ...], lever: Scale) -> Iterator[Problem]:
    row = parameter(lever.parameter)
    if row.name in OWN_LEVER:
        yield Problem((*path, "parameter"), row.name, f"the lever {OWN_LEVER[row.name]}", "use that lever")
    elif row.unit in ("switch", "policy"):
        yield Problem((*path, "parameter"), f"{row.name}, a {row.unit}", "a parameter that is a quantity")
    elif row.label != "lever" and row.name not in SCALABLE and lever.because is None:
        found = f"no because for {row.name} ({row.label})"
        yield Problem(path, found, "a lever, or because: the reason for overriding it")
    for key, dimension in _DIMENSIONS.items():
        chosen = getattr(lever, key)
        if chosen and dimension not in row.by:
            yield Problem((*path, key), f"{row.name} for some {key}", _by(row.by))
            continue
        for place, name in enumerate(chosen):
            yield from _missing((*path, key, place), dimension, name, names(scenario)[dimension])


def _seats(scenario: Scenario) -> Iterator[Problem]:
    """Seats may not leave that are not there; on one day hires come before leavers."""
    seats = {name: team.seats for name, team in scenario.teams.items()}
    moves = [
        (lever.date, isinstance(lever, Leave), place, lever)
        for place, lever in enumerate(scenario.levers)
        if isinstance(lever, (Hire, Leave)) and lever.team in seats
    ]
    for date, leaves, place, lever in sorted(moves, key=lambda move: move[:3]):
        if leaves and lever.seats > seats[lever.team]:
            found = f"{lever.seats} leave {lever.team} on {date}"
            allowed = f"at most the seats it has then: {seats[lever.team]}"
            yield Problem(("levers", place, "leave", "seats"), found, allowed)
            continue
        seats[lever.team] += -lever.seats if leaves else lever.seats
