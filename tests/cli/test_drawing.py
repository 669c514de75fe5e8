"""Pictures are the same files whoever draws them, and drawing elsewhere never fails a command."""

import subprocess
import sys
from pathlib import Path

import pytest

from subsim.cli import drawing
from subsim.experiment import processors as counting
from subsim.experiment.results import Runs
from tests.unit.experiment import synthetic

ONE = ["arr.png", "bridge.png", "load.png"]


@pytest.fixture(scope="module")
def runs() -> Runs:
    return Runs({"plan": synthetic.outcome("plan", 6, 6)}, seed=5, draws=6)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "processors", lambda: 2)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def draw(runs: Runs, folder: Path, by: drawing.Drawer | None) -> dict[str, bytes]:
    folder.mkdir()
    with drawing.drawn(runs, folder, by):
        pass
    return files(folder)


def test_another_process_draws_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = {name: synthetic.outcome(name, 6, 6) for name in ("base", "Other plan")}
    compared = Runs(plans, seed=5, draws=6, fixed_parameters=True)
    here = draw(compared, tmp_path / "here", None)
    assert {"arr_base.png", "load_other_plan.png", "plans.png", "comparison.png"} < set(here)
    monkeypatch.setattr("subsim.report.pictures.draw", lambda *_: pytest.fail("drawn here"))
    with drawing.drawer(wanted=True, workers=None) as drawer:
        assert drawer is not None
        assert draw(compared, tmp_path / "there", drawer) == here
    assert drawer.process.returncode == 0


@pytest.mark.parametrize(
    "serve",
    [
        "raise SystemExit",  # before it hears anything
        "sys.stdin.buffer.read(); raise OSError",
        "import time; sys.stdin.buffer.read(); time.sleep(1000); tuple",  # slower than anybody waits
        "import time; time.sleep(1000); tuple",  # never reads
    ],
)
def test_a_process_that_fails_is_replaced(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: str
) -> None:
    monkeypatch.setattr(drawing, "SERVE", serve)
    monkeypatch.setattr(drawing, "PATIENCE_SECONDS", 0.5)
    with drawing.drawer(wanted=True, workers=2) as drawer:
        assert drawer is not None
        assert list(draw(runs, tmp_path / "here", drawer)) == ONE
    assert drawer.process.returncode != 0


def test_what_is_too_large_to_send_is_drawn_here(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_BYTES", 100)
    with drawing.drawer(wanted=True, workers=2) as drawer:
        assert list(draw(runs, tmp_path / "here", drawer)) == ONE


def test_a_stopped_command_leaves_no_process_and_draws_nothing(runs: Runs, tmp_path: Path) -> None:
    def command() -> None:
        with drawing.drawn(runs, tmp_path, drawer):
            raise KeyboardInterrupt

    with drawing.drawer(wanted=True, workers=2) as drawer:
        with pytest.raises(KeyboardInterrupt):
            command()
        assert drawer is not None
        assert drawer.process.returncode is not None
    assert files(tmp_path) == {}


def test_an_error_is_the_one_that_drawing_here_gives(runs: Runs, tmp_path: Path) -> None:
    with (
        drawing.drawer(wanted=True, workers=2) as drawer,
        pytest.raises(FileNotFoundError),
        drawing.drawn(runs, tmp_path / "missing", drawer),
    ):
        assert drawer is not None


def test_a_process_ends_when_its_input_does() -> None:
    drawer = drawing.Drawer()
    assert drawer.process.stdin is not None
    drawer.process.stdin.close()
    assert drawer.process.wait() == 0


def test_where_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(**asked: bool | int | None) -> bool:
        with drawing.drawer(**asked) as drawer:  # type: ignore[arg-type]
            return drawer is not None

    assert started(wanted=True, workers=2)
    assert not started(wanted=False, workers=2)
    assert not started(wanted=True, workers=1)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(Path("no") / "such" / "program"))
        assert not started(wanted=True, workers=2)
    monkeypatch.setattr(drawing, "processors", lambda: 1)
    assert not started(wanted=True, workers=None)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import subsim.cli.drawing", {"numpy", "matplotlib"}),
        ("import subsim.cli.work, subsim.experiment.run", {"matplotlib", "joblib", "scipy.stats", "simpy"}),
        ("import subsim.experiment.finished, subsim.report.pictures", {"pandas", "numba", "pyarrow", "pydantic"}),
    ],
)
def test_each_side_loads_only_what_it_needs(code: str, absent: set[str]) -> None:
    script = f"import sys; {code}; print(sorted({absent} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_writing_results_loads_no_library_that_reads() -> None:
    script = """
import sys
from pathlib import Path
import numpy as np
import pyarrow as pa
from subsim.experiment.store import _array, _coded
print(_coded(np.array([1, 0]), ["a", "b"]).to_pylist(), _array(pa.float64(), np.array([1.0, np.nan])).to_pylist())
print("pandas" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.split("\n")[:2] == ["['b', 'a'] [1.0, None]", "False"]


def test_processors_are_those_of_the_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(counting, "QUOTA", quota)
    all_of_them = counting.processors()
    assert all_of_them >= 1
    quota.write_text("max 100000\n")
    assert counting.processors() == all_of_them
    quota.write_text("50000 100000\n")
    assert counting.processors() == 1
    quota.write_text("1000000000 100000\n")
    assert counting.processors() == all_of_them
