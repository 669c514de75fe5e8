"""A posterior: joint draws with what they rest on; on disk a DataTree that opens in ArviZ.

Draw j of all numbers together is one world. Numbers that nothing spoke about are not part of it: a run draws them from
the catalogue's priors, as it does without a posterior.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from subsim.calibrate import learned
from subsim.calibrate.block import Frame
from subsim.calibrate.company import described
from subsim.calibrate.diagnose import Check, Status, worst
from subsim.calibrate.fit import fingerprint, load
from subsim.calibrate.priors import Key, Prior, keys_of, label_of, prior_draws
from subsim.errors import InputError
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity
from subsim.units import day

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
FILE = "posterior.zarr"
KEPT_PRIORS = "PRIOR"  # status of a block about which the book says nothing


@dataclass(frozen=True)
class BlockSummary:
    """How one block went."""

    name: str
    rows: int
    seconds: float
    status: str
    """PASS, REVIEW or FAIL; PRIOR where the book says nothing and the priors are kept."""


@dataclass(frozen=True)
class Posterior:
    """Joint draws of the numbers that a book speaks about.

    Example:
        posterior = ss.calibrate(ss.read_book("data/acme", as_of="2026-06-30"))
        print(posterior.text)
        runs = ss.run(scenario, posterior=posterior)
    """

    book: str
    book_fingerprint: str
    frame: Frame
    seed: int
    priors: Mapping[Key, Prior] = field(repr=False)
    draws: Mapping[Key, Floats] = field(repr=False)
    """(chains, draws) by number."""
    silent: frozenset[Key] = field(repr=False)
    """Numbers with draws, of whole rows of the catalogue, that are only their priors'."""
    stated: frozenset[Key] = field(repr=False)
    """Numbers whose prior the user stated."""
    events: Mapping[Key, int] = field(repr=False)
    blocks: tuple[BlockSummary, ...]
    checks: tuple[Check, ...] = field(repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)
    associations: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """What regressions say, by name; never an effect."""
    versions: Mapping[str, str] = field(default_factory=dict, repr=False)
    cells: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    """Sufficient statistics that were fitted, `block.name`."""

    @property
    def status(self) -> Status:
        """The worst of the checks."""
        return worst(check.status for check in self.checks)

    @property
    def size(self) -> int:
        """How many draws there are."""
        return next((int(array.size) for array in self.draws.values()), 0)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the book, the draws and what may differ from the catalogue."""
        parts = [self.book_fingerprint, str(self.seed)]
        for key in sorted(self.draws):
            parts += [label_of(key), fingerprint(np.ascontiguousarray(self.draws[key]).tobytes().hex())]
        return fingerprint(*parts)

    def values(self, name: str, keys: tuple[str, ...]) -> Floats | None:
        """All draws of a number, flat; None for one that a run has to draw from its prior.

        A number that nobody's rows speak about is given only where the user stated its prior.
        """
        key = (name, keys)
        if key not in self.draws or (key in self.silent and key not in self.stated):
            return None
        return np.asarray(self.draws[key], float).reshape(-1)

    def order(self, runs: int) -> NDArray[np.int64]:
        """Which draw each run takes: a keyed choice without repetition, begun anew when all are used."""
        entity, size = name_entity("calibrate/order"), max(self.size, 1)
        rounds = -(-runs // size)
        u = uniform_array(self.seed, np.arange(size), Purpose.PARAMETER, entity, np.arange(rounds)[:, None])
        return np.argsort(u, axis=1, kind="stable").reshape(-1)[:runs]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One row for each number of the catalogue that is calibrated or assumed: prior, posterior, contraction."""
        return [
            learned.learned_row(key, own, None if key in self.silent else self.draws.get(key), self.events.get(key, 0))
            for key, own in self.priors.items()
            if not own.fixed
        ]

    @property
    def learned(self) -> int:
        """How many numbers the book taught: a fifth or more of their information is from data."""
        return sum(row["verdict"] == "learned" for row in self.rows)

    @property
    def table(self) -> pd.DataFrame:
        """Learned versus assumed, one row for each number."""
        return learned.table(self.rows)

    @property
    def text(self) -> str:
        """What was learned, from what, and how far it may be believed."""
        lines = [
            f"{self.book} as of {self.frame.as_of}: {self.status}. "
            f"{self.learned} of {len(self.rows)} numbers were learned from the book; the others rest on their priors."
        ]
        for block in self.blocks:
            kept = "; it keeps its priors" if block.status == KEPT_PRIORS else ""
            lines.append(f"{block.name}: {block.status}, {block.rows:,} rows, {block.seconds:.1f} s{kept}")
        lines += [f"{check.status} {check.name}: {check.advice}" for check in self.checks if check.status != "PASS"]
        return "\n".join([*lines, *self.notes, *self._said()])

    def _said(self) -> list[str]:
        """What goes together in the data, in one line; none where nothing was looked at."""
        shown = [
            f"{row['name']}{f' of {names}' if (names := ', '.join(row.get('of', ()))) else ''} "
            f"{row['q50']:.2g} ({row['q05']:.2g} to {row['q95']:.2g})"
            for row in self.associations
        ]
        return [f"What goes together in the data, no effects: {'; '.join(shown)}."] if shown else []

    def figure(self, *, only_fitted: bool = True) -> Figure:
        """Prior and posterior of every number that was fitted (or of all), and the share that came from data."""
        rows = [row for row in self.rows if row["posterior"] or not only_fitted]
        return learned.figure(rows, f"{self.book} as of {self.frame.as_of}")

    def to_dict(self) -> dict[str, Any]:
        """What `calibrate --json` prints."""
        return {
            "book": self.book,
            "as_of": str(self.frame.as_of),
            "book_fingerprint": self.book_fingerprint,
            "posterior_fingerprint": self.fingerprint,
            "status": self.status,
            "draws": self.size,
            "seed": self.seed,
            "versions": dict(self.versions),
            "blocks": [asdict(block) for block in self.blocks],
            "checks": [check.to_dict() for check in self.checks],
            "parameters": self.rows,
            "associations": [dict(row) for row in self.associations],
            "notes": list(self.notes),
        }

    def tree(self) -> xr.DataTree:
        """Groups posterior, prior, sample_stats (by block) and observed_data (cells), as ArviZ names them."""
        names = list(dict.fromkeys(key[0] for key in self.draws))
        prior = {
            key: prior_draws(key, self.priors[key], chains=array.shape[0], draws=array.shape[1], seed=self.seed)
            for key, array in self.draws.items()
        }
        stats = xr.Dataset(
            {
                name: ("block", [getattr(block, name) for block in self.blocks])
                for name in ("rows", "seconds", "status")
            },
            coords={"block": [block.name for block in self.blocks]},
        )
        observed = xr.Dataset({name: (f"{name}_cell", array) for name, array in self.cells.items() if array.ndim == 1})
        root = xr.Dataset(attrs={"subsim": json.dumps(self._facts()), "creation_library": "subsim"})
        return xr.DataTree.from_dict(
            {
                "/": root,
                "posterior": _dataset(names, self.draws, self.frame),
                "prior": _dataset(names, prior, self.frame),
                "sample_stats": stats,
                "observed_data": observed,
            }
        )

    def _facts(self) -> dict[str, Any]:
        return {
            "book": self.book,
            "book_fingerprint": self.book_fingerprint,
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "versions": dict(self.versions),
            "frame": asdict(self.frame) | {"as_of": str(self.frame.as_of)},
            "priors": [[*_flat(key), asdict(own)] for key, own in self.priors.items()],
            "silent": [_flat(key) for key in sorted(self.silent)],
            "stated": [_flat(key) for key in sorted(self.stated)],
            "events": [[*_flat(key), count] for key, count in self.events.items()],
            "blocks": [asdict(block) for block in self.blocks],
            "checks": [check.to_dict() for check in self.checks],
            "notes": list(self.notes),
            "associations": [dict(row) for row in self.associations],
        }

    def save(self, folder: str | Path) -> list[Path]:
        """Write `posterior.zarr`, `learned.csv`, `learned.png`, `calibration.json` and `summary.md`; gives the files.

        Raises:
            InputError: the folder cannot be written, or the calibration extra is not installed.
        """
        load("zarr")
        folder = Path(folder)
        paths = [folder / name for name in (FILE, "learned.csv", "learned.png", "calibration.json", "summary.md")]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.tree().to_zarr(paths[0], mode="w", consolidated=False)
            self.table.to_csv(paths[1], index=False)
            self.figure().savefig(paths[2], dpi=150)
            paths[3].write_text(json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
            paths[4].write_text(self.text + "\n", encoding="utf-8")
        except OSError as error:
            found = error.strerror or str(error)
            raise InputError(where=f"-o {folder}", found=found, allowed="a folder that can be written") from None
        return paths

    def _repr_html_(self) -> str:
        return "".join(f"<p>{line}</p>" for line in self.text.splitlines()) + self.table.to_html(index=False)


def load_posterior(path: str | Path) -> Posterior:
    """The posterior that `calibrate` wrote to a folder.

    Raises:
        InputError: there is none, or it is not one of ours.
    """
    load("zarr")
    folder = Path(path)
    store = folder if folder.suffix == ".zarr" else folder / FILE
    do = "make one: subsim calibrate BOOK --as-of DATE -o DIR"
    if not store.is_dir():
        raise InputError(where=f"--posterior {path}", found="no posterior", allowed=f"a folder with {FILE}", do=do)
    try:
        with xr.open_datatree(store, engine="zarr", consolidated=False) as tree:
            facts = json.loads(tree.attrs["subsim"])
            held = tree["posterior"].to_dataset().load()
            cells = {str(name): array.to_numpy() for name, array in tree["observed_data"].to_dataset().load().items()}
        return _from_facts(facts, held, cells)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            where=f"--posterior {path}", found=str(error), allowed="a posterior of subsim", do=do
        ) from None


