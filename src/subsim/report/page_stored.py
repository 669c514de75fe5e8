"""A run read back from its folder, as the results that figures and prose know, with the manifest beside them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from subsim.errors import InputError, InputErrors
from subsim.experiment.finished import Calendar, outcome
from subsim.experiment.metrics import ALL, METRICS
from subsim.experiment.results import Calibrated, Outcome, Runs
from subsim.scenario import Scenario

Floats = npt.NDArray[np.float64]
LATEST: Final = "latest"
MANIFEST: Final = "manifest.json"
_MOST_NAMED = 8


@dataclass(frozen=True)
class Stored:
    """A run on disk: its folder, its results and its manifest."""

    folder: Path
    runs: Runs
    manifest: dict[str, Any]


def load(run: str, results: Path = Path("results")) -> Stored:
    """The run in a folder, of an id in the folder of results, or the newest one there for `latest`.

    Raises:
        InputError: there is no such run, or its files are not whole.
    """
    folder = find(run, results)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        runs = _runs(folder, manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputErrors, pa.ArrowException) as error:
        found = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        raise InputError(
            where=f"run {folder}",
            found=" ".join(found.split())[:200],
            allowed=f"a folder with {MANIFEST}, monthly.parquet and work.parquet as a run writes them",
            do="Run the scenario again.",
        ) from error
    return Stored(folder, runs, manifest)


def find(run: str, results: Path) -> Path:
    """Folder of a run, given as folder, id or `latest`; raises InputError when there is none."""
    known = sorted(results.glob(f"*/{MANIFEST}"), key=lambda path: (path.stat().st_mtime, path.parent.name))
    if run == LATEST and known:
        return known[-1].parent
    for folder in (Path(run), results / run):
        if (folder / MANIFEST).is_file():
            return folder
    newest = [path.parent.name for path in reversed(known)]
    names = ", ".join(newest[:_MOST_NAMED]) + (" and others" if len(newest) > _MOST_NAMED else "")
    raise InputError(
        where="RUN",
        found=repr(run),
        allowed=f"a run's folder, {LATEST}, or an id in {results}: {names or 'none there yet'}",
        do="Make one: subsim run SCENARIO",
    )


def _runs(folder: Path, manifest: dict[str, Any]) -> Runs:
    draws = int(manifest["draws"])
    tables = [_Rows(folder / f"{name}.parquet", group, draws) for name, group in _FILES]
    outcomes: dict[str, Outcome] = {}
    values: dict[tuple[str, str], Floats] = {}
    for each in manifest["scenarios"]:
        scenario = Scenario.from_dict(each["scenario"])
        name = scenario.name
        for table in tables:
            values |= {(name, metric): array for metric, array in table.metrics(name).items()}
        missing = [metric for metric in METRICS if (name, metric) not in values]
        if missing:
            raise ValueError(f"no rows of {', '.join(missing)} for {name}")
        segments, teams = (table.groups(name) for table in tables)
        calendar = Calendar(segments, teams, tables[0].month_ends(name), each.get("book_fingerprint"))
        outcomes[name] = outcome(scenario, calendar, np.array([_opening_cents(values, name)]))
    calibrated = manifest.get("posterior")
    return Runs(
        outcomes,
        seed=int(manifest["seed"]),
        draws=draws,
        engine=manifest["engine"],
        fixed_parameters=bool(manifest["fixed_parameters"]),
        calibrated=None if calibrated is None else Calibrated(**calibrated),
        _cache=values,
    )


_FILES: Final = (("monthly", "segment"), ("work", "team"))


class _Rows:
    """One file of long rows (scenario, draw, month, group, metric, value), in the order they were written in."""

    def __init__(self, path: Path, group: str, draws: int) -> None:
        table = pq.read_table(path).combine_chunks()
        self._draws = draws
        self._group, self._group_names = _coded(table, group)
        self._metric, self._metric_names = _coded(table, "metric")
        self._scenario, self._scenario_names = _coded(table, "scenario")
        self._month = table["month"].to_numpy().astype("datetime64[D]")
        self._value = table["value"].to_numpy(zero_copy_only=False).astype(np.float64)

    def _of(self, scenario: str) -> npt.NDArray[np.int64]:
        if scenario not in self._scenario_names:
            raise ValueError(f"no rows of {scenario}")
        return np.flatnonzero(self._scenario == self._scenario_names.index(scenario))

    def groups(self, scenario: str) -> tuple[str, ...]:
        """Segments or teams in the order of the run, without "all"."""
        rows = self._group[self._of(scenario)]
        order = rows[np.sort(np.unique(rows, return_index=True)[1])]
        return tuple(self._group_names[code] for code in order if self._group_names[code] != ALL)

    def month_ends(self, scenario: str) -> tuple[dt.date, ...]:
        """Last days of the months."""
        return tuple(np.unique(self._month[self._of(scenario)]).tolist())

    def metrics(self, scenario: str) -> dict[str, Floats]:
        """Values by metric: array [draws, months, groups]."""
        rows = self._of(scenario)
        months = len(self.month_ends(scenario))
        found = {}
        for code, name in enumerate(self._metric_names):
            mine = rows[self._metric[rows] == code]
            if mine.size:  # scenarios share a file, but one that lacks a metric has no rows of it
                array = self._value[mine].reshape(self._draws, months, -1)
                array.setflags(write=False)
                found[name] = array
        return found


def _coded(table: pa.Table, column: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Codes and names of a column of text."""
    array = table[column].unify_dictionaries().combine_chunks()
    held = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    names: Sequence[str] = held.dictionary.to_pylist()
    return held.indices.to_numpy().astype(np.int64), list(names)


def _opening_cents(values: dict[tuple[str, str], Floats], name: str) -> int:
    """ARR before the first month: its closing ARR less its movements, which close to the cent."""
    first = {
        metric: values[name, metric][0, 0, -1]
        for metric in ("arr", "new", "expansion", "reactivation", "contraction", "churn")
    }
    gained = first["new"] + first["expansion"] + first["reactivation"]
    return int(np.rint(100 * (first["arr"] - gained + first["contraction"] + first["churn"])))
