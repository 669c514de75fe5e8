"""Priors as readable objects: from the catalogue, from a file, or from two quantiles that a person believes in.

>>> print(elicit(-0.2, 0.8, 0.9, "normal", source="head of customer success", grade="D"))
normal(mean 0.3, sd 0.304)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from subsim.errors import InputError
from subsim.model.catalogue import Parameter, parameter, parameters
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
Key = tuple[str, tuple[str, ...]]
"""Catalogue name and the names of its cell: ("renewal.base", ("smb",)), ("renewal.engagement", ())."""
Family = Literal["fixed", "normal", "lognormal", "beta", "gamma"]
GRADES = ("A", "B", "C", "D")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

#: What each family calls its centre and its spread.
NUMBERS: dict[str, tuple[str, ...]] = {
    "fixed": ("value",),
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sd"),
    "beta": ("mean", "size"),
    "gamma": ("mean", "shape"),
}


@dataclass(frozen=True)
class Prior:
    """What is believed about one number before the book speaks.

    normal(mean, sd); lognormal(median, sd of the logarithm); beta(mean, size = a + b); gamma(mean, shape);
    fixed(value) has no spread. What lies outside `low` to `high`, the catalogue's range, is moved to its edge.
    """

    family: Family
    centre: float
    spread: float = 0.0
    low: float = -np.inf
    high: float = np.inf
    source: str = ""
    grade: str = "D"

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to learn."""
        return self.family == "fixed" or self.spread == 0

    def distribution(self) -> Any:
        """The frozen SciPy distribution, before the range; not for fixed ones."""
        return _distribution(self.family, self.centre, self.spread)

    def quantile(self, u: Floats | float) -> Floats:
        """Value below which the share u of the prior lies, held within the range."""
        raw = np.full_like(u, self.centre, float) if self.fixed else self.distribution().ppf(u)
        return np.clip(np.asarray(raw, float), self.low, self.high)

    def log_density(self, value: Floats) -> Floats:
        """Logarithm of the density, 0 for fixed ones."""
        return np.zeros_like(value) if self.fixed else np.asarray(self.distribution().logpdf(value))

    @property
    def sd(self) -> float:
        """Standard deviation on the natural scale."""
        return 0.0 if self.fixed else float(self.distribution().std())

    def __str__(self) -> str:
        numbers = zip(NUMBERS[self.family], (self.centre, self.spread), strict=False)
        return f"{self.family}({', '.join(f'{name} {value:.3g}' for name, value in numbers)})"


@cache  # SciPy takes milliseconds to make one
def _distribution(family: Family, centre: float, spread: float) -> Any:
    if family == "normal":
        return stats.norm(centre, spread)
    if family == "lognormal":
        return stats.lognorm(spread, scale=centre)
    if family == "beta":
        return stats.beta(centre * spread, (1 - centre) * spread)
    return stats.gamma(spread, scale=centre / spread)


Priors = Mapping[Key, Prior]


class Names(Protocol):
    """Names of segments, tiers, work types and teams."""

    def of(self, dimension: str) -> tuple[str, ...]:
        """Names of a dimension."""
        ...


def keys_of(row: Parameter, names: Names) -> list[Key]:
    """The cells of a parameter: one for each name of its dimension, one in all for a company-wide number."""
    if not row.by:
        return [(row.name, ())]
    if len(row.by) > 1:  # tables of decisions, never calibrated
        return []
    return [(row.name, (name,)) for name in names.of(row.by[0])]


def catalogue_prior(key: Key) -> Prior:
    """The catalogue's prior of one number."""
    row = parameter(key[0])
    centre, own = row.value_for(*key[1]), row.prior
    spread = {
        "fixed": 0.0,
        "normal": own.sd + own.sd_share * abs(centre),
        "lognormal": own.sd,
        "beta": own.a + own.b,
        "gamma": own.shape,
    }[own.family]
    return Prior(own.family, centre, spread, row.low, row.high, row.source, row.grade)


def catalogue_priors(names: Names) -> dict[Key, Prior]:
    """Priors of every number that has a prior or may be calibrated."""
    rows = [row for row in parameters().values() if row.label in ("calibrated", "assumed")]
    return {key: catalogue_prior(key) for row in rows for key in keys_of(row, names)}


