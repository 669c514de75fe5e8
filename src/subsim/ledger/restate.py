"""The same history told otherwise: by parent, with win-backs closed, netted by month. Every result is a ledger."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.rows import KINDS, as_kinds, changes, kind_column
from subsim.ledger.state import codes, ordered
from subsim.ledger.terms import ONE_DAY, ONE_MONTH, Ints

MAX_GENERATIONS: Final = 64
# Columns that netting makes anew, or that lose their sense by it.
OWN: Final = (
    "account_id",
    "segment",
    "date",
    "kind",
    "before",
    "after",
    "in_term",
)
RENEWAL, PRICE = KINDS.index("renewal"), KINDS.index("price")


def roll_up(ledger: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Ledger of ultimate parents: the changes of a family on one day are netted before they are named.

    A child that moves its ARR to a sister is no churn; a new child of a customer is expansion. Renewal rows fall
    away: terms belong to accounts. The segment is the parent's; of a parent that is no account itself, that of its
    first child by id.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        accounts: account_id, segment, parent_id (blank: none).

    Raises:
        InputError: parents that lead back to themselves.
    """
    top = ultimate_parents(accounts)
    segments = accounts.assign(account_id=accounts["account_id"].astype(str)).sort_values("account_id")
    own = segments.set_index("account_id")["segment"].astype(str)
    family = segments.assign(top=segments["account_id"].map(top)).drop_duplicates("top").set_index("top")["segment"]
    entity = ledger["account_id"].astype(str).map(top)
    day = ledger["date"].to_numpy(dtype="datetime64[D]").astype("datetime64[s]")
    rows = _net(ledger, entity, day)
    names = rows["account_id"].astype(str)
    return rows.assign(segment=pd.Categorical(names.map(own).fillna(names.map(family)).astype(str)))


def ultimate_parents(accounts: pd.DataFrame) -> "pd.Series[str]":
    """Top of each account's line of parents, by account_id; an account without a parent is its own.

    Raises:
        InputError: parents that lead back to themselves.
    """
    ids = accounts["account_id"].astype(str)
    parent = accounts["parent_id"].fillna("").astype(str)
    above = pd.Series(parent.where(parent != "", ids).to_numpy(), index=pd.Index(ids))
    top = above
    for _ in range(MAX_GENERATIONS):
        higher = top.map(above).fillna(top)
        if higher.equals(top):
            return top
        top = higher
    looped = sorted(top.index[top.to_numpy() != top.map(above).fillna(top).to_numpy()])[:3]
    raise InputError(
        where="accounts parent_id",
        found=f"a circle of parents: {', '.join(looped)}",
        allowed=f"at most {MAX_GENERATIONS} generations that end in an account without a parent",
    )


def net_by_month(ledger: pd.DataFrame) -> pd.DataFrame:
    """Each account's net change of a month as one row on the month's last day, as month-end snapshots show it.

    What came and went inside one month is not seen; renewal rows fall away.
    """
    month = ledger["date"].to_numpy(dtype="datetime64[M]")
    last_day = ((month + ONE_MONTH).astype("datetime64[D]") - ONE_DAY).astype("datetime64[s]")
    rows = _net(ledger, ledger["account_id"].astype(str), last_day)
    group, names = codes(ledger["segment"])
    last = pd.Series(group, index=ledger["account_id"].astype(str).to_numpy()).groupby(level=0).last()
    of_rows = last.reindex(rows["account_id"].astype(str)).to_numpy(dtype=np.int64)
    return rows.assign(segment=pd.Categorical(np.array(names, dtype=object)[of_rows]))


