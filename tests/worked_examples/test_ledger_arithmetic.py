"""Arithmetic printed in the customer-success notes, reproduced by the product's own ledger and ratios.

Each test cites its example as `<notes> <example> (<row>)`. Some examples do not reconcile in print; there the test
shows that the ledger does not reproduce the misprint.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from subsim.book import read_book
from subsim.book.rates import opportunities
from subsim.errors import EngineError
from subsim.ledger import (
    KINDS,
    bridge,
    cohort_sums,
    from_contracts,
    from_mrr,
    grr,
    logo_retention,
    month_ends_between,
    monthly,
    nrr,
    quick_ratio,
    utilisation,
)

CENTS = 100
MILLION = 100_000_000  # cents
Contract = tuple[str, str, str, int]  # account, first day, last day, ARR in cents


def signed(rows: Sequence[Contract], as_of: str) -> pd.DataFrame:
    """The ledger of contracts, without grace."""
    table = pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "arr_cents"])
    table = table.assign(start_date=pd.to_datetime(table["start_date"]), end_date=pd.to_datetime(table["end_date"]))
    accounts = pd.DataFrame({"account_id": table["account_id"].unique(), "segment": "all accounts"})
    return from_contracts(table, accounts, as_of, grace_days=0)


def yearly(account: str, amounts: Sequence[int], first_year: int) -> list[Contract]:
    """One-year contracts from 1 January on, one amount a year."""
    years = range(first_year, first_year + len(amounts))
    return [(account, f"{y}-01-01", f"{y}-12-31", cents) for y, cents in zip(years, amounts, strict=True)]


def cohort(ledger: pd.DataFrame, month_end: str, window_months: int = 12) -> pd.Series:
    """Sums of the frozen cohort at one month end, all segments."""
    sums = cohort_sums(ledger, [month_end], window_months)
    return sums.loc[sums["segment"] == "all"].iloc[0]


def closing(ledger: pd.DataFrame, month_end: str) -> int:
    table = bridge(ledger, month_ends_between(month_end, month_end), by=None)
    return int(table["closing"].iloc[-1])


def test_arr_is_twelve_times_mrr() -> None:
    """1 W1a (P1-001) and 1 W13 (P1-086): 20 customers at $1,000 a month; one at $10 a month."""
    cube = pd.DataFrame({"account_id": [f"c{i}" for i in range(20)], "month": "2025-01", "mrr_cents": 1_000 * CENTS})
    ledger = from_mrr(cube)
    assert closing(ledger, "2025-01-31") == 240_000 * CENTS
    assert set(ledger["after"]) == {12_000 * CENTS}
    one = pd.DataFrame({"account_id": ["c"], "month": ["2025-01"], "mrr_cents": [10 * CENTS]})
    assert closing(from_mrr(one), "2025-01-31") == 120 * CENTS


def test_a_multi_year_contract_is_annualised_by_the_mapping(tmp_path: Path) -> None:
    """1 W1b (P1-001): six two-year contracts worth $2,000,000 each."""
    rows = [f"c{i},2025-01-01,2026-12-31,2000000,2" for i in range(6)]
    (tmp_path / "signed.csv").write_text("\n".join(["customer,from,to,total,years", *rows]) + "\n")
    (tmp_path / "book.yaml").write_text(
        "file: signed.csv\n"
        "tables:\n"
        "  accounts: {columns: {account_id: customer, start_date: '\"from\"', segment: \"'all accounts'\"}}\n"
        "  contracts:\n"
        "    columns: {account_id: customer, start_date: '\"from\"', end_date: '\"to\"', arr: total // years}\n"
    )
    book = read_book(tmp_path / "book.yaml", as_of="2025-12-31")
    assert book.arr_cents == 6 * MILLION
    assert set(book.tables["contracts"]["arr_cents"]) == {MILLION}


def test_a_base_grows_without_a_new_customer() -> None:
    """1 W2 (P1-003): ARR of $6M becomes $8M; all of it expansion."""
    ledger = signed(yearly("a", [6 * MILLION, 8 * MILLION], 2024), "2025-12-31")
    table = bridge(ledger, month_ends_between("2025-01-01", "2025-12-31"), by=None)
    assert table[["new", "expansion", "churn"]].sum().tolist() == [0, 2 * MILLION, 0]
    sums = cohort(ledger, "2025-12-31")
    assert round(float(nrr(sums["ttm_net"], sums["ttm_opening"])), 4) == 1.3333
    assert float(grr(sums["ttm_kept"], sums["ttm_opening"])) == 1.0


def leaky(*, replaced: bool) -> pd.DataFrame:
    """10,000 customers of whom 8 % leave every month, the oldest first; a cube of thirteen months."""
    alive, born, rows = list(range(10_000)), 10_000, []
    for month in pd.period_range("2024-12", periods=13, freq="M").astype(str):
        rows.append(pd.DataFrame({"account_id": alive, "month": month, "mrr_cents": CENTS}))
        gone = round(0.08 * len(alive))
        alive = alive[gone:]
        if replaced:
            alive, born = [*alive, *range(born, born + gone)], born + gone
    cube = pd.concat(rows)
    return from_mrr(cube.assign(account_id="c" + cube["account_id"].astype(str).str.zfill(6)))


def test_eight_percent_a_month_without_replacement() -> None:
    """1 W3b (P1-020): a closed cohort keeps 36.77 %. The other reading, 96 %, is not a share of a cohort."""
    sums = cohort(leaky(replaced=False), "2025-12-31")
    kept = float(logo_retention(sums["logos_kept"], sums["logos_opening"]))
    assert kept == pytest.approx(0.3677, abs=2e-4)
    assert 1 - kept == pytest.approx(0.6323, abs=2e-4)


def test_eight_percent_a_month_with_replacement() -> None:
    """1 W3a, W3c (P1-020, P1-022): losses of a year are 96 % of a base that stands still, at a quick ratio of 1."""
    ledger = leaky(replaced=True)
    table = monthly(ledger, month_ends_between("2025-01-01", "2025-12-31"))
    year = table[table["segment"] == "all"].pivot_table(index="month", columns="metric", values="value")
    assert year["logos_lost"].sum() / year["logos"].mean() == pytest.approx(0.96)
    assert set(year["logos"]) == {10_000.0}
    assert (quick_ratio(year["new"], year["expansion"], year["churn"], year["contraction"]) == 1.0).all()


def test_lifting_the_weaker_accounts_to_the_average() -> None:
    """1 W7a, W7b (P1-011, P1-012): 35 % of the base at 110 % brought to 130 % lifts 130 % to 137 %."""

    def overall(weak: int) -> float:
        rows = yearly("weak", [350 * CENTS, weak * CENTS], 2024) + yearly("strong", [650 * CENTS, 915 * CENTS], 2024)
        sums = cohort(signed(rows, "2025-12-31"), "2025-12-31")
        return float(nrr(sums["ttm_net"], sums["ttm_opening"]))

    assert float(nrr(385, 350)) == pytest.approx(1.10)
    assert overall(385) == pytest.approx(1.30)
    assert overall(455) == pytest.approx(1.37)


def test_a_retention_target_is_rounded_in_print() -> None:
    """1 W8a (P1-072): $132M of renewals at 110 % is $145.2M; the $145M in print is rounded and gives less."""
    assert float(nrr(145.2, 132)) == pytest.approx(1.10)
    assert float(nrr(145, 132)) < 1.0986


@pytest.fixture(scope="module")
def crossover() -> pd.DataFrame:
    """New bookings of $1M, $4M, $10M, then 50 % more each year; the base at 100 %, from the fourth year at 110 %."""
    bookings = [MILLION, 4 * MILLION, 10 * MILLION, 15 * MILLION, 15 * MILLION * 3 // 2]
    bookings += [15 * MILLION * 9 // 4, 15 * MILLION * 27 // 8, 15 * MILLION * 81 // 16]
    rows: list[Contract] = []
    for year, first in enumerate(bookings, start=1):
        amounts = [first]
        for later in range(year + 1, 9):
            amounts.append(amounts[-1] * 11 // 10 if later >= 4 else amounts[-1])
        rows += yearly(f"year {year}", amounts, 2000 + year)
    ledger = signed(rows, "2008-12-31")
    ends = [f"{2000 + year}-12-31" for year in range(1, 9)]
    sums = cohort_sums(ledger, ends)
    table = sums[sums["segment"] == "all"].reset_index(drop=True)
    levels = bridge(ledger, month_ends_between("2001-01-01", "2008-12-31"), by=None).set_index("month")
    table["new"] = levels["new"].groupby(levels.index.year).sum().to_numpy()
    return table.assign(closing=levels["closing"][levels.index.month == 12].to_numpy(), year=range(1, 9)).set_index(
        "year"
    )


def test_the_base_overtakes_new_business(crossover: pd.DataFrame) -> None:
    """1 W9a to W9c, W9e (P1-073, P1-074): 15 after year 3; 16.5 against 15, then 34.65 against 22.5 ($M)."""
    assert crossover.loc[3, "closing"] == 15 * MILLION
    assert crossover.loc[4, ["ttm_net", "new"]].tolist() == [16.5 * MILLION, 15 * MILLION]
    assert crossover.loc[4, "closing"] == 31.5 * MILLION
    assert crossover.loc[5, ["ttm_net", "new"]].tolist() == [34.65 * MILLION, 22.5 * MILLION]
    assert crossover.index[crossover["ttm_net"] > crossover["new"]][0] == 4
    assert nrr(crossover["ttm_net"], crossover["ttm_opening"])[3:] == pytest.approx([1.1] * 5)


def test_the_misprint_of_the_fourth_year_is_not_reproduced(crossover: pd.DataFrame) -> None:
    """1 W9b (P1-073): the print has ten times the amount, 165 instead of 16.5 ($M)."""
    assert float(nrr(165 * MILLION, crossover.loc[4, "ttm_opening"])) == pytest.approx(11.0)
    assert 165 * MILLION > crossover.loc[7, "ttm_net"] > crossover.loc[4, "ttm_net"]


def test_the_years_after_the_crossover(crossover: pd.DataFrame) -> None:
    """1 W9d (P1-073): base targets and new bookings of years 6 to 8, and the ratio of both from year 4 on."""
    base, new = crossover["ttm_net"] / MILLION, crossover["new"] / MILLION
    assert base[5:].tolist() == pytest.approx([62.865, 106.2765, 172.59165], rel=1e-12)
    assert new[5:].tolist() == [33.75, 50.625, 75.9375]
    assert (base / new)[3:].round(3).tolist() == [1.1, 1.54, 1.863, 2.099, 2.273]


def lookalike() -> pd.DataFrame:
    """31 deals: 23 of January 2023, of which 9 renew and 5 renew again at 14 % less; 8 of June 2024."""
    rows: list[Contract] = []
    for i in range(23):
        amounts = [1000 * CENTS] * (1 if i < 14 else 2)
        rows += yearly(f"d{i:02}", amounts + ([860 * CENTS] if i >= 18 else []), 2023)
    rows += [(f"d{i}", "2024-06-01", "2025-05-31", 1000 * CENTS) for i in range(23, 31)]
    return pd.DataFrame(rows, columns=["account_id", "start_date", "end_date", "arr_cents"])


def test_lookalike_cohort() -> None:
    """2 T4, T5 (B2-011): 9 of 23 renew, then 5 of 9; 13 of 31 are held, which is no renewal rate."""
    deals = lookalike()
    ledger = signed(list(deals.itertuples(index=False, name=None)), "2025-01-31")
    first, second = cohort(ledger, "2024-01-31"), cohort(ledger, "2025-01-31")
    to_date = cohort(ledger, "2025-01-31", window_months=24)
    assert (first["logos_opening"], first["logos_kept"]) == (23, 9)
    assert round(float(logo_retention(first["logos_kept"], first["logos_opening"])), 4) == 0.3913
    assert round(float(logo_retention(second["logos_kept"], second["logos_opening"])), 4) == 0.5556
    assert round(float(logo_retention(to_date["logos_kept"], to_date["logos_opening"])), 4) == 0.2174
    assert round(float(grr(to_date["ttm_kept"], to_date["ttm_opening"])), 4) == 0.1870
    live = ledger.drop_duplicates("account_id", keep="last")["after"] > 0
    assert (len(live), live.sum()) == (31, 13)


def test_deals_that_are_not_yet_due_are_censored(tmp_path: Path) -> None:
    """2 T5 (B2-011): the eight deals that are not due count in no renewal rate: 14 of 32 decisions are won."""
    deals = lookalike().assign(arr=lambda table: table.pop("arr_cents") / CENTS)
    deals.to_csv(tmp_path / "contracts.csv", index=False)
    first = deals.drop_duplicates("account_id")[["account_id", "start_date"]].assign(segment="smb")
    first.to_csv(tmp_path / "accounts.csv", index=False)
    (tmp_path / "book.yaml").write_text("grace_days: 0\n")
    decided = opportunities(read_book(tmp_path, as_of="2025-01-31"))
    assert (len(decided), decided["renewed"].sum()) == (32, 14)


def renewal(*steps: tuple[str, int, int]) -> pd.DataFrame:
    """Rows of one account that renews line by line on one day; amounts in dollars."""
    rows = [("c", "2024-01-01", "new", 0, steps[0][1]), *(("c", "2025-01-01", *step) for step in steps)]
    table = pd.DataFrame(rows, columns=["account_id", "date", "kind", "before", "after"])
    table[["before", "after"]] *= CENTS
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[s]")
    return table.assign(kind=pd.Categorical(table["kind"], categories=list(KINDS)), segment="smb", reason="")


def test_renewal_walk_closes_only_from_like_for_like() -> None:
    """2 T6 (B2-108): 45,000 - 8,000 + 14,000 + 4,000 = 55,000; against 50,000 that is a net retention of 110 %."""
    walk = (("contraction", 45_000, 37_000), ("expansion", 37_000, 51_000), ("price", 51_000, 55_000))
    assert closing(renewal(*walk), "2025-01-31") == 55_000 * CENTS
    assert float(nrr(55_000, 50_000)) == pytest.approx(1.10)


def test_renewal_walk_does_not_tie_to_its_opening() -> None:
    """2 T7 (B2-108): from the 50,000 in print the lines lead to 60,000, and a walk to 55,000 does not close."""
    walk = (("contraction", 50_000, 42_000), ("expansion", 42_000, 56_000), ("price", 56_000, 60_000))
    assert closing(renewal(*walk), "2025-01-31") == 60_000 * CENTS
    jumped = renewal(("contraction", 50_000, 42_000), ("expansion", 37_000, 51_000), ("price", 51_000, 55_000))
    with pytest.raises(EngineError, match=r"flows explain 6000000 cents, the accounts hold 5500000"):
        bridge(jumped, month_ends_between("2024-01-01", "2025-01-31"), by=None)


def test_a_change_of_discount_does_not_give_its_amount() -> None:
    """2 T8 (B2-108): paying 78 % instead of 75 % of list on 45,000 is a price rise of 1,800; the print says 4,000."""
    risen = renewal(("price", 45_000, 45_000 * 78 // 75))
    january = bridge(risen, month_ends_between("2025-01-01", "2025-01-31"), by=None).iloc[-1]
    assert january["price_up"] == january["expansion"] == 1_800 * CENTS
    on_more = bridge(renewal(("price", 59_000, 59_000 * 78 // 75)), ["2025-01-31"], by=None).iloc[-1]
    assert on_more["price_up"] == 2_360 * CENTS
    needed = bridge(renewal(("price", 100_000, 100_000 * 78 // 75)), ["2025-01-31"], by=None).iloc[-1]
    assert needed["price_up"] == 4_000 * CENTS


def test_planned_churn_of_a_tenth() -> None:
    """2 T9 and 3 W1 (P3-005): $25.0M less 10 % is $22.5M, whatever the period it is stated for."""
    rows = [row for i in range(10) for row in yearly(f"c{i}", [250_000_000] * (1 if i == 0 else 2), 2024)]
    ledger = signed(rows, "2025-12-31")
    sums = cohort(ledger, "2025-12-31")
    assert sums[["ttm_opening", "ttm_kept"]].tolist() == [25 * MILLION, 22.5 * MILLION]
    assert float(grr(sums["ttm_kept"], sums["ttm_opening"])) == 0.9


def test_growth_of_the_base_alone() -> None:
    """2 T28 and 3 W4 (P3-022): eight per cent more from the same customers is a net retention of 108 %."""
    sums = cohort(signed(yearly("a", [100 * CENTS, 108 * CENTS], 2024), "2025-12-31"), "2025-12-31")
    assert float(nrr(sums["ttm_net"], sums["ttm_opening"])) == pytest.approx(1.08)


def test_utilisation_of_forty_hours() -> None:
    """3 W5 (P3-076): 30 and 20 hours of 40."""
    assert utilisation([30, 20], [40, 40]).tolist() == [0.75, 0.5]


def test_one_large_customer_and_a_hundred_small_ones() -> None:
    """1 W14 (P1-104): $2M from one customer or from a hundred is the same ARR; one loss is all or a hundredth."""
    one = signed(yearly("a", [2 * MILLION], 2024), "2025-12-31")
    many = [row for i in range(100) for row in yearly(f"c{i}", [2_000_000] * (1 if i == 0 else 2), 2024)]
    hundred = signed(many, "2025-12-31")
    assert closing(one, "2024-12-31") == closing(hundred, "2024-12-31") == 2 * MILLION
    lost_one, lost_of_many = cohort(one, "2025-12-31"), cohort(hundred, "2025-12-31")
    assert float(grr(lost_one["ttm_kept"], lost_one["ttm_opening"])) == 0.0
    assert float(grr(lost_of_many["ttm_kept"], lost_of_many["ttm_opening"])) == pytest.approx(0.99)
