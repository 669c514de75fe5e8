"""Waiting lines of textbooks through the product's own teams, seats and work items, against exact answers."""

from functools import cache

import numpy as np
import pytest

from tests.theory.judge import SEEDS, judge, truth
from tests.theory.queues import QUEUES, Floats

pytestmark = pytest.mark.statistical


@cache
def figures(case: str) -> list[dict[str, Floats]]:
    return QUEUES[case].figures(SEEDS)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow) if case == "Q4" else case for case in QUEUES]
)
def test_every_figure_of_a_queue_is_that_of_theory(case: str) -> None:
    wrong = {
        metric: said
        for metric, exact in truth()[case].items()
        if (said := judge([run[metric] for run in figures(case)], exact))
    }
    assert not wrong


@pytest.mark.parametrize("case", ["Q2", "Q7", "Q15"])
def test_littles_law_holds_in_every_run(case: str) -> None:
    """Customers in the line = arrivals a unit of time x mean wait, counted apart, up to the batches' edges."""
    for run in figures(case):
        arrivals = run["arrivals"]
        assert run["Lq"].mean() == pytest.approx(np.sum(arrivals * run["Wq"]) / len(arrivals), rel=0.02)
        assert run["L"].mean() == pytest.approx(np.sum(arrivals * run["W"]) / len(arrivals), rel=0.02)
