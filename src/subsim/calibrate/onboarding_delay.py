"""The customer's delay and the team's hours, from what a book tells of onboardings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate import onboarding_queue
from subsim.calibrate.company import company_prior
from subsim.calibrate.spells import day_number

if TYPE_CHECKING:
    from subsim.book import Book
    from subsim.calibrate.rates_data import Sums

#: Where the wait is known less exactly than to this share of a segment's usual delay, an onboarding says nothing of it.
#: Judgement, grade D.
CLEAR = 0.15


def time_to_value(sums: Sums, book: Book, stays: pd.DataFrame) -> None:
    """The customer's delay and the team's hours, from kick-off to first value.

    First value is the later of the customer's delay and the team's work, and work may wait. Where the book tells the
    hours and the people, the wait is taken off, and a delay hidden behind the work counts as "at most".
    """
    table = book.tables.get("onboarding")
    if table is None or table.empty:
        sums.notes.append("No onboarding table: time to value keeps its prior.")
        return
    first = stays.drop_duplicates("account_id").set_index("account_id")
    table = table.drop_duplicates("account_id").set_index("account_id", drop=False)
    table = table[table["account_id"].isin(first.index)]
    stay = first.loc[table["account_id"]]
    start, reached = day_number(table["kickoff_date"]), day_number(table["first_value_date"])
    hours = _onboarding_hours(book, table)
    pace = onboarding_queue.pace_of(book, stay["segment"].to_numpy(), start, reached, hours)
    work = np.nan_to_num(hours / pace.hours)
    wait = onboarding_queue.waits(book, start, hours, pace)
    taken = reached - start - wait
    off = onboarding_queue.uncertain(wait)
    within = work + off
    hidden = taken <= within
    # Who has no hours yet still waits or is being worked on: that says nothing of the customer.
    open_now = ~np.isfinite(reached) & (np.isfinite(hours) | ~np.isfinite(hours).any())
    so_far = stay["end"].to_numpy(float) - start - wait
    for name in sums.frame.segment:
        own = (stay["segment"] == name).to_numpy() & np.isfinite(start)
        told = own & (off <= CLEAR * company_prior(("onboarding.customer_delay", (name,))).centre)
        key, spread = ("onboarding.customer_delay", (name,)), ("onboarding.customer_delay_sd", (name,))
        ready = told & np.isfinite(reached)
        sums.logs(key, spread, np.maximum(taken[ready & ~hidden], 0.5))
        sums.tail(key, spread, within[ready & hidden], -1)
        sums.tail(key, spread, np.maximum(so_far[told & open_now], 0.5), 1)
        shape = company_prior(("onboarding.hours_shape", ())).centre
        overhead = company_prior(("onboarding.misfit_overhead", ())).centre
        misfit = float(special.ndtr(company_prior(("onboarding.misfit_below", ())).centre))
        factor = 1 + overhead * misfit
        sums.hours(("onboarding.hours", (name,)), hours[own], shape=shape, weibull=False, factor=factor)
    if not np.isfinite(hours).any():
        sums.notes.append("Onboarding hours are unknown: the whole time to value is taken as the customer's own delay.")


def _onboarding_hours(book: Book, table: pd.DataFrame) -> NDArray[np.float64]:
    """Hours of each onboarding, from its own table or else from the touches; NaN unknown."""
    own = pd.to_numeric(table["hours"], errors="coerce").to_numpy(float) if "hours" in table else np.empty(0)
    touches = book.tables.get("touches")
    if np.isfinite(own).any() or touches is None or "hours" not in touches:
        return own if len(own) else np.full(len(table), np.nan)
    work = touches[touches["kind"].astype(str) == "onboarding"].drop_duplicates("account_id").set_index("account_id")
    return pd.to_numeric(work["hours"].reindex(table["account_id"]), errors="coerce").to_numpy(float)
