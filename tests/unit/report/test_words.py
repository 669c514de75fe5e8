import math
from itertools import pairwise

import pytest

from subsim.report.style import spread
from subsim.report.words import chance, listed, money, month, percent, plain, quarter
from tests.unit.experiment.synthetic import month_end


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"),
        (949.6, "$950"),
        (999.9, "$1.00k"),
        (-640_000, "-$640k"),
        (12_345_678, "$12.3M"),
        (99_960_000, "$100M"),
        (999_960_000, "$1.00B"),
        (-0.2, "$0"),
    ],
)
def test_money_keeps_three_digits_and_never_shows_a_thousand_of_a_unit(amount: float, text: str) -> None:
    assert money(amount) == text


def test_money_in_other_currencies_and_with_sign() -> None:
    assert money(1_500, "EUR", sign=True) == "+€1.50k"
    assert money(1_500, "SEK") == "SEK 1.50k"
    assert money(0, sign=True) == "$0"


def test_a_chance_never_claims_certainty() -> None:
    assert (chance(1.0), chance(0.0), chance(0.625), chance(math.nan)) == ("> 99 %", "< 1 %", "62 %", "n/a")


def test_names_and_dates_in_words() -> None:
    assert plain("two_more_csms") == "two more CSMs"
    assert (month(month_end(0)), quarter(month_end(0))) == ("July 2026", "Q3 2026")
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert percent(math.nan) == "n/a"


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    moved = spread([5.0, 1.0, 1.1, 1.2, 4.9], 0.5)
    ranked = sorted(moved)
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(ranked))
    assert moved[1] < moved[2] < moved[3] < moved[4] < moved[0]


def test_labels_far_apart_stay() -> None:
    assert spread([3.0, 1.0], 0.5) == [3.0, 1.0]
