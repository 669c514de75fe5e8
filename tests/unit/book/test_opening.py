import datetime as dt
from pathlib import Path

import pytest

from subsim.book import empirical_rates, read_book
from subsim.book.rates import log_hazard
from subsim.errors import InputError
from tests.unit.book.test_reader import folder

DAY = 1440
ACCOUNTS = "account_id,start_date,segment\n" + "".join(f"{name},2023-01-01,smb\n" for name in "abcd")
CONTRACTS = (
    "account_id,start_date,end_date,arr\n"
    "a,2023-07-01,2024-06-30,100\na,2024-07-01,2025-06-30,120\n"  # due the moment the simulation starts
    "b,2024-06-16,2025-06-15,50\n"  # late, within the grace
    "c,2024-01-01,2026-12-31,900\nc,2025-03-01,2025-09-30,100\n"  # main contract and an add-on
    "d,2023-01-01,2024-12-31,70\n"  # lost
)


def test_opening_state_by_hand(tmp_path: Path) -> None:
    book = read_book(folder(tmp_path, accounts=ACCOUNTS, contracts=CONTRACTS), as_of="2025-06-30")
    opening = book.opening(dt.date(2025, 7, 1))
    live = opening.accounts.set_index("account_id")
    assert live.index.tolist() == ["a", "b", "c"]
    assert live["arr_cents"].tolist() == [12_000, 5_000, 100_000]
    assert live["first_arr_cents"].tolist() == [10_000, 5_000, 90_000]
    assert live["term_end_minute"].tolist() == [0, 0, (dt.date(2027, 1, 1) - dt.date(2025, 7, 1)).days * DAY]
    assert live["term_months"].tolist() == [12, 12, 36]
    assert live["renewals"].tolist() == [1, 0, 0]
    assert live.loc["a", "start_minute"] == -(dt.date(2025, 7, 1) - dt.date(2023, 7, 1)).days * DAY
    assert live.loc["a", ["arr_1", "arr_11", "arr_12"]].tolist() == [12_000, 12_000, 10_000]
    assert live.loc["c", ["arr_4", "arr_5"]].tolist() == [90_000, 90_000]
    assert live.loc["c", "arr_3"] == 100_000
    assert opening.lost_arr["smb"].tolist() == [0] * 6 + [7_000] * 7
    assert live["onboarded"].tolist() == [-1, -1, -1]
    assert any("2 customers have a renewal due or late" in line for line in book.describe())


def test_start_is_the_day_after_as_of(tmp_path: Path) -> None:
    book = read_book(folder(tmp_path, accounts=ACCOUNTS, contracts=CONTRACTS), as_of="2025-06-30")
    with pytest.raises(InputError, match=r"start: found 2025-08-01; allowed: 2025-07-01.*as_of=2025-07-31"):
        book.opening(dt.date(2025, 8, 1))


def test_rates_count_what_came_due(tmp_path: Path) -> None:
    book = read_book(folder(tmp_path, accounts=ACCOUNTS, contracts=CONTRACTS), as_of="2025-06-30")
    rates = {(row["parameter"], row["term_months"]): row for row in empirical_rates(book)}
    both = rates["renewal.base", None]
    assert (both["events"], both["exposure"]) == (1, 2)
    assert (rates["renewal.base", 12]["exposure"], rates["renewal.base", 24]["exposure"]) == (1, 1)
    assert rates["expansion.rate", None]["events"] == 2
    assert rates["contraction.rate", None]["events"] == 0
    assert rates["arrival.plan", None]["value"] == 0.0


def test_log_hazard_is_the_delta_method() -> None:
    hazard = log_hazard(80, 20)
    p, step = 80.5 / 101, 1e-6
    from math import log, sqrt

    slope = (log(-log(p + step)) - log(-log(p - step))) / (2 * step)
    assert hazard.mean == pytest.approx(log(-log(p)))
    assert hazard.sd == pytest.approx(abs(slope) * sqrt(p * (1 - p) / 102), rel=1e-6)
