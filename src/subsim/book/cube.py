"""A cube with one column per month becomes one with a row per account and month."""

import re
from typing import Final

import duckdb

from subsim.book.mapping import TableMapping
from subsim.book.source import literal, one_error, quoted

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORD = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_PREFIX = r"(?:mrr|month)?[ _:-]*"
_PATTERNS: Final = (
    rf"{_PREFIX}(?P<year>\d{{4}})[-/._ ]?m?(?P<month>\d\d)",
    rf"{_PREFIX}(?P<year>\d{{4}})[-/.](?P<month>\d\d)[-/.]\d\d(?:[ t]00:00(?::00(?:\.0+)?)?)?",
    rf"{_PREFIX}(?P<month>\d\d?)[-/.](?P<year>\d{{4}})",
    rf"{_PREFIX}(?P<word>{_WORD})[-/._ ']*(?P<year>\d{{4}}|\d\d)",
    rf"{_PREFIX}(?P<year>\d{{4}})[-/._ ]*(?P<word>{_WORD})",
)


def month_of(header: str) -> str | None:
    """The month that a column's name stands for, as YYYY-MM; None if it stands for none.

    A two-digit year after a month's name is of this century; numbers alone with two digits are never taken for a year.

    >>> month_of("2026-01"), month_of("Jan-26"), month_of("2026-01-31"), month_of("MRR 01/2026"), month_of("seats")
    ('2026-01', '2026-01', '2026-01', '2026-01', None)
    """
    text = header.strip().lower()
    for pattern in _PATTERNS:
        found = re.fullmatch(pattern, text)
        if found:
            parts = found.groupdict()
            month = _MONTHS.index(parts["word"][:3]) + 1 if "word" in parts else int(parts["month"])
            year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
            return f"{year:04d}-{month:02d}" if 1 <= month <= 12 and 1900 <= year <= 2199 else None
    return None


def unpivot(connection: duckdb.DuckDBPyConnection, place: str, names: list[str], mapping: TableMapping) -> list[str]:
    """Make table `raw` long if it is wide; returns its columns then.

    Raises:
        InputErrors: two columns stand for one month.
    """
    months = {name: month for name in names if (month := month_of(name))}
    if not months or "month" in mapping.columns or "month" in {name.lower() for name in names}:
        return names
    seen: dict[str, str] = {}
    for name, month in months.items():
        if month in seen:
            found = f"columns {seen[month]!r} and {name!r} for {month}"
            raise one_error(f"{place}:1", found, "one column for every month")
        seen[month] = name
    connection.execute("ALTER TABLE raw RENAME TO wide")
    listed = ", ".join(f"{quoted(name)} AS {literal(month)}" for name, month in months.items())
    kept = ", ".join(quoted(name) for name in names if name not in months)
    connection.execute(
        f"CREATE TABLE raw AS SELECT subsim_row, {kept}, month, mrr FROM wide "
        f"UNPIVOT INCLUDE NULLS (mrr FOR month IN ({listed}))"
    )
    connection.execute("DROP TABLE wide")
    return [name for name in names if name not in months] + ["month", "mrr"]
