"""At-risk ARR, save rate and detection rate, from dated flags and dated renewal decisions."""

from typing import Final

import numpy as np
import pandas as pd

from subsim.ledger.state import ALL
from subsim.ledger.terms import as_days
from subsim.ratios import ratio

LEAD_DAYS: Final = 60  # convention of the detection rate: a flag later than that is too late to act on
RISK_COLUMNS: Final = (
    "segment",
    "due",
    "at_risk",
    "saved",
    "lost",
    "detected",
    "at_risk_share",
    "save_rate",
    "detection_rate",
)


def risk_rates(decisions: pd.DataFrame, flags: pd.DataFrame, lead_days: int = LEAD_DAYS) -> pd.DataFrame:
    """At-risk, save and detection rates per segment and "all".

    A decision was at risk if its account carried a flag on any day of the term that it decides, first and last day
    included; a flag counts from `entered` to the day before `left`. ARR was detected if a flag stood `lead_days` before
    the decision. A flag raised and withdrawn before that has detected nothing, but a renewal after it is a save: who
    wants to claim saves has to flag, and flags that fill the base show as a high share at risk.

    Args:
        decisions: `account_id`, `segment`, `start_date` (first day of the term), `due_date`, `due_cents` (ARR up for
            renewal) and `kept_cents` (of it; expansion is not kept ARR).
        flags: `account_id`, `entered`, `left` (NaT while it stands).
        lead_days: days before the decision on which a flag has to stand.

    Returns:
        Columns of `RISK_COLUMNS`: ARR due, at risk, saved (kept of what was at risk), lost (of all due) and detected
        (lost and flagged in time) in int64 cents; shares of 1, NaN where there is nothing to divide by.

    Example:
        >>> term = {"start_date": "2025-01-01", "due_date": "2025-12-31", "due_cents": 100}
        >>> rows = [{"account_id": "a", "kept_cents": 80, **term}, {"account_id": "b", "kept_cents": 0, **term}]
        >>> flags = pd.DataFrame({"account_id": ["a"], "entered": ["2025-09-01"], "left": [None]})
        >>> rates = risk_rates(pd.DataFrame(rows).assign(segment="smb"), flags).iloc[-1]
        >>> float(rates["save_rate"]), round(float(rates["detection_rate"]), 3)
        (0.8, 0.167)
    """
    table = decisions.reset_index(drop=True)
    known = flags.reset_index(drop=True)
    pairs = table[["account_id"]].reset_index(names="row").merge(known, on="account_id")
    row = pairs["row"].to_numpy(dtype=np.int64)
    entered, left = as_days(pairs["entered"]), as_days(pairs["left"])
    left = np.where(np.isnat(left), np.datetime64("9999-12-31", "D"), left)
    start, due = as_days(table["start_date"])[row], as_days(table["due_date"])[row]
    in_time = due - np.timedelta64(lead_days, "D")
    at_risk, detected = np.zeros(len(table), bool), np.zeros(len(table), bool)
    at_risk[row[(entered <= due) & (left > start)]] = True
    detected[row[(entered <= in_time) & (left > in_time)]] = True

    owed = table["due_cents"].to_numpy(dtype=np.int64)
    kept = np.minimum(table["kept_cents"].to_numpy(dtype=np.int64), owed)
    amounts = {
        "due": owed,
        "at_risk": np.where(at_risk, owed, 0),
        "saved": np.where(at_risk, kept, 0),
        "lost": owed - kept,
        "detected": np.where(detected, owed - kept, 0),
    }
    cents = pd.DataFrame({"segment": table["segment"].astype(str), **amounts}).groupby("segment").sum()
    cents.loc[ALL] = cents.sum()
    sums = cents.astype(np.int64).reset_index()
    return sums.assign(
        at_risk_share=ratio(sums["at_risk"], sums["due"]),
        save_rate=ratio(sums["saved"], sums["at_risk"]),
        detection_rate=ratio(sums["detected"], sums["lost"]),
    )
