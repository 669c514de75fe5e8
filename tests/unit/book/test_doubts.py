"""Warnings of a book that can be read: each rule says its code where it should, and keeps still where it should not."""

from pathlib import Path

import pytest

from subsim.book import Book, BookProblems, read_book
from subsim.book.stakes import tally

ACCOUNTS = "account_id,start_date,segment,owner_id,tier,parent_id,churned\n"
CONTRACT = "account_id,start_date,end_date,arr\n"
HEALTH = "account_id,date,score\n"


def read(path: Path, *, accounts: str = "", as_of: str = "2025-06-30", **tables: str) -> Book:
    path.mkdir(exist_ok=True)
    rows = accounts or "a,2024-01-01,smb,Ann,high,,no\nb,2024-01-01,smb,Ann,high,a,no\n"
    texts = {"accounts": ACCOUNTS + rows, "contracts": CONTRACT + "a,2025-01-01,2025-12-31,1200\n"} | tables
    for name, text in texts.items():
        (path / ("book.yaml" if name == "mapping" else f"{name}.csv")).write_text(text)
    return read_book(path, as_of=as_of)


def codes(book: Book) -> list[tuple[str, str, int | None]]:
    return sorted((problem.code, problem.table, problem.row) for problem in book.problems)


B = "b,2024-01-01,2025-12-31,600\n"
CASES = {
    "a renewal on the day": ("a,2024-01-01,2024-12-31,100\na,2025-01-01,2025-12-31,100\n", []),
    "a renewal a day late": ("a,2024-01-01,2024-12-30,100\na,2025-01-01,2025-12-31,100\n", ["late-renewal"]),
    "a return after the grace": ("a,2024-01-01,2024-11-30,100\na,2025-01-01,2025-12-31,100\n", []),
    "a small addition in mid-term": ("a,2025-01-01,2025-12-31,100\na,2025-03-01,2025-12-31,79\n", []),
    "a second contract of the same size": ("a,2025-01-01,2025-12-31,100\na,2025-03-01,2025-12-31,80\n", ["overlap"]),
    "the same contract twice": ("a,2025-01-01,2025-12-31,100\na,2025-01-01,2025-12-31,100\n", ["same-contract"]),
    "three years in one amount": (
        "a,2024-01-01,2024-12-31,100\na,2025-01-01,2027-12-31,310\n",
        ["multi-year-total"],
    ),
    "three years at the yearly amount": ("a,2024-01-01,2024-12-31,100\na,2025-01-01,2027-12-31,104\n", []),
    "nearly two years at twice the amount": ("a,2024-01-01,2024-12-31,100\na,2025-01-01,2026-10-15,200\n", []),
    "a contract before its account": ("a,2023-01-01,2025-12-31,100\n", ["start-mismatch"]),
    "a free plan": ("a,2025-01-01,2025-12-31,0\n", ["free-plan"]),
    "a contract of next month": ("a,2025-07-01,2026-06-30,100\n", ["future-start"]),
}


@pytest.mark.parametrize("name", CASES)
def test_contracts_one_after_another(tmp_path: Path, name: str) -> None:
    rows, expected = CASES[name]
    book = read(tmp_path / "x", contracts=CONTRACT + B + rows)
    assert [problem.code for problem in book.problems] == expected
    assert all(problem.row == 2 + len(rows.splitlines()) for problem in book.problems)


def test_list_price_shows_a_total(tmp_path: Path) -> None:
    header = "account_id,start_date,end_date,arr,list_arr\n"
    book = read(tmp_path, contracts=f"{header}b,2025-01-01,2026-12-31,2000,1050\na,2025-01-01,2026-12-31,1000,1050\n")
    assert codes(book) == [("multi-year-total", "contracts", 2)]


def test_signed_contracts_of_next_month_are_kept_and_unsigned_ones_are_not(tmp_path: Path) -> None:
    header = "account_id,start_date,end_date,arr,signed_date\n"
    rows = "a,2025-07-01,2026-06-30,100,2025-06-15\nb,2025-07-01,2026-06-30,100,2025-07-01\n"
    book = read(tmp_path, contracts=header + B.replace("600", "600,") + rows)
    assert [problem.code for problem in book.problems] == ["future-start", "future-start"]
    assert book.tables["contracts"]["account_id"].tolist() == ["b", "a"]
    assert book.arr_cents == 60_000


def test_a_signature_after_the_start_is_not_known_before_it_comes(tmp_path: Path) -> None:
    header = "account_id,start_date,end_date,arr,signed_date,notice_date\n"
    rows = "a,2025-06-01,2026-05-31,100,2025-07-02,\nb,2025-01-01,2025-12-31,100,2024-12-15,2025-09-30\n"
    contracts = read(tmp_path, contracts=header + rows).tables["contracts"]
    assert contracts["signed_date"].isna().tolist() == [True, False]
    assert contracts["notice_date"].isna().tolist() == [True, True]


def test_accounts(tmp_path: Path) -> None:
    rows = "a,2024-01-01,smb,Ann,high,nobody,no\nb,2024-01-01,SMB,ann,@SUM(A1),a,no\nc,2024-01-01,smb,Ann,-5,b,no\n"
    book = read(tmp_path, accounts=rows, contracts=CONTRACT + B + "a,2025-01-01,2025-12-31,100\n")
    assert codes(book) == [
        ("formula-text", "accounts", 3),
        ("no-revenue", "accounts", 4),
        ("two-owners", "accounts", 3),
        ("two-segments", "accounts", 3),
        ("unknown-parent", "accounts", 2),
    ]
    found = {problem.code: problem.found for problem in book.problems}
    assert found["two-segments"] == "'SMB' beside 'smb'"
    assert found["two-owners"] == "'ann' beside 'Ann'"


