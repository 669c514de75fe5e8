"""Expansion opportunities, and contraction inside a term."""

import math
from typing import Any

from subsim._jit import rule
from subsim.model import slots as at
from subsim.model.rules.draw import draw
from subsim.random import purposes
from subsim.random.quantiles import lognormal

#: Opportunities a year that no account exceeds: one a day. Without a bound, touches that lift enough would bring
#: opportunities, whose work lifts again, without end.
MOST = 365.0
_LARGEST_EXPONENT = 50.0


@rule
def rate(p: Any, segment: int, e: float) -> float:
    """Opportunities a year: x_s x exp(xi_e x e), at most one a day."""
    factor = math.exp(min(p[at.expansion_engagement] * e, _LARGEST_EXPONENT))
    return min(p[at.expansion_rate + segment] * factor, MOST)


@rule
def won(p: Any, key: Any, entity: int, n: int, by_person: bool) -> bool:
    """Whether the n-th opportunity is won; without a person only a share of the chance is left."""
    chance = p[at.expansion_win] if by_person else p[at.expansion_win] * p[at.expansion_self_serve]
    return draw(key, purposes.WIN, entity, n) < chance


@rule
def gain(p: Any, key: Any, entity: int, n: int, segment: int, arr: int, first_arr: int) -> int:
    """Cents that the n-th expansion adds: a lognormal share of ARR, inside the wallet that is left."""
    share = lognormal(draw(key, purposes.EXPANSION_SHARE, entity, n), p[at.expansion_share], p[at.expansion_share_sd])
    wallet = int(first_arr * p[at.value_wallet + segment] + 0.5)
    return max(0, min(int(arr * share + 0.5), wallet - arr))


@rule
def is_cross_sell(p: Any, key: Any, entity: int, n: int) -> bool:
    """Whether the n-th expansion is another product rather than more seats."""
    return draw(key, purposes.EXPANSION_KIND, entity, n) < p[at.expansion_cross_sell]
