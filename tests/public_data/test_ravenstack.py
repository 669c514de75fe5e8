"""RavenStack, five linked tables of random data: MRR to the dollar, and every defect of the export named."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from subsim.book import Book, read_book
from subsim.book.stakes import tally
from tests.public_data.shared import EXAMPLES, real

TABLES = ("accounts", "subscriptions", "churn_events", "feature_usage", "support_tickets")
CENTS_OF_ARR = 1200


def read(folder: Path, as_of: str) -> Book:
    shutil.copy(EXAMPLES / "ravenstack" / "book.yaml", folder)
    return read_book(folder, as_of=as_of)


def counts(book: Book) -> dict[tuple[str, str], int]:
    rows = pd.Series([(problem.table, problem.code) for problem in book.problems]).value_counts()
    return {(str(table), str(code)): int(count) for (table, code), count in rows.items()}


@pytest.mark.shared_data
def test_the_real_files(tmp_path: Path) -> None:
    for table in TABLES:
        shutil.copy(real(f"ravenstack_{table}.csv"), tmp_path)
    book = read(tmp_path, "2024-12-31")
    bridge = book.bridge()
    closing = bridge[bridge["segment"] == "all"].set_index("month")["closing"]
    assert closing["2023-12-31"] == 1_262_113 * CENTS_OF_ARR
    assert closing["2024-12-31"] == 10_159_608 * CENTS_OF_ARR == book.arr_cents
    subscriptions = pd.read_csv(tmp_path / "ravenstack_subscriptions.csv", parse_dates=["start_date", "end_date"])
    for month, arr in closing.items():
        running = (subscriptions["start_date"] <= month) & ~(subscriptions["end_date"] <= month)
        assert arr == subscriptions.loc[running, "mrr_amount"].sum() * CENTS_OF_ARR

    found = counts(book)
    assert found["accounts", "churn-without-flag"] == 277
    assert found["accounts", "flag-without-churn"] == 35
    assert found["health", "repeated-id"] == 21
    assert found["contracts", "free-plan"] == (subscriptions["mrr_amount"] == 0).sum()
    usage = pd.read_csv(tmp_path / "ravenstack_feature_usage.csv", parse_dates=["usage_date"])
    both = usage.merge(subscriptions, on="subscription_id").query("~(start_date == end_date)")
    early = (both["usage_date"] < both["start_date"]).sum()
    assert early / len(both) == pytest.approx(0.766, abs=0.001)
    # Usage of the 13 subscriptions that are left out is held against the account's start.
    assert early <= found["health", "before-start"] <= early + len(usage) - len(both)
    assert not [problem for problem in book.problems if problem.blocks]
    assert all(line.arr_cents <= book.arr_cents for line in tally(book.problems))


def test_a_stand_in_with_one_of_each_defect(tmp_path: Path) -> None:
    files = {
        "accounts": "account_id,signup_date,plan_tier,referral_source,churn_flag\n"
        "A-1,2024-01-05,Basic,ads,False\nA-2,2024-01-05,Pro,other,True\nA-3,2024-01-05,Pro,other,True\n",
        "subscriptions": "subscription_id,account_id,start_date,end_date,plan_tier,arr_amount,billing_frequency\n"
        "S-1,A-1,2024-02-01,,Basic,1200,monthly\nS-2,A-2,2024-02-01,2024-05-01,Pro,2400,annual\n"
        "S-3,A-3,2024-03-01,2024-03-01,Pro,600,monthly\nS-4,A-3,2024-03-01,,Pro,0,monthly\n",
        "churn_events": "churn_event_id,account_id,churn_date,reason_code\n"
        "C-1,A-1,2024-04-01,pricing\nC-2,A-2,2024-05-01,support\n",
        "feature_usage": "usage_id,subscription_id,usage_date,usage_count\n"
        "U-1,S-1,2024-01-31,3\nU-2,S-1,2024-02-01,4\nU-2,S-2,2024-02-02,5\n",
        "support_tickets": "ticket_id,account_id,submitted_at,closed_at,priority\n"
        "T-1,A-1,2024-02-02,2024-02-03 03:00:00,high\nT-2,A-1,2024-06-29,2024-07-02 01:00:00,low\n",
    }
    for name, text in files.items():
        (tmp_path / f"ravenstack_{name}.csv").write_text(text)
    book = read(tmp_path, "2024-06-30")
    assert book.arr_cents == 120_000
    bridge = book.bridge()
    closing = bridge[bridge["segment"] == "all"].set_index("month")["closing"]
    assert closing.tolist() == [360_000, 360_000, 360_000, 120_000, 120_000]
    assert counts(book) == {
        ("accounts", "churn-without-flag"): 1,
        ("accounts", "flag-without-churn"): 1,
        ("contracts", "free-plan"): 1,
        ("movements", "churn-and-contract"): 1,
        ("health", "before-start"): 1,
        ("health", "repeated-id"): 1,
    }
    assert book.tables["health"]["account_id"].tolist() == ["A-1", "A-1", "A-2"]
    assert book.tables["tickets"]["resolved"].isna().tolist() == [False, True]
    assert book.reports[1].excluded[0][1] == 1
