"""Tables of a book as data: which columns they have, what kind of value each holds, which are required."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["id", "text", "date", "month", "money", "whole", "number"]

#: What an error message says is allowed.
ALLOWED: Final[dict[Kind, str]] = {
    "id": "an id that is not blank",
    "text": "text",
    "date": "a date as year-month-day, such as 2026-06-30",
    "month": "a month, such as 2026-06 or 2026-06-30",
    "money": "an amount with at most two decimals, such as 1200, 1,200.50 or $1.2M",
    "whole": "a whole number",
    "number": "a number",
}


@dataclass(frozen=True)
class Column:
    """One column: its kind of value, and whether the column, and each value in it, must be there."""

    name: str
    kind: Kind
    required: bool = False
    blank_ok: bool = True

    @property
    def target(self) -> str:
        """Name in the table that was read: money says that it is in cents."""
        return f"{self.name}_cents" if self.kind == "money" else self.name


def _must(name: str, kind: Kind) -> Column:
    return Column(name, kind, required=True, blank_ok=False)


ID: Final = _must("account_id", "id")

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "accounts": (
        ID,
        _must("start_date", "date"),
        Column("segment", "text"),
        Column("tier", "text"),
        Column("owner_id", "text"),
    ),
    "contracts": (
        ID,
        _must("start_date", "date"),
        Column("end_date", "date"),  # needed unless `term_months` says that the contract renews itself
        _must("arr", "money"),
        Column("term_months", "whole"),
        Column("product", "text"),
    ),
    "mrr": (ID, _must("month", "month"), Column("mrr", "money", required=True), Column("segment", "text")),
    "health": (ID, _must("date", "date"), _must("score", "number")),
    "onboarding": (ID, _must("kickoff_date", "date"), Column("first_value_date", "date")),
    "seats": (
        _must("seat_id", "id"),
        _must("team", "text"),
        _must("start_date", "date"),
        Column("leave_date", "date"),
        Column("annual_cost", "money"),
    ),
}

REVENUE_TABLES: Final = ("contracts", "mrr")
UNSEGMENTED: Final = "unsegmented"  # segment of accounts whose book names none
