"""Lifetime value in its three forms, and what stands beside it. State the form on every slide: they differ by factors.

Money in, money out: amounts may be dollars or cents, the result is in the same unit. Rates are per period, which is
the period of `arpa`: yearly ARPA goes with yearly churn and a yearly discount rate. Discounts and margins are the
caller's: none has a default.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from subsim.errors import InputError
from subsim.ratios import Floats, ratio


def ltv_simple(arpa: npt.ArrayLike, gross_margin: npt.ArrayLike, churn: npt.ArrayLike) -> Floats:
    """Lifetime value, minimum form: `ARPA x gross margin / churn`; NaN where churn is 0.

    No discount, no growth, one churn rate for ever: it overstates what leaves early and what lies far ahead.

    Args:
        arpa: average revenue per account and period.
        gross_margin: share of 1.
        churn: share of accounts, or of ARR, lost per period.

    Raises:
        InputError: a margin above 1, or a churn outside 0 to 1.

    Example:
        >>> float(ltv_simple(10_000, 0.8, 0.10))
        80000.0
    """
    _margin(gross_margin)
    _share("churn", churn)
    return ratio(np.multiply(arpa, gross_margin), churn)


def ltv_board(
    arpa: npt.ArrayLike, gross_margin: npt.ArrayLike, churn: npt.ArrayLike, discount: npt.ArrayLike
) -> Floats:
    """Lifetime value, board grade: `ARPA x gross margin / (discount + churn)`; NaN where both rates are 0.

    The value of a margin that is paid continuously and lost at a constant rate. Never above the minimum form.

    Raises:
        InputError: a margin above 1, a churn outside 0 to 1, or a negative discount.

    Example:
        >>> float(ltv_board(10_000, 0.8, 0.10, 0.10))
        40000.0
    """
    _margin(gross_margin)
    _share("churn", churn)
    _discount(discount)
    return ratio(np.multiply(arpa, gross_margin), np.add(discount, churn))


def ltv_survival(
    arpa: float, gross_margin: float, survival: Sequence[float], discount: float, growth: float = 0.0
) -> float:
    """Lifetime value, best form: `ARPA x gross margin x sum over t of S(t) ((1 + growth) / (1 + discount))^t`.

    Payments are made at the start of each period t = 0, 1, ..., as long as the curve goes: its length is the horizon.
    With the curve of a fitted model (sBG for one) it is the discounted expected lifetime, and with the curve of those
    who renewed already, divided by their share, the discounted expected residual lifetime.

    Args:
        arpa: payment of the first period.
        gross_margin: share of 1.
        survival: share still there to make payment t; S(0) = 1 at the sale.
        discount: rate per period.
        growth: growth of the payment per period of those who stay: price and expansion together.

    Raises:
        InputError: a curve that is empty, rises or leaves 0 to 1; a margin above 1; a negative discount.

    Example:
        >>> round(ltv_survival(25_000, 1.0, [1.0] * 8, discount=0.0, growth=0.07), 2)
        256495.06
    """
    curve = np.asarray(survival, dtype=np.float64)
    _margin(gross_margin)
    _discount(discount)
    if not len(curve) or not ((curve >= 0) & (curve <= 1)).all() or (np.diff(curve) > 0).any():
        raise InputError(
            where="survival",
            found=f"{len(curve)} values" if len(curve) else "no values",
            allowed="shares from 0 to 1 that never rise, one per period",
        )
    step = (1 + growth) / (1 + discount)
    return float(arpa * gross_margin * (curve * step ** np.arange(len(curve))).sum())


def ltv_constant(
    arpa: float, gross_margin: float, nrr: float, discount: float, horizon_periods: int | None = None
) -> float:
    """Lifetime value of a cohort whose ARR is multiplied by the same NRR every period: `sum of (NRR / (1 + d))^t`.

    It is `ltv_survival` with survival x growth = NRR^t. Without a horizon the sum is `(1 + d) / (1 + d - NRR)`, which
    exists only if d > NRR - 1; an NRR above 1 for ever is no forecast, so a horizon of 5 to 7 years is usual then.

    Args:
        arpa: payment of the first period, made at its start.
        gross_margin: share of 1.
        nrr: net revenue retention per period, 1.1 for 110 %.
        discount: rate per period.
        horizon_periods: number of payments; None for no end.

    Raises:
        InputError: no horizon and d <= NRR - 1; a horizon below 1; a margin above 1; a negative NRR or discount.

    Example:
        >>> round(ltv_constant(25_000, 1.0, nrr=0.9, discount=0.0))
        250000
    """
    _margin(gross_margin)
    _discount(discount)
    if nrr < 0:
        raise InputError(where="nrr", found=f"{nrr:g}", allowed="0 or more, such as 1.1 for 110 %")
    if horizon_periods is not None and horizon_periods < 1:
        raise InputError(where="horizon_periods", found=str(horizon_periods), allowed="1 or more payments")
    step = nrr / (1 + discount)
    if horizon_periods is not None:
        return float(arpa * gross_margin * (step ** np.arange(horizon_periods)).sum())
    if step >= 1:
        raise InputError(
            where="discount",
            found=f"{discount:g} with an NRR of {nrr:g}",
            allowed=f"a discount above NRR - 1 = {nrr - 1:g}, since the sum has no end otherwise",
            do="or give a horizon: 5 to 7 years is usual",
        )
    return float(arpa * gross_margin / (1 - step))


def first_payment_share(first_payment: npt.ArrayLike, lifetime_value: npt.ArrayLike) -> Floats:
    """Share of the lifetime value that the first payment is; NaN where the value is 0.

    Example:
        >>> round(float(first_payment_share(25_000, 256_495.06)), 4)
        0.0975
    """
    return ratio(first_payment, lifetime_value)


def with_second_order(lifetime_value: npt.ArrayLike, share: npt.ArrayLike) -> Floats:
    """Lifetime value with second-order revenue: what champions who move on and referrals bring, as a share of it.

    One chief executive puts the share at 0.5 to 1 (Mehta, Steinman, Murphy, *Customer Success*, chapter 2): an opinion,
    and money that most books count as new business as well. Never add both.

    Raises:
        InputError: a negative share.

    Example:
        >>> float(with_second_order(200_000, 0.5))
        300000.0
    """
    if (np.asarray(share) < 0).any():
        raise InputError(where="share", found=str(share), allowed="0 or more")
    return np.asarray(np.multiply(lifetime_value, np.add(1.0, share)), dtype=np.float64)


def _share(name: str, value: npt.ArrayLike) -> None:
    values = np.asarray(value, dtype=np.float64)
    if ((values < 0) | (values > 1)).any():
        raise InputError(where=name, found=str(value), allowed="a share from 0 to 1, such as 0.1 for 10 %")


def _margin(value: npt.ArrayLike) -> None:
    if (np.asarray(value, dtype=np.float64) > 1).any():
        raise InputError(where="gross_margin", found=str(value), allowed="a share up to 1, such as 0.8 for 80 %")


def _discount(value: npt.ArrayLike) -> None:
    if (np.asarray(value, dtype=np.float64) < 0).any():
        raise InputError(where="discount", found=str(value), allowed="0 or more per period, such as 0.1 for 10 %")
