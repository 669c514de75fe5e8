"""Books with planted defects: each is reported once, with the ARR it carries; the rest can be read; nothing is lost."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from subsim.book import Book, BookProblems, read_book
from subsim.book.problems import CODES
from subsim.book.stakes import tally
from subsim.errors import EngineError, InputErrors

AS_OF = "2025-06-30"
#: code, table, row in the file, account, ARR in currency units of the account as far as its rows can be read
PLANTED = [
    ("duplicate-account", "accounts", 22, "C01", 1_000.0),
    ("parent-cycle", "accounts", 4, "c03", 3_000.0),
    ("unknown-parent", "accounts", 5, "c04", 4_000.0),
    ("two-owners", "accounts", 6, "c05", 5_000.0),
    ("formula-text", "accounts", 7, "c06", 6_000.0),
    ("no-revenue", "accounts", 23, "n07", 0.0),
    ("blank", "contracts", 9, "c08", 8_000.0),
    ("not-a-date", "contracts", 10, "c09", 9_000.0),
    ("not-an-amount", "contracts", 11, "c10", 0.0),
    ("two-digit-year", "contracts", 12, "c11", 11_000.0),
    ("end-before-start", "contracts", 13, "c12", 0.0),
    ("negative-amount", "contracts", 14, "c13", -13_000.0),
    ("term-length", "contracts", 15, "c14", 14_000.0),
    ("no-end", "contracts", 16, "c15", 15_000.0),
    ("unknown-account", "contracts", 22, "zed", 700.0),
    ("free-plan", "contracts", 23, "c16", 16_000.0),
    ("late-renewal", "contracts", 18, "c17", 17_000.0),
    ("same-contract", "contracts", 25, "c18", 36_000.0),
    ("future-start", "contracts", 26, "c19", 19_000.0),
    ("before-start", "health", 3, "c20", 20_000.0),
]
BLOCKING_ROWS = {("accounts", 22), ("accounts", 4), ("contracts", 22), *(("contracts", row) for row in range(9, 17))}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Twenty accounts with one contract each, of 1,000 to 20,000 a year, and twenty defects."""
    accounts = [[f"c{n:02}", "2024-01-01", "smb", "", "Ann", ""] for n in range(1, 21)]
    contracts = [[f"c{n:02}", "2025-01-01", "2025-12-31", f"{n}000", ""] for n in range(1, 21)]
    accounts[2][5] = "c03"
    accounts[3][5] = "nobody"
    accounts[4][4] = "ann"
    accounts[5][3] = "=HYPERLINK(1)"
    accounts += [[" C01 ", "2024-01-01", "smb", "", "Ann", ""], ["n07", "2024-01-01", "smb", "", "Ann", ""]]
    contracts[7][1] = ""
    contracts[8][2] = "soon"
    contracts[9][3] = "lots"
    contracts[10][1] = "01/02/25"
    contracts[11][2] = "2024-12-31"
    contracts[12][3] = "-13000"
    contracts[13][4] = "0"
    contracts[14][2] = ""
    contracts += [
        ["zed", "2025-01-01", "2025-12-31", "700", ""],
        ["c16", "2025-01-01", "2025-12-31", "0", ""],
        ["c17", "2024-01-01", "2024-12-20", "17000", ""],
        ["c18", "2025-01-01", "2025-12-31", "18000", ""],
        ["c19", "2025-09-01", "2026-08-31", "500", ""],
    ]
    health = [["c19", "2025-02-01", "50"], ["c20", "2023-12-31", "50"]]
    heads = {
        "accounts": ["account_id", "start_date", "segment", "tier", "owner_id", "parent_id"],
        "contracts": ["account_id", "start_date", "end_date", "arr", "term_months"],
        "health": ["account_id", "date", "score"],
    }
    path = tmp_path / "book"
    path.mkdir()
    for name, rows in (("accounts", accounts), ("contracts", contracts), ("health", health)):
        with (path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([heads[name], *rows])
    return path


def digest(path: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(path.iterdir())}


def test_exactly_the_planted_defects_are_reported_with_their_arr(broken: Path) -> None:
    before = digest(broken)
    with pytest.raises(BookProblems) as caught:
        read_book(broken, as_of=AS_OF)
    found = [
        (problem.code, problem.table, problem.row, problem.account_id, (problem.arr_cents or 0) / 100)
        for problem in caught.value.problems
    ]
    assert sorted(found) == sorted(PLANTED)
    assert len({code for code, *_ in found}) == 20
    assert {(problem.table, problem.row) for problem in caught.value.problems if problem.blocks} == BLOCKING_ROWS
    assert len(caught.value.errors) == len(BLOCKING_ROWS)
    assert digest(broken) == before


def test_quarantine_sets_rows_aside_with_their_values_and_reads_the_rest(broken: Path, tmp_path: Path) -> None:
    before = digest(broken)
    target = tmp_path / "aside.csv"
    book = read_book(broken, as_of=AS_OF, quarantine=target)
    # The row of account c03 is out, so its contract has no account any more; the account c01 stays.
    rows = BLOCKING_ROWS | {("contracts", 4)}
    with target.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {(line["table"], int(line["row"])) for line in lines} == rows
    assert json.loads(lines[0]["original"])["account_id"]
    values = {(line["table"], line["row"]): json.loads(line["original"]) for line in lines}
    assert values["contracts", "11"]["arr"] == "lots"
    assert values["accounts", "22"]["account_id"].strip() == "C01"
    kept = sum(range(1, 21)) * 1000 + 18_000 - sum((3, *range(8, 16))) * 1000
    assert book.arr_cents == kept * 100
    assert book.quarantine is not None
    assert (book.quarantine.rows, book.quarantine.accounts) == (len(rows), 11)
    at_stake = 1_000 + 3_000 + 8_000 + 9_000 + 11_000 - 13_000 + 14_000 + 15_000 + 700
    assert book.quarantine.arr_cents == at_stake * 100
    assert f"{at_stake:,}" in str(book.quarantine)
    read = sum(len(table) for table in book.tables.values())
    cut = 1  # the contract that starts after as_of, a warning of its own
    assert read + len(rows) + cut == 22 + 25 + 2
    assert {problem.code for problem in book.problems} == {code for code, *_ in PLANTED}
    assert digest(broken) == before


def test_quarantine_never_overwrites_and_never_writes_into_the_book(broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "aside.csv"
    target.write_text("mine")
    with pytest.raises(InputErrors, match="a file that exists"):
        read_book(broken, as_of=AS_OF, quarantine=target)
    assert target.read_text() == "mine"
    with pytest.raises(InputErrors, match="inside the book"):
        read_book(broken, as_of=AS_OF, quarantine=broken / "aside.csv")
    with pytest.raises(InputErrors, match="quarantine"):
        read_book(broken, as_of=AS_OF, quarantine=tmp_path / "no" / "aside.csv")


def test_text_that_a_spreadsheet_would_run_is_escaped(broken: Path, tmp_path: Path) -> None:
    text = (broken / "contracts.csv").read_text()
    (broken / "contracts.csv").write_text(text.replace("zed,", "=cmd|' /C calc'!A0,"))
    read_book(broken, as_of=AS_OF, quarantine=tmp_path / "aside.csv")
    with (tmp_path / "aside.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_a_tally_counts_each_account_once(broken: Path) -> None:
    with pytest.raises(BookProblems) as caught:
        read_book(broken, as_of=AS_OF)
    lines = tally(caught.value.problems)
    assert [line.blocks for line in lines] == sorted((line.blocks for line in lines), reverse=True)
    twice = tally([problem for problem in caught.value.problems if problem.account_id == "c09"] * 2)
    assert [(line.rows, line.accounts, line.arr_cents) for line in twice] == [(2, 1, 900_000)]


def test_a_book_with_a_row_from_the_future_cannot_exist(broken: Path, tmp_path: Path) -> None:
    book = read_book(broken, as_of=AS_OF, quarantine=tmp_path / "aside.csv")
    tables = {**book.tables, "health": book.tables["health"].assign(date=book.tables["health"]["date"].max())}

    def planted(name: str, column: str, value: str) -> Book:
        table = tables[name].copy()
        table.loc[0, column] = value
        return Book(book.name, book.as_of, 30, "", {**tables, name: table}, book.ledger, book.reports)

    assert planted("health", "date", "2025-06-30").logos == book.logos
    assert planted("contracts", "end_date", "2025-12-31").logos == book.logos
    with pytest.raises(EngineError, match=r"health\.date in 1 rows"):
        planted("health", "date", "2025-07-01")
    with pytest.raises(EngineError, match=r"contracts\.notice_date"):
        planted("contracts", "notice_date", "2025-07-01")
    with pytest.raises(EngineError, match="contracts in rows that were not known"):
        planted("contracts", "start_date", "2025-07-01")
    later = book.ledger.assign(date=book.ledger["date"].max() + (book.ledger["date"].max() - book.ledger["date"].min()))
    with pytest.raises(EngineError, match="the ledger"):
        Book(book.name, book.as_of, 30, "", tables, later, book.reports)


def test_every_code_says_what_it_means() -> None:
    assert all(code == code.lower() and " " not in code and row.meaning for code, row in CODES.items())
