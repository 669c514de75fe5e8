"""The package against the blind simulator: equal in distribution, by z-scores of means and ratios of variances."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from subsim.engine import simulate
from subsim.engine.metrics import SEGMENT, TEAM
from subsim.experiment.build import build
from subsim.model.catalogue import parameters
from subsim.scenario import Scenario
from tests.blind.simulator import DAY, MONTH, PLAYS, UNKNOWN, YEAR, Book, Run, Tier, Values, World

pytestmark = [pytest.mark.statistical, pytest.mark.slow]

PRODUCT_RUNS, BLIND_RUNS, MONTHS = 200, 50, 15
MOMENTS = (0, 5, 10, 14)  # months at whose end states are compared, and up to which flows are added up
STATES = ("arr", "logos", "in_onboarding", "advocates", "without_sponsor", "score_red", "score_green",
          "engagement_milli")  # fmt: skip
FLOWS = ("new", "logos_new", "expansion_seats", "expansion_cross_sell", "price_up", "contraction", "concession",
         "churn", "logos_lost", "reactivation", "logos_reactivated", "atr", "renewed", "renewals_due",
         "renewals_lost", "churn_fit", "churn_no_value", "churn_engagement", "churn_sponsor",
         "churn_price", "churn_uncontrollable", "churn_unexplained",
         "declined", "first_values", "ttv_minutes", "stalled", "referrals")  # fmt: skip
TEAM_STATES = ("backlog_items", "accounts")
TEAM_FLOWS = ("busy_minutes", "minutes_demanded", "minutes_served", "minutes_expired", "minutes_cancelled",
              "items_demanded", "items_started", "items_done", "items_expired", "items_cancelled", "wait_minutes",
              "items_waited")  # fmt: skip
Assumed = dict[tuple[str, str], float]  # parameter and name ("" for all) -> value
# Decisions have a key of their own in a scenario file; all other assumptions are rows.
UNITS = {"advocacy.days": "days", "onboarding.patience": "days", "onboarding.hours": "hours"}
DECISIONS = ("work.overload", "campaign.", "renewal.price_uplift", "arrival.qualification_threshold")

EVERY_PLAY = ("handoff", "renewal_prep", "save", "rescue", "sponsor_recovery", "expansion", "reactivation_outreach",
              "late_invoice")  # fmt: skip
ANNUAL: Assumed = {("term.two_year_share", ""): 0, ("term.three_year_share", ""): 0}
NAMED: Assumed = ANNUAL | {
    ("work.overload", "business_review"): 2,
    ("work.patience_exponential", "virtual_contact"): True,
    ("coverage.priority", "covered"): 1,
    ("renewal.base", "mid_market"): -1.2,
}
POOLED: Assumed = ANNUAL | {
    ("term.monthly_share", ""): 0.4,
    ("renewal.drift", "mid_market"): 0.7,
    ("renewal.drift", "enterprise"): 1.3,
    ("renewal.frailty", ""): 1.0,
    ("renewal.price_uplift", ""): 0.06,
    ("renewal.contraction", ""): -1.5,
    ("contraction.rate", ""): 0.1,
    ("renewal.in_term_loss", ""): 0.03,
    ("renewal.uncontrollable", ""): 0.15,
    ("renewal.reactivation", ""): 0.6,
    ("sponsor.leave_rate", ""): 0.6,
    ("referral.rate", ""): 1.0,
    ("advocacy.level", ""): 0.2,
    ("advocacy.days", ""): 60,
    ("arrival.qualification_threshold", ""): -1,
    ("onboarding.serial", ""): True,
    ("onboarding.hours", "enterprise"): 90,
    ("onboarding.customer_delay_sd", ""): 0.3,
}
DIGITAL: Assumed = {
    ("renewal.frailty", "smb"): 0,
    ("term.monthly_share", "smb"): 0.5,
    ("onboarding.patience", ""): 25,
    ("onboarding.self_serve", ""): 3,
    ("engagement.response_sd", ""): 0.5,
    ("campaign.every", "newsletter"): 14,
    ("campaign.on", "newsletter"): 1,
    ("campaign.lift", "newsletter"): 0.3,
    ("campaign.reach", "newsletter"): 0.4,
    ("campaign.every", "webinar"): 45,
    ("campaign.on", "webinar"): 1,
    ("campaign.lift", "webinar"): 0.2,
    ("campaign.reach", "webinar"): 0.1,
}
# Scenario -> segments with (accounts, new logos a month), tier, teams, campaigns, assumptions.
SCENARIOS: dict[str, tuple[dict[str, tuple[int, int]], Tier, dict[str, int], tuple[str, ...], Assumed]] = {
    "named": (
        {"smb": (30, 2), "mid_market": (45, 1)},
        Tier("named", "csm", "onboarders", {"virtual_contact": 30, "business_review": 91}, EVERY_PLAY),
        {"csm": 1, "onboarders": 1},
        (),
        NAMED,
    ),
    "pooled": (
        {"mid_market": (55, 2), "enterprise": (20, 1)},
        Tier("pooled", "desk", "", {"virtual_contact": 60}, EVERY_PLAY),
        {"desk": 4},
        (),
        POOLED,
    ),
    "digital": (
        {"smb": (50, 3), "mid_market": (25, 1)},
        Tier("digital"),
        {},
        ("newsletter", "webinar"),
        DIGITAL,
    ),
}


def scenario_file(name: str) -> dict[str, Any]:
    segments, tier, teams, campaigns, assumed = SCENARIOS[name]
    covered: dict[str, Any] = {"coverage": tier.coverage, "playbooks": list(tier.playbooks)}
    covered |= {"team": tier.team} if tier.team else {}
    covered |= {"onboarding_team": tier.onboarding_team} if tier.onboarding_team else {}
    covered |= {"touches": {work: f"{days} days" for work, days in tier.touches.items()}}
    by = {parameter.name: parameter.by for parameter in parameters().values()}
    named = [(key, value, {by[key[0]][0]: key[1]} if key[1] else {}) for key, value in assumed.items()]
    rows = [{"parameter": key[0], "value": f"{value} {UNITS[key[0]]}" if key[0] in UNITS else value, **of,
             "because": "test"}
            for key, value, of in named if not key[0].startswith(DECISIONS)]  # fmt: skip
    rows += [{"parameter": "seat.leave_rate", "value": 0, "because": "nobody leaves"}] if teams else []
    return {
        "name": f"Blind {name}",
        "question": "Does the page say what the package does?",
        "start": "2026-07-01",
        "horizon": f"{MONTHS} months",
        "currency": "USD",
        "segments": {
            s: {"new_business": f"{new} per month", "opening": {"accounts": size, "tenure": "24 months"}}
            for s, (size, new) in segments.items()
        },
        "routing": [{"to": "covered"}],
        "tiers": {"covered": covered},
        "teams": {team: {"seats": seats} for team, seats in teams.items()},
        "campaigns": {
            c: {
                "tiers": ["covered"],
                "every": f"{assumed['campaign.every', c]} days",
                "reach": assumed["campaign.reach", c],
                "lift": assumed["campaign.lift", c],
            }
            for c in campaigns
        },
        "work": {work: {"overload": "squeeze"} for parameter, work in assumed if parameter == "work.overload"},
        "policies": {
            parameter.split(".")[1]: dict.fromkeys(segments, value)
            for (parameter, _), value in assumed.items()
            if parameter in {"renewal.price_uplift", "arrival.qualification_threshold"}
        },
        "assumptions": rows,
    }


@cache
def setup(name: str, draws: int = PRODUCT_RUNS) -> Any:
    real = build(Scenario.from_dict(scenario_file(name)), draws=draws, seed=11, fixed_parameters=True)
    half_known(real.world.opening, real.start)
    calendars_known(real.world.opening, real.world.opening_touches, real.work_names, SCENARIOS[name][1])
    known = scores_known(real.world.opening) | touches_known(real.world.opening, real.work_names)
    return replace(real, world=real.world._replace(**known))


def half_known(rows: Any, start: date) -> None:
    """Let the base meet what books may say: each of the answers yes, no and unknown, by turns; every fifth is young."""
    i = np.arange(len(rows))
    young = i % 5 == 0
    rows["start"][young] = -DAY * np.array([80, 40, 20, 10, 3, 1])[i[young] // 5 % 6]
    rows["renewals"][young], rows["term"][young] = 0, 12
    rows["term_end"][young] = rows["start"][young] + 365 * DAY  # no leap day in between
    rows["anchor"][young] = [(start + timedelta(int(t) // DAY)).day for t in rows["term_end"][young]]
    rows["sponsor"], rows["prepared"] = i % 3 - 1, i // 3 % 3 - 1
    rows["onboarded"] = np.where(young, np.where(i % 7 == 0, -1, 0), np.where(i % 4 == 1, -1, 1))
    rows["ttv_days"] = np.where((i % 8 > 3) & ~young, 10 + i, -1)


def calendars_known(rows: Any, touches: Any, work_names: tuple[str, ...], tier: Tier) -> None:
    """Let three of five know their next review and three of four their last touches.

    A third of these reviews lie within the first 800 minutes, so that they come twice in the first month. Last touches
    were due so long ago that nothing follows, so that the next one waits at the start, later, and after the start.
    """
    i = np.arange(len(rows))
    rows["review_at"] = np.select([i % 10 < 2, i % 10 < 6], [1 + 37 * i % 800, MONTH - 997 * i % MONTH], 0)
    for j, work in enumerate(work_names):
        if work in PLAYS or work == "ticket":
            continue
        every = round(tier.touches.get(work, 20) * DAY)  # kinds that the tier does not do are in the book as well
        deadline = round(parameters()["work.deadline"].values.get(work, parameters()["work.deadline"].value) * DAY)
        waits = deadline - every - (deadline - 1) * (5 * i % 17) // 16  # to be raised at 0, ..., to lapse at minute 1
        comes = deadline - every + 1 + every * (3 * i % 19) // 19  # from minute 1 on, within a cadence
        after = deadline * (1 + i % 3) // 2  # last due after the start
        never = -every * (1 + i % 4)  # nothing follows
        turn = (i + 3 * j) % 12
        touches[:, j] = np.select([turn < 5, turn < 7, turn < 8, turn < 9], [waits, comes, after, never], UNKNOWN)


def scores_known(rows: Any) -> dict[str, Any]:
    """Let four of seven know one to twelve monthly scores, all in their present life; the last may be at minute 0.

    Some of the others were scored more than a year ago: that sets their band and shows nothing.
    """
    readings, read_at = np.zeros((len(rows), 12)), np.full((len(rows), 12), UNKNOWN, np.int32)
    for i, row in enumerate(rows):
        age = -int(row["start"])
        last, apart = min(DAY * (11 * i % 36), age // 2), DAY * (25 + i % 5)
        times = [last + j * apart for j in range((1, 12, 3, 6, 0, 0, 0)[i % 7]) if last + j * apart <= age]
        row["score"] = 50 if i % 14 == 5 and age > YEAR else -1
        for j, ago in enumerate(times):
            score = 100 - ((17 * i + 23 * j) % 101) ** 2 / 100  # three of four above 44, half above 75
            row["score"] = score if j == 0 else row["score"]
            share = min(max(score, 0.5), 99.5) / 100
            readings[i, j], read_at[i, j] = np.log(share / (1 - share)), -ago
    return {"opening_readings": readings, "opening_read_at": read_at}


def touches_known(rows: Any, work_names: tuple[str, ...]) -> dict[str, Any]:
    """Let most accounts have had touches in the last two years of their life, if the scenario has any.

    Few or many, only of late or only long ago. Those with scores have had more, so that a segment as a whole tells: in
    the first segment before the last score, in the second since then.
    """
    kinds = [work for work, name in enumerate(work_names) if name not in {*PLAYS, "ticket"}]
    # days before the start of the last one and the first one, and between two
    habits = (
        ((1, 730, 12), (3, 730, 30), (25, 730, 15), (60, 730, 8), (0, 0, 1), (0, 0, 1), (5, 95, 45)),
        ((0, 30, 3), (0, 30, 5), (0, 20, 4), (0, 27, 9), (0, 0, 1), (300, 730, 20), (0, 0, 1)),
    )
    done_from: list[int] = [0]
    done_at: list[int] = []
    done_work: list[int] = []
    for i, row in enumerate(rows):
        last, first, apart = habits[row["segment"]][i // 7 % 7 if i % 8 == 7 else i % 7]
        done = [
            (-DAY * days - 61 * place - i % 3, work)
            for place, work in enumerate(kinds)
            for days in range(last + 2 * place, first, apart * (1 + 2 * (len(kinds) - 1 - place)))
            if DAY * (days + 1) <= -row["start"]
        ]
        done_at += [minute for minute, _ in sorted(done)]
        done_work += [work for _, work in sorted(done)]
        done_from.append(len(done_at))
    return {
        "done_from": np.array(done_from, np.int64),
        "done_at": np.array(done_at, np.int32),
        "done_work": np.array(done_work, np.int16),
    }


def values_of(name: str, **changes: float) -> Values:
    values: Values = {p.name: {"": float(p.value), **p.values} for p in parameters().values()}
    for (parameter, key), value in SCENARIOS[name][4].items():
        values[parameter] = values[parameter] | {key: value} if key else {"": value}
    for parameter, value in changes.items():
        values[parameter.replace("__", ".")] = {"": value}
    return values


Sample = dict[str, np.ndarray]  # what is compared -> one number for each run


@cache
def product_sample(name: str, draws: int = PRODUCT_RUNS, seed: int = 23) -> Sample:
    world = setup(name, draws)
    cube = simulate(world, seed=seed)
    sample: Sample = {}
    for names, wanted, flows, rows, numbers in (
        (world.segment_names, STATES + FLOWS, FLOWS, SEGMENT, cube.segments),
        (world.team_names, TEAM_STATES + TEAM_FLOWS, TEAM_FLOWS, TEAM, cube.teams),
    ):
        for i, of in enumerate(names):
            for metric in wanted:
                series = numbers[:, :, i, rows.index(metric)].astype(float)
                series = series.cumsum(axis=1) if metric in flows else series
                sample |= {f"{of} {metric} {j + 1}": series[:, j] for j in MOMENTS}
    return sample


@cache
def blind_sample(
    name: str, runs: int = BLIND_RUNS, seed: int = 5, forgotten: tuple[str, ...] = (), **changes: float
) -> Sample:
    segments, tier, teams, campaigns, _ = SCENARIOS[name]
    real = setup(name)
    world = World(
        real.start, MONTHS, {s: new for s, (_, new) in segments.items()}, dict.fromkeys(real.segment_names, "covered"),
        {"covered": tier}, teams, dict.fromkeys(campaigns, ("covered",)), tuple(real.work_names),
    )  # fmt: skip
    values = values_of(name, **changes)
    known = real.world
    book = Book(
        known.opening.copy(), known.opening_touches.copy(), known.opening_readings, known.opening_read_at.copy(),
        known.done_from.copy(), known.done_at, known.done_work,
    )  # fmt: skip
    if "reviews" in forgotten:
        book.rows["review_at"] = 0
    if "touches" in forgotten:
        book.last_due[:] = UNKNOWN
    if "scores" in forgotten:
        book.read_at[:] = UNKNOWN
    if "done" in forgotten:
        book.done_from[:] = 0
    done = [Run(world, values, book, seed, run) for run in range(runs)]
    sample: Sample = {}
    for names, wanted, flows, of_run in (
        (real.segment_names, STATES + FLOWS, FLOWS, "segments"),
        (tuple(teams), TEAM_STATES + TEAM_FLOWS, TEAM_FLOWS, "teams"),
    ):
        for of in names:
            for metric in wanted:
                series = np.array([[getattr(r, of_run)[j, of, metric] for j in range(MONTHS)] for r in done], float)
                series = series.cumsum(axis=1) if metric in flows else series
                sample |= {f"{of} {metric} {j + 1}": series[:, j] for j in MOMENTS}
    return sample


def z_scores(one: Sample, other: Sample) -> dict[str, float]:
    """Of the differences of means, with the pooled variance: if the page is right, both have the same one."""
    assert one.keys() == other.keys()
    scores = {}
    for key, x in one.items():
        y = other[key]
        pooled = ((len(x) - 1) * x.var(ddof=1) + (len(y) - 1) * y.var(ddof=1)) / (len(x) + len(y) - 2)
        error = np.sqrt(pooled * (1 / len(x) + 1 / len(y)))
        gap = x.mean() - y.mean()
        scores[key] = 0.0 if gap == 0 else float(gap / error) if error > 0 else float("inf")
    return scores


def threshold(comparisons: int) -> float:
    """Bonferroni at 1 % for all comparisons of all three scenarios together, two-sided."""
    return float(-ndtri(0.01 / 2 / comparisons))


@pytest.mark.parametrize("name", SCENARIOS)
def test_means_agree(name: str) -> None:
    scores = z_scores(product_sample(name), blind_sample(name))
    apart = {key: round(z, 1) for key, z in scores.items() if abs(z) > threshold(3 * len(scores))}
    assert not apart


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_z_scores_scatter_like_standard_normals(name: str) -> None:
    # Many small biases would pass one by one. Metrics of a run depend on each other, so the bound is generous.
    scores = np.array([z for z in z_scores(product_sample(name), blind_sample(name)).values() if z != 0])
    assert np.mean(scores**2) < 1.7


@pytest.mark.parametrize("name", SCENARIOS)
def test_variances_agree(name: str) -> None:
    # With 50 runs the logarithm of a variance ratio has a standard deviation of about sqrt(2/50 + 2/200) = 0.22.
    one, other = product_sample(name), blind_sample(name)
    keys = [key for key in one if key.split()[1] in {"arr", "logos", "engagement_milli"}]
    logs = {key: float(np.log(one[key].var(ddof=1) / other[key].var(ddof=1))) for key in keys if one[key].var() > 0}
    assert keys
    assert {key: round(x, 2) for key, x in logs.items() if abs(x) > 4 * 0.22} == {}


@pytest.mark.parametrize(
    ("name", "changes"),
    [("named", {"engagement__neglect": 0.0}), ("digital", {"renewal__engagement": 0.0})],
)
def test_a_wrong_simulator_is_found_out(name: str, changes: dict[str, float]) -> None:
    wrong = blind_sample(name, runs=15, **changes)
    scores = z_scores(product_sample(name), wrong)
    assert max(abs(z) for z in scores.values()) > threshold(3 * len(scores))


@pytest.mark.parametrize(
    ("name", "forgotten"),
    [("named", "touches"), ("pooled", "touches"), ("digital", "reviews")],
)
def test_a_simulator_that_forgets_the_calendar_of_the_book_is_found_out(name: str, forgotten: str) -> None:
    scores = z_scores(product_sample(name), blind_sample(name, forgotten=(forgotten,)))
    assert max(abs(z) for z in scores.values()) > threshold(3 * len(scores))


@pytest.mark.parametrize(
    ("name", "forgotten"),
    [("named", "scores"), ("named", "done"), ("pooled", "done"), ("digital", "scores")],
)
def test_a_simulator_that_forgets_scores_or_touches_of_the_book_is_found_out(name: str, forgotten: str) -> None:
    scores = z_scores(product_sample(name), blind_sample(name, forgotten=(forgotten,)))
    assert max(abs(z) for z in scores.values()) > threshold(3 * len(scores))
