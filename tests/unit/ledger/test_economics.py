"""Lifetime value, unit economics and at-risk rates: limits, order between forms, refusals, exact answers."""

import doctest
import importlib
from math import isnan, prod

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsim.errors import InputError
from subsim.ledger import economics
from subsim.ledger.at_risk import risk_rates
from subsim.ledger.economics import (
    arr_ceiling,
    cac_payback_months,
    csms_for,
    forecast_accuracy,
    forecast_bias,
    magic_number_annualised,
    magic_number_quarterly,
    new_arr_needed,
    renewals_to_break_even,
)
from subsim.ledger.lifetime import ltv_board, ltv_constant, ltv_simple, ltv_survival, with_second_order

SHARE = st.floats(0.01, 1)
MONEY = st.floats(1, 1e9)


@pytest.mark.parametrize("module", ["lifetime", "economics", "at_risk", "cmrr", "revenue", "signed"])
def test_examples_of_docstrings_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"subsim.ledger.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


@given(MONEY, SHARE, SHARE, st.floats(0, 1))
def test_board_grade_is_never_above_the_minimum_form(arpa: float, margin: float, churn: float, discount: float) -> None:
    board, simple = float(ltv_board(arpa, margin, churn, discount)), float(ltv_simple(arpa, margin, churn))
    assert board <= simple
    if discount == 0:
        assert board == simple


@given(MONEY, SHARE, st.floats(0.1, 0.99), st.floats(0, 1), st.floats(-0.1, 0.3), st.integers(1, 40))
def test_constant_form_is_the_survival_form_with_a_constant_share(
    arpa: float, margin: float, kept: float, discount: float, growth: float, periods: int
) -> None:
    curve = [kept**t for t in range(periods)]
    summed = ltv_survival(arpa, margin, curve, discount, growth)
    assert summed == pytest.approx(ltv_constant(arpa, margin, kept * (1 + growth), discount, periods))


@given(st.floats(0.1, 0.95), st.floats(0, 0.5))
def test_a_long_horizon_tends_to_the_sum_without_end(nrr: float, discount: float) -> None:
    endless = ltv_constant(1000.0, 0.8, nrr, discount)
    assert ltv_constant(1000.0, 0.8, nrr, discount, 1000) == pytest.approx(endless)
    assert ltv_constant(1000.0, 0.8, nrr, discount, 5) < endless


def test_retention_of_80_percent_at_a_rate_of_12() -> None:
    """Margin 100, retention 0.8, rate 0.12, first payment after one period: 250 (Gupta, Lehmann and Stuart, 2004)."""
    assert ltv_constant(100.0, 1.0, 0.8, 0.12) - 100.0 == pytest.approx(250.0)


def survivors(alpha: float, beta: float, periods: int) -> list[float]:
    """Shifted beta-geometric survival: S(t) = product of (beta + i) / (alpha + beta + i) for i < t."""
    return [prod((beta + i) / (alpha + beta + i) for i in range(t)) for t in range(periods)]


@pytest.mark.parametrize(
    ("alpha", "beta", "lifetime", "residual_1", "residual_4"),
    [(0.668, 3.806, 5.9225964, 5.414856, 6.6202803), (0.704, 1.182, 3.6951474, 2.9646621, 5.4423913)],
)
def test_discounted_lifetimes_of_sbg(
    alpha: float, beta: float, lifetime: float, residual_1: float, residual_4: float
) -> None:
    """Fader and Hardie's curves at a rate of 10 %: expected lifetime, and residual lifetime before a renewal."""
    curve = survivors(alpha, beta, 400)
    assert ltv_survival(1.0, 1.0, curve, 0.1) == pytest.approx(lifetime, rel=1e-6)
    for renewal, residual in ((1, residual_1), (4, residual_4)):
        rest = [share / curve[renewal - 1] for share in curve[renewal:]]
        assert ltv_survival(1.0, 1.0, rest, 0.1) == pytest.approx(residual, rel=1e-6)


