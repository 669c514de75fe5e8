"""Inverse distribution functions against SciPy, known values and their own distribution functions."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special, stats

from subsim.random import quantiles, uniform_array
from subsim.random.special import exponential_integral

BULK = [1e-6, 1e-4, 0.003, 0.02, 0.1, 0.31, 0.5, 0.501, 0.77, 0.9, 0.98, 0.9999, 1 - 1e-6]
TAILS = [2.0**-53, 1e-12, 1e-9, 1 - 1e-9, 1 - 1e-12, 1 - 2.0**-53]
SHAPES = [0.05, 0.3, 0.999, 1.0, 1.5, 7.0, 120.0, 1e4]
REACHABLE = 1e-290  # below, doubles lose digits


def test_known_values() -> None:
    assert quantiles.normal(0.5) == 0.0
    assert quantiles.normal(0.975) == pytest.approx(1.959963984540054, rel=1e-15)
    assert quantiles.exponential(0.5) == pytest.approx(math.log(2.0), rel=1e-15)
    assert quantiles.lognormal(0.5, 12.0, 0.9) == 12.0
    assert quantiles.weibull(0.5, 2.0, 10.0) == pytest.approx(10.0 * math.sqrt(math.log(2.0)), rel=1e-14)
    assert quantiles.gamma(0.5, 1.0) == pytest.approx(math.log(2.0), rel=1e-13)
    assert quantiles.beta(0.25, 1.0, 1.0) == pytest.approx(0.25, rel=1e-13)
    assert quantiles.beta(0.5, 3.0, 3.0) == pytest.approx(0.5, rel=1e-13)
    assert quantiles.poisson(0.3, 1.0) == 0
    assert quantiles.poisson(0.9, 0.0) == 0
    assert quantiles.negative_binomial(0.9, 0.0, 1.0) == 0
    assert quantiles.negative_binomial(0.7, 4.0, 0.0) == quantiles.poisson(0.7, 4.0)


@pytest.mark.parametrize("u", BULK + TAILS)
def test_closed_forms_against_scipy(u: float) -> None:
    assert quantiles.normal(u) == pytest.approx(special.ndtri(u), rel=2e-15)
    assert quantiles.exponential(u) == pytest.approx(stats.expon.ppf(u), rel=1e-15)
    assert quantiles.lognormal(u, 3.0, 0.8) == pytest.approx(stats.lognorm.ppf(u, 0.8, scale=3.0), rel=1e-14)
    assert quantiles.weibull(u, 0.7, 5.0) == pytest.approx(stats.weibull_min.ppf(u, 0.7, scale=5.0), rel=2e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_gamma_against_scipy(shape: float) -> None:
    for u in BULK + TAILS:
        exact = special.gammaincinv(shape, u) if u <= 0.5 else special.gammainccinv(shape, 1.0 - u)
        if exact > REACHABLE:
            assert quantiles.gamma(u, shape) == pytest.approx(exact, rel=1e-12), u


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHAPES, SHAPES)))
def test_beta_against_scipy(a: float, b: float) -> None:
    for u in BULK + TAILS:
        exact = special.betaincinv(a, b, u) if u <= 0.5 else special.betainccinv(a, b, 1.0 - u)
        if exact > REACHABLE:
            assert quantiles.beta(u, a, b) == pytest.approx(exact, rel=1e-10 if u in BULK else 1e-8), u


def test_gamma_of_a_million() -> None:
    # The distribution function at this value, integrated with 40 digits, is 1e-6 within 2e-13
    assert quantiles.gamma(1e-6, 1e6) == pytest.approx(995253.7719775001, rel=1e-13)


@pytest.mark.parametrize("mean", [0.01, 0.7, 8.0, 29.99, 30.0, 200.0, 5e3, 1e6])
def test_poisson_against_scipy(mean: float) -> None:
    for u in [*np.arange(0.001, 1.0, 0.0137), 1e-9, 1 - 1e-9]:
        assert quantiles.poisson(u, mean) == stats.poisson.ppf(u, mean)


@pytest.mark.parametrize("mean", [0.01, 0.7, 8.0, 200.0, 5e3])
@pytest.mark.parametrize("dispersion", [1e-4, 0.1, 1.0, 20.0])
def test_negative_binomial_against_scipy(mean: float, dispersion: float) -> None:
    size = 1.0 / dispersion
    for u in [*np.arange(0.001, 1.0, 0.0437), 1e-9, 1 - 1e-9]:
        expected = stats.nbinom.ppf(u, size, size / (size + mean))
        assert quantiles.negative_binomial(u, mean, dispersion) == expected


def test_special_functions_against_scipy() -> None:
    for x in [1e-3, 0.05, 0.9, 1.0, 2.0, 3.3, 9.99, 10.01, 500.0, 1e6]:
        assert quantiles.log_gamma(x) == pytest.approx(special.gammaln(x), rel=1e-14, abs=1e-14)
    for a, x in itertools.product(SHAPES, (1e-3, 0.4, 1.0, 6.0, 130.0, 9.9e3)):
        assert quantiles.incomplete_gamma(a, x) == pytest.approx(special.gammainc(a, x), rel=1e-12, abs=1e-300)
    for a, b, x in itertools.product(SHAPES, SHAPES, (1e-3, 0.4, 0.5, 0.93)):
        assert quantiles.incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-10, abs=1e-290)
    assert quantiles.incomplete_gamma(2.0, 0.0) == 0.0
    assert (quantiles.incomplete_beta(2.0, 3.0, 0.0), quantiles.incomplete_beta(2.0, 3.0, 1.0)) == (0.0, 1.0)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("quantile", "law"),
    [
        (quantiles.normal, stats.norm()),
        (quantiles.exponential, stats.expon()),
        (lambda u: quantiles.lognormal(u, 2.0, 0.5), stats.lognorm(0.5, scale=2.0)),
        (lambda u: quantiles.weibull(u, 1.4, 3.0), stats.weibull_min(1.4, scale=3.0)),
        (lambda u: quantiles.gamma(u, 0.6), stats.gamma(0.6)),
        (lambda u: quantiles.beta(u, 0.7, 2.0), stats.beta(0.7, 2.0)),
    ],
)
def test_draws_follow_their_law(quantile: Callable[[float], float], law: stats.rv_continuous) -> None:
    draws = [quantile(u) for u in uniform_array(3, 0, 1, range(3_000), 0)]
    assert stats.kstest(draws, law.cdf).pvalue > 1e-4


@pytest.mark.parametrize("x", [1e-9, 1e-3, 0.1, 0.37, 0.4, 1.0, 3.0, 10.0, 25.0, 39.9, 40.1, 60.0, 200.0, 600.0])
def test_exponential_integral_against_scipy(x: float) -> None:
    assert exponential_integral(x) == pytest.approx(special.expi(x) * math.exp(-x), rel=1e-13, abs=1e-15)


def test_arrays_are_what_single_numbers_are() -> None:
    u = uniform_array(3, np.arange(500), 1, 9, 0)
    for fill, inverse, shape in (
        (quantiles.normals, quantiles.normal, ()),
        (quantiles.gammas, quantiles.gamma, (0.7,)),
        (quantiles.betas, quantiles.beta, (2.5, 4.0)),
    ):
        out = np.empty_like(u)
        fill(u, *shape, out)
        assert out.tolist() == [inverse(one, *shape) for one in u.tolist()]
