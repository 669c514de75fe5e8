"""Figures: ARR fan, bridge, load on teams, comparison of plans. Each takes `ax=` and returns the axes."""

from subsim.report.bars import drivers, hires, information, needed, variance
from subsim.report.coverage_lab import coverage_lab
from subsim.report.fans import fan, plans_fan
from subsim.report.frontier import frontier
from subsim.report.investments import investments
from subsim.report.load import utilisation
from subsim.report.pilots import pilots
from subsim.report.plans import coverage
from subsim.report.pooling import pooling
from subsim.report.response import response
from subsim.report.sensitivities import sensitivity
from subsim.report.style import save
from subsim.report.waterfall import bridge

__all__ = [
    "bridge",
    "coverage",
    "coverage_lab",
    "drivers",
    "fan",
    "frontier",
    "hires",
    "information",
    "investments",
    "needed",
    "pilots",
    "plans_fan",
    "pooling",
    "response",
    "save",
    "sensitivity",
    "utilisation",
    "variance",
]
