"""Every shipped scenario loads, explains itself, fits the published schema and says what it asks."""

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import subsim
from subsim.scenario import Scenario, changes, explain, load_scenario
from subsim.scenario.explain import calendar_hours
from subsim.scenario.schema import published_schema, scenario_schema

FOLDER = Path(__file__).parents[2] / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
EXPECTED = {
    "baseline",
    "faster_onboarding",
    "high_touch",
    "leaky_bucket",
    "pooled_mid_market",
    "tech_touch_long_tail",
    "two_more_csms",
}


def test_all_are_there() -> None:
    assert {path.stem for path in FILES} >= EXPECTED


def test_published_schema_is_current() -> None:
    assert published_schema() == json.loads(json.dumps(scenario_schema()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_loads_explains_and_comes_back(path: Path) -> None:
    scenario = load_scenario(path)
    assert Scenario.from_dict(scenario.to_dict()) == scenario
    text = explain(scenario)
    assert scenario.name in text
    for lever in scenario.levers:
        assert str(lever.date) in text
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert path.read_text(encoding="utf-8").split("\n")[0].endswith("?")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_fits_the_schema(path: Path) -> None:
    data: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    text = json.dumps(data)
    validator = jsonschema.Draft202012Validator(published_schema())
    errors = list(validator.iter_errors(typed(json.loads(text))))
    assert not errors, errors[0]


def typed(value: Any) -> Any:
    """Numbers and switches as YAML means them; everything else stays text."""
    if isinstance(value, dict):
        return {key: typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [typed(child) for child in value]
    try:
        return json.loads(value)
    except ValueError:
        return value


@pytest.mark.parametrize("name", sorted(EXPECTED - {"baseline", "leaky_bucket"}))
def test_a_variant_changes_only_its_words_and_levers(name: str) -> None:
    found = changes(load_scenario(FOLDER / "baseline.yaml"), load_scenario(FOLDER / f"{name}.yaml"))
    assert {change.path.split("[")[0] for change in found} == {"name", "question", "levers"}


def test_the_tiers_need_the_hours_that_the_baseline_states() -> None:
    baseline = load_scenario(FOLDER / "baseline.yaml")
    assert calendar_hours(baseline, baseline.tiers["high_touch"]) == pytest.approx(39)
    assert calendar_hours(baseline, baseline.tiers["low_touch"]) == pytest.approx(11)
    assert baseline.tiers["pooled"].touches == baseline.tiers["low_touch"].touches


def test_leaky_bucket_loses_eight_percent_a_month() -> None:
    scenario = load_scenario(FOLDER / "leaky_bucket.yaml")
    set_to = {item.parameter: item.value for item in scenario.assumptions}
    kept = math.exp(-math.exp(set_to["renewal.base"] + set_to["renewal.monthly_effect"]))
    assert kept == pytest.approx(0.92, abs=1e-12)
    assert round(kept**12, 3) == 0.368


@pytest.mark.parametrize(
    ("name", "customers", "csms", "arr", "ratios"),
    [
        (
            "wingtip",
            1600,
            {"top_csm": "top", "mid_csm": "mid", "smb_csm": "mixed", "programmes": "tech_touch"},
            40e6,
            {"top": 12.5, "mid": 50, "mixed": 150, "tech_touch": 425},
        ),
        ("acme", 2200, {"csm": "served"}, 132e6, {"served": 2200 / 29}),
    ],
)
def test_worked_organisations_have_their_ratios(
    name: str, customers: int, csms: dict[str, str], arr: float, ratios: dict[str, float]
) -> None:
    scenario = load_scenario(FOLDER / f"{name}.yaml")
    runs = subsim.run(scenario, draws=2, seed=1)
    outcome = runs.outcome()
    assert int(outcome.cube.opening_logos.sum()) == customers
    assert runs.opening_arr() == pytest.approx(arr, rel=0.03)
    seats = {tier: scenario.teams[team].seats for team, tier in csms.items()}
    assert customers / sum(seats.values()) == pytest.approx({"wingtip": 88.9, "acme": 75.86}[name], abs=0.05)
    assert arr / sum(seats.values()) == pytest.approx({"wingtip": 2_222_222, "acme": 4_551_724}[name], rel=1e-6)
    # Every account of the opening base is routed to its tier before anything happens.
    tiers = outcome.setup.tier_names
    opening = outcome.setup.world.opening
    routed = {rule.segment: rule.to for rule in scenario.routing}
    counted = dict.fromkeys(tiers, 0)
    for segment in opening["segment"]:
        named = outcome.setup.segment_names[segment]
        counted[routed.get(named, routed.get(None, ""))] += 1
    assert {tier: counted[tier] / seats[tier] for tier in ratios} == pytest.approx(ratios)
    assert sum(team.seats for team in scenario.teams.values()) == {"wingtip": 21, "acme": 39}[name]
