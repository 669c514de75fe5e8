"""The opening base as an engine takes it: from a book, or made up where a scenario has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from subsim import units
from subsim.engine.state import OPENING
from subsim.errors import InputError
from subsim.experiment.parameters import Floats, Names
from subsim.experiment.starts import Start
from subsim.model.rules import arrival, clock
from subsim.model.rules.work import ROLES
from subsim.random import Purpose, uniform_array
from subsim.random.entities import account_entity
from subsim.scenario import Scenario

HISTORY = 12
SCORES = 12  # of each account that are read


@dataclass(frozen=True)
class OpeningBase:
    """Rows of dtype OPENING; scores; touches; ARR of the last twelve months, and what was lost; names.

    What is not said here is said at the members of `subsim.engine.state.World`.
    """

    rows: Any = field(repr=False)
    touches: Any = field(repr=False)
    readings: Any = field(repr=False)
    read_at: Any = field(repr=False)
    done_from: Any = field(repr=False)
    done_at: Any = field(repr=False)
    done_work: Any = field(repr=False)
    history: Any = field(repr=False)
    lost: Any = field(repr=False)
    lost_logos: Any = field(repr=False)
    account_ids: tuple[str, ...] = field(repr=False)


def book_opening(scenario: Scenario, names: Names, start: Start) -> OpeningBase:
    """Live accounts of a book at the scenario's start."""
    table = start.accounts
    unknown = sorted(set(table["segment"]) - set(names.segment))
    if unknown:
        raise InputError(
            where="segments",
            found=f"the book has accounts in segment {', '.join(map(repr, unknown))}",
            allowed=f"the scenario's segments: {', '.join(names.segment)}",
            do="add the segment to the scenario, or map it in the book's book.yaml",
        )
    rows = np.zeros(len(table["account_id"]), OPENING)
    rows["entity"] = [account_entity(name) for name in table["account_id"]]
    rows["arr"] = table["arr_cents"]
    rows["first_arr"] = table["first_arr_cents"]
    rows["start"] = table["start_minute"]
    rows["term_end"] = table["term_end_minute"]
    rows["renewals"] = table["renewals"]
    rows["term"] = table["term_months"]
    first_day = scenario.start.toordinal()
    rows["anchor"] = [clock.day_of_month(int(t), first_day) for t in table["term_end_minute"]]
    rows["segment"] = [names.segment.index(name) for name in table["segment"]]
    for flag in ("onboarded", "sponsor", "prepared"):
        rows[flag] = table[flag]
    for number in ("ttv_days", "score"):
        rows[number] = np.where(np.isnan(table[number]), -1.0, table[number])
    rows["review_at"] = table["review_minute"]
    history = np.column_stack([table[f"arr_{11 - m}"] if m < 11 else table["arr_cents"] for m in range(HISTORY)])
    lost = np.zeros((len(names.segment), HISTORY + 1), np.int64)
    lost_logos = np.zeros_like(lost)
    for i, name in enumerate(names.segment):
        lost[i] = start.lost_arr.get(name, 0)
        lost_logos[i] = start.lost_logos.get(name, 0)
    places = {account: place for place, account in enumerate(table["account_id"])}
    return OpeningBase(
        rows,
        _last_touches(start.touches, places, names),
        *_readings(start.scores, places),
        *_done(start.done, places, names),
        np.ascontiguousarray(history, np.int64),
        lost,
        lost_logos,
        tuple(table["account_id"]),
    )


def _last_touches(known: Mapping[str, Any], places: Mapping[str, int], names: Names) -> Any:
    """int32[accounts, work]: when the last touch of a kind was due; NEVER where the book has none."""
    table = np.full((len(places), len(names.work)), clock.NEVER, np.int32)
    kinds = {kind: number for number, kind in enumerate(names.work)}
    for account, kind, due in zip(known["account_id"], known["kind"], known["due_minute"], strict=True):
        if kind in kinds:
            table[places[account], kinds[kind]] = due
    return table


def _readings(known: Mapping[str, Any], places: Mapping[str, int]) -> tuple[Any, Any]:
    """Log odds of scores, float64[accounts, 12], and their minutes, int32 likewise; NEVER where there are fewer."""
    values, minutes = no_readings(len(places))
    share = np.clip(np.asarray(known["score"], np.float64), 0.5, 99.5) / 100.0
    account = np.array([places[name] for name in known["account_id"]], np.int64)
    place = np.asarray(known["place"], np.int64)
    values[account, place] = np.log(share / (1.0 - share))
    minutes[account, place] = known["minute"]
    return values, minutes


