"""Every kind of source: what is read from it, what is left alone, and what is said when it cannot be read."""

import datetime as dt
import sqlite3
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from subsim.book import Book, read_book
from subsim.book.sources import database_name
from subsim.errors import InputErrors
from tests.unit.book import exports
from tests.unit.book.test_reader import ACCOUNTS, CONTRACTS, folder

AS_OF = "2025-06-30"
DAY = dt.date
TABLES: exports.Tables = {
    "accounts": [
        {"account_id": "007", "start_date": DAY(2024, 1, 1), "segment": "smb", "owner_id": None},
        {"account_id": "b", "start_date": DAY(2024, 2, 1), "segment": "ent", "owner_id": None},
    ],
    "contracts": [
        {"account_id": "007", "start_date": DAY(2024, 1, 1), "end_date": DAY(2025, 12, 31), "arr": Decimal("1500.10")},
        {"account_id": "b", "start_date": DAY(2024, 2, 1), "end_date": DAY(2027, 1, 31), "arr": Decimal("24000.00")},
    ],
    "health": [{"account_id": "b", "date": DAY(2025, 5, 31), "score": 0.1 + 0.2, "logins": 12, "note": "fine"}],
}


def read(source: Path | str, **options: Path) -> Book:
    return read_book(source, as_of=AS_OF, **options)


@pytest.fixture
def plain(tmp_path: Path) -> Book:
    return read(exports.write_csv(tmp_path / "plain", TABLES))


def refusal(source: Path | str, **options: Path) -> str:
    with pytest.raises(InputErrors) as caught:
        read(source, **options)
    return str(caught.value)


def test_every_file_holds_the_same_book(tmp_path: Path, plain: Book) -> None:
    assert plain.arr_cents == 2_550_010
    sources = [
        exports.write_parquet(tmp_path / "parquet", TABLES),
        exports.write_workbook(tmp_path / "acme.xlsx", TABLES),
        exports.write_duckdb(tmp_path / "acme.duckdb", TABLES),
        exports.write_sqlite(tmp_path / "acme.sqlite", TABLES),
    ]
    for source in sources:
        before = source.read_bytes() if source.is_file() else b""
        around = sorted(path.name for path in tmp_path.iterdir())
        assert read(source).fingerprint() == plain.fingerprint(), source.name
        assert sorted(path.name for path in tmp_path.iterdir()) == around
        assert not before or source.read_bytes() == before
    assert read(tmp_path / "acme.xlsx").name == "acme"
    assert plain.tables["health"][["score", "logins"]].to_numpy().tolist() == [[0.3, 12.0]]
    assert plain.reports[2].unused == ("note",)


def test_postgres_holds_the_same_book_and_is_only_read(postgres_url: str, plain: Book) -> None:
    import psycopg

    exports.write_postgres(postgres_url, TABLES)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA billing")
        connection.execute("CREATE VIEW billing.contracts AS SELECT * FROM contracts WHERE account_id = 'b'")
    book = read(postgres_url)
    assert book.fingerprint() == plain.fingerprint()
    assert book.name == "postgres"
    assert "postgres[contracts]" in "\n".join(book.describe())


