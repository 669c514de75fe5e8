"""Discrete-event simulation of a subscription customer base.

Names are imported when first used, so that `import subsim` stays quick.

Example:
    import subsim as ss

    base = ss.load_scenario("scenarios/baseline.yaml")
    plus2 = base.replace(name="two more", levers=[ss.hire("mid_touch", seats=2, on="2026-10-01")])
    runs = ss.run([base, plus2], draws=200, seed=1)
    print(runs.contrast("two more").text)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subsim.book import Book, read_book
    from subsim.calibrate import Posterior, calibrate, elicit, load_posterior
    from subsim.experiment.contrast import Contrast
    from subsim.experiment.results import Runs
    from subsim.experiment.run import run
    from subsim.scenario import Scenario, load_scenario
    from subsim.scenario.levers import cadence, campaign, hire, leave, plan, price, qualify, route, scale, score

__version__ = "0.1.0"

_ROOMS = {
    "subsim.book": ("Book", "read_book"),
    "subsim.calibrate": ("Posterior", "calibrate", "elicit", "load_posterior"),
    "subsim.experiment.contrast": ("Contrast",),
    "subsim.experiment.results": ("Runs",),
    "subsim.experiment.run": ("run",),
    "subsim.scenario": ("Scenario", "load_scenario"),
    "subsim.scenario.levers": (
        "cadence",
        "campaign",
        "hire",
        "leave",
        "plan",
        "price",
        "qualify",
        "route",
        "scale",
        "score",
    ),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [  # noqa: RUF022 - in the order of use
    "read_book",
    "Book",
    "calibrate",
    "elicit",
    "load_posterior",
    "Posterior",
    "load_scenario",
    "Scenario",
    "hire",
    "leave",
    "route",
    "scale",
    "cadence",
    "price",
    "qualify",
    "campaign",
    "score",
    "plan",
    "run",
    "Runs",
    "Contrast",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'subsim' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
