"""The pictures that a run leaves in its folder: for each scenario, and of plans against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from subsim.report.fans import fan, plans_fan
from subsim.report.load import utilisation
from subsim.report.plans import coverage
from subsim.report.style import saving
from subsim.report.waterfall import bridge

if TYPE_CHECKING:
    from subsim.experiment.results import Runs


def draw(runs: Runs, folder: Path) -> None:
    """Draw every picture of runs into a folder."""
    with saving() as save:
        for name in runs.names:
            mark = "" if len(runs) == 1 else f"_{_file_name(name)}"
            save(fan(runs, name), folder / f"arr{mark}.png")
            save(bridge(runs, name), folder / f"bridge{mark}.png")
            if _has_hours(runs, name):
                save(utilisation(runs, name), folder / f"load{mark}.png")
        if len(runs) > 1:
            save(plans_fan(runs), folder / "plans.png")
            save(coverage(runs.contrasts()), folder / "comparison.png")


def _has_hours(runs: Runs, name: str) -> bool:
    """Whether anybody works in this scenario."""
    return not bool(np.isnan(runs.samples(name, "utilisation")).all())


def _file_name(name: str) -> str:
    """A scenario's name as part of a file name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name.lower())
