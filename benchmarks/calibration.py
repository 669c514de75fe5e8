"""Calibrate companies of ACCOUNTS accounts over three years and print times, effective draws and peak memory as JSON.

Call: calibration.py ACCOUNTS [ACCOUNTS ...]. A large company is several simulated ones side by side, each with its own
luck; making it is not part of the time. Every size runs in a process of its own, so that the peak is its own.
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
WITH_IDS = ("account_id", "seat_id", "owner_id")


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
    """Read and calibrate; seconds of each step and block."""
    began = time.perf_counter()
    book = read_book(folder, as_of=AS_OF)
    read = time.perf_counter()
    posterior = calibrate(book)
    done = time.perf_counter()
    ess = [check.value for check in posterior.checks if "ESS" in check.name]
    return {
        "accounts": len(book.tables["accounts"]),
        "read_seconds": round(read - began, 1),
        "calibrate_seconds": round(done - read, 1),
        "blocks": {block.name: round(block.seconds, 1) for block in posterior.blocks},
        "smallest_ess": round(min(ess)) if ess else None,
        "status": posterior.status,
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def main(arguments: list[str]) -> None:
    """Measure each size."""
    if arguments[:1] == ["--folder"]:
        print(json.dumps(measure(Path(arguments[1]))))
        return
    for accounts in arguments or ["10000"]:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), int(accounts))
            subprocess.run([sys.executable, __file__, "--folder", folder], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
