"""What readings say about engagement: likelihood with everything linear integrated out, its mode, and joint draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate.engagement_filter import FIRST_KIND, HELD, ONE, TTV, Moments, Theta, Y, moments
from subsim.calibrate.engagement_impulses import EVENTS, SAVE, SPONSOR, STALLED
from subsim.calibrate.engagement_readings import Readings
from subsim.calibrate.priors import Key, Prior, Priors, catalogue_prior
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIDDEN = "hidden lift"  # name of an effect that the catalogue does not have
SHOCKS: dict[str, Key] = {SPONSOR: ("sponsor.shock", ()), STALLED: ("onboarding.stall_shock", ())}
LEAST_LEVEL = 0.05  # of what an account's own level is thought to be, so that it has a logarithm

# Judgement: wide priors of what the catalogue has no row for. Lifts from campaigns leave no rows in a book.
READING_ERROR = Prior("lognormal", 0.5, 0.5, source="judgement: around the simulator's score.noise", grade="D")
HIDDEN_LIFT = Prior("normal", 0.05, 0.1, source="judgement: lifts that leave no rows, such as campaigns", grade="D")
HIDDEN_MOVEMENT = Prior(
    "lognormal", 0.004, 1.0, source="computed: variance a month of the demo company's campaigns", grade="D"
)
UNSEEN_LIFTS = Prior("normal", 0.3, 0.5, source="judgement: all lifts where no touches are recorded", grade="D")
UNSEEN_RESPONSE = Prior("lognormal", 0.4, 0.5, source="judgement: response where no touches are recorded", grade="D")


def prior_of(priors: Priors, name: str, *names: str) -> Prior:
    """The prior of one number; the catalogue's where the calibration has none of its own."""
    key: Key = (name, names)
    return priors[key] if key in priors else catalogue_prior(key)


@dataclass(frozen=True)
class Shape:
    """How readings depend on numbers: linear effects with normal priors, and the priors of `Theta`.

    `design` [cells, columns, effects] says which effects multiply a column in a cell: the level at birth by segment;
    neglect by segment and hidden lifts by cell, which hold the rest away from it; time to value; kinds of impulse.
    """

    names: tuple[Key, ...]
    mean: Floats
    sd: Floats
    design: Floats
    weights: Floats
    theta: tuple[Prior, ...]
    jumps: tuple[float, ...] = ()

    def by_cell(self, effects: Floats) -> Floats:
        """[cells, columns]: what multiplies each column in each cell."""
        return np.asarray(self.design @ effects)

    def theta_of(self, log_theta: Floats) -> Theta:
        """`Theta` from logarithms."""
        drift, noise, error, *spread = np.exp(log_theta).tolist()
        return Theta(drift, noise, error, tuple(spread), self.jumps)


def shape(data: Readings, priors: Priors) -> Shape:
    """The shape for some readings: touches enter where the book has them, else one unknown lift by cell."""
    kinds = [str(kind) for kind in data.kinds]
    touched = any(kind not in EVENTS for kind in kinds)
    segments = sorted(set(data.segments.tolist()))
    effects: list[tuple[Key, float, Prior]] = []
    for name in ("engagement.rest", "engagement.neglect"):
        sign = 1.0 if name == "engagement.rest" else -1.0
        effects += [((name, (segment,)), sign, prior_of(priors, name, segment)) for segment in segments]
    pairs = list(zip(data.segments.tolist(), data.tiers.tolist(), strict=True))
    effects += [((HIDDEN, pair), 1.0, HIDDEN_LIFT if touched else UNSEEN_LIFTS) for pair in pairs]
    effects.append((("engagement.ttv_effect", ()), -1.0, prior_of(priors, "engagement.ttv_effect")))
    for kind in kinds:
        key = SHOCKS.get(kind, ("work.lift", (kind,)))
        effects.append((key, -1.0 if kind in EVENTS else 1.0, prior_of(priors, key[0], *key[1])))
    design = np.zeros((len(pairs), FIRST_KIND + len(kinds), len(effects)))
    for cell, (segment, _) in enumerate(pairs):
        own = segments.index(segment)
        design[cell, ONE, own] = design[cell, HELD, len(segments) + own] = 1.0
        design[cell, HELD, 2 * len(segments) + cell] = 1.0
        for column in range(TTV, design.shape[1]):
            design[cell, column, 2 * len(segments) + len(pairs) + column - TTV] = 1.0
    weights, response = _persistent(kinds, priors)
    drift, noise = prior_of(priors, "engagement.drift"), prior_of(priors, "engagement.noise")
    fit = prior_of(priors, "engagement.fit_effect")
    own_level = replace(fit, centre=max(abs(fit.centre), LEAST_LEVEL))  # fit has a standard deviation of 1
    return Shape(
        tuple(key for key, _, _ in effects),
        np.array([sign * prior.centre for _, sign, prior in effects]),
        np.maximum([prior.sd for _, _, prior in effects], 1e-6),
        design,
        weights,
        (drift, noise, READING_ERROR, own_level, response),
    )


