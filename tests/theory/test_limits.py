"""What must hold at the edges of the model, whatever the numbers."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from subsim.engine import Cube, Setup, simulate
from subsim.engine import events as ev
from subsim.engine import metrics as m
from subsim.engine.run import trace_log
from subsim.experiment.build import build
from subsim.model import slots as at
from subsim.model.rules import engagement
from subsim.model.slots import LENGTH
from subsim.scenario import Scenario
from tests.theory.worlds import Rows, company

SERVED: dict[str, Any] = {
    "tiers": {
        "tech": {
            "coverage": "pooled",
            "team": "desk",
            "touches": {"status_call": "1 month", "business_review": "3 months"},
            "playbooks": ["handoff", "renewal_prep", "save", "sponsor_recovery", "expansion", "late_invoice"],
        }
    },
    "work": {"onboarding": {"overload": "expire", "deadline": "60 days"}},
}


def base(accounts: int, **more: Any) -> dict[str, Any]:
    """One segment with so many accounts of a year's mean tenure."""
    return {"segments": {"only": {"opening": {"accounts": accounts, "tenure": "12 months"}, **more}}}


def desk(seats: int) -> dict[str, Any]:
    return {"teams": {"desk": {"seats": seats}}}


def ready(scenario: Scenario, draws: int = 1) -> Setup:
    return build(scenario, draws=draws, seed=1, fixed_parameters=True)


def cube(scenario: Scenario, draws: int = 1) -> Cube:
    return simulate(ready(scenario, draws), seed=1)


def same(one: Cube, other: Cube) -> bool:
    parts = ("segments", "teams", "tiers")
    return all(getattr(one, part).tobytes() == getattr(other, part).tobytes() for part in parts)


def test_retention_falls_below_the_covered_base_when_nobody_touches_it() -> None:
    neglect: Rows = {"engagement.neglect": 1.5}
    lift: Rows = {("work.lift", "work=status_call"): 0.3}
    parts = base(150) | {"horizon": "24 months"} | desk(60)
    calendar = {"coverage": "pooled", "team": "desk", "touches": {"status_call": "1 month"}}
    covered = company({**neglect, **lift}, still=False, tiers={"tech": calendar}, **parts)
    alone = company(neglect, still=False, tiers={"tech": calendar | {"touches": {}}}, **parts)
    kept = [cube(scenario, 60).segments[:, -1, 0, m.S_LOGOS] for scenario in (covered, alone)]
    gap = (kept[0] - kept[1]).astype(float)
    assert gap.mean() > 4 * gap.std(ddof=1) / math.sqrt(len(gap))


def test_without_limit_of_seats_nobody_waits_and_nothing_expires() -> None:
    scenario = company(still=False, **SERVED, **base(60, new_business="5 per month"), **desk(400))
    found = cube(scenario, 3).teams.sum(axis=1)[:, 0]
    assert (found[:, m.T_ITEMS_DONE] > 500).all()
    for counter in (m.T_WAIT_MINUTES, m.T_ITEMS_WAITED, m.T_ITEMS_EXPIRED, m.T_BACKLOG_ITEMS, m.T_MINUTES_EXPIRED):
        assert (found[:, counter] == 0).all()


def test_without_seats_every_item_expires_and_campaigns_still_run() -> None:
    parts = SERVED | base(60, new_business="5 per month") | desk(0)
    news = {"news": {"every": "1 month", "tiers": ["tech"], "cost": "$100", "reach": "50 %"}}
    scenario = company({"renewal.base": -30}, still=False, campaigns=news, **parts)
    whole = cube(scenario, 3)
    found = whole.teams.sum(axis=1)[:, 0]
    waiting = whole.teams[:, -1, 0, m.T_BACKLOG_ITEMS]
    ended = found[:, m.T_ITEMS_EXPIRED] + found[:, m.T_ITEMS_CANCELLED]
    assert (found[:, m.T_ITEMS_EXPIRED] > 500).all()
    assert (found[:, m.T_ITEMS_DEMANDED] == ended + waiting).all()
    assert (found[:, [m.T_ITEMS_STARTED, m.T_ITEMS_DONE, m.T_BUSY_MINUTES]] == 0).all()
    log = trace_log(ready(scenario), seed=1)
    raised, expired = log[log.code == ev.L_RAISED], log[log.code == ev.L_EXPIRED]
    lapse = {(line.who, line.other, line.after) for line in raised}
    assert {(line.who, line.other, line.minute) for line in expired} <= lapse
    assert (log.code == ev.L_REACHED).sum() > 200
    sends = whole.tiers[:, :, 0, m.R_CAMPAIGN_COST].sum(axis=1) / 10_000
    assert (sends == 11).all()  # the twelfth is due after 365.25 days


