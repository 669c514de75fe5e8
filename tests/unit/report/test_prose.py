import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.experiment.results import Runs
from subsim.report import prose
from subsim.report.story import story
from subsim.report.words import money
from tests.unit.experiment import synthetic


@pytest.fixture(scope="module")
def runs() -> Runs:
    return synthetic.runs()


def test_summary_says_where_arr_lands_with_interval_kind(runs: Runs) -> None:
    text = prose.run_summary(runs, "better")
    low, median, high = np.quantile(runs.samples("better", "arr")[:, -1], [0.05, 0.5, 0.95])
    for amount in (low, median, high):
        assert money(amount) in text
    assert "central predictive interval" in text
    assert "June 2028" in text


def test_summary_names_the_busiest_team_and_dropped_work(runs: Runs) -> None:
    text = prose.run_summary(runs)
    assert "busiest team is Mid-touch CSMs" in text
    assert "Mid-touch CSMs " in text.split("Work dropped")[1]


def test_short_horizons_claim_no_annual_retention() -> None:
    text = prose.run_summary(synthetic.runs(draws=4, months=6))
    assert "cannot be said" in text


def test_comparison_states_probability_and_what_it_rests_on(runs: Runs) -> None:
    text = prose.compare_summary(runs)
    assert "None of the plans compared" in text
    assert "with probability" in text
    assert "lift of touches (grade D" in text
    assert "drawn from their priors" in text
    assert "held fixed" in prose.assumptions(dataclasses.replace(runs, fixed_parameters=True))


def test_a_plan_that_pays_is_named() -> None:
    base = synthetic.outcome("baseline", 10, 24)
    cheap = synthetic.outcome("cheap", 10, 24, churn_scale=0.8, seat_cost=0.9)
    text = prose.compare_summary(Runs({"baseline": base, "cheap": cheap}, seed=5, draws=10))
    assert "cheap has the highest mean net value" in text


TRACE = pd.DataFrame(
    {
        "minute": [1440 * 31, 0, 1440 * 2],
        "event": ["price", "work begun", "price"],
        "account_id": ["a", "a", "b"],
        "who": ["", "onboarding", ""],
        "before": [1_000_000, 3, 5],
        "after": [1_200_000, 1440 * 5 // 2, 5],
        "detail": [0.0, 0.0, float("nan")],
    }
)


def test_a_story_is_told_in_order_of_time_with_amounts() -> None:
    lines = story(TRACE, "a", start=date(2026, 7, 1)).split("\n")
    assert lines == [
        "a: 2 events",
        "2026-07-01  onboarding begins, 2.5 days after it was due",
        "2026-08-01  pays a new price: ARR $10.0k to $12.0k",
    ]


def test_a_story_of_nobody_is_refused_with_names_that_exist() -> None:
    with pytest.raises(InputError, match="such as a, b"):
        story(TRACE, "z", start=date(2026, 7, 1))
