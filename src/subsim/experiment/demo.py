"""The demo company: years of a made-up customer base, simulated by subsim itself, so that its truth is known.

Its history starts from nothing on 2022-07-01 and ends on 2026-06-30 with about 600 live accounts. The truth is the
catalogue's central values (`truth.yaml` lists them). The files lie in the package; a test makes them anew and
compares. Companies with other numbers, sizes and lengths of history are made in memory by `make_demo`.
"""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from subsim.engine import Setup
from subsim.engine.run import run_traced
from subsim.errors import InputError
from subsim.experiment.build import build
from subsim.experiment.demo_tables import Records
from subsim.experiment.parameters import Names, cells
from subsim.experiment.shipped import demo_folder, scenario_folder
from subsim.model.catalogue import Parameter, parameter
from subsim.scenario import Scenario, load_scenario
from subsim.units import add_months

SEED = 2022
MONTHS = 48
AS_OF = dt.date(2026, 6, 30)
TABLES = ("accounts", "contracts", "onboarding", "health", "touches", "seats", "sponsors")

#: Numbers of a company: ``{"renewal.frailty": 1.0, ("renewal.base", "segment=smb"): -2.0}``.
Numbers = Mapping[str | tuple[str, str], float]
#: A company in which touches and campaigns do nothing at all.
NO_LIFT: Numbers = {"work.lift": 0.0, "campaign.lift": 0.0, "ticket.fast_lift": 0.0}


def write_demo(folder: str | Path) -> list[Path]:
    """Write the demo company's book, its truth and its scenarios to a new or empty folder; gives the files.

    Raises:
        InputError: the folder is not empty or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(where=str(folder), found="it is not an empty folder", allowed="a new or empty folder")
    try:
        shutil.copytree(demo_folder(), folder / "book", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(scenario_folder(), folder / "scenarios")
    except OSError as error:
        do = "choose another folder"
        raise InputError(where=str(folder), found=str(error), allowed="a folder that can be written", do=do) from None
    return sorted(path for path in folder.rglob("*") if path.is_file())


def history_scenario(months: int = MONTHS, size: float = 1.0) -> Scenario:
    """The company's past: today's people, tiers and prices, from nothing; ``size`` scales new business and seats."""
    today = load_scenario(scenario_folder() / "baseline.yaml").to_dict()
    for key in ("book", "as_of", "question", "levers"):
        today.pop(key, None)
    for segment in today["segments"].values():
        segment["opening"] = {"accounts": 0}
        segment["new_business"]["plan"] = [size * logos for logos in segment["new_business"]["plan"]]
    for team in today["teams"].values():
        team["seats"] = math.ceil(size * team["seats"])
    no_contraction = {
        "parameter": "contraction.rate",
        "value": 0,
        "because": "the book records terms, not mid-term cuts",
    }
    return Scenario.from_dict(
        today
        | {
            "name": "Demo company, history",
            "start": str(first_day(months)),
            "horizon": f"{months} months",
            "assumptions": [no_contraction],
        }
    )


def make_demo(
    seed: int = SEED,
    parameters: Numbers | None = None,
    months: int = MONTHS,
    scenario: Scenario | None = None,
    size: float = 1.0,
) -> dict[str, pd.DataFrame]:
    """Simulate a history and write it down as a company would: the tables of a book, as of the last day simulated.

    ``parameters`` replace the catalogue's centres (and decisions) for all names or for those given. ``size`` and
    ``months`` are those of the demo company's history, which ends on `AS_OF`; a scenario of one's own has its dates
    and its plan instead.

    Raises:
        InputError: an unknown parameter or name, or a number outside its range.

    >>> tables = make_demo(seed=7, parameters={("renewal.base", "segment=smb"): -1.5}, months=12, size=0.2)
    >>> sorted(tables)
    ['accounts', 'contracts', 'health', 'onboarding', 'seats', 'sponsors', 'touches']
    """
    return simulated(scenario or history_scenario(months, size), seed, parameters).tables()


def make_movements(
    seed: int = SEED,
    parameters: Numbers | None = None,
    months: int = MONTHS,
    scenario: Scenario | None = None,
    size: float = 1.0,
) -> pd.DataFrame:
    """The revenue of the same company as a table `movements`, to stand in the place of `contracts`."""
    return simulated(scenario or history_scenario(months, size), seed, parameters).movements()


def truth(
    seed: int = SEED,
    parameters: Numbers | None = None,
    months: int = MONTHS,
    scenario: Scenario | None = None,
    size: float = 1.0,
) -> dict[str, Any]:
    """What a history was made with: every number that a calibration may learn or that has to be assumed."""
    scenario = scenario or history_scenario(months, size)
    numbers = with_numbers(scenario, seed, parameters).parameters[0]
    rows = [
        {"parameter": cell.parameter.name, "of": list(cell.keys), "value": round(float(numbers[cell.index]), 10)}
        for cell in cells(scenario).values()
        if cell.parameter.label in ("calibrated", "assumed")
    ]
    as_of = add_months(scenario.start, scenario.horizon_months) - dt.timedelta(days=1)
    return {"seed": seed, "start": str(scenario.start), "as_of": str(as_of), "parameters": rows}


def write_tables(folder: Path, seed: int = SEED) -> None:
    """Write the shipped files anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in make_demo(seed).items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    (folder / "truth.yaml").write_text(yaml.safe_dump(truth(seed), sort_keys=False), encoding="utf-8")


def first_day(months: int) -> dt.date:
    """First day of so many months that end with `AS_OF`."""
    return add_months(AS_OF + dt.timedelta(days=1), -months)


def simulated(scenario: Scenario, seed: int, parameters: Numbers | None) -> Records:
    """One run of a scenario with some of its numbers replaced."""
    setup = with_numbers(scenario, seed, parameters)
    return Records(setup, *run_traced(setup, seed=seed))


def with_numbers(scenario: Scenario, seed: int, parameters: Numbers | None) -> Setup:
    """The scenario at its centres, with some numbers replaced."""
    setup = build(scenario, draws=1, seed=seed, fixed_parameters=True)
    names, numbers = Names(scenario), setup.parameters.copy()
    for key, value in (parameters or {}).items():
        name, keys = key if isinstance(key, tuple) else (key, "")
        row = parameter(name, "parameters")
        if not row.low <= value <= row.high:
            where = f"parameters[{key!r}]"
            raise InputError(where=where, found=str(value), allowed=f"{row.low} to {row.high} {row.unit}")
        numbers[0, names.index(row, _named(names, row, keys))] = value
    return replace(setup, parameters=numbers)


def _named(names: Names, row: Parameter, keys: str) -> dict[str, str]:
    """The names in ``segment=smb``, checked."""
    found = {dimension: name for dimension, _, name in (part.partition("=") for part in keys.split(", ") if part)}
    for dimension, name in found.items():
        where = f"parameters[{row.name!r}]"
        if dimension not in row.by:
            allowed = ", ".join(f"{by}=name" for by in row.by) or "no name: it is one number"
            raise InputError(where=where, found=repr(keys), allowed=allowed)
        if name not in names.of(dimension):
            allowed = ", ".join(f"{dimension}={known}" for known in names.of(dimension))
            raise InputError(where=where, found=repr(keys), allowed=allowed)
    return found


if __name__ == "__main__":
    write_tables(demo_folder())
