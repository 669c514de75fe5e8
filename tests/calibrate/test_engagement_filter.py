"""The filter against the same model written down as one big normal distribution."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from subsim.calibrate.engagement_filter import FIRST_KIND, HELD, ONE, TTV, Theta, estimates
from subsim.calibrate.engagement_fit import linear, shape
from subsim.calibrate.engagement_readings import Readings

Floats = NDArray[np.float64]
MONTH = 30.4375
THETA = Theta(0.01, 0.3, 0.4, (0.25, 0.7))


def three_accounts() -> Readings:
    """Three accounts with irregular readings, two kinds of impulse, and each way of reaching first value."""
    return Readings(
        account=np.array(["a", "b", "c"], object),
        cell=np.array([0, 0, 1]),
        start=np.array([0.0, 100.0, 50.0]),
        first_value=np.array([20.0, np.inf, np.nan]),
        target=np.array([45.0, 45.0, 20.0]),
        live=np.array([True, True, False]),
        at=np.array([30.0, 61.0, 150.0, 300.0, 400.0, 160.0, 190.0, 52.0, 52.0, 500.0]),
        y=np.array([0.1, 0.4, -0.3, 0.2, 0.8, -0.5, -0.9, 0.0, 0.3, 1.0]),
        reading_from=np.array([0, 5, 7, 10]),
        impulse_at=np.array([10.0, 100.0, 131.0, 150.0]),
        impulse_kind=np.array([0, 1, 0, 0]),
        impulse_size=np.array([1.0, 1.0, 1.2, 0.5]),
        impulse_doubt=np.zeros(4),
        impulse_known=np.zeros(4),
        impulse_from=np.array([0, 2, 3, 4]),
        kinds=np.array(["business_review", "sponsor left"], object),
        segments=np.array(["x", "y"], object),
        tiers=np.array(["t", "t"], object),
    )


def late(data: Readings, i: int, t: float) -> float:
    """Log of time to value over target that holds at a moment, from the model page."""
    if np.isnan(data.first_value[i]):
        return 0.0
    if t < data.first_value[i]:
        return max(0.0, float(np.log((t - data.start[i]) / data.target[i])))
    return float(np.log((data.first_value[i] - data.start[i]) / data.target[i]))


def columns(data: Readings, i: int, t: float) -> Floats:
    """What a unit of each thing has made of engagement by a moment, by small steps of an hour."""
    path = np.zeros(FIRST_KIND + len(data.kinds))
    path[ONE] = 1.0
    path[HELD] = 1 - np.exp(-THETA.drift * (t - data.start[i]))
    steps = np.arange(data.start[i], t, 1 / 24) + 1 / 48
    path[TTV] = sum(late(data, i, s) * THETA.drift / 24 * np.exp(-THETA.drift * (t - s)) for s in steps)
    for k in range(data.impulse_from[i], data.impulse_from[i + 1]):
        if data.impulse_at[k] < t:
            fall = np.exp(-THETA.drift * (t - data.impulse_at[k]))
            path[FIRST_KIND + data.impulse_kind[k]] += data.impulse_size[k] * fall
    return path


def movement(s: float, t: float, start: float) -> float:
    """Covariance of what has moved at random since the start, at two moments."""
    first = min(s, t) - start
    stationary = THETA.noise**2 / (1 - np.exp(-2 * THETA.drift * MONTH))
    return float(stationary * (1 - np.exp(-2 * THETA.drift * first)) * np.exp(-THETA.drift * abs(t - s)))


def whole(data: Readings) -> tuple[Floats, Floats, Floats, Floats]:
    """Of all readings: design, mean, covariance, and covariance with the engagement under them."""
    form = shape(data, {})
    who = np.repeat(np.arange(3), np.diff(data.reading_from))
    paths = np.array([columns(data, i, t) for i, t in zip(who, data.at, strict=True)])
    design = np.array([path @ form.design[data.cell[i]] for i, path in zip(who, paths, strict=True)])
    own = paths @ form.weights.T
    hidden = np.zeros((len(who), len(who)))
    for j, i in enumerate(who):
        for k, other in enumerate(who):
            if i == other:
                hidden[j, k] = movement(data.at[j], data.at[k], data.start[i])
                hidden[j, k] += own[j] * np.square(THETA.spread) @ own[k]
    return design, design @ form.mean, hidden, form.sd


def test_likelihood_is_that_of_the_whole_normal_distribution() -> None:
    data = three_accounts()
    form = shape(data, {})
    design, mean, hidden, sd = whole(data)
    covariance = hidden + THETA.error**2 * np.eye(10) + design @ np.diag(sd**2) @ design.T
    dense = stats.multivariate_normal(mean, covariance).logpdf(data.y)
    log_theta = np.log([THETA.drift, THETA.noise, THETA.error, *THETA.spread])
    found = linear(data, form, log_theta)
    assert found.log_evidence - 5 * np.log(2 * np.pi) == pytest.approx(dense, abs=2e-3)
    gain = np.diag(sd**2) @ design.T @ np.linalg.inv(covariance)
    assert found.mean() == pytest.approx(form.mean + gain @ (data.y - mean), abs=2e-3)


def test_estimates_are_conditional_means_given_the_readings_before() -> None:
    data = three_accounts()
    form = shape(data, {})
    more, place = data.asked(np.array(["a", "a", "c"], object), np.array([150.0, 400.0, 500.0]))
    table = estimates(more, THETA, form.weights, form.by_cell(form.mean))[place]
    _, mean, hidden, _ = whole(data)
    readings = hidden + THETA.error**2 * np.eye(10)
    for row, (at, before) in zip(table, [(2, [0, 1]), (4, [0, 1, 2, 3]), (9, [7, 8])], strict=True):
        gain = hidden[at, before] @ np.linalg.inv(readings[np.ix_(before, before)])
        assert row[0] == pytest.approx(mean[at] + gain @ (data.y[before] - mean[before]), abs=1e-3)
        assert row[1] == pytest.approx(hidden[at, at] - gain @ hidden[before, at], abs=1e-3)


def test_an_account_without_readings_has_the_model_s_own_engagement() -> None:
    data = three_accounts().silent()
    form = shape(data, {})
    more, place = data.asked(np.array(["b"], object), np.array([190.0]))
    (row,) = estimates(more, THETA, form.weights, form.by_cell(form.mean))[place]
    path = columns(data, 1, 190.0)
    own = form.weights @ path
    assert row[0] == pytest.approx(path @ form.by_cell(form.mean)[0], abs=1e-3)
    assert row[1] == pytest.approx(movement(190.0, 190.0, 100.0) + own @ (np.square(THETA.spread) * own), abs=1e-6)
    assert row[2:] == pytest.approx([0.0, THETA.spread[0] ** 2])
