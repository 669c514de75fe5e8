"""Learned versus assumed: for every number the prior, the posterior, and how much of it came from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.calibrate.company import described
from subsim.calibrate.diagnose import sensitivity
from subsim.calibrate.priors import Key, Prior

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
WEAK = 0.2  # share of information from data under which a number reads "prior, not data"
LEVELS = (0.05, 0.5, 0.95)
NAMES = ("q05", "q50", "q95")
CELLS = ("segment", "tier", "work", "team", "month")


def contraction(own: Prior, draws: Floats) -> float:
    """Share of the prior's variance that the data removed, 1 - var_post / var_prior; below 0 where they widened it."""
    scaled = own.family == "lognormal"  # ratios: compare on the scale on which the prior is symmetric
    prior_sd = own.spread if scaled else own.sd
    if prior_sd == 0:
        return 0.0
    values = np.log(np.maximum(draws, 1e-300)) if scaled else draws
    return 1 - float(values.var()) / prior_sd**2


def learned_row(key: Key, own: Prior, draws: Floats | None, rows: int) -> dict[str, Any]:
    """One row of the table; `draws` is None for a number about which nothing was fitted."""
    row = described(key[0])
    share = None if draws is None else contraction(own, draws)
    prior = own.quantile(np.array(LEVELS))
    after = None if draws is None else np.quantile(draws, LEVELS)
    return {
        "name": key[0],
        **{name: (key[1][0] if key[1] and row.by == (name,) else None) for name in CELLS},
        "unit": row.unit,
        "label": row.label,
        "source": own.source,
        "grade": own.grade,
        "rows": rows,
        "prior": dict(zip(NAMES, prior.tolist(), strict=True)),
        "posterior": None if after is None else dict(zip(NAMES, after.tolist(), strict=True)),
        "contraction": share,
        "sensitivity": None if draws is None else sensitivity(own, draws),
        "verdict": verdict(row.label, share),
    }


def verdict(label: str, share: float | None) -> str:
    """learned; prior, not data; or assumed."""
    if share is not None and share >= WEAK:
        return "learned"
    return "assumed" if label == "assumed" else "prior, not data"


def table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows as a flat table: quantiles in columns prior_q05 to posterior_q95, NaN where there is no posterior."""
    flat = []
    for row in rows:
        after = row["posterior"] or dict.fromkeys(NAMES, np.nan)
        plain = {name: value for name, value in row.items() if name not in ("prior", "posterior")}
        ahead = {f"prior_{name}": row["prior"][name] for name in NAMES}
        flat.append(plain | ahead | {f"posterior_{name}": after[name] for name in NAMES})
    return pd.DataFrame(flat)


_RED, _BLUE, _GREY = "#b3261e", "#1f5fa8", "#9a9a9a"


def figure(rows: Sequence[Mapping[str, Any]], title: str = "Learned and assumed") -> Figure:
    """One line a number: its prior band in grey, its posterior blue where data taught it and red where they did not.

    Each line has its own scale, the prior's 90 % band; posteriors far outside are marked at the edge.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that only this needs

    count = max(len(rows), 1)
    made = Figure(figsize=(9.0, 1.4 + 0.2 * count), layout="constrained")
    left, right = made.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    for at, row in enumerate(rows):
        low, mid, high = _scaled(row, "prior")
        colour = _BLUE if row["verdict"] == "learned" else _RED
        left.plot([low, high], [at, at], color=_GREY, linewidth=5, alpha=0.35, solid_capstyle="butt")
        after = _scaled(row, "posterior") if row["posterior"] else (low, mid, high)
        left.plot([after[0], after[2]], [at, at], color=colour, linewidth=2)
        left.plot([after[1]], [at], "o", color=colour, markersize=3.5)
        right.barh(at, max(row["contraction"] or 0.0, 0.0), color=colour, height=0.6)
    left.set_yticks(range(len(rows)), [_name(row) for row in rows], fontsize=7)
    left.set_ylim(len(rows) - 0.5, -0.5)
    left.set_xlim(-2.2, 2.2)
    left.set_xticks([-1, 0, 1], ["prior 5 %", "prior median", "prior 95 %"], fontsize=7)
    made.suptitle(
        f"{title}: grey prior, blue learned from the book, red prior or judgement", fontsize=9, x=0.02, ha="left"
    )
    right.axvline(WEAK, color=_GREY, linewidth=0.8, linestyle=":")
    right.set_xlim(0, 1)
    right.tick_params(axis="x", labelsize=7)
    right.set_xlabel("from data", fontsize=7)
    for axes in (left, right):
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return made


def _name(row: Mapping[str, Any]) -> str:
    cell = next((row[name] for name in CELLS if row[name]), "")
    return f"{row['name']}  {cell}".rstrip()


def _scaled(row: Mapping[str, Any], which: str) -> tuple[float, float, float]:
    """Quantiles on the row's own scale: the prior's 5 %, 50 % and 95 % at -1, 0 and 1, joined by straight lines."""
    low, mid, high = (row["prior"][name] for name in NAMES)
    values = [row[which][name] for name in NAMES]
    if not low < mid < high:
        return (0.0, 0.0, 0.0)
    placed = [(value - mid) / ((high - mid) if value > mid else (mid - low)) for value in values]
    first, middle, last = (float(np.clip(place, -2.1, 2.1)) for place in placed)
    return first, middle, last
