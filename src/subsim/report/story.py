"""One account's life in words, from an engine's trace."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from subsim.errors import InputError
from subsim.report.words import money, plain

MINUTES_PER_DAY = 1440


def story(trace: pd.DataFrame, account_id: str, *, start: date, currency: str = "USD") -> str:
    """Events of an account, one dated line each.

    Args:
        trace: columns minute (since the start), event, account_id, who, before, after (ARR in cents), detail.
        account_id: whose story.
        start: first day of the scenario.
        currency: for amounts.

    Raises:
        InputError: no event of that account; names a few that have some.
    """
    rows = trace[trace["account_id"] == account_id].sort_values("minute", kind="stable")
    if rows.empty:
        known = ", ".join(sorted(trace["account_id"].dropna().astype(str).unique())[:5])
        raise InputError(
            where="--account",
            found=account_id,
            allowed=f"an account with events, such as {known or 'none in this draw'}",
        )
    lines = [_line(row, start, currency) for row in rows.to_dict("records")]
    return "\n".join([f"{account_id}: {len(lines)} events", *lines])


def _line(row: dict[Any, Any], start: date, currency: str) -> str:
    day = start + timedelta(days=int(row["minute"]) // MINUTES_PER_DAY)
    who = f" by {plain(str(row['who']))}" if row["who"] else ""
    return f"{day:%Y-%m-%d}  {plain(str(row['event']))}{who}{_amount(row, currency)}{_detail(row)}"


def _amount(row: dict[Any, Any], currency: str) -> str:
    """What happened to ARR, where something did."""
    before, after = row["before"], row["after"]
    if pd.isna(before) or pd.isna(after) or before == after:
        return ""
    return f": ARR {money(before / 100, currency)} to {money(after / 100, currency)}"


def _detail(row: dict[Any, Any]) -> str:
    detail = row["detail"]
    return "" if pd.isna(detail) or detail == 0 else f" ({detail:.3g})"
