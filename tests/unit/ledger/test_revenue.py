"""Signed terms and the monthly schedule of billings, revenue, deferred revenue, cash, RPO and cRPO."""

import datetime as dt
from fractions import Fraction
from math import floor

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from subsim.book import read_book
from subsim.errors import EngineError, InputError
from subsim.experiment.demo import AS_OF as AS_OF_DEMO
from subsim.experiment.demo import demo_folder
from subsim.ledger import from_contracts, month_ends_between, revenue
from subsim.ledger.revenue import FLOWS, LEVELS, Payment, revenue_schedule
from subsim.ledger.signed import BILLING, signed_terms, signed_terms_from_ledger
from subsim.units import add_months

ACCOUNTS = pd.DataFrame({"account_id": ["a", "b", "c"], "segment": ["smb", "enterprise", "smb"]})
YEAR = month_ends_between("2025-01-01", "2025-12-31")
DAY = dt.timedelta(days=1)


def contracts(*rows: tuple[str, str, str | None, int], **columns: object) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "arr_cents"])
    table = table.assign(start_date=pd.to_datetime(table["start_date"]), end_date=pd.to_datetime(table["end_date"]))
    return table.assign(**columns)


def total(signed: pd.DataFrame, ends: object = YEAR, payment: Payment = revenue.ON_INVOICE) -> pd.DataFrame:
    table = revenue_schedule(signed, ends, payment)
    return table[table["segment"] == "all"].set_index("month")


def test_a_year_paid_in_advance() -> None:
    """365.00 a year is 1.00 a day: revenue by days of service, the rest deferred, all of it RPO."""
    table = total(signed_terms(contracts(("a", "2025-01-01", "2025-12-31", 36_500)), ACCOUNTS, "2025-12-31"))
    assert table["revenue"].tolist() == [3100, 2800, 3100, 3000, 3100, 3000, 3100, 3100, 3000, 3100, 3000, 3100]
    assert table["billings"].tolist() == [36_500] + [0] * 11
    assert table["deferred_revenue"].tolist()[:2] == [33_400, 30_600]
    assert (table["rpo"] == table["deferred_revenue"]).all()
    assert (table["crpo"] == table["rpo"]).all()
    assert table["unbilled"].sum() == 0
    assert table["deferred_revenue"].iloc[-1] == 0


def test_a_multi_year_term_has_rpo_that_is_not_billed() -> None:
    signed = signed_terms(contracts(("a", "2025-01-01", "2027-12-31", 36_500)), ACCOUNTS, "2025-01-31")
    table = total(signed).iloc[0]
    assert signed["value_cents"].tolist() == [3 * 36_500]
    assert (table["bookings"], table["billings"]) == (109_500, 36_500)
    assert table["rpo"] == 109_500 - 3100
    assert table["crpo"] == 36_500  # the next twelve months hold 365 days
    assert table["deferred_revenue"] == 36_500 - 3100


@pytest.mark.parametrize(
    ("billing", "invoices"),
    [
        ("monthly", [1000] * 12),
        ("quarterly", [3000, 0, 0] * 4),
        ("annual", [12_000] + [0] * 11),
        ("upfront", [24_000] + [0] * 11),
    ],
)
def test_forms_of_billing(billing: str, invoices: list[int]) -> None:
    table = contracts(("a", "2025-01-01", "2026-12-31", 12_000), billing=billing)
    signed = signed_terms(table, ACCOUNTS, "2025-12-31")
    assert total(signed)["billings"].tolist() == invoices
    whole = total(signed, month_ends_between("2025-01-01", "2026-12-31"))
    assert whole["billings"].sum() == whole["revenue"].sum() == 24_000


