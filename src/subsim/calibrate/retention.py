"""Retention curves of cohorts: how many of those who came are still there after so many renewals.

Four forms of survival after `t` renewals, all of which end in a curve for new and for surviving customers:

    gamma      S = (1 + frailty base t^drift)^(-1/frailty)          gamma risk with Weibull drift: the default
    beta       S = B(alpha, beta + t^drift) / B(alpha, beta)         beta-discrete-Weibull (Fader et al. 2018)
    sbg        the same with drift 1                                 shifted beta-geometric (Fader and Hardie 2007)
    geometric  S = exp(-base t)                                      everybody alike, no drift

Retention that rises with tenure is mostly selection (`frailty`: customers differ), partly drift. Few points never
decide between the two; the draws keep both, so the band is as wide as that leaves it.

>>> table = cohort_table([[1000, 869, 743, 653, 593]])
>>> curve = fit_retention(table, draws=500)
>>> 0.3 < float(np.median(curve.survival([12]))) < 0.45
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from subsim.calibrate.fit import load
from subsim.calibrate.priors import Prior
from subsim.errors import InputError
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
Form = Literal["gamma", "beta", "sbg", "geometric"]

#: Parameters of each form, all positive.
FORMS: dict[Form, tuple[str, ...]] = {
    "gamma": ("base", "frailty", "drift"),
    "beta": ("alpha", "beta", "drift"),
    "sbg": ("alpha", "beta"),
    "geometric": ("base",),
}

_WEAK = "weak: allows every published cohort, Fader and Hardie 2007 and 2018"
WEAK_PRIORS: dict[str, Prior] = {
    "base": Prior("lognormal", 0.15, 1.5, source=_WEAK),
    "frailty": Prior("gamma", 5.0, 1.0, source=_WEAK + "; densest at 0, so that customers may be alike"),
    "drift": Prior("lognormal", 1.0, 0.5, source=_WEAK),
    "alpha": Prior("lognormal", 1.0, 1.5, source=_WEAK),
    "beta": Prior("lognormal", 3.0, 1.5, source=_WEAK),
}

LOWEST, HIGHEST = -12.0, 9.0  # logarithms of parameters that are looked at
LARGE = 50.0  # largest logarithm of a number of renewals to the power of the drift
PROPOSALS = 20_000
PRIOR_SHARE = 0.2  # of proposals drawn from the prior, so that no tail is forgotten
TAIL_DEGREES = 5.0  # of the t distribution of proposals
ROUNDS, ENOUGH = 5, 2_000  # moves of the t at most; effective draws at which it stays


@dataclass(frozen=True)
class CohortTable:
    """Counts of customers by age, age in renewals survived.

    `count[i]` customers were there at age `entered[i]`, last seen at age `since[i]`, gone at age `until[i]` (infinite:
    nobody looked again). `total[j]` customers are the sum over the rows with `part == j` of cohorts of which
    `anchor_size` were there at age `anchor_age`, now of age `part_age`.
    """

    entered: Floats
    since: Floats
    until: Floats
    count: Floats
    total: Floats = field(default_factory=lambda: np.zeros(0))
    part: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    anchor_age: Floats = field(default_factory=lambda: np.zeros(0))
    anchor_size: Floats = field(default_factory=lambda: np.zeros(0))
    part_age: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def lost(self) -> float:
        """Customers seen to leave."""
        return float(self.count[np.isfinite(self.until)].sum())


def cohort_table(counts: Sequence[Sequence[float]], ages: Sequence[Sequence[float]] | None = None) -> CohortTable:
    """The table of some cohorts that were counted at the same customers again and again.

    Args:
        counts: for each cohort how many were there, count after count, never rising.
        ages: for each cohort the ages at which it was counted; 0, 1, 2, ... if left out. A cohort first counted at an
            age above 0 tells of its later losses only.

    Raises:
        InputError: counts that rise or are negative, ages that do not rise.
    """
    rows: list[tuple[float, float, float, float]] = []
    for number, seen in enumerate(counts, start=1):
        there = np.asarray(seen, float)
        age = np.asarray(ages[number - 1] if ages is not None else range(len(there)), float)
        where = f"cohort {number}"
        if len(there) == 0 or len(age) != len(there) or np.any(np.diff(age) <= 0) or age[0] < 0:
            raise InputError(where=where, found=f"ages {age.tolist()}", allowed="one rising age from 0 for each count")
        if not np.all(np.isfinite(there)) or np.any(np.diff(there) > 0) or there[-1] < 0:
            raise InputError(
                where=where, found=f"counts {there.tolist()}", allowed="numbers of customers that never rise"
            )
        rows += zip(np.full(len(age) - 1, age[0]), age[:-1], age[1:], -np.diff(there), strict=True)
        rows.append((age[0], age[-1], np.inf, there[-1]))
    return CohortTable(*np.array(rows, float).reshape(-1, 4).T)


def add_totals(
    table: CohortTable, totals: ArrayLike, anchors: Sequence[Sequence[tuple[float, float, float]]]
) -> CohortTable:
    """A table with totals over cohorts besides: for each total its cohorts as (size, age when of that size, age now).

    Totals are compared with normal errors of the size that sampling gives, taken as independent.
    """
    flat = [(j, *cohort) for j, cohorts in enumerate(anchors) for cohort in cohorts]
    part, size, then, now = np.array(flat, float).reshape(-1, 4).T
    return CohortTable(
        table.entered, table.since, table.until, table.count,
        np.asarray(totals, float), part.astype(np.int64), then, size, now,
    )  # fmt: skip


EMPTY = CohortTable(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))


def log_survival(form: Form, values: Mapping[str, Any], age: Any, xp: Any = np) -> Any:
    """Logarithm of S(age); `xp` is NumPy or PyTensor's tensor module, values broadcast against age."""
    if form == "geometric":
        return -values["base"] * age
    drift = values.get("drift", 1.0)
    power = xp.where(age > 0, xp.exp(xp.minimum(drift * xp.log(xp.maximum(age, 1e-300)), LARGE)), 0.0)
    if form == "gamma":
        theta, exposure = values["frailty"], values["base"] * power
        x = theta * exposure
        # log(1 + x) / theta, by its series where frailty vanishes
        return xp.where(x < 1e-6, -exposure * (1 - x / 2), -xp.log1p(x) / xp.maximum(theta, 1e-12))
    gammaln = special.gammaln if xp is np else xp.gammaln
    a, b = values["alpha"], values["beta"]
    return gammaln(b + power) - gammaln(a + b + power) - gammaln(b) + gammaln(a + b)


