"""Books of a command's scenarios: those that have not changed since a run are not read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from subsim.experiment import kept
from subsim.experiment.starts import Start, read_start


class Books:
    """Start states of books, found in a folder of results or read."""

    def __init__(self, results: Path) -> None:
        self._results = results
        self._read: dict[tuple[Path, dt.date], tuple[str, Start]] = {}

    def read(self, folder: Path, as_of: dt.date) -> Start:
        """The start state of a book.

        Raises:
            InputErrors: see `read_start`.
        """
        name = kept.identity(folder, as_of)
        found = kept.find(self._results, name) if name else None
        if found is None:
            found = read_start(folder, as_of)
            if name:
                self._read[folder, as_of] = name, found
        return found

    def keep(self) -> None:
        """Keep what was read in the folder of results, which exists now, unless files have changed meanwhile."""
        for source, (name, start) in self._read.items():
            if kept.identity(*source) == name:
                kept.keep(self._results, name, start)
