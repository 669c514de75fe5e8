import numpy as np
import pandas as pd
import pytest

from subsim.errors import EngineError, InputError
from subsim.ledger import (
    KINDS,
    METRICS,
    bridge,
    cohort_sums,
    grr,
    logo_retention,
    month_ends_between,
    monthly,
    nrr,
    quick_ratio,
    utilisation,
    with_account_columns,
    with_cohort,
)

Row = tuple[str, str, str, int, int]


def ledger(*rows: Row, segment: dict[str, str] | None = None) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "date", "kind", "before", "after"])
    table["date"] = pd.to_datetime(table["date"], format="ISO8601").astype("datetime64[s]")
    table["kind"] = pd.Categorical(table["kind"], categories=list(KINDS))
    table["segment"] = [(segment or {}).get(account, "smb") for account in table["account_id"]]
    return table.assign(reason="")


YEAR: tuple[Row, ...] = (
    ("a", "2024-01-10", "new", 0, 100),
    ("b", "2024-01-31 23:59:00", "new", 0, 200),
    ("a", "2024-02-01", "churn", 100, 0),
    ("a", "2024-06-01", "reactivation", 0, 300),
    ("b", "2024-06-30", "renewal", 200, 200),
    ("b", "2024-06-30", "price", 200, 220),
    ("b", "2024-07-01", "contraction", 220, 150),
)
ENDS = month_ends_between("2024-01-01", "2025-06-30")


def test_bridge_flows_by_hand() -> None:
    table = bridge(ledger(*YEAR, segment={"a": "x", "b": "y"}), ENDS).set_index(["month", "segment"])
    january, june = table.loc[("2024-01-31", "all")], table.loc[("2024-06-30", "all")]
    assert january[["opening", "new", "churn", "closing"]].tolist() == [0, 300, 0, 300]
    assert table.loc[("2024-02-29", "x"), ["opening", "churn", "closing"]].tolist() == [100, 100, 0]
    names = ["opening", "expansion", "price_up", "reactivation", "contraction", "closing"]
    assert june[names].tolist() == [200, 20, 20, 300, 0, 520]
    assert table.loc[("2024-07-31", "y"), ["contraction", "closing"]].tolist() == [70, 150]


def test_bridge_opens_with_what_was_there_before_the_first_month() -> None:
    table = bridge(ledger(*YEAR), month_ends_between("2024-07-01", "2024-07-31"), by=None)
    assert table[["segment", "opening", "closing"]].to_numpy().tolist() == [["all", 520, 450]]


def test_rows_that_do_not_follow_each_other_stop_the_bridge() -> None:
    with pytest.raises(EngineError, match=r"2024-02-29 \(smb\) does not close: flows explain 210 cents, .* hold 200"):
        bridge(ledger(*YEAR[:2], ("a", "2024-02-01", "churn", 90, 0)), ENDS)


def test_cohort_counts_a_returned_account_as_lost() -> None:
    sums = cohort_sums(ledger(*YEAR), ENDS).set_index(["month", "segment"])
    names = ["ttm_opening", "ttm_kept", "ttm_net", "logos_opening", "logos_kept"]
    assert sums.loc[("2025-01-31", "all"), names].tolist() == [300, 150, 150, 2, 1]
    assert sums.loc[("2025-06-30", "all"), names].tolist() == [520, 450, 450, 2, 2]
    assert sums.loc[("2024-12-31", "all"), names].tolist() == [0, 0, 0, 0, 0]


def test_monthly_is_long_and_ties_to_the_bridge() -> None:
    table = monthly(ledger(*YEAR), ENDS)
    assert table["metric"].drop_duplicates().tolist() == list(METRICS)
    wide = table.pivot_table(index=["month", "segment"], columns="metric", values="value", dropna=False)
    june = wide.loc[("2024-06-30", "all")]
    assert june[["arr", "logos", "logos_reactivated", "expansion"]].tolist() == [520, 2, 1, 20]
    assert wide.loc[("2024-02-29", "all"), ["logos", "logos_lost", "churn"]].tolist() == [1, 1, 100]
    assert wide.loc[("2025-01-31", "all"), ["grr_ttm", "nrr_ttm"]].tolist() == [0.5, 0.5]
    assert np.isnan(wide.loc[("2024-12-31", "all"), "grr_ttm"])


def test_empty_ledger_has_a_bridge_of_zeros() -> None:
    table = bridge(ledger(), ENDS[:2])
    assert table["closing"].tolist() == [0, 0]
    assert set(monthly(ledger(), ENDS[:2])["segment"]) == {"all"}


def test_ratios_by_hand_and_nan_for_nothing() -> None:
    assert grr([80, 0], [100, 0])[0] == 0.8
    assert nrr(110, 100) == 1.1
    assert logo_retention(9, 10) == 0.9
    assert utilisation(30.0, 40.0) == 0.75
    assert quick_ratio(30, 10, 8, 2) == 4.0
    assert np.isnan([grr(0, 0), nrr(0, 0), logo_retention(0, 0), utilisation(0, 0), quick_ratio(1, 1, 0, 0)]).all()


def test_quarters_and_years_sum_their_months_and_leave_out_parts() -> None:
    ends = month_ends_between("2024-01-01", "2025-02-28")
    quarters = bridge(ledger(*YEAR), ends, by=None, period="quarter")
    assert quarters["month"].dt.strftime("%Y-%m-%d").tolist() == [
        "2024-03-31",
        "2024-06-30",
        "2024-09-30",
        "2024-12-31",
    ]
    assert quarters.iloc[0][["opening", "new", "churn", "closing"]].tolist() == [0, 300, 100, 200]
    assert quarters.iloc[1][["opening", "reactivation", "expansion", "closing"]].tolist() == [200, 300, 20, 520]
    [year] = bridge(ledger(*YEAR), ends, by=None, period="year").to_dict("records")
    assert [year[name] for name in ("opening", "new", "churn", "reactivation", "closing")] == [0, 300, 100, 300, 450]
    assert bridge(ledger(*YEAR), ends[1:3], by=None, period="quarter").empty


def test_a_bridge_by_any_column_sums_to_the_whole() -> None:
    accounts = pd.DataFrame({"account_id": ["a", "b"], "tier": ["gold", ""]})
    rows = with_cohort(with_account_columns(ledger(*YEAR), accounts, "tier"), "month")
    tiers = bridge(rows, ENDS, by="tier")
    assert set(tiers["segment"]) == {"gold", "unknown", "all"}
    parts = tiers[tiers["segment"] != "all"].groupby("month").sum(numeric_only=True)
    assert parts["closing"].tolist() == tiers.loc[tiers["segment"] == "all", "closing"].tolist()
    assert set(bridge(rows, ENDS, by="cohort")["segment"]) == {"2024-01", "all"}
    assert set(with_cohort(rows.assign(reason="opening balance"))["cohort"]) == {"before the ledger"}
    assert set(with_cohort(rows)["cohort"]) == {"2024-Q1"}
    with pytest.raises(InputError, match="no column region"):
        with_account_columns(rows, accounts, "region")
