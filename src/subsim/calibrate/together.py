"""From a book to a posterior: every block in turn, then the checks of them all."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from subsim import __version__
from subsim.calibrate.aggregate import BridgeAlone, Simulate
from subsim.calibrate.beliefs import override, read_priors
from subsim.calibrate.block import Block, BlockData, BlockFit, Frame, Sampling
from subsim.calibrate.company import company_priors
from subsim.calibrate.diagnose import Check, chain_checks, sensitivity, sensitivity_check, shift_check, worst
from subsim.calibrate.engagement import Engagement
from subsim.calibrate.learned import WEAK, contraction
from subsim.calibrate.posterior import KEPT_PRIORS, BlockSummary, Posterior
from subsim.calibrate.priors import Key, Prior, catalogue_prior
from subsim.calibrate.rates import Rates
from subsim.calibrate.renewal import Renewal
from subsim.errors import InputError
from subsim.model.catalogue import parameters

if TYPE_CHECKING:
    from subsim.book import Book

LIBRARIES = ("numpy", "scipy", "pymc", "nutpie", "arviz")
MOST = 100_000  # draws in all


def blocks() -> tuple[Block, ...]:
    """The blocks, in the order in which they are fitted."""
    return (Engagement(), Renewal(), Rates())


def calibrate(
    book: Book,
    *,
    priors: Mapping[Key, Prior] | str | Path | None = None,
    draws: int = 500,
    tune: int = 500,
    chains: int = 4,
    seed: int = 1,
    cores: int = 2,
    only: Sequence[Block] | None = None,
    simulate: Simulate | None = None,
    progress: Callable[[str], None] | None = None,
) -> Posterior:
    """Learn what a book can teach about the model's numbers, and say what it cannot.

    Args:
        book: what the company knows, as of a day.
        priors: priors in place of the catalogue's, by number or as a file; see `subsim.calibrate.beliefs`.
        draws: draws kept of each chain.
        tune: steps before them.
        chains: chains; the posterior has chains x draws draws.
        seed: 0 or more; the same seed, book and priors give the same draws on one machine.
        cores: processors that sampling may use.
        only: blocks to fit; all when None.
        simulate: makes the histories from which a book of sums, a bridge alone, is calibrated; `subsim.calibrate` and
            the command give `subsim.experiment.bridge_histories.bridge_histories`.
        progress: called with a sentence when something begins.

    Raises:
        InputError: an empty book, contradictory priors, or a number out of range.
        InputErrors: a file of priors with several mistakes.
    """
    _check_sizes(draws, tune, chains, seed)
    if book.ledger.empty and not book.of_sums:
        raise InputError(where=book.name, found="no revenue", allowed="a book with contracts, movements or MRR")
    frame = frame_of(book)
    begun = company_priors(frame)
    stated = read_priors(priors, begun) if isinstance(priors, (str, Path)) else dict(priors or {})
    begun = override(begun, stated)
    wanted = {key for key in begun if key in stated or (key[0], ()) in stated}
    sampling = Sampling(chains=chains, draws=draws, tune=tune, seed=seed, cores=cores, progress=progress)
    # On matrices this small, threads of BLAS cost more than they save, many times more on a busy machine.
    with threadpool_limits(1, user_api="blas"):
        done = [(block, *_one(block, book, begun, frame, sampling)) for block in only or _chosen(book, simulate)]
    return _posterior(book, frame, begun, frozenset(wanted), seed, done)


def _chosen(book: Book, simulate: Simulate | None) -> tuple[Block, ...]:
    if not book.of_sums:
        return blocks()
    if simulate is None:
        allowed = "a way to simulate histories beside it (simulate=)"
        raise InputError(where=book.name, found="a bridge alone", allowed=allowed)
    return (BridgeAlone(simulate),)


def frame_of(book: Book) -> Frame:
    """The names that a book shows: segments, tiers, kinds of work, teams."""
    accounts, touches, seats = book.tables["accounts"], book.tables.get("touches"), book.tables.get("seats")
    known = set(parameters()["work.hours"].values) | {"onboarding"}
    return Frame(
        as_of=book.as_of,
        segment=tuple(sorted({*map(str, book.segments), *book.ledger["segment"].astype(str)} - {""})),
        tier=_names(accounts["tier"]) if "tier" in accounts else (),
        work=tuple(sorted(known | set(_names(touches["kind"])))) if touches is not None else tuple(sorted(known)),
        team=_names(seats["team"]) if seats is not None else (),
    )


def _names(column: Any) -> tuple[str, ...]:
    return tuple(sorted(set(column.dropna().astype(str)) - {""}))


def _check_sizes(draws: int, tune: int, chains: int, seed: int) -> None:
    for name, value, low, high in (
        ("draws", draws, 50, MOST // max(chains, 1)),
        ("tune", tune, 50, MOST),
        ("chains", chains, 2, 16),
        ("seed", seed, 0, 2**64 - 1),
    ):
        if not low <= value <= high:
            raise InputError(where=name, found=str(value), allowed=f"{low} to {high}")


_Done = tuple[Block, BlockData, BlockFit | None, str]


def _one(
    block: Block, book: Book, priors: Mapping[Key, Prior], frame: Frame, sampling: Sampling
) -> tuple[BlockData, BlockFit | None, str]:
    """One block's sums and draws; a block that fails says why, and the others go on."""
    data = BlockData(0, {}, {})
    if sampling.progress:
        sampling.progress(block.name)
    try:
        data = block.summarise(book, frame)
        return data, block.fit(data, priors, frame, sampling), ""
    except (ArithmeticError, LookupError, ValueError, RuntimeError, np.linalg.LinAlgError) as error:
        return data, None, f"{type(error).__name__}: {error}"


