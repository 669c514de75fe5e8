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
def opening(
    p: Any, key: Any, entity: int, segment: int, fit: float, ttv_days: float, tenure_days: float, score_value: float
) -> float:
    """Engagement of a live account at the start, given its last score (below zero: none was read).

    Prior N(mean, s_0) around the rest of a served account, that of an unfinished onboarding as late as it is by now; a
    score is a reading with known error, so the conditional is normal again (Kalman update).
    """
    mean = p[at.engagement_opening_mean + segment] + p[at.engagement_fit_effect] * fit
    late = lateness(p, segment, ttv_days) if ttv_days >= 0.0 else max(0.0, lateness(p, segment, tenure_days))
    mean -= p[at.engagement_ttv_effect] * late
    sd = p[at.engagement_opening_sd]
    if score_value >= 0.0:
        reading = min(max(score_value, 0.5), 99.5) / 100.0
        y = math.log(reading / (1.0 - reading)) - p[at.score_offset]
        total = sd * sd + p[at.score_noise] * p[at.score_noise]
        gain = sd * sd / total if total > 0.0 else 0.0
        mean += gain * (y - mean)
        sd *= math.sqrt(1.0 - gain)
    return mean + sd * normal(draw(key, purposes.OPENING_ENGAGEMENT, entity, 0))
