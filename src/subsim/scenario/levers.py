"""Levers: dated changes that a scenario makes, one class and one constructor function for each kind.

>>> hire("mid_touch", seats=2, on="2026-10-01", ramp="90 days")
Hire(date=datetime.date(2026, 10, 1), team='mid_touch', seats=2, ramp=90.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from subsim.scenario.fields import (
    DAYS,
    MONEY,
    NUMBER,
    Day,
    Every,
    Name,
    Prose,
    SegmentName,
    Strict,
    Switch,
    numbers,
    problem,
    share_of,
    whole,
)
from subsim.scenario.values import row_of

#: Parameters that are estimated, yet whose *change* is a decision: money spent on onboarding shortens them. A `scale`
#: lever may move these, and everything labelled lever; anything else needs `because`.
SCALABLE = frozenset({"onboarding.hours", "onboarding.customer_delay"})

#: Parameters that have a lever of their own, so that `scale` is not a second way to do the same.
OWN_LEVER = {
    "touch.cadence": "cadence",
    "renewal.price_uplift": "price",
    "arrival.qualification_threshold": "qualify",
    "arrival.plan_scale": "plan",
    "campaign.on": "campaign",
    "score.noise": "score",
}

Uplift = Annotated[float, share_of("renewal.price_uplift")]
Threshold = Annotated[float, NUMBER.within("arrival.qualification_threshold")]

_TO_REMOVE = 'to remove seats use "leave"'


class LeverBase(Strict):
    """What all levers share: a kind, and the date from which they hold."""

    kind: ClassVar[str]
    date: Day

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, data: Any) -> Any:
        """Accept the form of the file, `hire: {...}`."""
        if isinstance(data, dict) and list(data) == [cls.kind] and not isinstance(data[cls.kind], str):
            body = data[cls.kind]
            if not isinstance(body, dict):
                keys = ", ".join(field.alias or name for name, field in cls.model_fields.items())
                raise problem("a value that is not a mapping", f"{cls.kind}: {{...}} with the keys {keys}")
            return body
        return data

    @model_serializer(mode="wrap")
    def _wrap(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.kind: write(self)}

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Build from file keys, leaving out those that are None; bad values raise InputErrors."""
        from subsim.scenario.problems import validated  # noqa: PLC0415 - problems knows the levers

        return validated(cls, {key: value for key, value in values.items() if value is not None}, cls.kind)


class Hire(LeverBase):
    """New seats start on a date and ramp up; `ramp` is the whole ramp in days."""

    kind = "hire"
    date: Day = Field(alias="on")
    team: Name
    seats: Annotated[int, whole(1, 10_000, _TO_REMOVE)]
    ramp: Annotated[float, DAYS] | None = None


class Leave(LeverBase):
    """Seats end on a date and are not replaced."""

    kind = "leave"
    date: Day = Field(alias="on")
    team: Name
    seats: Annotated[int, whole(1, 10_000, 'to add seats use "hire"')]


class Route(LeverBase):
    """From a date, accounts of a segment (in an ARR band) belong to another tier."""

    kind = "route"
    date: Day = Field(alias="on")
    segment: SegmentName
    to: Name
    arr_from: Annotated[int, MONEY] | None = None
    arr_below: Annotated[int, MONEY] | None = None


class Scale(LeverBase):
    """A parameter is multiplied by `by`, at once or growing linearly over `phase_in` days, for all or those named."""

    kind = "scale"
    date: Day = Field(alias="from")
    parameter: str
    by: Annotated[float, numbers(0.0, 100.0)]
    phase_in: Annotated[float, DAYS] = 0.0
    segments: tuple[SegmentName, ...] = ()
    tiers: tuple[Name, ...] = ()
    work: tuple[Name, ...] = ()
    teams: tuple[Name, ...] = ()
    campaigns: tuple[Name, ...] = ()
    because: Prose | None = None

    @field_validator("parameter", mode="before")
    @classmethod
    def _known(cls, name: object) -> str:
        return row_of(name).name


class Cadence(LeverBase):
    """From a date, a tier's touch comes every so many days."""

    kind = "cadence"
    date: Day = Field(alias="on")
    tier: Name
    touch: Name
    every: Every


class Price(LeverBase):
    """From a date, renewals of a segment raise the price by this share a year."""

    kind = "price"
    date: Day = Field(alias="from")
    segment: SegmentName
    uplift: Uplift


