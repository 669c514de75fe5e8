import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsim.errors import InputError
from subsim.ledger import bridge, bridge_with_rates, in_constant_currency, month_ends_between
from subsim.ledger.currency import converted
from tests.unit.ledger.test_metrics import Row, ledger

RATES = pd.DataFrame({"currency": ["USD", "EUR", "JPY"], "rate": ["1", 1.0853, "0.0067"]})
HISTORY: tuple[Row, ...] = (
    ("a", "2025-01-10", "new", 0, 10_000),
    ("a", "2025-03-10", "contraction", 10_000, 4_000),
    ("b", "2025-01-10", "new", 0, 700),
    ("b", "2025-02-10", "churn", 700, 0),
)
ENDS = month_ends_between("2025-01-01", "2025-03-31")
BY_MONTH = pd.DataFrame(
    {
        "currency": ["EUR"] * 3 + ["USD"] * 3,
        "month": pd.to_datetime(["2025-01-31", "2025-02-28", "2025-03-31"] * 2),
        "rate": ["1.10", "1.20", "1.00", "1", "1", "1"],
    }
)


def test_amounts_are_rounded_to_the_cent_halves_away_from_zero() -> None:
    rates = pd.DataFrame({"currency": ["x"], "rate": ["0.5"]})
    assert converted([3, -3, 4, 1, 0], ["x"] * 5, rates).tolist() == [2, -2, 2, 1, 0]
    tiny = pd.DataFrame({"currency": ["x"], "rate": ["0.0001"]})
    assert converted([1, 0, -1], ["x"] * 3, tiny).tolist() == [1, 0, -1]


@given(st.integers(1, 10**15), st.integers(1, 10**11))
def test_conversion_is_exact_in_whole_numbers(cents: int, parts: int) -> None:
    if cents * parts > 9 * 10**28:
        parts = 10**10
    rate = f"{parts // 10**10}.{parts % 10**10:010d}"
    got = converted([cents], ["x"], pd.DataFrame({"currency": ["x"], "rate": [rate]}))[0]
    assert got == max(1, (2 * cents * parts + 10**10) // (2 * 10**10))


def test_all_amounts_of_a_table_are_converted() -> None:
    table = pd.DataFrame({"account_id": ["a", "b"], "currency": ["EUR", "JPY"], "arr_cents": [10_000, 1_000_000]})
    assert in_constant_currency(table, RATES)["arr_cents"].tolist() == [10_853, 6_700]


def test_a_ledger_at_constant_rates_closes_again() -> None:
    rows = ledger(*HISTORY).assign(currency=["EUR", "EUR", "JPY", "JPY"])
    table = bridge(in_constant_currency(rows, RATES), ENDS, by=None)
    assert table["closing"].tolist() == [10_853 + 5, 10_853, 4_341]
    assert table["contraction"].tolist() == [0, 0, 6_512]


def test_rates_have_a_line_of_their_own() -> None:
    rows = ledger(*HISTORY, segment={"a": "x", "b": "y"}).assign(currency=["EUR", "EUR", "USD", "USD"])
    table = bridge_with_rates(rows, ENDS, BY_MONTH)
    total = table[table["segment"] == "all"]
    assert total["opening"].tolist() == [0, 11_700, 12_000]
    assert total["fx"].tolist() == [0, 1_000, -2_000]
    assert total[["new", "churn", "contraction"]].sum().tolist() == [11_700, 700, 6_000]
    assert total["closing"].tolist() == [11_700, 12_000, 4_000]
    assert table.loc[table["segment"] == "y", "fx"].tolist() == [0, 0, 0]
    assert bridge_with_rates(rows, ENDS, BY_MONTH, by=None)["fx"].tolist() == total["fx"].tolist()
    gained = total["new"] + total["expansion"] + total["reactivation"] - total["contraction"] - total["churn"]
    assert np.array_equal(total["opening"] + gained + total["fx"], total["closing"])


def test_without_rates_of_the_month_before_the_first_month_opens_at_its_own() -> None:
    rows = ledger(*HISTORY).assign(currency="EUR")
    table = bridge_with_rates(rows, ENDS[1:], BY_MONTH[1:], by=None)
    assert table["opening"].tolist() == [12_840, 12_000]
    assert table["fx"].tolist() == [0, -2_000]


@pytest.mark.parametrize(
    ("rates", "says"),
    [
        (RATES[:1], "no rate for EUR"),
        (RATES.assign(rate=["1", "-2", "1"]), "-2"),
        (RATES.assign(rate=["1", "one", "1"]), "one"),
        (RATES.assign(rate=["1", "1.00000000001", "1"]), "ten decimals"),
        (pd.concat([RATES, RATES[1:2]]), "EUR twice"),
    ],
)
def test_rates_that_are_no_rates_are_refused(rates: pd.DataFrame, says: str) -> None:
    with pytest.raises(InputError, match=says):
        converted([1], ["EUR"], rates)


def test_a_month_without_a_rate_is_named() -> None:
    with pytest.raises(InputError, match="no rate for EUR in 2025-03"):
        bridge_with_rates(ledger(*HISTORY).assign(currency="EUR"), ENDS, BY_MONTH[:2])
