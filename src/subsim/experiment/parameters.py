"""Parameters of a run: the catalogue, a parameter file, a posterior, the scenario's decisions and assumptions.

Later sources win. What a scenario decides or assumes is fixed; what a posterior has learned comes from its joint draws;
everything else keeps its prior. Draw j of a parameter is the same in every scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from subsim.errors import InputError, InputErrors
from subsim.model import slots
from subsim.model.catalogue import SIZES, Parameter, Prior, parameter, parameters
from subsim.random import Purpose, quantiles, uniform_array
from subsim.random.entities import name_entity
from subsim.scenario import Scenario
from subsim.scenario.effects import EFFECTS
from subsim.scenario.roles import OVERLOAD

Floats = NDArray[np.float64]
_DIMENSIONS = tuple(SIZES)


@dataclass(frozen=True)
class Cell:
    """One number of a parameter vector: where it is, whose it is, its centre and its prior."""

    parameter: Parameter
    keys: tuple[str, ...]
    index: int
    value: float
    prior: Prior
    decided: bool = False
    """Whether the scenario decides or assumes it, so that nothing learned may replace it."""


class Learned(Protocol):
    """What a run needs of a posterior (`subsim.calibrate.Posterior`): joint draws of what a book taught."""

    @property
    def book(self) -> str:
        """Name of the book."""
        ...

    @property
    def book_fingerprint(self) -> str:
        """Of the book."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of the posterior."""
        ...

    @property
    def status(self) -> str:
        """PASS, REVIEW or FAIL."""
        ...

    @property
    def learned(self) -> int:
        """How many numbers the book taught."""
        ...

    def values(self, name: str, keys: tuple[str, ...]) -> Floats | None:
        """All draws of a number; None where nothing was learned."""
        ...

    def order(self, runs: int) -> NDArray[np.int64]:
        """Which draw each run takes."""
        ...


class Names:
    """Names of the segments, tiers, work types, teams and campaigns of a scenario, in the order of a run."""

    def __init__(self, scenario: Scenario) -> None:
        self.segment = tuple(scenario.segments)
        self.tier = tuple(scenario.tiers)
        self.work = scenario.work_types
        self.team = tuple(scenario.teams)
        self.campaign = tuple(scenario.campaigns)

    def of(self, dimension: str) -> tuple[str, ...]:
        """Names of a dimension."""
        names: tuple[str, ...] = getattr(self, dimension)
        return names

    def index(self, row: Parameter, keys: Mapping[str, str]) -> list[int]:
        """Places of a parameter's numbers for some names; a dimension that is not named means all of it."""
        places = [getattr(slots, row.slot)]
        for position, dimension in enumerate(row.by):
            stride = int(np.prod([SIZES[later] for later in row.by[position + 1 :]], initial=1))
            names = self.of(dimension)
            chosen = [names.index(keys[dimension])] if keys.get(dimension) in names else range(len(names))
            places = [place + stride * number for place in places for number in chosen]
        return places


def cells(scenario: Scenario) -> dict[int, Cell]:
    """Every number that the scenario uses, by its place."""
    names = Names(scenario)
    table = {cell.index: cell for cell in _catalogue_cells(names)}
    for row in parameter_rows(scenario):
        _apply_row(table, names, row)
    for name, keys, value in _decisions(scenario):
        _fix(table, names, name, keys, value)
    for effect in scenario.effects:
        mean, sd = effect.normal
        for index in names.index(parameter(effect.parameter), effect.keys):
            table[index] = replace(table[index], value=mean, prior=Prior("normal", sd=sd), decided=True)
    for assumption in scenario.assumptions:
        _fix(table, names, assumption.parameter, assumption.keys, assumption.value)
    return table


def _catalogue_cells(names: Names) -> Iterator[Cell]:
    for row in parameters().values():
        if len(row.by) == 1:
            for key in names.of(row.by[0]):
                (index,) = names.index(row, {row.by[0]: key})
                yield Cell(row, (key,), index, row.value_for(key), row.prior)
        else:  # company-wide, or a table of decisions
            for index in names.index(row, {}):
                yield Cell(row, (), index, row.value, row.prior)


