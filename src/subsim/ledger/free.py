"""Free plans: accounts that hold a contract and pay nothing. They are logos only where a definition says so."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.ledger.rows import KINDS
from subsim.ledger.terms import ONE_DAY, add_months, as_day, as_days

Bools = npt.NDArray[np.bool_]


def free_contracts(contracts: pd.DataFrame) -> pd.DataFrame:
    """Contracts of no ARR, with an open end where none is stated."""
    free = contracts.loc[contracts["arr_cents"] == 0, ["account_id", "start_date", "end_date"]]
    return free.assign(account_id=free["account_id"].astype(str))


def with_free_accounts(rows: pd.DataFrame, free: pd.DataFrame, segments: "pd.Series[str]") -> pd.DataFrame:
    """The ledger with a row of nothing for each free account that it does not know, so that the account is in it.

    Args:
        rows: rows as in `subsim.ledger.rows`, with text ids.
        free: as from `free_contracts`.
        segments: segment by account_id.
    """
    unknown = free[~free["account_id"].isin(set(rows["account_id"].astype(str)))].drop_duplicates("account_id")
    if unknown.empty:
        return rows
    ids = unknown["account_id"].to_numpy(dtype=object)
    nothing = pd.DataFrame(
        {
            "account_id": ids,
            "segment": segments.reindex(ids).to_numpy(dtype=object),
            "date": as_days(unknown["start_date"]).astype("datetime64[s]"),
            "kind": "renewal",
            "before": 0,
            "after": 0,
        }
    )
    text = {name: rows[name].astype(object) for name in ("account_id", "segment", "kind")}
    table = pd.concat([rows.assign(**text), nothing], ignore_index=True)
    return table.assign(kind=pd.Categorical(table["kind"], categories=list(KINDS)))


def free_at_closes(accounts: tuple[str, ...], free: pd.DataFrame, as_of: object, months: int) -> Bools:
    """Whether each account holds a free contract at each close of the window: bool[accounts, months + 1]."""
    lasts = add_months(np.full(months + 1, as_day(as_of) + ONE_DAY), -np.arange(months, -1, -1)) - ONE_DAY
    held = np.zeros((len(accounts), months + 1), dtype=bool)
    who = pd.Index(accounts).get_indexer(pd.Index(free["account_id"]))
    start, end = as_days(free["start_date"])[:, None], as_days(free["end_date"])[:, None]
    in_force = (start <= lasts) & (np.isnat(end) | (end >= lasts))
    np.logical_or.at(held, who[who >= 0], in_force[who >= 0])
    return held
