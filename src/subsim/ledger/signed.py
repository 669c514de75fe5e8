"""Signed terms with their money: what revenue, billings and RPO are computed from, from contracts or from a ledger."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.state import codes, ordered
from subsim.ledger.terms import ONE_DAY, Days, Ints, add_months, as_day, as_days, terms, whole_months

#: Months that one invoice pays for; `upfront` is one invoice for the whole term.
BILLING: Final = {"monthly": 1, "quarterly": 3, "annual": 12, "upfront": 1200}
COLUMNS: Final = (
    "contract",
    "account_id",
    "segment",
    "booked_date",
    "start_date",
    "end_date",
    "due_date",
    "arr_cents",
    "value_cents",
    "months",
    "billing",
)
DAYS_PER_YEAR: Final = 365
Floats = npt.NDArray[np.floating]
_STARTS: Final = ("new", "renewal", "reactivation")


def signed_terms(
    contracts: pd.DataFrame, accounts: pd.DataFrame, as_of: object, billing: str = "annual"
) -> pd.DataFrame:
    """One row per signed term of the contracts, with its value.

    A term of m whole months is worth `ARR x m / 12`, rounded to the cent; any other term `ARR x days / 365`. A term is
    booked on the day it starts, a renewal of itself too, or when its contract was signed, if that is earlier and known.
    A contract that starts after `as_of` without a day of signature is booked on `as_of`: it was signed by then.

    Args:
        contracts: as in `subsim.ledger.terms.terms`, and optionally `billing` (a key of `BILLING`, blank for default)
            and `signed_date` (NaT where not known).
        accounts: `account_id` and `segment`.
        as_of: the last day the book knows.
        billing: how contracts that do not say so are invoiced, always in advance. Annual in advance is the usual
            form of business contracts (convention, not measured); state your own.

    Returns:
        Columns of `COLUMNS`: `contract` numbers the rows of `contracts`; `end_date` is the last day of service, before
        `due_date` after a loss in mid-term; `months` is 0 where the term is not of whole months.

    Raises:
        InputError: a form of billing that is not in `BILLING`, or a contract whose account is not in `accounts`.

    Example:
        >>> accounts = pd.DataFrame({"account_id": ["a"], "segment": ["smb"]})
        >>> one = {"account_id": "a", "start_date": "2025-01-01", "end_date": "2026-12-31", "arr_cents": 120_000}
        >>> signed_terms(pd.DataFrame([one]), accounts, "2025-06-30")[["months", "value_cents"]].values.tolist()
        [[24, 240000]]
    """
    rows = contracts.reset_index(drop=True)
    numbered = rows.assign(account_id=np.arange(len(rows)))
    stated = rows.get("term_months", pd.Series(np.nan, rows.index)).to_numpy(dtype=float, na_value=np.nan)
    running, later = terms(numbered, as_of), _not_started(numbered, stated, as_day(as_of))
    signed = pd.concat([running, later], ignore_index=True) if len(later) else running
    contract = signed["account_id"].to_numpy(dtype=np.int64)
    forms = rows.get("billing", pd.Series("", rows.index)).fillna("").astype(str)
    ids = rows["account_id"].astype(str)
    segment = accounts.set_index(accounts["account_id"].astype(str))["segment"].reindex(ids)
    if segment.isna().any():
        found = f"account {segment.index[segment.isna()][0]!r}"
        raise InputError(where="contracts", found=found, allowed="an account that is in `accounts`, with a segment")
    return _valued(
        signed,
        contract=contract,
        account_id=ids.to_numpy(dtype=object)[contract],
        segment=segment.to_numpy(dtype=object)[contract],
        booked=_booked(signed, rows, contract, as_day(as_of)),
        stated=stated[contract],
        billing=_known(forms, billing)[contract],
    )


def signed_terms_from_ledger(
    ledger: pd.DataFrame, as_of: object, term_months: "int | pd.Series[int]", billing: str = "annual"
) -> pd.DataFrame:
    """Signed terms told by ledger rows, simulated or actual, where the length of a term is known.

    A term begins at each new, renewal or reactivation row and renews itself every `term_months` until the next such row
    or the churn. A change of ARR in mid-term is an amendment that ends with the term: more is a booking of its own,
    less takes back a part of what was signed. A renewal before the term is due ends the old term there.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        as_of: the last day known; later rows are not looked at.
        term_months: whole months, for all accounts or by `account_id`.
        billing: a key of `BILLING`, for all.

    Returns:
        As `signed_terms`; `contract` numbers the terms with their own renewals and amendments.
    """
    rows = ordered(ledger.loc[as_days(ledger["date"]) <= as_day(as_of)])
    account, ids = codes(rows["account_id"])
    segment, segments = codes(rows["segment"])
    day = as_days(rows["date"])
    closes_day = np.r_[(account[1:] != account[:-1]) | (day[1:] != day[:-1]), True][: len(rows)]
    begun = rows["kind"].astype(str).isin(_STARTS).to_numpy()
    starts = np.add.reduceat(begun, np.flatnonzero(np.r_[True, closes_day[:-1]])) > 0 if len(rows) else begun
    account, day, segment = account[closes_day], day[closes_day], segment[closes_day]
    level = rows["after"].to_numpy(dtype=np.int64)[closes_day]

    # A run goes from one start of a term to the next start, or to the churn; the days between two runs hold nothing.
    begins = starts & (level > 0)
    cuts = begins | (level == 0)
    at = np.flatnonzero(begins)
    run = np.cumsum(begins) - 1
    until = _next_cut(account, day, cuts)[at]
    months = np.full(len(ids), term_months) if isinstance(term_months, int) else term_months.reindex(ids).to_numpy()
    one_term_runs = pd.DataFrame(
        {
            "account_id": np.arange(len(at)),
            "start_date": day[at],
            "end_date": until,
            "arr_cents": level[at],
            "term_months": months[account[at]],
        }
    )
    base = terms(one_term_runs, as_of)
    parts = _amended(base, run, day, np.where(cuts, 0, level))
    which = parts["account_id"].to_numpy(dtype=np.int64)
    return _valued(
        parts,
        contract=which,
        account_id=np.array(ids, dtype=object)[account[at]][which],
        segment=np.array(segments, dtype=object)[segment[at]][which],
        booked=as_days(parts["start_date"]),
        stated=np.where(parts["whole"], months[account[at]][which], np.nan),
        billing=_known(pd.Series("", range(len(at)), dtype=str), billing)[which],
    )


def _known(forms: "pd.Series[str]", default: str) -> "npt.NDArray[np.object_]":
    text = forms.str.strip().str.lower()
    text = text.mask(text == "", default)
    wrong = sorted(set(text) - set(BILLING))
    if wrong:
        allowed = ", ".join(BILLING)
        raise InputError(where="billing", found=repr(wrong[0]), allowed=allowed, do="leave blank for the default")
    return text.to_numpy(dtype=object)


def _booked(signed: pd.DataFrame, contracts: pd.DataFrame, contract: Ints, cut: np.datetime64) -> Days:
    """Day on which each term counts as signed, never after it starts nor after `cut`."""
    start = as_days(signed["start_date"])
    booked = np.minimum(start, cut)
    if "signed_date" not in contracts:
        return booked
    paper = as_days(contracts["signed_date"])[contract]
    first = start == as_days(contracts["start_date"])[contract]
    return np.where(first & (paper < booked), paper, booked)


def _not_started(contracts: pd.DataFrame, stated: Floats, cut: np.datetime64) -> pd.DataFrame:
    """First terms of contracts that are signed and start after `cut`, as rows of `terms`."""
    start, end = as_days(contracts["start_date"]), as_days(contracts["end_date"])
    later = start > cut
    start, months = start[later], stated[later]
    step = np.where(np.isnan(months), 0, months).astype(np.int64)
    due = np.where(np.isnan(months), end[later], add_months(start, step) - ONE_DAY)
    return pd.DataFrame(
        {
            "account_id": contracts["account_id"].to_numpy()[later],
            "start_date": start.astype("datetime64[s]"),
            "end_date": due.astype("datetime64[s]"),
            "due_date": due.astype("datetime64[s]"),
            "arr_cents": contracts["arr_cents"].to_numpy(dtype=np.int64)[later],
            "term_months": step,
        }
    )


def _next_cut(account: Ints, day: Days, cuts: npt.NDArray[np.bool_]) -> Days:
    """Day before the next cut of the same account, NaT where there is none; one value for each row."""
    at = np.flatnonzero(cuts)
    following = np.searchsorted(at, np.arange(len(day)), side="right")
    inside = following < len(at)
    until = np.full(len(day), np.datetime64("NaT", "D"))
    row = at[following[inside]]
    until[inside] = np.where(account[row] == account[inside], day[row] - ONE_DAY, np.datetime64("NaT", "D"))
    return until


def _amended(base: pd.DataFrame, run: Ints, day: Days, level: Ints) -> pd.DataFrame:
    """Terms of each run at the ARR with which they begin, and one part per change of ARR inside a term.

    `run`, `day` and `level` are the ledger's days in order; `level` is 0 on days that are no change inside a run.
    """
    own, start = base["account_id"].to_numpy(dtype=np.int64), as_days(base["start_date"])
    arr = base["arr_cents"].to_numpy(dtype=np.int64)
    # Changes and starts of terms in one order: by run and day; a change on the day a term starts comes first.
    change = np.flatnonzero(level)
    who, when = np.r_[run[change], own], np.r_[day[change], start]
    is_term = np.r_[np.zeros(len(change), bool), np.ones(len(own), bool)]
    amount = np.r_[level[change], np.zeros(len(own), np.int64)]
    order = np.lexsort((is_term, when, who))
    who, when, is_term, amount = who[order], when[order], is_term[order], amount[order]
    row = np.where(is_term, np.r_[np.zeros(len(change), np.int64), np.arange(len(own))][order], -1)
    # The level after each entry: the run's first, or the last change so far.
    known = amount > 0
    last = np.maximum.accumulate(np.where(known, np.arange(len(who)), -1))
    first_of_run = np.searchsorted(who, who)
    after = np.where(last >= first_of_run, amount[np.maximum(last, 0)], 0)
    opening = arr[np.searchsorted(own, who)]
    after = np.where(after == 0, opening, after)
    before = np.r_[0, after[:-1]][: len(after)]
    term_row = np.maximum.accumulate(row)
    delta = np.where(is_term, after, after - before)
    changed = is_term | (delta != 0) & (term_row >= 0)
    # A change on a term's first day is part of that term, whose level already holds it.
    same_day = ~is_term & np.r_[(who[1:] == who[:-1]) & (when[1:] == when[:-1]), False][: len(who)]
    keep = changed & ~same_day
    parts: pd.DataFrame = base.iloc[term_row[keep]].reset_index(drop=True)
    return parts.assign(start_date=when[keep].astype("datetime64[s]"), arr_cents=delta[keep], whole=is_term[keep])


def _valued(
    signed: pd.DataFrame,
    *,
    contract: Ints,
    account_id: "npt.NDArray[np.object_]",
    segment: "npt.NDArray[np.object_]",
    booked: Days,
    stated: Floats,
    billing: "npt.NDArray[np.object_]",
) -> pd.DataFrame:
    start, due = as_days(signed["start_date"]), as_days(signed["due_date"])
    arr = signed["arr_cents"].to_numpy(dtype=np.int64)
    counted = whole_months(start, due + ONE_DAY)
    is_whole = add_months(start, counted) == due + ONE_DAY
    # From 31 January a month goes to 27 February: no whole month by the dates, so a length that is stated wins.
    months = np.where(np.isnan(stated), np.where(is_whole, counted, 0), np.nan_to_num(stated)).astype(np.int64)
    days = (due - start).astype(np.int64) + 1
    value = np.where(months > 0, share(arr, months, 12), share(arr, days, DAYS_PER_YEAR))
    table = pd.DataFrame(
        {
            "contract": contract,
            "account_id": account_id,
            "segment": segment,
            "booked_date": booked.astype("datetime64[s]"),
            "start_date": signed["start_date"],
            "end_date": signed["end_date"],
            "due_date": signed["due_date"],
            "arr_cents": arr,
            "value_cents": value,
            "months": months,
            "billing": billing,
        }
    )
    return table.sort_values(["contract", "start_date"], kind="stable", ignore_index=True)


def share(cents: Ints, part: Ints, whole: "Ints | int") -> Ints:
    """`cents x part / whole` in whole cents, halves up; exact when `part` is `whole`."""
    return np.asarray((2 * cents * part + whole) // (2 * np.asarray(whole)), dtype=np.int64)
