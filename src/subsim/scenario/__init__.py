"""Scenario files: what is decided, checked before anything runs."""

from subsim.scenario.diff import changes, diff
from subsim.scenario.explain import explain
from subsim.scenario.loading import load_scenario
from subsim.scenario.models import Scenario

__all__ = ["Scenario", "changes", "diff", "explain", "load_scenario"]
