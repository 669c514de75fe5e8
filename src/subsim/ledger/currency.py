"""Constant currency: all amounts at one set of rates; and the part of a bridge that only rates moved."""

from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.bridge import BRIDGE_COLUMNS, bridge
from subsim.ledger.state import ALL
from subsim.ledger.terms import ONE_MONTH, Days, Ints, as_days

#: Rates are kept in this many parts of one, exactly: ten decimals.
RATE_PARTS: Final = 10**10
Rates = pd.DataFrame


def rate_parts(rates: Rates) -> "pd.Series[int]":
    """Rates as whole numbers of ten-billionths by currency, read through their decimal text.

    Args:
        rates: `currency` and `rate` (units of the reporting currency for one unit of it; text or number, at most ten
            decimals), one row per currency.

    Raises:
        InputError: a currency twice, or a rate that is not a number above 0 with at most ten decimals.
    """
    names = rates["currency"].astype(str)
    if names.duplicated().any():
        found = f"{names[names.duplicated()].iloc[0]} twice"
        raise InputError(where="fx currency", found=found, allowed="one rate for each currency")
    parts = [_parts(name, rate) for name, rate in zip(names, rates["rate"], strict=True)]
    return pd.Series(parts, index=pd.Index(names), dtype=object)


def _parts(name: str, rate: object) -> int:
    try:
        exact = Decimal(str(rate)) * RATE_PARTS
        if exact.is_finite() and exact > 0 and exact == exact.to_integral_value():
            return int(exact)
    except InvalidOperation:
        pass
    allowed = "a number above 0 with at most ten decimals"
    raise InputError(where=f"fx rate of {name}", found=str(rate), allowed=allowed)


def converted(cents: object, currency: object, rates: Rates) -> Ints:
    """Amounts in the reporting currency: cents times rate, exact, then rounded to the cent, halves away from zero.

    An amount above 0 stays at least one cent, so that a small customer does not vanish.

    Args:
        cents: int64 amounts.
        currency: currency of each.
        rates: see `rate_parts`.

    Raises:
        InputError: a currency without a rate.

    Example:
        >>> rates = pd.DataFrame({"currency": ["USD", "EUR"], "rate": ["1", "1.10"]})
        >>> converted([100, 45], ["EUR", "EUR"], rates).tolist()
        [110, 50]
    """
    names = pd.Series(currency).astype(str)
    parts = rate_parts(rates)
    missing = sorted(set(names) - set(parts.index))
    if missing:
        where, allowed = "fx", f"a rate for each currency; there are {', '.join(sorted(parts.index))}"
        raise InputError(where=where, found=f"no rate for {', '.join(missing)}", allowed=allowed)
    amounts = np.asarray(cents, dtype=np.int64)
    # Python's whole numbers: the products do not fit 64 bits.
    wide = np.abs(amounts).astype(object) * names.map(parts).to_numpy(dtype=object)
    rounded = ((2 * wide + RATE_PARTS) // (2 * RATE_PARTS)).astype(np.int64)
    return np.asarray(np.where(amounts == 0, 0, np.sign(amounts) * np.maximum(rounded, 1)), dtype=np.int64)


def in_constant_currency(table: pd.DataFrame, rates: Rates) -> pd.DataFrame:
    """A table of contracts, movements, MRR or ledger rows with all its amounts at one set of rates.

    Convert what is read before a ledger is made of it where one account pays in several currencies; a ledger of
    accounts with one currency each may be converted itself, and closes again.

    Args:
        table: has `currency`; every column of cents (`..._cents`, and a ledger's `before` and `after`) is converted.
        rates: see `rate_parts`.
    """
    money = [name for name in table if str(name).endswith("_cents") or name in ("before", "after")]
    return table.assign(**{str(name): converted(table[name], table["currency"], rates) for name in money})


def bridge_with_rates(
    ledger: pd.DataFrame, month_ends: object, rates: Rates, by: str | None = "segment"
) -> pd.DataFrame:
    """ARR bridge at each month's own rates, with what only the rates moved as a line of its own, `fx`.

    Every currency has its bridge in its own cents; its flows are valued at the rates of their month, its closing too,
    its opening at those of the month before. Opening + flows + fx = closing, to the cent. The first month opens at
    its own rates if there are none of the month before.

    Args:
        ledger: rows as in `subsim.ledger.rows`, in local cents, with a column `currency`.
        month_ends: last days of consecutive months, in order.
        rates: currency, month, rate: one row for each currency and month.
        by: column to split by.

    Returns:
        Columns of `BRIDGE_COLUMNS`, and fx (int64 cents, of either sign).

    Raises:
        InputError: a month has no rate for a currency.
    """
    ends = as_days(month_ends)
    by_month = rates.assign(currency=_label(rates["currency"], as_days(rates["month"]).astype("datetime64[M]")))
    keys = ["month", "segment"]
    valued = [
        _valued(bridge(rows, ends, by), str(name), by_month)
        for name, rows in ledger.groupby(ledger["currency"].astype(str))
    ]
    if not valued:
        return bridge(ledger, ends, by).assign(fx=0)
    parts = pd.concat(valued)
    if by:
        parts = parts[parts["segment"] != ALL]
        parts = pd.concat([parts, parts.assign(segment=ALL)])
    segments = [*sorted(set(parts["segment"]) - {ALL}), ALL]
    index = pd.MultiIndex.from_product([ends.astype("datetime64[s]"), segments], names=keys)
    return parts.groupby(keys).sum().reindex(index, fill_value=0).reset_index()[[*BRIDGE_COLUMNS, "fx"]]


def _label(currency: object, month: Days) -> list[str]:
    return [f"{name} in {when}" for name, when in zip(pd.Series(currency).astype(str), month, strict=True)]


def _valued(table: pd.DataFrame, currency: str, rates: Rates) -> pd.DataFrame:
    """A bridge in local cents at the rates of its months, with the line that closes it."""
    month = as_days(table["month"]).astype("datetime64[M]")
    names = pd.Series(currency, index=table.index)
    now, before = _label(names, month), _label(names, np.asarray(month - ONE_MONTH, dtype="datetime64[M]"))
    first = (month == month.min()) & ~pd.Series(before).isin(rates["currency"]).to_numpy()
    opened = np.where(first, np.array(now, dtype=object), np.array(before, dtype=object))
    money = [name for name in BRIDGE_COLUMNS[2:] if name != "opening"]
    cents = {name: converted(table[name], now, rates) for name in money}
    opening = converted(table["opening"], opened, rates)
    gained = cents["new"] + cents["expansion"] + cents["reactivation"] - cents["contraction"] - cents["churn"]
    return table.assign(opening=opening, **cents, fx=cents["closing"] - opening - gained)
