"""A first guess of `book.yaml` for an export: columns by their names and by what their values look like."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import yaml

from subsim.book.aliases import AMOUNTS, COLUMNS, TABLE_NAMES, WORDS
from subsim.book.cube import month_of
from subsim.book.parse import Notation, expression
from subsim.book.places import Place, Stores
from subsim.book.schema import TABLES, Column
from subsim.book.source import connect, one_error, quoted
from subsim.book.sources import TABLE_SUFFIXES, WORKBOOK_SUFFIXES, called, is_url
from subsim.errors import InputErrors

SAMPLE: Final = 1_000  # rows whose values are looked at
SAME: Final = 0.97  # similarity of two names that differ by hardly more than what is between their words
ALIKE: Final = 0.85  # similarity of two names from which on they may mean the same
FITS: Final = 0.95  # share of a sample that has to be of a column's kind
CUBE_MONTHS: Final = 2  # columns named like months from which on a table is a cube
NOTATIONS: Final = ("iso", "excel", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%Y")


@dataclass(frozen=True)
class _Sheet:
    """A table of the source with a sample of its rows."""

    place: Place
    file: str | None
    names: list[str]
    connection: duckdb.DuckDBPyConnection

    def share(self, name: str, column: Column, notation: Notation) -> float:
        """Share of a column's values in the sample that are of a kind; 1 if all are blank and may be."""
        value = expression(column, notation, "t")
        sql = f"SELECT count(*), count(*) FILTER (({value}) IS NOT NULL AND ({value})::VARCHAR <> '') FROM "
        texts = f"(SELECT trim({quoted(name)}) AS t FROM raw WHERE trim({quoted(name)}) <> '')"
        filled, fit = self.connection.execute(sql + texts).fetchone() or (0, 0)
        return fit / filled if filled else float(column.blank_ok)

    def months(self) -> list[str]:
        """Columns that are named like months."""
        return [name for name in self.names if month_of(name)]


@dataclass
class _Guess:
    """One table of the book, as it could be read from one of the source."""

    sheet: _Sheet
    columns: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=lambda: ["iso"])
    """Notations of dates that fit, the likeliest first."""
    decimal: str = "."
    arr_is: str = "annual"
    likeness: float = 0.0


def propose_mapping(source: str | Path) -> str:
    """A commented `book.yaml` for a source, to be corrected by someone who knows the export.

    Columns are taken for what their names say, if their values can be that. What could not be told apart, such as
    day and month in 03/04/2025, and what is missing, stands in comments.

    Args:
        source: anything that `read_book` reads.

    Raises:
        InputErrors: there is nothing to read.
    """
    with closing(connect()) as connection, Stores(connection) as stores:
        sheets = [sheet for file, place in _places(source, stores) if (sheet := _sample(connection, file, place))]
        if not sheets:
            raise one_error(called(source), "no table", "tables with a header and rows")
        guesses = _guesses(sheets)
        used = {id(guess.sheet) for guess in guesses.values()}
        left = [sheet.place.name for sheet in sheets if id(sheet) not in used]
        text = "\n".join([*_head(source, left), *_lines(guesses)]) + "\n"
    yaml.safe_load(text)
    return text


def _places(source: str | Path, stores: Stores) -> Iterator[tuple[str | None, Place]]:
    """Every table of the source, and the file a mapping has to name for it."""
    path = Path(source)
    if is_url(str(source)) or path.is_file():
        store = stores.open(str(source) if is_url(str(source)) else path)
        for table in store.tables or [path.stem]:
            yield None, Place(store, table, None)
    elif path.is_dir():
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in (*TABLE_SUFFIXES, *WORKBOOK_SUFFIXES):
                store = stores.open(file)
                for table in store.tables or [file.stem]:
                    yield file.name, Place(store, table, None)
    else:
        raise one_error(called(source), "nothing there", "a folder or a file of tables")


