"""A file's text to one typed table of the book: columns by name or by SQL expression, values parsed without a float."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from subsim.book.mapping import TableMapping, nearest
from subsim.book.problems import Problem
from subsim.book.schema import ALLOWED, TABLES, Column, Kind
from subsim.book.source import ROW, load, one_error, quoted
from subsim.errors import InputError, InputErrors
from subsim.units import money_cents, shown

_DAY = r"\d{4}-\d\d-\d\d([ T]00:00(:00(\.0+)?)?)?"  # a timestamp is a date only at midnight
#: SQL that parses the text `t`, or gives NULL; money and dates never pass through a float.
_PARSE: dict[Kind, str] = {
    "id": "NULLIF(t, '')",
    "text": "COALESCE(t, '')",
    "date": f"CASE WHEN regexp_full_match(t, '{_DAY}') THEN TRY_CAST(t[:10] AS DATE) END",
    "month": r"CASE WHEN regexp_full_match(t, '\d{4}-\d\d') THEN last_day(TRY_CAST(t || '-01' AS DATE)) "
    f"WHEN regexp_full_match(t, '{_DAY}') THEN last_day(TRY_CAST(t[:10] AS DATE)) END",
    "money": r"CASE WHEN regexp_full_match(t, '-?\d{1,12}(\.\d{1,2}0*)?') "
    "THEN CAST(CAST(t AS DECIMAL(18, 2)) * 100 AS BIGINT) END",
    "whole": r"CASE WHEN regexp_full_match(t, '-?\d{1,9}(\.0*)?') THEN CAST(TRY_CAST(t AS DOUBLE) AS BIGINT) END",
    "number": "CASE WHEN isfinite(TRY_CAST(t AS DOUBLE)) THEN TRY_CAST(t AS DOUBLE) END",
}
KEY = "subsim_key"  # position of a row of the table; a wide cube gives several for one row of the file
_TWO_DIGIT_YEAR = re.compile(r"\d\d?[./-](\d\d?|[A-Za-z]{3})[./-]\d\d|[A-Za-z]{3}[- ]\d\d")
_NOT_A: dict[Kind, str] = {
    "id": "blank",
    "text": "blank",
    "date": "not-a-date",
    "month": "not-a-month",
    "money": "not-an-amount",
    "whole": "not-a-number",
    "number": "not-a-number",
}
_PLAIN_NUMBER = r"-?(0|[1-9]\d{{0,{digits}}})"


@dataclass(frozen=True)
class TableReport:
    """What reading one table did: rows read, rows left out by the mapping's rules, columns nobody asked for."""

    table: str
    file: str
    rows: int
    excluded: tuple[tuple[str, int], ...]
    """Reason and number of rows, in the order of the rules."""
    unused: tuple[str, ...]


def read_table(table: str, path: Path, mapping: TableMapping) -> tuple[pd.DataFrame, TableReport, list[Problem]]:
    """Read one table.

    Returns:
        The table with the columns of the schema (dates datetime64[s], money Int64 cents named `..._cents`, `ROW`
        last), what was done, and the values that could not be read.

    Raises:
        InputErrors: nothing can be read: a file or a column is missing, an expression is wrong.
    """
    connection, names = load(path, mapping.delimiter)
    if table == "mrr":
        names = _unpivot(connection, names, mapping)
    columns = TABLES[table]
    expressions = _expressions(table, path.name, columns, names, mapping)
    _typed_view(
        connection, names, [*mapping.derive.values(), *expressions.values(), *(e.where for e in mapping.exclude)]
    )
    _derive(connection, path.name, mapping)
    total = _count(connection, "SELECT count(*) FROM typed")
    if not total:
        raise one_error(path.name, "a header without rows", "at least one row")
    excluded = _exclude(connection, path.name, mapping)
    select = ", ".join(f"trim(CAST(({sql}) AS VARCHAR)) AS {quoted('t_' + name)}" for name, sql in expressions.items())
    keys = f"row_number() OVER () - 1 AS {KEY}, {ROW}"
    _run(
        connection, path.name, f"CREATE TABLE texts AS SELECT {keys}, {select} FROM typed WHERE subsim_left_out IS NULL"
    )
    present = [column for column in columns if column.name in expressions]
    parse = ", ".join(
        f"(SELECT {_PARSE[c.kind]} FROM (SELECT {quoted('t_' + c.name)} AS t)) AS {quoted(c.target)}" for c in present
    )
    connection.execute(f"CREATE TABLE parsed AS SELECT *, {parse} FROM texts")
    targets = ", ".join(quoted(column.target) for column in present)
    data = connection.execute(f"SELECT {ROW}, {targets} FROM parsed ORDER BY {KEY}").df()
    problems: list[Problem] = []
    result = {}
    for column in columns:
        if column.name in expressions:
            problems += _repair(connection, data, column, table, path.name)
        result[column.target] = _finish(data, column)
    used = " ".join([*expressions.values(), *mapping.derive.values(), *(rule.where for rule in mapping.exclude)])
    unused = tuple(name for name in names if not _mentions(used, name))
    frame = pd.DataFrame({**result, ROW: data[ROW].to_numpy()})
    return frame, TableReport(table, path.name, total, excluded, unused), problems


