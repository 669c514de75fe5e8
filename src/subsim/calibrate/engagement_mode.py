"""The mode of what readings of engagement depend on non-linearly, and the normal approximation around it.

Drift, noise, error and spreads are non-linear. So are the lifts of touches: they make means, which is linear, but how
far accounts differ in their answers goes with them too. All are found together: lifts settled at another drift than the
one that is found would hold the drift there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from subsim.calibrate.engagement_fit import Mode, Shape, linear, normals, prior_of, sized
from subsim.calibrate.engagement_readings import Readings
from subsim.calibrate.priors import Prior, Priors
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PART_ROWS = 10_000  # readings that find the mode; the rest then move it
CORRECTED_ROWS = 6_000  # up to this many readings the normal approximation is corrected by importance weights
PROPOSALS = 200
_STEPS = 2  # at most, from the mode of a part to that of all
_STEP = 0.05  # of a logarithm, or a prior's standard deviation, for second differences
_CLOSE = 0.5  # slope at which the search ends; one Newton step then does the rest


@dataclass(frozen=True)
class Fitted:
    """Readings and shape with lifts and what owners add as they were found, and the mode of log `Theta`."""

    data: Readings
    form: Shape
    mode: Mode


def mode_of(
    data: Readings, form: Shape, priors: Priors | None = None, *, corrected: bool = True, seed: int = 1
) -> Fitted:
    """Mode and spread of log Theta: found on a part of the accounts, then moved by the slope over all of them.

    With `priors` the lifts of touches and what owners add to them are found as well; without, the weights of `form`
    are taken as they are. The spread is that over what lifts may be.
    """
    part, weight = part_of(data)
    form, lifts = _lifts(part, form, priors) if priors is not None else (form, None)
    target = _Posterior(part, form, lifts)
    x = _highest(target)
    slope, likely = _local(target.likelihood, x)
    prior_slope, before = _local(target.prior, x)
    x = x + np.linalg.solve(_positive(-before - likely), slope + prior_slope)
    covariance: Floats = np.linalg.inv(_positive(-before - weight * likely))
    if weight > 1:  # quasi-Newton steps: the part's curvature, everybody's slope
        target = _Posterior(data, form, lifts)
        for _ in range(_STEPS):
            step = covariance @ optimize.approx_fprime(x, target, 1e-4)
            x = x - step
            if np.all(np.abs(step) < 0.1 * np.sqrt(np.diag(covariance))):
                break
    effective = 1.0
    if corrected and 0 < len(data.at) <= CORRECTED_ROWS:
        x, covariance, effective = _reweighted(target, x, covariance, seed)
    return target.found(x, covariance, effective)


def mode_of_part(data: Readings, form: Shape, priors: Priors) -> Fitted:
    """The mode on a part of the accounts, without its spread; the readings of all."""
    part, _ = part_of(data)
    form, lifts = _lifts(part, form, priors)
    x = _highest(_Posterior(part, form, lifts))
    return _Posterior(data, form, lifts).found(x, np.zeros((len(x), len(x))), 1.0)


def part_of(data: Readings) -> tuple[Readings, float]:
    """Accounts chosen by lot so that they have about so many readings, and how many accounts each stands for."""
    read = np.flatnonzero(np.diff(data.reading_from))
    if len(data.at) <= PART_ROWS:
        return data.chosen(read), 1.0
    lot = uniform_array(0, 0, Purpose.PARAMETER, name_entity("calibrate/engagement/part"), read)
    chosen = read[lot < PART_ROWS / len(data.at)]
    return data.chosen(chosen), len(read) / len(chosen)


@dataclass(frozen=True)
class _Lifts:
    """Lifts that are found together with `Theta`, and last what owners add to them: priors, and where to begin."""

    places: Ints
    """Of the lifts among the linear effects."""
    centre: Floats
    sd: Floats
    first: Floats
    priors: Priors


def _lifts(data: Readings, form: Shape, priors: Priors) -> tuple[Shape, _Lifts | None]:
    """The lifts of the readings; and the shape, sized by what the readings show at the centres of the priors."""
    if not len(data.kinds):
        return form, None
    ceiling = prior_of(priors, "continuity.ceiling")
    centres = np.log([prior.centre for prior in form.theta])
    shown = linear(data.with_owners(ceiling.centre), form, centres).mean()
    form = sized(data, form, priors, shown)
    places = np.array([place for place, (name, _) in enumerate(form.names) if name == "work.lift"], np.int64)
    if not len(places):
        return form, None
    centre, sd = np.append(form.mean[places], ceiling.centre), np.append(form.sd[places], ceiling.sd)
    first = np.append((shown[places] - centre[:-1]) / sd[:-1], 0.0)
    return form, _Lifts(places, centre, sd, first, priors)


class _Posterior:
    """Log posterior of x: the logarithms of `Theta` that are free, then lifts in sds of their priors."""

    def __init__(self, data: Readings, form: Shape, lifts: _Lifts | None) -> None:
        self.data, self.form, self.lifts = data, form, lifts
        self.start = np.log([prior.centre for prior in form.theta])
        self.free = np.array([not prior.fixed for prior in form.theta])
        self.logs = int(self.free.sum())
        self.first = np.concatenate([self.start[self.free], lifts.first if lifts else []])

    def log_theta(self, x: Floats) -> Floats:
        log_theta = self.start.copy()
        log_theta[self.free] = x[: self.logs]
        return log_theta

    def placed(self, x: Floats) -> tuple[Readings, Shape, Floats]:
        """Readings and shape at x, and the lifts."""
        if self.lifts is None:
            return self.data, self.form, np.zeros(0)
        *lifts, ceiling = (self.lifts.centre + self.lifts.sd * x[self.logs :]).tolist()
        effects = self.form.mean.copy()
        effects[self.lifts.places] = lifts
        form = sized(self.data, self.form, self.lifts.priors, effects, shocks=False)
        return self.data.with_owners(ceiling), form, np.array(lifts)

    def prior(self, x: Floats) -> float:
        free = [prior for prior in self.form.theta if not prior.fixed]
        logs = sum(_log_density(prior, float(value)) for prior, value in zip(free, x[: self.logs], strict=True))
        return logs - 0.5 * float(x[self.logs :] @ x[self.logs :])

    def likelihood(self, x: Floats, *, over_lifts: bool = False) -> float:
        """Log likelihood of x; or of its logarithms, with lifts integrated out around x if they are likeliest there."""
        data, form, values = self.placed(x)
        found = linear(data, form, self.log_theta(x))
        if self.lifts is None:
            return found.log_evidence
        known = found.with_known(self.lifts.places, values, self.form)
        return known - 0.5 * found.narrowness(self.lifts.places) if over_lifts else known

    def __call__(self, x: Floats) -> float:
        return -self.prior(x) - self.likelihood(x)

    def found(self, x: Floats, covariance: Floats, effective: float) -> Fitted:
        """What x says: readings, shape, and the normal approximation of log Theta alone."""
        data, form, _ = self.placed(x)
        whole = np.zeros((len(self.free), len(self.free)))
        whole[np.ix_(self.free, self.free)] = covariance[: self.logs, : self.logs]
        return Fitted(data, form, Mode(self.log_theta(x), whole, effective))


def _highest(target: _Posterior) -> Floats:
    x = target.first
    if len(target.data.at) and len(x):
        x = optimize.minimize(target, x, method="BFGS", options={"gtol": _CLOSE, "eps": 1e-4}).x
    return np.asarray(x, float)


def _log_density(prior: Prior, logarithm: float) -> float:
    """Log density of the logarithm of a number, up to a constant."""
    if prior.family == "lognormal":
        return -0.5 * float((logarithm - np.log(prior.centre)) / prior.spread) ** 2
    return float(prior.log_density(np.exp(logarithm))) + logarithm


def _local(function: Callable[[Floats], float], x: Floats) -> tuple[Floats, Floats]:
    """Slope and second differences."""
    size = len(x)
    found = np.zeros((size, size))
    steps = np.eye(size) * _STEP
    middle = function(x)
    up = np.array([function(x + step) for step in steps])
    down = np.array([function(x - step) for step in steps])
    for i in range(size):
        found[i, i] = (up[i] - 2 * middle + down[i]) / _STEP**2
        for j in range(i):
            # Mixed difference from two more points, the rest shared.
            both = function(x + steps[i] + steps[j]) + function(x - steps[i] - steps[j])
            found[i, j] = found[j, i] = (both - up[i] - up[j] - down[i] - down[j] + 2 * middle) / (2 * _STEP**2)
    return (up - down) / (2 * _STEP), found


def _positive(matrix: Floats) -> Floats:
    """The nearest matrix whose eigenvalues are at least 0.1: no direction is wider than a flat prior of sd 3."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.1)) @ vectors.T, float)


def _reweighted(target: _Posterior, x: Floats, covariance: Floats, seed: int) -> tuple[Floats, Floats, float]:
    """Mean and covariance of the logarithms by importance weights of proposals from a slightly wider normal.

    Lifts follow the logarithms to where they are most likely; how narrow they are there counts as well.
    """
    logs = target.logs
    own = covariance[:logs, :logs]
    follow = np.linalg.solve(own, covariance[:logs, logs:])
    z = normals("proposal", (PROPOSALS, logs), seed)
    moved = z @ (1.2 * np.linalg.cholesky(own)).T
    proposed = x + np.concatenate([moved, moved @ follow], axis=1)
    weight = np.array([target.prior(each) + target.likelihood(each, over_lifts=True) for each in proposed]) + 0.5 * (
        z**2
    ).sum(axis=1)
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    effective = float(1.0 / (weight**2).sum() / PROPOSALS)
    if effective < 0.2:  # too few proposals would carry the answer
        return x, covariance, effective
    mean = weight @ proposed
    return mean, np.asarray((weight[:, None] * (proposed - mean)).T @ (proposed - mean)), effective
