"""Every notebook equals its text, runs from beginning to end in an empty folder, and ends with an answer in words."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

jupytext = pytest.importorskip("jupytext", reason="needs the notebooks extra")
nbclient = pytest.importorskip("nbclient", reason="needs the notebooks extra")
pytest.importorskip("ipykernel", reason="needs the notebooks extra")

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
TEXTS = sorted(FOLDER.glob("*.py"))
SECONDS = 900  # for one cell, the compiling of the engine on a fresh machine among them


def test_every_notebook_has_its_text_and_every_text_its_notebook() -> None:
    assert TEXTS
    assert [path.stem for path in TEXTS] == [path.stem for path in sorted(FOLDER.glob("*.ipynb"))]


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_notebook_equals_its_text_and_holds_no_outputs(text: Path) -> None:
    notebook = jupytext.read(text.with_suffix(".ipynb"))
    written = jupytext.read(text)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in written.cells
    ], f"run make notebooks after a change of {text.name}"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_notebook_asks_first_and_answers_last(text: Path) -> None:
    cells = jupytext.read(text).cells
    assert re.match(r"# .*\?\n", cells[0].source), "the title is a question"
    titles = [cell.source for cell in cells if cell.source.startswith("## ")]
    assert titles[-1] == "## The answer"
    assert "How sure?" in cells[-1].source


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_notebook_runs(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    work = tmp_path / "work"
    work.mkdir()
    notebook = jupytext.read(text.with_suffix(".ipynb"))
    place = {"metadata": {"path": str(work)}}
    nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place).execute()
    results = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output for output in results if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2
    answer: dict[str, Any] = notebook.cells[-1].outputs[-1]["data"]
    words = answer["text/markdown"]
    assert "How sure?" in words
    assert re.search(r"\d %", words)
    assert not re.search(r"\bnan\b", words)
    assert list(work.iterdir()) == []  # a notebook leaves nothing behind
