"""The cache of machine code: a hit when nothing changed, a miss when any module did, and never an obstacle."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import subsim

RULES = """
from twin._jit import rule

@rule
def price(n):
    return n * 10
"""
LOOP = """
from twin._jit import entry, inner
from twin.model.rules import price

@inner
def add(totals, i, amount):
    totals[i] += amount

@entry
def run(totals, n):
    for i in range(n):
        add(totals, i, price(i))
"""
MAIN = """
import numpy as np
from twin import _jit
from twin.model.loop import run

before = _jit.needs_compiling()
totals = np.zeros(3)
try:
    run(totals, SIZE)
except IndexError:
    totals[:] = -1
hits = sum(getattr(run, "stats").cache_hits.values())
print(before, hits, totals.sum(), _jit.is_compiled(run))
"""


class Twin:
    """A package with a room of two modules beside a copy of `_jit.py`, run in fresh processes."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "twin"
        self.model = self.package / "model"
        self.model.mkdir(parents=True)
        shutil.copy(Path(subsim.__file__).with_name("_jit.py"), self.package)
        for package in (self.package, self.model):
            (package / "__init__.py").touch()
        (self.model / "rules.py").write_text(RULES)
        (self.model / "loop.py").write_text(LOOP)
        self.warnings = ""

    def run(self, size: int = 3, **environment: str) -> str:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "SUBSIM_"))}
        done = subprocess.run(
            [sys.executable, "-c", MAIN.replace("SIZE", str(size))],
            env=inherited | {"PYTHONPATH": str(self.package.parent)} | environment,
            cwd=self.package.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.warnings = done.stderr
        return done.stdout.strip()


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    return Twin(tmp_path)


def test_an_edit_in_another_module_invalidates_the_cached_loop(twin: Twin) -> None:
    assert twin.run() == "True 0 30.0 True"
    assert twin.run() == "False 1 30.0 True"
    rules = twin.model / "rules.py"
    stamp = rules.stat()
    rules.write_text(RULES.replace("10", "70"))  # same length, same time
    os.utime(rules, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    for bytecode in (twin.model / "__pycache__").glob("rules*.pyc"):
        bytecode.unlink()  # Python's own cache goes by time and size
    assert twin.run() == "True 0 210.0 True"
    assert twin.run() == "False 1 210.0 True"


def test_a_data_table_counts_as_a_source(twin: Twin) -> None:
    twin.run()
    (twin.model / "catalogue.toml").write_text("x = 1\n")
    assert twin.run() == "True 0 30.0 True"


def test_without_a_writable_folder_it_compiles_in_memory_and_says_so(twin: Twin, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()  # a folder below a file cannot be made, by any user
    for _ in range(2):
        assert twin.run(NUMBA_CACHE_DIR=str(blocked / "cache")) == "True 0 30.0 True"
        assert "no writable folder for compiled code" in twin.warnings
        assert "NUMBA_CACHE_DIR" in twin.warnings


def test_damaged_cache_files_are_ignored(twin: Twin) -> None:
    twin.run()
    for file in (twin.package / "__pycache__" / "subsim").glob("*.nb*"):
        file.write_bytes(file.read_bytes()[:20])
    assert twin.run() == "True 0 30.0 True"
    assert "replacing unreadable compiled code" in twin.warnings


def test_checked_indices_have_their_own_cache(twin: Twin) -> None:
    assert twin.run() == "True 0 30.0 True"
    assert twin.run(size=4, SUBSIM_BOUNDSCHECK="1").split()[2] == "-3.0"
    assert twin.run(SUBSIM_BOUNDSCHECK="1") == "False 1 30.0 True"


def test_importing_subsim_does_not_import_numba() -> None:
    code = "import sys, subsim; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
