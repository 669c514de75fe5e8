"""Monthly metrics of a ledger as one long table, the shape in which runs are reported too."""

from typing import Final

import numpy as np
import pandas as pd

from subsim.ledger.bridge import FLOWS, bridge
from subsim.ledger.metrics import cohort_sums
from subsim.ledger.state import closes, codes, instant_index
from subsim.ledger.terms import ONE_MONTH, Ints, as_days
from subsim.ratios import grr, nrr

LOGOS: Final = ("logos", "logos_new", "logos_lost", "logos_reactivated")
METRICS: Final = ("arr", *FLOWS, *LOGOS, "ttm_opening", "ttm_kept", "ttm_net", "grr_ttm", "nrr_ttm")


def monthly(ledger: pd.DataFrame, month_ends: object) -> pd.DataFrame:
    """Metrics per month end and segment ("all" too).

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        month_ends: last days of consecutive months, in order.

    Returns:
        Columns month, segment, metric, value (float64), sorted in this order with metrics as in `METRICS`: money in
        cents (contraction and churn positive), logos in accounts, grr_ttm and nrr_ttm as shares of 1 (NaN before
        there is a cohort). The sums of the trailing twelve months are defined in `subsim.ledger.metrics.cohort_sums`.
    """
    table = bridge(ledger, month_ends).rename(columns={"closing": "arr"})
    table = table.assign(**_logos(ledger, month_ends))
    sums = cohort_sums(ledger, month_ends)
    table = table.merge(
        sums.drop(columns=["logos_opening", "logos_kept"]), on=["month", "segment"], how="left", sort=False
    )
    table["grr_ttm"] = grr(table["ttm_kept"], table["ttm_opening"])
    table["nrr_ttm"] = nrr(table["ttm_net"], table["ttm_opening"])
    return pd.DataFrame(
        {
            "month": np.repeat(table["month"].to_numpy(), len(METRICS)),
            "segment": np.repeat(table["segment"].to_numpy(), len(METRICS)),
            "metric": np.tile(np.array(METRICS, dtype=object), len(table)),
            "value": table[list(METRICS)].to_numpy(dtype=np.float64).ravel(),
        }
    )


def _logos(ledger: pd.DataFrame, month_ends: object) -> dict[str, Ints]:
    """Counts of customers in the row order of `bridge`: at close, and those that came, left and came back."""
    months = as_days(month_ends).astype("datetime64[M]")
    group, segments = codes(ledger["segment"])
    column = instant_index(ledger["date"], closes(np.r_[months[:1] - ONE_MONTH, months]))
    kind = ledger["kind"].astype(str).to_numpy(dtype=object)

    def count(name: str) -> Ints:
        table = np.zeros((len(months) + 2, len(segments)), dtype=np.int64)
        np.add.at(table, (column, group), kind == name)
        return np.column_stack([table, table.sum(axis=1)])

    came, left, back = count("new"), count("churn"), count("reactivation")
    live = (came + back - left).cumsum(axis=0)
    return {name: table[1:-1].ravel() for name, table in zip(LOGOS, (live, came, left, back), strict=True)}
