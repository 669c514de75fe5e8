"""Books of a command's scenarios: those that have not changed are not read, others by a process beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Final

from subsim.experiment import kept
from subsim.experiment.starts import Start, book_source, read_start

if TYPE_CHECKING:
    from subsim.cli.companion import Companion
    from subsim.scenario import Scenario

PATIENCE_SECONDS: Final = 300.0  # for books that are far larger than any we know
Source = tuple[Path, dt.date]


class Books:
    """Start states of the books of scenarios: kept in a folder of results, or being read from now on."""

    def __init__(self, scenarios: Sequence[Scenario], results: Path, by: Companion | None) -> None:
        self._results, self._by = results, by
        self._found: dict[Source, Start] = {}
        self._asked: dict[Source, Future[Start]] = {}
        self._new: dict[Source, str] = {}
        for source in dict.fromkeys(source for scenario in scenarios if (source := book_source(scenario))):
            name = kept.identity(*source)
            found = kept.find(results, name) if name else None
            if found:
                self._found[source] = found
            else:
                if by:
                    self._asked[source] = by.ask(read_start, *source)
                if name:
                    self._new[source] = name

    @property
    def being_read(self) -> bool:
        """Whether the companion has something to do."""
        return bool(self._asked)

    def read(self, folder: Path, as_of: dt.date) -> Start:
        """The start state of a book.

        Raises:
            InputErrors: see `read_start`: what the companion cannot read is read here, for the same errors.
        """
        source = folder, as_of
        if source not in self._found:
            asked = self._asked.get(source)
            found = self._by.wait(asked, PATIENCE_SECONDS) if self._by and asked else None
            self._found[source] = found or read_start(folder, as_of)
        return self._found[source]

    def keep(self) -> None:
        """Keep what was read, unless its files have changed meanwhile."""
        for source, name in self._new.items():
            if source in self._found and kept.identity(*source) == name:
                kept.keep(self._results, name, self._found[source])
