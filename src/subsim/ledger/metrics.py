"""Sums over frozen cohorts, of which ratios are made (`subsim.ratios`)."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.ledger.state import ALL, account_states, by_segment, closes
from subsim.ledger.terms import as_days

Floats = npt.NDArray[np.float64]
COHORT_SUMS: Final = ("ttm_opening", "ttm_kept", "ttm_net", "logos_opening", "logos_kept")


def cohort_sums(ledger: pd.DataFrame, month_ends: object, window_months: int = 12) -> pd.DataFrame:
    """Sums over the frozen cohort of `window_months` earlier, per month end and segment ("all" too).

    The cohort is every account with ARR at the close of the month `window_months` before. An account that churned
    inside the window counts 0 even if it came back: a reactivation is not retention.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        month_ends: last days of months, in order.
        window_months: length of the window; 12 gives trailing twelve months.

    Returns:
        Columns month, segment, ttm_opening (ARR then), ttm_kept (sum of min(ARR now, ARR then)), ttm_net (ARR now) in
        int64 cents, logos_opening, logos_kept (accounts).
    """
    now = as_days(month_ends)
    month = now.astype("datetime64[M]")
    then = month - np.timedelta64(window_months, "M")
    months = np.unique(np.concatenate([month, then]))
    state = account_states(ledger, closes(months))
    at_now = np.searchsorted(months, month)
    at_then = np.searchsorted(months, then)
    columns: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in COHORT_SUMS}
    for j, i in zip(at_now, at_then, strict=True):
        arr_then = state.arr[:, i]
        stayed = state.churns[:, j] == state.churns[:, i]
        arr_now = np.where(stayed & (arr_then > 0), state.arr[:, j], 0)
        values = (arr_then, np.minimum(arr_now, arr_then), arr_now, arr_then > 0, (arr_now > 0))
        for name, value in zip(COHORT_SUMS, values, strict=True):
            columns[name].append(by_segment(value, state.segment, len(state.segments)))
    names = [*state.segments, ALL]
    return pd.DataFrame(
        {
            "month": np.repeat(now.astype("datetime64[s]"), len(names)),
            "segment": np.tile(np.array(names, dtype=object), len(now)),
            **{name: np.concatenate(column) if column else np.zeros(0, np.int64) for name, column in columns.items()},
        }
    )
