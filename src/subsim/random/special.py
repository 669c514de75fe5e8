"""Log-gamma, regularised incomplete gamma and beta functions, exponential integral, in scalar code of our own.

The platform's `lgamma` differs between systems and cannot be cached in compiled code, hence not used. The weights
x**a exp(-x) / gamma(a) and their beta counterpart are formed as Loader does for the binomial ("Fast and accurate
computation of binomial probabilities", 2000), without differences of large logarithms.
"""

import math

from subsim._jit import rule

_HALF_LOG_TWO_PI = 0.918938533204672741780329736406
_TWO_PI = 6.28318530717958647692528676656
_PRECISION = 1e-16
_MOST_TERMS = 20_000  # enough for shapes up to 1e6; about ten times the root of the shape is needed
_TINY = 1e-300
_EULER = 0.577215664901532860606512090082


@rule
def _stirling_series(z: float) -> float:
    w = 1.0 / (z * z)
    tail = 1.0 / 1188.0 - w * (691.0 / 360360.0 - w / 156.0)
    return (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w * tail)))) / z


@rule
def log_gamma(x: float) -> float:
    """Logarithm of the gamma function for x > 0; absolute error of a few 1e-15 below x = 10, relative above."""
    product = 1.0
    while x < 10.0:
        product *= x
        x += 1.0
    return (x - 0.5) * math.log(x) - x + _HALF_LOG_TWO_PI + _stirling_series(x) - math.log(product)


@rule
def _stirling_error(z: float) -> float:
    """Error of Stirling's approximation of log gamma(z), (z - 1/2) log z - z + log(2 pi) / 2."""
    if z >= 10.0:
        return _stirling_series(z)
    return log_gamma(z) - (z - 0.5) * math.log(z) + z - _HALF_LOG_TWO_PI


@rule
def _deviance(a: float, m: float) -> float:
    """Half the Poisson deviance, a log(a / m) + m - a, without cancellation where a and m are close."""
    d = a - m
    if abs(d) >= 0.1 * (a + m):
        return a * math.log(a / m) - d
    v = d / (a + m)
    total = d * v
    term = 2.0 * a * v
    for j in range(3, 60, 2):
        term *= v * v
        before = total
        total += term / j
        if total == before:
            break
    return total


@rule
def gamma_tails(a: float, x: float) -> tuple[float, float, float]:
    """Lower and upper tail of the gamma law with shape a and scale 1 at x > 0, and x times its density."""
    weight = math.sqrt(a / _TWO_PI) * math.exp(-_stirling_error(a) - _deviance(a, x))
    if x < a + 1.0:  # power series of the lower tail
        term = 1.0 / a
        total = term
        for n in range(1, _MOST_TERMS):
            term *= x / (a + n)
            total += term
            if term < total * _PRECISION:
                break
        lower = min(weight * total, 1.0)
        return lower, 1.0 - lower, weight
    # Continued fraction of the upper tail, by Lentz's method
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    total = d
    for n in range(1, _MOST_TERMS):
        factor = -n * (n - a)
        b += 2.0
        d = factor * d + b
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = b + factor / c
        c = c if abs(c) > _TINY else _TINY
        total *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    upper = min(weight * total, 1.0)
    return 1.0 - upper, upper, weight


@rule
def _beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, by Lentz's method."""
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    total = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 + even * d
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = 1.0 + even / c
        c = c if abs(c) > _TINY else _TINY
        total *= c * d
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 + odd * d
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = 1.0 + odd / c
        c = c if abs(c) > _TINY else _TINY
        total *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return total


@rule
def beta_tails(a: float, b: float, x: float, y: float) -> tuple[float, float, float]:
    """Lower and upper tail of the beta law at x = 1 - y, both in (0, 1), and x y times its density.

    Both x and y are arguments because the smaller of them cannot be had from the larger without loss.
    """
    n = a + b
    log_norm = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    weight = math.sqrt(a * b / (_TWO_PI * n)) * math.exp(log_norm - _deviance(a, n * x) - _deviance(b, n * y))
    if x * (n + 2.0) < a + 1.0:
        lower = min(weight * _beta_fraction(a, b, x) / a, 1.0)
        return lower, 1.0 - lower, weight
    upper = min(weight * _beta_fraction(b, a, y) / b, 1.0)
    return 1.0 - upper, upper, weight


@rule
def incomplete_gamma(a: float, x: float) -> float:
    """Regularised lower incomplete gamma function: distribution function of the gamma law with shape a, scale 1."""
    return gamma_tails(a, x)[0] if x > 0.0 else 0.0


@rule
def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function: distribution function of the beta law with shapes a and b."""
    if x <= 0.0:
        return 0.0
    return beta_tails(a, b, x, 1.0 - x)[0] if x < 1.0 else 1.0


@rule
def exponential_integral(x: float) -> float:
    """exp(-x) Ei(x) for x > 0, Ei the exponential integral; absolute error of a few 1e-16.

    Power series (all terms positive), and for large x the asymptotic one, whose terms fall until k reaches x.
    """
    total, k = 0.0, 1
    if x > 40.0:
        term = 1.0 / x
        while term > _PRECISION * total:
            total += term
            term *= k / x
            k += 1
        return total
    term = x
    while term > _PRECISION * total:
        total += term / k
        k += 1
        term *= x / k
    return math.exp(-x) * (_EULER + math.log(x) + total)
