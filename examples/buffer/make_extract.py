"""Write a small made-up file with the columns of the Buffer export, for when the real one is not at hand.

Nothing in it is data: intervals, starts and durations are drawn with rates of the real file's order of magnitude.

    python examples/buffer/make_extract.py OUT.csv
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from subsim.random import Purpose, uniform_array

FREEZE = np.datetime64("2021-06-30")
FIRST = np.datetime64("2020-01-01")
SEED = 20210630
#: Share of subscriptions by plan, and mean life in days: rounded from the real file.
SHARES = {"month": 0.69, "year": 0.30, "unknown": 0.01}
MEAN_LIFE = {"month": 270.0, "year": 900.0, "unknown": 60.0}


def extract(rows: int = 600) -> pd.DataFrame:
    """A table of `rows` subscriptions, the same on every call."""
    entity = np.arange(rows)
    start_draw, plan_draw, life_draw, paid_draw = (
        uniform_array(SEED, 0, Purpose.ARRIVAL_GAP, entity, np.full(rows, ordinal)) for ordinal in range(4)
    )
    days = (FREEZE - FIRST).astype(int) + 1
    start = FIRST + (start_draw * days).astype("timedelta64[D]")
    plans = np.array(list(SHARES))
    plan = plans[np.searchsorted(np.cumsum(list(SHARES.values()))[:-1], plan_draw)]
    life = np.floor(-np.log(life_draw) * np.array([MEAN_LIFE[name] for name in plan])).astype(int)
    known = (FREEZE - start).astype(int)
    life = np.where(plan == "unknown", np.minimum(life, known), life)
    ended = life <= known
    table = {
        "row": entity + 1,
        "start_month": start.astype("datetime64[M]").astype(str),
        "start_day_of_month": (start - start.astype("datetime64[M]").astype("datetime64[D]")).astype(int) + 1,
        "interval": plan,
        "signup_to_paid_days": np.floor(paid_draw * 200).astype(int),
        "ended_by_2021_06_30": ended.astype(int),
        "duration_days": np.where(ended, life, known),
    }
    counts = ("posts_30d", "failed_posts_30d", "payment_failures_30d", "connection_failures_30d", "tickets_30d")
    return pd.DataFrame(table | dict.fromkeys(counts, -1))


if __name__ == "__main__":
    extract().to_csv(Path(sys.argv[1]), index=False)
