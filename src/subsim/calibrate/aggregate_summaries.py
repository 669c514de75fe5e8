"""What a monthly bridge of one segment looks like in a few numbers; the same for a book and for simulated histories."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLOWS: Final = ("new", "expansion", "contraction", "churn")
_EACH: Final = ("level", "unevenness", "months without", "largest month", "movement within the history", "last quarter")
NAMES: Final = (
    *(f"{flow}: {what}" for flow in FLOWS for what in _EACH),
    "growth of ARR",
    "unevenness of ARR's growth",
)
RATES: Final = frozenset(f"{flow}: level" for flow in FLOWS[1:])  # logarithms of flow by ARR a month
LEVELS: Final = RATES | {"new: level", "growth of ARR"}
_TINY_RATE = 1e-4  # of opening ARR a month: a flow below it counts as none
_SMALL = 0.02


def opening_cents(flows: Floats, first: Floats) -> Floats:
    """ARR with which each month opens, (runs, months), from flows (runs, months, 4) and the first opening."""
    change = flows[..., 0] + flows[..., 1] - flows[..., 2] - flows[..., 3]
    return np.asarray(np.asarray(first)[..., None] + np.cumsum(change, axis=-1) - change)


def summaries(flows: Floats, first: float, scale: float) -> Floats:
    """Logarithms of levels and of spreads, shares of months, and how early differs from late: (runs, summaries).

    Args:
        flows: cents, (runs, months, new, expansion, contraction and churn); what came back is part of new.
        first: ARR with which the first month opens, cents.
        scale: cents a month that new business is measured in; losses and expansion are measured in ARR.
    """
    opening = opening_cents(flows, np.full(len(flows), first))
    base = np.maximum(opening, 0).mean(axis=1) + scale
    columns: list[Floats] = []
    for number, name in enumerate(FLOWS):
        flow = flows[..., number]
        unit = np.full_like(base, scale) if name == "new" else base * _TINY_RATE
        columns += _of_flow(flow, np.maximum(opening, 0) + scale, unit, is_new=name == "new")
    last = opening[:, -1] + flows[:, -1, 0] + flows[:, -1, 1] - flows[:, -1, 2] - flows[:, -1, 3]
    net = np.diff(np.column_stack([opening, last]), axis=1) / base[:, None]
    columns += [np.log(np.maximum(last, scale) / base), np.log(net.std(axis=1) + 1e-3)]
    return np.column_stack(columns)


def _of_flow(flow: Floats, opening: Floats, unit: Floats, *, is_new: bool) -> list[Floats]:
    """The summaries `_EACH` of one flow; all but new business are held against the ARR that could flow."""
    mean = flow.mean(axis=1)
    per_arr = flow if is_new else flow / opening
    average = np.maximum(per_arr.mean(axis=1), 1e-300)
    ratio = per_arr / average[:, None]
    # Neighbouring months are compared, so that growth and the waves of renewals do not count as unevenness.
    uneven = np.sqrt(0.5 * (np.diff(ratio, axis=1) ** 2).mean(axis=1))
    level = np.log(mean / unit + _SMALL) if is_new else np.log(flow.sum(axis=1) / opening.sum(axis=1) + _TINY_RATE)
    half = flow.shape[1] // 2
    early, late = ratio[:, :half].mean(axis=1), ratio[:, half:].mean(axis=1)
    return [
        level,
        np.log(uneven + _SMALL),
        (flow <= 0).mean(axis=1),
        np.log(ratio.max(axis=1) + _SMALL),
        np.log((late + 0.1) / (early + 0.1)),
        np.log(ratio[:, -3:].mean(axis=1) + 0.1),
    ]
