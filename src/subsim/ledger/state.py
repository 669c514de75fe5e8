"""State of every account at month ends, rebuilt from ledger rows."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.ledger.terms import ONE_MONTH, Days, Ints

ALL: Final = "all"


@dataclass(frozen=True)
class AccountMonths:
    """Accounts (rows) by months (columns): ARR in cents at each close, and churns so far."""

    arr: Ints
    churns: Ints
    segment: Ints
    """Index of each account's segment in `segments`."""
    segments: tuple[str, ...]


def codes(column: pd.Series) -> tuple[Ints, tuple[str, ...]]:
    """Sorted distinct values of a text column and the index of each row's value among them."""
    values = pd.Categorical(column).remove_unused_categories()
    names = [str(name) for name in values.categories]
    rank = np.argsort(np.argsort(np.array(names, dtype=object), kind="stable"), kind="stable")
    code = rank[values.codes] if names else values.codes
    return code.astype(np.int64), tuple(sorted(names))


def ordered(ledger: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by account and time; rows of one moment keep their order."""
    return ledger.sort_values(["account_id", "date"], kind="stable")


def previous_after(account: Ints, after: Ints) -> Ints:
    """ARR that the row before left behind, 0 for an account's first row; rows are ordered."""
    previous = np.zeros_like(after)
    previous[1:] = np.where(account[1:] == account[:-1], after[:-1], 0)
    return previous


def month_index(dates: "pd.Series[Any]", months: npt.NDArray[np.datetime64]) -> Ints:
    """Index of the first of `months` at whose close a row has happened; `len(months)` when after all of them.

    A month closes at the last instant of its last day, so a row of the 1st at 00:00 belongs to the month it begins.
    """
    opens_next = (months.astype("datetime64[M]") + ONE_MONTH).astype("datetime64[s]")
    index = np.searchsorted(opens_next, np.asarray(dates, dtype="datetime64[s]"), side="right")
    return np.asarray(index, dtype=np.int64)


def account_months(ledger: pd.DataFrame, months: Days) -> AccountMonths:
    """ARR and number of churns of each account at the close of each month (sorted, need not be adjacent)."""
    rows = ordered(ledger)
    account, _ = codes(rows["account_id"])
    group, segments = codes(rows["segment"])
    column = month_index(rows["date"], months)
    count = int(account.max()) + 1 if len(account) else 0
    after = rows["after"].to_numpy(dtype=np.int64)
    seen = column < len(months)
    arr = np.zeros((count, len(months)), dtype=np.int64)
    np.add.at(arr, (account[seen], column[seen]), (after - previous_after(account, after))[seen])
    churns = np.zeros((count, len(months)), dtype=np.int32)
    lost = seen & (rows["kind"] == "churn").to_numpy()
    np.add.at(churns, (account[lost], column[lost]), 1)
    segment = np.zeros(count, dtype=np.int64)
    segment[account] = group
    return AccountMonths(arr.cumsum(axis=1), churns.cumsum(axis=1), segment, segments)


def by_segment(value: npt.NDArray[np.generic], segment: Ints, segments: int) -> Ints:
    """Exact integer sums per segment, and their total ("all") at the end."""
    sums = np.zeros(segments + 1, dtype=np.int64)
    np.add.at(sums, segment, value.astype(np.int64))
    sums[-1] = sums[:-1].sum()
    return sums
