"""A book of sums: a monthly bridge by segment, as finance keeps it, without accounts."""

import numpy as np
import pandas as pd

from subsim.book.schema import UNSEGMENTED
from subsim.ledger import ALL, BRIDGE_COLUMNS, FLOWS, month_ends_between

_SIGNS = {"new": 1, "expansion": 1, "reactivation": 1, "contraction": -1, "churn": -1}


def bridge_of_sums(table: pd.DataFrame) -> pd.DataFrame:
    """The bridge that a table of sums states, in the form of `subsim.ledger.bridge`.

    The first month of a segment opens with its `opening`, or with nothing; every later one with what the month before
    closed with. A month without a row had no changes.

    Args:
        table: month (last days), segment, and int64 cents `opening_cents` and one column per flow.

    Example:
        >>> table = pd.DataFrame({"month": pd.to_datetime(["2026-01-31"]), "segment": "", "opening_cents": 100})
        >>> table = table.assign(**{f"{name}_cents": 10 for name in FLOWS})
        >>> bridge_of_sums(table).loc[0, ["opening", "churn", "closing"]].astype(int).tolist()
        [100, 10, 110]
    """
    if table.empty:
        return pd.DataFrame({name: [] for name in BRIDGE_COLUMNS})
    segment = table["segment"].replace("", UNSEGMENTED)
    months = month_ends_between(table["month"].min(), table["month"].max()).astype("datetime64[s]")
    keys = pd.MultiIndex.from_product([months, sorted(set(segment))], names=["month", "segment"])
    rows = table.assign(segment=segment).set_index(["month", "segment"])
    flows = rows[[f"{name}_cents" for name in FLOWS]].rename(columns=lambda name: str(name).removesuffix("_cents"))
    parts = flows.reindex(keys, fill_value=0)
    change = (parts[list(_SIGNS)] * pd.Series(_SIGNS)).sum(axis=1)
    first = rows.sort_index().groupby("segment")["opening_cents"].first()
    before = first.loc[keys.get_level_values("segment")].to_numpy(dtype=np.int64)
    parts["closing"] = before + change.groupby("segment").cumsum()
    parts["opening"] = parts["closing"] - change
    total = parts.groupby("month").sum()
    total.index = pd.MultiIndex.from_product([total.index, [ALL]], names=["month", "segment"])
    both = pd.concat([parts, total]).sort_index(level="month", sort_remaining=False, kind="stable").reset_index()
    return both.assign(price_up=0, price_down=0)[list(BRIDGE_COLUMNS)]