def test_billing_that_is_not_stated_is_annual_or_the_callers() -> None:
    table = contracts(("a", "2025-01-01", "2025-12-31", 100), ("b", "2025-01-01", "2025-12-31", 100))
    assert signed_terms(table.assign(billing=["", " Monthly "]), ACCOUNTS, "2025-12-31")["billing"].tolist() == [
        "annual",
        "monthly",
    ]
    assert set(signed_terms(table, ACCOUNTS, "2025-12-31", billing="quarterly")["billing"]) == {"quarterly"}
    with pytest.raises(InputError, match="billing: found 'weekly'; allowed: monthly, quarterly, annual, upfront"):
        signed_terms(table.assign(billing="weekly"), ACCOUNTS, "2025-12-31")


def test_a_contract_of_an_unknown_account_is_refused() -> None:
    with pytest.raises(InputError, match="contracts: found account 'nobody'"):
        signed_terms(contracts(("nobody", "2025-01-01", "2025-12-31", 100)), ACCOUNTS, "2025-12-31")


def test_billing_in_arrears_is_a_contract_asset_and_no_deferred_revenue() -> None:
    signed = signed_terms(contracts(("a", "2025-01-01", "2025-12-31", 36_500)), ACCOUNTS, "2025-12-31")
    table = total(signed, payment=Payment(invoice_lag_days=90))
    assert table["unbilled"].tolist()[:3] == [3100, 5900, 9000]
    assert table["deferred_revenue"].tolist()[:4] == [0, 0, 0, 24_500]
    assert table["billings"].tolist()[:4] == [0, 0, 0, 36_500]


def test_deferred_revenue_and_contract_assets_are_kept_apart_by_contract() -> None:
    early = contracts(("a", "2025-01-01", "2025-12-31", 36_500))
    late = contracts(("b", "2025-07-01", "2026-06-30", 36_500))
    table = total(signed_terms(pd.concat([early, late]), ACCOUNTS, "2025-12-31"), payment=Payment(invoice_lag_days=100))
    july = table.loc["2025-07-31"]
    assert (july["deferred_revenue"], july["unbilled"]) == (15_300, 3100)


def test_cash_follows_the_invoice() -> None:
    signed = signed_terms(contracts(("a", "2025-01-01", "2025-12-31", 36_500)), ACCOUNTS, "2025-12-31")
    table = total(signed, payment=Payment(days_to_pay=30, late_share=0.3, late_days=45))
    assert table["collections"].tolist()[:4] == [25_550, 0, 10_950, 0]
    assert table["receivables"].tolist()[:4] == [10_950, 10_950, 0, 0]


@pytest.mark.parametrize("field", ["invoice_lag_days", "days_to_pay", "late_days", "late_share"])
def test_payment_refuses_what_cannot_be(field: str) -> None:
    with pytest.raises(InputError, match=field):
        Payment(**{field: -1})


def test_a_loss_in_mid_term_is_credited_and_cancelled() -> None:
    """A self-renewing year that stops on 30 June: 184 days are credited on 1 July and leave RPO."""
    signed = signed_terms(contracts(("a", "2025-01-01", "2025-06-30", 36_500), term_months=12), ACCOUNTS, "2025-12-31")
    table = total(signed)
    assert table.loc["2025-06-30", "rpo"] == 18_400
    july = table.loc["2025-07-31"]
    assert july[["cancellations", "billings", "revenue", "rpo", "deferred_revenue"]].tolist() == [
        18_400,
        -18_400,
        0,
        0,
        0,
    ]


def test_a_contract_that_has_not_started_is_signed() -> None:
    table = contracts(("a", "2026-03-01", "2027-02-28", 36_500), ("b", "2026-01-01", None, 12_000), term_months=12)
    month = total(signed_terms(table, ACCOUNTS, "2025-12-15")).iloc[-1]
    assert month[["bookings", "rpo", "revenue", "billings", "deferred_revenue"]].tolist() == [48_500, 48_500, 0, 0, 0]
    assert month["crpo"] == 12_000 + 30_600  # all of b, and a to the end of December


