"""Freeze a real base half-way, forecast its active subscriptions, and compare with what came.

Three forecasts of the subscriptions active at each month end, all with the same new business (the daily mean of the
last 180 days before the freeze) and none with a look past it:

- subsim: renewals at contract ends from the calibrated renewal block, losses inside terms at their own rate
- Kaplan-Meier: the share still active by days since the start, flat where nobody was watched longer
- constant hazard: losses over subscription-days

    python verification/buffer_backtest.py buffer_subscriptions_asof_2021-06-30.csv
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import subsim as ss
from subsim.calibrate.block import BlockData, Frame, Sampling
from subsim.calibrate.company import company_priors
from subsim.calibrate.renewal import Renewal, survival
from subsim.calibrate.renewal_paths import decisions
from subsim.ledger.terms import DAYS_PER_MONTH

Floats = NDArray[np.float64]

FREEZE, END = dt.date(2020, 12, 31), dt.date(2021, 6, 30)
MAPPING = Path(__file__).resolve().parent.parent / "examples" / "buffer" / "book.yaml"
ARRIVAL_DAYS = 180
LONGEST = 560  # days since the start that any curve has to reach
TERM_MONTHS = {"monthly plan": 1, "yearly plan": 12}
METHODS = ("subsim", "kaplan_meier", "constant")


def subscriptions(path: Path) -> pd.DataFrame:
    """segment, start and days lived; `end` is the first day no longer active (NaT: active at the end of the file)."""
    rows = pd.read_csv(path)
    rows = rows[(rows["interval"] != "unknown") & ~((rows["ended_by_2021_06_30"] == 1) & (rows["duration_days"] == 0))]
    start = pd.to_datetime(rows["start_month"] + "-01") + pd.to_timedelta(rows["start_day_of_month"] - 1, unit="D")
    end = start + pd.to_timedelta(rows["duration_days"], unit="D")
    return pd.DataFrame(
        {
            "segment": rows["interval"] + "ly plan",
            "start": start,
            "end": end.where(rows["ended_by_2021_06_30"] == 1),
        }
    )


def calibrated(path: Path, as_of: dt.date, draws: int = 500) -> tuple[dict[str, Floats], BlockData]:
    """Posterior share active by days since the start, [draws, days], for each plan; and the cells it rests on."""
    book = ss.read_book(path, mapping=MAPPING, as_of=str(as_of))
    frame = Frame(as_of, tuple(book.segments))
    block = Renewal()
    data = block.summarise(book, frame)
    fitted = block.fit(data, company_priors(frame), frame, Sampling(chains=2, draws=draws // 2))
    table = decisions(book)
    days = np.arange(LONGEST + 1.0)
    curves = {}
    for segment in frame.segment:
        months = TERM_MONTHS[segment]
        term = months * DAYS_PER_MONTH
        count = int(LONGEST // term) + 2
        kept = survival(fitted.draws, data, frame, segment, months, count)
        lost = -np.diff(kept, axis=1, prepend=1.0)
        late = _lateness(book, table[table["segment"] == segment], term)
        gone = np.searchsorted(late, days[None] - term * np.arange(1, count + 1)[:, None], side="right") / len(late)
        inside = fitted.draws["renewal.in_term_loss", (segment,)].reshape(-1, 1) * days / 365.25
        curves[segment] = (1 - lost @ gone) * np.exp(-inside)
    return curves, data


def _lateness(book: Any, table: pd.DataFrame, term: float) -> Floats:
    """Sorted days from the contract end to the loss that belongs to it, negative before it; [0] where none was seen."""
    start = book.tables["accounts"].assign(account_id=lambda rows: rows["account_id"].astype(str))
    start = start.set_index("account_id")["start_date"]
    ledger = book.ledger[book.ledger["kind"] == "churn"]
    end = pd.Series(ledger["date"].to_numpy(), index=ledger["account_id"].astype(str))
    number = table.groupby("account_id").size()
    lost = table.loc[~table["renewed"] & ~table["in_term"], "account_id"]
    days = (end.reindex(lost).to_numpy() - start.reindex(lost).to_numpy()) / np.timedelta64(1, "D")
    late = days - number.reindex(lost).to_numpy(float) * term
    return np.sort(late) if len(late) else np.zeros(1)


def kaplan_meier(days: NDArray[np.int64], lost: NDArray[np.bool_]) -> Floats:
    """Share still active by days since the start, flat beyond the longest life watched."""
    ends = np.bincount(days[lost], minlength=LONGEST + 1)[: LONGEST + 1]
    there = len(days) - np.concatenate([[0], np.cumsum(np.bincount(days, minlength=LONGEST + 1))[:LONGEST]])
    return np.cumprod(1 - ends / np.maximum(there, 1))


def backtest(path: Path, freeze: dt.date = FREEZE, end: dt.date = END) -> pd.DataFrame:
    """month_end, actual, and for each method its forecast; for subsim also low and high of its 90 % band."""
    everything = subscriptions(path)
    stop = pd.Timestamp(freeze) + pd.Timedelta(days=1)
    known = everything[everything["start"] < stop]
    lost = (known["end"] < stop).to_numpy()
    lived = np.asarray((known["end"].where(lost, stop) - known["start"]).dt.days, np.int64)
    own, _ = calibrated(path, freeze)
    month_ends = pd.date_range(stop, end, freq="ME")
    rows = []
    for day in month_ends:
        after = (day - stop).days + 1
        row: dict[str, Any] = {"month_end": day.date()}
        row["actual"] = int(((everything["start"] <= day) & ~(everything["end"] <= day)).sum())
        found = {name: np.zeros(1) for name in METHODS}
        for segment, shares in own.items():
            here = (known["segment"] == segment).to_numpy()
            curves = {
                "subsim": shares,
                "kaplan_meier": kaplan_meier(lived[here], lost[here])[None],
                "constant": np.exp(-lost[here].sum() / lived[here].sum() * np.arange(LONGEST + 1.0))[None],
            }
            ages = np.bincount(lived[here & ~lost], minlength=LONGEST + 1)
            recent = ((stop - known["start"][here]).dt.days <= ARRIVAL_DAYS).sum() / ARRIVAL_DAYS
            for name, curve in curves.items():
                reached = np.minimum(np.arange(len(ages)) + after, LONGEST)
                stayed = (curve[:, reached] / np.maximum(curve, 1e-12))[:, ages > 0] @ ages[ages > 0]
                found[name] = found[name] + stayed + recent * curve[:, :after].sum(1)
        row |= {name: float(np.median(values)) for name, values in found.items()}
        row["low"], row["high"] = np.quantile(found["subsim"], [0.05, 0.95])
        rows.append(row)
    return pd.DataFrame(rows)


def mape(table: pd.DataFrame) -> dict[str, float]:
    """Mean absolute error of each method in per cent of what came."""
    return {name: float(100 * (table[name] / table["actual"] - 1).abs().mean()) for name in METHODS}


def main(path: Path) -> None:
    """Print the backtest, and the posterior survival by plan at the end of the file."""
    table = backtest(path)
    print(f"Active subscriptions, frozen on {FREEZE}:")
    print(table.round(0).to_string(index=False))
    print("\nMean absolute error:", ", ".join(f"{name} {error:.2f} %" for name, error in mape(table).items()))
    curves, _ = calibrated(path, END)
    ages = [30, 90, 180, 360, 400, 540]
    print(f"\nPosterior share active by days since the start, as of {END} (5 %, median, 95 %):")
    for segment, curve in curves.items():
        low, middle, high = np.quantile(curve[:, ages], [0.05, 0.5, 0.95], axis=0)
        cells = [f"{a} d {m:.3f} ({lo:.3f}-{h:.3f})" for a, lo, m, h in zip(ages, low, middle, high, strict=True)]
        print(f"{segment}: " + ", ".join(cells))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
