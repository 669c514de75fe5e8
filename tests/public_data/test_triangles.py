"""Published cohort triangles: what their identities say, on a table of counts and through contracts and ledger."""

import numpy as np
import pandas as pd
import pytest

from subsim.ledger import from_contracts
from subsim.ledger.triangle import Triangle, triangle, triangle_of_counts
from tests.public_data.shared import real

#: Fader and Hardie, note 017: shifted beta-geometric with alpha 3.8 and beta 15.2, cohorts of 10,000.
ALPHA, BETA = 3.8, 15.2
COHORTS = 5


def survivors() -> list[int]:
    """Rounded counts by age: the retention rate from age t - 1 to t is (beta + t - 1) / (alpha + beta + t - 1)."""
    left = [1.0]
    for age in range(1, COHORTS):
        left.append(left[-1] * (BETA + age - 1) / (ALPHA + BETA + age - 1))
    return [round(10_000 * share) for share in left]


def counts(by_age: list[int], first: int = 2001) -> pd.DataFrame:
    years = [str(first + row) for row in range(COHORTS)]
    cells = [[by_age[column - row] if column >= row else np.nan for column in range(COHORTS)] for row in range(COHORTS)]
    return pd.DataFrame(cells, index=years, columns=years)


def through_contracts(table: pd.DataFrame) -> Triangle:
    """The same table from one contract per customer that renews each year until it ends."""
    rows = []
    for year, row in table.iterrows():
        left = row.dropna().astype(int).tolist()
        years = np.repeat(np.arange(1, len(left) + 1), [*(-np.diff(left)), left[-1]])
        rows += [(int(str(year)), int(lasted), lasted < len(left) or None) for lasted in years]
    start = [f"{year}-01-01" for year, _, _ in rows]
    end = [f"{year + lasted - 1}-12-31" if gone else None for year, lasted, gone in rows]
    ids = [f"c{number}" for number in range(len(rows))]
    contracts = pd.DataFrame({"account_id": ids, "start_date": start, "end_date": end})
    contracts = contracts.assign(arr_cents=100, term_months=12)
    accounts = pd.DataFrame({"account_id": ids, "segment": "all customers"})
    as_of = f"{table.columns[-1]}-12-31"
    return triangle(from_contracts(contracts, accounts, as_of, grace_days=0), as_of, grain="year")


def holds(table: pd.DataFrame) -> None:
    """Diagonals add up, every cohort has one and the same rates, and retention without cohorts still moves."""
    found = triangle_of_counts(table)
    periods = found.by_period()
    assert periods["value"].tolist() == table.sum().tolist()
    assert (periods["value"] - periods["of_before"]).tolist() == [10_000] * COHORTS
    steps = found.steps()
    assert steps.nunique().tolist() == [1] * (COHORTS - 1)
    assert found.by_age()["step"].dropna().tolist() == pytest.approx(steps.iloc[0].tolist(), rel=1e-12)
    assert periods["retention"].dropna().is_monotonic_increasing


def test_note_017_from_its_own_formula() -> None:
    assert survivors() == [10_000, 8_000, 6_480, 5_307, 4_391]
    holds(counts(survivors()))


def test_the_ledger_gives_the_published_table_back() -> None:
    table = counts([left // 10 for left in survivors()])
    pd.testing.assert_frame_equal(
        through_contracts(table).values, triangle_of_counts(table).values, check_names=False, check_index_type=False
    )


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "by_age", "first"),
    [
        ("fader_hardie_note017_multicohort.csv", [10_000, 8_000, 6_480, 5_307, 4_391], 2001),
        ("contractual_five_cohorts.csv", [10_000, 6_334, 4_367, 3_264, 2_604], 2003),
    ],
)
def test_the_published_files(name: str, by_age: list[int], first: int) -> None:
    table = pd.read_csv(real(name), index_col="cohort").rename(columns=lambda column: column.removeprefix("active_"))
    table.index = table.index.astype(str)
    pd.testing.assert_frame_equal(table, counts(by_age, first), check_names=False, check_dtype=False)
    holds(table)
