"""Small books for tests of calibration, made without an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from subsim.book import Book, read_book
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity
from subsim.random.quantiles import normal

AS_OF = "2025-12-31"


def uniforms(name: str, count: int, seed: int = 1) -> np.ndarray:
    """Keyed uniforms of a name."""
    return uniform_array(seed, 0, Purpose.PARAMETER, name_entity(f"test/{name}"), np.arange(count))


def normals(name: str, count: int, seed: int = 1) -> np.ndarray:
    """Keyed standard normals of a name."""
    return np.array([normal(u) for u in uniforms(name, count, seed)])


def tables(
    count: int = 120, segments: tuple[str, ...] = ("smb", "enterprise"), seed: int = 1
) -> dict[str, pd.DataFrame]:
    """Accounts over three years with yearly contracts: ARR near 10,000, first value near 20 days, 15 % lost a year."""
    ids = [f"a{i:04d}" for i in range(count)]
    start = pd.Timestamp("2023-01-05") + pd.to_timedelta((uniforms("start", count, seed) * 1000).astype(int), "D")
    arr = np.round(10_000 * np.exp(0.4 * normals("arr", count, seed)), 2)
    segment = [segments[i % len(segments)] for i in range(count)]
    contracts = []
    for i, account in enumerate(ids):
        begin, amount = start[i], arr[i]
        for year in range(4):
            end = begin + pd.DateOffset(years=1) - pd.Timedelta(days=1)
            contracts.append((account, begin, end, amount))
            if uniforms(f"stay/{account}", 4, seed)[year] < 0.15:
                break
            begin, amount = end + pd.Timedelta(days=1), round(amount * 1.03, 2)
            if begin > pd.Timestamp(AS_OF):
                break
    days = np.ceil(20 * np.exp(0.5 * normals("ttv", count, seed))).astype(int)
    value = start + pd.to_timedelta(days, "D")
    seen = [day if day <= pd.Timestamp(AS_OF) else pd.NaT for day in value]
    return {
        "accounts": pd.DataFrame({"account_id": ids, "start_date": start, "segment": segment}),
        "contracts": pd.DataFrame(contracts, columns=["account_id", "start_date", "end_date", "arr"]),
        "onboarding": pd.DataFrame({"account_id": ids, "kickoff_date": start, "first_value_date": seen}),
    }


def book(folder: Path, made: dict[str, pd.DataFrame] | None = None, as_of: str = AS_OF) -> Book:
    """A book read from files of some tables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (made or tables()).items():
        table.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    return read_book(folder, as_of=as_of)
