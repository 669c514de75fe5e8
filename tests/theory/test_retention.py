"""Subscriber bases, survival and lifetime value against closed forms, from contracts that renew every period.

A period is a calendar month here: contracts are monthly, and nothing but the renewal moves an account. The package
has no function for lifetime value; it is the discounted sum of the simulated ARR of a closed cohort,

    DEL  = sum over t >= 0 of S(t) / (1 + d)^t              payment at the start of each period
    DERL = sum over t >= n of S(t) / S(n - 1) / (1 + d)^(t - n)     just before the n-th renewal decision

(Fader and Hardie 2010), cut off after ten years at d = 10 % a period, which leaves out less than 1e-4.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from subsim.engine import metrics as m
from subsim.engine import simulate
from subsim.experiment.build import build
from subsim.scenario import load_scenario
from tests.theory.judge import LEAST, SEEDS, judge, truth
from tests.theory.worlds import Rows, company

pytestmark = pytest.mark.statistical

Floats = NDArray[np.float64]
MONTHLY: Rows = {"term.monthly_share": 1}
SHAPES = ((0.668, 3.806), (0.704, 1.182), (3.8, 15.2))
DISCOUNT = 0.1


def mixing(shapes: Sequence[tuple[float, float]]) -> Rows:
    """Beta mixing with one pair of shapes for each segment."""
    rows: dict[str | tuple[str, str], float] = {"renewal.beta_mixing": 1}
    for i, (alpha, beta) in enumerate(shapes):
        rows |= {("renewal.beta_alpha", f"segment=s{i}"): alpha, ("renewal.beta_beta", f"segment=s{i}"): beta}
    return rows


def survivors(numbers: Rows, segments: int, accounts: int, draws: int, months: int, past: int = 0) -> list[Floats]:
    """Share of ARR kept at every month end, 1 first: [draws, months + 1, segments] for each seed.

    Every account of the base has ``past`` renewals behind it, as a book would say.
    """
    opening = {f"s{i}": {"opening": {"accounts": accounts}} for i in range(segments)}
    setup = build(
        company({**MONTHLY, **numbers}, segments=opening, horizon=f"{months} months"),
        draws=draws,
        seed=0,
        fixed_parameters=True,
    )
    setup.world.opening.renewals[:] = past
    shares = []
    for seed in SEEDS:
        cube = simulate(setup, seed=seed)
        kept = cube.segments[:, :, :, m.S_ARR] / cube.opening_arr
        shares.append(np.concatenate([np.ones_like(kept[:, :1]), kept], axis=1))
    return shares


def discounted(shares: Floats, rate: float, first: int) -> Floats:
    """Present value of a payment of 1 by every survivor at t = first, first + 1, ..., as of t = first; by draw."""
    return np.asarray(shares[:, first:] @ (1 + rate) ** -np.arange(shares.shape[1] - first))


def test_a_subscriber_base_is_poisson_with_the_mean_of_theory() -> None:
    signed: dict[str, Any] = {"s0": {"opening": {"accounts": 0}, "new_business": {"plan": [100], "envelope": 120}}}
    scenario = company({**MONTHLY, **mixing(SHAPES[:1])}, segments=signed, horizon="36 months")
    setup = build(scenario, draws=4, seed=0, fixed_parameters=True)
    active = np.stack([simulate(setup, seed=seed).segments[:, :, 0, m.S_LOGOS] for seed in SEEDS]).astype(float)
    for periods in (1, 5, 12, 36):
        exact = truth()["Q18"][f"E[active] M={periods}"]
        parts = active[:, :, periods - 1]
        assert not judge(list(parts), exact)
        spread = (parts.size - 1) * parts.var(ddof=1) / exact  # chi-square, for a Poisson count of this size
        assert 0.001 < stats.chi2.cdf(spread, parts.size - 1) < 0.999


@pytest.mark.parametrize("n", [1, 4, 7])
def test_lifetime_value_of_the_shifted_beta_geometric(n: int) -> None:
    """DERL of a base with n - 1 past renewals: also that such a base starts from the right mix of risks."""
    runs = survivors(mixing(SHAPES), 3, 60, 8, 120, past=n - 1)
    for i, (alpha, beta) in enumerate(SHAPES):
        settings = f"alpha={alpha:g};beta={beta:g};d={DISCOUNT}"
        shares = [run[:, :, i] for run in runs]
        assert not judge([discounted(share, DISCOUNT, 1) for share in shares], truth()["Q20"][f"DERL;{settings};n={n}"])
        if n == 1:
            assert not judge([discounted(share, DISCOUNT, 0) for share in shares], truth()["Q20"][f"DEL;{settings}"])


def test_lifetime_value_at_constant_retention() -> None:
    payment, retention, rate, step = 100.0, 0.8, 0.12, 0.01
    values = {}
    for r in (retention - step, retention, retention + step):
        runs = survivors({"renewal.base": math.log(-math.log(r))}, 1, 100, 10, 60)
        values[r] = [payment * discounted(run[:, :, 0], rate, 1) / (1 + rate) for run in runs]
    known = truth()["Q21"]
    assert not judge(values[retention], known["CLV first payment after one period"])
    assert judge(values[retention], known["PV of 5-year annuity (wrong method)"])
    lower, upper = values[retention - step], values[retention + step]
    change = math.log((retention + step) / (retention - step))
    elasticity = [np.log(more / less) / change for more, less in zip(upper, lower, strict=True)]
    assert not judge(elasticity, known["retention elasticity"])


def frailty(theta: float, drift: float) -> Rows:
    return {"renewal.base": math.log(0.06), "renewal.frailty": theta, "renewal.drift": drift}


@pytest.mark.parametrize(("theta", "drift", "past"), [(0.5, 1, 0), (2, 1, 0), (0.5, 0.7, 0), (1, 1, 12), (0.5, 0.7, 5)])
def test_survival_under_gamma_frailty(theta: float, drift: float, past: int) -> None:
    """S(k) = (1 + theta x k^c)^(-1/theta); a base with past renewals goes on from where it is."""

    def survival(k: int) -> float:
        return float((1 + theta * 0.06 * k**drift) ** (-1 / theta))

    runs = survivors(frailty(theta, drift), 1, 200, 10, 24, past)
    for k in (1, 6, 12, 24):
        assert not judge([run[:, k, 0] for run in runs], survival(past + k) / survival(past))


def test_survival_without_frailty_is_exponential() -> None:
    runs = survivors(frailty(0, 1), 1, 200, 10, 24)
    assert not judge([run[:, 12, 0] for run in runs], math.exp(-0.06 * 12))


def test_a_leaky_bucket_keeps_36_8_percent_and_loses_96_percent_of_its_base_a_year() -> None:
    scenario = load_scenario(Path(__file__).parents[2] / "scenarios" / "leaky_bucket.yaml")
    setup = build(scenario, draws=1, seed=0, fixed_parameters=True)
    logos = np.stack([simulate(setup, seed=seed).segments[0, :12, 0, m.S_LOGOS] for seed in SEEDS])
    lower, upper = stats.binom.interval(0.95, 10_000, 0.92**12)
    assert ((logos[:, 11] >= lower) & (logos[:, 11] <= upper)).sum() >= LEAST
    assert logos[:, 11].mean() / 10_000 == pytest.approx(0.368, abs=0.004)
    # To keep the base as large as it is, each month's loss is signed again: twelve months of it are 12 x 8 %.
    before = np.column_stack([np.full(len(logos), 10_000), logos[:, :-1]])
    replaced = (1 - logos / before).sum(axis=1)
    error = np.sqrt((0.08 * 0.92 / before).sum(axis=1))
    assert (np.abs(replaced - 0.96) < 1.96 * error).sum() >= LEAST
