"""What must hold for any book: ties to the cent, ratios in bounds, row order without meaning, two forms alike."""

import datetime as dt

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from subsim.book import Book
from subsim.ledger import bridge, cohort_sums, from_contracts, from_mrr, grr, month_ends_between, monthly, nrr
from subsim.ledger.state import account_states, closes

AS_OF = pd.Timestamp("2025-06-30")
ENDS = month_ends_between("2023-01-01", AS_OF)
FLOW_SIGNS = {"new": 1, "expansion": 1, "reactivation": 1, "contraction": -1, "churn": -1}
SEGMENTS = ["smb", "enterprise"]

CONTRACT = st.tuples(
    st.integers(0, 4),  # account
    st.integers(0, 1000),  # start, days from 2023-01-01: some after as_of
    st.integers(1, 800),  # days in force
    st.integers(1, 10**9),  # cents
    st.sampled_from([None, None, 1, 12]),  # renews itself every so many months
    st.booleans(),  # still running, if it renews itself
)


@st.composite
def books(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = draw(st.lists(CONTRACT, min_size=1, max_size=12))
    table = pd.DataFrame(rows, columns=["account", "start", "days", "arr_cents", "term_months", "running"])
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(table["start"], unit="D")
    end = start + pd.to_timedelta(table["days"] - 1, unit="D")
    contracts = pd.DataFrame(
        {
            "account_id": "a" + table["account"].astype(str),
            "start_date": start.astype("datetime64[s]"),
            "end_date": end.mask(table["running"] & table["term_months"].notna()).astype("datetime64[s]"),
            "arr_cents": table["arr_cents"].astype("int64"),
            "term_months": table["term_months"].astype(float),
            "product": "",
        }
    )
    accounts = pd.DataFrame({"account_id": [f"a{n}" for n in range(5)], "segment": [SEGMENTS[n % 2] for n in range(5)]})
    accounts = accounts.assign(start_date=pd.Timestamp("2023-01-01"), tier="", owner_id="")
    return contracts, accounts


def as_book(contracts: pd.DataFrame, accounts: pd.DataFrame, grace: int) -> Book:
    contracts = contracts[contracts["start_date"] <= AS_OF].reset_index(drop=True)
    ledger = from_contracts(contracts, accounts, AS_OF, grace_days=grace)
    tables = {"contracts": contracts, "accounts": accounts}
    return Book("made", dt.date(2025, 6, 30), grace, "", tables, ledger, ())


@settings(deadline=None, max_examples=40)
@given(books(), st.sampled_from([0, 30]))
def test_bridge_closes_and_equals_contracts_in_force(made: tuple[pd.DataFrame, pd.DataFrame], grace: int) -> None:
    contracts, accounts = made
    ledger = from_contracts(contracts, accounts, AS_OF, grace_days=grace)
    table = bridge(ledger, ENDS)
    change = sum(sign * table[name] for name, sign in FLOW_SIGNS.items())
    assert (table["opening"] + change == table["closing"]).all()
    assert (table[["opening", *FLOW_SIGNS, "closing"]] >= 0).all(axis=None)
    total = table[table["segment"] == "all"]
    parts = table[table["segment"] != "all"].groupby("month")["closing"].sum()
    assert parts.reindex(total["month"], fill_value=0).tolist() == total["closing"].tolist()
    assert total["opening"].tolist()[1:] == total["closing"].tolist()[:-1]
    if grace == 0:  # without a grace, ARR is the plain sum of contracts in force
        last = contracts["end_date"].fillna(pd.Timestamp("2099-01-01"))
        for end, closing in zip(ENDS, total["closing"], strict=True):
            day = pd.Timestamp(end)
            assert closing == contracts.loc[(contracts["start_date"] <= day) & (last >= day), "arr_cents"].sum()


@settings(deadline=None, max_examples=40)
@given(books())
def test_retention_is_bounded(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    sums = cohort_sums(from_contracts(*made, AS_OF), ENDS)
    gross, net = grr(sums["ttm_kept"], sums["ttm_opening"]), nrr(sums["ttm_net"], sums["ttm_opening"])
    known = (sums["ttm_opening"] > 0).to_numpy()
    assert (np.isnan(gross) == ~known).all()
    assert (gross[known] >= 0).all()
    assert (gross[known] <= 1).all()
    assert (gross[known] <= net[known]).all()
    assert (sums["logos_kept"] <= sums["logos_opening"]).all()


@settings(deadline=None, max_examples=25)
@given(books(), st.data())
def test_row_order_means_nothing(made: tuple[pd.DataFrame, pd.DataFrame], data: st.DataObject) -> None:
    contracts, accounts = made
    order = data.draw(st.permutations(range(len(contracts))))
    one = as_book(contracts, accounts, 30)
    other = as_book(contracts.iloc[order].reset_index(drop=True), accounts.iloc[::-1].reset_index(drop=True), 30)
    pd.testing.assert_frame_equal(one.ledger, other.ledger)
    assert one.fingerprint() == other.fingerprint()
    shuffled = one.ledger.iloc[::-1].sort_values("date", kind="stable")
    same_moment = one.ledger.duplicated(["account_id", "date"], keep=False).any()
    if not same_moment:  # rows of one moment keep the order in which they happened
        pd.testing.assert_frame_equal(bridge(one.ledger, ENDS), bridge(shuffled, ENDS))
    dearer = contracts.assign(arr_cents=contracts["arr_cents"] + 1)
    if not one.ledger.empty:
        assert as_book(dearer, accounts, 30).fingerprint() != one.fingerprint()


@settings(deadline=None, max_examples=40)
@given(books())
def test_contracts_and_cube_of_one_history_agree_at_month_ends(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    contracts, accounts = made
    contracts = contracts.assign(arr_cents=contracts["arr_cents"] * 12)
    ledger = from_contracts(contracts, accounts, AS_OF)
    state = account_states(ledger, closes(ENDS))
    names = np.array(state.accounts, dtype=object)
    cube = pd.DataFrame(
        {
            "account_id": np.repeat(names, len(ENDS)),
            "segment": np.repeat(np.array(state.segments, dtype=object)[state.segment], len(ENDS)),
            "month": np.tile(ENDS.astype("datetime64[s]"), len(names)),
            "mrr_cents": state.arr.ravel() // 12,
        }
    )
    if cube.empty:
        return
    columns = ["month", "segment", "opening", "closing"]
    held = cube.groupby("account_id")["mrr_cents"].transform("sum") > 0
    if held.all():
        pd.testing.assert_frame_equal(bridge(from_mrr(cube), ENDS)[columns], bridge(ledger, ENDS)[columns])
    sparse = from_mrr(cube[(cube["mrr_cents"] > 0) | cube["account_id"].eq(names[0])])
    total = bridge(sparse, ENDS, by=None)["closing"].tolist()
    assert total == bridge(ledger, ENDS, by=None)["closing"].tolist()


@settings(deadline=None, max_examples=40)
@given(books(), st.sampled_from([0, 30]))
def test_opening_ties_to_the_ledger(made: tuple[pd.DataFrame, pd.DataFrame], grace: int) -> None:
    book = as_book(*made, grace)
    opening = book.opening()
    live = opening.accounts
    assert live["arr_cents"].sum() == book.arr_cents
    assert len(live) == book.logos
    assert (live["term_end_minute"] >= 0).all()
    assert (live["start_minute"] < 0).all()
    metrics = monthly(book.ledger, ENDS[-1:]).set_index(["segment", "metric"])["value"]
    for segment in set(book.ledger["segment"]):
        mine = live[live["segment"] == segment]
        assert mine["arr_12"].sum() + opening.lost_arr[segment][12] == metrics[segment, "ttm_opening"]
        kept = np.minimum(mine["arr_cents"], mine["arr_12"]).sum()
        assert kept == metrics[segment, "ttm_kept"]
        assert opening.lost_arr[segment][0] == 0
