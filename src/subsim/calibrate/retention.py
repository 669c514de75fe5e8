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
from scipy import special

from subsim.calibrate import importance
from subsim.calibrate.fit import load
from subsim.calibrate.priors import Prior
from subsim.errors import InputError

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

LOWEST, HIGHEST = -12.0, 9.0  # logarithms of parameters that maximum likelihood looks at
LARGE = 20.0  # largest logarithm of a number of renewals to the power of the drift; beyond it nothing is told apart
PROPOSALS = 20_000


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
        InputError: an unknown form, or a table with no customer in it.
    """
    if form not in FORMS:
        raise InputError(where="retention form", found=repr(form), allowed=", ".join(FORMS))
    if table.count.sum() + table.total.sum() <= 0:
        raise InputError(where="cohort table", found="no customers", allowed="at least one cohort with customers")
    names = FORMS[form]
    own = [(WEAK_PRIORS | dict(priors or {}))[name] for name in names]

    def likelihood(values: Floats) -> Floats:
        return np.asarray(log_likelihood(table, form, {name: values[..., [i]] for i, name in enumerate(names)}))

    found = importance.sample(
        lambda z: likelihood(importance.priors_to_values(own, z)),
        len(names),
        draws=draws,
        proposals=PROPOSALS,
        seed=seed,
        name=f"retention/{form}",
        enough=draws,
    )
    mode = importance.priors_to_values(own, found.mode)
    best = np.exp(importance.highest(lambda x: likelihood(np.exp(x)), np.log(mode), LOWEST, HIGHEST))
    values = importance.priors_to_values(own, found.z)
    by_name = {name: values[:, i] for i, name in enumerate(names)}
    at_mode, at_best = (dict(zip(names, point.tolist(), strict=True)) for point in (mode, best))
    return Retention(form, by_name, at_mode, at_best, found.effective)


def retention_model(table: CohortTable, form: Form = "gamma", priors: Mapping[str, Prior] | None = None) -> Any:
    """The same posterior as a PyMC model, for NUTS: the slower way, which checks the quick one."""
    pm, pt = load("pymc"), load("pytensor.tensor")
    own = {name: (WEAK_PRIORS | dict(priors or {}))[name] for name in FORMS[form]}
    with pm.Model() as model:
        values = {}
        for name, prior in own.items():
            if prior.family == "lognormal":
                values[name] = pm.LogNormal(name, np.log(prior.centre), prior.spread)
            else:
                values[name] = pm.Gamma(name, prior.spread, prior.spread / prior.centre)
        pm.Potential("table", log_likelihood(table, form, values, pt))
    return model
