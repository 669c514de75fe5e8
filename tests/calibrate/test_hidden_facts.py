"""Facts that a book does not tell outright: the pace of the onboarding team, full wallets, save plays that fail."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from subsim.book import Book
from subsim.calibrate import rates_data
from subsim.calibrate.engagement_fit import shape
from subsim.calibrate.engagement_mode import mode_of, mode_of_part
from subsim.calibrate.engagement_readings import readings
from subsim.calibrate.onboarding_queue import Pace, pace_of, waits
from subsim.calibrate.together import frame_of
from subsim.calibrate.wallet import wallets
from tests.calibrate import books, made_engagement


def onboardings(tmp_path: Path, true: Pace) -> tuple[Book, list[NDArray[np.float64]]]:
    """A book with one person for onboardings and one who comes later; kick-offs, first values, hours of 300."""
    made = books.tables()
    day, later = pd.Timestamp("2023-01-01"), pd.Timestamp("2024-06-01")
    made["seats"] = pd.DataFrame(
        {"seat_id": ["s1", "s2"], "team": "onboarding", "start_date": [day, later], "leave_date": pd.NaT}
    )
    book = books.book(tmp_path, made)
    count = 300
    start = 19_500.0 + 4 * np.arange(count)
    hours = 12 + 6 * books.uniforms("hours", count)
    delay = np.exp(np.log(12) + 0.6 * books.normals("delay", count))
    reached = np.floor(start + waits(book, start, hours, true) + np.maximum(hours / true.hours, delay))
    return book, [start, reached, hours]


@pytest.mark.parametrize("z", [-1.53, 1.21])
def test_pace_is_read_from_first_values_that_came_when_the_work_was_done(tmp_path: Path, z: float) -> None:
    true = Pace.of(np.array([z, 0.0, 0.0]))
    book, (start, reached, hours) = onboardings(tmp_path, true)
    found = pace_of(book, np.full(len(start), "smb"), start, reached, hours)
    assert found.hours == pytest.approx(true.hours, rel=0.03)
    waited = waits(book, start, hours, true)
    assert waited.max() > 20
    assert np.abs(waits(book, start, hours, found) - waited).mean() < 0.15 * waited.mean()


def test_an_onboarding_that_nobody_has_begun_says_nothing_of_the_customer(tmp_path: Path) -> None:
    made = books.tables(40, segments=("smb",))
    day = pd.Timestamp("2023-01-01")
    made["seats"] = pd.DataFrame(
        {"seat_id": ["s1"], "team": ["onboarding"], "start_date": [day], "leave_date": [pd.NaT]}
    )
    last = made["onboarding"].index[-5:]
    made["onboarding"]["first_value_date"] = made["onboarding"]["first_value_date"].astype(object)
    made["onboarding"].loc[last, "first_value_date"] = pd.NaT
    made["onboarding"]["hours"] = 3.0

    def beyond(name: str) -> float:
        book = books.book(tmp_path / name, made)
        cells = rates_data.summarise(book, frame_of(book)).cells
        return float(cells["censored_n"][cells["censored_sign"] > 0].sum())

    worked = beyond("worked")
    made["onboarding"].loc[last, "hours"] = np.nan
    assert beyond("waiting") == worked - len(last)


def test_an_expansion_up_to_the_wallet_is_cut_short_and_ends_what_can_be_won() -> None:
    days = ["01-01", "03-01", "06-01", "01-01", "05-01", "01-01", "02-01", "02-11"]
    days = [f"2024-{day}" for day in days]
    rows = pd.DataFrame(
        {
            "account_id": ["a", "a", "a", "b", "b", "c", "c", "c"],
            "segment": "smb",
            "date": pd.to_datetime(days),
            "kind": ["new", "expansion", "contraction", "new", "expansion", "new", "expansion", "churn"],
            "after": [100, 300, 200, 1000, 1500, 50, 150, 0],
            "reason": "",
        }
    )
    wins = (rows["kind"] == "expansion").to_numpy()
    found = wallets(rows, wins, ("smb",), end=20_000.0)
    assert found.filled.tolist() == [False, True, False, False, False, False, True, False]
    assert found.full_days.tolist() == [92.0 + 10.0]
    alone = wallets(rows.iloc[:5], wins[:5], ("smb",), end=20_000.0)  # one highest multiple says nothing
    assert not alone.filled.any()
    assert alone.full_days.tolist() == [0.0]


def test_save_plays_that_may_fail_do_not_count_as_noise(tmp_path: Path) -> None:
    data = readings(made_engagement.book(tmp_path, made_engagement.tables(1)))
    form = shape(data, {})
    renamed = dataclasses.replace(data, kinds=np.where(data.kinds == "business_review", "save", data.kinds))
    with_save = mode_of_part(renamed, shape(renamed, {}), {}).form
    jumps = dict(zip(data.kinds.tolist(), mode_of_part(data, form, {}).form.jumps, strict=True))
    assert {kind for kind, jump in jumps.items() if jump} <= {"onboarding stalled"}
    assert sum(with_save.jumps) > 0
    plain = dataclasses.replace(with_save, jumps=())
    noise = [float(mode_of(renamed, each, corrected=False).mode.log_theta[1]) for each in (with_save, plain)]
    assert noise[0] < noise[1]


def test_lifts_do_not_hold_the_drift_where_its_prior_lies(tmp_path: Path) -> None:
    data = readings(made_engagement.book(tmp_path, made_engagement.tables(1)))
    form = shape(data, {})
    found = []
    for centre in (0.004, 0.015):  # priors that say next to nothing, from either side
        vague = dataclasses.replace(form.theta[0], centre=centre, spread=3.0)
        at = mode_of(data, dataclasses.replace(form, theta=(vague, *form.theta[1:])), {}, corrected=False)
        found.append((at.mode.log_theta[0], at.form.weights[1].sum()))
    assert found[0] == pytest.approx(found[1], rel=0.01)
