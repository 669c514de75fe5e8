"""Sensitivity: closed forms, nothing where there is nothing, what each number rests on, errors in sentences."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from subsim.errors import InputError
from subsim.experiment import first_order as rooms
from subsim.experiment.at_horizon import at_horizon
from subsim.experiment.first_order import noise_level
from subsim.experiment.run import run
from subsim.experiment.sensitivity import Sensitivity, sensitivity
from subsim.experiment.total_effects import drawn_anew, total
from subsim.random import uniform_array
from subsim.scenario import Scenario
from tests.unit.experiment.test_attribution import BASE, LEVERS

pytest.importorskip("SALib", reason="needs the sensitivity extra")
DRAWS = 80
WIDE = {"parameter": "work.lift", "work": "status_call", "experiment": {"effect": 0.2, "sd": 1.0, "data": "trial"}}


@pytest.fixture(scope="module", autouse=True)
def _few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms, "RESAMPLES", 3)
        yield


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario.from_dict(BASE | {"effects": [WIDE]})


@pytest.fixture(scope="module")
def found(scenario: Scenario) -> Sensitivity:
    return sensitivity(scenario, draws=DRAWS, seed=6, totals=2)


def columns(draws: int, count: int, entity: int = 3) -> np.ndarray:
    return uniform_array(8, np.arange(draws)[:, None], 1, entity, np.arange(count)) - 0.5


def test_shares_of_a_sum_are_those_of_its_parts() -> None:
    x = columns(2_000, 3)
    shares = rooms.first_order(x, x @ np.array([3.0, 1.0, 0.0]), seed=1)
    assert shares.share == pytest.approx([0.9, 0.1, 0.0], abs=0.02)
    assert (shares.low < shares.share).all()
    assert (shares.share < shares.high).all()
    assert shares.share[2] < shares.noise < shares.share[1]


def test_numbers_without_effect_stay_below_the_noise_level_in_19_of_20_sets() -> None:
    y = columns(200, 1, entity=9)[:, 0]
    shares = rooms.first_order(columns(200, 400), y, seed=1).share.reshape(40, 10)
    above = (shares.max(axis=1) > noise_level(200, 10)).mean()
    assert above <= 0.16  # 0.05, with 3 standard errors


def test_a_product_acts_in_all_though_not_alone() -> None:
    x, again = columns(4_000, 2), columns(4_000, 2, entity=4)
    y = x[:, 0] * x[:, 1]
    estimate, low, high = total(y, again[:, 0] * x[:, 1], seed=1)
    assert low < estimate < high
    assert estimate == pytest.approx(1.0, abs=0.1)
    assert abs(rooms.first_order(x, y, seed=1).share[0]) < 0.02


def test_every_number_that_varies_has_a_row_largest_first(found: Sensitivity) -> None:
    assert found.table["first_order"].is_monotonic_decreasing
    assert set(found.table["rests_on"]) == {"assumed", "declared"}
    assert found.table[["parameter", "of"]].duplicated().sum() == 0
    assert found.table["total"].notna().sum() == 2
    ends = found.table[found.table["total"].notna()]
    assert (ends["total_low"] <= ends["total"]).all()
    assert (ends["total"] <= ends["total_high"]).all()


def test_one_number_drawn_anew_leaves_the_others_and_the_luck(found: Sensitivity, scenario: Scenario) -> None:
    from subsim.experiment.parameters import cells

    cell = next(one for one in cells(scenario).values() if one.parameter.name == "referral.fit_bonus")
    again = drawn_anew(found.runs, ["Base"], cell, None, None)
    old, new = (one.outcome("Base").setup.parameters for one in (found.runs, again))
    moved = np.flatnonzero((old != new).any(axis=0))
    assert moved.tolist() == [cell.index]


def test_runs_that_are_there_serve_as_well(found: Sensitivity, scenario: Scenario) -> None:
    plan = scenario.replace(name="Plan", levers=LEVERS)
    runs = run([scenario, plan], draws=DRAWS, seed=6)
    again = sensitivity(scenario, runs=runs, totals=2)
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())
    gap = sensitivity(plan, scenario, runs=runs, metric="net_value", horizon_months=6)
    change = at_horizon(runs, "Plan", "net_value", 6) - at_horizon(runs, "Base", "net_value", 6)
    row = gap.table.iloc[0]
    assert change.min() <= row["at_low"] <= change.max()
    assert "The difference of net value between Plan and Base after 6 months" in gap.text


def test_a_declared_effect_of_any_size_comes_first_and_is_named_so(found: Sensitivity) -> None:
    first = found.table.iloc[0]
    assert (first["parameter"], first["of"], first["rests_on"]) == ("work.lift", "status_call", "declared")
    assert first["stands_out"]
    assert first["direction"] > 0.4
    assert first["at_low"] < first["at_high"]


def test_what_a_posterior_taught_is_calibrated_and_gets_no_total(scenario: Scenario) -> None:
    class Taught:
        book, book_fingerprint, fingerprint, status, learned = "b", "b", "b", "PASS", 1

        def values(self, name: str, _: tuple[str, ...]) -> np.ndarray | None:
            return np.linspace(0.5, 1.5, 50) if name == "renewal.frailty" else None

        def order(self, runs: int) -> np.ndarray:
            return np.arange(runs) % 50

    rows = sensitivity(scenario, draws=50, seed=6, posterior=Taught()).table.set_index("parameter")
    assert rows.loc["renewal.frailty", "rests_on"] == "calibrated"
    assert (rows["rests_on"] == "calibrated").sum() == 1


def test_words_picture_and_json(found: Sensitivity) -> None:
    assert "90 %" in found.text
    assert "nan" not in found.text
    assert found.figure(top=5) is not None
    assert "<table" in found._repr_html_()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["draws"] == DRAWS


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"draws": 20}, "50 or more"),
        ({"metric": "joy"}, "joy"),
        ({"draws": 50, "horizon_months": 40}, "1 to 12 months"),
        ({"draws": 50, "fixed_parameters": True}, "differs between draws"),
    ],
)
def test_what_cannot_be_told_is_said_in_a_sentence(scenario: Scenario, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        sensitivity(scenario, **options)


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.rbd_fast", None)
    with pytest.raises(InputError, match=r"subsim\[sensitivity\]"):
        rooms.first_order(columns(60, 2), columns(60, 1)[:, 0], seed=1)
