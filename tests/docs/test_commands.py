"""Every command and every Python block of the README and the pages runs as written, unless the page says why not.

A `console` block holds commands after `$ `; `python` blocks of a page share one namespace; `yaml` blocks that extend a
shipped scenario must load. Each page runs in order, in a folder with the shipped scenarios and examples and a made-up
Buffer export.
`<!-- not run: reason -->` on the line before a block leaves it out.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from subsim.cli import app
from subsim.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXPORT = "buffer_subscriptions_asof_2021-06-30.csv"
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
KINDS = {"console", "python", "yaml"}


class Block(NamedTuple):
    line: int
    kind: str
    body: str
    reason: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, found.start()) + 1, found["kind"], found["body"], found["reason"])
        for found in FENCE.finditer(text)
    ]


def commands(block: Block) -> list[list[str]]:
    lines = [line.removeprefix("$ ") for line in block.body.splitlines() if line.startswith("$ ")]
    return [shlex.split(line, comments=True) for line in lines]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the repository to a reader who types the commands."""
    for name in ("scenarios", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    script = [sys.executable, "examples/buffer/make_extract.py", EXPORT]
    subprocess.run(script, cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    shutil.copy(tmp_path / EXPORT, tmp_path / "examples" / "buffer")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


def run_block(block: Block, names: dict[str, Any], folder: Path) -> None:
    if block.kind == "python":
        exec(compile(block.body, f"block at line {block.line}", "exec"), names)
    elif block.kind == "yaml" and block.body.startswith("extends:"):
        file = folder / "scenarios" / f"line_{block.line}.yaml"
        file.write_text(block.body, encoding="utf-8")
        load_scenario(file)
    for command in commands(block) if block.kind == "console" else []:
        assert command[0] == "subsim", f"line {block.line}: only subsim is run here, not {command[0]}"
        with pytest.raises(SystemExit) as stopped:
            app.main(command[1:])
        assert not stopped.value.code, f"line {block.line}: {shlex.join(command)} gave {stopped.value.code}"


WITH_BLOCKS = [page for page in PAGES if any(block.reason is None for block in blocks(page))]


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page_runs(page: Path, workshop: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        if block.reason is None:
            run_block(block, names, workshop)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_are_of_a_kind_that_is_run(page: Path) -> None:
    fences = re.findall(r"^```(\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(fences) <= KINDS
    assert len(fences) == len(blocks(page))
    assert all(commands(block) for block in blocks(page) if block.kind == "console")


def test_readme_names_real_commands() -> None:
    """The README names real commands only, with their real options, also in blocks that are not run."""
    known = {command.callback.__name__ for command in app.app.registered_commands if command.callback}
    used = {line[1] for block in blocks(ROOT / "README.md") for line in commands(block) if line[0] == "subsim"}
    assert used <= known
    assert {"demo", "check", "run", "compare", "explain", "trace"} <= used


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []
