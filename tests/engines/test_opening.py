"""How accounts of the opening base enter: each hidden thing against what it should be, by many draws."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import subsim as ss
from subsim.engine import events as ev
from subsim.engine.run import run_traced
from subsim.experiment.build import build
from subsim.model import slots as at
from subsim.model.rules import engagement, onboarding, renewal, risk
from subsim.model.rules.clock import DAY, MONTH, NEVER, YEAR, minutes
from tests.unit.book.test_reader import folder

MANY = 4_000
KEY = np.array([5, 0], np.uint64)
WHO = [np.uint64(number) for number in range(MANY)]


@pytest.fixture
def p() -> Any:
    """Numbers of a first segment and team, all else nought."""
    row = np.zeros(at.LENGTH)
    for name, value in {
        "onboarding_customer_delay": 35.0,
        "onboarding_customer_delay_sd": 0.6,
        "onboarding_target": 45.0,
        "onboarding_hours": 16.0,
        "onboarding_hours_shape": 4.0,
        "onboarding_self_serve": 1.5,
        "seat_effective_hours": 1_065.0,
        "seat_hours_factor": 1.0,
        "engagement_drift": 0.0077,
        "engagement_neglect": 0.6,
        "engagement_fit_effect": 0.25,
        "engagement_response_sd": 0.8,
        "engagement_opening_sd": 0.45,
        "score_noise": 0.5,
        "renewal_engagement": 0.35,
    }.items():
        row[getattr(at, name)] = value
    return row


@pytest.mark.parametrize("behind", [0.0, 10.0, 60.0, 400.0])
def test_a_customers_delay_is_what_is_left_of_one_that_took_longer(p: Any, behind: float) -> None:
    drawn = [onboarding.customer_delay(p, KEY, who, 0, behind) for who in WHO]
    whole = stats.lognorm(0.6, scale=35.0)
    longer = whole.sf(behind)
    assert stats.kstest(drawn, lambda x: 1 - whole.sf(np.asarray(x) + behind) / longer).pvalue > 0.001


def test_a_delay_far_beyond_any_other_still_ends(p: Any) -> None:
    assert np.isfinite([onboarding.customer_delay(p, KEY, who, 0, 1e9) for who in WHO[:50]]).all()
    p[at.onboarding_customer_delay_sd] = 0.0
    assert onboarding.customer_delay(p, KEY, WHO[0], 0, 30.0) == pytest.approx(5.0)
    assert onboarding.customer_delay(p, KEY, WHO[0], 0, 60.0) == 0.0


def test_work_is_done_from_the_day_an_account_came(p: Any) -> None:
    whole = onboarding.work_left(p, KEY, WHO[0], 0, 0.0, 0, 0)
    assert onboarding.work_left(p, KEY, WHO[0], 0, 0.0, 0, 10 * DAY) == whole
    done = whole - onboarding.work_left(p, KEY, WHO[0], 0, 0.0, 0, -2 * DAY)
    assert done == pytest.approx(2 * 1_065 * 60 / 365.25, abs=1)
    assert onboarding.work_left(p, KEY, WHO[0], 0, 0.0, 0, -200 * DAY) == 0


DRIFT = 0.0077
UNKNOWN = 0.0, 0.1, 0.0  # touches of a segment of which none are known
NO_TOUCHES = np.zeros(0, np.int32), np.zeros(0, np.int16), 0, 0


def scores(*read: tuple[int, float]) -> tuple[Any, Any, int]:
    """Readings of one account, (days before the start, score), the last one first."""
    odds, minutes = np.zeros((1, 12)), np.full((1, 12), NEVER, np.int32)
    for place, (days, score) in enumerate(read):
        odds[0, place], minutes[0, place] = np.log(score / (100 - score)), -days * DAY
    return odds, minutes, 0


@pytest.mark.parametrize("read", [(), ((0, 85.0),), ((12, 85.0), (42, 60.0), (100, 97.0))])
def test_fit_engagement_and_response_are_joint_given_the_scores(p: Any, read: tuple[tuple[int, float], ...]) -> None:
    held, level = engagement.held_up(p, 0, 1e6), 0.3
    assert held == pytest.approx(0.6)
    told = engagement.told_by_scores(p, 0, level, held, 1e6, UNKNOWN, *scores(*read), *NO_TOUCHES)
    own, by_fit, by_answer, variance, _, w_fr, w_rr, _, y_r = told
    seen = []
    for who in WHO:
        f = renewal.opening_fit(p, KEY, who, 0, 0.0, *told[4:])
        r = engagement.opening_response(p, KEY, who, 1.0, w_rr, y_r - w_fr * 0.25 * f)
        centre = level + own + (1 - by_fit) * 0.25 * f + (held - by_answer) * (r - 1)
        seen.append((f, r - 1, engagement.opening(KEY, who, centre, variance)))
    # The same as a normal of fit, response - 1, and own part of engagement at the start and at each score, given these.
    days = np.array([0, *(day for day, _ in read)])
    prior = np.zeros((2 + len(days), 2 + len(days)))
    prior[:2, :2] = np.diag([1.0, 0.8**2])
    prior[2:, 2:] = 0.45**2 * np.exp(-DRIFT * np.abs(days[:, None] - days))
    load = np.column_stack([np.full(len(days), 0.25), np.full(len(days), 0.6), np.eye(len(days))])
    mean, cov = np.zeros(len(prior)), prior
    if read:
        y = np.array([np.log(score / (100 - score)) - level for _, score in read])
        seen_by = load[1:]
        gain = prior @ seen_by.T @ np.linalg.inv(seen_by @ prior @ seen_by.T + 0.25 * np.eye(len(y)))
        mean, cov = gain @ y, prior - gain @ seen_by @ prior
    to = np.zeros((3, len(prior)))
    to[0, 0] = to[1, 1] = 1.0
    to[2] = load[0]
    mean, cov = to @ mean + [0, 0, level], to @ cov @ to.T
    found = np.array(seen)
    error = np.sqrt(np.diag(cov) / MANY)
    assert (np.abs(found.mean(axis=0) - mean) < 4 * error).all()
    assert np.corrcoef(found.T) == pytest.approx(cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov))), abs=0.06)
    assert found.std(axis=0) == pytest.approx(np.sqrt(np.diag(cov)), rel=0.06)


def test_scores_without_error_say_all_there_is(p: Any) -> None:
    p[at.score_noise] = p[at.engagement_opening_sd] = 0.0
    told = engagement.told_by_scores(p, 0, 0.2, 0.6, 900.0, UNKNOWN, *scores((3, 80.0), (33, 80.0)), *NO_TOUCHES)
    assert told[:4] == (0.0, 0.0, 0.0, 0.0)
    _, w_fr, w_rr, _, y_r = told[4:]
    f = renewal.opening_fit(p, KEY, WHO[0], 0, 0.0, *told[4:])
    r = engagement.opening_response(p, KEY, WHO[0], 1.0, w_rr, y_r - w_fr * 0.25 * f)
    assert 0.2 + 0.25 * f + 0.6 * (r - 1) == pytest.approx(np.log(4.0), abs=1e-4)


def test_touches_of_a_short_tenure_hold_little_up(p: Any) -> None:
    assert engagement.held_up(p, 0, 0.0) == 0.0
    assert 0.0 < engagement.held_up(p, 0, 30.0) < engagement.held_up(p, 0, 300.0) < 0.6


def test_touches_fade(p: Any) -> None:
    p[at.work_lift + 3], p[at.work_lift + 5] = 0.2, 0.3
    done_at, done_work = np.array([-90, -100, -30, 0], np.int32) * DAY, np.array([3, 3, 5, 3], np.int16)
    expected = 0.2 * np.exp(-100 * DRIFT) + 0.3 * np.exp(-30 * DRIFT)
    assert engagement.held_by_touches(p, done_at, done_work, 1, 3) == pytest.approx(expected)
    assert engagement.held_by_touches(p, done_at, done_work, 2, 2) == 0.0


def test_more_than_touches_is_put_down_to_them_within_limits(p: Any) -> None:
    def share(touches: float) -> float:
        return engagement.share_of_touches(p, 0, touches, 0.1)  # all that is done holds up 0.6, 0.1 of it not yet

    assert [share(x) for x in (0.4, 0.1, 2.0, -0.3, 0.0)] == pytest.approx([1.25, 2.0, 1.0, 1.0, 0.0])


def test_accounts_differ_from_their_segment_by_what_was_done_for_them(p: Any) -> None:
    p[at.engagement_opening_mean] = 0.2
    like = 0.4, 0.1, 1.5
    level, alone, held = engagement.opening_standing(p, 0, 45.0, 400.0, 0.6, like)
    head = 0.6 * np.exp(-400 * DRIFT)
    assert level == pytest.approx(0.2 + 1.5 * 0.2 + head - 0.1)
    assert alone == pytest.approx(level - 1.5 * 0.6 - head)
    assert held == pytest.approx(engagement.held_up(p, 0, 400.0) + 1.5 * 0.2)
    assert engagement.opening_standing(p, 0, 45.0, 400.0, -3.0, like)[2] == 0.0
    unknown = engagement.opening_standing(p, 0, 45.0, 400.0, 0.0, UNKNOWN)
    assert unknown == pytest.approx((0.2, 0.2, engagement.held_up(p, 0, 400.0)))


def test_a_score_is_read_against_the_touches_until_then(p: Any) -> None:
    """A touch after the last score explains nothing of it, one before all of what is left of it by then."""
    p[at.work_lift] = 0.5
    done_at, done_work = np.array([-50, -10], np.int32) * DAY, np.zeros(2, np.int16)
    read, like = scores((20, 70.0)), (0.4, 0.1, 1.2)
    told = engagement.told_by_scores(p, 0, 0.1, 99.0, 300.0, like, *read, done_at, done_work, 0, 2)
    touches = 0.5 * np.exp(-30 * DRIFT)
    level = 0.1 + 1.2 * touches + 0.6 * np.exp(-280 * DRIFT)
    held = engagement.held_up(p, 0, 280.0) + 1.2 * (touches - 0.4)
    assert held > 0
    assert told == pytest.approx(engagement.told_by_scores(p, 0, level, held, 300.0, UNKNOWN, *read, *NO_TOUCHES))


def test_some_are_doomed_by_what_came_in_the_running_term() -> None:
    past = renewal.running_for(12, 3 * MONTH, -30 * MONTH)
    assert past == 9 * MONTH
    assert renewal.running_for(12, 3 * MONTH, -MONTH) == MONTH
    assert renewal.running_for(1, MONTH + 500, -30 * MONTH) == 0
    left = [risk.threshold(KEY, risk.purpose_of(risk.UNCONTROLLABLE), who, 0) for who in WHO]
    doomed, rest = zip(*(risk.passed(each, 0.2, past) for each in left), strict=True)
    chance = 1 - np.exp(-0.2 * 9 * MONTH / YEAR)
    assert np.mean(doomed) == pytest.approx(chance, abs=4 * np.sqrt(chance / MANY))
    used = 0.2 * 9 * MONTH / YEAR
    assert all(r == pytest.approx(each - used) for each, d, r in zip(left, doomed, rest, strict=True) if not d)


def test_live_accounts_have_survived_the_hazard_of_accounts_like_them(p: Any) -> None:
    for name, value in {
        "renewal_base": -2.0,
        "renewal_drift": 0.8,
        "renewal_multi_year_effect": 0.2,
        "renewal_price": 1.5,
        "renewal_price_uplift": 0.05,
        "renewal_uplift_cap": 0.08,
        "renewal_no_sponsor": 0.7,
        "sponsor_leave_rate": 0.2,
        "sponsor_returns": 1.8,
    }.items():
        p[getattr(at, name)] = value
    lasting = 0.9 + 0.1 * np.exp(0.7)  # a tenth of the time without a sponsor
    yearly = np.exp(-2.0 - 0.35 * 0.4) * 1.05**1.5 * lasting * 3**0.8
    assert renewal.past_exposure(p, 0, 12, 3, 0.4) == pytest.approx(yearly)
    two_years = np.exp(-2.0 + 0.2 + 0.35 * 0.4) * 1.08**1.5 * lasting  # the cap holds for two years' increase
    assert renewal.past_exposure(p, 0, 24, 1, -0.4) == pytest.approx(two_years)
    assert renewal.past_exposure(p, 0, 12, 0, 0.4) == 0.0


TABLES = {
    "accounts": "account_id,start_date,segment\n" + "".join(f"{name},2023-01-01,smb\n" for name in "abcdef"),
    "contracts": "account_id,start_date,end_date,arr\n"
    + "".join(f"{name},2024-09-01,2025-08-31,100\n" for name in "abcde")
    + "f,2025-06-01,2026-05-31,100\n",
    "sponsors": "account_id,date,event\n"
    "a,2024-10-01,left\nb,2024-10-01,left\nb,2024-12-01,restored\nf,2024-01-01,left\n",
    "touches": "account_id,done_date,kind\na,2025-06-10,renewal_prep\nb,2024-07-01,renewal_prep\nc,2025-06-01,call\n",
    "onboarding": "account_id,kickoff_date,first_value_date\nf,2025-06-01,\na,2023-01-01,2023-02-01\n",
}


def test_a_book_says_who_has_a_sponsor_and_is_prepared(tmp_path: Path) -> None:
    book = ss.read_book(folder(tmp_path, **TABLES), as_of="2025-06-30")
    live = book.opening().accounts.set_index("account_id")
    assert live["sponsor"].tolist() == [0, 1, 1, 1, 1, 1]  # f lost its sponsor in a former life
    assert live["prepared"].tolist() == [1, 0, 0, 0, 0, 0]
    less = {name: table for name, table in TABLES.items() if name not in ("sponsors", "touches")}
    (tmp_path / "less").mkdir()
    silent = ss.read_book(folder(tmp_path / "less", **less), as_of="2025-06-30").opening().accounts
    assert (silent[["sponsor", "prepared"]] == -1).all().all()


def test_a_run_opens_with_what_the_book_says(tmp_path: Path) -> None:
    scenario = ss.Scenario.from_dict(
        {
            "name": "Opening",
            "book": str(folder(tmp_path, **TABLES)),
            "start": "2025-07-01",
            "horizon": "1 months",
            "segments": {"smb": {}},
            "tiers": {"served": {"coverage": "pooled", "team": "desk", "playbooks": ["renewal_prep"]}},
            "teams": {"desk": {"seats": 5}},
            "routing": [{"to": "served"}],
        }
    )
    setup = build(scenario, draws=1, seed=1, fixed_parameters=True)
    log = run_traced(setup, seed=1)[0]
    work = setup.work_names.index("renewal_prep")
    raised = log[(log["code"] == ev.L_RAISED) & (log["other"] == work)]
    asked = {setup.account_ids[row["who"]]: row["minute"] for row in raised}
    # Five renewals are due in 62 days, and one of them is prepared; the sixth is due in eleven months.
    assert asked == dict.fromkeys("bcde", 1)


def test_calendars_and_reviews_go_on_where_the_book_ends(tmp_path: Path) -> None:
    """Status calls come monthly and are due in 14 days; b's is open, c's was done early, d's records are silent."""
    days = {"a": "2025-06-20", "b": "2025-06-10", "c": "2025-07-03", "d": "2025-03-01"}
    touches = "account_id,due_date,done_date,kind\n" + "".join(
        f"{a},{d},2025-03-01,status_call\n" for a, d in days.items()
    )
    scores = (
        "account_id,date,score\na,2025-05-05,50\na,2025-06-05,50\nb,2025-06-29,50\nb,2025-06-30,50\nc,2025-01-01,50\n"
    )
    planned = "f,2025-07-20,,status_call\n"  # it has not been due: the book says nothing about f
    tables = TABLES | {"touches": touches + planned, "health": scores}
    scenario = ss.Scenario.from_dict(
        {
            "name": "Calendars",
            "book": str(folder(tmp_path, **tables)),
            "start": "2025-07-01",
            "horizon": "3 months",
            "segments": {"smb": {}},
            "tiers": {"served": {"coverage": "pooled", "team": "desk", "touches": {"status_call": "1 month"}}},
            "teams": {"desk": {"seats": 5}},
            "routing": [{"to": "served"}],
        }
    )
    setup = build(scenario, draws=1, seed=1, fixed_parameters=True)
    due = minutes(float(setup.parameters[0, at.work_deadline + setup.work_names.index("status_call")]))
    assert due == 14 * DAY
    log = run_traced(setup, seed=1)[0]
    work = setup.work_names.index("status_call")
    raised, deadline, reviewed = {}, {}, {}
    for minute, code, who, other, _, after in log.tolist():
        if code == ev.L_RAISED and other == work:
            raised.setdefault(setup.account_ids[who], []).append(minute)
            deadline.setdefault(setup.account_ids[who], after)
        elif code == ev.REVIEW:
            reviewed.setdefault(setup.account_ids[who], minute)
    last = {name: (date.fromisoformat(day) - date(2025, 7, 1)).days * DAY for name, day in days.items()}
    assert raised["a"][:2] == [last["a"] - due + MONTH, last["a"] - due + 2 * MONTH]
    assert raised["b"][0] == 0
    assert deadline["b"] == last["b"] + MONTH  # as if raised when it was, not on the first day
    assert raised["b"][1] == last["b"] - due + 2 * MONTH
    assert raised["c"][0] == last["c"] - due + MONTH
    assert all(0 < raised[name][0] <= MONTH for name in "def")
    assert reviewed["a"] == MONTH - 26 * DAY
    assert all(0 < reviewed[name] <= MONTH for name in "bcdef")
    ours = dict(zip(setup.account_ids, setup.world.opening["review_at"].tolist(), strict=True))
    assert [bool(ours[name]) for name in "abcdef"] == [True, False, False, False, False, False]


