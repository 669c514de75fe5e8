"""One CSV or Parquet file, which is one table."""

import csv
import io
import re
from pathlib import Path
from typing import Final, override

import duckdb

from subsim.book.source import ROW, Loaded, Store, checked_names, described, one_error
from subsim.errors import InputError, InputErrors

MAX_LINE = 1_000_000  # bytes; a longer line is not a row of a table
SHOWN_ERRORS = 100  # rows that do not fit the header are listed one by one; the rest is counted
DELIMITERS: Final = (",", ";", "\t", "|")

_ADVICE = {
    "MISSING COLUMNS": "as many values as the header has columns",
    "TOO MANY COLUMNS": "as many values as the header has columns; put text that holds the delimiter in double quotes",
    "UNQUOTED VALUE": "a closing double quote for every opening one",
    "INVALID ENCODING": "UTF-8 text",
    "LINE SIZE OVER MAXIMUM": f"at most {MAX_LINE:,} bytes in a line",
}


class TableFile(Store):
    """A CSV or Parquet file."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise one_error(path.name, "no such file", "a CSV or Parquet file", f"looked at {path.as_posix()}")
        self.path = path
        self.name = path.stem
        self.tables = None

    @override
    def place(self, table: str) -> str:
        """The file's name."""
        return self.path.name

    @override
    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """See `Store.load`; a delimiter that is not given is the one that makes most columns of the header."""
        path = self.path
        try:
            if path.suffix.lower() == ".parquet":
                return described(connection, "read_parquet(?)", [path.as_posix()], path.name)
            return _load_csv(connection, path, delimiter)
        except duckdb.Error as error:
            first = str(error).splitlines()[0][:200]
            line = re.search(r"Line: (\d+)", str(error))
            where = f"{path.name}:{line[1]}" if line else path.name
            if "maximum line size" in str(error).lower():
                raise one_error(where, "a line that is too long", _ADVICE["LINE SIZE OVER MAXIMUM"]) from None
            raise one_error(where, f"a file that cannot be read ({first})", "a CSV or Parquet table") from None

    @override
    def close(self) -> None:
        """Nothing is held open."""


def _load_csv(connection: duckdb.DuckDBPyConnection, path: Path, delimiter: str | None) -> Loaded:
    names, separator = _header(path, delimiter)
    connection.execute(
        f"CREATE TABLE raw AS SELECT row_number() OVER () + 1 AS {ROW}, * FROM read_csv(?, header = true, "
        "auto_detect = false, delim = ?, quote = '\"', escape = '\"', columns = ?, store_rejects = true, "
        f"rejects_limit = 10000, strict_mode = true, max_line_size = {MAX_LINE})",
        [path.as_posix(), separator, dict.fromkeys(names, "VARCHAR")],
    )
    rejects = connection.execute(
        "SELECT line, error_type, error_message, csv_line FROM reject_errors ORDER BY line"
    ).fetchall()
    connection.execute("DROP TABLE reject_errors")
    connection.execute("DROP TABLE reject_scans")
    errors = [
        InputError(
            where=f"{path.name}:{line}",
            found=f"{str(text).strip()[:60]!r} ({message[:80]})",
            allowed=_ADVICE.get(kind, "a row of the table"),
        )
        for line, kind, message, text in rejects[:SHOWN_ERRORS]
    ]
    if len(rejects) > SHOWN_ERRORS:
        found = f"{len(rejects) - SHOWN_ERRORS:,} more like the one before"
        errors.append(InputError(where=path.name, found=found, allowed=errors[-1].allowed))
    if errors:
        raise InputErrors(errors)
    noted = delimiter is None and separator != ","
    return Loaded(names, (f"columns are separated by {separator!r}, as its header shows",) if noted else ())


def _header(path: Path, delimiter: str | None) -> tuple[list[str], str]:
    """Column names and delimiter of a CSV file, after looking at its first bytes for what is not a table at all."""
    with path.open("rb") as file:
        head = file.read(MAX_LINE + 1)
    first = head.split(b"\n", 1)[0]
    if not head.strip():
        raise one_error(path.name, "an empty file", "a header row and data rows")
    if b"\0" in head:
        raise one_error(path.name, "a binary file", "a CSV table in UTF-8", "export it as CSV or Parquet")
    if len(first) > MAX_LINE:
        raise one_error(f"{path.name}:1", "a line that is too long", _ADVICE["LINE SIZE OVER MAXIMUM"])
    try:
        text = first.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    split = {mark: _columns(text, mark) for mark in ((delimiter,) if delimiter else DELIMITERS)}
    if not any(split.values()):
        raise one_error(f"{path.name}:1", "a header that cannot be read", "column names in UTF-8")
    separator = max(split, key=lambda mark: len(split[mark]))
    names = split[separator]
    other = max(DELIMITERS, key=text.count)
    if len(names) == 1 and text.count(other) and other != delimiter:
        do = f"set delimiter: {other!r} for this table in book.yaml"
        raise one_error(f"{path.name}:1", f"one column {names[0][:60]!r}", f"columns separated by {separator!r}", do)
    return checked_names(names, f"{path.name}:1"), separator


def _columns(header: str, delimiter: str) -> list[str]:
    """Names in a header; none where its quotes do not go with the delimiter."""
    try:
        return next(csv.reader(io.StringIO(header), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
