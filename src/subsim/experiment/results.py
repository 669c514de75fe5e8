"""What a run gives back: monthly tables, draws, labelled arrays and paired contrasts. Nothing in it changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from subsim.errors import InputError
from subsim.experiment import presenting
from subsim.experiment.contrast import Contrast, contrast
from subsim.experiment.metrics import (
    ALL,
    CS_COST,
    DECIMALS,
    METRICS,
    SEGMENT_METRICS,
    TEAM_METRICS,
    Metric,
    cs_cost,
    segment_values,
    team_values,
)
from subsim.experiment.quantiles import STATISTICS, clean, interval, summarise

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

    from subsim.engine import Cube
    from subsim.experiment.build import Setup
    from subsim.experiment.parameters import Learned
    from subsim.scenario import Scenario

Floats = npt.NDArray[np.float64]
COLUMNS = ("month", "segment", "team", "metric", *STATISTICS)


@dataclass(frozen=True)
class Outcome:
    """One scenario with its set-up and its monthly cube over all draws."""

    scenario: Scenario
    setup: Setup
    cube: Cube


@dataclass(frozen=True)
class Calibrated:
    """The posterior that runs were drawn from."""

    book: str
    book_fingerprint: str
    fingerprint: str
    status: str
    """PASS or REVIEW; FAIL only where the run was forced."""
    learned: int
    """How many numbers the book taught."""

    @classmethod
    def of(cls, posterior: Learned) -> Calibrated:
        """What is kept of a posterior."""
        facts = (posterior.book, posterior.book_fingerprint, posterior.fingerprint, posterior.status)
        return cls(*facts, learned=posterior.learned)


@dataclass(frozen=True)
class Runs:
    """Simulated scenarios that share seed and parameter draws, by name; the first is the base of comparisons.

    Example:
        runs = ss.run([base, plus2], draws=500)
        runs.table("baseline")                    # monthly means and quantiles
        runs.contrast("two_more_csms").text       # paired difference to the first scenario
    """

    outcomes: Mapping[str, Outcome]
    seed: int
    draws: int
    engine: str = "compiled"
    fixed_parameters: bool = False
    calibrated: Calibrated | None = None
    _cache: dict[tuple[str, str], Floats] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcomes", MappingProxyType(dict(self.outcomes)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenarios, in the order they were given."""
        return tuple(self.outcomes)

    @property
    def interval(self) -> dict[str, Any]:
        """Kind and levels of every interval in the tables."""
        return interval(self.fixed_parameters)

    @property
    def arr(self) -> View:
        """ARR, as something to look at: `runs.arr.fan()`."""
        return View(self, "arr")

    def outcome(self, scenario: str | Scenario | None = None) -> Outcome:
        """A scenario's outcome, by name or scenario; the first one when nothing is named."""
        name = self.names[0] if scenario is None else scenario if isinstance(scenario, str) else scenario.name
        if name not in self.outcomes:
            raise InputError(where="scenario", found=repr(name), allowed=", ".join(self.names))
        return self.outcomes[name]

    def groups(self, scenario: str | Scenario | None, metric: str) -> tuple[str, ...]:
        """What a metric is split by, "all" last: segments, or teams for metrics of work."""
        setup = self.outcome(scenario).setup
        if metric in TEAM_METRICS:
            return (*setup.team_names, ALL)
        return (ALL,) if metric == CS_COST.name else (*setup.segment_names, ALL)

    def team_title(self, scenario: str | Scenario | None, team: str) -> str:
        """A team's title in its scenario, such as "Mid-touch CSMs"."""
        known = self.outcome(scenario).scenario.teams
        return known[team].title if team in known else team

    def values(self, scenario: str | Scenario | None, metric: str) -> Floats:
        """All draws of a metric, unrounded: array [draws, months, groups], money in currency units."""
        outcome = self.outcome(scenario)
        key = (outcome.scenario.name, metric)
        if key not in self._cache:
            if metric not in METRICS:
                raise InputError(where="metric", found=repr(metric), allowed=", ".join(METRICS))
            if metric == CS_COST.name:
                values = cs_cost(outcome.cube)[:, :, np.newaxis]
            else:
                values = (segment_values if metric in SEGMENT_METRICS else team_values)(outcome.cube, metric)
            values.setflags(write=False)
            self._cache[key] = values
        return self._cache[key]

    def samples(self, scenario: str | Scenario | None, metric: str, group: str = ALL) -> Floats:
        """Draws of a metric for one segment (or team, for metrics of work): array [draws, months]."""
        groups = self.groups(scenario, metric)
        if group not in groups:
            raise InputError(where=f"group of {metric}", found=repr(group), allowed=", ".join(groups))
        return self.values(scenario, metric)[:, :, groups.index(group)]

    def opening_arr(self, scenario: str | Scenario | None = None) -> float:
        """ARR at the start, in currency units."""
        return int(self.outcome(scenario).cube.opening_arr.sum()) / 100

    def table(self, scenario: str | Scenario | None = None) -> pd.DataFrame:
        """Monthly table in long form: month (month end), segment, team, metric, mean and quantiles.

        `team` is empty for metrics of segments. Money is in currency units with two decimals. `attrs` state the kind of
        interval, the currency and every metric's unit and definition.
        """
        import pandas as pd  # noqa: PLC0415 - only tables need it; a process that draws starts without

        parts = [self._rows(scenario, metric) for metric in METRICS.values()]
        table = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
        table.attrs = {
            "interval": self.interval,
            "currency": self.outcome(scenario).scenario.currency,
            "units": {name: metric.kind for name, metric in METRICS.items()},
            "definitions": {name: metric.definition for name, metric in METRICS.items()},
        }
        return table

    def _rows(self, scenario: str | Scenario | None, metric: Metric) -> pd.DataFrame:
        import pandas as pd  # noqa: PLC0415 - see table

        groups = self.groups(scenario, metric.name)
        months = month_ends(self.outcome(scenario).setup)
        numbers = summarise(self.values(scenario, metric.name), DECIMALS[metric.kind]).reshape(len(STATISTICS), -1)
        group = np.tile(np.array(groups, dtype=object), len(months))
        is_team = metric.name in TEAM_METRICS
        keys = {
            "month": np.repeat(months, len(groups)),
            "segment": ALL if is_team else group,
            "team": group if is_team else "",
            "metric": metric.name,
        }
        return pd.DataFrame({**keys, **dict(zip(STATISTICS, numbers, strict=True))})

    def to_records(self, scenario: str | Scenario | None = None) -> list[dict[str, Any]]:
        """The monthly table as JSON-ready rows: dates as text, null where a ratio has no value or no team applies."""
        import pandas as pd  # noqa: PLC0415 - see table

        table = self.table(scenario)
        table["month"] = pd.to_datetime(table["month"]).dt.strftime("%Y-%m-%d")
        return [clean(row) for row in table.to_dict("records")]

    def to_xarray(self, scenario: str | Scenario | None = None) -> xr.DataArray:
        """Draws with named dimensions (scenario, draw, month, segment, metric), for metrics of segments.

        All scenarios when none is named; they must then have the same segments. Months one scenario lacks are NaN.
        """
        import xarray as xr  # noqa: PLC0415 - half a second that only this method needs

        names = self.names if scenario is None else (self.outcome(scenario).scenario.name,)
        arrays = [
            xr.DataArray(
                np.stack([self.values(name, metric) for metric in SEGMENT_METRICS], axis=-1)[np.newaxis],
                dims=("scenario", "draw", "month", "segment", "metric"),
                coords={
                    "scenario": [name],
                    "draw": np.arange(self.draws),
                    "month": month_ends(self.outcome(name).setup),
                    "segment": list(self.groups(name, "arr")),
                    "metric": list(SEGMENT_METRICS),
                },
            )
            for name in names
        ]
        joined = xr.concat(arrays, dim="scenario", join="outer")
        joined.attrs = {"interval": self.interval["kind"], "seed": self.seed}
        return joined

    def contrast(self, scenario: str | Scenario, base: str | Scenario | None = None) -> Contrast:
        """Paired differences of a scenario to a base (the first scenario when not named), draw by draw."""
        return contrast(self, self.outcome(scenario).scenario.name, self.outcome(base).scenario.name)

    def contrasts(self) -> tuple[Contrast, ...]:
        """Every other scenario against the first."""
        return tuple(self.contrast(name) for name in self.names[1:])

    def to_dict(self, scenario: str | Scenario | None = None) -> dict[str, Any]:
        """One JSON-ready object per scenario: names, seed, draws, interval and the monthly rows."""
        outcome = self.outcome(scenario)
        return {
            "scenario": outcome.scenario.name,
            "draws": self.draws,
            "seed": self.seed,
            "currency": outcome.scenario.currency,
            "interval": self.interval,
            "monthly": self.to_records(scenario),
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __repr__(self) -> str:
        return f"Runs({', '.join(self.names)}; {self.draws} draws, seed {self.seed})"

    def _repr_html_(self) -> str:
        import pandas as pd  # noqa: PLC0415 - see table

        rows = [self._last_month(name) for name in self.names]
        return f"<p>{self!r}<br>{self.interval['kind']}</p>" + pd.DataFrame(rows).to_html(index=False)

    def _last_month(self, name: str) -> dict[str, Any]:
        arr = summarise(self.samples(name, "arr")[:, -1], 0)
        end = month_ends(self.outcome(name).setup)[-1]
        at = dict(zip(STATISTICS, arr, strict=True))
        return {"scenario": name, "month": end, **{f"ARR {key}": at[key] for key in ("q05", "q50", "q95")}}


@dataclass(frozen=True)
class View:
    """One metric of runs."""

    runs: Runs
    metric: str

    def samples(self, scenario: str | Scenario | None = None, segment: str = ALL) -> Floats:
        """Draws: array [draws, months]."""
        return self.runs.samples(scenario, self.metric, segment)

    def table(self, scenario: str | Scenario | None = None) -> pd.DataFrame:
        """The metric's rows of the monthly table."""
        table = self.runs.table(scenario)
        return table[table["metric"] == self.metric].reset_index(drop=True)

    def fan(self, scenario: str | Scenario | None = None, *, ax: Axes | None = None) -> Axes:
        """Fan chart of ARR; returns the axes."""
        drawn: Axes = presenting.figures().fan(self.runs, self.runs.outcome(scenario).scenario.name, ax=ax)
        return drawn


def month_ends(setup: Setup) -> npt.NDArray[np.datetime64]:
    """Last days of the months, as datetime64[s]."""
    return np.array(setup.month_ends, dtype="datetime64[D]").astype("datetime64[s]")
