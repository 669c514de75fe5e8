"""A book in several currencies, read at one set of rates: the latest that it knows."""

import pandas as pd

from subsim.ledger import in_constant_currency

OWN = ""  # a blank currency is the book's own, at a rate of 1
CONVERTED = ("contracts", "movements", "mrr")
Frames = dict[str, pd.DataFrame]


def constant_currency(tables: Frames) -> tuple[Frames, str]:
    """Revenue tables at the book's latest rates, and a sentence that says so; nothing changes without a table `fx`.

    A rate without a month is older than any with one. That rates have moved does not show as growth or churn.
    """
    used = [name for name in CONVERTED if name in tables and "currency" in tables[name]]
    used = [name for name in used if (tables[name]["currency"] != OWN).any()]
    if "fx" not in tables or not used:
        return tables, ""
    known = tables["fx"].sort_values("month", na_position="first", kind="stable")
    latest = known.drop_duplicates("currency", keep="last")[["currency", "rate"]]
    if OWN not in set(latest["currency"]):
        latest = pd.concat([latest, pd.DataFrame({"currency": [OWN], "rate": [1]})], ignore_index=True)
    converted = {name: in_constant_currency(tables[name], latest) for name in used}
    rates = ", ".join(f"{row.currency} {row.rate:g}" for row in latest.itertuples() if row.currency != OWN)
    return tables | converted, f"Amounts are at constant rates: {rates}."
