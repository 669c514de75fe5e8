"""`read_book`: a folder of tables, or one file and a mapping, to a checked `Book`."""

import datetime as dt
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from subsim.book.assemble import assemble, with_accounts
from subsim.book.book import Book
from subsim.book.checks import check, revenue_table
from subsim.book.columns import TableReport, read_table
from subsim.book.conventions import conventional
from subsim.book.cut import cut
from subsim.book.judge import judge
from subsim.book.mapping import Mapping, TableMapping
from subsim.book.places import Stores, locate, rules_of
from subsim.book.problems import BookProblems, Problem, listed
from subsim.book.quarantine import new_file, originals, write
from subsim.book.source import Loaded, connect, lock
from subsim.book.sources import called, database_name, is_url
from subsim.errors import InputError, InputErrors
from subsim.ledger.terms import as_day
from subsim.units import day


def read_book(
    path: str | Path,
    *,
    as_of: str | dt.date,
    mapping: str | Path | None = None,
    quarantine: str | Path | None = None,
    warnings: bool = True,
) -> Book:
    """Read a company's book as it was known at the close of a day.

    Args:
        path: a folder with one CSV or Parquet file per table (`accounts.csv`, `contracts.parquet`, ...), an Excel
            workbook, a DuckDB or SQLite file, the URL of a PostgreSQL database (`postgresql://host/database`), one
            CSV or Parquet file whose mapping names the tables to take from it, or a mapping whose `file:` says where
            the data is. Nothing is ever written to it.
        as_of: last day that counts; everything later is cut before anything looks at it.
        mapping: a `book.yaml`; by default the one in the folder, if there is one.
        quarantine: a new file for the rows that break rules; the rest is then read. Without it such rows are an error.
        warnings: whether to look for what is doubtful too, which takes a third of the time.

    Returns:
        The book: checked tables, their ledger, a report of what was read and what was left out, and its `problems`:
        warnings, and the rows set aside.

    Raises:
        BookProblems: rows break rules; all problems found, each with file, row, column, what was found, what is allowed
            and the ARR at stake.
        InputErrors: the tables cannot be read at all.
    """
    last_day = _day(as_of)
    rules = rules_of(path, mapping)
    raw = _read_tables(path, rules, mapping)
    revenue = revenue_table(set(raw.files))
    if isinstance(revenue, InputError):
        raise InputErrors([*raw.errors, revenue, *listed(problem for problem in raw.problems if problem.blocks)])
    if revenue == "contracts" and "accounts" not in raw.files:
        allowed = "accounts beside contracts"
        raw.errors.append(InputError(where=called(path), found="no accounts table", allowed=allowed))
    if raw.errors:
        found = [*raw.problems, *check(raw.tables, raw.files)]
        raise InputErrors([*raw.errors, *listed(problem for problem in found if problem.blocks)])
    judged = judge(
        raw.tables,
        raw.files,
        raw.problems,
        as_of=last_day,
        grace_days=rules.grace_days,
        revenue=revenue,
        with_accounts=with_accounts,
        quarantine=quarantine is not None,
        warnings=warnings,
    )
    if any(problem.blocks for problem in judged.problems):
        raise BookProblems([*judged.problems, *judged.aside])
    aside = None
    if quarantine is not None and judged.aside:
        file = new_file(Path(quarantine), path)
        aside = write(file, judged.aside, originals(path, rules, mapping, judged.aside))
    tables = cut(judged.tables, as_day(last_day))
    problems = (*judged.aside, *judged.problems)
    return assemble(raw.name, last_day, rules, tables, raw.reports, problems=problems, quarantine=aside)


@dataclass
class _Raw:
    """Tables as they were read, before they are held against each other."""

    name: str = ""
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    reports: list[TableReport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)


def _read_tables(source: str | Path, rules: Mapping, mapping: str | Path | None) -> _Raw:
    """Load every table as text, shut the door to files and servers, then make sense of the text."""
    raw = _Raw()
    loaded: dict[str, Loaded] = {}
    with closing(connect()) as connection:
        with Stores(connection) as stores:
            places = locate(source, rules, stores, mapping)
            raw.name = rules.name or (database_name(str(source)) if is_url(str(source)) else Path(source).stem)
            for name, place in places.items():
                raw.files[name] = place.name
                connection.execute(f"CREATE SCHEMA {name}")
                connection.execute(f"USE memory.{name}")
                try:
                    loaded[name] = place.load(connection)
                except InputErrors as unreadable:
                    raw.errors += unreadable.errors
        lock(connection)
        for name, rows in loaded.items():
            entry = rules.tables.get(name, TableMapping())
            connection.execute(f"USE memory.{name}")
            try:
                table, report, problems = read_table(connection, name, raw.files[name], rows, entry)
            except InputErrors as unreadable:
                raw.errors += unreadable.errors
            else:
                raw.tables[name] = conventional(table, entry)
                raw.reports.append(report)
                raw.problems += problems
            connection.execute("USE memory.main")
            # `raw` stays: expressions of other tables may look it up.
            connection.execute(f"DROP TABLE IF EXISTS {name}.parsed")
    return raw


def _day(as_of: str | dt.date) -> dt.date:
    try:
        return day(as_of, where="as_of")
    except InputError as error:
        raise InputErrors([error]) from None
