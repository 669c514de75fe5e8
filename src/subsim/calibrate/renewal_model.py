"""The likelihood of renewal paths: the simulator's rule with everything hidden integrated out.

A renewal is kept with chance exp(-v h_k), `h_k = exp(eta) (k^c - (k-1)^c)` (subsim.model.rules.renewal). Hidden are

- v, gamma or Beta mixing: integrated in closed form, S(x) of all hazard so far;
- what persists of engagement and fit, given the scores: one normal, by quadrature over NODES;
- what moves from month to month: its lognormal factor on a hazard has mean exp(s^2 / 2) and a variance V, and a hazard
  so spread acts like log(1 + V h) / V (exact were it gamma); a mean over n decisions has V / n;
- losses out of anybody's control: exp(-u years) a term.

An account's hazard has three parts, stacked as the first axis of many arrays so that the graph, and with it the time to
compile it, stays small: decisions before the first one seen (ENTRY), all before the last one, and the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from subsim.calibrate import fit

NODES = 7
#: Numbers with one value for the company: all normal, in this order in the vector `w`.
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
#: Numbers by segment whose `x` is normal: of the value, or of its logarithm.
BY_SEGMENT = ("renewal.base", "renewal.drift", "renewal.uncontrollable", "renewal.contraction")
BASE, DRIFT, UNCONTROLLED, ODDS = range(len(BY_SEGMENT))
LOGARITHM = ("renewal.drift", "renewal.uncontrollable")
MIXING = {False: ("renewal.frailty",), True: ("renewal.beta_alpha", "renewal.beta_beta")}

_SHIFT, _WEIGHT = np.polynomial.hermite_e.hermegauss(NODES)
_WEIGHT = _WEIGHT / _WEIGHT.sum()


def stacked(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Cells as the likelihood takes them: [3, cells] for entry, past and last; logarithms of numbers of decisions."""
    past = {name: cells[f"past_{name}"] for name in ("e", "v", "onb", "sp", "prep")}
    d = {name: np.array([past[name], past[name], cells[name]]) for name in past}
    zero = np.zeros_like(cells["k"])
    until = np.array([cells["entry"], cells["k"] - 1, cells["k"]])
    since = np.array([zero, zero, cells["k"] - 1])
    d["edges"] = np.log(np.maximum(np.array([until, since]), 1e-9))
    d["one_of"] = 1 / np.maximum(until - since, 1.0)
    spared = (cells["k"] - 1 - cells["entry"]) * cells["years"]
    flags = ("lost", "uncontrolled", "controlled", "alive")
    names = ("n", "segment", "years", "monthly", "multi", "price", "u", "uv", *flags)
    names += ("c_segment", "c_e", "c_v", "c_n", "c_y", "spread")
    return d | {"spared": spared} | {name: cells[name] for name in names}


def model(data: Mapping[str, Any], beta_mixing: bool) -> Any:
    """The PyMC model of some cells; all data are `pm.Data`.

    Besides what `stacked` gives, data has `w_mean`, `w_sd` (of COMPANY), `x_centre`, `x_apart`, `x_together`
    [BY_SEGMENT, segments], `mix_a`, `mix_b` [mixing parameters, segments] (gamma shape and rate of frailty, or median
    of the logarithm and its sd), `fit_mean` by segment, `c_seen` (share of contractions that can be seen). `spread` is
    the variance of what persists in engagement, by segment.
    """
    pm, pt = fit.load("pymc"), fit.load("pytensor.tensor")
    rows, segments = np.shape(data["x_centre"])
    with pm.Model() as result:
        d = {name: pm.Data(name, np.asarray(value)) for name, value in data.items()}
        z = pm.Normal("z", 0.0, 1.0, shape=len(COMPANY) + rows * (segments + 1))
        w = pm.Deterministic("w", d["w_mean"] + d["w_sd"] * z[: len(COMPANY)])
        own = z[len(COMPANY) :].reshape((rows, segments + 1))
        x = pm.Deterministic("x", d["x_centre"] + d["x_apart"] * own[:, 1:] + d["x_together"] * own[:, :1])
        if beta_mixing:
            log_mix = pm.Normal("log_mix", d["mix_a"], d["mix_b"], shape=np.shape(data["mix_a"]))
            mix = pm.Deterministic("mix", pt.exp(log_mix))
        else:
            mix = pm.Gamma("mix", d["mix_a"], d["mix_b"], shape=np.shape(data["mix_a"]))
        pm.Potential("paths", (d["n"] * log_likelihood(pt, d, w, x, mix, beta_mixing)).sum())
        pm.Potential("contractions", contractions(pt, d, w, x).sum())
    return result


