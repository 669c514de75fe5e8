"""Kalman filter of engagement over readings at any dates, with what is unknown integrated out.

Given drift delta, noise and reading error, a reading is linear in everything else:

    y(t) = X(t) beta + X(t) W' b + x(t) + error,   x(t) = exp(-delta dt) x + movement,   b ~ N(0, diag(spread^2))

The columns of X are the paths of engagement that a unit of each thing makes: 1 (level at birth), `held` =
1 - exp(-delta age) (what pulls the rest away from the level at birth), `ttv` (log of time to value over target,
followed with the drift) and one for each kind of impulse (exp(-delta dt) after each). b is what persists at an account:
its own level, and how it answers. The filter runs over y and the columns of X with the same gains, so its sums of
squares and products hold the likelihood for every beta.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subsim._jit import inner, rule
from subsim.calibrate.engagement_readings import Readings

Floats = NDArray[np.float64]

Y, ONE, HELD, TTV, FIRST_KIND = range(5)
MONTH_DAYS = 30.4375
ESTIMATES = ("mean", "variance", "persistent", "persistent_variance")


@dataclass(frozen=True)
class Theta:
    """What the readings depend on non-linearly.

    Drift a day, sd of the monthly movement, sd of the reading's error (log odds), and sds of what persists at an
    account, one for each row of `weights`. `jumps`, by kind of impulse, times an impulse's doubt is the variance of
    engagement that it brings with it: work that succeeds or not, a stall that may have been; none where it is empty.
    """

    drift: float
    noise: float
    error: float
    spread: tuple[float, ...]
    jumps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Moments:
    """Sums over a cell's accounts: products over variance [cells, columns, columns], log determinants, readings."""

    products: Floats
    log_determinant: Floats
    count: Floats


def moments(data: Readings, theta: Theta, weights: Floats) -> Moments:
    """Sums of the filter's innovations by cell; `weights` [persistent effects, columns] says what b multiplies."""
    cells, columns = len(data.segments), FIRST_KIND + len(data.kinds)
    parts = _parts(data)

    def one(part: tuple[int, int]) -> tuple[Floats, Floats, Floats]:
        sums = np.zeros((cells, columns, columns)), np.zeros(cells), np.zeros(cells)
        _run(data, part, theta, weights, np.zeros((cells, columns)), sums, np.zeros((0, len(ESTIMATES))))
        return sums

    if len(parts) == 1:
        products, log_determinant, count = one(parts[0])
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            products, log_determinant, count = (sum(each) for each in zip(*pool.map(one, parts), strict=True))
    lower = np.tril(np.ones((columns, columns)), -1).astype(bool)
    products[:, lower] = products.transpose(0, 2, 1)[:, lower]
    return Moments(products, log_determinant, count)


def estimates(data: Readings, theta: Theta, weights: Floats, beta: Floats) -> Floats:
    """[readings, 4] mean and variance of engagement, and of the account's own level, where y is NaN.

    Each rests on the account's readings before it. `beta` [cells, columns] is the effect of each column.
    """
    cells, columns = beta.shape
    found = np.full((len(data.at), len(ESTIMATES)), np.nan)
    sums = np.zeros((cells, columns, columns)), np.zeros(cells), np.zeros(cells)
    _run(data, (0, len(data.cell)), theta, weights, beta, sums, found)
    return found


