"""How exports write dates, amounts and headers, and what a mapping says about it."""

from pathlib import Path

import pytest

from subsim.book import Book, read_book
from subsim.book.cube import month_of
from subsim.errors import InputErrors
from tests.unit.book.test_reader import ACCOUNTS, CONTRACTS, folder

HEADER = "account_id,start_date,end_date,arr\n"


def read(path: Path, contracts: str, mapping: str = "", accounts: str = ACCOUNTS) -> Book:
    text = f"tables:\n  contracts: {{{mapping}}}\n" if mapping else "{}\n"
    return read_book(folder(path, contracts=contracts, accounts=accounts, mapping=text), as_of="2025-06-30")


def refusal(path: Path, contracts: str, mapping: str = "") -> str:
    with pytest.raises(InputErrors) as caught:
        read(path, contracts, mapping)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "mapping", "day"),
    [
        ("2024-05-31 23:30", "", "2024-05-31"),
        ("2024-05-31T23:30:00Z", "", "2024-05-31"),
        ("2024-05-31T23:30:00.5+02:00", "time_zone: UTC", "2024-05-31"),
        ("2024-05-31T23:30:00Z", "time_zone: Europe/Berlin", "2024-06-01"),
        ("2024-05-31 23:30:00 UTC", "time_zone: Europe/Berlin", "2024-06-01"),
        ("2024-05-31 23:30:00-0800", "time_zone: Europe/Berlin", "2024-06-01"),
        ("2024-05-31 01:00:00+00", "time_zone: America/New_York", "2024-05-30"),
        ("2024-05-31 23:30", "time_zone: Europe/Berlin", "2024-05-31"),  # no offset: as it is written
        ("45443", "dates: excel", "2024-05-31"),
        ("45443.75", "dates: excel", "2024-05-31"),
        ("31.5.2024", "dates: '%d.%m.%Y'", "2024-05-31"),
        ("05/31/24", "dates: '%m/%d/%y'", "2024-05-31"),
        ("31-May-2024", "dates: '%d-%b-%Y'", "2024-05-31"),
    ],
)
def test_dates(tmp_path: Path, written: str, mapping: str, day: str) -> None:
    book = read(tmp_path, f"{HEADER}a,{written},2026-01-01,5\n", mapping)
    assert str(book.tables["contracts"]["start_date"].dt.date[0]) == day


@pytest.mark.parametrize(
    ("written", "mapping", "advice"),
    [
        ("45443", "", "dates: excel"),
        ("12", "dates: excel", "a date"),
        ("31.05.2024", "", "dates: '%d.%m.%Y'"),
        ("31/05/24", "", "with %y for two digits"),
        ("31/05/24", "dates: '%d/%m/%Y'", "a date"),
        ("2024-05-31T25:00Z", "", "a date"),
        ("2024-05-31T23:30:00 CET", "time_zone: UTC", "a date"),
    ],
)
def test_dates_that_are_refused(tmp_path: Path, written: str, mapping: str, advice: str) -> None:
    message = refusal(tmp_path, f"{HEADER}a,{written},2026-01-01,5\n", mapping)
    assert f"contracts.csv:2 start_date: found '{written}'" in message
    assert advice in message


@pytest.mark.parametrize(
    ("written", "mapping", "cents"),
    [
        ('"$1,200.50"', "", 120_050),
        ("€ 1 200.50", "", 120_050),
        ("1\u202f200.50 EUR", "", 120_050),
        ("CHF 1'200.50", "", 120_050),
        ("£1.2M", "", 120_000_000),
        ("1.200", "", 120),  # trailing zeros are no third decimal
        ("1200,50", "decimal: ','", 120_050),
        ("1.200,50 €", "decimal: ','", 120_050),
        ("1.200", "decimal: ','", 120_000),
        ("9007199254740.93", "", 900_719_925_474_093),  # more digits than a float holds
    ],
)
def test_amounts(tmp_path: Path, written: str, mapping: str, cents: int) -> None:
    rows = f"account_id|start_date|end_date|arr\na|2024-01-01|2025-12-31|{written.strip('"')}\n"
    assert read(tmp_path, rows, mapping).tables["contracts"]["arr_cents"].tolist() == [cents]


@pytest.mark.parametrize(
    ("written", "mapping", "advice"),
    [
        ("1200,5", "", "decimal: ','"),
        ("1200.50", "decimal: ','", "amount"),
        ("(1,200.00)", "", "-1,200"),
        ("1,20,000", "", "amount"),
        ("5 apples", "", "amount"),
    ],
)
def test_amounts_that_are_refused(tmp_path: Path, written: str, mapping: str, advice: str) -> None:
    message = refusal(tmp_path, f"account_id|start_date|end_date|arr\na|2024-01-01|2025-12-31|{written}\n", mapping)
    assert "contracts.csv:2 arr: found" in message
    assert advice in message