def test_a_contract_is_booked_when_it_was_signed() -> None:
    """A renewal of the book's 12-month contract signed in November; papers after the start change nothing."""
    table = contracts(
        ("a", "2025-01-01", "2025-12-31", 36_500), ("a", "2026-01-01", None, 40_000), term_months=[None, 12]
    )
    signed = signed_terms(
        table.assign(signed_date=pd.to_datetime(["2025-02-10", "2025-11-20"])), ACCOUNTS, "2027-06-30"
    )
    assert signed["booked_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-01", "2025-11-20", "2027-01-01"]
    november = total(signed).loc["2025-11-30"]
    assert november[["bookings", "rpo", "billings"]].tolist() == [40_000, 40_000 + 3100, 0]


@pytest.mark.parametrize(
    ("start", "end", "months", "value"),
    [
        ("2025-01-15", "2026-01-14", 12, 36_500),
        ("2024-02-29", "2025-02-27", 12, 36_500),
        ("2025-01-31", "2025-02-27", 1, 3042),  # 36,500 / 12 = 3,041.67
        ("2025-01-01", "2025-01-10", 0, 1000),
        ("2024-01-01", "2024-12-30", 0, 36_500),
        ("2024-01-01", "2024-12-31", 12, 36_500),
    ],
)
def test_value_of_a_term(start: str, end: str, months: int, value: int) -> None:
    signed = signed_terms(contracts(("a", start, end, 36_500)), ACCOUNTS, "2026-12-31")
    assert signed[["months", "value_cents"]].to_numpy().tolist() == [[months, value]]


def test_renewals_of_a_month_end_keep_their_stated_length() -> None:
    signed = signed_terms(contracts(("a", "2025-01-31", None, 12_000), term_months=1), ACCOUNTS, "2025-06-30")
    assert signed["value_cents"].tolist() == [1000] * 6
    assert total(signed)["billings"].tolist()[:6] == [1000] * 6


Rows = list[tuple[str, int, int, int, int | None, bool, str]]
CONTRACT = st.tuples(
    st.sampled_from("abc"),
    st.integers(0, 900),  # start, days from 2023-01-01
    st.integers(1, 800),  # days in force
    st.integers(1, 10**9),  # cents
    st.sampled_from([None, None, 1, 3, 12, 24]),  # renews itself every so many months
    st.booleans(),  # still running, if it renews itself
    st.sampled_from(["", *BILLING]),
)
BOOK = st.lists(CONTRACT, min_size=1, max_size=8)
PAYMENT = st.builds(
    Payment, st.sampled_from([0, 0, 15, 95]), st.integers(0, 70), st.floats(0, 1), st.sampled_from([0, 40])
)
AS_OF = dt.date(2025, 3, 20)
ENDS = month_ends_between("2023-01-01", "2026-06-30")


def table_of(rows: Rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "start", "days", "arr_cents", "term", "running", "billing"])
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(table["start"], unit="D")
    end = start + pd.to_timedelta(table["days"] - 1, unit="D")
    return pd.DataFrame(
        {
            "account_id": table["account_id"],
            "start_date": start,
            "end_date": end.mask(table["running"] & table["term"].notna()),
            "arr_cents": table["arr_cents"],
            "term_months": table["term"].astype(float),
            "billing": table["billing"],
        }
    )


def invoices(row: pd.Series, lag: int) -> list[tuple[dt.date, int]]:
    """Invoices and credits of one term, one after the other."""
    start, end, due = (row[name].date() for name in ("start_date", "end_date", "due_date"))
    step, dated, billed = BILLING[row["billing"]], [], 0
    for k in range(10_000):
        first, following = add_months(start, min(k * step, 1200)), add_months(start, min((k + 1) * step, 1200))
        if (row["months"] and k * step >= row["months"]) or first > due:
            break
        part = Fraction((min(following, due + DAY) - start).days, (due - start).days + 1)
        if row["months"]:
            part = Fraction(min((k + 1) * step, row["months"]), row["months"])
        running = floor(row["value_cents"] * part + Fraction(1, 2))
        dated.append((first + lag * DAY, running - billed))
        billed = running
    if end == due:
        return dated
    dated = [(day, amount) for day, amount in dated if day <= end]
    return [*dated, (end + DAY, earned(row, end) - sum(amount for _, amount in dated))]


