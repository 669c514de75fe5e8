"""From scenarios to worlds."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from subsim.engine import events as ev
from subsim.errors import InputError
from subsim.experiment.build import build
from subsim.model import slots
from subsim.scenario import Scenario
from tests.unit.experiment.test_parameters import SCENARIO, scenario


def levers(*rows: dict[str, Any]) -> Any:
    return build(scenario(levers=list(rows)), draws=1, seed=1).world


def test_the_plan_is_met_in_every_calendar_month() -> None:
    setup = build(scenario(), draws=1, seed=1)
    lengths = np.diff(setup.world.months)
    assert np.allclose(setup.world.plan[1] * lengths, 2 * 43830)
    assert setup.expected_arrivals == 24
    assert setup.month_ends[0] == dt.date(2026, 7, 31)


def test_a_small_change_of_plan_keeps_the_envelope() -> None:
    segments = SCENARIO["segments"] | {"enterprise": {"opening": {"accounts": 5}, "new_business": "2.2 per month"}}
    envelope = build(scenario(), draws=1, seed=1).world.envelope
    assert np.array_equal(build(scenario(segments=segments), draws=1, seed=1).world.envelope[:1], envelope[:1])
    assert envelope[1] >= 8 * 2


def test_hires_are_seats_that_arrive_later() -> None:
    world = levers({"hire": {"team": "csm", "seats": 2, "on": "2026-09-01", "ramp": "60 days"}})
    assert world.team_from.tolist()[:2] == [0, 4]
    assert world.seats.arrives_at.tolist() == [0, 0, 62 * 1440, 62 * 1440]
    assert world.seats.phase.tolist() == [-1, -1, 30 * 1440, 30 * 1440]


def test_a_phased_scale_ends_at_its_full_factor() -> None:
    lever = {"parameter": "onboarding.customer_delay", "by": 0.7, "from": "2026-08-01", "phase_in": "3 months"}
    world = levers({"scale": lever | {"segments": ["smb"]}})
    assert world.levers.action.tolist() == [ev.SCALE] * 3
    assert set(world.levers.number.tolist()) == {slots.onboarding_customer_delay}
    assert world.levers.value.prod() == pytest.approx(0.7)
    assert np.all(np.diff(world.levers["at"]) > 0)


def test_levers_are_in_order_of_time_and_named() -> None:
    setup = build(
        scenario(
            levers=[
                {"leave": {"team": "csm", "seats": 1, "on": "2026-12-01"}},
                {"cadence": {"tier": "near", "touch": "status_call", "every": "2 months", "on": "2026-08-01"}},
            ]
        ),
        draws=1,
        seed=1,
    )
    assert setup.world.levers.action.tolist() == [ev.SET, ev.RESTART_CALENDARS, ev.LEAVE]
    assert len(setup.lever_names) == 3
    assert "csm" in setup.lever_names[-1].lower()


def test_later_routes_come_first() -> None:
    world = levers(
        {"route": {"segment": "smb", "to": "near", "on": "2026-08-01"}},
        {"route": {"segment": "smb", "to": "far", "on": "2026-10-01"}},
    )
    assert world.routes.tier.tolist() == [1, 0, 0, 1]
    assert world.routes.since.tolist() == [92 * 1440, 31 * 1440, -1, -1]


def test_who_does_what() -> None:
    setup = build(scenario(), draws=1, seed=1)
    work = setup.work_names
    near, far = setup.world.work_team
    assert near[work.index("onboarding")] == near[work.index("status_call")] == 0
    assert near[work.index("ticket")] == -1
    assert set(far.tolist()) == {-1}


def test_a_made_up_base_has_its_terms_ahead_and_its_past_behind() -> None:
    rows = build(scenario(), draws=1, seed=1).world.opening
    assert len(rows) == 15
    assert (rows.start < 0).all()
    assert (rows.term_end >= 0).all()


def test_the_demo_book_opens_with_its_own_accounts() -> None:
    plan = Scenario.from_dict(
        SCENARIO
        | {
            "book": "demo",
            "segments": {"smb": {}, "mid_market": {}, "enterprise": {}},
            "routing": [{"to": "far"}],
        }
    )
    setup = build(plan, draws=1, seed=1)
    assert len(setup.account_ids) == len(setup.world.opening) > 500
    assert setup.book_fingerprint
    assert setup.fingerprint() == build(plan, draws=1, seed=1).fingerprint()
    assert setup.fingerprint() != build(plan, draws=1, seed=2).fingerprint()


def test_a_segment_of_the_book_that_the_scenario_lacks_is_named() -> None:
    plan = Scenario.from_dict(SCENARIO | {"book": "demo", "segments": {"smb": {}, "enterprise": {}}})
    with pytest.raises(InputError, match="mid_market"):
        build(plan, draws=1, seed=1)
