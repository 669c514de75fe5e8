"""One CSV or Parquet file as rows of text in an in-memory DuckDB; the file itself is only ever read."""

import csv
import io
import re
from pathlib import Path

import duckdb

from subsim.errors import InputError, InputErrors

MAX_LINE = 1_000_000  # bytes; a longer line is not a row of a table
SHOWN_ERRORS = 100  # problems of one kind that are listed one by one; the rest is counted
ROW = "subsim_row"  # row as a spreadsheet counts it: the header is row 1

_ADVICE = {
    "MISSING COLUMNS": "as many values as the header has columns",
    "TOO MANY COLUMNS": "as many values as the header has columns; put text that holds the delimiter in double quotes",
    "UNQUOTED VALUE": "a closing double quote for every opening one",
    "INVALID ENCODING": "UTF-8 text",
    "LINE SIZE OVER MAXIMUM": f"at most {MAX_LINE:,} bytes in a line",
}


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def one_error(where: str, found: str, allowed: str, do: str = "") -> InputErrors:
    """A list of one problem, for what makes the rest of a file unreadable."""
    return InputErrors([InputError(where=where, found=found, allowed=allowed, do=do)])


def load(path: Path, delimiter: str = ",") -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    """Load a file into table `raw` (its columns, as text, and `ROW`) of a connection that can no longer touch files.

    Returns:
        The connection and the file's column names.

    Raises:
        InputErrors: the file is missing, empty, binary, has a wrong delimiter, or rows that do not fit its header.
    """
    if not path.is_file():
        raise one_error(path.name, "no such file", "a CSV or Parquet file", f"looked at {path.as_posix()}")
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("SET enable_progress_bar = false")
    try:
        names = _load_parquet(connection, path) if path.suffix == ".parquet" else _load_csv(connection, path, delimiter)
    except duckdb.Error as error:
        first = str(error).splitlines()[0][:200]
        line = re.search(r"Line: (\d+)", str(error))
        where = f"{path.name}:{line[1]}" if line else path.name
        if "maximum line size" in str(error).lower():
            raise one_error(where, "a line that is too long", _ADVICE["LINE SIZE OVER MAXIMUM"]) from None
        raise one_error(where, f"a file that cannot be read ({first})", "a CSV or Parquet table") from None
    connection.execute("SET enable_external_access = false")
    return connection, names


def _load_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path.as_posix()]).fetchall()
    names = [str(row[0]) for row in described]
    select = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in names)
    connection.execute(
        f"CREATE TABLE raw AS SELECT row_number() OVER () + 1 AS {ROW}, {select} FROM read_parquet(?)",
        [path.as_posix()],
    )
    return names


def _load_csv(connection: duckdb.DuckDBPyConnection, path: Path, delimiter: str) -> list[str]:
    names = _header(path, delimiter)
    connection.execute(
        f"CREATE TABLE raw AS SELECT row_number() OVER () + 1 AS {ROW}, * FROM read_csv(?, header = true, "
        "auto_detect = false, delim = ?, quote = '\"', escape = '\"', columns = ?, store_rejects = true, "
        f"rejects_limit = 10000, strict_mode = true, max_line_size = {MAX_LINE})",
        [path.as_posix(), delimiter, dict.fromkeys(names, "VARCHAR")],
    )
    rejects = connection.execute(
        "SELECT line, error_type, error_message, csv_line FROM reject_errors ORDER BY line"
    ).fetchall()
    errors = [
        InputError(
            where=f"{path.name}:{line}",
            found=f"{str(text).strip()[:60]!r} ({message[:80]})",
            allowed=_ADVICE.get(kind, "a row of the table"),
        )
        for line, kind, message, text in rejects
    ]
    if errors:
        raise InputErrors(capped(errors, path.name))
    return names


def capped(errors: list[InputError], where: str) -> list[InputError]:
    """At most `SHOWN_ERRORS` problems of one kind, and one that counts the rest."""
    rest = len(errors) - SHOWN_ERRORS
    if rest <= 0:
        return errors
    more = InputError(where=where, found=f"{rest:,} more like the one before", allowed=errors[-1].allowed)
    return [*errors[:SHOWN_ERRORS], more]


def _header(path: Path, delimiter: str) -> list[str]:
    """Column names of a CSV file, after looking at its first bytes for what is not a table at all."""
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
        names = [name.strip() for name in next(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))]
    except (UnicodeDecodeError, csv.Error, StopIteration):
        raise one_error(f"{path.name}:1", "a header that cannot be read", "column names in UTF-8") from None
    other = max((";", "\t", "|", ","), key=text.count)
    if len(names) == 1 and text.count(other) and other != delimiter:
        do = f"set delimiter: {other!r} for this table in book.yaml"
        raise one_error(f"{path.name}:1", f"one column {names[0][:60]!r}", f"columns separated by {delimiter!r}", do)
    folded = [name.lower() for name in names]
    twice = [name for name in names if folded.count(name.lower()) > 1 or name.lower() == ROW]
    if "" in names or twice:
        found = f"a column named twice: {twice[0]}" if twice else "a column without a name"
        raise one_error(f"{path.name}:1", found, "a different name for every column")
    return names
