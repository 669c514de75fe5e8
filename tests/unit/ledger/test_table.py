"""The long table of metrics by hand, and what each definition does to it."""

import numpy as np
import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.ledger import DEFAULT, TABLE_COLUMNS, Definitions, from_mrr, metrics_table
from tests.unit.ledger.test_metrics import Row, ledger

HISTORY: tuple[Row, ...] = (
    ("a", "2024-01-10", "new", 0, 100),
    ("b", "2024-01-31", "new", 0, 200),
    ("a", "2024-02-01", "churn", 100, 0),
    ("a", "2024-06-01", "reactivation", 0, 300),
    ("b", "2024-06-30", "renewal", 200, 200),
    ("b", "2024-06-30", "price", 200, 220),
    ("b", "2024-07-01", "contraction", 220, 150),
    ("c", "2024-08-01", "new", 0, 500),
    ("c", "2024-09-01", "expansion", 500, 600),
    ("c", "2024-10-01", "contraction", 600, 450),
)
SEGMENTS = {"a": "x", "b": "y", "c": "y"}
ACCOUNTS = pd.DataFrame({"account_id": list("abcf"), "segment": list("xyyx"), "parent_id": ["b", "", "", ""]})
AS_OF = "2025-01-31"


def table(definitions: Definitions = DEFAULT, **more: pd.DataFrame) -> pd.DataFrame:
    return metrics_table(ledger(*HISTORY, segment=SEGMENTS), AS_OF, definitions, **more)


def cell(rows: pd.DataFrame, metric: str, form: str = "", segment: str = "all", column: str = "value") -> float:
    chosen = rows[(rows["metric"] == metric) & (rows["segment"] == segment) & rows["form"].str.contains(form)]
    return float(chosen[column].iloc[0])


def test_levels_and_flows_of_the_window() -> None:
    rows = table()
    assert tuple(rows.columns) == TABLE_COLUMNS
    assert [cell(rows, name) for name in ("arr", "logos", "arr_per_account")] == [900, 3, 300]
    assert [cell(rows, name, segment="y") for name in ("new", "expansion", "contraction")] == [500, 120, 220]
    assert [cell(rows, name) for name in ("churn", "reactivation", "price_up")] == [100, 300, 20]


def test_every_rate_is_its_numerator_over_its_denominator() -> None:
    rows = table()
    rates = rows[rows["denominator"].notna() & (rows["denominator"] > 0)]
    assert np.allclose(rates["value"], rates["numerator"] / rates["denominator"], rtol=1e-15)
    assert rows.loc[rows["denominator"] == 0, "value"].isna().all()


def test_retention_by_hand_in_all_its_forms() -> None:
    rows = table()
    assert cell(rows, "grr", "frozen") == 150 / 300
    assert cell(rows, "nrr", "without reactivation") == 150 / 300
    assert cell(rows, "nrr", "with reactivation") == 450 / 300
    assert cell(rows, "logo_retention") == 1 / 2
    assert cell(rows, "grr", "bridge") == (300 - 100 - 220) / 300
    assert cell(rows, "nrr", "bridge") == (300 + 120 - 100 - 220) / 300
    # a leaves in February, b loses 70 of 520 in July, c 150 of 1050 in October; nobody else loses anything.
    assert cell(rows, "grr", "product") == pytest.approx(2 / 3 * 450 / 520 * 900 / 1050)


def test_renewals_on_what_was_up_for_renewal() -> None:
    rows = table()
    assert cell(rows, "atr") == 300
    assert cell(rows, "renewal_rate_gross") == 200 / 300
    assert cell(rows, "renewal_rate_net") == 220 / 300
    assert cell(rows, "renewal_rate_gross", column="accounts") == 2


def test_a_price_rise_does_not_make_up_for_seats_given_back() -> None:
    rows = ledger(
        ("a", "2024-01-01", "new", 0, 100),
        ("a", "2025-01-01", "renewal", 100, 100),
        ("a", "2025-01-01", "contraction", 100, 80),
        ("a", "2025-01-01", "price", 80, 120),
    )
    made = metrics_table(rows, AS_OF)
    assert [cell(made, f"renewal_rate_{name}") for name in ("gross", "net")] == [0.8, 1.2]


def test_a_loss_in_mid_term_was_not_up_for_renewal_where_the_ledger_says_so() -> None:
    rows = ledger(*HISTORY, segment=SEGMENTS)
    marked = rows.assign(in_term=(rows["kind"] == "churn").to_numpy())
    assert cell(metrics_table(marked, AS_OF), "atr") == 200


def test_a_cube_knows_of_no_renewals() -> None:
    cube = pd.DataFrame({"account_id": ["a", "b"], "2024-12": [10, 10], "2025-01": [0, 10]})
    made = metrics_table(from_mrr(cube), AS_OF, Definitions(window_months=1))
    assert cell(made, "churn") == 120
    assert cell(made, "atr") == 0
    assert np.isnan(cell(made, "renewal_rate_gross"))


