"""Broken books: every problem is named with file, row and column, all together, and nothing else is raised."""

from pathlib import Path

import pytest

from subsim.book import read_book
from subsim.errors import InputErrors
from tests.unit.book.test_reader import ACCOUNTS, CONTRACTS, folder

CONTRACT = "account_id,start_date,end_date,arr\n"
CASES = {
    "missing column": (
        {"contracts": CONTRACTS.replace(",arr\n", ",ar\n")},
        "contracts.csv:1: found no column arr",
        "did you mean ar?",
    ),
    "no end": ({"contracts": CONTRACT + "a,2024-01-01,,5\n"}, "contracts.csv:2 end_date: found nothing", "term_months"),
    "two-digit year": (
        {"contracts": CONTRACT + "a,01/02/24,2025-01-01,5\n"},
        "contracts.csv:2 start_date: found '01/02/24'",
        "2026-06-30",
    ),
    "no such day": (
        {"contracts": CONTRACT + "a,2023-02-29,2025-01-01,5\n"},
        "contracts.csv:2 start_date",
        "year-month-day",
    ),
    "time of day": (
        {"contracts": CONTRACT + "a,2023-02-01 25:00,2025-01-01,5\n"},
        "contracts.csv:2 start_date",
        "date",
    ),
    "negative": (
        {"contracts": CONTRACT + "a,2024-01-01,2025-01-01,-5\n"},
        "contracts.csv:2 arr: found -5.00",
        "0 or more a year",
    ),
    "three decimals": (
        {"contracts": CONTRACT + "a,2024-01-01,2025-01-01,5.125\n"},
        "contracts.csv:2 arr: found '5.125'",
        "two decimals",
    ),
    "not money": (
        {"contracts": CONTRACT + "a,2024-01-01,2025-01-01,lots\n"},
        "contracts.csv:2 arr: found 'lots'",
        "amount",
    ),
    "formula": (
        {"contracts": CONTRACT + "a,2024-01-01,2025-01-01,=1+1\n"},
        "contracts.csv:2 arr: found '=1+1'",
        "amount",
    ),
    "no money": (
        {"contracts": CONTRACT + "a,2024-01-01,2025-01-01,\n"},
        "contracts.csv:2 arr: found nothing",
        "amount",
    ),
    "backwards": (
        {"contracts": CONTRACT + "a,2024-01-02,2024-01-01,5\n"},
        "contracts.csv:2 end_date: found end_date 2024-01-01",
        "on or after",
    ),
    "unknown account": (
        {"contracts": CONTRACTS + "zed,2024-01-01,2025-01-01,5\n"},
        "contracts.csv:5 account_id: found 'zed'",
        "accounts table",
    ),
    "other spelling": (
        {"contracts": CONTRACTS + "A ,2024-01-01,2025-01-01,5\n"},
        "contracts.csv:5 account_id: found 'A'",
        "'a'",
    ),
    "blank id": (
        {"contracts": CONTRACTS + ",2024-01-01,2025-01-01,5\n"},
        "contracts.csv:5 account_id: found nothing",
        "not blank",
    ),
    "same id": (
        {"accounts": ACCOUNTS + "a,2024-01-01,smb,,\n"},
        "accounts.csv:4 account_id: found 'a', the same as 'a' in row 2",
        "once",
    ),
    "same id in other case": (
        {"accounts": ACCOUNTS + " A,2024-01-01,smb,,\n"},
        "accounts.csv:4 account_id: found 'A'",
        "case and spaces",
    ),
    "segment all": ({"accounts": ACCOUNTS + "c,2024-01-01,All,,\n"}, "accounts.csv:4 segment: found All", "total"),
    "empty file": ({"contracts": ""}, "contracts.csv: found an empty file", "header"),
    "only a header": ({"contracts": CONTRACT}, "contracts.csv: found a header without rows", "one row"),
    "binary": ({"contracts": "PK\x03\x04\x00\x00"}, "contracts.csv: found a binary file", "UTF-8"),
    "long line": ({"contracts": "x" * 10_000_000}, "contracts.csv:1: found a line that is too long", "1,000,000"),
    "long row": ({"contracts": CONTRACT + "x" * 10_000_000}, "contracts.csv", "bytes"),
    "another delimiter": (
        {"contracts": CONTRACTS, "mapping": "tables:\n  contracts: {delimiter: ';'}\n"},
        "contracts.csv:1: found one column",
        "delimiter: ','",
    ),
    "column twice": ({"contracts": "arr,ARR\n1,2\n"}, "contracts.csv:1: found a column named twice: arr", "different"),
    "column without name": (
        {"contracts": "arr,\n1,2\n"},
        "contracts.csv:1: found a column without a name",
        "different",
    ),
    "short row": (
        {"contracts": CONTRACT + "a,2024-01-01\n"},
        "contracts.csv:2: found 'a,2024-01-01'",
        "as many values",
    ),
    "open quote": ({"contracts": CONTRACT + '"a,2024-01-01,2025-01-01,5\n'}, "contracts.csv:2", "closing double quote"),
    "two revenue tables": (
        {"mrr": "account_id,month,mrr\na,2024-01,5\n"},
        "book: found revenue tables: contracts and mrr",
        "one of",
    ),
    "negative mrr": ({"mrr": "account_id,month,mrr\na,2024-01,-5\n"}, "mrr.csv:2 mrr: found -5", "0 or more"),
    "month twice": (
        {"mrr": "account_id,month,mrr\na,2024-01,5\na,2024-01-31,5\n"},
        "mrr.csv:3 month: found a 2024-01 again",
        "one row",
    ),
    "month missing": (
        {"mrr": "account_id,month,mrr\na,2024-01,5\na,2024-03,5\n"},
        "mrr.csv month: found no row for 2024-02",
        "every month",
    ),
    "score": ({"health": "account_id,date,score\na,2024-01-01,high\n"}, "health.csv:2 score: found 'high'", "a number"),
    "value before kick-off": (
        {"onboarding": "account_id,kickoff_date,first_value_date\na,2024-02-01,2024-01-01\n"},
        "onboarding.csv:2 first_value_date: found first_value_date 2024-01-01",
        "kickoff_date",
    ),
    "onboarded twice": (
        {"onboarding": "account_id,kickoff_date\na,2024-02-01\na,2024-02-02\n"},
        "onboarding.csv:3 account_id: found a",
        "one row per account",
    ),
    "term of no months": (
        {"contracts": "account_id,start_date,end_date,arr,term_months\na,2024-02-01,,5,0\n"},
        "contracts.csv:2 term_months: found 0",
        "1 to 240",
    ),
    "mapping: unknown key": (
        {"mapping": "grace_day: 5\n"},
        "book.yaml:1 grace_day: found unknown key",
        "did you mean grace_days?",
    ),
    "mapping: unknown table": (
        {"mapping": "tables:\n  contract: {}\n"},
        "book.yaml:2 tables.contract",
        "did you mean contracts?",
    ),
    "mapping: unknown column": (
        {"mapping": "tables:\n  contracts:\n    columns:\n      ar: x\n"},
        "book.yaml:4 tables.contracts.columns.ar",
        "did you mean arr?",
    ),
    "mapping: wrong type": ({"mapping": "\ngrace_days: soon\n"}, "book.yaml:2 grace_days: found 'soon'", "integer"),
    "mapping: too long a grace": ({"mapping": "grace_days: 900\n"}, "book.yaml:1 grace_days: found 900", "365"),
    "mapping: not YAML": ({"mapping": "tables: [\n"}, "book.yaml:2", "YAML"),
    "mapping: key twice": (
        {"mapping": "name: a\nname: b\n"},
        "book.yaml:2 name: found a key written twice",
        "one value",
    ),
    "mapping: a list": ({"mapping": "- a\n"}, "book.yaml:1", "dictionary"),
    "mapping: object tag": ({"mapping": "name: !!python/object:os.system x\n"}, "book.yaml:1", "YAML"),
    "mapping: no such column": (
        {"mapping": "tables:\n  contracts:\n    columns: {arr: revenue}\n"},
        "contracts.csv:1: found no column revenue",
        "the file has account_id",
    ),
    "mapping: no such file": ({"mapping": "tables:\n  contracts: {file: x.csv}\n"}, "x.csv: found no such file", "CSV"),
    "mapping: table without file": ({"mapping": "tables:\n  seats: {}\n"}, "no file for table seats", "seats.csv"),
    "mapping: bad expression": (
        {"mapping": "tables:\n  contracts:\n    columns: {arr: arr * }\n"},
        "book.yaml, table of contracts.csv",
        "SQL expression",
    ),
    "mapping: float amounts": (
        {"mapping": "tables:\n  contracts:\n    columns: {arr: arr / 7}\n"},
        "contracts.csv:2 arr: found '171.42857142857142'",
        "two decimals",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_defect_is_named_where_it_is(tmp_path: Path, name: str) -> None:
    tables, where, advice = CASES[name]
    path = folder(tmp_path / "acme", **tables)
    if "mrr" in tables and name != "two revenue tables":
        (path / "contracts.csv").unlink()
    before = sorted(file.name for file in path.iterdir())
    with pytest.raises(InputErrors) as caught:
        read_book(path, as_of="2025-06-30")
    hits = [str(error) for error in caught.value.errors if where in str(error)]
    assert hits, str(caught.value)[:1000]
    assert advice in hits[0]
    assert sorted(file.name for file in path.iterdir()) == before


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    contracts = CONTRACT + "a,2024-13-01,2024-12-31,5\nq,2024-01-01,2024-12-31,5\na,2024-01-01,2024-12-31,-1\n"
    path = folder(tmp_path, contracts=contracts, accounts=ACCOUNTS + "B,2024-01-01,smb,,\n")
    with pytest.raises(InputErrors) as caught:
        read_book(path, as_of="2025-06-30")
    assert sorted(error.where for error in caught.value.errors) == [
        "accounts.csv:4 account_id",
        "contracts.csv:2 start_date",
        "contracts.csv:3 account_id",
        "contracts.csv:4 arr",
    ]


def test_many_problems_of_one_kind_are_counted(tmp_path: Path) -> None:
    path = folder(tmp_path, contracts=CONTRACT + "a,2024-01-01,2024-12-31,free\n" * 250)
    with pytest.raises(InputErrors) as caught:
        read_book(path, as_of="2025-06-30")
    assert len(caught.value.errors) == 101
    assert "150 more like the one before" in str(caught.value.errors[-1])


@pytest.mark.parametrize(
    ("make", "as_of", "found"),
    [
        (lambda path: path / "nowhere", "2025-06-30", "nothing there"),
        (lambda path: folder(path) / "contracts.csv", "2025-06-30", "one file, no mapping"),
        (lambda path: path, "2025-06-30", "an empty folder"),
        (folder, "30.6.2025", "'30.6.2025'"),
    ],
)
def test_wrong_paths_and_dates(tmp_path: Path, make: object, as_of: str, found: str) -> None:
    assert callable(make)
    with pytest.raises(InputErrors, match=found):
        read_book(make(tmp_path), as_of=as_of)


def test_a_cube_that_stops_before_as_of_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mrr.csv").write_text("account_id,month,mrr\na,2024-01,5\n")
    assert read_book(tmp_path, as_of="2024-02-15").logos == 1
    with pytest.raises(InputErrors, match="found 2024-01 as the last month"):
        read_book(tmp_path, as_of="2024-02-29")


def test_contracts_without_accounts_table(tmp_path: Path) -> None:
    (folder(tmp_path) / "accounts.csv").unlink()
    with pytest.raises(InputErrors, match="no accounts table"):
        read_book(tmp_path, as_of="2025-06-30")


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "accounts.csv").write_bytes(ACCOUNTS.encode() + b"\xff\xfe,2024-01-01,x,,\n")
    with pytest.raises(InputErrors, match=r"accounts\.csv:4: .*UTF-8"):
        read_book(path, as_of="2025-06-30")