def without_win_backs(ledger: pd.DataFrame, days: int) -> pd.DataFrame:
    """Churns followed by a return within so many days are closed: the ARR stays in force until the return.

    The return becomes a renewal row, and a row of expansion or contraction where the ARR is another.
    """
    rows = ordered(ledger).reset_index(drop=True)
    churn, back = _returns(rows)
    gap = (rows["date"].to_numpy()[back] - rows["date"].to_numpy()[churn]).astype("timedelta64[s]")
    close = gap <= np.timedelta64(days, "D")
    churn, back = churn[close], back[close]
    before = rows["before"].to_numpy(dtype=np.int64).copy()
    after = rows["after"].to_numpy(dtype=np.int64)
    before[back] = before[churn]
    kind = as_kinds(rows["kind"]).copy()
    kind[back] = np.where(after[back] >= before[back], KINDS.index("expansion"), KINDS.index("contraction"))
    changed = rows.assign(before=before, kind=kind_column(kind))
    renewal = changed.iloc[back].assign(after=before[back], kind=kind_column(np.full(len(back), RENEWAL)))
    same = back[after[back] == before[back]]
    kept = changed.drop(index=rows.index[np.r_[churn, same]])
    # A renewal row stands before the change it brings.
    renewal.index = pd.Index(back - 0.5)
    together: pd.DataFrame = pd.concat([kept.set_axis(kept.index.astype(float)), renewal]).sort_index()
    return together.reset_index(drop=True)


def late_returns_as_new(ledger: pd.DataFrame, days: int) -> pd.DataFrame:
    """Returns later than so many days after the churn are kind new: the customer was won a second time."""
    rows = ordered(ledger).reset_index(drop=True)
    churn, back = _returns(rows)
    gap = (rows["date"].to_numpy()[back] - rows["date"].to_numpy()[churn]).astype("timedelta64[s]")
    kind = as_kinds(rows["kind"]).copy()
    kind[back[gap > np.timedelta64(days, "D")]] = KINDS.index("new")
    return rows.assign(kind=kind_column(kind))


def _returns(rows: pd.DataFrame) -> tuple[Ints, Ints]:
    """Positions of churns that were followed by a return, and of these returns; rows are ordered."""
    kind = as_kinds(rows["kind"])
    account, _ = codes(rows["account_id"])
    churn, back = KINDS.index("churn"), KINDS.index("reactivation")
    at = np.flatnonzero((kind[:-1] == churn) & (kind[1:] == back) & (account[1:] == account[:-1]))
    return at, at + 1


def _net(ledger: pd.DataFrame, entity: "pd.Series[Any]", bucket: npt.NDArray[np.datetime64]) -> pd.DataFrame:
    """One row per entity and bucket with a net change of ARR, of kind price if all of it was.

    Reason, notice and columns to split by are those of the last row; the segment is left to the caller.
    """
    moved = (as_kinds(ledger["kind"]) != RENEWAL) & (ledger["after"] != ledger["before"]).to_numpy()
    account, names = codes(entity[moved])
    when = bucket[moved]
    kind = as_kinds(ledger["kind"])[moved]
    delta = (ledger["after"] - ledger["before"]).to_numpy(dtype=np.int64)[moved]
    order = np.lexsort((ledger["date"].to_numpy()[moved], when, account))
    account, when, kind, delta = account[order], when[order], kind[order], delta[order]
    begins = np.r_[True, (account[1:] != account[:-1]) | (when[1:] != when[:-1])][: len(account)]
    at = np.flatnonzero(begins)
    last = np.r_[at[1:], len(account)][: len(at)] - 1
    sums = np.add.reduceat(delta, at) if len(at) else delta
    all_price = np.minimum.reduceat(kind == PRICE, at) if len(at) else np.zeros(0, dtype=bool)
    who = account[at]
    total = np.cumsum(sums)
    first = np.r_[True, who[1:] != who[:-1]][: len(who)]
    after = total - np.repeat((total - sums)[first], np.diff(np.r_[np.flatnonzero(first), len(who)]))
    before, kinds = changes(who, after)
    kinds = np.where(all_price & (before > 0) & (after > 0), PRICE, kinds)
    keep = np.flatnonzero(after != before)
    columns = [name for name in ledger if name not in OWN]
    rest = ledger.loc[moved, columns].iloc[order[last]].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "account_id": pd.Categorical.from_codes(who, categories=pd.Index(names, dtype=object)),
            "segment": "",
            "date": when[at],
            "kind": kind_column(kinds),
            "before": before,
            "after": after,
        }
    ).join(rest)
    return table.iloc[keep].reset_index(drop=True)
