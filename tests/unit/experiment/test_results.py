import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from subsim.engine.metrics import SEGMENT
from subsim.errors import InputError
from subsim.experiment.metrics import METRICS
from subsim.experiment.quantiles import STATISTICS, summarise
from subsim.experiment.results import Runs
from tests.unit.experiment import synthetic


@pytest.fixture(scope="module")
def runs() -> Runs:
    return synthetic.runs()


def test_bridge_closes_in_every_draw_with_reported_flows(runs: Runs) -> None:
    arr = runs.values("baseline", "arr")
    opening = np.concatenate([np.full((runs.draws, 1), runs.opening_arr()), arr[:, :-1, -1]], axis=1)
    gains = sum(runs.samples("baseline", metric) for metric in ("new", "expansion", "reactivation"))
    losses = sum(runs.samples("baseline", metric) for metric in ("contraction", "churn"))
    assert np.allclose(opening + gains - losses, arr[:, :, -1], atol=1e-6, rtol=0)


def test_all_is_the_sum_of_segments_for_money_and_not_for_ratios(runs: Runs) -> None:
    arr = runs.values("baseline", "arr")
    cents = np.rint(arr * 100).astype(np.int64)
    assert np.array_equal(cents[..., :-1].sum(axis=-1), cents[..., -1])
    cube = runs.outcome("baseline").cube
    kept = cube.segments[..., SEGMENT.index("ttm_kept")].sum(axis=2)[:, -1]
    opening = cube.segments[..., SEGMENT.index("ttm_opening")].sum(axis=2)[:, -1]
    assert np.array_equal(runs.samples("baseline", "grr_ttm")[:, -1], kept / opening)


def test_table_has_every_metric_month_and_group_once(runs: Runs) -> None:
    table = runs.table("baseline")
    assert set(table["metric"]) == set(METRICS)
    assert not table.duplicated(["month", "segment", "team", "metric"]).any()
    expected = sum(24 * len(runs.groups("baseline", metric)) for metric in METRICS)
    assert len(table) == expected
    assert table.attrs["interval"]["kind"].startswith("central predictive interval")


def test_table_quantiles_are_numpys_of_the_draws_in_cents(runs: Runs) -> None:
    table = runs.table("better")
    row = table.query("metric == 'churn' and segment == 'smb'").iloc[7]
    cents = runs.outcome("better").cube.segments[:, 7, 0, SEGMENT.index("churn")]
    assert row["month"] == pd.Timestamp("2027-02-28")
    assert row["q05"] == round(np.quantile(cents / 100, 0.05), 2)
    assert row["mean"] == round(cents.sum() / 100 / runs.draws, 2)


def test_quantiles_rise(runs: Runs) -> None:
    numbers = runs.table().dropna()[list(STATISTICS[1:])].to_numpy()
    assert (np.diff(numbers, axis=1) >= 0).all()


def test_records_are_json_with_null_for_ratios_without_a_base(runs: Runs) -> None:
    records = runs.to_records("baseline")
    json.dumps(records, allow_nan=False)
    first_year = [r for r in records if r["metric"] == "grr_ttm" and r["month"] < "2027-06-30"]
    assert first_year
    assert all(r["mean"] is None for r in first_year)
    assert {r["team"] for r in records if r["metric"] == "arr"} == {None}
    assert {r["team"] for r in records if r["metric"] == "utilisation"} == {*synthetic.TEAMS, "all"}


def test_cost_counts_seats_and_campaigns(runs: Runs) -> None:
    assert runs.samples("baseline", "cs_cost")[0, 0] == 3 * 6 * 11_000.0 + 3 * 1_000.0


def test_wait_is_in_days(runs: Runs) -> None:
    assert np.allclose(runs.samples("baseline", "wait_days", "mid_touch"), 3.0)


def test_xarray_has_named_dimensions_and_the_same_numbers(runs: Runs) -> None:
    data = runs.to_xarray()
    assert data.dims == ("scenario", "draw", "month", "segment", "metric")
    picked = data.sel(scenario="better", segment="all", metric="arr").to_numpy()
    assert np.array_equal(picked, runs.samples("better", "arr"))


def test_results_cannot_be_changed(runs: Runs) -> None:
    with pytest.raises(ValueError, match="read-only"):
        runs.values("baseline", "arr")[0] = 0
    with pytest.raises(TypeError):
        runs.outcomes["other"] = None


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda runs: runs.samples("nobody", "arr"), "scenario"),
        (lambda runs: runs.samples("baseline", "profit"), "metric"),
        (lambda runs: runs.samples("baseline", "arr", "mid_touch"), "group of arr"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(runs: Runs, call: Callable[[Runs], object], where: str) -> None:
    with pytest.raises(InputError) as caught:
        call(runs)
    assert caught.value.where == where


def test_summary_leaves_out_draws_without_a_value() -> None:
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    mean = summarise(values, 2)[0]
    assert mean[0] == 2.0
    assert mean[1] == 5.0
    assert np.isnan(mean[2])


def test_notebook_view_names_scenarios_and_interval(runs: Runs) -> None:
    assert "central predictive interval" in runs._repr_html_()
    assert "better" in repr(runs)