def log_likelihood(xp: Any, d: Mapping[str, Any], w: Any, x: Any, mix: Any, beta_mixing: bool) -> Any:
    """Log likelihood of one account of each cell; `xp` is NumPy or PyTensor's tensor module."""
    own = d["segment"]
    # What of an account's persistent level u is fit: f = ratio u + rest.
    ratio = (w[PHI] / xp.maximum(d["spread"], w[PHI] ** 2))[own]
    of_rest = w[OF_FIT] ** 2 * xp.maximum(1 - ratio * w[PHI], 0.0)
    slope = xp.sqrt((w[ENGAGEMENT] + w[OF_FIT] * ratio) ** 2 * d["uv"] + of_rest + 1e-12)
    level = d["monthly"] * w[MONTHLY] + d["multi"] * w[MULTI] + w[PRICE] * d["price"]
    level = level - w[OF_FIT] * (d["fit_mean"][own] + ratio * d["u"])
    if not beta_mixing:
        level = level + x[BASE][own]
    hurdles = (1 + d["onb"] * xp.expm1(w[ONB])) * (1 + d["sp"] * xp.expm1(w[SPONSOR]))
    hurdles = hurdles * (1 + d["prep"] * xp.expm1(w[PREP]))
    decided = xp.exp(xp.exp(x[DRIFT][own]) * d["edges"])
    moved = w[ENGAGEMENT] ** 2 * d["v"]
    mean = hurdles * (decided[0] - decided[1]) * xp.exp(level - w[ENGAGEMENT] * d["e"] + 0.5 * moved)
    variance = (xp.expm1(moved) * d["one_of"] + 1e-9)[:, :, None]
    # From here on each array has parts, cells and nodes as axes.
    hazard = xp.log1p(variance * mean[:, :, None] * xp.exp(slope[:, None] * _SHIFT)) / variance
    so_far = xp.stack([hazard[0], hazard[1], hazard[1] + hazard[2]])
    parts = [mix[i][own][:, None] for i in range(2 if beta_mixing else 1)]
    survival = _beta(xp, so_far, *parts) if beta_mixing else -xp.log1p(parts[0] * so_far) / parts[0]
    share = (xp.exp(survival) * _WEIGHT).sum(2)
    entered, before, after = share[0], share[1], share[2]
    uncontrolled = xp.exp(x[UNCONTROLLED][own])
    spared = xp.exp(-uncontrolled * d["years"])
    first = d["lost"] + d["uncontrolled"] * (1 - spared) + d["controlled"] * spared
    second = (d["alive"] - d["lost"] - d["controlled"]) * spared
    chance = xp.maximum(first * before + second * after, 1e-300)
    return xp.log(chance / entered) - uncontrolled * d["spared"]


def _beta(xp: Any, h: Any, a: Any, b: Any) -> Any:
    log_gamma = special.gammaln if xp is np else xp.gammaln
    return log_gamma(b + h) - log_gamma(a + b + h) - log_gamma(b) + log_gamma(a + b)


def contractions(xp: Any, d: Mapping[str, Any], w: Any, x: Any) -> Any:
    """Log likelihood of contractions at renewals by cell; engagement is integrated out by the probit approximation."""
    effect = w[CONTRACTION]
    odds = x[ODDS][d["c_segment"]] - effect * d["c_e"]
    odds = odds / xp.sqrt(1 + np.pi / 8 * effect**2 * d["c_v"])
    chance = d["c_seen"][0] / (1 + xp.exp(-odds))
    return d["c_y"] * xp.log(chance) + (d["c_n"] - d["c_y"]) * xp.log1p(-chance)
