"""CARR: what is contracted, apart from what is in force."""

from typing import Final

import numpy as np
import pandas as pd

from subsim.ledger.free import Bools
from subsim.ledger.state import ALL, by_segment, codes
from subsim.ledger.terms import ONE_DAY, Ints, as_day, as_days

CARR_COLUMNS: Final = ("segment", "arr", "signed_not_live", "notice_given", "carr")


def carr(
    ledger: pd.DataFrame,
    contracts: pd.DataFrame,
    accounts: pd.DataFrame,
    as_of: object,
    *,
    grace_days: int = 30,
    all_signed: bool = False,
) -> pd.DataFrame:
    """Contracted ARR at the close of a day: ARR in force, plus signed and not yet live, less notice given.

    A contract that is to start is signed if its `signed_date` is on or before `as_of`; without that date only if
    `all_signed` says that the export holds nothing but signed contracts and was made on `as_of`. It adds what it pays
    more than the contracts of the account (and product) that it follows, which end within the grace of its start.
    Contracts in force whose notice was given by `as_of` are taken off, except where a follower is signed.

    Args:
        ledger: rows as in `subsim.ledger.rows`, known at `as_of`.
        contracts: account_id, start_date, end_date, arr_cents; optionally signed_date, notice_date, product. Unlike
            for a ledger, those that start after `as_of` must be there.
        accounts: account_id, segment.
        as_of: the day.
        grace_days: most days between an end and a start for one contract to follow the other.
        all_signed: whether contracts without a signed_date are signed.

    Returns:
        Columns of `CARR_COLUMNS`, a row for each segment and "all", int64 cents. ARR and CARR are not to be mixed.
    """
    cut = as_day(as_of)
    segment = pd.Series(accounts["segment"].astype(str).to_numpy(), index=accounts["account_id"].astype(str))
    code, segments = codes(pd.Series(segment.to_numpy()))
    place = pd.Series(code, index=segment.index)

    def total(ids: "pd.Series[str]", cents: Ints) -> Ints:
        return by_segment(cents, place.reindex(ids.astype(str)).to_numpy(dtype=np.int64), len(segments))

    start = as_days(contracts["start_date"])
    signed = _on_or_before(contracts, "signed_date", cut)
    unknown = contracts["signed_date"].isna().to_numpy() if "signed_date" in contracts else np.ones(len(start), bool)
    future = contracts[(start > cut) & (signed | (unknown & all_signed))]
    end = as_days(contracts["end_date"])
    live = contracts[(start <= cut) & (np.isnat(end) | (end >= cut))]
    followed = _followed(live, future, grace_days)
    added, replaced = future["arr_cents"].to_numpy(np.int64), live["arr_cents"].to_numpy(np.int64)
    noticed = _on_or_before(live, "notice_date", cut) & ~followed
    rows = ledger[ledger["date"].to_numpy() < (cut + ONE_DAY).astype("datetime64[s]")]
    change = (rows["after"] - rows["before"]).to_numpy(dtype=np.int64)
    arr = total(rows["account_id"], change)
    more = total(future["account_id"], added) - total(live["account_id"], np.where(followed, replaced, 0))
    less = total(live["account_id"], np.where(noticed, replaced, 0))
    names = np.array([*segments, ALL], dtype=object)
    return pd.DataFrame(dict(zip(CARR_COLUMNS, (names, arr, more, less, arr + more - less), strict=True)))


def _on_or_before(contracts: pd.DataFrame, column: str, cut: np.datetime64) -> Bools:
    """Whether a date is there and not after the day."""
    if column not in contracts:
        return np.zeros(len(contracts), dtype=bool)
    return np.asarray(as_days(contracts[column]) <= cut)


def _followed(live: pd.DataFrame, future: pd.DataFrame, grace_days: int) -> Bools:
    """Which contracts in force have a signed follower: same account and product, starting about when they end."""
    keys = ["account_id", *(["product"] if "product" in live else [])]
    ends = live[[*keys, "end_date"]].reset_index(drop=True).reset_index(names="at")
    both = ends.merge(future[[*keys, "start_date"]], on=keys)
    gap = (as_days(both["start_date"]) - as_days(both["end_date"]) - ONE_DAY).astype("timedelta64[D]")
    near = ~np.isnat(gap) & (np.abs(gap.astype(np.int64)) <= grace_days)
    found = np.zeros(len(live), dtype=bool)
    found[both["at"].to_numpy(dtype=np.int64)[near]] = True
    return found
