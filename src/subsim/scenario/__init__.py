"""Scenario files: what is decided, checked before anything runs."""

from subsim.scenario.loading import load_scenario
from subsim.scenario.models import Scenario

__all__ = ["Scenario", "load_scenario"]
