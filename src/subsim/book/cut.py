"""What was known at the close of a day: later rows go, later events become 'not yet', and a guard looks again."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from subsim.book.schema import REVENUE_TABLES, TABLES
from subsim.errors import EngineError

#: Dates that make a row known: it stays if any of them has come, or if it has none.
KNOWN_BY: Final[dict[str, tuple[str, ...]]] = {
    "contracts": ("start_date", "signed_date"),
    "movements": ("date",),
    "mrr": ("month",),
    "bridge": ("month",),
    "fx": ("month",),
    "onboarding": ("kickoff_date",),
    "health": ("date",),
    "touches": ("due_date", "done_date"),
    "seats": ("start_date",),
    "sponsors": ("date",),
    "tickets": ("opened",),
    "experiments": ("assigned_on",),
}
#: Dates of later events, blank until they come, and what becomes known with them.
NOT_YET: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "contracts": {"notice_date": (), "signed_date": ()},
    "onboarding": {"first_value_date": ("hours",)},
    "touches": {"done_date": ("hours",)},
    "seats": {"leave_date": ()},
    "tickets": {"resolved": ()},
}
#: Dates that may lie ahead: agreed ends, plans, and starts of what was signed before.
MAY_LIE_AHEAD: Final = frozenset(
    {("contracts", "end_date"), ("contracts", "start_date"), ("accounts", "start_date"), ("touches", "due_date")}
)


def known_rows(name: str, table: pd.DataFrame, day: pd.Timestamp) -> "pd.Series[bool]":
    """Which rows of a table were known at the close of a day."""
    dates = [column for column in KNOWN_BY.get(name, ()) if column in table]
    if not dates:
        return pd.Series(data=True, index=table.index)
    came = (table[dates] <= day).any(axis=1)
    return came | table[dates].isna().all(axis=1)


def cut(tables: Mapping[str, pd.DataFrame], as_of: object) -> dict[str, pd.DataFrame]:
    """What was known at the close of `as_of`.

    The accounts that stay have started by then or have revenue. A contract that starts later stays only if its
    `signed_date` has come: then it is in CARR.
    """
    day = pd.Timestamp(np.datetime64(str(as_of), "D"))
    known = {name: _not_yet(name, table[known_rows(name, table, day)], day) for name, table in tables.items()}
    if "contracts" in known:
        contracts = known["contracts"]
        # The end of a contract that renews itself is news on the day it happens, not before.
        unknown = contracts["term_months"].notna() & (contracts["end_date"] > day)
        known["contracts"] = contracts.assign(end_date=contracts["end_date"].mask(unknown))
    if "accounts" in known:
        accounts = known["accounts"]
        ids = accounts["account_id"]
        paying = pd.concat(
            [ids[:0], *(known[name]["account_id"] for name in REVENUE_TABLES if "account_id" in known.get(name, ()))]
        )
        started = (accounts["start_date"] <= day) | accounts["start_date"].isna()
        known["accounts"] = accounts[started | among(ids, paying)]
    return {name: table.reset_index(drop=True) for name, table in known.items()}


def _not_yet(name: str, table: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    for column, facts in NOT_YET.get(name, {}).items():
        if column in table:
            later = table[column] > day
            table = table.assign(**{field: table[field].mask(later) for field in (column, *facts) if field in table})
    return table


def among(ids: pd.Series, known: pd.Series) -> "pd.Series[bool]":
    """Which ids are known; by hashing, since `isin` of text columns walks through a list of all known ids."""
    index = pd.Index(known.unique().astype(object))
    return pd.Series(index.get_indexer(pd.Index(ids.astype(object))) >= 0, index=ids.index)


def guard(tables: Mapping[str, pd.DataFrame], ledger: pd.DataFrame, as_of: object) -> None:
    """Refuse data from after `as_of`; agreed ends, planned touches and starts of what was signed may lie ahead.

    Raises:
        EngineError: a date lies after `as_of`: the cut has failed, and a forecast would know its own future.
    """
    day = pd.Timestamp(np.datetime64(str(as_of), "D"))
    leaks = []
    for name, table in tables.items():
        for column in TABLES.get(name, ()):
            ahead = column.kind in ("date", "month") and column.name in table and table[column.name] > day
            if (name, column.name) not in MAY_LIE_AHEAD and np.any(ahead):
                leaks.append(f"{name}.{column.name} in {int(np.sum(ahead)):,} rows")
        if not known_rows(name, table, day).all():
            leaks.append(f"{name} in rows that were not known")
    if not ledger.empty and ledger["date"].max() > day:
        leaks.append("the ledger")
    if leaks:
        raise EngineError(f"data from after {day:%Y-%m-%d} in {'; '.join(leaks)}")
