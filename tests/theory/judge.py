"""One level for the whole folder: a figure's 95 % interval holds the exact answer in at least 18 of 20 seeds.

Were every interval exact, 18 of 20 would hold in 92 % of all figures; so the seeds are fixed, and a second look
pools them: the mean over all seeds lies within 4 standard errors of the answer.
"""

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SEEDS = tuple(range(1, 21))
LEAST = 18
LEVEL = 0.95
POOLED_Z = 4.0


@cache
def truth() -> dict[str, dict[str, float]]:
    """Exact answers of `truth.csv` by case and metric; those of Q20 by metric and settings."""
    answers: dict[str, dict[str, float]] = {}
    with (Path(__file__).parent / "truth.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            metric = f"{row['metric'].split()[0]};{row['params']}" if row["case"] == "Q20" else row["metric"]
            answers.setdefault(row["case"], {})[metric] = float(row["value"])
    return answers


def judge(parts: Sequence[NDArray[np.float64]], exact: float) -> str:
    """What is wrong with a figure known by independent parts (batches, runs) in each seed; empty when it agrees."""
    means = np.array([part.mean() for part in parts])
    errors = np.array([part.std(ddof=1) / np.sqrt(len(part)) for part in parts])
    width = np.array([stats.t.ppf((1 + LEVEL) / 2, len(part) - 1) for part in parts]) * errors
    inside = int((np.abs(means - exact) <= width).sum())
    z = (means.mean() - exact) / (np.sqrt((errors**2).sum()) / len(parts))
    said = f"exact {exact:.5g}, simulated {means.mean():.5g}, {inside} of {len(parts)} seeds inside, pooled z {z:.1f}"
    return said if inside < LEAST or abs(z) > POOLED_Z else ""
