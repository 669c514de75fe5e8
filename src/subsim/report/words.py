"""Numbers and names as people write them: $12.3M, 87 %, two more csms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

SYMBOLS: Final[dict[str, str]] = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_SCALES: Final = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


def money(amount: float, currency: str = "USD", *, sign: bool = False) -> str:
    """An amount with three or so digits: `$12.3M`, `-$640k`, `CHF 1.2M`.

    >>> money(12_345_678), money(-640_000), money(950), money(1_000_000, "CHF", sign=True)
    ('$12.3M', '-$640k', '$950', '+CHF 1.00M')
    """
    symbol = SYMBOLS.get(currency, f"{currency} ")
    size = abs(amount)
    scale, letter = next(((s, name) for s, name in _SCALES if size >= 0.9995 * s), (1.0, ""))
    shown = size / scale
    decimals = 0 if shown >= 99.95 or not letter else 1 if shown >= 9.995 else 2
    text = f"{shown:.{decimals}f}"
    prefix = "-" if amount < 0 and float(text) else "+" if sign and float(text) else ""
    return f"{prefix}{symbol}{text}{letter}"


def percent(share: float, decimals: int = 0) -> str:
    """A share as percent; "n/a" where there is none.

    >>> percent(0.873), percent(float("nan"))
    ('87 %', 'n/a')
    """
    return "n/a" if math.isnan(share) else f"{100 * share:.{decimals}f} %"


def chance(probability: float) -> str:
    """A probability in percent that never claims certainty from a finite number of draws.

    >>> chance(1.0), chance(0.5), chance(0.0)
    ('> 99 %', '50 %', '< 1 %')
    """
    if math.isnan(probability):
        return "n/a"
    return "> 99 %" if probability > 0.99 else "< 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


def plain(name: str) -> str:
    """A name of a file or team as words: `two_more_csms` becomes `two more CSMs`."""
    words = name.replace("_", " ")
    return " ".join({"csm": "CSM", "csms": "CSMs", "smb": "SMB"}.get(word, word) for word in words.split(" "))


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def month(day: Any) -> str:
    """A date as month and year: `June 2029`."""
    return _as_date(day).strftime("%B %Y")


def quarter(day: Any) -> str:
    """A date as calendar quarter: `Q2 2029`."""
    when = _as_date(day)
    return f"Q{(when.month + 2) // 3} {when.year}"


def _as_date(day: Any) -> date:
    return day if isinstance(day, date) else day.astype("datetime64[D]").astype(date)


def listed(items: Sequence[str]) -> str:
    """Items in a sentence: `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
