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

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subsim.book import Book, read_book
    from subsim.calibrate import Posterior, calibrate, elicit, load_posterior
    from subsim.experiment.attribution import Attribution, attribute
    from subsim.experiment.contrast import Contrast
    from subsim.experiment.information import Information, value_of_information
    from subsim.experiment.investments import Investment, investment
    from subsim.experiment.needed_effect import NeededEffect, needed_effect
    from subsim.experiment.pilot_design import PilotDesign, design_pilot
    from subsim.experiment.results import Runs
    from subsim.experiment.run import run
    from subsim.experiment.sensitivity import Sensitivity, sensitivity
    from subsim.experiment.time_to_value import TimeToValue, time_to_value
    from subsim.experiment.variance import VarianceSplit, split_variance
    from subsim.scenario import Scenario, load_scenario
    from subsim.scenario.levers import cadence, campaign, hire, leave, plan, price, qualify, route, scale, score
    from subsim.staffing.choice import Limits
    from subsim.staffing.coverage import Coverage, coverage
    from subsim.staffing.frontier import Frontier, frontier
    from subsim.staffing.hiring import HiringPlan, hiring_plan
    from subsim.staffing.pooling import Pooling, pooling
    from subsim.staffing.staff import Staffing, staff

__version__ = "0.1.0"

_ROOMS = {
    "subsim.book": ("Book", "read_book"),
    "subsim.calibrate": ("Posterior", "calibrate", "elicit", "load_posterior"),
    "subsim.experiment.attribution": ("Attribution", "attribute"),
    "subsim.experiment.contrast": ("Contrast",),
    "subsim.experiment.information": ("Information", "value_of_information"),
    "subsim.experiment.investments": ("Investment", "investment"),
    "subsim.experiment.needed_effect": ("NeededEffect", "needed_effect"),
    "subsim.experiment.pilot_design": ("PilotDesign",),
    "subsim.experiment.results": ("Runs",),
    "subsim.experiment.run": ("run",),
    "subsim.experiment.sensitivity": ("Sensitivity", "sensitivity"),
    "subsim.experiment.time_to_value": ("TimeToValue", "time_to_value"),
    "subsim.experiment.variance": ("VarianceSplit", "split_variance"),
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
    "subsim.staffing.choice": ("Limits",),
    "subsim.staffing.coverage": ("Coverage", "coverage"),
    "subsim.staffing.frontier": ("Frontier", "frontier"),
    "subsim.staffing.hiring": ("HiringPlan", "hiring_plan"),
    "subsim.staffing.pooling": ("Pooling", "pooling"),
    "subsim.staffing.staff": ("Staffing", "staff"),
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
    "needed_effect",
    "NeededEffect",
    "attribute",
    "Attribution",
    "split_variance",
    "VarianceSplit",
    "value_of_information",
    "Information",
    "sensitivity",
    "Sensitivity",
    "investment",
    "Investment",
    "time_to_value",
    "TimeToValue",
    "design_pilot",
    "PilotDesign",
    "staff",
    "Staffing",
    "Limits",
    "frontier",
    "Frontier",
    "coverage",
    "Coverage",
    "hiring_plan",
    "HiringPlan",
    "pooling",
    "Pooling",
]


def _histories(*shape: Any, **options: Any) -> Any:
    from subsim.experiment.bridge_histories import bridge_histories

    return bridge_histories(*shape, **options)


@functools.cache
def _calibrate() -> Callable[..., Posterior]:
    """`calibrate`, with what a bridge alone is learned from; calibration itself does not import the simulator."""
    function: Callable[..., Posterior] = importlib.import_module("subsim.calibrate").calibrate
    return functools.wraps(function)(functools.partial(function, simulate=_histories))


def _lift(book: Book, touch: str) -> tuple[float, float] | None:
    """Standard deviation of a touch's lift after and before a book spoke; None where it taught nothing."""
    from subsim.calibrate import calibrate
    from subsim.calibrate.engagement import Engagement

    posterior, key = calibrate(book, only=[Engagement()]), ("work.lift", (touch,))
    if key in posterior.silent or not posterior.events.get(key, 0):
        return None
    return float(posterior.draws[key].std()), float(posterior.priors[key].sd)


def _design_pilot() -> Callable[..., PilotDesign]:
    """`design_pilot` with the calibration's own estimator; experiments do not import calibration."""
    function = importlib.import_module("subsim.experiment.pilot_design").design_pilot
    bound: Callable[..., PilotDesign] = functools.wraps(function)(functools.partial(function, estimate=_lift))
    return bound


class _Package(ModuleType):
    """This package: importing the room `calibrate` would put it in the place of the function of that name."""

    @property
    def calibrate(self) -> Callable[..., Posterior]:
        return _calibrate()

    @calibrate.setter
    def calibrate(self, room: ModuleType) -> None:
        """Leave the function where it is."""


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "design_pilot":
        value: Any = _design_pilot()
    elif name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'subsim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, "design_pilot"})
