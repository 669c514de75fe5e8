"""Conventions on which finance teams differ, each a switch with a default, and the ledger restated by them."""

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from subsim.errors import InputError
from subsim.ledger.restate import late_returns_as_new, net_by_month, roll_up, without_win_backs


@dataclass(frozen=True)
class Definitions:
    """How the metrics are counted. The defaults follow the SaaS Metrics Standards Board where it has a rule.

    Example:
        >>> Definitions(reactivation_in_nrr=True).level
        'account'
    """

    level: Literal["account", "parent"] = "account"
    """Whose ARR is netted before a change is named: each account's, or that of its ultimate parent."""
    netting: Literal["moment", "month"] = "moment"
    """`moment` shows every change; `month` shows an account's net change of a month, all that snapshots can see."""
    grace_days: int = 30
    """Longest gap between contracts that is a late renewal; used where the ledger is made of contracts."""
    win_back_days: int = 0
    """A return within so many days after a churn is no churn: the ARR stays in force (typically 30 to 90 days)."""
    reactivation_days: int | None = None
    """A return later than so many days after the churn counts as new; None: always as reactivation."""
    reactivation_in_nrr: bool = False
    """NRR counts the ARR of cohort accounts that left and came back (ChartMogul does, the Board does not)."""
    new_in_window: bool = False
    """GRR and NRR also take what accounts won inside the window gained or lost since, as a bridge does."""
    price_apart: bool = False
    """Price changes are lines of their own, not part of expansion and contraction (nor of the quick ratio)."""
    logo_floor_cents: int = 1
    """Least ARR with which an account is a logo."""
    free_plans_are_logos: bool = False
    """Accounts with only a free contract in force count as logos; needs the contracts."""
    window_months: int = 12
    """Length of the window of the retention rates: 12 gives trailing twelve months."""

    def __post_init__(self) -> None:
        whole = ("grace_days", "win_back_days", "reactivation_days", "logo_floor_cents")
        low = {**dict.fromkeys(whole, 0), "logo_floor_cents": 1, "window_months": 1}
        for name, least in low.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(where=f"definitions {name}", found=str(value), allowed=f"{least} or more")
        for name, allowed in (("level", ("account", "parent")), ("netting", ("moment", "month"))):
            if getattr(self, name) not in allowed:
                raise InputError(
                    where=f"definitions {name}", found=str(getattr(self, name)), allowed=" or ".join(allowed)
                )


DEFAULT: Final = Definitions()


def restate(ledger: pd.DataFrame, definitions: Definitions, accounts: pd.DataFrame | None = None) -> pd.DataFrame:
    """The ledger as it reads under the definitions: rolled up, win-backs closed, late returns new, netted by month.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        definitions: which conventions hold.
        accounts: account_id, parent_id and segment; needed for the level of parents.

    Raises:
        InputError: the level of parents is asked for, and there is no parent_id.
    """
    rows = ledger
    if definitions.level == "parent":
        if accounts is None or "parent_id" not in accounts:
            allowed = "accounts with a column parent_id"
            raise InputError(where="definitions level", found="parent without accounts.parent_id", allowed=allowed)
        rows = roll_up(rows, accounts)
    if definitions.win_back_days:
        rows = without_win_backs(rows, definitions.win_back_days)
    if definitions.reactivation_days is not None:
        rows = late_returns_as_new(rows, definitions.reactivation_days)
    return net_by_month(rows) if definitions.netting == "month" else rows