def test_without_churn_and_contraction_grr_is_100_percent() -> None:
    growth: Rows = {"expansion.rate": 2, "expansion.win": 1}
    parts: dict[str, Any] = base(80, new_business="5 per month") | {"policies": {"price_uplift": {"only": "5 %"}}}
    found = cube(company(growth, horizon="30 months", **parts), 3).segments[:, :, 0]
    assert (found[:, :, m.S_TTM_KEPT] == found[:, :, m.S_TTM_OPENING]).all()
    assert (found[:, -1, m.S_TTM_NET] > 1.05 * found[:, -1, m.S_TTM_OPENING]).all()


def test_without_effects_closing_counts_are_binomial() -> None:
    accounts, stays, runs = 100, 0.85, 1500
    numbers: Rows = {"renewal.base": math.log(-math.log(stays))}
    parts: dict[str, Any] = {"segments": {"only": {"opening": {"accounts": accounts}}}}
    closing = cube(company(numbers, horizon="12 months", **parts), runs).segments[:, -1, 0, m.S_LOGOS]
    cuts = np.array([0, 79, 81, 82, 83, 84, 85, 86, 87, 88, 89, 91, 101])
    seen = np.histogram(closing, cuts)[0]
    expected = runs * np.diff(stats.binom.cdf(cuts - 1, accounts, stays))
    assert stats.chisquare(seen, expected).pvalue > 0.001


def test_one_more_account_changes_only_its_own_rows() -> None:
    numbers: Rows = {"seat.leave_rate": 0, "renewal.reactivation": 0.5, "expansion.rate": 3}

    def log_with(accounts: int) -> Any:
        parts = SERVED | base(accounts, new_business="2 per month") | desk(400)
        return trace_log(ready(company(numbers, still=False, **parts)), seed=1)

    first, more = log_with(40), log_with(41)
    others = more[more.who != 40].copy()
    others.who -= others.who > 40
    for log in (first, others):
        log.before[log.code == ev.L_BEGUN] = 0  # which of the free seats takes it
    assert len(more) > len(others) > 1000
    assert others.tobytes() == first.tobytes()


@pytest.mark.parametrize(
    "lever",
    [
        {"scale": {"parameter": "onboarding.customer_delay", "by": 1, "from": "2026-04-01", "phase_in": "3 months"}},
        {"scale": {"parameter": "work.hours", "by": 1, "from": "2026-04-01", "because": "nothing"}},
        {"plan": {"segment": "only", "by": 1, "from": "2026-04-01"}},
        {"score": {"noise": 0.5, "from": "2026-04-01"}},
        {"scale": {"parameter": "onboarding.hours", "by": 0.1, "from": "2027-01-01"}},
        {"hire": {"team": "desk", "seats": 3, "on": "2027-01-01"}},
        {"leave": {"team": "desk", "seats": 1, "on": "2027-01-01"}},
        {"price": {"segment": "only", "uplift": "9 %", "from": "2027-01-01"}},
        {"route": {"segment": "only", "to": "other", "on": "2027-01-01"}},
        {"cadence": {"tier": "tech", "touch": "status_call", "every": "3 weeks", "on": "2027-01-01"}},
    ],
)
def test_a_lever_of_size_zero_or_after_the_horizon_changes_nothing_at_all(lever: dict[str, Any]) -> None:
    parts = SERVED | base(80, new_business="6 per month") | desk(2)
    parts["tiers"] = parts["tiers"] | {"other": {"coverage": "digital"}}
    without, with_lever = (company(still=False, levers=levers, **parts) for levers in ([], [lever]))
    assert same(cube(without, 4), cube(with_lever, 4))


days = st.floats(0.1, 1500)


@given(days, days, st.lists(days, max_size=40), st.floats(1, 300), st.floats(1e-4, 0.1), st.floats(0.0, 2.0))
def test_an_earlier_first_value_never_means_lower_engagement_at_any_later_time(
    one: float, other: float, dates: list[float], target: float, drift: float, effect: float
) -> None:
    """Whenever engagement is brought up to date, and however late both are."""
    p = np.zeros(LENGTH)
    p[at.onboarding_target], p[at.engagement_drift], p[at.engagement_ttv_effect] = target, drift, effect
    values = [round(1440 * value) for value in sorted((one, other))]
    standing = [0.3, 0.3]
    computed = 0
    for t in sorted(round(1440 * date) for date in [*dates, one, other]):
        for i, value in enumerate(values):
            adopted = computed >= value
            rest = engagement.rest(p, 0, 0.0, value / 1440 if adopted else -1.0)
            standing[i] = engagement.now(p, 0, standing[i], rest, 0, computed, t, adopted)
        computed = t
        assert standing[0] >= standing[1] - 1e-12


