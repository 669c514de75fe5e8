from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from subsim.calibrate import fit as door
from subsim.calibrate import rates_data
from subsim.calibrate.beliefs import override
from subsim.calibrate.block import BlockData, BlockFit, Sampling
from subsim.calibrate.company import company_priors
from subsim.calibrate.onboarding_queue import Pace, waits
from subsim.calibrate.priors import Prior
from subsim.calibrate.rates import Rates
from subsim.calibrate.spells import spells
from subsim.calibrate.together import frame_of
from subsim.errors import InputError
from tests.calibrate import books

SMALL = Sampling(chains=2, draws=500)


def fitted(folder: Path, made: dict[str, pd.DataFrame] | None = None) -> tuple[BlockData, BlockFit]:
    book = books.book(folder, made)
    frame = frame_of(book)
    data = Rates().summarise(book, frame)
    return data, Rates().fit(data, company_priors(frame), frame, SMALL)


def test_sizes_and_delays_agree_with_maximum_likelihood(tmp_path: Path) -> None:
    made = books.tables(300, segments=("smb",))
    data, fit = fitted(tmp_path, made)
    first = made["contracts"].drop_duplicates("account_id")
    first = first[first["start_date"] <= books.AS_OF]
    logs = np.log(first["arr"])
    assert np.median(fit.draws["value.first_arr", ("smb",)]) == pytest.approx(np.exp(logs.mean()), rel=0.02)
    assert np.median(fit.draws["value.first_arr_sd", ("smb",)]) == pytest.approx(logs.std(), rel=0.05)

    table = made["onboarding"][made["onboarding"]["kickoff_date"] <= books.AS_OF]
    days = (table["first_value_date"] - table["kickoff_date"]).dt.days.to_numpy(float)
    waiting = (pd.Timestamp(books.AS_OF) + pd.Timedelta(days=1) - table["kickoff_date"]).dt.days.to_numpy(float)
    seen = np.isfinite(days)

    def against(x: np.ndarray) -> float:
        law = stats.norm(x[0], np.exp(x[1]))
        return float(-law.logpdf(np.log(days[seen])).sum() - law.logsf(np.log(waiting[~seen])).sum())

    best = optimize.minimize(against, np.array([3.0, -0.7]), method="Nelder-Mead").x
    assert np.median(fit.draws["onboarding.customer_delay", ("smb",)]) == pytest.approx(np.exp(best[0]), rel=0.03)
    assert np.median(fit.draws["onboarding.customer_delay_sd", ("smb",)]) == pytest.approx(np.exp(best[1]), rel=0.06)
    assert data.events["onboarding.customer_delay", ("smb",)] == len(table)


def test_first_values_that_are_still_awaited_lengthen_the_delay(tmp_path: Path) -> None:
    made = books.tables(200, segments=("smb",))
    late = {**made, "onboarding": made["onboarding"].copy()}
    late["onboarding"].loc[late["onboarding"]["first_value_date"].notna().to_numpy() & (np.arange(200) % 4 == 0),
                           "first_value_date"] = pd.NaT  # fmt: skip
    key = ("onboarding.customer_delay", ("smb",))
    before, after = fitted(tmp_path / "a", made)[1], fitted(tmp_path / "b", late)[1]
    assert np.median(after.draws[key]) > 1.5 * np.median(before.draws[key])


def test_a_rate_has_the_posterior_that_numerical_integration_gives(tmp_path: Path) -> None:
    made = books.tables(80, segments=("smb",))
    data, fit = fitted(tmp_path, made)
    book = books.book(tmp_path, made)
    stays = spells(book)
    years = float((stays["end"] - stays["begin"]).sum()) / 365.25
    own = company_priors(frame_of(book))["contraction.rate", ("smb",)]
    grid = np.linspace(-14, 2, 20001)
    logs = stats.norm(np.log(own.centre), own.spread).logpdf(grid) - np.exp(grid) * years  # nothing contracted
    weight = np.exp(logs - logs.max())
    exact = np.interp([0.05, 0.5, 0.95], np.cumsum(weight) / weight.sum(), grid)
    found = np.log(np.quantile(fit.draws["contraction.rate", ("smb",)], [0.05, 0.5, 0.95]))
    assert found == pytest.approx(exact, abs=0.2)  # three standard errors of 1,000 draws at the 5 % quantile
    assert data.events["contraction.rate", ("smb",)] == 0


