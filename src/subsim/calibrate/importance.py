"""Posterior draws without a compiler: importance draws around the mode, for up to some thirty numbers.

Each number is a function of a standard normal one, its quantile under its prior; so the prior is always N(0, I), and a
number of which the data say nothing is drawn exactly. How far to trust the draws is told by their effective number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from subsim.calibrate.priors import Prior
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats], Floats]
"""[points, numbers] of standard normal numbers to the log likelihood of each point."""

STEP = 0.02  # of differences, in prior standard deviations
FAR = 8.0  # standard deviations of a prior that are looked at
PRIOR_SHARE = 0.1  # of proposals drawn from the prior, so that no tail is forgotten
TAILS = 5  # degrees of freedom of the proposals' t, more with more numbers
ROUNDS = 6
THREADS = 2


def of_prior(prior: Prior, z: Floats) -> Floats:
    """The values whose quantiles under a prior are those of z under N(0, 1)."""
    if prior.fixed:
        raw = np.full_like(z, prior.centre)
    elif prior.family == "normal":
        raw = prior.centre + prior.spread * z
    elif prior.family == "lognormal":
        raw = prior.centre * np.exp(prior.spread * z)
    elif prior.family == "gamma":
        # Above the median by the upper tail, so that nothing rounds to 1.
        low, high = special.ndtr(np.minimum(z, 0.0)), special.ndtr(-np.maximum(z, 0.0))
        shape = prior.spread
        raw = np.where(z < 0, special.gammaincinv(shape, low), special.gammainccinv(shape, high))
        raw = raw * prior.centre / shape
    else:
        raw = special.betaincinv(prior.centre * prior.spread, (1 - prior.centre) * prior.spread, special.ndtr(z))
    return np.clip(raw, prior.low, prior.high)


@dataclass(frozen=True)
class Found:
    """Draws [draws, numbers] of standard normal numbers, their mode, and how many independent draws they are worth."""

    z: Floats
    mode: Floats
    effective: float


def sample(
    likelihood: Likelihood,
    numbers: int,
    *,
    draws: int,
    proposals: int,
    seed: int,
    name: str,
    enough: float,
) -> Found:
    """Draws from the posterior.

    Args:
        likelihood: log likelihood of some points.
        numbers: how many numbers.
        draws: how many draws.
        proposals: points looked at in each round.
        seed: of the keyed proposals.
        name: what is sampled, part of their key.
        enough: effective draws at which no further round is made; each round moves the proposals to what was found and
            keeps the points of those before.
    """

    def posterior(z: Floats) -> Floats:
        return np.asarray(likelihood(z) - 0.5 * (z**2).sum(-1))

    mode = highest(posterior, np.zeros(numbers))
    shapes = [(mode, np.linalg.cholesky(spread(posterior, mode)))]
    entity = name_entity(f"calibrate/{name}")
    degrees = float(TAILS + numbers)
    x, log_density = np.zeros((0, numbers)), np.zeros(0)
    weight, effective = np.zeros(0), 0.0
    for turn in range(ROUNDS):
        runs = np.arange(proposals)[:, None] + turn * proposals
        u = uniform_array(seed, runs, Purpose.PARAMETER, entity, np.arange(numbers + 2)[None])
        chi = 2 * special.gammaincinv(degrees / 2, u[:, numbers]) / degrees
        steps = special.ndtri(u[:, :numbers])
        centre, root = shapes[-1]
        near = centre + (steps / np.sqrt(chi)[:, None]) @ root.T
        new = np.clip(np.where(u[:, numbers + 1, None] < PRIOR_SHARE, steps, near), -FAR, FAR)
        x, log_density = np.concatenate([x, new]), np.concatenate([log_density, posterior(new)])
        # All points so far came from the mean of all proposals so far: each is weighed against that.
        log_weight = log_density - _proposed(x, shapes, degrees)
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        effective = 1.0 / float((weight**2).sum())
        if effective >= enough:
            break
        shapes.append(_moved(x, log_weight))
    # One uniform places all draws, evenly over the weights; a keyed shuffle makes their order mean nothing.
    points = (np.arange(draws) + uniform_array(seed, 0, Purpose.PARAMETER, entity, numbers + 2)) / draws
    chosen = np.searchsorted(np.cumsum(weight), points).clip(max=len(x) - 1)
    order = np.argsort(uniform_array(seed, np.arange(draws), Purpose.PARAMETER, entity, numbers + 3), kind="stable")
    return Found(x[chosen[order]], mode, min(float(draws), effective))


def _proposed(x: Floats, shapes: Sequence[tuple[Floats, Floats]], degrees: float) -> Floats:
    """Log density of the mean of some t proposals, mixed with the prior."""
    prior = -0.5 * (x**2).sum(1) - x.shape[1] / 2 * np.log(2 * np.pi)
    near = [_log_t(x, centre, root, degrees) for centre, root in shapes]
    mean = special.logsumexp(near, axis=0) - np.log(len(shapes))
    return np.asarray(np.logaddexp(mean + np.log1p(-PRIOR_SHARE), prior + np.log(PRIOR_SHARE)))


def highest(function: Likelihood, start: Floats, low: float = -FAR, high: float = FAR) -> Floats:
    """Where a function of points is highest between two bounds, climbing from a start."""
    size = len(start)
    around = np.concatenate([np.zeros((1, size)), STEP / 4 * np.eye(size), -STEP / 4 * np.eye(size)])

    def value_and_slope(z: Floats) -> tuple[float, Floats]:
        found = function(z + around)
        return -float(found[0]), -(found[1 : size + 1] - found[size + 1 :]) / (STEP / 2)

    found = optimize.minimize(
        value_and_slope,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, high)] * size,
        options={"ftol": 1e-14, "gtol": 1e-6},
    )
    return np.asarray(found.x, float)


def spread(function: Likelihood, mode: Floats) -> Floats:
    """Covariance at the mode, from second differences; never wider than the prior."""
    size = len(mode)
    one, two = np.triu_indices(size)
    unit = STEP * np.eye(size)
    corners = [function(mode + a * unit[one] + b * unit[two]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    hessian = np.zeros((size, size))
    hessian[one, two] = -(corners[0] - corners[1] - corners[2] + corners[3]) / (4 * STEP**2)
    hessian[two, one] = hessian[one, two]
    values, vectors = np.linalg.eigh(hessian)
    return np.asarray((vectors / np.clip(values, 1.0, None)) @ vectors.T)


def _moved(x: Floats, log_weight: Floats) -> tuple[Floats, Floats]:
    """Mean, and root of the covariance, of what was found, with weights flattened until enough points have one."""
    power = 1.0
    while True:
        weight = np.exp(power * (log_weight - log_weight.max()))
        weight /= weight.sum()
        if 1.0 / float((weight**2).sum()) > 10 * x.shape[1] or power < 1e-3:
            break
        power *= 0.7
    centre = weight @ x
    covariance = ((x - centre).T * weight) @ (x - centre)
    return centre, np.linalg.cholesky(1.1 * covariance + 1e-6 * np.eye(x.shape[1]))


def _log_t(x: Floats, centre: Floats, root: Floats, degrees: float) -> Floats:
    """Log density of the multivariate t with `root` the Cholesky factor of its scale."""
    size = len(centre)
    scaled = np.linalg.solve(root, (x - centre).T)
    scale = special.gammaln((degrees + size) / 2) - special.gammaln(degrees / 2)
    scale -= size / 2 * np.log(degrees * np.pi) + np.log(np.diag(root)).sum()
    return np.asarray(scale - (degrees + size) / 2 * np.log1p((scaled**2).sum(0) / degrees))


def chunked(function: Likelihood, points: int) -> Likelihood:
    """The same function, a few points at a time on two threads, so that its arrays stay small."""

    def by_parts(z: Floats) -> Floats:
        parts = [z[at : at + points] for at in range(0, len(z), points)]
        if len(parts) == 1:
            return function(z)
        with ThreadPoolExecutor(THREADS) as pool:  # NumPy leaves the interpreter free while it computes
            return np.concatenate(list(pool.map(function, parts)))

    return by_parts


def priors_to_values(priors: Sequence[Prior], z: Floats) -> Floats:
    """[..., numbers] of standard normal numbers to values under their priors."""
    return np.stack([of_prior(prior, z[..., i]) for i, prior in enumerate(priors)], axis=-1)
