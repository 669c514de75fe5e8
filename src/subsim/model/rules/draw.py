"""One keyed uniform for one decision."""

from typing import Any

from subsim._jit import rule
from subsim.random.philox import uniform


@rule
def draw(key: Any, purpose: int, entity: int, n: int) -> float:
    """The uniform number of this purpose, entity and ordinal in the run that ``key`` = (seed, run) names."""
    return uniform(key[0], key[1], purpose, entity, n)
