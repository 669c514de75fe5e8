"""Processes beside a command: what they give is what is made here, and without them no command fails."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from subsim.cli import companion, drawing, reading
from subsim.errors import InputErrors
from subsim.experiment import kept
from subsim.experiment import processors as counting
from subsim.experiment.results import Runs
from subsim.experiment.shipped import demo_folder
from subsim.experiment.starts import read_start
from subsim.scenario import Scenario
from tests.unit.experiment import synthetic

ONE = ["arr.png", "bridge.png", "load.png"]
AS_OF = dt.date(2026, 6, 30)
#: Ends, or serves nobody, once it has begun.
FAILING = (
    "raise SystemExit",
    "sys.stdin.buffer.read(1); raise OSError",
    "import time; sys.stdin.buffer.read(1); time.sleep(1000); tuple",  # slower than anybody waits
    "import time; time.sleep(1000); tuple",  # never reads
    "print('no reply'); tuple",
)


@pytest.fixture(scope="module")
def runs() -> Runs:
    return Runs({"plan": synthetic.outcome("plan", 6, 6)}, seed=5, draws=6)


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "processors", lambda: 2)


@pytest.fixture
def baseline() -> Scenario:
    return Scenario.from_dict(
        {
            "name": "plan",
            "start": "2026-07-01",
            "horizon": "1 month",
            "book": "demo",
            "segments": {"smb": {}, "mid_market": {}, "enterprise": {}},
            "tiers": {"tech": {"coverage": "digital"}},
            "routing": [{"to": "tech"}],
        }
    )


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def draw(runs: Runs, folder: Path, by: companion.Companion | None) -> dict[str, bytes]:
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
    with companion.beside(None, drawing.COMPARING) as (_, drawer):
        assert draw(compared, tmp_path / "there", drawer) == here


def test_another_process_reads_the_same_book(
    baseline: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = read_start(demo_folder(), AS_OF)
    with companion.beside(None, ()) as (reader, drawer):
        books = reading.Books([baseline], tmp_path, reader)
        assert books.being_read
        assert drawer is None
        monkeypatch.setattr(reading, "read_start", lambda *_: pytest.fail("read here"))
        there = books.read(demo_folder(), AS_OF)
    assert_same(there, here)


def assert_same(one: reading.Start, other: reading.Start) -> None:
    assert one.fingerprint == other.fingerprint
    for mine, theirs in ((one.accounts, other.accounts), (one.touches, other.touches)):
        assert list(mine) == list(theirs)
        for name, values in theirs.items():
            assert mine[name].dtype == values.dtype
            np.testing.assert_array_equal(mine[name], values)
    for lost in ("lost_arr", "lost_logos"):
        assert {name: list(values) for name, values in getattr(one, lost).items()} == {
            name: list(values) for name, values in getattr(other, lost).items()
        }


@pytest.mark.parametrize("serve", FAILING)
def test_a_process_that_fails_is_replaced(
    runs: Runs, baseline: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: str
) -> None:
    monkeypatch.setattr(companion, "SERVE", serve)
    monkeypatch.setattr(drawing, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.5)
    with companion.beside(2, drawing.NEEDED) as (reader, drawer):
        assert reader is not None
        assert drawer is not None
        assert list(draw(runs, tmp_path / "here", drawer)) == ONE
        books = reading.Books([baseline], tmp_path, reader)
        assert len(books.read(demo_folder(), AS_OF).accounts["account_id"]) > 500
    for each in (reader, drawer):
        assert each.process is not None
        assert each.process.returncode is not None


def test_what_is_too_large_to_send_is_drawn_here(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_BYTES", 100)
    with companion.beside(2, drawing.NEEDED) as (_, drawer):
        assert list(draw(runs, tmp_path / "here", drawer)) == ONE


def test_a_stopped_command_leaves_no_process_and_draws_nothing(runs: Runs, tmp_path: Path) -> None:
    def command() -> None:
        with drawing.drawn(runs, tmp_path, drawer):
            raise KeyboardInterrupt

    with companion.beside(2, drawing.NEEDED) as (_, drawer):
        with pytest.raises(KeyboardInterrupt):
            command()
        assert drawer is not None
        assert drawer.process is not None
        assert drawer.process.returncode is not None
    assert files(tmp_path) == {}


def test_an_error_is_the_one_that_drawing_here_gives(runs: Runs, tmp_path: Path) -> None:
    with (
        companion.beside(2, drawing.NEEDED) as (_, drawer),
        pytest.raises(FileNotFoundError),
        drawing.drawn(runs, tmp_path / "missing", drawer),
    ):
        assert drawer is not None


def test_a_bad_book_is_the_error_that_reading_here_gives(baseline: Scenario, tmp_path: Path) -> None:
    bad = tmp_path / "book"
    bad.mkdir()
    (bad / "accounts.csv").write_text("account_id,segment\na,smb\n")
    plan = baseline.replace(book=str(bad))
    with pytest.raises(InputErrors) as here:
        read_start(bad, AS_OF)
    with companion.beside(2, ()) as (reader, _):
        books = reading.Books([plan], tmp_path, reader)
        with pytest.raises(InputErrors) as there:
            books.read(bad, AS_OF)
        books.keep()
    assert str(there.value) == str(here.value)
    assert not (tmp_path / kept.FOLDER).exists()


def test_warnings_of_a_process_are_seen(capsys: pytest.CaptureFixture[str]) -> None:
    asked = companion.Companion(("warnings",))
    import warnings

    assert asked.wait(asked.ask(warnings.warn, "seen over there"), 30) is None
    assert "seen over there" in capsys.readouterr().err
    asked.stop()


def test_a_process_ends_when_its_input_does() -> None:
    one = companion.Companion(("json",))
    one.begin()
    assert one.process is not None
    assert one.process.stdin is not None
    one.process.stdin.close()
    assert one.process.wait() == 0


def test_where_no_process_is_started(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with companion.beside(1, drawing.NEEDED) as there:
        assert there == (None, None)
    with companion.beside(2, ()) as (reader, drawer):
        assert reader is not None
        assert reader.process is None  # until it is asked for something
        assert drawer is None
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(Path("no") / "such" / "program"))
        with companion.beside(2, drawing.NEEDED) as (_, drawer):
            assert list(draw(runs, tmp_path / "here", drawer)) == ONE
    monkeypatch.setattr(companion, "processors", lambda: 1)
    with companion.beside(None, drawing.NEEDED) as there:
        assert there == (None, None)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import subsim.cli.drawing, subsim.cli.companion, subsim.cli.reading", {"pandas", "matplotlib", "numba"}),
        ("import subsim.cli.work, subsim.experiment.run", {"matplotlib", "joblib", "scipy.stats", "simpy", "duckdb"}),
        ("import subsim.experiment.finished, subsim.report.pictures", {"pandas", "numba", "pyarrow", "pydantic"}),
        ("import subsim.book", {"matplotlib", "numba"}),
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


def test_a_command_keeps_what_it_read_of_a_book(baseline: Scenario, tmp_path: Path) -> None:
    books = reading.Books([baseline], tmp_path, None)
    first = books.read(demo_folder(), AS_OF)
    books.keep()
    again = reading.Books([baseline], tmp_path, None)
    assert_same(again.read(demo_folder(), AS_OF), first)
