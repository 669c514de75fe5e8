"""Every metric of a ledger on a day as one long table, each rate with its numerator and denominator."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.definitions import DEFAULT, Definitions, restate
from subsim.ledger.free import Bools, free_at_closes, free_contracts, with_free_accounts
from subsim.ledger.renewals import renewals
from subsim.ledger.restate import ultimate_parents
from subsim.ledger.state import ALL
from subsim.ledger.terms import Ints
from subsim.ledger.window import Window, window
from subsim.ratios import Floats, grr, logo_retention, nrr, quick_ratio, ratio

TABLE_COLUMNS: Final = (
    "metric", "segment", "value", "numerator", "denominator", "accounts", "form", "thin", "unit",
)  # fmt: skip
THIN_ACCOUNTS: Final = 20
THIN_CENTS: Final = 200_000_000  # 2 million of ARR: cells below are starred, a reporting rule of finance
TOP: Final = 10
FLOW_LINES: Final = ("new", "expansion", "contraction", "churn", "reactivation", "price_up", "price_down")
Column = npt.NDArray[np.int64] | Floats
COHORT: Final = "frozen cohort"
#: metric, form, unit; then by segment: value, numerator, denominator, accounts, ARR of the cell.
Line = tuple[str, str, str, Floats, Column, Column, Ints, Ints]


def metrics_table(
    ledger: pd.DataFrame,
    as_of: object,
    definitions: Definitions = DEFAULT,
    *,
    accounts: pd.DataFrame | None = None,
    contracts: pd.DataFrame | None = None,
    csms: list[str] | None = None,
    by: str = "segment",
) -> pd.DataFrame:
    """Metrics at the close of a day, of the window that ends there, by segment and "all".

    Args:
        ledger: rows as in `subsim.ledger.rows`, actual or simulated.
        as_of: the day; the window is the `definitions.window_months` months that end with it.
        definitions: which conventions hold.
        accounts: account_id, segment, parent_id, owner_id; needed for the level of parents, for free plans, and for
            ARR and accounts per CSM, which are there where any owner is.
        contracts: needed only to count free plans as logos.
        csms: owners who count as CSMs, such as from `csms_on`; every owner without it.
        by: column of the ledger to split by.

    Returns:
        Columns of `TABLE_COLUMNS`. `value` is numerator over denominator where there are both (NaN where the
        denominator is 0); `unit` is cents, accounts, share, or times. `accounts` counts those behind the denominator
        (or the numerator, where there is none). `form` names the definition; an approximation says so. `thin` marks
        cells of fewer than 20 accounts or less than 2 million of ARR. GRR, NRR: `subsim.ratios`.
    """
    seen, free = _seen(restate(ledger, definitions, accounts), as_of, definitions, accounts, contracts, by)
    lines = [
        *_levels(seen, definitions, free),
        *_flows(seen, definitions),
        *_retention(seen, definitions),
        *_logos(seen, definitions, free),
        *_approximations(seen, definitions),
        *_renewals(ledger, as_of, definitions, by, seen),
        *_quick(seen, definitions),
        _concentration(seen),
        *_per_csm(seen, accounts, csms),
    ]
    names = np.array([*seen.segments, ALL], dtype=object)
    return _long(names, lines)


def _seen(
    rows: pd.DataFrame,
    as_of: object,
    definitions: Definitions,
    accounts: pd.DataFrame | None,
    contracts: pd.DataFrame | None,
    by: str,
) -> tuple[Window, Bools]:
    """The window, and whether each of its accounts is free at each of its closes (false unless that makes a logo)."""
    months = definitions.window_months
    if not definitions.free_plans_are_logos:
        seen = window(rows, as_of, months, by)
        return seen, np.zeros(seen.arr.shape, dtype=bool)
    if accounts is None or contracts is None or by != "segment":
        allowed = "accounts and contracts given, and a split by segment"
        raise InputError(where="definitions free_plans_are_logos", found="no view of free plans", allowed=allowed)
    free = free_contracts(contracts)
    if definitions.level == "parent":
        free = free.assign(account_id=free["account_id"].map(ultimate_parents(accounts)))
    segments = pd.Series(accounts["segment"].astype(str).to_numpy(), index=accounts["account_id"].astype(str))
    seen = window(with_free_accounts(rows, free, segments), as_of, months)
    return seen, free_at_closes(seen.accounts, free, as_of, months)


def _long(names: npt.NDArray[np.object_], lines: list[Line]) -> pd.DataFrame:
    """Lines as rows, one for each segment."""
    metric, form, unit, value, part, whole, count, arr = zip(*lines, strict=True)
    size, accounts = len(names), np.concatenate(count)
    columns = (
        np.repeat(np.array(metric, dtype=object), size),
        np.tile(names, len(lines)),
        np.concatenate(value),
        np.concatenate(part).astype(np.float64),
        np.concatenate(whole).astype(np.float64),
        accounts,
        np.repeat(np.array(form, dtype=object), size),
        (accounts < THIN_ACCOUNTS) | (np.concatenate(arr) < THIN_CENTS),
        np.repeat(np.array(unit, dtype=object), size),
    )
    return pd.DataFrame(dict(zip(TABLE_COLUMNS, columns, strict=True)))


def _logo(seen: Window, at: int, definitions: Definitions, free: Bools) -> Bools:
    return np.asarray((seen.arr[:, at] >= definitions.logo_floor_cents) | free[:, at])


def _levels(seen: Window, definitions: Definitions, free: Bools) -> Iterator[Line]:
    now = seen.sums(seen.arr[:, -1])
    paying = seen.sums(seen.arr[:, -1] > 0)
    logos = seen.sums(_logo(seen, -1, definitions, free))
    none = np.full(len(now), np.nan)
    yield "arr", "in force", "cents", now.astype(np.float64), now, none, paying, now
    yield "logos", "in force", "accounts", logos.astype(np.float64), logos, none, logos, now
    yield "arr_per_account", "mean of paying accounts", "cents", ratio(now, paying), now, paying, paying, now


def _flows(seen: Window, definitions: Definitions) -> Iterator[Line]:
    opening = seen.sums(seen.arr[:, 0])
    count = seen.sums((seen.arr[:, 0] > 0) | (seen.arr[:, -1] > 0))
    none = np.full(len(opening), np.nan)
    lines = flow_lines(seen.flows, definitions)
    for name in FLOW_LINES:
        memo = name.startswith("price") and not definitions.price_apart
        form = f"{definitions.window_months} months" + (", memo: inside the lines above" if memo else "")
        yield name, form, "cents", lines[name].astype(np.float64), lines[name], none, count, opening


def flow_lines(flows: dict[str, Ints], definitions: Definitions) -> dict[str, Ints]:
    """Flows as the definitions report them: price changes inside expansion and contraction, or apart."""
    if not definitions.price_apart:
        return flows
    expansion = flows["expansion"] - flows["price_up"]
    return {**flows, "expansion": expansion, "contraction": flows["contraction"] - flows["price_down"]}


def _retention(seen: Window, definitions: Definitions) -> Iterator[Line]:
    then, gross, net = (seen.sums(column) for column in seen.kept(0, -1, definitions))
    count = seen.sums(seen.arr[:, 0] > 0)
    yield "grr", COHORT, "share", grr(gross, then), gross, then, count, then
    with_, without = "with reactivation", "without reactivation"
    own, other = (with_, without) if definitions.reactivation_in_nrr else (without, with_)
    yield "nrr", f"{COHORT}, {own}", "share", nrr(net, then), net, then, count, then
    switched = replace(definitions, reactivation_in_nrr=not definitions.reactivation_in_nrr)
    net = seen.sums(seen.kept(0, -1, switched)[2])
    yield "nrr", f"{COHORT}, {other}", "share", nrr(net, then), net, then, count, then


def _logos(seen: Window, definitions: Definitions, free: Bools) -> Iterator[Line]:
    then, now = _logo(seen, 0, definitions, free), _logo(seen, -1, definitions, free)
    stayed = (seen.churns[:, 0] == seen.churns[:, -1]) | free[:, -1]
    kept, cohort = seen.sums(then & now & stayed), seen.sums(then)
    opening = seen.sums(np.where(then, seen.arr[:, 0], 0))
    yield "logo_retention", COHORT, "share", logo_retention(kept, cohort), kept, cohort, cohort, opening


def _approximations(seen: Window, definitions: Definitions) -> Iterator[Line]:
    """GRR and NRR from the bridge, and annual rates as products of monthly ones: neither is the definition."""
    opening = seen.sums(seen.arr[:, 0])
    count = seen.sums(seen.arr[:, 0] > 0)
    flow = seen.flows
    gross = opening - flow["churn"] - flow["contraction"]
    net = gross + flow["expansion"] + (flow["reactivation"] if definitions.reactivation_in_nrr else 0)
    form = "bridge, approximation"
    yield "grr", form, "share", grr(gross, opening), gross, opening, count, opening
    yield "nrr", form, "share", nrr(net, opening), net, opening, count, opening
    closed = replace(definitions, new_in_window=False)
    products = np.ones((2, len(opening)))
    for month in range(definitions.window_months):
        then, *kept = (seen.sums(column) for column in seen.kept(month, month + 1, closed))
        products *= [ratio(column, then) for column in kept]
    none = np.full(len(opening), np.nan)
    for name, value in zip(("grr", "nrr"), products, strict=True):
        yield name, "product of months, approximation", "share", value, none, none, count, opening


def _renewals(ledger: pd.DataFrame, as_of: object, definitions: Definitions, by: str, seen: Window) -> Iterator[Line]:
    decided = renewals(ledger, as_of, definitions.window_months, by)
    names = [*seen.segments]
    segment = pd.Index(names).get_indexer(pd.Index(decided["segment"].astype(str)))
    sums = {}
    for name in ("available", "gross", "net"):
        part = np.zeros(len(names), dtype=np.int64)
        known = segment >= 0
        np.add.at(part, segment[known], decided[name].to_numpy()[known])
        sums[name] = np.r_[part, decided[name].sum()].astype(np.int64)
    count = np.r_[np.bincount(segment[segment >= 0], minlength=len(names)), len(decided)].astype(np.int64)
    atr, none = sums["available"], np.full(len(count), np.nan)
    form = "renewed ARR / ARR available to renew, by account"
    yield "atr", "ARR available to renew, decided in the window", "cents", atr.astype(float), atr, none, count, atr
    yield "renewal_rate_gross", form, "share", ratio(sums["gross"], atr), sums["gross"], atr, count, atr
    yield "renewal_rate_net", form, "share", ratio(sums["net"], atr), sums["net"], atr, count, atr


def _quick(seen: Window, definitions: Definitions) -> Iterator[Line]:
    lines = flow_lines(seen.flows, definitions)
    won, lost = lines["new"] + lines["expansion"], lines["churn"] + lines["contraction"]
    count = seen.sums((seen.arr[:, 0] > 0) | (seen.arr[:, -1] > 0))
    opening = seen.sums(seen.arr[:, 0])
    for form, more in (("without reactivation", 0 * won), ("with reactivation", lines["reactivation"])):
        value = quick_ratio(lines["new"] + more, lines["expansion"], lines["churn"], lines["contraction"])
        yield "quick_ratio", form, "times", value, won + more, lost, count, opening


def _concentration(seen: Window) -> Line:
    """Share of ARR of the ten largest accounts, in each segment of that segment's own ten."""
    now = seen.arr[:, -1]
    parts = [now[seen.segment == code] for code in range(len(seen.segments))]
    top = np.array([np.sort(part)[-TOP:].sum() for part in [*parts, now]], dtype=np.int64)
    whole, count = seen.sums(now), seen.sums(now > 0)
    return f"top{TOP}_share", f"{TOP} largest accounts", "share", ratio(top, whole), top, whole, count, whole


