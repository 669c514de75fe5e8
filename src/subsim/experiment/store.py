"""Results on disk: `results/<run-id>/` with manifest, Parquet, summary and pictures, all there or not there at all."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from subsim import __version__
from subsim.errors import InputError
from subsim.experiment.metrics import CS_COST, METRICS, SEGMENT_METRICS, TEAM_METRICS
from subsim.experiment.results import Runs, month_ends
from subsim.model.catalogue import parameters
from subsim.scenario.effects import carriers

if TYPE_CHECKING:
    import pyarrow as pa

LIBRARIES: Final = ("numpy", "numba", "scipy", "pandas", "simpy", "pyarrow", "matplotlib")
MONTHLY: Final = (*SEGMENT_METRICS, CS_COST.name)
_FEW_VALUES: Final = ["scenario", "draw", "month", "segment", "team", "metric"]
Pictures = Callable[[Path], AbstractContextManager[None]]


def run_id(runs: Runs) -> str:
    """Twelve hex digits that name a result: of scenarios, set-ups, seed and draws, not of workers or engine."""
    identity = {
        "scenarios": [
            {"scenario": outcome.scenario.to_dict(), "setup": outcome.setup.fingerprint()}
            for outcome in runs.outcomes.values()
        ],
        "seed": runs.seed,
        "draws": runs.draws,
        "fixed_parameters": runs.fixed_parameters,
    }
    text = json.dumps(identity, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def manifest(runs: Runs, command: Sequence[str] = ()) -> dict[str, Any]:
    """Everything needed to run again, and what every number rests on."""
    rows = parameters().values()
    return {
        "run_id": run_id(runs),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": list(command),
        "seed": runs.seed,
        "draws": runs.draws,
        "engine": runs.engine,
        "fixed_parameters": runs.fixed_parameters,
        "posterior": None if runs.calibrated is None else asdict(runs.calibrated),
        "interval": runs.interval,
        "versions": {
            "subsim": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
        "scenarios": [
            {
                "name": outcome.scenario.name,
                "scenario": outcome.scenario.to_dict(),
                "setup_fingerprint": outcome.setup.fingerprint(),
                "book_fingerprint": getattr(outcome.setup, "book_fingerprint", None),
                "effects": [asdict(each) for each in carriers(outcome.scenario)],
            }
            for outcome in runs.outcomes.values()
        ],
        "metrics": {m.name: {"unit": m.kind, "definition": m.definition} for m in METRICS.values()},
        "parameters": [
            {"name": row.name, "label": row.label, "grade": row.grade, "unit": row.unit, "source": row.source}
            for row in rows
        ],
    }


def save(
    runs: Runs, results: Path, *, summary: str, command: Sequence[str] = (), pictures: Pictures | None = None
) -> Path:
    """Write runs to `results/<run-id>/` and give that folder; an older result of the same id is replaced.

    Args:
        runs: what to keep.
        results: folder of results; made when missing.
        summary: text of summary.md.
        command: command line, for the manifest.
        pictures: called with the folder, to draw into it while the rest is written; done when its context ends.

    Raises:
        InputError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    identifier = run_id(runs)
    with _whole(results, identifier) as folder, pictures(folder) if pictures else nullcontext():
        facts = json.dumps(manifest(runs, command), indent=2, ensure_ascii=False, default=str)
        (folder / "manifest.json").write_text(facts + "\n", encoding="utf-8")
        (folder / "summary.md").write_text(summary + "\n", encoding="utf-8")
        _write_parquet(runs, MONTHLY, "segment", folder / "monthly.parquet")
        _write_parquet(runs, tuple(TEAM_METRICS), "team", folder / "work.parquet")
    return results / identifier


def check_folder(results: Path) -> None:
    """Refuse, before any work is done, a folder of results that cannot be written; makes nothing."""
    existing = next(path for path in (results, *results.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        found = "not a folder" if not existing.is_dir() else "may not be written"
        raise InputError(
            where=f"results folder {results}",
            found=found,
            allowed="a folder that can be written",
            do="Choose another with --out.",
        )


@contextmanager
def _whole(results: Path, identifier: str) -> Iterator[Path]:
    """A folder that gets its name only when everything in it is written."""
    made: Path | None = None
    try:
        results.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{identifier}.", dir=results))
        made.chmod(0o755)
        yield made
        _replace(made, results / identifier)
    except OSError as error:
        raise InputError(
            where=f"results folder {results}",
            found=error.strerror or str(error),
            allowed="a folder that can be written, on a disk with room",
            do="Choose another with --out.",
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _replace(made: Path, target: Path) -> None:
    """Move a finished folder to its name; the older one is removed only once it has stepped aside."""
    if target.exists():
        aside = made.with_name(made.name + ".old")
        target.rename(aside)
        try:
            made.rename(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    else:
        made.rename(target)


def _write_parquet(runs: Runs, metrics: Sequence[str], group: str, path: Path) -> None:
    """Long rows scenario, draw, month, group, metric, value; one row group per scenario and metric."""
    import pyarrow as pa  # noqa: PLC0415 - a command loads it while it simulates
    import pyarrow.parquet as pq  # noqa: PLC0415

    names = {
        "scenario": list(runs.names),
        group: list(dict.fromkeys(g for name in runs.names for metric in metrics for g in runs.groups(name, metric))),
        "metric": list(metrics),
    }
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("scenario", text),
            ("draw", pa.int32()),
            ("month", pa.date32()),
            (group, text),
            ("metric", text),
            ("value", pa.float64()),
        ]
    )

    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=_FEW_VALUES) as writer:
        for at, name in enumerate(runs.names):
            days = month_ends(runs.outcome(name).setup).astype("datetime64[D]").astype(np.int32)
            for row, metric in enumerate(metrics):
                values = runs.values(name, metric)
                groups = np.array([names[group].index(g) for g in runs.groups(name, metric)])
                draw, month, column = (index.ravel() for index in np.indices(values.shape))
                columns = [
                    _coded(np.full(values.size, at), names["scenario"]),
                    _array(pa.int32(), draw.astype(np.int32)),
                    _array(pa.date32(), days[month]),
                    _coded(groups[column], names[group]),
                    _coded(np.full(values.size, row), names["metric"]),
                    _array(pa.float64(), values.ravel()),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _array(kind: pa.DataType, values: np.ndarray[Any, Any]) -> pa.Array:
    """Numbers as Arrow holds them, a ratio to nothing as null; `pyarrow.array` would load pandas."""
    import pyarrow as pa  # noqa: PLC0415 - see _write_parquet

    gone = np.isnan(values)
    known = pa.py_buffer(np.packbits(~gone, bitorder="little")) if gone.any() else None
    return pa.Array.from_buffers(kind, values.size, [known, pa.py_buffer(values)], int(gone.sum()))


def _coded(codes: np.ndarray[Any, Any], names: Sequence[str]) -> pa.Array:
    """Names by their place in a list."""
    import pyarrow as pa  # noqa: PLC0415 - see _write_parquet

    texts = [name.encode() for name in names]
    ends = pa.py_buffer(np.cumsum([0, *map(len, texts)], dtype=np.int32))
    words = pa.StringArray.from_buffers(len(texts), ends, pa.py_buffer(b"".join(texts)))
    return pa.DictionaryArray.from_arrays(_array(pa.int32(), codes.astype(np.int32)), words)
