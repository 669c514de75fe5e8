"""Every shipped scenario runs and gives the numbers that stand beside it in `expected.json`.

The expected numbers are means over 40 draws with seed 1; make them anew with `python -m tests.scenarios.test_running`
after a change of results, and list the change under *Changed numbers* in the changelog.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import subsim
from subsim.scenario import load_scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
EXPECTED = Path(__file__).with_name("expected.json")
METRICS = ("arr", "logos", "grr_ttm", "nrr_ttm", "cs_cost")
MONTHS = (12, 24, 36)
DRAWS = 40
TOLERANCE = 0.005  # other platforms may differ in the last bit of a logarithm, and so in a rare decision


def table(name: str) -> dict[str, list[float]]:
    """Mean of each metric at some months."""
    scenario = load_scenario(FOLDER / f"{name}.yaml")
    runs = subsim.run(scenario, draws=DRAWS, seed=1)
    months = [month - 1 for month in MONTHS if month <= scenario.horizon_months]
    return {
        metric: [round(float(np.mean(runs.samples(scenario.name, metric)[:, month])), 6) for month in months]
        for metric in METRICS
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_it_runs_and_matches_its_expected_table(name: str) -> None:
    expected = json.loads(EXPECTED.read_text())[name]
    for metric, values in table(name).items():
        assert values == pytest.approx(expected[metric], rel=TOLERANCE), metric


if __name__ == "__main__":
    tables = {path.stem: table(path.stem) for path in sorted(FOLDER.glob("*.yaml"))}
    EXPECTED.write_text(json.dumps(tables, indent=1) + "\n")
