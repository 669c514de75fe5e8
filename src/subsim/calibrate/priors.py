"""Priors as readable objects: from the catalogue, from a file, or from two quantiles that a person believes in.

>>> print(elicit(-0.2, 0.8, 0.9, "normal", source="head of customer success", grade="D"))
normal(mean 0.3, sd 0.304)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
        return self.family == "fixed"

    def distribution(self) -> Any:
        """The frozen SciPy distribution, before the range; not for fixed ones."""
        if self.family == "normal":
            return stats.norm(self.centre, self.spread)
        if self.family == "lognormal":
            return stats.lognorm(self.spread, scale=self.centre)
        if self.family == "beta":
            return stats.beta(self.centre * self.spread, (1 - self.centre) * self.spread)
        return stats.gamma(self.spread, scale=self.centre / self.spread)

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


def prior(key: Key, family: str, centre: float, spread: float = 0.0, *, source: str, grade: str) -> Prior:
    """A prior of one's own for a number of the catalogue.

    Raises:
        InputError: no such family or grade, no source, a spread that is not positive, a centre outside the range.
    """
    return checked(key, Prior(_family(family), centre, spread, source=source, grade=grade), where=_label(key))


def elicit(lower: float, upper: float, mass: float, family: str, *, source: str, grade: str) -> Prior:
    """The prior of a family that puts `mass` between two values and half of the rest on either side.

    Raises:
        InputError: lower is not below upper, mass is not between 0 and 1, or the family cannot hold both values.
    """
    kind = _family(family, "elicited prior")
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


def checked(key: Key, own: Prior, *, where: str) -> Prior:
    """A prior that fits its parameter, with the catalogue's range; raises InputError where it contradicts it."""
    row = parameter(key[0], where)
    if row.label not in ("calibrated", "assumed"):
        raise _wrong(where, f"{row.name} is a {row.label}", "a parameter that is calibrated or assumed")
    if own.grade not in GRADES or not own.source.strip():
        raise _wrong(where, f"source {own.source!r}, grade {own.grade!r}", f"a source, and a grade {', '.join(GRADES)}")
    if not np.isfinite(own.centre) or not np.isfinite(own.spread) or (own.spread <= 0) != own.fixed:
        raise _wrong(where, str(own), f"finite numbers; {' and '.join(NUMBERS[own.family])}, the spread above 0")
    if own.family in ("lognormal", "gamma") and own.centre <= 0:
        raise _wrong(where, str(own), f"a {own.family} prior around a number above 0")
    if own.family == "beta" and not 0 < own.centre < 1:
        raise _wrong(where, str(own), "a beta prior around a share between 0 and 1")
    ranged = replace(own, low=row.low, high=row.high)
    outside = 0.0 if own.fixed else float(own.distribution().cdf(row.low) + own.distribution().sf(row.high))
    if not row.low <= own.centre <= row.high or outside > 0.5:
        raise _wrong(where, str(own), f"values within {row.low:g} to {row.high:g} {row.unit}, the range of {row.name}")
    return ranged


def override(priors: Priors, changes: Mapping[Key, Prior]) -> dict[Key, Prior]:
    """Priors with some replaced; a key without names stands for every cell of its parameter.

    Raises:
        InputError: a parameter or a name that the calibration does not have, or a prior that contradicts its range.
    """
    result = dict(priors)
    for key, own in changes.items():
        found = [known for known in priors if known[0] == key[0] and (not key[1] or known[1] == key[1])]
        if not found:
            parameter(key[0], "prior")
            names = sorted({name for known in priors if known[0] == key[0] for name in known[1]})
            raise _wrong(
                _label(key), ", ".join(key[1]) or key[0], ", ".join(names) or "a calibrated or assumed parameter"
            )
        result |= {known: checked(known, own, where=_label(known)) for known in found}
    return result


def prior_draws(key: Key, own: Prior, *, chains: int, draws: int, seed: int) -> Floats:
    """(chains, draws) keyed draws of a prior; stratified over the draws, so that few of them show it well."""
    entity = name_entity("calibrate/prior/" + "|".join((key[0], *key[1])))
    count = chains * draws
    u = uniform_array(seed, np.arange(count), Purpose.PARAMETER, entity, 0)
    order = np.argsort(uniform_array(seed, np.arange(count), Purpose.PARAMETER, entity, 1), kind="stable")
    return own.quantile((order + u) / count).reshape(chains, draws)


def _family(name: str, where: str = "prior") -> Family:
    known: Iterable[Family] = get_args(Family)
    for family in known:
        if family == name:
            return family
    raise _wrong(where, f"family {name!r}", ", ".join(get_args(Family)))


def _label(key: Key) -> str:
    return f"{key[0]} of {', '.join(key[1])}" if key[1] else key[0]


def _wrong(where: str, found: str, allowed: str) -> InputError:
    return InputError(where=where, found=found, allowed=allowed)
