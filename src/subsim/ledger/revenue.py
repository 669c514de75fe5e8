"""Billings, revenue, deferred revenue, collections, RPO and cRPO by month, from signed terms; all in whole cents.

ARR is a rate at a date; none of these is ARR. Four identities tie them, and `revenue_schedule` checks all four.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import EngineError, InputError
from subsim.ledger.signed import BILLING, share
from subsim.ledger.state import ALL, codes
from subsim.ledger.terms import ONE_DAY, ONE_MONTH, Ints, add_months, as_days

FLOWS: Final = ("bookings", "cancellations", "billings", "revenue", "collections")
LEVELS: Final = ("deferred_revenue", "unbilled", "receivables", "rpo", "crpo")
OPENINGS: Final = tuple(f"{name}_opening" for name in LEVELS[:-1])
SCHEDULE_COLUMNS: Final = ("month", "segment", *OPENINGS, *FLOWS, *LEVELS)
CURRENT: Final = np.timedelta64(12, "M")


@dataclass(frozen=True)
class Payment:
    """When invoices are issued and paid; the default is on the first day of the service they pay for.

    Args:
        invoice_lag_days: days from the first day of a billing period to its invoice. Billing in arrears is a lag as
            long as the period.
        days_to_pay: days from invoice to cash.
        late_share: share of every invoice that is paid later, 0 to 1.
        late_days: how much later, in days.

    Raises:
        InputError: a negative number of days, or a share outside 0 to 1.
    """

    invoice_lag_days: int = 0
    days_to_pay: int = 0
    late_share: float = 0.0
    late_days: int = 0

    def __post_init__(self) -> None:
        for name in ("invoice_lag_days", "days_to_pay", "late_days"):
            if (value := getattr(self, name)) < 0:
                raise InputError(where=f"payment {name}", found=str(value), allowed="0 days or more")
        if not 0 <= self.late_share <= 1:
            raise InputError(where="payment late_share", found=str(self.late_share), allowed="a share from 0 to 1")


#: Paid on the day of the invoice, in advance: no assumption about payment.
ON_INVOICE: Final = Payment()


def revenue_schedule(signed: pd.DataFrame, month_ends: object, payment: Payment = ON_INVOICE) -> pd.DataFrame:
    """Monthly schedule of signed terms, per segment and "all".

    Revenue: a term's value is earned evenly over its days of service, whatever is invoiced when; running sums are
    rounded, so a term's months add up to its value exactly. Billings: in advance, equal amounts per billing period. A
    term that ends early is settled on the day after: what was billed and not served is credited, what was served and
    not billed is invoiced. `deferred_revenue` is billed and not yet served, `unbilled` (a contract asset) is served and
    not yet billed; a contract is one or the other. RPO is what is signed and not yet earned, cRPO the part of it due to
    be earned in the twelve months after. Months after the last known day show the run-off of what is signed, without
    renewals.

    Args:
        signed: as from `signed_terms` or `signed_terms_from_ledger`.
        month_ends: last days of consecutive months, in order.
        payment: when invoices are issued and paid.

    Returns:
        Columns of `SCHEDULE_COLUMNS`: month (datetime64[s]), segment, int64 cents. Flows are positive amounts, except
        that credits can make billings and collections negative. Openings are levels at the close of the month before.

    Raises:
        EngineError: one of the four identities does not hold, to the cent, in a month of a segment.

    Example:
        >>> from subsim.ledger.signed import signed_terms
        >>> accounts = pd.DataFrame({"account_id": ["a"], "segment": ["smb"]})
        >>> one = {"account_id": ["a"], "start_date": ["2025-01-01"], "end_date": ["2025-12-31"], "arr_cents": [36_500]}
        >>> terms = signed_terms(pd.DataFrame(one), accounts, "2025-01-31")
        >>> table = revenue_schedule(terms, ["2025-01-31"]).iloc[-1]
        >>> [int(table[name]) for name in ("billings", "revenue", "deferred_revenue", "rpo")]
        [36500, 3100, 33400, 33400]
    """
    ends = as_days(month_ends)
    book = _Terms.of(signed)
    names = [*book.segments, ALL]
    before = ends[:1].astype("datetime64[M]").astype("datetime64[D]") - ONE_DAY
    sums = _running(book, np.r_[before, ends], payment)
    running = {name: sums[:, i] for i, name in enumerate((*FLOWS, *LEVELS))}
    parts = {name: np.diff(running[name], axis=0) for name in FLOWS}
    parts |= {name: running[name][1:] for name in LEVELS}
    parts |= {name: running[name.removesuffix("_opening")][:-1] for name in OPENINGS}
    table = pd.DataFrame(
        {
            "month": np.repeat(ends.astype("datetime64[s]"), len(names)),
            "segment": np.tile(np.array(names, dtype=object), len(ends)),
            **{name: parts[name].ravel() for name in SCHEDULE_COLUMNS[2:]},
        }
    )
    _check(table)
    return table


@dataclass(frozen=True)
class _Terms:
    """Columns of terms as integers, sorted by contract: days and months since 1970-01-01, cents."""

    contract: Ints
    start: Ints
    start_month: Ints
    start_day: Ints
    """Day of the month, from 0."""
    end: Ints
    due: Ints
    booked: Ints
    value: Ints
    months: Ints
    period: Ints
    """Months that one invoice pays for."""
    group: Ints
    segments: tuple[str, ...]

    @classmethod
    def of(cls, signed: pd.DataFrame) -> "_Terms":
        rows = signed.sort_values("contract", kind="stable")
        group, segments = codes(rows["segment"])
        first = as_days(rows["start_date"])
        month = first.astype("datetime64[M]")
        day = (first - month.astype("datetime64[D]")).astype(np.int64)
        start, end, due, booked = (
            as_days(rows[name]).astype(np.int64) for name in ("start_date", "end_date", "due_date", "booked_date")
        )
        contract, value, months = (
            rows[name].to_numpy(dtype=np.int64) for name in ("contract", "value_cents", "months")
        )
        period = np.asarray(rows["billing"].map(BILLING), dtype=np.int64)
        since = month.astype(np.int64)
        return cls(contract, start, since, day, end, due, booked, value, months, period, group, segments)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "_Terms":
        """Some of the terms."""
        rows = np.flatnonzero(chosen)
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "segments"}
        return _Terms(**{name: column[rows] for name, column in columns.items()}, segments=self.segments)

    def served(self, day: int) -> Ints:
        """Revenue recognised to the close of a day, since the beginning."""
        return self.earned(np.minimum(self.end, day))

    def earned(self, last: Ints) -> Ints:
        """Revenue of each term if served through the day `last`."""
        total = self.due - self.start + 1
        return share(self.value, np.clip(last - self.start + 1, 0, total), total)

    def gone(self, day: int) -> npt.NDArray[np.bool_]:
        """Terms that ended early, before the close of a day; a loss counts from the day after the last in service."""
        return np.asarray((self.end < self.due) & (self.end < day))

    def billed(self, day: int, lag: int) -> Ints:
        """Invoices less credits issued to the close of a day, since the beginning."""
        issued = self._periods(day - lag)
        covered = np.minimum(issued * self.period, self.months)
        amount = share(self.value, covered, np.maximum(self.months, 1))
        if len(odd := np.flatnonzero(self.months == 0)):
            start = self.start[odd].astype("datetime64[D]")
            until = add_months(start, issued[odd] * self.period[odd]).astype(np.int64)
            days = self.due[odd] - self.start[odd] + 1
            amount[odd] = share(self.value[odd], np.minimum(until - self.start[odd], days), days)
        gone = self.gone(day)
        return np.where(gone, self.served(day), amount) if gone.any() else amount

    def _periods(self, day: int) -> Ints:
        """Billing periods begun to the close of a day."""
        today = np.datetime64(day, "D")
        month = today.astype("datetime64[M]")
        day_of_month = int((today - month.astype("datetime64[D]")).astype(np.int64))
        # A term that began on the 31st has its monthly day on the last day of shorter months.
        month_is_over = today + ONE_DAY == (month + ONE_MONTH).astype("datetime64[D]")
        whole = int(month.astype(np.int64)) - self.start_month
        if not month_is_over:
            whole = whole - (self.start_day > day_of_month)
        return np.where(self.start <= day, np.maximum(whole, 0) // self.period + 1, 0)


def _running(book: _Terms, closings: npt.NDArray[np.datetime64], payment: Payment) -> Ints:
    """Running sums of flows, and levels, at the close of each day: [days, FLOWS and LEVELS, segments and all]."""
    # Some days after its last a term is served, invoiced and paid, and only its sums count.
    settled = book.end + 1 + payment.invoice_lag_days + payment.days_to_pay + payment.late_days
    past = np.zeros((len(FLOWS) + len(LEVELS), len(book.segments) + 1), dtype=np.int64)
    open_terms = np.ones(len(settled), dtype=bool)
    sums = []
    for close in closings:
        day = int(close.astype("datetime64[D]").astype(np.int64))
        done = open_terms & (settled <= day)
        if done.any():
            past = past + _at(book.take(done), day, payment)
            open_terms &= ~done
        sums.append(past + _at(book.take(open_terms & (book.booked <= day)), day, payment))
    return np.stack(sums)


def _at(book: _Terms, day: int, payment: Payment) -> Ints:
    """Running sums of the flows and the levels of terms that are booked, at the close of a day."""
    month = np.datetime64(day, "D").astype("datetime64[M]")
    in_a_year = int((month + CURRENT + ONE_MONTH).astype("datetime64[D]").astype(np.int64)) - 1
    lag = payment.invoice_lag_days
    gone, served, billed = book.gone(day), book.served(day), book.billed(day, lag)
    paid = _paid(book, day, billed, payment)
    left = np.where(gone, 0, book.value - served)
    current = np.where(gone, 0, book.earned(np.full(len(left), in_a_year)) - served)
    # An amendment that takes ARR away is no booking; it takes back a part of what was signed.
    cancelled = np.where(gone, book.value - served, 0) - np.minimum(book.value, 0)
    first = np.flatnonzero(np.r_[True, book.contract[1:] != book.contract[:-1]][: len(billed)])
    ahead = np.add.reduceat(billed - served, first) if len(billed) else billed
    groups = len(book.segments)

    def total(cents: Ints, group: Ints = book.group) -> Ints:
        sums = np.zeros(groups + 1, dtype=np.int64)
        np.add.at(sums, group, cents)
        sums[-1] = sums[:-1].sum()
        return sums

    flows = (np.maximum(book.value, 0), cancelled, billed, served, paid)
    levels = (billed - paid, left, current)
    positions = (np.maximum(ahead, 0), np.maximum(-ahead, 0))
    return np.stack(
        [
            *(total(cents) for cents in flows),
            *(total(cents, book.group[first]) for cents in positions),
            *(total(cents) for cents in levels),
        ]
    )


def _paid(book: _Terms, day: int, billed: Ints, payment: Payment) -> Ints:
    """Cash received to the close of a day; the late share is rounded on the running sum, so that all of it comes in."""
    if not payment.days_to_pay and not payment.late_days:
        return billed

    def late(invoiced: Ints) -> Ints:
        return np.rint(invoiced * payment.late_share).astype(np.int64)

    due = book.billed(day - payment.days_to_pay, payment.invoice_lag_days)
    if not payment.late_share or not payment.late_days:
        return due
    overdue = book.billed(day - payment.days_to_pay - payment.late_days, payment.invoice_lag_days)
    return due - late(due) + late(overdue)


def _check(table: pd.DataFrame) -> None:
    """The four identities, in every row."""
    change = {name: table[name] - table[f"{name}_opening"] for name in LEVELS[:-1]}
    net = change["deferred_revenue"] - change["unbilled"]
    gaps = {
        "billings = revenue + change of deferred revenue - change of unbilled": table["billings"]
        - table["revenue"]
        - net,
        "cash = billings - change of receivables": table["collections"] - table["billings"] + change["receivables"],
        "change of RPO = bookings - revenue - cancellations": change["rpo"]
        - table["bookings"]
        + table["revenue"]
        + table["cancellations"],
        "cRPO is at most RPO": (table["crpo"] - table["rpo"]).clip(lower=0),
    }
    for name, gap in gaps.items():
        if gap.any():
            at = int(np.flatnonzero(gap)[0])
            month, segment = str(table["month"].iloc[at])[:10], table["segment"].iloc[at]
            raise EngineError(f"{name}: off by {gap.iloc[at]} cents in the month to {month} ({segment})")
