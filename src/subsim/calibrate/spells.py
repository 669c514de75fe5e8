"""When accounts were customers, onboarding, or without a sponsor: days of exposure by account and segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from subsim.book import Book

YEAR_DAYS = 365.25
Floats = NDArray[np.float64]


def day_number(dates: Any) -> Floats:
    """Days since 1970; NaN for a blank."""
    days = pd.to_datetime(pd.Series(dates)).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))


def end_of(book: Book) -> float:
    """The first day that the book does not know, as a day number."""
    return float(np.datetime64(book.as_of, "D").astype(np.int64)) + 1


def spells(book: Book) -> pd.DataFrame:
    """Every stay as a customer: account_id, segment, begin, end (day numbers, end excluded), lost, back, opening.

    `lost` says that it ended in a loss; `back` that it began with a return; `opening` that its begin was not seen.
    """
    rows = book.ledger
    table = pd.DataFrame(
        {
            "account_id": rows["account_id"].astype(str),
            "segment": rows["segment"].astype(str),
            "kind": rows["kind"].astype(str),
            "reason": rows["reason"].astype(str),
            "day": day_number(rows["date"]),
        }
    )
    table = table[table["kind"].isin(["new", "reactivation", "churn"])]
    after = table.groupby("account_id")[["kind", "day"]].shift(-1)
    lost = (after["kind"] == "churn").to_numpy()
    table = table.assign(end=np.where(lost, after["day"], end_of(book)), lost=lost)
    table = table[table["kind"] != "churn"]
    return pd.DataFrame(
        {
            "account_id": table["account_id"],
            "segment": table["segment"],
            "begin": table["day"],
            "end": table["end"],
            "lost": table["lost"],
            "back": table["kind"] == "reactivation",
            "opening": table["reason"] == "opening balance",
        }
    ).reset_index(drop=True)


def onboarding_days(book: Book, stays: pd.DataFrame) -> Floats:
    """Days of each stay that passed before first value; 0 where the book does not say."""
    if "onboarding" not in book.tables:
        return np.zeros(len(stays))
    table = book.tables["onboarding"].drop_duplicates("account_id").set_index("account_id")
    known = table.reindex(stays["account_id"])
    start, reached = day_number(known["kickoff_date"]), day_number(known["first_value_date"])
    end = np.fmin(np.where(np.isnan(reached), np.inf, reached), stays["end"].to_numpy())
    return np.where(np.isnan(start), 0.0, np.clip(end - np.fmax(start, stays["begin"].to_numpy()), 0.0, None))


def sponsor_spells(book: Book, stays: pd.DataFrame) -> pd.DataFrame:
    """Stays cut at sponsor events: segment, account_id, present, days, end (day number), event (it ended with one).

    A stay begins with a sponsor. What lies before the table's first event was not watched; that event begins the
    watch, so it is none of those that were watched for.
    """
    events = book.tables["sponsors"]
    events = pd.DataFrame(
        {
            "account_id": events["account_id"].astype(str),
            "day": day_number(events["date"]),
            "present": events["event"].astype(str).str.lower() != "left",
        }
    ).dropna()
    watched_from = float(events["day"].min()) if len(events) else np.inf
    rows: list[tuple[str, str, bool, float, float, bool]] = []
    events = events.sort_values(["account_id", "day"], kind="stable")
    told: dict[str, list[tuple[float, bool]]] = {}
    columns = [events[name].tolist() for name in ("account_id", "day", "present")]
    for account, day, now in zip(*columns, strict=True):
        told.setdefault(account, []).append((day, now))
    for account, segment, begin, end in stays[["account_id", "segment", "begin", "end"]].itertuples(index=False):
        present, since = True, max(begin, watched_from)
        for day, now in told.get(account, []):
            if begin <= day < end and now != present:
                rows.append((account, segment, present, max(day - since, 0.0), day, day > watched_from))
                present, since = now, day
        rows.append((account, segment, present, max(end - since, 0.0), end, False))
    return pd.DataFrame(rows, columns=["account_id", "segment", "present", "days", "end", "event"])


def by_segment(segments: Any, weights: Any, names: tuple[str, ...]) -> Floats:
    """Sums of some weights by segment, in the order of the names."""
    sums = pd.Series(np.asarray(weights, float)).groupby(np.asarray(segments)).sum()
    return np.asarray(sums.reindex(list(names), fill_value=0.0), float)
