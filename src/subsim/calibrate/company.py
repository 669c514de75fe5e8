"""What is believed about a company before its book is read.

The catalogue's priors say how sure one is of a typical company's numbers, for runs without a book. Companies differ
far more than that, so a calibration begins wider for what a book shows directly: same centre, other spread. And it
learns a few numbers that a run has no parameter for, because a scenario decides them: the flow of new business.
"""

from __future__ import annotations

from subsim.calibrate.priors import Family, Key, Names, Prior, catalogue_prior, catalogue_priors
from subsim.model import catalogue
from subsim.model.catalogue import Parameter

_WIDTH_SOURCE = "; width for a calibration: judgement of how far companies differ"
_OWN_SOURCE = "vague on purpose; the book decides"

#: Family and spread for numbers that a book shows, in place of the catalogue's.
WIDTHS: dict[str, tuple[Family, float]] = {
    "arrival.dispersion": ("lognormal", 0.8),
    "value.first_arr": ("lognormal", 1.5),
    "value.first_arr_sd": ("lognormal", 0.8),
    "onboarding.hours": ("lognormal", 0.7),
    "onboarding.customer_delay": ("lognormal", 0.7),
    "onboarding.customer_delay_sd": ("lognormal", 0.4),
    "engagement.rest": ("normal", 0.5),
    "engagement.opening_mean": ("normal", 1.0),
    "engagement.opening_sd": ("lognormal", 0.5),
    "renewal.base": ("normal", 0.8),
    # Densest at 0, so that accounts may be alike.
    "renewal.frailty": ("gamma", 1.0),
    "renewal.drift": ("lognormal", 0.2),
    "renewal.contraction": ("normal", 0.8),
    "renewal.uncontrollable": ("lognormal", 0.8),
    "renewal.reactivation": ("lognormal", 0.8),
    "expansion.rate": ("lognormal", 0.8),
    "expansion.share": ("lognormal", 0.5),
    "expansion.share_sd": ("lognormal", 0.3),
    "contraction.rate": ("lognormal", 1.0),
    "sponsor.leave_rate": ("lognormal", 0.8),
    "sponsor.returns": ("lognormal", 0.8),
    "work.hours": ("lognormal", 0.6),
    "seat.leave_rate": ("lognormal", 0.6),
}

#: Centre, family and spread where the catalogue's centre is zero or off.
CENTRES: dict[str, tuple[float, Family, float]] = {
    "ticket.rate": (0.5, "lognormal", 1.5),
}


def _flow(name: str, title: str, unit: str, by: tuple[str, ...], value: float, low: float, high: float) -> Parameter:
    none = catalogue.Prior("fixed")
    return Parameter(name, "", title, unit, by, value, low, high, none, _OWN_SOURCE, "D", "calibrated")


#: Numbers that are learned and that a run has no parameter for; the plan of new business is made of them.
FLOWS: dict[str, Parameter] = {
    "arrival.plan": _flow("arrival.plan", "New logos, at the book's end", "per month", ("segment",), 5.0, 0.0, 1e6),
    "arrival.trend": _flow("arrival.trend", "Growth of new logos in the past", "log ratio a year", (), 0.0, -5, 5),
    "arrival.season": _flow("arrival.season", "Season of new logos", "log ratio", ("month",), 0.0, -5, 5),
}
_FLOW_PRIORS: dict[str, tuple[Family, float]] = {
    "arrival.plan": ("lognormal", 2.0),
    "arrival.trend": ("normal", 0.3),
    "arrival.season": ("normal", 0.2),
}


def described(name: str, where: str = "parameter") -> Parameter:
    """The row that describes a number: of the catalogue, or of the flow of new business.

    Raises:
        InputError: there is no such number.
    """
    return FLOWS[name] if name in FLOWS else catalogue.parameter(name, where)


def company_prior(key: Key) -> Prior:
    """The prior with which a calibration of one number begins."""
    name = key[0]
    if name in FLOWS:
        row, (family, spread) = FLOWS[name], _FLOW_PRIORS[name]
        return Prior(family, row.value, spread, row.low, row.high, row.source, row.grade)
    own = catalogue_prior(key)
    if name in CENTRES:
        centre, family, spread = CENTRES[name]
        return Prior(family, centre, spread, own.low, own.high, _WIDTH_SOURCE.removeprefix("; "), "D")
    if name in WIDTHS:
        family, spread = WIDTHS[name]
        return Prior(family, own.centre, spread, own.low, own.high, own.source + _WIDTH_SOURCE, own.grade)
    return own


def company_priors(names: Names) -> dict[Key, Prior]:
    """Priors with which a calibration begins, for every number that has one."""
    flows = [(name, (own,)) for name in ("arrival.plan", "arrival.season") for own in names.of(FLOWS[name].by[0])]
    return {key: company_prior(key) for key in [*catalogue_priors(names), *flows, ("arrival.trend", ())]}
