import numpy as np
import pytest
from scipy import stats

from subsim.calibrate.independent import find_mode, independent_draws


def test_a_correlated_normal_is_recovered() -> None:
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
    precision, mean = np.linalg.inv(covariance), np.array([0.5, -0.2])

    def log_density(x: np.ndarray) -> np.ndarray:
        return np.asarray(-0.5 * np.einsum("ni,ij,nj->n", x - mean, precision, x - mean))

    got = independent_draws(log_density, 2, count=4000, seed=1, name="normal")
    assert got.draws.mean(axis=0) == pytest.approx(mean, abs=0.05)
    assert np.cov(got.draws.T) == pytest.approx(covariance, abs=0.07)
    assert got.effective > 4000


def test_a_skewed_posterior_has_the_quantiles_of_its_closed_form() -> None:
    # The logarithm of a rate with 2 events in 5 years and a flat prior in the logarithm: Gamma(2, 5).
    def log_density(x: np.ndarray) -> np.ndarray:
        return np.asarray(2 * x[:, 0] - 5 * np.exp(x[:, 0]))

    got = independent_draws(log_density, 1, count=8000, seed=1, name="rate")
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    exact = stats.gamma(2, scale=1 / 5).ppf(levels)
    assert np.quantile(np.exp(got.draws[:, 0]), levels) == pytest.approx(exact, rel=0.05)


def test_the_mode_is_found_from_far_away() -> None:
    def log_density(x: np.ndarray) -> np.ndarray:
        return np.asarray(-np.logaddexp(0, 3 * (x[:, 0] - 4)) + 2 * (x[:, 0] - 4))

    assert find_mode(log_density, np.zeros(1))[0] == pytest.approx(4 + np.log(2) / 3, abs=1e-4)


def test_draws_depend_on_seed_and_name_alone_and_names_are_independent() -> None:
    def log_density(x: np.ndarray) -> np.ndarray:
        return np.asarray(-0.5 * (x**2).sum(axis=1))

    def draws(seed: int, name: str) -> np.ndarray:
        return independent_draws(log_density, 3, count=1000, seed=seed, name=name).draws

    assert np.array_equal(draws(1, "a"), draws(1, "a"))
    assert not np.array_equal(draws(1, "a"), draws(2, "a"))
    assert abs(np.corrcoef(draws(1, "a")[:, 0], draws(1, "b")[:, 0])[0, 1]) < 0.12