def _posterior(
    book: Book,
    frame: Frame,
    begun: Mapping[Key, Prior],
    stated: frozenset[Key],
    seed: int,
    done: list[_Done],
) -> Posterior:
    draws: dict[Key, Any] = {}
    silent: set[Key] = set()
    events: dict[Key, int] = {}
    checks: list[Check] = []
    summaries: list[BlockSummary] = []
    notes: list[str] = []
    associations: list[Mapping[str, Any]] = []
    cells: dict[str, Any] = {}
    for block, data, fit, failure in done:
        notes += [f"{block.name}: {note}" for note in data.notes]
        if fit is None:
            advice = f"the block keeps its priors ({failure}); check the tables it reads"
            checks.append(Check(f"{block.name}: fit", "FAIL", float("nan"), advice))
            summaries.append(BlockSummary(block.name, data.rows, 0.0, "FAIL"))
            continue
        own = {key: values for key, values in fit.draws.items() if key not in draws}
        unmoved = set(own) if not data.rows else set(fit.extra.get("silent", ())) & set(own)
        draws |= own
        silent |= unmoved
        events |= {key: count for key, count in data.events.items() if key in own}
        cells |= {f"{block.name}.{name}": array for name, array in data.cells.items()}
        associations += list(fit.extra.get("associations", ()))
        size = next((values.size for values in own.values()), 0)
        mine = [*chain_checks(block.name, fit.diagnostics, size), *fit.extra.get("checks", ())] if data.rows else []
        checks += mine
        status = worst(check.status for check in mine) if data.rows else KEPT_PRIORS
        summaries.append(BlockSummary(block.name, data.rows, round(fit.seconds, 3), status))
        if not data.rows:
            notes.append(f"{block.name}: the book says nothing about it, so it keeps its priors.")
    fitted = {key: values.reshape(-1) for key, values in draws.items() if key not in silent}
    learned = {key: values for key, values in fitted.items() if contraction(begun[key], values) >= WEAK}
    checks.append(shift_check(begun, fitted))
    checks.append(sensitivity_check({key: sensitivity(begun[key], values) for key, values in learned.items()}))
    whole = {key[0] for key in draws if key not in silent or key in stated}
    return Posterior(
        book=book.name,
        book_fingerprint=book.fingerprint(),
        frame=frame,
        seed=seed,
        # What a run will use: a number that nothing spoke about is drawn from the catalogue's prior.
        priors={key: _used(key, own, key in fitted or key in stated) for key, own in begun.items()},
        draws={key: values for key, values in draws.items() if key[0] in whole},
        silent=frozenset(key for key in silent if key[0] in whole),
        stated=stated,
        events=events,
        blocks=tuple(summaries),
        checks=tuple(checks),
        notes=tuple(dict.fromkeys(notes)),
        associations=tuple(associations),
        versions=_versions(),
        cells=cells,
    )


def _used(key: Key, begun: Prior, is_used: bool) -> Prior:
    return begun if is_used or key[0] not in parameters() else catalogue_prior(key)


def _versions() -> dict[str, str]:
    found = {"subsim": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
