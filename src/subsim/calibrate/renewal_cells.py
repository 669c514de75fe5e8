"""Paths of renewal decisions grouped into cells: accounts whose paths read alike count as one.

Within a cell numbers are means; the spread of engagement that banding hides goes into its variance where that is right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.calibrate.renewal_paths import ALIVE, CONTROLLED, LOST, UNCONTROLLED, YEAR_MONTHS

Array = NDArray[Any]

BANDS, PAST_BANDS = 8, 4  # of engagement at the last decision and before
LONG = np.array([6, 8, 10, 12, 15, 18, 24, 30, 36, 48, 60, 84, 120])  # above six decisions, numbers are banded
SHARES = 3.0  # shares of past decisions go in thirds
MEANS = ("k", "entry", "price", "u", "uv", "e", "v", "onb", "sp", "prep")
PAST_MEANS = ("past_e", "past_v", "past_onb", "past_sp", "past_prep")
OUTCOMES = {"alive": ALIVE, "lost": LOST, "uncontrolled": UNCONTROLLED, "controlled": CONTROLLED}

#: Of a contraction: a fall of price and size by less is a concession on the price.
CONCESSION = 0.06


def cells(table: pd.DataFrame, segments: tuple[str, ...]) -> dict[str, Array]:
    """Cells of some paths: means by name, `n` accounts each, `segment` as a place in `segments`."""
    if table.empty:
        names = ("n", "years", *MEANS, *PAST_MEANS, "monthly", "multi", *OUTCOMES)
        return {"segment": np.zeros(0, np.int64)} | {name: np.zeros(0) for name in names}
    table = table.assign(segment=pd.Index(segments).get_indexer(pd.Index(table["segment"])))
    keys = pd.DataFrame(
        {
            "segment": table["segment"],
            "months": table["months"],
            "outcome": table["outcome"],
            "k": _number(table["k"]),
            "entry": _number(table["entry"]),
            "e": _band(table["e"], BANDS),
            "onb": table["onb"],
            "sp": table["sp"],
            "prep": table["prep"],
            "price": table["price"].round(2),
        }
    )
    later = (table["k"] > 1).to_numpy()
    keys["past_e"] = np.where(later, _band(table["past_e"], PAST_BANDS), 0)
    for name in ("past_onb", "past_sp", "past_prep"):
        keys[name] = np.where(later, np.rint(table[name] * SHARES), 0)
    cell = keys.groupby(list(keys.columns), sort=True).ngroup().to_numpy()
    group = table.groupby(cell)
    means = group[[*MEANS, *PAST_MEANS, "months"]].mean()
    hidden = group[["e", "past_e"]].var(ddof=0)
    one = keys.groupby(cell)[["segment", "outcome"]].first()
    months = means["months"].to_numpy()
    found: dict[str, Array] = {name: means[name].to_numpy(float) for name in (*MEANS, *PAST_MEANS)}
    # Those who stayed add up hazards, whose mean over a band rises with its spread; a loss adds a logarithm of one,
    # whose mean does not. Counting the spread there would reward large effects.
    stayed = (one["outcome"] == ALIVE).to_numpy()
    found["v"] = found["v"] + np.where(stayed, hidden["e"].to_numpy(float), 0.0)
    found["past_v"] = found["past_v"] + hidden["past_e"].to_numpy(float)
    found |= {"n": group.size().to_numpy(float), "years": months / YEAR_MONTHS}
    found |= {"monthly": (months < YEAR_MONTHS) * 1.0, "multi": (months > YEAR_MONTHS) * 1.0}
    found |= {name: (one["outcome"] == code).to_numpy(float) for name, code in OUTCOMES.items()}
    return {"segment": one["segment"].to_numpy(np.int64)} | found


def _number(values: pd.Series[float]) -> Array:
    """Numbers of decisions: exact up to six, banded above."""
    whole = values.to_numpy(float)
    return np.where(whole <= LONG[0], whole, LONG[0] + np.searchsorted(LONG, whole))


def _band(values: pd.Series[float], bands: int) -> Array:
    """Bands with about equally many rows; equal values share one."""
    edges = np.unique(np.quantile(values, np.arange(1, bands) / bands))
    return np.searchsorted(edges, values.to_numpy(float), side="right")


def contraction_cells(table: pd.DataFrame, segments: tuple[str, ...]) -> tuple[dict[str, Array], Array]:
    """Renewals by segment and band of engagement with how many of them contracted, and the shares that these kept.

    `table` has segment, change (new ARR over old, without the usual rise of price), e and total variance, of renewals.
    """
    empty = {"c_segment": np.zeros(0, np.int64)} | {name: np.zeros(0) for name in ("c_e", "c_v", "c_n", "c_y")}
    if table.empty:
        return empty, np.zeros(0)
    shrank = table["change"] < 1 - CONCESSION
    table = table.assign(segment=pd.Index(segments).get_indexer(pd.Index(table["segment"])), y=shrank * 1.0, n=1.0)
    group = table.groupby(["segment", _band(table["e"], BANDS)])
    sums = group[["y", "n"]].sum()
    found = {"c_segment": sums.index.get_level_values(0).to_numpy(np.int64)}
    found |= {"c_e": group["e"].mean().to_numpy(), "c_n": sums["n"].to_numpy(), "c_y": sums["y"].to_numpy()}
    found["c_v"] = (group["total"].mean() + group["e"].var(ddof=0)).to_numpy()
    return found, table.loc[shrank, "change"].to_numpy(float)
