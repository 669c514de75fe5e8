"""Where the tables of a book come from: what a store can do, and rows of text in an in-memory DuckDB."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import batched
from typing import Final, Protocol

import duckdb
import pyarrow as pa

from subsim.errors import InputError, InputErrors

ROW: Final = "subsim_row"  # row as a spreadsheet counts it: the header is row 1; in SQL tables the first row is row 1
BATCH: Final = 50_000
#: Digits of a floating-point number that mean something, as in spreadsheets; more would show binary dust.
DIGITS: Final = 15


@dataclass(frozen=True)
class Loaded:
    """What loading one table gave: its column names in order, and what was decided on the way."""

    names: list[str]
    notes: tuple[str, ...] = ()


class Store(Protocol):
    """A file or server that holds one or several tables; it is only ever read."""

    name: str
    """How the book is called when its mapping names none."""
    tables: list[str] | None
    """Names of the tables inside; None where the file is itself one table."""

    def place(self, table: str) -> str:
        """How messages call a table."""
        ...

    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """Create table `raw` (`ROW`, then every column as text) in the current schema of a connection.

        Raises:
            InputErrors: the table cannot be read as rows under a header.
        """
        ...

    def close(self) -> None:
        """Let go of the file or server."""
        ...


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def one_error(where: str, found: str, allowed: str, do: str = "") -> InputErrors:
    """A list of one problem, for what makes the rest of a file unreadable."""
    return InputErrors([InputError(where=where, found=found, allowed=allowed, do=do)])


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory database that downloads nothing and shows no progress."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "TimeZone": "UTC"})
    connection.execute("SET enable_progress_bar = false")
    return connection


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on the connection reaches no file; expressions of a mapping come after this."""
    connection.execute("SET enable_external_access = false")


def checked_names(names: Sequence[str], where: str) -> list[str]:
    """Column names, trimmed; SQL does not tell them apart by case.

    Raises:
        InputErrors: a name is missing or stands twice.
    """
    trimmed = [name.strip() for name in names]
    folded = [name.lower() for name in trimmed]
    twice = [name for name in trimmed if folded.count(name.lower()) > 1 or name.lower() == ROW]
    if "" in trimmed or twice or not trimmed:
        found = f"a column named twice: {twice[0]}" if twice else "a column without a name"
        raise one_error(where, found, "a different name for every column")
    return trimmed


def described(connection: duckdb.DuckDBPyConnection, source: str, values: Sequence[str], place: str) -> Loaded:
    """Create table `raw` from a table expression that DuckDB reads itself, such as `read_parquet(?)`."""
    columns = connection.execute(f"DESCRIBE SELECT * FROM {source}", values).fetchall()
    names = checked_names([str(row[0]) for row in columns], place)
    texts = ", ".join(
        f"{_as_text(quoted(str(stored)), str(kind))} AS {quoted(name)}"
        for (stored, kind, *_), name in zip(columns, names, strict=True)
    )
    connection.execute(f"CREATE TABLE raw AS SELECT row_number() OVER () AS {ROW}, {texts} FROM {source}", values)
    return Loaded(names)


def _as_text(column: str, kind: str) -> str:
    if kind == "DOUBLE":
        return f"CASE WHEN NOT isnan({column}) THEN format('{{:.{DIGITS}g}}', {column}) END"
    return f"CAST({column} AS VARCHAR)"


def insert(
    connection: duckdb.DuckDBPyConnection, names: list[str], rows: Iterable[tuple[int, Sequence[str | None]]]
) -> None:
    """Create table `raw` from numbered rows of text."""
    columns = ", ".join(f"{quoted(name)} VARCHAR" for name in names)
    connection.execute(f"CREATE TABLE raw ({ROW} BIGINT, {columns})")
    schema = pa.schema([(ROW, pa.int64()), *((name, pa.string()) for name in names)])
    for batch in _batches(rows):
        numbers = [number for number, _ in batch]
        cells = zip(*(values for _, values in batch), strict=True)
        table = pa.Table.from_arrays(
            [pa.array(numbers, pa.int64()), *(pa.array(column, pa.string()) for column in cells)], schema=schema
        )
        connection.register("batch", table)
        connection.execute("INSERT INTO raw SELECT * FROM batch")
        connection.unregister("batch")


def _batches(rows: Iterable[tuple[int, Sequence[str | None]]]) -> Iterator[Sequence[tuple[int, Sequence[str | None]]]]:
    yield from batched(rows, BATCH)


def cell_text(value: object) -> str | None:
    """A cell of a spreadsheet or of an SQL row as text: dates as ISO, numbers to 15 digits.

    >>> cell_text(1234.5), cell_text(0.1 + 0.2), cell_text(dt.datetime(2026, 6, 30)), cell_text(True)
    ('1234.5', '0.3', '2026-06-30', 'true')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(f"{value:.{DIGITS}g}"), "f")
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value).lower() if isinstance(value, bool) else str(value)
