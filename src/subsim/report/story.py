"""One account's life in words, from an engine's trace."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from subsim.errors import InputError
from subsim.report.words import money, plain

MINUTES_PER_DAY = 1440
#: Events that change ARR; only theirs before and after are amounts.
LEDGER_EVENTS = frozenset(
    {
        "new",
        "renewed",
        "expansion, seats",
        "expansion, cross-sell",
        "price",
        "contraction",
        "concession",
        "churn",
        "reactivation",
    }
)
#: How an event is told; events without a sentence keep their name.
SENTENCES = {
    "review": "health score reads {score:.0f} ({who})",
    "work raised": "{who} is due",
    "work begun": "{who} begins, {days:.1f} days after it was due",
    "work done": "{who} done",
    "work expired": "{who} dropped at its deadline",
    "work cancelled": "{who} no longer needed",
    "work overtime": "{who} done out of hours",
    "first value": "reaches first value after {days:.0f} days",
    "onboarding stalled": "loses patience with onboarding",
    "renewed": "signs renewal number {number}",
    "price": "pays a new price",
    "churn": "leaves; largest cause: {who}",
    "reactivation": "comes back",
    "new": "signs",
    "tier": "moves to {who}",
    "owner": "has a new owner",
    "sponsor left": "loses its sponsor",
    "sponsor restored": "has a sponsor again",
    "opportunity": "could buy more",
    "referral": "refers another company",
    "advocate": "becomes an advocate",
    "reached by campaign": "is reached by a campaign",
    "uncontrollable loss ahead": "will not renew, for reasons of its own",
}


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
    rows = rows[~((rows["event"] == "owner") & (rows["detail"] < 0))]  # nobody owns it
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
    words = SENTENCES.get(row["event"], plain(str(row["event"])))
    values = {
        "who": plain(str(row["who"])),
        "score": row["before"] / 1e6,
        "days": row["after"] / MINUTES_PER_DAY,
        "number": int(row["detail"]) if not pd.isna(row["detail"]) else 0,
    }
    return f"{day:%Y-%m-%d}  {words.format(**values)}{_amount(row, currency)}"


def _amount(row: dict[Any, Any], currency: str) -> str:
    """What happened to ARR, where something did."""
    before, after = row["before"], row["after"]
    if row["event"] not in LEDGER_EVENTS or pd.isna(before) or pd.isna(after) or before == after:
        return ""
    return f": ARR {money(before / 100, currency)} to {money(after / 100, currency)}"