def earned(row: pd.Series, day: dt.date) -> int:
    start, end, due = (row[name].date() for name in ("start_date", "end_date", "due_date"))
    days = max((min(day, end) - start).days + 1, 0)
    return floor(Fraction(int(row["value_cents"]) * days, (due - start).days + 1) + Fraction(1, 2))


@settings(deadline=None, max_examples=12)
@given(BOOK, st.sampled_from([0, 40]), st.integers(0, 50))
def test_schedule_equals_a_plain_account_of_every_invoice(rows: Rows, lag: int, days_to_pay: int) -> None:
    signed = signed_terms(table_of(rows), ACCOUNTS, AS_OF)
    table = total(signed, ENDS, Payment(invoice_lag_days=lag, days_to_pay=days_to_pay))
    bills = [bill for _, row in signed.iterrows() for bill in invoices(row, lag)]
    closes = [pd.Timestamp(end).date() for end in ENDS]
    for column, shift in (("billings", 0), ("collections", days_to_pay)):
        sums = [sum(cents for day, cents in bills if day + shift * DAY <= close) for close in closes]
        assert table[column].cumsum().tolist() == sums
    recognised = [sum(earned(row, close) for _, row in signed.iterrows()) for close in closes]
    assert table["revenue"].cumsum().tolist() == recognised


@settings(deadline=None, max_examples=25)
@given(BOOK, PAYMENT)
def test_identities(rows: Rows, payment: Payment) -> None:
    signed = signed_terms(table_of(rows), ACCOUNTS, AS_OF)
    table = revenue_schedule(signed, ENDS, payment)
    for _, own in table.groupby("segment"):
        for name in ("deferred_revenue", "unbilled", "receivables", "rpo"):
            assert own[f"{name}_opening"].tolist()[1:] == own[name].tolist()[:-1]
        net = own["deferred_revenue"] - own["unbilled"]
        net_opening = own["deferred_revenue_opening"] - own["unbilled_opening"]
        assert (own["billings"] == own["revenue"] + net - net_opening).all()
        assert (own["collections"] == own["billings"] - own["receivables"] + own["receivables_opening"]).all()
        rolled = own["rpo_opening"] + own["bookings"] - own["revenue"] - own["cancellations"]
        assert (own["rpo"] == rolled).all()
        assert (own["crpo"] <= own["rpo"]).all()
        assert (own[["deferred_revenue", "unbilled", "rpo", "crpo", "revenue"]] >= 0).all(axis=None)
    parts = table[table["segment"] != "all"].groupby("month")[[*FLOWS, *LEVELS]].sum()
    whole = table[table["segment"] == "all"].set_index("month")[[*FLOWS, *LEVELS]]
    pd.testing.assert_frame_equal(parts, whole, check_names=False)


@settings(deadline=None, max_examples=12)
@given(BOOK, PAYMENT)
def test_every_cent_signed_is_earned_or_cancelled_and_every_cent_billed_is_paid(rows: Rows, payment: Payment) -> None:
    signed = signed_terms(table_of(rows), ACCOUNTS, AS_OF)
    table = total(signed, ["2022-12-31", "2030-12-31"], payment)
    flows = table[list(FLOWS)].sum()
    assert flows["bookings"] == signed["value_cents"].sum() == flows["revenue"] + flows["cancellations"]
    assert flows["collections"] == flows["billings"] == flows["revenue"]
    assert (table[list(LEVELS)].iloc[-1] == 0).all()


