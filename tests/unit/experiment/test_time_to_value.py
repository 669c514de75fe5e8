"""Investments in time to value: nothing for nothing, sums that agree, same seed same bytes, errors in sentences."""

import json
from typing import Any

import numpy as np
import pytest

import subsim as ss
from subsim.engine import events as ev
from subsim.engine.metrics import SEGMENT
from subsim.errors import InputError
from subsim.experiment.at_horizon import at_horizon
from subsim.experiment.contrast import COMPARED, contrast
from subsim.experiment.investments import Investment, investment, own_costs, settled
from subsim.experiment.journeys import MEASURES, journeys, read
from subsim.experiment.time_to_value import TimeToValue, time_to_value
from subsim.scenario import Scenario

COMPANY: dict[str, Any] = {
    "name": "Company",
    "start": "2026-01-01",
    "horizon": "24 months",
    "segments": {
        "smb": {"opening": {"accounts": 30, "tenure": "300 days"}, "new_business": "4 per month"},
        "large": {"opening": {"accounts": 10, "tenure": "500 days"}, "new_business": "1 per month"},
    },
    "tiers": {"served": {"coverage": "named", "team": "care", "onboarding_team": "start"}},
    "routing": [{"to": "served"}],
    "teams": {"care": {"seats": 1, "cost": "$90k"}, "start": {"seats": 1, "cost": "$90k"}},
}
HALF = ss.scale("onboarding.customer_delay", by=0.5, from_="2026-03-01", phase_in="1 month")
NOTHING = ss.scale("onboarding.customer_delay", by=1.0, from_="2026-03-01")
MOVED = [ss.hire("start", seats=1, on="2026-03-01"), ss.leave("care", seats=1, on="2026-03-01")]


@pytest.fixture(scope="module")
def base() -> Scenario:
    return Scenario.from_dict(COMPANY)


def asked(base: Scenario) -> TimeToValue:
    chosen = [
        investment("Half", levers=[HALF], one_off="$20k", yearly="$6k"),
        investment("Nothing", levers=[NOTHING]),
        base.replace(name="Moved", levers=MOVED),
    ]
    return time_to_value(base, chosen, draws=12, seed=5, traced=8)


@pytest.fixture(scope="module")
def found(base: Scenario) -> TimeToValue:
    return asked(base)


def test_a_lever_that_does_nothing_gives_nothing(found: TimeToValue) -> None:
    numbers = ["mean", "q05", "q50", "q95"]
    own = found.table[found.table["investment"] == "Nothing"]
    assert not own[numbers].to_numpy().any()
    days = found.days[found.days["investment"] == "Nothing"]
    assert not np.nan_to_num(days[numbers].to_numpy(float)).any()
    assert np.isnan(found.cost_row("Nothing")["per_day"])
    assert found.cost_row("Nothing")["p_pays"] == 0.5


def test_halving_the_customers_part_saves_days_in_every_segment(found: TimeToValue) -> None:
    for segment in ("smb", "large", "all"):
        row = found.days_row("Half", segment=segment)
        assert row["q95"] < 0
        assert row["mean"] == pytest.approx(row["with"] - row["base"], abs=1e-3)


@pytest.mark.parametrize("horizon", [12, 24])
def test_break_even_is_the_mean_gain_of_net_value_less_the_yearly_cost(found: TimeToValue, horizon: int) -> None:
    row = found.cost_row("Half", horizon)
    gain = found.row("Half", "net_value", horizon)
    months = horizon - 2  # March is the third month
    assert row["mean"] == pytest.approx(gain["mean"] - 500 * months, abs=0.05)
    after = found.row("Half", "net_value_after_cost", horizon)
    assert after["mean"] == pytest.approx(row["mean"] - 20_000, abs=0.05)
    assert after["p_better"] == row["p_pays"]
    assert row["per_day"] == pytest.approx(row["mean"] / row["days_saved"], abs=0.02)


def test_the_money_is_that_of_a_comparison(found: TimeToValue) -> None:
    ours = found.runs.contrast("Moved")
    for metric in ("arr", "churn", "cs_cost", "net_value"):
        assert found.row("Moved", metric, 24)["mean"] == ours.row(metric, 24)["mean"]
        assert found.row("Moved", metric, 24)["p_better"] == ours.row(metric, 24)["p_better"]


def test_people_taken_away_are_missed_elsewhere(found: TimeToValue) -> None:
    care = found.work[(found.work["investment"] == "Moved") & (found.work["team"] == "care")]
    assert set(care["metric"]) <= {"expired_share", "wait_days", "utilisation"}
    start = found.work[(found.work["investment"] == "Half") & (found.work["team"] == "start")]
    assert len(start) == 3


def test_words_and_json_hold_numbers_and_the_kind_of_interval(found: TimeToValue) -> None:
    text = found.text
    assert "predictive interval" in text
    assert "90 % interval" in text
    assert "moves no customer's first value" in text
    assert "nan" not in text
    facts = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert {row["investment"] for row in facts["break_even"]} == {"Half", "Nothing", "Moved"}
    assert found.figure().get_title() is not None
    assert "<table" in found._repr_html_()


