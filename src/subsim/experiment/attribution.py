"""What drives a difference: each change of a scenario alone, and an interaction row, adding up in every draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from subsim.errors import InputError, InputErrors
from subsim.experiment import presenting
from subsim.experiment.at_horizon import at_horizon
from subsim.experiment.contrast import horizons_of
from subsim.experiment.parameters import Learned
from subsim.experiment.quantiles import STATISTICS, clean, interval, summarise
from subsim.experiment.results import Runs
from subsim.experiment.run import run
from subsim.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Ints = npt.NDArray[np.int64]
METRICS: Final = ("arr", "churn", "cs_cost", "net_value")
"""What is attributed; all in money, so that cents add up."""
INTERACTION: Final = "interaction"
TOTAL: Final = "total"
TOGETHER: Final = "changes that need each other"
_NOT_DECISIONS: Final = ("name", "question")
_FIXED: Final = ("start", "horizon", "currency", "book", "as_of")


@dataclass(frozen=True)
class Attribution:
    """The difference between two scenarios by driver: `table`, `text`, `draws`."""

    base: str
    scenario: str
    drivers: tuple[str, ...]
    table: pd.DataFrame
    runs: Runs = field(repr=False)

    def draws(self, metric: str, horizon_months: int) -> dict[str, Ints]:
        """Cents by driver, the interaction and the total, one array over draws each; they add up exactly."""
        cents = {name: _cents(self.runs, name, metric, horizon_months) for name in (self.base, *self.drivers)}
        whole = _cents(self.runs, self.scenario, metric, horizon_months) - cents[self.base]
        parts = {name: cents[name] - cents[self.base] for name in self.drivers}
        return {**parts, INTERACTION: whole - sum(parts.values(), np.zeros_like(whole)), TOTAL: whole}

    @property
    def text(self) -> str:
        """The largest drivers in a sentence, with the interaction."""
        months = int(self.table["horizon_months"].max())
        rows = self.table[(self.table["metric"] == "arr") & (self.table["horizon_months"] == months)]
        means = dict(zip(rows["driver"], rows["mean"].astype(float), strict=True))
        order = sorted(self.drivers, key=lambda name: -abs(means[name]))
        parts = ", ".join(f"{name} {means[name]:+,.0f}" for name in order)
        return (
            f"{self.scenario} against {self.base}: ARR {means[TOTAL]:+,.0f} after {months} months on average, of which "
            f"{parts}, and {means[INTERACTION]:+,.0f} because the changes act together "
            f"(in {self.table.attrs['currency']})."
        )

    def figure(self, *, metric: str = "arr", ax: Axes | None = None) -> Axes:
        """Drivers and interaction as bars that add up to the difference."""
        drawn: Axes = presenting.figures().drivers(self, metric=metric, ax=ax)
        return drawn

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: who against whom, the drivers, and the rows of the table."""
        return {
            "base": self.base,
            "scenario": self.scenario,
            "drivers": list(self.drivers),
            "currency": self.table.attrs["currency"],
            "interval": self.table.attrs["interval"],
            "table": self.to_records(),
        }

    def to_records(self) -> list[dict[str, Any]]:
        """JSON-ready rows."""
        return [clean(row) for row in self.table.to_dict("records")]

    def __repr__(self) -> str:
        return f"Attribution({self.scenario} - {self.base}: {', '.join(self.drivers)})"

    def _repr_html_(self) -> str:
        return f"<p>{self.text}</p>{self.table.to_html(index=False)}"


