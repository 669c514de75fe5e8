"""Reading good books: formats, mappings, notations, and what as_of cuts."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from subsim.book import Book, read_book

ACCOUNTS = "account_id,start_date,segment,tier,owner_id\na,2024-01-01,smb,low,ann\nb,2024-02-01,ent,,\n"
CONTRACTS = (
    "account_id,start_date,end_date,arr\na,2024-01-01,2024-12-31,1200\na,2025-01-01,2025-12-31,1500.50\n"
    "b,2024-02-01,2027-01-31,24000\n"
)


def folder(path: Path, **tables: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in ({"accounts": ACCOUNTS, "contracts": CONTRACTS} | tables).items():
        (path / ("book.yaml" if name == "mapping" else f"{name}.csv")).write_text(text, encoding="utf-8")
    return path


def read(path: Path, as_of: str = "2025-06-30") -> Book:
    return read_book(path, as_of=as_of)


def test_book_ties_and_describes_itself(tmp_path: Path) -> None:
    book = read(folder(tmp_path / "acme"))
    assert (book.arr_cents, book.logos) == (2_550_050, 2)
    table = book.bridge()
    assert table.loc[table["segment"] == "all", "closing"].iloc[-1] == 2_550_050
    assert repr(book) == "<Book acme as of 2025-06-30: 2 customers, ARR 25,500.50>"
    assert "25,500.50" in book._repr_html_()
    assert book.month_ends()[0] == pd.Timestamp("2024-01-31")


def test_csv_parquet_other_order_and_mapped_names_give_one_fingerprint(tmp_path: Path) -> None:
    book = read(folder(tmp_path / "a"))
    parquet = tmp_path / "b"
    parquet.mkdir()
    for name, text in (("accounts", ACCOUNTS), ("contracts", CONTRACTS)):
        (tmp_path / "source.csv").write_text(text)
        query = f"COPY (SELECT * FROM read_csv('{tmp_path / 'source.csv'}') ORDER BY account_id DESC)"
        duckdb.connect().execute(f"{query} TO '{parquet / name}.parquet'")
    mapping = (
        'name: a\ntables:\n  contracts:\n    file: deals.csv\n    delimiter: ";"\n'
        "    columns: {account_id: Customer, arr: Monthly * 12, end_date: Until}\n    end_date_is: first_day_out\n"
    )
    renamed = "\ufeffUntil;Customer;start_date;Monthly\n2027-02-01;b;2024-02-01;2000\n2025-01-01;a;2024-01-01;100.00\n"
    renamed += "2026-01-01;a;2025-01-01;125.0416\n"
    mapped = folder(tmp_path / "c", mapping=mapping, deals=renamed.replace("125.0416", "125.04"))
    (mapped / "contracts.csv").unlink()
    assert read(parquet).fingerprint() == book.fingerprint()
    assert read(mapped).arr_cents == 2_550_048
    assert read(mapped).fingerprint() != book.fingerprint()
    assert (
        read(folder(tmp_path / "a", contracts=CONTRACTS.replace("1500.50", "1500.48"))).fingerprint()
        == read(mapped).fingerprint()
    )


@pytest.mark.parametrize("text", ["1500.50", "1500.5", '"1,500.50"', '"$1,500.50"', " 1500.500 "])
def test_notations_of_money(tmp_path: Path, text: str) -> None:
    book = read(folder(tmp_path, contracts=CONTRACTS.replace("1500.50", text)))
    assert book.tables["contracts"]["arr_cents"].tolist() == [120_000, 150_050, 2_400_000]


def test_as_of_cuts_what_came_later(tmp_path: Path) -> None:
    health = "account_id,date,score\na,2024-05-31,70\na,2024-07-31,10\n"
    onboarding = "account_id,kickoff_date,first_value_date\na,2024-01-10,2024-08-01\nb,2024-02-01,2024-03-02\n"
    book = read(folder(tmp_path, health=health, onboarding=onboarding), as_of="2024-06-30")
    assert len(book.tables["contracts"]) == 2
    live = book.opening().accounts.set_index("account_id")
    assert live["score"].tolist()[0] == 70.0
    assert live["onboarded"].tolist() == [0, 1]
    assert live.loc["b", "ttv_days"] == 30.0
    assert read(tmp_path, as_of="2023-12-31").logos == 0


def test_wide_and_long_cubes_are_one_book(tmp_path: Path) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()
    (wide / "mrr.csv").write_text("account_id,segment,2025-01,2025-02,2025-03\na,smb,10,12.50,12.50\nb,ent,100,,5\n")
    long = tmp_path / "long"
    long.mkdir()
    rows = [("a", 1, "10"), ("a", 2, "12.50"), ("a", 3, "12.50"), ("b", 1, "100"), ("b", 2, ""), ("b", 3, "5")]
    text = "".join(f"{name},2025-{month:02d},{mrr},{'smb' if name == 'a' else 'ent'}\n" for name, month, mrr in rows)
    (long / "mrr.csv").write_text("account_id,month,mrr,segment\n" + text)
    one, other = read(wide, "2025-03-31"), read(long, "2025-03-31")
    assert one.arr_cents == 12 * 1750
    pd.testing.assert_frame_equal(one.bridge(), other.bridge())
    assert one.fingerprint() == other.fingerprint()
    live = one.opening().accounts
    assert live["term_months"].tolist() == [1, 1]
    assert live["term_end_minute"].tolist() == [30 * 1440, 30 * 1440]


def test_the_source_is_not_written_to_and_expressions_cannot_reach_files(tmp_path: Path) -> None:
    from subsim.errors import InputErrors

    target = tmp_path / "stolen.csv"
    mapping = f"tables:\n  contracts:\n    columns: {{arr: \"(SELECT count(*) FROM read_csv('{tmp_path}/x.csv'))\"}}\n"
    path = folder(tmp_path / "acme", mapping=mapping)
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(InputErrors, match="disabled"):
        read(path)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    assert not target.exists()
