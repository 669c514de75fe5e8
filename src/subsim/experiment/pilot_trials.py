"""Pilots simulated before they are run: how well each size and length would know the effect of a touch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from subsim.book import Book, read_book
from subsim.experiment.demo import AS_OF, Numbers
from subsim.experiment.pilot import make_pilot

HISTORY_MONTHS: Final = 36
SEGMENT: Final = "mid_market"

Estimate = Callable[[Book, str], tuple[float, float] | None]
"""Standard deviation of a touch's lift after and before a book spoke; None where it taught nothing."""


@dataclass(frozen=True)
class Trials:
    """Simulated pilots: `table` has a row for each (accounts asked, months, repeat): accounts, learned, error, days."""

    table: pd.DataFrame

    def error(self, accounts: int, months: int) -> float:
        """Standard error of the lift from a pilot with so many accounts; infinite where nothing was learned.

        Accounts are independent of each other given the company, so information adds up over them: per account it is
        the mean over all pilots of this length that taught something, of whatever size.
        """
        rows = self.table[(self.table["months"] == months) & self.table["learned"]]
        if rows.empty:
            return float("inf")
        per_account = float((rows["error"].astype(float) ** -2 / rows["accounts"]).mean())
        return float((per_account * accounts) ** -0.5)

    def p_learns(self, accounts: int, months: int) -> float:
        """Share of the simulated pilots of this size and length that taught anything."""
        rows = self.table[(self.table["asked"] == accounts) & (self.table["months"] == months)]
        return float(rows["learned"].mean())


def trials(
    estimate: Estimate,
    *,
    touch: str,
    every: str,
    lift: float,
    accounts: Sequence[int],
    months: Sequence[int],
    repeats: int,
    seed: int,
    numbers: Numbers | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trials:
    """Simulate pilots of every size and length and let the product's own estimator read each.

    They run in companies like the demo company, scaled so that about so many accounts take part, half of them treated,
    with the lift at the centre of what is believed.
    """
    truth = {**(numbers or {}), ("work.lift", f"work={touch}"): lift}
    rows: list[dict[str, Any]] = []
    for length in months:
        of_one = _tables(seed, truth, length, 1.0, touch, every)
        for asked in accounts:
            for repeat in range(repeats):
                size = asked / len(of_one["experiments"])
                tables = _tables(seed + repeat, truth, length, size, touch, every)
                found = estimate(_book_of(tables), touch)
                spread = (np.inf, np.inf) if found is None else found
                error = _without_prior(*spread)
                rows.append(
                    {
                        "asked": asked,
                        "months": length,
                        "repeat": repeat,
                        "accounts": len(tables["experiments"]),
                        "learned": bool(np.isfinite(error)),
                        "error": error,
                    }
                )
                if progress:
                    progress(1)
    return Trials(pd.DataFrame(rows))


def _tables(seed: int, truth: Numbers, length: int, size: float, touch: str, every: str) -> dict[str, pd.DataFrame]:
    return make_pilot(
        seed,
        truth,
        months=max(HISTORY_MONTHS, length + 12),
        size=size,
        segment=SEGMENT,
        touch=touch,
        every=every,
        months_of_pilot=length,
    )


def _book_of(tables: dict[str, pd.DataFrame]) -> Book:
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            table.to_csv(Path(folder) / f"{name}.csv", index=False)
        return read_book(folder, as_of=AS_OF, warnings=False)


def _without_prior(after: float, before: float) -> float:
    """Standard error of the data alone: precisions of prior and data add up; infinite where nothing was added."""
    if not after < before:
        return float("inf")
    return float((after**-2 - before**-2) ** -0.5)
