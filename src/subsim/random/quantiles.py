"""Inverse distribution functions: one uniform in (0, 1) gives one value, rising with the uniform.

Pure scalar code on log, exp and sqrt alone, so that compiled code, plain Python and every engine agree to the bit.
Samplers by rejection are not used: they take a number of uniforms that depends on the parameters, and a changed
parameter would then change unrelated draws.
"""

import math
from typing import Any

from subsim._jit import rule
from subsim.random.special import beta_tails, gamma_tails, incomplete_beta, incomplete_gamma, log_gamma

__all__ = [
    "beta",
    "exponential",
    "gamma",
    "incomplete_beta",
    "incomplete_gamma",
    "log_gamma",
    "lognormal",
    "negative_binomial",
    "normal",
    "poisson",
    "weibull",
]

_MOST_STEPS = 30
_LAST_STEP = 1e-5  # in standard deviations; the step converges with the cube, so what remains is below rounding
_SMALLEST = 1e-300
_LARGEST = 1e300
_LARGEST_COUNT = 1 << 52


@rule
def normal(u: float) -> float:
    """Standard normal quantile. Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988).

    >>> round(normal(0.975), 6)
    1.959964
    """
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = (
            (
                (
                    (
                        ((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                        + 4.5921953931549871457e4
                    )
                    * r
                    + 1.3731693765509461125e4
                )
                * r
                + 1.9715909503065514427e3
            )
            * r
            + 1.3314166789178437745e2
        ) * r + 3.3871328727963666080e0
        low = (
            (
                (
                    (
                        ((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                        + 2.1213794301586595867e4
                    )
                    * r
                    + 5.3941960214247511077e3
                )
                * r
                + 6.8718700749205790830e2
            )
            * r
            + 4.2313330701600911252e1
        ) * r + 1.0
        return q * top / low
    r = math.sqrt(-math.log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r -= 1.6
        top = (
            (
                (
                    (
                        ((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1)
                        * r
                        + 1.27045825245236838258e0
                    )
                    * r
                    + 3.64784832476320460504e0
                )
                * r
                + 5.76949722146069140550e0
            )
            * r
            + 4.63033784615654529590e0
        ) * r + 1.42343711074968357734e0
        low = (
            (
                (
                    (
                        ((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2)
                        * r
                        + 1.48103976427480074590e-1
                    )
                    * r
                    + 6.89767334985100004550e-1
                )
                * r
                + 1.67638483018380384940e0
            )
            * r
            + 2.05319162663775882187e0
        ) * r + 1.0
    else:
        r -= 5.0
        top = (
            (
                (
                    (
                        ((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3)
                        * r
                        + 2.65321895265761230930e-2
                    )
                    * r
                    + 2.96560571828504891230e-1
                )
                * r
                + 1.78482653991729133580e0
            )
            * r
            + 5.46378491116411436990e0
        ) * r + 6.65790464350110377720e0
        low = (
            (
                (
                    (
                        ((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5)
                        * r
                        + 7.86869131145613259100e-4
                    )
                    * r
                    + 1.48753612908506148525e-2
                )
                * r
                + 1.36929880922735805310e-1
            )
            * r
            + 5.99832206555887937690e-1
        ) * r + 1.0
    return -top / low if q < 0.0 else top / low


@rule
def exponential(u: float) -> float:
    """Exponential quantile with mean 1."""
    return -math.log(1.0 - u)  # 1 - u is exact: u has 53 bits


@rule
def lognormal(u: float, median: float, sd: float) -> float:
    """Lognormal quantile by its median and the standard deviation of its logarithm."""
    return median * math.exp(sd * normal(u))


@rule
def weibull(u: float, shape: float, scale: float) -> float:
    """Weibull quantile: scale * (-log(1 - u)) ** (1 / shape)."""
    return scale * math.exp(math.log(exponential(u)) / shape)


@rule
def _halley_step(tail: float, target: float, weight: float, slope: float, sign: float) -> float:
    """Step towards log(tail) = log(target) by Halley's method.

    In the logarithm (gamma) or log-odds (beta) of the variable the tail changes at the rate `sign * weight`, and
    log(weight) at the rate `slope`; logarithms of tails are near to straight lines there, so few steps are needed.
    """
    rate = sign * weight / tail
    newton = math.log(tail / target) / rate
    bend = 0.5 * newton * (slope - rate)
    return -newton / (1.0 - max(-0.8, min(bend, 0.8)))


@rule
def _gamma_start(u: float, shape: float) -> float:
    if shape > 1.0:
        root = 1.0 - 1.0 / (9.0 * shape) + normal(u) / (3.0 * math.sqrt(shape))
        if root > 0.2:
            return shape * root * root * root
        return math.exp((math.log(u) + log_gamma(shape + 1.0)) / shape)
    split = 1.0 - shape * (0.253 + 0.12 * shape)
    if u < split:
        return math.exp(math.log(u / split) / shape)
    return 1.0 - math.log1p(-(u - split) / (1.0 - split))


@rule
def gamma(u: float, shape: float) -> float:
    """Gamma quantile with scale 1, for shapes from 0.05 to 1e6.

    Wilson and Hilferty's approximation (1931) made exact by Halley steps on the incomplete gamma function. Against
    SciPy, up to shape 1e4: relative error below 2e-13 for u from 1e-16 to 1 - 1e-15. Values below 1e-300 become 1e-300.
    """
    x = max(_gamma_start(u, shape), _SMALLEST)
    for _ in range(_MOST_STEPS):
        lower, upper, weight = gamma_tails(shape, x)
        if u <= 0.5:
            step = _halley_step(max(lower, _SMALLEST), u, weight, shape - x, 1.0)
        else:
            step = _halley_step(max(upper, _SMALLEST), 1.0 - u, weight, shape - x, -1.0)
        x = max(x * math.exp(max(-5.0, min(step, 5.0))), _SMALLEST)
        if abs(step) * (1.0 + math.sqrt(shape)) < _LAST_STEP:
            break
    return x


@rule
def _beta_start(u: float, a: float, b: float) -> float:
    """Odds x / (1 - x) to start from: Abramowitz and Stegun 26.5.22, or the two power laws at the ends."""
    if a >= 1.0 and b >= 1.0:
        z = -normal(u)
        inverse_a = 1.0 / (2.0 * a - 1.0)
        inverse_b = 1.0 / (2.0 * b - 1.0)
        h = 2.0 / (inverse_a + inverse_b)
        c = (z * z - 3.0) / 6.0
        w = z * math.sqrt(max(h + c, 0.0)) / h - (inverse_b - inverse_a) * (c + 5.0 / 6.0 - 2.0 / (3.0 * h))
        return a / b * math.exp(max(-300.0, min(-2.0 * w, 300.0)))
    left = math.exp(a * math.log(a / (a + b))) / a
    right = math.exp(b * math.log(b / (a + b))) / b
    if u < left / (left + right):
        x = math.exp(math.log(a * (left + right) * u) / a)
        return x / max(1.0 - x, 1e-12)
    y = math.exp(math.log(b * (left + right) * (1.0 - u)) / b)
    return (1.0 - y) / max(y, _SMALLEST)


@rule
def beta(u: float, a: float, b: float) -> float:
    """Beta quantile, for shapes from 0.05 to 1e4: Halley steps on the incomplete beta function in log-odds.

    Against SciPy: relative error below 1e-11 for u within [1e-6, 1 - 1e-6], below 1e-9 from 1e-16 to 1 - 1e-15.
    """
    odds = max(_SMALLEST, min(_beta_start(u, a, b), _LARGEST))
    for _ in range(_MOST_STEPS):
        x, y = odds / (1.0 + odds), 1.0 / (1.0 + odds)
        lower, upper, weight = beta_tails(a, b, x, y)
        if u <= 0.5:
            step = _halley_step(max(lower, _SMALLEST), u, weight, a * y - b * x, 1.0)
        else:
            step = _halley_step(max(upper, _SMALLEST), 1.0 - u, weight, a * y - b * x, -1.0)
        odds = max(_SMALLEST, min(odds * math.exp(max(-5.0, min(step, 5.0))), _LARGEST))
        if abs(step) * (1.0 + math.sqrt(min(a, b))) < _LAST_STEP:
            break
    return odds / (1.0 + odds)


@rule
def poisson(u: float, mean: float) -> int:
    """Poisson quantile: the smallest count whose distribution function reaches u."""
    if mean < 30.0:
        k = 0
        chance = total = math.exp(-mean)
    else:
        z = normal(u)
        k = max(0, int(mean + z * math.sqrt(mean) + (z * z - 1.0) / 6.0))
        _, total, weight = gamma_tails(k + 1.0, mean)
        chance = weight / mean
    while total < u and chance > 0.0:
        k += 1
        chance *= mean / k
        total += chance
    while k > 0 and total - chance >= u:
        total -= chance
        chance *= k / mean
        k -= 1
    return k


@rule
def _reaches(u: float, k: int, mean: float, size: float) -> bool:
    """Whether the negative binomial distribution function at k is at least u; by the smaller tail."""
    lower, upper, _ = beta_tails(size, k + 1.0, size / (size + mean), mean / (size + mean))
    return lower >= u if u <= 0.5 else upper <= 1.0 - u


@rule
def negative_binomial(u: float, mean: float, dispersion: float) -> int:
    """Negative binomial quantile with variance mean * (1 + dispersion * mean); a dispersion below 1e-6 is Poisson."""
    if mean <= 0.0 or dispersion < 1e-6:
        return poisson(u, mean)
    size = 1.0 / dispersion
    below = -1
    enough = int(mean)
    while enough < _LARGEST_COUNT and not _reaches(u, enough, mean, size):
        below = enough
        enough = 2 * enough + 1
    while enough - below > 1:
        middle = (below + enough) // 2
        if _reaches(u, middle, mean, size):
            enough = middle
        else:
            below = middle
    return enough


@rule
def normals(u: Any, out: Any) -> None:
    """`normal` of float64 arrays."""
    for i in range(out.size):
        out[i] = normal(u[i])


@rule
def gammas(u: Any, shape: float, out: Any) -> None:
    """`gamma` of float64 arrays."""
    for i in range(out.size):
        out[i] = gamma(u[i], shape)


@rule
def betas(u: Any, a: float, b: float, out: Any) -> None:
    """`beta` of float64 arrays."""
    for i in range(out.size):
        out[i] = beta(u[i], a, b)
