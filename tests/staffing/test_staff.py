"""Team sizes on a small company: curve, marginal seats, choice, formulas, command."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from subsim.cli.app import main
from subsim.cli.staffing import counts, pairs
from subsim.errors import InputError
from subsim.scenario import Scenario
from subsim.staffing.choice import Limits, choose
from subsim.staffing.response import CURVE, respond
from subsim.staffing.staff import Staffing, staff

COMPANY = {
    "name": "Small company",
    "start": "2026-01-01",
    "horizon": "18 months",
    "segments": {"smb": {"opening": {"accounts": 60, "tenure": "400 days"}, "new_business": "2 per month"}},
    "tiers": {
        "served": {
            "coverage": "named",
            "team": "care",
            "touches": {"status_call": "1 month"},
            "playbooks": ["save", "renewal_prep", "expansion"],
        }
    },
    "routing": [{"to": "served"}],
    "teams": {"care": {"title": "Care team", "seats": 2, "cost": "$90k"}},
}
SEATS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def company() -> Scenario:
    return Scenario.from_dict(COMPANY)


@pytest.fixture(scope="module")
def answer(company: Scenario) -> Staffing:
    return staff(company, seats={"care": SEATS}, draws=30, seed=5, limits=Limits(expired_share=0.9))


def test_the_curve_has_every_metric_at_every_count(answer: Staffing) -> None:
    table = answer.table
    assert set(table["metric"]) == set(CURVE)
    assert set(table["seats"]) == set(SEATS)
    assert set(table["horizon_months"]) == {12}
    arr = table[table["metric"] == "arr"]
    assert (arr["q05"] <= arr["mean"]).all()
    assert (arr["mean"] <= arr["q95"]).all()


def test_steps_add_up_to_the_whole_in_every_draw(answer: Staffing) -> None:
    response = answer.teams[0].response
    values = response.draws("net_value", 12)
    steps = response.marginal()
    steps = steps[steps["metric"] == "net_value"]
    assert steps["mean"].sum() == pytest.approx(float((values[-1] - values[0]).mean()), abs=0.02)


def test_nobody_means_everything_is_dropped_and_more_people_drop_less(answer: Staffing) -> None:
    dropped = np.nanmean(answer.teams[0].response.draws("expired_share", 12), axis=1)
    assert dropped[0] == pytest.approx(1.0)
    assert (np.diff(dropped) <= 0).all()


def test_the_cost_of_a_seat_is_in_the_value(answer: Staffing) -> None:
    cost = answer.teams[0].response.draws("cs_cost", 12).mean(axis=1)
    # Leavers leave gaps, so a year of a seat costs at most its yearly cost.
    assert (np.diff(cost) > 0.7 * 90_000).all()
    assert (np.diff(cost) <= 90_000 + 1).all()


def test_the_same_question_has_the_same_answer(company: Scenario, answer: Staffing) -> None:
    again = staff(company, seats={"care": SEATS[::-1]}, draws=30, seed=5, limits=Limits(expired_share=0.9), workers=1)
    assert again.to_dict() == answer.to_dict()


def test_a_choice_keeps_the_limits(company: Scenario) -> None:
    response = respond(company, team="care", seats=SEATS, draws=30, seed=5)
    strict = choose(response, Limits(grr_floor=1.0, risk=0.0), 12)
    assert strict.best == ()
    assert not strict.table["keeps_limits"].any()
    served = choose(response, Limits(expired_share=0.5), 12)
    assert 0 not in served.best


def test_regret_is_zero_for_a_count_that_is_best_in_every_draw(company: Scenario) -> None:
    response = respond(company, team="care", seats=(2,), draws=5, seed=5)
    assert choose(response, Limits(), 12).table["regret"].tolist() == [0.0]


def test_words_name_counts_interval_and_chance(answer: Staffing) -> None:
    assert "Care team" in answer.text
    assert "90 % interval" in answer.text
    assert "draws" in answer.text
    assert answer.figure() is not None
    assert "Care team" in answer._repr_html_()


def test_formulas_stand_beside_the_simulation(answer: Staffing) -> None:
    thumbs = answer.teams[0].thumbs.set_index("rule")
    assert list(thumbs.index) == ["ARR per CSM", "accounts per CSM", "hours", "Erlang C", "square root"]
    assert (thumbs["seats"] >= 1).all()
    assert thumbs["source"].str.len().gt(10).all()


@pytest.mark.parametrize("text", ["", "a..b", "5..2", "-1", "0..99999", "1,,2"])
def test_counts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="seats"):
        counts(text)


def test_each_team_needs_its_counts() -> None:
    assert pairs(["a", "b"], ["1..2", "4"]) == {"a": [1, 2], "b": [4]}
    with pytest.raises(InputError):
        pairs(["a", "b"], ["1..2"])


@pytest.mark.parametrize(
    "bad", [{"seats": {}}, {"seats": {"nobody": [1]}}, {"seats": {"care": []}}, {"seats": {"care": [-1]}}]
)
def test_questions_without_an_answer_are_refused(company: Scenario, bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        staff(company, draws=2, **bad)  # type: ignore[arg-type]


def test_limits_are_shares() -> None:
    with pytest.raises(InputError, match="grr_floor"):
        Limits(grr_floor=85)


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(COMPANY), encoding="utf-8")
    out = tmp_path / "out"
    options = ["--team", "care", "--seats", "1..2", "--draws", "6", "--out", str(out), "--json"]
    with pytest.raises(SystemExit) as stopped:
        main(["staff", str(path), *options])
    assert stopped.value.code == 0
    body = json.loads(capsys.readouterr().out)
    assert {"curve", "marginal", "choice", "rules_of_thumb"} <= set(body)
    assert {row["metric"] for row in body["curve"]} == set(CURVE)
    assert body["choice"][0]["team"] == "care"
    assert sorted(file.name for file in out.iterdir()) == ["curve.csv", "seats_care.png", "staffing.md"]


def test_a_wrong_team_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(COMPANY), encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["staff", str(path), "--team", "care_team", "--seats", "1..2"])
    assert stopped.value.code == 2
    assert "care" in capsys.readouterr().err


def test_compare_names_what_drives_the_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, plan = tmp_path / "base.yaml", tmp_path / "plan.yaml"
    base.write_text(yaml.safe_dump(COMPANY), encoding="utf-8")
    levers = [
        {"hire": {"team": "care", "seats": 1, "on": "2026-03-01"}},
        {"price": {"segment": "smb", "uplift": "5 %", "from": "2026-02-01"}},
    ]
    plan.write_text(yaml.safe_dump({"extends": "base.yaml", "name": "Plan", "levers": levers}), encoding="utf-8")
    options = ["--drivers", "--draws", "6", "--out", str(tmp_path / "out"), "--no-figures"]
    with pytest.raises(SystemExit) as stopped:
        main(["compare", str(base), str(plan), *options, "--json"])
    assert stopped.value.code == 0
    rows = json.loads(capsys.readouterr().out)["drivers"]
    arr = {row["driver"]: row["mean"] for row in rows if row["metric"] == "arr" and row["horizon_months"] == 12}
    assert len(arr) == 4
    assert sum(value for name, value in arr.items() if name != "total") == pytest.approx(arr["total"], abs=0.03)
    with pytest.raises(SystemExit) as stopped:
        main(["compare", str(base), str(plan), *options])
    assert stopped.value.code == 0
    assert "interaction" in capsys.readouterr().out
