"""Rows that break rules, set aside in a file of their own: the rest can be read, and nothing disappears unseen."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from subsim.book.places import Stores, locate
from subsim.book.problems import Problem
from subsim.book.source import ROW, connect, quoted
from subsim.book.sources import is_url
from subsim.book.stakes import accounts_of, arr_at_stake
from subsim.errors import InputError, InputErrors
from subsim.units import money_text

if TYPE_CHECKING:
    from subsim.book.mapping import Mapping as BookMapping

COLUMNS = ("table", "file", "row", "code", "column", "found", "allowed", "account_id", "arr", "original")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Quarantine:
    """What was set aside."""

    file: str
    rows: int
    accounts: int
    arr_cents: int
    """ARR in force of the accounts concerned, as far as their rows can be read."""

    def __str__(self) -> str:
        what = f"{self.rows:,} rows of {self.accounts:,} accounts with ARR {money_text(self.arr_cents)}"
        return f"{what} were set aside in {self.file}; they are not part of what follows"


def set_aside(
    tables: Frames, problems: Iterable[Problem], check: Callable[[Frames], list[Problem]]
) -> tuple[Frames, list[Problem], list[Problem]]:
    """Take out the rows that block until none does; a row taken out can leave others without their account.

    Returns:
        The tables without the rows, the problems of the rows taken out, and the problems that are left.
    """
    left, aside = list(problems), []
    while rows := _rows(left):
        aside += [problem for problem in left if problem.blocks and problem.row is not None]
        tables = {name: table[~table[ROW].isin(rows.get(name, set()))] for name, table in tables.items()}
        tables = {name: table.reset_index(drop=True) for name, table in tables.items()}
        left = check(tables)
    return tables, aside, left


def _rows(problems: Iterable[Problem]) -> dict[str, set[int]]:
    """Rows by table that keep the book from being read."""
    rows: dict[str, set[int]] = {}
    for problem in problems:
        if problem.blocks and problem.row is not None:
            rows.setdefault(problem.table, set()).add(problem.row)
    return rows


def new_file(path: Path, source: str | Path) -> Path:
    """The file to write, if it may be: a new one, and not inside the book.

    Raises:
        InputErrors: it exists, or lies in the book's own folder.
    """
    found = "a file that exists" if path.exists() else ""
    if not is_url(str(source)) and Path(source).resolve() in path.resolve().parents:
        found = "a file inside the book, which is never written to"
    if found:
        raise InputErrors([InputError(where=f"quarantine {path}", found=found, allowed="a new file beside the book")])
    return path


def write(path: Path, aside: Sequence[Problem], original: Mapping[tuple[str, int], Mapping[str, str]]) -> Quarantine:
    """Write one line per problem of a row set aside: `original` holds the row's values as JSON.

    Text that a spreadsheet would run as a formula gets a `'` before it; JSON begins with a brace and is safe.

    Raises:
        InputErrors: the file exists by now, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for problem in aside:
                facts = problem.to_row()
                values = original.get((problem.table, problem.row or 0), {})
                facts["original"] = json.dumps(values, ensure_ascii=False)
                writer.writerow([safe(str(facts[name])) for name in COLUMNS])
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputErrors(
            [InputError(where=f"quarantine {path}", found=reason, allowed="a new file in a folder that can be written")]
        ) from None
    rows = len({(problem.table, problem.row) for problem in aside})
    return Quarantine(path.as_posix(), rows, len(accounts_of(aside)), arr_at_stake(aside))


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("acme")
    ("'=1+1", 'acme')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def originals(
    source: str | Path, rules: BookMapping, mapping: str | Path | None, aside: Iterable[Problem]
) -> dict[tuple[str, int], dict[str, str]]:
    """Values of the rows set aside as they stand in the source, by table and row."""
    rows = _rows(aside)
    found: dict[tuple[str, int], dict[str, str]] = {}
    with closing(connect()) as connection, Stores(connection) as stores:
        for name, place in locate(source, rules, stores, mapping).items():
            if name not in rows:
                continue
            connection.execute(f"CREATE SCHEMA {name}")
            connection.execute(f"USE memory.{name}")
            names = place.load(connection).names
            columns = ", ".join(quoted(column) for column in names)
            lines = connection.execute(
                f"SELECT {ROW}, {columns} FROM raw WHERE {ROW} IN (SELECT unnest(?))", [sorted(rows[name])]
            ).fetchall()
            for row, *values in lines:
                found[name, row] = {key: "" if v is None else str(v) for key, v in zip(names, values, strict=True)}
            connection.execute("USE memory.main")
    return found
