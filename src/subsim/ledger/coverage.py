"""Who looks after the ARR: accounts and ARR per CSM, and the share that is named, pooled, digital or uncovered."""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.free import Bools
from subsim.ledger.state import account_states
from subsim.ledger.terms import ONE_DAY, as_day, as_days
from subsim.ratios import ratio

Form = Literal["named", "pooled", "digital"]
FORMS: Final = ("named", "pooled", "digital", "uncovered")


def csms_on(seats: pd.DataFrame, as_of: object, teams: tuple[str, ...]) -> list[str]:
    """Seats of the teams that are filled at the close of a day; managers, operations and onboarding are other teams.

    Args:
        seats: seat_id, team, start_date, leave_date (missing: still there).
        as_of: the day.
        teams: teams whose people carry a book of accounts.

    Raises:
        InputError: a team that has no seats.
    """
    names = sorted(set(seats["team"].astype(str)))
    unknown = [team for team in teams if team not in names]
    if unknown:
        raise InputError(where="teams", found=", ".join(unknown), allowed=", ".join(names))
    day, leave = as_day(as_of), as_days(seats["leave_date"]) if "leave_date" in seats else None
    there = as_days(seats["start_date"]) <= day
    if leave is not None:
        there &= np.isnat(leave) | (leave > day)
    return sorted(seats.loc[there & seats["team"].isin(teams).to_numpy(), "seat_id"].astype(str))


def per_csm(ledger: pd.DataFrame, as_of: object, accounts: pd.DataFrame, csms: list[str]) -> pd.DataFrame:
    """Accounts and ARR that CSMs manage, each and on average.

    Managed is what has one of them as owner. The average is over all of them, those without accounts included.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        as_of: the day.
        accounts: account_id, owner_id.
        csms: owners who count, such as from `csms_on`.

    Returns:
        Columns csm, accounts, arr_cents, by CSM; the last row, `mean`, has the averages (NaN without CSMs).
    """
    live = _live(ledger, as_of, accounts)
    managed = live[live["owner_id"].isin(csms)].groupby("owner_id")["arr"].agg(["size", "sum"])
    managed = managed.reindex(sorted(csms), fill_value=0)
    rows = pd.DataFrame(
        {"csm": managed.index, "accounts": managed["size"].to_numpy(), "arr_cents": managed["sum"].to_numpy()}
    )
    total = rows[["accounts", "arr_cents"]].sum().to_numpy()
    mean = dict(zip(("accounts", "arr_cents"), ratio(total, len(csms)), strict=True))
    return pd.concat([rows, pd.DataFrame([{"csm": "mean", **mean}])], ignore_index=True)


def coverage(
    ledger: pd.DataFrame,
    as_of: object,
    accounts: pd.DataFrame,
    *,
    csms: list[str] | None = None,
    form_of_tier: Mapping[str, Form] | None = None,
) -> pd.DataFrame:
    """Share of accounts and of ARR by form of coverage.

    Named: the owner is one of the CSMs (any owner, without a list of them). Others have the form of their tier, if it
    is pooled or digital. The rest is uncovered; so is an account whose named owner has left.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        as_of: the day.
        accounts: account_id, owner_id, and tier where `form_of_tier` is given.
        csms: owners who are there.
        form_of_tier: form of coverage by tier.

    Returns:
        Columns form (as `FORMS`), accounts, arr_cents, share_of_accounts, share_of_arr (NaN without any).
    """
    live = _live(ledger, as_of, accounts)
    owner = live["owner_id"]
    named: Bools = ((owner != "") if csms is None else owner.isin(csms)).to_numpy()
    tier = (
        live["tier"].map(dict(form_of_tier or {})).astype(object).fillna("")
        if "tier" in live
        else pd.Series("", live.index)
    )
    form = np.select([named, tier == "pooled", tier == "digital"], FORMS[:3], FORMS[3])
    sums = live["arr"].groupby(form).agg(["size", "sum"]).reindex(list(FORMS), fill_value=0)
    count, arr = sums["size"].to_numpy(dtype=np.int64), sums["sum"].to_numpy(dtype=np.int64)
    shares = {"share_of_accounts": ratio(count, count.sum()), "share_of_arr": ratio(arr, arr.sum())}
    return pd.DataFrame({"form": FORMS, "accounts": count, "arr_cents": arr, **shares})


def _live(ledger: pd.DataFrame, as_of: object, accounts: pd.DataFrame) -> pd.DataFrame:
    """Accounts with ARR at the close of the day: account_id, arr (cents), owner_id and tier, blank where unknown."""
    state = account_states(ledger, np.array([as_day(as_of) + ONE_DAY], dtype="datetime64[s]"))
    arr = state.arr[:, 0]
    live = pd.DataFrame({"account_id": np.array(state.accounts, dtype=object)[arr > 0], "arr": arr[arr > 0]})
    columns = [name for name in ("owner_id", "tier") if name in accounts]
    table = accounts.assign(account_id=accounts["account_id"].astype(str)).set_index("account_id")[columns]
    known = table.reindex(live["account_id"]).fillna("").astype(str).reset_index(drop=True)
    return live.join(known) if "owner_id" in columns else live.join(known).assign(owner_id="")
