import numpy as np
import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.ledger import triangle, triangle_of_counts
from tests.unit.ledger.test_metrics import Row, ledger

HISTORY: tuple[Row, ...] = (
    ("a", "2024-01-10", "new", 0, 100),
    ("a", "2024-05-01", "expansion", 100, 150),
    ("b", "2024-02-01", "new", 0, 200),
    ("b", "2024-03-01", "churn", 200, 0),
    ("c", "2024-03-31", "new", 0, 300),
    ("c", "2024-07-01", "churn", 300, 0),
    ("c", "2024-11-01", "reactivation", 0, 80),
    ("d", "2024-07-01", "new", 0, 400),
    ("e", "2025-01-05", "new", 0, 500),
)


def cells(table: pd.DataFrame) -> list[list[float | None]]:
    return [[None if np.isnan(x) else x for x in row] for row in table.to_numpy().tolist()]


def test_triangle_by_hand_with_immature_cells_blank() -> None:
    made = triangle(ledger(*HISTORY), "2025-01-31")
    assert made.values.index.tolist() == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    assert made.started.tolist() == [3, 0, 1, 0]
    assert cells(made.values) == [[2, 2, 1, 1], [0, 0, 0, None], [1, 1, None, None], [0, None, None, None]]
    assert made.shares().iloc[0].tolist() == [2 / 3, 2 / 3, 1 / 3, 1 / 3]
    assert cells(made.steps())[0] == [1, 0.5, 1]


def test_money_and_returns() -> None:
    rows = ledger(*HISTORY)
    money = triangle(rows, "2024-12-31", of="arr", returns=True)
    assert money.started.tolist() == [600, 0, 400, 0]
    assert money.values.loc["2024-Q1"].tolist() == [400, 450, 150, 230]
    assert triangle(rows, "2024-12-31", of="arr").values.loc["2024-Q1"].tolist() == [400, 450, 150, 150]


@pytest.mark.parametrize(("grain", "names", "first"), [("year", ["2024"], [2]), ("month", 13, [1] * 13)])
def test_grains(grain: str, names: list[str] | int, first: list[int]) -> None:
    made = triangle(ledger(*HISTORY), "2025-01-31", grain=grain)  # type: ignore[arg-type]
    assert made.values.index.tolist() == names if isinstance(names, list) else len(made.values) == names
    assert made.values.iloc[0].tolist() == first


def test_accounts_of_an_opening_balance_have_no_known_start() -> None:
    rows = ledger(*HISTORY)
    rows.loc[rows["account_id"] == "a", "reason"] = "opening balance"
    assert triangle(rows, "2024-12-31").started.iloc[0] == 2


def test_the_last_column_is_the_last_complete_period() -> None:
    assert triangle(ledger(*HISTORY), "2024-12-30").values.shape == (3, 3)
    assert triangle(ledger(*HISTORY), "2024-01-20").values.shape == (0, 0)
    assert triangle(ledger(), "2024-12-31").by_period().empty


def test_counted_cohorts_give_rates_by_age_and_the_rate_that_is_seen_without_cohorts() -> None:
    years = ["2001", "2002", "2003"]
    made = triangle_of_counts(
        pd.DataFrame([[100, 80, 72], [np.nan, 100, 80], [np.nan, np.nan, 100]], index=years, columns=years)
    )
    assert made.by_age()["step"].tolist()[1:] == [0.8, 0.9]
    assert made.by_age()["cohorts"].tolist() == [3, 2, 1]
    assert made.by_age()["share"].tolist() == [1, 0.8, 0.72]
    assert made.by_period()["value"].tolist() == [100, 180, 252]
    assert made.by_period()["retention"].tolist()[1:] == [80 / 100, 152 / 180]


def test_tables_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match="1 rows, 2 columns"):
        triangle_of_counts(pd.DataFrame([[1, 2]]))
    with pytest.raises(InputError, match="blank"):
        triangle_of_counts(pd.DataFrame([[1, np.nan], [np.nan, 2]]))
