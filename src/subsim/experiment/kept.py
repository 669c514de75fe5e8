"""Start states of books that have not changed since a run, kept in its folder of results.

Reading a book takes longer than most runs. What was read is found again by the content of the book's files, the day,
and the code that reads: whatever of these changes, the book is read anew. A file that cannot be used is no file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import os
import re
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from subsim.experiment.starts import Start

FOLDER: Final = ".books"
MOST_BYTES: Final = 1_000_000_000  # of a book's files; beyond, finding out whether it has changed takes long as well
KEPT: Final = 20  # books, the last ones
_TABLES: Final = ("accounts", "touches", "scores", "done")
_LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "duckdb")
_READS: Final = ("book", "ledger", "units.py", "errors.py", "experiment/starts.py", "experiment/kept.py")
_ELSEWHERE: Final = re.compile(rb"\b(file|now|today|current_\w+|get_current_\w+|random|uuid)\b", re.IGNORECASE)


def identity(book: Path, as_of: dt.date) -> str | None:
    """Hash of all that the start state of a book follows from; None where it may lie elsewhere or is not a folder."""
    try:
        files = sorted(path for path in book.iterdir() if path.is_file())
        if sum(path.stat().st_size for path in files) > MOST_BYTES or any(map(_points_elsewhere, files)):
            return None
        digest = hashlib.sha256(f"{as_of} {[importlib.metadata.version(name) for name in _LIBRARIES]}".encode())
        for path in [*files, *_sources()]:
            with path.open("rb") as file:
                digest.update(f"|{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}".encode())
    except OSError:
        return None
    return digest.hexdigest()


def _points_elsewhere(path: Path) -> bool:
    """Whether a mapping may name other files, or the time of day or chance."""
    return path.name == "book.yaml" and _ELSEWHERE.search(path.read_bytes()) is not None


def _sources() -> list[Path]:
    package = Path(__file__).resolve().parent.parent
    named = [package / part for part in _READS]
    return sorted(path for part in named for path in [part, *part.rglob("*.py")] if path.is_file())


def find(results: Path, name: str) -> Start | None:
    """What is kept under an identity; None where nothing is."""
    try:
        with np.load(results / FOLDER / f"{name}.npz", allow_pickle=False) as stored:
            parts = {key: stored[key] for key in stored.files}
        segments = parts["segments"].tolist()
        arr, logos = (dict(zip(segments, parts[key], strict=True)) for key in ("lost_arr", "lost_logos"))
        accounts, touches, scores, done = (_table(parts, key) for key in _TABLES)
        return Start(accounts, touches, scores, done, arr, logos, str(parts["fingerprint"]))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _table(parts: dict[str, Any], name: str) -> dict[str, Any]:
    columns = {key.removeprefix(f"{name}."): values for key, values in parts.items() if key.startswith(f"{name}.")}
    return {key: v.astype(object) if v.dtype.kind == "U" else v for key, v in columns.items()}


def keep(results: Path, name: str, start: Start) -> None:
    """Keep a start state in a folder of results that exists; a full disk is no error."""
    segments = sorted(start.lost_arr)
    parts: dict[str, Any] = {"segments": np.array(segments, str), "fingerprint": start.fingerprint}
    parts |= {key: [getattr(start, key)[segment] for segment in segments] for key in ("lost_arr", "lost_logos")}
    for table in _TABLES:
        columns = getattr(start, table).items()
        parts |= {f"{table}.{key}": v.astype(str) if v.dtype == object else v for key, v in columns}
    folder = results / FOLDER
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        number, made = tempfile.mkstemp(dir=folder)
        with os.fdopen(number, "wb") as file:
            np.savez(file, **parts)
        Path(made).replace(folder / f"{name}.npz")
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
