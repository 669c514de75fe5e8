"""From signature to first value and to the first renewal: what single customers went through, from traces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from subsim.engine import Setup
from subsim.engine import events as ev
from subsim.engine.run import run_traced
from subsim.experiment.metrics import ALL, MINUTES_PER_DAY
from subsim.experiment.processors import processors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: What is read of a draw, each by segment and over all: unit and definition.
MEASURES: Final[dict[str, tuple[str, str]]] = {
    "ttv_mean": ("days", "mean days from signature to first value; who has none by the limit counts as the limit"),
    "ttv_median": ("days", "median days from signature to first value"),
    "reached": ("ratio", "share of new customers with first value within the limit"),
    "first_renewals": ("ratio", "share of new customers' first renewals that were won; who left before counts as lost"),
    "other_renewals": ("ratio", "share of all other renewals that were won"),
    "customers": ("count", "new customers that were followed"),
}
_READ: Final = (ev.L_NEW, ev.FIRST_VALUE, ev.L_RENEWED, ev.L_CHURN)


def journeys(
    setup: Setup, *, seed: int, draws: int, since: int, until: int, limit_days: float, workers: int | None = None
) -> dict[str, Floats]:
    """Measures of the first `draws` draws of a set-up, each array [draws, segments + 1]; the last column is all.

    Followed are customers that sign from minute `since` on and before `until`, each for `limit_days`; all have to be
    seen for so long, so that nothing is cut off. The renewals are those from `since` to the end.
    """

    def one(draw: int) -> Floats:
        log, state = run_traced(setup, seed=seed, draw=draw)
        segment = np.asarray(state.accounts.segment[: int(log["who"].max(initial=-1)) + 1], dtype=np.int64)
        return read(log, segment, len(setup.segment_names), since, until, limit_days)

    with ThreadPoolExecutor(workers or processors()) as pool:
        rows = list(pool.map(one, range(draws)))
    return {name: np.stack([row[i] for row in rows]) for i, name in enumerate(MEASURES)}


def groups_of(setup: Setup) -> tuple[str, ...]:
    """What the columns of `journeys` stand for."""
    return (*setup.segment_names, ALL)


def read(log: Any, segment: Ints, segments: int, since: int, until: int, limit_days: float) -> Floats:
    """Measures of one trace as array [measures, segments + 1]; NaN where nobody is counted.

    `log` has the fields minute, code and who (`subsim.engine.state.LOG`); `segment` is each account's.
    """
    log = log[np.isin(log["code"], _READ)]
    code, who, minute = log["code"], log["who"].astype(np.int64), log["minute"].astype(np.int64)
    signed, value, left = (_first(who, minute, code == one) for one in (ev.L_NEW, ev.FIRST_VALUE, ev.L_CHURN))
    signed, value, left = (_padded(times, len(segment)) for times in (signed, value, left))
    followed = (signed >= since) & (signed < until)
    limit = limit_days * MINUTES_PER_DAY
    took = np.full(len(segment), np.inf)  # who left and came back did not get there in this life
    np.subtract(value, signed, out=took, where=(value < left) & (signed < np.inf))
    days = np.minimum(took, limit) / MINUTES_PER_DAY
    decided = np.isin(code, (ev.L_RENEWED, ev.L_CHURN)) & (minute >= since)
    won = code == ev.L_RENEWED
    is_first = decided & _is_first(who, decided) & (signed[who] >= since) & (signed[who] < np.inf)
    out = np.full((len(MEASURES), segments + 1), np.nan)
    for group in range(segments + 1):
        chosen = segment >= 0 if group == segments else segment == group
        some = days[followed & chosen]
        first, others = won[is_first & chosen[who]], won[decided & ~is_first & chosen[who]]
        out[-1, group] = len(some)
        if len(some):
            out[:3, group] = some.mean(), np.median(some), (took[followed & chosen] <= limit).mean()
        out[3, group], out[4, group] = (x.mean() if len(x) else np.nan for x in (first, others))
    return out


def _first(who: Ints, minute: Ints, chosen: npt.NDArray[np.bool_]) -> Floats:
    """Minute of each account's first such line, by account; infinite where it has none."""
    times = np.full(int(who.max(initial=-1)) + 1, np.inf)
    np.minimum.at(times, who[chosen], minute[chosen].astype(np.float64))
    return times


def _padded(times: Floats, length: int) -> Floats:
    return np.concatenate([times, np.full(max(0, length - len(times)), np.inf)])[:length]


def _is_first(who: Ints, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether a line is the first chosen one of its account; lines are in the order of time."""
    places = np.flatnonzero(chosen)
    _, first = np.unique(who[places], return_index=True)
    out = np.zeros(len(who), dtype=bool)
    out[places[first]] = True
    return out
