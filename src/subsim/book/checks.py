"""Rules that rows must keep for a book to be usable; every row that breaks one is named, none is dropped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from subsim.book.cut import among
from subsim.book.mapping import nearest
from subsim.book.problems import Problem
from subsim.book.schema import REVENUE_TABLES
from subsim.book.source import ROW
from subsim.errors import InputError
from subsim.ledger import ALL, KINDS, movement_problems

Tables = Mapping[str, pd.DataFrame]
#: What was found: one text for all rows, or a text for each of some rows.
Found = str | Callable[[pd.DataFrame], "pd.Series[Any]"]

#: Later date, earlier date.
ORDERED: Final = (
    ("contracts", "end_date", "start_date"),
    ("seats", "leave_date", "start_date"),
    ("tickets", "resolved", "opened"),
    ("onboarding", "first_value_date", "kickoff_date"),
)
#: What identifies a row: two such rows contradict each other.
ONCE: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "mrr": ("duplicate-month", ("account_id", "month"), "one row per account and month"),
    "onboarding": ("duplicate-onboarding", ("account_id",), "one row per account"),
    "seats": ("duplicate-seat", ("seat_id",), "one row per seat"),
    "bridge": ("duplicate-row", ("month", "segment"), "one row per month and segment"),
    "fx": ("duplicate-row", ("currency", "month"), "one rate per currency and month"),
}
SLOW_SEARCHES = 5  # rows for which a similar name is looked for; the search is slow


@dataclass(frozen=True)
class Sheet:
    """One table with its name and file, as the rules see it."""

    name: str
    file: str
    rows: pd.DataFrame

    def flag(self, code: str, column: str, bad: Any, found: Found, allowed: str, do: str = "") -> list[Problem]:
        """One problem per row where `bad` is true; `found` is asked for these rows alone."""
        at = np.flatnonzero(pd.Series(bad).fillna(value=False).to_numpy(dtype=bool))
        if not len(at):
            return []
        rows = self.rows.iloc[at]
        texts = [found] * len(at) if isinstance(found, str) else found(rows).astype(str).tolist()
        ids = rows["account_id"].tolist() if "account_id" in rows else [""] * len(at)
        return [
            Problem(code, self.name, self.file, int(row), column, text, allowed, do, account)
            for row, text, account in zip(rows[ROW], texts, ids, strict=True)
        ]


def folded(ids: "pd.Series[str]") -> "pd.Series[str]":
    """Ids without what people get wrong: case and spaces."""
    return ids.str.replace(r"\s+", " ", regex=True).str.strip().str.lower()


def day_text(dates: "pd.Series[Any]") -> "pd.Series[str]":
    """Dates as year-month-day."""
    texts: pd.Series[str] = dates.dt.strftime("%Y-%m-%d")
    return texts


def money_text(cents: "pd.Series[Any]") -> "pd.Series[str]":
    """Cents as an amount with two decimals."""
    return pd.Series(["nothing" if pd.isna(value) else f"{value / 100:,.2f}" for value in cents], cents.index)


def check(tables: Tables, files: Mapping[str, str]) -> list[Problem]:
    """Every row of any table that breaks a rule, with file, row, column, what was found and what is allowed."""
    problems: list[Problem] = []
    rules: dict[str, Callable[[Sheet], list[Problem]]] = {
        "accounts": _accounts,
        "contracts": _contracts,
        "movements": _movements,
        "mrr": _mrr,
        "bridge": _bridge,
    }
    for name, table in tables.items():
        sheet = Sheet(name, files[name], table)
        problems += _order(sheet) + _once(sheet)
        if name in rules and (name != "movements" or revenue_table(set(tables)) == name):
            problems += rules[name](sheet)
        if name != "accounts" and "account_id" in table and "accounts" in tables:
            problems += _known_accounts(sheet, tables["accounts"])
        elif "account_id" in table and "accounts" not in tables:
            problems += _spelled_twice(sheet)
    return problems + _currencies(tables, files)


def _order(sheet: Sheet) -> list[Problem]:
    problems = []
    for name, later, earlier in ORDERED:
        if name == sheet.name and {later, earlier} <= set(sheet.rows):
            wrong = sheet.rows[later] < sheet.rows[earlier]
            found = partial(_backwards, later, earlier)
            problems += sheet.flag("end-before-start", later, wrong, found, f"a day on or after {earlier}")
    return problems


def _backwards(later: str, earlier: str, rows: pd.DataFrame) -> "pd.Series[str]":
    return f"{later} " + day_text(rows[later]) + f" before {earlier} " + day_text(rows[earlier])


def _once(sheet: Sheet) -> list[Problem]:
    if sheet.name not in ONCE:
        return []
    code, columns, allowed = ONCE[sheet.name]
    present = [name for name in columns if name in sheet.rows]
    again = sheet.rows.duplicated(present) & sheet.rows[present[0]].notna() & (sheet.rows[present[0]] != "")
    return sheet.flag(code, present[-1], again, partial(_again, present), allowed)


def _again(columns: list[str], rows: pd.DataFrame) -> "pd.Series[str]":
    texts = [day_text(rows[name]).str[:7] if name == "month" else rows[name].astype(str) for name in columns]
    return sum((" " + text for text in texts[1:]), texts[0]) + " again"


def _accounts(sheet: Sheet) -> list[Problem]:
    accounts, ids = sheet.rows, sheet.rows["account_id"]
    key = folded(ids)
    allowed = "every account once; case and spaces do not count"
    problems = sheet.flag("duplicate-account", "account_id", key.duplicated() & (key != ""), _same_as(sheet), allowed)
    reserved = accounts["segment"].str.lower() == ALL
    problems += sheet.flag(
        "reserved-segment", "segment", reserved, text_of("segment"), f"a name other than {ALL}, the total"
    )
    allowed = "a parent whose own parents end at an account without one"
    return problems + sheet.flag("parent-cycle", "parent_id", _on_cycle(accounts), text_of("parent_id"), allowed)


def text_of(column: str) -> Callable[[pd.DataFrame], "pd.Series[Any]"]:
    """The value of a column."""
    return lambda rows: rows[column]


def quoted_text(column: str, after: str = "") -> Callable[[pd.DataFrame], "pd.Series[Any]"]:
    """The text of a column in quotes."""
    return lambda rows: "'" + rows[column] + "'" + after


def amount_of(column: str) -> Callable[[pd.DataFrame], "pd.Series[Any]"]:
    """The amount of a column of cents."""
    return lambda rows: money_text(rows[column])


def _same_as(sheet: Sheet) -> Callable[[pd.DataFrame], "pd.Series[Any]"]:
    """An id with the first row that has it, spelled as there."""

    def found(rows: pd.DataFrame) -> "pd.Series[Any]":
        keys = folded(sheet.rows["account_id"])
        first = sheet.rows.assign(key=keys).drop_duplicates("key").set_index("key")
        mine = keys.loc[rows.index]
        same, at = mine.map(first["account_id"]), mine.map(first[ROW]).astype(str)
        return "'" + rows["account_id"] + "', the same as '" + same + "' in row " + at

    return found


def _on_cycle(accounts: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Accounts that come back to themselves when their parents are followed; by doubling the steps."""
    ids = pd.Index(accounts["account_id"].astype(object))
    on_cycle = np.zeros(len(ids), dtype=bool)
    if not ids.is_unique or not (accounts["parent_id"] != "").any():
        return on_cycle
    up = np.append(ids.get_indexer(pd.Index(accounts["parent_id"].astype(object))), -1)  # the last stands for none
    for _ in range(int(np.ceil(np.log2(len(ids)))) + 1):
        up = up[up]
    on_cycle[up[up >= 0]] = True
    return on_cycle