def _per_csm(seen: Window, accounts: pd.DataFrame | None, csms: list[str] | None) -> Iterator[Line]:
    """Load of the CSMs and the share that they cover; in a segment its own CSMs are counted, each in every segment."""
    if accounts is None or "owner_id" not in accounts or not (accounts["owner_id"].fillna("") != "").any():
        return
    owner = pd.Series(accounts["owner_id"].fillna("").astype(str).to_numpy(), index=accounts["account_id"].astype(str))
    of_account = owner.reindex(list(seen.accounts)).fillna("").to_numpy(dtype=object)
    now = seen.arr[:, -1]
    live = now > 0
    managed = live & (of_account != "" if csms is None else np.isin(of_account, csms))
    groups = [*(seen.segment == code for code in range(len(seen.segments))), np.ones(len(now), dtype=bool)]
    people = np.array([len(set(of_account[managed & group])) for group in groups], dtype=np.int64)
    if csms is not None:
        people[-1] = len(csms)
    held, arr = seen.sums(managed), seen.sums(np.where(managed, now, 0))
    count, whole = seen.sums(live), seen.sums(now)
    form = "managed by named CSMs"
    yield "accounts_per_csm", form, "accounts", ratio(held, people), held, people, held, arr
    yield "arr_per_csm", form, "cents", ratio(arr, people), arr, people, held, arr
    yield "coverage_of_accounts", form, "share", ratio(held, count), held, count, count, whole
    yield "coverage_of_arr", form, "share", ratio(arr, whole), arr, whole, count, whole
