"""A likelihood made of simulations: summaries are projected, and how they depend on the numbers is emulated.

Each number gets the linear combination of summaries that tells it best; combinations that tell nothing are dropped.
The rest are normal around a quadratic function of the numbers, with a scale that depends on them too: a Gaussian
synthetic likelihood on semi-automatic summaries (Fearnhead and Prangle 2012; Wood 2010), its covariance inflated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TELLS = 0.05  # share of a number's variance that a projection has to explain, out of sample, to be used
COVERAGE = 0.9
INFLATIONS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
HELD_OUT = 0.2
_PENALTIES = np.logspace(-2, 4, 13)
_CLIP = 6.0  # standard deviations to which summaries are held
_NUGGET = 0.05  # share of the correlation that is forgotten, against chance
_QUADRATIC = 0.3  # how far a quadratic term is trusted against a linear one
_Z90 = 1.6448536269514722
_MEAN_LOG_ABS_NORMAL = -0.6351814227307391


@dataclass(frozen=True)
class Emulator:
    """Projections of summaries, and their distribution given the numbers, for one segment.

    With x the numbers on their standard scale: projections ~ N(a + B x + x Q x, inflation D R D), log D = c + C x.
    """

    kept: NDArray[np.int64]
    """Which of all numbers x are; the others say nothing and are noise like any other."""
    told: NDArray[np.int64]
    """Which of the kept ones have a projection."""
    centre: Floats
    scale: Floats
    weights: Floats
    """(summaries, projections): to projections of unit variance."""
    a: Floats
    b: Floats
    q: Floats
    c: Floats
    cs: Floats
    whiten: Floats
    """Inverse Cholesky factor of the inflated correlation."""
    inflation: float = 1.0
    coverage: float = float("nan")
    """Of 90 % intervals on simulations that were held out, after inflation."""

    def project(self, summaries: Floats) -> Floats:
        """(..., projections)."""
        return np.asarray(np.clip((summaries - self.centre) / self.scale, -_CLIP, _CLIP) @ self.weights)

    def log_likelihood(self, x: Floats, projected: Floats) -> Floats:
        """Of some points (points, kept), for projections that were seen."""
        error, log_scale = self.errors(x, projected)
        return np.asarray(-0.5 * (error**2).sum(axis=-1) - log_scale.sum(axis=-1))

    def errors(self, x: Floats, projected: Floats) -> tuple[Floats, Floats]:
        """Standard normal errors and the logarithms of their scale, both (points, projections)."""
        pairs = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        mean = self.a + x @ self.b.T + pairs @ self.q.reshape(len(self.a), -1).T
        log_scale = self.c + x @ self.cs.T
        return ((projected - mean) * np.exp(-log_scale)) @ self.whiten.T, log_scale


def ridge(features: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Coefficients (features, targets) and left-out residuals (rows, targets); each target has its own best penalty.

    The first column of the features is the constant and is not penalised.
    """
    x, mean = features[:, 1:], features[:, 1:].mean(axis=0)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    level = targets.mean(axis=0)
    uy = u.T @ (targets - level)
    best = np.full(targets.shape[1], np.inf)
    coefficients = np.zeros((features.shape[1], targets.shape[1]))
    left_out = np.zeros_like(targets)
    for penalty in _PENALTIES:
        shrink = s**2 / (s**2 + penalty)
        hat = (u**2) @ shrink + 1 / len(x)
        residual = (targets - level - u @ (shrink[:, None] * uy)) / np.maximum(1 - hat, 0.02)[:, None]
        loss = (residual**2).mean(axis=0)
        better = loss < best
        if better.any():
            slope = vt.T @ ((shrink / np.maximum(s, 1e-12))[:, None] * uy[:, better])
            coefficients[1:, better] = slope
            coefficients[0, better] = level[better] - mean @ slope
            left_out[:, better] = residual[:, better]
            best = np.minimum(best, loss)
    return coefficients, left_out


def quadratic_features(x: Floats) -> Floats:
    """Constant, linear and quadratic terms, the last scaled down so that a common penalty trusts them less."""
    first, second = np.triu_indices(x.shape[1])
    return np.column_stack([np.ones(len(x)), x, _QUADRATIC * x[:, first] * x[:, second]])


