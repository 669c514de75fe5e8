"""The backtest on a real base: what it prints holds, and on a made-up extract it runs."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPORT = ROOT.parent / "shared" / "data" / "buffer_subscriptions_asof_2021-06-30.csv"


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


BACKTEST = module(ROOT / "verification" / "buffer_backtest.py")


def test_a_real_base_is_forecast_better_than_by_curves_of_days() -> None:
    if not EXPORT.exists():
        pytest.skip("the export is not at hand")
    table = BACKTEST.backtest(EXPORT)
    error = BACKTEST.mape(table)
    assert error["subsim"] < error["constant"]
    assert error["subsim"] < error["kaplan_meier"] / 2
    inside = (table["low"] <= table["actual"]) & (table["actual"] <= table["high"])
    assert inside.sum() >= 5


def test_yearly_plans_end_at_anniversaries() -> None:
    if not EXPORT.exists():
        pytest.skip("the export is not at hand")
    curves, _ = BACKTEST.calibrated(EXPORT, dt.date(2021, 6, 30), draws=200)
    yearly, monthly = (np.median(curves[f"{plan} plan"], axis=0) for plan in ("yearly", "monthly"))
    # Cards are declined for weeks after it: the forty days from the anniversary take more than the half year before.
    assert yearly[360] - yearly[400] > 1.5 * (yearly[180] - yearly[360])
    assert yearly[200] - yearly[240] < 0.2 * (yearly[360] - yearly[400])
    falls = -np.diff(monthly)
    assert falls[28:34].max() > 2 * falls[8:19].max()
    assert (np.diff(yearly) <= 1e-12).all()


def test_a_made_up_extract_runs(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    module(ROOT / "examples" / "buffer" / "make_extract.py").extract().to_csv(path, index=False)
    table = BACKTEST.backtest(path)
    assert len(table) == 6
    assert (table["low"] <= table["subsim"]).all()
    assert (table["subsim"] <= table["high"]).all()
    assert (table["subsim"] > 0.5 * table["actual"]).all()
    assert (table["subsim"] < 1.5 * table["actual"]).all()


def test_kaplan_meier_of_four_lives() -> None:
    curve = BACKTEST.kaplan_meier(np.array([1, 2, 2, 4]), np.array([True, True, False, False]))
    assert curve[:5] == pytest.approx([1, 3 / 4, 1 / 2, 1 / 2, 1 / 2])
    assert curve[-1] == pytest.approx(1 / 2)
