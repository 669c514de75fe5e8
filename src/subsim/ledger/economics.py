"""Unit economics: what growth costs, what customer success costs, how far staff reach, how good a call was.

Every ratio is NaN where its denominator is 0. Amounts are in one unit of money, whichever; periods are named.
"""

import numpy as np
import numpy.typing as npt

from subsim.errors import InputError
from subsim.ratios import Floats, ratio

MONTHS_PER_YEAR = 12
QUARTERS_PER_YEAR = 4


def cac_ratio_new(sales_and_marketing: npt.ArrayLike, new_arr: npt.ArrayLike) -> Floats:
    """New-customer CAC ratio: sales and marketing spent per unit of new-customer ARR.

    Example:
        >>> float(cac_ratio_new(2_000_000, 1_000_000))
        2.0
    """
    return ratio(sales_and_marketing, new_arr)


def cac_ratio_blended(
    sales_and_marketing: npt.ArrayLike, new_arr: npt.ArrayLike, expansion_arr: npt.ArrayLike
) -> Floats:
    """Blended CAC ratio: sales and marketing per unit of new-customer and expansion ARR together.

    Example:
        >>> float(cac_ratio_blended(2_100_000, 1_000_000, 500_000))
        1.4
    """
    return ratio(sales_and_marketing, np.add(new_arr, expansion_arr))


def cac_ratio_expansion(
    sales_and_marketing_on_base: npt.ArrayLike, cs_on_expansion: npt.ArrayLike, expansion_arr: npt.ArrayLike
) -> Floats:
    """Expansion CAC ratio: what sales, marketing and customer success spend on expansion per unit of expansion ARR.

    Example:
        >>> float(cac_ratio_expansion(300_000, 200_000, 500_000))
        1.0
    """
    return ratio(np.add(sales_and_marketing_on_base, cs_on_expansion), expansion_arr)


def cac_payback_months(
    sales_and_marketing: npt.ArrayLike, new_arr: npt.ArrayLike, gross_margin: npt.ArrayLike
) -> Floats:
    """CAC payback in months: `S&M / (new ARR x subscription gross margin) x 12`.

    Take the spending of one sales cycle earlier than the ARR. Figures of public companies use net new ARR and are not
    comparable.

    Raises:
        InputError: a gross margin above 1.

    Example:
        >>> float(cac_payback_months(1_600_000, 1_000_000, 0.8))
        24.0
    """
    if (np.asarray(gross_margin, dtype=np.float64) > 1).any():
        raise InputError(where="gross_margin", found=str(gross_margin), allowed="a share up to 1, such as 0.8")
    return ratio(np.multiply(sales_and_marketing, MONTHS_PER_YEAR), np.multiply(new_arr, gross_margin))


