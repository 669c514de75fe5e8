"""What moved accounts besides their drift: work done, sponsors lost, onboardings stalled; by account and day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.book import Book
from subsim.model.catalogue import parameter

Floats = NDArray[np.float64]

SPONSOR, STALLED = "sponsor left", "onboarding stalled"
EVENTS = (SPONSOR, STALLED)  # kinds of impulse that are no work: each takes away
SAVE, RESCUE = "save", "rescue"
STALLS = 4  # days that stand for one stall which the book does not date
LEAST = 0.005  # chance of a stall that is looked at
COLUMNS = ["who", "day", "kind", "size", "doubt", "known"]


def days_of(dates: pd.Series[Any]) -> Floats:
    """Days since 1970-01-01, NaN for a blank."""
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64)).astype(float)


def rows_of(book: Book, name: str, ids: pd.Index[str]) -> pd.DataFrame:
    """Rows of a table that belong to known accounts, with their place; none where the book lacks the table."""
    if name not in book.tables:
        return pd.DataFrame({"who": pd.Series(dtype=np.int64)})
    table = book.tables[name]
    table = table.assign(who=ids.get_indexer(pd.Index(table["account_id"].astype(str))))
    return table[table["who"] >= 0]


def impulses(
    book: Book, ids: pd.Index[str], accounts: pd.DataFrame, start: Floats, first_value: Floats
) -> tuple[NDArray[Any], pd.DataFrame]:
    """Names of the kinds, and all impulses by account and day: who, day, code, size, doubt, known; see `Readings`."""
    parts = [_work(book, ids, accounts, start), _sponsors(book, ids), _stalls(book, ids, accounts, start, first_value)]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1])
    rows = rows.sort_values(["who", "day"], kind="stable")
    found = set(rows["kind"])
    kinds = [*sorted(found - set(EVENTS)), *(kind for kind in EVENTS if kind in found)]
    rows["code"] = rows["kind"].map({name: place for place, name in enumerate(kinds)})
    return np.array(kinds, object), rows


def _work(book: Book, ids: pd.Index[str], accounts: pd.DataFrame, start: Floats) -> pd.DataFrame:
    done = rows_of(book, "touches", ids)
    if not len(done):
        return pd.DataFrame(columns=COLUMNS)
    done = done[done["done_date"].notna() & done["kind"].map(_speaks)].copy()
    done["day"] = days_of(done["done_date"])
    known = _known(done, accounts, start)
    # Whether a save play worked is not in the book: its mean lift is counted, and what the chance adds.
    save, works = (done["kind"] == SAVE).to_numpy(), parameter("playbook.save_success").value
    done["size"] = np.where(save, works, 1.0)
    done["doubt"] = np.where(save, works * (1 - works), 0.0)
    done["known"] = known
    return done[COLUMNS]


def _sponsors(book: Book, ids: pd.Index[str]) -> pd.DataFrame:
    left = rows_of(book, "sponsors", ids)
    if not len(left):
        return pd.DataFrame(columns=COLUMNS)
    left = left[left["event"] == "left"]
    return left.assign(day=days_of(left["date"]), size=1.0, doubt=0.0, known=0.0, kind=SPONSOR)[COLUMNS]


def _stalls(book: Book, ids: pd.Index[str], accounts: pd.DataFrame, start: Floats, first_value: Floats) -> pd.DataFrame:
    """Onboardings that stalled: on the day on which their rescue play was raised, else with the chance of patience.

    A book does not name stalls. A stall has to come before first value, and customers' patience is assumed; so each
    onboarding has a chance to have stalled. Of the stalls to be expected in a segment and tier those with a rescue play
    are seen; the chance of the others is less by that share, and is spread over a few days.
    """
    known = np.flatnonzero(~np.isnan(first_value))
    days = np.fmin(first_value, float(np.datetime64(book.as_of, "D").astype(np.int64)) + 1) - start
    segment = accounts["segment"].astype(str)
    names = segment.unique()
    patience = segment.map({name: parameter("onboarding.patience").value_for(name) for name in names}).to_numpy(float)
    sd = parameter("onboarding.patience_sd").value
    with np.errstate(divide="ignore"):
        chance = special.ndtr(np.log(np.maximum(days, 0.0) / patience) / sd)
    raised = _rescues(book, ids)
    seen = np.isin(np.arange(len(ids)), list(raised)) & (days > 0)
    table = pd.DataFrame({"chance": chance, "seen": seen})[~np.isnan(first_value)]
    tier = accounts["tier"].astype(str) if "tier" in accounts else pd.Series("", index=accounts.index)
    sums = table.groupby([segment[known].to_numpy(), tier[known].to_numpy()])[["chance", "seen"]].transform("sum")
    share = np.minimum(sums["seen"] / np.maximum(sums["chance"], 1e-9), 1.0).to_numpy(float)
    left = np.where(seen[known], 0.0, chance[known] * (1 - share) / np.maximum(1 - chance[known] * share, 1e-9))
    open_ones = known[left > LEAST]
    each = left[left > LEAST][:, None] / STALLS
    u = chance[open_ones][:, None] * (np.arange(STALLS) + 0.5) / STALLS
    hidden = {
        "who": np.repeat(open_ones, STALLS),
        "day": (start[open_ones][:, None] + patience[open_ones][:, None] * np.exp(sd * special.ndtri(u))).ravel(),
        "size": np.repeat(each, STALLS, axis=1).ravel(),
        "doubt": np.repeat(each * (1 - STALLS * each), STALLS, axis=1).ravel(),
    }
    dated = np.array([who for who in known if seen[who]], np.int64)
    shown = {"who": dated, "day": np.maximum([raised[who] for who in dated], start[dated]), "size": 1.0, "doubt": 0.0}
    return pd.concat([pd.DataFrame(hidden), pd.DataFrame(shown)]).assign(kind=STALLED, known=0.0)[COLUMNS]


def _rescues(book: Book, ids: pd.Index[str]) -> dict[int, float]:
    """The day on which an account's first rescue play was raised: its due date less the deadline of the play."""
    rows = rows_of(book, "touches", ids)
    if not len(rows):
        return {}
    rows = rows[rows["kind"] == RESCUE]
    due = days_of(rows["due_date"]) if "due_date" in rows else np.full(len(rows), np.nan)
    day = np.fmin(due - parameter("work.deadline").value_for(RESCUE), days_of(rows["done_date"]))
    dated = pd.Series(day).groupby(rows["who"].to_numpy()).min().dropna()
    return dict(zip(dated.index.to_numpy(np.int64).tolist(), dated.tolist(), strict=True))