def _unpivot(connection: duckdb.DuckDBPyConnection, names: list[str], mapping: TableMapping) -> list[str]:
    """A wide cube (one column per month, named 2026-06 or 2026-06-30) becomes a long one."""
    months = [name for name in names if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", name)]
    if not months or "month" in mapping.columns:
        return names
    listed = ", ".join(quoted(name) for name in months)
    connection.execute("ALTER TABLE raw RENAME TO wide")
    cells = f"UNPIVOT INCLUDE NULLS (mrr FOR month IN ({listed}))"
    connection.execute(f"CREATE TABLE raw AS SELECT * FROM wide {cells}")
    return [name for name in names if name not in months] + ["month", "mrr"]


def _expressions(
    table: str, file: str, columns: tuple[Column, ...], names: list[str], mapping: TableMapping
) -> dict[str, str]:
    """SQL of each column that the file can give: the mapping's, or the column of the same name."""
    by_fold = {name.lower(): name for name in names}
    derived = {name.lower() for name in mapping.derive}
    expressions, errors = {}, []
    for column in columns:
        asked = mapping.columns.get(column.name)
        given = asked or column.name
        if given.lower() in by_fold and given.lower() not in derived:
            expressions[column.name] = quoted(by_fold[given.lower()])
        elif asked and (given.lower() in derived or not re.fullmatch(r"[A-Za-z_]\w*", asked)):
            expressions[column.name] = asked
        elif asked or column.required:
            advice = nearest(given, names)
            do = advice or f"name it under tables.{table}.columns in book.yaml"
            allowed = f"a column {given}; the file has {', '.join(names[:20])}"
            errors.append(InputError(where=f"{file}:1", found=f"no column {given}", allowed=allowed, do=do))
    if errors:
        raise InputErrors(errors)
    return expressions


def _mentions(sql: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE) is not None


def _typed_view(connection: duckdb.DuckDBPyConnection, names: list[str], used: list[str]) -> None:
    """View `typed`: text columns that expressions compute with become whole numbers, exact decimals or dates.

    A column is converted only if every value in it can be, and a plain mapping of a column still gets its text, so
    that an id such as 007 stays as it is.
    """
    computed = [sql for sql in used if not re.fullmatch(r'"[^"]*"', sql)]
    replaced = []
    for name in names:
        if not any(_mentions(sql, name) for sql in computed):
            continue
        text = f"trim({quoted(name)})"
        tests = [
            ("INTEGER", f"regexp_full_match({text}, '{_PLAIN_NUMBER.format(digits=8)}')"),
            ("BIGINT", f"regexp_full_match({text}, '{_PLAIN_NUMBER.format(digits=15)}')"),
            ("DECIMAL(18, 2)", rf"regexp_full_match({text}, '{_PLAIN_NUMBER.format(digits=15)}(\.\d\d?)?')"),
            ("DATE", rf"regexp_full_match({text}, '\d{{4}}-\d\d-\d\d') AND TRY_CAST({text} AS DATE) IS NOT NULL"),
        ]
        checks = ", ".join(f"coalesce(bool_and({test}) FILTER ({text} <> ''), false)" for _, test in tests)
        fits = connection.execute(f"SELECT {checks} FROM raw").fetchone() or ()
        kind = next((kind for (kind, _), fit in zip(tests, fits, strict=True) if fit), None)
        if kind:
            replaced.append(f"CAST(NULLIF({text}, '') AS {kind}) AS {quoted(name)}")
    columns = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    connection.execute(f"CREATE TABLE typed AS SELECT {columns} FROM raw ORDER BY {ROW}")


def _derive(connection: duckdb.DuckDBPyConnection, file: str, mapping: TableMapping) -> None:
    for name, sql in mapping.derive.items():
        _run(connection, file, f"CREATE OR REPLACE TABLE typed AS SELECT *, ({sql}) AS {quoted(name)} FROM typed")


def _exclude(connection: duckdb.DuckDBPyConnection, file: str, mapping: TableMapping) -> tuple[tuple[str, int], ...]:
    """Mark rows that the mapping leaves out with the first rule they meet, and count them by rule."""
    cases = " ".join(f"WHEN ({rule.where}) THEN {index}" for index, rule in enumerate(mapping.exclude))
    rule = f"CASE {cases} END" if cases else "CAST(NULL AS INTEGER)"
    _run(connection, file, f"CREATE OR REPLACE TABLE typed AS SELECT *, {rule} AS subsim_left_out FROM typed")
    count = "SELECT count(*) FROM typed WHERE subsim_left_out = {}"
    return tuple((e.because, _count(connection, count.format(i))) for i, e in enumerate(mapping.exclude))


def _run(connection: duckdb.DuckDBPyConnection, file: str, sql: str) -> None:
    """Run SQL that holds expressions of the mapping; DuckDB's complaint becomes an input error."""
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0][:300]
        do = "correct the expression for this table in book.yaml"
        raise one_error(
            f"book.yaml, table of {file}", reason, "an SQL expression over the file's columns", do
        ) from None


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def _repair(
    connection: duckdb.DuckDBPyConnection, data: pd.DataFrame, column: Column, table: str, file: str
) -> list[Problem]:
    """Values that SQL could not parse: money in other notations is filled in, the rest is reported."""
    text, target = quoted("t_" + column.name), quoted(column.target)
    missing = "" if not column.blank_ok else f" AND {text} <> ''"
    bad = connection.execute(
        f"SELECT {KEY}, {ROW}, coalesce({text}, '') FROM parsed "
        f"WHERE ({target} IS NULL OR CAST({target} AS VARCHAR) = ''){missing} ORDER BY {KEY}"
    ).fetchall()
    problems, found = [], {}
    for key, row, value in bad:
        if column.kind == "money" and value:
            try:
                found[key] = money_cents(value)
                continue
            except InputError:
                pass  # reported with all others
        code, what = _code(column.kind, value), shown(value) if value else "nothing"
        problems.append(Problem(code, table, file, row, column.name, what, ALLOWED[column.kind]))
    if found:
        data[column.target] = data[column.target].astype("Int64").fillna(pd.Series(found, dtype="Int64"))
    return problems


def _code(kind: Kind, value: str) -> str:
    """Code of a value that is not of its column's kind."""
    if not value:
        return "blank"
    if value.startswith("="):
        return "formula"
    if kind in ("date", "month") and _TWO_DIGIT_YEAR.fullmatch(value):
        return "two-digit-year"
    return _NOT_A[kind]


def _finish(data: pd.DataFrame, column: Column) -> "pd.Series[Any]":
    """The column in its final type; a column that the file does not have is blank."""
    blank = column.target not in data
    values = pd.Series(None, index=data.index, dtype=object) if blank else data[column.target]
    if column.kind in ("date", "month"):
        return pd.to_datetime(values).astype("datetime64[s]")
    if column.kind in ("id", "text"):
        return values.fillna("").astype(str)
    if column.kind == "number" or (column.kind == "whole" and column.blank_ok):
        return values.astype("float64")
    return values.astype("Int64")