def test_changes_inside_a_term_are_counted_and_those_of_renewals_are_not(tmp_path: Path) -> None:
    made = books.tables(40, segments=("smb",))
    extra = made["contracts"].iloc[[0, 5]].assign(arr=2_000.0)
    extra["start_date"] = extra["start_date"] + pd.Timedelta(days=100)
    grown = {**made, "contracts": pd.concat([made["contracts"], extra], ignore_index=True)}
    data, _ = fitted(tmp_path / "a", grown)
    plain, _ = fitted(tmp_path / "b", made)  # renewals raise the price by 3 %
    assert plain.events["expansion.rate", ("smb",)] == 0
    assert data.events["expansion.rate", ("smb",)] == 2


def test_only_the_product_of_rate_and_chance_to_win_is_learned(tmp_path: Path) -> None:
    _, fit = fitted(tmp_path)
    rate = np.log(fit.draws["expansion.rate", ("smb",)].ravel())
    win = np.log(fit.draws["expansion.win", ()].ravel())
    assert np.corrcoef(rate, win)[0, 1] < 0
    assert {"expansion.win"} <= {key[0] for key in fit.draws} - {key[0] for key in fit.extra["silent"]}


def test_a_table_that_is_missing_leaves_the_prior_and_says_so(tmp_path: Path) -> None:
    made = books.tables(60)
    del made["onboarding"]
    data, fit = fitted(tmp_path, made)
    key = ("onboarding.customer_delay", ("smb",))
    own = company_priors(frame_of(books.book(tmp_path, made)))[key]
    assert key in fit.extra["silent"]
    assert np.quantile(fit.draws[key], [0.05, 0.5, 0.95]) == pytest.approx(
        own.quantile(np.array([0.05, 0.5, 0.95])), rel=0.03
    )
    assert any("No onboarding table" in note for note in data.notes)


def test_one_segment_and_few_rows_are_said(tmp_path: Path) -> None:
    data, fit = fitted(tmp_path, books.tables(6, segments=("smb",)))
    assert any("one segment" in note for note in data.notes)
    assert any("6 new logos are few" in note for note in data.notes)
    assert all(np.isfinite(values).all() for values in fit.draws.values())


def test_a_segment_with_few_rows_leans_on_the_others(tmp_path: Path) -> None:
    made = books.tables(121)
    made["accounts"].loc[120, "segment"] = "new segment"
    made["contracts"]["arr"] = (made["contracts"]["arr"] * 50).round(2)
    _, fit = fitted(tmp_path, made)
    alone = np.log(fit.draws["value.first_arr", ("new segment",)])
    assert abs(np.median(alone) - np.log(500_000)) < 1.2  # the catalogue's centre lies 2.9 below


def test_a_prior_of_another_family_is_refused(tmp_path: Path) -> None:
    book = books.book(tmp_path, books.tables(30))
    frame = frame_of(book)
    own = Prior("normal", 0.5, 0.1, source="a test", grade="D")
    priors = override(company_priors(frame), {("contraction.rate", ()): own})
    with pytest.raises(InputError, match="lognormal or fixed"):
        Rates().fit(Rates().summarise(book, frame), priors, frame, SMALL)


