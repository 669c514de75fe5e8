"""Rules between values and between tables; every row that breaks one is named, none is dropped."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.book.mapping import nearest
from subsim.book.schema import REVENUE_TABLES
from subsim.book.source import ROW, capped
from subsim.errors import InputError
from subsim.ledger import ALL

Tables = Mapping[str, pd.DataFrame]
Bools = "pd.Series[bool]"


def folded(ids: "pd.Series[str]") -> "pd.Series[str]":
    """Ids without what people get wrong: case and spaces."""
    return ids.str.replace(r"\s+", " ", regex=True).str.strip().str.lower()


def _among(ids: pd.Series, known: pd.Series) -> npt.NDArray[np.bool_]:
    """Which ids are known; by hashing, since `isin` of text columns walks through a list of all known ids."""
    index = pd.Index(known.unique().astype(object))
    return np.asarray(index.get_indexer(pd.Index(ids.astype(object))) >= 0)


def check(tables: Tables, files: Mapping[str, str]) -> list[InputError]:
    """Every row of any table that breaks a rule, with file, row, column, what was found and what is allowed."""
    errors: list[InputError] = []
    if "accounts" in tables:
        errors += _accounts(tables["accounts"], files["accounts"])
        for name in ("contracts", "mrr", "health", "onboarding"):
            if name in tables:
                errors += _known_accounts(tables[name], files[name], tables["accounts"])
    rules: dict[str, Callable[[pd.DataFrame, str], list[InputError]]] = {
        "contracts": _contracts,
        "mrr": _mrr,
        "onboarding": _onboarding,
    }
    for name, rule in rules.items():
        if name in tables:
            errors += rule(tables[name], files[name])
    return errors


def _flag(
    table: pd.DataFrame, file: str, column: str, bad: pd.Series, found: pd.Series | str, allowed: str
) -> list[InputError]:
    """One error per bad row."""
    rows = table.loc[bad, ROW].tolist()
    shown = [found] * len(rows) if isinstance(found, str) else found[bad].astype(str).tolist()
    errors = [
        InputError(where=f"{file}:{row} {column}", found=value, allowed=allowed)
        for row, value in zip(rows, shown, strict=True)
    ]
    return capped(errors, f"{file} {column}")


def _accounts(accounts: pd.DataFrame, file: str) -> list[InputError]:
    key = folded(accounts["account_id"])
    first = accounts.groupby(key)["account_id"].transform("first")
    at = accounts.groupby(key)[ROW].transform("first").astype(str)
    twice = key.duplicated() & (key != "")
    found = "'" + accounts["account_id"] + "', the same as '" + first + "' in row " + at
    errors = _flag(accounts, file, "account_id", twice, found, "every account once; case and spaces do not count")
    reserved = accounts["segment"].str.lower() == ALL
    return errors + _flag(
        accounts, file, "segment", reserved, accounts["segment"], f"a name other than {ALL}, the total"
    )


def _known_accounts(table: pd.DataFrame, file: str, accounts: pd.DataFrame) -> list[InputError]:
    """Rows of accounts that the book does not have, with the spelling that it does have."""
    unknown = ~_among(table["account_id"], accounts["account_id"]) & (table["account_id"] != "")
    if not unknown.any():
        return []
    spelling: dict[str, str] = dict(zip(folded(accounts["account_id"]), accounts["account_id"], strict=True))
    names = sorted(set(accounts["account_id"].head(20_000)))
    errors: list[InputError] = []
    for row, name in table.loc[unknown, [ROW, "account_id"]].itertuples(index=False):
        same = spelling.get(" ".join(str(name).split()).lower())
        do = f"write it as in accounts: '{same}'" if same else ""
        if not do and len(errors) < 5:  # the search for a similar name is slow
            do = nearest(str(name), names)
        where = f"{file}:{row} account_id"
        errors.append(InputError(where=where, found=f"'{name}'", allowed="an account of the accounts table", do=do))
    return capped(errors, f"{file} account_id")


def _contracts(contracts: pd.DataFrame, file: str) -> list[InputError]:
    start, end, term = contracts["start_date"], contracts["end_date"], contracts["term_months"]
    cents = contracts["arr_cents"].fillna(1)  # a value that could not be read has been reported
    amount = cents.map(lambda value: f"{value / 100:,.2f}") if (cents <= 0).any() else cents
    open_ended = end.isna() & term.isna() & start.notna()
    allowed_end = "a date, or term_months for a contract that renews itself"
    backwards = end < start
    found = "end " + end.dt.strftime("%Y-%m-%d") + " before start " + start.dt.strftime("%Y-%m-%d")
    return [
        *_flag(contracts, file, "arr", cents <= 0, amount, "more than 0 a year; leave free plans out with exclude"),
        *_flag(contracts, file, "end_date", open_ended, "nothing", allowed_end),
        *_flag(contracts, file, "end_date", backwards, found, "a last day in force on or after start_date"),
        *_flag(contracts, file, "term_months", ~term.between(1, 240) & term.notna(), term, "1 to 240 months"),
    ]


def _mrr(cube: pd.DataFrame, file: str) -> list[InputError]:
    twice = cube.duplicated(["account_id", "month"]) & (cube["account_id"] != "")
    month = cube["month"].dt.strftime("%Y-%m")
    found = cube["account_id"] + " " + month + " again"
    amount = (cube["mrr_cents"] / 100).astype(str)
    errors = [
        *_flag(cube, file, "mrr", (cube["mrr_cents"] < 0).fillna(False), amount, "0 or more a month"),
        *_flag(cube, file, "month", twice, found, "one row per account and month"),
    ]
    if cube["month"].notna().any():
        have = pd.PeriodIndex(cube["month"].dropna().unique(), freq="M")
        gaps = pd.period_range(have.min(), have.max(), freq="M").difference(have)
        if len(gaps):
            where, names = f"{file} month", ", ".join(str(gap) for gap in gaps[:12])
            errors.append(InputError(where=where, found=f"no row for {names}", allowed="every month of the cube"))
    return errors


def _onboarding(table: pd.DataFrame, file: str) -> list[InputError]:
    early = table["first_value_date"] < table["kickoff_date"]
    found = table["first_value_date"].dt.strftime("%Y-%m-%d")
    again = table["account_id"].duplicated() & (table["account_id"] != "")
    return [
        *_flag(table, file, "first_value_date", early, found, "a day on or after kickoff_date, or nothing"),
        *_flag(table, file, "account_id", again, table["account_id"], "one row per account"),
    ]


def revenue_table(names: set[str]) -> str | InputError:
    """The one table that says what accounts pay."""
    found = sorted(names.intersection(REVENUE_TABLES))
    if len(found) == 1:
        return found[0]
    what = " and ".join(found) or "none"
    return InputError(where="book", found=f"revenue tables: {what}", allowed=f"one of {', '.join(REVENUE_TABLES)}")


def cut(tables: dict[str, pd.DataFrame], as_of: np.datetime64) -> dict[str, pd.DataFrame]:
    """What was known at the close of `as_of`: later rows go, later events become 'not yet'."""
    day = pd.Timestamp(as_of)
    dated = {
        "contracts": "start_date",
        "mrr": "month",
        "health": "date",
        "onboarding": "kickoff_date",
        "seats": "start_date",
    }
    known = {name: table[table[dated[name]] <= day] if name in dated else table for name, table in tables.items()}
    for name, column in (("onboarding", "first_value_date"), ("seats", "leave_date")):
        if name in known:
            known[name] = known[name].assign(**{column: known[name][column].where(known[name][column] <= day)})
    if "contracts" in known:
        contracts = known["contracts"]
        # The end of a contract that renews itself is news on the day it happens, not before.
        unknown = contracts["term_months"].notna() & (contracts["end_date"] > day)
        known["contracts"] = contracts.assign(end_date=contracts["end_date"].mask(unknown))
    revenue = next(known[name] for name in REVENUE_TABLES if name in known)
    accounts = known["accounts"]
    known["accounts"] = accounts[
        (accounts["start_date"] <= day) | _among(accounts["account_id"], revenue["account_id"])
    ]
    return {name: table.reset_index(drop=True) for name, table in known.items()}
