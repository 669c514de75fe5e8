"""Contract terms: what an account signed for, one row per term, and calendar arithmetic on whole columns."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Days = npt.NDArray[np.datetime64]
Ints = npt.NDArray[np.int64]

ONE_DAY = np.timedelta64(1, "D")
ONE_MONTH = np.timedelta64(1, "M")
DAYS_PER_MONTH = 365.25 / 12  # mean Gregorian-Julian month, only used to name a term's length


def as_days(values: object) -> Days:
    """Any column of dates as datetime64[D]; missing dates become NaT."""
    return np.asarray(pd.to_datetime(pd.Series(values)).to_numpy(), dtype="datetime64[D]")


def as_day(value: object) -> np.datetime64:
    """One date as datetime64[D]."""
    return np.datetime64(as_days([value])[0], "D")


def add_months(day: Days, months: Ints) -> Days:
    """Move each day by whole months, keeping its day of month or, where that does not exist, the month's last day."""
    month = day.astype("datetime64[M]")
    day_of_month = (day - month.astype("datetime64[D]")).astype(np.int64)
    target = month + months.astype("timedelta64[M]")
    last = ((target + ONE_MONTH).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    moved: Days = target.astype("datetime64[D]") + np.minimum(day_of_month, last - 1).astype("timedelta64[D]")
    return moved


def whole_months(start: Days, end: Days) -> Ints:
    """Largest m with `add_months(start, m) <= end`."""
    months = (end.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64)
    whole: Ints = months - (add_months(start, months) > end)
    return whole


def month_ends_between(first: object, last: object) -> Days:
    """Last days of the calendar months from the month of `first` to the month of `last`, both included."""
    months = np.arange(as_day(first).astype("datetime64[M]"), as_day(last).astype("datetime64[M]") + ONE_MONTH)
    return np.asarray((months + ONE_MONTH).astype("datetime64[D]") - ONE_DAY)


def terms(contracts: pd.DataFrame, as_of: object) -> pd.DataFrame:
    """One row per contract term that began on or before `as_of`.

    A contract without `term_months` is one term, from `start_date` through `end_date`. A contract with `term_months`
    renews itself every so many months until `end_date` (missing: still running), so it is cut at its anniversaries;
    an `end_date` after `as_of` is not looked at then, because on `as_of` nobody knew it.

    Args:
        contracts: `account_id`, `start_date`, `end_date` (last day in force), `arr_cents`, and optionally
            `term_months` and `notice_date` (a notice after `as_of` has not been given).
        as_of: the last day the book knows.

    Returns:
        Columns account_id, start_date, end_date (datetime64[s], last day of the term, possibly after `as_of`), due_date
        (when the term was to end; later than `end_date` after a loss in mid-term), arr_cents (int64), term_months
        (int64, at least 1; rounded from the dates where not stated), and notice_date where the contracts have it.
    """
    cut = as_day(as_of)
    known = contracts.loc[as_days(contracts["start_date"]) <= cut]
    start, end = as_days(known["start_date"]), as_days(known["end_date"])
    stated = known.get("term_months", pd.Series(np.nan, known.index)).to_numpy(dtype=float, na_value=np.nan)
    renews = ~np.isnan(stated)
    step = np.where(renews, stated, 0).astype(np.int64)
    ended = np.where(renews & (end > cut), np.datetime64("NaT", "D"), end)
    last = np.where(np.isnat(ended), cut, ended)
    count = np.ones(len(known), dtype=np.int64)
    count[renews] = whole_months(start[renews], last[renews]) // np.maximum(step[renews], 1) + 1

    row = np.repeat(np.arange(len(known)), count)
    ordinal = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    term_start, anniversary = start[row], ended[row]
    own = np.flatnonzero(renews[row])  # only what renews itself has anniversaries
    term_start[own] = add_months(start[row[own]], ordinal[own] * step[row[own]])
    anniversary[own] = add_months(start[row[own]], (ordinal[own] + 1) * step[row[own]]) - ONE_DAY
    is_last = ordinal == count[row] - 1
    cut_short = (is_last & ~np.isnat(ended[row])) | ~renews[row]
    term_end = np.where(cut_short, ended[row], anniversary)
    length = np.rint(((term_end - term_start).astype(np.int64) + 1) / DAYS_PER_MONTH).astype(np.int64)
    table = pd.DataFrame(
        {
            "account_id": known["account_id"].to_numpy()[row],
            "start_date": term_start.astype("datetime64[s]"),
            "end_date": term_end.astype("datetime64[s]"),
            "due_date": np.where(renews[row], anniversary, term_end).astype("datetime64[s]"),
            "arr_cents": known["arr_cents"].to_numpy(dtype=np.int64)[row],
            "term_months": np.where(renews[row], step[row], np.maximum(length, 1)),
        }
    )
    if "notice_date" in known:
        notice = as_days(known["notice_date"])
        notice[notice > cut] = np.datetime64("NaT", "D")
        table["notice_date"] = notice[row].astype("datetime64[s]")
    return table
