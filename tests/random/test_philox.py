"""Philox against published vectors; uniforms as functions of their key."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from subsim.random import Purpose, bits, purposes, uniform, uniform_array
from subsim.random.philox import philox4x32

ONES = 0xFFFF_FFFF


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),  # digits of pi
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_vectors_of_random123(counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert tuple(map(int, philox4x32(*counter, *key))) == expected


def test_layout_of_counter_and_key() -> None:
    # The vector of pi digits, reached through the contract's fields
    seed = 0x299F31D0 << 32 | 0xA4093822
    entity = 0x85A308D3 << 32 | 0x243F6A88
    assert bits(seed, 0x707344, 0x03, entity, 0x13198A2E) == 0x94FDCCEB << 32 | 0xD16CFE09


def test_uniform_is_the_centre_of_one_of_2_to_the_52_cells() -> None:
    x = int(bits(1, 2, 3, 4, 5))
    assert uniform(1, 2, 3, 4, 5) == ((x >> 12) + 0.5) * 2.0**-52


def test_values_are_frozen() -> None:
    # A change here changes every simulated result
    assert uniform(7, 3, purposes.RENEWAL, 5, 4).hex() == "0x1.8a65eaa09a24bp-1"
    assert uniform(7, 3, purposes.RENEWAL, (1 << 63) + 5, 4).hex() == "0x1.451d4969a73ccp-3"


@pytest.mark.parametrize("entity", [0, 5, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_integers_of_any_type_give_the_same_number(entity: int) -> None:
    plain = uniform(7, 3, purposes.WIN, entity, 4)
    assert uniform(np.uint64(7), np.int64(3), Purpose.WIN, np.uint64(entity), np.uint32(4)) == plain
    assert uniform_array(7, 3, Purpose.WIN, np.uint64(entity), 4) == plain


def test_array_equals_scalar_bit_for_bit() -> None:
    runs = np.arange(4)[:, None]
    entities = np.array([0, 1, 1 << 40, 1 << 63, (1 << 64) - 1], np.uint64)
    table = uniform_array((1 << 64) - 3, runs, purposes.TERM, entities, 9)
    assert table.shape == (4, 5)
    for i in range(4):
        for j, entity in enumerate(entities):
            assert table[i, j] == uniform((1 << 64) - 3, i, purposes.TERM, entity, 9)


def test_every_part_of_the_key_matters() -> None:
    base = [7, 3, 21, 5, 4]
    keys = [tuple(base)]
    for part, bit in [(0, 0), (0, 63), (1, 0), (1, 23), (2, 0), (2, 7), (3, 0), (3, 63), (4, 0), (4, 31)]:
        key = list(base)
        key[part] ^= 1 << bit
        keys.append(tuple(key))
    assert len({bits(*key) for key in keys}) == len(keys)


def _sample(kind: str, shift: int = 0) -> NDArray[np.float64]:
    n = np.arange(20_000)
    if kind == "entities":
        return uniform_array(11, 0, 1, n + shift, 0)
    if kind == "ordinals":
        return uniform_array(11, 0, 1, 0, n + shift)
    return uniform_array(11, n + shift, 1, 0, 0)


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["entities", "ordinals", "runs"])
def test_uniform_along_each_index(kind: str) -> None:
    u = _sample(kind)
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    counts = np.bincount((u * 256).astype(int), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-4
    serial = np.corrcoef(u[:-1], u[1:])[0, 1]
    assert abs(serial) < 4.5 / np.sqrt(u.size)


@pytest.mark.statistical
def test_purposes_ordinals_runs_and_seeds_are_uncorrelated() -> None:
    entities = np.arange(20_000)
    columns = [uniform_array(11, 0, purpose, entities, 0) for purpose in range(1, 13)]
    columns += [uniform_array(11, 0, 1, entities, ordinal) for ordinal in range(1, 7)]
    columns += [uniform_array(11, run, 1, entities, 0) for run in range(1, 7)]
    columns += [uniform_array(seed, 0, 1, entities, 0) for seed in (12, 13, 1 << 40)]
    r = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    # 351 pairs: all below 4.5 standard errors has a chance of 99.8 % if they are independent
    assert np.abs(r).max() < 4.5 / np.sqrt(entities.size)


@pytest.mark.statistical
def test_each_of_the_64_bits_is_fair() -> None:
    words = np.array([bits(11, 0, 1, entity, 0) for entity in range(4_000)], np.uint64)
    share = [((words >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(64)]
    assert np.abs(np.array(share) - 0.5).max() < 4.5 * 0.5 / np.sqrt(words.size)
