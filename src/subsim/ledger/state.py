"""State of every account at given instants, rebuilt from ledger rows."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.ledger.terms import ONE_MONTH, Ints

ALL: Final = "all"


@dataclass(frozen=True)
class AccountStates:
    """Accounts (rows, sorted by id) by instants (columns): ARR in cents, and churns so far."""

    accounts: tuple[str, ...]
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
    account, _ = codes(ledger["account_id"])
    date = np.asarray(ledger["date"], dtype="datetime64[s]")
    step = np.diff(account)
    if ((step > 0) | ((step == 0) & (date[1:] >= date[:-1]))).all():
        return ledger
    return ledger.sort_values(["account_id", "date"], kind="stable")


def previous_after(account: Ints, after: Ints) -> Ints:
    """ARR that the row before left behind, 0 for an account's first row; rows are ordered."""
    previous = np.zeros_like(after)
    previous[1:] = np.where(account[1:] == account[:-1], after[:-1], 0)
    return previous


def closes(months: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """Instants at which months close: 00:00 of the next month's first day, which itself belongs to the next month."""
    return (months.astype("datetime64[M]") + ONE_MONTH).astype("datetime64[s]")


def instant_index(dates: "pd.Series[Any]", instants: npt.NDArray[np.datetime64]) -> Ints:
    """Index of the first of `instants` before which a row has happened; `len(instants)` when after all of them."""
    index = np.searchsorted(instants, np.asarray(dates, dtype="datetime64[s]"), side="right")
    return np.asarray(index, dtype=np.int64)


def account_states(ledger: pd.DataFrame, instants: npt.NDArray[np.datetime64]) -> AccountStates:
    """ARR and number of churns of each account just before each instant (sorted, datetime64[s])."""
    rows = ordered(ledger)
    account, ids = codes(rows["account_id"])
    group, segments = codes(rows["segment"])
    column = instant_index(rows["date"], instants)
    after = rows["after"].to_numpy(dtype=np.int64)
    seen = column < len(instants)
    arr = np.zeros((len(ids), len(instants)), dtype=np.int64)
    np.add.at(arr, (account[seen], column[seen]), (after - previous_after(account, after))[seen])
    churns = np.zeros((len(ids), len(instants)), dtype=np.int32)
    lost = seen & (rows["kind"] == "churn").to_numpy()
    np.add.at(churns, (account[lost], column[lost]), 1)
    segment = np.zeros(len(ids), dtype=np.int64)
    segment[account] = group
    return AccountStates(ids, arr.cumsum(axis=1), churns.cumsum(axis=1), segment, segments)


def by_segment(value: npt.NDArray[np.generic], segment: Ints, segments: int) -> Ints:
    """Exact integer sums per segment, and their total ("all") at the end."""
    sums = np.zeros(segments + 1, dtype=np.int64)
    np.add.at(sums, segment, value.astype(np.int64))
    sums[-1] = sums[:-1].sum()
    return sums
