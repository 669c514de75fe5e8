"""Checked tables to a `Book`: whole cents, accounts where an export has none, and the ledger of the revenue table."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from subsim.book.book import Book
from subsim.book.columns import TableReport
from subsim.book.constant_currency import constant_currency
from subsim.book.mapping import Mapping
from subsim.book.problems import Problem
from subsim.book.quarantine import Quarantine
from subsim.book.schema import TABLES, UNSEGMENTED
from subsim.book.source import ROW
from subsim.errors import InputError, InputErrors
from subsim.ledger import from_contracts, from_movements, from_mrr, month_ends_between

Frames = dict[str, pd.DataFrame]


def assemble(
    name: str,
    as_of: dt.date,
    rules: Mapping,
    tables: Frames,
    reports: Sequence[TableReport],
    *,
    problems: tuple[Problem, ...] = (),
    quarantine: Quarantine | None = None,
) -> Book:
    """The book of tables that have passed all checks and end at `as_of`.

    Raises:
        InputErrors: a cube that stops before `as_of`.
    """
    clean = {key: _whole_cents(table).drop(columns=ROW) for key, table in tables.items()}
    clean["accounts"] = clean["accounts"].assign(segment=clean["accounts"]["segment"].replace("", UNSEGMENTED))
    clean, at_rates = constant_currency(clean)
    ledger = _ledger(clean, as_of, rules.grace_days)
    note = "\n".join(filter(None, (rules.note.strip(), at_rates)))
    return Book(name, as_of, rules.grace_days, note, clean, ledger, tuple(reports), problems, quarantine)


def with_accounts(tables: Frames) -> Frames:
    """Tables with accounts: where a book has none, they are what its revenue table shows of them."""
    if "accounts" in tables:
        return tables
    if "movements" in tables:
        rows = tables["movements"].sort_values(["account_id", "date"], kind="stable")
        first = rows.drop_duplicates("account_id")
        return tables | {"accounts": _accounts(first["account_id"], first["date"], "", first[ROW])}
    if "mrr" in tables:
        return tables | {"accounts": _accounts_of_cube(tables["mrr"])}
    nobody = pd.Series([], dtype=str)
    return tables | {"accounts": _accounts(nobody, pd.Series([], dtype="datetime64[s]"), "", nobody.astype("int64"))}


def _ledger(tables: Frames, as_of: dt.date, grace_days: int) -> pd.DataFrame:
    accounts = tables["accounts"]
    if "contracts" in tables:
        return from_contracts(tables["contracts"], accounts, as_of, grace_days=grace_days)
    if "mrr" in tables:
        cube = tables["mrr"].drop(columns="segment").merge(accounts[["account_id", "segment"]], on="account_id")
        _current(cube, np.datetime64(as_of, "D"))
        return from_mrr(cube)
    # A book of sums has no movements of accounts at all.
    blank = pd.DataFrame({column.target: [] for column in TABLES["movements"]})
    return from_movements(tables.get("movements", blank), accounts, as_of)


def _whole_cents(table: pd.DataFrame) -> pd.DataFrame:
    """Cents as int64; a blank amount, allowed in a cube and for costs, is none."""
    money = [name for name in table if str(name).endswith("_cents")]
    return table.assign(**{str(name): table[name].fillna(0).astype("int64") for name in money})


def _current(cube: pd.DataFrame, last_day: np.datetime64) -> None:
    """A cube must reach the last month that was complete on `as_of`."""
    due = month_ends_between(last_day, last_day)[0]
    if due > last_day:
        due = due.astype("datetime64[M]").astype("datetime64[D]") - np.timedelta64(1, "D")
    latest = "nothing" if cube.empty else cube["month"].max().strftime("%Y-%m")
    if cube.empty or cube["month"].max() < pd.Timestamp(due):
        do = "give an as_of inside the cube, or a newer export"
        raise InputErrors(
            [InputError(where="mrr month", found=f"{latest} as the last month", allowed=f"{due} or later", do=do)]
        )


def _accounts_of_cube(cube: pd.DataFrame) -> pd.DataFrame:
    """Accounts as a cube shows them: the first month with revenue, the segment of the last row."""
    rows = cube.sort_values(["account_id", "month"], kind="stable")
    last = rows.drop_duplicates("account_id", keep="last")
    first = rows[(rows["mrr_cents"] > 0).fillna(False)].drop_duplicates("account_id").set_index("account_id")["month"]
    start = last["account_id"].map(first).fillna(last["month"])
    return _accounts(last["account_id"], start, last["segment"], last[ROW])


def _accounts(ids: pd.Series, start: pd.Series, segment: "pd.Series[str] | str", row: pd.Series) -> pd.DataFrame:
    blank = {column.name: "" for column in TABLES["accounts"]}
    known = {"account_id": ids, "start_date": start.astype("datetime64[s]"), "segment": segment, ROW: row}
    return pd.DataFrame(blank | known).reset_index(drop=True)
