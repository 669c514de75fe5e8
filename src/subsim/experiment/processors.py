"""How many processors a run may use."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Final

QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def processors() -> int:
    """Processors that this process may use: those it may run on, no more than its container's quota (cgroup 2).

    joblib counts the same way; asking it would load its pools of processes, an eighth of a second at every start.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return min(usable, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max" for no quota
        return usable