def test_a_run_takes_scores_and_touches_from_the_book(tmp_path: Path) -> None:
    """Scores a month apart and of the present life, no further back than a year; touches of calendars, of two years."""
    tables = TABLES | {
        "health": "account_id,date,score\n"
        "a,2025-06-30,60\na,2025-06-29,50\na,2025-06-06,50\na,2025-06-05,40\na,2025-05-30,30\na,2024-05-01,20\n"
        "b,2025-06-10,100\nb,2025-03-01,50\nf,2024-12-01,50\n",
        "touches": "account_id,done_date,kind\n"
        "a,2025-06-21,status_call\na,2025-06-11,business_review\na,2025-06-11,renewal_prep\na,2023-05-01,status_call\n"
        "c,2025-06-30,site_visit\nc,2025-06-30,lunch\nc,2025-06-30,save\nf,2025-01-01,status_call\n",
    }
    touches = {"status_call": "1 month", "business_review": "3 months", "site_visit": "1 year"}
    scenario = ss.Scenario.from_dict(
        {
            "name": "Past",
            "book": str(folder(tmp_path, **tables)),
            "start": "2025-07-01",
            "horizon": "1 months",
            "segments": {"smb": {}},
            "tiers": {"served": {"coverage": "pooled", "team": "desk", "touches": touches}},
            "teams": {"desk": {"seats": 5}},
            "routing": [{"to": "served"}],
        }
    )
    setup = build(scenario, draws=1, seed=1, fixed_parameters=True)
    w = setup.world
    days = [[t // DAY for t in row if t < NEVER] for row in w.opening_read_at.tolist()]
    assert days == [[-1, -26], [-21, -122], [], [], [], []]
    assert w.opening_readings[0, :2] == pytest.approx(np.log([1.5, 2 / 3]))
    assert w.opening_readings[1, 0] == pytest.approx(np.log(199.0))
    done = [
        [(int(w.done_at[j]) // DAY, setup.work_names[w.done_work[j]]) for j in range(*w.done_from[o : o + 2])]
        for o in range(6)
    ]
    assert done == [[(-20, "business_review"), (-10, "status_call")], [], [(-1, "site_visit")], [], [], []]
