"""What may be wrong in a book that can be read: every row is named as a warning, and stays in unless it says not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from subsim.book.checks import Sheet, Tables, day_text, folded, money_text
from subsim.book.cut import among, known_rows
from subsim.book.problems import Problem
from subsim.book.source import ROW

#: Column of the day on which an account did something, or something was done for it.
ACTIVITY: Final = {"health": "date", "touches": "done_date", "tickets": "opened", "sponsors": "date"}
#: Ids of rows: each is to occur once in its table.
ROW_IDS: Final = {
    "contracts": "contract_id",
    "movements": "row_id",
    "health": "row_id",
    "touches": "row_id",
    "tickets": "row_id",
}
FORMULA_STARTS: Final = ("=", "@", "+", "-", "\t", "\r")  # a spreadsheet runs text that begins so
YES: Final = ("true", "yes", "y", "1", "t", "churned")
NO: Final = ("false", "no", "n", "0", "f")
#: A term's amount is taken for a total if, divided by its years, it is this close to what the account paid before or
#: to the list price; chosen so that a doubling at renewal to two years is the only honest case that is asked about.
TOTAL_TOLERANCE: Final = 0.2
DAYS_PER_YEAR: Final = 365.25
FOREVER: Final = pd.Timestamp("2262-01-01")


@dataclass(frozen=True)
class _Book:
    """All sheets and what the rules are measured against."""

    sheets: dict[str, Sheet]
    revenue: str
    as_of: pd.Timestamp
    grace_days: int

    @property
    def accounts(self) -> pd.DataFrame:
        return self.sheets["accounts"].rows


def doubts(tables: Tables, files: dict[str, str], revenue: str, as_of: dt.date, grace_days: int) -> list[Problem]:
    """Warnings about tables that keep the rules of `check`; they are read as they are, before the cut at `as_of`.

    Args:
        tables: checked tables with `ROW`.
        files: name of each table's file.
        revenue: name of the revenue table.
        as_of: last day that counts.
        grace_days: a renewal up to so many days late is a renewal.
    """
    sheets = {name: Sheet(name, files.get(name, name), table) for name, table in tables.items()}
    book = _Book(sheets, revenue, pd.Timestamp(as_of), grace_days)
    rules: tuple[Callable[[_Book], list[Problem]], ...] = (
        _spellings, _no_revenue, _parents, _contracts, _activity, _churn_events, _repeated_ids, _seats, _formulas,
        _later,
    )  # fmt: skip
    return [problem for rule in rules for problem in rule(book)]


def _spellings(book: _Book) -> list[Problem]:
    """One owner or segment under two names splits every table by it."""
    problems = []
    for column, code in (("owner_id", "two-owners"), ("segment", "two-segments")):
        sheet = book.sheets["accounts"]
        if column not in sheet.rows:
            continue
        text = sheet.rows[column]
        known = text[text != ""].value_counts(sort=False).rename_axis("name").reset_index(name="rows")
        known = known.assign(key=folded(known["name"])).sort_values(
            ["key", "rows", "name"], ascending=[True, False, True]
        )
        usual = known.groupby("key")["name"].transform("first")
        other: dict[str, str] = dict(
            known.loc[known["name"] != usual, ["name"]].assign(usual=usual).itertuples(index=False)
        )
        if not other:
            continue
        odd = text.isin(list(other))
        found = "'" + text + "' beside '" + text.map(other).astype(str) + "'"
        problems += sheet.flag(code, column, odd, found, "one spelling")
    return problems


def _no_revenue(book: _Book) -> list[Problem]:
    sheet, revenue = book.sheets["accounts"], book.sheets[book.revenue]
    if revenue is sheet or "account_id" not in revenue.rows:
        return []
    without = ~among(sheet.rows["account_id"], revenue.rows["account_id"])
    return sheet.flag("no-revenue", "account_id", without, sheet.rows["account_id"], f"a row in {book.revenue}")


def _parents(book: _Book) -> list[Problem]:
    sheet = book.sheets["accounts"]
    if "parent_id" not in sheet.rows:
        return []
    parent = sheet.rows["parent_id"]
    unknown = ~among(parent, sheet.rows["account_id"]) & (parent != "")
    return sheet.flag("unknown-parent", "parent_id", unknown, "'" + parent + "'", "an account, or nothing")


def _contracts(book: _Book) -> list[Problem]:
    if book.revenue != "contracts":
        return []
    sheet = book.sheets["contracts"]
    rows = sheet.rows
    problems = sheet.flag(
        "free-plan", "arr", rows["arr_cents"] == 0, "0.00", "more than 0 a year, or leave it out with exclude"
    )
    ahead = rows["start_date"] > book.as_of
    if ahead.any():
        found = money_text(rows["arr_cents"]) + " a year from " + day_text(rows["start_date"])
        allowed, do = (
            f"a start by {book.as_of:%Y-%m-%d}",
            "a signed_date says since when it is in CARR; else it is left out",
        )
        problems += sheet.flag("future-start", "start_date", ahead, found, allowed, do)
    begun = rows["account_id"].map(book.accounts.drop_duplicates("account_id").set_index("account_id")["start_date"])
    early = rows["start_date"] < begun
    if early.any():
        found = day_text(rows["start_date"]) + ", the account from " + day_text(begun)
        problems += sheet.flag("start-mismatch", "start_date", early, found, "the account's start_date or later")
    return problems + _renewals(sheet, book.grace_days)


def _renewals(sheet: Sheet, grace_days: int) -> list[Problem]:
    """Late renewals, overlaps, doubles and totals: each contract against those of its account before it."""
    rows = sheet.rows
    rows = rows[(rows["arr_cents"] > 0) & rows["start_date"].notna() & (rows["account_id"] != "")]
    rows = rows.assign(at=rows.index, end=rows["end_date"].fillna(FOREVER), product=rows.get("product", ""))
    rows = rows.sort_values(["account_id", "start_date", "end", "arr_cents", ROW], kind="stable")
    problems = []

    def flag(code: str, column: str, bad: Any, found: pd.Series, allowed: str) -> None:
        part = Sheet(sheet.name, sheet.file, rows)
        problems.extend(part.flag(code, column, bad, found, allowed))

    def before(keys: list[str]) -> pd.Series:
        """Latest end of the earlier contracts."""
        latest = rows.groupby(keys, sort=False)["end"].cummax()
        return latest.groupby([rows[key] for key in keys], sort=False).shift()

    ended = before(["account_id"])
    late = (rows["start_date"] - ended).dt.days - 1
    found = late.map("{:.0f} days after the term before ended".format)
    flag(
        "late-renewal",
        "start_date",
        late.between(1, grace_days),
        found,
        f"read as a renewal: up to {grace_days} days late",
    )
    same = rows.duplicated(["account_id", "product", "start_date", "end_date", "arr_cents"])
    flag("same-contract", "start_date", same, money_text(rows["arr_cents"]) + " again", "one row per contract")
    ended = before(["account_id", "product"])
    overlap = (ended >= rows["start_date"]) & ~same
    if overlap.any():
        found = (
            "starts " + day_text(rows["start_date"]) + ", the one before ends " + day_text(ended.mask(ended == FOREVER))
        )
        flag(
            "overlap",
            "start_date",
            overlap,
            found.fillna("starts while another runs"),
            "amounts add up while both are in force",
        )
    years = ((rows["end_date"] - rows["start_date"]).dt.days + 1) / DAYS_PER_YEAR
    yearly = rows["arr_cents"].astype(float) / years.round().where(years > 1.5)
    usual = [
        rows.groupby("account_id", sort=False)["arr_cents"].shift(),
        rows.get("list_arr_cents", pd.Series(dtype=float)),
    ]
    total = np.any(
        [(yearly / value.reindex(rows.index).astype(float) - 1).abs() < TOTAL_TOLERANCE for value in usual], axis=0
    )
    found = money_text(rows["arr_cents"]) + " for " + years.map("{:.1f} years".format)
    flag("multi-year-total", "arr", total, found, "the amount of one year; arr_is: total in book.yaml divides it")
    return problems


def _activity(book: _Book) -> list[Problem]:
    """Activity before the contract it names began, or before its account did."""
    starts = book.accounts.drop_duplicates("account_id").set_index("account_id")["start_date"]
    problems = []
    for name, column in ACTIVITY.items():
        if name not in book.sheets or column not in book.sheets[name].rows:
            continue
        sheet = book.sheets[name]
        rows = sheet.rows
        since, what = rows["account_id"].map(starts), "the account's"
        if "contract_id" in rows and "contract_id" in (contracts := book.sheets["contracts"].rows):
            ids = contracts.drop_duplicates("contract_id").set_index("contract_id")["start_date"]
            since, what = rows["contract_id"].map(ids).fillna(since), "its contract's"
        early = rows[column] < since
        if early.any():
            found = day_text(rows[column]) + " before " + day_text(since)
            problems += sheet.flag("before-start", column, early, found, f"{what} start_date or later")
    return problems


def _churn_events(book: _Book) -> list[Problem]:
    """Movements beside another revenue table are evidence: churn there, and flags in accounts, must agree."""
    accounts, problems = book.sheets["accounts"], []
    flags = accounts.rows["churned"].str.lower() if "churned" in accounts.rows else pd.Series("", accounts.rows.index)
    if "movements" in book.sheets and book.revenue != "movements":
        sheet = book.sheets["movements"]
        events = sheet.rows[(sheet.rows["kind"] == "churn") & (sheet.rows["date"] <= book.as_of)]
        ids = accounts.rows["account_id"]
        seen = among(ids, events["account_id"])
        found = ids + ": " + ids.map(events.groupby("account_id").size()).map("{:.0f} churn events".format)
        allowed = "a flag for every account with a churn event"
        problems += accounts.flag("churn-without-flag", "churned", seen & flags.isin(NO), found, allowed)
        allowed = "a churn event for every flag"
        problems += accounts.flag("flag-without-churn", "churned", ~seen & flags.isin(YES), ids, allowed)
        if book.revenue == "contracts":
            problems += _still_paying(book, sheet)
    return problems


def _still_paying(book: _Book, sheet: Sheet) -> list[Problem]:
    """Accounts whose last movement is churn, and whose contracts were in force the day before and go on."""
    last = sheet.rows.sort_values("date", kind="stable").drop_duplicates("account_id", keep="last")
    last = last[(last["kind"] == "churn") & (last["date"] <= book.as_of)]
    contracts = book.sheets["contracts"].rows
    gone = contracts["account_id"].map(last.set_index("account_id")["date"])
    on = (contracts["start_date"] < gone) & (
        contracts["end_date"].fillna(FOREVER) > gone + pd.Timedelta(days=book.grace_days)
    )
    odd = among(sheet.rows["account_id"], contracts.loc[on, "account_id"]) & sheet.rows.index.isin(last.index)
    allowed = f"contracts that end within {book.grace_days} days of it"
    return sheet.flag("churn-and-contract", "date", odd, "churn on " + day_text(sheet.rows["date"]), allowed)


def _repeated_ids(book: _Book) -> list[Problem]:
    problems = []
    for name, column in ROW_IDS.items():
        if name in book.sheets and column in book.sheets[name].rows:
            sheet = book.sheets[name]
            ids = sheet.rows[column]
            again = ids.duplicated() & (ids != "")
            problems += sheet.flag("repeated-id", column, again, "'" + ids + "' again", "every id once")
    return problems


def _seats(book: _Book) -> list[Problem]:
    if not {"touches", "seats"} <= set(book.sheets) or "seat_id" not in book.sheets["touches"].rows:
        return []
    sheet = book.sheets["touches"]
    seat = sheet.rows["seat_id"]
    unknown = ~among(seat, book.sheets["seats"].rows["seat_id"]) & (seat != "")
    return sheet.flag("unknown-seat", "seat_id", unknown, "'" + seat + "'", "a seat of the seats table")


def _formulas(book: _Book) -> list[Problem]:
    problems = []
    for sheet in book.sheets.values():
        for column in sheet.rows.select_dtypes(include=["object", "string"]):
            text = sheet.rows[column]
            starts = text.str.startswith(FORMULA_STARTS)
            if starts.any():
                number = text.str.fullmatch(r"[+-][\d.,]*")
                allowed = "text that no spreadsheet runs; written files put ' before it"
                problems += sheet.flag("formula-text", str(column), starts & ~number, text.str[:60], allowed)
    return problems


def _later(book: _Book) -> list[Problem]:
    """Rows from after `as_of`, counted by table: they are left out. Future starts of contracts have their own code."""
    problems = []
    for name, sheet in book.sheets.items():
        later = int((~known_rows(name, sheet.rows, book.as_of)).sum())
        if later and name not in ("contracts", "accounts"):
            found, allowed = f"{later:,} rows, left out", f"rows known by {book.as_of:%Y-%m-%d}"
            problems.append(Problem("after-as-of", name, sheet.file, None, "", found, allowed))
    return problems
