"""New customers: thinned from an envelope, so that the n-th lead of a source is the same company in every scenario."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.clock import MONTH
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.entities import future_entity
from subsim.random.quantiles import exponential, gamma, lognormal, normal


@rule
def gap(key: Any, source: int, n: int, envelope: float) -> int:
    """Minutes from lead n-1 to lead n of a source whose envelope is that many leads a month."""
    return int(exponential(draw(key, purposes.ARRIVAL_GAP, future_entity(source, n), 0)) / envelope * MONTH + 0.5)


@rule
def month_multiplier(p: Any, key: Any, source: int, month: int) -> float:
    """Gamma multiplier (mean 1) on a source's arrivals in a month: business comes in waves."""
    shape = p[at.arrival_dispersion]
    return gamma(draw(key, purposes.ARRIVAL_SEASON, source, month), shape) / shape


@rule
def accepted(
    p: Any, key: Any, source: int, n: int, segment: int, plan: float, multiplier: float, envelope: float
) -> bool:
    """Whether lead n becomes a deal: with chance plan x lever x multiplier / envelope (never above 1)."""
    rate = plan * p[at.arrival_plan_scale + segment] * multiplier
    return draw(key, purposes.ARRIVAL_ACCEPT, future_entity(source, n), 0) * envelope < rate


@rule
def word_of_mouth(p: Any, misfits_lost: float, logos: int) -> float:
    """Multiplier on arrivals after ill-fitting customers left: exp(-omega x their share of the base)."""
    return math.exp(-p[at.arrival_word_of_mouth] * misfits_lost / max(logos, 1))


@rule
def fit(p: Any, key: Any, entity: int, segment: int, bonus: float) -> float:
    """Fit of a new account: N(mean of its segment + bonus, 1)."""
    return p[at.arrival_fit_mean + segment] + bonus + normal(draw(key, purposes.FIT, entity, 0))


@rule
def qualifies(p: Any, key: Any, entity: int, segment: int, fit_value: float) -> bool:
    """Whether sales takes the deal: the fit it observes (with error) is not under the threshold."""
    error = p[at.arrival_qualification_noise] * normal(draw(key, purposes.FIT_NOISE, entity, 0))
    return fit_value + error >= p[at.arrival_qualification_threshold + segment]


@rule
def first_arr(p: Any, key: Any, entity: int, segment: int) -> int:
    """First ARR in cents: lognormal, inside the segment's floor and cap."""
    dollars = lognormal(
        draw(key, purposes.FIRST_ARR, entity, 0), p[at.value_first_arr + segment], p[at.value_first_arr_sd + segment]
    )
    dollars = min(max(dollars, p[at.value_arr_floor + segment]), p[at.value_arr_cap + segment])
    return int(dollars * 100.0 + 0.5)


@rule
def term_months(p: Any, key: Any, entity: int, segment: int) -> int:
    """Months of the first contract, from the segment's mix of 1, 24, 36 and (the rest) 12."""
    u = draw(key, purposes.TERM, entity, 0)
    monthly = p[at.term_monthly_share + segment]
    two = monthly + p[at.term_two_year_share + segment]
    three = two + p[at.term_three_year_share + segment]
    if u < monthly:
        return 1
    if u < two:
        return 24
    return 36 if u < three else 12
