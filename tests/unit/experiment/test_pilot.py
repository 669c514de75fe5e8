"""A pilot: arms by lot, alike but for the touch, in a company that is otherwise the demo company."""

import datetime as dt

import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.experiment.demo import NO_LIFT
from subsim.experiment.pilot import make_pilot

BEGINS = dt.date(2025, 7, 1)


@pytest.fixture(scope="module")
def pilot() -> dict[str, pd.DataFrame]:
    return make_pilot(seed=4, size=2, months=36, months_of_pilot=12)


def reviews(tables: dict[str, pd.DataFrame], since: dt.date, until: dt.date) -> pd.Series:
    """Business reviews done for an account of each arm, on average."""
    touches = tables["touches"]
    done = touches[(touches["kind"] == "business_review") & (touches["done_date"] != "")]
    inside = done[[since <= date < until for date in done["done_date"]]]
    arms = tables["experiments"].set_index("account_id")["arm"]
    return inside["account_id"].map(arms).value_counts() / arms.value_counts()


def test_half_of_the_tier_is_treated_and_is_named_as_the_others(pilot: dict[str, pd.DataFrame]) -> None:
    trial = pilot["experiments"].merge(pilot["accounts"], on="account_id")
    counts = trial["arm"].value_counts()
    assert counts.min() > 60
    assert abs(counts["treated"] - counts["control"]) < 4 * len(trial) ** 0.5
    assert set(trial["segment"]) == {"mid_market"}
    assert set(trial["assigned_on"] >= BEGINS) == {True}
    assert (trial["assigned_on"] >= trial["start_date"]).all()
    assert set(pilot["accounts"]["tier"]) <= {"high_touch", "low_touch", "tech_touch", "rescue_desk"}


def test_only_the_treated_get_more_and_only_from_the_day_on(pilot: dict[str, pd.DataFrame]) -> None:
    before = reviews(pilot, dt.date(2024, 7, 1), BEGINS)
    after = reviews(pilot, BEGINS, dt.date(2026, 7, 1))
    assert after["treated"] > 4 * after["control"]
    assert before["treated"] < 2 * before["control"]


def test_engagement_differs_by_arm_only_if_touches_lift() -> None:
    gaps = []
    for numbers in ({("work.lift", "work=business_review"): 0.7}, NO_LIFT):
        tables = make_pilot(seed=4, parameters=numbers, size=3, months=36, months_of_pilot=18)
        scores = tables["health"].merge(tables["experiments"], on="account_id")
        late = scores[[date > dt.date(2025, 10, 1) for date in scores["date"]]]
        means = late.groupby(["arm", "account_id"])["score"].mean()
        arms = [means[arm] for arm in ("treated", "control")]
        error = sum(arm.var() / len(arm) for arm in arms) ** 0.5
        gaps.append((arms[0].mean() - arms[1].mean()) / error)
    assert gaps[0] > 4
    assert abs(gaps[1]) < 3


def test_an_unknown_segment_is_named() -> None:
    with pytest.raises(InputError, match="enterprise"):
        make_pilot(segment="large")
