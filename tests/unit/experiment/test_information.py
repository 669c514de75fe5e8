"""Value of information and variance components against closed forms; both keep their identities."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from subsim.errors import InputError
from subsim.experiment.information import evpi, evppi, value_of_information
from subsim.experiment.run import run
from subsim.experiment.variance import components, expected, split_variance
from subsim.random import purposes, uniform_array
from subsim.random.quantiles import normal
from subsim.scenario import Scenario
from tests.unit.experiment.test_attribution import BASE, LEVERS

DRAWS = 40_000


def standard(entity: int, draws: int = DRAWS) -> np.ndarray:
    u = uniform_array(11, np.arange(draws), purposes.PARAMETER, entity, 0)
    return np.array([normal(one) for one in u.tolist()])


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (0.5, 1.0), (-1.0, 2.0)])
def test_two_actions_and_a_normal_parameter_have_a_closed_form(mean: float, sd: float) -> None:
    theta = mean + sd * standard(1)
    values = np.stack([np.zeros(DRAWS), theta])
    exact = sd * norm.pdf(mean / sd) - abs(mean) * norm.cdf(-abs(mean) / sd)
    assert evpi(values) == pytest.approx(exact, rel=0.03, abs=0.005)
    assert evppi(values, theta) == pytest.approx(exact, rel=0.03, abs=0.01)


def test_chance_hides_nothing_from_the_value_of_a_parameter() -> None:
    theta = 0.3 + standard(1)
    values = np.stack([np.zeros(DRAWS), theta + 2.0 * standard(2)])
    exact = norm.pdf(0.3) - 0.3 * norm.cdf(-0.3)
    assert evppi(values, theta) == pytest.approx(exact, rel=0.05, abs=0.01)
    assert evpi(values) > evppi(values, theta)


def test_an_unrelated_parameter_is_worth_nothing() -> None:
    values = np.stack([np.zeros(400), 0.2 + standard(1, 400)])
    assert evppi(values, standard(3, 400)) <= 0.1 * evpi(values)


def test_information_of_runs_is_between_nothing_and_everything() -> None:
    plans = [Scenario.from_dict(BASE), Scenario.from_dict(BASE | {"name": "Hire", "levers": LEVERS[:1]})]
    found = value_of_information(run(plans, draws=60, seed=4))
    assert found.evpi >= 0
    assert (found.table["evppi"] >= 0).all()
    assert (found.table["evppi"] <= found.evpi + 1e-9).all()
    assert found.best in found.text
    with pytest.raises(InputError, match="one scenario"):
        value_of_information(run(plans[:1], draws=20, seed=4))


def test_components_of_known_groups() -> None:
    group = np.repeat(3.0 * standard(5, 400)[:, None], 6, axis=1)
    noise = standard(6, 2400).reshape(400, 6)
    found = components(group + noise)
    assert found is not None
    assert found["chance"] == pytest.approx(1.0, rel=0.1)
    assert found["parameters"] == pytest.approx(9.0, rel=0.2)
    assert found["parameters"] + found["chance"] == pytest.approx(found["total"])
    assert math.isclose(found["parameter_share"], found["parameters"] / found["total"])


def test_the_split_of_a_forecast_adds_up_and_names_its_error() -> None:
    found = split_variance(Scenario.from_dict(BASE), parameter_draws=8, repeats=3, seed=2)
    table = found.table
    assert np.allclose(table["parameters"] + table["chance"], table["total"])
    assert table["parameter_share"].between(0, 1).all()
    assert "chance" in found.text
    with pytest.raises(InputError):
        split_variance(Scenario.from_dict(BASE), parameter_draws=1)


def test_what_is_expected_spreads_as_the_parameters_do() -> None:
    group = np.repeat(3.0 * standard(5, 400)[:, None], 3, axis=1)
    means = expected(2.0 + group + 4.0 * standard(6, 1200).reshape(400, 3))
    assert means.mean() == pytest.approx(2.0, abs=0.5)
    assert means.std() == pytest.approx(3.0, rel=0.1)
    chance = expected(2.0 + 4.0 * standard(6, 1200).reshape(400, 3))
    assert chance.std() < 0.5 * 4.0 / 3**0.5  # of chance alone little is left


def test_a_split_of_a_difference_judges_what_is_expected() -> None:
    base, hired = Scenario.from_dict(BASE), Scenario.from_dict(BASE | {"name": "Hire", "levers": LEVERS[:1]})
    found = split_variance(hired, base, parameter_draws=6, repeats=2, seed=2)
    row = found.row("net_value")
    assert row["q05"] <= row["mean"] <= row["q95"]
    assert found.verdict("net_value") == "worse"  # a seat costs more than it brings in a few months
    assert "probability" in found.text
    with pytest.raises(InputError, match="variance"):
        found.row("arr", 5)
