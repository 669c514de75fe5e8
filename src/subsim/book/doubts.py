"""What may be wrong in a book that can be read: every row is named as a warning, and stays in unless it says not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from subsim.book.checks import (
    Sheet,
    Tables,
    amount_of,
    day_text,
    folded,
    money_text,
    quoted_text,
    text_of,
)
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
WHOLE_YEARS: Final = 0.1  # years by which a term may miss a whole number of years
DOUBLE: Final = 0.8  # an overlap of at least this share of what runs may be the same revenue twice; less is an addition
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
        problems += sheet.flag(code, column, odd, partial(_beside, column, other), "one spelling")
    return problems


def _beside(column: str, usual: dict[str, str], rows: pd.DataFrame) -> pd.Series:
    return "'" + rows[column] + "' beside '" + rows[column].map(usual).astype(str) + "'"


def _no_revenue(book: _Book) -> list[Problem]:
    sheet, revenue = book.sheets["accounts"], book.sheets[book.revenue]
    if revenue is sheet or "account_id" not in revenue.rows:
        return []
    ids, paying = sheet.rows["account_id"], revenue.rows["account_id"]
    without = ~among(ids, paying)
    if without.any():  # another spelling of an id is another problem
        without &= ~among(folded(ids), folded(paying))
    return sheet.flag("no-revenue", "account_id", without, quoted_text("account_id"), f"a row in {book.revenue}")


def _parents(book: _Book) -> list[Problem]:
    sheet = book.sheets["accounts"]
    parent = sheet.rows["parent_id"]
    unknown = ~among(parent, sheet.rows["account_id"]) & (parent != "")
    return sheet.flag("unknown-parent", "parent_id", unknown, quoted_text("parent_id"), "an account, or nothing")


def _contracts(book: _Book) -> list[Problem]:
    if book.revenue != "contracts":
        return []
    sheet = book.sheets["contracts"]
    begun = book.accounts.drop_duplicates("account_id").set_index("account_id")["start_date"]
    sheet = Sheet(sheet.name, sheet.file, sheet.rows.assign(begun=sheet.rows["account_id"].map(begun)))
    rows = sheet.rows
    allowed = "more than 0 a year, or left out with exclude"
    problems = sheet.flag("free-plan", "arr", rows["arr_cents"] == 0, "0.00", allowed)
    problems += sheet.flag(
        "future-start",
        "start_date",
        rows["start_date"] > book.as_of,
        lambda bad: money_text(bad["arr_cents"]) + " a year from " + day_text(bad["start_date"]),
        f"a start by {book.as_of:%Y-%m-%d}",
        "a signed_date says since when it is in CARR; else it is left out",
    )
    problems += sheet.flag(
        "start-mismatch",
        "start_date",
        rows["start_date"] < rows["begun"],
        lambda bad: day_text(bad["start_date"]) + ", the account from " + day_text(bad["begun"]),
        "the account's start_date or later",
    )
    ordered = _one_after_another(rows)
    ordered_sheet = Sheet(sheet.name, sheet.file, ordered)
    return problems + _renewals(ordered_sheet, book.grace_days) + _totals(ordered_sheet)


def _one_after_another(rows: pd.DataFrame) -> pd.DataFrame:
    """Paid contracts by account and start, with the one before: its end and amount."""
    paid = (rows["arr_cents"] > 0).fillna(value=False).to_numpy(dtype=bool)
    rows = rows[paid & rows["start_date"].notna() & (rows["account_id"] != "")]
    account, _ = pd.factorize(rows["account_id"])
    end = rows["end_date"].fillna(FOREVER)
    order = np.lexsort((rows[ROW], rows["arr_cents"].astype("int64"), end, rows["start_date"], account))
    rows = rows.assign(account=account, end=end).iloc[order]
    same = np.r_[False, np.diff(rows["account"]) == 0][: len(rows)]
    latest = rows["end"].groupby(rows["account"], sort=False).cummax().shift().where(same)
    return rows.assign(ended=latest, paid=rows["arr_cents"].shift().where(same))


def _renewals(sheet: Sheet, grace_days: int) -> list[Problem]:
    """Late renewals, doubles, and overlaps large enough to be a renewal that counts twice."""
    rows = sheet.rows
    late = (rows["start_date"] - rows["ended"]).dt.days - 1
    allowed = f"read as a renewal: up to {grace_days} days late"
    problems = sheet.flag("late-renewal", "start_date", late.between(1, grace_days), _after_end, allowed)
    same = rows.duplicated(["account", "start_date", "end_date", "arr_cents", "product"])
    found = amount_of("arr_cents")
    problems += sheet.flag("same-contract", "start_date", same, found, "one row per contract")
    overlap = (rows["ended"] >= rows["start_date"]) & ~same & (rows["arr_cents"] >= DOUBLE * rows["paid"])
    allowed = "amounts that add up while both are in force"
    return problems + sheet.flag("overlap", "start_date", overlap, _after_end, allowed)


def _after_end(rows: pd.DataFrame) -> pd.Series:
    ended = day_text(rows["ended"]).where(rows["ended"] < FOREVER, "when it is cancelled")
    return day_text(rows["start_date"]) + ", the term before ends " + ended


def _totals(sheet: Sheet) -> list[Problem]:
    """Terms of whole years whose amount, divided by the years, is what the account paid before or the list price."""
    rows = sheet.rows
    years = ((rows["end_date"] - rows["start_date"]).dt.days + 1) / DAYS_PER_YEAR
    whole = (years.round() >= 2) & ((years - years.round()).abs() < WHOLE_YEARS)
    yearly = rows["arr_cents"].astype(float) / years.round().where(whole)
    usual = [rows[name].astype(float) for name in ("paid", "list_arr_cents")]
    total = np.any([(yearly / value - 1).abs() < TOTAL_TOLERANCE for value in usual], axis=0)
    sheet = Sheet(sheet.name, sheet.file, rows.assign(years=years))
    return sheet.flag(
        "multi-year-total",
        "arr",
        total,
        lambda bad: money_text(bad["arr_cents"]) + " for " + bad["years"].map("{:.1f} years".format),
        "the amount of one year; arr_is: total in book.yaml divides it",
    )


def _activity(book: _Book) -> list[Problem]:
    """Activity before the contract it names began, or before its account did."""
    starts = book.accounts.drop_duplicates("account_id").set_index("account_id")["start_date"]
    problems = []
    for name, column in ACTIVITY.items():
        if name not in book.sheets or column not in book.sheets[name].rows:
            continue
        sheet = book.sheets[name]
        since = sheet.rows["account_id"].map(starts)
        if "contract_id" in sheet.rows and "contracts" in book.sheets:
            contracts = book.sheets["contracts"].rows
            of_contract = contracts.drop_duplicates("contract_id").set_index("contract_id")["start_date"]
            since = sheet.rows["contract_id"].where(sheet.rows["contract_id"] != "").map(of_contract).fillna(since)
        problems += Sheet(sheet.name, sheet.file, sheet.rows.assign(since=since)).flag(
            "before-start",
            column,
            sheet.rows[column] < since,
            partial(_before_start, column),
            "the start_date of the contract it names, else of its account, or later",
        )
    return problems


def _before_start(column: str, rows: pd.DataFrame) -> pd.Series:
    return day_text(rows[column]) + " before " + day_text(rows["since"])


def _churn_events(book: _Book) -> list[Problem]:
    """Movements beside another revenue table are evidence: churn there, and flags in accounts, must agree."""
    if "movements" not in book.sheets or book.revenue == "movements":
        return []
    accounts, sheet = book.sheets["accounts"], book.sheets["movements"]
    flags, ids = accounts.rows["churned"].str.lower(), accounts.rows["account_id"]
    events = sheet.rows[(sheet.rows["kind"] == "churn") & (sheet.rows["date"] <= book.as_of)]
    count = events.groupby("account_id").size()
    seen = among(ids, events["account_id"])
    problems = accounts.flag(
        "churn-without-flag",
        "churned",
        seen & flags.isin(NO),
        lambda bad: bad["churned"] + ", " + bad["account_id"].map(count).astype(str) + " churn events",
        "a flag for every account with a churn event",
    )
    allowed = "a churn event for every flag"
    problems += accounts.flag("flag-without-churn", "churned", ~seen & flags.isin(YES), text_of("churned"), allowed)
    return problems + (_still_paying(book, sheet) if book.revenue == "contracts" else [])


def _still_paying(book: _Book, sheet: Sheet) -> list[Problem]:
    """Accounts whose last movement is churn, and whose contracts were in force the day before and go on."""
    last = sheet.rows.sort_values("date", kind="stable").drop_duplicates("account_id", keep="last")
    last = last[(last["kind"] == "churn") & (last["date"] <= book.as_of)]
    contracts = book.sheets["contracts"].rows
    gone = contracts["account_id"].map(last.set_index("account_id")["date"])
    late = gone + pd.Timedelta(days=book.grace_days)
    on = (contracts["start_date"] < gone) & (contracts["end_date"].fillna(FOREVER) > late)
    odd = among(sheet.rows["account_id"], contracts.loc[on, "account_id"]) & sheet.rows.index.isin(last.index)
    allowed = f"contracts that end within {book.grace_days} days of it"
    return sheet.flag("churn-and-contract", "date", odd, lambda bad: "churn on " + day_text(bad["date"]), allowed)


def _repeated_ids(book: _Book) -> list[Problem]:
    problems = []
    for name, column in ROW_IDS.items():
        if name in book.sheets and column in book.sheets[name].rows:
            sheet = book.sheets[name]
            ids = sheet.rows[column]
            again = ids.duplicated() & (ids != "")
            problems += sheet.flag("repeated-id", column, again, quoted_text(column, " again"), "every id once")
    return problems


def _seats(book: _Book) -> list[Problem]:
    if not {"touches", "seats"} <= set(book.sheets) or "seat_id" not in book.sheets["touches"].rows:
        return []
    sheet = book.sheets["touches"]
    seat = sheet.rows["seat_id"]
    unknown = ~among(seat, book.sheets["seats"].rows["seat_id"]) & (seat != "")
    return sheet.flag("unknown-seat", "seat_id", unknown, quoted_text("seat_id"), "a seat of the seats table")


def _formulas(book: _Book) -> list[Problem]:
    problems = []
    for sheet in book.sheets.values():
        for column in sheet.rows.select_dtypes(include=["object", "string"]):
            text = sheet.rows[column]
            starts = text.str.startswith(FORMULA_STARTS)
            if starts.any():
                number = text.str.fullmatch(r"[+-][\d.,]*")
                allowed = "text that no spreadsheet runs; written files put ' before it"
                problems += sheet.flag("formula-text", str(column), starts & ~number, quoted_text(str(column)), allowed)
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
