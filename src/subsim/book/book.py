"""A company's book: its tables as of a day, the ledger made of them, and what reading them left out."""

import datetime as dt
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from subsim.book.columns import TableReport
from subsim.book.cut import guard
from subsim.book.opening import Opening, opening
from subsim.book.problems import Problem
from subsim.book.quarantine import Quarantine
from subsim.book.sums import bridge_of_sums
from subsim.errors import InputError
from subsim.ledger import ALL, BRIDGE_COLUMNS, bridge, month_ends_between, monthly
from subsim.ledger.rows import OPENING_BALANCE
from subsim.ledger.terms import Days
from subsim.units import money_text


@dataclass(frozen=True)
class Book:
    """What a company knew about its customers at the close of `as_of`."""

    name: str
    as_of: dt.date
    grace_days: int
    note: str
    """Conventions of the mapping, such as what an amount stands for."""
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    """Checked tables by name; money is int64 cents (`..._cents`), dates are datetime64[s], blanks "" or NaT."""
    ledger: pd.DataFrame = field(repr=False)
    """Rows as in `subsim.ledger.rows`."""
    reports: tuple[TableReport, ...] = field(repr=False)
    """What was read and left out, by table."""
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    """Warnings, and the problems of rows that were set aside."""
    quarantine: Quarantine | None = field(default=None, repr=False)
    """The file of the rows that were set aside."""

    def __post_init__(self) -> None:
        guard(self.tables, self.ledger, self.as_of)

    @property
    def of_sums(self) -> bool:
        """Whether the book is a bridge alone, which says nothing of accounts."""
        return "bridge" in self.tables

    @property
    def arr_cents(self) -> int:
        """ARR in force at the close of `as_of`."""
        if self.of_sums:
            return int(self.bridge()["closing"].tail(1).sum())
        return int((self.ledger["after"] - self.ledger["before"]).sum())

    @property
    def logos(self) -> int:
        """Accounts with ARR in force at the close of `as_of`."""
        return int((self.ledger.drop_duplicates("account_id", keep="last")["after"] > 0).sum())

    @property
    def segments(self) -> list[str]:
        """Segments of the book's accounts, sorted."""
        if self.of_sums:
            return sorted(set(self.bridge()["segment"]) - {ALL})
        return sorted(set(self.tables["accounts"]["segment"]))

    def month_ends(self) -> Days:
        """Ends of the complete months of the ledger; a cube's first month only opens the second."""
        if self.ledger.empty:
            return np.empty(0, dtype="datetime64[D]")
        ends = month_ends_between(self.ledger["date"].min(), self.as_of)
        first_is_opening = bool((self.ledger["reason"] == OPENING_BALANCE).any())
        return ends[int(first_is_opening) :][ends[int(first_is_opening) :] <= np.datetime64(self.as_of, "D")]

    def bridge(self) -> pd.DataFrame:
        """ARR bridge by month and segment, see `subsim.ledger.bridge`."""
        return bridge_of_sums(self.tables["bridge"]) if self.of_sums else bridge(self.ledger, self.month_ends())

    def monthly(self) -> pd.DataFrame:
        """Long table of monthly metrics, see `subsim.ledger.monthly`."""
        return monthly(self.ledger, self.month_ends())

    def opening(self, start: dt.date | None = None) -> Opening:
        """Start state of a simulation; `start` is the day after `as_of`, and may be left out.

        Raises:
            InputError: another start, or a book of sums, which has no accounts to start with.
        """
        if self.of_sums:
            allowed = "a book with accounts and contracts, movements or mrr"
            raise InputError(where=f"book {self.name}", found="a bridge alone", allowed=allowed)
        return opening(self, start)

    def fingerprint(self) -> str:
        """SHA-256 of the content: independent of row order, column names in the source, and kind of source.

        A column that is blank in every row counts as one that is not there.
        """
        digest = hashlib.sha256(f"{self.as_of} {self.grace_days}".encode())
        for name in sorted(self.tables):
            table = self.tables[name]
            columns = sorted(str(column) for column in table if _says_something(table[column]))
            digest.update(f"|{name}:{','.join(columns)}:{len(table)}|".encode())
            if columns:
                rows = pd.util.hash_pandas_object(table[columns], index=False, categorize=True).to_numpy()
                digest.update(np.sort(rows).astype("<u8").tobytes())
        return digest.hexdigest()

    def describe(self) -> list[str]:
        """What the book holds and what was left out, one line each."""
        who = "sums without customers" if self.of_sums else f"{self.logos:,} customers"
        lines = [f"{self.name} as of {self.as_of}: {who}, ARR {money_text(self.arr_cents)}"]
        for report in self.reports:
            lines.append(f"{report.table}: {report.rows:,} rows read from {report.file}")
            lines += [f"{report.table}: {count:,} rows left out: {reason}" for reason, count in report.excluded]
            lines += [f"{report.table}: {note}" for note in report.notes]
            if report.unused:
                lines.append(f"{report.table}: columns not used: {', '.join(report.unused)}")
        pending = int((self.opening().accounts["term_end_minute"] == 0).sum()) if "contracts" in self.tables else 0
        if pending:
            lines.append(
                f"{pending:,} customers have a renewal due or late (up to {self.grace_days} days), counted as live"
            )
        return lines + ([self.note.strip()] if self.note else [])

    def __repr__(self) -> str:
        return f"<Book {self.describe()[0]}>"

    def _repr_html_(self) -> str:
        table = self.bridge()
        recent = table[table["segment"] == "all"].tail(12).drop(columns="segment")
        shown = recent.assign(**{name: recent[name].map(money_text) for name in BRIDGE_COLUMNS[2:]})
        text = "".join(f"<p>{html.escape(line)}</p>" for line in self.describe())
        return f"{text}{shown.to_html(index=False)}"


def _says_something(column: pd.Series) -> bool:
    """Whether any row holds a value."""
    return bool((column != "").any() if is_string_dtype(column.dtype) else column.notna().any())
