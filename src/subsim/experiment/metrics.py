"""What the monthly tables report, computed from a cube: one definition per metric, in the user's units."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from subsim.ratios import grr, logo_retention, nrr, utilisation

if TYPE_CHECKING:
    from subsim.engine import Cube

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Columns = Callable[[str], Ints]
Kind = Literal["money", "count", "ratio", "hours", "days"]

ALL: Final = "all"
CENTS: Final = 100.0
MINUTES_PER_HOUR: Final = 60.0
MINUTES_PER_DAY: Final = 1440.0

#: Decimals that tables and JSON keep, so that equal results are equal bytes.
DECIMALS: Final[dict[str, int]] = {"money": 2, "count": 2, "ratio": 6, "hours": 2, "days": 4}


@dataclass(frozen=True)
class Metric:
    """One line of the monthly table: its unit, its definition and how it comes from the cube's columns."""

    name: str
    kind: Kind
    definition: str
    of: Callable[[Columns], Floats]
    level: bool = False  # a month-end level; otherwise a flow in the month, or a ratio of flows


def _money(*columns: str) -> Callable[[Columns], Floats]:
    return lambda column: np.asarray(sum(column(name) for name in columns) / CENTS, dtype=np.float64)


def _count(name: str) -> Callable[[Columns], Floats]:
    return lambda column: column(name).astype(np.float64)


def _hours(name: str) -> Callable[[Columns], Floats]:
    return lambda column: column(name) / MINUTES_PER_HOUR


def _ratio(defined: Callable[[Ints, Ints], Floats], part: str, whole: str) -> Callable[[Columns], Floats]:
    """A ratio as the ledger defines it."""
    return lambda column: defined(column(part), column(whole))


def _share(part: Ints, whole: Ints) -> Floats:
    out: Floats = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=out, where=whole != 0)
    return out


_SEGMENT_ROWS = (
    Metric("arr", "money", "ARR in force at month end", _money("arr"), level=True),
    Metric("new", "money", "ARR of accounts that never paid before", _money("new")),
    Metric(
        "expansion",
        "money",
        "seats, cross-sell and price rises of existing accounts",
        _money("expansion_seats", "expansion_cross_sell", "price_up"),
    ),
    Metric(
        "contraction",
        "money",
        "ARR given back by accounts that stay: fewer seats, price cuts, concessions",
        _money("contraction", "price_down", "concession"),
    ),
    Metric("churn", "money", "ARR of accounts that left", _money("churn")),
    Metric("reactivation", "money", "ARR of accounts that came back", _money("reactivation")),
    Metric("logos", "count", "accounts with ARR at month end", _count("logos"), level=True),
    Metric("logos_new", "count", "accounts won", _count("logos_new")),
    Metric("logos_lost", "count", "accounts that left", _count("logos_lost")),
    Metric(
        "grr_ttm",
        "ratio",
        "gross revenue retention, trailing twelve months, frozen cohort",
        _ratio(grr, "ttm_kept", "ttm_opening"),
        level=True,
    ),
    Metric(
        "nrr_ttm",
        "ratio",
        "net revenue retention, trailing twelve months, frozen cohort, without reactivation",
        _ratio(nrr, "ttm_net", "ttm_opening"),
        level=True,
    ),
    Metric(
        "logo_retention_ttm",
        "ratio",
        "accounts of twelve months ago that never left",
        _ratio(logo_retention, "ttm_logos_kept", "ttm_logos_opening"),
        level=True,
    ),
)

_TEAM_ROWS = (
    Metric("hours_demanded", "hours", "hours of work that came in", _hours("minutes_demanded")),
    Metric("hours_served", "hours", "hours of work done", _hours("minutes_served")),
    Metric("hours_expired", "hours", "hours of work dropped at its deadline", _hours("minutes_expired")),
    Metric("items_demanded", "count", "work items that came in", _count("items_demanded")),
    Metric("items_expired", "count", "work items dropped at their deadline", _count("items_expired")),
    Metric(
        "expired_share",
        "ratio",
        "items dropped per item that left the queue, started or dropped",
        lambda column: _share(column("items_expired"), column("items_expired") + column("items_started")),
    ),
    Metric(
        "utilisation",
        "ratio",
        "hours busy per hour available",
        _ratio(utilisation, "busy_minutes", "available_minutes"),
    ),
    Metric(
        "wait_days",
        "days",
        "mean calendar days that an item waited before it was started or dropped",
        lambda column: _share(column("wait_minutes"), column("items_waited")) / MINUTES_PER_DAY,
    ),
)

SEGMENT_METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _SEGMENT_ROWS}
TEAM_METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _TEAM_ROWS}
CS_COST: Final = Metric(
    "cs_cost",
    "money",
    "loaded cost of seats, overtime, tooling and campaigns in the month (concessions lower ARR instead)",
    lambda column: column("cost") / CENTS,
)
METRICS: Final[dict[str, Metric]] = {**SEGMENT_METRICS, CS_COST.name: CS_COST, **TEAM_METRICS}


def _columns(array: Ints, kind: str) -> Columns:
    """Access to a cube's columns by name, with the sum over groups appended as the last group."""
    names = _names(kind)

    def column(name: str) -> Ints:
        values = array[..., names.index(name)]
        return np.concatenate([values, values.sum(axis=2, keepdims=True)], axis=2)

    return column


def _names(kind: str) -> tuple[str, ...]:
    """Names of a cube's columns: `SEGMENT`, `TEAM` or `TIER`."""
    # Loaded when a cube is read: names and units of metrics need no engine.
    names: tuple[str, ...] = getattr(importlib.import_module("subsim.engine.metrics"), kind)
    return names


def segment_values(cube: Cube, name: str) -> Floats:
    """A metric as array [draws, months, segments + 1]; the last is "all". Money in currency units."""
    return SEGMENT_METRICS[name].of(_columns(cube.segments, "SEGMENT"))


def team_values(cube: Cube, name: str) -> Floats:
    """A metric as array [draws, months, teams + 1]; the last is "all"."""
    return TEAM_METRICS[name].of(_columns(cube.teams, "TEAM"))


def team_window(cube: Cube, name: str, first: int, last: int) -> Floats:
    """A metric of work over the months first..last-1 taken together (a ratio of sums): array [draws, teams + 1]."""
    months = cube.teams[:, first:last].sum(axis=1, keepdims=True)
    return TEAM_METRICS[name].of(_columns(months, "TEAM"))[:, 0]


def cs_cost(cube: Cube) -> Floats:
    """Cost of customer success as array [draws, months], in currency units."""
    seats = cube.teams[..., _names("TEAM").index("cost")].sum(axis=2)
    campaigns = cube.tiers[..., _names("TIER").index("campaign_cost")].sum(axis=2)
    return np.asarray((seats + campaigns) / CENTS, dtype=np.float64)
