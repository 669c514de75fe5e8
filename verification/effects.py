"""Effects of touches: none claimed where there is none, and what a pilot teaches holds the truth.

Companies whose touches do nothing are calibrated from what happened to be done for whom; then companies that ran a
pilot, some with a touch that helps, some with one that does nothing and some with one that harms.

    python -m verification.effects run effects.jsonl --first 1 --last 20     (resumes)
    python -m verification.effects page effects.jsonl                        (writes effects.md)
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import subsim as ss
from subsim.book import Book
from subsim.calibrate import Posterior, calibrate
from subsim.calibrate.engagement import Engagement
from subsim.experiment.demo import AS_OF, NO_LIFT, make_demo
from subsim.experiment.pilot import make_pilot
from verification.command import command
from verification.recovery import LEVELS

HERE = Path(__file__).resolve().parent
TOUCH = "business_review"
LIFT = ("work.lift", (TOUCH,))
TRUE_LIFTS = (0.0, 0.25, 0.5, -0.25)  # one after the other


def book_of(tables: dict[str, pd.DataFrame]) -> Book:
    """Tables read as a book."""
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            table.to_csv(Path(folder) / f"{name}.csv", index=False)
        return ss.read_book(folder, as_of=AS_OF)


def engagement_of(tables: dict[str, pd.DataFrame]) -> Posterior:
    """What the engagement block learns from a book."""
    return calibrate(book_of(tables), only=[Engagement()])


def one(seed: int) -> dict[str, Any]:
    """Claims of a company whose touches do nothing; the interval of a pilot's effect, and its prior's."""
    nothing = engagement_of(make_demo(seed, NO_LIFT, months=36, size=0.4))
    lifts = [row for row in nothing.rows if row["name"] == "work.lift" and row["posterior"]]
    shown = [row for row in nothing.associations if row["name"] == "association.lift"]
    true = TRUE_LIFTS[seed % len(TRUE_LIFTS)]
    pilot = engagement_of(make_pilot(seed, {("work.lift", f"work={TOUCH}"): true}))
    low, middle, high = np.quantile(pilot.draws[LIFT], LEVELS).tolist()
    return {
        "seed": seed,
        "lifts": len(lifts),
        "claims": sum(row["verdict"] == "learned" for row in lifts),
        "associations": len(shown),
        "apart_from_zero": sum(row["q05"] > 0 or row["q95"] < 0 for row in shown),
        "true": true,
        "q05": low,
        "q50": middle,
        "q95": high,
        "prior_sd": pilot.priors[LIFT].sd,
        "sd": float(pilot.draws[LIFT].std()),
        "learned": LIFT not in pilot.silent and pilot.events.get(LIFT, 0) > 0,
    }


def page(results: Path) -> None:
    """Write `effects.md`."""
    rows = pd.DataFrame([json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()])
    rows = rows.sort_values("seed")
    held = (rows["q05"] <= rows["true"]) & (rows["true"] <= rows["q95"])
    none = rows[rows["true"] == 0]
    lines = [
        (HERE / "effects_text.md").read_text(encoding="utf-8").rstrip(),
        "",
        f"- touches that do nothing: {rows['claims'].sum()} of {rows['lifts'].sum()} lifts claimed as learned in "
        f"{len(rows)} companies; {rows['apart_from_zero'].sum()} of {rows['associations'].sum()} associations have a "
        "90 % interval without 0, which is why they are not used",
        f"- pilots: the 90 % interval holds the true lift in {held.sum()} of {len(rows)}; in "
        f"{int(held[none.index].sum())} of the {len(none)} whose touch does nothing",
        f"- mean error of the middle {(rows['q50'] - rows['true']).mean():+.3f}; standard deviation of the lift "
        f"{rows['sd'].mean():.3f} after the pilot, {rows['prior_sd'].mean():.3f} before",
        "",
        "| company | true lift | 5 % | 50 % | 95 % | held |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for row, inside in zip(rows.to_dict("records"), held, strict=True):
        numbers = " | ".join(f"{row[name]:.2f}" for name in ("true", "q05", "q50", "q95"))
        lines.append(f"| {row['seed']} | {numbers} | {'yes' if inside else 'NO'} |")
    (HERE / "effects.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    command(__doc__, {"run": one}, page)
