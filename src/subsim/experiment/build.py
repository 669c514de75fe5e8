"""From a declared scenario to what an engine runs: world, parameters, names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subsim import units
from subsim.engine import Setup
from subsim.engine import events as ev
from subsim.engine.state import ROUTE, SEAT, World
from subsim.errors import InputError
from subsim.experiment.dated import lever_rows, lever_text, route_levers
from subsim.experiment.new_business import plan_of, plan_scales
from subsim.experiment.opening import book_opening, made_up_opening
from subsim.experiment.parameters import Learned, Names, cells, draw_rows
from subsim.experiment.starts import Start, book_source, read_start
from subsim.model.rules.work import ROLES
from subsim.model.slots import TEAMS
from subsim.random.entities import SOURCE_LIMIT, name_entity
from subsim.scenario import Scenario
from subsim.scenario.levers import Hire

if TYPE_CHECKING:
    from subsim.book import Book

__all__ = ["Setup", "build"]

_COVERAGE = {"digital": ev.DIGITAL, "named": ev.NAMED, "pooled": ev.POOLED, "hybrid": ev.HYBRID}
_ANY_ARR = 1 << 62

#: How the start state of a book is come by: folder, last day that counts.
Reader = Callable[[Path, dt.date], Start]


def build(
    scenario: Scenario,
    *,
    draws: int,
    seed: int,
    fixed_parameters: bool = False,
    posterior: Learned | None = None,
    read: Reader = read_start,
) -> Setup:
    """Make a scenario ready to run; `read` gives the start state of its book.

    Raises:
        InputError: the book, the parameter file or the posterior cannot be used with the scenario.
    """
    names = Names(scenario)
    table = cells(scenario)
    months = np.array([0, *units.month_starts(scenario.start, scenario.horizon_months)], np.int64)
    centre = draw_rows(table, draws=1, seed=seed, fixed=True, posterior=posterior)[0]
    plan = plan_of(scenario, posterior)
    # Leads come at one rate per process month; a short calendar month takes more of them to bring its whole plan.
    per_process_month = plan * (units.MONTH_MINUTES / np.diff(months))
    seats, team_from = _seats(scenario)
    rules, lever_rules = _routes(scenario, names), route_levers(scenario, names)
    rows = draw_rows(table, draws=draws, seed=seed, fixed=fixed_parameters, posterior=posterior)
    if posterior is not None and not fixed_parameters:
        rows *= plan_scales(scenario, names, posterior, draws)
    source = book_source(scenario)
    book = None if source is None else read(*source)
    start = made_up_opening(scenario, names, centre) if book is None else book_opening(scenario, names, book)
    world = World(
        opening=start.rows.view(np.recarray),
        opening_history=start.history,
        opening_touches=start.touches,
        opening_readings=start.readings,
        opening_read_at=start.read_at,
        done_from=start.done_from,
        done_at=start.done_at,
        done_work=start.done_work,
        lost_history=start.lost,
        lost_logos=start.lost_logos,
        seats=seats.view(np.recarray),
        team_from=team_from,
        levers=lever_rows(scenario, names).view(np.recarray),
        routes=np.concatenate([lever_rules, rules]).view(np.recarray),
        plan=per_process_month,
        envelope=_envelope(scenario, plan),
        sources=_sources(names),
        work_key=_keys("work", names.work),
        work_role=np.array([ROLES.index(name) if name in ROLES else 0 for name in names.work], np.int64),
        work_of_role=np.array([names.work.index(role) if role in names.work else -1 for role in ROLES], np.int64),
        work_team=_work_team(scenario, names),
        tier_team=np.array([_team(names, tier.team) for tier in scenario.tiers.values()], np.int64),
        coverage=np.array([_COVERAGE[tier.coverage] for tier in scenario.tiers.values()], np.int64),
        campaign_key=_keys("campaign", names.campaign),
        months=months,
        first_day=scenario.start.toordinal(),
        n_work=len(names.work),
        n_campaigns=len(names.campaign),
    )
    ends = [scenario.start + dt.timedelta(minutes=int(t)) - dt.timedelta(days=1) for t in months[1:]]
    return Setup(
        world=world,
        parameters=rows,
        segment_names=names.segment,
        team_names=names.team,
        tier_names=names.tier,
        work_names=names.work,
        campaign_names=names.campaign,
        lever_names=lever_text(scenario),
        start=scenario.start,
        month_ends=tuple(ends),
        account_ids=start.account_ids,
        expected_arrivals=float(plan.sum()),
        book_fingerprint=None if book is None else book.fingerprint,
    )


def book_of(scenario: Scenario) -> Book | None:
    """The scenario's book as of the day before its start; None where it makes up its opening base."""
    from subsim.book import read_book  # noqa: PLC0415 - the libraries that read are slow to load

    source = book_source(scenario)
    return None if source is None else read_book(source[0], as_of=source[1], warnings=False)  # `check` shows them


