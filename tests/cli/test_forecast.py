"""The main job in one command: calibrate, simulate, compare, report."""

import json
from pathlib import Path

import pytest

from subsim.cli import app
from subsim.experiment.demo import scenario_folder


def test_forecast_calibrates_compares_and_writes_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        app.main(["forecast", "--scenarios", str(scenario_folder()), "--draws", "4", "--out", str(tmp_path)])
    out = " ".join(capsys.readouterr().out.split())
    assert not stopped.value.code
    assert "numbers were learned from the book" in out
    assert (tmp_path / "calibration" / "learned.csv").is_file()
    (folder,) = (path.parent for path in tmp_path.glob("*/manifest.json"))
    facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert len(facts["scenarios"]) == 5
    assert facts["posterior"]["learned"] > 50
    assert {"report.html", "plans.png", "comparison.png", "summary.md"} <= {path.name for path in folder.iterdir()}
    assert "learned" in (folder / "report.html").read_text(encoding="utf-8").lower()
