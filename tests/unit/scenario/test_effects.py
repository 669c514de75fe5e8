"""Effects: declared with a source, refused without one, listed with what they rest on."""

from __future__ import annotations

from typing import Any

import pytest

from subsim.errors import InputErrors
from subsim.scenario import Scenario
from subsim.scenario.effects import carriers

BASE: dict[str, Any] = {
    "name": "plan",
    "start": "2026-01-01",
    "horizon": "12 months",
    "segments": {"smb": {"new_business": "2 per month", "opening": {"accounts": 10}}},
    "routing": [{"to": "low"}],
    "tiers": {"low": {"coverage": "named", "team": "csm", "touches": {"workshop": "3 months"}}},
    "teams": {"csm": {"seats": 2}},
    "work": {"workshop": {"hours": "2 hours", "lift": 0.2}},
    "levers": [{"hire": {"team": "csm", "seats": 1, "on": "2026-04-01"}}],
}
ELICITED = {"parameter": "work.lift", "work": "workshop", "elicited": {"lower": -0.1, "upper": 0.5, "mass": 0.9}}


def refused(**changes: Any) -> str:
    """What building the scenario with changes says."""
    with pytest.raises(InputErrors) as caught:
        Scenario.from_dict(BASE | changes)
    return str(caught.value)


def test_a_lever_through_an_effect_without_a_source_is_refused_with_what_to_declare() -> None:
    message = refused()
    assert "levers[0].hire" in message
    assert "the lift of workshop, an effect without a declared source" in message
    assert "parameter: work.lift, work: workshop, elicited" in message


def test_without_a_lever_nothing_has_to_be_declared() -> None:
    assert Scenario.from_dict(BASE | {"levers": []}).work["workshop"].lift == 0.2


@pytest.mark.parametrize(
    "source",
    [
        {"elicited": {"lower": -0.1, "upper": 0.5}},
        {"experiment": {"effect": 0.2, "sd": 0.1, "data": "pilot of 120 accounts in spring"}},
        {
            "assumed_identified": {
                "effect": 0.3,
                "sd": 0.1,
                "bias": 0.25,
                "adjustment_set": ["size"],
                "statement": "workshops were offered by size alone",
            }
        },
    ],
)
def test_each_source_declares_an_effect_and_is_listed(source: dict[str, Any]) -> None:
    scenario = Scenario.from_dict(BASE | {"effects": [{"parameter": "work.lift", "work": "workshop", **source}]})
    (kind,) = source
    workshop = next(each for each in carriers(scenario) if each.of == "workshop")
    assert workshop.kind == kind
    if kind == "assumed_identified":
        assert workshop.statement.endswith("workshops were offered by size alone")
        assert scenario.effects[0].normal == (0.3, pytest.approx((0.1**2 + 0.25**2) ** 0.5))
    assert Scenario.from_dict(scenario.to_dict()) == scenario


def test_two_quantiles_become_a_normal() -> None:
    scenario = Scenario.from_dict(BASE | {"effects": [ELICITED]})
    mean, sd = scenario.effects[0].normal
    assert mean == pytest.approx(0.2)
    assert sd == pytest.approx(0.3 / 1.6448536, rel=1e-6)


def test_what_the_catalogue_assumes_is_listed_with_its_grade() -> None:
    found = {each.parameter: each for each in carriers(Scenario.from_dict(BASE | {"effects": [ELICITED]}))}
    assert found["renewal.engagement"].kind == "elicited"
    assert "catalogue, grade D" in found["renewal.engagement"].statement


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ({"parameter": "association.lift", "elicited": {"lower": 0, "upper": 1}}, "nobody may move"),
        ({"parameter": "value.first_arr", "elicited": {"lower": 0, "upper": 1}}, "a parameter that is an effect"),
        ({"parameter": "work.lift", "work": "workshop"}, "found no source"),
        ({"parameter": "work.lift", "elicited": {"lower": 1, "upper": 0}}, "lower below upper"),
        (ELICITED | {"experiment": {"effect": 0, "sd": 1, "data": "x"}}, "found 2 sources"),
        (ELICITED | {"work": "worksop"}, "did you mean workshop?"),
        (ELICITED | {"elicited": {"lower": 0, "uper": 1}}, "did you mean upper?"),
    ],
)
def test_a_bad_declaration_says_what_is_wrong(effect: dict[str, Any], said: str) -> None:
    message = refused(effects=[effect], levers=[])
    assert "effects[0]" in message
    assert said in message


def test_an_effect_is_declared_once() -> None:
    assert "first in effects[0]" in refused(effects=[ELICITED, ELICITED])
    assumed = {"parameter": "work.lift", "work": "workshop", "value": 0.1, "because": "last year"}
    assert "under assumptions too" in refused(effects=[ELICITED], assumptions=[assumed])
