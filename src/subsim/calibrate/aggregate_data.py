"""The flows of a book of sums, checked for what a calibration needs of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate.block import Frame
from subsim.errors import InputError

if TYPE_CHECKING:
    from subsim.book import Book

MIN_MONTHS = 12


@dataclass(frozen=True)
class Sums:
    """Monthly flows in cents, int64[months, segments, (new, expansion, contraction, churn)], and ARR at their start."""

    start: dt.date
    flows: NDArray[np.int64]
    opening: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def months(self) -> int:
        """How many."""
        return len(self.flows)

    def levels(self, segment: int) -> NDArray[np.int64]:
        """ARR at the start of each month and at the end of the last, cents."""
        change = self.flows[:, segment] @ np.array([1, 1, -1, -1])
        return np.concatenate([[self.opening[segment]], self.opening[segment] + np.cumsum(change)])

    @classmethod
    def of(cls, cells: Mapping[str, Any]) -> Sums:
        """From the arrays that a block keeps."""
        return cls(dt.date.fromordinal(int(cells["start"])), cells["flows"], cells["opening"])


def sums_of(book: Book, frame: Frame) -> Sums:
    """The bridge of a book of sums by segment; what came back counts as new.

    Raises:
        InputError: fewer than 12 months, a month that is missing, a negative flow, ARR below zero, or a segment in
            which nothing happens.
    """
    table = book.bridge()
    months = sorted(set(table["month"]))
    stated = book.tables["bridge"]
    missing = [f"{month:%Y-%m}" for month in months if not (stated["month"] == month).any()]
    if missing:
        raise _wrong("bridge month", f"no row for {', '.join(missing[:12])}", "every month of the bridge")
    if len(months) < MIN_MONTHS:
        found = f"{len(months)} month{'' if len(months) == 1 else 's'}"
        do = "a renewal comes once a year: give a longer bridge"
        raise _wrong("bridge", found, f"at least {MIN_MONTHS} months", do)
    wide = table.set_index(["month", "segment"]).sort_index()
    flows = np.zeros((len(months), len(frame.segment), 4), np.int64)
    opening = np.zeros(len(frame.segment), np.int64)
    notes = []
    for i, segment in enumerate(frame.segment):
        mine = wide.xs(segment, level="segment").reindex(months)
        _check(segment, mine)
        flows[:, i, 0] = mine["new"] + mine["reactivation"]
        for column, name in enumerate(("expansion", "contraction", "churn"), start=1):
            flows[:, i, column] = mine[name]
        opening[i] = mine["opening"].iloc[0]
        if not flows[:, i, 3].any():
            notes.append(f"{segment} lost nobody in {len(months)} months: losses come from the prior, cut from above.")
    return Sums(months[0].date().replace(day=1), flows, opening, tuple(notes))


def _check(segment: str, table: Any) -> None:
    for name in ("new", "expansion", "contraction", "churn", "reactivation"):
        below = table.index[table[name] < 0]
        if len(below):
            found = f"{table.loc[below[0], name] / 100:,.2f} in {below[0]:%Y-%m}"
            do = "losses are written as positive amounts; book a correction in the month that it corrects"
            raise _wrong(f"bridge of {segment}, {name}", found, "0 or more", do)
    for name in ("opening", "closing"):
        below = table.index[table[name] < 0]
        if len(below):
            found = f"ARR of {table.loc[below[0], name] / 100:,.2f} in {below[0]:%Y-%m}"
            raise _wrong(f"bridge of {segment}", found, "ARR of 0 or more", "check the opening and the losses")
    if not table[["opening", "new", "expansion", "contraction", "churn", "reactivation"]].to_numpy().any():
        raise _wrong(f"bridge of {segment}", "no ARR in any month", "a segment with revenue", "leave it out")


def _wrong(where: str, found: str, allowed: str, do: str = "") -> InputError:
    return InputError(where=where, found=found, allowed=allowed, do=do)
