"""Pictures of single answers: bars add up, titles say what was found, numbers stand where they belong."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from subsim.experiment.attribution import TOTAL, attribute
from subsim.experiment.information import Information
from subsim.experiment.needed_effect import NeededEffect
from subsim.experiment.variance import VarianceSplit
from subsim.report import figures
from subsim.scenario import Scenario
from tests.unit.experiment.test_attribution import BASE, PLAN


def words(ax: Any) -> str:
    return " | ".join(text.get_text() for text in ax.texts)


def test_drivers_end_where_the_total_does() -> None:
    found = attribute(Scenario.from_dict(BASE), Scenario.from_dict(PLAN), draws=8, seed=3)
    bars = found.figure(metric="net_value").patches
    steps, whole = [bar.get_width() for bar in bars[:-1]], bars[-1].get_width()
    assert sum(steps) == pytest.approx(whole, abs=0.05)
    assert bars[-2].get_x() + bars[-2].get_width() == pytest.approx(whole, abs=0.05)
    rows = found.to_dict()["table"]
    assert {row["driver"] for row in rows} == {*found.drivers, "interaction", TOTAL}


@pytest.mark.parametrize(("worth", "said"), [(5_000.0, "work.lift of status call is worth most"), (0.0, "No single")])
def test_what_is_worth_knowing_is_the_title(worth: float, said: str) -> None:
    row = {"parameter": "work.lift", "of": "status_call", "label": "assumed", "evppi": worth, "share": 0.5}
    found = Information("Plan", 2 * worth, pd.DataFrame([row]), "USD")
    ax = found.figure()
    assert said in words(ax)
    assert [bar.get_width() for bar in ax.patches] == ([10_000.0, 5_000.0] if worth else [0.0])
    assert found.to_dict()["numbers"][0]["evppi"] == worth


def test_parameters_and_chance_fill_the_bar() -> None:
    rows = [{"metric": "arr", "horizon_months": months, "parameter_share": 0.25} for months in (6, 12)]
    found = VarianceSplit("Plan", "Base", pd.DataFrame(rows))
    bars = figures.variance(found).patches
    assert [bars[i].get_width() + bars[i + 2].get_width() for i in range(2)] == [1.0, 1.0]
    assert "25 % of what is uncertain" in words(found.figure())


@pytest.mark.parametrize(("slope", "side"), [(1.0, ("least", "above")), (-1.0, ("most", "below"))])
def test_an_effect_is_needed_from_one_side(slope: float, side: tuple[str, str]) -> None:
    rows = [(x, slope * (x - 0.5), slope * (x - 0.5) - 1, slope * (x - 0.5) + 1, 0.5) for x in (0.0, 1.0)]
    table = pd.DataFrame(rows, columns=["effect", "mean", "q05", "q95", "p_better"])
    found = NeededEffect("work.lift", "status_call", "net_value", 12, "USD", 0.5, 0.2, 0.4, table)
    assert f"must be at {side[0]} 0.5" in found.text
    assert f"is {side[1]} 0.50" in words(found.figure())
    assert found.to_dict()["needed"] == 0.5
    assert "<table" in found._repr_html_()


def test_a_date_of_hiring_has_its_day_of_approval() -> None:
    names = ["hire on 2026-03-01", "hire on 2026-06-01"]
    row = {
        "metric": "net_value",
        "horizon_months": 12,
        "q05": -1.0,
        "q25": 0.0,
        "q75": 2.0,
        "q95": 3.0,
        "p_better": 0.7,
    }
    table = pd.DataFrame([row | {"plan": name, "mean": mean} for name, mean in zip(names, (1.0, 2.0), strict=True)])
    plan: Any = SimpleNamespace(
        team="care",
        seats=2,
        currency="USD",
        approve_by=dict.fromkeys(names, "2026-01-31"),
        table=table,
        runs=SimpleNamespace(draws=10),
    )
    told = words(figures.hires(plan))
    assert "Hire on 2026-06-01 brings most" in told
    assert told.count("2026-01-31") == 2
