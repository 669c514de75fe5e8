"""Closed-form staffing against exact answers, limits and each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsim.errors import InputError
from subsim.staffing import queues

LOADS = st.floats(0.1, 60)


@pytest.mark.parametrize(
    ("load", "seats", "waiting", "wait"),
    [
        (0.8, 1, 0.8, 4.0),
        (4.0, 5, 0.55411255, 0.55411255),
        (18, 20, 0.550769, 0.2753845),
        (48, 50, 0.69445561, 0.34722781),
    ],
)
def test_erlang_c_is_exact(load: float, seats: int, waiting: float, wait: float) -> None:
    assert queues.chance_of_waiting(load, seats) == pytest.approx(waiting, rel=1e-6)
    assert queues.mean_wait(load, seats, 1.0) == pytest.approx(wait, rel=1e-6)


def test_erlang_a_is_exact() -> None:
    assert queues.impatient(48, 1.0, 2.0, 50).waiting == pytest.approx(0.46777407, rel=1e-7)


@pytest.mark.parametrize(
    ("seats", "wait", "utilisation"),
    [
        (3, 6.2672299, 0.99997888),
        (4, 0.87289287, 0.94016362),
        (5, 0.16221143, 0.77812642),
        (6, 0.046195563, 0.65211806),
        (7, 0.014714459, 0.55982029),
    ],
)
def test_a_closed_book_of_two_hundred_accounts(seats: int, wait: float, utilisation: float) -> None:
    answer = queues.closed_book(200, 0.05, 0.4, seats)
    assert answer.wait == pytest.approx(wait, rel=1e-6)
    assert answer.utilisation == pytest.approx(utilisation, rel=1e-6)


def test_five_people_keep_the_mean_wait_under_a_quarter_of_a_day() -> None:
    assert queues.seats_for_book(200, 0.05, 0.4, wait=0.25) == 5


def test_fourteen_agents_for_the_published_call_centre() -> None:
    # 100 contacts in half an hour of 3 minutes each, 80 % within 20 seconds, at most 85 % busy.
    assert queues.seats_for(10.0, 180.0, target=20.0, share=0.8, max_utilisation=0.85) == 14
    assert queues.served_within(10.0, 14, 180.0, 20.0) == pytest.approx(0.88835002, rel=1e-7)
    assert queues.chance_of_waiting(10.0, 14) == pytest.approx(0.17413193, rel=1e-7)


@pytest.mark.parametrize(("rate", "weeks"), [(1.0, 2.6522911), (1.25, 2.0863787), (1.5, 1.8674948)])
def test_a_faster_first_stage_shortens_onboarding(rate: float, weeks: float) -> None:
    assert queues.onboarding_weeks(3, (1 / rate, 4), (0.5, 2)) == pytest.approx(weeks, rel=1e-7)


@pytest.mark.parametrize(("busy", "named", "pooled"), [(0.70, 1.0, 0.03), (0.85, 2.5, 0.15), (0.95, 8.3, 0.72)])
def test_without_continuity_the_pool_wins(busy: float, named: float, pooled: float) -> None:
    # Ten seats, tasks of two hours, 23 hours of customer time a week of five days.
    one, pool = queues.waits_named_and_pooled(busy, 10, 2 / (23 / 5))
    assert one == pytest.approx(named, abs=0.06)
    assert pool == pytest.approx(pooled, abs=0.006)


@given(LOADS, st.integers(1, 80))
def test_more_seats_never_wait_longer(load: float, seats: int) -> None:
    assert queues.chance_of_waiting(load, seats + 1) <= queues.chance_of_waiting(load, seats) + 1e-12
    assert queues.mean_wait(load, seats + 1, 1.0) <= queues.mean_wait(load, seats, 1.0)


@given(LOADS, st.integers(1, 80))
def test_endless_patience_is_erlang_c(load: float, seats: int) -> None:
    if load < 0.9 * seats:
        assert queues.impatient(load, 1.0, 1e7, seats).waiting == pytest.approx(
            queues.chance_of_waiting(load, seats), rel=1e-3, abs=1e-9
        )


@given(st.floats(0.5, 30), st.integers(1, 40), st.floats(0.1, 10))
def test_what_is_not_dropped_is_served(load: float, seats: int, patience: float) -> None:
    answer = queues.impatient(load, 1.0, patience, seats)
    assert answer.utilisation * seats == pytest.approx(load * (1 - answer.dropped), rel=1e-6)


def test_a_team_that_cannot_keep_up() -> None:
    assert queues.chance_of_waiting(10, 10) == 1.0
    assert math.isinf(queues.mean_wait(10, 10, 1.0))
    assert queues.served_within(10, 9, 1.0, 5.0) == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: queues.erlang_b(-1, 3),
        lambda: queues.closed_book(0, 1, 1, 1),
        lambda: queues.halfin_whitt_beta(1.0),
        lambda: queues.seats_for(3, 1, target=1, share=1.0),
        lambda: queues.waits_named_and_pooled(1.0, 3, 1),
        lambda: queues.impatient(1, 0, 1, 1),
    ],
)
def test_impossible_numbers_are_refused(call: object) -> None:
    with pytest.raises(InputError):
        call()  # type: ignore[operator]
