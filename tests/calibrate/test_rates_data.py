"""What is counted in a book for the rates block, on books small enough to count by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from subsim.calibrate import rates_data
from subsim.calibrate.block import BlockData
from subsim.calibrate.priors import Key
from subsim.calibrate.together import frame_of
from tests.calibrate import books

Tables = dict[str, pd.DataFrame]


def one_account(**more: pd.DataFrame) -> Tables:
    """One account from 2023-01-01 on, in force through 2025."""
    base = {
        "accounts": pd.DataFrame({"account_id": ["a"], "start_date": ["2023-01-01"], "segment": ["smb"]}),
        "contracts": pd.DataFrame(
            {"account_id": ["a"], "start_date": ["2023-01-01"], "end_date": ["2025-12-31"], "arr": [1000]}
        ),
    }
    return base | more


def counted(folder: Path, made: Tables) -> tuple[BlockData, dict[str, list[float]]]:
    """Sums of a book, and its power cells as (events, exposure) by parameter."""
    book = books.book(folder, made)
    frame = frame_of(book)
    data = rates_data.summarise(book, frame)
    keys: list[Key] = rates_data.log_keys(frame)
    cells = data.cells
    power = {
        keys[at][0]: [a, b] for at, a, b in zip(cells["power_at"], cells["power_a"], cells["power_b"], strict=True)
    }
    return data, power


SPONSORS = pd.DataFrame({"account_id": ["a", "a"], "date": ["2024-01-01", "2024-07-01"], "event": ["left", "restored"]})


def test_sponsor_time_is_cut_at_events(tmp_path: Path) -> None:
    _, power = counted(tmp_path, one_account(sponsors=SPONSORS))
    # Watched from the first event on, which does not count: half a year absent, then a year and a half present.
    assert power["sponsor.leave_rate"] == pytest.approx([0.0, 549 / 365.25])
    assert power["sponsor.returns"] == pytest.approx([1.0, 182 / 365.25])


def test_a_sponsor_back_through_work_is_no_return_by_itself(tmp_path: Path) -> None:
    row = {"account_id": ["a"], "kind": ["sponsor_recovery"], "due_date": ["2024-07-20"], "done_date": ["2024-07-01"]}
    _, power = counted(tmp_path, one_account(sponsors=SPONSORS, touches=pd.DataFrame(row)))
    assert power["sponsor.returns"] == pytest.approx([0.0, 182 / 365.25])


def test_a_return_counts_within_two_years_of_the_loss(tmp_path: Path) -> None:
    contracts = pd.DataFrame(
        {
            "account_id": ["a", "a", "b", "b"],
            "start_date": ["2020-01-01", "2021-07-01", "2020-01-01", "2024-01-01"],
            "end_date": ["2020-12-31", "2025-12-31", "2020-12-31", "2025-12-31"],
            "arr": [1000, 900, 1000, 900],
        }
    )
    accounts = pd.DataFrame({"account_id": ["a", "b"], "start_date": ["2020-01-01"] * 2, "segment": ["smb"] * 2})
    _, power = counted(tmp_path, {"accounts": accounts, "contracts": contracts})
    assert power["renewal.reactivation"] == pytest.approx([1.0, (181 + 2 * 365.25) / 365.25], rel=0.01)


def test_tickets_count_over_months_without_an_open_one(tmp_path: Path) -> None:
    opened = pd.date_range("2024-01-01", periods=10, freq="30D")
    tickets = pd.DataFrame({"account_id": "a", "opened": opened, "resolved": opened + pd.Timedelta(days=3)})
    _, power = counted(tmp_path, one_account(tickets=tickets))
    misfit = 1 + 0.158655 * 0.3
    assert power["ticket.rate"] == pytest.approx([10.0, (1096 - 30) / 30.4375 * misfit], rel=1e-4)


def test_leavers_count_over_the_years_of_their_seats(tmp_path: Path) -> None:
    seats = pd.DataFrame(
        {
            "seat_id": ["s1", "s2"],
            "team": ["csm", "csm"],
            "start_date": ["2023-01-01", "2025-01-01"],
            "leave_date": ["2024-01-01", None],
        }
    )
    _, power = counted(tmp_path, one_account(seats=seats))
    assert power["seat.leave_rate"] == pytest.approx([1.0, 730 / 365.25])


def test_hours_of_missed_touches_do_not_count(tmp_path: Path) -> None:
    touches = pd.DataFrame(
        {
            "account_id": ["a", "a", "a"],
            "kind": ["save"] * 3,
            "due_date": ["2024-01-10", "2024-02-10", "2024-03-10"],
            "done_date": ["2024-01-08", None, "2024-03-01"],
            "hours": [5.0, 99.0, 7.0],
        }
    )
    data, power = counted(tmp_path, one_account(touches=touches))
    assert data.events["work.hours", ("save",)] == 2
    shape = 2.1
    assert power["work.hours"][0] == pytest.approx(-shape * 2)
    # The most likely mean of two sizes alike in shape lies between them.
    best = (power["work.hours"][1] / 2) ** (1 / shape)
    assert 5.0 < best < 7.0


def test_wins_of_tiers_without_people_for_them_carry_the_other_chance(tmp_path: Path) -> None:
    made = books.tables(4, segments=("smb",))
    made["accounts"]["tier"] = ["served", "served", "alone", "alone"]
    made["touches"] = pd.DataFrame(
        {"account_id": ["a0000"], "kind": ["expansion"], "due_date": ["2024-06-01"], "done_date": ["2024-05-01"]}
    )
    data, _ = counted(tmp_path, made)
    alone = data.cells["power_self"][data.cells["power_win"] > 0]
    assert sorted(alone.tolist()) == [0.0, 1.0]
    exposure = data.cells["power_b"][data.cells["power_win"] > 0]
    assert np.ptp(exposure) / exposure.mean() < 1e-9  # half of the accounts each


def test_while_an_expansion_is_worked_on_another_is_void(tmp_path: Path) -> None:
    made = books.tables(4, segments=("smb",))
    made["accounts"]["tier"] = ["served", "served", "alone", "alone"]
    made["touches"] = pd.DataFrame(
        {"account_id": ["a0000"], "kind": ["expansion"], "due_date": ["2024-06-01"], "done_date": ["2024-05-22"]}
    )
    data, _ = counted(tmp_path, made)
    exposure = data.cells["power_b"][data.cells["power_win"] > 0]
    assert np.ptp(exposure) * 365.25 == pytest.approx(
        20.0, abs=0.01
    )  # raised 30 days before it is due, done 20 days later