def attribute(
    base: Scenario,
    scenario: Scenario,
    *,
    draws: int = 200,
    seed: int = 1,
    workers: int | None = None,
    posterior: Learned | None = None,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Attribution:
    """Split the difference of a scenario to its base by driver, on common random numbers.

    Every change is also run alone: each lever that the base does not have, and each other changed part of the file.
    Changes that make no sense alone (a route to a tier that only the scenario has) form one driver. The interaction is
    what remains of the total; it is shown, not shared out, since how to share it is a convention.

    Args:
        base: what is compared with.
        scenario: the plan; it starts on the same day as the base and reaches as far.
        draws: futures for each run.
        seed: same seed, same answer.
        workers: threads.
        posterior: joint draws of a calibration, in all runs the same.
        progress: called with the number of draws just finished.
        options: passed on to `subsim.experiment.run.run`.

    Raises:
        InputError: the two have the same name, do not differ, or differ in what is not a decision (start, horizon).
    """
    parts = drivers_of(base, scenario)
    runs = run(
        [base, scenario, *parts.values()],
        draws=draws,
        seed=seed,
        workers=workers,
        posterior=posterior,
        progress=progress,
        **options,
    )
    found = Attribution(base.name, scenario.name, tuple(parts), pd.DataFrame(), runs)
    rows = []
    for metric in METRICS:
        for horizon in horizons_of(base.horizon_months):
            for name, cents in found.draws(metric, horizon).items():
                numbers = dict(zip(STATISTICS, summarise(cents / 100, 2), strict=True))
                rows.append({"driver": name, "metric": metric, "horizon_months": horizon, **numbers})
    table = pd.DataFrame(rows)
    table.attrs = {
        "interval": {**interval(runs.fixed_parameters), "of": "paired differences to the base, draw by draw"},
        "currency": base.currency,
    }
    return Attribution(base.name, scenario.name, tuple(parts), table, runs)


def _cents(runs: Runs, name: str, metric: str, horizon: int) -> Ints:
    """A metric in whole cents, so that parts add up exactly."""
    return np.rint(100 * at_horizon(runs, name, metric, horizon)).astype(np.int64)


def drivers_of(base: Scenario, scenario: Scenario) -> dict[str, Scenario]:
    """The base with one change of the scenario each, by the name of the change."""
    before, after = base.to_dict(), scenario.to_dict()
    if base.name == scenario.name:
        raise InputError(where="drivers", found=f"two scenarios named {base.name!r}", allowed="different names")
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key) and key not in _NOT_DECISIONS]
    fixed = [key for key in keys if key in _FIXED]
    if fixed or not keys:
        found = f"{scenario.name} differs from {base.name} in {', '.join(fixed) or 'nothing'}"
        raise InputError(where="drivers", found=found, allowed="scenarios that differ in decisions alone")
    return _alone(base, _pieces(before, after, keys))


def _pieces(before: dict[str, Any], after: dict[str, Any], keys: list[str]) -> dict[str, dict[str, Any]]:
    """Changed keys of the file by driver: every new lever for itself."""
    pieces: dict[str, dict[str, Any]] = {}
    for key in keys:
        if key != "levers":
            pieces[key.replace("_", " ")] = {key: after.get(key)}
            continue
        old = before.get("levers") or []
        kept = [lever for lever in old if lever in (after.get("levers") or [])]
        if len(kept) < len(old):
            pieces["levers taken out"] = {"levers": kept}
        for lever in after.get("levers") or []:
            if lever not in old:
                pieces[_lever_name(lever, pieces)] = {"levers": [*old, lever]}
    return pieces


def _lever_name(lever: Mapping[str, Any], taken: Mapping[str, Any]) -> str:
    """A lever in a few words; a number tells apart those that read the same."""
    kind, body = next(iter(lever.items()))
    facts = body if isinstance(body, dict) else {"value": body}
    text = f"{kind} " + ", ".join(
        f"{value}" if isinstance(value, str) else f"{key} {json.dumps(value)}" for key, value in facts.items()
    )
    name, count = text, 2
    while name in taken:
        name, count = f"{text} ({count})", count + 1
    return name


def _alone(base: Scenario, pieces: dict[str, dict[str, Any]]) -> dict[str, Scenario]:
    facts = base.to_dict()
    alone, needy = {}, []
    for name, change in pieces.items():
        made = _changed(facts, change, name)
        if made is None:
            needy.append(change)
        else:
            alone[name] = made
    if needy:
        joined = _changed(facts, _joined(needy), TOGETHER)
        for name in list(alone):  # what the needy ones need joins them
            if joined is None:
                del alone[name]
                needy.append(pieces[name])
                joined = _changed(facts, _joined(needy), TOGETHER)
        if joined is not None:
            alone[TOGETHER] = joined
    return alone


def _joined(changes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several changes as one; their levers one after the other, each once."""
    levers: list[Any] = []
    for change in changes:
        levers += [lever for lever in change.get("levers", []) if lever not in levers]
    whole = {key: value for change in changes for key, value in change.items()}
    return whole | ({"levers": levers} if levers else {})


def _changed(facts: dict[str, Any], change: dict[str, Any], name: str) -> Scenario | None:
    """The base with a change; None where the change makes no sense alone."""
    new = {key: value for key, value in (facts | change).items() if value is not None}
    try:
        return Scenario.from_dict(new | {"name": name})
    except InputErrors:
        return None
