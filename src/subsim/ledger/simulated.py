"""The ledger of a simulated future, in the rows of an actual one, so that one code reads both."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from subsim.ledger.rows import KINDS, OPENING_BALANCE, kind_column
from subsim.ledger.state import ordered

#: Kind of ledger row of each event of a trace that changes ARR, or keeps it on purpose.
KIND_OF_EVENT: Final = {
    "new": "new",
    "renewed": "renewal",
    "expansion, seats": "expansion",
    "expansion, cross-sell": "expansion",
    "price": "price",
    "contraction": "contraction",
    "concession": "contraction",
    "churn": "churn",
    "reactivation": "reactivation",
}


def opening_balance(accounts: pd.DataFrame, start: dt.date) -> pd.DataFrame:
    """Ledger of what is in force when a simulation starts: one row of kind new, with its reason, the day before.

    Args:
        accounts: account_id, segment, arr_cents.
        start: first simulated day.
    """
    live = accounts[accounts["arr_cents"] > 0]
    arr = live["arr_cents"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "account_id": live["account_id"].astype(str).to_numpy(),
            "segment": live["segment"].astype(str).to_numpy(),
            "date": np.datetime64(start, "s") - np.timedelta64(1, "D"),
            "kind": kind_column(np.full(len(live), KINDS.index("new"))),
            "before": np.zeros(len(live), dtype=np.int64),
            "after": arr,
            "reason": OPENING_BALANCE,
        }
    )


def from_trace(trace: pd.DataFrame, start: dt.date, segment_names: Sequence[str], before: pd.DataFrame) -> pd.DataFrame:
    """Ledger of a simulated run that goes on from what was there: history first, then the future.

    Args:
        trace: minute (since `start`), event, account_id, who, before, after (cents), detail; of a new account `detail`
            is the number of its segment.
        start: first simulated day.
        segment_names: names by number.
        before: ledger of the accounts until `start`: the book's, so that cohorts reach back, or `opening_balance`.

    Returns:
        Rows as in `subsim.ledger.rows`, sorted by account and time; a churn's reason is its largest cause.
    """
    lines = trace[trace["event"].isin(list(KIND_OF_EVENT))].reset_index(drop=True)
    ids = lines["account_id"].astype(str)
    came = lines[(lines["event"] == "new").to_numpy()]
    names = np.array(segment_names, dtype=object)[came["detail"].to_numpy(dtype=np.int64)]
    known = pd.Series(before["segment"].astype(str).to_numpy(), index=before["account_id"].astype(str).to_numpy())
    won = pd.Series(names, index=came["account_id"].astype(str).to_numpy())
    segment = pd.concat([known[~known.index.duplicated(keep="last")], won])
    minutes = lines["minute"].to_numpy(dtype=np.int64).astype("timedelta64[m]")
    churned = (lines["event"] == "churn").to_numpy()
    future = pd.DataFrame(
        {
            "account_id": ids,
            "segment": ids.map(segment),
            "date": np.datetime64(start, "s") + minutes,
            "kind": lines["event"].map(KIND_OF_EVENT).to_numpy(),
            "before": lines["before"].to_numpy(dtype=np.int64),
            "after": lines["after"].to_numpy(dtype=np.int64),
            "reason": np.where(churned, lines["who"].astype(str), ""),
        }
    )
    text = ("account_id", "segment", "kind", "reason")
    both = pd.concat([table.assign(**{n: table[n].astype(object) for n in text}) for table in (before, future)])
    ledger = both.assign(kind=pd.Categorical(both["kind"], categories=list(KINDS)))
    return ordered(ledger.reset_index(drop=True)).reset_index(drop=True)
