"""The expected-CMRR plan: what a base should renew to, locked at the start of a period and refreshed with add-ons.

After Mehta, Steinman and Murphy, *Customer Success*, chapter 12 (steps 1 to 3). The text leaves two things open, and
both readings are here: which churn the plan takes out (`planned`), and whether add-ons sold later are cut by it too
(`haircut`). CMRR is monthly by name, yet the text's plan is in yearly amounts: any unit will do, if it is one.
"""

from collections.abc import Collection
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.bridge import flow_cents
from subsim.ledger.state import ALL, account_states, closes, codes, ordered
from subsim.ledger.terms import ONE_DAY, ONE_MONTH, as_day, as_days
from subsim.ratios import Floats, ratio

#: Churn that the opening plan takes out: what nobody can help (bankruptcy, acquisition), or all that is expected.
Planned = Literal["unavoidable", "all"]
#: Whether the planned churn applies to the opening plan alone, as in the text's example, or again to what is added.
Haircut = Literal["opening only", "every refresh"]
PLAN_COLUMNS: Final = (
    "period",
    "segment",
    "prior",
    "avoidable_churn",
    "unavoidable_churn",
    "opening_plan",
    "locked",
    "addons",
    "refreshed",
)


def committed_mrr(live: npt.ArrayLike, signed_not_live: npt.ArrayLike, leaving: npt.ArrayLike) -> Floats:
    """CMRR: recurring revenue in force, plus what is signed and going live, less customers who left or are known to.

    Example:
        >>> float(committed_mrr(100.0, 12.0, 5.0))
        107.0
    """
    return np.asarray(np.subtract(np.add(live, signed_not_live), leaving), dtype=np.float64)


