"""Dated levers as rows that an engine carries out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from subsim import units
from subsim.engine import events as ev
from subsim.engine.state import LEVER, ROUTE
from subsim.experiment.parameters import Names
from subsim.model.catalogue import parameter
from subsim.scenario import Scenario
from subsim.scenario.explain import lever_text as _text
from subsim.scenario.levers import Cadence, CampaignSwitch, Leave, Plan, Price, Qualify, Route, Scale, ScoreNoise

Row = tuple[int, int, int, int, float]  # minute, action, number, count, value


def lever_rows(scenario: Scenario, names: Names) -> Any:
    """Rows of dtype LEVER in order of time; hires are seats, not rows."""
    rows = [row for lever in scenario.levers for row in _rows(lever, scenario.start, names)]
    table = np.zeros(len(rows), LEVER)
    for i, (at, action, number, count, value) in enumerate(sorted(rows, key=lambda row: row[0])):
        table[i] = (at, action, number, count, value)
    return table


def lever_text(scenario: Scenario) -> tuple[str, ...]:
    """What each row of `lever_rows` does, in words."""
    names = Names(scenario)
    rows = [(row[0], _text(lever)) for lever in scenario.levers for row in _rows(lever, scenario.start, names)]
    return tuple(text for _, text in sorted(rows, key=lambda row: row[0]))


def route_levers(scenario: Scenario, names: Names) -> Any:
    """Routing rules that levers add, the latest first: from their dates on they come before the scenario's own."""
    levers = [lever for lever in scenario.levers if isinstance(lever, Route)]
    rows = np.zeros(len(levers), ROUTE)
    for row, lever in zip(rows, sorted(levers, key=lambda lever: lever.date, reverse=True), strict=True):
        row["since"] = units.minutes_between(scenario.start, lever.date)
        row["segment"] = names.segment.index(lever.segment)
        row["stage"] = -1
        row["tier"] = names.tier.index(lever.to)
        row["arr_from"] = lever.arr_from or 0
        row["arr_below"] = 1 << 62 if lever.arr_below is None else lever.arr_below
        row["score_below"] = 1e9
    return rows


def _rows(lever: Any, start: dt.date, names: Names) -> Iterator[Row]:
    at = units.minutes_between(start, lever.date)

    def settings(name: str, action: int, value: float, **keys: str) -> Iterator[Row]:
        for place in names.index(parameter(name), keys):
            yield at, action, place, 0, value

    match lever:
        case Leave():
            yield at, ev.LEAVE, names.team.index(lever.team), lever.seats, 0.0
        case Route():
            yield at, ev.ROUTE, 0, 0, 0.0
        case Scale():
            yield from _scale(lever, at, names)
        case Cadence():
            yield from settings("touch.cadence", ev.SET, lever.every, tier=lever.tier, work=lever.touch)
            yield at, ev.RESTART_CALENDARS, names.tier.index(lever.tier), 0, 0.0
        case Price():
            yield from settings("renewal.price_uplift", ev.SET, lever.uplift, segment=lever.segment)
        case Qualify():
            yield from settings("arrival.qualification_threshold", ev.SET, lever.threshold, segment=lever.segment)
        case CampaignSwitch():
            yield from settings("campaign.on", ev.SET, float(lever.run), campaign=lever.campaign)
        case ScoreNoise():
            yield from settings("score.noise", ev.SET, lever.noise)
        case Plan():
            yield from settings("arrival.plan_scale", ev.SCALE, lever.by, segment=lever.segment)


def _scale(lever: Scale, at: int, names: Names) -> Iterator[Row]:
    """A multiplication at once, or in monthly steps that end at the full factor when the phase-in ends."""
    row = parameter(lever.parameter)
    chosen = {
        "segment": lever.segments,
        "tier": lever.tiers,
        "work": lever.work,
        "team": lever.teams,
        "campaign": lever.campaigns,
    }
    places = {place for keys in _combinations(row.by, chosen) for place in names.index(row, keys)}
    steps = max(1, math.ceil(lever.phase_in / units.MONTH_DAYS - 1e-9))
    before = 1.0
    for step in range(1, steps + 1):
        factor = 1.0 + (lever.by - 1.0) * step / steps
        when = at + int(lever.phase_in * units.MINUTES_PER_DAY * step / steps + 0.5) if lever.phase_in > 0 else at
        for place in sorted(places):
            yield when, ev.SCALE, place, 0, factor / before if before else 0.0
        before = factor


def _combinations(by: tuple[str, ...], chosen: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Every combination of the chosen names over a parameter's dimensions."""
    combinations: list[dict[str, str]] = [{}]
    for dimension in by:
        if chosen[dimension]:
            combinations = [{**keys, dimension: name} for keys in combinations for name in chosen[dimension]]
    return combinations
