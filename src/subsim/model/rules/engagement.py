"""Engagement: it drifts towards rest, touches lift it, shocks lower it; the health score reads it with error."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import DAY
from subsim.model.rules.draw import draw
from subsim.model.rules.onboarding import lateness
from subsim.random import purposes
from subsim.random.quantiles import normal
from subsim.random.special import exponential_integral

RED, YELLOW, GREEN = range(3)
BANDS = ("red", "yellow", "green")


@rule
def rest(p: Any, segment: int, fit: float, ttv_days: float) -> float:
    """Resting engagement m = a_s + phi_fit x f - phi_ttv log(TTV / target) - neglect (TTV once it is known).

    Before first value the TTV term grows with time; `overdue` adds it up.
    """
    m = p[at.engagement_rest + segment] + p[at.engagement_fit_effect] * fit - p[at.engagement_neglect + segment]
    if ttv_days >= 0.0:
        m -= p[at.engagement_ttv_effect] * lateness(p, segment, ttv_days)
    return m


@rule
def drifted(p: Any, e: float, m: float, elapsed: int) -> float:
    """Engagement after ``elapsed`` minutes without events: it closes its distance to rest at rate delta."""
    if elapsed <= 0:
        return e
    return m + (e - m) * math.exp(-p[at.engagement_drift] * elapsed / DAY)


@rule
def overdue(p: Any, segment: int, since: int, until: int) -> float:
    """Engagement lost between two minutes after an account's start because first value has not come yet.

    An unfinished onboarding pulls rest down by phi_ttv max(0, log(elapsed / target)). Solving the drift towards that
    gives, with x = delta x elapsed and from the target on,
    phi_ttv (log(x1 / x_target) - log(x0 / x_target) exp(x0 - x1) - exp(-x1) (Ei(x1) - Ei(x0))).
    """
    target = p[at.onboarding_target + segment]
    begin, end = max(since / DAY, target), until / DAY
    drift = p[at.engagement_drift]
    if end <= begin or drift <= 0.0:
        return 0.0
    left = math.exp(drift * (begin - end))
    late = math.log(end / target) - math.log(begin / target) * left
    late -= exponential_integral(drift * end) - exponential_integral(drift * begin) * left
    return p[at.engagement_ttv_effect] * late


@rule
def now(p: Any, segment: int, e: float, m: float, start: int, computed: int, t: int, adopted: bool) -> float:
    """Engagement at minute t of an account for which nothing has happened since it was last computed."""
    e = drifted(p, e, m, t - computed)
    return e if adopted else e - overdue(p, segment, computed - start, t - start)


@rule
def monthly_movement(p: Any, key: Any, entity: int, n: int) -> float:
    """Random movement at the n-th monthly review."""
    return p[at.engagement_noise] * normal(draw(key, purposes.USAGE_NOISE, entity, n))


@rule
def response(p: Any, key: Any, entity: int) -> float:
    """How an account responds to contact: N(1, s_response), for life; below zero contact harms it."""
    return 1.0 + p[at.engagement_response_sd] * normal(draw(key, purposes.RESPONSE, entity, 0))


@rule
def score(p: Any, key: Any, entity: int, n: int, e: float) -> float:
    """The n-th health score, 0..100: logistic of engagement read with error."""
    x = p[at.score_offset] + e + p[at.score_noise] * normal(draw(key, purposes.SCORE_NOISE, entity, n))
    return 100.0 / (1.0 + math.exp(-x))


@rule
def band(p: Any, score_value: float) -> int:
    """RED, YELLOW or GREEN."""
    if score_value < p[at.score_red]:
        return RED
    return GREEN if score_value >= p[at.score_green] else YELLOW


@rule
def opening_level(p: Any, segment: int, ttv_days: float, tenure_days: float) -> float:
    """Mean engagement of live accounts of fit 0 at the start; of an unfinished onboarding as late as it is by now."""
    late = lateness(p, segment, ttv_days) if ttv_days >= 0.0 else max(0.0, lateness(p, segment, tenure_days))
    return p[at.engagement_opening_mean + segment] - p[at.engagement_ttv_effect] * late


@rule
def held_up(p: Any, segment: int, tenure_days: float) -> float:
    """How far past touches hold the mean account above the rest it has without them; that builds up with tenure."""
    rest_alone = p[at.engagement_rest + segment] - p[at.engagement_neglect + segment]
    gap = p[at.engagement_opening_mean + segment] - rest_alone
    return gap * (1.0 - math.exp(-p[at.engagement_drift] * tenure_days))


@rule
def opening_variance(p: Any, held: float) -> float:
    """Variance of engagement at the start given fit: its own, and that of how accounts answer what holds them up."""
    own, answers = p[at.engagement_opening_sd], held * p[at.engagement_response_sd]
    return own * own + answers * answers


@rule
def reading(p: Any, score_value: float) -> float:
    """Engagement as a score reads it."""
    share = min(max(score_value, 0.5), 99.5) / 100.0
    return math.log(share / (1.0 - share)) - p[at.score_offset]


@rule
def opening(p: Any, key: Any, entity: int, mean: float, variance: float, score_value: float) -> float:
    """Engagement of a live account at the start, given its last score (below zero: none was read).

    A score is a reading with known error of what is normal before it, so the conditional is normal again (Kalman).
    """
    if score_value >= 0.0:
        total = variance + p[at.score_noise] * p[at.score_noise]
        gain = variance / total if total > 0.0 else 0.0
        mean += gain * (reading(p, score_value) - mean)
        variance *= 1.0 - gain
    return mean + math.sqrt(variance) * normal(draw(key, purposes.OPENING_ENGAGEMENT, entity, 0))


@rule
def opening_response(
    p: Any, key: Any, entity: int, held: float, variance: float, above: float, survived: float
) -> float:
    """How a live account responds to contact, given how far its engagement stands above the mean of its like.

    Those that answer well stand high because of it: their covariance is ``held`` times the variance of answers. And
    they are chosen by the hazard they ``survived``, whose logarithm falls by beta_e x held for each unit of response.
    """
    spread = p[at.engagement_response_sd]
    chosen = p[at.renewal_engagement] * held * spread * survived
    share = held * spread / variance if variance > 0.0 else 0.0
    left = math.sqrt(max(0.0, 1.0 - held * spread * share))
    return 1.0 + spread * (chosen + share * above + left * normal(draw(key, purposes.RESPONSE, entity, 0)))
