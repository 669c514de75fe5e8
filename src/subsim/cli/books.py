"""Commands about rates and the parameter catalogue: what they print and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from subsim.cli import screen
from subsim.errors import InputError
from subsim.model import catalogue

if TYPE_CHECKING:
    from subsim.book import Book


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