def _parts(data: Readings) -> list[tuple[int, int]]:
    """Two halves of the accounts where there is enough to do; always the same, so that sums are too."""
    accounts = len(data.cell)
    parts = 2 if len(data.at) > 20_000 and (os.cpu_count() or 1) > 1 else 1
    edges = [accounts * i // parts for i in range(parts + 1)]
    return list(pairwise(edges))


def _run(
    data: Readings, part: tuple[int, int], theta: Theta, weights: Floats, beta: Floats, out: Any, found: Any
) -> None:
    columns, effects = beta.shape[1], len(weights)
    work = np.zeros((4, columns)), np.zeros((columns, columns)), np.zeros((effects, columns + effects + 1))
    _sweep(
        part,
        data.cell,
        (data.start, data.first_value, data.target),
        (data.at, data.y, data.reading_from),
        (data.impulse_at, data.impulse_kind, data.impulse_size, data.impulse_doubt),
        data.impulse_from,
        (theta.drift, theta.noise, theta.error),
        np.ascontiguousarray(weights, float),
        np.array(theta.spread, float),
        np.array(theta.jumps or (0.0,) * len(data.kinds), float),
        np.ascontiguousarray(beta),
        work,
        out,
        found,
    )


@inner
def _followed(value: float, rest: float, drift: float, days: float) -> float:
    return rest + (value - rest) * math.exp(-drift * days)


@inner
def _ttv_path(q: float, now: float, until: float, start: float, first_value: float, target: float, drift: float) -> Any:
    """The followed log of time to value over target; before first value of the elapsed time, once over target."""
    if math.isnan(first_value):
        return 0.0
    while now < until:
        due = start + target
        if now < min(first_value, due):
            ahead, late = min(first_value, due, until), 0.0
        elif now < first_value:  # in steps of a month at most, each with the lateness of its middle
            ahead = min(now + MONTH_DAYS, first_value, until)
            late = math.log((0.5 * (now + ahead) - start) / target)
        else:
            ahead = until
            late = math.log(max(first_value - start, 0.5) / target)
        q = _followed(q, late, drift, ahead - now)
        now = ahead
    return q


@inner
def _persistent(sums: Any, weights: Any, spread: Any, joint: Any) -> float:
    """Weights x sums in the first columns, then the Cholesky factor of the precision of b; gives log determinant."""
    effects, columns = weights.shape
    for r in range(effects):
        for c in range(columns):
            total = 0.0
            for k in range(columns):
                total += weights[r, k] * (sums[k, c] if k <= c else sums[c, k])
            joint[r, c] = total
    log_determinant = 0.0
    for r in range(effects):
        for s in range(r + 1):
            total = 0.0
            for c in range(columns):
                total += joint[r, c] * weights[s, c]
            if r == s:
                total += 1.0 / (spread[r] * spread[r])
            for k in range(s):
                total -= joint[r, columns + k] * joint[s, columns + k]
            if r == s:
                joint[r, columns + r] = math.sqrt(total)
                log_determinant += 2.0 * math.log(joint[r, columns + r] * spread[r])
            else:
                joint[r, columns + s] = total / joint[s, columns + s]
    return log_determinant


@inner
def _solved_forward(joint: Any, columns: int, at: int) -> None:
    """Column `at` of the work table, divided by the Cholesky factor."""
    for r in range(joint.shape[0]):
        total = joint[r, at]
        for k in range(r):
            total -= joint[r, columns + k] * joint[k, at]
        joint[r, at] = total / joint[r, columns + r]


@inner
def _estimate(found: Any, row: int, own: Any, beta: Any, variance: float, weights: Any, joint: Any) -> None:
    """Engagement now: the known path, what the filter follows, and b given the sums so far (joint as factored)."""
    effects, columns = weights.shape
    last = columns + effects
    path, state = own[0], own[1]
    mean = state[Y]
    for c in range(1, columns):
        mean += beta[c] * (path[c] - state[c])
    for c in range(columns):  # right-hand sides, each divided by the factor
        _solved_forward(joint, columns, c)
    total, persistent, persistent_variance = 0.0, 0.0, 0.0
    for what in range(2):
        for r in range(effects):
            joint[r, last] = 0.0
            for c in range(1, columns):
                joint[r, last] += weights[r, c] * (path[c] - state[c]) if what == 0 else 0.0
        if what == 1:
            joint[0, last] = 1.0
        _solved_forward(joint, columns, last)
        effect, spread = 0.0, 0.0
        for r in range(effects):
            rest = joint[r, Y]
            for c in range(1, columns):
                rest -= beta[c] * joint[r, c]
            effect += joint[r, last] * rest
            spread += joint[r, last] * joint[r, last]
        if what == 0:
            mean += effect
            total = variance + spread
        else:
            persistent, persistent_variance = effect, spread
    found[row, 0], found[row, 1], found[row, 2], found[row, 3] = mean, total, persistent, persistent_variance


@inner
def _advance(
    i: int,
    days: float,
    until: float,
    start: Any,
    first_value: Any,
    target: Any,
    impulse: Any,
    impulse_from: Any,
    next_impulse: int,
    drift: float,
    jumps: Any,
    own: Any,
) -> int:
    """Paths and filter of account i brought forward by some days; gives the first impulse that is still to come.

    The variance that came with the impulses is left in own[3, 0].
    """
    path, state = own[0], own[1]
    own[3, 0] = 0.0
    columns = path.shape[0]
    fall = math.exp(-drift * days)
    for c in range(columns):
        state[c] *= fall
    for c in range(FIRST_KIND, columns):
        path[c] *= fall
    path[HELD] = -math.expm1(-drift * (until - start[i]))
    path[TTV] = _ttv_path(path[TTV], until - days, until, start[i], first_value[i], target[i], drift)
    impulse_at, impulse_kind, impulse_size, impulse_doubt = impulse
    while next_impulse < impulse_from[i + 1] and impulse_at[next_impulse] < until:
        if impulse_at[next_impulse] >= start[i]:
            past = math.exp(-drift * (until - impulse_at[next_impulse]))
            path[FIRST_KIND + impulse_kind[next_impulse]] += impulse_size[next_impulse] * past
            own[3, 0] += jumps[impulse_kind[next_impulse]] * impulse_doubt[next_impulse] * past**2
        next_impulse += 1
    return next_impulse


@inner
def _take_in(y: float, variance: float, error: float, own: Any, sums: Any) -> float:
    """One reading: the innovations of all columns enter the sums and move the filter; gives the innovation variance."""
    path, state, innovation = own[0], own[1], own[2]
    columns = path.shape[0]
    total = variance + error * error
    path[Y] = y
    for c in range(columns):
        innovation[c] = path[c] - state[c]
    path[Y] = 0.0
    for c in range(columns):
        share = innovation[c] / total
        for k in range(c, columns):
            sums[c, k] += share * innovation[k]
        state[c] += variance * share
    return total


@inner
def _add_account(cell: int, logs: float, weights: Any, spread: Any, sums: Any, joint: Any, out: Any) -> None:
    """The sums of one account, its persistent effects integrated out, added to those of its cell."""
    products, log_determinant, _ = out
    effects, columns = weights.shape
    log_determinant[cell] += logs + _persistent(sums, weights, spread, joint)
    for c in range(columns):
        _solved_forward(joint, columns, c)
    for c in range(columns):
        for k in range(c, columns):
            total = sums[c, k]
            for r in range(effects):
                total -= joint[r, c] * joint[r, k]
            products[cell, c, k] += total


@rule
def _sweep(
    part: Any,
    cell: Any,
    accounts: Any,
    readings: Any,
    impulse: Any,
    impulse_from: Any,
    theta: Any,
    weights: Any,
    spread: Any,
    jumps: Any,
    beta: Any,
    work: Any,
    out: Any,
    found: Any,
) -> None:
    """All readings of a part of the accounts, in order; see `moments` and `estimates`."""
    start, first_value, target = accounts
    at, y, reading_from = readings
    drift, noise, error = theta
    own, sums, joint = work
    monthly = -math.expm1(-2.0 * drift * MONTH_DAYS)
    for i in range(part[0], part[1]):
        now, variance, logs, n_read = start[i], 0.0, 0.0, 0
        next_impulse = impulse_from[i]
        own[:] = 0.0
        sums[:] = 0.0
        own[0, ONE] = 1.0
        for row in range(reading_from[i], reading_from[i + 1]):
            days = at[row] - now
            now = at[row]
            next_impulse = _advance(
                i, days, now, start, first_value, target, impulse, impulse_from, next_impulse, drift, jumps, own
            )
            # One noise at each monthly review, for any number of days.
            fall = math.exp(-2.0 * drift * days)
            variance = variance * fall + noise * noise * (1.0 - fall) / monthly + own[3, 0]
            if math.isnan(y[row]):
                _persistent(sums, weights, spread, joint)
                _estimate(found, row, own, beta[cell[i]], variance, weights, joint)
                continue
            total = _take_in(y[row], variance, error, own, sums)
            variance *= error * error / total
            logs += math.log(total)
            n_read += 1
        if n_read > 0:
            _add_account(cell[i], logs, weights, spread, sums, joint, out)
            out[2][cell[i]] += n_read
