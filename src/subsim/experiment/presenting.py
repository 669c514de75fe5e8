"""The one seam by which results offer their own pictures and words: `runs.arr.fan()`, `contrast.text`.

The report room reads results, never the other way round: it is named here as text and loaded when somebody asks, so
that running and storing experiments needs no plotting library.
"""

from __future__ import annotations

import importlib
from typing import Any


def figures() -> Any:
    """The functions that draw."""
    return importlib.import_module("subsim.report.figures")


def prose() -> Any:
    """The functions that write."""
    return importlib.import_module("subsim.report.prose")


def words_of(module: str) -> Any:
    """The module of the report room that writes about one kind of result."""
    return importlib.import_module(f"subsim.report.{module}")
