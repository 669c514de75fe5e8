"""Every stay of an account as one path of renewal decisions, with what was known of it at each.

A decision is a term end: renewed or lost. A loss shortly after a renewal fell due (a card that is declined for weeks)
is the loss of that renewal; any other loss in the middle of a term of a year or more is an in-term loss, and in a
shorter term the loss of the renewal that it forestalled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.calibrate.engagement import filtered
from subsim.calibrate.spells import day_number, end_of, spells
from subsim.ledger import terms
from subsim.ledger.terms import DAYS_PER_MONTH

if TYPE_CHECKING:
    from subsim.book import Book

Floats = NDArray[np.float64]

LATE_DAYS = 30.0  # a loss so soon after a renewal was due is that renewal's, or within a quarter of a shorter term
YEAR_MONTHS = 12
PAST = 4  # past decisions that stand for all of a stay
UNKNOWN_PREPARED = 0.5  # share of renewals without preparation where no touches are recorded
ABSENT = 0.15  # share of time without a sponsor where the book does not say: catalogue, .18 / (1 + .18)
PRICE_ROWS, HIGHEST_RISE = 10, 0.5  # renewals from which a usual rise of price is read; the largest that is believed
ALIVE, LOST, UNCONTROLLED, CONTROLLED = range(4)
#: Words in a reason that say that nobody could have kept the customer.
OUT_OF_CONTROL = r"control|acqui|bankrupt|insolv|merge|reorgani|closed|shut|ceased"


def decisions(book: Book) -> pd.DataFrame:
    """Every decision in the order of accounts and days.

    Columns account_id, segment, day (day number), months (of the term that ended), renewed, in_term (a loss that no
    renewal explains), reason, before, after (cents; after the price and size agreed that day), stay (from 0).
    """
    rows = book.ledger
    table = pd.DataFrame(
        {
            "account_id": rows["account_id"].astype(str).to_numpy(),
            "segment": rows["segment"].astype(str).to_numpy(),
            "day": day_number(rows["date"]),
            "kind": rows["kind"].astype(str).to_numpy(),
            "reason": rows["reason"].astype(str).to_numpy(),
            "before": rows["before"].to_numpy(np.int64),
            "settled": rows["after"].to_numpy(np.int64),
            "in_term": (rows["in_term"] == True).to_numpy() if "in_term" in rows else False,  # noqa: E712
        }
    )
    table["after"] = table.groupby(["account_id", "day"], sort=False)["settled"].transform("last")
    lost = table["kind"] == "churn"
    table["stay"] = lost.astype(int).groupby(table["account_id"], sort=False).cumsum() - lost.astype(int)
    table = table[lost | (table["kind"] == "renewal")].copy()
    table["renewed"] = table["kind"] == "renewal"
    table.loc[~table["renewed"], "after"] = 0
    table["months"] = _months(book, table)
    columns = ["account_id", "segment", "day", "months", "renewed", "in_term", "reason", "before", "after", "stay"]
    return _dated(table[columns].reset_index(drop=True), end_of(book))


def _months(book: Book, table: pd.DataFrame) -> Floats:
    """Length of the term that each decision ended: of the contract, else from the days since the decision before."""
    if "contracts" in book.tables:
        signed = terms(book.tables["contracts"], book.as_of)
        signed = signed.assign(day=day_number(signed["end_date"]) + 1, account_id=signed["account_id"].astype(str))
        signed = signed.sort_values(["day", "arr_cents", "term_months"])[["account_id", "day", "term_months"]]
        order = table.reset_index(drop=True).reset_index().sort_values("day", kind="stable")
        found = pd.merge_asof(order, signed, on="day", by="account_id").sort_values("index")
        return np.asarray(found["term_months"].fillna(YEAR_MONTHS), float)
    opened = book.ledger[book.ledger["kind"].astype(str).isin(["new", "reactivation"])]
    starts = pd.DataFrame({"account_id": opened["account_id"].astype(str), "day": day_number(opened["date"])})
    both = pd.concat([starts.assign(start=True), table[["account_id", "day"]].assign(start=False)])
    both = both.reset_index(names="row").sort_values(["account_id", "day", "start"], ascending=[True, True, False])
    passed = both.groupby("account_id")["day"].diff()
    months = np.rint(passed[~both["start"]] / DAYS_PER_MONTH).clip(lower=1)
    return np.asarray(months.set_axis(both.loc[~both["start"], "row"]).reindex(table.index), float)


def _dated(table: pd.DataFrame, end: float) -> pd.DataFrame:
    """Losses in mid-term given to the renewal that they belong to."""
    early = table["in_term"].to_numpy()
    if not early.any():
        return table
    same = (table["account_id"].shift() == table["account_id"]) & (table["stay"].shift() == table["stay"])
    since = (table["day"] - table["day"].shift()).where(same).to_numpy(float)
    term = table["months"].to_numpy(float) * DAYS_PER_MONTH
    late = early & (since <= np.minimum(LATE_DAYS, term / 4))
    # The renewal before it was not one.
    undone = np.append(late[1:], False)
    table = table.copy()
    table.loc[undone, "renewed"] = False
    table.loc[undone, "after"] = 0
    short = early & ~late & (table["months"].to_numpy() < YEAR_MONTHS)
    # The renewal forestalled would have come a term after the last; what is not due yet nobody else has decided.
    begun = np.where(np.isnan(since), 0.0, since)
    open_still = short & (table["day"].to_numpy() - begun + term > end)
    table["in_term"] = early & ~late & ~short
    return table[~late & ~open_still].reset_index(drop=True)


def observed(book: Book) -> pd.DataFrame:
    """Decisions with what was known at each; of long stays the last one and a few past ones.

    Columns of `decisions`, and path (of a stay), last (decision of it), k (number, from 1 over all of the account's
    lives), entry (decisions before the first one seen), outcome (ALIVE, LOST, UNCONTROLLED, CONTROLLED), price (log of
    the usual rise), e and total (engagement and its variance, given scores up to that day), u and uv (what persists of
    it, and its variance), and shares from 0 to 1: onb (not yet at first value), sp (no sponsor), prep (not prepared).
    """
    table = decisions(book)
    table = table[~table["in_term"]].reset_index(drop=True)
    if "contracts" not in book.tables and "movements" not in book.tables:
        table = account_months(book)
    return _observed(book, _chosen(table)) if len(table) else table


def paths(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each stay of `observed`: its last decision, and means over the past ones as `past_...`.

    `v` and `past_v` are variances of engagement around what persists.
    """
    if table.empty:
        return table
    last = table[table["last"]].set_index("path")
    past = table[~table["last"]].groupby("path")[["e", "total", "onb", "sp", "prep"]].mean().reindex(last.index)
    found = last[["segment", "months", "k", "entry", "outcome", "price", "u", "uv", "e", "onb", "sp", "prep"]].copy()
    found["v"] = np.maximum(last["total"] - last["uv"], 0.0)
    found["past_v"] = np.maximum(past["total"].fillna(last["total"]) - last["uv"], 0.0)
    for name in ("e", "onb", "sp", "prep"):
        found[f"past_{name}"] = past[name].fillna(last[name])
    return found.reset_index(drop=True)


