"""`subsim check`: one JSON object, an exit code that says whether rows block, and a report a person can read."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call

ACCOUNTS = "account_id,segment,start_date\na1,smb,2024-01-01\na2,smb,2024-01-01\na3,ent,2024-02-01\n"
CONTRACTS = (
    "account_id,start_date,end_date,arr\na1,2024-01-01,2024-12-31,1200\na1,2025-01-01,2025-12-31,1500.50\n"
    "a2,2024-01-01,2024-12-31,600\na3,2024-02-01,2026-01-31,9000\n"
)
BROKEN = "a2,2025-01-01,soon,700\nzed,2025-01-01,2025-12-31,80\n"
BRIDGE = ["month", "segment", "opening", "new", "expansion", "contraction", "churn", "reactivation", "closing"]
PROBLEM = ["code", "table", "file", "row", "column", "found", "allowed", "account_id", "arr"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "acme"
    path.mkdir()
    (path / "accounts.csv").write_text(ACCOUNTS)
    (path / "contracts.csv").write_text(CONTRACTS)
    return path


def test_json_of_a_sound_book(call: Call, book: Path) -> None:
    code, out, err = call("check", str(book), "--as-of", "2025-06-30", "--json")
    data = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert (data["as_of"], data["arr"], data["logos"]) == ("2025-06-30", 10500.5, 2)
    assert all(list(row) == BRIDGE for row in data["bridge"])
    for row in data["bridge"]:
        cents = {name: round(row[name] * 100) for name in BRIDGE[2:]}
        gained = cents["new"] + cents["expansion"] + cents["reactivation"]
        assert cents["opening"] + gained - cents["contraction"] - cents["churn"] == cents["closing"]
    assert {row["segment"] for row in data["bridge"]} == {"smb", "ent", "all"}
    assert data["problems"] == []
    grr = next(row for row in data["metrics"] if (row["metric"], row["segment"]) == ("grr", "all"))
    assert (grr["numerator"], grr["denominator"]) == (10200.0, 10800.0)
    verdicts = {row["parameter"]: (row["rows"], row["verdict"]) for row in data["identifies"]}
    assert verdicts["value.first_arr"] == (3, "few")
    assert verdicts["onboarding.customer_delay"] == (0, "none")
    assert all(list(row) == ["parameter", "rows", "verdict"] for row in data["identifies"])


def test_rows_that_block_are_exit_code_1_with_the_problems_on_standard_output(call: Call, book: Path) -> None:
    (book / "contracts.csv").write_text(CONTRACTS + BROKEN)
    code, out, err = call("check", str(book), "--as-of", "2025-06-30", "--json")
    data = json.loads(out)
    assert (code, err) == (1, "")
    assert (data["bridge"], data["arr"], data["logos"], data["as_of"]) == (None, None, None, "2025-06-30")
    assert all(list(row) == PROBLEM for row in data["problems"])
    found = {(row["code"], row["row"], row["account_id"], row["arr"]) for row in data["problems"]}
    assert found == {("not-a-date", 6, "a2", 700.0), ("unknown-account", 7, "zed", 80.0)}
    code, out, err = call("check", str(book), "--as-of", "2025-06-30")
    assert code == 1
    assert "unknown-account (blocks): 1 rows, 1 accounts with ARR 80" in out
    assert "contracts.csv:6 end_date: found 'soon'" in out
    assert "--quarantine" in err


def test_quarantine_lets_the_rest_be_read(call: Call, book: Path, tmp_path: Path) -> None:
    (book / "contracts.csv").write_text(CONTRACTS + BROKEN)
    target = tmp_path / "aside.csv"
    code, out, _ = call("check", str(book), "--as-of", "2025-06-30", "--quarantine", str(target))
    assert code == 0
    assert "2 rows of 2 accounts with ARR 780 were set aside" in out
    assert len(target.read_text().splitlines()) == 3
    again = call("check", str(book), "--as-of", "2025-06-30", "--quarantine", str(target))
    assert (again[0], again[1]) == (2, "")
    assert "a file that exists" in again[2]
    other = str(tmp_path / "other.csv")
    data = json.loads(call("check", str(book), "--as-of", "2025-06-30", "--quarantine", other, "--json")[1])
    assert data["quarantine"] == {"file": other, "rows": 2, "arr": 780.0}
    assert data["arr"] == 10500.5
    assert len(data["problems"]) == 2


def test_a_source_that_cannot_be_read_is_exit_code_2(call: Call, book: Path) -> None:
    (book / "contracts.csv").write_text(CONTRACTS.replace("arr\n", "amount in words\n"))
    code, out, err = call("check", str(book), "--as-of", "2025-06-30", "--json")
    assert (code, out) == (2, "")
    assert "no column arr" in json.loads(err)["errors"][0]["found"]
    assert call("check", str(book.parent / "nowhere"), "--as-of", "2025-06-30")[0] == 2
    code, out, err = call("check", str(book))
    assert (code, out) == (2, "")
    assert err.startswith("--as-of: found nothing")


def test_a_proposed_mapping_needs_no_day(call: Call, book: Path) -> None:
    code, out, _ = call("check", str(book), "--propose-mapping")
    assert code == 0
    assert "tables:" in out
    assert "contracts" in json.loads(call("check", str(book), "--propose-mapping", "--json")[1])["mapping"]


def test_markup_in_a_source_is_shown_as_it_is(call: Call, book: Path) -> None:
    (book / "contracts.csv").write_text(CONTRACTS + "a2,2025-01-01,[bold]x[/],700\n")
    code, out, _ = call("check", str(book), "--as-of", "2025-06-30")
    assert code == 1
    assert "[bold]x[/]" in out


def test_money_from_the_same_contracts(call: Call, book: Path) -> None:
    code, out, _ = call("check", str(book), "--as-of", "2025-06-30", "--definitions", "--json")
    assert code == 0
    told = json.loads(out)
    months = [row for row in told["money"] if row["segment"] == "all"]
    assert len(months) == 12
    # a1 pays 1,500.50 in January, a3 9,000 in February; a2 has left.
    assert sum(row["billings"] for row in months) == pytest.approx(1500.50 + 9000)
    assert months[-1]["rpo"] == pytest.approx(months[-1]["deferred_revenue"])
    assert [row["carr"] for row in told["carr"] if row["segment"] == "all"] == [told["arr"]]
    assert {"switch", "setting", "other", "difference"} <= set(told["definitions"][0])
    assert all(row["difference"] for row in told["definitions"])


def test_words_on_money_and_definitions(call: Call, book: Path) -> None:
    _, out, _ = call("check", str(book), "--as-of", "2025-06-30", "--definitions")
    assert "deferred revenue" in out
    assert "What other definitions would say" in out
