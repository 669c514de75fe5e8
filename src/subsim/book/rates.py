"""Plain empirical rates of a book, in the shape of parameter rows; a calibration replaces them."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np
import pandas as pd

from subsim.book.book import Book
from subsim.ledger import terms
from subsim.ledger.bridge import flow_cents
from subsim.ledger.terms import ONE_DAY, ONE_MONTH, as_days

Row = dict[str, Any]
GRADE = "A"  # counted in the company's own data
MONTHS_OF_ARRIVALS = 12
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class LogHazard:
    """Normal approximation to `log(-log p)` of a renewal chance."""

    mean: float
    sd: float


def log_hazard(renewed: int, lost: int) -> LogHazard:
    """Log cumulative hazard per renewal opportunity, from counts.

    The renewal chance is `p ~ Beta(renewed + 1/2, lost + 1/2)` (Jeffreys prior). With `g(p) = log(-log p)` the delta
    method gives mean `g(E p)` and standard deviation `sd(p) / |p log p|`.

    Example:
        >>> round(log_hazard(900, 100).mean, 2)
        -2.25
    """
    a, b = renewed + 0.5, lost + 0.5
    p = a / (a + b)
    sd = sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    return LogHazard(log(-log(p)), sd / abs(p * log(p)))


def empirical_rates(book: Book) -> list[Row]:
    """Parameter rows counted in a book, by segment.

    Each row has parameter, segment, term_months (None: all), value (centre, in the parameter's unit), prior (family
    and `sd`: of the value for normal, of its logarithm for lognormal), events, exposure, source and grade.

    - `renewal.base`: log hazard per renewal opportunity, also by term where a segment has several. A loss in mid-term
      counts as the opportunity it forestalled, once that was due. All opportunities are taken as alike.
    - `expansion.rate`, `contraction.rate`: changes of ARR per account-year.
    - `arrival.plan`: new logos a month over the last 12 complete months.
    - `value.first_arr`, `value.first_arr_sd`: median dollars of ARR of a new logo, spread of its logarithm.
    """
    rows: list[Row] = []
    chances = opportunities(book)
    for segment in book.segments:
        part = book.ledger[(book.ledger["segment"] == segment).to_numpy()]
        rows += _renewal(book, segment, chances)
        rows += _changes(book, segment, part)
        rows += _arrivals(book, segment, part)
    return rows


def opportunities(book: Book) -> pd.DataFrame:
    """Every renewal opportunity that was decided: account_id, segment, term_months, renewed.

    A cube has no terms: every account-month with revenue at its start is one, of one month.
    """
    rows = book.ledger.assign(
        account_id=book.ledger["account_id"].astype(str), segment=book.ledger["segment"].astype(str)
    )
    decided = rows[rows["kind"].isin(["renewal", "churn"])].sort_values("date", kind="stable")
    if "contracts" not in book.tables:
        return _account_months(book, rows)
    signed = terms(book.tables["contracts"], book.as_of)
    signed = signed.assign(date=(as_days(signed["end_date"]) + ONE_DAY).astype("datetime64[s]"))
    signed = signed.sort_values(["date", "arr_cents", "term_months"])[["account_id", "date", "term_months", "due_date"]]
    # The term that was decided on is the last that had ended by then; of several, the largest.
    found = pd.merge_asof(decided, signed, on="date", by="account_id")
    # Of terms that are not due yet only the losses would be seen.
    found = found[found["due_date"] <= pd.Timestamp(book.as_of)]
    return found.assign(renewed=found["kind"] == "renewal")[["account_id", "segment", "term_months", "renewed"]]


def _account_months(book: Book, rows: pd.DataFrame) -> pd.DataFrame:
    counts = book.monthly().pivot_table(index=["month", "segment"], columns="metric", values="value").reset_index()
    counts = counts[counts["segment"] != "all"]
    kept = (counts["logos"] - counts["logos_new"] - counts["logos_reactivated"]).astype(int)
    segment = np.concatenate([np.repeat(counts["segment"], kept), rows.loc[rows["kind"] == "churn", "segment"]])
    renewed = np.arange(len(segment)) < kept.sum()
    return pd.DataFrame({"account_id": "", "segment": segment, "term_months": 1, "renewed": renewed})


def _row(parameter: str, segment: str, value: float, family: str, sd: float, **more: Any) -> Row:
    prior = {"family": family, "sd": sd}
    return {"parameter": parameter, "segment": segment, "term_months": None, "value": value, "prior": prior, **more}


def _source(book: Book, what: str) -> dict[str, str]:
    return {"source": f"{what} in {book.name} as of {book.as_of}", "grade": GRADE}


def _renewal(book: Book, segment: str, chances: pd.DataFrame) -> list[Row]:
    chances = chances[chances["segment"] == segment]
    lengths = sorted(set(chances["term_months"].astype(int)))
    by_term = [(length, chances.loc[chances["term_months"] == length, "renewed"]) for length in lengths]
    groups = [(None, chances["renewed"]), *(by_term if len(by_term) > 1 else [])]
    rows = []
    for term, renewed in groups:
        if not len(renewed):
            continue
        won = int(renewed.sum())
        hazard = log_hazard(won, len(renewed) - won)
        source = _source(book, f"{won:,} of {len(renewed):,} renewals won")
        row = _row(
            "renewal.base", segment, hazard.mean, "normal", hazard.sd, events=won, exposure=len(renewed), **source
        )
        rows.append(row | {"term_months": term})
    return rows


def _changes(book: Book, segment: str, part: pd.DataFrame) -> list[Row]:
    """Gamma(events + 1/2) over account-years, as a lognormal with the same relative spread."""
    date = part["date"].to_numpy().astype("datetime64[D]")
    left = (np.datetime64(book.as_of, "D") + ONE_DAY - date).astype(np.int64)
    opens = (part["after"] > 0).astype(int) - (part["before"] > 0).astype(int)
    years = float((opens.to_numpy() * left).sum()) / DAYS_PER_YEAR
    if years <= 0:
        return []
    flows = flow_cents(part)
    rows = []
    for name in ("expansion", "contraction"):
        events = int((flows[name] > 0).sum())
        source = _source(book, f"{events:,} {name}s in {years:,.0f} account-years")
        shape = events + 0.5
        value, sd = shape / years, sqrt(log(1 + 1 / shape))
        rows.append(_row(f"{name}.rate", segment, value, "lognormal", sd, events=events, exposure=years, **source))
    return rows


def _arrivals(book: Book, segment: str, part: pd.DataFrame) -> list[Row]:
    ends = book.month_ends()[-MONTHS_OF_ARRIVALS:]
    if not len(ends):
        return []
    first = ends[0].astype("datetime64[M]").astype("datetime64[s]")
    stop = (ends[-1].astype("datetime64[M]") + ONE_MONTH).astype("datetime64[s]")
    came = part[(part["kind"] == "new") & (part["date"] >= first) & (part["date"] < stop)]
    count, shape = len(came), len(came) + 0.5
    source = _source(book, f"{count:,} new logos in {len(ends)} months")
    counted: Row = {"events": count, "exposure": len(ends), **source}
    rows = [_row("arrival.plan", segment, count / len(ends), "lognormal", sqrt(log(1 + 1 / shape)), **counted)]
    if count:
        logs = np.log(came["after"].to_numpy(dtype=float) / 100)
        spread = float(logs.std(ddof=1)) if np.ptp(logs) > 0 else 0.0
        rows.append(
            _row("value.first_arr", segment, exp(float(np.median(logs))), "lognormal", spread / sqrt(count), **counted)
        )
        rows.append(_row("value.first_arr_sd", segment, spread, "lognormal", 1 / sqrt(2 * count), **counted))
    return rows
