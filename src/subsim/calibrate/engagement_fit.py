"""What readings say about engagement: likelihood with everything linear integrated out, its mode, and joint draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from subsim.calibrate.engagement_filter import FIRST_KIND, HELD, ONE, TTV, Moments, Theta, Y, moments
from subsim.calibrate.engagement_readings import SPONSOR, Readings
from subsim.calibrate.priors import Key, Prior, Priors, catalogue_prior
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SUBSET = 2_000  # accounts that find the mode; the rest then move it
CORRECTED_ROWS = 20_000  # up to this many readings the normal approximation is corrected by importance weights
PROPOSALS = 300
_STEP = 0.05  # of a logarithm, for second differences

# Judgement: wide priors of what the catalogue has no row for. Lifts from campaigns leave no rows in a book.
READING_ERROR = Prior("lognormal", 0.5, 0.5, source="judgement: around the simulator's score.noise", grade="D")
HIDDEN_LIFT = Prior("normal", 0.0, 0.15, source="judgement: lifts that leave no rows, such as campaigns", grade="D")
UNSEEN_LIFTS = Prior("normal", 0.3, 0.5, source="judgement: all lifts where no touches are recorded", grade="D")
OWN_LEVEL = Prior("lognormal", 0.25, 0.4, source="judgement: fit_effect for one sd of fit", grade="D")
UNSEEN_RESPONSE = Prior("lognormal", 0.4, 0.5, source="judgement: response where no touches are recorded", grade="D")


def prior_of(priors: Priors, name: str, *names: str) -> Prior:
    """The prior of one number; the catalogue's where the calibration has none of its own."""
    key: Key = (name, names)
    return priors[key] if key in priors else catalogue_prior(key)


@dataclass(frozen=True)
class Shape:
    """How readings depend on numbers: linear effects with normal priors, and the priors of `Theta`.

    `place` [cells, columns] is where a column's effect stands among the linear effects: level at birth by segment, what
    holds the rest away from it by cell, time to value, kinds of impulse.
    """

    names: tuple[Key, ...]
    mean: Floats
    sd: Floats
    place: Ints
    weights: Floats
    theta: tuple[Prior, ...]

    @property
    def segments(self) -> int:
        """Number of levels at birth, which come first."""
        return sum(name == "engagement.rest" for name, _ in self.names)

    def theta_of(self, log_theta: Floats) -> Theta:
        """`Theta` from logarithms."""
        drift, noise, error, *spread = np.exp(log_theta).tolist()
        return Theta(drift, noise, error, tuple(spread))


def shape(data: Readings, priors: Priors) -> Shape:
    """The shape for some readings: touches enter where the book has them, else one unknown level by cell."""
    kinds = [str(kind) for kind in data.kinds]
    touches = [kind for kind in kinds if kind != SPONSOR]
    segments = sorted(set(data.segments.tolist()))
    hidden = HIDDEN_LIFT if touches else UNSEEN_LIFTS
    names: list[Key] = [("engagement.rest", (segment,)) for segment in segments]
    numbers = [prior_of(priors, *_flat(name)) for name in names]
    table = [(prior.centre, prior.sd) for prior in numbers]
    for segment, tier in zip(data.segments, data.tiers, strict=True):
        neglect = prior_of(priors, "engagement.neglect", segment)
        names.append(("held", (segment, tier)))
        table.append((hidden.centre - neglect.centre, float(np.hypot(neglect.sd, hidden.sd))))
    ttv = prior_of(priors, "engagement.ttv_effect")
    names.append(("engagement.ttv_effect", ()))
    table.append((-ttv.centre, ttv.sd))
    lifts = []
    for kind in kinds:
        prior = prior_of(priors, "sponsor.shock") if kind == SPONSOR else prior_of(priors, "work.lift", kind)
        sign = -1.0 if kind == SPONSOR else 1.0
        names.append(("sponsor.shock", ()) if kind == SPONSOR else ("work.lift", (kind,)))
        table.append((sign * prior.centre, prior.sd))
        lifts.append(0.0 if kind == SPONSOR else prior.centre)
    mean, sd = np.array(table).T
    cells = len(data.segments)
    place = np.zeros((cells, FIRST_KIND + len(kinds)), np.int64)
    place[:, ONE] = [segments.index(segment) for segment in data.segments]
    place[:, HELD] = len(segments) + np.arange(cells)
    place[:, TTV:] = len(segments) + cells + np.arange(1 + len(kinds))
    weights = np.zeros((2, place.shape[1]))
    weights[0, ONE] = 1.0
    weights[1, FIRST_KIND:] = lifts
    if not any(lifts):
        weights[1, HELD] = 1.0
    response = prior_of(priors, "engagement.response_sd") if any(lifts) else UNSEEN_RESPONSE
    drift, noise = prior_of(priors, "engagement.drift"), prior_of(priors, "engagement.noise")
    theta = (drift, noise, READING_ERROR, OWN_LEVEL, response)
    return Shape(tuple(names), mean, np.maximum(sd, 1e-6), place, weights, theta)


