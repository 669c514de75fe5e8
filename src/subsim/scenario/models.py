"""The scenario as frozen models: what is decided, in inner units (days, cents, months), never what is estimated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from subsim import units
from subsim.errors import InputError
from subsim.scenario.checks import problems_of
from subsim.scenario.effect_checks import effect_problems
from subsim.scenario.effects import Effect
from subsim.scenario.fields import (
    DAYS,
    HOURS,
    MONEY,
    NUMBER,
    SWITCH,
    Currency,
    Day,
    Every,
    Horizon,
    MonthStart,
    Name,
    Prose,
    Seats,
    SegmentName,
    Strict,
    Switch,
    Title,
    choice,
    numbers,
    problem,
    share_of,
    whole,
)
from subsim.scenario.levers import Cadence, Lever, Threshold, Uplift
from subsim.scenario.roles import OVERLOAD, PLAYBOOKS, ROLES
from subsim.scenario.values import read_value, row_of, write_value

PerMonth = Annotated[float, numbers(0, 1_000_000)]


def _new_business(value: object) -> object:
    """`6 per month` is a plan of one number."""
    return value if isinstance(value, (Mapping, Strict)) else _flat_plan(value)


def _flat_plan(value: object) -> dict[str, list[float]]:
    try:
        return {"plan": [units.rate(value, per="month")]}
    except InputError as error:
        raise problem(error.found, f"{error.allowed}, or {{plan: [...]}}", error.do) from None


class NewBusiness(Strict):
    """The plan of new logos: numbers per month from the start (1, 12 repeating, or one for each month), times season.

    `season` has 12 multipliers, January first. `envelope` is the highest rate per month that any compared plan reaches.
    """

    plan: tuple[PerMonth, ...] = (0.0,)
    season: tuple[Annotated[float, numbers(0, 100)], ...] = ()
    envelope: PerMonth | None = None

    def monthly(self, start: dt.date, months: int) -> tuple[float, ...]:
        """Expected new logos in each month from `start`."""
        season = self.season or (1.0,) * 12
        return tuple(
            self.plan[month % len(self.plan)] * season[(start.month - 1 + month) % 12] for month in range(months)
        )


class Opening(Strict):
    """An opening base made up where there is no book: how many accounts, and their mean tenure in days."""

    accounts: Annotated[int, whole(0, 10_000_000)]
    tenure: Annotated[float, DAYS] = 0.0


class Segment(Strict):
    """A kind of customer; its estimated numbers come from the catalogue or the posterior."""

    title: Title = ""
    new_business: Annotated[NewBusiness, BeforeValidator(_new_business)] = NewBusiness()
    opening: Opening | None = None


class Rule(Strict):
    """One routing rule: accounts that meet every condition go to a tier. ARR in cents, score from 0 to 100."""

    to: Name
    segment: SegmentName | None = None
    arr_from: Annotated[int, MONEY] | None = None
    arr_below: Annotated[int, MONEY] | None = None
    score_below: Annotated[float, numbers(0, 100)] | None = None
    stage: Annotated[Literal["onboarding", "adopted"], choice("onboarding", "adopted")] | None = None

    @property
    def only_segment(self) -> bool:
        """Whether the rule takes every account of its segment, or every account."""
        return (self.arr_from, self.arr_below, self.score_below, self.stage) == (None, None, None, None)


class Tier(Strict):
    """A touch model: who serves, with which calendar (days between touches) and which playbooks."""

    title: Title = ""
    coverage: Annotated[Literal["named", "pooled", "hybrid", "digital"], choice("named", "pooled", "hybrid", "digital")]
    team: Name | None = None
    onboarding_team: Name | None = None
    support_team: Name | None = None
    overflow: Annotated[float, DAYS.within("coverage.overflow")] | None = None
    touches: dict[Name, Every] = Field(default_factory=dict)
    playbooks: tuple[Annotated[str, choice(*PLAYBOOKS)], ...] = ()


class Team(Strict):
    """People of one role. Cost in cents a year; what is None comes from the catalogue or the posterior."""

    title: Title = ""
    seats: Seats
    cost: Annotated[int, MONEY.within("seat.cost")] | None = None
    effective_hours: Annotated[float, NUMBER.within("seat.effective_hours")] | None = None
    hours_factor: Annotated[float, NUMBER.within("seat.hours_factor")] | None = None
    backfill: Annotated[bool, SWITCH] = True
    hiring_lag: Annotated[float, DAYS.within("seat.hiring_lag")] | None = None
    ramp: Annotated[float, DAYS] | None = None
    overtime_cap: Annotated[float, HOURS.within("overtime.cap")] | None = None


class Work(Strict):
    """Decisions about a type of work, or a new calendar type (which needs `hours`)."""

    title: Title = ""
    deadline: Annotated[float, DAYS.within("work.deadline")] | None = None
    priority: Annotated[int, whole(0, 255)] | None = None
    overload: Annotated[Literal["wait", "expire", "squeeze", "overtime"], choice(*OVERLOAD)] | None = None
    hours: Annotated[float, HOURS.within("work.hours")] | None = None
    lift: Annotated[float, NUMBER.within("work.lift")] | None = None


class Campaign(Strict):
    """A one-to-many touch of whole tiers. Cost in cents a send; reach and lift are assumptions."""

    title: Title = ""
    every: Every
    tiers: tuple[Name, ...]
    cost: Annotated[int, MONEY.within("campaign.cost")] | None = None
    reach: Annotated[float, share_of("campaign.reach")] | None = None
    lift: Annotated[float, NUMBER.within("campaign.lift")] | None = None
    run: Switch = True


class Policies(Strict):
    """Company-wide decisions; what is None or missing comes from the catalogue."""

    price_uplift: dict[SegmentName, Uplift] = Field(default_factory=dict)
    qualification_threshold: dict[SegmentName, Threshold] = Field(default_factory=dict)
    score_noise: Annotated[float, NUMBER.within("score.noise")] | None = None
    renewal_notice: Annotated[float, DAYS.within("renewal.notice_days")] | None = None
    save_concession: Annotated[float, share_of("playbook.save_concession")] | None = None


class Assumption(Strict):
    """A catalogue number that the scenario sets, in the catalogue's unit, for all or for the one that is named."""

    parameter: str
    segment: SegmentName | None = None
    tier: Name | None = None
    work: Name | None = None
    team: Name | None = None
    campaign: Name | None = None
    value: float
    because: Prose | None = None

    @field_validator("parameter", mode="before")
    @classmethod
    def _known(cls, name: object) -> str:
        return row_of(name).name

    @field_validator("value", mode="before")
    @classmethod
    def _in_unit(cls, value: object, info: ValidationInfo) -> object:
        name = info.data.get("parameter")
        return value if name is None else read_value(row_of(name), value)

    @field_serializer("value")
    def _with_unit(self, value: float) -> str | float | int | bool:
        return write_value(row_of(self.parameter), value)

    @property
    def keys(self) -> dict[str, str]:
        """The segment, tier, work type, team or campaign that it is about."""
        chosen = {"segment": self.segment, "tier": self.tier, "work": self.work}
        chosen |= {"team": self.team, "campaign": self.campaign}
        return {dimension: name for dimension, name in chosen.items() if name is not None}


