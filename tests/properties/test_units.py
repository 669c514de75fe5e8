"""What is written reads back exactly; what is not a quantity is refused without a traceback."""

import contextlib
import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from subsim import units
from subsim.errors import InputError

positive = st.floats(min_value=0, max_value=1e9, allow_nan=False)
first_days = st.builds(dt.date, st.integers(1990, 2090), st.integers(1, 12), st.just(1))


@given(positive)
def test_durations_come_back(value: float) -> None:
    assert units.days(units.days_text(value)) == value
    assert units.hours(units.hours_text(value)) == value


@given(st.integers(0, 240))
def test_months_come_back(value: int) -> None:
    assert units.months(units.months_text(value)) == value


@given(st.integers(-(10**14), 10**14))
def test_money_comes_back_to_the_cent(cents: int) -> None:
    assert units.money_cents(units.money_text(cents)) == cents
    assert units.money_cents(f"${units.money_text(cents)}".replace("$-", "-$")) == cents


@given(st.integers(0, 10_000))
def test_percent_is_a_hundredth(basis_points: int) -> None:
    assert units.share(f"{basis_points / 100} %") == basis_points / 10_000


@given(first_days, st.integers(1, 240))
def test_month_starts_are_firsts_of_months(start: dt.date, months: int) -> None:
    boundaries = units.month_starts(start, months)
    dates = [start + dt.timedelta(minutes=minutes) for minutes in boundaries]
    assert all(date.day == 1 for date in dates)
    assert boundaries == sorted(set(boundaries))
    assert (dates[-1].year - start.year) * 12 + dates[-1].month - start.month == months


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_anything_is_read_or_refused(value: object) -> None:
    for read in (
        units.days,
        units.hours,
        units.share,
        units.money_cents,
        units.rate,
        units.months,
        units.day,
        units.number,
    ):
        with contextlib.suppress(InputError):
            assert read(value) is not None