def log_likelihood(table: CohortTable, form: Form, values: Mapping[str, Any], xp: Any = np) -> Any:
    """Log likelihood of a table; parameters of shape (..., 1) give one number for each."""
    finite = np.where(np.isfinite(table.until), table.until, table.since)
    gone = np.isfinite(table.until)
    since, until, entered = (log_survival(form, values, age, xp) for age in (table.since, finite, table.entered))
    # log(S(since) - S(until)) without cancelling
    fell = xp.where(gone, xp.log(xp.maximum(-xp.expm1(xp.minimum(until - since, 0.0)), 1e-300)), 0.0)
    result = (table.count * (since + fell - entered)).sum(-1)
    if len(table.total):
        log_kept = log_survival(form, values, table.part_age, xp) - log_survival(form, values, table.anchor_age, xp)
        kept = xp.exp(xp.minimum(log_kept, 30.0))
        sums = (table.part[:, None] == np.arange(len(table.total))).astype(float)
        mean = xp.dot(table.anchor_size * kept, sums)
        # Binomial forwards in time, negative binomial backwards; 1 for rounding.
        variance = xp.dot(table.anchor_size * kept * xp.abs(1 - kept), sums) + 1.0
        result = result - 0.5 * ((table.total - mean) ** 2 / variance + xp.log(variance)).sum(-1)
    return result


