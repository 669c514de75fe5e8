"""Selection of the best keeps its promise, and drops what is clearly worse."""

import numpy as np
import pytest

from subsim.errors import InputError
from subsim.random import purposes, uniform_array
from subsim.random.quantiles import normal
from subsim.staffing.selection import contenders, tail_mean

DRAWS = 150
MEANS = np.array([0.0, 0.0, 0.4, 0.0, 0.0])  # the best is ahead by what is worth an argument, the hardest case


def sample(trial: int) -> np.ndarray:
    """Five alternatives with a common part, as common random numbers give."""
    u = uniform_array(trial, np.arange(DRAWS), purposes.PARAMETER, np.arange(6)[:, None], 0)
    z = np.vectorize(normal)(u)
    return MEANS[:, None] + 0.8 * z[:5] + 2.0 * z[5]


def test_the_best_is_kept_as_often_as_promised() -> None:
    trials = 120
    kept = sum(2 in contenders(sample(trial), worth=0.4, confidence=0.9).kept for trial in range(trials))
    # Binomial(120, 0.9) is below 98 in fewer than 2 of 1,000 cases; the procedure is conservative.
    assert kept >= 98


def test_what_is_far_behind_falls_early_and_what_is_equal_stays() -> None:
    values = sample(7)
    values[0] -= 10
    values[1] = values[2]
    found = contenders(values, worth=0.05)
    assert 0 not in found.kept
    assert found.dropped_at[0] <= 40
    assert {1, 2} <= set(found.kept)
    assert found.kept[0] in (1, 2)


def test_one_alternative_needs_no_selection() -> None:
    assert contenders(np.zeros((1, 5)), worth=1.0).kept == (0,)


@pytest.mark.parametrize("bad", [{"worth": 0.0}, {"worth": 1.0, "confidence": 1.0}, {"worth": 1.0, "first": 1}])
def test_what_cannot_be_selected_with_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError):
        contenders(np.zeros((2, 5)), **bad)  # type: ignore[arg-type]


def test_the_tail_is_the_worst_share() -> None:
    assert tail_mean(np.arange(10.0), 0.2) == pytest.approx(0.5)
    assert tail_mean(np.array([3.0, 1.0, 2.0]), 0.01) == pytest.approx(1.0)
