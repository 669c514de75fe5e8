"""Files to scenarios: variants, removal, paths, places of errors, inner units."""

import datetime as dt
from pathlib import Path

import pytest

from subsim.errors import InputErrors
from subsim.scenario import Scenario, load_scenario
from subsim.scenario.levers import Hire, Scale

BASE = """\
name: Base
start: 2026-07-01
horizon: 3 years
book: demo
segments: {smb: {new_business: 24 per year}, big: {title: Large, new_business: {plan: [1, 2, 3]}}}
routing: [{to: high}]
tiers:
  high: {coverage: named, team: csm, touches: {status_call: 1 month}}
  desk: {coverage: hybrid, team: csm, overflow: 5 days}
teams: {csm: {seats: 3, cost: $150k}, spare: {seats: 0}}
assumptions:
  - {parameter: onboarding.customer_delay, segment: smb, value: 2 weeks, because: pilot}
  - {parameter: sponsor.shock_share, value: 50 %}
levers:
  - hire: {team: csm, seats: 1, on: 2026-10-01, ramp: 6 months}
  - scale: {parameter: onboarding.hours, by: 0.8, from: 2026-11-01, phase_in: 3 months, segments: [smb]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE.replace("{plan: [1, 2, 3]}", "1 per month"), encoding="utf-8")
    return tmp_path


def variant(folder: Path, text: str) -> Scenario:
    (folder / "variant.yaml").write_text("extends: base.yaml\n" + text, encoding="utf-8")
    return load_scenario(folder / "variant.yaml")


def test_values_are_in_inner_units(folder: Path) -> None:
    scenario = load_scenario(folder / "base.yaml")
    assert scenario.start == dt.date(2026, 7, 1)
    assert scenario.horizon_months == 36
    assert scenario.teams["csm"].cost == 15_000_000
    assert scenario.tiers["high"].touches == {"status_call": 30.4375}
    assert scenario.segments["smb"].new_business.monthly(scenario.start, 3) == (2.0, 2.0, 2.0)
    assert [item.value for item in scenario.assumptions] == [14.0, 0.5]
    hire, scale = scenario.levers
    assert isinstance(hire, Hire)
    assert (hire.date, hire.seats, hire.ramp) == (dt.date(2026, 10, 1), 1, 182.625)
    assert isinstance(scale, Scale)
    assert (scale.by, scale.phase_in, scale.segments) == (0.8, 91.3125, ("smb",))
    assert scenario.source_path == folder / "base.yaml"


def test_names_without_a_title_get_one(folder: Path) -> None:
    scenario = load_scenario(folder / "base.yaml")
    assert scenario.segments["big"].title == "Large"
    assert scenario.teams["csm"].title == "Csm"


def test_a_variant_keeps_what_it_does_not_say(folder: Path) -> None:
    scenario = variant(folder, "name: V\nteams: {csm: {seats: 5}}\nlevers: []\n")
    assert (scenario.name, scenario.teams["csm"].seats, scenario.teams["csm"].cost) == ("V", 5, 15_000_000)
    assert scenario.levers == ()
    assert "spare" in scenario.teams


def test_an_empty_value_removes_what_was_inherited(folder: Path) -> None:
    scenario = variant(folder, "teams: {spare: null}\ntiers:\n  desk:\n")
    assert (list(scenario.teams), list(scenario.tiers)) == (["csm"], ["high"])


def test_paths_are_relative_to_the_file_that_names_them(folder: Path) -> None:
    (folder / "plans").mkdir()
    (folder / "acme").mkdir()
    (folder / "plans" / "v.yaml").write_text(
        "extends: ../base.yaml\nbook: ../acme\nas_of: 2026-06-30\n", encoding="utf-8"
    )
    scenario = load_scenario(folder / "plans" / "v.yaml")
    assert Path(scenario.book or "").resolve() == (folder / "acme").resolve()
    assert scenario.as_of == dt.date(2026, 6, 30)


def test_byte_order_mark_and_windows_line_ends_are_fine(folder: Path) -> None:
    text = (folder / "base.yaml").read_text(encoding="utf-8")
    (folder / "windows.yaml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_scenario(folder / "windows.yaml") == load_scenario(folder / "base.yaml")


def test_a_plan_shorter_than_the_horizon_is_refused(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    with pytest.raises(InputErrors, match=r"base.yaml:5 segments.big.new_business.plan: found 3 numbers"):
        load_scenario(folder / "base.yaml")


def test_season_starts_in_january() -> None:
    scenario = Scenario.from_dict(
        {
            "name": "S",
            "start": "2026-12-01",
            "horizon": "2 months",
            "segments": {
                "a": {"new_business": {"plan": [10], "season": [2] + [1] * 10 + [3]}, "opening": {"accounts": 5}}
            },
            "routing": [{"to": "t"}],
            "tiers": {"t": {"coverage": "digital"}},
        }
    )
    assert scenario.segments["a"].new_business.monthly(scenario.start, 2) == (30.0, 20.0)
