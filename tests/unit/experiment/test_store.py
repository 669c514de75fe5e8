import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pytest

from subsim.errors import InputError
from subsim.experiment import store
from subsim.experiment.results import Runs
from tests.unit.experiment import synthetic


@pytest.fixture(scope="module")
def runs() -> Runs:
    return synthetic.runs(draws=6, months=14)


def test_saved_rows_are_the_draws(runs: Runs, tmp_path: Path) -> None:
    folder = store.save(runs, tmp_path / "results", summary="text")
    query = f"""select value from '{folder}/monthly.parquet' where scenario = 'better' and segment = 'all'
                and metric = 'arr' and month = '2027-06-30' order by draw"""
    saved = [row[0] for row in duckdb.sql(query).fetchall()]
    assert np.array_equal(saved, runs.samples("better", "arr")[:, 11])


def test_ratios_without_a_base_are_null_in_the_file(runs: Runs, tmp_path: Path) -> None:
    folder = store.save(runs, tmp_path, summary="text")
    query = f"select count(*) from '{folder}/monthly.parquet' where metric = 'grr_ttm' and value is null"
    assert duckdb.sql(query).fetchall() == [(3 * 6 * 11 * 4,)]


def test_work_is_by_team(runs: Runs, tmp_path: Path) -> None:
    folder = store.save(runs, tmp_path, summary="text")
    teams = duckdb.sql(f"select distinct team from '{folder}/work.parquet' order by team").fetchall()
    assert [team for (team,) in teams] == sorted([*synthetic.TEAMS, "all"])


def test_manifest_says_how_to_run_again_and_what_numbers_rest_on(runs: Runs, tmp_path: Path) -> None:
    folder = store.save(runs, tmp_path, summary="text", command=["subsim", "run", "a.yaml"])
    facts = json.loads((folder / "manifest.json").read_text())
    assert facts["run_id"] == folder.name
    assert (facts["seed"], facts["draws"], facts["command"]) == (5, 6, ["subsim", "run", "a.yaml"])
    assert [row["name"] for row in facts["scenarios"]] == list(runs.names)
    assert all(row["source"] and row["grade"] in "ABCD" for row in facts["parameters"])


def test_run_id_depends_on_what_is_run_and_not_on_how(runs: Runs) -> None:
    same = dataclasses.replace(runs, engine="simpy")
    assert store.run_id(same) == store.run_id(runs)
    for other in (
        dataclasses.replace(runs, seed=6),
        dataclasses.replace(runs, draws=5),
        dataclasses.replace(runs, fixed_parameters=True),
        Runs({"baseline": runs.outcome("baseline")}, seed=5, draws=6),
    ):
        assert store.run_id(other) != store.run_id(runs)


def test_saving_again_replaces_and_leaves_nothing_else(runs: Runs, tmp_path: Path) -> None:
    store.save(runs, tmp_path, summary="first")
    folder = store.save(runs, tmp_path, summary="second")
    assert (folder / "summary.md").read_text() == "second\n"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_full_disk_is_said_and_leaves_the_older_result(runs: Runs, tmp_path: Path) -> None:
    older = store.save(runs, tmp_path, summary="first")

    @contextmanager
    def full(folder: Path) -> Iterator[None]:
        (folder / "half.png").write_bytes(b"x")
        yield
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left on device"):
        store.save(runs, tmp_path, summary="second", pictures=full)
    assert list(tmp_path.iterdir()) == [older]
    assert (older / "summary.md").read_text() == "first\n"


def test_a_file_in_place_of_the_folder_is_said(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(InputError, match="results folder"):
        store.save(runs, tmp_path / "results", summary="text")
    with pytest.raises(InputError, match="not a folder"):
        store.check_folder(tmp_path / "results")


def test_checking_a_folder_makes_nothing(tmp_path: Path) -> None:
    store.check_folder(tmp_path / "new" / "results")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused_early(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="may not be written"):
        store.check_folder(tmp_path / "results")


def test_an_interrupted_picture_leaves_nothing(runs: Runs, tmp_path: Path) -> None:
    @contextmanager
    def stop(folder: Path) -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save(runs, tmp_path, summary="text", pictures=stop)
    assert list(tmp_path.iterdir()) == []
