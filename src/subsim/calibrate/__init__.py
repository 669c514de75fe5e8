"""Calibration: from a book to joint draws of the model's parameters, and what they do and do not rest on.

Example:
    posterior = calibrate(read_book("data/acme", as_of="2026-06-30"))
    print(posterior.text)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subsim.calibrate.posterior import Posterior, load_posterior
    from subsim.calibrate.priors import Prior, elicit
    from subsim.calibrate.together import calibrate

__all__ = ["Posterior", "Prior", "calibrate", "elicit", "load_posterior"]

_HOME = {
    "Posterior": "subsim.calibrate.posterior",
    "load_posterior": "subsim.calibrate.posterior",
    "Prior": "subsim.calibrate.priors",
    "elicit": "subsim.calibrate.priors",
    "calibrate": "subsim.calibrate.together",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'subsim.calibrate' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