def _known_accounts(sheet: Sheet, accounts: pd.DataFrame) -> list[Problem]:
    """Rows of accounts that the book does not have, with the spelling that it does have."""
    ids = sheet.rows["account_id"]
    unknown = ~among(ids, accounts["account_id"]) & (ids != "")
    if not unknown.any():
        return []
    spelling: dict[str, str] = dict(zip(folded(accounts["account_id"]), accounts["account_id"], strict=True))
    names = sorted(set(accounts["account_id"].head(20_000)))
    problems: list[Problem] = []
    for row, name in sheet.rows.loc[unknown, [ROW, "account_id"]].itertuples(index=False):
        same = spelling.get(" ".join(str(name).split()).lower())
        do = f"write it as in accounts: '{same}'" if same else ""
        if not do and len(problems) < SLOW_SEARCHES:
            do = nearest(str(name), names)
        allowed = "an account of the accounts table"
        problems.append(
            Problem("unknown-account", sheet.name, sheet.file, row, "account_id", f"'{name}'", allowed, do, str(name))
        )
    return problems


def _spelled_twice(sheet: Sheet) -> list[Problem]:
    """Without an accounts table, ids that differ only by case or spaces would count as several accounts."""
    ids = sheet.rows["account_id"]
    key = folded(ids)
    known = pd.DataFrame({"id": ids, "key": key}).drop_duplicates()
    odd = ids.isin(known.loc[known["key"].duplicated(), "id"])
    return sheet.flag("duplicate-account", "account_id", odd, _same_as(sheet), "one spelling of every account")


