"""Units: what is read, what is refused, and what to do about it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from subsim import units
from subsim.errors import InputError


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (units.days, "90 days", 90.0),
        (units.days, "3 months", 91.3125),
        (units.days, "2 weeks", 14.0),
        (units.days, "1 year", 365.25),
        (units.days, " 6 Hours ", 0.25),
        (units.hours, "2.5 hours", 2.5),
        (units.hours, "30 minutes", 0.5),
        (units.share, "7 %", 0.07),
        (units.share, "7%", 0.07),
        (units.share, "0.07", 0.07),
        (units.share, 1, 1.0),
        (units.money_cents, "$1.2M", 120_000_000),
        (units.money_cents, "$40k", 4_000_000),
        (units.money_cents, "1,200.50", 120_050),
        (units.money_cents, "-$5", -500),
        (units.money_cents, "1200 USD", 120_000),
        (units.money_cents, 0.29, 29),
        (units.months, "36 months", 36),
        (units.months, "3 years", 36),
        (units.months, "1.5 years", 18),
        (units.day, "2026-10-01", dt.date(2026, 10, 1)),
        (units.day, dt.date(2026, 10, 1), dt.date(2026, 10, 1)),
        (units.number, "-1.5", -1.5),
        (units.rate, "24 per year", 24.0),
        (units.rate, "2 per month", 24.0),
        (units.rate, "1 per day", 365.25),
    ],
)
def test_reads(read: Callable[[object], Any], text: object, value: object) -> None:
    assert read(text) == value
    assert type(read(text)) is type(value)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (
            units.days,
            90,
            "here: found 90; allowed: a duration such as 90 days, 2 weeks, 3 months or 1 year; write 90 days",
        ),
        (units.days, "90", "write 90 days"),
        (units.days, "9 fortnights", "a duration such as"),
        (units.days, "1e300 days", "a duration such as"),
        (units.days, None, "found None"),
        (units.hours, "2 days", "working time such as"),
        (units.share, 7, "a share from 0% to 100%; did you mean 7 %?"),
        (units.share, "-1 %", "a share from 0% to 100%"),
        (units.share, "some", "a share such as 7 %"),
        (units.money_cents, "$1.234", "a whole number of cents"),
        (units.money_cents, "1,20", "an amount such as"),
        (units.money_cents, True, "an amount such as"),
        (units.money_cents, "$" + "9" * 30, "a whole number of cents"),
        (units.months, "1.3 years", "a whole number of months"),
        (units.months, 36, "write 36 months"),
        (units.rate, 6, "write 6 per year"),
        (units.rate, "6 per fortnight", "a number per day, week, month or year"),
        (units.day, "2026-02-30", "a date as year-month-day"),
        (units.day, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "a date as year-month-day"),
        (units.number, "nan", "a finite number"),
        (units.number, float("inf"), "a finite number"),
        (units.number, True, "a finite number"),
        (units.number, "x" * 100, "(102 characters)"),
    ],
)
def test_refuses(read: Callable[..., Any], text: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text, where="here")
    assert caught.value.where == "here"
    assert message in str(caught.value)


def test_a_working_share_range_may_be_wider() -> None:
    assert units.share("-20 %", low=-0.9, high=2.0) == -0.2


def test_rates_convert_between_units() -> None:
    assert units.rate("12 per year", per="month") == 1.0
    assert units.rate("7 per week", per="day") == 1.0


def test_minutes_and_months() -> None:
    start = dt.date(2026, 7, 1)
    assert units.minutes_between(start, dt.date(2026, 7, 3)) == 2 * units.MINUTES_PER_DAY
    assert units.month_starts(start, 2) == [31 * 1440, 62 * 1440]
    assert units.month_starts(dt.date(2028, 2, 1), 1) == [29 * 1440]
    assert units.add_months(dt.date(2026, 12, 31), 2) == dt.date(2027, 2, 28)
    assert units.MONTH_MINUTES * 12 == units.YEAR_DAYS * units.MINUTES_PER_DAY


def test_text_is_short() -> None:
    assert units.days_text(1.0) == "1 day"
    assert units.days_text(units.YEAR_DAYS) == "1 year"
    assert units.days_text(14) == "14 days"
    assert units.hours_text(2.5) == "2.5 hours"
    assert units.months_text(1) == "1 month"
    assert units.money_text(-120_050) == "-1,200.50"