def _fix(table: dict[int, Cell], names: Names, name: str, keys: Mapping[str, str], value: float) -> None:
    for index in names.index(parameter(name), keys):
        table[index] = replace(table[index], value=value, prior=Prior("fixed"), decided=True)


def _decisions(scenario: Scenario) -> Iterator[tuple[str, dict[str, str], float]]:
    """What the scenario decides, as parameters."""
    yield from _team_decisions(scenario)
    yield from _touch_decisions(scenario)
    for name, campaign in scenario.campaigns.items():
        key = {"campaign": name}
        yield from _given("campaign", campaign, ("every", "reach", "lift"), key)
        yield "campaign.on", key, float(campaign.run)
        if campaign.cost is not None:
            yield "campaign.cost", key, campaign.cost / 100
        for tier in campaign.tiers:
            yield "campaign.tier", {"tier": tier, **key}, 1.0
    policies = scenario.policies
    for segment, uplift in policies.price_uplift.items():
        yield "renewal.price_uplift", {"segment": segment}, uplift
    for segment, threshold in policies.qualification_threshold.items():
        yield "arrival.qualification_threshold", {"segment": segment}, threshold
    for name, value in (
        ("score.noise", policies.score_noise),
        ("renewal.notice_days", policies.renewal_notice),
        ("playbook.save_concession", policies.save_concession),
    ):
        if value is not None:
            yield name, {}, value


def _team_decisions(scenario: Scenario) -> Iterator[tuple[str, dict[str, str], float]]:
    for name, team in scenario.teams.items():
        key = {"team": name}
        yield "seat.backfill", key, float(team.backfill)
        yield from _given("seat", team, ("effective_hours", "hours_factor", "hiring_lag"), key)
        if team.cost is not None:
            yield "seat.cost", key, team.cost / 100
        if team.ramp is not None:
            yield "seat.ramp_days", key, team.ramp / 2
        if team.overtime_cap is not None:
            yield "overtime.cap", key, team.overtime_cap


def _touch_decisions(scenario: Scenario) -> Iterator[tuple[str, dict[str, str], float]]:
    for name, tier in scenario.tiers.items():
        if tier.overflow is not None:
            yield "coverage.overflow", {"tier": name}, tier.overflow
        for touch, every in tier.touches.items():
            yield "touch.cadence", {"tier": name, "work": touch}, every
        for play in tier.playbooks:
            yield "playbook.on", {"tier": name, "work": play}, 1.0
    for name, work in scenario.work.items():
        key = {"work": name}
        yield from _given("work", work, ("deadline", "priority", "hours", "lift"), key)
        if work.overload is not None:
            yield "work.overload", key, float(OVERLOAD.index(work.overload))


def _given(
    room: str, owner: Any, fields: tuple[str, ...], key: dict[str, str]
) -> Iterator[tuple[str, dict[str, str], float]]:
    for field in fields:
        value = getattr(owner, field)
        if value is not None:
            yield f"{room}.{field}", key, float(value)


def parameter_rows(scenario: Scenario) -> list[dict[str, Any]]:
    """Rows of the scenario's parameter file, checked; none where it has no file."""
    if scenario.parameters_file is None:
        return []
    path = Path(scenario.parameters_file)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        raise InputError(where=str(path), found=first, allowed="a readable YAML file of parameter rows") from None
    rows = data.get("rows") if isinstance(data, dict) else data
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(where=str(path), found="no list of rows", allowed="rows: [{parameter: ..., value: ...}]")
    problems = [problem for i, row in enumerate(rows) for problem in _row_problems(f"{path} rows[{i}]", row)]
    if problems:
        raise InputErrors(problems)
    return rows


_ROW_KEYS = {
    "parameter",
    "value",
    "prior",
    "source",
    "grade",
    "label",
    "events",
    "exposure",
    "term_months",
    *_DIMENSIONS,
}
#: Numbers of a parameter file that are not in the catalogue because a scenario decides them.
PLAN = "arrival.plan"


