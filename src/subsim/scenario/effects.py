"""Effects of decisions: which parameters carry them, through which ones a lever works, and what each rests on.

What a regression finds in a company's own data is an association. An effect exists only with a declared source: an
experiment, a judgement in two quantiles, or a stated assumption that makes an association an effect. The catalogue's
own effects are judgements with a source; a scenario may declare others under `effects:`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot
from statistics import NormalDist
from typing import TYPE_CHECKING, Annotated

from pydantic import field_validator, model_validator

from subsim.model.catalogue import parameter
from subsim.scenario.fields import Name, Prose, SegmentName, Strict, numbers, problem
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
)
from subsim.scenario.roles import ROLES
from subsim.scenario.values import row_of

if TYPE_CHECKING:
    from subsim.scenario.models import Scenario

#: Parameters that say what an intervention does to a customer or to people.
EFFECTS = frozenset(
    {
        "work.lift",
        "work.squeeze_lift",
        "campaign.lift",
        "continuity.ceiling",
        "engagement.ttv_effect",
        "handover.shock",
        "onboarding.self_serve",
        "onboarding.stall_shock",
        "overtime.attrition",
        "playbook.save_success",
        "renewal.engagement",
        "renewal.fit",
        "renewal.no_sponsor",
        "renewal.not_onboarded",
        "renewal.prep_missed",
        "renewal.price",
        "renewal.tier_effect",
        "seat.leave_load",
        "sponsor.recovers",
        "sponsor.shock",
        "ticket.fast_lift",
        "ticket.slow_shock",
    }
)

_SERVICE = ("renewal.engagement", "engagement.ttv_effect", "renewal.prep_missed", "playbook.save_success")
_SCALED = {
    "onboarding.hours": ("engagement.ttv_effect", "renewal.engagement"),
    "onboarding.customer_delay": ("engagement.ttv_effect", "renewal.engagement"),
}

_LIMIT = 1_000.0
_Number = Annotated[float, numbers(-_LIMIT, _LIMIT)]
_Spread = Annotated[float, numbers(1e-9, _LIMIT)]


class Elicited(Strict):
    """A judgement: `mass` of the belief lies between `lower` and `upper`, the rest evenly outside."""

    lower: _Number
    upper: _Number
    mass: Annotated[float, numbers(0.01, 0.999)] = 0.9

    @model_validator(mode="after")
    def _ordered(self) -> Elicited:
        if self.lower >= self.upper:
            raise problem(f"lower {self.lower:g}, upper {self.upper:g}", "lower below upper")
        return self

    @property
    def normal(self) -> tuple[float, float]:
        """Mean and standard deviation of the normal with these quantiles."""
        z = NormalDist().inv_cdf(0.5 + self.mass / 2)
        return (self.lower + self.upper) / 2, (self.upper - self.lower) / (2 * z)

    @property
    def statement(self) -> str:
        """What it rests on."""
        return f"{100 * self.mass:g} % between {self.lower:g} and {self.upper:g}, a judgement"


class Experiment(Strict):
    """A measured difference between arms that chance assigned; `data` says where it was measured."""

    effect: _Number
    sd: _Spread
    data: Prose

    @property
    def normal(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        return self.effect, self.sd

    @property
    def statement(self) -> str:
        """What it rests on."""
        return f"{self.effect:g} (sd {self.sd:g}), experiment: {self.data}"


class AssumedIdentified(Strict):
    """An association taken as an effect, under a statement; `bias` is the sd of what it may be wrong by."""

    effect: _Number
    sd: _Spread
    bias: Annotated[float, numbers(0, _LIMIT)]
    adjustment_set: tuple[Prose, ...]
    statement: Prose

    @property
    def normal(self) -> tuple[float, float]:
        """Mean and standard deviation, the bias included."""
        return self.effect, hypot(self.sd, self.bias)


class Effect(Strict):
    """One declared effect: the parameter, whose it is, and one of the three sources."""

    parameter: str
    segment: SegmentName | None = None
    tier: Name | None = None
    work: Name | None = None
    campaign: Name | None = None
    elicited: Elicited | None = None
    experiment: Experiment | None = None
    assumed_identified: AssumedIdentified | None = None

    @field_validator("parameter", mode="before")
    @classmethod
    def _an_effect(cls, name: object) -> str:
        if isinstance(name, str) and name.startswith("association."):
            do = "declare an effect with a source: elicited, experiment or assumed_identified"
            raise problem(f"{name}, which the data show but nobody may move", "a parameter that is an effect", do)
        found = row_of(name).name
        if found not in EFFECTS:
            raise problem(found, "a parameter that is an effect: " + ", ".join(sorted(EFFECTS)), "use assumptions")
        return found

    @model_validator(mode="after")
    def _one_source(self) -> Effect:
        given = [source for source in (self.elicited, self.experiment, self.assumed_identified) if source is not None]
        if len(given) != 1:
            found = f"{len(given)} sources" if given else "no source"
            raise problem(found, "one of elicited, experiment, assumed_identified")
        mean, _ = given[0].normal
        row = parameter(self.parameter)
        if not row.low <= mean <= row.high:
            raise problem(f"an effect of {mean:g}", f"{row.low:g} to {row.high:g} {row.unit}")
        return self

    @property
    def keys(self) -> dict[str, str]:
        """The segment, tier, type of work or campaign that it is about."""
        chosen = {"segment": self.segment, "tier": self.tier, "work": self.work, "campaign": self.campaign}
        return {dimension: name for dimension, name in chosen.items() if name is not None}

    @property
    def kind(self) -> str:
        """Which source: elicited, experiment, or assumed_identified."""
        return next(kind for kind in SOURCES if getattr(self, kind) is not None)

    @property
    def normal(self) -> tuple[float, float]:
        """Mean and standard deviation of what is believed."""
        mean_sd: tuple[float, float] = getattr(self, self.kind).normal
        return mean_sd

    @property
    def statement(self) -> str:
        """What it rests on, as every report prints it."""
        if self.assumed_identified is not None:
            own = self.assumed_identified
            adjusted = ", ".join(own.adjustment_set) or "nothing"
            return f"{own.effect:g} (sd {own.sd:g}, bias sd {own.bias:g}), adjusted for {adjusted}: {own.statement}"
        return str(getattr(self, self.kind).statement)


SOURCES = ("elicited", "experiment", "assumed_identified")


@dataclass(frozen=True)
class Carrier:
    """An effect that a lever works through: parameter, name of its cell ("" for all), and what it rests on."""

    parameter: str
    of: str
    kind: str
    """elicited, experiment, assumed_identified or assumption; "" where nothing is declared."""
    statement: str


def carriers(scenario: Scenario) -> list[Carrier]:
    """Every effect that the scenario's levers work through, each with its declared source."""
    found = dict.fromkeys(each for lever in scenario.levers for each in worked_through(scenario, lever))
    return [carrier(scenario, name, of) for name, of in found]


