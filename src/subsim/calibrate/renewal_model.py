"""The likelihood of renewal paths: the simulator's rule with everything hidden integrated out.

A renewal is kept with chance exp(-v h_k), `h_k = exp(eta) (k^c - (k-1)^c)` (subsim.model.rules.renewal). Hidden are

- v, gamma or Beta mixing: integrated in closed form, S(x) of all hazard so far;
- what persists of engagement and fit, given the scores: one normal, by quadrature over NODES;
- what moves from month to month: its lognormal factor on a hazard has mean exp(s^2 / 2) and a variance V, and a hazard
  so spread acts like log(1 + V h) / V (exact were it gamma); a mean over n decisions has V / n;
- losses out of anybody's control: exp(-u years) a term.

An account's hazard has three parts, the first axis of many arrays: decisions before the first one seen (ENTRY), all
before the last one (PAST), and the last one (LAST).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

NODES = 7
ENTRY, PAST, LAST = range(3)
#: Numbers with one value for the company: in this order in the vector `w`.
COMPANY = (
    "renewal.engagement",
    "renewal.fit",
    "renewal.not_onboarded",
    "renewal.no_sponsor",
    "renewal.prep_missed",
    "renewal.price",
    "renewal.monthly_effect",
    "renewal.multi_year_effect",
    "renewal.contraction_engagement",
    "engagement.fit_effect",
)
ENGAGEMENT, OF_FIT, ONB, SPONSOR, PREP, PRICE, MONTHLY, MULTI, CONTRACTION, PHI = range(len(COMPANY))
#: Numbers by segment.
BY_SEGMENT = ("renewal.base", "renewal.drift", "renewal.uncontrollable", "renewal.contraction")
BASE, DRIFT, UNCONTROLLED, ODDS = range(len(BY_SEGMENT))
GAMMA, BETA = ("renewal.frailty",), ("renewal.beta_alpha", "renewal.beta_beta")

_SHIFT, _WEIGHT = np.polynomial.hermite_e.hermegauss(NODES)
_WEIGHT = _WEIGHT / _WEIGHT.sum()


def stacked(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Cells as the likelihood takes them: [3, cells] for ENTRY, PAST and LAST; logarithms of numbers of decisions."""
    past = {name: cells[f"past_{name}"] for name in ("e", "v", "onb", "sp", "prep")}
    d: dict[str, Any] = {name: np.array([past[name], past[name], cells[name]]) for name in past}
    zero = np.zeros_like(cells["k"])
    until = np.array([cells["entry"], cells["k"] - 1, cells["k"]])
    since = np.array([zero, zero, cells["k"] - 1])
    d |= {"until": np.log(np.maximum(until, 1e-9)), "since": np.log(np.maximum(since, 1e-9))}
    d |= {"one_of": 1 / np.maximum(until - since, 1.0), "older": bool(np.any(cells["entry"] > 0))}
    spared = (cells["k"] - 1 - cells["entry"]) * cells["years"]
    flags = ("lost", "uncontrolled", "controlled", "alive")
    names = ("n", "segment", "years", "monthly", "multi", "price", "u", "uv", "spread", *flags)
    contracted = ("c_segment", "c_e", "c_v", "c_n", "c_y")
    return d | {"spared": spared} | {name: cells[name] for name in (*names, *contracted)}


def log_likelihood(xp: Any, d: Mapping[str, Any], w: Any, x: Any, mix: Any) -> Any:
    """Log likelihood of one account of each cell: [..., cells].

    Args:
        xp: NumPy, or PyTensor's tensor module.
        d: what `stacked` gives, and `fit_mean` by segment.
        w: [..., COMPANY], w[..., i] with one number for each of COMPANY.
        x: BY_SEGMENT arrays [..., segments].
        mix: frailty [..., segments], or alpha and beta of the Beta mixing, whose level is in them and not in the base.
    """
    own = d["segment"]
    beta_mixing = len(mix) > 1
    effect = [w[..., i, None] for i in range(len(COMPANY))]
    # What of an account's persistent level u is fit: f = ratio u + rest.
    ratio = (effect[PHI] / xp.maximum(d["spread"], effect[PHI] ** 2))[..., own]
    of_rest = effect[OF_FIT] ** 2 * xp.maximum(1 - ratio * effect[PHI], 0.0)
    slope = xp.sqrt((effect[ENGAGEMENT] + effect[OF_FIT] * ratio) ** 2 * d["uv"] + of_rest + 1e-12)
    level = d["monthly"] * effect[MONTHLY] + d["multi"] * effect[MULTI] + d["price"] * effect[PRICE]
    level = level - effect[OF_FIT] * (d["fit_mean"][own] + ratio * d["u"])
    if not beta_mixing:
        level = level + x[BASE][..., own]
    drift = x[DRIFT][..., own]

    def hazard(part: int) -> Any:
        """Of one part: [..., cells, nodes]."""
        hurdles = (1 + d["onb"][part] * xp.expm1(effect[ONB])) * (1 + d["sp"][part] * xp.expm1(effect[SPONSOR]))
        hurdles = hurdles * (1 + d["prep"][part] * xp.expm1(effect[PREP]))
        number = xp.exp(drift * d["until"][part]) - xp.exp(drift * d["since"][part])
        moved = effect[ENGAGEMENT] ** 2 * d["v"][part]
        mean = hurdles * number * xp.exp(level - effect[ENGAGEMENT] * d["e"][part] + 0.5 * moved)
        variance = (xp.expm1(moved) * d["one_of"][part] + 1e-9)[..., None]
        return xp.log1p(variance * mean[..., None] * away) / variance

    away = xp.exp(slope[..., None] * _SHIFT)
    risks = [part[..., own][..., None] for part in mix]

    def survival(h: Any) -> Any:
        share = _beta(xp, h, *risks) if beta_mixing else -xp.log1p(risks[0] * h) / risks[0]
        return (xp.exp(share) * _WEIGHT).sum(-1)

    past = hazard(PAST)
    before, after = survival(past), survival(past + hazard(LAST))
    entered = survival(hazard(ENTRY)) if d["older"] else 1.0
    uncontrolled = x[UNCONTROLLED][..., own]
    spared = xp.exp(-uncontrolled * d["years"])
    first = d["lost"] + d["uncontrolled"] * (1 - spared) + d["controlled"] * spared
    second = (d["alive"] - d["lost"] - d["controlled"]) * spared
    chance = xp.maximum(first * before + second * after, 1e-300)
    return xp.log(chance / entered) - uncontrolled * d["spared"]


def _beta(xp: Any, h: Any, a: Any, b: Any) -> Any:
    log_gamma = special.gammaln if xp is np else xp.gammaln
    return log_gamma(b + h) - log_gamma(a + b + h) - log_gamma(b) + log_gamma(a + b)


def contractions(xp: Any, d: Mapping[str, Any], w: Any, x: Any, seen: float) -> Any:
    """Log likelihood of contractions at renewals: [..., cells]; engagement is integrated out by the probit rule.

    `seen` is the share of contractions that are large enough to be told from a concession.
    """
    effect = w[..., CONTRACTION, None]
    odds = x[ODDS][..., d["c_segment"]] - effect * d["c_e"]
    odds = odds / xp.sqrt(1 + np.pi / 8 * effect**2 * d["c_v"])
    chance = seen / (1 + xp.exp(-odds))
    return d["c_y"] * xp.log(chance) + (d["c_n"] - d["c_y"]) * xp.log1p(-chance)
