import pandas as pd
import pytest

from subsim.ledger import carr, from_contracts
from tests.unit.ledger.test_rows import ACCOUNTS, contracts

AS_OF = "2025-06-30"


def made(*rows: tuple[str, str, str | None, int], **more: object) -> list[int]:
    table = contracts(*rows).assign(**{name: pd.to_datetime(values) for name, values in more.items()})
    ledger = from_contracts(table, ACCOUNTS, AS_OF)
    total = carr(ledger, table, ACCOUNTS, AS_OF, all_signed=not more).set_index("segment").loc["all"]
    return total.tolist()


LIVE = ("a", "2025-01-01", "2025-12-31", 100)


@pytest.mark.parametrize(
    ("future", "signed"),
    [
        (("b", "2025-08-01", "2026-07-31", 50), 50),  # a new customer
        (("a", "2025-08-01", "2025-12-31", 40), 40),  # an add-on beside what runs
        (("a", "2026-01-01", "2026-12-31", 120), 20),  # a renewal, for more
        (("a", "2026-01-31", "2026-12-31", 120), 20),  # the same, late but in grace
        (("a", "2026-02-01", "2026-12-31", 120), 120),  # too late to be its renewal
        (("a", "2025-12-15", "2026-12-31", 80), -20),  # early, for less
    ],
)
def test_what_is_signed_and_not_live_is_kept_apart(future: tuple[str, str, str, int], signed: int) -> None:
    assert made(LIVE, future) == [100, signed, 0, 100 + signed]


def test_a_start_without_a_signature_by_the_day_is_not_contracted() -> None:
    later = ("b", "2025-08-01", "2026-07-31", 50)
    assert made(LIVE, later, signed_date=[None, "2025-06-30"]) == [100, 50, 0, 150]
    assert made(LIVE, later, signed_date=[None, "2025-07-01"]) == [100, 0, 0, 100]
    assert made(LIVE, later, signed_date=[None, None]) == [100, 0, 0, 100]


def test_notice_is_taken_off_unless_a_follower_is_signed() -> None:
    assert made(LIVE, notice_date=["2025-06-30"]) == [100, 0, 100, 0]
    assert made(LIVE, notice_date=["2025-07-01"]) == [100, 0, 0, 100]
    follower = ("a", "2026-01-01", "2026-12-31", 70)
    both = {"notice_date": ["2025-05-01", None], "signed_date": [None, "2025-05-20"]}
    assert made(LIVE, follower, **both) == [100, -30, 0, 70]


def test_followers_are_of_the_same_product_and_segments_add_up() -> None:
    table = contracts(LIVE, ("a", "2026-01-01", "2026-12-31", 60), ("b", "2025-08-01", "2026-07-31", 50))
    table = table.assign(product=["core", "add-on", "core"])
    rows = carr(from_contracts(table, ACCOUNTS, AS_OF), table, ACCOUNTS, AS_OF, all_signed=True)
    assert rows.set_index("segment")["carr"].to_dict() == {"enterprise": 50, "smb": 160, "all": 210}
