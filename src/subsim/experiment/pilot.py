"""A company that runs an experiment: half of a segment's low-touch accounts, by lot, get a touch more often."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace

import pandas as pd

from subsim.engine import Setup
from subsim.engine.run import run_traced
from subsim.errors import InputError
from subsim.experiment.demo import MONTHS, SEED, Numbers, first_day, history_scenario, with_numbers
from subsim.experiment.demo_tables import Records
from subsim.experiment.parameters import Names
from subsim.model.catalogue import parameters as catalogue
from subsim.scenario import Scenario

TIER = "low_touch"
_TREATED = "_treated"


def make_pilot(
    seed: int = SEED,
    parameters: Numbers | None = None,
    months: int = MONTHS,
    size: float = 1.0,
    *,
    segment: str = "mid_market",
    touch: str = "business_review",
    every: str = "1 month",
    months_of_pilot: int = 18,
) -> dict[str, pd.DataFrame]:
    """The tables of a demo company that gives a touch more often to half of its accounts, in its last months.

    Every new customer of the segment falls to an arm by lot. Until the pilot begins nothing tells the arms apart: they
    have two sources with half the plan each, and the same numbers, people and calendar. The team of the tier is twice
    as large as in `make_demo` all the time, so that the extra work takes nothing away from the others. `experiments`
    names the arm of each account that was in the tier on the day when the pilot began, or when it started later;
    ``lever`` says what the treated get. The effect of one such touch is ``work.lift`` of its kind.

    Raises:
        InputError: an unknown segment or touch, or as `make_demo`.

    >>> tables = make_pilot(seed=3, size=0.5, months=24, months_of_pilot=12)
    >>> sorted(set(tables["experiments"]["arm"]))
    ['control', 'treated']
    """
    history = history_scenario(months, size)
    begins = first_day(months_of_pilot)
    if segment not in history.segments:
        raise InputError(where="segment", found=repr(segment), allowed=", ".join(history.segments))
    scenario = _scenario(history, segment, touch, every, begins)
    setup = _with_arms(with_numbers(scenario, seed, parameters), Names(scenario), segment)
    records = Records(setup, *run_traced(setup, seed=seed))
    tables = records.tables()
    tables["experiments"] = _arms(records, tables["accounts"], segment, begins, f"{touch} every {every}")
    for column in ("segment", "tier"):
        tables["accounts"][column] = [name.removesuffix(_TREATED) for name in tables["accounts"][column]]
    return tables


def _scenario(history: Scenario, segment: str, touch: str, every: str, begins: dt.date) -> Scenario:
    """The history with the treated half as a segment and a tier of its own."""
    data = history.to_dict()
    plan = data["segments"][segment]["new_business"]
    plan["plan"] = [logos / 2 for logos in plan["plan"]]
    data["segments"][segment + _TREATED] = copy.deepcopy(data["segments"][segment])
    data["tiers"][TIER + _TREATED] = copy.deepcopy(data["tiers"][TIER])
    for rule in reversed([rule for rule in data["routing"] if rule.get("segment") == segment]):
        to = TIER + _TREATED if rule["to"] == TIER else rule["to"]
        data["routing"].insert(0, rule | {"segment": segment + _TREATED, "to": to})
    data["teams"][data["tiers"][TIER]["team"]]["seats"] *= 2
    lever = {"tier": TIER + _TREATED, "touch": touch, "every": every, "on": str(begins)}
    return Scenario.from_dict(data | {"name": "Demo company, pilot", "levers": [{"cadence": lever}]})


def _with_arms(setup: Setup, names: Names, segment: str) -> Setup:
    """The treated segment and tier have the numbers of their originals."""
    numbers = setup.parameters.copy()
    for dimension, original in (("segment", segment), ("tier", TIER)):
        for row in catalogue().values():
            if dimension in row.by:
                source, target = (names.index(row, {dimension: name}) for name in (original, original + _TREATED))
                numbers[0, target] = numbers[0, source]
    return replace(setup, parameters=numbers)


def _arms(records: Records, accounts: pd.DataFrame, segment: str, begins: dt.date, lever: str) -> pd.DataFrame:
    """The arm of each account in the tier on the day when the pilot began, or on which it started."""
    rows = []
    for who, name, start, kind in zip(
        records.known, accounts["account_id"], accounts["start_date"], accounts["segment"], strict=True
    ):
        day = max(begins, start)
        tier = records.tier_on(who, day).removesuffix(_TREATED)
        if kind.removesuffix(_TREATED) == segment and tier == TIER and records.is_customer_on(who, day):
            rows.append((name, "treated" if kind.endswith(_TREATED) else "control", day, lever))
    return pd.DataFrame(rows, columns=["account_id", "arm", "assigned_on", "lever"])
