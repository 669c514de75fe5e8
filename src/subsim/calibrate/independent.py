"""Independent draws from a small smooth posterior: mode, curvature, importance sampling with a heavy-tailed normal.

For likelihoods in closed form with a few dozen numbers at most. Nothing is compiled and nothing mixes slowly; how well
the proposal fits shows in the effective sample size, and two more rounds refit it. Draws are keyed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
LogDensity = Callable[[Floats], Floats]
"""Takes (n, dimensions), gives n logarithms of the density, up to a constant."""

PROPOSALS = 8192
ROUNDS = 3
FREEDOM = 8.0  # degrees of freedom of the proposal
_STEP = 1e-3
_NEWTON = 60


@dataclass(frozen=True)
class Independent:
    """Equally weighted draws (count, dimensions) and the effective number of proposals behind them."""

    draws: Floats
    effective: float


def independent_draws(log_density: LogDensity, dimensions: int, *, count: int, seed: int, name: str) -> Independent:
    """Draws from a density whose mode is not far from 0 and whose scale is about 1 or smaller.

    Args:
        log_density: up to a constant; minus infinity or NaN count as impossible.
        dimensions: of the argument.
        count: how many draws to give.
        seed: of the calibration.
        name: of what is drawn; draws of another name are independent.
    """
    centre = find_mode(log_density, np.zeros(dimensions))
    root = _root(np.linalg.inv(_curved(-hessian(log_density, centre))))
    entity = name_entity(f"calibrate/{name}")
    points, weights = centre[None, :], np.ones(1)
    for number in range(ROUNDS):
        u = uniform_array(
            seed, number, Purpose.PARAMETER, entity, np.arange(PROPOSALS * (dimensions + 1), dtype=np.int64)
        ).reshape(PROPOSALS, dimensions + 1)
        normal = special.ndtri(u[:, :-1])
        stretch = np.sqrt(FREEDOM / (2 * special.gammaincinv(FREEDOM / 2, u[:, -1])))
        standard = normal * stretch[:, None]
        points = centre + standard @ root.T
        proposal = -0.5 * (FREEDOM + dimensions) * np.log1p((standard**2).sum(axis=1) / FREEDOM)
        weights = _weights(log_density(points) - proposal)
        if _effective(weights) > 0.5 * PROPOSALS:
            break
        centre = weights @ points
        spread = (points - centre) * np.sqrt(weights)[:, None]
        root = _root(spread.T @ spread * (1 - 2 / FREEDOM) + 1e-12 * np.eye(dimensions))
    return Independent(_resampled(points, weights, count, seed, entity), _effective(weights))


def find_mode(log_density: LogDensity, start: Floats) -> Floats:
    """Newton's method with halved steps; derivatives by differences."""
    here: Floats = start
    value = float(log_density(start[None, :])[0])
    for _ in range(_NEWTON):
        slope = gradient(log_density, here)
        step = np.linalg.solve(_curved(-hessian(log_density, here)), slope)
        for halving in 0.5 ** np.arange(12):
            there = np.asarray(here + halving * step)
            found = float(log_density(there[None, :])[0])
            if found > value:
                break
        else:
            return here
        gain, here, value = found - value, there, found
        if gain < 1e-9:
            return here
    return here


def gradient(log_density: LogDensity, at: Floats) -> Floats:
    """Central differences."""
    moves = _STEP * np.eye(len(at))
    return np.asarray((log_density(at + moves) - log_density(at - moves)) / (2 * _STEP))


def hessian(log_density: LogDensity, at: Floats) -> Floats:
    """Second differences, symmetric."""
    size = len(at)
    moves = _STEP * np.eye(size)
    first, second = np.triu_indices(size)
    a, b = moves[first], moves[second]
    four = np.concatenate([at + a + b, at + a - b, at - a + b, at - a - b])
    up, mixed, other, down = log_density(four).reshape(4, -1)
    table = np.zeros((size, size))
    table[first, second] = (up - mixed - other + down) / (4 * _STEP**2)
    return table + np.triu(table, 1).T


def _curved(matrix: Floats) -> Floats:
    """The nearest matrix that bends down in every direction, by at least a little."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(np.abs(values), 1e-3)) @ vectors.T)


def _root(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 1e-14)))


def _weights(logs: Floats) -> Floats:
    logs = np.where(np.isfinite(logs), logs, -np.inf)
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _effective(weights: Floats) -> float:
    return float(1 / (weights**2).sum())


def _resampled(points: Floats, weights: Floats, count: int, seed: int, entity: int) -> Floats:
    """Systematic resampling, then a keyed order, so that draws of two names are independent."""
    offset = float(uniform_array(seed, ROUNDS, Purpose.PARAMETER, entity, 0))
    edges = np.cumsum(weights)
    chosen = np.searchsorted(edges / edges[-1], (np.arange(count) + offset) / count)
    order = np.argsort(uniform_array(seed, ROUNDS + 1, Purpose.PARAMETER, entity, np.arange(count)), kind="stable")
    return np.asarray(points[np.minimum(chosen, len(points) - 1)][order])
