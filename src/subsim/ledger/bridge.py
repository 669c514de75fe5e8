"""The ARR bridge: opening + new + expansion + reactivation - contraction - churn = closing, to the cent."""

from typing import Final, Literal

import numpy as np
import pandas as pd

from subsim.errors import EngineError
from subsim.ledger.rows import KINDS, as_kinds
from subsim.ledger.state import ALL, closes, codes, instant_index, ordered, previous_after
from subsim.ledger.terms import ONE_MONTH, Days, Ints, as_days

FLOWS: Final = ("new", "expansion", "contraction", "churn", "reactivation")
Period = Literal["month", "quarter", "year"]
PERIOD_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
BRIDGE_COLUMNS: Final = ("month", "segment", "opening", *FLOWS, "closing", "price_up", "price_down")


def flow_cents(rows: pd.DataFrame) -> dict[str, Ints]:
    """Each row's share in every flow of the bridge, positive cents; `price_up` and `price_down` are memo items.

    A change of price, or of ARR at a renewal, is expansion or contraction by its sign.
    """
    change = (rows["after"] - rows["before"]).to_numpy(dtype=np.int64)
    kind = as_kinds(rows["kind"])
    own = {name: kind == KINDS.index(name) for name in ("new", "churn", "reactivation", "price")}
    moved = ~(own["new"] | own["churn"] | own["reactivation"])
    up, down = np.maximum(change, 0), np.maximum(-change, 0)
    return {
        "new": np.where(own["new"], change, 0),
        "expansion": np.where(moved, up, 0),
        "contraction": np.where(moved, down, 0),
        "churn": np.where(own["churn"], -change, 0),
        "reactivation": np.where(own["reactivation"], change, 0),
        "price_up": np.where(own["price"], up, 0),
        "price_down": np.where(own["price"], down, 0),
    }


def bridge(
    ledger: pd.DataFrame, month_ends: object, by: str | None = "segment", period: Period = "month"
) -> pd.DataFrame:
    """ARR bridge per month (or quarter, or year) and segment, "all" too.

    A month's closing is the state at the last instant of its last day; a churn dated on the 1st belongs to the month it
    begins. Opening and closing come from the accounts' states and the flows from the rows' amounts, so the identity
    is a real check of the ledger.

    Args:
        ledger: rows as in `subsim.ledger.rows`, sorted by account and date or not.
        month_ends: last days of consecutive months, in order.
        by: column to split by, such as those of `with_account_columns` and `with_cohort`; None gives "all" only. Each
            row counts where it stands: an account whose rows differ in that column is split.
        period: a quarter's or year's flows are the sums of its months'; of calendar periods of which `month_ends` has
            only a part nothing is told.

    Returns:
        Columns of `BRIDGE_COLUMNS`: month (datetime64[s], the last day of the period), segment, int64 cents.
        Contraction, churn and price_down are positive amounts of loss. Price changes are inside expansion and
        contraction; price_up and price_down repeat them.

    Raises:
        EngineError: the flows do not explain a month's change of ARR.
    """
    ends = as_days(month_ends)
    months = ends.astype("datetime64[M]")
    rows = ordered(ledger)
    account, _ = codes(rows["account_id"])
    group, segments = codes(rows[by]) if by else (np.zeros(len(rows), np.int64), ())
    # Column 0 is everything before the first month opens.
    column = instant_index(rows["date"], closes(np.r_[months[:1] - ONE_MONTH, months]))
    after = rows["after"].to_numpy(dtype=np.int64)
    shape = (len(months) + 2, max(len(segments), 1))

    def table(cents: Ints) -> Ints:
        sums = np.zeros(shape, dtype=np.int64)
        np.add.at(sums, (column, group), cents)
        return np.column_stack([sums, sums.sum(axis=1)]) if segments else sums

    level = table(after - previous_after(account, after)).cumsum(axis=0)
    opening, closing = level[:-2], level[1:-1]
    flows = {name: table(cents)[1:-1] for name, cents in flow_cents(rows).items()}
    explained = (
        opening + flows["new"] + flows["expansion"] + flows["reactivation"] - flows["contraction"] - flows["churn"]
    )
    names = np.array([*segments, ALL], dtype=object)
    if (explained != closing).any():
        month, segment = np.argwhere(explained != closing)[0]
        raise EngineError(
            f"The ARR bridge of {ends[month]} ({names[segment]}) does not close: flows explain "
            f"{explained[month, segment]} cents, the accounts hold {closing[month, segment]}. "
            "Some row's `before` is not the `after` of the row before it."
        )
    parts = {"opening": opening, **flows, "closing": closing}
    if period != "month":
        ends, parts = _by_period(ends, parts, PERIOD_MONTHS[period])
    keys = {"month": np.repeat(ends.astype("datetime64[s]"), len(names)), "segment": np.tile(names, len(ends))}
    return pd.DataFrame({**keys, **{name: parts[name].ravel() for name in BRIDGE_COLUMNS[2:]}})


def _by_period(ends: Days, parts: dict[str, Ints], months: int) -> tuple[Days, dict[str, Ints]]:
    """Whole calendar periods of consecutive months: the first opening, the sums of flows, the last closing."""
    number = ends.astype("datetime64[M]").astype(np.int64)
    begin = int((-number[0]) % months) if len(number) else 0
    count = max(len(number) - begin, 0) // months
    whole = slice(begin, begin + count * months)
    shaped = {name: part[whole].reshape(count, months, part.shape[1]) for name, part in parts.items()}
    level = {"opening": 0, "closing": -1}
    summed = {n: part[:, level[n]] if n in level else part.sum(axis=1) for n, part in shaped.items()}
    return ends[whole].reshape(count, months)[:, -1], summed
