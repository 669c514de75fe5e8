"""The expected-CMRR plan: both readings, segments, denominators, and its inputs from a ledger."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subsim.errors import InputError
from subsim.ledger.cmrr import (
    Haircut,
    Planned,
    addons_sold,
    against_plan,
    churn_classes,
    committed_mrr,
    expected_plan,
)

SEGMENTS = ("enterprise", "smb")


def prior(*rows: tuple[str, int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["segment", "prior_cents", "avoidable", "unavoidable"])


def addons(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["period", "segment", "addon_cents"])


TWO = prior(("enterprise", 1000_00, 0.02, 0.03), ("smb", 400_00, 0.10, 0.05))
SOLD = addons(
    ("2026-Q1", "enterprise", 100_00),
    ("2026-Q1", "smb", 20_00),
    ("2026-Q2", "smb", 40_00),
    ("2026-Q2", "enterprise", 0),
)


@pytest.mark.parametrize(
    ("planned", "haircut", "expected"),
    [
        ("unavoidable", "opening only", [1350_00, 1350_00, 1470_00, 1470_00, 1510_00]),
        ("unavoidable", "every refresh", [1350_00, 1350_00, 1466_00, 1466_00, 1504_00]),
        ("all", "opening only", [1290_00, 1290_00, 1410_00, 1410_00, 1450_00]),
        ("all", "every refresh", [1290_00, 1290_00, 1402_00, 1402_00, 1436_00]),
    ],
)
def test_readings_of_the_plan(planned: Planned, haircut: Haircut, expected: list[int]) -> None:
    plan = expected_plan(TWO, SOLD, planned=planned, haircut=haircut)
    whole = plan[plan["segment"] == "all"]
    first, second = whole.iloc[0], whole.iloc[1]
    assert [
        first["opening_plan"],
        first["locked"],
        first["refreshed"],
        second["locked"],
        second["refreshed"],
    ] == expected
    assert second["opening_plan"] == first["opening_plan"]
    assert (first["avoidable_churn"], first["unavoidable_churn"]) == (60_00, 50_00)


def test_the_plan_of_a_segment() -> None:
    plan = expected_plan(TWO, SOLD)
    smb = plan[plan["segment"] == "smb"].set_index("period")
    assert smb["locked"].tolist() == [380_00, 400_00]
    assert smb["refreshed"].tolist() == [400_00, 440_00]
    assert smb["addons"].tolist() == [20_00, 40_00]


CENTS = st.integers(0, 10**12)
RATE = st.floats(0, 0.5)


@given(
    st.lists(st.tuples(CENTS, RATE, RATE), min_size=2, max_size=2),
    st.lists(st.tuples(st.sampled_from(["Q1", "Q2", "Q3"]), st.sampled_from(SEGMENTS), CENTS), min_size=1),
    st.sampled_from(["unavoidable", "all"]),
    st.sampled_from(["opening only", "every refresh"]),
)
def test_plan_identities(
    amounts: list[tuple[int, float, float]], sold: list[tuple[str, str, int]], planned: Planned, haircut: Haircut
) -> None:
    base = prior(*((name, *row) for name, row in zip(SEGMENTS, amounts, strict=True)))
    plan = expected_plan(base, addons(*sold), planned=planned, haircut=haircut)
    parts = plan[plan["segment"] != "all"].groupby("period").sum(numeric_only=True)
    whole = plan[plan["segment"] == "all"].set_index("period").drop(columns="segment")
    pd.testing.assert_frame_equal(parts, whole, check_names=False, check_index_type=False)
    for _, own in plan.groupby("segment"):
        assert own["locked"].iloc[0] == own["opening_plan"].iloc[0]
        assert own["locked"].tolist()[1:] == own["refreshed"].tolist()[:-1]
        assert (own["refreshed"] - own["locked"] <= own["addons"]).all()
        taken = own["unavoidable_churn"] + (own["avoidable_churn"] if planned == "all" else 0)
        assert (own["opening_plan"] == own["prior"] - taken).all()
        if haircut == "opening only":
            assert (own["refreshed"] == own["locked"] + own["addons"]).all()


def test_a_share_of_churn_that_cannot_be() -> None:
    with pytest.raises(InputError, match=r"plan of segment 'smb': found avoidable 0\.6, unavoidable 0\.5"):
        expected_plan(prior(("smb", 100, 0.6, 0.5)), addons(("Q1", "smb", 1)))
    with pytest.raises(InputError, match="segment 'smb'"):
        expected_plan(prior(("smb", 100, float("nan"), 0.1)), addons(("Q1", "smb", 1)))


def test_add_ons_without_a_plan() -> None:
    with pytest.raises(InputError, match="add-ons: found segment 'public'; allowed: enterprise, smb"):
        expected_plan(TWO, addons(("Q1", "public", 1)))


def test_add_ons_hide_churn_only_from_the_opening_plan() -> None:
    """1,350 planned; the base loses twice what was planned, but add-ons of the year fill the gap."""
    plan = expected_plan(TWO, SOLD)
    renewed = pd.DataFrame({"period": ["2026-Q2"], "segment": ["all"], "renewed_cents": [1350_00]})
    shares = against_plan(plan, renewed).iloc[0]
    assert shares["of_opening_plan"] == 1.0
    assert shares["of_locked"] == pytest.approx(1350 / 1470)
    assert shares["of_refreshed"] == pytest.approx(1350 / 1510)


def ledger() -> pd.DataFrame:
    rows = [
        ("a", "smb", "2025-03-01", "new", 0, 100, ""),
        ("a", "smb", "2026-02-10", "expansion", 100, 150, ""),
        ("a", "smb", "2026-05-01", "churn", 150, 0, "bankruptcy"),
        ("a", "smb", "2026-06-01", "reactivation", 0, 80, ""),
        ("a", "smb", "2026-07-01", "expansion", 80, 99, ""),
        ("a", "smb", "2026-08-01", "churn", 99, 0, "price"),
        ("b", "smb", "2025-03-01", "new", 0, 300, ""),
        ("b", "smb", "2026-03-31", "price", 300, 310, ""),
        ("b", "smb", "2026-04-01", "contraction", 310, 250, ""),
        ("b", "smb", "2027-01-01", "churn", 250, 0, "price"),
        ("c", "enterprise", "2025-03-01", "new", 0, 1000, ""),
        ("c", "enterprise", "2026-12-31", "churn", 1000, 0, "price"),
        ("d", "smb", "2026-01-01", "new", 0, 500, ""),
        ("d", "smb", "2026-02-01", "expansion", 500, 600, ""),
        ("e", "public", "2025-03-01", "new", 0, 10, ""),
        ("e", "public", "2025-06-01", "churn", 10, 0, "price"),
    ]
    columns = ["account_id", "segment", "date", "kind", "before", "after", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(date=pd.to_datetime(table["date"]).astype("datetime64[s]"))


def test_churn_of_the_opening_base_by_class() -> None:
    classes = churn_classes(ledger(), "2026-01-01", "2026-12-31", {"bankruptcy", "acquired"}).set_index("segment")
    assert classes["prior_cents"].to_dict() == {"enterprise": 1000, "public": 0, "smb": 400}
    assert classes.loc["smb", ["avoidable_cents", "unavoidable_cents"]].tolist() == [0, 100]
    assert classes.loc["enterprise", ["avoidable", "unavoidable"]].tolist() == [1.0, 0.0]
    assert classes.loc["smb", "unavoidable"] == 0.25
    assert pd.isna(classes.loc["public", "avoidable"])


@pytest.mark.parametrize(("months", "smb"), [(3, [60, 0, 0, 0]), (1, [0, 50, 10] + [0] * 9)])
def test_add_ons_of_the_opening_base(months: int, smb: list[int]) -> None:
    """New customers' expansion and that of customers who left and came back is not the plan's."""
    sold = addons_sold(ledger(), "2026-01-01", "2026-12-31", months=months)  # type: ignore[arg-type]
    assert sold.loc[sold["segment"] == "smb", "addon_cents"].tolist() == smb
    assert sold["period"].iloc[0] == "2026-01"
    assert len(sold) == 3 * len(smb)


def test_a_ledger_feeds_a_plan() -> None:
    last_year = churn_classes(ledger(), "2026-01-01", "2026-12-31", {"bankruptcy"}).fillna(0.0)
    plan = expected_plan(last_year, addons_sold(ledger(), "2026-01-01", "2026-12-31"))
    whole = plan[plan["segment"] == "all"]
    assert whole["opening_plan"].tolist() == [1300] * 4
    assert whole["refreshed"].tolist() == [1360] * 4


def test_a_plan_starts_with_a_month() -> None:
    with pytest.raises(InputError, match="first_day: found 2026-01-15; allowed: the first day of a month"):
        addons_sold(ledger(), "2026-01-15", "2026-12-31")


def test_committed_revenue_counts_what_is_signed_and_what_is_leaving() -> None:
    assert committed_mrr([100, 50], [10, 0], [0, 20]).tolist() == [110, 30]
