"""Arithmetic of lifetime value, staffing ratios, plans and money in the customer-success notes, by product functions.

Each test cites its example as `<notes> <example> (<row>)`. Statements that do not follow from their own numbers are
here too: the test shows the gap. docs/concepts/money.md lists them.
"""

import pandas as pd
import pytest

from subsim.ledger import from_contracts, nrr
from subsim.ledger.at_risk import risk_rates
from subsim.ledger.cmrr import Haircut, against_plan, expected_plan
from subsim.ledger.economics import (
    arr_ceiling,
    base_to_new_bookings,
    cac_payback_months,
    csms_for,
    new_arr_needed,
    per_csm,
    renewals_to_break_even,
)
from subsim.ledger.lifetime import (
    first_payment_share,
    ltv_constant,
    ltv_simple,
    ltv_survival,
    with_second_order,
)
from subsim.ledger.revenue import Payment, revenue_schedule
from subsim.ledger.signed import signed_terms

CENTS = 100
MILLION = 100_000_000  # cents


def years(count: int, growth: float) -> float:
    """Lifetime value of $25,000 a year, all years certain, neither margin nor discount."""
    return ltv_survival(25_000, 1.0, [1.0] * count, discount=0.0, growth=growth)


def test_eight_years_at_seven_percent() -> None:
    """1 W4a, W4c (P1-007, P1-008): $256,495, more than ten times the first payment, which is under 10 % of it."""
    value = years(8, 0.07)
    assert value == pytest.approx(256_495.06, abs=0.005)
    assert value / 25_000 == pytest.approx(10.2598, abs=5e-5)
    assert float(first_payment_share(25_000, value)) == pytest.approx(0.09747, abs=5e-6)


def test_eight_years_without_a_price_rise_are_not_ten_times_the_first_payment() -> None:
    """1 W4b (P1-008): 8.0 times; the rise of 7 % is needed for the statement."""
    assert years(8, 0.0) == 200_000
    assert float(first_payment_share(25_000, years(8, 0.0))) == 0.125


def test_acquisition_that_takes_two_years_needs_two_renewals() -> None:
    """1 W5 (P1-009): cost of 24 months of revenue, yearly terms: two renewals; up to 36 months still two."""
    assert float(cac_payback_months(24 * 1000, 12 * 1000, 1.0)) == 24.0
    assert [renewals_to_break_even(months, 12) for months in (24, 30, 35.9)] == [2, 2, 2]
    assert renewals_to_break_even(36, 12) == 3


def test_a_perpetual_licence_takes_most_of_the_value_at_once() -> None:
    """1 W6 (P1-041): $3.0M of $3.5M is 85.71 %."""
    assert float(first_payment_share(3.0, 3.5)) == pytest.approx(0.8571, abs=5e-5)


def test_second_order_revenue() -> None:
    """1 W11 (P1-053): 50 % to 100 % on top of $256,495."""
    assert with_second_order(years(8, 0.07), [0.5, 1.0]).round().tolist() == [384_743, 512_990]


def test_book_of_a_csm_at_acme() -> None:
    """1 W8b (P1-072): 29 CSMs, 2,200 customers, $132M: 76 accounts and $4.55M each; $5.0M on the target."""
    accounts, arr, target = per_csm([2_200, 132e6, 145e6], 29)
    assert accounts == pytest.approx(75.86, abs=0.005)
    assert arr == pytest.approx(4.552e6, abs=500)
    assert target == pytest.approx(5.0e6)
    assert arr / accounts == pytest.approx(60_000)
    assert per_csm([2_200, 145e6], 7).round(1).tolist() == [314.3, 20_714_285.7]


def test_targets_of_the_base_and_of_new_business_at_acme() -> None:
    """1 W8d (P1-072): the base brings twice the new bookings. The printed $145M is $145.2M rounded: 1.986 for 1.989."""
    growth = 1.1 + 73 / 132 - 1
    assert growth == pytest.approx(0.653, abs=5e-4)
    ratio = float(base_to_new_bookings(1.1, growth))
    assert ratio == pytest.approx(145.2 / 73)
    assert ratio / (1 + ratio) == pytest.approx(0.665, abs=5e-4)
    printed = float(base_to_new_bookings(145 / 132, 145 / 132 + 73 / 132 - 1))
    assert (round(printed, 3), round(ratio, 3)) == (1.986, 1.989)