def test_arrivals_count_complete_months_and_leave_out_referred_logos(tmp_path: Path) -> None:
    made = books.tables(90, segments=("smb",))
    made["accounts"]["acquired_via"] = ["referral" if i < 30 else "outbound" for i in range(90)]
    data, _ = fitted(tmp_path, made)
    started = made["accounts"].iloc[30:]
    first_month = made["accounts"]["start_date"].min().to_period("M")
    counted = started[(started["start_date"].dt.to_period("M") > first_month) & (started["start_date"] <= books.AS_OF)]
    assert data.cells["month_count"].sum() == len(counted)


def test_an_onboarding_waits_while_the_only_person_is_busy(tmp_path: Path) -> None:
    made = books.tables(3, segments=("smb",))
    day = pd.Timestamp("2024-01-01")
    made["seats"] = pd.DataFrame(
        {"seat_id": ["s1"], "team": ["onboarding"], "start_date": [day], "leave_date": [pd.NaT]}
    )
    book = books.book(tmp_path, made)
    start = np.array([19730.0, 19730.0, 19900.0])
    found = waits(book, start, np.array([30.0, 15.0, 1.0]), Pace(3.0, 0.5, 0.8, 90.0))
    assert found == pytest.approx([0.0, 10.0, 0.0])


def test_cells_do_not_grow_with_accounts(tmp_path: Path) -> None:
    few = books.book(tmp_path / "few", books.tables(100))
    many = books.book(tmp_path / "many", books.tables(400))
    sizes = [sum(len(v) for v in rates_data.summarise(book, frame_of(book)).cells.values()) for book in (few, many)]
    assert sizes[1] < 1.6 * sizes[0]


def _normal_model(data: Mapping[str, Any]) -> Any:
    pm = pytest.importorskip("pymc")
    with pm.Model() as model:
        d = {name: pm.Data(name, np.asarray(value)) for name, value in data.items()}
        mean = pm.Normal("mean", d["centre"][0], d["spread"][0])
        log_sd = pm.Normal("log_sd", d["centre"][1], d["spread"][1])
        squares = d["squares"] - 2 * mean * d["sum"] + d["n"] * mean**2
        pm.Potential("sizes", -d["n"] * log_sd - 0.5 * squares * pm.math.exp(-2 * log_sd))
        pm.Deterministic("median", pm.math.exp(mean))
    return model


@pytest.mark.slow
def test_nuts_gives_the_same_posterior(tmp_path: Path) -> None:
    pytest.importorskip("nutpie")
    made = books.tables(200, segments=("smb",))
    data, mine = fitted(tmp_path, made)
    key, spread = ("value.first_arr", ("smb",)), ("value.first_arr_sd", ("smb",))
    frame = frame_of(books.book(tmp_path, made))
    priors, at = company_priors(frame), rates_data.log_keys(frame).index(key)
    (cell,) = np.flatnonzero(data.cells["normal_at"] == at)
    inputs = {
        "centre": np.log([priors[key].centre, priors[spread].centre]),
        "spread": np.array([priors[key].spread, priors[spread].spread]),
        "n": float(data.cells["normal_n"][cell]),
        "sum": float(data.cells["normal_sum"][cell]),
        "squares": float(data.cells["normal_squares"][cell]),
    }
    got = door.sample("test/normal", _normal_model, inputs, SMALL, ["median"])
    assert got.diagnostics["rhat_max"] < 1.05
    levels = [0.05, 0.5, 0.95]
    assert np.quantile(mine.draws[key], levels) == pytest.approx(np.quantile(got.draws["median"], levels), rel=0.02)


def test_a_price_list_without_any_spread_is_drawn_well(tmp_path: Path) -> None:
    made = books.tables(80, segments=("smb",))
    made["contracts"]["arr"] = 12.0
    _, fit = fitted(tmp_path, made)
    assert fit.diagnostics["ess_bulk_min"] > 400
    assert np.median(fit.draws["value.first_arr", ("smb",)]) == pytest.approx(12.0, rel=0.01)
    assert np.median(fit.draws["value.first_arr_sd", ("smb",)]) == pytest.approx(0.02, rel=0.2)
