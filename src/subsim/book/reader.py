"""`read_book`: a folder of tables, or one file and a mapping, to a checked `Book`."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from subsim.book.book import Book
from subsim.book.checks import check, revenue_table
from subsim.book.columns import TableReport, read_table
from subsim.book.cut import cut
from subsim.book.mapping import Mapping, TableMapping, nearest, read_mapping
from subsim.book.problems import BookProblems, Problem, listed
from subsim.book.schema import TABLES, UNSEGMENTED
from subsim.book.source import ROW
from subsim.errors import InputError, InputErrors
from subsim.ledger import from_contracts, from_mrr, month_ends_between
from subsim.ledger.terms import as_day
from subsim.units import day

MAPPING_FILE = "book.yaml"
MAPPING_SUFFIXES = (".yaml", ".yml")
SUFFIXES = (".csv", ".parquet")


def read_book(path: str | Path, *, as_of: str | dt.date, mapping: str | Path | None = None) -> Book:
    """Read a company's book as it was known at the close of a day.

    Args:
        path: a folder with one CSV or Parquet file per table (`accounts.csv`, `contracts.parquet`, ...), a single file
            whose mapping names the tables to take from it, or a mapping whose `file:` says where the data is. Nothing
            is ever written to it.
        as_of: last day that counts; everything later is cut before anything looks at it.
        mapping: a `book.yaml`; by default the one in the folder, if there is one.

    Returns:
        The book: checked tables, their ledger, and a report of what was read and what was left out.

    Raises:
        InputErrors: all problems found, each with file, row, column, what was found and what is allowed.
    """
    last_day = _day(as_of)
    source = Path(path)
    if not source.exists():
        raise InputErrors([InputError(where=str(path), found="nothing there", allowed="a folder or a file of tables")])
    rules = _rules(source, None if mapping is None else Path(mapping))
    files = _files(source, rules)

    errors: list[InputError] = []
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    reports: list[TableReport] = []
    for name, file in files.items():
        try:
            table, report, found = read_table(name, file, rules.tables.get(name, TableMapping()))
        except InputErrors as unreadable:
            errors += unreadable.errors
            continue
        problems += found
        tables[name] = (
            _first_day_out(table) if rules.tables.get(name, TableMapping()).end_date_is != "last_day" else table
        )
        reports.append(report)
    revenue = revenue_table(set(files))
    if isinstance(revenue, InputError):
        errors.append(revenue)
    elif revenue == "contracts" and "accounts" not in files:
        errors.append(InputError(where=str(path), found="no accounts table", allowed="accounts beside contracts"))
    problems += check(tables, {name: file.name for name, file in files.items()})
    if errors:
        raise InputErrors([*errors, *listed(problem for problem in problems if problem.blocks)])
    if any(problem.blocks for problem in problems):
        raise BookProblems(problems)
    if "accounts" not in tables:
        tables["accounts"] = _accounts_of_cube(tables["mrr"])
    return _assemble(
        rules.name or source.stem, np.datetime64(last_day, "D"), rules, cut(tables, as_day(last_day)), reports
    )


def _assemble(
    name: str, last_day: np.datetime64, rules: Mapping, tables: dict[str, pd.DataFrame], reports: list[TableReport]
) -> Book:
    tables = {key: _whole_cents(table) for key, table in tables.items()}
    accounts = tables["accounts"].drop(columns=ROW)
    accounts["segment"] = accounts["segment"].replace("", UNSEGMENTED)
    clean = {key: table.drop(columns=ROW) for key, table in tables.items()} | {"accounts": accounts}
    if "contracts" in clean:
        ledger = from_contracts(clean["contracts"], accounts, last_day, grace_days=rules.grace_days)
    else:
        cube = clean["mrr"].drop(columns="segment").merge(accounts[["account_id", "segment"]], on="account_id")
        _current(cube, last_day)
        ledger = from_mrr(cube)
    return Book(
        name=name,
        as_of=last_day.astype(dt.date),
        grace_days=rules.grace_days,
        note=rules.note,
        tables=clean,
        ledger=ledger,
        reports=tuple(reports),
    )


def _whole_cents(table: pd.DataFrame) -> pd.DataFrame:
    """Cents as int64; a blank amount, allowed in a cube and for costs, is none."""
    money = [name for name in table if str(name).endswith("_cents")]
    return table.assign(**{str(name): table[name].fillna(0).astype("int64") for name in money})


def _current(cube: pd.DataFrame, last_day: np.datetime64) -> None:
    """A cube must reach the last month that was complete on `as_of`."""
    due = month_ends_between(last_day, last_day)[0]
    if due > last_day:
        due = due.astype("datetime64[M]").astype("datetime64[D]") - np.timedelta64(1, "D")
    latest = "nothing" if cube.empty else cube["month"].max().strftime("%Y-%m")
    if cube.empty or cube["month"].max() < pd.Timestamp(due):
        do = "give an as_of inside the cube, or a newer export"
        raise InputErrors(
            [InputError(where="mrr month", found=f"{latest} as the last month", allowed=f"{due} or later", do=do)]
        )


def _first_day_out(contracts: pd.DataFrame) -> pd.DataFrame:
    """Exports that give the first day out of force: the book keeps the last day in force."""
    return contracts.assign(end_date=(contracts["end_date"] - pd.Timedelta(days=1)).astype("datetime64[s]"))


def _accounts_of_cube(cube: pd.DataFrame) -> pd.DataFrame:
    """Accounts as a cube shows them: the first month with revenue, the segment of the last row."""
    rows = cube.sort_values(["account_id", "month"], kind="stable")
    last = rows.drop_duplicates("account_id", keep="last")
    first = rows[(rows["mrr_cents"] > 0).fillna(False)].drop_duplicates("account_id").set_index("account_id")["month"]
    start = last["account_id"].map(first).fillna(last["month"]).astype("datetime64[s]")
    return pd.DataFrame(
        {
            "account_id": last["account_id"],
            "start_date": start,
            "segment": last["segment"],
            "tier": "",
            "owner_id": "",
            ROW: last[ROW],
        }
    )


def _day(as_of: str | dt.date) -> dt.date:
    try:
        return day(as_of, where="as_of")
    except InputError as error:
        raise InputErrors([error]) from None


def _rules(source: Path, mapping: Path | None) -> Mapping:
    """The mapping that is given, that is read itself, or that lies in the folder; else one that changes nothing."""
    if source.suffix in MAPPING_SUFFIXES and source.is_file():
        if mapping is not None:
            allowed = "the data with its mapping, or a mapping that names its file"
            raise InputErrors([InputError(where=source.as_posix(), found="two mappings", allowed=allowed)])
        return read_mapping(source)
    beside = source / MAPPING_FILE
    if mapping is None and not beside.exists():
        return Mapping()
    return read_mapping(beside if mapping is None else mapping)


def _named_files(source: Path, rules: Mapping) -> dict[str, Path]:
    """File of every table of a mapping that is read by itself."""
    names = {name: entry.file or rules.file for name, entry in rules.tables.items()}
    found = {name: source.parent / file for name, file in names.items() if file is not None}
    if not found or len(found) < len(names):
        missing = ", ".join(name for name in names if name not in found) or "any table"
        do = "add file:, or read the data and give this mapping with it"
        where = source.as_posix()
        raise InputErrors([InputError(where=where, found=f"no file for {missing}", allowed="file: a path", do=do)])
    return found


def _files(source: Path, rules: Mapping) -> dict[str, Path]:
    """File of every table: as mapped, else by its name in the folder."""
    if source.is_file() and source.suffix in MAPPING_SUFFIXES:
        return _named_files(source, rules)
    if source.is_file():
        if not rules.tables:
            allowed = "a mapping that names the tables in the file"
            raise InputErrors(
                [InputError(where=source.name, found="one file, no mapping", allowed=allowed, do="pass mapping=")]
            )
        return {
            name: source if entry.file is None else source.parent / entry.file for name, entry in rules.tables.items()
        }
    files, errors = {}, []
    for name in TABLES:
        entry = rules.tables.get(name)
        candidates = [source / f"{name}{suffix}" for suffix in SUFFIXES]
        named = entry and (entry.file or rules.file)
        present = [source / named] if named else [path for path in candidates if path.is_file()]
        if len(present) > 1:
            found = " and ".join(path.name for path in present)
            errors.append(InputError(where=source.name, found=found, allowed=f"one file for table {name}"))
        elif present:
            files[name] = present[0]
        elif entry:
            errors.append(
                InputError(
                    where=source.name, found=f"no file for table {name}", allowed=f"{name}.csv or {name}.parquet"
                )
            )
    if not files and not errors:
        here = sorted(path.name for path in source.iterdir())[:20]
        do = next((advice for file in here if (advice := nearest(Path(file).stem, list(TABLES)))), "")
        found = ", ".join(here) or "an empty folder"
        errors.append(
            InputError(where=source.as_posix(), found=found, allowed="accounts.csv and contracts.csv or mrr.csv", do=do)
        )
    if errors:
        raise InputErrors(errors)
    return files
