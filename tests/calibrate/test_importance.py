"""Importance draws against posteriors known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from subsim.calibrate import importance
from subsim.calibrate.priors import Prior

Floats = NDArray[np.float64]


@pytest.mark.parametrize(
    "prior",
    [
        Prior("normal", -2.0, 0.8),
        Prior("lognormal", 0.3, 0.5),
        Prior("gamma", 0.5, 2.0),
        Prior("beta", 0.75, 20.0),
    ],
)
def test_a_standard_normal_becomes_the_prior(prior: Prior) -> None:
    z = np.linspace(-4, 4, 33)
    assert importance.of_prior(prior, z) == pytest.approx(prior.quantile(special.ndtr(z)), rel=1e-6)


def test_a_fixed_prior_and_a_range_are_kept() -> None:
    z = np.array([-9.0, 0.0, 9.0])
    assert importance.of_prior(Prior("fixed", 1.5), z).tolist() == [1.5, 1.5, 1.5]
    assert importance.of_prior(Prior("normal", 0.0, 1.0, low=-1.0, high=2.0), z).tolist() == [-1.0, 0.0, 2.0]
    assert np.isfinite(importance.of_prior(Prior("gamma", 0.5, 2.0), z)).all()


def test_normal_posterior_of_thirty_numbers() -> None:
    """The first three are observed with error 1/2, their sum exactly enough to correlate; the rest keep N(0, 1)."""
    seen = np.array([1.0, -2.0, 0.5])

    def likelihood(z: Floats) -> Floats:
        errors = ((z[:, :3] - seen) ** 2).sum(1) / 0.5**2 + (z[:, :3].sum(1) - 1.0) ** 2 / 0.3**2
        return np.asarray(-0.5 * errors)

    precision = np.eye(3) * (1 + 1 / 0.5**2) + np.ones((3, 3)) / 0.3**2
    covariance = np.linalg.inv(precision)
    mean = covariance @ (seen / 0.5**2 + 1.0 / 0.3**2)
    found = importance.sample(likelihood, 30, draws=4000, proposals=8000, seed=3, name="test/normal", enough=3000)
    assert found.effective >= 3000
    assert found.mode[:3] == pytest.approx(mean, abs=1e-3)
    assert found.z.mean(0)[:3] == pytest.approx(mean, abs=0.04)
    assert np.cov(found.z[:, :3].T) == pytest.approx(covariance, abs=0.02)
    assert found.z.mean(0)[3:] == pytest.approx(np.zeros(27), abs=0.1)
    assert found.z.std(0)[3:] == pytest.approx(np.ones(27), abs=0.1)


def test_skewed_posterior_is_found_by_moving() -> None:
    """A Poisson rate of few events under a vague prior, and a rate without any: gamma posteriors."""
    prior = Prior("gamma", 5.0, 1.0)
    counts, exposure = np.array([2.0, 0.0]), 4.0

    def likelihood(z: Floats) -> Floats:
        rate = importance.priors_to_values([prior, prior], z)
        return np.asarray((counts * np.log(rate) - exposure * rate).sum(1))

    found = importance.sample(likelihood, 2, draws=4000, proposals=8000, seed=5, name="test/rate", enough=4000)
    rates = importance.priors_to_values([prior, prior], found.z)
    for i, count in enumerate(counts):
        exact = stats.gamma(1 + count, scale=1 / (exposure + 1 / 5.0))
        for share in (0.05, 0.5, 0.95):
            assert np.quantile(rates[:, i], share) == pytest.approx(exact.ppf(share), rel=0.06)


def test_same_seed_same_draws_in_any_chunks() -> None:
    def likelihood(z: Floats) -> Floats:
        return np.asarray(-(z**4).sum(1))

    settings = {"draws": 200, "proposals": 500, "name": "test/same", "enough": 100.0}
    one = importance.sample(likelihood, 3, seed=1, **settings)  # type: ignore[arg-type]
    two = importance.sample(importance.chunked(likelihood, 7), 3, seed=1, **settings)  # type: ignore[arg-type]
    other = importance.sample(likelihood, 3, seed=2, **settings)  # type: ignore[arg-type]
    assert np.array_equal(one.z, two.z)
    assert not np.array_equal(one.z, other.z)
