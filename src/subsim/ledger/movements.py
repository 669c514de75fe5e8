"""The ledger of a list of movements: what changed, when, and what the account pays since."""

from typing import Final

import numpy as np
import pandas as pd

from subsim.errors import InputError, InputErrors
from subsim.ledger.rows import KINDS, NO_SEGMENT, as_kinds, kind_column
from subsim.ledger.state import codes, previous_after
from subsim.ledger.terms import Ints, as_day, as_days

NEW, RENEWAL, EXPANSION, CONTRACTION, PRICE, CHURN, REACTIVATION = range(len(KINDS))

#: What each kind says of the ARR before and after it.
RULES: Final = {
    NEW: "new: from nothing to something, the first time",
    RENEWAL: "renewal: something before and after",
    EXPANSION: "expansion: from something to more",
    CONTRACTION: "contraction: from something to less, but not to nothing",
    PRICE: "price: something before and after",
    CHURN: "churn: from something to nothing",
    REACTIVATION: "reactivation: from nothing to something, not the first time",
}


def movement_problems(movements: pd.DataFrame) -> pd.DataFrame:
    """Movements whose kind does not fit the amounts, judged by the ARR that the row before left behind.

    Args:
        movements: see `from_movements`.

    Returns:
        One row per problem, with the index of its movement: account_id, date, found, allowed (text).
    """
    rows, before = _in_order(movements)
    kind, after = as_kinds(rows["kind"]), rows["arr_after_cents"].to_numpy(dtype=np.int64)
    account, _ = codes(rows["account_id"].astype(str))
    paid = _paid_before(account, after)
    fits = np.select(
        [kind == code for code in range(len(KINDS))],
        [
            (before == 0) & (after > 0) & ~paid,
            (before > 0) & (after > 0),
            (before > 0) & (after > before),
            (after > 0) & (after < before),
            (before > 0) & (after > 0),
            (before > 0) & (after == 0),
            (before == 0) & (after > 0) & paid,
        ],
        default=False,
    )
    wrong = rows[~fits]
    change = [
        f"from {was / 100:,.2f} to {now / 100:,.2f}" for was, now in zip(before[~fits], after[~fits], strict=True)
    ]
    first = np.where((before == 0) & ~paid, ", the account's first movement", "")[~fits]
    allowed = [RULES.get(code, f"a kind of {', '.join(KINDS)}") for code in kind[~fits]]
    found = [
        f"{name} {moved}{note}" for name, moved, note in zip(wrong["kind"].astype(str), change, first, strict=True)
    ]
    return pd.DataFrame(
        {"account_id": wrong["account_id"].astype(str), "date": wrong["date"], "found": found, "allowed": allowed},
        index=wrong.index,
    )


def from_movements(movements: pd.DataFrame, accounts: pd.DataFrame, as_of: object) -> pd.DataFrame:
    """Ledger of a list of movements; every kind is checked against the amounts, never guessed.

    A movement is dated on the first day of its new ARR (a churn on the first day out of force). An account's first
    movement must be new: what was there before the list begins is a row of kind new with a reason such as `opening
    balance`. A renewal to another amount is a renewal row, and an expansion or contraction row after it. Movements of
    one account and day happen in the order of the table.

    Args:
        movements: account_id, date, kind (of `subsim.ledger.KINDS`), arr_after_cents (int64), and optionally reason
            and notice_date.
        accounts: `account_id` and `segment`.
        as_of: the last day the book knows; later movements, and notices, have not happened.

    Returns:
        Rows as from `subsim.ledger.from_contracts`, with `notice_date` where the movements have it.

    Raises:
        InputErrors: kinds that do not fit the amounts, all of them.

    Example:
        >>> accounts = pd.DataFrame({"account_id": ["a"], "segment": ["smb"]})
        >>> rows = {"account_id": "a", "date": ["2025-01-01", "2026-01-01"], "kind": ["new", "renewal"]}
        >>> movements = pd.DataFrame(rows).assign(arr_after_cents=[100, 120])
        >>> from_movements(movements, accounts, "2026-06-30")["kind"].tolist()
        ['new', 'renewal', 'expansion']
    """
    known = movements[as_days(movements["date"]) <= as_day(as_of)]
    problems = movement_problems(known)
    if len(problems):
        raise InputErrors(
            InputError(where=f"movements {account} {day}", found=found, allowed=allowed)
            for account, day, found, allowed in zip(
                problems["account_id"], as_days(problems["date"]), problems["found"], problems["allowed"], strict=True
            )
        )
    rows, before = _in_order(known)
    after, kind = rows["arr_after_cents"].to_numpy(dtype=np.int64), as_kinds(rows["kind"])
    segment = pd.Series(accounts["segment"].astype(str).to_numpy(), index=accounts["account_id"].astype(str).to_numpy())
    ids = rows["account_id"].astype(str)
    ledger = pd.DataFrame(
        {
            "account_id": pd.Categorical(ids),
            "segment": pd.Categorical(ids.map(segment).fillna(NO_SEGMENT)),
            "date": as_days(rows["date"]).astype("datetime64[s]"),
            "kind": kind_column(kind),
            "before": before,
            "after": after,
            "reason": pd.Categorical(_text(rows, "reason")),
        }
    )
    if "notice_date" in rows:
        notice = as_days(rows["notice_date"])
        notice[notice > as_day(as_of)] = np.datetime64("NaT", "D")
        ledger["notice_date"] = notice.astype("datetime64[s]")
    return _split_renewals(ledger)


def _in_order(movements: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
    """Movements by account and day, and the ARR before each."""
    keyed = movements.assign(account_id=movements["account_id"].astype(str))
    rows: pd.DataFrame = keyed.sort_values(["account_id", "date"], kind="stable")
    account, _ = codes(rows["account_id"])
    return rows, previous_after(account, rows["arr_after_cents"].to_numpy(dtype=np.int64))


def _paid_before(account: Ints, after: Ints) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether an earlier movement of the row's account left ARR."""
    begins = np.r_[True, account[1:] != account[:-1]][: len(account)]
    total = np.cumsum(after > 0)
    so_far = total - (after > 0)
    start = np.repeat(so_far[begins], np.diff(np.r_[np.flatnonzero(begins), len(account)]))
    return np.asarray(so_far > start)


def _split_renewals(ledger: pd.DataFrame) -> pd.DataFrame:
    """A renewal row keeps its amount; what it changes becomes the row after it."""
    is_renewal = (ledger["kind"] == "renewal").to_numpy()
    before, after = (ledger[name].to_numpy(dtype=np.int64) for name in ("before", "after"))
    at = np.flatnonzero(is_renewal & (before != after))
    change = ledger.iloc[at].assign(kind=kind_column(np.where(after[at] > before[at], EXPANSION, CONTRACTION)))
    change.index = pd.Index(at + 0.5)
    kept = ledger.assign(after=np.where(is_renewal, before, after))
    together: pd.DataFrame = pd.concat([kept.set_axis(kept.index.astype(float)), change]).sort_index()
    return together.reset_index(drop=True)


def _text(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows[name].fillna("").astype(str) if name in rows else pd.Series("", rows.index)