@settings(deadline=None, max_examples=8)
@given(BOOK.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_order_of_rows_means_nothing(both: tuple[Rows, Rows]) -> None:
    first, second = (revenue_schedule(signed_terms(table_of(way), ACCOUNTS, AS_OF), ENDS) for way in both)
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize(
    ("level", "identity"),
    [
        ("deferred_revenue", "change of deferred revenue"),
        ("receivables", "cash = billings"),
        ("rpo", "change of RPO"),
        ("crpo", "cRPO is at most RPO"),
    ],
)
def test_a_schedule_that_does_not_tie_is_refused(level: str, identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = signed_terms(contracts(("a", "2025-01-01", "2025-12-31", 36_500)), ACCOUNTS, "2025-12-31")
    honest, off = revenue._at, np.zeros((len(FLOWS) + len(LEVELS), 1), dtype=np.int64)
    off[[*FLOWS, *LEVELS].index(level)] = 1
    monkeypatch.setattr(revenue, "_at", lambda terms, day, payment: honest(terms, day, payment) + off * day)
    with pytest.raises(EngineError, match=rf"{identity}.*: off by -?\d+ cents in the month to 2025-01-31 \(smb\)"):
        revenue_schedule(signed, YEAR)


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.integers(0, 700), st.integers(1, 900), st.integers(1, 10**9), st.booleans()
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda row: row[0],
    )
)
def test_a_ledger_with_known_terms_gives_the_schedule_of_its_contracts(
    rows: list[tuple[str, int, int, int, bool]],
) -> None:
    made = table_of([(who, start, days, cents, 12, running, "") for who, start, days, cents, running in rows])
    # A contract whose last day is today has ended, but its churn is a row of tomorrow: the two know different things.
    assume(not (made["end_date"] == pd.Timestamp(AS_OF)).any())
    ledger = from_contracts(made, ACCOUNTS, AS_OF, grace_days=0)
    told = revenue_schedule(signed_terms_from_ledger(ledger, AS_OF, 12), ENDS[12:36])
    known = made[made["start_date"] <= pd.Timestamp(AS_OF)]
    expected = revenue_schedule(signed_terms(known, ACCOUNTS, AS_OF), ENDS[12:36])
    shown = expected[expected["segment"].isin(set(told["segment"]))].reset_index(drop=True)
    pd.testing.assert_frame_equal(told, shown)