def no_readings(accounts: int) -> tuple[Any, Any]:
    """Scores of accounts that have none."""
    return np.zeros((accounts, SCORES)), np.full((accounts, SCORES), clock.NEVER, np.int32)


def _done(known: Mapping[str, Any], places: Mapping[str, int], names: Names) -> tuple[Any, Any, Any]:
    """Touches done from a calendar: where each account's begin, int64[accounts + 1]; minutes, int32; types, int16.

    Plays are left out: accounts get them for what they are like.
    """
    kinds = {kind: number for number, kind in enumerate(names.work) if kind not in ROLES}
    rows = sorted(
        (places[account], minute, kinds[kind])
        for account, kind, minute in zip(known["account_id"], known["kind"], known["done_minute"], strict=True)
        if kind in kinds
    )
    table = np.array(rows, np.int64).reshape(-1, 3)
    first = np.searchsorted(table[:, 0], np.arange(len(places) + 1))
    return first.astype(np.int64), table[:, 1].astype(np.int32), table[:, 2].astype(np.int16)


def nothing_done(accounts: int) -> tuple[Any, Any, Any]:
    """Touches of accounts that had none."""
    return np.zeros(accounts + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int16)


#: Seed of made-up opening bases: they are the same in every run, like a book.
_SEED = 0


def made_up_opening(scenario: Scenario, names: Names, centre: Floats) -> OpeningBase:
    """A base drawn once from the scenario's own parameters: ARR and terms as at birth, exponential tenure.

    With tenure 0 every account has just signed, at some time of the month before the start.
    """
    parts = [
        _segment_opening(name, i, segment.opening.accounts, segment.opening.tenure, centre, scenario)
        for i, (name, segment) in enumerate(scenario.segments.items())
        if segment.opening is not None
    ]
    rows = np.concatenate([part for part, _ in parts]) if parts else np.zeros(0, OPENING)
    ids = tuple(account for _, accounts in parts for account in accounts)
    ago = np.array([(HISTORY - 1 - m) * clock.MONTH for m in range(HISTORY)])
    history = np.ascontiguousarray(np.where(rows["start"][:, None] <= -ago, rows["arr"][:, None], 0), np.int64)
    nothing = np.zeros((len(names.segment), HISTORY + 1), np.int64)
    touches = np.full((len(rows), len(names.work)), clock.NEVER, np.int32)
    silent = *no_readings(len(rows)), *nothing_done(len(rows))
    return OpeningBase(rows, touches, *silent, history, nothing, nothing, ids)


def _segment_opening(
    name: str, segment: int, count: int, tenure: float, centre: Floats, scenario: Scenario
) -> tuple[Any, list[str]]:
    ids = [f"{name}-{i + 1:05d}" for i in range(count)]
    rows = np.zeros(count, OPENING)
    rows["entity"] = [account_entity(account) for account in ids]
    rows["segment"] = segment
    for flag in ("onboarded", "sponsor", "prepared"):
        rows[flag] = -1
    rows["ttv_days"] = -1.0
    rows["score"] = -1.0
    key = np.array([_SEED, 0], np.uint64)
    first_day = scenario.start.toordinal()
    age = -np.log1p(-uniform_array(_SEED, 0, Purpose.REVIEW_OFFSET, rows["entity"], 1)) * tenure * units.MINUTES_PER_DAY
    inside = uniform_array(_SEED, 0, Purpose.REVIEW_OFFSET, rows["entity"], 2)
    for i in range(count):
        entity = rows["entity"][i]
        arr = arrival.first_arr(centre, key, entity, segment)
        term = arrival.term_months(centre, key, entity, segment)
        start = -int(age[i]) - int(inside[i] * clock.MONTH) - 1
        anchor = clock.day_of_month(start, first_day)
        renewals = max(0, int(-start / (term * clock.MONTH)) - 1)
        end = clock.add_months(start, term * (renewals + 1), anchor, first_day)
        while end < 0:
            renewals += 1
            end = clock.add_months(start, term * (renewals + 1), anchor, first_day)
        rows["arr"][i] = rows["first_arr"][i] = arr
        rows["start"][i], rows["term"][i], rows["anchor"][i] = start, term, anchor
        rows["renewals"][i], rows["term_end"][i] = renewals, end
    return rows, ids
