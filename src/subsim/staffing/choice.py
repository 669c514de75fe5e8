"""Choosing a number of seats: worth, regret and risk of every count, and which counts the numbers cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.staffing.response import Floats, Response
from subsim.staffing.selection import Selection, contenders, rivals, tail_mean

TAIL: Final = 0.10
CONFIDENCE: Final = 0.95
#: Differences of net value below this share of what one seat costs over the horizon are not worth an argument
#: (judgement, grade D).
WORTH_IN_SEATS: Final = 0.25


@dataclass(frozen=True)
class Limits:
    """What a choice must keep: GRR at or above a floor, but for a small chance; and items not dropped."""

    grr_floor: float | None = None
    risk: float = 0.05
    expired_share: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("grr_floor", self.grr_floor), ("risk", self.risk), ("expired_share", self.expired_share)):
            if value is not None and not 0 <= value <= 1:
                raise InputError(where=name, found=f"{value:g}", allowed="a share from 0 to 1 (0 % to 100 %)")


@dataclass(frozen=True)
class Choice:
    """Counts that keep the limits and that no other count beats, with the table that says why.

    `best` are the counts that fresh draws could not tell apart, highest expected net value first; empty when no count
    keeps the limits.
    """

    table: pd.DataFrame
    best: tuple[int, ...]
    selection: Selection | None
    limits: Limits
    horizon_months: int
    worth: float


def worth_of_a_seat(response: Response, horizon_months: int) -> float:
    """Smallest difference of net value that matters: a quarter of a seat's cost over the horizon."""
    cost = response.draws("cs_cost", horizon_months).mean(axis=1)
    steps = np.diff(cost) / np.diff(response.seats) if len(response.seats) > 1 else np.array([0.0])
    return max(1.0, WORTH_IN_SEATS * float(np.abs(steps).mean()))


def choose(response: Response, limits: Limits, horizon_months: int) -> Choice:
    """Risk and worth of every count, and the contenders by selection on the response's own draws.

    Columns of the table: seats, expected (mean net value), regret (mean shortfall to the best count in the same draw),
    regret_q90, cvar (mean of the worst tenth of net value), p_grr_below_floor, expired_share, keeps_limits, contender.
    """
    values = response.draws("net_value", horizon_months)
    regret = values.max(axis=0) - values
    below = below_floor(response.draws("grr_ttm", horizon_months), limits.grr_floor)
    expired = known_mean(response.draws("expired_share", horizon_months))
    keeps = np.ones(len(response.seats), dtype=bool)
    if limits.grr_floor is not None:
        keeps &= below <= limits.risk
    if limits.expired_share is not None:
        keeps &= np.nan_to_num(expired, nan=1.0) <= limits.expired_share
    worth = worth_of_a_seat(response, horizon_months)
    selection, best = None, ()
    if keeps.any():
        allowed = np.flatnonzero(keeps)
        selection = contenders(values[allowed], worth=worth, confidence=CONFIDENCE)
        best = tuple(response.seats[allowed[i]] for i in selection.kept)
    table = pd.DataFrame(
        {
            "seats": response.seats,
            "expected": values.mean(axis=1),
            "regret": regret.mean(axis=1),
            "regret_q90": np.quantile(regret, 0.9, axis=1),
            "cvar": tail_mean(values, TAIL),
            "p_grr_below_floor": below,
            "expired_share": expired,
            "keeps_limits": keeps,
            "contender": [count in best for count in response.seats],
        }
    )
    return Choice(table, best, selection, limits, horizon_months, worth)


def confirm(choice: Choice, fresh: Response) -> Choice:
    """The contenders judged again on draws that had no part in choosing them, so that luck does not win.

    Adds columns fresh_expected, fresh_low and fresh_high (90 % interval of the mean difference to the best of them, by
    the normal approximation over paired draws) for the contenders; `best` becomes those whose interval reaches
    `-worth` or more.
    """
    values = fresh.draws("net_value", choice.horizon_months)
    judged = rivals(values, worth=choice.worth)
    means = values.mean(axis=1)
    rows: dict[int, dict[str, Any]] = {
        fresh.seats[one.index]: {"fresh_expected": means[one.index], "fresh_low": one.low, "fresh_high": one.high}
        for one in judged
    }
    order = [fresh.seats[one.index] for one in judged if one.holds]
    empty = dict.fromkeys(("fresh_expected", "fresh_low", "fresh_high"), float("nan"))
    added = pd.DataFrame([rows.get(count, empty) for count in choice.table["seats"]])
    return Choice(
        pd.concat([choice.table, added], axis=1),
        tuple(order),
        choice.selection,
        choice.limits,
        choice.horizon_months,
        choice.worth,
    )


def below_floor(grr: Floats, floor: float | None) -> Floats:
    """Share of draws with GRR below the floor, for each row of array [alternatives, draws]; NaN without a floor."""
    if floor is None:
        return np.full(len(grr), np.nan)
    known = ~np.isnan(grr)
    return np.where(known.any(axis=1), ((grr < floor) & known).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)


def known_mean(values: Floats) -> Floats:
    """Mean over the last axis of the draws that have a value; NaN where none has."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    return np.where(count > 0, np.nansum(values, axis=-1) / np.maximum(count, 1), np.nan)
