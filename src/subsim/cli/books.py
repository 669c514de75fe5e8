"""Commands about customer bases and the parameter catalogue: what they print and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich import box
from rich.table import Table

from subsim.cli import screen
from subsim.errors import InputError
from subsim.ledger import BRIDGE_COLUMNS
from subsim.model import catalogue
from subsim.report.words import money

if TYPE_CHECKING:
    from subsim.book import Book

BRIDGE_MONTHS = 12
AMOUNTS = BRIDGE_COLUMNS[2:9]


def check_json(book: Book) -> dict[str, Any]:
    """What `check --json` prints; money in currency units."""
    bridge = book.bridge()
    months = bridge["month"].dt.strftime("%Y-%m-%d")
    amounts = {name: bridge[name] / 100 for name in BRIDGE_COLUMNS[2:]}
    return {
        "book": book.name,
        "as_of": str(book.as_of),
        "fingerprint": book.fingerprint(),
        "logos": book.logos,
        "arr": book.arr_cents / 100,
        "segments": list(book.segments),
        "notes": book.describe(),
        "bridge": bridge.assign(month=months, **amounts).to_dict("records"),
    }


def show(book: Book) -> None:
    """What was read, and the bridge of the last year."""
    for line in book.describe():
        screen.show_plain(line)
    bridge = book.bridge()
    recent = bridge[bridge["segment"] == "all"].tail(BRIDGE_MONTHS)
    table = Table(box=box.SIMPLE_HEAD, title="ARR bridge, ties to the cent", title_justify="left")
    table.add_column("month", no_wrap=True)
    for name in AMOUNTS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in recent.to_dict("records"):
        table.add_row(f"{row['month']:%Y-%m}", *(money(row[name] / 100) for name in AMOUNTS))
    screen.out.print(table)


def write_rates(book: Book, path: Path) -> list[dict[str, Any]]:
    """Write empirical rates as a parameter file that scenarios name under `parameters:`; gives its rows."""
    from subsim.book import empirical_rates

    rows = empirical_rates(book)
    facts = {"book": book.name, "as_of": str(book.as_of), "fingerprint": book.fingerprint(), "rows": rows}
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=120)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            where=f"-o {path}",
            found=error.strerror or str(error),
            allowed="a file in a folder that exists and can be written",
        ) from error
    return rows


def parameter_rows() -> list[dict[str, Any]]:
    """The catalogue as JSON-ready rows."""
    return [
        {
            "name": row.name,
            "symbol": row.symbol,
            "title": row.title,
            "unit": row.unit,
            "by": list(row.by),
            "value": row.value,
            "values": row.values,
            "range": [row.low, row.high],
            "prior": row.prior.family,
            "source": row.source,
            "grade": row.grade,
            "label": row.label,
        }
        for row in catalogue.parameters().values()
    ]


def show_parameters() -> None:
    """The catalogue, two lines a parameter."""
    for row in catalogue.parameters().values():
        varies = f", {len(row.values)} values by {' and '.join(row.by)}" if row.values else ""
        screen.out.print(f"[bold]{row.name}[/bold]  {row.value:g} {row.unit}{varies}  ({row.label}, grade {row.grade})")
        screen.out.print(f"    {row.title}. Source: {row.source}", markup=False, style="dim")
    screen.out.print("Grade A measured on many companies, B published by practitioners, C convention, D judgement.")
