"""Where each parameter sits in a run's parameter vector (a flat float64 array).

Every parameter of the catalogue is a module constant here, its dots replaced by underscores: ``p[at.renewal_base +
segment]``,
``p[at.touch_cadence + tier * WORK + work]``. Compiled code sees these as constants.
"""

from subsim.model.catalogue import SIZES, parameters

SEGMENTS: int = SIZES["segment"]
TIERS: int = SIZES["tier"]
WORK: int = SIZES["work"]
TEAMS: int = SIZES["team"]
CAMPAIGNS: int = SIZES["campaign"]

_next = 0
for _row in parameters().values():
    globals()[_row.slot] = _next
    _next += _row.size

#: Length of a parameter vector.
LENGTH: int = _next
