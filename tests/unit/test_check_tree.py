"""Each check of the tree finds what it is there for, and leaves a clean tree alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import check_tree

ROOT = Path(__file__).resolve().parents[2]


def findings_for(root: Path, files: dict[str, str | bytes]) -> list[str]:
    """Write `files` to a new git repository and return what the checks say of it."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    return list(check_tree.findings(root))


# In pieces: this file is tracked too.
FORBIDDEN_TEXT = [
    ("https://" + "py" + "pi.org/simple", "package index host"),
    ("https://files." + "python" + "hosted.org/x.whl", "package index host"),
    ("https://conda.ana" + "conda.org/forge", "package index host"),
    ("https://registry.np" + "mjs.org/x", "package index host"),
    ("https://registry.yarn" + "pkg.com/x", "package index host"),
    ("http://deb." + "debian.org", "package index host"),
    ("https://crates" + ".io/x", "package index host"),
    ("https://download." + "py" + "torch.org", "package index host"),
    ("--" + "index-url x", "names a package index"),
    ("--extra-" + "index-url=x", "names a package index"),
    ("--find" + "-links wheels", "names a package index"),
    ("open('/wo" + "rk/main/a.csv')", "path of one machine"),
    ("file:///ro" + "ot/x", "path of one machine"),
    ("see /ho" + "me/someone/x", "path of one machine"),
    ("see /Us" + "ers/someone/x", "path of one machine"),
    ("/tmp/" + "bash_jobs.0/x", "path of one machine"),
    ("/opt/" + "wheels", "path of one machine"),
    ("made in this work" + "place", "how it was made"),
    ("a sub" + "agent wrote it", "how it was made"),
    ("run by an AI " + "session", "how it was made"),
    ("issues " + "show 3", "how it was made"),
    ("as issue" + " 12 asks", "how it was made"),
    ("issue" + " #12", "how it was made"),
    ("Co-authored" + "-by: x", "how it was made"),
    ("see ../shared/" + "design/model.md", "how it was made"),
    *((f"with the help of {name}", "how it was made") for name in ("Clau" + "de", "Anthro" + "pic")),
    *((f"with the help of {name}", "how it was made") for name in ("Chat" + "GPT", "Open" + "AI")),
]


@pytest.mark.parametrize(("line", "what"), FORBIDDEN_TEXT)
def test_forbidden_text_is_found_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    [finding] = findings_for(tmp_path, {"docs/page.md": f"first line\n{line}\n"})
    assert finding.startswith("docs/page.md:2: ")
    assert what in finding


@pytest.mark.parametrize(
    "line",
    [
        "hours/root/week",
        "src/root/x",
        "https://example.org/home/start",
        "~/root/x",
        "support agents",
        "data/shared/file",
        "an issue of 3 tickets",
        "uv pip compile --no-emit-index-url --no-emit-find-links",
    ],
)
def test_ordinary_text_is_left_alone(tmp_path: Path, line: str) -> None:
    assert findings_for(tmp_path, {"docs/page.md": line}) == []


def test_forbidden_text_in_a_file_name_is_found(tmp_path: Path) -> None:
    [finding] = findings_for(tmp_path, {"docs/work" + "place.md": "fine"})
    assert "how it was made" in finding


def test_untracked_and_binary_files_are_not_read(tmp_path: Path) -> None:
    assert findings_for(tmp_path, {"image.bin": b"\0" + b"/ro" + b"ot/x"}) == []
    (tmp_path / "note.md").write_text("/ro" + "ot/x")
    assert list(check_tree.findings(tmp_path)) == []


def test_big_file_is_found(tmp_path: Path) -> None:
    [finding] = findings_for(
        tmp_path, {"big.bin": bytes(check_tree.MAX_BYTES + 1), "ok.bin": bytes(check_tree.MAX_BYTES)}
    )
    assert finding.startswith("big.bin:1: 5,000,001 bytes")


def test_lock_that_names_an_index_is_found(tmp_path: Path) -> None:
    [finding] = findings_for(tmp_path, {"uv" + ".lock": "version = 1"})
    assert "requirements.lock" in finding


@pytest.mark.parametrize(
    "code",
    [
        "import subsim.engine.compiled",
        "from subsim.engine import compiled",
        "from subsim import engine",
        "def late():\n    from subsim.engine.compiled import run",
        "from subsim import cli",
    ],
)
def test_import_against_the_direction_is_found(tmp_path: Path, code: str) -> None:
    [finding] = findings_for(tmp_path, {"src/subsim/ledger/bridge.py": code})
    line = 2 if code.startswith("def") else 1
    assert finding.startswith(f"src/subsim/ledger/bridge.py:{line}: ledger imports ")
    assert "ledger may import _jit, errors, ratios, units" in finding


def test_report_never_imports_an_engine(tmp_path: Path) -> None:
    [finding] = findings_for(tmp_path, {"src/subsim/report/figures.py": "from subsim.engine import run"})
    assert "report imports engine" in finding


def test_errors_import_nothing(tmp_path: Path) -> None:
    [finding] = findings_for(tmp_path, {"src/subsim/errors.py": "import subsim.units"})
    assert "errors may import nothing" in finding


def test_imports_along_the_direction_are_left_alone(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "src/subsim/__init__.py": "import subsim.engine",
        "src/subsim/cli/app.py": "from subsim import __version__, engine, report",
        "src/subsim/engine/compiled.py": "from subsim.engine.state import State\nfrom subsim.model import rules",
        "src/subsim/model/rules/renewal.py": "import numba\nfrom subsim.random import uniform",
        "src/subsim/calibrate/fit.py": "import pymc\nimport arviz\nimport arviz.stats",
    }
    assert findings_for(tmp_path, files) == []


def test_room_outside_the_table_is_found(tmp_path: Path) -> None:
    [finding] = findings_for(tmp_path, {"src/subsim/helpers.py": "import math"})
    assert "'helpers' is not a known room" in finding


@pytest.mark.parametrize("library", sorted(check_tree.LIBRARY_ROOM))
@pytest.mark.parametrize("room", ["model", "cli"])
def test_heavy_library_outside_its_room_is_found(tmp_path: Path, library: str, room: str) -> None:
    [finding] = findings_for(tmp_path, {f"src/subsim/{room}/page.py": f"import {library}"})
    assert f"{room} imports {library}; move" in finding


def test_second_file_with_arviz_is_found(tmp_path: Path) -> None:
    code = "import arviz"
    [finding] = findings_for(tmp_path, {"src/subsim/calibrate/a.py": code, "src/subsim/calibrate/b.py": code})
    assert finding.startswith("src/subsim/calibrate/b.py:1: a second file imports arviz")


@pytest.mark.parametrize(("line", "code"), [("fine", 0), ("/ro" + "ot/x", 1)])
def test_command_exits_with_the_verdict(tmp_path: Path, line: str, code: int) -> None:
    findings_for(tmp_path, {"page.md": line})
    command = [sys.executable, str(ROOT / "scripts" / "check_tree.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert f"check_tree: {code} finding(s) in 1 tracked files" in done.stdout


def test_every_room_of_the_package_is_in_the_table() -> None:
    rooms = {
        path.stem
        for path in (ROOT / "src" / "subsim").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms <= check_tree.ROOMS.keys() | check_tree.FREE_ROOMS
