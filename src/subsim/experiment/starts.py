"""What a simulation takes from a book, in arrays alone: whoever simulates need not load the libraries that read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subsim.experiment.shipped import demo_folder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from subsim.book import Book
    from subsim.scenario import Scenario


@dataclass(frozen=True)
class Start:
    """Opening state of a book (see `subsim.book.Opening`) and the book's fingerprint."""

    accounts: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    """Columns of `Opening.accounts`; texts are objects."""
    touches: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    """Columns of `Opening.touches`, likewise."""
    scores: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    """Columns of `Opening.scores`, likewise."""
    done: Mapping[str, npt.NDArray[Any]] = field(repr=False)
    """Columns of `Opening.done`, likewise."""
    lost_arr: Mapping[str, npt.NDArray[np.int64]] = field(repr=False)
    lost_logos: Mapping[str, npt.NDArray[np.int64]] = field(repr=False)
    fingerprint: str


def start_of(book: Book, start: dt.date | None = None) -> Start:
    """Start state of a simulation from a book.

    Raises:
        InputError: see `Book.opening`.
    """
    opening = book.opening(start)
    return Start(
        _columns(opening.accounts),
        _columns(opening.touches),
        _columns(opening.scores),
        _columns(opening.done),
        opening.lost_arr,
        opening.lost_logos,
        book.fingerprint(),
    )


def _columns(table: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    arrays = {str(name): column.to_numpy() for name, column in table.items()}
    return {name: a if a.dtype.kind in "iufb" else a.astype(object) for name, a in arrays.items()}


def read_start(folder: Path, as_of: dt.date) -> Start:
    """Read a book without looking for what is doubtful, and give its start state the day after.

    Raises:
        InputErrors: see `subsim.book.read_book` and `Book.opening`.
    """
    from subsim.book import read_book  # noqa: PLC0415 - the libraries that read are slow to load

    return start_of(read_book(folder, as_of=as_of, warnings=False), as_of + dt.timedelta(days=1))


def book_source(scenario: Scenario) -> tuple[Path, dt.date] | None:
    """Where a scenario's book is, and the day before its start; None where it makes up its opening base."""
    if scenario.book is None:
        return None
    folder = demo_folder() if scenario.book == "demo" else Path(scenario.book)
    return folder, scenario.start - dt.timedelta(days=1)
