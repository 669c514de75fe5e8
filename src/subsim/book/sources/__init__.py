"""Kinds of sources, told apart by what they are: a URL, the first bytes of a file, or its ending."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import duckdb

from subsim.book.source import Store, one_error
from subsim.book.sources.databases import DuckDbFile, SqliteFile
from subsim.book.sources.files import TableFile

#: Files that are one table, and are found in a folder by the table's name.
TABLE_SUFFIXES: Final = (".csv", ".tsv", ".parquet")
WORKBOOK_SUFFIXES: Final = (".xlsx", ".xlsm")
_URL = re.compile(r"postgres(ql)?://", re.IGNORECASE)


def is_url(source: str) -> bool:
    """Whether a source is a server's address rather than a path."""
    return _URL.match(source) is not None


def database_name(url: str) -> str:
    """Name of the database in a URL; nothing of user, password or address.

    >>> database_name("postgresql://ann:secret@db.example.com:5432/finance?sslmode=require")
    'finance'
    """
    tail = re.sub(r"^[a-z]+://", "", url).rsplit("@", 1)[-1].split("?")[0]
    return unquote(tail.partition("/")[2]) or "postgres"


def called(source: str | Path) -> str:
    """A source as messages call it: a path, or a database's name, never anything before an @ in an address.

    >>> called("data/acme"), called("postgresql://ann:secret@host/finance"), called("mysql://ann:secret@host/finance")
    ('data/acme', 'finance', 'mysql://...@host/finance')
    """
    text = str(source)
    return database_name(text) if is_url(text) else re.sub(r"^(\w+:/+).*@", r"\1...@", text)


def open_store(source: str | Path, connection: duckdb.DuckDBPyConnection) -> Store:
    """Open a file or server for reading.

    Raises:
        InputErrors: it is not there, cannot be opened, or needs a package that is not installed.
    """
    if isinstance(source, str) and is_url(source):
        if find_spec("psycopg") is None:
            do = "pip install 'subsim[postgres]'"
            raise one_error("PostgreSQL", "the package psycopg is not installed", "the extra postgres", do)
        from subsim.book.sources.postgres import Postgres  # noqa: PLC0415 - an extra

        return Postgres(source, database_name(source))
    path = Path(source)
    if path.suffix.lower() in WORKBOOK_SUFFIXES and path.is_file():
        from subsim.book.sources.excel import Workbook  # noqa: PLC0415 - a slow import that few need

        return Workbook(path)
    start = _first_bytes(path)
    if start.startswith(b"SQLite format 3\0"):
        return SqliteFile(path)
    if start[8:12] == b"DUCK":
        return DuckDbFile(connection, path)
    if path.suffix.lower() in (".xls", ".ods", ".numbers"):
        do = "save it as .xlsx or CSV"
        raise one_error(path.name, f"a file of kind {path.suffix}", "CSV, Parquet, .xlsx, DuckDB or SQLite", do)
    return TableFile(path)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError:
        return b""  # the store for tables says that there is no such file
