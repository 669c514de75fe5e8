"""Units at the edges: text such as `90 days`, `7 %` or `$1.2M` becomes one number in one unit, or a clear error.

Inside the product a duration is a float in days, time since the start is integer minutes, and money is integer cents.

>>> days("2 weeks"), share("7 %"), money_cents("$1.2M"), months("3 years")
(14.0, 0.07, 120000000, 36)
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from math import isfinite

from subsim.errors import InputError

MINUTES_PER_DAY = 1440
#: A month without a calendar: a twelfth of a Julian year, 30.4375 days.
MONTH_MINUTES = 43830
MONTH_DAYS = 30.4375
YEAR_DAYS = 365.25

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?"
_PLAIN = re.compile(rf"\s*({_NUMBER})\s*")
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z]+)\s*")
_SHARE = re.compile(rf"\s*({_NUMBER})\s*(%?)\s*")
_RATE = re.compile(rf"\s*({_NUMBER})\s*(?:per|a|/)\s*([A-Za-z]+)\s*")
_MONEY = re.compile(
    r"\s*(-?)\s*(?:[$€£]|[A-Z]{3}\s)?\s*(-?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s*(k|K|M|m|B|bn)?\s*(?:[A-Z]{3})?\s*"
)
_MONEY_SCALE = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "m": 10**6, "B": 10**9, "bn": 10**9}
_ISO_DAY = re.compile(r"\s*(\d{4})-(\d{2})-(\d{2})\s*")
#: Text longer than this is no number, and is cut when an error shows it.
_LONGEST = 60
#: No duration, rate or amount of a business comes near this; it keeps sums inside 64-bit integers.
_LARGEST = 1e15

_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": MONTH_DAYS, "year": YEAR_DAYS}
_HOURS = {"minute": 1 / 60, "hour": 1.0}
_MONTHS = {"month": 1.0, "year": 12.0}


def shown(value: object) -> str:
    """A value as an error message shows it: text in quotes, cut when it is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def number(value: object, *, where: str = "value") -> float:
    """A plain finite number, given as a number or as its text.

    >>> number("1.5")
    1.5
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        plain = float(value) if abs(value) < 1e300 else float("inf")
    else:
        match = _match(_PLAIN, value)
        plain = float(match[1]) if match else float("nan")
    if not isfinite(plain):
        raise InputError(where=where, found=shown(value), allowed="a finite number such as 0.5")
    return plain


def days(value: object, *, where: str = "value") -> float:
    """A duration in days; a month is 30.4375 days and a year 365.25.

    >>> days("3 months"), days("6 hours")
    (91.3125, 0.25)
    """
    return _quantity(value, _DAYS, where, "a duration such as 90 days, 2 weeks, 3 months or 1 year", "days")


def hours(value: object, *, where: str = "value") -> float:
    """Working time in hours; days are refused, because a working day has no fixed length.

    >>> hours("90 minutes")
    1.5
    """
    return _quantity(value, _HOURS, where, "working time such as 2.5 hours or 30 minutes", "hours")


def months(value: object, *, where: str = "value") -> int:
    """A whole number of calendar months.

    >>> months("3 years")
    36
    """
    count = _quantity(value, _MONTHS, where, "a time such as 36 months or 3 years", "months")
    if count != round(count):
        raise InputError(where=where, found=shown(value), allowed="a whole number of months, such as 36 months")
    return round(count)


def rate(value: object, *, per: str = "year", where: str = "value") -> float:
    """A rate per day, week, month or year, converted to the unit `per`.

    >>> rate("2 per month", per="year")
    24.0
    """
    match = _match(_RATE, value)
    unit = _singular(match[2]) if match else ""
    if match is None or unit not in _DAYS or not abs(float(match[1])) < _LARGEST:
        plain = _match(_PLAIN, value) or isinstance(value, (int, float))
        raise InputError(
            where=where,
            found=shown(value),
            allowed=f"a number per day, week, month or year, such as 4 per {per}",
            do=f"write {str(value).strip()} per {per}" if plain and not isinstance(value, bool) else "",
        )
    if unit == per:
        return float(match[1])
    if {unit, per} == {"month", "year"}:
        return float(match[1]) * 12 if per == "year" else float(match[1]) / 12
    return float(match[1]) * _DAYS[per] / _DAYS[unit]


def share(value: object, *, low: float = 0.0, high: float = 1.0, where: str = "value") -> float:
    """A share as a fraction, written `7 %` or `0.07`; the ends `low` and `high` are allowed.

    >>> share("12.5 %")
    0.125
    """
    match = _match(_SHARE, str(value) if _is_number(value) else value)
    if match is None:
        raise InputError(where=where, found=shown(value), allowed="a share such as 7 % or 0.07")
    fraction = float(Decimal(match[1]) / 100) if match[2] else float(match[1])
    if not low <= fraction <= high:
        raise InputError(
            where=where,
            found=shown(value),
            allowed=f"a share from {low:.0%} to {high:.0%}",
            do="" if match[2] or not low <= fraction / 100 <= high else f"did you mean {match[1]} %?",
        )
    return fraction


def money_cents(value: object, *, where: str = "value") -> int:
    """Money in cents, exact: `$1.2M`, `$40k`, `1,200.50`, `1200 USD` or a plain number.

    >>> money_cents("1,200.50")
    120050
    """
    match = _match(_MONEY, format(value, "f") if isinstance(value, float) and isfinite(value) else _as_text(value))
    if match is None:
        raise InputError(where=where, found=shown(value), allowed="an amount such as $1.2M, $40k or 1,200.50")
    sign = -1 if match[1] or match[2] else 1
    digits = match[3].replace(",", "") + (match[4] or "")
    cents = Decimal(digits) * _MONEY_SCALE[match[5] or ""] * 100 * sign
    if cents != cents.to_integral_value() or abs(cents) > _LARGEST:
        raise InputError(where=where, found=shown(value), allowed="a whole number of cents, such as 1,200.50")
    return int(cents)


def day(value: object, *, where: str = "value") -> dt.date:
    """A calendar day from ISO text (`2026-10-01`) or a date.

    >>> day("2026-10-01")
    datetime.date(2026, 10, 1)
    """
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    match = _match(_ISO_DAY, value)
    try:
        if match is None:
            raise ValueError
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        allowed = "a date as year-month-day, such as 2026-10-01"
        raise InputError(where=where, found=shown(value), allowed=allowed) from None


def minutes_between(start: dt.date, date: dt.date) -> int:
    """Minutes from the beginning of one day to the beginning of another.

    >>> minutes_between(dt.date(2026, 7, 1), dt.date(2026, 7, 2))
    1440
    """
    return (date - start).days * MINUTES_PER_DAY


def add_months(start: dt.date, count: int) -> dt.date:
    """The same day `count` calendar months later, or the last day of that month if it is shorter.

    >>> add_months(dt.date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    following = dt.date(year + month // 11, (month + 1) % 12 + 1, 1)
    return dt.date(year, month + 1, min(start.day, (following - dt.timedelta(days=1)).day))


def month_starts(start: dt.date, months: int) -> list[int]:
    """Minutes from `start` to each of the next `months` month boundaries; `start` is the first of a month.

    >>> month_starts(dt.date(2026, 7, 1), 2)
    [44640, 89280]
    """
    return [minutes_between(start, add_months(start, ahead)) for ahead in range(1, months + 1)]


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def days_text(value: float) -> str:
    """Days as text that `days` reads back exactly: whole years or months where it is, else days.

    >>> days_text(91.3125), days_text(90)
    ('3 months', '90 days')
    """
    for length, unit in ((YEAR_DAYS, "year"), (MONTH_DAYS, "month"), (1.0, "day")):
        if value >= length and value % length == 0:
            return _counted(value / length, unit)
    return _counted(value, "day")


def hours_text(value: float) -> str:
    """Hours as text that `hours` reads back exactly."""
    return _counted(value, "hour")


def months_text(value: int) -> str:
    """Months as text that `months` reads back."""
    return _counted(value, "month")


def money_text(cents: int) -> str:
    """Cents as text that `money_cents` reads back exactly.

    >>> money_text(120050), money_text(4000000)
    ('1,200.50', '40,000')
    """
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}" + (f".{rest:02d}" if rest else "")


def _counted(value: float, unit: str) -> str:
    return f"{number_text(value)} {unit}{'' if value == 1 else 's'}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST else None


def _singular(unit: str) -> str:
    return unit.lower().removesuffix("s")


def _quantity(value: object, table: dict[str, float], where: str, allowed: str, usual: str) -> float:
    match = _match(_QUANTITY, value)
    unit = _singular(match[2]) if match else ""
    if match and unit in table and abs(float(match[1])) < _LARGEST:
        return float(match[1]) * table[unit]
    bare = _is_number(value) or _match(_PLAIN, value)
    do = f"write {str(value).strip()} {usual}" if bare else ""
    raise InputError(where=where, found=shown(value), allowed=allowed, do=do)
