"""Around a bridge: which numbers it is asked about, and between which values companies beside it are simulated.

New business is simulated around the ARR that the bridge shows, first ARR between what the sizes of the flows allow;
everything else comes from its prior. Numbers are held on a standard scale, the normal score of their quantile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from subsim.calibrate import importance
from subsim.calibrate.aggregate_data import Sums
from subsim.calibrate.aggregate_likelihood import Anchors
from subsim.calibrate.block import Frame
from subsim.calibrate.priors import Key, Prior, Priors, prior_draws
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]

OWN = (
    "arrival.plan",
    "value.first_arr",
    "value.first_arr_sd",
    "renewal.base",
    "renewal.frailty",
    "renewal.contraction",
    "renewal.uncontrollable",
    "contraction.rate",
    "expansion.rate",
    "onboarding.customer_delay",
)
SHARED = (
    "arrival.trend",
    "arrival.dispersion",
    "expansion.win",
    "expansion.share",
    "renewal.engagement",
    "engagement.ttv_effect",
)
#: Numbers that bind new business to the ARR that it brings: places in (*OWN, *SHARED).
ALWAYS = (0, 1, 2, len(OWN))
MOST_ACCOUNTS = 20_000  # of a segment, in a simulated history
LUMPS = 25.0  # how far unevenness may overstate the size of an account
LARGEST = 5.0  # first ARR of a middling account against the smallest month with new business
WIDEST = 2.0  # spread of the logarithm of first ARR; beyond it a few accounts are the company
NEW_SPREAD = 0.4  # of the logarithm of new business in the design, beside its counting error
_ONE_SD = np.array([-1.0, 0.0, 1.0])


@dataclass(frozen=True)
class Anchor:
    """Around what a segment is simulated: new business of the observed size, accounts of a possible one."""

    new_cents: float
    """New ARR a month."""
    spread: float
    edges: Floats
    """(own, 2), on the standard scale."""

    @classmethod
    def of(cls, sums: Sums, segment: int, priors: Priors, name: str) -> Anchor:
        """Of the segment with that place and name."""
        flows = sums.flows[:, segment].astype(float)
        own = priors["value.first_arr", (name,)]
        months_with = int((flows[:, 0] > 0).sum())
        floor = own.centre * 100 * 0.5 / sums.months
        new = max(float(flows[:, 0].mean()), floor)
        counting = float(np.sqrt(NEW_SPREAD**2 + 1 / max(months_with, 1)))
        return cls(new, counting, edges_of(sums, segment, own, priors["value.first_arr_sd", (name,)]))


def edges_of(sums: Sums, segment: int, value: Prior, spread: Prior) -> Floats:
    """Where numbers may lie: all within 3 sd; first ARR within what the sizes of the flows allow."""
    edges = np.tile([-3.0, 3.0], (len(OWN), 1))
    flows = sums.flows[:, segment].astype(float)
    lumps = [
        0.5 * float((np.diff(flow) ** 2).mean() / flow.mean()) for flow in (flows[:, 0], flows[:, 3]) if flow.sum() > 0
    ]
    low = min(lumps, default=0.0) / 100 / LUMPS
    largest = float(sums.levels(segment).max())
    low = max(low, largest / 100 / MOST_ACCOUNTS, 1e-9)
    positive = flows[flows[:, 0] > 0, 0]
    high = LARGEST * float(positive.min() if len(positive) else max(largest, 100.0)) / 100
    if not value.fixed and low < high:
        z = special.ndtri(np.clip(value.distribution().cdf([low, high]), 1e-12, 1 - 1e-12))
        # A prior that the flows contradict is kept, and its conflict shows in the summaries.
        if z[1] > -3 and z[0] < 3 and z[1] - z[0] > 0.2:
            edges[1] = np.clip(z, -3, 3)
    if not spread.fixed and spread.centre < WIDEST:
        edges[2, 1] = min(3.0, float(special.ndtri(spread.distribution().cdf(WIDEST))))
    edges[0] = [-2.5, 2.5]
    return edges


def designed(
    anchors: Sequence[Anchor], sums: Sums, priors: Priors, frame: Frame, runs: int, seed: int
) -> tuple[Floats, dict[Key, Floats]]:
    """Standard numbers (runs, segments, own and shared) and the values of all numbers that differ between runs."""
    size = len(OWN) + len(SHARED)
    x = np.zeros((runs, len(frame.segment), size))
    shared = np.column_stack([stratified((name, ()), runs, seed, -3, 3) for name in SHARED])
    for i, (segment, anchor) in enumerate(zip(frame.segment, anchors, strict=True)):
        for k, name in enumerate(OWN):
            x[:, i, k] = stratified((name, (segment,)), runs, seed, *anchor.edges[k])
        x[:, i, len(OWN) :] = shared
    known = {*((name, (segment,)) for name in OWN for segment in frame.segment), *((name, ()) for name in SHARED)}
    nuisance = {
        key: prior_draws(key, own, chains=1, draws=runs, seed=seed)[0]
        for key, own in priors.items()
        if key not in known and not own.fixed
    }
    ours = to_values(x[None, :, :, : len(OWN)], x[None, :, 0, len(OWN) :], anchors, sums, priors, frame)
    return x, nuisance | {key: value[0] for key, value in ours.items()}


def stratified(key: Key, runs: int, seed: int, low: float, high: float) -> Floats:
    """Standard normal values between two, one in each of so many slices, in keyed order."""
    entity = name_entity("calibrate/bridge/" + "|".join((key[0], *key[1])))
    u = uniform_array(seed, np.arange(runs), Purpose.PARAMETER, entity, 0)
    order = np.argsort(uniform_array(seed, np.arange(runs), Purpose.PARAMETER, entity, 1), kind="stable")
    below, above = special.ndtr(low), special.ndtr(high)
    return np.asarray(special.ndtri(below + (above - below) * (order + u) / runs))


def to_values(
    z: Floats, q: Floats, anchors: Sequence[Anchor], sums: Sums, priors: Priors, frame: Frame
) -> dict[Key, Floats]:
    """Numbers in the catalogue's units, from standard ones (chains, draws, segments, own) and (chains, draws, shared).

    The level of new business follows from the new ARR, first ARR and the trend; see `Anchors`.
    """
    found: dict[Key, Floats] = {
        (name, ()): importance.of_prior(priors[name, ()], q[..., k]) for k, name in enumerate(SHARED)
    }
    for i, segment in enumerate(frame.segment):
        for k, name in enumerate(OWN[1:], start=1):
            key = (name, (segment,))
            found[key] = importance.of_prior(priors[key], z[..., i, k])
        value, spread = found["value.first_arr", (segment,)], found["value.first_arr_sd", (segment,)]
        level = np.log(anchors[i].new_cents / 100) + anchors[i].spread * z[..., i, 0]
        trend = found["arrival.trend", ()] * sums.months / 24
        plan = priors["arrival.plan", (segment,)]
        found["arrival.plan", (segment,)] = np.clip(
            np.exp(level - np.log(value) - spread**2 / 2 + trend), plan.low, plan.high
        )
    return found


def anchors_of(anchors: Sequence[Anchor], sums: Sums, priors: Priors, frame: Frame) -> Anchors:
    """What ties new business together, for the likelihood."""
    names = [(name,) for name in frame.segment]
    trend = importance.of_prior(priors["arrival.trend", ()], _ONE_SD)
    return Anchors(
        level=np.array([np.log(anchor.new_cents / 100) for anchor in anchors]),
        spread=np.array([anchor.spread for anchor in anchors]),
        half_years=sums.months / 24,
        log_value=np.stack([_log_normal(priors["value.first_arr", name]) for name in names]),
        log_value_sd=np.stack([_log_normal(priors["value.first_arr_sd", name]) for name in names]),
        trend=np.array([trend[1], (trend[2] - trend[0]) / 2]),
        log_plan=np.stack([_log_normal(priors["arrival.plan", name]) for name in names]),
    )


def _log_normal(own: Prior) -> Floats:
    """Mean and sd of the logarithm, by the quantiles one sd from the middle; exact for a lognormal."""
    low, middle, high = np.log(np.maximum(importance.of_prior(own, _ONE_SD), 1e-12))
    return np.array([middle, max((high - low) / 2, 1e-3)])
