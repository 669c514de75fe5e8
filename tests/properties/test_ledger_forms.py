"""One history, written as contracts, as movements and as a monthly cube, is one bridge; and no definition breaks it."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from subsim.ledger import (
    Definitions,
    bridge,
    from_contracts,
    from_movements,
    from_mrr,
    metrics_table,
    month_ends_between,
    restate,
)
from subsim.ledger.restate import net_by_month
from subsim.ledger.state import account_states, closes

MONTHS = 18
FIRST = np.datetime64("2024-01", "M")
AS_OF = pd.Timestamp("2025-06-30")
ENDS = month_ends_between("2024-01-01", AS_OF)
DAYS = int((ENDS[-1] - FIRST.astype("datetime64[D]")).astype(int)) + 1
CENTS = 12  # levels are multiples of it, so that MRR is whole cents
NAMES = [f"a{n}" for n in range(4)]
ACCOUNTS = pd.DataFrame(
    {"account_id": NAMES, "segment": ["smb", "enterprise", "smb", "smb"], "parent_id": ["", "a0", "", "a2"]}
)

Level = list[tuple[np.datetime64, int]]  # day from which it holds, cents of ARR; changes only
FLOWS = {"new": 1, "expansion": 1, "reactivation": 1, "contraction": -1, "churn": -1}


def changes(levels: dict[np.datetime64, int]) -> Level:
    """Days on which the level is another than before."""
    found: Level = []
    for day in sorted(levels):
        if levels[day] != (found[-1][1] if found else 0):
            found.append((day, levels[day]))
    return found


def day_at(step: int, by_month: bool) -> np.datetime64:
    if by_month:
        return (FIRST + np.timedelta64(step, "M")).astype("datetime64[D]")
    return FIRST.astype("datetime64[D]") + np.timedelta64(step, "D")


@st.composite
def histories(draw: st.DrawFn, *, by_month: bool) -> dict[str, Level]:
    """Levels of each account's ARR; changed on first days of months, or on any days."""
    step = st.integers(0, MONTHS - 1) if by_month else st.integers(0, DAYS - 1)
    made = {}
    for name in NAMES:
        points = draw(st.dictionaries(step, st.sampled_from([0, 0, 1, 2, 3, 10**9]), max_size=7))
        days = {at: day_at(at, by_month) for at in points}
        made[name] = changes({days[at]: CENTS * level for at, level in points.items()})
    return made


def as_contracts(history: dict[str, Level]) -> pd.DataFrame:
    """A contract for each stretch of one level; a large one is cut in two that run side by side."""
    rows = []
    for name, levels in history.items():
        ends = [day - np.timedelta64(1, "D") for day, _ in levels[1:]] + [np.datetime64("2030-12-31")]
        for (start, level), end in zip(levels, ends, strict=False):
            parts = [level] if level <= CENTS else [CENTS, level - CENTS]
            rows += [(name, start, end, part) for part in parts if part]
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "arr_cents"])
    dates = {column: pd.to_datetime(table[column]).astype("datetime64[s]") for column in ("start_date", "end_date")}
    return table.assign(**dates, arr_cents=table["arr_cents"].astype("int64"))


def as_movements(history: dict[str, Level]) -> pd.DataFrame:
    rows = []
    for name, levels in history.items():
        before = 0
        for number, (day, after) in enumerate(levels):
            came = "new" if number == 0 else "reactivation"
            kind = came if before == 0 else "churn" if after == 0 else "expansion" if after > before else "contraction"
            rows.append((name, day, kind, after))
            before = after
    table = pd.DataFrame(rows, columns=["account_id", "date", "kind", "arr_after_cents"])
    return table.assign(date=pd.to_datetime(table["date"]), arr_after_cents=table["arr_after_cents"].astype("int64"))


