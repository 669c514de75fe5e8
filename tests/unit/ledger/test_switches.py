import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.ledger import Definitions, from_contracts, metrics_table, switch_effects
from tests.unit.ledger.test_metrics import ledger
from tests.unit.ledger.test_rows import contracts
from tests.unit.ledger.test_table import ACCOUNTS, AS_OF, HISTORY, SEGMENTS

ROWS = ledger(*HISTORY, segment=SEGMENTS)


def effect(table: pd.DataFrame, metric: str, switch: str, other: str, form: str = "") -> float:
    chosen = table[(table["metric"] == metric) & (table["switch"] == switch) & (table["other"] == other)]
    return float(chosen.loc[chosen["form"].str.contains(form), "difference"].iloc[0])


def test_each_switch_shows_what_it_moves() -> None:
    table = switch_effects(ROWS, AS_OF, accounts=ACCOUNTS)
    assert effect(table, "nrr", "reactivation_in_nrr", "True", "without") == pytest.approx(450 / 300 - 150 / 300)
    assert effect(table, "new", "reactivation_days", "365") == 0
    assert effect(table, "expansion", "price_apart", "True") == -20
    assert effect(table, "churn", "level", "parent") == -100
    assert effect(table, "grr", "new_in_window", "True", "frozen") == pytest.approx(-50 / 300)
    assert effect(table, "arr", "price_apart", "True") == 0
    assert set(table["switch"]).isdisjoint({"grace_days", "free_plans_are_logos"})
    assert (table["value_other"] - table["value"]).equals(table["difference"])


def test_the_base_is_the_definitions_in_use_and_their_own_setting_is_passed_over() -> None:
    own = Definitions(win_back_days=365, reactivation_in_nrr=True)
    table = switch_effects(ROWS, AS_OF, own)
    expected = metrics_table(ROWS, AS_OF, own)
    expected = expected.loc[expected["segment"] == "all", "value"].reset_index(drop=True)
    for _, part in table.groupby(["switch", "other"]):
        pd.testing.assert_series_equal(part["value"].reset_index(drop=True), expected)
    assert table.loc[table["switch"] == "reactivation_in_nrr", "other"].unique().tolist() == ["False"]
    assert effect(table, "churn", "win_back_days", "0") == 100


def test_grace_is_switched_where_the_contracts_are_there() -> None:
    signed = contracts(("a", "2024-01-01", "2024-12-31", 100), ("a", "2025-01-15", "2025-12-31", 100))
    rows = from_contracts(signed, ACCOUNTS, "2025-06-30")
    table = switch_effects(rows, "2025-06-30", accounts=ACCOUNTS, contracts=signed)
    assert effect(table, "churn", "grace_days", "0") == 100
    assert effect(table, "churn", "grace_days", "90") == 0


def test_only_the_switches_asked_for_and_no_others() -> None:
    table = switch_effects(ROWS, AS_OF, alternatives={"price_apart": (True,)})
    assert table["switch"].unique().tolist() == ["price_apart"]
    assert switch_effects(ROWS, AS_OF, alternatives={}).empty
    with pytest.raises(InputError, match="price_aprat"):
        switch_effects(ROWS, AS_OF, alternatives={"price_aprat": (True,)})
