from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.experiment import replay as replaying
from subsim.experiment.replay import replay
from subsim.scenario import Scenario
from tests.calibrate import books

TWO = ("smb", "enterprise")


def scenario(book: Path | None, **more: Any) -> Scenario:
    opening = {} if book else {"opening": {"accounts": 3}}
    base = {
        "name": "today",
        "start": "2026-01-01",
        "horizon": "36 months",
        "book": str(book) if book else None,
        "segments": {name: {"new_business": "100 per month", **opening} for name in TWO},
        "tiers": {"tech": {"coverage": "digital"}},
        "routing": [{"to": "tech"}],
    }
    return Scenario.from_dict({key: value for key, value in (base | more).items() if value is not None})


class Recorded:
    """Stands for a run: remembers its scenario and gives constant draws."""

    def __init__(self) -> None:
        self.past: Scenario | None = None

    def __call__(self, past: Scenario, **named: Any) -> "Recorded":
        assert named["force"]
        self.past = past
        return self

    def samples(self, _: str | None, metric: str) -> np.ndarray:
        level = {"churn": 5_000.0, "grr_ttm": 0.8, "nrr_ttm": 0.9}[metric]
        return np.full((7, 12), level)


def test_the_last_year_is_simulated_with_the_logos_that_came(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = books.tables()
    books.book(tmp_path, made)
    recorded = Recorded()
    monkeypatch.setattr(replaying, "run", recorded)
    found = {row.name: row for row in replay(scenario(tmp_path), None)}  # type: ignore[arg-type]
    assert recorded.past is not None
    assert str(recorded.past.start) == "2025-01-01"
    assert recorded.past.horizon_months == 12
    came = made["accounts"]["start_date"].between("2025-01-01", books.AS_OF)
    plan = [recorded.past.segments[name].new_business.monthly(recorded.past.start, 12) for name in TWO]
    assert np.sum(plan) == came.sum()

    contracts = made["contracts"]
    last = contracts.sort_values("end_date").drop_duplicates("account_id", keep="last")
    gone = last["end_date"] + pd.Timedelta(days=1)
    # Ends of the last month are still within their grace, so they are no loss yet.
    lost = last[(gone >= "2025-01-01") & (gone < "2025-12-01")]["arr"].sum()
    assert found["churned ARR of a month, mean"].observed * 12 == pytest.approx(lost, rel=0.02)
    assert found["GRR over 12 months"].predicted.tolist() == [0.8] * 7
    assert 0.5 < found["GRR over 12 months"].observed < 1.0


def test_a_young_book_and_a_scenario_without_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="book:"):
        replay(scenario(None), None)  # type: ignore[arg-type]
    made = books.tables(40)
    recent = made["accounts"]["start_date"] > "2024-12-01"
    ids = set(made["accounts"].loc[recent, "account_id"])
    books.book(tmp_path, {name: table[table["account_id"].isin(ids)] for name, table in made.items()})
    with pytest.raises(InputError, match="24 months"):
        replay(scenario(tmp_path), None)  # type: ignore[arg-type]
