"""Books in several currencies are read at their latest rates."""

from pathlib import Path

import pytest

from subsim.book import read_book
from subsim.errors import InputErrors

CONTRACTS = """account_id,start_date,end_date,arr,currency
a,2025-01-01,2025-12-31,1000.00,
b,2025-01-01,2025-12-31,1000.00,EUR
c,2025-01-01,2025-12-31,0.02,GBP
"""
FX = "currency,rate,month\nEUR,1.05,2025-01\nEUR,1.10,2025-03\nEUR,1.50,2025-09\nGBP,1.25,\n"


def folder(tmp_path: Path, **files: str) -> Path:
    tables = {"accounts": "account_id,start_date\na,2025-01-01\nb,2025-01-01\nc,2025-01-01\n", "contracts": CONTRACTS}
    for name, text in (tables | files).items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_amounts_are_at_the_latest_known_rates(tmp_path: Path) -> None:
    book = read_book(folder(tmp_path, fx=FX), as_of="2025-06-30")
    assert book.arr_cents == 100_000 + 110_000 + 3  # 2.5 cents round away from nothing
    assert "EUR 1.1" in book.note
    assert book.bridge()["closing"].iloc[-1] == book.arr_cents


def test_a_later_rate_is_not_known_yet(tmp_path: Path) -> None:
    later = read_book(folder(tmp_path, fx=FX), as_of="2025-10-31")
    assert later.arr_cents == 100_000 + 150_000 + 3


def test_several_currencies_need_rates(tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match="one currency, or a rate for each"):
        read_book(folder(tmp_path), as_of="2025-06-30")


def test_one_currency_needs_none(tmp_path: Path) -> None:
    one = CONTRACTS.replace(",EUR", ",USD").replace(",GBP", ",USD").replace("1000.00,\n", "1000.00,USD\n")
    book = read_book(folder(tmp_path, contracts=one), as_of="2025-06-30")
    assert book.arr_cents == 200_002
    assert book.note == ""
