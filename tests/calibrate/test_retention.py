"""Retention curves of cohorts against published fits and held-out years."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subsim.calibrate import fit
from subsim.calibrate.block import Sampling
from subsim.calibrate.retention import (
    EMPTY,
    FORMS,
    WEAK_PRIORS,
    CohortTable,
    Form,
    add_totals,
    cohort_table,
    fit_retention,
    log_likelihood,
    log_survival,
    retention_model,
)
from subsim.errors import InputError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

#: Fader and Hardie (2007), Table 1: per cent still active after 0 to 12 years.
REGULAR = (100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3)
HIGH_END = (100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4)
#: Fader and Hardie, note 017: customers of five yearly cohorts, made with alpha 3.8 and beta 15.2.
TRIANGLE = ((10000, 8000, 6480, 5307, 4391), (10000, 8000, 6480, 5307), (10000, 8000, 6480), (10000, 8000), (10000,))


def years(percent: tuple[float, ...], last: int) -> CohortTable:
    """The first years of a published cohort of 1,000."""
    return cohort_table([[10 * share for share in percent[: last + 1]]])


@pytest.mark.parametrize(
    ("percent", "alpha", "beta", "error"), [(HIGH_END, 0.668, 3.806, 0.05), (REGULAR, 0.704, 1.182, 0.025)]
)
def test_shifted_beta_geometric_as_published(
    percent: tuple[float, ...], alpha: float, beta: float, error: float
) -> None:
    """The published estimates, by maximum likelihood to the digit and by the mode under weak priors within 2 %."""
    curve = fit_retention(years(percent, 7), "sbg")
    assert curve.maximum == pytest.approx({"alpha": alpha, "beta": beta}, abs=6e-4)
    assert curve.mode == pytest.approx(dict(curve.maximum), rel=0.02)
    assert float(np.median(curve.survival([12]))) == pytest.approx(percent[12] / 100, rel=error)
    assert float(curve.most_likely([12])[0]) == pytest.approx(percent[12] / 100, rel=error)


@pytest.mark.parametrize(("percent", "last", "error"), [(HIGH_END, 4, 0.05), (HIGH_END, 7, 0.05), (REGULAR, 7, 0.025)])
def test_default_supplies_the_drift_that_the_data_ask_for(percent: tuple[float, ...], last: int, error: float) -> None:
    band = fit_retention(years(percent, last)).band([12]).iloc[0]
    assert band["low"] < percent[12] / 100 < band["high"]
    assert band["median"] == pytest.approx(percent[12] / 100, rel=error)


def test_beta_forms_as_published() -> None:
    """Beta-discrete-Weibull of the High End cohort from years 0-4; the plain hazard of the Regular one."""
    assert fit_retention(years(HIGH_END, 4), "beta").maximum == pytest.approx(
        {"alpha": 0.2594, "beta": 1.7228, "drift": 1.5843}, abs=2e-3
    )
    plain = fit_retention(years(REGULAR, 4), "geometric")
    assert 1 - np.exp(-plain.maximum["base"]) == pytest.approx(0.272, abs=1e-3)


def partial_tables() -> dict[str, CohortTable]:
    """Note 017: what may be known of its five cohorts."""
    several = TRIANGLE[:4]
    totals = [sum(TRIANGLE[cohort][year - cohort] for cohort in range(year + 1)) for year in range(5)]
    cohorts = [[(cohort, year - cohort) for cohort in range(year + 1)] for year in range(5)]
    return {
        "all counts": cohort_table(TRIANGLE),
        "sizes and last counts": cohort_table([(r[0], r[-1]) for r in several], [(0, len(r) - 1) for r in several]),
        "last two counts": cohort_table([r[-2:] for r in several], [(len(r) - 2, len(r) - 1) for r in several]),
        "sizes and totals": add_totals(EMPTY, totals, [[(10000, 0, age) for _, age in year] for year in cohorts]),
        "last counts and totals": add_totals(
            EMPTY, totals, [[(TRIANGLE[c][-1], 4 - c, age) for c, age in year] for year in cohorts]
        ),
    }


@pytest.mark.parametrize("known", partial_tables())
@pytest.mark.parametrize("form", ["sbg", "gamma"])
def test_note_017_full_and_partial_data_give_one_curve(known: str, form: Form) -> None:
    curve = fit_retention(partial_tables()[known], form)
    truth = np.exp(log_survival("sbg", {"alpha": 3.8, "beta": 15.2}, np.arange(11.0)))
    assert curve.most_likely(np.arange(11)) == pytest.approx(truth, abs=1.5e-3)
    band = curve.band([1, 2, 3, 4, 7])
    assert (band["low"] - 1e-4 <= truth[[1, 2, 3, 4, 7]]).all()
    assert (truth[[1, 2, 3, 4, 7]] <= band["high"] + 1e-4).all()
    assert curve.effective > 100


def test_aggregate_retention_of_a_mixed_base() -> None:
    """Five cohorts, 10,000 to 2,604: of those there at the end of 2006, .6914 are still there a year later."""
    counts = (10000, 6334, 4367, 3264, 2604)
    curve = fit_retention(cohort_table([counts[: 5 - cohort] for cohort in range(5)]))
    there = np.array(counts[:4])
    ages = np.arange(5.0)
    kept = (there * curve.most_likely(ages[1:]) / curve.most_likely(ages[:4])).sum() / there.sum()
    assert kept == pytest.approx(0.6914, abs=5e-4)


def test_shipped_facts_are_those_of_the_file() -> None:
    path = SHARED / "fader_hardie_2007_survival.csv"
    if not path.exists():
        pytest.skip("the published table is not at hand")
    rows = list(csv.DictReader(path.open()))
    assert tuple(float(row["regular_pct"]) for row in rows) == REGULAR
    assert tuple(float(row["high_end_pct"]) for row in rows) == HIGH_END


def test_alike_customers_read_as_alike() -> None:
    """Without differences or drift in the truth, the curve of later years is nearly that of a constant hazard."""
    counts = [round(4000 * 0.88**age) for age in range(5)]
    band = fit_retention(cohort_table([counts])).band([5, 7])
    assert band["median"].to_numpy() == pytest.approx([0.88**5, 0.88**7], abs=0.02)
    assert (band["low"] < [0.88**5, 0.88**7]).all()
    assert (band["high"] > [0.88**5, 0.88**7]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(FORMS)),
    st.lists(st.floats(0.05, 3.0), min_size=3, max_size=3),
    st.lists(st.integers(0, 60), min_size=2, max_size=6),
)
def test_likelihood_is_that_of_the_single_customers(form: Form, values: list[float], lost: list[int]) -> None:
    own = dict(zip(FORMS[form], values, strict=False))
    counts = np.cumsum([20, *lost[::-1]])[::-1]
    chance = np.exp(log_survival(form, own, np.arange(len(counts), dtype=float)))
    direct = -(np.diff(counts) * np.log(-np.diff(chance))).sum() + counts[-1] * np.log(chance[-1])
    assert float(log_likelihood(cohort_table([counts.tolist()]), form, own)) == pytest.approx(direct, rel=1e-6)
    assert (np.diff(chance) <= 0).all()


def test_no_frailty_is_the_limit_of_little() -> None:
    age = np.arange(13.0)
    little = log_survival("gamma", {"base": 0.2, "frailty": 1e-5, "drift": 1.1}, age)
    none = log_survival("gamma", {"base": 0.2, "frailty": 0.0, "drift": 1.1}, age)
    assert none == pytest.approx(-0.2 * age**1.1)
    assert little == pytest.approx(none, rel=1e-4)


def test_same_seed_same_draws_and_nuts_agrees() -> None:
    pytest.importorskip("nutpie", reason="needs the calibration extra")
    table = years(HIGH_END, 4)
    curve, again = fit_retention(table, draws=4000), fit_retention(table, draws=4000)
    names = FORMS["gamma"]
    assert all(np.array_equal(curve.draws[name], again.draws[name]) for name in names)
    sampled = fit.sample(
        "retention", lambda _: retention_model(table), {}, Sampling(chains=2, draws=800, tune=800), names
    )
    age = np.array([2.0, 8.0, 12.0])
    nuts = np.exp(log_survival("gamma", {name: sampled.draws[name].reshape(-1, 1) for name in names}, age))
    for quantile in (0.1, 0.5, 0.9):
        found, exact = (np.quantile(draws, quantile, axis=0) for draws in (nuts, curve.survival(age)))
        assert found == pytest.approx(exact, abs=0.02)


def test_bad_tables_get_a_sentence() -> None:
    with pytest.raises(InputError, match=r"cohort 2: found counts \[5.0, 7.0\]"):
        cohort_table([[9, 4], [5, 7]])
    with pytest.raises(InputError, match="one rising age"):
        cohort_table([[9, 4]], [[1, 1]])
    with pytest.raises(InputError, match="no customers"):
        fit_retention(EMPTY)
    with pytest.raises(InputError, match="gamma, beta, sbg, geometric"):
        fit_retention(years(REGULAR, 3), "weibull")  # type: ignore[arg-type]


def test_a_cohort_that_lost_nobody_or_everybody() -> None:
    for counts in ([50, 50, 50], [50, 0]):
        curve = fit_retention(cohort_table([counts]))
        band = curve.band([1, 3])
        assert np.isfinite(band.to_numpy()).all()
        assert (band["low"] <= band["high"]).all()
    assert set(WEAK_PRIORS) == {name for names in FORMS.values() for name in names}
