"""One code for actual and simulated ledgers: swapped, the same history gives the same numbers."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from subsim.book import Book, read_book
from subsim.engine.metrics import SEGMENT
from subsim.engine.run import simulate, trace
from subsim.experiment.build import build
from subsim.experiment.demo import AS_OF, demo_folder
from subsim.ledger import (
    Definitions,
    bridge,
    from_movements,
    from_trace,
    metrics_table,
    monthly,
    opening_balance,
    switch_effects,
    triangle,
)
from subsim.ledger.renewals import renewals
from subsim.scenario import load_scenario

SCENARIO = Path(__file__).parents[3] / "scenarios" / "baseline.yaml"
SEED = 11
#: Names of the ledger's monthly table, and the engine's counters that they must equal.
SAME = {
    "arr": ("arr",),
    "new": ("new",),
    "expansion": ("expansion_seats", "expansion_cross_sell", "price_up"),
    "contraction": ("contraction", "price_down", "concession"),
    "churn": ("churn",),
    "reactivation": ("reactivation",),
    "logos": ("logos",),
    "logos_new": ("logos_new",),
    "logos_lost": ("logos_lost",),
    "logos_reactivated": ("logos_reactivated",),
    "ttm_opening": ("ttm_opening",),
    "ttm_kept": ("ttm_kept",),
    "ttm_net": ("ttm_net",),
}
ALL = "all"


@pytest.fixture(scope="module")
def world() -> SimpleNamespace:
    """The demo company's book, one simulated future of it, and what the engine counted in that future."""
    book = read_book(demo_folder(), as_of=AS_OF)
    setup = build(load_scenario(SCENARIO), draws=1, seed=SEED)
    events = trace(setup, seed=SEED)
    ledger = from_trace(events, setup.start, setup.segment_names, book.ledger)
    cube = simulate(setup, seed=SEED)
    return SimpleNamespace(book=book, setup=setup, events=events, ledger=ledger, cube=cube, ends=list(setup.month_ends))


def test_the_ledger_of_a_run_gives_what_the_engine_counted(world: SimpleNamespace) -> None:
    table = monthly(world.ledger, world.ends).pivot_table(
        index=["month", "segment"], columns="metric", values="value", dropna=False
    )
    for number, segment in enumerate(world.setup.segment_names):
        own = table.xs(segment, level="segment")
        for name, counters in SAME.items():
            counted = sum(world.cube.segments[0, :, number, SEGMENT.index(counter)] for counter in counters)
            assert np.array_equal(own[name].to_numpy(), counted), (segment, name)


def test_what_was_renewed_is_what_the_engine_counted(world: SimpleNamespace) -> None:
    """The engine counts before concessions and price cuts, which it gives at renewals only; the ledger after them."""
    months = 12
    decided = renewals(world.ledger, world.ends[months - 1], months)
    won = decided[decided["net"] > 0].groupby("segment")["gross"].sum().reindex(list(world.setup.segment_names))
    renewed, *given = (
        world.cube.segments[0, :months, :, SEGMENT.index(name)].sum(axis=0)
        for name in ("renewed", "concession", "price_down")
    )
    assert won.tolist() == (renewed - sum(given)).tolist()
    assert (decided["net"] > decided["gross"]).any()


def test_actual_and_simulated_go_through_the_same_functions(world: SimpleNamespace) -> None:
    now = metrics_table(world.book.ledger, AS_OF)
    then = metrics_table(world.ledger, world.ends[-1])
    keys = ["metric", "segment", "form", "unit"]
    pd.testing.assert_frame_equal(now[keys], then[keys])
    assert then.loc[then["segment"] == ALL, "value"].notna().all()
    # Until the start, the ledger that goes on is the book's.
    pd.testing.assert_frame_equal(metrics_table(world.ledger, AS_OF), now)
    assert not switch_effects(world.ledger, world.ends[-1])["difference"].isna().any()


def test_a_simulated_history_read_as_a_book_is_the_same_company(world: SimpleNamespace) -> None:
    """Swap: what was simulated is written down as movements, and read as if it had happened."""
    rows = world.ledger
    movements = pd.DataFrame(
        {
            "account_id": rows["account_id"],
            "date": rows["date"].dt.floor("D"),
            "kind": rows["kind"],
            "arr_after_cents": rows["after"],
            "reason": rows["reason"],
        }
    )
    accounts = rows[["account_id", "segment"]].drop_duplicates("account_id")
    last = pd.Timestamp(world.ends[-1])
    ledger = from_movements(movements, accounts, last)
    book = Book("swapped", last.date(), 0, "", {"accounts": accounts, "movements": movements}, ledger, ())
    assert book.arr_cents == world.cube.segments[0, -1, :, SEGMENT.index("arr")].sum()
    pd.testing.assert_frame_equal(book.bridge(), bridge(rows, book.month_ends()))
    for definitions in (Definitions(), Definitions(win_back_days=90, reactivation_in_nrr=True, price_apart=True)):
        one, other = (metrics_table(table, last, definitions) for table in (ledger, rows))
        terms = one["metric"].str.startswith(("atr", "renewal_rate"))  # days do not tell what shared a moment
        pd.testing.assert_frame_equal(one[~terms], other[~terms])
    for of in ("logos", "arr"):
        pd.testing.assert_frame_equal(triangle(ledger, last, of=of).values, triangle(rows, last, of=of).values)


def test_a_run_from_an_opening_balance_ties_too(world: SimpleNamespace) -> None:
    opening = world.book.opening().accounts[["account_id", "segment", "arr_cents"]]
    ledger = from_trace(
        world.events, world.setup.start, world.setup.segment_names, opening_balance(opening, world.setup.start)
    )
    pd.testing.assert_frame_equal(bridge(ledger, world.ends), bridge(world.ledger, world.ends))
