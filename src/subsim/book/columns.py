"""Rows of text to one typed table of the book: columns by name or by SQL expression, values parsed without a float."""

import re
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd

from subsim.book.cube import unpivot
from subsim.book.mapping import TableMapping, nearest
from subsim.book.parse import Notation, advice, expression, other_money
from subsim.book.problems import Problem
from subsim.book.schema import SIGNALS, TABLES, Column, Kind
from subsim.book.source import ROW, Loaded, literal, one_error, quoted
from subsim.errors import InputError, InputErrors
from subsim.units import shown

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
    notes: tuple[str, ...] = ()
    """What was decided on the way, such as a delimiter that was found."""


def read_table(
    connection: duckdb.DuckDBPyConnection, table: str, place: str, loaded: Loaded, mapping: TableMapping
) -> tuple[pd.DataFrame, TableReport, list[Problem]]:
    """Read one table of the book from table `raw` in the current schema of a connection.

    Returns:
        The table with the columns of the schema (dates datetime64[s], money Int64 cents named `..._cents`, `ROW`
        last), what was done, and the values that could not be read.

    Raises:
        InputErrors: nothing can be read: a file or a column is missing, an expression is wrong.
    """
    names = unpivot(connection, place, loaded.names, mapping) if table == "mrr" else loaded.names
    columns = TABLES[table] + _signals(connection, table, names, mapping)
    expressions = _expressions(table, place, columns, names, mapping)
    used = [*expressions.values(), *mapping.derive.values(), *(rule.where for rule in mapping.exclude)]
    typed = _derive(connection, place, mapping, _typed_view(connection, names, used))
    total = _count(connection, f"SELECT count(*) FROM {typed}")
    if not total:
        raise one_error(place, "a header without rows", "at least one row")
    kept, excluded = _exclude(connection, place, mapping, typed)
    present = [column for column in columns if column.name in expressions]
    texts = ", ".join(f"{_text(c.name, expressions[c.name], mapping)} AS {quoted('t_' + c.name)}" for c in present)
    values = ", ".join(
        f"{expression(c, mapping.notation, quoted('t_' + c.name))} AS {quoted(c.target)}" for c in present
    )
    texts = f"SELECT row_number() OVER () - 1 AS {KEY}, {ROW}, {texts} FROM {kept}"
    _run(connection, place, f"CREATE TABLE parsed AS SELECT *, {values} FROM ({texts})")
    targets = ", ".join(quoted(column.target) for column in present)
    data = connection.execute(f"SELECT {ROW}, {targets} FROM parsed ORDER BY {KEY}").df()
    problems: list[Problem] = []
    result = {}
    for column in _unread(connection, present):
        problems += _repair(connection, data, column, mapping.notation, table, place)
    for column in columns:
        result[column.target] = _finish(data, column)
    unused = tuple(name for name in names if not _mentions(" ".join(used), name))
    frame = pd.DataFrame({**result, ROW: data[ROW].to_numpy()})
    return frame, TableReport(table, place, total, excluded, unused, loaded.notes), problems


def _signals(
    connection: duckdb.DuckDBPyConnection, table: str, names: list[str], mapping: TableMapping
) -> tuple[Column, ...]:
    """Further columns of a table that takes any: those the mapping names, and those that hold nothing but numbers."""
    if table not in SIGNALS:
        return ()
    known = {column.name for column in TABLES[table]}
    taken = {text.lower() for text in mapping.columns.values()} | known
    free = [name for name in names if name.lower() not in taken]
    value = "isfinite(TRY_CAST(trim({0}) AS DOUBLE))"
    tests = ", ".join(f"bool_and(coalesce({value}, false)) FILTER (trim({{0}}) <> '')".format(quoted(n)) for n in free)
    numeric = connection.execute(f"SELECT {tests} FROM raw").fetchone() if free else None
    found = [name for name, number in zip(free, numeric or (), strict=True) if number]
    return tuple(Column(name, "number") for name in [*(n for n in mapping.columns if n not in known), *found])


def _text(name: str, sql: str, mapping: TableMapping) -> str:
    """SQL of a column's text, trimmed and translated by the mapping's `values`."""
    text = f"trim(CAST(({sql}) AS VARCHAR))"
    words = mapping.values.get(name, {})
    whens = " ".join(f"WHEN {literal(found.strip().lower())} THEN {literal(meant)}" for found, meant in words.items())
    return f"CASE lower({text}) {whens} ELSE {text} END" if words else text


