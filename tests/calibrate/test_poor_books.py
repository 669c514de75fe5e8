"""Books that can teach little: a sentence each, never a traceback and never a silent NaN."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from subsim.calibrate.together import calibrate
from subsim.errors import InputError
from tests.calibrate import books

Tables = dict[str, pd.DataFrame]
SMALL = {"draws": 100, "tune": 100, "chains": 2}


def few_rows(made: Tables) -> Tables:
    return {name: table[table["account_id"].isin(["a0000", "a0001", "a0002"])] for name, table in made.items()}


def one_segment(made: Tables) -> Tables:
    return {**made, "accounts": made["accounts"].assign(segment="smb")}


def no_renewals_yet(made: Tables) -> Tables:
    contracts = made["contracts"].drop_duplicates("account_id").copy()
    contracts["end_date"] = contracts["start_date"] + pd.DateOffset(years=5)
    return {**made, "contracts": contracts}


def all_churned(made: Tables) -> Tables:
    contracts = made["contracts"].drop_duplicates("account_id")
    old = contracts[contracts["end_date"] < "2025-06-30"]
    return {
        name: table[table["account_id"].isin(old["account_id"])] for name, table in (made | {"contracts": old}).items()
    }


def constant_score(made: Tables) -> Tables:
    months = pd.date_range("2025-01-31", "2025-12-31", freq="ME")
    live = made["accounts"]["account_id"].head(20)
    rows = [(account, month, 70) for account in live for month in months]
    return {**made, "health": pd.DataFrame(rows, columns=["account_id", "date", "score"])}


def revenue_only(made: Tables) -> Tables:
    return {name: made[name] for name in ("accounts", "contracts")}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (few_rows, "are few"),
        (one_segment, "one segment"),
        (no_renewals_yet, "No renewal has been decided yet"),
        (all_churned, "was lost"),
        (constant_score, "score"),
        (revenue_only, "No onboarding table"),
    ],
)
def test_a_book_that_can_teach_little_says_what_is_missing(
    change: Callable[[Tables], Tables], says: str, tmp_path: Path
) -> None:
    found = calibrate(books.book(tmp_path, change(books.tables(60))), **SMALL)
    assert says in found.text
    assert found.status != "FAIL", found.text
    assert all(np.isfinite(values).all() for values in found.draws.values())
    assert all(np.isfinite(row["contraction"]) for row in found.rows if row["contraction"] is not None)


def test_a_book_without_revenue_is_refused_in_a_sentence(tmp_path: Path) -> None:
    made = books.tables(10)
    book = books.book(tmp_path, made)
    empty = type(book)(book.name, book.as_of, book.grace_days, "", book.tables, book.ledger.iloc[:0], ())
    with pytest.raises(InputError, match="no revenue"):
        calibrate(empty, **SMALL)