def _persistent(kinds: list[str], priors: Priors) -> tuple[Floats, Prior]:
    """What persists at an account: its own level, and how it answers touches; and the prior of the latter's sd."""
    weights = np.zeros((2, FIRST_KIND + len(kinds)))
    weights[0, ONE] = 1.0
    lifts = [0.0 if kind in EVENTS else prior_of(priors, "work.lift", kind).centre for kind in kinds]
    weights[1, FIRST_KIND:] = lifts
    if any(lifts):
        return weights, prior_of(priors, "engagement.response_sd")
    weights[1, HELD] = 1.0
    return weights, UNSEEN_RESPONSE


def sized(data: Readings, form: Shape, priors: Priors, effects: Floats, *, shocks: bool = True) -> Shape:
    """The shape whose weights and jumps are those of some effects: how accounts differ goes with what touches do.

    Accounts answer touches more or less, in proportion to what touches do; and a save play works or not, an onboarding
    has stalled or not, which the book does not say, so each brings a variance with it.
    """
    shown = dict(zip(form.names, effects.tolist(), strict=True))
    kinds = list(map(str, data.kinds))
    weights, jumps = form.weights.copy(), np.array(form.jumps or (0.0,) * len(kinds))
    answers = 1 + prior_of(priors, "engagement.response_sd").centre ** 2
    for place, kind in enumerate(kinds):
        if kind not in EVENTS:
            weights[1, FIRST_KIND + place] = shown["work.lift", (kind,)]
        if kind == SAVE:
            jumps[place] = shown["work.lift", (kind,)] ** 2 * answers
        if kind == STALLED and shocks:
            jumps[place] = shown[SHOCKS[kind]] ** 2
    return replace(form, weights=weights, jumps=tuple(jumps.tolist()))


@dataclass(frozen=True)
class Linear:
    """Precision and right-hand side of the linear effects, priors included, at one `Theta`."""

    precision: Floats
    weighted: Floats
    log_evidence: float
    squares: float
    determinants: float

    def with_known(self, known: Ints, values: Floats, form: Shape) -> float:
        """The log likelihood of `Theta` where some effects are known, without their priors."""
        free = np.setdiff1d(np.arange(len(self.weighted)), known)
        prior = 1.0 / form.sd**2
        precision = self.precision[np.ix_(known, known)] - np.diag(prior[known])
        weighted = self.weighted[known] - (prior * form.mean)[known]
        half = np.linalg.cholesky(self.precision[np.ix_(free, free)])
        solved = np.linalg.solve(half, self.weighted[free] - self.precision[np.ix_(free, known)] @ values)
        squares = self.squares - 2 * values @ weighted + values @ precision @ values - solved @ solved
        squares += float((prior * form.mean**2)[free].sum())
        determinants = self.determinants + 2 * np.log(np.diag(half)).sum() - np.log(prior[free]).sum()
        return -0.5 * float(squares + determinants)

    def narrowness(self, places: Ints) -> float:
        """Log determinant of the precision of some effects, the others integrated out."""
        others = np.setdiff1d(np.arange(len(self.weighted)), places)
        whole, rest = self.precision, self.precision[np.ix_(others, others)]
        return float(np.linalg.slogdet(whole)[1] - np.linalg.slogdet(rest)[1])

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
    for products, own in zip(found.products, form.design, strict=True):
        precision += own.T @ products @ own
        weighted += own.T @ products[:, Y]
    half = np.linalg.cholesky(precision)
    solved = np.linalg.solve(half, weighted)
    squares, determinants = float(found.products[:, Y, Y].sum()), float(found.log_determinant.sum())
    left = squares + (prior * form.mean**2).sum() - solved @ solved
    spread = determinants + 2 * np.log(np.diag(half)).sum() - np.log(prior).sum()
    return Linear(precision, weighted, -0.5 * float(left + spread), squares, determinants)


