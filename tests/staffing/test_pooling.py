"""Named against pooled: waits, continuity and the crossover between them."""

import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.scenario import Scenario
from subsim.staffing.pooling import Pooling, pooling

#: One segment, monthly calls that lift and lapse after a day: what differs is waiting and knowing the account.
COMPANY = {
    "name": "Two ways",
    "start": "2026-01-01",
    "horizon": "24 months",
    "segments": {"base": {"opening": {"accounts": 120, "tenure": "400 days"}}},
    "tiers": {"served": {"coverage": "named", "team": "care", "touches": {"status_call": "1 month"}}},
    "routing": [{"to": "served"}],
    "teams": {"care": {"seats": 3}},
    "work": {"status_call": {"deadline": "1 day", "overload": "expire"}},
}
SIZES = (3, 4, 6, 8, 12)


def with_continuity(ceiling: float) -> Scenario:
    assumptions = [
        {"parameter": "continuity.ceiling", "value": ceiling, "because": "the question of this test"},
        {"parameter": "continuity.days", "value": "20 days", "because": "people learn fast here"},
        {"parameter": "work.hours", "work": "status_call", "value": "3 hours", "because": "what differs is waiting"},
        {"parameter": "work.lift", "work": "status_call", "value": 0.3, "because": "calls matter in this test"},
        {"parameter": "seat.leave_rate", "value": 0, "because": "nobody leaves"},
    ]
    return Scenario.from_dict(COMPANY | {"assumptions": assumptions})


def asked(ceiling: float) -> Pooling:
    return pooling(with_continuity(ceiling), tier="served", seats=SIZES, draws=40, seed=1, fixed_parameters=True)


def test_without_continuity_the_pool_waits_less_and_is_never_worse() -> None:
    found = asked(0.0)
    rows = found.table[found.table["utilisation"] < 0.7]
    assert (rows["wait_pooled"] < rows["wait_named"]).all()
    assert (found.table["dropped_pooled"] < found.table["dropped_named"]).all()
    assert (found.table["mean"] > 0).all()
    assert found.crossover is None
    assert "a pool did better" in found.text


def test_with_continuity_there_is_a_load_from_which_the_pool_is_better() -> None:
    found = asked(0.2)
    assert found.crossover == pytest.approx(0.5, abs=0.1)
    assert "from about" in found.text
    assert found.figure() is not None
    assert found.to_dict()["rows"][0]["seats"] == SIZES[0]


def test_much_continuity_makes_named_seats_better_at_every_size() -> None:
    found = asked(0.9)
    assert (found.table["mean"] < 0).all()
    assert "named seats did better" in found.text


def table(gains: list[float]) -> Pooling:
    loads = [0.95, 0.85, 0.7][: len(gains)]
    names = ("wait_named", "wait_pooled", "mean_se")
    rows = pd.DataFrame({"utilisation": loads, "mean": gains, **{name: [1.0] * len(gains) for name in names}})
    return Pooling("x", "served", "care", 24, "USD", rows, None)  # type: ignore[arg-type]


def test_the_crossover_lies_between_the_sizes_where_the_sign_turns() -> None:
    assert table([300.0, 100.0, -100.0]).crossover == pytest.approx(0.775)
    assert table([300.0, 100.0, 50.0]).crossover is None
    assert table([-300.0, -100.0, -50.0]).crossover is None


@pytest.mark.parametrize("bad", [{"tier": "nobody"}, {"seats": []}, {"seats": [0, 1]}])
def test_questions_without_an_answer_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        pooling(with_continuity(0.3), **({"tier": "served", "seats": [2], "draws": 2} | bad))  # type: ignore[arg-type]