def test_tables_of_other_schemas_by_mapping(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    exports.write_postgres(postgres_url, TABLES)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA billing")
        connection.execute("CREATE VIEW billing.deals AS SELECT * FROM contracts WHERE account_id = 'b'")
    mapping = tmp_path / "book.yaml"
    mapping.write_text(f"file: {postgres_url}\ntables:\n  contracts: {{table: billing.deals}}\n")
    assert read(mapping).arr_cents == read(postgres_url, mapping=mapping).arr_cents == 2_400_000


def test_a_password_is_never_shown(postgres_url: str, tmp_path: Path) -> None:
    exports.write_postgres(postgres_url, {"accounts": [{"account_id": "a", "start_date": "never"}]})
    hidden = "p%40ss%3Aw%2Frd%3F"
    assert hidden in postgres_url
    urls = [
        postgres_url,  # no revenue table, and a start that is no date
        postgres_url.replace(hidden, "wr0ng"),
        postgres_url.replace(hidden, "wr0ng@x:y/z"),  # not written as a URL needs it
        postgres_url.replace("127.0.0.1", "127.0.0.1:99999:"),
        postgres_url.rsplit("/", 1)[0] + "/nowhere",
        "postgresql://127.0.0.1:1/postgres?user=finance&password=wr0ng",
        postgres_url.replace("postgresql:", "mysql:"),
        postgres_url.replace("postgresql://", "postgresql:/"),
    ]
    mapping = tmp_path / "book.yaml"
    mapping.write_text("tables:\n  contracts: {}\n  seats: {table: accounts}\n")
    messages = [refusal(url) for url in urls] + [refusal(url, mapping=mapping) for url in urls]
    exports.write_postgres(postgres_url, {"contracts": TABLES["contracts"]})
    messages += [refusal(postgres_url), refusal(postgres_url, mapping=mapping)]
    for message in messages:
        for secret in ("p@ss", "w/rd", hidden, "wr0ng", "x:y/z", "finance:"):
            assert secret not in message, message
    assert "found 'never'" in messages[0]
    assert "no accounts table" in messages[-2]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://ann:secret@db.example.com:5432/finance?sslmode=require", "finance"),
        ("postgres:///crm", "crm"),
        ("postgresql://ann:se/cr@et@host", "postgres"),
        ("postgresql://host/my%20book", "my book"),
    ],
)
def test_a_url_gives_a_book_its_name(url: str, name: str) -> None:
    assert database_name(url) == name


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subsim.book.sources.find_spec", lambda _: None)
    assert "pip install 'subsim[postgres]'" in refusal("postgresql://ann:secret@host/finance")


def test_sheets_have_titles_blank_rows_and_real_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "ARR cube"
    sheet.append([])
    sheet.append(["account_id", DAY(2025, 4, 30), DAY(2025, 5, 31), "Jun-25", None])
    sheet.append(["a", 10.1, 10.1, "1,010.10"])
    sheet.append([])
    sheet.append(["b", 5, None, 0])
    book.save(tmp_path / "cube.xlsx")
    (tmp_path / "map.yaml").write_text("tables:\n  mrr: {table: arr CUBE}\n")
    read_in = read(tmp_path / "cube.xlsx", mapping=tmp_path / "map.yaml")
    assert read_in.tables["mrr"]["mrr_cents"].tolist() == [1010, 1010, 101_010, 500, 0, 0]
    assert read_in.arr_cents == 12 * 101_010


def test_a_formula_that_was_never_calculated_is_reported(tmp_path: Path) -> None:
    rows = [dict(row) for row in TABLES["contracts"]]
    rows[1]["arr"] = "=1000*24"
    exports.write_workbook(tmp_path / "acme.xlsx", TABLES | {"contracts": rows})
    assert "acme.xlsx[contracts]:3 arr: found '=1000*24'" in refusal(tmp_path / "acme.xlsx")


def test_a_sheet_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    whole = exports.write_workbook(tmp_path / "whole.xlsx", TABLES)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "acme.xlsx", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if name.endswith("sheet2.xml") else content)
    assert "acme.xlsx[contracts]: found a sheet that cannot be read" in refusal(tmp_path / "acme.xlsx")


def test_a_database_that_is_being_written_to_is_read(tmp_path: Path) -> None:
    path = exports.write_sqlite(tmp_path / "acme.db", TABLES)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE contracts SET arr = 100 WHERE account_id = 'b'")
    writer.commit()
    assert read(path).arr_cents == 160_010
    writer.close()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("acme.xlsx", b"not a workbook", "acme.xlsx: found a workbook that cannot be read"),
        ("acme.db", b"SQLite format 3\0 and nothing else", "acme.db: found a database that cannot be opened"),
        ("acme.db", b"12345678DUCK and nothing else", "acme.db: found a database that cannot be opened"),
        ("acme.xls", b"old", "acme.xls: found a file of kind .xls"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert found in refusal(tmp_path / name)


def test_tables_that_are_not_there(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "other.duckdb")).execute("CREATE TABLE contract (a INTEGER)").close()
    assert "other: found contract; allowed: tables accounts" in refusal(tmp_path / "other.duckdb")
    (tmp_path / "map.yaml").write_text("tables:\n  contracts: {table: contratcs}\n")
    path = exports.write_sqlite(tmp_path / "acme.db", TABLES)
    message = refusal(path, mapping=tmp_path / "map.yaml")
    assert "acme.db[contratcs]: found no table contratcs; allowed: one of accounts, contracts, health" in message
    assert "did you mean contracts?" in message


