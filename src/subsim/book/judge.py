"""All rules on all tables: what is wrong, what is doubtful, and, if asked, the rows that block set aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from subsim.book.checks import check
from subsim.book.doubts import doubts
from subsim.book.problems import Problem
from subsim.book.quarantine import set_aside
from subsim.book.stakes import weigh

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Judged:
    """Tables that were held against the rules."""

    tables: Frames
    problems: tuple[Problem, ...]
    """Of the tables as they are here."""
    aside: tuple[Problem, ...]
    """Of rows that are no longer in the tables."""


def judge(
    tables: Frames,
    files: dict[str, str],
    found: Iterable[Problem],
    *,
    as_of: dt.date,
    grace_days: int,
    revenue: str,
    with_accounts: Callable[[Frames], Frames],
    quarantine: bool = False,
    warnings: bool = True,
) -> Judged:
    """Check tables and weigh every problem by the ARR of its account.

    Args:
        tables: tables as read, with `ROW`.
        files: name of each table's file.
        found: values that could not be read.
        as_of: last day that counts.
        grace_days: a renewal up to so many days late is a renewal.
        revenue: name of the revenue table.
        with_accounts: adds the accounts table to a book that has none.
        quarantine: take out the rows that block.
        warnings: also look for what is doubtful.
    """
    found = list(found)
    unread = {(problem.table, problem.row, problem.column) for problem in found}
    # A value that could not be read is blank from here on; that it is missing would be said twice.
    checked = [rule for rule in check(tables, files) if (rule.table, rule.row, rule.column) not in unread]
    problems = [*found, *checked]
    aside: list[Problem] = []
    complete = tables
    if quarantine:
        tables, aside, problems = set_aside(tables, problems, lambda rest: check(rest, files))
    tables = with_accounts(tables)
    files = {"accounts": files[revenue]} | files
    if warnings:
        problems += doubts(tables, files, revenue, as_of, grace_days)
    both = weigh([*problems, *aside], complete, as_of) if problems or aside else ()
    return Judged(tables, both[: len(problems)], both[len(problems) :])
