import numpy as np
import pandas as pd
import pytest

from subsim.errors import InputError
from subsim.ledger import coverage, csms_on, per_csm
from tests.unit.ledger.test_metrics import Row, ledger

ACCOUNTS = pd.DataFrame(
    {
        "account_id": list("abcde"),
        "owner_id": ["s1", "s1", "s9", "", "s2"],
        "tier": ["high", "high", "high", "tech", "mid"],
    }
)
HISTORY: tuple[Row, ...] = tuple((name, "2025-01-01", "new", 0, 100 * (n + 1)) for n, name in enumerate("abcd"))
SEATS = pd.DataFrame(
    {
        "seat_id": ["s1", "s2", "s3", "s4", "m1"],
        "team": ["csm", "csm", "csm", "csm", "managers"],
        "start_date": pd.to_datetime(["2024-01-01", "2024-01-01", "2025-07-01", "2024-01-01", "2024-01-01"]),
        "leave_date": pd.to_datetime([None, None, None, "2025-06-30", None]),
    }
)


def test_accounts_and_arr_per_csm_count_those_with_none() -> None:
    csms = csms_on(SEATS, "2025-06-30", ("csm",))
    assert csms == ["s1", "s2"]
    rows = per_csm(ledger(*HISTORY), "2025-06-30", ACCOUNTS, csms)
    assert rows.to_numpy().tolist() == [["s1", 2, 300], ["s2", 0, 0], ["mean", 1, 150]]
    assert np.isnan(per_csm(ledger(*HISTORY), "2025-06-30", ACCOUNTS, []).iloc[-1]["accounts"])


def test_a_published_load_is_the_mean_of_its_book() -> None:
    """29 CSMs on 2,200 accounts that pay 132 million: 76 accounts and 4.55 million each (P1-072)."""
    csms = [f"c{n:02}" for n in range(29)]
    names = [f"a{n:04}" for n in range(2200)]
    accounts = pd.DataFrame({"account_id": names, "owner_id": [csms[n % 29] for n in range(2200)]})
    rows = ledger(*((name, "2025-01-01", "new", 0, 6_000_000) for name in names))
    mean = per_csm(rows, "2025-06-30", accounts, csms).iloc[-1]
    assert round(mean["accounts"]) == 76
    assert round(mean["arr_cents"] / 1e8, 2) == 4.55


def test_coverage_by_form_adds_up() -> None:
    rows = coverage(ledger(*HISTORY), "2025-06-30", ACCOUNTS, csms=["s1", "s2"], form_of_tier={"tech": "digital"})
    assert rows["accounts"].tolist() == [2, 0, 1, 1]
    assert rows["arr_cents"].tolist() == [300, 0, 400, 300]
    assert rows["share_of_accounts"].sum() == 1
    assert rows["share_of_arr"].tolist() == [0.3, 0, 0.4, 0.3]
    assert coverage(ledger(*HISTORY), "2025-06-30", ACCOUNTS)["accounts"].tolist() == [3, 0, 0, 1]
    assert coverage(ledger(*HISTORY), "2024-06-30", ACCOUNTS)["share_of_arr"].isna().all()


def test_a_team_that_nobody_is_in_is_refused() -> None:
    with pytest.raises(InputError, match="csm, managers"):
        csms_on(SEATS, "2025-06-30", ("pooled",))
