"""A small company made for tests: accounts whose engagement follows the model page, with scores, touches and arms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from subsim.book import Book, read_book
from subsim.random import Purpose, uniform_array

MONTH = 30.4375
BEGIN = np.datetime64("2022-01-01")
EVERY = {"status_call": 30.0, "business_review": 91.0}
PROGRAMME = ("virtual_contact", 15.0)  # what the arm of a pilot gets: kind, days between


@dataclass(frozen=True)
class Truth:
    """What the company is made with; two segments, of which "named" gets touches and "plain" none."""

    accounts: int = 300
    months: int = 36
    rest: tuple[float, float] = (0.05, -0.05)  # named, plain
    neglect: tuple[float, float] = (0.7, 0.4)
    drift: float = 0.0077
    noise: float = 0.25
    error: float = 0.5
    fit: float = 0.25
    ttv: float = 0.35
    lift: float = 1.0  # times the catalogue's
    programme_lift: float = 0.08
    response_sd: float = 0.8
    pilot_month: int | None = None
    to_the_sick: bool = False  # whether reviews go where engagement is low


USUAL = Truth()


def normal(seed: int, what: int, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Keyed normals for a purpose of a test."""
    places = np.arange(math.prod(size)).reshape(size)
    return np.asarray(special.ndtri(uniform_array(seed, 0, Purpose.USAGE_NOISE, 900 + what, places)))


def uniform(seed: int, what: int, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Keyed uniforms for a purpose of a test."""
    places = np.arange(math.prod(size)).reshape(size)
    return uniform_array(seed, 0, Purpose.REVIEW_OFFSET, 900 + what, places)


def tables(seed: int, truth: Truth = USUAL) -> dict[str, pd.DataFrame]:
    """The tables of the company's book."""
    n = truth.accounts
    start = np.floor(uniform(seed, 1, (n,)) * truth.months * MONTH * 0.7)
    named = np.arange(n) % 2 == 0
    fit, response = normal(seed, 2, (n,)), 1 + truth.response_sd * normal(seed, 3, (n,))
    ttv_days = np.maximum(1.0, np.round(40 * np.exp(0.5 * normal(seed, 4, (n,)))))
    rest = np.where(named, truth.rest[0], truth.rest[1]) + truth.fit * fit
    neglect = np.where(named, truth.neglect[0], truth.neglect[1])
    lifts = {"status_call": 0.08 * truth.lift, "business_review": 0.25 * truth.lift}
    lifts[PROGRAMME[0]] = truth.programme_lift
    moved, error = normal(seed, 5, (n, truth.months)), normal(seed, 6, (n, truth.months))
    arm = uniform(seed, 7, (n,)) < 0.5
    offset = uniform(seed, 8, (n, 3))
    e, now = rest.copy(), start.copy()
    health: list[tuple[int, float, object]] = []
    touches: list[tuple[int, str, float]] = []
    due = {kind: start + offset[:, i] * every for i, (kind, every) in enumerate(EVERY.items())}
    pilot = (math.inf if truth.pilot_month is None else truth.pilot_month) * MONTH
    due[PROGRAMME[0]] = np.maximum(start, pilot) + offset[:, 2] * PROGRAMME[1]
    last = truth.months * MONTH
    for i in range(n):
        for k in range(1, truth.months + 1):
            review = start[i] + k * MONTH
            if review > last:
                break
            late = math.log(max(now[i] - start[i], 1.0) / 45.0) if now[i] > start[i] else 0.0
            done = ttv_days[i] < now[i] - start[i] + 1e-9
            late = math.log(ttv_days[i] / 45.0) if done else max(0.0, late)
            for kind, every in (*EVERY.items(), PROGRAMME):
                gets = arm[i] and start[i] < pilot if kind == PROGRAMME[0] else named[i]
                while gets and due[kind][i] < review:
                    wanted = not (truth.to_the_sick and kind == "business_review") or e[i] < -0.2
                    if wanted:
                        e[i] += lifts[kind] * response[i] * math.exp(truth.drift * (due[kind][i] - now[i]))
                        touches.append((i, kind, due[kind][i]))
                    due[kind][i] += every
            m = rest[i] - neglect[i] - truth.ttv * late
            # Lifts were written as if made at the beginning of the month, grown by what they lose until then.
            e[i] = m + (e[i] - m) * math.exp(-truth.drift * MONTH)
            e[i] += truth.noise * moved[i, k - 1]
            now[i] = review
            health.append(
                (i, review, round(100 * special.expit(math.log(3) + e[i] + truth.error * error[i, k - 1]), 2))
            )
    name = np.array([f"A{i:05d}" for i in range(n)])
    segment = np.where(named, "named", "plain")
    ids = {"account_id": name}
    made = {
        "accounts": pd.DataFrame(ids | {"start_date": day(start), "segment": segment, "tier": segment}),
        "contracts": pd.DataFrame(ids | {"start_date": day(start), "end_date": day(9 * 365.0 + start), "arr": "10000"}),
        "onboarding": pd.DataFrame(ids | {"kickoff_date": day(start), "first_value_date": day(start + ttv_days)}),
        "health": _rows(name, health, "date", "score"),
    }
    if touches:
        made["touches"] = _rows(name, [(i, at, kind) for i, kind, at in touches if at < last], "done_date", "kind")
    if truth.pilot_month is not None:
        assigned = start < pilot
        made["experiments"] = pd.DataFrame(
            {
                "account_id": name[assigned],
                "arm": np.where(arm[assigned], "programme", "control"),
                "assigned_on": day(np.full(assigned.sum(), pilot)),
                "lever": PROGRAMME[0],
            }
        )
    return made


def day(x: NDArray[np.float64]) -> NDArray[np.datetime64]:
    """Dates of days since the beginning."""
    return np.asarray(BEGIN + np.floor(x).astype(np.int64))


def _rows(name: NDArray[np.str_], rows: list[tuple[int, float, object]], date: str, what: str) -> pd.DataFrame:
    who, at, value = zip(*rows, strict=True)
    return pd.DataFrame({"account_id": name[list(who)], date: day(np.array(at)), what: value})


def book(folder: Path, made: dict[str, pd.DataFrame], as_of: str = "2024-12-31") -> Book:
    """The tables as a book, through files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in made.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return read_book(folder, as_of=as_of)
