import json

import numpy as np
import pytest

from subsim.errors import InputError
from subsim.experiment.contrast import COMPARED, GROSS_MARGIN, HORIZONS, p_better
from subsim.experiment.results import Runs
from tests.unit.experiment import synthetic


@pytest.fixture(scope="module")
def runs() -> Runs:
    return synthetic.runs()


def test_a_twin_differs_by_nothing_and_is_a_toss_up(runs: Runs) -> None:
    table = runs.contrast("twin").table
    known = table.dropna(subset="mean")
    assert (known[["mean", "q05", "q95"]].to_numpy() == 0).all()
    assert (known["p_better"] == 0.5).all()


def test_rows_are_every_metric_at_every_horizon_reached(runs: Runs) -> None:
    table = runs.contrast("better").table
    horizons = [h for h in HORIZONS if h <= 24]
    assert len(table) == len(COMPARED) * len(horizons)
    assert set(table["horizon_months"]) == set(horizons)


def test_differences_are_paired_draw_by_draw(runs: Runs) -> None:
    row = runs.contrast("better").row("arr", 12)
    paired = runs.samples("better", "arr")[:, 11] - runs.samples("baseline", "arr")[:, 11]
    assert row["q95"] == round(np.quantile(paired, 0.95), 2)
    assert row["p_better"] == (paired > 0).mean()


def test_churn_and_cost_are_summed_and_lower_is_better(runs: Runs) -> None:
    contrast = runs.contrast("better")
    churn = (runs.samples("better", "churn") - runs.samples("baseline", "churn")).sum(axis=1)
    assert contrast.row("churn", 24)["mean"] == round(churn.mean(), 2)
    assert contrast.row("churn", 24)["p_better"] == 1.0
    assert contrast.row("cs_cost", 24)["p_better"] == 0.0


def test_net_value_is_margin_on_arr_less_cost(runs: Runs) -> None:
    contrast = runs.contrast("better")
    arr = (runs.samples("better", "arr") - runs.samples("baseline", "arr")).sum(axis=1) / 12
    cost = (runs.samples("better", "cs_cost") - runs.samples("baseline", "cs_cost")).sum(axis=1)
    assert contrast.row("net_value", 24)["mean"] == pytest.approx((GROSS_MARGIN * arr - cost).mean(), abs=0.01)
    assert "assumed" in contrast.table.attrs["assumption"]


def test_reversed_contrast_is_the_negative(runs: Runs) -> None:
    one, other = runs.contrast("better", "baseline"), runs.contrast("baseline", "better")
    assert one.row("arr")["mean"] == -other.row("arr")["mean"]
    assert one.row("arr")["p_better"] == 1 - other.row("arr")["p_better"]


def test_ties_count_half_and_missing_values_do_not_count() -> None:
    assert p_better(np.array([1.0, 0.0, -1.0, 2.0]), "higher") == 0.625
    assert p_better(np.array([1.0, 0.0, -1.0, 2.0]), "lower") == 0.375
    assert np.isnan(p_better(np.array([np.nan]), "higher"))


def test_records_are_json(runs: Runs) -> None:
    records = runs.contrast("better").to_records()
    json.dumps(records, allow_nan=False)
    assert next(r for r in records if r["metric"] == "grr_ttm" and r["horizon_months"] == 6)["p_better"] is None


def test_scenarios_of_different_start_are_not_compared(runs: Runs) -> None:
    late = synthetic.outcome("late", runs.draws, 24)
    late.scenario.currency = "EUR"
    mixed = Runs({"baseline": runs.outcome("baseline"), "late": late}, seed=5, draws=runs.draws)
    with pytest.raises(InputError, match="same currency"):
        mixed.contrast("late")


def test_a_short_horizon_is_compared_at_its_end() -> None:
    assert set(synthetic.runs(draws=4, months=2).contrast("better").table["horizon_months"]) == {2}


def test_unknown_row_is_refused(runs: Runs) -> None:
    with pytest.raises(InputError, match="arr@12"):
        runs.contrast("better").row("arr", 7)


def test_a_sign_is_claimed_only_where_nearly_all_draws_agree(runs: Runs) -> None:
    assert runs.contrast("better").verdict("churn", 24) == "better"
    assert runs.contrast("better").verdict("cs_cost", 24) == "worse"
    assert runs.contrast("twin").verdict() == "cannot tell"
    assert "On ARR: cannot tell" in runs.contrast("twin").text
