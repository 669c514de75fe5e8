"""Drivers of a difference add up to it, to the cent, in every draw."""

import numpy as np
import pytest

from subsim.errors import InputError
from subsim.experiment.attribution import INTERACTION, TOGETHER, TOTAL, Attribution, attribute, drivers_of
from subsim.scenario import Scenario

BASE = {
    "name": "Base",
    "start": "2026-01-01",
    "horizon": "12 months",
    "segments": {"smb": {"opening": {"accounts": 40, "tenure": "300 days"}, "new_business": "2 per month"}},
    "tiers": {"served": {"coverage": "named", "team": "care", "touches": {"status_call": "1 month"}}},
    "routing": [{"to": "served"}],
    "teams": {"care": {"seats": 1, "cost": "$90k"}},
}
LEVERS = [
    {"hire": {"team": "care", "seats": 1, "on": "2026-03-01"}},
    {"scale": {"parameter": "onboarding.customer_delay", "by": 0.5, "from": "2026-02-01"}},
]
PLAN = BASE | {"name": "Plan", "levers": LEVERS, "policies": {"price_uplift": {"smb": "4 %"}}}


@pytest.fixture(scope="module")
def found() -> Attribution:
    return attribute(Scenario.from_dict(BASE), Scenario.from_dict(PLAN), draws=25, seed=3)


def test_every_change_is_a_driver(found: Attribution) -> None:
    assert len(found.drivers) == 3
    assert {name.split(" ")[0] for name in found.drivers} == {"policies", "hire", "scale"}


@pytest.mark.parametrize("metric", ["arr", "churn", "cs_cost", "net_value"])
@pytest.mark.parametrize("horizon", [3, 12])
def test_drivers_and_interaction_add_up_in_every_draw(found: Attribution, metric: str, horizon: int) -> None:
    parts = found.draws(metric, horizon)
    whole = parts.pop(TOTAL)
    assert set(parts) == {*found.drivers, INTERACTION}
    assert np.array_equal(sum(parts.values()), whole)
    assert whole.dtype == np.int64


def test_the_total_is_the_contrast(found: Attribution) -> None:
    row = found.runs.contrast("Plan", "Base").row("arr", 12)
    assert found.draws("arr", 12)[TOTAL].mean() / 100 == pytest.approx(row["mean"], abs=0.01)


def test_one_change_alone_leaves_no_interaction() -> None:
    plan = Scenario.from_dict(BASE | {"name": "One", "levers": LEVERS[:1]})
    alone = attribute(Scenario.from_dict(BASE), plan, draws=10, seed=3)
    assert not alone.draws("arr", 12)[INTERACTION].any()
    assert "ARR" in alone.text


def test_changes_that_need_each_other_are_one_driver() -> None:
    tiers = {**BASE["tiers"], "pool": {"coverage": "pooled", "team": "pool_team"}}  # type: ignore[dict-item]
    plan = BASE | {
        "name": "Pool",
        "tiers": tiers,
        "teams": {**BASE["teams"], "pool_team": {"seats": 2}},  # type: ignore[dict-item]
        "routing": [{"to": "pool"}],
    }
    parts = drivers_of(Scenario.from_dict(BASE), Scenario.from_dict(plan))
    assert TOGETHER in parts
    assert parts[TOGETHER].routing[0].to == "pool"


@pytest.mark.parametrize(
    "change", [{"name": "Base"}, {"name": "Same"}, {"name": "Later", "start": "2026-02-01"}, {"horizon": "6 months"}]
)
def test_what_cannot_be_split_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(InputError):
        drivers_of(Scenario.from_dict(BASE), Scenario.from_dict(BASE | {"name": "Short"} | change))
