import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from subsim.book import empirical_rates, read_book

ROOT = Path(__file__).parents[3]
REAL = ROOT.parent / "shared" / "data" / "buffer_subscriptions_asof_2021-06-30.csv"
MAPPING = ROOT / "examples" / "buffer" / "book.yaml"


@pytest.fixture
def extract(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    spec = importlib.util.spec_from_file_location("make_extract", MAPPING.with_name("make_extract.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = module.extract()
    table.to_csv(tmp_path / "small.csv", index=False)
    return tmp_path / "small.csv", table


def test_extract_reads_like_the_real_export(extract: tuple[Path, pd.DataFrame]) -> None:
    path, table = extract
    book = read_book(path, as_of="2021-06-30", mapping=MAPPING)
    active = table["ended_by_2021_06_30"] == 0
    assert book.logos == active.sum() > 0
    assert book.arr_cents == 1200 * active.sum()
    assert book.reports[0].excluded[0][1] == (table["interval"] == "unknown").sum() > 0
    live = book.opening().accounts
    assert live.groupby("term_months").size().to_dict() == {
        1: (active & (table["interval"] == "month")).sum(),
        12: (active & (table["interval"] == "year")).sum(),
    }
    assert set(book.segments) == {"monthly plan", "yearly plan"}


def test_an_earlier_as_of_knows_nothing_of_later_ends(extract: tuple[Path, pd.DataFrame]) -> None:
    path, table = extract
    book = read_book(path, as_of="2020-12-31", mapping=MAPPING)
    start = pd.to_datetime(table["start_month"]) + pd.to_timedelta(table["start_day_of_month"] - 1, unit="D")
    end = start + pd.to_timedelta(table["duration_days"], unit="D")
    close = pd.Timestamp("2020-12-31")
    kept = (table["interval"] != "unknown") & ~((table["ended_by_2021_06_30"] == 1) & (table["duration_days"] == 0))
    running = (start <= close) & ((table["ended_by_2021_06_30"] == 0) | (end > close)) & kept
    assert book.logos == running.sum()
    assert book.tables["contracts"]["end_date"].dropna().max() <= close
    assert book.ledger["date"].max() <= close


def test_rates_of_the_extract(extract: tuple[Path, pd.DataFrame]) -> None:
    path, table = extract
    book = read_book(path, as_of="2021-06-30", mapping=MAPPING)
    rates = {(row["parameter"], row["segment"]): row for row in empirical_rates(book)}
    monthly = rates["renewal.base", "monthly plan"]
    lost = monthly["exposure"] - monthly["events"]
    assert monthly["value"] == pytest.approx(
        np.log(-np.log((monthly["events"] + 0.5) / (monthly["exposure"] + 1.0))), rel=1e-12
    )
    gone = (table["interval"] == "month") & (table["ended_by_2021_06_30"] == 1) & (table["duration_days"] > 0)
    assert 0 < lost <= gone.sum()
    assert rates["value.first_arr", "yearly plan"]["value"] == pytest.approx(12.0)
    assert rates["value.first_arr_sd", "yearly plan"]["value"] == 0.0
    assert rates["expansion.rate", "monthly plan"]["events"] == 0


@pytest.mark.shared_data
@pytest.mark.skipif(not REAL.exists(), reason="the Buffer export is not beside the repository")
def test_the_real_export_has_28_089_active_at_the_freeze() -> None:
    book = read_book(REAL, as_of="2021-06-30", mapping=MAPPING)
    assert book.logos == 28_089
    assert book.arr_cents == 28_089 * 1200
    assert [count for _, count in book.reports[1].excluded] == [242, 1355]
    assert book.opening().accounts.groupby("segment").size().to_dict() == {
        "monthly plan": 15_744,
        "yearly plan": 12_345,
    }
    bridge = book.bridge()
    assert bridge.loc[bridge["segment"] == "all", "closing"].iloc[-1] == book.arr_cents
