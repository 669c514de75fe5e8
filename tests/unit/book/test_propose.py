"""A proposed mapping names what an export has, says what it cannot tell, and can be read with."""

from pathlib import Path

import pytest
import yaml

from subsim.book import read_book
from subsim.book.propose import propose_mapping
from subsim.errors import InputErrors
from tests.unit.book import exports
from tests.unit.book.test_read_sources import TABLES

CUSTOMERS = "Customer ID;Customer since;Market segment;CSM\n7;05.02.2024;smb;ann\n8;17.03.2024;mid;bob\n"
DEALS = (
    "Customer;Contract start;Contract end;MRR;Billing frequency\n"
    "7;05.02.2024;04.02.2026;1.200,50;Yearly\n8;17.03.2024;16.03.2026;99,00;MONTHLY\n"
)


def test_a_foreign_export_is_read_with_its_proposal(tmp_path: Path) -> None:
    (tmp_path / "crm_customers.csv").write_text(CUSTOMERS, encoding="utf-8-sig")
    (tmp_path / "deals.csv").write_text(DEALS)
    (tmp_path / "lunch.csv").write_text("dish,price\nsoup,3\n")
    text = propose_mapping(tmp_path)
    tables = yaml.safe_load(text)["tables"]
    assert tables["accounts"]["columns"] == {
        "account_id": "Customer ID",
        "start_date": "Customer since",
        "segment": "Market segment",
        "owner_id": "CSM",
    }
    contracts = tables["contracts"]
    assert (contracts["dates"], contracts["decimal"], contracts["arr_is"]) == ("%d.%m.%Y", ",", "monthly")
    assert contracts["columns"]["arr"] == "MRR"
    assert "lunch.csv" in text.split("tables:")[0]
    (tmp_path / "book.yaml").write_text(text)
    book = read_book(tmp_path, as_of="2025-06-30")
    assert book.arr_cents == 12 * (120_050 + 9_900)
    assert book.tables["contracts"]["billing"].tolist() == ["annual", "monthly"]


def test_days_and_months_that_look_alike_are_said(tmp_path: Path) -> None:
    (tmp_path / "subscriptions.csv").write_text("account,start,end,acv\na,03/04/2024,02/04/2025,5\n")
    text = propose_mapping(tmp_path / "subscriptions.csv")
    assert "dates: '%d/%m/%Y'  # or %m/%d/%Y: the values do not tell" in text
    assert yaml.safe_load(text)["tables"]["accounts"]["columns"]["start_date"] == "start"
    (tmp_path / "subscriptions.csv").write_text("account,start,end,acv\na,45292,45657,5\na,45658,46022,5\n")
    text = propose_mapping(tmp_path / "subscriptions.csv")
    assert "dates: excel\n" in text
    assert "here an account_id occurs again" in text


def test_a_cube_in_a_workbook(tmp_path: Path) -> None:
    rows = [{"Client": "a", "Apr-25": 1, "May-25": 2, "Region": "north"}]
    path = exports.write_workbook(tmp_path / "arr.xlsx", {"Sheet1": rows})
    text = propose_mapping(path)
    assert yaml.safe_load(text)["tables"] == {"mrr": {"table": "Sheet1", "columns": {"account_id": "Client"}}}
    assert "# not used: Region" in text


def test_what_is_named_as_in_a_book_is_proposed_as_it_is(tmp_path: Path) -> None:
    for source in (
        exports.write_duckdb(tmp_path / "acme.duckdb", TABLES),
        exports.write_csv(tmp_path / "acme", TABLES),
    ):
        tables = yaml.safe_load(propose_mapping(source))["tables"]
        assert set(tables) == set(TABLES)
        assert all(given == name for table in tables.values() for name, given in table["columns"].items())


def test_a_source_without_tables_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match="found no table"):
        propose_mapping(tmp_path)
    with pytest.raises(InputErrors, match="nothing there"):
        propose_mapping(tmp_path / "nowhere")
