"""Engagement: it drifts towards rest, touches lift it, shocks lower it; the health score reads it with error."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import DAY, NEVER
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
def head_start(p: Any, segment: int, tenure_days: float) -> float:
    """How far an account still stands above the mean rest because it came without neglect."""
    return p[at.engagement_neglect + segment] * math.exp(-p[at.engagement_drift] * tenure_days)


@rule
def held_by_touches(p: Any, done_at: Any, done_work: Any, first: int, end: int) -> float:
    """How far calendar touches hold an account of response 1 up at minute 0: each lift, as far as it has not faded.

    The touches are those from ``first`` to before ``end`` of the minutes ``done_at`` (at or before 0) and of the work
    types ``done_work``.
    """
    total = 0.0
    for j in range(first, end):
        total += p[at.work_lift + done_work[j]] * math.exp(p[at.engagement_drift] * done_at[j] / DAY)
    return total


@rule
def share_of_touches(p: Any, segment: int, touches: float, head: float) -> float:
    """What holds accounts up altogether over what known touches do, from the means of both over a segment's accounts.

    Owners strengthen touches and plays lift as well, so at least 1; beyond 2 it is not put down to touches (judgement,
    grade D; 1.7 in simulated histories). 0 where no touches are known.
    """
    if touches == 0.0:
        return 0.0
    gap = p[at.engagement_opening_mean + segment] - p[at.engagement_rest + segment] + p[at.engagement_neglect + segment]
    return min(max((gap - head) / touches, 1.0), 2.0)


@rule
def opening_standing(
    p: Any, segment: int, ttv_days: float, tenure_days: float, touches: float, like: Any
) -> tuple[float, float, float]:
    """Mean engagement of accounts like this one and of fit 0; the same without touches and head start; what is held up.

    ``like`` holds the means of touches and head start over the segment's accounts, and the share of touches. Where none
    are known (share 0) all are the segment's; else an account differs from it by its touches and its head start.
    """
    level = opening_level(p, segment, ttv_days, tenure_days)
    if like[2] == 0.0:
        return level, level, held_up(p, segment, tenure_days)
    alone = level - like[2] * like[0] - like[1]
    level = alone + like[2] * touches + head_start(p, segment, tenure_days)
    return level, alone, held_by_all(p, segment, tenure_days, touches, like)


@rule
def held_by_all(p: Any, segment: int, tenure_days: float, touches: float, like: Any) -> float:
    """How far all that is done holds an account of known touches up: more than the mean account as these are more."""
    return max(0.0, held_up(p, segment, tenure_days) + like[2] * (touches - like[0]))


@rule
def reading(p: Any, log_odds: float) -> float:
    """Engagement as a score reads it."""
    return log_odds - p[at.score_offset]


@rule
def told_by_scores(
    p: Any,
    segment: int,
    level: float,
    held: float,
    tenure_days: float,
    like: Any,
    log_odds: Any,
    read_at: Any,
    account: int,
    done_at: Any,
    done_work: Any,
    first: int,
    end: int,
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """What the monthly scores of an account say, by a Kalman filter from the oldest to the last and on to minute 0.

    A score reads ``level`` + F + held x R + x with error. F is what fit adds, R how much better than expected the
    account answers; x is of its own, an AR(1) of variance s_0^2 that fades at rate delta. Given F and R, x at minute 0
    is normal with mean a - b F - c R and variance v. Of F and R themselves the scores say the likelihood
    exp(y_f F + y_r R - (w_ff F^2 + 2 w_fr F R + w_rr R^2) / 2). Gives (a, b, c, v, w_ff, w_fr, w_rr, y_f, y_r).

    ``level`` is without touches and head start: if touches are known, what these add differs from score to score, and
    so does what is held up.
    """
    drift = p[at.engagement_drift] / DAY
    own = p[at.engagement_opening_sd] * p[at.engagement_opening_sd]
    noise = p[at.score_noise] * p[at.score_noise]
    a = b = c = touches = 0.0
    w_ff = w_fr = w_rr = y_f = y_r = 0.0
    v = own
    before = NEVER
    for j in range(log_odds.shape[1] - 1, -1, -1):
        t = int(read_at[account, j])
        if t == NEVER:
            continue
        if before < NEVER:
            left = math.exp(drift * (before - t))
            a, b, c, v, touches = a * left, b * left, c * left, own + (v - own) * left * left, touches * left
        before = t
        while first < end and done_at[first] <= t:
            touches += p[at.work_lift + done_work[first]] * math.exp(drift * (done_at[first] - t))
            first += 1
        level_then, held_then = level, held
        if like[2] > 0.0:
            tenure_then = tenure_days + t / DAY
            level_then += like[2] * touches + head_start(p, segment, tenure_then)
            held_then = held_by_all(p, segment, tenure_then, touches, like)
        total = max(v + noise, 1e-12)
        above, by_fit, by_answer = reading(p, log_odds[account, j]) - level_then - a, 1.0 - b, held_then - c
        w_ff += by_fit * by_fit / total
        w_fr += by_fit * by_answer / total
        w_rr += by_answer * by_answer / total
        y_f += by_fit * above / total
        y_r += by_answer * above / total
        gain = v / total
        a, b, c, v = a + gain * above, b + gain * by_fit, c + gain * by_answer, v - gain * v
    if before < NEVER:
        left = math.exp(drift * before)
        a, b, c, v = a * left, b * left, c * left, own + (v - own) * left * left
    return a, b, c, v, w_ff, w_fr, w_rr, y_f, y_r


@rule
def chosen(p: Any, held: float, survived: float) -> float:
    """How much better than 1 survivors answer: the log of their hazard falls by beta_e x held per unit of response."""
    return p[at.renewal_engagement] * held * p[at.engagement_response_sd] * p[at.engagement_response_sd] * survived


@rule
def opening_response(p: Any, key: Any, entity: int, mean: float, w_rr: float, y_r: float) -> float:
    """How a live account responds to contact, given what its scores say of response - mean (see `told_by_scores`).

    ``y_r`` is less what fit explains of it.
    """
    spread = p[at.engagement_response_sd]
    precision = 1.0 + w_rr * spread * spread
    z = normal(draw(key, purposes.RESPONSE, entity, 0))
    return mean + spread * (spread * y_r / precision + z / math.sqrt(precision))


@rule
def opening(key: Any, entity: int, mean: float, variance: float) -> float:
    """Engagement of a live account at minute 0."""
    return mean + math.sqrt(max(variance, 0.0)) * normal(draw(key, purposes.OPENING_ENGAGEMENT, entity, 0))