@given(st.floats(5, 300), st.floats(1, 400), st.floats(1, 400), st.floats(1e-4, 0.05))
def test_lateness_adds_up_to_the_integral_of_what_each_day_leaves(
    target: float, start: float, length: float, drift: float
) -> None:
    p = np.zeros(LENGTH)
    p[at.onboarding_target], p[at.engagement_drift], p[at.engagement_ttv_effect] = target, drift, 1.0
    since, until = round(1440 * start), round(1440 * (start + length))
    begin, end = max(since / 1440, target), until / 1440
    exact = 0.0
    if end > begin:
        exact = quad(lambda x: drift * math.exp(-drift * (end - x)) * math.log(x / target), begin, end)[0]
    assert engagement.overdue(p, 0, since, until) == pytest.approx(exact, rel=1e-7, abs=1e-10)


def test_faster_onboarding_never_lowers_a_renewal_at_the_same_draw() -> None:
    """With free hours and effects of the usual sign, whatever the dates: who stays also stays if faster."""
    numbers: Rows = {
        "engagement.ttv_effect": 0.7,
        "onboarding.hours_shape": 100,
        "onboarding.customer_delay": 20,
        "onboarding.customer_delay_sd": 0.3,
        "onboarding.patience": 60,
        "term.monthly_share": 0.2,
        "referral.rate": 0,
        "renewal.reactivation": 0,
        "renewal.base": -1,
        "seat.leave_rate": 0,
    }
    tiers = {"tech": {"coverage": "digital", "onboarding_team": "desk"}}
    parts = base(20, new_business="25 per month") | desk(1200) | {"tiers": tiers, "horizon": "36 months"}
    kept = []
    for hours in (60, 180, 330, 700, 1000, 1500, 2000):
        setup = ready(company({**numbers, "onboarding.hours": hours}, still=False, **parts), 3)
        logs = [trace_log(setup, seed=1, draw=draw) for draw in range(3)]
        kept.append({(d, x.who, x.other) for d, log in enumerate(logs) for x in log[log.code == ev.L_RENEWED]})
    assert all(faster > slower for faster, slower in itertools.pairwise(kept))


@pytest.mark.parametrize("accounts", [10, 10_000])
def test_the_same_arr_in_few_or_many_accounts_runs(accounts: int) -> None:
    arr = 10_000_000 / accounts
    numbers: Rows = {"value.first_arr": arr, "value.first_arr_sd": 0}
    found = cube(company(numbers, still=False, **SERVED, **base(accounts), **desk(5)))
    assert found.opening_arr.sum() == 10_000_000 * 100
    arr_by_month = found.segments[0, :, 0, m.S_ARR]
    assert 0.5 < arr_by_month[-1] / found.opening_arr[0] < 1.5
    before = np.array([found.opening_arr[0], *arr_by_month[:-1]])
    up = (m.S_NEW, m.S_REACTIVATION, m.S_EXPANSION_SEATS, m.S_EXPANSION_CROSS_SELL, m.S_PRICE_UP)
    down = (m.S_PRICE_DOWN, m.S_CONTRACTION, m.S_CONCESSION, m.S_CHURN)
    flow = found.segments[0, :, 0]
    assert (arr_by_month == before + flow[:, up].sum(axis=1) - flow[:, down].sum(axis=1)).all()


def test_the_cube_counts_the_line_that_the_trace_shows() -> None:
    """Little's law in a busy company, its sides counted apart: the line at month ends, the waits that make it."""
    scenario = company(still=False, **SERVED, **base(150, new_business="6 per month"), **desk(3))
    setup = ready(scenario)
    log, teams = trace_log(setup, seed=1), simulate(setup, seed=1).teams[0, :, 0]
    leaves = np.isin(log.code, (ev.L_BEGUN, ev.L_EXPIRED, ev.L_CANCELLED))
    steps = (log.code == ev.L_RAISED).astype(int) - leaves
    ends = setup.world.months[1:]
    line = np.concatenate([[0], np.cumsum(steps)])[np.searchsorted(log.minute, ends, side="left")]
    assert (line == teams[:, m.T_BACKLOG_ITEMS]).all()
    assert line.max() > 20
    begun = log[log.code == ev.L_BEGUN]
    waits = np.histogram(begun.minute, [*setup.world.months], weights=begun.after)[0]
    assert (waits == teams[:, m.T_WAIT_MINUTES]).all()