def _contracts(sheet: Sheet) -> list[Problem]:
    contracts = sheet.rows
    start, end, term, cents = (contracts[name] for name in ("start_date", "end_date", "term_months", "arr_cents"))
    problems = sheet.flag("negative-amount", "arr", cents < 0, amount_of("arr_cents"), "0 or more a year")
    open_ended = end.isna() & term.isna() & start.notna()
    allowed = "a date, or term_months for a contract that renews itself"
    problems += sheet.flag("no-end", "end_date", open_ended, "nothing", allowed)
    odd = ~term.between(1, 240) & term.notna()
    return problems + sheet.flag("term-length", "term_months", odd, text_of("term_months"), "1 to 240 months")


def _movements(sheet: Sheet) -> list[Problem]:
    rows = sheet.rows
    cents = rows["arr_after_cents"]
    allowed = "0 or more a year"
    problems = sheet.flag("negative-amount", "arr_after", cents < 0, amount_of("arr_after_cents"), allowed)
    read = rows[cents.notna() & rows["date"].notna() & rows["kind"].isin(KINDS) & (cents >= 0)]
    odd = movement_problems(read)
    facts = rows.loc[odd.index, [ROW, "account_id"]].assign(found=odd["found"], allowed=odd["allowed"])
    for row, account, found, allowed in facts.itertuples(index=False):
        problems.append(Problem("kind-and-amount", sheet.name, sheet.file, row, "kind", found, allowed, "", account))
    return problems


def _mrr(sheet: Sheet) -> list[Problem]:
    cube = sheet.rows
    negative = cube["mrr_cents"] < 0
    problems = sheet.flag("negative-amount", "mrr", negative, amount_of("mrr_cents"), "0 or more a month")
    if cube["month"].notna().any():
        have = pd.PeriodIndex(cube["month"].dropna().unique(), freq="M")
        gaps = pd.period_range(have.min(), have.max(), freq="M").difference(have)
        if len(gaps):
            found = f"no row for {', '.join(str(gap) for gap in gaps[:12])}"
            problems.append(
                Problem("month-missing", sheet.name, sheet.file, None, "month", found, "every month of the cube")
            )
    return problems


def _bridge(sheet: Sheet) -> list[Problem]:
    """Each opening must be what the month before closed with."""
    flows = {"new": 1, "expansion": 1, "reactivation": 1, "contraction": -1, "churn": -1}
    rows = sheet.rows.sort_values(["segment", "month"], kind="stable").astype({"opening_cents": "Int64"})
    change = sum((sign * rows[f"{name}_cents"].fillna(0) for name, sign in flows.items() if f"{name}_cents" in rows))
    rows = rows.assign(before=(rows["opening_cents"] + change).groupby(rows["segment"]).shift())
    off = rows["opening_cents"] != rows["before"]
    return Sheet(sheet.name, sheet.file, rows).flag(
        "does-not-tie",
        "opening",
        off,
        lambda bad: money_text(bad["opening_cents"]) + " after a closing of " + money_text(bad["before"]),
        "the closing of the month before",
    )


def _currencies(tables: Tables, files: Mapping[str, str]) -> list[Problem]:
    """Amounts in several currencies need a rate for each; sums would otherwise mean nothing."""
    rates = set(tables["fx"]["currency"]) if "fx" in tables else set()
    problems = []
    for name in REVENUE_TABLES:
        if name not in tables or "currency" not in tables[name]:
            continue
        used = tables[name]["currency"]
        without = ~used.isin(rates) & (used != "")
        if rates or used[used != ""].nunique() > 1:
            sheet = Sheet(name, files[name], tables[name])
            allowed = "one currency, or a rate for each in the table fx"
            problems += sheet.flag("no-rate", "currency", without, text_of("currency"), allowed)
    return problems


def revenue_table(names: set[str]) -> str | InputError:
    """The one table that says what accounts pay; movements beside contracts or a cube are looked at for churn."""
    found = sorted(names.intersection(REVENUE_TABLES))
    if len(found) == 2 and "movements" in found:
        found.remove("movements")
    if len(found) == 1:
        return found[0]
    what = " and ".join(found) or "none"
    return InputError(where="book", found=f"revenue tables: {what}", allowed=f"one of {', '.join(REVENUE_TABLES)}")
