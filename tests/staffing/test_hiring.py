"""Hiring earlier or later: dates, caps, what waiting costs."""

import datetime as dt

import pytest

from subsim.errors import InputError
from subsim.scenario import Scenario
from subsim.staffing.hiring import HiringPlan, hiring_plan
from tests.staffing.test_staff import COMPANY

FIRST = dt.date(2026, 3, 1)


@pytest.fixture(scope="module")
def company() -> Scenario:
    teams = {"care": {"seats": 1, "cost": "$90k", "hiring_lag": "60 days"}}
    return Scenario.from_dict(COMPANY | {"teams": teams})


@pytest.fixture(scope="module")
def plan(company: Scenario) -> HiringPlan:
    return hiring_plan(company, team="care", seats=3, first=FIRST, quarters=3, cap=2, draws=20, seed=2)


def test_dates_caps_and_approval(plan: HiringPlan) -> None:
    assert plan.starts["hire on 2026-03-01"] == ((FIRST, 2), (dt.date(2026, 6, 1), 1))
    assert plan.approve_by["hire on 2026-03-01"] == dt.date(2025, 12, 31)
    assert list(plan.starts) == ["hire on 2026-03-01", "hire on 2026-06-01", "hire on 2026-09-01"]


def test_nothing_differs_before_the_first_start(plan: HiringPlan) -> None:
    before = plan.runs.samples("no hire", "arr")[:, :2]
    assert (plan.runs.samples("hire on 2026-03-01", "arr")[:, :2] == before).all()


def test_a_later_start_costs_less_by_the_seats_it_saves(plan: HiringPlan) -> None:
    rows = plan.table[(plan.table["metric"] == "cs_cost") & (plan.table["horizon_months"] == 12)]
    assert rows["mean"].is_monotonic_decreasing
    assert rows["mean"].iloc[0] > 3 * 90_000 * 0.5


def test_waiting_is_the_difference_of_two_plans(plan: HiringPlan) -> None:
    rows = plan.table[(plan.table["metric"] == "net_value") & (plan.table["horizon_months"] == 12)].set_index("plan")
    wait = plan.delay[(plan.delay["metric"] == "net_value") & (plan.delay["horizon_months"] == 12)].iloc[0]
    expected = rows.loc["hire on 2026-03-01", "mean"] - rows.loc["hire on 2026-06-01", "mean"]
    assert wait["mean"] == pytest.approx(expected, abs=0.02)
    assert "net value" in plan.text
    assert plan.to_dict()["plans"][0]["hires"][0] == {"on": "2026-03-01", "seats": 2}


@pytest.mark.parametrize(
    "bad", [{"team": "nobody"}, {"seats": 0}, {"quarters": 0}, {"cap": 0}, {"first": dt.date(2030, 1, 1)}]
)
def test_plans_that_cannot_be_are_refused(company: Scenario, bad: dict[str, object]) -> None:
    facts: dict[str, object] = {"team": "care", "seats": 1, "first": FIRST, "draws": 2}
    with pytest.raises(InputError):
        hiring_plan(company, **(facts | bad))  # type: ignore[arg-type]