def _expressions(
    table: str, file: str, columns: tuple[Column, ...], names: list[str], mapping: TableMapping
) -> dict[str, str]:
    """SQL of each column that the file can give: the mapping's, or the column of the same name."""
    by_fold = {name.lower(): name for name in names}
    derived = {name.lower() for name in mapping.derive}
    expressions, errors = {}, []
    for column in columns:
        if column.name in mapping.constants:
            expressions[column.name] = literal(mapping.constants[column.name])
            continue
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


def _typed_view(connection: duckdb.DuckDBPyConnection, names: list[str], used: list[str]) -> str:
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
    connection.execute(f"CREATE VIEW typed AS SELECT {columns} FROM raw")
    return "typed"


def _derive(connection: duckdb.DuckDBPyConnection, file: str, mapping: TableMapping, source: str) -> str:
    """Add the mapping's own columns, one after the other; returns the table that has them."""
    for index, (name, sql) in enumerate(mapping.derive.items()):
        target = f"derived_{index}"
        _run(connection, file, f"CREATE TABLE {target} AS SELECT *, ({sql}) AS {quoted(name)} FROM {source}")
        source = target
    return source


def _exclude(
    connection: duckdb.DuckDBPyConnection, file: str, mapping: TableMapping, source: str
) -> tuple[str, tuple[tuple[str, int], ...]]:
    """Leave out rows by the first rule that they meet; returns the table of the rest, and rows by rule."""
    if not mapping.exclude:
        return source, ()
    cases = " ".join(f"WHEN ({rule.where}) THEN {index}" for index, rule in enumerate(mapping.exclude))
    _run(connection, file, f"CREATE TABLE marked AS SELECT *, CASE {cases} END AS subsim_left_out FROM {source}")
    connection.execute("CREATE VIEW kept AS SELECT * FROM marked WHERE subsim_left_out IS NULL")
    count = "SELECT count(*) FROM marked WHERE subsim_left_out = {}"
    return "kept", tuple((rule.because, _count(connection, count.format(i))) for i, rule in enumerate(mapping.exclude))


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


def _unread(connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> list[Column]:
    """Columns with at least one text that gave no value, or that must not be blank and is."""
    counts = ", ".join(f"count(*) FILTER ({_no_value(column)})" for column in columns)
    found = connection.execute(f"SELECT {counts} FROM parsed").fetchone() or ()
    return [column for column, bad in zip(columns, found, strict=True) if bad]


def _no_value(column: Column) -> str:
    """SQL: the text gave no value, and a blank is none where there must be one."""
    text, target = quoted(f"t_{column.name}"), quoted(column.target)
    empty = f"{target} IS NULL" if column.kind not in ("id", "text") else f"coalesce({target}, '') = ''"
    return f"{empty} AND {text} <> ''" if column.blank_ok else empty


def _repair(
    connection: duckdb.DuckDBPyConnection, data: pd.DataFrame, column: Column, notation: Notation, table: str, file: str
) -> list[Problem]:
    """Values that SQL could not parse: money in other notations is filled in, the rest is reported."""
    text = quoted(f"t_{column.name}")
    bad = connection.execute(
        f"SELECT {KEY}, {ROW}, coalesce({text}, '') FROM parsed WHERE {_no_value(column)} ORDER BY {KEY}"
    ).fetchall()
    problems, found = [], {}
    for key, row, value in bad:
        if column.kind == "money" and value:
            try:
                found[key] = other_money(value, notation)
                continue
            except InputError:
                pass  # reported with all others
        code, what = _code(column, value), shown(value) if value else "nothing"
        do = advice(column, value, notation)
        problems.append(Problem(code, table, file, row, column.name, what, column.allowed, do))
    if found:
        data[column.target] = data[column.target].astype("Int64").fillna(pd.Series(found, dtype="Int64"))
    return problems


def _code(column: Column, value: str) -> str:
    """Code of a value that is not of its column's kind."""
    if not value:
        return "blank"
    if value.startswith("="):
        return "formula"
    if column.words:
        return "unknown-word"
    if column.kind in ("date", "month") and _TWO_DIGIT_YEAR.fullmatch(value):
        return "two-digit-year"
    return _NOT_A[column.kind]


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
