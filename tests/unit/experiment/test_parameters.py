"""Parameters: catalogue, file, decisions, assumptions, draws."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from subsim.errors import InputErrors, SubsimError
from subsim.experiment.parameters import cells, draw_rows, parameter_rows
from subsim.model import slots
from subsim.model.catalogue import parameters
from subsim.scenario import Scenario

SCENARIO: dict[str, Any] = {
    "name": "two segments",
    "start": "2026-07-01",
    "horizon": "12 months",
    "segments": {
        "smb": {"opening": {"accounts": 10}},
        "enterprise": {"opening": {"accounts": 5}, "new_business": "2 per month"},
    },
    "tiers": {
        "near": {"coverage": "named", "team": "csm", "touches": {"status_call": "1 month"}, "playbooks": ["save"]},
        "far": {"coverage": "digital"},
    },
    "teams": {"csm": {"seats": 2, "cost": "$150k", "ramp": "100 days"}},
    "routing": [{"segment": "enterprise", "to": "near"}, {"to": "far"}],
    "policies": {"price_uplift": {"smb": "3 %"}},
}


def scenario(**more: Any) -> Scenario:
    return Scenario.from_dict(SCENARIO | more)


def value(plan: Scenario, name: str, offset: int = 0) -> float:
    row = draw_rows(cells(plan), draws=1, seed=1, fixed=True)[0]
    return float(row[getattr(slots, name) + offset])


def test_catalogue_values_go_by_name() -> None:
    rows = parameters()
    for offset, segment in enumerate(("smb", "enterprise")):
        assert value(scenario(), "renewal_base", offset) == rows["renewal.base"].values[segment]


def test_decisions_of_the_scenario_arrive() -> None:
    plan = scenario()
    assert value(plan, "seat_cost") == 150_000.0
    assert value(plan, "seat_ramp_days") == 50.0
    assert value(plan, "renewal_price_uplift") == 0.03
    calls, saves = plan.work_types.index("status_call"), plan.work_types.index("save")
    assert value(plan, "touch_cadence", calls) == 30.4375
    assert value(plan, "touch_cadence", slots.WORK + calls) == 0.0
    assert value(plan, "playbook_on", saves) == 1.0


def test_an_assumption_is_fixed_for_those_it_names() -> None:
    plan = scenario(assumptions=[{"parameter": "renewal.base", "segment": "smb", "value": -1.0, "because": "a test"}])
    rows = draw_rows(cells(plan), draws=50, seed=1)
    assert set(rows[:, slots.renewal_base]) == {-1.0}
    assert len(set(rows[:, slots.renewal_base + 1])) == 50


def test_a_declared_effect_is_drawn_from_its_belief() -> None:
    effect = {"parameter": "work.lift", "work": "status_call", "elicited": {"lower": -0.1, "upper": 0.5, "mass": 0.9}}
    plan = scenario(effects=[effect])
    calls = slots.work_lift + plan.work_types.index("status_call")
    drawn = draw_rows(cells(plan), draws=4000, seed=3)[:, calls]
    assert stats.kstest(drawn, stats.norm(0.2, 0.3 / 1.6448536).cdf).pvalue > 1e-4
    assert cells(plan)[calls].decided  # nothing learned replaces it


def test_draws_follow_their_priors() -> None:
    rows = draw_rows(cells(scenario()), draws=4000, seed=3)
    row = parameters()["renewal.base"]
    normal = stats.norm(row.values["smb"], row.prior.sd)
    assert stats.kstest(rows[:, slots.renewal_base], normal.cdf).pvalue > 1e-4
    win = parameters()["expansion.win"].prior
    assert stats.kstest(rows[:, slots.expansion_win], stats.beta(win.a, win.b).cdf).pvalue > 1e-4
    theta = parameters()["renewal.frailty"]
    gamma = stats.gamma(theta.prior.shape, scale=theta.value / theta.prior.shape)
    assert stats.kstest(rows[:, slots.renewal_frailty], gamma.cdf).pvalue > 1e-4
    median = parameters()["value.first_arr"]
    lognormal = stats.lognorm(median.prior.sd, scale=median.values["smb"])
    assert stats.kstest(rows[:, slots.value_first_arr], lognormal.cdf).pvalue > 1e-4


def test_every_drawn_number_lies_in_its_range() -> None:
    plan = scenario()
    rows = draw_rows(cells(plan), draws=500, seed=2)
    for cell in cells(plan).values():
        assert rows[:, cell.index].min() >= cell.parameter.low
        assert rows[:, cell.index].max() <= cell.parameter.high


def test_a_draw_is_the_same_in_every_scenario_and_batch() -> None:
    more = scenario(segments=SCENARIO["segments"] | {"mid_market": {"opening": {"accounts": 1}}})
    few, many = draw_rows(cells(scenario()), draws=5, seed=9), draw_rows(cells(more), draws=50, seed=9)
    assert np.array_equal(few[:, slots.renewal_base], many[:5, slots.renewal_base])
    assert np.array_equal(few[:, slots.engagement_drift], many[:5, slots.engagement_drift])
    assert not np.array_equal(few, draw_rows(cells(scenario()), draws=5, seed=10))


def with_file(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    return scenario(parameters=str(path))


def test_a_parameter_file_sets_centre_and_prior(tmp_path: Path) -> None:
    plan = with_file(
        tmp_path,
        "rows:\n- {parameter: renewal.base, segment: smb, value: -3, prior: {family: normal, sd: 0.1}}\n"
        "- {parameter: referral.rate, value: 0}\n- {parameter: renewal.base, segment: elsewhere, value: -9}\n",
    )
    rows = draw_rows(cells(plan), draws=500, seed=1)
    assert abs(rows[:, slots.renewal_base].mean() + 3) < 0.03
    assert 0.08 < rows[:, slots.renewal_base].std() < 0.12
    assert not rows[:, slots.referral_rate : slots.referral_rate + 2].any()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows: 3", "no list of rows"),
        ("rows:\n- {parameter: renewal.bse, value: 1}", "renewal.base"),
        ("rows:\n- {parameter: renewal.base, value: much}", "'much'"),
        ("rows:\n- {parameter: referral.rate, value: -1}", "0.0 to 20.0"),
        ("rows:\n- {parameter: referral.rate, value: 1, sourse: x}", "'sourse'"),
        ("rows:\n- {parameter: referral.rate, value: 1, prior: {family: normal, spread: 2}}", "spread"),
        ("rows:\n- {parameter: work.lift, work: status_call, value: 0.3}", "no source for work.lift"),
        ("rows:\n- {parameter: association.lift, work: status_call, value: 0.3}", "declare an effect"),
        ("rows: [", "rows"),
    ],
)
def test_a_broken_parameter_file_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    plan = with_file(tmp_path, text)
    with pytest.raises(SubsimError, match=r"parameters\.yaml") as caught:
        parameter_rows(plan)
    assert words in str(caught.value)


def test_all_problems_of_a_parameter_file_are_told_together(tmp_path: Path) -> None:
    plan = with_file(tmp_path, "rows:\n- {parameter: nothing, value: 1}\n- {parameter: referral.rate, value: 99}\n")
    with pytest.raises(InputErrors) as caught:
        parameter_rows(plan)
    assert len(caught.value.errors) == 2