@pytest.mark.parametrize(
    ("dates", "total", "annual_cents"),
    [
        ("2023-01-01,2025-12-31", "3600", 120_000),
        ("2024-02-29,2025-02-27", "100", 10_000),
        ("2023-01-01,2025-12-31", "100", 3_333),  # 33.33 and a third: half up to a cent
        ("2024-01-01,2025-06-30", "0.01", 1),  # 0.67 of a cent
        ("2024-01-01,2024-04-09", "100", 36_500),  # 100 days
    ],
)
def test_totals_of_a_term_become_a_year(tmp_path: Path, dates: str, total: str, annual_cents: int) -> None:
    book = read(tmp_path, f"{HEADER}a,{dates},{total}\n", "arr_is: total")
    assert book.tables["contracts"]["arr_cents"].tolist() == [annual_cents]


def test_totals_by_stated_term_and_monthly_amounts(tmp_path: Path) -> None:
    rows = "account_id,start_date,end_date,arr,term_months,list_arr\na,2024-01-01,,600,24,700\nb,2024-02-01,,50,1,\n"
    contracts = read(tmp_path / "total", rows, "arr_is: total").tables["contracts"]
    assert contracts["arr_cents"].tolist() == [30_000, 60_000]
    assert contracts["list_arr_cents"].tolist() == [35_000, 0]
    assert read(tmp_path / "monthly", rows, "arr_is: monthly").arr_cents == 12 * 65_000


def test_first_days_out_end_terms_before_totals_are_spread(tmp_path: Path) -> None:
    contracts = f"{HEADER}a,2024-01-01,2026-01-01,2400\n"
    book = read(tmp_path, contracts, "arr_is: total, end_date_is: first_day_out")
    assert book.arr_cents == 120_000


def test_constants_and_words(tmp_path: Path) -> None:
    rows = (
        HEADER.replace("arr", "arr,billing") + "a,2024-01-01,2025-12-31,5,Yearly\nb,2024-02-01,2025-12-31,5,MONTHLY\n"
    )
    mapping = "constants: {currency: EUR, product: '2'}, values: {billing: {yearly: annual}}"
    contracts = read(tmp_path, rows, mapping).tables["contracts"]
    assert contracts["billing"].tolist() == ["annual", "monthly"]
    assert contracts["currency"].tolist() == ["EUR", "EUR"]
    assert contracts["product"].tolist() == ["2", "2"]
    message = refusal(tmp_path, rows)
    assert "contracts.csv:2 billing: found 'Yearly'; allowed: one of annual, quarterly, monthly" in message


@pytest.mark.parametrize(
    ("mapping", "where", "found"),
    [
        ("dates: soon", "dates", "'soon'"),
        ("decimal: x", "decimal", "'x'"),
        ("time_zone: Berlin", "time_zone", "'Berlin'"),
        ("arr_is: weekly", "arr_is", "'weekly'"),
        ("constants: {colour: red}", "constants.colour", "unknown column colour"),
        ("values: {colour: {a: b}}", "values.colour", "unknown column colour"),
        ("constants: {arr: '5'}, columns: {arr: acv}", "constants.arr", "a column and a constant"),
    ],
)
def test_mappings_that_are_wrong(tmp_path: Path, mapping: str, where: str, found: str) -> None:
    assert f"book.yaml:2 tables.contracts.{where}: found {found}" in refusal(tmp_path, CONTRACTS, mapping)


@pytest.mark.parametrize(
    "header",
    [
        "2026-01",
        "2026-01-31",
        "2026-01-31 00:00:00",
        "2026/01",
        "202601",
        "2026M01",
        "01/2026",
        "1/2026",
        "Jan-26",
        "jan 2026",
        "January 2026",
        "Jan'26",
        "2026 Jan",
        "MRR 2026-01",
        "mrr_jan_26",
    ],
)
def test_headers_of_months(header: str) -> None:
    assert month_of(header) == "2026-01"


@pytest.mark.parametrize("header", ["2026", "2026-13", "26-01", "01/26", "january", "seats 2026", "20260131x", "mrr"])
def test_headers_that_are_no_months(header: str) -> None:
    assert month_of(header) is None


def test_a_month_in_two_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mrr.csv").write_text("account_id,2025-06,Jun-25\na,1,2\n")
    with pytest.raises(InputErrors, match=r"columns '2025-06' and 'Jun-25' for 2025-06"):
        read_book(tmp_path, as_of="2025-06-30")


def test_quoted_headers_of_any_delimiter(tmp_path: Path) -> None:
    quoted = CONTRACTS.replace("account_id,start_date", '"account_id","start_date"')
    assert read(tmp_path / "comma", quoted).arr_cents == 2_550_050
    tabs = CONTRACTS.replace(",", "\t").replace("account_id\tstart_date", '"account_id"\t"start_date"')
    assert read(tmp_path / "tab", tabs).arr_cents == 2_550_050


def test_signals_of_health_are_columns_of_numbers(tmp_path: Path) -> None:
    health = "account_id,date,logins,Errors,plan,seats used\na,2025-05-31,5,,Pro,1\na,2025-06-30,7,0.5,Pro,\n"
    path = folder(tmp_path, health=health, mapping="tables:\n  health:\n    columns: {usage: '\"seats used\" * 2'}\n")
    table = read_book(path, as_of="2025-06-30").tables["health"]
    assert table["logins"].tolist() == [5.0, 7.0]
    assert table["Errors"].tolist()[1] == 0.5
    assert table["usage"].tolist()[0] == 2.0
    assert "plan" not in table
    assert table["score"].isna().all()
