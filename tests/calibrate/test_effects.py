"""Beliefs in effects under bias, and the effect that a decision needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from subsim.calibrate.effects import assumed_identified, bias_table, smallest_bias_that_reverses
from subsim.calibrate.priors import Prior
from subsim.errors import InputError
from subsim.experiment import needed_effect as module
from subsim.experiment.needed_effect import needed_effect
from subsim.scenario import Scenario

JUDGED = Prior("normal", 0.3, 0.3, source="judgement", grade="D")


def test_without_bias_the_estimate_rules_and_with_much_of_it_the_judgement() -> None:
    table = bias_table(JUDGED, -0.23, 0.08, bias_sds=(0.0, 0.5, 50.0))
    assert table["mean"].iloc[0] == pytest.approx(0.3 - 0.53 * 0.09 / (0.09 + 0.0064))
    assert table["mean"].iloc[2] == pytest.approx(0.3, abs=1e-4)
    assert table["sd"].is_monotonic_increasing
    assert table["p_above"].is_monotonic_increasing


def test_bias_is_counted_in_a_unit() -> None:
    table = bias_table(JUDGED, 0.1, 0.05, unit=0.1)
    assert table["bias_sd"].tolist() == [0.0, 0.025, 0.05, 0.1]


@pytest.mark.parametrize("threshold", [0.0, 0.05, -0.1])
def test_the_smallest_bias_brings_the_belief_to_the_threshold(threshold: float) -> None:
    bias = smallest_bias_that_reverses(JUDGED, 0.2, 0.1, threshold=threshold)
    assert bias_table(JUDGED, 0.2 - bias, 0.1, bias_sds=[0.0])["mean"].iloc[0] == pytest.approx(threshold)


def test_an_assumption_that_identifies_is_printed_with_what_it_adjusts_for() -> None:
    said = "account managers chose by size alone"
    found = assumed_identified(JUDGED, 0.1, 0.05, bias_sd=0.25, adjustment_set=["size", "term"], statement=said)
    assert said in found.source
    assert "size, term" in found.source
    assert found.centre == bias_table(JUDGED, 0.1, 0.05, bias_sds=[0.25])["mean"].iloc[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"statement": " "}, "statement"), ({"bias_sd": -1.0}, "bias_sd"), ({"sd": 0.0}, "standard error")],
)
def test_what_cannot_be_identified_is_refused(changes: dict[str, Any], said: str) -> None:
    given = {"sd": 0.1, "bias_sd": 0.1, "adjustment_set": [], "statement": "chance decides"} | changes
    with pytest.raises(InputError, match=said):
        assumed_identified(JUDGED, 0.1, **given)


def test_a_belief_of_one_sign_is_refused() -> None:
    with pytest.raises(InputError, match="open to either sign"):
        bias_table(Prior("lognormal", 0.3, 0.3), 0.1, 0.1)


BASE = Scenario.from_dict(
    {
        "name": "base",
        "start": "2026-01-01",
        "horizon": "12 months",
        "segments": {"smb": {"opening": {"accounts": 10}}},
        "routing": [{"to": "low"}],
        "tiers": {"low": {"coverage": "named", "team": "csm", "touches": {"business_review": "3 months"}}},
        "teams": {"csm": {"seats": 2}},
    }
)
MORE = BASE.replace(name="more", levers=[{"hire": {"team": "csm", "seats": 1, "on": "2026-04-01"}}])


def pays_from(monkeypatch: pytest.MonkeyPatch, worth: float, slope: float = 100.0) -> list[float]:
    """Runs whose difference is a straight line of the assumed lift; gives the lifts that were run."""
    tried: list[float] = []

    def run(pair: list[Scenario], **_: Any) -> Any:
        (one, other) = ([item.value for item in each.assumptions] for each in pair)
        assert one == other
        tried.append(one[0])
        mean = slope * (one[0] - worth)
        row = {"mean": mean, "q05": mean - 1, "q95": mean + 1, "p_better": float(mean > 0), "horizon_months": 12}
        return SimpleNamespace(contrast=lambda *_, **__: SimpleNamespace(row=lambda _: row))

    monkeypatch.setattr(module, "run", run)
    return tried


def test_the_effect_that_a_hire_needs_is_where_the_difference_crosses_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pays_from(monkeypatch, 0.3)
    found = needed_effect(BASE, MORE, "work.lift", work="business_review", low=0.0, high=1.0, steps=4)
    assert found.value == pytest.approx(0.3)
    assert len(tried) == 6
    assert found.believed == 0.25
    assert found.p_reached == pytest.approx(0.4013, abs=1e-3)  # N(0.25, 0.2) above 0.3
    assert "must be at least 0.3" in found.text


def test_a_decision_that_pays_whatever_the_effect_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pays_from(monkeypatch, -1.0)
    found = needed_effect(BASE, MORE, "work.lift", low=0.0, high=1.0)
    assert found.value is None
    assert "is better in net_value for every work.lift from 0 to 1" in found.text


def test_what_the_scenario_declares_about_the_effect_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pays_from(monkeypatch, 0.3)
    effect = {"parameter": "work.lift", "work": "business_review", "elicited": {"lower": 0.1, "upper": 0.3}}
    found = needed_effect(BASE, MORE.replace(effects=[effect]), "work.lift", work="business_review", low=0.0, high=1.0)
    assert found.believed == pytest.approx(0.2)


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="low below high"):
        needed_effect(BASE, MORE, "work.lift", low=1.0, high=0.0)
    with pytest.raises(InputError, match="net_value"):
        needed_effect(BASE, MORE, "work.lift", low=0.0, high=1.0, metric="joy")
