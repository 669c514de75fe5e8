"""Columns to split a ledger by: what the accounts table says of an account, and when the account began."""

from typing import Final, Literal

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.rows import OPENING_BALANCE
from subsim.ledger.terms import as_days

Grain = Literal["month", "quarter", "year"]
UNKNOWN: Final = "unknown"
BEFORE: Final = "before the ledger"


def with_account_columns(ledger: pd.DataFrame, accounts: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The ledger with columns of the accounts table (tier, owner_id, ...), blank ones `unknown`.

    Raises:
        InputError: the accounts have no such column.
    """
    missing = [name for name in names if name not in accounts]
    if missing:
        allowed = ", ".join(str(name) for name in accounts.columns if name != "account_id")
        raise InputError(where="accounts", found=f"no column {', '.join(missing)}", allowed=allowed)
    table = accounts.assign(account_id=accounts["account_id"].astype(str)).set_index("account_id")
    ids = ledger["account_id"].astype(str)
    values = {name: ids.map(table[name].fillna("").astype(str)).fillna("") for name in names}
    return ledger.assign(**{name: pd.Categorical(value.replace("", UNKNOWN)) for name, value in values.items()})


def with_cohort(ledger: pd.DataFrame, grain: Grain = "quarter") -> pd.DataFrame:
    """The ledger with a column `cohort`: the period of each account's first row, such as 2025-Q1.

    Accounts of an opening balance began before the ledger does, nobody can say when.
    """
    first = ledger.sort_values("date", kind="stable").drop_duplicates("account_id")
    seen = np.array(period_names(first["date"], grain), dtype=object)
    names = np.where((first["reason"].astype(str) == OPENING_BALANCE).to_numpy(), BEFORE, seen)
    by_account = pd.Series(names, index=first["account_id"].astype(str).to_numpy())
    return ledger.assign(cohort=pd.Categorical(ledger["account_id"].astype(str).map(by_account).astype(str)))


def period_names(dates: object, grain: Grain) -> list[str]:
    """Name of the calendar period of each date: 2025-03, 2025-Q1 or 2025."""
    month = as_days(dates).astype("datetime64[M]")
    if grain == "month":
        return [str(value) for value in month]
    year = month.astype("datetime64[Y]")
    if grain == "year":
        return [str(value) for value in year]
    quarter = (month - year.astype("datetime64[M]")).astype(np.int64) // 3 + 1
    return [f"{y}-Q{q}" for y, q in zip(year, quarter, strict=True)]
