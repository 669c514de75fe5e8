"""What coverage comes to, tier by tier: ratios, hours, waits, and the ARR whose touches are not made."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from subsim.engine.metrics import TEAM, TIER
from subsim.experiment.metrics import CENTS, MINUTES_PER_DAY, MINUTES_PER_HOUR
from subsim.experiment.results import Runs
from subsim.staffing.response import Floats

WINDOW_MONTHS: Final = 12
LEAST_ACCOUNTS: Final = 0.05  # on average; a tier with fewer is not shown

COLUMNS: Final[dict[str, str]] = {
    "accounts": "live accounts of the tier, mean of month ends",
    "arr": "their ARR, mean of month ends",
    "seats": "filled seats of the tier's team, mean of month ends; none in a digital tier",
    "accounts_per_csm": "accounts of all tiers of that team, per filled seat: the coverage ratio",
    "arr_per_csm": "ARR of all tiers of that team, per filled seat",
    "hours_demanded": "hours of work that came in to that team, a year",
    "hours_served": "hours of work that it did, a year",
    "hours_per_1m_arr": "hours served a year per 1M of ARR in the tiers of that team",
    "utilisation": "hours busy per hour available of that team",
    "wait_days": "mean days an item of that team waited before it was started or dropped",
    "dropped_share": "items of that team dropped at their deadline, per item started or dropped",
    "touches_missed_share": "calendar touches of the tier that were dropped, per touch done or dropped",
    "uncovered_arr": "ARR of the tier times the share of its touches that were dropped (of its team's items where the "
    "tier has no calendar; all of it where the team has no seat). Misses are taken to fall on accounts regardless of "
    "their ARR. A digital tier is not uncovered: it is served by campaigns alone",
    "digital_arr": "ARR of the tier if campaigns alone serve it, else nothing",
    "waiting_arr": "ARR of accounts with work waiting at that team, each once, mean of month ends",
    "team_cost_a_year": "cost of that team's seats a year; shared by the tiers that name the same team",
    "campaign_cost_a_year": "cost of sends booked to the tier (the first one that a campaign addresses) a year",
}


def coverage_table(runs: Runs, titles: dict[str, str]) -> pd.DataFrame:
    """A row for each plan and tier with accounts: means over draws and over the last twelve months.

    Ratios are ratios of means. Numbers of a team stand in the row of each tier that it serves (`shared` is then true):
    the model counts hours by team, not by tier. `titles` gives each run's plan.
    """
    rows = [row for name, plan in titles.items() for row in _rows(runs, name, plan)]
    table = pd.DataFrame(rows, columns=["plan", "tier", "coverage", "team", "shared", *COLUMNS])
    table.attrs = {"definitions": COLUMNS, "window_months": WINDOW_MONTHS}
    return table


def _rows(runs: Runs, name: str, plan: str) -> list[dict[str, Any]]:
    outcome = runs.outcome(name)
    scenario, setup = outcome.scenario, outcome.setup
    window = slice(max(0, setup.months - WINDOW_MONTHS), setup.months)
    months = min(WINDOW_MONTHS, setup.months)
    tiers = _columns(outcome.cube.tiers[:, window], TIER, months)
    teams = _columns(outcome.cube.teams[:, window], TEAM, months)
    place = {tier: i for i, tier in enumerate(setup.tier_names)}
    live = [tier for tier in scenario.tiers if tiers["accounts"][place[tier]] >= LEAST_ACCOUNTS]
    rows = []
    for tier in live:
        known = scenario.tiers[tier]
        served = {key: float(values[place[tier]]) for key, values in tiers.items()}
        row: dict[str, Any] = {"plan": plan, "tier": tier, "coverage": known.coverage, "team": known.team or ""}
        row |= {"accounts": served["accounts"], "arr": served["arr"] / CENTS}
        row["campaign_cost_a_year"] = served["campaign_cost"] * 12 / CENTS
        digital = known.team is None
        row["digital_arr"] = row["arr"] if digital else 0.0
        if known.team is not None:
            together = [other for other in live if scenario.tiers[other].team == known.team]
            work = {key: float(values[setup.team_names.index(known.team)]) for key, values in teams.items()}
            accounts = sum(float(tiers["accounts"][place[other]]) for other in together)
            arr = sum(float(tiers["arr"][place[other]]) for other in together) / CENTS
            row |= {"shared": len(together) > 1, **_team(work, accounts, arr)}
        missed = _ratio(served["touches_missed"], served["touches_missed"] + served["touches_done"])
        row["touches_missed_share"] = missed
        row["uncovered_arr"] = 0.0 if digital else _uncovered(row, missed)
        rows.append({key: _rounded(value) for key, value in row.items()})
    return [{"shared": False, **row} for row in rows]


def _columns(cube: Any, names: tuple[str, ...], months: int) -> dict[str, Floats]:
    """Mean over draws and months of every counter: levels stay levels, flows become flows a month."""
    means = cube.sum(axis=1).mean(axis=0) / months
    return {name: np.asarray(means[:, i], dtype=np.float64) for i, name in enumerate(names)}


def _team(work: dict[str, float], accounts: float, arr: float) -> dict[str, float]:
    served = work["minutes_served"] / MINUTES_PER_HOUR * 12
    return {
        "seats": work["seats"],
        "accounts_per_csm": _ratio(accounts, work["seats"]),
        "arr_per_csm": _ratio(arr, work["seats"]),
        "hours_demanded": work["minutes_demanded"] / MINUTES_PER_HOUR * 12,
        "hours_served": served,
        "hours_per_1m_arr": _ratio(served, arr / 1e6),
        "utilisation": _ratio(work["busy_minutes"], work["available_minutes"]),
        "wait_days": _ratio(work["wait_minutes"], work["items_waited"]) / MINUTES_PER_DAY,
        "dropped_share": _ratio(work["items_expired"], work["items_expired"] + work["items_started"]),
        "waiting_arr": work["backlog_arr"] / CENTS,
        "team_cost_a_year": work["cost"] * 12 / CENTS,
    }


def _uncovered(row: dict[str, Any], missed: float) -> float:
    if row["seats"] == 0:
        return float(row["arr"])
    share = row["dropped_share"] if np.isnan(missed) else missed
    return 0.0 if np.isnan(share) else float(row["arr"]) * share


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value