def expected_plan(
    prior: pd.DataFrame,
    addons: pd.DataFrame,
    *,
    planned: Planned = "unavoidable",
    haircut: Haircut = "opening only",
) -> pd.DataFrame:
    """Expected CMRR per period and segment, and for "all", whose plan is the sum of its segments'.

    The opening plan is `prior x (1 - planned churn)`. A period's renewals are measured against `locked`, the plan at
    the period's start, which finance agreed to; `refreshed` has the add-ons of the period too and is the next period's
    lock. Measured against the opening plan alone, add-ons hide churn. The refresh adds them at their full-year value
    (`haircut="opening only"`), or less the planned churn (`"every refresh"`, so that the churn stays the same share of
    the revised plan). A plan for the cohort that renews in one month is the same thing with that month as only period.

    Args:
        prior: `segment`, `prior_cents` (what came up for renewal or was in force before), and the shares `avoidable`
            and `unavoidable` of it that are expected to be lost in the whole plan.
        addons: `period` (sortable: a quarter's name, a month), `segment`, `addon_cents` at full-year value; a row with
            0 makes a period known.
        planned: which churn the plan takes out.
        haircut: whether add-ons are cut as well.

    Returns:
        Columns of `PLAN_COLUMNS`, int64 cents; churn amounts are those of the opening plan.

    Raises:
        InputError: shares of churn outside 0 to 1 or above 1 together; add-ons in a segment without a plan.

    Example:
        >>> prior = pd.DataFrame({"segment": ["all customers"], "prior_cents": [25_000_000_00]})
        >>> prior = prior.assign(avoidable=0.0, unavoidable=0.10)
        >>> addons = pd.DataFrame({"period": ["Q1"], "segment": ["all customers"], "addon_cents": [1_760_000_00]})
        >>> plan = expected_plan(prior, addons).iloc[-1]
        >>> int(plan["locked"]) // 100, int(plan["refreshed"]) // 100
        (22500000, 24260000)
    """
    base = prior.assign(segment=prior["segment"].astype(str)).set_index("segment").sort_index()
    rates = base[["avoidable", "unavoidable"]].to_numpy(dtype=np.float64)
    _checked(base, rates, addons)
    cents = base["prior_cents"].to_numpy(dtype=np.int64)
    losses = np.rint(cents[:, None] * rates).astype(np.int64)
    taken = losses[:, 1] if planned == "unavoidable" else losses.sum(axis=1)
    cut = rates[:, 1] if planned == "unavoidable" else rates.sum(axis=1)
    sold = addons.pivot_table(index="segment", columns="period", values="addon_cents", aggfunc="sum", fill_value=0)
    sold = sold.reindex(base.index, fill_value=0)
    full = sold.to_numpy(dtype=np.int64)
    added = full if haircut == "opening only" else full - np.rint(full * cut[:, None]).astype(np.int64)
    opening = cents - taken
    refreshed = opening[:, None] + added.cumsum(axis=1)
    locked = np.column_stack([opening, refreshed[:, :-1]])

    def by_period(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        grid = np.broadcast_to(values if values.ndim == 2 else values[:, None], full.shape)
        return np.vstack([grid, grid.sum(axis=0, keepdims=True)]).T.ravel()

    names = [*base.index, ALL]
    columns = (cents, losses[:, 0], losses[:, 1], opening, locked, full, refreshed)
    return pd.DataFrame(
        {
            "period": np.repeat(np.array(list(sold.columns), dtype=object), len(names)),
            "segment": np.tile(np.array(names, dtype=object), full.shape[1]),
            **{name: by_period(values) for name, values in zip(PLAN_COLUMNS[2:], columns, strict=True)},
        }
    )


def against_plan(plan: pd.DataFrame, renewed: pd.DataFrame) -> pd.DataFrame:
    """What was renewed, as a share of each denominator: the opening plan, the locked and the refreshed one.

    Args:
        plan: as from `expected_plan`.
        renewed: `period`, `segment` ("all" too, where wanted), `renewed_cents`.

    Returns:
        The rows of `plan` that have a result, with `renewed`, `of_opening_plan`, `of_locked`, `of_refreshed`.
    """
    table = plan.merge(renewed.rename(columns={"renewed_cents": "renewed"}), on=["period", "segment"])
    shares = {f"of_{name}": ratio(table["renewed"], table[name]) for name in ("opening_plan", "locked", "refreshed")}
    return table.assign(**shares)


def churn_classes(
    ledger: pd.DataFrame, first_day: object, last_day: object, unavoidable: Collection[str]
) -> pd.DataFrame:
    """Avoidable and unavoidable churn of the accounts in force before `first_day`, per segment; a prior for a plan.

    The class follows from the reason on the churn row. A loss counts up to what the account had before `first_day`, so
    the sum is the churn of a frozen cohort; contraction is not in it.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        first_day: first day of the time looked at, the first of a month.
        last_day: its last day.
        unavoidable: reasons that nobody can help, as they stand in the ledger; a simulated one says
            "out of anybody's control".

    Returns:
        segment, prior_cents (ARR before `first_day`), avoidable_cents, unavoidable_cents, and the shares `avoidable`
        and `unavoidable` of 1 (NaN without ARR).
    """
    rows = _base_rows(ledger, first_day, last_day)
    lost = rows[(rows["kind"] == "churn") & (rows["churns_before"] == 0)]
    helpless = lost["reason"].astype(str).isin(list(unavoidable))
    cents = lost[["before", "held"]].min(axis=1)
    table = _prior(ledger, first_day)
    for name, chosen in (("avoidable", ~helpless), ("unavoidable", helpless)):
        sums = cents[chosen].groupby(lost["segment"].astype(str)[chosen]).sum()
        table[f"{name}_cents"] = sums.reindex(table["segment"], fill_value=0).to_numpy(dtype=np.int64)
        table[name] = ratio(table[f"{name}_cents"], table["prior_cents"])
    return table


def addons_sold(ledger: pd.DataFrame, first_day: object, last_day: object, months: Literal[1, 3] = 3) -> pd.DataFrame:
    """Add-ons at full-year value, by month or quarter of the plan and segment: more ARR from accounts that stayed.

    Only accounts in force before `first_day` count, until they leave: what new customers add is not in the plan's base.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        first_day: first day of the plan, the first of a month.
        last_day: its last day.
        months: length of a period; a refresh every quarter is usual, every month the most careful.

    Returns:
        period (first month of it, `YYYY-MM`), segment, addon_cents; every period and segment of the base, zeros too.
    """
    rows = _base_rows(ledger, first_day, last_day)
    origin = as_day(first_day).astype("datetime64[M]")
    step = np.timedelta64(months, "M")
    periods = np.arange(origin, as_day(last_day).astype("datetime64[M]") + ONE_MONTH, step)
    at = (as_days(rows["date"]).astype("datetime64[M]") - origin) // step
    counts = rows["churns_before"].to_numpy() == 0
    segments = list(_prior(ledger, first_day)["segment"])
    sums = np.zeros((len(periods), len(segments)), dtype=np.int64)
    which = pd.Index(segments).get_indexer(pd.Index(rows["segment"].astype(str)))
    np.add.at(sums, (at.astype(np.int64)[counts], which[counts]), flow_cents(rows)["expansion"][counts])
    return pd.DataFrame(
        {
            "period": np.repeat(periods.astype(str), len(segments)),
            "segment": np.tile(np.array(segments, dtype=object), len(periods)),
            "addon_cents": sums.ravel(),
        }
    )


def _checked(base: pd.DataFrame, rates: Floats, addons: pd.DataFrame) -> None:
    for (segment, row), shares in zip(base.iterrows(), rates, strict=True):
        if not ((shares >= 0) & (shares <= 1)).all() or shares.sum() > 1:
            found = f"avoidable {row['avoidable']:g}, unavoidable {row['unavoidable']:g}"
            allowed = "shares from 0 to 1, together at most 1, such as 0.1 for 10 %"
            raise InputError(where=f"plan of segment {segment!r}", found=found, allowed=allowed)
    unknown = sorted(set(addons["segment"].astype(str)) - set(base.index))
    if unknown:
        allowed = ", ".join(base.index)
        raise InputError(where="add-ons", found=f"segment {unknown[0]!r}", allowed=allowed, do="give it a prior, or 0")


def _held(ledger: pd.DataFrame, first_day: object) -> "tuple[pd.Series[int], pd.Series[str]]":
    """ARR and segment of every account at the close of the day before `first_day`."""
    month = as_day(first_day).astype("datetime64[M]")
    if as_day(first_day) != month.astype("datetime64[D]"):
        raise InputError(where="first_day", found=str(first_day), allowed="the first day of a month")
    state = account_states(ledger, closes(np.array([month - ONE_MONTH])))
    segment = np.array(state.segments, dtype=object)[state.segment]
    return pd.Series(state.arr[:, 0], state.accounts), pd.Series(segment, state.accounts)


def _prior(ledger: pd.DataFrame, first_day: object) -> pd.DataFrame:
    held, segment = _held(ledger, first_day)
    sums = held.groupby(segment.to_numpy()).sum()
    return pd.DataFrame({"segment": sums.index.to_numpy(), "prior_cents": sums.to_numpy(dtype=np.int64)})


def _base_rows(ledger: pd.DataFrame, first_day: object, last_day: object) -> pd.DataFrame:
    """Rows of the days given, of accounts in force before, with `held` then and churns since, before each row."""
    held, _ = _held(ledger, first_day)
    rows = ordered(ledger)
    day = as_days(rows["date"])
    rows = rows[(day >= as_day(first_day)) & (day < as_day(last_day) + ONE_DAY)]
    rows = rows.assign(held=held.reindex(rows["account_id"].astype(str)).to_numpy())
    rows = rows[rows["held"] > 0]
    account, _ = codes(rows["account_id"])
    gone = (rows["kind"] == "churn").to_numpy().astype(np.int64)
    since = pd.Series(gone).groupby(account).cumsum().to_numpy() - gone
    return rows.assign(churns_before=since)