@dataclass(frozen=True)
class Retention:
    """A fitted retention curve: draws of its parameters, their joint mode, and the point of maximum likelihood."""

    form: Form
    draws: Mapping[str, Floats]
    mode: Mapping[str, float]
    maximum: Mapping[str, float]
    effective: float
    """Effective number of independent draws."""

    def survival(self, ages: ArrayLike, entered: float = 0.0) -> Floats:
        """Share still there at each age, of those there at `entered`: (draws, ages)."""
        columns = {name: values[:, None] for name, values in self.draws.items()}
        start = log_survival(self.form, columns, np.array([entered]))
        return np.asarray(np.exp(log_survival(self.form, columns, np.asarray(ages, float)) - start))

    def most_likely(self, ages: ArrayLike) -> Floats:
        """S(age) at maximum likelihood."""
        return np.asarray(np.exp(log_survival(self.form, self.maximum, np.asarray(ages, float))))

    def band(self, ages: ArrayLike, mass: float = 0.9, entered: float = 0.0) -> pd.DataFrame:
        """age, low, median, high of the share still there, the band holding `mass`."""
        tails = [(1 - mass) / 2, 0.5, (1 + mass) / 2]
        low, median, high = np.quantile(self.survival(ages, entered), tails, axis=0)
        return pd.DataFrame({"age": np.asarray(ages, float), "low": low, "median": median, "high": high})


def fit_retention(
    table: CohortTable,
    form: Form = "gamma",
    priors: Mapping[str, Prior] | None = None,
    *,
    draws: int = 2000,
    seed: int = 1,
) -> Retention:
    """Fit a retention curve: maximum likelihood, and draws from the posterior under weak priors.

    The draws are importance draws around the mode: with three parameters at most nothing has to be compiled, and their
    effective number says how far to trust them. `retention_model` gives the same posterior to PyMC.

    Raises:
        InputError: an unknown form, a prior that is neither lognormal nor gamma, or a table with no customer in it.
    """
    if form not in FORMS:
        raise InputError(where="retention form", found=repr(form), allowed=", ".join(FORMS))
    if table.count.sum() + table.total.sum() <= 0:
        raise InputError(where="cohort table", found="no customers", allowed="at least one cohort with customers")
    names = FORMS[form]
    own = _own_priors(form, priors)

    def likelihood(x: Floats) -> Floats:
        values = {name: np.exp(x[..., [i]]) for i, name in enumerate(names)}
        return np.asarray(log_likelihood(table, form, values))

    def posterior(x: Floats) -> Floats:
        return likelihood(x) + _log_prior(own, x)

    start = np.log([own[name].centre for name in names])
    mode = _highest(posterior, start)
    best = _highest(likelihood, mode)
    x, effective = _importance(posterior, own, mode, draws, seed, f"calibrate/retention/{form}")
    values = {name: np.exp(x[:, i]) for i, name in enumerate(names)}
    points = (dict(zip(names, np.exp(point).tolist(), strict=True)) for point in (mode, best))
    return Retention(form, values, *points, effective)


def _own_priors(form: Form, priors: Mapping[str, Prior] | None) -> dict[str, Prior]:
    own = {name: (WEAK_PRIORS | dict(priors or {}))[name] for name in FORMS[form]}
    for name, prior in own.items():
        if prior.family not in ("lognormal", "gamma"):
            raise InputError(where=f"prior of {name}", found=str(prior), allowed="a lognormal or a gamma prior")
    return own


def _log_prior(own: Mapping[str, Prior], x: Floats) -> Floats:
    """Log density of the logarithms of the parameters."""
    result = np.zeros(x.shape[:-1])
    for i, prior in enumerate(own.values()):
        if prior.family == "lognormal":
            z = (x[..., i] - np.log(prior.centre)) / prior.spread
            result += -0.5 * z**2 - np.log(prior.spread * np.sqrt(2 * np.pi))
        else:
            shape, rate = prior.spread, prior.spread / prior.centre
            result += shape * (x[..., i] + np.log(rate)) - rate * np.exp(x[..., i]) - special.gammaln(shape)
    return result


def _highest(function: Any, start: Floats) -> Floats:
    """Where a function of logarithms is highest: simplex search, begun again where it stopped."""
    x = start
    for _ in range(2):
        found = optimize.minimize(
            lambda x: -float(function(np.clip(x, LOWEST, HIGHEST))),
            x,
            method="Nelder-Mead",
            options={"maxiter": 2000, "xatol": 1e-6, "fatol": 1e-8},
        )
        x = np.clip(found.x, LOWEST, HIGHEST)
    return np.asarray(x, float)