def _speaks(kind: str) -> bool:
    """Whether a type of work lifts engagement at all in the model."""
    return parameter("work.lift").value_for(kind) != 0.0


def _known(done: pd.DataFrame, accounts: pd.DataFrame, start: Floats) -> Floats:
    """How far an owner knows the account, from 0 to 1, when a touch is done: an owner of long standing lifts more.

    Only in tiers whose accounts have owners; the owner's time is counted from the first touch by the same seat.
    """
    if "seat_id" not in done or "owner_id" not in accounts or "tier" not in accounts:
        return np.zeros(len(done))
    owned = set(accounts.loc[accounts["owner_id"].astype(str) != "", "tier"])
    in_named = accounts["tier"].isin(owned).to_numpy()[done["who"].to_numpy()]
    by_seat = done.groupby(["who", "seat_id"], observed=True)["day"].transform("min").to_numpy(float)
    first = done.groupby("who")["day"].transform("min").to_numpy(float)
    since = np.where(by_seat == first, start[done["who"].to_numpy()], by_seat)
    known = (done["seat_id"].astype(str) != "").to_numpy() & in_named
    days = np.maximum(done["day"].to_numpy(float) - since, 0)
    return np.asarray(np.where(known, -np.expm1(-days / parameter("continuity.days").value), 0.0))