def renewals_to_break_even(payback_months: float, term_months: int) -> int:
    """Renewals that a customer has to make before there is a profit, if revenue counts month by month.

    `floor(payback / term)`: a payback of 24 months on yearly terms is reached at the end of the second term, and the
    third, after two renewals, is the first to bring a profit. Where a year is paid in advance cash is even sooner.

    Raises:
        InputError: a negative payback, or a term below a month.

    Example:
        >>> renewals_to_break_even(24, 12), renewals_to_break_even(20, 12)
        (2, 1)
    """
    if not payback_months >= 0:
        raise InputError(where="payback_months", found=f"{payback_months:g}", allowed="0 months or more")
    if term_months < 1:
        raise InputError(where="term_months", found=str(term_months), allowed="1 month or more")
    return int(payback_months // term_months)


def magic_number_annualised(
    revenue: npt.ArrayLike, revenue_before: npt.ArrayLike, sales_and_marketing_before: npt.ArrayLike
) -> Floats:
    """Magic number, the common form: `4 x (revenue of the quarter - of the one before) / S&M of the one before`.

    The marks of 0.75 and 1.0 belong to this form.

    Example:
        >>> float(magic_number_annualised(11.0, 10.0, 4.0))
        1.0
    """
    return magic_number_quarterly(revenue, revenue_before, sales_and_marketing_before) * QUARTERS_PER_YEAR


def magic_number_quarterly(
    revenue: npt.ArrayLike, revenue_before: npt.ArrayLike, sales_and_marketing_before: npt.ArrayLike
) -> Floats:
    """Magic number without the factor of 4, as Benchmarkit's glossary has it; a quarter of the common form.

    Example:
        >>> float(magic_number_quarterly(11.0, 10.0, 4.0))
        0.25
    """
    return ratio(np.subtract(revenue, revenue_before), sales_and_marketing_before)


def rule_of_40(growth: npt.ArrayLike, margin: npt.ArrayLike) -> Floats:
    """Growth of revenue plus margin, both as shares of 1; the rule asks for 0.40. Say which margin: FCF or EBITDA.

    Example:
        >>> round(float(rule_of_40(0.30, 0.12)), 2)
        0.42
    """
    return np.asarray(np.add(growth, margin), dtype=np.float64)


def burn_multiple(net_burn: npt.ArrayLike, net_new_arr: npt.ArrayLike) -> Floats:
    """Cash burnt per unit of net new ARR, in the same period.

    Negative where either is: a company that earns cash, or one that shrinks. The sign alone does not say which.

    Example:
        >>> float(burn_multiple(3_000_000, 2_000_000))
        1.5
    """
    return ratio(net_burn, net_new_arr)


def cs_cost_share(cs_cost: npt.ArrayLike, arr: npt.ArrayLike) -> Floats:
    """Fully loaded yearly cost of customer success per unit of ARR; by segment it is the cost to serve.

    Say whether support is in it.

    Example:
        >>> cs_cost_share([400_000, 150_000], [8_000_000, 1_000_000]).tolist()
        [0.05, 0.15]
    """
    return ratio(cs_cost, arr)


def per_csm(managed: npt.ArrayLike, csm_fte: npt.ArrayLike) -> Floats:
    """ARR or accounts per customer success manager: what is managed over full-time equivalents that carry a book.

    Managers, operations and onboarding people do not carry a book. Show both ratios: equal ARR in a hundred accounts is
    more work than in one.

    Example:
        >>> per_csm([2_200, 132_000_000], 29).round().tolist()
        [76.0, 4551724.0]
    """
    return ratio(managed, csm_fte)


def csms_for(accounts: int, accounts_per_csm: float) -> int:
    """Whole people for that many accounts at that ratio, rounded up. A ratio knows no hours, waits or peaks.

    Raises:
        InputError: fewer than 0 accounts, or a ratio of 0 or less.

    Example:
        >>> csms_for(60, 15), csms_for(61, 15)
        (4, 5)
    """
    if accounts < 0:
        raise InputError(where="accounts", found=str(accounts), allowed="0 or more")
    if not accounts_per_csm > 0:
        raise InputError(where="accounts_per_csm", found=f"{accounts_per_csm:g}", allowed="more than 0")
    return int(np.ceil(accounts / accounts_per_csm))


def new_arr_needed(base: npt.ArrayLike, growth: npt.ArrayLike, churn: npt.ArrayLike) -> Floats:
    """New ARR of a period that makes the base grow by `growth` after losing `churn`, both shares of 1.

    `base x (growth + churn)`; with growth 0, what it takes to stand still.

    Example:
        >>> float(new_arr_needed(20_000, 0.0, 0.08))
        1600.0
    """
    return np.asarray(np.multiply(base, np.add(growth, churn)), dtype=np.float64)


def arr_ceiling(new_arr: npt.ArrayLike, churn: npt.ArrayLike) -> Floats:
    """Level that a base tends to with constant new ARR and constant churn per period: the leaky bucket, `N / c`.

    Example:
        >>> float(arr_ceiling(5_000_000, 0.20))
        25000000.0
    """
    return ratio(new_arr, churn)


def base_to_new_bookings(nrr: npt.ArrayLike, growth: npt.ArrayLike) -> Floats:
    """Bookings from existing customers per unit of new bookings, given NRR and growth of ARR over the same period.

    ARR grows to `1 + growth`, of which NRR comes from those who were there: `NRR / (1 + growth - NRR)`. NaN where NRR
    alone makes the growth.

    Example:
        >>> round(float(base_to_new_bookings(1.08, 0.26)), 6)
        6.0
    """
    return ratio(nrr, np.subtract(np.add(1.0, growth), nrr))


def forecast_accuracy(call: npt.ArrayLike, close: npt.ArrayLike) -> Floats:
    """Accuracy of a call against what closed: `1 - |call - close| / call`; compare calls of the same day only.

    Day 1, 45 and 90 of a quarter are usual. Below 0 where it closed at more than twice the call; print the bias beside
    it.

    Example:
        >>> forecast_accuracy([100, 100], [90, 110]).tolist()
        [0.9, 0.9]
    """
    return np.asarray(1 - ratio(np.abs(np.subtract(call, close)), call), dtype=np.float64)


def forecast_bias(call: npt.ArrayLike, close: npt.ArrayLike) -> Floats:
    """Signed error of a call: `(call - close) / call`; above 0 the call was too high.

    Example:
        >>> forecast_bias([100, 100], [90, 110]).tolist()
        [0.1, -0.1]
    """
    return ratio(np.subtract(call, close), call)