def _importance(
    function: Any, own: Mapping[str, Prior], mode: Floats, draws: int, seed: int, name: str
) -> tuple[Floats, float]:
    """Draws of a density by resampling from a t mixed with the prior, and their effective number.

    The t begins at the mode; while too few draws are effective it moves to the mean and spread found so far.
    """
    size = len(mode)
    entity = name_entity(name)
    u = uniform_array(seed, np.arange(PROPOSALS)[:, None], Purpose.PARAMETER, entity, np.arange(size + 2)[None])
    chi = 2 * special.gammaincinv(TAIL_DEGREES / 2, u[:, size]) / TAIL_DEGREES
    steps = special.ndtri(u[:, :size]) / np.sqrt(chi)[:, None]
    far = np.log(np.column_stack([prior.quantile(u[:, i]) for i, prior in enumerate(own.values())]))
    from_prior = (u[:, size + 1] < PRIOR_SHARE)[:, None]
    centre, covariance = mode, _spread(function, mode)
    x, weight, effective = mode[None], np.ones(1), 0.0
    for _ in range(ROUNDS):
        root = np.linalg.cholesky(covariance)
        x = np.clip(np.where(from_prior, far, centre + steps @ root.T), -30.0, HIGHEST)
        proposed = np.logaddexp(
            _log_t(x, centre, root) + np.log1p(-PRIOR_SHARE), _log_prior(own, x) + np.log(PRIOR_SHARE)
        )
        log_weight = function(x) - proposed
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        effective = 1.0 / float((weight**2).sum())
        if effective > ENOUGH:
            break
        centre = weight @ x
        covariance = 1.5 * ((x - centre).T * weight) @ (x - centre) + 1e-9 * np.eye(size)
    # One uniform places all draws, evenly over the weights; a keyed shuffle makes their order mean nothing.
    points = (np.arange(draws) + uniform_array(seed, 0, Purpose.PARAMETER, entity, size + 2)) / draws
    chosen = np.searchsorted(np.cumsum(weight), points).clip(max=PROPOSALS - 1)
    order = np.argsort(uniform_array(seed, np.arange(draws), Purpose.PARAMETER, entity, size + 3), kind="stable")
    return x[chosen[order]], min(float(draws), effective)


def _log_t(x: Floats, centre: Floats, root: Floats) -> Floats:
    """Log density of the multivariate t with `root` the Cholesky factor of its scale."""
    size = len(centre)
    scaled = np.linalg.solve(root, (x - centre).T)
    scale = special.gammaln((TAIL_DEGREES + size) / 2) - special.gammaln(TAIL_DEGREES / 2)
    scale -= size / 2 * np.log(TAIL_DEGREES * np.pi) + np.log(np.diag(root)).sum()
    return np.asarray(scale - (TAIL_DEGREES + size) / 2 * np.log1p((scaled**2).sum(0) / TAIL_DEGREES))


def _spread(function: Any, mode: Floats) -> Floats:
    """Covariance at the mode from second differences; wide where the density is flat."""
    step = 0.02
    size = len(mode)
    unit = np.eye(size) * step
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            corners = [mode + a * unit[i] + b * unit[j] for a in (1, -1) for b in (1, -1)]
            pp, pm, mp, mm = (float(function(corner)) for corner in corners)
            hessian[i, j] = -(pp - pm - mp + mm) / (4 * step**2)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return np.asarray((vectors / np.clip(values, 0.1, None)) @ vectors.T)


def retention_model(table: CohortTable, form: Form = "gamma", priors: Mapping[str, Prior] | None = None) -> Any:
    """The same posterior as a PyMC model, for NUTS: the slower way, which checks the quick one."""
    pm, pt = load("pymc"), load("pytensor.tensor")
    own = _own_priors(form, priors)
    with pm.Model() as model:
        values = {}
        for name, prior in own.items():
            if prior.family == "lognormal":
                values[name] = pm.LogNormal(name, np.log(prior.centre), prior.spread)
            else:
                values[name] = pm.Gamma(name, prior.spread, prior.spread / prior.centre)
        pm.Potential("table", log_likelihood(table, form, values, pt))
    return model
