"""A book's readings of engagement, account by account: scores, what was done for the account, and when it got value."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.book import Book
from subsim.calibrate.engagement_impulses import days_of, impulses, rows_of
from subsim.errors import InputError
from subsim.model.catalogue import parameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COARSE, FINE = 0.5, 0.05  # a score of 0 or 100 has no logit: half of what whole scores, or such in tenths, tell apart
NOT_YET = np.inf


@dataclass(frozen=True)
class Readings:
    """Readings of many accounts, one after the other; days are counted from 1970-01-01.

    Of an account: its id, `cell` (place in `cells`), start, day of first value (inf: not yet, NaN: unknown), target in
    days, and whether it is live. Of a reading: day and log odds of the score less the offset (NaN: an estimate is asked
    for that moment). Of an impulse (a touch done, a sponsor lost, an onboarding stalled): day, which kind, size, the
    variance of the size where the book leaves it open, and how far the owner knew the account (0 to 1). `*_from` has
    one entry more than there are accounts: those of account i are `*_from[i]` to `*_from[i + 1]`.
    """

    account: NDArray[Any]
    cell: Ints
    start: Floats
    first_value: Floats
    target: Floats
    live: NDArray[np.bool_]
    at: Floats
    y: Floats
    reading_from: Ints
    impulse_at: Floats
    impulse_kind: Ints
    impulse_size: Floats
    impulse_doubt: Floats
    impulse_known: Floats
    impulse_from: Ints
    kinds: NDArray[Any]
    """Names of the kinds of impulse: types of work, then what happened, see `EVENTS`."""
    segments: NDArray[Any]
    """Segment of each cell."""
    tiers: NDArray[Any]
    """Tier of each cell; "" where the book names none."""

    def arrays(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """The arrays by name, for `BlockData.cells`."""
        return {prefix + field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @staticmethod
    def of(arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> Readings:
        """Readings again, from `arrays`."""
        return Readings(**{field.name: arrays[prefix + field.name] for field in dataclasses.fields(Readings)})

    def chosen(self, accounts: Ints) -> Readings:
        """The readings of some accounts, by place."""
        reading, reading_from = _gathered(self.reading_from, accounts)
        impulse, impulse_from = _gathered(self.impulse_from, accounts)
        of_account = ("account", "cell", "start", "first_value", "target", "live")
        return dataclasses.replace(
            self,
            **{name: getattr(self, name)[accounts] for name in of_account},
            at=self.at[reading],
            y=self.y[reading],
            reading_from=reading_from,
            impulse_at=self.impulse_at[impulse],
            impulse_kind=self.impulse_kind[impulse],
            impulse_size=self.impulse_size[impulse],
            impulse_doubt=self.impulse_doubt[impulse],
            impulse_known=self.impulse_known[impulse],
            impulse_from=impulse_from,
        )

    def with_owners(self, ceiling: float) -> Readings:
        """The same readings where a touch by an owner gives up to so much more (`continuity.ceiling`)."""
        gain = 1 + ceiling * self.impulse_known
        return dataclasses.replace(
            self, impulse_size=self.impulse_size * gain, impulse_doubt=self.impulse_doubt * gain**2
        )

    def silent(self) -> Readings:
        """The same accounts without their readings."""
        none = np.zeros(0)
        return dataclasses.replace(self, at=none, y=none, reading_from=np.zeros_like(self.reading_from))

    def asked(self, account: NDArray[Any], days: Floats) -> tuple[Readings, Ints]:
        """The same readings with estimates asked for at some accounts and days, and the place of each one asked."""
        place = pd.Index(self.account).get_indexer(pd.Index(account))
        if (place < 0).any():
            unknown = str(account[int(np.argmax(place < 0))])
            raise InputError(where="account_id", found=repr(unknown), allowed="an account of the book")
        days = np.maximum(days, self.start[place])  # an account that has not begun is where it will begin
        who = np.concatenate([np.repeat(np.arange(len(self.account)), np.diff(self.reading_from)), place])
        at, y = np.concatenate([self.at, days]), np.concatenate([self.y, np.full(len(days), np.nan)])
        # On one day the question comes before the reading: what is known *before* it.
        order = np.lexsort((~np.isnan(y), at, who))
        found = np.empty(len(order), np.int64)
        found[order] = np.arange(len(order))
        more = dataclasses.replace(self, at=at[order], y=y[order], reading_from=_starts(who, len(self.account)))
        return more, found[len(self.at) :]


def _gathered(starts: Ints, accounts: Ints) -> tuple[Ints, Ints]:
    """Places of the rows of some accounts, and where each account's begin among them."""
    counts = np.diff(starts)[accounts]
    ends = np.cumsum(counts)
    places = np.arange(counts.sum()) + np.repeat(starts[accounts] - (ends - counts), counts)
    return places, np.concatenate([[0], ends])


