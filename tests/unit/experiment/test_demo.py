"""The demo company: reproducible, of the size it says, readable as a book."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from subsim.book import read_book
from subsim.errors import InputError
from subsim.experiment.demo import AS_OF, TABLES, demo_folder, make_demo, write_demo
from subsim.scenario import load_scenario


def test_the_shipped_files_are_what_the_simulator_makes(tmp_path: Path) -> None:
    for name, table in make_demo().items():
        path = tmp_path / f"{name}.csv"
        table.to_csv(path, index=False, lineterminator="\n")
        made, shipped = pd.read_csv(path), pd.read_csv(demo_folder() / f"{name}.csv")
        numbers = made.select_dtypes("number").columns
        assert made.drop(columns=numbers).equals(shipped.drop(columns=numbers)), name
        if len(numbers):
            assert (made[numbers] - shipped[numbers]).abs().max().max() <= 0.11, name  # the last digit, elsewhere


def test_it_is_a_company_of_about_six_hundred_accounts_in_three_segments() -> None:
    book = read_book(demo_folder(), as_of=AS_OF)
    assert 500 <= book.logos <= 700
    assert list(book.segments) == ["enterprise", "mid_market", "smb"]
    assert book.ledger["date"].min().date() < dt.date(2022, 9, 1)
    assert book.bridge().query("segment == 'all'")["closing"].iloc[-1] == book.arr_cents


def test_it_is_written_with_its_scenarios_to_an_empty_folder(tmp_path: Path) -> None:
    files = write_demo(tmp_path / "mine")
    names = {path.name for path in files}
    assert {f"{name}.csv" for name in TABLES} | {"truth.yaml", "baseline.yaml"} <= names
    assert load_scenario(tmp_path / "mine" / "scenarios" / "baseline.yaml").name == "Baseline"
    with pytest.raises(InputError, match="not an empty folder"):
        write_demo(tmp_path / "mine")
