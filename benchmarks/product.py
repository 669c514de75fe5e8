"""What a user waits for: import, first compilation, a warm run, a large base; each in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import Result, uniform_ns

REPOSITORY = Path(__file__).resolve().parent.parent
GIB = 2**30

_IMPORT = """
import json, sys, time
begin = time.perf_counter()
import subsim
print(json.dumps({"seconds": time.perf_counter() - begin, "heavy": [m for m in ("pymc", "numba") if m in sys.modules]}))
"""

_COMPILE = """
import json, time
from subsim.experiment.run import warm_up
begin = time.perf_counter(), time.process_time()
warm_up()
print(json.dumps({"seconds": time.perf_counter() - begin[0], "processor": time.process_time() - begin[1]}))
"""


def import_time() -> list[Result]:
    """Seconds of `import subsim` in a fresh interpreter: the best of several."""
    reports = [_python("-c", _IMPORT) for _ in range(5)]
    value = min(report["seconds"] for report in reports)
    heavy = sorted({name for report in reports for name in report["heavy"]})
    meets = value < 0.5 and not heavy
    return [Result("import subsim", value, "s", "< 0.5, no PyMC", meets, {"loaded": ", ".join(heavy) or "neither"})]


def compile_time() -> list[Result]:
    """Seconds of a first run with an empty cache of machine code, and of a first run after that."""
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = (_python("-c", _COMPILE, NUMBA_CACHE_DIR=folder) for _ in range(2))
    details = {"processor s": cold["processor"], "with a full cache s": warm["seconds"]}
    return [Result("first use: compilation", cold["seconds"], "s", details=details)]


def warm_run(draws: int) -> list[Result]:
    """Seconds of `subsim run` of the demo company with everything compiled."""
    command = [sys.executable, "-c", "from subsim.cli.app import main; main()", "run"]
    scenario = REPOSITORY / "scenarios" / "baseline.yaml"
    seconds, speed = [], []
    with tempfile.TemporaryDirectory() as folder:
        options = [str(scenario), "--draws", str(draws), "--out", folder]
        for _ in range(9):
            begin = time.perf_counter()
            subprocess.run([*command, *options], check=True, capture_output=True)
            seconds.append(time.perf_counter() - begin)
            speed.append(uniform_ns())
    value = statistics.median(seconds[1:])
    details: dict[str, Any] = {"best": min(seconds[1:]), "rounds": len(seconds) - 1}
    details |= {"ns a uniform, every processor busy": statistics.median(speed), "least": min(speed)}
    return [Result(f"warm `subsim run`, demo, {draws} draws", value, "s", "< 5", value < 5, details)]


def large_base(accounts: int, months: int, runs: int, *, tiny: bool = False) -> list[Result]:
    """Time and peak memory of many runs of a large base."""
    kind = "tiny" if tiny else "served"
    report = _python(str(REPOSITORY / "benchmarks" / "base.py"), kind, str(accounts), str(months), str(runs))
    memory = report["peak"] / GIB
    details = {key: report[key] for key in ("elapsed s", "processor s", "ms a run", "end accounts")}
    title = f"{accounts:,} {'tiny ' if tiny else ''}accounts x {months} months x {runs} runs"
    target = "" if tiny else "< 2"
    return [Result(f"{title}, memory", memory, "GiB", target, None if tiny else memory < 2, details)]


def large_book(contracts: int) -> list[Result]:
    """Time and peak memory of reading and checking a book of many contracts."""
    report = _python(str(REPOSITORY / "benchmarks" / "book.py"), str(contracts))
    seconds, memory = report["read s"], report["peak"] / GIB
    details = {"GiB": round(memory, 2), **{key: report[key] for key in ("processor s", "bridge s", "fingerprint s")}}
    return [
        Result(f"{contracts:,} contracts read", seconds, "s", "< 60, < 4 GiB", seconds < 60 and memory < 4, details)
    ]


def calibration(accounts: int, limit: float) -> list[Result]:
    """Time and effective draws of a calibration over three years."""
    report = _python(str(REPOSITORY / "benchmarks" / "calibration.py"), str(accounts))
    seconds, ess = report["calibrate"]["seconds"], report["smallest_ess"] or 0
    blocks = {f"{name} processor s": spent["cpu"] for name, spent in report["blocks"].items()}
    details = {"processor s": report["calibrate"]["cpu"], "smallest ESS": ess, "GiB": report["peak_gib"], **blocks}
    name = f"calibration of {report['accounts']:,} accounts"
    return [Result(name, seconds, "s", f"< {limit:.0f}, ESS > 400", seconds < limit and ess > 400, details)]


def _python(*arguments: str, **environment: str) -> Any:
    """Run Python on its own and read the JSON object that it prints."""
    done = subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, env=os.environ | environment
    )
    return json.loads(done.stdout.splitlines()[-1])
