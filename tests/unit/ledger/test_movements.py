import pandas as pd
import pytest

from subsim.errors import InputErrors
from subsim.ledger import bridge, from_movements, month_ends_between, movement_problems
from tests.unit.ledger.test_rows import ACCOUNTS, story

GOOD = [
    ("b", "2025-03-01", "new", 500),
    ("a", "2025-01-10", "new", 100),
    ("a", "2025-06-10", "price", 110),
    ("a", "2026-01-10", "renewal", 150),
    ("a", "2026-01-10", "contraction", 120),
    ("a", "2026-02-01", "churn", 0),
    ("a", "2026-05-01", "reactivation", 90),
]


def movements(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "date", "kind", "arr_after_cents"])
    return table.assign(date=pd.to_datetime(table["date"]))


def test_movements_become_rows_and_a_renewal_to_another_amount_two_of_them() -> None:
    ledger = from_movements(movements(*GOOD), ACCOUNTS, "2026-12-31")
    assert story(ledger) == [
        ("2025-01-10", "new", 0, 100),
        ("2025-06-10", "price", 100, 110),
        ("2026-01-10", "renewal", 110, 110),
        ("2026-01-10", "expansion", 110, 150),
        ("2026-01-10", "contraction", 150, 120),
        ("2026-02-01", "churn", 120, 0),
        ("2026-05-01", "reactivation", 0, 90),
        ("2025-03-01", "new", 0, 500),
    ]
    assert ledger["segment"].tolist() == ["smb"] * 7 + ["enterprise"]
    january = bridge(ledger, month_ends_between("2026-01-01", "2026-01-31"), by=None).iloc[0]
    assert january[["opening", "expansion", "contraction", "closing"]].tolist() == [610, 40, 30, 620]


def test_what_is_later_than_as_of_has_not_happened() -> None:
    table = movements(*GOOD).assign(notice_date=pd.to_datetime([None] * 5 + ["2026-01-20", None]))
    ledger = from_movements(table, ACCOUNTS, "2026-02-01")
    assert story(ledger)[-2] == ("2026-02-01", "churn", 120, 0)
    assert ledger["notice_date"].dropna().dt.strftime("%Y-%m-%d").tolist() == ["2026-01-20"]
    assert len(from_movements(table, ACCOUNTS, "2025-01-31")) == 1


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (("a", "2025-01-01", "expansion", 100), "expansion from 0.00 to 1.00, the account's first movement"),
        (("a", "2025-01-01", "reactivation", 100), "reactivation from 0.00 to 1.00, the account's first movement"),
        (("b", "2025-04-01", "new", 600), "new from 5.00 to 6.00"),
        (("b", "2025-04-01", "expansion", 500), "expansion from 5.00 to 5.00"),
        (("b", "2025-04-01", "contraction", 0), "contraction from 5.00 to 0.00"),
        (("b", "2025-04-01", "contraction", 700), "contraction from 5.00 to 7.00"),
        (("b", "2025-04-01", "churn", 10), "churn from 5.00 to 0.10"),
        (("b", "2025-04-01", "price", 0), "price from 5.00 to 0.00"),
        (("b", "2025-04-01", "renewal", 0), "renewal from 5.00 to 0.00"),
        (("b", "2025-04-01", "upsell", 600), "upsell from 5.00 to 6.00"),
    ],
)
def test_a_kind_that_does_not_fit_its_amounts_is_refused(row: tuple[str, str, str, int], found: str) -> None:
    table = movements(GOOD[0], row).set_index(pd.Index([7, 9]))
    problems = movement_problems(table)
    assert problems["found"].to_dict() == {9: found}
    with pytest.raises(InputErrors) as caught:
        from_movements(table, ACCOUNTS, "2026-12-31")
    [error] = caught.value.errors
    assert (error.where, error.found) == (f"movements {row[0]} {row[1]}", found)


def test_all_problems_are_told_at_once() -> None:
    wrong = [GOOD[0], ("b", "2025-04-01", "churn", 10), ("b", "2025-05-01", "churn", 0), ("b", "2025-06-01", "new", 5)]
    assert movement_problems(movements(*wrong))["allowed"].str.split(":").str[0].tolist() == ["churn", "new"]


def test_no_movements_make_an_empty_ledger() -> None:
    assert from_movements(movements(*GOOD), ACCOUNTS, "2024-12-31").empty
