"""The demo company: four years of a made-up customer base, simulated by subsim itself, so that its truth is known.

Its history starts from nothing on 2022-07-01 and ends on 2026-06-30 with about 600 live accounts. The truth is the
catalogue's central values (`truth.yaml` lists them). The files lie in the package; a test makes them anew and
compares.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from subsim.engine import events as ev
from subsim.engine.run import Setup, run_traced
from subsim.errors import InputError
from subsim.experiment.build import build
from subsim.experiment.parameters import cells
from subsim.scenario import Scenario, load_scenario

SEED = 2022
START = dt.date(2022, 7, 1)
MONTHS = 48
AS_OF = dt.date(2026, 6, 30)
HEALTH_DAYS = 365
TABLES = ("accounts", "contracts", "onboarding", "health")


def demo_folder() -> Path:
    """Where the shipped files of the demo company lie."""
    return Path(__file__).resolve().parent.parent / "book" / "demo"


def scenario_folder() -> Path:
    """Where the shipped scenarios lie: in the package, or beside the sources of a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent.parent / "scenarios"


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


def history_scenario() -> Scenario:
    """The company's past: today's people, tiers and prices over four years, from nothing."""
    today = load_scenario(scenario_folder() / "baseline.yaml").to_dict()
    for key in ("book", "as_of", "question", "levers"):
        today.pop(key, None)
    for segment in today["segments"].values():
        segment["opening"] = {"accounts": 0}
    no_contraction = {
        "parameter": "contraction.rate",
        "value": 0,
        "because": "the book records terms, not mid-term cuts",
    }
    return Scenario.from_dict(
        today
        | {
            "name": "Demo company, history",
            "start": str(START),
            "horizon": f"{MONTHS} months",
            "assumptions": [no_contraction],
        }
    )


def make_demo(seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Simulate the history and write it down as a company would: the tables of a book."""
    scenario = history_scenario()
    setup = build(scenario, draws=1, seed=seed, fixed_parameters=True)
    log, state = run_traced(setup, seed=seed)
    return _Records(setup, log, state).tables()


def truth(seed: int = SEED) -> dict[str, Any]:
    """What the history was made with."""
    scenario = history_scenario()
    rows = [
        {"parameter": cell.parameter.name, "of": list(cell.keys), "value": round(cell.value, 10)}
        for cell in cells(scenario).values()
        if cell.parameter.label in ("calibrated", "assumed")
    ]
    return {"seed": seed, "start": str(START), "as_of": str(AS_OF), "parameters": rows}


def write_tables(folder: Path, seed: int = SEED) -> None:
    """Write the shipped files anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in make_demo(seed).items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    (folder / "truth.yaml").write_text(yaml.safe_dump(truth(seed), sort_keys=False), encoding="utf-8")


@dataclass
class _Term:
    """A contract period of an account: from, until (both days inclusive), ARR in cents."""

    account: int
    begin: int
    arr: int
    added: list[tuple[int, int]] = field(default_factory=list)


class _Records:
    """Turns a trace into contracts, kick-offs and readings."""

    def __init__(self, setup: Setup, log: Any, state: Any) -> None:
        self.setup, self.log, self.state = setup, log, state
        self.rows: list[tuple[str, dt.date, dt.date, int]] = []
        self.open: dict[int, _Term] = {}
        self.started: dict[int, int] = {}

    def tables(self) -> dict[str, pd.DataFrame]:
        opens = {ev.L_NEW, ev.L_RENEWED, ev.L_REACTIVATION}
        grows = {ev.L_EXPANSION, ev.L_CROSS_SELL}
        for minute, code, who, _, before, after in self.log.tolist():
            if code in opens:
                self._close(who, minute)
                self.open[who] = _Term(who, minute, after)
                self.started.setdefault(who, minute)
            elif code in (ev.L_PRICE, ev.L_CONTRACTION, ev.L_CONCESSION):
                self.open[who].arr += after - before  # at the renewal itself
            elif code in grows:
                self.open[who].added.append((minute, after - before))
            elif code == ev.L_CHURN:
                self._close(who, minute)
        for who in sorted(self.open):
            self._write(self.open[who], int(self.state.accounts[who].term_end))
        return {
            "accounts": self._accounts(),
            "contracts": self._contracts(),
            "onboarding": self._onboarding(),
            "health": self._health(),
        }

    def _close(self, who: int, minute: int) -> None:
        term = self.open.pop(who, None)
        if term is not None:
            self._write(term, minute)

    def _write(self, term: _Term, end: int) -> None:
        last = _day(end) - dt.timedelta(days=1)
        for begin, arr in [(term.begin, term.arr), *term.added]:
            if _day(begin) <= last:
                self.rows.append((_name(term.account), _day(begin), last, arr))

    def _contracts(self) -> pd.DataFrame:
        rows = sorted(self.rows)
        table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "cents"])
        table["arr"] = [f"{cents // 100}.{cents % 100:02d}" for cents in table.pop("cents")]
        return table

    def _accounts(self) -> pd.DataFrame:
        signed = {name for name, *_ in self.rows}
        accounts = self.state.accounts
        known = [who for who in sorted(self.started) if _name(who) in signed]
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in known],
                "start_date": [_day(self.started[who]) for who in known],
                "segment": [self.setup.segment_names[accounts[who].segment] for who in known],
                "tier": [self.setup.tier_names[accounts[who].tier] for who in known],
            }
        )

    def _onboarding(self) -> pd.DataFrame:
        chosen = self.log[self.log.code == ev.FIRST_VALUE]
        reached = dict(zip(chosen.who.tolist(), chosen.minute.tolist(), strict=True))
        known = [who for who in sorted(self.started) if _name(who) in {name for name, *_ in self.rows}]
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in known],
                "kickoff_date": [_day(self.started[who]) for who in known],
                "first_value_date": [_day(reached[who]) if who in reached else "" for who in known],
            }
        )

    def _health(self) -> pd.DataFrame:
        since = int(self.setup.world.months[-1]) - HEALTH_DAYS * 1440
        reads = self.log[(self.log.code == ev.REVIEW) & (self.log.minute >= since)]
        return pd.DataFrame(
            {
                "account_id": [_name(who) for who in reads.who.tolist()],
                "date": [_day(minute) for minute in reads.minute.tolist()],
                "score": np.round(reads.before / 1e6, 1),
            }
        )


def _name(who: int) -> str:
    return f"D{who + 1:04d}"


def _day(minute: int) -> dt.date:
    return START + dt.timedelta(days=minute // 1440)


if __name__ == "__main__":
    write_tables(demo_folder())