def as_cube(history: dict[str, Level]) -> pd.DataFrame:
    """What month-end snapshots show."""
    rows = []
    for (name, levels), segment in zip(history.items(), ACCOUNTS["segment"], strict=True):
        for end in ENDS:
            held = [level for day, level in levels if day <= end]
            rows.append((name, segment, end, (held[-1] if held else 0) // CENTS))
    table = pd.DataFrame(rows, columns=["account_id", "segment", "month", "mrr_cents"])
    return table.assign(month=pd.to_datetime(table["month"]))


def three_forms(history: dict[str, Level]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return (
        from_contracts(as_contracts(history), ACCOUNTS, AS_OF, grace_days=0),
        from_movements(as_movements(history), ACCOUNTS, AS_OF),
        from_mrr(as_cube(history)),
    )


@settings(deadline=None, max_examples=25)
@given(histories(by_month=True))
def test_three_forms_of_a_history_of_whole_months_give_one_bridge(history: dict[str, Level]) -> None:
    """A cube sees month ends: the same bridge wherever ARR changes on first days of months, without grace or price."""
    contracts, movements, cube = (bridge(rows, ENDS) for rows in three_forms(history))
    pd.testing.assert_frame_equal(contracts, movements)
    pd.testing.assert_frame_equal(contracts, cube)


@settings(deadline=None, max_examples=25)
@given(histories(by_month=False))
def test_three_forms_of_any_history_give_one_bridge_once_netted_by_month(history: dict[str, Level]) -> None:
    """On any days, contracts and movements agree to the row; a cube with what is left after netting each month."""
    contracts, movements, cube = three_forms(history)
    pd.testing.assert_frame_equal(bridge(contracts, ENDS), bridge(movements, ENDS))
    netted = bridge(net_by_month(contracts), ENDS)
    pd.testing.assert_frame_equal(netted, bridge(net_by_month(movements), ENDS))
    pd.testing.assert_frame_equal(netted, bridge(cube, ENDS))
    pd.testing.assert_frame_equal(netted, bridge(net_by_month(cube), ENDS))


DEFINITIONS = st.builds(
    Definitions,
    level=st.sampled_from(["account", "parent"]),
    netting=st.sampled_from(["moment", "month"]),
    win_back_days=st.sampled_from([0, 30, 120]),
    reactivation_days=st.sampled_from([None, 0, 90]),
    reactivation_in_nrr=st.booleans(),
    new_in_window=st.booleans(),
    price_apart=st.booleans(),
    window_months=st.sampled_from([1, 3, 12]),
)


def check_sums(table: pd.DataFrame) -> None:
    change = sum(sign * table[name] for name, sign in FLOWS.items())
    assert (table["opening"] + change == table["closing"]).all()
    total = table[table["segment"] == "all"].set_index("month")
    parts = table[table["segment"] != "all"].groupby("month").sum(numeric_only=True).reindex(total.index, fill_value=0)
    pd.testing.assert_frame_equal(parts, total.drop(columns="segment"), check_dtype=False)
    assert total["opening"].tolist()[1:] == total["closing"].tolist()[:-1]


@settings(deadline=None, max_examples=20)
@given(histories(by_month=False), DEFINITIONS, st.sampled_from([0, 30]))
def test_under_any_definitions_months_quarters_and_segments_add_up(
    history: dict[str, Level], definitions: Definitions, grace: int
) -> None:
    ledger = from_contracts(as_contracts(history), ACCOUNTS, AS_OF, grace_days=grace)
    rows = restate(ledger, definitions, ACCOUNTS)
    months, quarters, years = (bridge(rows, ENDS, period=period) for period in ("month", "quarter", "year"))  # type: ignore[arg-type]
    for table in (months, quarters, years):
        check_sums(table)
    flows = list(FLOWS)
    by_month, by_quarter = (table[table["segment"] == "all"] for table in (months, quarters))
    assert by_month[flows].sum().tolist() == by_quarter[flows].sum().tolist()
    # What is in force at the end is the same company, however it is told.
    assert months["closing"].iloc[-1] == bridge(ledger, ENDS)["closing"].iloc[-1]


def rates(table: pd.DataFrame, metric: str, form: str) -> "pd.Series[Any]":
    chosen = table[(table["metric"] == metric) & table["form"].str.startswith(form)]
    return chosen.drop_duplicates("segment").set_index("segment")["value"].dropna()


@settings(deadline=None, max_examples=20)
@given(histories(by_month=False), DEFINITIONS, st.data())
def test_rates_are_in_order_and_row_order_means_nothing(
    history: dict[str, Level], definitions: Definitions, data: st.DataObject
) -> None:
    contracts = as_contracts(history)
    order = data.draw(st.permutations(range(len(contracts))))
    ledger, other = (from_contracts(table, ACCOUNTS, AS_OF) for table in (contracts, contracts.iloc[order]))
    table = metrics_table(ledger, AS_OF, definitions, accounts=ACCOUNTS)
    pd.testing.assert_frame_equal(table, metrics_table(other, AS_OF, definitions, accounts=ACCOUNTS[::-1]))
    for form in ("frozen", "bridge", "product"):
        gross, net = rates(table, "grr", form), rates(table, "nrr", form)
        assert (gross <= 1 + 1e-12).all(), form
        assert (gross <= net.reindex(gross.index) + 1e-12).all(), form
    renewed = rates(table, "renewal_rate_gross", "renewed")
    assert (renewed <= 1).all()
    assert (renewed <= rates(table, "renewal_rate_net", "renewed")).all()
    assert rates(table, "logo_retention", "frozen").between(0, 1).all()


@settings(deadline=None, max_examples=15)
@given(histories(by_month=False))
def test_rows_of_accounts_may_stand_in_any_order(history: dict[str, Level]) -> None:
    ledger = from_contracts(as_contracts(history), ACCOUNTS, AS_OF)
    apart = pd.concat([ledger[ledger["account_id"] == name] for name in reversed(NAMES)])
    pd.testing.assert_frame_equal(metrics_table(ledger, AS_OF), metrics_table(apart, AS_OF))
    pd.testing.assert_frame_equal(bridge(ledger, ENDS), bridge(apart, ENDS))


@settings(deadline=None, max_examples=20)
@given(histories(by_month=False))
def test_parents_hold_what_their_children_hold(history: dict[str, Level]) -> None:
    ledger = from_contracts(as_contracts(history), ACCOUNTS, AS_OF, grace_days=0)
    rows = restate(ledger, Definitions(level="parent"), ACCOUNTS)
    children, parents = (account_states(table, closes(ENDS.astype("datetime64[M]"))) for table in (ledger, rows))
    top = {"a0": "a0", "a1": "a0", "a2": "a2", "a3": "a2"}
    for name in ("a0", "a2"):
        mine = [n for n, account in enumerate(children.accounts) if top[account] == name]
        held = children.arr[mine].sum(axis=0)
        at = parents.accounts.index(name) if name in parents.accounts else None
        assert (held == (0 if at is None else parents.arr[at])).all()
    lost = bridge(rows, ENDS, by=None)["churn"].sum()
    assert lost <= bridge(ledger, ENDS, by=None)["churn"].sum() + bridge(ledger, ENDS, by=None)["contraction"].sum()