def test_a_year_of_eight_percent_a_month_to_replace() -> None:
    """1 W3c (P1-020, P1-022): 1,600 new customers a month hold 20,000, and lead to 20,000 from anywhere."""
    assert float(new_arr_needed(20_000, 0.0, 0.08)) == pytest.approx(1_600)
    assert float(arr_ceiling(1_600, 0.08)) == pytest.approx(20_000)


def test_ten_years_at_five_percent() -> None:
    """2 T1 (B2-049): $314,447.31, 12.578 times the first deal, which is 7.95 % of it."""
    assert years(10, 0.05) == pytest.approx(314_447.31, abs=0.005)
    assert years(10, 0.05) / 25_000 == pytest.approx(12.578, abs=5e-4)
    assert float(first_payment_share(25_000, years(10, 0.05))) == pytest.approx(0.0795, abs=5e-5)


def test_seven_years_do_not_reach_ten_times() -> None:
    """2 T2 (B2-049): the text's shortest life, 7 years, gives 8.142 times; 9 is the first whole year above ten."""
    assert [round(years(count, 0.05), 2) for count in (7, 8, 9)] == [203_550.21, 238_727.72, 275_664.11]
    multiples = [years(count, 0.05) / 25_000 for count in range(1, 11)]
    assert [round(multiple, 3) for multiple in multiples[6:9]] == [8.142, 9.549, 11.027]
    assert next(count for count, multiple in enumerate(multiples, start=1) if multiple > 10) == 9
    assert years(10, 0.0) / 25_000 == 10.0


@pytest.mark.parametrize(("kept", "growth"), [(0.90, 0.0), (0.857143, 0.05)])
def test_retention_that_makes_ten_times_the_first_payment(kept: float, growth: float) -> None:
    """2 T3 (B2-021): 90 % without growth, 85.7 % with 5 %."""
    assert ltv_constant(1.0, 1.0, kept * (1 + growth), discount=0.0) == pytest.approx(10.0, rel=1e-5)


def test_lifetime_at_85_88_and_90_percent() -> None:
    """2 T30: expected lives of 6.67, 8.33 and 10 years; churn falls by a fifth, then to two thirds."""
    lives = ltv_simple(1.0, 1.0, [0.15, 0.12, 0.10])
    assert lives.round(2).tolist() == [6.67, 8.33, 10.0]
    assert (lives[0] / lives).round(2).tolist() == [1.0, 0.8, 0.67]


def plan(prior_cents: int, churn: float, addon_cents: int, haircut: Haircut = "opening only") -> "pd.Series[int]":
    base = pd.DataFrame({"segment": ["base"], "prior_cents": [prior_cents], "avoidable": [0.0], "unavoidable": [churn]})
    addons = pd.DataFrame({"period": ["first"], "segment": ["base"], "addon_cents": [addon_cents]})
    return expected_plan(base, addons, haircut=haircut).iloc[-1]


def test_opening_plan_and_its_refresh() -> None:
    """2 T9, T10 and 3 W1, W2 (B2-114, P3-005, P3-006): $25M - 10 % = $22.5M, + $1.76M = $24.26M."""
    row = plan(25 * MILLION, 0.10, 176_000_000)
    assert row["unavoidable_churn"] == 2.5 * MILLION
    assert (row["opening_plan"], row["locked"]) == (22.5 * MILLION, 22.5 * MILLION)
    assert row["refreshed"] == 24.26 * MILLION


def test_the_rule_in_words_and_the_example_differ() -> None:
    """2 T11 and 3 section 4 (B2-113, P3-002): 10 % of the revised plan gives $24.084M, the example $24.26M."""
    in_words = plan(25 * MILLION, 0.10, 176_000_000, "every refresh")["refreshed"]
    example = plan(25 * MILLION, 0.10, 176_000_000)["refreshed"]
    assert in_words == 24.084 * MILLION
    assert example - in_words == 0.176 * MILLION


