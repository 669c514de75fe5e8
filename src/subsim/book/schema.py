"""Tables of a book as data: which columns they have, what kind of value each holds, which are required."""

from dataclasses import dataclass
from typing import Final, Literal

from subsim.ledger import KINDS

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
    words: tuple[str, ...] = ()
    """For text: the only words there are; case does not count."""

    @property
    def target(self) -> str:
        """Name in the table that was read: money says that it is in cents."""
        return f"{self.name}_cents" if self.kind == "money" else self.name

    @property
    def allowed(self) -> str:
        """What an error message says is allowed."""
        return f"one of {', '.join(self.words)}" if self.words else ALLOWED[self.kind]


def _must(name: str, kind: Kind, *words: str) -> Column:
    return Column(name, kind, required=True, blank_ok=False, words=words)


ID: Final = _must("account_id", "id")

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "accounts": (
        ID,
        _must("start_date", "date"),
        Column("segment", "text"),
        Column("tier", "text"),
        Column("owner_id", "text"),
        Column("acquired_via", "text"),
        Column("parent_id", "text"),
        Column("currency", "text"),
        Column("churned", "text"),  # a flag, held against churn events
    ),
    "contracts": (
        ID,
        Column("contract_id", "text"),
        _must("start_date", "date"),
        Column("end_date", "date"),  # needed unless `term_months` says that the contract renews itself
        _must("arr", "money"),
        Column("term_months", "whole"),
        Column("product", "text"),
        Column("billing", "text", words=("annual", "quarterly", "monthly")),
        Column("list_arr", "money"),
        Column("currency", "text"),
        Column("signed_date", "date"),
        Column("notice_date", "date"),
    ),
    "movements": (
        ID,
        _must("date", "date"),
        _must("kind", "text", *KINDS),
        _must("arr_after", "money"),
        Column("reason", "text"),
        Column("row_id", "text"),
    ),
    "mrr": (ID, _must("month", "month"), Column("mrr", "money", required=True), Column("segment", "text")),
    "onboarding": (
        ID,
        _must("kickoff_date", "date"),
        Column("first_value_date", "date"),  # blank: not yet
        Column("hours", "number"),
    ),
    "health": (
        ID,
        _must("date", "date"),
        Column("score", "number"),
        Column("contract_id", "text"),  # what the reading is of, where not of the whole account
        Column("row_id", "text"),
    ),
    "touches": (
        ID,
        _must("kind", "text"),
        Column("due_date", "date"),
        Column("done_date", "date"),  # blank: missed
        Column("hours", "number"),
        Column("seat_id", "text"),
        Column("row_id", "text"),
    ),
    "seats": (
        _must("seat_id", "id"),
        _must("team", "text"),
        _must("start_date", "date"),
        Column("leave_date", "date"),
        Column("annual_cost", "money"),
    ),
    "sponsors": (ID, _must("date", "date"), _must("event", "text", "left", "restored")),
    "tickets": (
        ID,
        _must("opened", "date"),
        Column("resolved", "date"),
        Column("severity", "text"),
        Column("row_id", "text"),
    ),
    "experiments": (ID, _must("arm", "text"), _must("assigned_on", "date"), Column("lever", "text")),
    "bridge": (
        _must("month", "month"),
        Column("segment", "text"),
        Column("opening", "money"),
        _must("new", "money"),
        _must("expansion", "money"),
        _must("contraction", "money"),
        _must("churn", "money"),
        Column("reactivation", "money"),
    ),
    # Units of the book's own currency for one unit of another, from a month on where a month is given.
    "fx": (_must("currency", "id"), _must("rate", "number"), Column("month", "month")),
}

#: Tables whose further columns are read too where every value is a number: signals of health beside a score.
SIGNALS: Final = ("health",)

#: Of these a book has exactly one; `bridge` stands for a whole book of sums, without accounts.
REVENUE_TABLES: Final = ("contracts", "movements", "mrr", "bridge")
UNSEGMENTED: Final = "unsegmented"  # segment of accounts whose book names none