def _row_problems(where: str, row: dict[str, Any]) -> Iterator[InputError]:
    unknown = sorted(set(row) - _ROW_KEYS)
    if unknown:
        yield InputError(where=where, found=f"unknown key {unknown[0]!r}", allowed=", ".join(sorted(_ROW_KEYS)))
    value = row.get("value")
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not np.isfinite(value):
        yield InputError(where=f"{where}.value", found=repr(value), allowed="a number")
        return
    if row.get("parameter") == PLAN:
        return
    if str(row.get("parameter")).startswith("association."):
        do = "declare an effect with a source under effects: in the scenario"
        yield InputError(where=where, found=str(row["parameter"]), allowed="parameters: data show it, no cause", do=do)
        return
    try:
        known = parameter(str(row.get("parameter")), where)
    except InputError as error:
        yield error
        return
    if not known.low <= value <= known.high:
        yield InputError(where=f"{where}.value", found=str(value), allowed=f"{known.low} to {known.high} {known.unit}")
    if known.name in EFFECTS and not row.get("source"):
        found = f"no source for {known.name}, which is an effect"
        yield InputError(where=where, found=found, allowed="source: what it rests on, not an association")
    try:
        Prior(**(row.get("prior") or {"family": "fixed"}))
    except TypeError as error:
        yield InputError(
            where=f"{where}.prior", found=str(error), allowed="family with sd, sd_share, a and b, or shape"
        )


def _apply_row(table: dict[int, Cell], names: Names, row: dict[str, Any]) -> None:
    """A row of a parameter file; a row for a segment (or other name) that the scenario does not have is not used."""
    if row["parameter"] == PLAN or row.get("term_months") is not None:
        return  # the plan belongs to new business; rows per term stand beside the segment's own row
    keys = {dimension: row[dimension] for dimension in _DIMENSIONS if row.get(dimension) is not None}
    if any(name not in names.of(dimension) for dimension, name in keys.items()):
        return
    for index in names.index(parameter(row["parameter"]), keys):
        prior = Prior(**row["prior"]) if row.get("prior") else Prior("fixed")
        table[index] = replace(table[index], value=float(row["value"]), prior=prior)


def draw_rows(
    table: dict[int, Cell], *, draws: int, seed: int, fixed: bool = False, posterior: Learned | None = None
) -> Floats:
    """float64[draws, LENGTH]: each draw's parameter vector; with ``fixed`` every number is its centre.

    The centre of what a posterior has learned is its median.
    """
    rows = np.zeros((draws, slots.LENGTH))
    uncertain: list[Cell] = []
    chosen = None if posterior is None else posterior.order(draws)
    for cell in table.values():
        rows[:, cell.index] = cell.value
        learned = None if posterior is None or cell.decided else posterior.values(cell.parameter.name, cell.keys)
        if learned is not None:
            rows[:, cell.index] = np.median(learned) if fixed else learned[chosen]
        elif not fixed and cell.prior.family != "fixed":
            uncertain.append(cell)
    entities = np.array([name_entity("|".join((cell.parameter.name, *cell.keys))) for cell in uncertain], np.uint64)
    uniforms = uniform_array(seed, np.arange(draws), Purpose.PARAMETER, entities[:, np.newaxis], 0)
    for cell, u in zip(uncertain, uniforms, strict=True):
        rows[:, cell.index] = np.clip(quantile(cell.prior, cell.value, u), cell.parameter.low, cell.parameter.high)
    return rows


def quantile(prior: Prior, value: float, u: Floats) -> Floats:
    """Quantiles of a prior centred at a value.

    normal: mean; lognormal: median; gamma: mean; beta: mean, with the concentration a + b.
    """
    if prior.family == "normal":
        return value + (prior.sd + prior.sd_share * abs(value)) * _each(quantiles.normals, u)
    if prior.family == "lognormal":
        return value * np.exp(prior.sd * _each(quantiles.normals, u))
    if prior.family == "gamma":
        return value * _each(quantiles.gammas, u, prior.shape) / prior.shape
    if prior.family == "beta":
        size = prior.a + prior.b
        return _each(quantiles.betas, u, value * size, (1 - value) * size)
    return np.full_like(u, value)


def _each(fill: Callable[..., None], u: Floats, *shape: float) -> Floats:
    """Quantiles of many uniforms."""
    out = np.empty(u.shape)
    fill(np.ascontiguousarray(u).reshape(-1), *map(float, shape), out.reshape(-1))
    return out