def worked_through(scenario: Scenario, lever: Lever) -> Iterator[tuple[str, str]]:
    """Parameters, each with the name of its cell, through which a lever changes what customers do."""
    if isinstance(lever, (Hire, Leave)):
        served = [tier for tier in scenario.tiers.values() if lever.team == tier.team]
        yield from (("work.lift", touch) for tier in served for touch in tier.touches)
        yield from ((name, "") for name in _SERVICE)
    elif isinstance(lever, Route):
        touches = scenario.tiers[lever.to].touches if lever.to in scenario.tiers else {}
        yield from (("work.lift", touch) for touch in touches)
        yield from (("renewal.tier_effect", lever.to), ("handover.shock", ""), ("renewal.engagement", ""))
    elif isinstance(lever, Cadence):
        yield from (("work.lift", lever.touch), ("renewal.engagement", ""))
    elif isinstance(lever, CampaignSwitch):
        yield from (("campaign.lift", lever.campaign), ("renewal.engagement", ""))
    elif isinstance(lever, Price):
        yield "renewal.price", ""
    elif isinstance(lever, Qualify):
        yield "renewal.fit", ""
    elif isinstance(lever, Scale):
        if lever.parameter in EFFECTS:
            yield lever.parameter, ""
        yield from ((name, "") for name in _SCALED.get(lever.parameter, ()))


def carrier(scenario: Scenario, name: str, of: str) -> Carrier:
    """What an effect rests on: the scenario's declaration, its assumption, or the catalogue."""
    row = parameter(name)
    for effect in reversed(scenario.effects):
        if effect.parameter == name and (not effect.keys or of in effect.keys.values()):
            return Carrier(name, of, effect.kind, effect.statement)
    for item in reversed(scenario.assumptions):
        if item.parameter == name and item.because and (not item.keys or of in item.keys.values()):
            return Carrier(name, of, "assumption", f"{item.value:g}: {item.because}")
    if name == "work.lift" and of in scenario.work and of not in row.values and of not in ROLES:
        return Carrier(name, of, "", "")
    return Carrier(name, of, "elicited", f"catalogue, grade {row.grade}: {row.source}")
