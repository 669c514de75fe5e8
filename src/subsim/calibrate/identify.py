"""What a book can and cannot say about each parameter: how many rows speak for it, and whether they suffice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from subsim.book.rates import opportunities
from subsim.ledger.rows import OPENING_BALANCE
from subsim.model.catalogue import Parameter, parameters

if TYPE_CHECKING:
    from subsim.book import Book

#: Events from which a number is taken as measured; finance stars cells with fewer accounts. A Poisson count of 20 has a
#: relative standard error of 22 %.
ENOUGH: Final = 20
ASSOCIATION: Final = "assumed: association only"
NOT_ESTIMATED: Final = "not estimated"
Segments = "pd.Series[str]"


@dataclass(frozen=True)
class Identified:
    """How far a book identifies one parameter."""

    parameter: str
    label: str
    rows: int
    """Events that speak for it: ends of terms, kick-offs with first value, touches with hours, accounts in arms."""
    verdict: str
    """`enough`, `few` or `none`; `assumed: association only` for an assumed effect that rows accompany without an
    experiment; `not estimated` for levers and definitions, which people set."""
    evidence: str
    """What is counted."""


@dataclass(frozen=True)
class Evidence:
    """A kind of event: its name, and the segments of its rows in a book."""

    what: str
    segments: Callable[[Book], pd.Series]


def identify(book: Book) -> list[Identified]:
    """Every parameter of the catalogue against the rows of a book.

    A calibrated parameter has `enough` with 20 events, in every segment where it differs by segment, and `few` with
    any. An assumed parameter is one only an experiment can turn into a calibrated one: it is judged by the accounts in
    the smaller arm of the experiments whose `lever` is the parameter's name; without them rows give an association.

    Example:
        >>> [row.verdict for row in identify(book) if row.parameter == "renewal.base"]  # doctest: +SKIP
        ['enough']
    """
    counted = {name: evidence.segments(book).value_counts() for name, evidence in EVIDENCE.items()}
    arms = _arms(book)
    return [_judge(row, counted, arms, book.segments) for row in parameters().values()]


def _judge(
    row: Parameter, counted: Mapping[str, pd.Series], arms: Mapping[str, int], segments: list[str]
) -> Identified:
    kind = SPEAKS.get(row.name, "")
    counts = counted[kind] if kind else pd.Series(dtype=int)
    rows, evidence = int(counts.sum()), EVIDENCE[kind].what if kind else "nothing in a book"
    if row.label in ("lever", "definition"):
        return Identified(row.name, row.label, rows, NOT_ESTIMATED, f"a {row.label}: set by people")
    if row.label == "assumed":
        if row.name in arms:
            return Identified(
                row.name, row.label, arms[row.name], _verdict(arms[row.name]), "accounts in the smaller arm"
            )
        return Identified(row.name, row.label, rows, ASSOCIATION if rows else "none", evidence)
    by_segment = "segment" in row.by and segments
    least = min(int(counts.get(name, 0)) for name in segments) if by_segment else rows
    verdict = "few" if rows and not least else _verdict(least)
    return Identified(row.name, row.label, rows, verdict, evidence)


def _verdict(events: int) -> str:
    return "enough" if events >= ENOUGH else "few" if events else "none"


def _arms(book: Book) -> dict[str, int]:
    """Accounts in the smaller arm of each lever's experiment, where it has two arms or more."""
    if "experiments" not in book.tables:
        return {}
    sizes = book.tables["experiments"].groupby(["lever", "arm"])["account_id"].nunique()
    by_lever = sizes.groupby(level="lever")
    return {str(name): int(part.min()) for name, part in by_lever if name and len(part) > 1}


def _segments_of(book: Book, ids: pd.Series) -> pd.Series:
    return ids.map(book.tables["accounts"].set_index("account_id")["segment"]).astype(str)


def _table(name: str, *needed: str, **equal: str) -> Callable[[Book], pd.Series]:
    """Rows of a table where columns are filled in, or hold a word."""

    def count(book: Book) -> pd.Series:
        table = book.tables.get(name, pd.DataFrame())
        if not {*needed, *equal} <= set(table):
            return pd.Series(dtype=str)
        for column in needed:
            table = table[table[column].notna() & (table[column].astype(str) != "")]
        for column, word in equal.items():
            table = table[table[column] == word]
        return _segments_of(book, table["account_id"]) if "account_id" in table else pd.Series("", table.index)

    return count


def _ledger(kind: str) -> Callable[[Book], pd.Series]:
    def count(book: Book) -> pd.Series:
        rows = book.ledger[(book.ledger["kind"] == kind) & (book.ledger["reason"] != OPENING_BALANCE)]
        return rows["segment"].astype(str)

    return count


def _ends(book: Book) -> pd.DataFrame:
    """Decided ends of terms; none where a book has neither contracts nor a cube."""
    if not {"contracts", "mrr"} & set(book.tables):
        return pd.DataFrame({"account_id": [], "segment": [], "term_months": [], "renewed": []}, dtype=object)
    return opportunities(book)


def _term_ends(book: Book) -> pd.Series:
    return _ends(book)["segment"]


def _later_ends(book: Book) -> pd.Series:
    ends = _ends(book)
    return ends.loc[ends.duplicated("account_id") & (ends["account_id"] != ""), "segment"]


def _losses_with_reason(book: Book) -> pd.Series:
    rows = book.ledger[(book.ledger["kind"] == "churn") & ~book.ledger["reason"].isin(["", OPENING_BALANCE])]
    return rows["segment"].astype(str)