def _sample(connection: duckdb.DuckDBPyConnection, file: str | None, place: Place) -> _Sheet | None:
    """Load a table and keep its first rows; None where it cannot be read as a table."""
    cursor = connection.cursor()
    schema = f"sample_{id(place)}"
    cursor.execute(f"CREATE SCHEMA {schema}")
    cursor.execute(f"USE memory.{schema}")
    try:
        names = place.load(cursor).names
    except InputErrors:
        return None
    cursor.execute("ALTER TABLE raw RENAME TO whole")
    cursor.execute(f"CREATE TABLE raw AS SELECT * FROM whole LIMIT {SAMPLE}")
    cursor.execute("DROP TABLE whole")
    return _Sheet(place, file, names, cursor)


def _guesses(sheets: list[_Sheet]) -> dict[str, _Guess]:
    """The likeliest table of the source for each of the book; one revenue table, and every sheet for one table only."""
    every = {(name, at): _guess(name, sheet) for name in TABLES for at, sheet in enumerate(sheets)}
    ranked = sorted(every, key=lambda key: -every[key].likeness)
    found: dict[str, _Guess] = {}
    taken: set[int] = set()
    for name, at in ranked:
        if every[name, at].likeness > 0 and name not in found and at not in taken:
            found[name] = every[name, at]
            taken.add(at)
    if "accounts" not in found and "contracts" in found:
        found["accounts"] = _guess("accounts", found["contracts"].sheet)
    for name in ("mrr", "movements", "bridge"):
        if "contracts" in found and name in found and found[name].likeness < found["contracts"].likeness:
            del found[name]
    return {name: found[name] for name in TABLES if name in found}


def _guess(table: str, sheet: _Sheet) -> _Guess:
    guess = _Guess(sheet)
    months = sheet.months() if table == "mrr" else []
    cube = len(months) >= CUBE_MONTHS
    needed = [column for column in TABLES[table] if not (cube and column.name in ("month", "mrr"))]
    free = [name for name in sheet.names if name not in months]
    for alike in (SAME, ALIKE):  # what is certain comes first, and is no longer free for what is only similar
        for column in needed:
            name = None if column.name in guess.columns else _best(guess, column, free, table, alike)
            if name:
                guess.columns[column.name] = name
                free.remove(name)
    guess.missing = [column.name for column in needed if column.required and column.name not in guess.columns]
    title = sheet.place.table
    endings = [title, *(title[mark.end() :] for mark in re.finditer(r"[-_. ]", title))]  # acme_support_tickets
    called = max(_similar(ending, [table, *TABLE_NAMES[table]]) for ending in endings)
    required = [column.name for column in needed if column.required]
    share = 1 - len(guess.missing) / max(len(required), 1)
    if share == 1 or (called >= ALIKE and share >= 0.5):
        guess.likeness = share + called + 0.01 * len(guess.columns) + cube
    if called < ALIKE and not cube and len(required) < 3:
        guess.likeness = 0.0  # an id and a date alone could be anything
    return guess


def _best(guess: _Guess, column: Column, free: list[str], table: str, alike: float) -> str | None:
    """The column of the source whose name comes nearest, of those whose values fit; settles notation on the way."""
    aliases = COLUMNS.get(column.name, ())
    if column.name == "arr":
        aliases = (*aliases, *(name for names in AMOUNTS.values() for name in names))
    own = [column.name, *COLUMNS.get(column.name, ())]
    ranked = sorted(free, key=lambda name: (-_similar(name, [column.name, *aliases]), -_similar(name, own)))
    for name in ranked[:3]:
        if _similar(name, [column.name, *aliases]) < alike:
            break
        fitting = _fitting(guess, column, name)
        if fitting is not None:
            if column.kind == "date" and len(fitting) < len(NOTATIONS):
                guess.dates = [dates for dates in guess.dates if dates in fitting] or fitting
            if column.name == "arr" and table == "contracts":
                words = {kind: _similar(name, names) for kind, names in AMOUNTS.items()}
                other = max(words, key=words.__getitem__)
                guess.arr_is = other if words[other] > _similar(name, own) else "annual"
            return name
    return None


