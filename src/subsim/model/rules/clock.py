"""The clock: integer minutes since midnight of the scenario's first day, and calendar months for contracts."""

from subsim._jit import rule

DAY = 1440
#: A process month (reviews, look-ahead of risks): 30.4375 days.
MONTH = 43830
YEAR = 12 * MONTH
#: Later than any horizon; stands for "never".
NEVER = 1 << 27


@rule
def minutes(days: float) -> int:
    """Whole minutes nearest to a number of days, at most NEVER."""
    if days >= NEVER / DAY:
        return NEVER
    return int(days * DAY + 0.5)


@rule
def _days_before_year(year: int) -> int:
    y = year - 1
    return 365 * y + y // 4 - y // 100 + y // 400


@rule
def _days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@rule
def _civil(ordinal: int) -> tuple[int, int, int]:
    """Year, month and day of a proleptic Gregorian ordinal (1 January of year 1 is 1)."""
    year = ordinal * 400 // 146097 + 1
    while _days_before_year(year) >= ordinal:
        year -= 1
    while _days_before_year(year + 1) < ordinal:
        year += 1
    day = ordinal - _days_before_year(year)
    month = 1
    while day > _days_in_month(year, month):
        day -= _days_in_month(year, month)
        month += 1
    return year, month, day


@rule
def day_of_month(t: int, first_day: int) -> int:
    """Day of the month (1..31) of a minute; ``first_day`` is the ordinal date of the scenario's start."""
    return _civil(first_day + t // DAY)[2]


@rule
def add_months(t: int, months: int, anchor: int, first_day: int) -> int:
    """The same time of day ``months`` calendar months later, on the contract's ``anchor`` day or the month's last."""
    year, month, _ = _civil(first_day + t // DAY)
    count = year * 12 + month - 1 + months
    year, month = count // 12, count % 12 + 1
    ordinal = _days_before_year(year) + min(anchor, _days_in_month(year, month))
    for m in range(1, month):
        ordinal += _days_in_month(year, m)
    return (ordinal - first_day) * DAY + t % DAY
