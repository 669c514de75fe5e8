"""Keyed uniforms by Philox 4x32-10: the same key gives the same number, whatever else was drawn.

Counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC11, 2011).
Key: the seed. Counter: entity (64 bits), ordinal (32), purpose (8) and run (24). See docs/concepts/randomness.md.

Words are kept in 64 bits; a product of two 32-bit words fits, so nothing ever overflows, compiled or not.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subsim._jit import rule, word

RUN_LIMIT = 1 << 24
PURPOSE_LIMIT = 1 << 8
ORDINAL_LIMIT = 1 << 32

_MASK24 = word(RUN_LIMIT - 1)
_MASK32 = word(0xFFFF_FFFF)
_BITS12 = word(12)
_BITS24 = word(24)
_BITS32 = word(32)
_MULTIPLIER_0 = word(0xD251_1F53)
_MULTIPLIER_1 = word(0xCD9E_8D57)
_WEYL_0 = word(0x9E37_79B9)
_WEYL_1 = word(0xBB67_AE85)
_STEP = 2.0**-52


@rule
def philox4x32(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Ten rounds of Philox 4x32 on a counter of four and a key of two 32-bit words."""
    c0, c1, c2, c3, k0, k1 = word(c0), word(c1), word(c2), word(c3), word(k0), word(k1)
    for _ in range(10):
        p0 = _MULTIPLIER_0 * c0
        p1 = _MULTIPLIER_1 * c2
        c0 = (p1 >> _BITS32) ^ c1 ^ k0
        c1 = p1 & _MASK32
        c2 = (p0 >> _BITS32) ^ c3 ^ k1
        c3 = p0 & _MASK32
        k0 = (k0 + _WEYL_0) & _MASK32
        k1 = (k1 + _WEYL_1) & _MASK32
    return c0, c1, c2, c3


@rule
def bits(seed: int, run: int, purpose: int, entity: int, ordinal: int) -> int:
    """64 random bits of a key: seed (u64), run (below 2**24), purpose (below 256), entity (u64), ordinal (u32)."""
    key = word(seed)
    who = word(entity)
    c3 = ((word(purpose) & word(255)) << _BITS24) | (word(run) & _MASK24)
    x0, x1, _, _ = philox4x32(who & _MASK32, who >> _BITS32, word(ordinal) & _MASK32, c3, key & _MASK32, key >> _BITS32)
    return x0 | (x1 << _BITS32)


@rule
def uniform(seed: int, run: int, purpose: int, entity: int, ordinal: int) -> float:
    """Uniform number strictly between 0 and 1 of a key: 52 bits, centred in their cells.

    With 53 bits the highest cell would round to 1, where inverse distribution functions are infinite.
    """
    return (float(bits(seed, run, purpose, entity, ordinal) >> _BITS12) + 0.5) * _STEP


@rule
def _fill(seed: int, runs: NDArray, purpose: int, entities: NDArray, ordinals: NDArray, out: NDArray) -> None:  # type: ignore[type-arg]
    for i in range(out.size):
        out[i] = uniform(seed, runs[i], purpose, entities[i], ordinals[i])


def uniform_array(
    seed: int, runs: ArrayLike, purpose: int, entities: ArrayLike, ordinals: ArrayLike
) -> NDArray[np.float64]:
    """`uniform` for arrays of runs, entities and ordinals, broadcast against each other; bit for bit the same.

    >>> uniform_array(7, 0, 1, [10, 11], [[0], [1], [2]]).shape
    (3, 2)
    """
    run, entity, ordinal = np.broadcast_arrays(
        np.asarray(runs, np.int64), np.asarray(entities, np.uint64), np.asarray(ordinals, np.int64)
    )
    out = np.empty(run.shape)
    # Copied, because numpy warns when compiled code takes views that share memory with a broadcast.
    run, entity, ordinal = (np.array(array).ravel() for array in (run, entity, ordinal))
    _fill(seed, run, int(purpose), entity, ordinal, out.reshape(-1))
    return out
