"""The most that accounts pay: where expansions end at one multiple of the first ARR, what more was wanted is unseen.

An expansion that fills the wallet tells only that more was wanted, and an account with a full wallet cannot expand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.calibrate.spells import by_segment, day_number

CLOSE = 1e-3  # of a multiple: cents are rounded
ENOUGH = 2  # expansions that end at the highest multiple of a segment before it counts as its wallet


@dataclass(frozen=True)
class Wallets:
    """Which rows of a ledger fill the wallet, and days that accounts of each segment lived with a full one."""

    filled: NDArray[np.bool_]
    full_days: NDArray[np.float64]


def wallets(rows: pd.DataFrame, wins: NDArray[np.bool_], segments: tuple[str, ...], end: float) -> Wallets:
    """What a ledger says of wallets.

    Args:
        rows: the ledger by account and date.
        wins: which of its rows are expansions.
        segments: names, in the order of the result.
        end: first day that the book does not know, as a day number.
    """
    opened = rows[(rows["kind"] == "new").to_numpy() & (rows["reason"].astype(str) != "opening balance").to_numpy()]
    first = opened.drop_duplicates("account_id").set_index("account_id")["after"].astype(float)
    multiple = (rows["after"] / rows["account_id"].map(first)).to_numpy(float)
    segment = rows["segment"].to_numpy()
    filled, full = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for name in segments:
        own = wins & (segment == name) & np.isfinite(multiple)
        highest = multiple[own].max(initial=0.0)
        at_it = own & (multiple >= highest * (1 - CLOSE))
        if at_it.sum() >= ENOUGH:
            filled |= at_it
            full |= (segment == name) & (multiple >= highest * (1 - CLOSE))
    day = day_number(rows["date"])
    account = rows["account_id"].to_numpy()
    until = np.append(np.where(account[1:] == account[:-1], day[1:], end), end) if len(rows) else day
    return Wallets(filled, by_segment(segment, np.where(full, until - day, 0.0), segments))
