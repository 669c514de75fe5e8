"""Tables of a PostgreSQL server, read in one read-only transaction, so that all show the same moment."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, override
from urllib.parse import unquote, urlsplit

import duckdb
import psycopg
from psycopg import sql

from subsim.book.source import BATCH, Loaded, Store, checked_names, insert, one_error

CONNECT_SECONDS = 15
#: Nothing is written; times and numbers have one notation; rows come in the same order when they are read again.
_SETTINGS = (
    "default_transaction_read_only=on",
    "timezone=UTC",
    "datestyle=ISO",
    "extra_float_digits=0",
    "synchronize_seqscans=off",
)
_TABLES = """
SELECT n.nspname, c.relname, pg_table_is_visible(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg_toast%' AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1, 2
"""


class Postgres(Store):
    """A database by its URL. Tables outside the search path are called schema.table."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        try:
            self._connection = psycopg.connect(
                url,
                connect_timeout=CONNECT_SECONDS,
                options=" ".join(f"-c {setting}" for setting in _SETTINGS),
                application_name="subsim",
            )
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
            rows = self._connection.execute(_TABLES).fetchall()
        except psycopg.Error as error:
            do = "check address, user and password; PGPASSWORD and a .pgpass file work too"
            reason = _without_secrets(str(error), url)
            raise one_error(self.name, f"no connection ({reason})", "a URL of a server that answers", do) from None
        self._found = {name if visible else f"{schema}.{name}": (schema, name) for schema, name, visible in rows}
        self.tables = list(self._found)

    @override
    def place(self, table: str) -> str:
        """Database and table; never the URL."""
        return f"{self.name}[{table}]"

    @override
    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """See `Store.load`; the server writes every value as text."""
        schema, name = self._found[table]
        source = sql.Identifier(schema, name)
        try:
            described = self._connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(source)).description
            stored = [column.name for column in described or ()]
            names = checked_names(stored, self.place(table))
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in stored)
            with self._connection.cursor(name="subsim") as cursor:
                cursor.itersize = BATCH
                cursor.execute(sql.SQL("SELECT {} FROM {}").format(texts, source))
                insert(connection, names, _numbered(cursor))
        except psycopg.Error as error:
            reason = str(error).splitlines()[0][:200]
            raise one_error(self.place(table), f"a table that cannot be read ({reason})", "a table or view") from None
        return Loaded(names)

    @override
    def close(self) -> None:
        """End the transaction and the connection."""
        self._connection.close()


def _numbered(cursor: Any) -> Iterator[tuple[int, tuple[str | None, ...]]]:
    yield from enumerate(cursor, start=1)


def _without_secrets(message: str, url: str) -> str:
    """First line of a server's complaint, unless any part of the password is in it."""
    rest = url.split("://", 1)[-1]
    before = rest.rpartition("@")[0]
    secrets = [part for part in re.split(r"[:/?#@]", before)[1:] if part]
    secrets += re.findall(r"password=([^&\s]+)", url)
    with suppress(ValueError):
        secrets += [urlsplit(url).password or ""]
    hidden = {text for secret in secrets for text in (secret, unquote(secret)) if text}
    first = message.strip().splitlines()[0][:200] if message.strip() else "no reason given"
    return "the URL or the password is not accepted" if any(text in first for text in hidden) else first