class Qualify(LeverBase):
    """From a date, deals of a segment whose observed fit is below the threshold are declined."""

    kind = "qualify"
    date: Day = Field(alias="from")
    segment: SegmentName
    threshold: Threshold


class CampaignSwitch(LeverBase):
    """From a date, a campaign runs or stops."""

    kind = "campaign"
    date: Day = Field(alias="on")
    campaign: Name
    run: Switch


class ScoreNoise(LeverBase):
    """From a date, the health score has this error, in log odds."""

    kind = "score"
    date: Day = Field(alias="from")
    noise: Annotated[float, NUMBER.within("score.noise")]


class Plan(LeverBase):
    """From a date, the plan of new business of a segment is multiplied by `by`."""

    kind = "plan"
    date: Day = Field(alias="from")
    segment: SegmentName
    by: Annotated[float, NUMBER.within("arrival.plan_scale")]


LEVERS: dict[str, type[LeverBase]] = {
    lever.kind: lever
    for lever in (Hire, Leave, Route, Scale, Cadence, Price, Qualify, CampaignSwitch, ScoreNoise, Plan)
}


def _kind(value: Any) -> str | None:
    if isinstance(value, LeverBase):
        return value.kind
    return next(iter(value)) if isinstance(value, dict) and len(value) == 1 else None


Lever = Annotated[
    Annotated[Hire, Tag("hire")]
    | Annotated[Leave, Tag("leave")]
    | Annotated[Route, Tag("route")]
    | Annotated[Scale, Tag("scale")]
    | Annotated[Cadence, Tag("cadence")]
    | Annotated[Price, Tag("price")]
    | Annotated[Qualify, Tag("qualify")]
    | Annotated[CampaignSwitch, Tag("campaign")]
    | Annotated[ScoreNoise, Tag("score")]
    | Annotated[Plan, Tag("plan")],
    Discriminator(_kind),
]


def hire(team: str, *, seats: int, on: object, ramp: object = None) -> Hire:
    """Seats added on a date; `ramp` such as `90 days` is the time to full hours (default: the team's)."""
    return Hire.of(team=team, seats=seats, on=on, ramp=ramp)


def leave(team: str, *, seats: int, on: object) -> Leave:
    """Seats removed on a date."""
    return Leave.of(team=team, seats=seats, on=on)


def route(segment: str, *, to: str, on: object, arr_from: object = None, arr_below: object = None) -> Route:
    """Accounts of a segment, in an ARR band if one is given, moved to a tier on a date."""
    return Route.of(segment=segment, to=to, on=on, arr_from=arr_from, arr_below=arr_below)


def scale(
    parameter: str,
    *,
    by: float,
    from_: object,
    phase_in: object = None,
    segments: Sequence[str] = (),
    tiers: Sequence[str] = (),
    work: Sequence[str] = (),
    teams: Sequence[str] = (),
    campaigns: Sequence[str] = (),
    because: str | None = None,
) -> Scale:
    """A parameter multiplied by `by` from a date; `because` is needed where the parameter is not a lever."""
    chosen = {"segments": segments, "tiers": tiers, "work": work, "teams": teams, "campaigns": campaigns}
    given: dict[str, Any] = {key: tuple(names) for key, names in chosen.items() if names}
    return Scale.of(parameter=parameter, by=by, phase_in=phase_in, because=because, **given, **{"from": from_})


def cadence(tier: str, *, touch: str, every: object, on: object) -> Cadence:
    """A tier's touch set to a new interval on a date."""
    return Cadence.of(tier=tier, touch=touch, every=every, on=on)


def price(segment: str, *, uplift: object, from_: object) -> Price:
    """The price uplift of a segment's renewals set from a date."""
    return Price.of(segment=segment, uplift=uplift, **{"from": from_})


def qualify(segment: str, *, threshold: float, from_: object) -> Qualify:
    """The qualification threshold of a segment set from a date."""
    return Qualify.of(segment=segment, threshold=threshold, **{"from": from_})


def campaign(campaign: str, *, run: bool, on: object) -> CampaignSwitch:
    """A campaign started or stopped on a date."""
    return CampaignSwitch.of(campaign=campaign, run=run, on=on)


def score(*, noise: float, from_: object) -> ScoreNoise:
    """The error of the health score set from a date."""
    return ScoreNoise.of(noise=noise, **{"from": from_})


def plan(segment: str, *, by: float, from_: object) -> Plan:
    """The plan of new business of a segment multiplied from a date."""
    return Plan.of(segment=segment, by=by, **{"from": from_})