def _ends_with_score(book: Book) -> pd.Series:
    """Ends of terms of accounts with a health score."""
    if "score" not in book.tables.get("health", pd.DataFrame()):
        return pd.Series(dtype=str)
    ends, health = _ends(book), book.tables["health"]
    return ends.loc[ends["account_id"].isin(set(health.loc[health["score"].notna(), "account_id"])), "segment"]


def _score_pairs(book: Book) -> pd.Series:
    """Second and later scores of an account."""
    if "score" not in book.tables.get("health", pd.DataFrame()):
        return pd.Series(dtype=str)
    health = book.tables["health"].dropna(subset="score")
    return _segments_of(book, health.loc[health.duplicated("account_id"), "account_id"])


def _terms_of(low: int, high: int) -> Callable[[Book], pd.Series]:
    """Ends of terms of some length, where there are annual ones to compare with."""

    def count(book: Book) -> pd.Series:
        ends = _ends(book)
        months = ends["term_months"].astype(float)
        annual, other = months == 12, months.between(low, high)
        return ends.loc[other if other.sum() <= annual.sum() else annual, "segment"]

    return count


EVIDENCE: Final[dict[str, Evidence]] = {
    "new": Evidence("new logos", _ledger("new")),
    "expansion": Evidence("expansions", _ledger("expansion")),
    "contraction": Evidence("contractions", _ledger("contraction")),
    "reactivation": Evidence("accounts that came back", _ledger("reactivation")),
    "end": Evidence("ends of terms that were decided", _term_ends),
    "later-end": Evidence("second and later ends of terms of an account", _later_ends),
    "monthly": Evidence("ends of monthly terms, or of annual ones where those are fewer", _terms_of(1, 1)),
    "multi-year": Evidence("ends of terms over a year, or of annual ones where those are fewer", _terms_of(13, 240)),
    "scored-end": Evidence("ends of terms of accounts with a health score", _ends_with_score),
    "reason": Evidence("losses with a reason", _losses_with_reason),
    "first-value": Evidence("kick-offs with first value", _table("onboarding", "first_value_date")),
    "kickoff": Evidence("kick-offs", _table("onboarding", "kickoff_date")),
    "onboarding-hours": Evidence("finished onboardings with hours", _table("onboarding", "first_value_date", "hours")),
    "score": Evidence("health scores", _table("health", "score")),
    "score-pair": Evidence("second and later health scores of an account", _score_pairs),
    "sponsor-left": Evidence("sponsors that left", _table("sponsors", event="left")),
    "sponsor-back": Evidence("sponsors that were restored", _table("sponsors", event="restored")),
    "ticket": Evidence("tickets", _table("tickets", "opened")),
    "ticket-solved": Evidence("tickets with a day of solution", _table("tickets", "resolved")),
    "touch": Evidence("touches done", _table("touches", "done_date")),
    "touch-hours": Evidence("touches done with hours", _table("touches", "done_date", "hours")),
    "seat-hours": Evidence("touches done with hours and seat", _table("touches", "done_date", "hours", "seat_id")),
    "seat-left": Evidence("people who left", _table("seats", "leave_date")),
}  # fmt: skip

#: Which events speak for which parameter; a parameter that is not here cannot be read off a book.
SPEAKS: Final[dict[str, str]] = {
    "arrival.dispersion": "new",
    "value.first_arr": "new",
    "value.first_arr_sd": "new",
    "onboarding.hours": "onboarding-hours",
    "onboarding.hours_shape": "onboarding-hours",
    "onboarding.customer_delay": "first-value",
    "onboarding.customer_delay_sd": "first-value",
    "onboarding.patience": "kickoff",
    "engagement.rest": "score",
    "engagement.drift": "score-pair",
    "engagement.noise": "score-pair",
    "engagement.opening_mean": "score",
    "engagement.opening_sd": "score",
    "engagement.ttv_effect": "first-value",
    "engagement.neglect": "touch",
    "sponsor.leave_rate": "sponsor-left",
    "sponsor.returns": "sponsor-back",
    "sponsor.recovers": "sponsor-back",
    "sponsor.shock": "sponsor-left",
    "renewal.base": "end",
    "renewal.frailty": "later-end",
    "renewal.drift": "later-end",
    "renewal.beta_alpha": "later-end",
    "renewal.beta_beta": "later-end",
    "renewal.engagement": "scored-end",
    "renewal.not_onboarded": "kickoff",
    "renewal.no_sponsor": "sponsor-left",
    "renewal.monthly_effect": "monthly",
    "renewal.multi_year_effect": "multi-year",
    "renewal.uncontrollable": "reason",
    "renewal.in_term_loss": "end",
    "renewal.contraction": "contraction",
    "renewal.contraction_keep": "contraction",
    "renewal.contraction_keep_size": "contraction",
    "renewal.reactivation": "reactivation",
    "renewal.reactivation_share": "reactivation",
    "expansion.rate": "expansion",
    "expansion.share": "expansion",
    "expansion.share_sd": "expansion",
    "contraction.rate": "contraction",
    "ticket.rate": "ticket",
    "ticket.slow_shock": "ticket-solved",
    "ticket.fast_lift": "ticket-solved",
    "work.hours": "touch-hours",
    "work.hours_shape": "touch-hours",
    "work.lift": "touch",
    "seat.effective_hours": "seat-hours",
    "seat.leave_rate": "seat-left",
}