def account_months(book: Book) -> pd.DataFrame:
    """Decisions of a cube, where every account-month with revenue at its start is one; the past ones thinned out."""
    stays = spells(book)
    count = np.rint((stays["end"] - stays["begin"]) / DAYS_PER_MONTH).astype(int)
    count = count.where(stays["lost"], count.clip(lower=0))
    keep = count > 0
    stays, count = stays[keep], count[keep]
    shown = np.minimum(count, PAST + 1).to_numpy()
    row = np.repeat(np.arange(len(stays)), shown)
    place = np.arange(len(row)) - np.repeat(np.cumsum(shown) - shown, shown) + 1
    number = np.ceil(place * count.to_numpy()[row] / shown[row])
    last = place == shown[row]
    begin = stays["begin"].to_numpy()[row]
    return pd.DataFrame(
        {
            "account_id": stays["account_id"].to_numpy()[row],
            "segment": stays["segment"].to_numpy()[row],
            "day": np.where(last & stays["lost"].to_numpy()[row], stays["end"].to_numpy()[row], begin + number * 30.4),
            "months": 1.0,
            "renewed": ~(last & stays["lost"].to_numpy()[row]),
            "reason": "",
            "before": 0,
            "after": 0,
            "stay": row,
            "number": number,
        }
    )