def _from_facts(facts: dict[str, Any], held: xr.Dataset, cells: dict[str, NDArray[Any]]) -> Posterior:
    raw = facts["frame"]
    frame = Frame(day(raw["as_of"]), *(tuple(raw[name]) for name in ("segment", "tier", "work", "team")))
    draws: dict[Key, Floats] = {}
    for name in map(str, held.data_vars):
        array = held[name].to_numpy()
        keys = keys_of(described(name), frame)
        draws |= {key: array[..., i] for i, key in enumerate(keys)} if array.ndim > 2 else {(name, ()): array}
    return Posterior(
        book=facts["book"],
        book_fingerprint=facts["book_fingerprint"],
        frame=frame,
        seed=facts["seed"],
        priors={_key(row): Prior(**row[2]) for row in facts["priors"]},
        draws=draws,
        silent=frozenset(map(_key, facts["silent"])),
        stated=frozenset(map(_key, facts["stated"])),
        events={_key(row): row[2] for row in facts["events"]},
        blocks=tuple(BlockSummary(**row) for row in facts["blocks"]),
        checks=tuple(Check.from_dict(row) for row in facts["checks"]),
        notes=tuple(facts["notes"]),
        associations=tuple(facts["associations"]),
        versions=facts["versions"],
        cells=cells,
    )


def _flat(key: Key) -> list[Any]:
    return [key[0], list(key[1])]


def _key(row: list[Any]) -> Key:
    return row[0], tuple(row[1])


def _dataset(names: list[str], draws: Mapping[Key, Floats], frame: Frame) -> xr.Dataset:
    """Variables by catalogue name with dimensions chain, draw and what the number varies over."""
    variables, coords = {}, {}
    for name in names:
        row = described(name)
        arrays = [draws[key] for key in keys_of(row, frame)]
        if row.by:
            coords[row.by[0]] = list(frame.of(row.by[0]))
        value = np.stack(arrays, axis=-1) if row.by else arrays[0]
        variables[name] = (("chain", "draw", *row.by), value, {"unit": row.unit, "title": row.title})
    return xr.Dataset(variables, coords=coords)
