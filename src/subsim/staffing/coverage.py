"""The coverage lab: ways to serve a segment for the same money, on the same customers and with the same luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import DEFINITIONS, GROSS_MARGIN_SOURCE, horizons_of
from subsim.experiment.quantiles import clean
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.scenario import Scenario
from subsim.staffing.budget import budget_a_year
from subsim.staffing.choice import WORTH_IN_SEATS
from subsim.staffing.coverage_measures import coverage_table
from subsim.staffing.coverage_plans import Plan, TooLittle, changes_nothing, plan_of
from subsim.staffing.coverage_subject import Subject, subject_of
from subsim.staffing.coverage_variants import REPRESENTATIVES
from subsim.staffing.response import HORIZONS, Floats, plan_draws
from subsim.staffing.selection import rivals
from subsim.staffing.spreads import chance_above_zero, spread
from subsim.staffing.touch_models import DEFAULT, MODELS, PROGRAMME_SOURCE, REP_COST_SHARE, REP_SOURCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS: Final[dict[str, str]] = {
    "seats": "seats of the team at stake, and of representatives, at the start",
    "budget_a_year": "all seats and running campaigns for a year at stated prices, before anybody leaves",
    "budget_gap": "budget less the shared one; equal_budget: that is no more than one seat",
    "cost_a_year": "cost of customer success a year as simulated",
    "arr": "ARR at the horizon; arr_change and p_more_arr: paired difference to the first plan, draw by draw",
    "grr": "gross revenue retention of the twelve months to the horizon, whole company; segment_grr: of the segment",
    "nrr": "net revenue retention of the twelve months to the horizon, whole company; segment_nrr: of the segment",
    "net_value": f"{DEFINITIONS['net_value']}; net_change and p_pays: paired difference to the first plan",
    "served_by": "who serves the segment: people, campaigns, or nobody where a team has no seat",
    "accounts_per_csm": "coverage ratio of the people who serve the segment, with their ARR, load, waits and drops",
    "uncovered_arr": "sum over tiers, see the table of tiers",
    "digital_arr": "ARR that campaigns alone serve",
    "best": "highest mean net value, or not told from it: the 90 % interval of the mean difference reaches a quarter "
    "of a seat's cost below nought",
}


@dataclass(frozen=True)
class Coverage:
    """Plans of coverage: `.table` (plan by tier), `.plans` (outcomes), `.text`, `.figure()`.

    `table` has ratios, hours, waits and uncovered ARR; `plans` has seats, budget, cost, ARR, GRR, NRR and net value
    with 90 % intervals and paired differences to the first plan. `best` are the plans that the draws cannot tell from
    the highest net value.
    """

    scenario: Scenario
    segment: str
    tier: str
    team: str
    threshold: float
    """ARR below which an account is small, in currency units."""
    budget: float
    best: tuple[str, ...]
    table: pd.DataFrame
    plans: pd.DataFrame
    left_out: dict[str, str]
    """Plans of the usual list that cannot be had for the budget: title and reason."""
    runs: Runs = field(repr=False)
    horizon_months: int

    @property
    def text(self) -> str:
        """Which way of coverage holds up for the same money, what it changes, and what that rests on."""
        return str(presenting.prose().coverage_paragraph(self))

    def figure(self, *, ax: Axes | None = None) -> Axes:
        """Differences of ARR and net value by plan, with cost, ratio and uncovered ARR beside; returns the axes."""
        drawn: Axes = presenting.figures().coverage_lab(self, ax=ax)
        return drawn

    def scenario_of(self, plan: str) -> Scenario:
        """The scenario of a plan, by its name, to run, compare or write to a file."""
        names = dict(zip(self.plans["plan"], self.plans["title"], strict=True))
        if plan not in names:
            raise InputError(where="plan", found=repr(plan), allowed=", ".join(names))
        return self.runs.outcome(names[plan]).scenario

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: plans, tiers, definitions, assumptions and the kind of interval."""
        return {
            "scenario": self.scenario.name,
            "segment": self.segment,
            "tier": self.tier,
            "team": self.team,
            "threshold": self.threshold,
            "budget_a_year": round(self.budget, 2),
            "best": list(self.best),
            "left_out": self.left_out,
            "draws": self.runs.draws,
            "seed": self.runs.seed,
            "currency": self.scenario.currency,
            "horizon_months": self.horizon_months,
            "interval": self.plans.attrs["interval"],
            "definitions": {"plans": COLUMNS, "tiers": self.table.attrs["definitions"]},
            "assumptions": self.plans.attrs["assumptions"],
            "plans": [clean(row) for row in self.plans.to_dict("records")],
            "tiers": [clean(row) for row in self.table.to_dict("records")],
        }

    def __repr__(self) -> str:
        return f"Coverage({self.scenario.name}, {self.segment}: {', '.join(self.plans['plan'])})"

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.plans.to_html(index=False)}{self.table.to_html(index=False)}"