def _fitting(guess: _Guess, column: Column, name: str) -> list[str] | None:
    """Notations of dates under which a column's values fit; None where they fit under none."""
    sheet = guess.sheet
    if column.kind == "date":
        fits = [dates for dates in NOTATIONS if sheet.share(name, column, Notation(dates)) >= FITS]
        return fits or None
    if column.kind == "money":
        for decimal in (".", ","):
            if sheet.share(name, column, Notation(decimal=decimal)) >= FITS:
                guess.decimal = decimal
                return []
        return None
    if column.words:  # words are translated by `values:`
        return []
    return [] if sheet.share(name, column, Notation()) >= FITS else None


def _similar(name: str, names: list[str] | tuple[str, ...]) -> float:
    """Similarity of a name to the nearest of several, 0 to 1; what is between words does not count."""
    plain = _plain(name)
    return max((difflib.SequenceMatcher(None, plain, _plain(other)).ratio() for other in names), default=0.0)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _head(source: str | Path, left: list[str]) -> Iterator[str]:
    yield f"# A first guess for {called(source)}, made from names and values: check every line."
    yield "# A name takes a column as it is, anything else is an SQL expression over the columns of the table."
    if left:
        yield f"# Tables that look like none of the book's: {', '.join(left)}"
    yield "tables:"


def _lines(guesses: dict[str, _Guess]) -> Iterator[str]:
    if not guesses:
        yield "  {}  # nothing looks like accounts, contracts, movements, a cube or a bridge"
    for table, guess in guesses.items():
        sheet = guess.sheet
        yield f"  {table}:  # from {sheet.place.name}"
        if sheet.file:
            yield f"    file: {_scalar(sheet.file)}"
        if sheet.place.store.tables:
            yield f"    table: {_scalar(sheet.place.table)}"
        yield from _notation(guess)
        if table == "accounts" and "account_id" in guess.columns and _repeats(sheet, guess.columns["account_id"]):
            yield "    # accounts has one row per account, and here an account_id occurs again"
        yield "    columns:"
        for column in TABLES[table]:
            if column.name in guess.columns:
                yield f"      {column.name}: {_scalar(guess.columns[column.name])}"
            elif column.name in guess.missing:
                yield f"      # {column.name}: required, and no column looks like it"
        yield from _words(table, guess)
        unused = [name for name in sheet.names if name not in guess.columns.values() and name not in sheet.months()]
        if unused:
            yield f"    # not used: {', '.join(unused)}"


def _repeats(sheet: _Sheet, name: str) -> bool:
    counts = sheet.connection.execute(
        f"SELECT count({quoted(name)}) > count(DISTINCT {quoted(name)}) FROM raw"
    ).fetchone()
    return bool(counts and counts[0])


def _notation(guess: _Guess) -> Iterator[str]:
    if guess.dates[0] != "iso":
        others = f"  # or {', '.join(guess.dates[1:])}: the values do not tell" if len(guess.dates) > 1 else ""
        yield f"    dates: {_scalar(guess.dates[0])}{others}"
    if guess.decimal != ".":
        yield f"    decimal: {_scalar(guess.decimal)}"
    if guess.arr_is != "annual":
        yield f"    arr_is: {guess.arr_is}  # the column's name speaks of it"
    if "end_date" in guess.columns:
        yield "    # end_date_is: first_day_out  # if the end given is the first day that is no longer in force"


def _words(table: str, guess: _Guess) -> Iterator[str]:
    """Values of columns that know only some words, to be translated."""
    for column in TABLES[table]:
        if not column.words or column.name not in guess.columns:
            continue
        name = quoted(guess.columns[column.name])
        rows = guess.sheet.connection.execute(f"SELECT DISTINCT trim({name}) FROM raw ORDER BY 1 LIMIT 30").fetchall()
        other = [str(word) for (word,) in rows if word and word.lower() not in column.words]
        if other:
            yield f"    values:  # {column.name} is one of {', '.join(column.words)}"
            yield f"      {column.name}:"
            for word in other:
                near = WORDS.get(word.lower(), "")
                meant = near if near in column.words else f"{column.words[0]}  # which one?"
                yield f"        {_scalar(word)}: {meant}"


def _scalar(text: str) -> str:
    """A text as YAML writes it on one line."""
    dumped = yaml.safe_dump(text, default_flow_style=True, allow_unicode=True, width=10_000)
    return dumped.removesuffix("\n...\n").strip()
