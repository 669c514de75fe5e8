"""Renewal: at each term end an account with risk v stays with chance exp(-v x h).

    h = exp(eta) x (k^c - (k-1)^c)
    eta = a_s - beta_e e + beta_onb [no first value yet] - beta_fit f + beta_sp [no sponsor]
          + beta_price log(new price / old price) + beta_prep [preparation missed] + tier and term effects

With v ~ Gamma(mean 1, variance theta) this is gamma frailty with Weibull drift; with v = -log(1-p), p ~ Beta(alpha,
beta) and c = 1 it is the shifted-beta-geometric model (Fader and Hardie 2007), whose base hazard the Beta carries
instead of a_s.
"""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import MONTH
from subsim.model.rules.draw import draw
from subsim.model.rules.sponsor import share_without
from subsim.random import purposes
from subsim.random.quantiles import beta, gamma, normal

FIT, NO_VALUE, ENGAGEMENT, SPONSOR, PRICE, UNCONTROLLED, UNEXPLAINED = range(7)
REASONS = (
    "poor fit",
    "first value not reached",
    "low engagement",
    "no sponsor",
    "price",
    "out of anybody's control",
    "unexplained",
)


@rule
def drift_weight(p: Any, segment: int, k: int) -> float:
    """Weibull weight w_k = k^c - (k-1)^c of the k-th renewal (k from 1)."""
    c = p[at.renewal_drift + segment]
    if c == 1.0:
        return 1.0
    return float(k) ** c - float(k - 1) ** c


@rule
def base(p: Any, segment: int, months: int) -> float:
    """Log hazard of a reference account under a term of that many months."""
    eta = 0.0 if p[at.renewal_beta_mixing] > 0.5 else p[at.renewal_base + segment]
    if months < 12:
        return eta + p[at.renewal_monthly_effect]
    return eta + p[at.renewal_multi_year_effect] if months > 12 else eta


@rule
def hazard(
    p: Any,
    segment: int,
    tier: int,
    months: int,
    k: int,
    e: float,
    fit: float,
    adopted: bool,
    sponsor: bool,
    log_price: float,
    prepared: bool,
) -> float:
    """Cumulated hazard h of the k-th renewal, before the account's own multiplier."""
    eta = base(p, segment, months) + p[at.renewal_tier_effect + tier]
    eta -= p[at.renewal_engagement] * e + p[at.renewal_fit] * fit
    eta += p[at.renewal_price] * log_price
    if not adopted:
        eta += p[at.renewal_not_onboarded]
    if not sponsor:
        eta += p[at.renewal_no_sponsor]
    if not prepared:
        eta += p[at.renewal_prep_missed]
    return math.exp(eta) * drift_weight(p, segment, k)


@rule
def stays(key: Any, entity: int, k: int, v: float, h: float) -> bool:
    """Whether the k-th renewal is signed."""
    return draw(key, purposes.RENEWAL, entity, k) < math.exp(-v * h)


@rule
def reason(p: Any, e: float, fit: float, adopted: bool, sponsor: bool, log_price: float) -> int:
    """What added most to the log hazard of a loss; UNEXPLAINED when nothing added anything."""
    largest, why = 1e-9, UNEXPLAINED
    if -p[at.renewal_fit] * fit > largest:
        largest, why = -p[at.renewal_fit] * fit, FIT
    if not adopted and p[at.renewal_not_onboarded] > largest:
        largest, why = p[at.renewal_not_onboarded], NO_VALUE
    if -p[at.renewal_engagement] * e > largest:
        largest, why = -p[at.renewal_engagement] * e, ENGAGEMENT
    if not sponsor and p[at.renewal_no_sponsor] > largest:
        largest, why = p[at.renewal_no_sponsor], SPONSOR
    if p[at.renewal_price] * log_price > largest:
        why = PRICE
    return why


@rule
def risk_multiplier(p: Any, key: Any, entity: int, segment: int, exposure: float) -> float:
    """The account's risk multiplier v given that it survived a cumulated hazard (0 at birth).

    Gamma: v | survived ~ Gamma(1/theta, rate 1/theta + exposure). Beta: p | survived ~ Beta(alpha, beta + exposure).
    Both exact (conjugate).
    """
    u = draw(key, purposes.FRAILTY, entity, 0)
    if p[at.renewal_beta_mixing] > 0.5:
        share = beta(u, p[at.renewal_beta_alpha + segment], p[at.renewal_beta_beta + segment] + exposure)
        return -math.log1p(-min(share, 1.0 - 1e-15))
    theta = p[at.renewal_frailty + segment]
    if theta < 1e-9:
        return 1.0
    return gamma(u, 1.0 / theta) / (1.0 / theta + exposure)


