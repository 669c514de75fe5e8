"""Would the fitted rates make a book like this one? New business by month, as finance would count it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from subsim.calibrate import rates_data
from subsim.calibrate.block import BlockData, Frame
from subsim.calibrate.diagnose import Check, predictive_check
from subsim.calibrate.priors import Key
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]
WORLDS = 200


def checks(data: BlockData, draws: Mapping[Key, Floats], frame: Frame, seed: int) -> list[Check]:
    """New logos in all, in the best month, and segment-months without any; none where the book has no months."""
    cells = data.cells
    count = cells["month_count"]
    if not len(count):
        return []
    flat = {key: values.reshape(-1) for key, values in draws.items()}
    chosen = np.linspace(0, len(flat["arrival.dispersion", ()]) - 1, WORLDS).astype(int)
    keys = rates_data.log_keys(frame)
    levels = np.stack([flat[key] for key in keys], axis=1)[chosen]
    season = np.stack([flat["arrival.season", (name,)] for name in frame.month], axis=1)[chosen]
    log_mean = np.log(levels[:, cells["month_at"]]) + season[:, cells["month_of"]]
    mean = np.exp(log_mean + flat["arrival.trend", ()][chosen][:, None] * cells["month_years"])
    shape = flat["arrival.dispersion", ()][chosen][:, None]
    entity = name_entity("calibrate/rates/predict")
    u = uniform_array(seed, np.arange(WORLDS)[:, None], Purpose.PARAMETER, entity, np.arange(len(count)))
    made = stats.nbinom.ppf(u, shape, shape / (shape + mean))
    months = np.unique(cells["month_years"], return_inverse=True)[1]
    by_month = np.zeros((WORLDS + 1, months.max() + 1))
    for world, row in enumerate([count, *made]):
        by_month[world] = np.bincount(months, weights=row)
    empty = np.concatenate([[np.sum(count == 0)], (made == 0).sum(axis=1)])
    return [
        predictive_check("new logos", float(by_month[0].sum()), by_month[1:].sum(axis=1)),
        predictive_check("new logos of the best month", float(by_month[0].max()), by_month[1:].max(axis=1)),
        predictive_check("segment-months without a new logo", float(empty[0]), empty[1:].astype(float)),
    ]
