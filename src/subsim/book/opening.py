"""The opening state of a simulation: every live account with its history, at 00:00 of the day after `as_of`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.ledger import terms
from subsim.ledger.rows import OPENING_BALANCE
from subsim.ledger.state import account_states, by_segment
from subsim.ledger.terms import ONE_DAY, Ints, add_months, as_days
from subsim.units import MINUTES_PER_DAY, MONTH_MINUTES

if TYPE_CHECKING:
    from subsim.book.book import Book

HISTORY_MONTHS = 12
YEAR_MINUTES = 12 * MONTH_MINUTES
DONE_YEARS = 2  # older touches have faded: their lift to a hundredth at the default drift or sooner (grade D)
FREQUENT_DAYS = 25  # scores that come faster than that are not monthly reviews (judgement, grade D)


@dataclass(frozen=True)
class Opening:
    """Start state of the simulator.

    `accounts` has one row per account with ARR in force at `start`, sorted by account_id:

    account_id, segment, tier and owner_id (text, "" unknown); arr_cents, first_arr_cents (int64, first ARR ever);
    start_minute (int64, negative: start of the present spell as a customer, in minutes from `start`); term_months
    (int64, of the account's largest contract in force); term_end_minute (int64, its next renewal decision, 0 or
    later); renewals (int64, term ends survived in this spell); onboarded (int8: 1 first value reached, 0 not yet, -1
    unknown); sponsor (int8: whether it has one) and prepared (int8: whether the running term's renewal has been), coded
    alike; ttv_days (float, days from kick-off to first value, NaN unknown); score (float, latest health score, NaN
    unknown); review_minute (int64, when its next monthly score is due, 1 or later; 0: its scores do not come monthly,
    or none came for a month); arr_1 .. arr_12 (int64 cents of ARR of the present spell, j months before `start`).

    An account whose last contract ended on `as_of`, or so shortly before that its grace still runs, is live and its
    renewal decision is due at minute 0. A book made of an MRR cube has no terms: every account renews monthly, at
    month ends.
    """

    start: dt.date
    accounts: pd.DataFrame = field(repr=False)
    touches: pd.DataFrame = field(repr=False)
    """When the last touch of each kind was due, of live accounts: account_id, kind (text), due_minute (int64). A touch
    that is planned is not among them; one without a due date counts as due when it was done."""
    scores: pd.DataFrame = field(repr=False)
    """Monthly scores of the last twelve months and the present spell: account_id, place (int64, 0: the last one),
    minute (int64, below 0), score (float). Of scores that come faster than monthly, the last one, the last at least 25
    days before that, and so on."""
    done: pd.DataFrame = field(repr=False)
    """Touches done in the last two years and the present spell: account_id, kind (text), done_minute (int64)."""
    lost_arr: dict[str, Ints] = field(repr=False)
    """Segment -> int64[13]: cents of ARR, j months before `start`, that have been lost since: of accounts that are gone
    and of earlier spells of those that came back. With the sums of `arr_j` they are the openings of frozen cohorts."""
    lost_logos: dict[str, Ints] = field(repr=False)
    """The same by number of accounts."""


def opening(book: Book, start: dt.date | None = None) -> Opening:
    """Opening state of a book.

    Raises:
        InputError: `start` is not the day after the book's `as_of`.
    """
    day = book.as_of + dt.timedelta(days=1)
    if start is not None and start != day:
        do = f"read the book with as_of={start - dt.timedelta(days=1)}"
        raise InputError(where="start", found=str(start), allowed=f"{day}, the day after the book's as_of", do=do)
    begin = np.datetime64(day, "D")
    last = book.ledger.drop_duplicates("account_id", keep="last")
    live = last.loc[last["after"] > 0, ["account_id", "segment", "after"]].rename(columns={"after": "arr_cents"})
    live = live.assign(account_id=live["account_id"].astype(str), segment=live["segment"].astype(str))
    table = live.set_index("account_id").sort_index()
    table = table.join(_spells(book, begin)).join(_terms(book, begin))
    if "contracts" not in book.tables:
        table["renewals"] = table["start_minute"] // (-30 * MINUTES_PER_DAY)
    accounts = book.tables["accounts"].set_index("account_id")
    table = table.join(accounts[["tier", "owner_id"]]).join(_onboarding(book)).join(_scores(book, begin))
    table["onboarded"] = table["onboarded"].fillna(-1).astype("int8")
    table["sponsor"] = _sponsors(book, table["start_minute"], begin)
    table["prepared"] = _prepared(book, table, begin)
    history, lost, lost_logos = _history(book, begin, table.index)
    table = table.join(history)
    table["review_minute"] = table["review_minute"].fillna(0)
    whole = ["arr_cents", "first_arr_cents", "start_minute", "term_months", "term_end_minute", "renewals"]
    whole += ["review_minute", *history]
    first = [
        "segment",
        "tier",
        "owner_id",
        *whole[:6],
        "onboarded",
        "sponsor",
        "prepared",
        "ttv_days",
        "score",
        "review_minute",
        *history,
    ]
    rows = table.astype(dict.fromkeys(whole, "int64"))[first].reset_index(names="account_id")
    since = table["start_minute"]
    return Opening(
        day,
        rows,
        _touches(book, table.index, begin),
        _monthly_scores(book, since, begin),
        _done(book, since, begin),
        lost,
        lost_logos,
    )


def _minutes(days: object, begin: np.datetime64) -> Ints:
    return (as_days(days) - begin).astype(np.int64) * MINUTES_PER_DAY


def _spells(book: Book, begin: np.datetime64) -> pd.DataFrame:
    """Start of the present spell, first ARR ever, and renewals in the spell, by account."""
    rows = book.ledger.assign(account_id=book.ledger["account_id"].astype(str))
    came = rows[rows["kind"].isin(["new", "reactivation"])].drop_duplicates("account_id", keep="last")
    since = came.set_index("account_id")["date"]
    seen_from = came.loc[came["reason"] == OPENING_BALANCE, "account_id"]
    # A cube does not show when the accounts of its first month came; the accounts table may.
    known = book.tables["accounts"].set_index("account_id")["start_date"].reindex(seen_from)
    since = since.astype("datetime64[s]")
    since.loc[known.index] = known.where(known < since.loc[known.index], since.loc[known.index])
    in_spell = rows["date"].to_numpy() >= since.reindex(rows["account_id"]).to_numpy()
    renewed = rows[(rows["kind"] == "renewal") & in_spell]
    return pd.DataFrame(
        {
            "start_minute": pd.Series(_minutes(since, begin), index=since.index),
            "first_arr_cents": rows.drop_duplicates("account_id").set_index("account_id")["after"],
            "renewals": renewed.groupby("account_id").size().reindex(since.index, fill_value=0),
        }
    )


def _terms(book: Book, begin: np.datetime64) -> pd.DataFrame:
    """Length and end of each account's main term: the largest in force, else the last that ended."""
    if "contracts" not in book.tables:
        ids = book.tables["accounts"]["account_id"]
        this_month = begin.astype("datetime64[M]")
        next_close = (this_month + np.timedelta64(1, "M")).astype("datetime64[D]")
        end = (next_close - begin).astype(np.int64) * MINUTES_PER_DAY
        return pd.DataFrame({"term_months": 1, "term_end_minute": end}, index=pd.Index(ids))
    signed = terms(book.tables["contracts"], book.as_of)
    next_day = as_days(signed["end_date"]) + ONE_DAY
    in_force = next_day >= begin
    weight = np.where(in_force, signed["arr_cents"], next_day.astype(np.int64))
    signed = signed.assign(in_force=in_force, weight=weight, next_day=next_day.astype("datetime64[s]"))
    keys = ["in_force", "weight", "next_day", "arr_cents", "term_months"]
    main = signed.sort_values(keys, ascending=False).drop_duplicates("account_id").set_index("account_id")
    due = np.maximum(_minutes(main["next_day"], begin), 0)
    return pd.DataFrame({"term_months": main["term_months"], "term_end_minute": due}, index=main.index)


def _onboarding(book: Book) -> pd.DataFrame:
    table = book.tables.get("onboarding", pd.DataFrame({"account_id": pd.Series(dtype=str)}))
    if table.empty:
        return pd.DataFrame({"onboarded": pd.Series(dtype=float), "ttv_days": pd.Series(dtype=float)})
    table = table.set_index("account_id")
    days = (table["first_value_date"] - table["kickoff_date"]).dt.days.astype(float)
    return pd.DataFrame({"onboarded": table["first_value_date"].notna().astype(float), "ttv_days": days})


def _scores(book: Book, begin: np.datetime64) -> pd.DataFrame:
    """Each account's last score, and when the next is due if they come monthly."""
    if "health" not in book.tables:
        return pd.DataFrame({"score": pd.Series(dtype=float), "review_minute": pd.Series(dtype=float)})
    rows = book.tables["health"].sort_values(["account_id", "date", "score"])
    read = _minutes(rows["date"], begin)
    gap = np.diff(read, prepend=read[:1])
    alone = ~rows["account_id"].duplicated().to_numpy()  # an account's first score: nothing says that more come sooner
    next_at = np.where(alone | (gap >= FREQUENT_DAYS * MINUTES_PER_DAY), read + MONTH_MINUTES, 0)
    rows = rows.assign(review_minute=np.maximum(next_at, 0)).drop_duplicates("account_id", keep="last")
    return rows.set_index("account_id")[["score", "review_minute"]]


def _touches(book: Book, live: pd.Index[str], begin: np.datetime64) -> pd.DataFrame:
    rows = book.tables.get("touches")
    if rows is None:
        return pd.DataFrame({"account_id": [], "kind": [], "due_minute": pd.Series(dtype="int64")})
    due = rows["due_date"].fillna(rows["done_date"])
    known = rows["done_date"].notna() | (rows["due_date"] < pd.Timestamp(begin))
    rows = rows.assign(due=due)[known & due.notna() & rows["account_id"].isin(live)]
    last = rows.groupby(["account_id", "kind"], observed=True)["due"].max().reset_index()
    return pd.DataFrame(
        {
            "account_id": last["account_id"].astype(str),
            "kind": last["kind"].astype(str),
            "due_minute": _minutes(last["due"], begin),
        }
    )


def _monthly_scores(book: Book, start_minute: pd.Series, begin: np.datetime64) -> pd.DataFrame:
    """The last scores of each account, a month apart at least."""
    columns = {"account_id": pd.Series(dtype=str)} | {name: pd.Series(dtype="int64") for name in ("place", "minute")}
    none = pd.DataFrame(columns | {"score": pd.Series(dtype=float)})
    if "health" not in book.tables or start_minute.empty:
        return none
    rows = book.tables["health"].dropna(subset=["date", "score"])
    minute = _minutes(rows["date"], begin)
    account = start_minute.index.get_indexer(pd.Index(rows["account_id"].astype(str)))
    known = (account >= 0) & (minute >= -YEAR_MINUTES) & (minute >= start_minute.to_numpy()[account])
    rows = rows.assign(account=account, minute=minute)[known].sort_values(["account", "minute", "score"])
    # One number orders accounts and, within them, minutes; a step back is a search for the last that is early enough.
    apart = 4 * YEAR_MINUTES
    order = rows["account"].to_numpy() * apart + rows["minute"].to_numpy()
    left = np.unique(rows["account"])
    latest = np.zeros(len(left), np.int64)
    parts = [none]
    for place in range(HISTORY_MONTHS):
        found = np.searchsorted(order, left * apart + latest, side="right") - 1
        mine = (found >= 0) & (rows["account"].to_numpy()[found] == left)
        left, found = left[mine], found[mine]
        if not len(left):
            break
        last = rows.iloc[found]
        latest = last["minute"].to_numpy() - FREQUENT_DAYS * MINUTES_PER_DAY
        parts.append(last.assign(account_id=start_minute.index.to_numpy()[left], place=place)[list(none.columns)])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _done(book: Book, start_minute: pd.Series, begin: np.datetime64) -> pd.DataFrame:
    """Touches of live accounts that may still hold them up."""
    rows = book.tables.get("touches")
    if rows is None:
        return pd.DataFrame({"account_id": [], "kind": [], "done_minute": pd.Series(dtype="int64")})
    rows = rows[rows["done_date"].notna() & rows["account_id"].astype(str).isin(start_minute.index)]
    minute = _minutes(rows["done_date"], begin)
    since = np.maximum(start_minute.reindex(rows["account_id"].astype(str)).to_numpy(), -DONE_YEARS * YEAR_MINUTES)
    rows, minute = rows[minute >= since], minute[minute >= since]
    names = {name: rows[name].astype(str).to_numpy() for name in ("account_id", "kind")}
    return pd.DataFrame(names | {"done_minute": minute})


def _sponsors(book: Book, start_minute: pd.Series, begin: np.datetime64) -> pd.Series:
    """1 with a sponsor, 0 where the last event of the spell is one that left, -1 where nobody writes that down."""
    if "sponsors" not in book.tables:
        return pd.Series(-1, index=start_minute.index, dtype="int8")
    rows = book.tables["sponsors"].dropna(subset=["date"]).sort_values(["account_id", "date"], kind="stable")
    start = start_minute.reindex(rows["account_id"]).to_numpy()
    last = rows[_minutes(rows["date"], begin) >= start].drop_duplicates("account_id", keep="last")
    left = last.loc[last["event"].astype(str).str.lower() == "left", "account_id"]
    return pd.Series(np.where(start_minute.index.isin(left), 0, 1), index=start_minute.index, dtype="int8")


def _prepared(book: Book, table: pd.DataFrame, begin: np.datetime64) -> pd.Series:
    """1 where a renewal preparation was done since the running term began, else 0; -1 where none is ever written."""
    rows = book.tables.get("touches")
    if rows is not None:
        rows = rows[(rows["kind"].astype(str) == "renewal_prep") & rows["done_date"].notna()]
    if rows is None or rows.empty:
        return pd.Series(-1, index=table.index, dtype="int8")
    end = begin + table["term_end_minute"].to_numpy() // MINUTES_PER_DAY
    since = pd.Series(_minutes(add_months(end, -table["term_months"].to_numpy()), begin), index=table.index)
    done = _minutes(rows["done_date"], begin) >= since.reindex(rows["account_id"]).to_numpy()
    return pd.Series(table.index.isin(rows.loc[done, "account_id"]).astype("int8"), index=table.index)


def _history(
    book: Book, begin: np.datetime64, live: pd.Index[str]
) -> tuple[pd.DataFrame, dict[str, Ints], dict[str, Ints]]:
    """ARR of the present spells 1..12 months ago, and by segment what was in force then and has been lost since."""
    back = np.arange(HISTORY_MONTHS, -1, -1)
    instants = add_months(np.full(len(back), begin), -back)
    state = account_states(book.ledger, instants.astype("datetime64[s]"))
    ids = pd.Index(state.accounts, dtype=object)
    stayed = state.churns == state.churns[:, -1:]
    stayed &= (live.astype(object).get_indexer(ids) >= 0)[:, None]
    own = np.where(stayed, state.arr, 0)[:, ::-1]
    gone = np.where(stayed, 0, state.arr)[:, ::-1]
    columns = {f"arr_{j}": own[:, j] for j in range(1, HISTORY_MONTHS + 1)}
    sums = np.column_stack([by_segment(gone[:, j], state.segment, len(state.segments)) for j in range(len(back))])
    logos = np.column_stack(
        [by_segment((gone[:, j] > 0).astype(np.int64), state.segment, len(state.segments)) for j in range(len(back))]
    )
    lost = {name: sums[index].copy() for index, name in enumerate(state.segments)}
    lost_logos = {name: logos[index].copy() for index, name in enumerate(state.segments)}
    return pd.DataFrame(columns, index=ids).loc[live], lost, lost_logos
