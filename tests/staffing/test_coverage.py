"""Ways to serve a segment for the same money: budgets, routing, ratios, uncovered ARR, words and commands."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from subsim.cli.app import main
from subsim.errors import InputError
from subsim.experiment.run import run
from subsim.scenario import Scenario
from subsim.staffing.budget import budget_a_year, seat_cost_a_year
from subsim.staffing.coverage import Coverage, coverage
from subsim.staffing.coverage_plans import plan_of
from subsim.staffing.coverage_subject import subject_of
from subsim.staffing.coverage_variants import REPRESENTATIVES
from subsim.staffing.response import plan_draws
from subsim.staffing.touch_models import MODELS
from tests.staffing.two_teams import COMPANY, company

PLANS = ["high_touch", "pooled", "tech_touch", "tech_touch_below", "digital_programme", "reps", "arr_first"]
OPTIONS: dict[str, Any] = {"segment": "smb", "plans": PLANS, "draws": 6, "seed": 3}


@pytest.fixture(scope="module")
def found() -> Coverage:
    return coverage(company(), **OPTIONS)


def row(found: Coverage, plan: str) -> Any:
    return found.plans[found.plans["plan"] == plan].iloc[0]


def test_plans_cost_the_same_within_a_seat_unless_they_say_so(found: Coverage) -> None:
    assert found.budget == 330_000
    for one in found.plans.to_dict("records"):
        assert one["budget_a_year"] - found.budget == pytest.approx(one["budget_gap"], abs=0.02)
        assert abs(one["budget_gap"]) <= 90_000 / 2 or not one["equal_budget"]
        assert budget_a_year(found.scenario_of(one["plan"])) == pytest.approx(one["budget_a_year"], abs=0.02)
    assert list(found.plans[~found.plans["equal_budget"]]["plan"]) == ["tech_touch"]


@pytest.mark.parametrize("budget", [300_000, 333_000, 470_000])
@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("today", "tech_touch", "more_csms")])
def test_seats_are_solved_for_any_budget(name: str, budget: float) -> None:
    subject = subject_of(company(), "smb", None, None)
    plan = plan_of(subject, name, budget=budget, rep_cost=63_000, seed=3)
    assert abs(plan.gap) <= plan.unit_cost / 2 + 0.02
    assert plan.equal
    assert budget_a_year(plan.scenario) == pytest.approx(plan.budget)


def test_a_programme_costs_one_seat_and_representatives_replace_seats(found: Coverage) -> None:
    programme = found.scenario_of("digital_programme")
    assert programme.teams["care"].seats == 1
    sends = [name for name in programme.campaigns if name.startswith("programme")]
    seats = sum(team.seats * seat_cost_a_year(programme, name) for name, team in programme.teams.items())
    assert budget_a_year(programme) - seats == pytest.approx(90_000, abs=1)
    assert len(sends) == 3
    reps = found.scenario_of("reps")
    assert reps.teams["care"].seats == 0
    assert reps.teams[REPRESENTATIVES].seats == 3


def test_only_the_segments_own_tier_is_served_otherwise(found: Coverage) -> None:
    """Larger accounts of the segment keep their tier, and the threshold splits the rest."""
    rules = [(rule.segment, rule.arr_from, rule.arr_below, rule.to) for rule in found.scenario_of("arr_first").routing]
    cut = round(100 * found.threshold)
    assert rules == [
        ("enterprise", None, None, "large"),
        ("smb", 4_000_000, None, "large"),
        ("smb", cut, None, "served_arr_large"),
        ("smb", None, cut, "served_arr_small"),
        ("smb", None, None, "served"),
    ]
    accounts = found.table.groupby("plan")["accounts"].sum()
    large = found.table[found.table["tier"] == "large"].set_index("plan")["accounts"]
    assert (accounts - large > 20).all()
    assert not found.table["tier"].eq("served").where(found.table["plan"] != "today", False).any()


def test_routes_and_cadences_of_levers_reach_the_new_tiers() -> None:
    levers = [
        {"route": {"segment": "smb", "arr_from": "$20k", "to": "served", "on": "2026-03-01"}},
        {"cadence": {"tier": "served", "touch": "virtual_contact", "every": "2 months", "on": "2026-04-01"}},
        {"hire": {"team": "care", "seats": 1, "on": "2026-05-01"}},
    ]
    base = company().replace(levers=levers)
    subject = subject_of(base, "smb", None, 2_500_000)
    below = plan_of(subject, "tech_touch_below", budget=budget_a_year(base), rep_cost=1, seed=1).scenario.to_dict()
    assert below["levers"] == [
        {
            "route": {
                "segment": "smb",
                "to": "served_tech",
                "on": "2026-03-01",
                "arr_from": "20,000",
                "arr_below": "25,000",
            }
        },
        {"route": {"segment": "smb", "to": "served_kept", "on": "2026-03-01", "arr_from": "25,000"}},
        {"cadence": {"tier": "served", "touch": "virtual_contact", "every": "2 months", "on": "2026-04-01"}},
        {"cadence": {"tier": "served_kept", "touch": "virtual_contact", "every": "2 months", "on": "2026-04-01"}},
        {"hire": {"team": "care", "seats": 1, "on": "2026-05-01"}},
    ]
    digital = plan_of(subject, "tech_touch", budget=budget_a_year(base), rep_cost=1, seed=1).scenario
    assert not any("hire" in lever for lever in digital.to_dict()["levers"])


def test_priorities_of_other_work_keep_their_order() -> None:
    subject = subject_of(company(), "smb", None, None)
    plan = plan_of(subject, "arr_and_renewal_first", budget=330_000, rep_cost=1, seed=1).scenario
    assert (plan.work["save"].priority, plan.work["renewal_prep"].priority) == (0, 0)
    assert plan.work["expansion"].priority == 24
    assert plan.work["virtual_contact"].priority == 27
    assert plan.policies.renewal_notice == 90
    behind = [row for row in plan.assumptions if row.parameter == "coverage.priority"]
    assert [(row.tier, row.value) for row in behind] == [("served_due_small", 10)]


def test_differences_are_paired_with_todays_plan(found: Coverage) -> None:
    today = row(found, "today")
    assert (today["arr_change"], today["net_change"], today["p_pays"]) == (0, 0, 0.5)
    runs = run([found.scenario_of("today"), found.scenario_of("pooled")], draws=6, seed=3)
    here, pooled = (plan_draws(runs, name, "arr", 12) for name in runs.names)
    assert row(found, "pooled")["arr_change"] == pytest.approx((pooled - here).mean(), abs=0.01)
    assert plan_draws(found.runs, "As today", "arr", 12).tolist() == here.tolist()


def test_ratios_and_uncovered_arr_follow_their_definitions(found: Coverage) -> None:
    table = found.table.set_index(["plan", "tier"])
    served, digital = table.loc[("today", "served")], table.loc[("tech_touch", "served_tech")]
    assert served["accounts_per_csm"] == pytest.approx(served["accounts"] / served["seats"])
    assert served["arr_per_csm"] == pytest.approx(served["arr"] / served["seats"])
    assert served["hours_per_1m_arr"] == pytest.approx(served["hours_served"] / served["arr"] * 1e6)
    assert served["uncovered_arr"] == pytest.approx(served["arr"] * served["touches_missed_share"], rel=1e-4)
    assert 0 < served["uncovered_arr"] < served["arr"]
    assert (digital["uncovered_arr"], digital["digital_arr"]) == (0, digital["arr"])
    assert row(found, "tech_touch")["served_by"] == "campaigns"
    small, large = table.loc[("arr_first", "served_arr_small")], table.loc[("arr_first", "served_arr_large")]
    assert small["shared"]
    assert small["accounts_per_csm"] == large["accounts_per_csm"] > small["accounts"] / small["seats"]


def test_a_team_without_seats_leaves_everything_uncovered() -> None:
    nobody = COMPANY | {"name": "Nobody", "teams": {**COMPANY["teams"], "care": {"seats": 0, "cost": "$90k"}}}  # type: ignore[dict-item]
    found = coverage(company(), segment="smb", plans=[Scenario.from_dict(nobody)], draws=3)
    served = found.table[(found.table["plan"] == "Nobody") & (found.table["tier"] == "served")].iloc[0]
    assert served["uncovered_arr"] == pytest.approx(served["arr"])
    assert row(found, "Nobody")["served_by"] == "nobody"
    assert not row(found, "Nobody")["equal_budget"]


def test_twice_the_touches_ask_for_more_hours_and_half_for_fewer() -> None:
    found = coverage(company(), segment="smb", plans=["more_touches", "fewer_touches"], draws=3)
    hours = found.table[found.table["team"] == "care"].set_index("plan")["hours_demanded"]
    assert hours["fewer_touches"] < hours["today"] < hours["more_touches"]


def test_the_usual_list_leaves_out_what_changes_nothing_or_cannot_be_had() -> None:
    low = company().replace(tiers={**company().to_dict()["tiers"], "large": MODELS_LOW})
    found = coverage(low, segment="enterprise", draws=2)
    assert "low_touch" not in set(found.plans["plan"])
    assert set(found.left_out) == {"Tech touch for the small", "Digital programme beside CSMs"}
    assert "Left out" in found.text


MODELS_LOW = {
    "title": "Large",
    "coverage": "named",
    "team": "key",
    "touches": {"virtual_contact": "1 month", "business_review": "1 year"},
    "playbooks": ["handoff", "renewal_prep", "save", "rescue", "sponsor_recovery", "expansion"],
}


def test_the_highest_net_value_is_among_the_best(found: Coverage) -> None:
    top = found.plans.sort_values("net_value").iloc[-1]
    assert found.best[0] == top["plan"]
    assert set(found.plans[found.plans["best"]]["plan"]) == set(found.best)


def test_the_same_question_has_the_same_answer(found: Coverage) -> None:
    again = coverage(company(), workers=1, **OPTIONS)
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def test_words_and_picture(found: Coverage) -> None:
    assert "SMB" in found.text
    assert "within a seat, but for Tech touch" in found.text
    assert "paired draws" in found.text
    assert found.figure() is not None
    assert "Pooled" in found._repr_html_()
    assert np.isfinite(found.plans["p_pays"]).all()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"segment": "smbs"}, "did you mean smb"),
        ({"team": "cares"}, "did you mean care"),
        ({"plans": ["pool"]}, "did you mean pooled"),
        ({"plans": ["today"]}, "besides today"),
        ({"plans": ["more_csms"]}, "about 420,000 a year"),
        ({"plans": ["pooled"], "budget": 100_000}, "Pooled"),
        ({"plans": ["pooled"], "draws": 1}, "2 or more"),
        ({"plans": ["reps"], "rep_cost": 0}, "more than 0"),
    ],
)
def test_questions_without_an_answer_are_refused_in_a_sentence(options: dict[str, Any], names: str) -> None:
    with pytest.raises(InputError, match=names):
        coverage(company(), **{"draws": 2, **options})


def test_a_segment_that_nobody_serves_needs_a_team() -> None:
    digital = company().replace(routing=[{"segment": "enterprise", "to": "large"}, {"to": "tech"}])
    with pytest.raises(InputError, match="tech is digital"):
        coverage(digital, segment="smb", draws=2)
    found = coverage(digital, segment="smb", team="care", plans=["pooled"], draws=2)
    assert row(found, "pooled")["served_by"] == "people"
    assert found.scenario_of("pooled").tiers["tech_pooled"].touches
    subject = subject_of(digital, "smb", "care", None)
    programme = plan_of(subject, "tech_touch", budget=330_000, rep_cost=1, seed=1)
    assert (programme.scenario.teams["care"].seats, programme.equal) == (1, True)


def test_the_command_prints_one_object_and_writes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "two.yaml", tmp_path / "out"
    path.write_text(yaml.safe_dump(COMPANY, sort_keys=False), encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text("extends: two.yaml\nname: Another\nteams: {care: {seats: 3}}\n", encoding="utf-8")
    options = ["--plan", "pooled", "--plan", str(other), "--draws", "3", "--threshold", "$8k"]
    with pytest.raises(SystemExit) as stopped:
        main(["coverage", str(path), *options, "--json", "--out", str(out)])
    assert stopped.value.code == 0
    body = json.loads(capsys.readouterr().out)
    assert [plan["plan"] for plan in body["plans"]] == ["today", "pooled", "Another"]
    assert body["threshold"] == 8000
    assert sorted(file.name for file in out.iterdir()) == ["coverage.md", "coverage.png", "plans.csv", "tiers.csv"]
    for arguments in (options, ["--list"]):
        with pytest.raises(SystemExit) as stopped:
            main(["coverage", str(path), *arguments])
        assert stopped.value.code == 0
        assert "Pooled" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["coverage", str(path), "--segment", "nobody"])
    assert stopped.value.code == 2
    assert "smb, enterprise" in capsys.readouterr().err