def _chosen(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers decisions, and keeps of each stay the last and a few past ones."""
    account = table.groupby("account_id", sort=False)
    if "number" not in table:
        table = table.assign(number=account.cumcount() + 1.0)
    table = table.assign(path=table.groupby(["account_id", "stay"], sort=False).ngroup())
    stay = table.groupby("path")
    table["k"] = table["number"]
    table["place"], size = stay.cumcount(), stay["path"].transform("size")
    table["first_k"] = stay["number"].transform("min")
    table["last"] = table["place"] == size - 1
    every = np.maximum(np.ceil((size - 1) / PAST), 1)
    chosen: pd.DataFrame = table[table["last"] | (table["place"] % every == 0)].copy()
    return chosen


def _observed(book: Book, table: pd.DataFrame) -> pd.DataFrame:
    """What was known at each decision, in new columns."""
    before = _unseen(book, table)
    table["entry"] = before + np.where(table["stay"] > 0, table["first_k"] - 1, 0.0)
    table["k"] += before
    reasons = table["reason"][~table["renewed"]]
    known = len(reasons) > 0 and (reasons != "").mean() > 0.9
    away = table["reason"].str.contains(OUT_OF_CONTROL, case=False, regex=True)
    lost = np.where(away, UNCONTROLLED, CONTROLLED) if known else LOST
    table["outcome"] = np.where(table["renewed"], ALIVE, lost)
    table["price"] = usual_rise(table)
    at = pd.DataFrame({"account_id": table["account_id"], "date": _dates(table["day"])}, index=table.index)
    estimate = filtered(book, at)
    table["e"], table["total"] = estimate["mean"], estimate["variance"]
    table["u"], table["uv"] = estimate["persistent"], estimate["persistent_variance"]
    table["onb"] = _not_onboarded(book, table)
    table["sp"] = _no_sponsor(book, table)
    table["prep"] = _not_prepared(book, table)
    return table


def _dates(days: pd.Series[float]) -> NDArray[Any]:
    return days.to_numpy(np.int64).astype("datetime64[D]").astype("datetime64[s]")


def _unseen(book: Book, table: pd.DataFrame) -> Floats:
    """Renewals before the book begins, of accounts that are older than their first row."""
    accounts = book.tables["accounts"].drop_duplicates("account_id")
    start = pd.Series(day_number(accounts["start_date"]), index=accounts["account_id"].astype(str))
    first = pd.Series(day_number(book.ledger["date"]), index=book.ledger["account_id"].astype(str))
    first = first.groupby(level=0).min()
    months = ((first - start.reindex(first.index)) / DAYS_PER_MONTH).reindex(table["account_id"]).to_numpy(float)
    return np.asarray(np.maximum(np.rint(np.nan_to_num(months) / table["months"].to_numpy(float)), 0.0))


def usual_rise(table: pd.DataFrame) -> Floats:
    """Log of new over old price that was asked at each decision: the median change of those that renewed then.

    Of the same segment, kind of term and year; the median does not see that some grow and some shrink.
    """
    kind = (table["months"] - YEAR_MONTHS).clip(-1, 1)
    year = table["day"] // 365.25
    kept = table["renewed"] & (table["before"] > 0) & (table["after"] > 0)
    change = pd.Series(np.log(table["after"].where(kept) / table["before"].where(kept)), index=table.index)
    result = pd.Series(0.0, index=table.index)
    for keys in ([table["segment"], kind], [table["segment"], kind, year]):
        group = change.groupby(keys)
        enough = group.transform("count") >= PRICE_ROWS
        result = result.where(~enough, group.transform("median"))
    return np.clip(result.fillna(0.0).to_numpy(float), -HIGHEST_RISE, HIGHEST_RISE)


def _not_onboarded(book: Book, table: pd.DataFrame) -> Floats:
    if "onboarding" not in book.tables:
        return np.zeros(len(table))
    rows = book.tables["onboarding"].drop_duplicates("account_id", keep="last")
    reached = pd.Series(day_number(rows["first_value_date"]), index=rows["account_id"].astype(str))
    reached = reached.fillna(np.inf).reindex(table["account_id"])
    return (reached.fillna(-np.inf).to_numpy() > table["day"].to_numpy()).astype(float)


def _no_sponsor(book: Book, table: pd.DataFrame) -> Floats:
    if "sponsors" not in book.tables:
        return np.full(len(table), ABSENT)
    rows = book.tables["sponsors"]
    events = pd.DataFrame(
        {
            "account_id": rows["account_id"].astype(str),
            "day": day_number(rows["date"]),
            "gone": (rows["event"].astype(str).str.lower() == "left").astype(float),
        }
    )
    found = _latest(table, events.dropna())
    return np.asarray(found["gone"].fillna(0.0).to_numpy(float))


def _not_prepared(book: Book, table: pd.DataFrame) -> Floats:
    """1 where no renewal preparation was done since the term began; terms under half a year need none."""
    needed = table["months"].to_numpy() >= YEAR_MONTHS / 2
    if "touches" not in book.tables:
        return np.where(needed, UNKNOWN_PREPARED, 0.0)
    rows = book.tables["touches"]
    rows = rows[(rows["kind"].astype(str) == "renewal_prep") & rows["done_date"].notna()]
    done = pd.DataFrame({"account_id": rows["account_id"].astype(str), "day": day_number(rows["done_date"])})
    found = _latest(table, done.assign(done=done["day"]))
    begun = table["day"].to_numpy() - table["months"].to_numpy() * DAYS_PER_MONTH
    return np.where(needed & ~(found["done"].to_numpy(float) > begun), 1.0, 0.0)


def _latest(table: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """For each decision the account's last event up to its day."""
    asked = table[["account_id", "day"]].reset_index().sort_values("day", kind="stable")
    found = pd.merge_asof(asked, events.sort_values("day", kind="stable"), on="day", by="account_id")
    return found.set_index("index").reindex(table.index)