def ledger(*rows: tuple[str, str, str, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["account_id", "date", "kind", "before", "after"])
    return table.assign(date=pd.to_datetime(table["date"]).astype("datetime64[s]"), segment="smb", reason="")


def test_a_change_in_mid_term_is_an_amendment() -> None:
    rows = ledger(
        ("a", "2025-01-01", "new", 0, 36_500),
        ("a", "2025-07-01", "expansion", 36_500, 73_000),
        ("a", "2025-10-01", "contraction", 73_000, 36_500),
        ("a", "2026-01-01", "renewal", 36_500, 36_500),
        ("a", "2026-01-01", "price", 36_500, 40_000),
    )
    signed = signed_terms_from_ledger(rows, "2026-03-31", 12)
    assert signed["arr_cents"].tolist() == [36_500, 36_500, -36_500, 40_000]
    assert signed["value_cents"].tolist() == [36_500, 18_250, -9125, 40_000]
    table = total(signed)
    assert table.loc["2025-07-31", ["bookings", "revenue"]].tolist() == [18_250, 3100 + round(18_250 * 31 / 184)]
    assert table.loc["2025-10-31", ["bookings", "cancellations"]].tolist() == [0, 9125]
    assert table["revenue"].sum() == 36_500 + 18_250 - 9125


def test_amendments_roll_into_the_next_term_and_stop_at_the_churn() -> None:
    rows = ledger(
        ("a", "2024-01-01", "new", 0, 12_000),
        ("a", "2024-03-01", "expansion", 12_000, 24_000),
        ("a", "2025-07-01", "churn", 24_000, 0),
        ("a", "2025-09-01", "reactivation", 0, 6000),
    )
    signed = signed_terms_from_ledger(rows, "2025-12-31", 12, billing="monthly")
    assert signed["arr_cents"].tolist() == [12_000, 12_000, 24_000, 6000]
    assert signed["contract"].tolist() == [0, 0, 0, 1]
    last = signed["end_date"].dt.strftime("%Y-%m-%d").tolist()
    assert last == ["2024-12-31", "2024-12-31", "2025-06-30", "2026-08-31"]
    months = total(signed)
    assert months.loc["2025-07-31", "cancellations"] == 24_000 - round(24_000 * 181 / 365)
    assert months.loc[["2025-07-31", "2025-08-31"], "revenue"].tolist() == [0, 0]
    assert months.loc["2025-09-30", "billings"] == 500


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(2, 28), st.sampled_from([0, 0, 5000, 70_000, 365_000])),
        min_size=1,
        max_size=8,
    )
)
def test_revenue_of_any_history_is_its_arr_day_by_day(changes: list[tuple[int, int, int]]) -> None:
    """Terms begin on the 1st and changes come later in a month, in years of 365 days: revenue is ARR / 365 a day."""
    month, level, rows = pd.Period("2025-01", "M"), 100_000, [("a", "2025-01-01", "new", 0, 100_000)]
    for gap, day, after in changes:
        month += gap
        if level == after:
            continue
        grown = "expansion" if after > level else "contraction"
        kind = "churn" if not after else grown if level else "reactivation"
        rows.append(("a", f"{month}-{1 if kind == 'reactivation' else day:02}", kind, level, after))
        level = after
    last = "2026-12-31"
    table = total(signed_terms_from_ledger(ledger(*rows), last, 12), month_ends_between("2025-01-01", last))
    daily = pd.Series({pd.Timestamp(day): after for _, day, _, _, after in rows})
    daily = daily.reindex(pd.date_range("2025-01-01", last)).ffill() / 365
    expected = daily.groupby(daily.index.to_period("M")).sum()
    gap_cents = table["revenue"].cumsum().to_numpy() - expected.cumsum().to_numpy()
    assert np.abs(gap_cents).max() <= len(rows) + 1  # half a cent for each part of a term
    assert table["deferred_revenue"].min() >= 0


def test_length_of_terms_by_account() -> None:
    rows = ledger(("a", "2025-01-01", "new", 0, 12_000), ("b", "2025-01-01", "new", 0, 12_000))
    signed = signed_terms_from_ledger(rows, "2025-03-31", pd.Series({"a": 1, "b": 24}))
    assert signed.groupby("account_id")["value_cents"].agg(list).tolist() == [[1000] * 3, [24_000]]


def test_no_terms_give_no_money() -> None:
    empty = signed_terms(contracts(("a", "2025-01-01", "2025-12-31", 100)).iloc[:0], ACCOUNTS, "2025-12-31")
    assert not len(empty)
    table = revenue_schedule(empty, YEAR)
    assert table["segment"].tolist() == ["all"] * 12
    assert not np.any(table[[*FLOWS, *LEVELS]])


def test_simulated_contracts_and_their_ledger_give_one_schedule() -> None:
    """The shipped company was simulated; its small accounts have yearly terms, so its ledger tells all there is."""
    book = read_book(demo_folder(), as_of=AS_OF_DEMO)
    accounts = book.tables["accounts"].query("segment == 'smb'")
    signed = book.tables["contracts"][book.tables["contracts"]["account_id"].isin(accounts["account_id"])]
    told = from_contracts(signed, accounts, AS_OF_DEMO, grace_days=0)
    ends = month_ends_between(told["date"].min(), AS_OF_DEMO)
    from_ledger = revenue_schedule(signed_terms_from_ledger(told, AS_OF_DEMO, 12), ends)
    pd.testing.assert_frame_equal(from_ledger, revenue_schedule(signed_terms(signed, accounts, AS_OF_DEMO), ends))
    assert from_ledger["revenue"].iloc[-1] > 0
