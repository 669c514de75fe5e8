"""`subsim check`: does the book tie, what is wrong or doubtful in it, and what can it identify."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.table import Table

from subsim.book.problems import Problem
from subsim.book.sources import database_name, is_url
from subsim.book.stakes import tally
from subsim.calibrate.identify import ASSOCIATION, ENOUGH, Identified, identify
from subsim.cli import billing, screen
from subsim.ledger import BRIDGE_COLUMNS, metrics_table
from subsim.report.words import money, percent
from subsim.units import money_text

if TYPE_CHECKING:
    from subsim.book import Book

BRIDGE_MONTHS = 12
AMOUNTS = BRIDGE_COLUMNS[2:9]
SHORT = {"contraction": "contr.", "reactivation": "react."}  # so that a bridge fits 80 columns
PROBLEM_FIELDS = ("code", "table", "file", "row", "column", "found", "allowed", "account_id", "arr")
#: Metrics whose numerator, or denominator, counts accounts instead of money.
COUNTED = {"numerator": ("logos", "logo_retention"), "denominator": ("logos", "logo_retention", "arr_per_account")}
HEADLINES = ("grr", "nrr", "logo_retention", "renewal_rate_gross", "quick_ratio", "top10_share")


def broken_json(book: str, as_of: str, problems: Iterable[Problem]) -> dict[str, Any]:
    """What `check --json` prints of a book that cannot be used: its problems."""
    rows = [_problem_row(problem) for problem in problems]
    empty = {"arr": None, "logos": None, "bridge": None, "metrics": None}
    name = database_name(book) if is_url(book) else book  # an address may hold a password
    return {"book": name, "as_of": as_of, **empty, "problems": rows, "identifies": None}


def check_json(book: Book, *, definitions: bool = False) -> dict[str, Any]:
    """What `check --json` prints; money in currency units. What other definitions would say, where it was asked for."""
    bridge = book.bridge()
    months = bridge["month"].dt.strftime("%Y-%m-%d")
    amounts = {name: bridge[name] / 100 for name in AMOUNTS}
    rows = bridge[["month", "segment"]].assign(month=months, **amounts).to_dict("records")
    aside = book.quarantine
    return {
        "book": book.name,
        "as_of": str(book.as_of),
        "fingerprint": book.fingerprint(),
        "logos": book.logos,
        "arr": book.arr_cents / 100,
        "segments": list(book.segments),
        "notes": book.describe(),
        "bridge": rows,
        "metrics": _metrics(book),
        "money": billing.money(book),
        "carr": billing.carr_rows(book),
        **({"definitions": billing.effects(book)} if definitions else {}),
        "problems": [_problem_row(problem) for problem in book.problems],
        "identifies": [_identified_row(row) for row in identify(book)],
        "quarantine": aside and {"file": aside.file, "rows": aside.rows, "arr": aside.arr_cents / 100},
    }


def _problem_row(problem: Problem) -> dict[str, Any]:
    row = problem.to_row()
    return {name: row[name] for name in PROBLEM_FIELDS}


def _identified_row(row: Identified) -> dict[str, Any]:
    return {"parameter": row.parameter, "rows": row.rows, "verdict": row.verdict}


def _metrics(book: Book) -> list[dict[str, Any]]:
    """The long table of metrics, money in currency units, no value as None."""
    if book.ledger.empty:
        return []
    table = metrics_table(
        book.ledger, book.as_of, accounts=book.tables["accounts"], contracts=book.tables.get("contracts")
    )
    table["numerator"] /= np.where(table["metric"].isin(COUNTED["numerator"]), 1, 100)
    table["denominator"] /= np.where(table["metric"].isin(COUNTED["denominator"]), 1, 100)
    table["value"] /= np.where(table["unit"] == "cents", 100, 1)
    table["unit"] = table["unit"].replace("cents", "currency")
    return [{str(key): _known(value) for key, value in row.items()} for row in table.to_dict("records")]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show(book: Book, *, definitions: bool = False) -> None:
    """What was read, the bridge of the last year, metrics, money, the quality report, and what the book identifies."""
    for line in book.describe():
        screen.show_plain(line)
    bridge = book.bridge()
    recent = bridge[bridge["segment"] == "all"].tail(BRIDGE_MONTHS)
    table = _table("ARR bridge, ties to the cent", "month", AMOUNTS)
    for row in recent.to_dict("records"):
        table.add_row(f"{row['month']:%Y-%m}", *(money(row[name] / 100) for name in AMOUNTS))
    screen.out.print(table)
    _show_metrics(_metrics(book))
    billing.show(book, definitions=definitions)
    show_problems(book.problems)
    if book.quarantine:
        screen.show_plain(str(book.quarantine))
    _show_identified(identify(book))


def show_problems(problems: Sequence[Problem]) -> None:
    """The quality report: problems by code with the ARR behind them, and where the first ones are."""
    screen.show_plain("Quality" if problems else "Quality: nothing to report")
    for line in tally(problems):
        kind = "blocks" if line.blocks else "warns"
        counts = f"{line.rows:,} rows, {line.accounts:,} accounts with ARR {money_text(line.arr_cents)}"
        screen.show_plain(f"  {line.code} ({kind}): {counts}\n    {line.meaning}")
        for problem in line.first:
            screen.show_plain(f"    {problem.to_error()}")


def _show_metrics(rows: list[dict[str, Any]]) -> None:
    shown = [row for row in rows if row["metric"] in HEADLINES and row["segment"] == "all" and row["denominator"]]
    for row in shown:
        value = percent(row["value"], 1) if row["unit"] == "share" else f"{row['value']:.2f}"
        count = row["metric"] in COUNTED["numerator"]
        parts = (f"{row[key]:,.0f}" if count else money(row[key]) for key in ("numerator", "denominator"))
        star = "*" if row["thin"] else " "
        screen.show_plain(f"  {row['metric']:<20}{value:>8}{star} {' of '.join(parts)}, {row['form']}")
    if any(row["thin"] for row in shown):
        screen.show_plain("  * fewer than 20 accounts or less than 2M of ARR")
    screen.show_plain("")


def _show_identified(rows: list[Identified]) -> None:
    calibrated = [row for row in rows if row.verdict in ("enough", "few", "none") and row.label == "calibrated"]
    measured = [row for row in rows if row.label == "assumed" and row.verdict in ("enough", "few")]
    associated = [row for row in rows if row.verdict == ASSOCIATION]
    assumed = sum(row.label == "assumed" and row.verdict == "none" for row in rows)
    groups = {
        f"enough rows, {ENOUGH} events or more (in every segment where it differs by segment)": "enough",
        "few rows": "few",
        "no rows; these keep their default": "none",
    }
    screen.show_plain("\nWhat this book can and cannot identify")
    for title, verdict in groups.items():
        _show_names(title, [row for row in calibrated if row.verdict == verdict])
    _show_names("assumed, with an experiment in this book", measured)
    _show_names("assumed: rows show an association only, no effect", associated)
    screen.show_plain(f"  assumed: {assumed} more parameters, of which the book says nothing")


def _show_names(title: str, rows: list[Identified]) -> None:
    if rows:
        names = ", ".join(f"{row.parameter} ({row.rows:,})" if row.rows else row.parameter for row in rows)
        screen.show_plain(f"  {title}: {names}")


def _table(title: str, first: str, columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(SHORT.get(name, name), justify="right", no_wrap=True)
    return table
