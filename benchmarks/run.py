"""Measure and print ratios, each within one run of this program, and keep them: run.py [--quick] [--large].

Absolute times say something about the machine; the ratios say something about the program. The results are appended
to history.json beside this file, with the date, the class of machine and the versions.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import engines
import product
from measure import Result

HISTORY = Path(__file__).resolve().parent / "history.json"


def measurements(*, quick: bool, large: bool) -> Iterator[list[Result]]:
    """All benchmarks one after the other."""
    yield product.import_time()
    if not quick:
        yield product.compile_time()
    setup = engines.demo(draws=32 if quick else 128)
    yield engines.against_c(setup, quick)
    yield engines.against_simpy(setup, quick)
    yield engines.on_two_threads(setup, quick)
    yield engines.common_numbers(quick)
    yield product.warm_run(draws=50 if quick else 200)
    yield product.large_base(10_000, 36, 4 if quick else 100)
    yield product.large_book(100_000 if quick else 1_000_000)
    yield product.calibration(1_000 if quick else 10_000, 60)
    if large:
        yield product.calibration(100_000, 180)
        yield product.large_base(1_000_000, 12, 1, tiny=True)


def machine() -> dict[str, Any]:
    """The class of machine: nothing that names this one."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    packages = {name: version(name) for name in ("subsim", "numpy", "numba", "llvmlite", "simpy")}
    return {"python": platform.python_version(), **packages, "gcc": _gcc()}


def _gcc() -> str:
    try:
        return subprocess.run(["gcc", "-dumpfullversion"], check=True, capture_output=True, text=True).stdout.strip()
    except OSError:
        return "none"


def keep(results: list[Result], *, quick: bool) -> None:
    """Append the results to the history."""
    history = json.loads(HISTORY.read_text(encoding="utf-8")) if HISTORY.exists() else []
    rows = [_rounded(asdict(result)) for result in results]
    date = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    history.append({"date": date, "quick": quick, "machine": machine(), "versions": versions(), "results": rows})
    HISTORY.write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Five digits are more than the measurements are good for."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description="Benchmarks of subsim, as ratios measured in one run.")
    parser.add_argument("--quick", action="store_true", help="a reduced version, under two minutes")
    parser.add_argument(
        "--large", action="store_true", help="also a million tiny accounts, and a calibration of 100,000"
    )
    options = parser.parse_args()
    results: list[Result] = []
    for group in measurements(quick=options.quick, large=options.large):
        for result in group:
            print(result.line(), flush=True)
            results.append(result)
    keep(results, quick=options.quick)


if __name__ == "__main__":
    main()