@pytest.mark.parametrize(
    ("definitions", "metric", "form", "expected"),
    [
        (Definitions(reactivation_in_nrr=True), "nrr", "with reactivation", 450 / 300),
        (Definitions(win_back_days=121), "churn", "", 0),
        (Definitions(win_back_days=121), "grr", "frozen", 250 / 300),
        (Definitions(win_back_days=120), "churn", "", 100),
        (Definitions(reactivation_days=120), "new", "", 800),
        (Definitions(reactivation_days=121), "new", "", 500),
        (Definitions(new_in_window=True), "grr", "frozen", (150 - 50) / 300),
        (Definitions(new_in_window=True), "nrr", "frozen", (150 - 50) / 300),
        (Definitions(price_apart=True), "expansion", "", 100),
        (Definitions(price_apart=True), "quick_ratio", "without", 600 / 320),
        (Definitions(level="parent"), "churn", "", 0),
        (Definitions(level="parent"), "logos", "", 2),
        (Definitions(level="parent"), "grr", "frozen", 1),
        (Definitions(netting="month"), "contraction", "", 220),
        (Definitions(logo_floor_cents=151), "logos", "", 2),
        (Definitions(window_months=6), "grr", "frozen", 450 / 450),
    ],
)
def test_what_a_switch_does(definitions: Definitions, metric: str, form: str, expected: float) -> None:
    assert cell(table(definitions, accounts=ACCOUNTS), metric, form) == pytest.approx(expected)


def test_free_plans_count_as_logos_only_on_request() -> None:
    free = pd.DataFrame(
        {
            "account_id": ["f", "a"],
            "start_date": pd.to_datetime(["2023-01-01", "2024-02-01"]),
            "end_date": pd.to_datetime([None, "2024-05-31"]),
            "arr_cents": [0, 0],
        }
    )
    counted = table(Definitions(free_plans_are_logos=True), accounts=ACCOUNTS, contracts=free)
    assert cell(counted, "logos") == 4
    assert cell(counted, "logo_retention") == 2 / 3  # b and f of a, b and f
    assert cell(counted, "arr") == 900
    assert cell(table(accounts=ACCOUNTS, contracts=free), "logos") == 3
    with pytest.raises(InputError, match="free_plans_are_logos"):
        table(Definitions(free_plans_are_logos=True))


def test_load_and_coverage_by_csms_are_there_where_owners_are() -> None:
    owned = ACCOUNTS.assign(owner_id=["s1", "s1", "", "s3"])
    rows = table(accounts=owned)
    assert [cell(rows, name) for name in ("accounts_per_csm", "arr_per_csm")] == [2, 450]
    assert [cell(rows, name) for name in ("coverage_of_accounts", "coverage_of_arr")] == [2 / 3, 450 / 900]
    assert cell(rows, "arr_per_csm", segment="x") == 300
    alone = metrics_table(ledger(*HISTORY, segment=SEGMENTS), AS_OF, accounts=owned, csms=["s1", "s2"])
    assert [cell(alone, name) for name in ("accounts_per_csm", "arr_per_csm")] == [1, 225]
    for without in (ACCOUNTS, ACCOUNTS.assign(owner_id="")):
        assert "arr_per_csm" not in set(table(accounts=without)["metric"])


@pytest.mark.parametrize("definitions", [Definitions(), Definitions(level="parent"), Definitions(netting="month")])
def test_a_table_by_another_column_adds_up_to_the_same_whole(definitions: Definitions) -> None:
    rows = ledger(*HISTORY, segment=SEGMENTS)
    split = rows.assign(tier=rows["account_id"].map({"a": "gold", "b": "gold", "c": "tin"}))
    made = metrics_table(split, AS_OF, definitions, accounts=ACCOUNTS, by="tier")
    assert set(made["segment"]) == {"gold", "tin", "all"}
    assert cell(made, "arr", segment="gold") == 450
    whole, plain = (part[part["segment"] == "all"] for part in (made, table(definitions, accounts=ACCOUNTS)))
    pd.testing.assert_frame_equal(whole.reset_index(drop=True), plain.reset_index(drop=True))


def test_thin_cells_are_marked() -> None:
    many: list[Row] = [(f"m{n}", "2023-06-01", "new", 0, 10_000_001) for n in range(20)]
    rows = metrics_table(ledger(*many), AS_OF)
    assert not rows.loc[rows["metric"].isin(["arr", "grr", "nrr"]), "thin"].any()
    rows = metrics_table(ledger(*many[:19]), AS_OF)
    assert rows["thin"].all()
    small: list[Row] = [(account, date, kind, 0, 9_999_999) for account, date, kind, _, _ in many]
    assert metrics_table(ledger(*small), AS_OF)["thin"].all()


def test_parents_that_go_round_in_a_circle_are_refused() -> None:
    circle = ACCOUNTS.assign(parent_id=["b", "a", "", ""])
    with pytest.raises(InputError, match="circle of parents: a, b"):
        table(Definitions(level="parent"), accounts=circle)
    with pytest.raises(InputError, match="parent_id"):
        table(Definitions(level="parent"))


def test_definitions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="win_back_days"):
        Definitions(win_back_days=-1)
    with pytest.raises(InputError, match="netting"):
        Definitions(netting="year")  # type: ignore[arg-type]


def test_an_empty_ledger_has_a_table_of_nothing() -> None:
    rows = metrics_table(ledger(), AS_OF)
    assert set(rows["segment"]) == {"all"}
    assert rows.loc[rows["metric"] == "arr", "value"].tolist() == [0]
    assert rows.loc[rows["unit"] == "share", "value"].isna().all()
