"""Combinations of team sizes: which no other beats, judged on fresh numbers, whatever the search skipped."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from subsim.cli.app import main
from subsim.errors import InputError
from subsim.experiment.run import run
from subsim.staffing.choice import Limits
from subsim.staffing.frontier import Frontier, frontier
from subsim.staffing.frontier_search import Plan, coarse, grid, search, undominated
from subsim.staffing.response import plan_draws
from subsim.staffing.staff import fresh_seed
from tests.staffing.two_teams import COMPANY, company

SEATS = {"care": (0, 1, 2, 3), "key": (0, 1, 2)}
OPTIONS = {"draws": 10, "seed": 5, "most": 7}


@pytest.fixture(scope="module")
def found() -> Frontier:
    return frontier(company(), seats=SEATS, **OPTIONS)  # type: ignore[arg-type]


def test_no_plan_on_the_frontier_is_beaten_by_another(found: Frontier) -> None:
    rows = found.table
    for mark, column, sign in (("on_arr_frontier", "arr", 1), ("on_risk_frontier", "p_grr_below_floor", -1)):
        assert rows[mark].any()
        for one in rows.to_dict("records"):
            beaten = (
                (rows["cost_a_year"] <= one["cost_a_year"])
                & (sign * rows[column] >= sign * one[column])
                & ((rows["cost_a_year"] < one["cost_a_year"]) | (sign * rows[column] > sign * one[column]))
            )
            assert one[mark] == (not beaten.any()), one["plan"]


def test_plans_are_judged_on_numbers_that_had_no_part_in_choosing(found: Frontier) -> None:
    plan = found.best[0]
    scenario = found.scenario_of(plan)
    row = found.table[found.table["plan"] == scenario.name].iloc[0]
    searched = found.tried[found.tried["plan"] == scenario.name].iloc[0]
    for seed, expected in ((fresh_seed(5), row), (5, searched)):
        runs = run(scenario, draws=10, seed=seed)
        assert plan_draws(runs, scenario.name, "arr", 12).mean() == pytest.approx(expected["arr"], abs=0.01)
    assert row["arr"] != searched["arr"]


def test_a_search_leaves_plans_out_and_always_judges_todays(found: Frontier) -> None:
    assert found.combinations == 12
    assert len(found.tried) == 7
    assert set(found.table["plan"]) <= set(found.tried["plan"])
    today = found.table[found.table["today"]].iloc[0]
    assert (today["seats_care"], today["seats_key"], today["arr_change"], today["net_change"]) == (2, 1, 0, 0)


def test_few_combinations_are_all_run() -> None:
    every = frontier(company(), seats={"care": (1, 2), "key": (1,)}, draws=4, seed=5)
    assert set(every.tried["plan"]) == {"care 1, key 1", "care 2, key 1"}


def test_the_same_question_has_the_same_answer(found: Frontier) -> None:
    backwards = {team: counts[::-1] for team, counts in SEATS.items()}
    again = frontier(company(), seats=backwards, workers=1, **OPTIONS)  # type: ignore[arg-type]
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def test_limits_leave_plans_out() -> None:
    strict = frontier(company(), seats={"care": (0, 2), "key": (1,)}, draws=4, limits=Limits(grr_floor=1.0, risk=0.0))
    assert strict.best == ()
    assert "keeps the limits" in strict.text
    dropped = frontier(company(), seats={"care": (0, 2), "key": (1,)}, draws=4, limits=Limits(expired_share=0.5))
    assert dropped.best == ((2, 1),)


def test_words_and_picture(found: Frontier) -> None:
    assert "Care team" in found.text
    assert "fresh draws" in found.text
    assert "frontier" in found.text
    assert found.figure() is not None
    assert "Care team" in found._repr_html_()


@pytest.mark.parametrize(
    ("seats", "names"),
    [
        ({"care": [1, 2]}, "two teams or more"),
        ({"care": [1], "nobody": [1]}, "care, key"),
        ({"care": [1], "key": []}, "seats of key"),
        ({"care": [1], "key": [-1]}, "-1"),
        ({"care": range(200), "key": range(200)}, "40,000 combinations"),
    ],
)
def test_questions_without_an_answer_are_refused_in_a_sentence(seats: dict[str, list[int]], names: str) -> None:
    with pytest.raises(InputError, match=names):
        frontier(company(), seats=seats, draws=2)
    with pytest.raises(InputError, match="draws"):
        frontier(company(), seats={"care": [1], "key": [1]}, draws=1)


class Formula:
    """Plans whose draws are a formula: gains that flatten, the second team worth more beside the first, some noise."""

    teams = ("a", "b")

    def __init__(self) -> None:
        self.asked: list[Plan] = []

    def __call__(self, plans: Iterable[Plan]) -> dict[Plan, dict[str, NDArray[np.float64]]]:
        new = list(plans)
        self.asked += new
        return {plan: self.draws(plan) for plan in new}

    @staticmethod
    def draws(plan: Plan) -> dict[str, NDArray[np.float64]]:
        a, b = plan
        noise = 1 + 0.1 * np.sin(np.arange(20.0))
        arr = (300 * (1 - 0.8**a) + 400 * (1 - 0.85**b) + 4 * min(a, b)) * noise
        cost = np.full(20, 10.0 * a + 12.0 * b)
        return {"arr": arr, "cs_cost": cost, "net_value": arr - cost, "grr_ttm": 0.7 + 0.25 * arr / 900}


def test_a_search_of_few_plans_comes_close_to_the_best_of_many() -> None:
    ask, ranges = Formula(), (range(21), range(21))
    tried = search(ask, ranges, (9, 4), {(9, 4): ask.draws((9, 4))}, floor=0.85, most=20)  # type: ignore[arg-type]
    assert len(tried) == 20
    assert len(ask.asked) == len(set(ask.asked)) == 19
    value = {plan: ask.draws(plan)["net_value"].mean() for plan in grid(ask.teams, ranges)}
    found = max(float(one["net_value"].mean()) for one in tried.values())
    assert found >= max(value.values()) - 0.25 * 10  # a quarter of a seat of the cheaper team
    assert max(float(one["arr"].mean()) for one in tried.values()) == ask.draws((20, 20))["arr"].mean()


def test_points_that_nothing_beats() -> None:
    u = np.linspace(0, 1, 40) * 7 % 1
    cost, gain = u.round(1), (u * 3 % 1).round(1)
    slow = [
        not any((c <= a) and (g >= b) and ((c < a) or (g > b)) for c, g in zip(cost, gain, strict=True))
        for a, b in zip(cost, gain, strict=True)
    ]
    assert undominated(cost, gain).tolist() == slow
    assert coarse([3]) == [3]
    assert grid(("a", "b"), ((1, 2), (3,))) == [(1, 3), (2, 3)]


def test_the_command_sizes_teams_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "two.yaml", tmp_path / "out"
    path.write_text(yaml.safe_dump(COMPANY), encoding="utf-8")
    options = ["--team", "care", "--seats", "1..2", "--team", "key", "--seats", "1", "--together", "--draws", "4"]
    with pytest.raises(SystemExit) as stopped:
        main(["staff", str(path), *options, "--json", "--out", str(out)])
    assert stopped.value.code == 0
    body = json.loads(capsys.readouterr().out)
    assert {plan["plan"] for plan in body["plans"]} == {"care 1, key 1", "care 2, key 1"}
    assert sorted(file.name for file in out.iterdir()) == ["frontier.csv", "frontier.md", "frontier.png", "tried.csv"]
    with pytest.raises(SystemExit) as stopped:
        main(["staff", str(path), *options])
    assert stopped.value.code == 0
    assert "1 + 1" in capsys.readouterr().out