def elicit(lower: float, upper: float, mass: float, family: str, *, source: str, grade: str) -> Prior:
    """The prior of a family that puts `mass` between two values and half of the rest on either side.

    Raises:
        InputError: lower is not below upper, mass is not between 0 and 1, or the family cannot hold both values.
    """
    kind = family_of(family, "elicited prior")
    if not (np.isfinite(lower) and np.isfinite(upper) and lower < upper):
        raise _wrong("elicited prior", f"lower {lower:g}, upper {upper:g}", "lower below upper")
    if not 0.0 < mass < 1.0:
        raise _wrong("elicited prior", f"mass {mass:g}", "a share between 0 and 1, such as 0.9")
    if kind in ("lognormal", "gamma") and lower <= 0:
        raise _wrong("elicited prior", f"lower {lower:g}", f"positive numbers for a {kind} prior")
    if kind == "beta" and not 0 < lower < upper < 1:
        raise _wrong("elicited prior", f"{lower:g} to {upper:g}", "shares between 0 and 1 for a beta prior")
    centre, spread = _solved(kind, lower, upper, mass)
    return Prior(kind, centre, spread, source=source, grade=grade)


def _solved(family: Family, lower: float, upper: float, mass: float) -> tuple[float, float]:
    z = float(special.ndtri(0.5 + mass / 2))
    if family == "normal":
        return (lower + upper) / 2, (upper - lower) / (2 * z)
    if family == "lognormal":
        return float(np.sqrt(lower * upper)), float(np.log(upper / lower) / (2 * z))
    tails = np.array([(1 - mass) / 2, (1 + mass) / 2])
    if family == "gamma":  # the ratio of two quantiles depends on the shape alone

        def ratio(log_shape: float) -> float:
            low, high = special.gammaincinv(np.exp(log_shape), tails)
            return float(np.log(high / low) - np.log(upper / lower))

        shape = float(np.exp(optimize.brentq(ratio, np.log(0.05), np.log(1e7))))
        return lower * shape / float(special.gammaincinv(shape, tails[0])), shape
    wanted = special.logit(np.array([lower, upper]))

    def miss(x: Floats) -> Floats:
        mean, size = special.expit(x[0]), np.exp(x[1])
        found = special.betaincinv(mean * size, (1 - mean) * size, tails)
        return np.asarray(special.logit(np.clip(found, 1e-12, 1 - 1e-12)) - wanted)

    spread = (upper - lower) / (2 * z)
    middle = (lower + upper) / 2
    guess = np.array([special.logit(middle), np.log(max(middle * (1 - middle) / spread**2 - 1, 0.5))])
    answer = optimize.root(miss, guess)
    if not answer.success:
        raise _wrong(
            "elicited prior", f"{lower:g} to {upper:g} with mass {mass:g}", "two quantiles that a beta can have"
        )
    return float(special.expit(answer.x[0])), float(np.exp(answer.x[1]))


def prior_draws(key: Key, own: Prior, *, chains: int, draws: int, seed: int) -> Floats:
    """(chains, draws) keyed draws of a prior; stratified over the draws, so that few of them show it well."""
    entity = name_entity("calibrate/prior/" + "|".join((key[0], *key[1])))
    count = chains * draws
    u = uniform_array(seed, np.arange(count), Purpose.PARAMETER, entity, 0)
    order = np.argsort(uniform_array(seed, np.arange(count), Purpose.PARAMETER, entity, 1), kind="stable")
    return own.quantile((order + u) / count).reshape(chains, draws)


def family_of(name: object, where: str = "prior") -> Family:
    """The family of that name; raises InputError."""
    known: Iterable[Family] = get_args(Family)
    for family in known:
        if family == name:
            return family
    raise _wrong(where, f"family {name!r}", ", ".join(get_args(Family)))


def label_of(key: Key) -> str:
    """A number as a person names it: `renewal.base of smb`."""
    return f"{key[0]} of {', '.join(key[1])}" if key[1] else key[0]


def _wrong(where: str, found: str, allowed: str) -> InputError:
    return InputError(where=where, found=found, allowed=allowed)
