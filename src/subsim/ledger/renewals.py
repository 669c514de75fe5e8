"""What was up for renewal in a window, and what of it was renewed."""

import numpy as np
import pandas as pd

from subsim.ledger.rows import KINDS, as_kinds
from subsim.ledger.state import codes, ordered
from subsim.ledger.terms import ONE_DAY, Ints, add_months, as_day

RENEWAL, CHURN = KINDS.index("renewal"), KINDS.index("churn")


def renewals(ledger: pd.DataFrame, as_of: object, months: int, by: str = "segment") -> pd.DataFrame:
    """Every renewal that was decided in a window: won (a renewal row) or lost (a churn).

    What is renewed net is the ARR after all rows of that moment, price and seats included; gross leaves out every
    rise of that moment, so a price rise does not make up for returned seats.
    A loss in mid-term counts as the renewal that it forestalled, unless the ledger marks it (`in_term`): then it was
    never up for renewal. What is due and undecided on `as_of` is not in it.

    Returns:
        Columns account_id, segment, date, available (ARR up for renewal), gross (renewed of it), net (ARR after the
        renewal), int64 cents.
    """
    rows = ordered(ledger if by == "segment" else ledger.assign(segment=ledger[by]))
    end = (as_day(as_of) + ONE_DAY).astype("datetime64[s]")
    begin = add_months(np.array([as_day(as_of) + ONE_DAY]), np.array([-months])).astype("datetime64[s]")[0]
    rows = rows[(rows["date"].to_numpy() >= begin) & (rows["date"].to_numpy() < end)]
    kind, date = as_kinds(rows["kind"]), rows["date"].to_numpy()
    account, _ = codes(rows["account_id"])
    before, after = (rows[name].to_numpy(dtype=np.int64) for name in ("before", "after"))
    last = _last_of_moment(account, date.astype("datetime64[s]").astype(np.int64))
    # From a renewal row to the last of its moment: what was given back in between.
    given_back = np.cumsum(np.maximum(before - after, 0))
    reduced = given_back[last] - given_back
    lost = kind == CHURN
    if "in_term" in rows:
        lost &= (rows["in_term"] != True).to_numpy()  # noqa: E712 - unknown, which is missing, is not in mid-term
    chosen = (kind == RENEWAL) | lost
    net = np.where(lost, 0, after[last])
    gross = np.where(lost, 0, np.maximum(before - reduced, 0))
    found: pd.DataFrame = rows.loc[chosen, ["account_id", "segment", "date"]].reset_index(drop=True)
    return found.assign(available=before[chosen], gross=gross[chosen], net=net[chosen])


def _last_of_moment(account: Ints, moment: Ints) -> Ints:
    """Position of the last row of each row's account and moment; rows are ordered."""
    ends = np.r_[(account[1:] != account[:-1]) | (moment[1:] != moment[:-1]), True][: len(account)]
    at = np.flatnonzero(ends)
    return at[np.searchsorted(at, np.arange(len(account)))]
