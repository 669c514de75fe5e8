"""What can be wrong with a book: codes as data, and the record of one problem in one row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from subsim.errors import InputError, InputErrors

SHOWN = 100  # problems of one kind in one column that an error lists one by one; the rest is counted


@dataclass(frozen=True)
class Code:
    """What a code means, and whether such a row keeps the book from being read."""

    meaning: str
    blocks: bool


def _table(blocks: bool, codes: dict[str, str]) -> dict[str, Code]:
    return {name: Code(meaning, blocks) for name, meaning in codes.items()}


#: Codes are part of the interface: they may be added to, never renamed.
CODES: Final[dict[str, Code]] = _table(
    True,
    {
        "blank": "a value that must be there is missing",
        "not-a-date": "not a date as year-month-day",
        "two-digit-year": "a date whose century nobody can know",
        "not-a-month": "not a month",
        "not-an-amount": "not an amount with at most two decimals",
        "not-a-number": "not a number",
        "formula": "a formula where a value must be",
        "unknown-word": "a word that the column does not know",
        "duplicate-account": "an account written twice; case and spaces do not count",
        "reserved-segment": "a segment with the name of the total",
        "unknown-account": "a row of an account that the accounts table does not have",
        "parent-cycle": "an account that is its own parent, directly or through others",
        "no-end": "a contract with neither an end nor a term",
        "end-before-start": "an end before its start",
        "term-length": "a term that is not 1 to 240 months",
        "negative-amount": "an amount below zero where none can be",
        "duplicate-month": "two values for one account and month",
        "month-missing": "a month for which a cube has no row at all",
        "duplicate-onboarding": "an account that is onboarded twice",
        "duplicate-seat": "a seat written twice",
        "duplicate-row": "two rows for what can be said once",
        "kind-and-amount": "a movement whose kind does not fit its amounts",
        "does-not-tie": "a month of a bridge that does not open with what the month before closed with",
        "no-rate": "a currency without a rate among several",
    },
) | _table(
    False,
    {
        "late-renewal": "a renewal that starts after the term before it ended, within the grace days",
        "overlap": "contracts of one account and product that overlap: co-terms or doubles",
        "same-contract": "two contracts of one account with the same dates and amount",
        "multi-year-total": "an amount that looks like the total of several years, not a year's",
        "free-plan": "a contract without an amount: no revenue, and a logo only where a definition says so",
        "no-revenue": "accounts without any row in the revenue table",
        "future-start": "a contract that starts after the last day that counts: in CARR once signed, not in ARR",
        "after-as-of": "rows or dates after the last day that counts, which were left out",
        "before-start": "activity dated before the account or its contract began",
        "repeated-id": "an id of a row that occurs again",
        "churn-without-flag": "a churn event of an account that is not flagged as churned",
        "flag-without-churn": "an account flagged as churned without a churn event",
        "churn-and-contract": "a churn event of an account whose contracts stay in force",
        "formula-text": "text that a spreadsheet would run as a formula",
        "unknown-parent": "a parent that the accounts table does not have",
        "unknown-seat": "a seat that the seats table does not have",
        "two-owners": "an owner written in two ways; case and spaces do not count",
        "two-segments": "a segment written in two ways; case and spaces do not count",
        "start-mismatch": "a contract that starts before its account does",
    },
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one place of a book."""

    code: str
    table: str
    file: str
    row: int | None
    """As a spreadsheet counts: the header is row 1; None for a whole table."""
    column: str
    found: str
    allowed: str
    do: str = ""
    account_id: str = ""
    arr_cents: int | None = None
    """ARR at stake: of the account, in force at `as_of`, as far as its rows can be read."""

    @property
    def blocks(self) -> bool:
        """Whether the book cannot be used with this row in it."""
        return CODES[self.code].blocks

    @property
    def where(self) -> str:
        """File, row and column."""
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        return f"{place} {self.column}".rstrip()

    def to_error(self) -> InputError:
        """The problem as an error of input."""
        return InputError(where=self.where, found=self.found, allowed=self.allowed, do=self.do)

    def to_row(self) -> dict[str, Any]:
        """The problem as a JSON-ready row, money in currency units."""
        names = ("code", "table", "file", "row", "column", "found", "allowed", "do", "account_id")
        arr = None if self.arr_cents is None else self.arr_cents / 100
        return {name: getattr(self, name) for name in names} | {"arr": arr, "blocks": self.blocks}


class BookProblems(InputErrors):
    """The problems that keep a book from being read, all together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(listed(problem for problem in self.problems if problem.blocks))

    def __reduce__(self) -> tuple[object, ...]:
        return BookProblems, (self.problems,)


def listed(problems: Iterable[Problem]) -> list[InputError]:
    """Problems as errors; of more than 100 of one kind in one column the rest is counted."""
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.file, problem.column, problem.code), []).append(problem)
    errors = []
    for (file, column, _), group in groups.items():
        errors += [problem.to_error() for problem in group[:SHOWN]]
        if len(group) > SHOWN:
            found = f"{len(group) - SHOWN:,} more like the one before"
            errors.append(InputError(where=f"{file} {column}", found=found, allowed=group[-1].allowed))
    return errors