class Scenario(Strict):
    """A declared plan: teams, tiers, routing, policies and dated levers over a horizon."""

    name: Title
    question: Prose | None = None
    start: MonthStart
    horizon_months: Horizon = Field(alias="horizon")
    currency: Currency = "USD"
    book: str | None = None
    as_of: Day | None = None
    parameters_file: str | None = Field(default=None, alias="parameters")
    segments: dict[SegmentName, Segment]
    routing: tuple[Rule, ...]
    tiers: dict[Name, Tier]
    teams: dict[Name, Team] = Field(default_factory=dict)
    work: dict[Name, Work] = Field(default_factory=dict)
    campaigns: dict[Name, Campaign] = Field(default_factory=dict)
    policies: Policies = Policies()
    assumptions: tuple[Assumption, ...] = ()
    effects: tuple[Effect, ...] = ()
    levers: tuple[Lever, ...] = ()
    _source_path: Path | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _titles(cls, data: Any) -> Any:
        """Give everything that has a name a title."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        for room in ("segments", "tiers", "teams", "work", "campaigns"):
            if isinstance(data.get(room), dict):
                data[room] = {name: _titled(name, body) for name, body in data[room].items()}
        return data

    @model_validator(mode="after")
    def _check(self) -> Scenario:
        found = [*problems_of(self), *effect_problems(self)]
        if found:
            raise PydanticCustomError("problems", "the parts do not fit together", {"problems": found})
        return self

    @property
    def source_path(self) -> Path | None:
        """The file it was loaded from."""
        return self._source_path

    @property
    def work_types(self) -> tuple[str, ...]:
        """Roles of the model first, then the calendar's touches in order of first mention."""
        mentioned = [*self.work, *(touch for tier in self.tiers.values() for touch in tier.touches)]
        mentioned += [lever.touch for lever in self.levers if isinstance(lever, Cadence)]
        return tuple(dict.fromkeys((*ROLES, *mentioned)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scenario:
        """Build from the keys of a scenario file (without `extends`); raises InputErrors naming every problem."""
        from subsim.scenario.problems import validated  # noqa: PLC0415 - problems knows the models

        return validated(cls, dict(data), "scenario")

    def replace(self, **changes: Any) -> Scenario:
        """The scenario with some keys of the file replaced, checked again; raises InputErrors.

        >>> base.replace(levers=[hire("mid_touch", seats=2, on="2026-10-01")])  # doctest: +SKIP
        """
        return Scenario.from_dict(self.to_dict() | changes)

    def to_dict(self) -> dict[str, Any]:
        """The scenario in the keys and units of a scenario file; `from_dict` reads it back to the same scenario."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # holds dictionaries

    def __repr__(self) -> str:
        seats = sum(team.seats for team in self.teams.values())
        return (
            f"<Scenario {self.name!r}: {self.horizon_months} months from {self.start}, {len(self.segments)} segments, "
            f"{len(self.tiers)} tiers, {seats} seats, {len(self.levers)} levers>"
        )


def _titled(name: object, body: object) -> object:
    if not isinstance(body, dict) or "title" in body or not isinstance(name, str):
        return body
    return {"title": name.replace("_", " ").capitalize(), **body}
