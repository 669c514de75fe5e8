"""What a run leaves behind: counters by month, and the trace."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from subsim.engine import metrics
from subsim.engine.state import LOG


class ReferenceResult(NamedTuple):
    """Cubes and trace of one run, as the compiled engine gives them."""

    segments: NDArray[np.int64]  # [month, segment, metrics.SEGMENT]
    teams: NDArray[np.int64]  # [month, team, metrics.TEAM]
    tiers: NDArray[np.int64]  # [month, tier, metrics.TIER]
    log: NDArray[np.void]  # state.LOG, in order of happening; empty without a trace


class Record:
    """The books of a run: money in cents, work in minutes, by calendar month."""

    def __init__(self, months: int, segments: int, teams: int, tiers: int, trace: bool) -> None:
        self.month = 0
        self.segments = np.zeros((months, segments, len(metrics.SEGMENT)), np.int64)
        self.teams = np.zeros((months, teams, len(metrics.TEAM)), np.int64)
        self.tiers = np.zeros((months, tiers, len(metrics.TIER)), np.int64)
        self._trace = trace
        self._lines: list[tuple[int, int, int, int, int, int]] = []

    def segment(self, segment: int, metric: int, amount: int = 1) -> None:
        """Add to a segment's counter of the month."""
        self.segments[self.month, segment, metric] += amount

    def team(self, team: int, metric: int, amount: int = 1) -> None:
        """Add to a team's counter of the month."""
        self.teams[self.month, team, metric] += amount

    def tier(self, tier: int, metric: int, amount: int = 1) -> None:
        """Add to a tier's counter of the month."""
        self.tiers[self.month, tier, metric] += amount

    def note(self, t: int, code: int, who: int, other: int = 0, before: int = 0, after: int = 0) -> None:
        """Write a line of the trace, when one is kept; codes are those of `subsim.engine.events.TRACE`."""
        if self._trace:
            self._lines.append((t, code, who, other, before, after))

    def result(self) -> ReferenceResult:
        """The cubes and the trace so far."""
        return ReferenceResult(self.segments, self.teams, self.tiers, np.array(self._lines, LOG))
