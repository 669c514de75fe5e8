"""How the command ends when what it says cannot be written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full on this system")
@pytest.mark.parametrize("wanted", [["parameters"], ["parameters", "--json"]])
def test_output_without_room_is_one_error(wanted: list[str]) -> None:
    with FULL.open("w") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "subsim", *wanted], stdout=nowhere, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    said = json.loads(line)["error"]["where"] if "--json" in wanted else line.split(":")[0]
    assert said == "standard output"