def coverage(
    scenario: Scenario,
    *,
    segment: str | None = None,
    plans: Sequence[str | Scenario] | None = None,
    team: str | None = None,
    threshold_cents: int | None = None,
    budget: float | None = None,
    rep_cost: float | None = None,
    draws: int = 200,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Coverage:
    """Serve a segment in several ways for the same money, from the first day on, with the same luck.

    Seats are solved so that every plan costs the budget, to within a seat: of the team at stake, or of representatives
    where the plan has them. What remains is stated (`budget_gap`). A plan that leaves money over, such as tech touch
    for everybody, is not filled up: net value counts what it saves.

    Args:
        scenario: today's plan; the base of every difference.
        segment: whose coverage is in question; the first segment that people serve when not named. It is about the
            accounts in the tier that takes what no band of ARR or score takes.
        plans: names of ready-made plans (`subsim.staffing.touch_models.MODELS`) or scenarios of one's own; a usual
            list when not named. Today's plan always comes first.
        team: who serves them, where nobody does today; else whose seats are at stake.
        threshold_cents: ARR below which an account is small; the median of those in question when not named.
        budget: seats and campaigns of the company for a year, in currency units; today's when not named.
        rep_cost: cost of a representative a year; 0.7 of a seat at stake when not named.
        draws: futures for each plan.
        seed: same seed, same answer.
        workers: threads.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`, for example `posterior`.

    Raises:
        InputError: an unknown segment, team or plan; a segment that nobody serves; a budget too small; too few draws.

    Example:
        >>> found = coverage(base, segment="mid_market", plans=["pooled", "tech_touch_below"])  # doctest: +SKIP
    """
    if draws < 2:
        raise InputError(where="draws", found=str(draws), allowed="2 or more, to compare plans draw by draw")
    subject = subject_of(scenario, segment, team, threshold_cents)
    money = budget_a_year(scenario) if budget is None else budget
    rep = REP_COST_SHARE * subject.seat_cost if rep_cost is None else rep_cost
    if not rep > 0:
        raise InputError(where="rep_cost", found=f"{rep:g}", allowed="more than 0 a year")
    chosen, left_out = _plans(subject, plans, money, rep, seed)
    runs = run(
        [plan.scenario for plan in chosen], draws=draws, seed=seed, workers=workers, progress=progress, **options
    )
    horizon = horizons_of(scenario.horizon_months, HORIZONS)[-1]
    tiers = coverage_table(runs, {plan.scenario.name: plan.name for plan in chosen})
    worth = max(1.0, WORTH_IN_SEATS * subject.seat_cost * horizon / 12)
    value = np.stack([plan_draws(runs, plan.scenario.name, "net_value", horizon) for plan in chosen])
    best = [chosen[one.index].name for one in rivals(value, worth=worth) if one.holds]
    rows = [_row(runs, subject, plan, chosen[0], horizon, tiers) | {"best": plan.name in best} for plan in chosen]
    table = pd.DataFrame(rows)
    table.attrs = {
        "interval": runs.interval,
        "currency": scenario.currency,
        "definitions": COLUMNS,
        "assumptions": [GROSS_MARGIN_SOURCE, PROGRAMME_SOURCE, REP_SOURCE],
    }
    return Coverage(
        scenario=scenario,
        segment=subject.segment,
        tier=subject.tier,
        team=subject.team,
        threshold=subject.threshold_cents / 100,
        budget=money,
        best=tuple(best),
        table=tiers,
        plans=table,
        left_out=left_out,
        runs=runs,
        horizon_months=horizon,
    )


def _plans(
    subject: Subject, wanted: Sequence[str | Scenario] | None, money: float, rep: float, seed: int
) -> tuple[list[Plan], dict[str, str]]:
    """Plans with today's first; of the usual list those that change something and can be had for the money."""
    found = [plan_of(subject, "today", budget=money, rep_cost=rep, seed=seed)]
    left_out: dict[str, str] = {}
    for plan in [plan for plan in (DEFAULT if wanted is None else wanted) if plan != "today"]:
        if isinstance(plan, Scenario):
            cost = budget_a_year(plan)
            found.append(Plan(plan.name, plan.name, plan, cost, cost - money, subject.seat_cost))
            continue
        try:
            made = plan_of(subject, plan, budget=money, rep_cost=rep, seed=seed)
        except TooLittle as error:
            if wanted is not None:
                raise
            left_out[MODELS[plan].title] = f"needs {error.allowed}"
            continue
        if wanted is not None or not changes_nothing(subject, made):
            found.append(made)
    if len(found) < 2:
        raise InputError(where="plans", found="none", allowed="one plan or more besides today's")
    return found, left_out


def _row(runs: Runs, subject: Subject, plan: Plan, base: Plan, horizon: int, tiers: pd.DataFrame) -> dict[str, Any]:
    """Outcomes of a plan at the horizon, with paired differences to the base."""

    def draws(metric: str, of: Plan = plan) -> Floats:
        return plan_draws(runs, of.scenario.name, metric, horizon)

    def segment(metric: str) -> Floats:
        return runs.samples(plan.scenario.name, metric, subject.segment)[:, horizon - 1]

    arr, value = draws("arr") - draws("arr", base), draws("net_value") - draws("net_value", base)
    mine = tiers[tiers["plan"] == plan.name]
    return {
        "plan": plan.name,
        "title": plan.title,
        "seats": _seats(subject, plan),
        "budget_a_year": round(plan.budget, 2),
        "budget_gap": round(plan.gap, 2) + 0.0,
        "equal_budget": plan.equal,
        "cost_a_year": round(float(draws("cs_cost").mean()) * 12 / horizon, 2),
        **spread("arr", draws("arr")),
        **spread("arr_change", arr),
        "p_more_arr": chance_above_zero(arr),
        **spread("grr", draws("grr_ttm"), 6),
        **spread("nrr", draws("nrr_ttm"), 6),
        **spread("segment_grr", segment("grr_ttm"), 6),
        **spread("segment_nrr", segment("nrr_ttm"), 6),
        **spread("net_value", draws("net_value")),
        **spread("net_change", value),
        "p_pays": chance_above_zero(value),
        **_work(plan, subject, mine),
        "uncovered_arr": round(float(mine["uncovered_arr"].sum()), 2),
        "digital_arr": round(float(mine["digital_arr"].sum()), 2),
    }


def _work(plan: Plan, subject: Subject, mine: pd.DataFrame) -> dict[str, Any]:
    """Ratio, load and waits of the people who serve the segment; NaN where nobody does."""
    team = REPRESENTATIVES if REPRESENTATIVES in plan.scenario.teams else subject.team
    names = ("accounts_per_csm", "arr_per_csm", "utilisation", "wait_days", "dropped_share")
    rows = mine[mine["team"] == team]
    by = "campaigns" if rows.empty else "people" if float(rows["seats"].iloc[0]) > 0 else "nobody"
    return {"served_by": by} | {name: float(rows[name].iloc[0]) if len(rows) else float("nan") for name in names}


def _seats(subject: Subject, plan: Plan) -> str:
    """Seats at stake in words: `mid_touch 3`, `mid_touch 0, representatives 6`."""
    now = subject.scenario.teams
    shown = [team for team in plan.scenario.teams if team == subject.team or team not in now]
    shown += [team for team in now if team in plan.scenario.teams and team not in shown]
    parts = [
        f"{team} {plan.scenario.teams[team].seats}"
        for team in shown
        if team == subject.team or team not in now or plan.scenario.teams[team].seats != now[team].seats
    ]
    return ", ".join(parts)