def _flat(key: Key) -> tuple[str, ...]:
    return (key[0], *key[1])


@dataclass(frozen=True)
class Linear:
    """Precision and right-hand side of the linear effects, priors included, at one `Theta`."""

    precision: Floats
    weighted: Floats
    log_evidence: float

    def mean(self) -> Floats:
        """Mean of all effects together: what the readings show, which is association."""
        return np.asarray(np.linalg.solve(self.precision, self.weighted))

    def given(self, free: Ints, known: Ints, values: Floats) -> Floats:
        """[draws, free]: mean of some effects where the others are known, `values` [draws, known]."""
        right = self.weighted[free] - values @ self.precision[np.ix_(known, free)]
        return np.asarray(np.linalg.solve(self.precision[np.ix_(free, free)], right.T).T)


def linear(data: Readings, form: Shape, log_theta: Floats) -> Linear:
    """The linear part at one `Theta`, and the log likelihood of `Theta` with it integrated out."""
    found = moments(data, form.theta_of(log_theta), form.weights)
    return _linear(found, form)


def _linear(found: Moments, form: Shape) -> Linear:
    prior = 1.0 / form.sd**2
    precision, weighted = np.diag(prior), prior * form.mean
    for cell, place in enumerate(form.place):
        own = place[ONE:]
        np.add.at(precision, (own[:, None], own[None, :]), found.products[cell, ONE:, ONE:])
        np.add.at(weighted, own, found.products[cell, ONE:, Y])
    half = np.linalg.cholesky(precision)
    solved = np.linalg.solve(half, weighted)
    squares = float(found.products[:, Y, Y].sum() + (prior * form.mean**2).sum() - solved @ solved)
    determinants = float(found.log_determinant.sum() + 2 * np.log(np.diag(half)).sum() - np.log(prior).sum())
    return Linear(precision, weighted, -0.5 * (squares + determinants))


@dataclass(frozen=True)
class Mode:
    """Normal approximation to the posterior of log Theta: mean and covariance (zero where a prior is fixed)."""

    log_theta: Floats
    covariance: Floats
    effective: float
    """Share of the proposals that count after importance weighting; 1 where none was needed."""


class _Posterior:
    """Negative log posterior of the logarithms that are free, per unit of evidence of some accounts."""

    def __init__(self, data: Readings, form: Shape) -> None:
        self.data, self.form = data, form
        self.start = np.log([prior.centre for prior in form.theta])
        self.free = np.array([not prior.fixed for prior in form.theta])

    def whole(self, x: Floats) -> Floats:
        log_theta = self.start.copy()
        log_theta[self.free] = x
        return log_theta

    def prior(self, x: Floats) -> float:
        free = [prior for prior in self.form.theta if not prior.fixed]
        return sum(_log_density(prior, float(value)) for prior, value in zip(free, x, strict=True))

    def likelihood(self, x: Floats) -> float:
        return linear(self.data, self.form, self.whole(x)).log_evidence

    def __call__(self, x: Floats) -> float:
        return -self.prior(x) - self.likelihood(x)


def _log_density(prior: Prior, logarithm: float) -> float:
    """Log density of the logarithm of a number, up to a constant."""
    if prior.family == "lognormal":
        return -0.5 * float((logarithm - np.log(prior.centre)) / prior.spread) ** 2
    return float(prior.log_density(np.exp(logarithm))) + logarithm


