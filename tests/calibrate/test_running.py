import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from subsim.calibrate import together
from subsim.calibrate.rates import Rates
from subsim.cli.app import main
from subsim.errors import InputError
from subsim.experiment import run as running
from subsim.experiment.new_business import plan_of, plan_scales
from subsim.experiment.parameters import Names, cells, draw_rows
from subsim.model.catalogue import parameter
from subsim.report import prose
from subsim.scenario import Scenario
from tests.calibrate import books
from tests.unit.experiment import synthetic


class Taught:
    """A posterior of two numbers, as a run sees it."""

    book, book_fingerprint, fingerprint, learned = "acme", "b" * 64, "f" * 64, 2

    def __init__(self, values: dict[tuple[str, tuple[str, ...]], Any], status: str = "PASS") -> None:
        self.draws = {key: np.asarray(value, float) for key, value in values.items()}
        self.status = status

    def values(self, name: str, keys: tuple[str, ...]) -> np.ndarray | None:
        return self.draws.get((name, keys))

    def order(self, runs: int) -> np.ndarray:
        return np.arange(runs)[::-1]


def scenario(**more: Any) -> Scenario:
    base = {
        "name": "a",
        "start": "2026-01-01",
        "horizon": "12 months",
        "segments": {
            "smb": {"opening": {"accounts": 1}},
            "enterprise": {"opening": {"accounts": 1}, "new_business": "3 per month"},
        },
        "tiers": {"tech": {"coverage": "digital"}},
        "routing": [{"to": "tech"}],
    }
    return Scenario.from_dict(base | more)


def column(scene: Scenario, rows: np.ndarray, name: str, segment: str) -> np.ndarray:
    (place,) = Names(scene).index(parameter(name), {"segment": segment})
    return rows[:, place]


def test_learned_numbers_come_from_the_posterior_and_all_others_from_their_priors() -> None:
    taught = Taught({("renewal.base", ("smb",)): [-1.0, -1.1, -1.2]})
    scene = scenario()
    plain = draw_rows(cells(scene), draws=3, seed=1)
    rows = draw_rows(cells(scene), draws=3, seed=1, posterior=taught)
    assert column(scene, rows, "renewal.base", "smb").tolist() == [-1.2, -1.1, -1.0]
    assert np.array_equal(
        column(scene, rows, "renewal.base", "enterprise"), column(scene, plain, "renewal.base", "enterprise")
    )


def test_what_the_scenario_assumes_wins_over_what_was_learned() -> None:
    taught = Taught({("renewal.base", ("smb",)): [-1.0]})
    scene = scenario(assumptions=[{"parameter": "renewal.base", "segment": "smb", "value": -3.0, "because": "a test"}])
    rows = draw_rows(cells(scene), draws=1, seed=1, posterior=taught)
    assert column(scene, rows, "renewal.base", "smb").tolist() == [-3.0]


def test_fixed_parameters_take_the_posterior_median() -> None:
    taught = Taught({("renewal.base", ("smb",)): [-1.0, -1.5, -2.5]})
    scene = scenario()
    rows = draw_rows(cells(scene), draws=2, seed=1, fixed=True, posterior=taught)
    assert column(scene, rows, "renewal.base", "smb").tolist() == [-1.5, -1.5]


def test_a_segment_without_a_plan_takes_the_learned_one_with_season_and_uncertainty() -> None:
    level = [4.0, 6.0, 8.0]
    taught = Taught({("arrival.plan", ("smb",)): level, ("arrival.plan", ("enterprise",)): level,
                     ("arrival.season", ("february",)): [np.log(2.0)] * 3})  # fmt: skip
    scene = scenario()
    plan = plan_of(scene, taught)
    assert plan[0, :3].tolist() == pytest.approx([6.0, 12.0, 6.0])
    assert plan[1].tolist() == [3.0] * 12
    scales = plan_scales(scene, Names(scene), taught, 3)
    assert column(scene, scales, "arrival.plan_scale", "smb").tolist() == pytest.approx([8 / 6, 1.0, 4 / 6])
    assert (scales != 1.0).sum() == 2


def _build(scene: Any, **_: Any) -> Any:
    setup: Any = synthetic.outcome(scene.name, 1, 4).setup
    setup.book_fingerprint = None
    return setup


def _simulate(setup: Any, **named: Any) -> Any:
    return synthetic.cube(named["draws"], 4)


def test_a_posterior_that_failed_stops_the_run_unless_it_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "build", _build)
    monkeypatch.setattr(running, "simulate", _simulate)
    failed, scene = Taught({}, "FAIL"), cast("Scenario", synthetic.scenario("a", 4))
    with pytest.raises(InputError, match="--force"):
        running.run(scene, draws=2, workers=1, posterior=failed)
    runs = running.run(scene, draws=2, workers=1, posterior=failed, force=True)
    assert runs.calibrated is not None
    assert runs.calibrated.status == "FAIL"
    assert "this run was forced" in prose.calibration(runs)


def test_a_summary_says_where_the_numbers_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "build", _build)
    monkeypatch.setattr(running, "simulate", _simulate)
    scene = cast("Scenario", synthetic.scenario("a", 4))
    runs = running.run(scene, draws=2, workers=1, posterior=Taught({}, "REVIEW"))
    said = prose.assumptions(runs)
    assert "2 numbers were learned from the book acme" in said
    assert "ask for a review" in said
    assert "another book" in said


@pytest.fixture
def only_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "blocks", lambda: (Rates(),))


def test_the_command_prints_json_and_writes_a_posterior(
    only_rates: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("zarr")
    books.book(tmp_path / "book")
    where = tmp_path / "out"
    with pytest.raises(SystemExit) as left:
        main(
            ["calibrate", str(tmp_path / "book"), "--as-of", books.AS_OF, "-o", str(where), "--draws", "100", "--json"]
        )
    assert left.value.code == 0
    facts = json.loads(capsys.readouterr().out)
    assert [block["name"] for block in facts["blocks"]] == ["rates"]
    assert (where / "posterior.zarr").is_dir()
    assert json.loads((where / "calibration.json").read_text()) == facts


def test_a_person_reads_what_was_learned(only_rates: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books.book(tmp_path / "book")
    with pytest.raises(SystemExit) as left:
        main(["calibrate", str(tmp_path / "book"), "--as-of", books.AS_OF, "--draws", "100"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert "numbers were learned from the book" in said
    assert "value.first_arr" in said


def test_contradictory_priors_are_a_sentence_with_file_and_line(
    only_rates: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    books.book(tmp_path / "book")
    path = tmp_path / "priors.yaml"
    path.write_text("priors:\n  - {parameter: expansion.win, family: beta, lower: 0.9, upper: 0.2, mass: 0.9, "
                    "source: x, grade: D}\n")  # fmt: skip
    with pytest.raises(SystemExit) as left:
        main(["calibrate", str(tmp_path / "book"), "--as-of", books.AS_OF, "--priors", str(path)])
    assert left.value.code == 2
    assert f"{path}:2: found lower 0.9, upper 0.2; allowed: lower below upper" in capsys.readouterr().err