def _starts(who: NDArray[Any], accounts: int) -> Ints:
    return np.concatenate([[0], np.cumsum(np.bincount(who, minlength=accounts))]).astype(np.int64)


def day_after(date: dt.date) -> float:
    """The day after, in days since 1970-01-01."""
    return float(np.datetime64(date, "D").astype(np.int64)) + 1.0


def readings(book: Book) -> Readings:
    """Readings of all accounts of a book, those without a score too; in the order of the accounts table."""
    accounts = book.tables["accounts"].reset_index(drop=True)
    ids = pd.Index(accounts["account_id"].astype(str))
    tier = accounts["tier"].astype(str) if "tier" in accounts else pd.Series("", index=accounts.index)
    names = pd.MultiIndex.from_arrays([accounts["segment"].astype(str), tier])
    cell, cells = pd.factorize(names, sort=True)
    who, at, score = _scores(book, ids)
    start = days_of(accounts["start_date"])
    np.minimum.at(start, who, at)
    alive = book.ledger.drop_duplicates("account_id", keep="last")
    live = ids.isin(alive.loc[alive["after"] > 0, "account_id"].astype(str))
    edge = FINE if (score != np.rint(score)).any() else COARSE
    share = np.clip(score, edge, 100 - edge) / 100
    target = {name: parameter("onboarding.target").value_for(name) for name in names.get_level_values(0).unique()}
    first_value = _first_values(book, ids, start)
    kinds, impulse = impulses(book, ids, accounts, start, first_value)
    return Readings(
        account=ids.to_numpy(object),
        cell=cell.astype(np.int64),
        start=start,
        first_value=first_value,
        target=names.get_level_values(0).map(target).to_numpy(float),
        live=np.asarray(live, bool),
        at=at,
        y=np.log(share / (1 - share)) - parameter("score.offset").value,
        reading_from=_starts(who, len(ids)),
        impulse_at=impulse["day"].to_numpy(float),
        impulse_kind=impulse["code"].to_numpy(np.int64),
        impulse_size=impulse["size"].to_numpy(float),
        impulse_doubt=impulse["doubt"].to_numpy(float),
        impulse_known=impulse["known"].to_numpy(float),
        impulse_from=_starts(impulse["who"].to_numpy(np.int64), len(ids)),
        kinds=kinds,
        segments=np.array([name for name, _ in cells], object),
        tiers=np.array([name for _, name in cells], object),
    )


def _scores(book: Book, ids: pd.Index[str]) -> tuple[Ints, Floats, Floats]:
    rows = rows_of(book, "health", ids)
    if "score" not in rows:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    rows = rows[rows["score"].notna()].sort_values(["who", "date"], kind="stable")
    return rows["who"].to_numpy(np.int64), days_of(rows["date"]), rows["score"].to_numpy(float)


def _first_values(book: Book, ids: pd.Index[str], start: Floats) -> Floats:
    rows = rows_of(book, "onboarding", ids).drop_duplicates("who", keep="last")
    days = np.full(len(ids), np.nan)
    if len(rows):
        who = rows["who"].to_numpy()
        reached = days_of(rows["first_value_date"])
        # Counted from kick-off, as the book counts it; half a day stands for the same day.
        elapsed = np.maximum(reached - days_of(rows["kickoff_date"]), 0.5)
        days[who] = np.where(np.isnan(reached), NOT_YET, start[who] + elapsed)
    return days
