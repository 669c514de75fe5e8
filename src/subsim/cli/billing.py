"""What finance asks of a book beside ARR: billings, revenue, what is signed, and what other definitions would say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from subsim.cli import screen
from subsim.ledger import carr, switch_effects
from subsim.ledger.revenue import FLOWS, LEVELS, revenue_schedule
from subsim.ledger.signed import signed_terms
from subsim.ledger.state import ALL
from subsim.report.words import money as amount
from subsim.report.words import percent

if TYPE_CHECKING:
    import pandas as pd

    from subsim.book import Book

MONTHS = 12
#: Metrics whose dependence on definitions is shown on the screen; JSON has all.
HEADLINES = ("arr", "logos", "grr", "nrr", "logo_retention", "renewal_rate_gross")


def schedule(book: Book) -> pd.DataFrame | None:
    """Billings, revenue and the rest for the last year; None without contracts."""
    ends = book.month_ends()[-MONTHS:]
    if "contracts" not in book.tables or not len(ends):
        return None
    signed = signed_terms(book.tables["contracts"], book.tables["accounts"], book.as_of)
    return revenue_schedule(signed, ends)


def money(book: Book) -> list[dict[str, Any]] | None:
    """The schedule as rows, in currency units."""
    table = schedule(book)
    if table is None:
        return None
    amounts = {name: table[name] / 100 for name in (*FLOWS, *LEVELS)}
    rows = table[["month", "segment"]].assign(month=table["month"].dt.strftime("%Y-%m-%d"), **amounts)
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def carr_rows(book: Book) -> list[dict[str, Any]] | None:
    """Contracted ARR by segment, in currency units; None without contracts."""
    if "contracts" not in book.tables:
        return None
    table = carr(book.ledger, book.tables["contracts"], book.tables["accounts"], book.as_of, grace_days=book.grace_days)
    return [
        {str(key): value if key == "segment" else value / 100 for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def effects(book: Book) -> list[dict[str, Any]]:
    """Metrics that another definition would move, in currency units where they are money."""
    table = switch_effects(
        book.ledger, book.as_of, accounts=book.tables["accounts"], contracts=book.tables.get("contracts")
    )
    rows = []
    for row in table[table["difference"].abs() > 0].to_dict("records"):
        scale = 100 if row["unit"] == "cents" else 1
        numbers = {key: row[key] / scale for key in ("value", "value_other", "difference")}
        unit = "currency" if row["unit"] == "cents" else row["unit"]
        rows.append({str(key): value for key, value in (row | numbers | {"unit": unit}).items()})
    return [{key: None if _missing(value) else value for key, value in row.items()} for row in rows]


def _missing(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def show(book: Book, *, definitions: bool) -> None:
    """A line on the last year's money, one on what is signed, and on request what other definitions would say."""
    table = schedule(book)
    if table is not None:
        rows = table[table["segment"] == ALL]
        flows = {name: amount(int(rows[name].sum()) / 100) for name in FLOWS}
        last = {name: amount(int(rows[name].iloc[-1]) / 100) for name in LEVELS}
        signed = carr_rows(book) or []
        contracted = next(amount(row["carr"]) for row in signed if row["segment"] == ALL)
        screen.show_plain(
            f"Last {len(rows)} months from the contracts: billings {flows['billings']}, revenue {flows['revenue']}; "
            f"at the close deferred revenue {last['deferred_revenue']}, RPO {last['rpo']} of which {last['crpo']} "
            f"within a year; contracted ARR {contracted}.\n"
        )
    if definitions:
        _show_effects(effects(book))


def _show_effects(rows: list[dict[str, Any]]) -> None:
    screen.show_plain("What other definitions would say")
    for row in rows:
        if row["metric"] in HEADLINES and "approximation" not in row["form"]:
            values = " instead of ".join(_text(row, key) for key in ("value_other", "value"))
            switch = f"{row['switch']} {row['other']} for {row['setting']}"
            screen.show_plain(f"  {row['metric']} {values}: {switch} ({row['form']})")
    screen.show_plain("")


def _text(row: dict[str, Any], key: str) -> str:
    value = row[key]
    if value is None:
        return "n/a"
    if row["unit"] == "share":
        return percent(value, 1)
    return amount(value) if row["unit"] == "currency" else f"{value:,.0f}"