def test_monthly_refresh_of_one_cohort() -> None:
    """2 T12 and 3 W3 (B2-114, P3-007): September's $1.5M plus $225,000 of add-ons is $1.725M."""
    assert plan(1.5 * MILLION, 0.0, 22_500_000)["refreshed"] == 1.725 * MILLION  # type: ignore[arg-type]


def test_a_plan_that_is_not_refreshed_hides_a_miss() -> None:
    """2 T13 (B2-113): $22.5M renewed is 100 % of the opening plan, 92.75 % of the refreshed one."""
    row = plan(25 * MILLION, 0.10, 176_000_000)
    renewed = pd.DataFrame({"period": ["first"], "segment": ["all"], "renewed_cents": [22.5 * MILLION]})
    shares = against_plan(row.to_frame().T, renewed).iloc[0]
    assert (shares["of_opening_plan"], shares["of_locked"]) == (1.0, 1.0)
    assert shares["of_refreshed"] == pytest.approx(0.9275, abs=5e-5)


def test_a_point_of_churn_is_not_a_fifth_more_deals() -> None:
    """2 T14 (B2-102): at $25M and 50 % growth a yearly point needs 2.0 % or 1.67 % more; 20 % takes one a month."""

    def more(before: float, after: float) -> float:
        return float(new_arr_needed(25e6, 0.5, after) / new_arr_needed(25e6, 0.5, before)) - 1

    assert more(0.0, 0.01) == pytest.approx(0.02)
    assert more(0.10, 0.11) == pytest.approx(0.0167, abs=5e-5)
    assert more(0.10, 0.22) == pytest.approx(0.20)
    assert more(0.0, 0.12) == pytest.approx(0.24)
    compounded = 1 - 0.99**12
    assert [round(more(0.0, compounded), 3), round(more(0.10, 0.10 + compounded), 3)] == [0.227, 0.189]


def test_people_by_ratio() -> None:
    """2 T19 (B2-065, B2-066): 60 high-touch accounts need 4 to 12 CSMs, 600 low-touch ones 12 to 30."""
    assert [csms_for(60, 15), csms_for(60, 5)] == [4, 12]
    assert [csms_for(600, 50), csms_for(600, 20)] == [12, 30]


def test_a_rescue_squad_keeps_about_half() -> None:
    """2 T24 (B2-007): of a hundred accounts flagged 90 days before the term ends, fifty are kept: a save rate of 0.5.

    All of them were seen in time, so the detection rate is 1: half of what was lost was lost with open eyes.
    """
    names = [f"c{i:02}" for i in range(100)]
    decided = pd.DataFrame({"account_id": names, "segment": "smb", "due_cents": 100, "kept_cents": [100, 0] * 50})
    decided = decided.assign(start_date=pd.Timestamp("2025-01-01"), due_date=pd.Timestamp("2025-12-31"))
    flags = pd.DataFrame({"account_id": names, "entered": pd.Timestamp("2025-10-02"), "left": pd.NaT})
    rates = risk_rates(decided, flags).iloc[-1]
    assert rates[["at_risk_share", "save_rate", "detection_rate"]].tolist() == [1.0, 0.5, 1.0]


def test_two_years_of_growth() -> None:
    """2 T29 (B2-118): 243 % more in two years is 3.43 times, 85.2 % a year."""
    two_years = float(nrr(343, 100))
    assert two_years == pytest.approx(3.43)
    assert two_years**0.5 == pytest.approx(1.852, abs=5e-4)


def test_books_at_wingtip() -> None:
    """3 W6 (P3-116, P3-117): 12.5, 50, 150 and 425 accounts a CSM; 88.9 and $2.22M over all 18 of them."""
    customers = [25, 11 * 50, 600]
    customers.append(1_600 - sum(customers))
    assert per_csm(customers, [2, 11, 4, 1]).tolist() == [12.5, 50.0, 150.0, 425.0]
    accounts, arr = per_csm([1_600, 40e6], 18)
    assert (round(accounts, 1), round(arr)) == (88.9, 2_222_222)
    assert per_csm(40e6, [17, 21]).round().tolist() == [2_352_941, 1_904_762]
    assert arr / accounts == pytest.approx(25_000)