def test_growth_faster_than_the_discount_needs_a_horizon() -> None:
    with pytest.raises(InputError, match=r"discount above NRR - 1 = 0\.2.*give a horizon"):
        ltv_constant(1.0, 1.0, nrr=1.2, discount=0.2)
    assert ltv_constant(1.0, 1.0, nrr=1.2, discount=0.2, horizon_periods=7) == pytest.approx(7.0)
    assert ltv_constant(1.0, 1.0, nrr=1.2, discount=0.25) == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: ltv_simple(100, 0.8, 1.5), "churn"),
        (lambda: ltv_simple(100, 80, 0.1), "gross_margin"),
        (lambda: ltv_board(100, 0.8, -0.1, 0.1), "churn"),
        (lambda: ltv_board(100, 0.8, 0.1, -0.1), "discount"),
        (lambda: ltv_survival(100, 0.8, [], 0.1), "survival"),
        (lambda: ltv_survival(100, 0.8, [1.0, 0.5, 0.6], 0.1), "survival"),
        (lambda: ltv_survival(100, 0.8, [1.0, float("nan")], 0.1), "survival"),
        (lambda: ltv_survival(100, 0.8, [100.0, 90.0], 0.1), "survival"),
        (lambda: ltv_constant(100, 0.8, -0.1, 0.1), "nrr"),
        (lambda: ltv_constant(100, 0.8, 0.9, 0.1, 0), "horizon_periods"),
        (lambda: with_second_order(100, -0.5), "share"),
        (lambda: cac_payback_months(1, 1, 80), "gross_margin"),
        (lambda: renewals_to_break_even(float("nan"), 12), "payback_months"),
        (lambda: renewals_to_break_even(24, 0), "term_months"),
        (lambda: csms_for(10, 0), "accounts_per_csm"),
        (lambda: csms_for(-1, 10), "accounts"),
    ],
)
def test_what_cannot_be_is_refused(call: object, where: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.where == where
    assert caught.value.allowed


def test_nothing_to_divide_by_is_nan_and_not_an_error() -> None:
    for value in (
        ltv_simple(100, 0.8, 0),
        ltv_board(100, 0.8, 0, 0),
        economics.cac_ratio_new(1, 0),
        economics.cac_ratio_blended(1, 0, 0),
        economics.cac_ratio_expansion(1, 1, 0),
        cac_payback_months(1, 0, 0.8),
        magic_number_annualised(2, 1, 0),
        economics.burn_multiple(1, 0),
        economics.cs_cost_share(1, 0),
        economics.per_csm(1, 0),
        economics.base_to_new_bookings(1.2, 0.2),
        arr_ceiling(1, 0),
        forecast_accuracy(0, 1),
    ):
        assert isnan(float(value))


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), MONEY)
def test_the_common_magic_number_is_four_times_the_other(revenue: float, before: float, spent: float) -> None:
    assert magic_number_annualised(revenue, before, spent) == 4 * magic_number_quarterly(revenue, before, spent)


@given(MONEY, st.floats(0.01, 0.9), st.floats(0, 1))
def test_a_bucket_at_its_ceiling_needs_all_new_arr_to_stand_still(new: float, churn: float, growth: float) -> None:
    ceiling = float(arr_ceiling(new, churn))
    assert float(new_arr_needed(ceiling, 0.0, churn)) == pytest.approx(new)
    assert float(new_arr_needed(ceiling, growth, churn)) == pytest.approx(new + growth * ceiling)


@given(MONEY, MONEY)
def test_accuracy_is_one_less_the_size_of_the_bias(call: float, close: float) -> None:
    bias = float(forecast_bias(call, close))
    assert float(forecast_accuracy(call, close)) == pytest.approx(1 - abs(bias))
    assert (bias > 0) == (call > close)


def decisions(*kept: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(len(kept))],
            "segment": "smb",
            "start_date": pd.Timestamp("2025-01-01"),
            "due_date": pd.Timestamp("2025-12-31"),
            "due_cents": 100,
            "kept_cents": kept,
        }
    )


def flags(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "entered", "left"])
    return table.assign(entered=pd.to_datetime(table["entered"]), left=pd.to_datetime(table["left"]))


@pytest.mark.parametrize(
    ("entered", "left", "at_risk", "detected"),
    [
        ("2025-11-01", None, 100, 100),  # day 60 before is 1 November
        ("2025-11-02", None, 100, 0),
        ("2025-12-31", None, 100, 0),
        ("2026-01-01", None, 0, 0),
        ("2024-06-01", "2025-01-01", 0, 0),  # the term before
        ("2024-06-01", "2025-01-02", 100, 0),
        ("2025-03-01", "2025-11-01", 100, 0),
        ("2025-03-01", "2025-11-02", 100, 100),
    ],
)
def test_days_on_which_a_flag_counts(entered: str, left: str | None, at_risk: int, detected: int) -> None:
    rates = risk_rates(decisions(0), flags(("a0", entered, left))).iloc[-1]
    assert (rates["at_risk"], rates["detected"]) == (at_risk, detected)


def test_rates_of_saves_and_detection() -> None:
    """100 due each: one saved whole, one in part, one lost unseen, one kept without a flag; two flags count once."""
    marks = flags(("a0", "2025-02-01", "2025-05-01"), ("a1", "2025-08-01", None), ("a1", "2025-09-01", None))
    rates = risk_rates(decisions(100, 40, 0, 120), marks)
    assert rates["segment"].tolist() == ["smb", "all"]
    whole = rates.iloc[-1]
    assert whole[["due", "at_risk", "saved", "lost", "detected"]].tolist() == [400, 200, 140, 160, 60]
    assert whole[["at_risk_share", "save_rate", "detection_rate"]].tolist() == [0.5, 0.7, 0.375]


def test_no_flags_no_save_rate() -> None:
    rates = risk_rates(decisions(100, 0), flags()).iloc[-1]
    assert np.isnan(rates["save_rate"])
    assert rates["detection_rate"] == 0.0