def test_parents_in_a_circle_block_and_chains_do_not(tmp_path: Path) -> None:
    chain = "".join(f"c{n},2024-01-01,smb,,,{f'c{n - 1}' if n else ''},no\n" for n in range(9))
    contracts = CONTRACT + "".join(f"c{n},2025-01-01,2025-12-31,100\n" for n in range(9))
    assert not read(tmp_path / "chain", accounts=chain, contracts=contracts).problems
    circle = chain.replace("c2,2024-01-01,smb,,,c1", "c2,2024-01-01,smb,,,c4")
    with pytest.raises(BookProblems) as caught:
        read(tmp_path / "circle", accounts=circle, contracts=contracts)
    assert [problem.account_id for problem in caught.value.problems] == ["c2", "c3", "c4"]


def test_activity_before_the_account_or_the_contract_it_names(tmp_path: Path) -> None:
    contracts = "contract_id,account_id,start_date,end_date,arr\nk1,a,2025-01-01,2025-12-31,100\nk2,b,2024-02-01,,9\n"
    contracts = contracts.replace(",,9", ",2025-12-31,9")
    health = "account_id,date,contract_id,row_id\na,2024-06-01,k1,1\na,2024-06-01,,2\nb,2023-12-31,k9,2\n"
    touches = "account_id,kind,due_date,done_date,seat_id\na,call,2023-12-01,2023-12-02,s9\nb,call,2025-01-01,,s1\n"
    seats = "seat_id,team,start_date\ns1,csm,2024-01-01\n"
    tickets = "account_id,opened\na,2023-12-31\n"
    book = read(tmp_path, contracts=contracts, health=health, touches=touches, seats=seats, tickets=tickets)
    assert codes(book) == [
        ("before-start", "health", 2),
        ("before-start", "health", 4),
        ("before-start", "tickets", 2),
        ("before-start", "touches", 2),
        ("repeated-id", "health", 4),
        ("unknown-seat", "touches", 2),
    ]


def test_churn_events_are_held_against_flags_and_contracts(tmp_path: Path) -> None:
    accounts = "".join(f"{name},2024-01-01,smb,,,,{flag}\n" for name, flag in zip("abcd", "YNNY", strict=True))
    contracts = CONTRACT + "".join(
        f"{name},2024-01-01,{end},100\n"
        for name, end in zip("abcd", ("2024-12-31", "2024-12-31", "2025-12-31", "2025-12-31"), strict=True)
    )
    movements = "account_id,date,kind,arr_after\na,2025-01-01,churn,0\nb,2025-01-01,churn,0\nc,2025-01-01,churn,0\n"
    book = read(tmp_path, accounts=accounts, contracts=contracts, movements=movements)
    assert codes(book) == [
        ("churn-and-contract", "movements", 4),
        ("churn-without-flag", "accounts", 3),
        ("churn-without-flag", "accounts", 4),
        ("flag-without-churn", "accounts", 5),
    ]
    assert book.arr_cents == 20_000


def test_rows_of_later_days_are_counted_and_hours_of_later_events_hidden(tmp_path: Path) -> None:
    health = HEALTH + "a,2025-06-30,50\na,2025-07-01,40\na,2025-07-02,30\n"
    onboarding = (
        "account_id,kickoff_date,first_value_date,hours\na,2025-06-01,2025-07-05,30\nb,2025-05-01,2025-06-01,9\n"
    )
    touches = "account_id,kind,due_date,done_date,hours\na,call,2025-06-01,2025-07-01,2\na,call,2025-07-09,,\n"
    book = read(
        tmp_path, health=health, onboarding=onboarding, touches=touches, contracts=CONTRACT + B + B.replace("b", "a")
    )
    later = {(problem.table, problem.found) for problem in book.problems if problem.code == "after-as-of"}
    assert later == {("health", "2 rows, left out"), ("touches", "1 rows, left out")}
    assert book.tables["onboarding"]["hours"].isna().tolist() == [True, False]
    assert book.tables["touches"]["hours"].isna().tolist() == [True]
    assert book.tables["touches"]["done_date"].isna().tolist() == [True]
    assert book.problems[-1].arr_cents is None


def test_a_cube_without_accounts_knows_spellings(tmp_path: Path) -> None:
    (tmp_path / "mrr.csv").write_text(
        "account_id,month,mrr\nacme,2025-05,5\nAcme,2025-06,6\nbolt,2025-05,1\nbolt,2025-06,1\n"
    )
    with pytest.raises(BookProblems, match="one spelling of every account") as caught:
        read_book(tmp_path, as_of="2025-06-30")
    assert [problem.row for problem in caught.value.problems if problem.blocks] == [3]
    assert tally(caught.value.problems)[0].arr_cents == 7200


def test_currencies_need_rates(tmp_path: Path) -> None:
    header = "account_id,start_date,end_date,arr,currency\n"
    rows = "a,2025-01-01,2025-12-31,100,USD\nb,2025-01-01,2025-12-31,100,EUR\n"
    with pytest.raises(BookProblems) as caught:
        read(tmp_path / "none", contracts=header + rows)
    assert {problem.code for problem in caught.value.problems} == {"no-rate"}
    assert not read(tmp_path / "one", contracts=header + rows.replace("EUR", "USD")).problems
    rated = read(tmp_path / "two", contracts=header + rows, fx="currency,rate\nUSD,1\nEUR,1.1\n")
    assert not rated.problems