@rule
def past_exposure(p: Any, segment: int, months: int, renewals: int, level: float) -> float:
    """Cumulated hazard over its past renewals of an account of fit 0, as engaged as its like are now (``level``).

    exp(base - beta_e level) x what price increases and, for the long-run share of time, a missing sponsor do
    x renewals^c.
    """
    if renewals <= 0:
        return 0.0
    eta = base(p, segment, months) - p[at.renewal_engagement] * level
    eta += p[at.renewal_price] * math.log(1.0 + uplift(p, segment, months))
    eta += math.log(1.0 + share_without(p, segment) * (math.exp(p[at.renewal_no_sponsor]) - 1.0))
    return math.exp(eta) * float(renewals) ** p[at.renewal_drift + segment]


@rule
def fit_slope(p: Any) -> float:
    """Fall of the log hazard per unit of fit, directly and through resting engagement."""
    return p[at.renewal_fit] + p[at.renewal_engagement] * p[at.engagement_fit_effect]


@rule
def fit_factor(p: Any, fit: float) -> float:
    """What an account's fit does to its hazard at rest."""
    return math.exp(-fit_slope(p) * fit)


@rule
def opening_fit(
    p: Any,
    key: Any,
    entity: int,
    segment: int,
    exposure: float,
    w_ff: float,
    w_fr: float,
    w_rr: float,
    y_f: float,
    y_r: float,
) -> float:
    """Fit of a live account given that it survived, and what its scores say: survivors fit better.

    The density is proportional to N(f; mean, 1) x S(exposure x exp(-b f)) with S the survival over the spread of risk
    and b the fall of the log hazard per unit of fit. Its logarithm is nearly quadratic, so the normal at its mode is
    drawn (Laplace); for exposures up to 3 and b up to 0.6 mean and spread are right to 0.02. Scores move it by what
    they say of fit and response together (see `engagement.told_by_scores`), response left open.
    """
    z = normal(draw(key, purposes.FIT, entity, 0))
    mean = p[at.arrival_fit_mean + segment]
    b = fit_slope(p)
    f = mean
    curvature = 1.0
    for _ in range(4 if exposure > 0.0 and b != 0.0 else 0):
        x = exposure * math.exp(-b * f)
        risk, change = _mean_risk(p, segment, x)
        curvature = max(0.1, 1.0 + b * b * x * (risk + x * change))
        f -= (f - mean - b * x * risk) / curvature
    effect = p[at.engagement_fit_effect]
    variance = p[at.engagement_response_sd] * p[at.engagement_response_sd]
    shared = w_fr * variance / (1.0 + w_rr * variance)
    weight, weighted = w_ff - shared * w_fr, y_f - shared * y_r
    precision = curvature + effect * effect * weight
    f += effect * (weighted - weight * effect * f) / precision
    return f + z / math.sqrt(precision)


@rule
def hazard_survived(p: Any, segment: int, exposure: float) -> float:
    """Cumulated hazard that a survivor of an exposure is expected to have had, over the spread of risk."""
    return exposure * _mean_risk(p, segment, exposure)[0]


@rule
def running_for(months: int, term_end: int, start: int) -> int:
    """Minutes that the running term of a live account has behind it at minute 0, counted in process months."""
    return max(0, min(-start, int(months) * MONTH - term_end))


@rule
def _mean_risk(p: Any, segment: int, x: float) -> tuple[float, float]:
    """Mean risk multiplier of those who survived an exposure, and its change with exposure.

    Gamma: 1 / (1 + theta x). Beta: digamma(alpha + beta + x) - digamma(beta + x), by digamma(y) = log(y - 1/2).
    """
    if p[at.renewal_beta_mixing] > 0.5:
        b = max(p[at.renewal_beta_beta + segment] + x - 0.5, 0.05)
        ab = b + p[at.renewal_beta_alpha + segment]
        return math.log(ab / b), 1.0 / ab - 1.0 / b
    theta = p[at.renewal_frailty + segment]
    scaled = 1.0 + theta * x
    return 1.0 / scaled, -theta / (scaled * scaled)


@rule
def uplift(p: Any, segment: int, months: int) -> float:
    """Price increase at a renewal as a share: the yearly policy over the term, at most what contracts allow."""
    share = (1.0 + p[at.renewal_price_uplift + segment]) ** (months / 12.0) - 1.0
    return min(share, p[at.renewal_uplift_cap + segment])


@rule
def contracts(p: Any, key: Any, entity: int, k: int, segment: int, e: float) -> bool:
    """Whether the k-th renewal is signed for less."""
    x = p[at.renewal_contraction + segment] - p[at.renewal_contraction_engagement] * e
    return draw(key, purposes.CONTRACTION_AT_RENEWAL, entity, k) * (1.0 + math.exp(-x)) < 1.0


@rule
def kept_share(p: Any, key: Any, purpose: int, entity: int, n: int) -> float:
    """Share of ARR kept in a contraction: Beta."""
    size = p[at.renewal_contraction_keep_size]
    mean = p[at.renewal_contraction_keep]
    return beta(draw(key, purpose, entity, n), mean * size, (1.0 - mean) * size)


@rule
def notice_minutes(p: Any, months: int) -> int:
    """Minutes before term end at which preparation is raised; -1 for terms under half a year, which have none."""
    return int(p[at.renewal_notice_days] * 1440.0) if months >= 6 else -1
