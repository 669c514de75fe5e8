"""Make a book of CONTRACTS rows in a folder, read it, and print times and peak memory as JSON: book.py CONTRACTS.

Generating and reading are processes of their own, so that the peak is the reader's: book.py --read FOLDER.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from subsim.random import uniform_array

SEED = 1
AS_OF = "2026-06-30"
FIRST_DAY = np.datetime64("2020-01-01")
TERMS = 4  # contracts of an account, one after the other
SEGMENTS = np.array(["smb", "mid market", "enterprise"], dtype=object)


def draws(purpose: int, count: int) -> npt.NDArray[np.float64]:
    """Uniforms keyed by row."""
    return uniform_array(SEED, 0, purpose, np.arange(count, dtype=np.uint64), 0)


def make(folder: Path, contracts: int) -> None:
    """Write accounts with up to `TERMS` yearly contracts each; some are late, some overlap, some end for good."""
    accounts = -(-contracts // TERMS)
    ids = np.char.add("A-", np.arange(accounts).astype(str)).astype(object)
    started = FIRST_DAY + (draws(1, accounts) * 1500).astype("timedelta64[D]")
    segment = SEGMENTS[(draws(2, accounts) * len(SEGMENTS)).astype(int)]
    write(folder / "accounts.csv", {"account_id": ids, "start_date": started, "segment": segment})
    row = np.arange(contracts)
    owner, term = row // TERMS, row % TERMS
    late = np.where(draws(3, contracts) < 0.05, 10, 0) * (term > 0)
    start = started[owner] + (365 * term + late).astype("timedelta64[D]")
    cents = np.rint(10 ** (5 + 2 * draws(4, contracts))).astype(np.int64)
    arr = np.char.add(np.char.add((cents // 100).astype(str), "."), np.char.zfill((cents % 100).astype(str), 2))
    end = start + np.timedelta64(364, "D")
    write(
        folder / "contracts.csv",
        {"account_id": ids[owner], "start_date": start, "end_date": end, "arr": arr.astype(object)},
    )


def write(path: Path, columns: dict[str, npt.NDArray[np.generic]]) -> None:
    """One CSV file; dates as ISO text."""
    texts = {
        name: pa.array(values.astype(str).astype(object) if values.dtype.kind == "M" else values, pa.string())
        for name, values in columns.items()
    }
    pyarrow.csv.write_csv(pa.table(texts), path)


def read(folder: Path) -> dict[str, float]:
    """Read the folder, and give seconds of its steps and the peak memory of this process in bytes."""
    from subsim.book import read_book  # noqa: PLC0415 - the import is not part of what is measured

    begin = time.perf_counter(), time.process_time()
    book = read_book(folder, as_of=AS_OF)
    done = time.perf_counter(), time.process_time()
    table = book.bridge()
    closed = time.perf_counter()
    fingerprint = book.fingerprint()
    last = time.perf_counter()
    return {
        "rows": len(book.tables["contracts"]),
        "read s": done[0] - begin[0],
        "processor s": done[1] - begin[1],
        "bridge s": closed - done[0],
        "fingerprint s": last - closed,
        "arr": float(table["closing"].iloc[-1]) / 100,
        "ties": bool(table["closing"].iloc[-1] == book.arr_cents),
        "fingerprint": int(fingerprint[:8], 16),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def main() -> None:
    """Make and read, or only read."""
    if sys.argv[1] == "--read":
        print(json.dumps(read(Path(sys.argv[2]))))
        return
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), int(sys.argv[1]))
        done = subprocess.run([sys.executable, __file__, "--read", name], check=True, stdout=subprocess.PIPE, text=True)
    print(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
