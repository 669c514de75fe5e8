"""How much ARR stands behind problems, and problems summed by code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from subsim.book.checks import Tables
from subsim.book.problems import CODES, Problem
from subsim.book.source import ROW

MONTHS_PER_YEAR = 12


@dataclass(frozen=True)
class Tally:
    """All problems of one code."""

    code: str
    meaning: str
    blocks: bool
    rows: int
    accounts: int
    arr_cents: int
    """ARR of the accounts concerned, each counted once."""
    first: tuple[Problem, ...]


def arr_by_account(tables: Tables, as_of: dt.date) -> dict[str, int]:
    """ARR in cents at the close of `as_of` by account id without case and spaces, as far as the rows can be read.

    Rows that break a rule count too, so that a problem shows what it carries: an end that cannot be read is no end,
    and an amount that cannot be read is nothing.
    """
    day = pd.Timestamp(as_of)
    if "contracts" in tables:
        rows = tables["contracts"]
        started, over = rows["start_date"] > day, rows["end_date"] < day
        rows = rows[~started & ~over]
        cents = rows["arr_cents"]
    elif "mrr" in tables:
        rows = tables["mrr"]
        ends = rows["month"] if not rows["month"].notna().any() else rows["month"].where(rows["month"] <= day)
        rows = rows[rows["month"] == ends.max()]
        cents = rows["mrr_cents"] * MONTHS_PER_YEAR
    elif "movements" in tables:
        rows = tables["movements"]
        rows = rows[~(rows["date"] > day)].sort_values("date", kind="stable")
        rows = rows[~rows["account_id"].duplicated(keep="last")]
        cents = rows["arr_after_cents"]
    else:
        return {}
    by_id = cents.fillna(0).astype("int64").groupby(rows["account_id"], sort=False).sum()
    sums: dict[str, int] = {}
    for name, value in by_id.items():
        spelled = key(str(name))
        sums[spelled] = sums.get(spelled, 0) + int(value)
    return sums


def weigh(problems: Iterable[Problem], tables: Tables, as_of: dt.date) -> tuple[Problem, ...]:
    """The problems with the ARR of their accounts; a problem of a whole table has none of its own."""
    found = list(problems)
    if not found:
        return ()
    arr = arr_by_account(tables, as_of)
    named = {problem.table for problem in found if not problem.account_id}
    ids = {
        name: table.drop_duplicates(ROW).set_index(ROW)["account_id"]
        for name, table in tables.items()
        if name in named and _has_ids(table)
    }
    weighed = []
    for problem in found:
        account = problem.account_id
        if not account and problem.table in ids and problem.row is not None:
            account = str(ids[problem.table].get(problem.row, ""))
        cents = arr.get(key(account), 0) if account else None
        weighed.append(replace(problem, account_id=account, arr_cents=cents))
    return tuple(weighed)


def _has_ids(table: pd.DataFrame) -> bool:
    return "account_id" in table and ROW in table


def tally(problems: Iterable[Problem], *, shown: int = 3) -> list[Tally]:
    """Problems by code: those that block first, then by ARR."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.code, []).append(problem)
    tallies = []
    for code, group in groups.items():
        arr = arr_at_stake(group)
        accounts = len(accounts_of(group))
        known = CODES[code]
        tallies.append(Tally(code, known.meaning, known.blocks, len(group), accounts, arr, tuple(group[:shown])))
    return sorted(tallies, key=lambda row: (not row.blocks, -row.arr_cents, -row.rows, row.code))


def accounts_of(problems: Iterable[Problem]) -> dict[str, int]:
    """ARR in cents of every account that the problems name, without case and spaces."""
    return {key(problem.account_id): problem.arr_cents or 0 for problem in problems if problem.account_id}


def arr_at_stake(problems: Iterable[Problem]) -> int:
    """ARR in cents of the accounts that the problems name, each counted once."""
    return sum(accounts_of(problems).values())


def key(account_id: str) -> str:
    """An id without case and spaces."""
    return " ".join(account_id.split()).lower()
