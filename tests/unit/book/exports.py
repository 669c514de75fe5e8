"""Writes one book as every kind of source, each with the types that it has itself."""

import csv
import datetime as dt
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

Rows = Sequence[dict[str, Any]]
Tables = dict[str, Rows]
_ARROW = {str: pa.string(), dt.date: pa.date32(), Decimal: pa.decimal128(18, 2), int: pa.int64(), float: pa.float64()}
_SQL = {str: "TEXT", dt.date: "DATE", Decimal: "NUMERIC(18, 2)", int: "BIGINT", float: "DOUBLE PRECISION"}


def kind(rows: Rows, name: str) -> type:
    """Type of a column: that of its first value that is not blank."""
    return next((type(row[name]) for row in rows if row[name] is not None), str)


def write_csv(folder: Path, tables: Tables, delimiter: str = ",") -> Path:
    folder.mkdir()
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(rows[0])
            writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    return folder


def arrow(rows: Rows) -> pa.Table:
    types = {name: _ARROW[kind(rows, name)] for name in rows[0]}
    return pa.table({name: pa.array([row[name] for row in rows], type_) for name, type_ in types.items()})


def write_parquet(folder: Path, tables: Tables) -> Path:
    folder.mkdir()
    for name, rows in tables.items():
        pq.write_table(arrow(rows), folder / f"{name}.parquet")
    return folder


def write_workbook(path: Path, tables: Tables) -> Path:
    """Decimals become floats, as they do in a spreadsheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append([float(value) if isinstance(value, Decimal) else value for value in row.values()])
    book.save(path)
    return path


def write_duckdb(path: Path, tables: Tables) -> Path:
    with duckdb.connect(str(path)) as connection:
        for name, rows in tables.items():
            connection.register("rows_to_write", arrow(rows))
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM rows_to_write')
            connection.unregister("rows_to_write")
    return path


def write_sqlite(path: Path, tables: Tables) -> Path:
    """Decimals become floats: SQLite has no others."""
    connection = sqlite3.connect(path)
    for name, rows in tables.items():
        columns = ", ".join(f'"{column}" {_SQL[kind(rows, column)]}' for column in rows[0])
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        plain = [[float(v) if isinstance(v, Decimal) else str(v) if isinstance(v, dt.date) else v for v in row.values()]
                 for row in rows]  # fmt: skip
        connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', plain)
    connection.commit()
    connection.close()
    return path


def write_postgres(url: str, tables: Tables) -> str:
    """Replaces everything in the database."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url) as connection:
        for schema in ("public", "billing"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute("CREATE SCHEMA public")
        for name, rows in tables.items():
            columns = sql.SQL(", ").join(
                sql.SQL("{} " + _SQL[kind(rows, column)]).format(sql.Identifier(column)) for column in rows[0]
            )
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), columns))
            values = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
            insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), values)
            connection.cursor().executemany(insert, [list(row.values()) for row in rows])
    return url