def mode(data: Readings, form: Shape, *, corrected: bool = True, seed: int = 1) -> Mode:
    """Mode and spread of log Theta: found on a part of the accounts, then moved by the gradient over all of them."""
    read = np.flatnonzero(np.diff(data.reading_from))
    data = data.chosen(read)
    stride = max(1, len(read) // SUBSET)
    part = data.chosen(np.arange(0, len(read), stride)) if stride > 1 else data
    target = _Posterior(part, form)
    x = target.start[target.free]
    if len(read) and len(x):
        x = optimize.minimize(target, x, method="BFGS", options={"gtol": 0.05 * np.sqrt(len(part.at) + 1) / 10}).x
    curvature = -_hessian(target.prior, x) - stride * _hessian(target.likelihood, x)
    covariance: Floats = np.linalg.inv(_positive(curvature))
    if stride > 1:
        target = _Posterior(data, form)
        for _ in range(2):  # quasi-Newton: the part's curvature, everybody's slope
            x = x - covariance @ optimize.approx_fprime(x, target, 1e-4)
    effective = 1.0
    if corrected and len(read) and len(data.at) <= CORRECTED_ROWS:
        x, covariance, effective = _reweighted(target, x, covariance, seed)
    whole = np.zeros((len(target.free), len(target.free)))
    whole[np.ix_(target.free, target.free)] = covariance
    return Mode(target.whole(x), whole, effective)


def _hessian(function: Callable[[Floats], float], x: Floats) -> Floats:
    size = len(x)
    found = np.zeros((size, size))
    steps = np.eye(size) * _STEP
    middle = function(x)
    up = [function(x + step) for step in steps]
    down = [function(x - step) for step in steps]
    for i in range(size):
        found[i, i] = (up[i] - 2 * middle + down[i]) / _STEP**2
        for j in range(i):
            # Mixed difference from two more points, the rest shared.
            both = function(x + steps[i] + steps[j]) + function(x - steps[i] - steps[j])
            found[i, j] = found[j, i] = (both - up[i] - up[j] - down[i] - down[j] + 2 * middle) / (2 * _STEP**2)
    return found


def _positive(matrix: Floats) -> Floats:
    """The nearest matrix whose eigenvalues are at least 0.1: no direction is wider than a flat prior of sd 3."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.1)) @ vectors.T, float)


def _reweighted(target: _Posterior, x: Floats, covariance: Floats, seed: int) -> tuple[Floats, Floats, float]:
    """Mean and covariance by importance weights of proposals from a slightly wider normal."""
    z = normals("proposal", (PROPOSALS, len(x)), seed)
    half = 1.2 * np.linalg.cholesky(covariance)
    proposed = x + z @ half.T
    weight = np.array([-target(each) for each in proposed]) + 0.5 * (z**2).sum(axis=1)
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    effective = float(1.0 / (weight**2).sum() / PROPOSALS)
    if effective < 0.2:  # too few proposals would carry the answer
        return x, covariance, effective
    mean = weight @ proposed
    return mean, np.asarray((weight[:, None] * (proposed - mean)).T @ (proposed - mean)), effective


def normals(what: str, size: Sequence[int], seed: int) -> Floats:
    """Keyed standard normals: the first dimension counts draws, the second (if any) places."""
    places = np.arange(size[1] if len(size) > 1 else 1)
    entity = name_entity(f"calibrate/engagement/{what}")
    u = uniform_array(seed, np.arange(size[0])[:, None], Purpose.PARAMETER, entity, places[None, :])
    return np.asarray(special.ndtri(u).reshape(size))


@dataclass(frozen=True)
class Draws:
    """Joint draws: log Theta [draws, 5], and of the effects that were free [draws, free]."""

    log_theta: Floats
    effects: Floats


def joint_draws(
    data: Readings, form: Shape, at: Mode, *, known: Ints, values: Floats, seed: int, what: str = "draws"
) -> Draws:
    """Draws of Theta, and of the free linear effects given known ones: `values` [draws, known].

    The readings do not teach the known ones: their draws come from elsewhere (a prior, an experiment), and the free
    ones follow, so that every draw reproduces the observed level. Free effects follow Theta by first differences.
    """
    draws = len(values)
    free = np.setdiff1d(np.arange(len(form.mean)), known)
    sd = np.sqrt(np.diag(at.covariance))
    moving = np.flatnonzero(sd)
    half = np.zeros_like(at.covariance)
    half[np.ix_(moving, moving)] = np.linalg.cholesky(at.covariance[np.ix_(moving, moving)])
    log_theta = at.log_theta + normals(f"{what}/theta", (draws, len(sd)), seed) @ half.T
    here = linear(data, form, at.log_theta)
    middle = here.given(free, known, values)
    effects = middle.copy()
    for i in moving:
        step = np.zeros_like(sd)
        step[i] = max(0.5 * sd[i], 1e-3)
        there = linear(data, form, at.log_theta + step).given(free, known, values)
        effects += (there - middle) * ((log_theta[:, i] - at.log_theta[i]) / step[i])[:, None]
    spread = np.linalg.cholesky(np.linalg.inv(here.precision[np.ix_(free, free)]))
    effects += normals(f"{what}/effects", effects.shape, seed) @ spread.T
    return Draws(log_theta, effects)
