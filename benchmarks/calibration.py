"""Calibrate companies of ACCOUNTS accounts over three years and print times, effective draws and peak memory as JSON.

Call: calibration.py [ACCOUNTS ...], 10,000 and 100,000 if none are given. Seconds by the clock depend on what else the
machine does; `cpu` seconds, of all threads together, hardly do. A large company is several simulated ones side by side,
each with its own luck; making it is not part of the time. Every size runs in a process of its own, so that the peak is
its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from subsim.book import read_book
from subsim.calibrate import calibrate
from subsim.experiment.demo import AS_OF, make_demo

PART = 5_000  # accounts of one simulated company
DEMO_ACCOUNTS = 540  # of a company of size 1 over three years
MONTHS = 36
SIZES = ("10000", "100000")
WITH_IDS = ("account_id", "seat_id", "owner_id")
Times = tuple[float, float]


def make(folder: Path, accounts: int) -> None:
    """Write the tables of a company of about so many accounts."""
    parts: dict[str, list[pd.DataFrame]] = {}
    count = max(1, round(accounts / PART))
    for part in range(count):
        tables = make_demo(seed=part + 1, months=MONTHS, size=accounts / count / DEMO_ACCOUNTS)
        for name, table in tables.items():
            own = {key: f"{part}-" + table[key].astype(str) for key in WITH_IDS if key in table}
            parts.setdefault(name, []).append(table.assign(**own))
    for name, found in parts.items():
        pd.concat(found).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def measure(folder: Path) -> dict[str, object]:
    """Read and calibrate; seconds of each step and block, by the clock and of processor time."""
    began = now()
    book = read_book(folder, as_of=AS_OF)
    read = now()
    steps: list[tuple[str, Times]] = []
    posterior = calibrate(book, progress=lambda name: steps.append((name, now())))
    done = now()
    ends = [at for _, at in steps[1:]] + [done]
    ess = [check.value for check in posterior.checks if "ESS" in check.name]
    return {
        "accounts": len(book.tables["accounts"]),
        "months": MONTHS,
        "read": spent(began, read),
        "calibrate": spent(read, done),
        "blocks": {name: spent(at, end) for (name, at), end in zip(steps, ends, strict=True)},
        "smallest_ess": round(min(ess)) if ess else None,
        "status": posterior.status,
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def now() -> Times:
    """The clock and the processor time of this process."""
    return time.perf_counter(), time.process_time()


def spent(since: Times, until: Times) -> dict[str, float]:
    """Seconds between two moments."""
    return {"seconds": round(until[0] - since[0], 1), "cpu": round(until[1] - since[1], 1)}


def main(arguments: list[str]) -> None:
    """Measure each size."""
    if arguments[:1] == ["--folder"]:
        print(json.dumps(measure(Path(arguments[1]))))
        return
    for accounts in arguments or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), int(accounts))
            subprocess.run([sys.executable, __file__, "--folder", folder], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
