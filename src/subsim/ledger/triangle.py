"""Cohort triangles: what is left of the customers of each start period, by age."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.ledger.bridge import PERIOD_MONTHS
from subsim.ledger.rows import OPENING_BALANCE
from subsim.ledger.split import Grain, period_names
from subsim.ledger.state import account_states, ordered
from subsim.ledger.terms import ONE_DAY, as_day
from subsim.ratios import Floats, ratio


@dataclass(frozen=True)
class Triangle:
    """Cohorts (rows, in order of time) by age in periods (columns 0, 1, ...); cells that are not there yet are NaN.

    `values` are accounts, or cents of ARR, at the close of the period `age` after the start period; `started` is what
    the cohort signed, whether or not it lasted until its first close. Only cells of one age may be compared.
    """

    values: pd.DataFrame
    started: "pd.Series[float]"

    def shares(self) -> pd.DataFrame:
        """Every cell as a share of what its cohort started with."""
        parts = ratio(self.values.to_numpy(), self.started.to_numpy()[:, None])
        return pd.DataFrame(parts, index=self.values.index, columns=self.values.columns)

    def steps(self) -> pd.DataFrame:
        """Every cell as a share of the cell before it: the retention rate of the cohort at that age (from age 1)."""
        cells = self.values.to_numpy()
        parts = ratio(cells[:, 1:], cells[:, :-1])
        return pd.DataFrame(parts, index=self.values.index, columns=self.values.columns[1:])

    def by_age(self) -> pd.DataFrame:
        """All cohorts that have reached an age, pooled: columns cohorts, value, started, share, step.

        `step` is what was kept of the age before by the cohorts that have reached this one.
        """
        cells = self.values.to_numpy()
        seen = ~np.isnan(cells)
        value = np.where(seen, cells, 0).sum(axis=0)
        started = np.where(seen, self.started.to_numpy()[:, None], 0).sum(axis=0)
        before = np.r_[np.nan, np.where(seen[:, 1:], cells[:, :-1], 0).sum(axis=0)][: cells.shape[1]]
        columns = {"cohorts": seen.sum(axis=0), "value": value, "started": started}
        return pd.DataFrame({**columns, "share": ratio(value, started), "step": ratio(value, before)}).rename_axis(
            "age"
        )

    def by_period(self) -> pd.DataFrame:
        """The diagonals: columns value (all cohorts at a close), of_before (the older cohorts' part of it), retention.

        `retention` is what one sees without cohorts: what is left of all customers of the period before. It moves with
        the mix of ages even where every cohort has the same rates.
        """
        cells = self.values.to_numpy()
        rows, ages = np.indices(cells.shape)
        period = rows + ages
        periods = range(len(cells))
        value = np.array([np.nansum(cells[period == p]) for p in periods])
        of_before = np.array([np.nansum(cells[(period == p) & (ages > 0)]) for p in periods])
        retention = np.r_[np.nan, ratio(of_before[1:], value[:-1])][: len(cells)]
        return pd.DataFrame(
            {"value": value, "of_before": of_before, "retention": retention}, index=self.values.index.rename("period")
        )


def triangle(
    ledger: pd.DataFrame,
    as_of: object,
    *,
    grain: Grain = "quarter",
    of: Literal["logos", "arr"] = "logos",
    returns: bool = False,
) -> Triangle:
    """Cohort triangle of a ledger: accounts or ARR by start period and age, both in months, quarters or years.

    The last complete period before the close of `as_of` is the last column of the oldest cohort. Accounts of an
    opening balance are left out: their start is not known. An account that left and came back is gone, unless
    `returns`.

    Args:
        ledger: rows as in `subsim.ledger.rows`.
        as_of: the last day that counts.
        grain: length of periods.
        of: count accounts, or sum their ARR in cents.
        returns: count accounts that came back.
    """
    rows = ordered(ledger[ledger["date"].to_numpy() < (as_day(as_of) + ONE_DAY).astype("datetime64[s]")])
    first = rows.drop_duplicates("account_id")
    first = first[(first["kind"] == "new") & (first["reason"].astype(str) != OPENING_BALANCE)]
    months = PERIOD_MONTHS[grain]
    begin = first["date"].to_numpy(dtype="datetime64[M]").astype(np.int64) // months
    end = (
        int((as_day(as_of) + ONE_DAY).astype("datetime64[M]").astype(np.int64)) // months
    )  # the first one not complete
    origin = int(begin.min(initial=end))
    count = max(end - origin, 0)
    in_time = begin < end
    closes = ((np.arange(count) + origin + 1) * months).astype("datetime64[M]").astype("datetime64[s]")
    state = account_states(rows, closes)
    present = np.ones(state.arr.shape, dtype=bool) if returns else state.churns == 0
    held = np.where(present, state.arr if of == "arr" else state.arr > 0, 0)
    at = pd.Index(state.accounts).get_indexer(pd.Index(first["account_id"].astype(str)))[in_time]
    cohort = begin[in_time] - origin
    sums = np.zeros((count, count), dtype=np.int64)
    np.add.at(sums, cohort, held[at])
    signed = first["after"].to_numpy(dtype=np.int64)[in_time] if of == "arr" else np.ones(len(at), dtype=np.int64)
    started = np.zeros(count, dtype=np.int64)
    np.add.at(started, cohort, signed)
    starts = ((np.arange(count) + origin) * months).astype("datetime64[M]")
    return _by_age(pd.DataFrame(sums.astype(np.float64), index=period_names(starts, grain)), started.astype(np.float64))


def triangle_of_counts(counts: pd.DataFrame) -> Triangle:
    """Triangle of a table that is already counted: cohorts in rows, the same periods in columns.

    Row i starts in column i; what lies before is blank. What a cohort counts in its own period is what it started
    with.

    Raises:
        InputError: a table that is not square, or has blanks after a cohort's start.

    Example:
        >>> counts = pd.DataFrame([[10, 8], [None, 20]], index=["2001", "2002"], columns=["2001", "2002"])
        >>> triangle_of_counts(counts).steps().iloc[0].tolist()
        [0.8]
    """
    cells = counts.to_numpy(dtype=np.float64)
    allowed = "one row and one column for each period, blank before a cohort's start"
    if cells.ndim != 2 or cells.shape[0] != cells.shape[1]:
        raise InputError(where="counts", found=f"{len(cells)} rows, {counts.shape[1]} columns", allowed=allowed)
    if np.isnan(cells[np.triu_indices(len(cells))]).any():
        raise InputError(where="counts", found="a blank after a cohort's start", allowed=allowed)
    return _by_age(pd.DataFrame(cells, index=counts.index), np.diagonal(cells).copy())


def _by_age(by_period: pd.DataFrame, started: Floats) -> Triangle:
    """Shift each cohort's row to begin at age 0."""
    cells = by_period.to_numpy()
    aged = np.full(cells.shape, np.nan)
    for row in range(len(cells)):
        aged[row, : len(cells) - row] = cells[row, row:]
    index = by_period.index.rename("cohort")
    return Triangle(
        pd.DataFrame(aged, index=index, columns=pd.RangeIndex(len(cells), name="age")),
        pd.Series(started, index=index, name="started"),
    )