def test_sources_of_several_kinds_make_one_book(tmp_path: Path, plain: Book) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    exports.write_workbook(mixed / "crm.xlsx", {"Customers": TABLES["accounts"], "Notes": TABLES["health"]})
    exports.write_duckdb(mixed / "billing.db", {"contracts": TABLES["contracts"]})
    exports.write_workbook(mixed / "health.xlsx", {"Sheet1": TABLES["health"]})
    (mixed / "book.yaml").write_text(
        "name: plain\ntables:\n  accounts: {file: crm.xlsx, table: Customers}\n  contracts: {file: billing.db}\n"
    )
    assert read(mixed).fingerprint() == plain.fingerprint()


def test_expressions_cannot_reach_an_attached_database(tmp_path: Path) -> None:
    exports.write_duckdb(tmp_path / "acme.duckdb", TABLES)
    (tmp_path / "map.yaml").write_text(
        "tables:\n  contracts:\n    columns: {arr: (SELECT max(arr) FROM subsim_source_0.main.contracts)}\n"
    )
    assert "book.yaml, table of acme.duckdb[contracts]" in refusal(
        tmp_path / "acme.duckdb", mapping=tmp_path / "map.yaml"
    )


def test_movements_are_a_book(tmp_path: Path) -> None:
    rows = "account_id,date,kind,arr_after,reason\na,2024-01-01,New,1200,\nb,2024-03-01,new,600,\n"
    rows += "a,2025-01-01,upsell,1500.50,seats\nb,2025-03-01,churn,0,price\na,2026-01-01,renewal,1500.50,\n"
    mapping = "tables:\n  movements:\n    values: {kind: {Upsell: expansion}}\n"
    path = folder(tmp_path / "acme", accounts=ACCOUNTS, movements=rows, mapping=mapping)
    (path / "contracts.csv").unlink()
    book = read(path)
    assert (book.arr_cents, book.logos) == (150_050, 1)
    assert book.ledger["kind"].tolist() == ["new", "expansion", "new", "churn"]
    (path / "accounts.csv").unlink()
    assert read(path).arr_cents == 150_050
    assert len(book.opening().accounts) == 1


def test_a_bridge_alone_is_a_book_of_sums(tmp_path: Path) -> None:
    rows = "month,segment,opening,new,expansion,contraction,churn\n"
    rows += "Apr-25,smb,100,10,5,1,2\n2025-05,smb,112,0,0,0,12\n2025-05-31,ent,1000,0,0.50,0,0\n2025-07,ent,,1,1,1,1\n"
    (tmp_path / "bridge.csv").write_text(rows)
    book = read(tmp_path)
    assert book.arr_cents == 110_050
    assert book.segments == ["ent", "smb"]
    table = book.bridge()
    assert table.loc[table["segment"] == "all", ["opening", "closing"]].to_numpy().tolist() == [
        [110_000, 111_200],
        [111_200, 110_050],
    ]
    assert "sums without customers" in book.describe()[0]
    with pytest.raises(Exception, match="found a bridge alone"):
        book.opening()


def test_contracts_and_a_folder_of_semicolons(tmp_path: Path) -> None:
    german = CONTRACTS.replace(",", ";").replace("1500.50", "1.500,50")
    mapping = "tables:\n  contracts: {decimal: ','}\n"
    book = read(folder(tmp_path / "acme", contracts=german, mapping=mapping))
    assert book.arr_cents == 2_550_050
    assert "contracts: columns are separated by ';', as its header shows" in book.describe()
    unsaid = folder(tmp_path / "unsaid", contracts=german)
    assert "if the comma is a decimal comma, write decimal: ','" in refusal(unsaid)
