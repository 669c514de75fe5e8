"""The reference engine's own parts: the order of events and of queues."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from subsim.engine import events as ev
from subsim.engine.reference.desk import Desk
from subsim.engine.reference.environment import KeyedEnvironment

KEYS = st.tuples(st.integers(0, 5), st.integers(1, 21), st.integers(0, 3))


@given(st.lists(KEYS, unique=True), st.randoms(use_true_random=False))
def test_events_happen_in_the_order_of_their_keys_whoever_asked_first(
    keys: list[tuple[int, int, int]], shuffle: Any
) -> None:
    env = KeyedEnvironment(horizon=100)
    seen = []

    def wait(key: tuple[int, int, int]) -> Any:
        yield env.at(*key)
        seen.append(key)

    shuffled = list(keys)
    shuffle.shuffle(shuffled)
    for key in shuffled:
        env.process(wait(key))
    env.run()
    assert seen == sorted(keys)


def test_what_an_event_sets_in_motion_rests_before_the_next_event() -> None:
    env = KeyedEnvironment(horizon=100)
    seen = []

    def first() -> Any:
        yield env.at(5, ev.REVIEW, 0)
        env.process(started())
        seen.append("first")

    def started() -> Any:
        seen.append("started")
        yield env.at(5, ev.RISK, 0)  # a kind that came before: still this minute, next
        seen.append("risk")

    def second() -> Any:
        yield env.at(5, ev.REVIEW, 1)
        seen.append("second")

    env.process(first())
    env.process(second())
    env.run()
    assert seen == ["first", "started", "risk", "second"]


def test_at_the_horizon_only_the_month_ends() -> None:
    env = KeyedEnvironment(horizon=10)
    seen = []

    def wait(kind: int) -> Any:
        yield env.at(10, kind, 0)
        seen.append(kind)

    env.process(wait(ev.REVIEW))
    env.process(wait(ev.MONTH_END))
    env.run()
    assert seen == [ev.MONTH_END]


@dataclass(eq=False)
class Item:
    rank: int
    number: int
    desk: Any = None


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans())))
def test_a_desk_serves_by_rank_then_number_and_forgets_who_left(plan: list[tuple[int, bool]]) -> None:
    desk = Desk(SimpleNamespace())  # type: ignore[arg-type]
    items = [Item(rank, number) for number, (rank, _) in enumerate(plan)]
    for item in items:
        desk.join(item)  # type: ignore[arg-type]
    for item, (_, leaves) in zip(items, plan, strict=True):
        if leaves:
            desk.leave(item)  # type: ignore[arg-type]
    served = []
    while (item := desk.first()) is not None:
        desk.leave(item)
        served.append((item.rank, item.number))
    assert served == sorted(
        (item.rank, item.number) for item, (_, leaves) in zip(items, plan, strict=True) if not leaves
    )


def test_an_item_that_comes_back_to_a_desk_is_served_once() -> None:
    desk = Desk(SimpleNamespace())  # type: ignore[arg-type]
    item: Any = Item(1, 1)
    desk.join(item)
    desk.leave(item)
    desk.join(item)
    assert desk.first() is item
    desk.leave(item)
    assert desk.first() is None