@dataclass(frozen=True)
class Mode:
    """Normal approximation to the posterior of log Theta: mean and covariance (zero where a prior is fixed)."""

    log_theta: Floats
    covariance: Floats
    effective: float
    """Share of the proposals that count after importance weighting; 1 where none was needed."""


def normals(what: str, size: Sequence[int], seed: int) -> Floats:
    """Keyed standard normals: the first dimension counts draws, the second (if any) places."""
    places = np.arange(size[1] if len(size) > 1 else 1)
    entity = name_entity(f"calibrate/engagement/{what}")
    u = uniform_array(seed, np.arange(size[0])[:, None], Purpose.PARAMETER, entity, places[None, :])
    return np.asarray(special.ndtri(u).reshape(size))


@dataclass(frozen=True)
class Around:
    """The linear part at the mode of log Theta, and one step away along each logarithm that is not fixed."""

    at: Mode
    here: Linear
    moving: Ints
    steps: Floats
    there: tuple[Linear, ...]

    def slopes(self, value: Callable[[Linear], Floats]) -> list[Floats]:
        """How a value of the linear part moves with each logarithm."""
        middle = value(self.here)
        return [(value(each) - middle) / step for each, step in zip(self.there, self.steps, strict=True)]

    @property
    def covariance(self) -> Floats:
        """Of the logarithms that are not fixed."""
        return self.at.covariance[np.ix_(self.moving, self.moving)]

    def marginal(self) -> tuple[Floats, Floats]:
        """Mean and covariance of all linear effects together, over what is unknown of Theta: association."""
        follow = np.array(self.slopes(Linear.mean)).reshape(len(self.moving), len(self.here.weighted))
        return self.here.mean(), np.linalg.inv(self.here.precision) + follow.T @ self.covariance @ follow

    def joint_draws(self, known: Ints, values: Floats, seed: int) -> tuple[Floats, Floats]:
        """Draws of log Theta, and of the free linear effects given known ones: `values` [draws, known].

        The readings do not teach the known ones: their draws come from elsewhere (a prior, an experiment), and the
        free ones follow, so that every draw reproduces the observed level. They follow Theta by first differences.
        """
        draws = len(values)
        free = np.setdiff1d(np.arange(len(self.here.weighted)), known)
        half = np.linalg.cholesky(self.covariance)
        moved = normals("theta", (draws, len(self.moving)), seed) @ half.T
        log_theta = np.tile(self.at.log_theta, (draws, 1))
        log_theta[:, self.moving] += moved
        effects = self.here.given(free, known, values)
        for i, slope in enumerate(self.slopes(lambda found: found.given(free, known, values))):
            effects += slope * moved[:, [i]]
        spread = np.linalg.cholesky(np.linalg.inv(self.here.precision[np.ix_(free, free)]))
        return log_theta, effects + normals("effects", effects.shape, seed) @ spread.T


def around(data: Readings, form: Shape, at: Mode) -> Around:
    """The linear part at a mode and beside it."""
    moving = np.flatnonzero(np.diag(at.covariance))
    steps = np.maximum(0.5 * np.sqrt(np.diag(at.covariance)[moving]), 1e-3)
    there = []
    for i, step in zip(moving, steps, strict=True):
        log_theta = at.log_theta.copy()
        log_theta[i] += step
        there.append(linear(data, form, log_theta))
    return Around(at, linear(data, form, at.log_theta), moving, steps, tuple(there))