def test_same_seed_same_bytes(base: Scenario, found: TimeToValue) -> None:
    assert json.dumps(asked(base).to_dict()) == json.dumps(found.to_dict())


def test_sums_and_levels_are_read_as_comparisons_read_them(found: TimeToValue) -> None:
    compared = contrast(found.runs, "Half", "Company")
    for metric in COMPARED:
        values = at_horizon(found.runs, "Half", metric, 24) - at_horizon(found.runs, "Company", metric, 24)
        assert values.mean() == pytest.approx(compared.row(metric, 24)["mean"], abs=0.01)
    with pytest.raises(InputError, match="utilisation"):
        at_horizon(found.runs, "Half", "utilisation", 12)
    with pytest.raises(InputError, match="1 to 24 months"):
        at_horizon(found.runs, "Half", "arr", 25)


def test_a_story_is_counted_by_hand() -> None:
    day = 1440
    lines = [
        (0, ev.L_RENEWED, 0),  # before anybody is followed
        (10, ev.L_NEW, 1),
        (12, ev.L_NEW, 2),
        (30, ev.FIRST_VALUE, 1),
        (40, ev.L_CHURN, 2),
        (50, ev.L_NEW, 3),  # signs too late to be followed
        (60, ev.L_RENEWED, 0),
        (70, ev.FIRST_VALUE, 2),  # after it left and came back
        (80, ev.L_RENEWED, 1),
        (90, ev.L_CHURN, 1),
    ]
    log = np.zeros(len(lines), dtype=[("minute", "i4"), ("code", "i4"), ("who", "i4")])
    for row, (at, code, who) in zip(log, lines, strict=True):
        row["minute"], row["code"], row["who"] = at * day, code, who
    out = dict(zip(MEASURES, read(log, np.array([0, 0, 1, 1]), 2, 5 * day, 45 * day, 25.0), strict=True))
    assert out["ttv_mean"].tolist() == [20.0, 25.0, 22.5]
    assert out["reached"].tolist() == [1.0, 0.0, 0.5]
    assert out["first_renewals"].tolist() == [1.0, 0.0, 0.5]
    assert out["other_renewals"].tolist()[2] == 0.5  # account 0 renews, account 1 leaves at its second decision
    assert out["customers"].tolist() == [1.0, 1.0, 2.0]


def test_days_by_customer_add_up_to_what_the_engine_counts() -> None:
    never = {"parameter": "renewal.reactivation", "value": 0, "because": "each customer has one life"}
    empty = {"smb": {"opening": {"accounts": 0}, "new_business": "4 per month"}}
    alone = Scenario.from_dict(COMPANY | {"segments": empty, "horizon": "12 months", "assumptions": [never]})
    runs = ss.run(alone, draws=3, seed=2)
    outcome = runs.outcome()
    end, limit = int(outcome.setup.world.months[-1]), 1000.0
    found = journeys(outcome.setup, seed=2, draws=3, since=0, until=end, limit_days=limit)
    n, mean, reached = (found[name][:, -1] for name in ("customers", "ttv_mean", "reached"))
    cube = outcome.cube.segments.sum(axis=(1, 2))
    values, minutes = cube[:, SEGMENT.index("first_values")], cube[:, SEGMENT.index("ttv_minutes")]
    assert (values > 10).all()
    assert n * reached == pytest.approx(values)
    assert n * (mean - (1 - reached) * limit) == pytest.approx(minutes / 1440)
    assert found["customers"][:, -1] == pytest.approx(runs.samples("Company", "logos_new").sum(axis=1))


def test_own_costs_fall_due_with_the_first_lever(base: Scenario) -> None:
    each = Investment("x", levers=(HALF,), one_off=100.0, yearly=12.0)
    assert own_costs(base, each, each.plan(base), 5).tolist() == [0.0, 0.0, 101.0, 102.0, 103.0]
    assert str(settled(base, each.plan(base))) == "2026-04-01"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda base: time_to_value(base, [], draws=2), "one or more"),
        (lambda base: time_to_value(base, base, draws=2), "another name"),
        (lambda base: time_to_value(base, base.replace(name="x", horizon="12 months"), draws=2), "horizon_months"),
        (lambda _: investment("x"), "levers or a scenario"),
        (lambda _: investment("x", levers=[HALF], one_off="dear"), "amount"),
        (lambda _: investment("x", levers=[HALF], yearly=-1), "nothing or more"),
        (lambda base: time_to_value(base, investment("x", levers=[HALF]), draws=2, traced=3), "1 to 2"),
        (lambda base: time_to_value(base, investment("x", levers=[HALF]), draws=2, follow="2 years"), "lengthen"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(base: Scenario, asked: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        asked(base)
