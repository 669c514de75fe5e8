import pandas as pd
import pytest

from subsim.ledger import from_contracts, from_mrr, terms

ACCOUNTS = pd.DataFrame({"account_id": ["a", "b"], "segment": ["smb", "enterprise"]})


def contracts(*rows: tuple[str, str, str | None, int], term_months: int | None = None) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "arr_cents"])
    table["start_date"] = pd.to_datetime(table["start_date"])
    table["end_date"] = pd.to_datetime(table["end_date"])
    return table if term_months is None else table.assign(term_months=term_months)


def story(ledger: pd.DataFrame) -> list[tuple[str, str, int, int]]:
    columns = (ledger["date"].dt.strftime("%Y-%m-%d"), ledger["kind"].astype(str), ledger["before"], ledger["after"])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_churn_is_dated_the_day_after_the_last_day_in_force() -> None:
    ledger = from_contracts(contracts(("a", "2024-01-15", "2025-01-14", 120_000)), ACCOUNTS, "2025-06-30")
    assert story(ledger) == [("2024-01-15", "new", 0, 120_000), ("2025-01-15", "churn", 120_000, 0)]
    assert ledger["segment"].tolist() == ["smb", "smb"]


def test_a_term_that_has_not_ended_on_as_of_is_in_force() -> None:
    table = contracts(("a", "2024-01-15", "2025-01-14", 120_000))
    assert story(from_contracts(table, ACCOUNTS, "2025-01-14", grace_days=0)) == [("2024-01-15", "new", 0, 120_000)]
    assert story(from_contracts(table, ACCOUNTS, "2025-01-15", grace_days=0))[-1][1] == "churn"


@pytest.mark.parametrize(("days_out", "lost"), [(30, False), (31, True)])
def test_only_a_gap_longer_than_the_grace_is_churn(days_out: int, lost: bool) -> None:
    back = (pd.Timestamp("2025-01-01") + pd.Timedelta(days=days_out)).strftime("%Y-%m-%d")
    table = contracts(("a", "2024-01-01", "2024-12-31", 100), ("a", back, "2026-12-31", 100))
    kinds = [kind for _, kind, _, _ in story(from_contracts(table, ACCOUNTS, "2025-12-31", grace_days=30))]
    assert kinds == (["new", "churn", "reactivation"] if lost else ["new", "renewal"])


@pytest.mark.parametrize(("as_of", "live"), [("2025-01-30", True), ("2025-01-31", False)])
def test_an_account_in_its_grace_is_still_in_force_on_as_of(as_of: str, live: bool) -> None:
    table = contracts(("a", "2024-01-01", "2024-12-31", 100))
    ledger = from_contracts(table, ACCOUNTS, as_of, grace_days=30)
    assert (ledger["after"].iloc[-1] > 0) == live


def test_renewal_with_more_arr_is_a_renewal_row_and_an_expansion_row() -> None:
    table = contracts(("a", "2024-01-01", "2024-12-31", 100), ("a", "2025-01-01", "2025-12-31", 130))
    assert story(from_contracts(table, ACCOUNTS, "2025-06-30"))[1:] == [
        ("2025-01-01", "renewal", 100, 100),
        ("2025-01-01", "expansion", 100, 130),
    ]


def test_overlaps_and_co_terms_net_at_account_level() -> None:
    table = contracts(
        ("a", "2024-01-01", "2024-12-31", 100),
        ("a", "2024-06-01", "2024-12-31", 40),
        ("a", "2024-12-20", "2025-12-31", 140),
    )
    assert story(from_contracts(table, ACCOUNTS, "2025-06-30")) == [
        ("2024-01-01", "new", 0, 100),
        ("2024-06-01", "expansion", 100, 140),
        ("2024-12-20", "expansion", 140, 280),
        ("2025-01-01", "contraction", 280, 140),
    ]


def test_future_start_is_signed_and_not_live() -> None:
    assert from_contracts(contracts(("a", "2025-07-01", "2026-06-30", 100)), ACCOUNTS, "2025-06-30").empty


def test_self_renewing_contract_renews_on_month_ends_and_does_not_look_ahead() -> None:
    table = contracts(("a", "2025-01-31", "2025-04-10", 100), term_months=1)
    known = from_contracts(table, ACCOUNTS, "2025-12-31", grace_days=0)
    assert story(known) == [
        ("2025-01-31", "new", 0, 100),
        ("2025-02-28", "renewal", 100, 100),
        ("2025-03-31", "renewal", 100, 100),
        ("2025-04-11", "churn", 100, 0),
    ]
    assert story(from_contracts(table, ACCOUNTS, "2025-03-31", grace_days=0)) == story(known)[:3]
    assert terms(table, "2025-03-31")["end_date"].iloc[-1] == pd.Timestamp("2025-04-29")


def test_a_churn_keeps_its_notice_and_whether_it_came_before_its_time() -> None:
    table = pd.concat(
        [
            contracts(("a", "2024-01-01", "2025-12-31", 100), term_months=12),
            contracts(("b", "2024-01-01", "2024-08-31", 50), ("b", "2024-01-01", "2024-08-31", 70), term_months=12),
        ]
    ).assign(notice_date=pd.to_datetime(["2025-10-01", None, "2024-08-15"]))
    ledger = from_contracts(table, ACCOUNTS, "2026-06-30")
    churn = ledger[ledger["kind"] == "churn"]
    assert churn["date"].dt.strftime("%Y-%m-%d").tolist() == ["2026-01-01", "2024-09-01"]
    assert churn["notice_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-10-01", "2024-08-15"]
    assert churn["in_term"].tolist() == [False, True]
    assert ledger.loc[ledger["kind"] != "churn", "notice_date"].isna().all()
    assert not ledger.loc[ledger["kind"] != "churn", "in_term"].any()
    assert from_contracts(table, ACCOUNTS, "2025-09-30")["notice_date"].notna().sum() == 1


@pytest.mark.parametrize("wide", [False, True])
def test_mrr_cube_gives_twelve_times_mrr_at_month_ends(wide: bool) -> None:
    rows = [("a", "2025-01", 10), ("a", "2025-02", 15), ("a", "2025-04", 5), ("b", "2025-02", 7), ("b", "2025-03", 7)]
    cube = pd.DataFrame(rows, columns=["account_id", "month", "mrr_cents"]).assign(segment="smb")
    if wide:
        cube = cube.pivot_table(index=["account_id", "segment"], columns="month", values="mrr_cents", fill_value=0)
        cube = cube.astype("int64").reset_index()
    ledger = from_mrr(cube)
    assert story(ledger[ledger["account_id"] == "a"]) == [
        ("2025-01-31", "new", 0, 120),
        ("2025-02-28", "expansion", 120, 180),
        ("2025-03-31", "churn", 180, 0),
        ("2025-04-30", "reactivation", 0, 60),
    ]
    assert story(ledger[ledger["account_id"] == "b"]) == [
        ("2025-02-28", "new", 0, 84),
        ("2025-04-30", "churn", 84, 0),
    ]
    assert ledger.loc[ledger["reason"] == "opening balance", "account_id"].tolist() == ["a"]
