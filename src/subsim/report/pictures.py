"""The pictures that a run leaves in its folder: for each scenario, and of plans against each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from subsim.report.fans import fan, plans_fan
from subsim.report.load import utilisation
from subsim.report.plans import coverage
from subsim.report.style import saving
from subsim.report.waterfall import bridge

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from subsim.experiment.results import Runs


def draw(runs: Runs, folder: Path, *, part: int = 0, parts: int = 1) -> None:
    """Draw every picture of runs into a folder; of several parts, which share the work, the pictures of one."""
    with saving() as save:
        for file, picture in _pictures(runs)[part::parts]:
            save(picture(), folder / file)


def _pictures(runs: Runs) -> list[tuple[str, Callable[[], Axes]]]:
    """File names, and what draws them: those that take longest stand at odd places."""
    found: list[tuple[str, Callable[[], Axes]]] = []
    for name in runs.names:
        mark = "" if len(runs) == 1 else f"_{_file_name(name)}"
        found.append((f"arr{mark}.png", partial(fan, runs, name)))
        if _has_hours(runs, name):
            found.append((f"load{mark}.png", partial(utilisation, runs, name)))
        found.append((f"bridge{mark}.png", partial(bridge, runs, name)))
    if len(runs) > 1:
        found.append(("plans.png", partial(plans_fan, runs)))
        found.append(("comparison.png", lambda: coverage(runs.contrasts())))
    return found


def _has_hours(runs: Runs, name: str) -> bool:
    """Whether anybody works in this scenario."""
    return not bool(np.isnan(runs.samples(name, "utilisation")).all())


def _file_name(name: str) -> str:
    """A scenario's name as part of a file name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name.lower())
