"""DuckDB and SQLite files, opened so that nothing in them or beside them can change."""

import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import override

import duckdb

from subsim.book.source import (
    Loaded,
    Store,
    cell_text,
    checked_names,
    described,
    insert,
    literal,
    one_error,
    quoted,
)

_aliases = count()


class DuckDbFile(Store):
    """A DuckDB file, attached read-only. Tables of other schemas than main are called schema.table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._connection = connection
        self._alias = f"subsim_source_{next(_aliases)}"
        try:
            connection.execute(f"ATTACH {literal(path.as_posix())} AS {self._alias} (READ_ONLY)")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0][:200]
            do = "close other programs that write to it, or export it again"
            raise one_error(path.name, f"a database that cannot be opened ({reason})", "a DuckDB file", do) from None
        rows = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1 UNION ALL "
            "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = $1 AND NOT internal ORDER BY ALL",
            [self._alias],
        ).fetchall()
        self._found = {table if schema == "main" else f"{schema}.{table}": (schema, table) for schema, table in rows}
        self.tables = list(self._found)

    @override
    def place(self, table: str) -> str:
        """File and table."""
        return f"{self.path.name}[{table}]"

    @override
    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """See `Store.load`."""
        schema, name = self._found[table]
        source = f"{self._alias}.{quoted(schema)}.{quoted(name)}"
        try:
            return described(connection, source, [], self.place(table))
        except duckdb.Error as error:
            reason = str(error).splitlines()[0][:200]
            raise one_error(self.place(table), f"a table that cannot be read ({reason})", "a table or view") from None

    @override
    def close(self) -> None:
        """Detach the file."""
        self._connection.execute(f"DETACH {self._alias}")


class SqliteFile(Store):
    """An SQLite file, opened read-only, and as unchanging where no other program is writing to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        # `immutable` keeps SQLite from creating lock and log files beside the database; a log says someone is writing.
        busy = path.with_name(f"{path.name}-wal").exists() or path.with_name(f"{path.name}-journal").exists()
        uri = f"{path.resolve().as_uri()}?mode=ro{'' if busy else '&immutable=1'}"
        try:
            self._connection = sqlite3.connect(uri, uri=True)
            rows = self._connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
            ).fetchall()
        except sqlite3.Error as error:
            raise one_error(path.name, f"a database that cannot be opened ({error})", "an SQLite file") from None
        self.tables = [str(name) for (name,) in rows]

    @override
    def place(self, table: str) -> str:
        """File and table."""
        return f"{self.path.name}[{table}]"

    @override
    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """See `Store.load`."""
        try:
            cursor = self._connection.execute(f"SELECT * FROM {quoted(table)}")
            names = checked_names([str(column[0]) for column in cursor.description], self.place(table))
            insert(connection, names, self._rows(cursor))
        except sqlite3.Error as error:
            raise one_error(self.place(table), f"a table that cannot be read ({error})", "a table or view") from None
        return Loaded(names)

    @override
    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @staticmethod
    def _rows(cursor: sqlite3.Cursor) -> Iterator[tuple[int, list[str | None]]]:
        for number, row in enumerate(cursor, start=1):
            yield number, [cell_text(value) for value in row]
