"""What a block of the calibration is: it sums up its part of a book, and turns the sums into joint draws.

A block is fitted for itself, because likelihoods factor: one that fails does not lose the others. Draw j of all blocks
together is one world.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate.priors import MONTHS, Key, Priors

if TYPE_CHECKING:
    from subsim.book import Book

__all__ = ["Block", "BlockData", "BlockFit", "Frame", "Key", "Sampling"]

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """Names of what parameters vary over, in order, and the day up to which the book knows."""

    as_of: dt.date
    segment: tuple[str, ...]
    tier: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    month: tuple[str, ...] = MONTHS

    def of(self, dimension: str) -> tuple[str, ...]:
        """Names of a dimension; none for one that a book does not show, such as campaigns."""
        names: tuple[str, ...] = getattr(self, dimension, ())
        return names


@dataclass(frozen=True)
class Sampling:
    """How much to sample; `seed` is the calibration's, each block derives its own from it."""

    chains: int = 4
    draws: int = 500
    tune: int = 500
    seed: int = 1
    cores: int = 2
    progress: Callable[[str], None] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class BlockData:
    """Sufficient statistics: their cost grows with distinct cells, not with accounts."""

    rows: int
    """Observations that speak; with 0 the block keeps its priors and says so."""
    cells: Mapping[str, Array]
    events: Mapping[Key, int]
    """Observations that speak about each parameter."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: too few rows, one segment, a score that never moves."""


@dataclass(frozen=True)
class BlockFit:
    """Joint draws of a block's parameters, and how the sampling went.

    `diagnostics` has rhat_max, ess_bulk_min, ess_tail_min and divergences (independent draws: 1, n, n, 0). `extra` may
    hold `checks`, a sequence of `diagnose.Check`; `silent`, a set of keys whose draws are the prior's and independent
    of all others, so that a run may draw them itself; and whatever else a block wants to keep, such as associations.
    """

    draws: Mapping[Key, Floats]
    """(chains, draws) on the catalogue's scale, for every parameter of the block; prior draws where nothing speaks."""
    diagnostics: Mapping[str, float]
    seconds: float
    extra: Mapping[str, Any] = field(default_factory=dict)


class Block(Protocol):
    """One part of the model whose likelihood stands by itself."""

    @property
    def name(self) -> str:
        """Name of the block."""
        ...

    @property
    def parameters(self) -> tuple[str, ...]:
        """Catalogue names of what it learns, and of what it has to draw along with it."""
        ...

    def summarise(self, book: Book, frame: Frame) -> BlockData:
        """The book's part in sufficient statistics."""
        ...

    def fit(self, data: BlockData, priors: Priors, frame: Frame, sampling: Sampling) -> BlockFit:
        """Posterior draws given the sums."""
        ...
