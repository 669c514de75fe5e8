"""Telco customer churn (IBM sample data) through its mapping: churn by contract, MRR, survival by tenure."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import CensoredData, ecdf

from subsim.book import Book, read_book
from tests.public_data.shared import EXAMPLES, real

CENTS_OF_ARR = 1200


def read(path: Path) -> Book:
    return read_book(path, as_of="2020-06-30", mapping=EXAMPLES / "telco" / "book.yaml")


def june(book: Book) -> pd.Series:
    bridge = book.bridge().set_index(["month", "segment"])
    row: pd.Series = bridge.loc[(pd.Timestamp("2020-06-30"), "all")]
    return row


def churn_by_contract(book: Book) -> dict[str, float]:
    lost = book.ledger.loc[book.ledger["kind"] == "churn", "segment"].astype(str).value_counts()
    return (100 * lost / book.tables["accounts"]["segment"].value_counts()).round(2).to_dict()


def survival(book: Book, months: list[int]) -> list[float]:
    """Kaplan-Meier share still there after so many months of tenure, from the rows of the ledger."""
    last = book.ledger.assign(account_id=book.ledger["account_id"].astype(str)).groupby("account_id").last()
    start = book.tables["accounts"].set_index("account_id")["start_date"].reindex(last.index)
    begun = start.to_numpy().astype("datetime64[M]").astype(int)
    tenure = (np.datetime64("2020-06").astype(int) - begun).astype(float)
    gone = (last["kind"] == "churn").to_numpy()
    curve = ecdf(CensoredData(uncensored=tenure[gone], right=tenure[~gone])).sf
    return [round(float(curve.evaluate(month)), 4) for month in months]


@pytest.mark.shared_data
def test_the_real_file() -> None:
    book = read(real("telco_customer_churn.csv"))
    assert churn_by_contract(book) == {"Month-to-month": 42.71, "One year": 11.27, "Two year": 2.83}
    assert june(book)["opening"] + june(book)["new"] == 45_611_660 * 12
    assert june(book)["churn"] == 13_913_085 * 12
    assert june(book)["closing"] == book.arr_cents
    assert survival(book, [1, 12, 24, 36, 60, 72]) == [0.946, 0.8432, 0.7887, 0.7485, 0.6644, 0.5928]
    assert len(book.tables["accounts"]) == 7043
    assert not [problem for problem in book.problems if problem.blocks]


def test_a_stand_in_with_the_same_columns(tmp_path: Path) -> None:
    """Ten customers a contract, of whom 4, 1 and 0 left; tenures of 0 to 9 months."""
    leavers = {"Month-to-month": 4, "One year": 1, "Two year": 0}
    rows = [
        [f"{name[:2]}{n}", n, name, f"{20 + n}.5", "Yes" if 0 < n <= left else "No"]
        for name, left in leavers.items()
        for n in range(10)
    ]
    with (tmp_path / "small.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["customerID", "tenure", "Contract", "MonthlyCharges", "Churn"], *rows])
    book = read(tmp_path / "small.csv")
    assert {name: share for name, share in churn_by_contract(book).items() if share > 0} == {
        "Month-to-month": 40.0,
        "One year": 10.0,
    }
    mrr = {row[0]: round(100 * float(row[3])) for row in rows}
    assert june(book)["opening"] + june(book)["new"] == sum(mrr.values()) * 12
    assert june(book)["churn"] == sum(mrr[row[0]] for row in rows if row[4] == "Yes") * 12
    # 27 have been there for a month or more, of whom two left after one; 24 for two, of whom one left.
    assert survival(book, [1, 2]) == [round(25 / 27, 4), round(25 / 27 * 23 / 24, 4)]