def _envelope(scenario: Scenario, plan: Any) -> Any:
    """Leads a month from which deals are thinned: a power of two far above the plan, so that small changes keep it."""
    peaks = plan.max(axis=1)
    default = np.where(peaks > 0, 2.0 ** np.ceil(np.log2(np.maximum(8 * peaks, 1e-9))), 0.0)
    given = [segment.new_business.envelope for segment in scenario.segments.values()]
    return np.array(
        [mine if mine is not None else other for mine, other in zip(given, default, strict=True)], np.float64
    )


def _sources(names: Names) -> Any:
    numbers = [name_entity(f"source:{name}") % SOURCE_LIMIT for name in names.segment]
    if len(set(numbers)) < len(numbers):
        raise InputError(where="segments", found="two names with the same key", allowed="other names", do="rename one")
    return np.array(numbers, np.int64)


def _keys(room: str, names: tuple[str, ...]) -> Any:
    return np.array([name_entity(f"{room}:{name}") for name in names] or [0], np.uint64)


def _team(names: Names, team: str | None) -> int:
    return -1 if team is None else names.team.index(team)


def _work_team(scenario: Scenario, names: Names) -> Any:
    """int64[tiers, work]: who does a tier's work of a type; -1 nobody."""
    table = np.full((len(names.tier), len(names.work)), -1, np.int64)
    for i, tier in enumerate(scenario.tiers.values()):
        table[i] = _team(names, tier.team)
        onboarding = _team(names, tier.onboarding_team or tier.team)
        table[i, names.work.index("onboarding")] = onboarding
        table[i, names.work.index("rescue")] = _team(names, tier.team or tier.onboarding_team)
        table[i, names.work.index("ticket")] = _team(names, tier.support_team)
    return table


def _routes(scenario: Scenario, names: Names) -> Any:
    """Routing rules that hold from the start; the first that fits decides."""
    rows = np.zeros(len(scenario.routing), ROUTE)
    for row, rule in zip(rows, scenario.routing, strict=True):
        row["since"] = -1
        row["segment"] = -1 if rule.segment is None else names.segment.index(rule.segment)
        row["stage"] = {None: -1, "onboarding": ev.ONBOARDING, "adopted": ev.ADOPTED}[rule.stage]
        row["tier"] = names.tier.index(rule.to)
        row["arr_from"] = rule.arr_from or 0
        row["arr_below"] = _ANY_ARR if rule.arr_below is None else rule.arr_below
        row["score_below"] = 1e9 if rule.score_below is None else rule.score_below
    return rows


def _seats(scenario: Scenario) -> tuple[Any, Any]:
    """Seats of all teams in order, the opening ones first, then hires; and where each team's begin."""
    rows, team_from = [], [0]
    for number, (name, team) in enumerate(scenario.teams.items()):
        arrivals = [(0, -1)] * team.seats
        for lever in scenario.levers:
            if isinstance(lever, Hire) and lever.team == name:
                phase = -1 if lever.ramp is None else int(lever.ramp / 2 * units.MINUTES_PER_DAY + 0.5)
                # A hire on the first day counts as a hire, with a ramp, not as part of the opening team.
                arrives = max(1, units.minutes_between(scenario.start, lever.date))
                arrivals += [(arrives, phase)] * lever.seats
        for seat, (arrives, phase) in enumerate(arrivals):
            row = np.zeros(1, SEAT)
            row["team"], row["team_key"], row["number"] = number, name_entity(f"team:{name}") % (1 << 14), seat
            row["arrives_at"], row["phase"] = arrives, phase
            rows.append(row)
        team_from.append(len(rows))
    team_from += [len(rows)] * (TEAMS + 1 - len(team_from))
    return np.concatenate(rows) if rows else np.zeros(0, SEAT), np.array(team_from, np.int64)
