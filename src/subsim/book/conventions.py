"""Conventions of an export that are settled once, right after reading: last days in force, and amounts per year."""

import numpy as np
import pandas as pd

from subsim.book.mapping import TableMapping
from subsim.ledger.terms import ONE_DAY, add_months, as_days, whole_months

DAYS_PER_YEAR = 365
_AMOUNTS = ("arr_cents", "list_arr_cents", "arr_after_cents")


def conventional(table: pd.DataFrame, mapping: TableMapping) -> pd.DataFrame:
    """The table with last days in force and yearly amounts, whatever the export gives."""
    if "end_date" in table and mapping.end_date_is == "first_day_out":
        table = table.assign(end_date=(table["end_date"] - pd.Timedelta(days=1)).astype("datetime64[s]"))
    if mapping.arr_is == "annual":
        return table
    amounts = [name for name in _AMOUNTS if name in table]
    if mapping.arr_is == "monthly":
        return table.assign(**{name: table[name] * 12 for name in amounts})
    if "end_date" not in table:
        return table
    return table.assign(**{name: _annual(table, name) for name in amounts})


def _annual(table: pd.DataFrame, name: str) -> "pd.Series[int]":
    """A year's part of a whole term's amount, rounded half up to a cent.

    The term is `term_months`, else the months from start to end where these are whole, else its days over 365. Rows
    whose dates or amount could not be read, or run backwards, keep what they have; they are reported.
    """
    start, end = as_days(table["start_date"]), as_days(table["end_date"])
    stated = table["term_months"].to_numpy(dtype=float)
    dated = ~np.isnat(start) & ~np.isnat(end) & (end >= start)
    first = np.where(dated, start, np.datetime64("2000-01-01", "D"))
    out = np.where(dated, end + ONE_DAY, np.datetime64("2001-01-01", "D"))
    months = whole_months(first, out)
    whole = (add_months(first, months) == out) & (months > 0)
    up = np.where(whole, 12, DAYS_PER_YEAR)
    down = np.where(whole, months, (out - first).astype(np.int64))
    known = (stated >= 1) | dated
    up = np.where(stated >= 1, 12, up)
    down = np.where(stated >= 1, np.nan_to_num(stated, nan=1.0), down).astype(np.int64)
    cents = table[name].fillna(0).to_numpy(dtype=np.int64)
    size = (np.abs(cents) * up * 2 + down) // (2 * np.maximum(down, 1))
    annual = pd.Series(np.sign(cents) * size, index=table.index).astype("Int64")
    return annual.where(known & table[name].notna().to_numpy(), table[name])
