"""The demo company: reproducible, of the size it says, readable as a book."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from subsim.book import read_book
from subsim.errors import InputError
from subsim.experiment.demo import AS_OF, NO_LIFT, TABLES, demo_folder, make_demo, make_movements, truth, write_demo
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


SMALL = {"seed": 5, "months": 24, "size": 0.5}


@pytest.fixture(scope="module")
def small() -> dict[str, pd.DataFrame]:
    return make_demo(**SMALL)


def test_every_table_of_a_made_company_reads_as_a_book_with_nothing_set_aside(
    small: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    assert tuple(small) == ("accounts", "contracts", "onboarding", "health", "touches", "seats", "sponsors")
    for name, table in small.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    book = read_book(tmp_path, as_of=AS_OF)
    assert {name: len(table) for name, table in book.tables.items()} == {n: len(t) for n, t in small.items()}


def test_touches_name_people_who_were_there_and_missed_ones_nobody(small: dict[str, pd.DataFrame]) -> None:
    people = small["seats"].set_index("seat_id")
    done = small["touches"][small["touches"]["done_date"] != ""]
    missed = small["touches"][small["touches"]["done_date"] == ""]
    assert len(done) > 300
    assert (missed[["hours", "seat_id"]] == "").all(axis=None)
    assert (missed["due_date"] <= AS_OF).all()
    for date, seat in zip(done["done_date"], done["seat_id"], strict=True):
        assert people.loc[seat, "start_date"] <= date
        assert people.loc[seat, "leave_date"] == "" or date <= people.loc[seat, "leave_date"]
    owners = set(small["accounts"]["owner_id"]) - {""}
    assert owners <= set(people.index[people["leave_date"] == ""])


def test_a_sponsor_leaves_and_returns_in_turn(small: dict[str, pd.DataFrame]) -> None:
    for _, events in small["sponsors"].groupby("account_id")["event"]:
        assert list(events) == ["left", "restored"] * (len(events) // 2) + ["left"] * (len(events) % 2)


def test_movements_add_up_to_the_same_arr_as_the_contracts_in_force(small: dict[str, pd.DataFrame]) -> None:
    moves = make_movements(**SMALL)
    last = moves.groupby("account_id")["arr_after"].last().astype(float)
    contracts = small["contracts"]
    running = contracts[(contracts["start_date"] <= AS_OF) & (contracts["end_date"] >= AS_OF)]
    in_force = running["arr"].astype(float).groupby(running["account_id"]).sum()
    assert in_force.sub(last[last > 0], fill_value=0).abs().max() < 0.005
    assert set(moves[moves["kind"] == "churn"]["arr_after"]) == {"0.00"}


def test_numbers_are_replaced_and_are_the_truth() -> None:
    wild = {("renewal.base", "segment=smb"): 1.0, "engagement.neglect": 0.1} | NO_LIFT
    rows = {(row["parameter"], *row["of"]): row["value"] for row in truth(parameters=wild)["parameters"]}
    assert rows["renewal.base", "smb"] == 1.0
    assert rows["renewal.base", "mid_market"] == -2.25
    assert {value for key, value in rows.items() if key[0] in ("work.lift", "campaign.lift")} == {0.0}
    tables = make_demo(parameters=wild, **SMALL)
    ended = tables["contracts"].groupby("account_id")["end_date"].max() < AS_OF
    segment = tables["accounts"].set_index("account_id")["segment"]
    lost = ended.groupby(segment).mean()
    assert lost["smb"] > 3 * lost["mid_market"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("renewal.nothing", 1.0),
        ("renewal.frailty", -1.0),
        (("renewal.base", "segment=large"), -2.0),
        (("renewal.base", "tier=low_touch"), -2.0),
        (("renewal.engagement", "segment=smb"), 1.0),
    ],
)
def test_a_number_that_is_not_there_or_out_of_range_is_named(key: str | tuple[str, str], value: float) -> None:
    with pytest.raises(InputError):
        make_demo(parameters={key: value})