def fit_emulator(x: Floats, summaries: Floats, always: Sequence[int]) -> Emulator:
    """Learn projections and their distribution from simulations, and inflate it until held-out coverage is nominal.

    Args:
        x: numbers on their standard scale, (runs, numbers).
        summaries: (runs, summaries).
        always: numbers that are kept whether the summaries tell them or not.
    """
    centre, scale = summaries.mean(axis=0), np.maximum(summaries.std(axis=0), 1e-9)
    standard = np.clip((summaries - centre) / scale, -_CLIP, _CLIP)
    weights, left_out = ridge(np.column_stack([np.ones(len(x)), standard]), x)
    tells = 1 - (left_out**2).mean(axis=0) / np.maximum(x.var(axis=0), 1e-12) > TELLS
    kept = np.array([k for k in range(x.shape[1]) if tells[k] or k in always])
    told = np.flatnonzero(tells[kept])
    weights = weights[1:, tells]
    weights = weights / np.maximum((standard @ weights).std(axis=0), 1e-9)
    frame = Emulator(kept, told, centre, scale, weights, *(np.empty(0),) * 6)
    train = len(x) - int(HELD_OUT * len(x))
    seen, numbers = frame.project(summaries), x[:, kept]
    part = _fitted(frame, numbers[:train], seen[:train])
    shares = [_coverage(inflated(part, by), numbers, seen, train) for by in INFLATIONS]
    chosen = next((i for i, share in enumerate(shares) if share >= COVERAGE), len(INFLATIONS) - 1)
    return replace(inflated(_fitted(frame, numbers, seen), INFLATIONS[chosen]), coverage=shares[chosen])


def inflated(emulator: Emulator, by: float) -> Emulator:
    """With so many times its covariance."""
    return replace(emulator, whiten=emulator.whiten / np.sqrt(by), inflation=by * emulator.inflation)


def _fitted(frame: Emulator, x: Floats, seen: Floats) -> Emulator:
    """Mean, scale and correlation of the projections given the numbers."""
    coefficients, residual = ridge(quadratic_features(x), seen)
    size = x.shape[1]
    q = np.zeros((seen.shape[1], size, size))
    first, second = np.triu_indices(size)
    q[:, first, second] = _QUADRATIC * coefficients[1 + size :].T
    logs = np.log(np.abs(residual) + 1e-3) - _MEAN_LOG_ABS_NORMAL
    log_scale, _ = ridge(np.column_stack([np.ones(len(x)), x]), logs)
    standard = residual / np.exp(log_scale[0] + x @ log_scale[1:])
    # Tails heavier than a normal's have too little weight in the mean of logarithms.
    missed = np.sqrt((np.clip(standard, -4, 4) ** 2).mean(axis=0))
    correlation = np.atleast_2d(np.corrcoef(standard, rowvar=False)) if seen.shape[1] else np.eye(0)
    root = np.linalg.cholesky((1 - _NUGGET) * correlation + _NUGGET * np.eye(seen.shape[1]))
    return replace(
        frame,
        a=coefficients[0],
        b=coefficients[1 : 1 + size].T,
        q=(q + q.transpose(0, 2, 1)) / 2,
        c=log_scale[0] + np.log(missed),
        cs=log_scale[1:].T,
        whiten=np.linalg.inv(root),
    )


def _coverage(emulator: Emulator, x: Floats, seen: Floats, train: int) -> float:
    """Share of held-out numbers inside their 90 % interval, by the normal approximation at the posterior's mode."""
    if not len(emulator.told):
        return 1.0
    found, sd = normal_posterior(emulator, seen[train:], x[:train].mean(axis=0), x[:train].std(axis=0))
    inside = np.abs(x[train:] - found) <= _Z90 * sd
    return float(inside[:, emulator.told].mean())


def normal_posterior(
    emulator: Emulator, seen: Floats, mean: Floats, spread: Floats, steps: int = 12
) -> tuple[Floats, Floats]:
    """Modes and standard deviations, (rows, kept), by damped Gauss-Newton from the prior's mean."""
    prior = np.diag(1 / spread**2)
    at, curve = np.tile(mean, (len(seen), 1)), prior
    for _ in range(steps):
        error, log_scale = emulator.errors(at, seen)
        slope = emulator.b + 2 * np.einsum("kij,nj->nki", emulator.q, at)
        white = np.einsum("lk,nki->nli", emulator.whiten, slope * np.exp(-log_scale)[:, :, None])
        curve = prior + np.einsum("nli,nlj->nij", white, white)
        pull = np.einsum("nli,nl->ni", white, error) - (at - mean) / spread**2
        step = np.linalg.solve(curve, pull[..., None])[..., 0]
        at = at + 0.7 * step / np.maximum(1, np.abs(step).max(axis=1, keepdims=True) / 2)
    return at, np.sqrt(np.diagonal(np.linalg.inv(curve), axis1=-2, axis2=-1))


def regression_posterior(emulator: Emulator, x: Floats, summaries: Floats, observed: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations of the kept numbers at what was observed: a quadratic regression the other way."""
    seen, here = emulator.project(summaries), emulator.project(observed[None, :])
    coefficients, left_out = ridge(quadratic_features(seen), x[:, emulator.kept])
    return np.asarray((quadratic_features(here) @ coefficients)[0]), np.asarray(left_out.std(axis=0))