def test_productivity_of_a_platform_is_not_the_example_it_is_given() -> None:
    """3 W8 (P3-105, P3-106): "at least 25 to 30 %" from 25 accounts is 31 to 33; the example's 30 is only 20 %."""
    now, low, high = (csms_for(2_100, accounts) for accounts in (25, 30, 35))
    assert (now, low, high) == (84, 70, 60)
    assert now / low == pytest.approx(1.20)
    assert now / csms_for(2_100, 25 * 1.25) == pytest.approx(1.25, abs=0.02)
    assert now / high == pytest.approx(1.40)


def test_bookings_from_the_base_at_six_to_eight_times_new_ones() -> None:
    """3 W9 (P3-084): an NRR of 108 % gives 6 times at a growth of 26 % and 8 times at 21.5 %."""
    ratios = base_to_new_bookings(1.08, [0.26, 0.215])
    assert ratios.round(6).tolist() == [6.0, 8.0]
    assert (ratios / (1 + ratios)).round(3).tolist() == [0.857, 0.889]


def test_a_leaky_bucket_fills_to_a_ceiling() -> None:
    """3 W10 (P3-055): $5M of new ARR a year at 20 % churn never passes $25M."""
    assert float(arr_ceiling(5e6, 0.20)) == pytest.approx(25e6)


def signed(account: str, first: str, last: str, arr_cents: int, billing: str, copies: int = 1) -> pd.DataFrame:
    names = [f"{account} {i}" for i in range(copies)]
    contracts = pd.DataFrame({"account_id": names, "arr_cents": arr_cents, "billing": billing})
    contracts = contracts.assign(start_date=pd.Timestamp(first), end_date=pd.Timestamp(last))
    accounts = pd.DataFrame({"account_id": names, "segment": "all customers"})
    ledger = from_contracts(contracts, accounts, first)
    assert ledger["after"].sum() == copies * arr_cents
    return signed_terms(contracts, accounts, first)


def test_twenty_customers_at_a_thousand_a_month() -> None:
    """1 W1a (P1-001, P1-002): $240,000 of ARR is $20,000 of MRR, the invoices of a month; revenue follows the days."""
    terms = signed("customer", "2025-01-01", "2025-12-31", 12_000 * CENTS, "monthly", copies=20)
    months = revenue_schedule(terms, ["2025-01-31", "2025-02-28", "2025-12-31"])
    table = months[months["segment"] == "all"]
    assert table["billings"].tolist() == [20_000 * CENTS, 20_000 * CENTS, 200_000 * CENTS]
    assert table["revenue"].sum() == 240_000 * CENTS
    assert table["revenue"].iloc[0] == 20 * round(12_000 * CENTS * 31 / 365)


def test_six_two_year_contracts() -> None:
    """1 W1b (P1-001): $2M each over two years is ARR of $6M, and bookings and RPO of $12M, half of it current."""
    terms = signed("customer", "2025-01-01", "2026-12-31", MILLION, "annual", copies=6)
    months = revenue_schedule(terms, ["2024-12-31", "2025-01-31", "2025-12-31", "2026-12-31"])
    table = months[months["segment"] == "all"].set_index("month")
    assert table["bookings"].sum() == 12 * MILLION
    assert table.loc["2025-12-31", ["rpo", "crpo", "deferred_revenue"]].tolist() == [6 * MILLION, 6 * MILLION, 0]
    assert table.loc[["2025-01-31", "2025-12-31"], "revenue"].sum() == 6 * MILLION


def test_first_year_of_financiality() -> None:
    """3 W7 (P3-118): signed 2014-06-30 for $29,000 a year. The one-off $15,000 is no ARR: it is not in the schedule."""
    terms = signed("Financiality", "2014-06-30", "2015-06-29", 29_000 * CENTS, "annual")
    months = revenue_schedule(terms, ["2014-06-30", "2014-12-31", "2015-06-30", "2015-07-31"], Payment(days_to_pay=30))
    table = months[months["segment"] == "all"].set_index("month")
    assert table["revenue"].sum() == table["collections"].sum() == 29_000 * CENTS
    assert table.loc["2014-12-31", "deferred_revenue"] == round(29_000 * CENTS * 180 / 365)
    assert table.loc["2014-06-30", ["receivables", "revenue"]].tolist() == [29_000 * CENTS, round(29_000 * CENTS / 365)]
