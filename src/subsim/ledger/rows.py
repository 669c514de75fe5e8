"""Ledger rows: every change of an account's ARR, dated, with the amount before and after."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.ledger.terms import ONE_DAY, ONE_MONTH, Days, Ints, as_day, as_days, terms

KINDS: Final = ("new", "renewal", "expansion", "contraction", "price", "churn", "reactivation")
COLUMNS: Final = ("account_id", "segment", "date", "kind", "before", "after", "reason")
OPENING_BALANCE: Final = "opening balance"  # reason of what an MRR cube already holds in its first month
NO_SEGMENT: Final = "unsegmented"
MONTHS_PER_YEAR: Final = 12

NEW, RENEWAL, EXPANSION, CONTRACTION, _, CHURN, REACTIVATION = range(len(KINDS))


def from_contracts(
    contracts: pd.DataFrame, accounts: pd.DataFrame, as_of: object, grace_days: int = 30
) -> pd.DataFrame:
    """Ledger of the accounts' ARR in force, from their contracts.

    An account's ARR is the sum of its contracts in force; a contract is in force from `start_date` through
    `end_date`, both included, and a loss is dated on the day after the last day in force. Changes of one day are
    netted, so overlaps and co-terms show only what the customer pays more or less. A gap of at most `grace_days` days
    is a late renewal: the ARR stays in force until the new contract starts. The same holds for an account whose last
    contract ended so recently that its grace has not run out on `as_of`. A longer gap is churn, dated at the
    contract's end, and then reactivation.

    Args:
        contracts: see `subsim.ledger.terms.terms`. `arr_cents` is int64.
        accounts: `account_id` (unique) and `segment`; every contract's account must be in it.
        as_of: the last day the book knows; later starts are not live and later ends have not happened.
        grace_days: longest gap, in days out of force, that still is a late renewal.

    Returns:
        Rows sorted by account and date with the columns of `COLUMNS`: `before` and `after` in int64 cents of ARR,
        `date` datetime64[s], the rest categories. A renewal row has `before == after`; its change of ARR is the row
        after it. Further, `in_term` (bool: a churn before the contract was due to end, where contracts renew
        themselves) and, where the contracts have it, `notice_date` of a churn.

    Example:
        >>> accounts = pd.DataFrame({"account_id": ["a"], "segment": ["smb"]})
        >>> dates = pd.to_datetime(["2025-01-01", "2026-01-01"]), pd.to_datetime(["2025-12-31", "2026-12-31"])
        >>> contracts = pd.DataFrame({"account_id": "a", "start_date": dates[0], "end_date": dates[1]})
        >>> contracts["arr_cents"] = [100, 120]
        >>> from_contracts(contracts, accounts, "2026-06-30")["kind"].tolist()
        ['new', 'renewal', 'expansion']
    """
    ids = _account_ids(accounts)
    signed = terms(contracts, as_of)
    cut = as_day(as_of)
    owner = ids.get_indexer(pd.Index(signed["account_id"]))
    account, date, delta, starts, ends = _steps(owner, signed, cut)
    first = np.r_[True, account[1:] != account[:-1]]
    after = _cumulative(delta, first)
    running = _cumulative(starts - ends, first)

    # A day with nothing left in force is a gap; a short gap did not happen, and what follows it is a late renewal.
    resumes = np.r_[date[1:], cut + ONE_DAY]
    resumes[np.r_[first[1:], True]] = cut + ONE_DAY
    short_gap = (running == 0) & ((resumes - date).astype(np.int64) <= grace_days)
    late = np.r_[False, short_gap[:-1]] & ~first
    on_time = (ends > 0) & (starts > 0) & (running - starts == 0)
    keep = ~short_gap
    ledger = _rows(ids, accounts, account[keep], date[keep], after[keep], renewed=(late | on_time)[keep])
    return ledger.assign(**_losses(ledger, owner, signed))


def from_mrr(cube: pd.DataFrame) -> pd.DataFrame:
    """Ledger of a customer cube: month-end snapshots of MRR, with ARR = 12 x MRR.

    Changes are dated on the month's last day, which is all that a snapshot can tell. What the first month holds is
    kind `new` with the reason `opening balance`; no row for a month that the cube covers means no MRR.

    Args:
        cube: long (`account_id`, `month`, `mrr_cents`, and optionally `segment`) or wide (`account_id`, optionally
            `segment`, and one column of int64 cents per month, named by a date or `YYYY-MM`).

    Returns:
        Rows as from `from_contracts`, without renewals: a cube has no terms, so that no churn is known to be a lost
        renewal (`in_term` is true of each).
    """
    long = cube if "month" in cube else _unpivot(cube)
    if "segment" not in long:
        long = long.assign(segment=NO_SEGMENT)
    accounts = long[["account_id", "segment"]].drop_duplicates("account_id")
    ids = _account_ids(accounts)
    account = ids.get_indexer(pd.Index(long["account_id"])).astype(np.int64)
    month = as_days(long["month"]).astype("datetime64[M]")
    origin, last = month.min(), month.max()
    index = (month - origin).astype(np.int64)
    arr = long["mrr_cents"].to_numpy(dtype=np.int64) * MONTHS_PER_YEAR
    order = np.lexsort((index, account))
    account, index, arr = account[order], index[order], arr[order]

    # Where an account's next row is not the next month, the month in between holds nothing.
    final = np.r_[account[1:] != account[:-1], True]
    following = np.where(final, (last - origin).astype(np.int64) + 1, np.r_[index[1:], 0])
    silent = following > index + 1
    account, index = np.r_[account, account[silent]], np.r_[index, index[silent] + 1]
    arr = np.r_[arr, np.zeros(int(silent.sum()), np.int64)]
    order = np.lexsort((index, account))
    account, index, arr = account[order], index[order], arr[order]
    date = (origin + index.astype("timedelta64[M]") + ONE_MONTH).astype("datetime64[D]") - ONE_DAY
    ledger = _rows(ids, accounts, account, date, arr, renewed=np.zeros(len(account), dtype=bool))
    opening = (ledger["date"] == (origin + ONE_MONTH).astype("datetime64[D]") - ONE_DAY).to_numpy()
    ledger["reason"] = _category(opening, ["", OPENING_BALANCE])
    return ledger.assign(in_term=(ledger["kind"] == "churn").to_numpy())


def _account_ids(accounts: pd.DataFrame) -> "pd.Index[Any]":
    return pd.Index(np.sort(accounts["account_id"].astype(str).to_numpy(dtype=object)), dtype=object)


def _category(codes: "npt.NDArray[Any]", names: Sequence[str]) -> "pd.Categorical[Any]":
    return pd.Categorical.from_codes(codes.astype(np.int8), dtype=pd.CategoricalDtype(list(names)))


def _unpivot(cube: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("account_id", "segment") if name in cube]
    return cube.melt(id_vars=keys, var_name="month", value_name="mrr_cents")


def _steps(account: Any, signed: pd.DataFrame, cut: np.datetime64) -> tuple[Ints, Days, Ints, Ints, Ints]:
    """Changes by account and day up to `cut`: (account, date, change of ARR, contracts started, contracts ended)."""
    start, gone = as_days(signed["start_date"]), as_days(signed["end_date"]) + ONE_DAY
    arr = signed["arr_cents"].to_numpy(dtype=np.int64)
    past = gone <= cut
    who = np.r_[account, account[past]].astype(np.int64)
    date = np.r_[start, gone[past]]
    amount = np.r_[arr, -arr[past]]
    is_start = np.r_[np.ones(len(arr), np.int64), np.zeros(int(past.sum()), np.int64)]
    order = np.lexsort((date, who))
    who, date = who[order], date[order]
    is_new = np.r_[True, (who[1:] != who[:-1]) | (date[1:] != date[:-1])][: len(who)]
    at, slot = np.flatnonzero(is_new), np.cumsum(is_new) - 1
    sums = np.zeros((3, len(at)), dtype=np.int64)
    for total, column in zip(sums, (amount, is_start, 1 - is_start), strict=True):
        np.add.at(total, slot, column[order])
    return who[at], date[at], sums[0], sums[1], sums[2]


def _losses(ledger: pd.DataFrame, owner: Any, signed: pd.DataFrame) -> dict[str, Any]:
    """What the contracts say of each churn: whether it came before its due date, and when notice was given."""
    lost = np.flatnonzero((ledger["kind"] == "churn").to_numpy())
    ended = pd.DataFrame(
        {
            "account": owner,
            "date": (as_days(signed["end_date"]) + ONE_DAY).astype("datetime64[s]"),
            "in_term": (signed["due_date"] > signed["end_date"]).to_numpy(),
        }
    )
    columns: dict[str, Any] = {"in_term": np.zeros(len(ledger), dtype=bool)}
    if "notice_date" in signed:
        ended["notice_date"] = signed["notice_date"].to_numpy()
        columns["notice_date"] = np.full(len(ledger), np.datetime64("NaT", "s"))
    keys = pd.DataFrame(
        {"account": ledger["account_id"].cat.codes.to_numpy()[lost], "date": ledger["date"].to_numpy()[lost]}
    )
    ended = ended[ended["in_term"] | ended.get("notice_date", pd.Series(pd.NaT, ended.index)).notna()]
    found = keys.merge(ended.groupby(["account", "date"], as_index=False).max(), on=["account", "date"], how="left")
    for name, column in columns.items():
        column[lost] = found[name].fillna(False).astype(bool) if name == "in_term" else found[name]
    return columns


def _cumulative(change: Ints, first: npt.NDArray[np.bool_]) -> Ints:
    """Running sum that starts again wherever `first` is true."""
    total = np.cumsum(change)
    begin = np.flatnonzero(first[: len(change)])
    lengths = np.diff(np.r_[begin, len(change)])
    return total - np.repeat(total[begin] - change[begin], lengths)


def as_kinds(column: "pd.Series[Any]") -> Ints:
    """Index in `KINDS` of each row's kind."""
    if isinstance(column.dtype, pd.CategoricalDtype) and tuple(column.cat.categories) == KINDS:
        return np.asarray(column.cat.codes, dtype=np.int64)
    return np.asarray(pd.Index(KINDS).get_indexer(pd.Index(column.astype(str))), dtype=np.int64)


