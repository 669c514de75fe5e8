"""The command gives the same table with either engine, in a process that has loaded nothing else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCENARIO = """
name: Small
start: 2026-01-01
horizon: 4 months
segments: {smb: {opening: {accounts: 30}}}
teams: {desk: {seats: 2}}
tiers: {desk: {coverage: pooled, team: desk}}
routing: [{to: desk}]
"""


def table(scenario: Path, engine: str) -> Any:
    command = [sys.executable, "-m", "subsim", "run", str(scenario), "--draws", "4", "--engine", engine]
    options = ["--json", "--no-figures", "--out", str(scenario.parent / "results")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["monthly"]


def test_the_command_gives_the_same_table_with_either_engine(tmp_path: Path) -> None:
    scenario = tmp_path / "small.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    assert table(scenario, "simpy") == table(scenario, "compiled")
