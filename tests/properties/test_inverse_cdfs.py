"""What every inverse distribution function must keep for any uniform and any parameter."""

import math

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import special

from subsim.random import quantiles

CELLS = 2**52
LOWEST, HIGHEST = 0.5 / CELLS, (CELLS - 0.5) / CELLS

# Cell numbers as the generator gives them, with the tails as likely as the middle
cells = st.one_of(
    st.integers(0, CELLS - 1),
    st.integers(0, 52).map(lambda bits: (1 << bits) - 1),
    st.integers(0, 52).map(lambda bits: CELLS - (1 << bits)),
)
uniforms = cells.map(lambda cell: (cell + 0.5) / CELLS)
shapes = st.floats(math.log(0.05), math.log(1e4)).map(math.exp)
relaxed = settings(deadline=None, max_examples=150)  # the first call compiles


def _apart(u: float, v: float) -> tuple[float, float]:
    """The two in order, if further apart than the rounding of an iterated solution can blur."""
    low, high = min(u, v), max(u, v)
    assume(high - low > 1e-9 * min(low, 1.0 - high))
    return low, high


@relaxed
@given(uniforms, uniforms)
@example(0.075 - 1e-16, 0.075 + 1e-16)  # the two formulas of the normal quantile meet at 0.075
@example(0.925 - 1e-16, 0.925 + 1e-16)
def test_closed_forms_rise(u: float, v: float) -> None:
    low, high = min(u, v), max(u, v)
    assert quantiles.exponential(low) <= quantiles.exponential(high)
    assert quantiles.weibull(low, 0.7, 2.0) <= quantiles.weibull(high, 0.7, 2.0)
    # Neighbouring cells may swap in the last digits, never by more
    blur = 1e-14 * abs(quantiles.normal(low))
    assert quantiles.normal(low) <= quantiles.normal(high) + blur
    assert quantiles.lognormal(low, 2.0, 0.5) <= quantiles.lognormal(high, 2.0, 0.5) * (1.0 + blur + 1e-15)


@relaxed
@given(uniforms, uniforms, shapes, shapes)
def test_gamma_and_beta_rise(u: float, v: float, a: float, b: float) -> None:
    low, high = _apart(u, v)
    assert quantiles.gamma(low, a) <= quantiles.gamma(high, a)
    assert quantiles.beta(low, a, b) <= quantiles.beta(high, a, b)


@relaxed
@given(uniforms, uniforms, shapes, st.floats(0.0, 20.0))
def test_counts_rise(u: float, v: float, mean: float, dispersion: float) -> None:
    low, high = _apart(u, v)
    assert quantiles.poisson(low, mean) <= quantiles.poisson(high, mean)
    assert quantiles.negative_binomial(low, mean, dispersion) <= quantiles.negative_binomial(high, mean, dispersion)


@relaxed
@given(uniforms, shapes)
@example(LOWEST, 0.05)
@example(HIGHEST, 0.05)
@example(HIGHEST, 1e4)
def test_gamma_inverts_its_distribution(u: float, shape: float) -> None:
    x = quantiles.gamma(u, shape)
    assert x > 0.0
    if x > 1e-290:
        tail, target = (special.gammainc(shape, x), u) if u <= 0.5 else (special.gammaincc(shape, x), 1.0 - u)
        assert abs(tail / target - 1.0) < 1e-9


@relaxed
@given(uniforms, shapes, shapes)
@example(LOWEST, 0.05, 0.05)
@example(HIGHEST, 0.05, 0.05)
@example(LOWEST, 1e4, 0.05)
def test_beta_stays_within_bounds_and_inverts_its_distribution(u: float, a: float, b: float) -> None:
    x = quantiles.beta(u, a, b)
    assert 0.0 < x <= 1.0
    if 1e-290 < x < 0.9:  # nearer to 1 the spacing of doubles is wider than the tail
        tail, target = (special.betainc(a, b, x), u) if u <= 0.5 else (special.betaincc(a, b, x), 1.0 - u)
        assert abs(tail / target - 1.0) < 1e-8


@relaxed
@given(uniforms, shapes)
def test_poisson_is_the_smallest_count_that_reaches_u(u: float, mean: float) -> None:
    k = quantiles.poisson(u, mean)
    assert k >= 0
    assert special.pdtr(k, mean) >= u - 1e-13
    assert k == 0 or special.pdtr(k - 1, mean) < u + 1e-13


@relaxed
@given(uniforms, shapes, st.floats(1e-3, 20.0))
def test_negative_binomial_is_the_smallest_count_that_reaches_u(u: float, mean: float, dispersion: float) -> None:
    k = quantiles.negative_binomial(u, mean, dispersion)
    size = 1.0 / dispersion
    p = size / (size + mean)
    assert k >= 0
    assert special.betainc(size, k + 1.0, p) >= u - 1e-11
    assert k == 0 or special.betainc(size, float(k), p) < u + 1e-11