def kind_column(kinds: "npt.NDArray[Any]") -> "pd.Categorical[Any]":
    """Column of kinds from their indices in `KINDS`."""
    return _category(kinds, KINDS)


def changes(account: Ints, after: Ints) -> tuple[Ints, Ints]:
    """ARR before each level, and the index in `KINDS` of the change to it; levels are sorted by account and time.

    From nothing to something is new the first time and reactivation later; down to nothing is churn.
    """
    first = np.r_[True, account[1:] != account[:-1]][: len(account)]
    before = np.where(first, 0, np.r_[0, after[:-1]][: len(account)])
    paid = _cumulative((after > 0).astype(np.int64), first)  # levels above zero so far, this one included
    kind = np.select(
        [after == 0, (before == 0) & (paid == 1), before == 0, after > before],
        [CHURN, NEW, REACTIVATION, EXPANSION],
        CONTRACTION,
    )
    return np.asarray(before, dtype=np.int64), np.asarray(kind, dtype=np.int64)


def _rows(
    ids: "pd.Index[Any]",
    accounts: pd.DataFrame,
    account: Ints,
    date: Days,
    after: Ints,
    *,
    renewed: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    """Name the change from each level of ARR to the next; levels are sorted by account and date."""
    before, kind = changes(account, after)
    changed, renewed = after != before, renewed & (before > 0) & (after > 0)
    at = np.r_[np.flatnonzero(renewed), np.flatnonzero(changed)]
    is_renewal = np.r_[np.ones(int(renewed.sum()), bool), np.zeros(int(changed.sum()), bool)]
    order = np.lexsort((~is_renewal, at))
    at, is_renewal = at[order], is_renewal[order]
    segment = (
        accounts.assign(account_id=accounts["account_id"].astype(str)).set_index("account_id")["segment"].reindex(ids)
    )
    groups = pd.Categorical(segment.astype(str).to_numpy(dtype=object))
    return pd.DataFrame(
        {
            "account_id": pd.Categorical.from_codes(account[at], categories=ids),
            "segment": groups[account[at]],
            "date": date[at].astype("datetime64[s]"),
            "kind": kind_column(np.where(is_renewal, RENEWAL, kind[at])),
            "before": before[at],
            "after": np.where(is_renewal, before[at], after[at]),
            "reason": _category(np.zeros(len(at), np.int8), [""]),
        }
    )
