"""The renewal block: paths of decisions, their likelihood, and what comes back of a known truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import special

from subsim.book import Book, read_book
from subsim.calibrate import renewal_cells
from subsim.calibrate.block import BlockData, Frame, Sampling
from subsim.calibrate.company import company_priors
from subsim.calibrate.priors import Key, Prior
from subsim.calibrate.renewal import Renewal, matched_odds, survival
from subsim.calibrate.renewal_cells import cells
from subsim.calibrate.renewal_model import (
    COMPANY,
    ENGAGEMENT,
    OF_FIT,
    ONB,
    PHI,
    contractions,
    log_likelihood,
    stacked,
)
from subsim.calibrate.renewal_paths import ALIVE, LOST, decisions, observed, paths
from subsim.random import Purpose, uniform_array

Floats = NDArray[np.float64]
AS_OF = dt.date(2026, 6, 30)
FRAME = Frame(AS_OF, ("smb",))
QUICK = Sampling(chains=2, draws=400, seed=7)


def book_of(folder: Path, **tables: list[tuple[Any, ...]]) -> Book:
    """A book of a few rows; the first row of each table names its columns."""
    for name, (header, *rows) in tables.items():
        pd.DataFrame(rows, columns=list(header)).to_csv(folder / f"{name}.csv", index=False)
    return read_book(folder, as_of=str(AS_OF))


ACCOUNTS = ("account_id", "start_date", "segment")
TERMS = ("account_id", "start_date", "end_date", "arr")
RENEWING = ("account_id", "start_date", "end_date", "arr", "term_months")


# ------------------------------------------------------------------------------------------------ decisions and paths


def test_decisions_of_contracts(tmp_path: Path) -> None:
    """Two renewals and a loss; a comeback continues the numbers and is a path of its own."""
    book = book_of(
        tmp_path,
        accounts=[ACCOUNTS, ("a", "2021-01-01", "smb"), ("b", "2024-07-01", "smb")],
        contracts=[
            TERMS,
            ("a", "2021-01-01", "2021-12-31", 100),
            ("a", "2022-01-01", "2022-12-31", 110),
            ("a", "2023-01-01", "2023-12-31", 110),
            ("a", "2025-01-01", "2025-12-31", 50),
            ("a", "2026-01-01", "2026-12-31", 50),
            ("b", "2024-07-01", "2026-06-30", 80),
        ],
    )
    table = decisions(book)
    assert table["account_id"].tolist() == ["a"] * 4
    assert table["renewed"].tolist() == [True, True, False, True]
    assert table["months"].tolist() == [12, 12, 12, 12]
    assert table["stay"].tolist() == [0, 0, 0, 1]
    assert table[["before", "after"]].to_numpy()[0].tolist() == [10000, 11000]
    found = paths(observed(book))
    assert found["outcome"].tolist() == [LOST, ALIVE]
    assert found["k"].tolist() == [3, 4]
    assert found["entry"].tolist() == [0, 3]


def test_losses_inside_terms(tmp_path: Path) -> None:
    """Early in a yearly term: apart. Shortly after an anniversary: that renewal. In a monthly term: the next one."""
    book = book_of(
        tmp_path,
        accounts=[ACCOUNTS, *((name, "2024-01-01", "smb") for name in "abcd")],
        contracts=[
            RENEWING,
            ("a", "2024-01-01", "2024-05-15", 100, 12),
            ("b", "2024-01-01", "2025-01-10", 100, 12),
            ("c", "2024-01-01", "2024-03-20", 100, 1),
            ("d", "2024-01-01", "2024-04-03", 100, 1),
        ],
    )
    table = decisions(book).set_index("account_id")
    assert table.loc[["a"], "in_term"].tolist() == [True]
    assert table.loc[["b"], ["renewed", "in_term"]].to_numpy().tolist() == [[False, False]]
    assert table.loc["c", "renewed"].tolist() == [True, True, False]
    assert table.loc["d", "renewed"].tolist() == [True, True, False]
    data = Renewal().summarise(book, FRAME)
    assert data.events["renewal.in_term_loss", ("smb",)] == 1
    assert any("inside terms" in note for note in data.notes)


def test_older_accounts_enter_late(tmp_path: Path) -> None:
    book = book_of(
        tmp_path,
        accounts=[ACCOUNTS, ("a", "2020-01-01", "smb")],
        contracts=[TERMS, ("a", "2023-01-01", "2023-12-31", 100), ("a", "2024-01-01", "2026-12-31", 100)],
    )
    found = paths(observed(book))
    assert found[["entry", "k"]].to_numpy().tolist() == [[3, 4]]


def test_a_cube_renews_monthly(tmp_path: Path) -> None:
    months = pd.period_range("2025-01", "2026-06", freq="M")
    rows = [("a", str(month), 10) for month in months] + [("b", str(month), 10) for month in months[3:8]]
    book = book_of(
        tmp_path,
        accounts=[ACCOUNTS, ("a", "2025-01-31", "smb"), ("b", "2025-04-30", "smb")],
        mrr=[("account_id", "month", "mrr"), *rows],
    )
    found = paths(observed(book))
    assert found["outcome"].tolist() == [ALIVE, LOST]
    assert found["k"].tolist() == [17, 5]
    assert found["months"].tolist() == [1, 1]


def test_what_was_known_at_a_decision(tmp_path: Path) -> None:
    """First value, sponsor and preparation by the day of the decision; the usual rise of price also for a loss."""
    names = [f"n{i:02d}" for i in range(12)]
    kept = [row for n in names for row in ((n, "2024-01-01", "2024-12-31", 100), (n, "2025-01-01", "2025-12-31", 105))]
    book = book_of(
        tmp_path,
        accounts=[ACCOUNTS, *((n, "2024-01-01", "smb") for n in [*names, "z"])],
        contracts=[TERMS, *kept, ("z", "2024-01-01", "2024-12-31", 100)],
        onboarding=[("account_id", "kickoff_date", "first_value_date"), ("z", "2024-01-01", "2025-02-01")],
        sponsors=[("account_id", "date", "event"), ("z", "2024-11-01", "left"), ("n00", "2025-02-01", "left")],
        touches=[
            ("account_id", "kind", "due_date", "done_date"),
            ("n00", "renewal_prep", "2024-12-31", "2024-11-20"),
            ("z", "renewal_prep", "2024-12-31", ""),
        ],
    )
    table = observed(book)
    first = table[table["day"] < 20100].set_index("account_id")
    assert first.loc["z", ["onb", "sp", "prep"]].tolist() == [1, 1, 1]
    assert first.loc["n00", ["onb", "sp", "prep"]].tolist() == [0, 0, 0]
    assert first.loc["n01", ["onb", "sp", "prep"]].tolist() == [0, 0, 1]
    assert first.loc["z", "price"] == pytest.approx(np.log(1.05))


def test_cells_count_every_account_once() -> None:
    table = pd.DataFrame(
        {
            "segment": ["smb", "smb", "big"] * 40,
            "months": [12.0, 1.0, 24.0] * 40,
            "outcome": [ALIVE, LOST, ALIVE, ALIVE] * 30,
            "k": np.arange(120) % 9 + 1.0,
            "entry": 0.0,
            "price": 0.03,
            **{name: np.linspace(-1, 1, 120) for name in ("e", "past_e", "u")},
            **dict.fromkeys(("uv", "v", "past_v"), 0.1),
            **dict.fromkeys(("onb", "sp", "prep", "past_onb", "past_sp", "past_prep"), 0.0),
        }
    )
    found = cells(table, ("smb", "big"))
    assert found["n"].sum() == 120
    assert (found["n"] * found["lost"]).sum() == (table["outcome"] == LOST).sum()
    assert (found["n"] * found["e"]).sum() == pytest.approx(table["e"].sum(), abs=1e-9)
    assert (found["v"] >= 0.1).all()
    assert len(found["n"]) < 120
    assert cells(table.iloc[:0], ("smb", "big"))["n"].sum() == 0


# ------------------------------------------------------------------------------------------------ likelihood


def one_segment(renewals: int, **more: Any) -> dict[str, Any]:
    """Cells of accounts alive after, and lost at, each of some yearly renewals; engagement -0.3, sds 0.3 and 0.4."""
    count = 2 * renewals
    zero, k = np.zeros(count), np.tile(np.arange(1.0, renewals + 1), 2)
    alive = np.repeat([1.0, 0.0], renewals)
    none = np.zeros(0)
    plain: dict[str, Any] = dict.fromkeys(
        ("monthly", "multi", "price", "u", "uncontrolled", "controlled", "entry", "onb", "past_onb"), zero
    )
    plain |= dict.fromkeys(("sp", "past_sp", "prep", "past_prep"), zero)
    plain |= {"n": zero + 1, "segment": zero.astype(int), "years": zero + 1, "uv": zero + 0.09, "k": k}
    plain |= {"alive": alive, "lost": 1 - alive, "e": zero - 0.3, "past_e": zero - 0.3, "v": zero + 0.16}
    plain |= {"past_v": zero + 0.16, "spread": np.array([0.09]), "c_segment": none.astype(int)}
    return plain | dict.fromkeys(("c_e", "c_v", "c_n", "c_y"), none) | more


def numbers(**own: float) -> Floats:
    w = np.zeros(len(COMPANY))
    for name, value in own.items():
        w[{"engagement": ENGAGEMENT, "fit": OF_FIT, "onb": ONB, "phi": PHI}[name]] = value
    return w


@pytest.mark.parametrize(("theta", "drift"), [(0.8, 1.1), (0.05, 0.8)])
def test_likelihood_is_that_of_the_simulated_rule(theta: float, drift: float) -> None:
    """Shares renewed and lost among 200,000 accounts with hidden fit, engagement and risk, by the rule itself."""
    count, renewals, base, away = 200_000, 4, -1.9, 0.03

    def uniform(purpose: int) -> Floats:
        return uniform_array(11, 0, Purpose.RENEWAL, np.arange(count), purpose)

    fit = special.ndtri(uniform(0))
    own = 0.25 * fit + np.sqrt(0.3**2 - 0.25**2) * special.ndtri(uniform(1))
    risk = special.gammaincinv(1 / theta, uniform(2)) * theta
    there = np.ones(count, bool)
    kept, lost = [], []
    for k in range(1, renewals + 1):
        engagement = -0.3 + own + 0.4 * special.ndtri(uniform(10 + k))
        hazard = np.exp(base - 0.6 * engagement - 0.25 * fit) * (k**drift - (k - 1) ** drift)
        stays = there & (uniform(30 + k) < np.exp(-risk * hazard)) & (uniform(50 + k) < np.exp(-away))
        lost.append((there & ~stays).mean())
        there = stays
        kept.append(there.mean())
    d = stacked(one_segment(renewals)) | {"fit_mean": np.zeros(1)}
    w = numbers(engagement=0.6, fit=0.25, phi=0.25)
    x = [np.array([base]), np.array([drift]), np.array([away]), np.array([-3.0])]
    found = np.exp(log_likelihood(np, d, w, x, [np.array([theta])]))
    assert found[:renewals] == pytest.approx(kept, rel=0.015)
    assert found[renewals:] == pytest.approx(lost, rel=0.03)


def test_known_reasons_split_a_loss_and_older_accounts_condition_on_it() -> None:
    w = numbers(engagement=0.6, fit=0.25, phi=0.25)
    x = [np.array([-1.9]), np.array([1.0]), np.array([0.05]), np.array([-3.0])]

    def chance(**more: Any) -> Floats:
        d = stacked(one_segment(3, **more)) | {"fit_mean": np.zeros(1)}
        return np.asarray(np.exp(log_likelihood(np, d, w, x, [np.array([0.7])])))

    unknown = chance()
    lost = np.repeat([0.0, 1.0], 3)
    apart = chance(lost=lost * 0, uncontrolled=lost) + chance(lost=lost * 0, controlled=lost)
    assert apart[3:] == pytest.approx(unknown[3:])
    assert unknown[:3] == pytest.approx(1 - np.cumsum(unknown[3:]))
    late = chance(entry=np.minimum(one_segment(3)["k"] - 1, 1.0))
    assert late[1:3] == pytest.approx(unknown[1:3] / unknown[0])


def test_beta_mixing_is_the_shifted_beta_geometric() -> None:
    """Without covariates and drift the Beta form gives B(alpha, beta + k) / B(alpha, beta)."""
    plain = one_segment(5, **dict.fromkeys(("v", "past_v", "uv", "e", "past_e"), np.zeros(10)))
    d = stacked(plain) | {"fit_mean": np.zeros(1)}
    x = [np.array([9.9]), np.array([1.0]), np.array([1e-12]), np.array([-3.0])]
    found = np.exp(log_likelihood(np, d, numbers(), x, [np.array([0.668]), np.array([3.806])]))
    k = np.arange(1, 6)
    exact = np.exp(special.betaln(0.668, 3.806 + k) - special.betaln(0.668, 3.806))
    assert found[:5] == pytest.approx(exact, rel=1e-5)


def test_likelihood_of_many_points_is_that_of_each() -> None:
    d = stacked(one_segment(3)) | {"fit_mean": np.zeros(1)}
    d |= {"c_segment": np.zeros(2, int), "c_e": np.array([-1.0, 1.0]), "c_v": np.array([0.2, 0.2])}
    d |= {"c_n": np.array([50.0, 40.0]), "c_y": np.array([6.0, 2.0])}
    w = np.stack([numbers(engagement=0.6, fit=0.2, phi=0.2), numbers(engagement=0.1, fit=0.4, phi=0.3)])
    x = [np.array([[-1.9], [-2.5]]), np.array([[1.0], [1.2]]), np.array([[0.02], [0.01]]), np.array([[-3.0], [-2.0]])]
    mix = [np.array([[0.5], [1.5]])]
    together = log_likelihood(np, d, w, x, mix)
    falls = contractions(np, d, w, x, 0.94)
    for i in range(2):
        own = [part[i] for part in x]
        assert log_likelihood(np, d, w[i], own, [mix[0][i]]) == pytest.approx(together[i])
        assert contractions(np, d, w[i], own, 0.94) == pytest.approx(falls[i])


# ------------------------------------------------------------------------------------------------ fits


def simulated(theta: float, base: float, accounts: int = 1500, seed: int = 3) -> BlockData:
    """Up to five yearly renewals of accounts whose engagement was read well, with effect 0.6."""

    def uniform(purpose: int) -> Floats:
        return uniform_array(seed, 1, Purpose.RENEWAL, np.arange(accounts), purpose)

    risk = special.gammaincinv(1 / theta, uniform(2)) * theta if theta else np.ones(accounts)
    years = 1 + np.arange(accounts) % 5
    there, last = np.ones(accounts, bool), np.ones(accounts)
    readings: list[Floats] = []
    for k in range(1, 6):
        readings.append(0.6 * special.ndtri(uniform(10 + k)))
        asked = there & (k <= years)
        last[asked] = k
        there &= ~asked | (uniform(30 + k) < np.exp(-risk * np.exp(base - 0.6 * readings[-1])))
    score = np.array(readings)
    number = last.astype(int)
    table = pd.DataFrame(
        {"segment": "smb", "months": 12.0, "k": last, "entry": 0.0, "price": 0.0, "u": 0.0, "uv": 1e-4}
    )
    table["outcome"] = np.where(there, ALIVE, LOST)
    table["e"] = score[number - 1, np.arange(accounts)]
    table["past_e"] = [score[: n - 1, i].mean() if n > 1 else score[0, i] for i, n in enumerate(number)]
    table["v"], table["past_v"] = 0.01, 0.25
    for name in ("onb", "sp", "prep", "past_onb", "past_sp", "past_prep"):
        table[name] = 0.0
    found = cells(table, ("smb",)) | {"spread": np.array([0.01]), "kept": np.zeros(0)}
    found |= {"c_segment": np.zeros(0, np.int64), "in_term": np.zeros(1), "stay_years": np.array([2.0 * accounts])}
    found |= {name: np.zeros(0) for name in ("c_e", "c_v", "c_n", "c_y")}
    return BlockData(accounts, found, {})


def without_fit() -> dict[Key, Prior]:
    """The company's priors, with nothing hidden but the risk multiplier."""
    none = Prior("fixed", 0.0, source="this test's truth", grade="A")
    return company_priors(FRAME) | {("renewal.fit", ()): none, ("renewal.uncontrollable", ("smb",)): none}


@pytest.mark.parametrize(("theta", "seed"), [(0.9, 1), (0.3, 2)])
def test_a_known_truth_is_covered(theta: float, seed: int) -> None:
    fitted = Renewal().fit(simulated(theta, -1.8, seed=seed), without_fit(), FRAME, QUICK)
    assert fitted.diagnostics["ess_bulk_min"] > 400
    truth: Mapping[Key, float] = {
        ("renewal.base", ("smb",)): -1.8,
        ("renewal.frailty", ("smb",)): theta,
        ("renewal.drift", ("smb",)): 1.0,
        ("renewal.engagement", ()): 0.6,
    }
    for key, value in truth.items():
        low, high = np.quantile(fitted.draws[key], [0.02, 0.98])
        assert low < value < high, key
    assert fitted.draws["renewal.base", ("smb",)].std() < 0.15
    assert fitted.draws["renewal.base", ("smb",)].shape == (2, 400)


@pytest.mark.parametrize(("shape", "years"), [(2.0, 1), (1.0, 3)])
def test_alike_accounts_hardly_bias_the_forecast(shape: float, years: int) -> None:
    """No differences in the truth: survival of the next renewal, with a prior dense at 0 of three, within a point."""
    data = simulated(0.0, -1.8, accounts=4000, seed=5)
    priors = without_fit() | {("renewal.frailty", ("smb",)): Prior("gamma", 0.5, shape)}
    fitted = Renewal().fit(data, priors, FRAME, QUICK)
    share = survival(fitted.draws, data, FRAME, "smb", 12, 8)
    ahead = np.median(share[:, 5:] / share[:, [4]], axis=0)
    sure = dict.fromkeys(("e", "past_e", "uv"), np.zeros(16)) | dict.fromkeys(("v", "past_v"), np.full(16, 0.36))
    d = stacked(one_segment(8, **sure)) | {"fit_mean": np.zeros(1)}
    x = [np.array([-1.8]), np.array([1.0]), np.array([1e-9]), np.array([-3.0])]
    true = np.exp(log_likelihood(np, d, numbers(engagement=0.6), x, [np.array([1e-8])]))[:8]
    assert ahead[:years] == pytest.approx((true[5:] / true[4])[:years], abs=0.01)


def test_bands_do_not_move_the_effect_of_engagement() -> None:
    """Two bands or forty of the same accounts: one answer, though two hide most of the spread of engagement."""
    fits = []
    for bands in (2, 40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(renewal_cells, "BANDS", bands)
            patch.setattr(renewal_cells, "PAST_BANDS", bands)
            fits.append(Renewal().fit(simulated(0.5, -1.8, seed=6), without_fit(), FRAME, QUICK).draws)
    few, many = (fit["renewal.engagement", ()] for fit in fits)
    assert float(few.mean()) == pytest.approx(float(many.mean()), abs=0.05)


def test_effects_keep_their_priors_and_levels_make_up_for_them() -> None:
    """Half of the decisions lack a sponsor and nothing is seen to follow: that is said beside, the effect stays."""
    data = simulated(0.5, -1.8, seed=4)
    half = {"sp": data.cells["e"] * 0 + 0.5, "past_sp": data.cells["e"] * 0 + 0.5}
    data = BlockData(data.rows, dict(data.cells) | half, {})
    fitted = Renewal().fit(data, without_fit(), FRAME, QUICK)
    effect = fitted.draws["renewal.no_sponsor", ()]
    assert np.quantile(effect, [0.05, 0.5, 0.95]) == pytest.approx([0.09, 0.5, 0.91], abs=0.05)
    level = fitted.draws["renewal.base", ("smb",)] + np.log1p(0.5 * np.expm1(effect))
    assert float(np.median(level)) == pytest.approx(-1.8, abs=0.15)
    assert float(np.std(level)) < float(np.std(fitted.draws["renewal.base", ("smb",)]))
    names = {row["name"] for row in fitted.extra["associations"]}
    assert "association.renewal.no_sponsor" in names


def test_same_data_same_draws() -> None:
    data = simulated(0.5, -1.8, accounts=300)
    one, two = (Renewal().fit(data, without_fit(), FRAME, QUICK).draws for _ in range(2))
    assert all(np.array_equal(one[key], two[key]) for key in one)


def test_beta_mixing_learns_its_shapes() -> None:
    priors = without_fit() | {("renewal.beta_mixing", ()): Prior("fixed", 1.0)}
    fitted = Renewal().fit(simulated(0.5, -1.8), priors, FRAME, QUICK)
    alpha, beta = (fitted.draws[f"renewal.beta_{name}", ("smb",)] for name in ("alpha", "beta"))
    assert alpha.std() > 0
    assert float(np.median(alpha / (alpha + beta))) == pytest.approx(1 - np.exp(-np.exp(-1.8)), abs=0.05)


@pytest.mark.parametrize("lost", [0.0, 1.0])
def test_all_kept_or_all_lost_stays_finite(lost: float) -> None:
    data = simulated(0.5, -1.8, accounts=60)
    gone = data.cells["alive"] * 0 + lost
    data = BlockData(60, dict(data.cells) | {"lost": gone, "alive": 1 - gone}, {})
    fitted = Renewal().fit(data, company_priors(FRAME), FRAME, QUICK)
    assert all(np.isfinite(value).all() for value in fitted.draws.values())
    base = float(np.median(fitted.draws["renewal.base", ("smb",)]))
    assert base > -1.85 if lost else base < -1.85


def test_no_decision_yet_keeps_the_priors_and_says_so(tmp_path: Path) -> None:
    book = book_of(
        tmp_path,
        accounts=[ACCOUNTS, ("a", "2026-01-01", "smb")],
        contracts=[TERMS, ("a", "2026-01-01", "2026-12-31", 100)],
    )
    data = Renewal().summarise(book, FRAME)
    assert data.rows == 0
    assert data.notes == ("No renewal has been decided yet: renewals keep their priors.",)
    fitted = Renewal().fit(data, company_priors(FRAME), FRAME, QUICK)
    assert float(np.median(fitted.draws["renewal.base", ("smb",)])) == pytest.approx(-1.85, abs=0.01)


def test_losses_inside_terms_and_kept_shares_are_learned() -> None:
    data = simulated(0.5, -1.8, accounts=200)
    kept = np.tile([0.6, 0.7, 0.75, 0.8, 0.85, 0.9], 10)
    data = BlockData(200, dict(data.cells) | {"in_term": np.array([40.0]), "kept": kept}, {})
    draws = Renewal().fit(data, company_priors(FRAME), FRAME, QUICK).draws
    assert float(draws["renewal.in_term_loss", ("smb",)].mean()) == pytest.approx(40.5 / 400, rel=0.02)
    assert 0.75 < float(draws["renewal.contraction_keep", ()].mean()) < 0.8
    assert float(draws["renewal.contraction_keep", ()].std()) < 0.03


def test_odds_of_contraction_are_matched_so_that_as_many_contract() -> None:
    e, n = np.array([-1.5, -0.5, 0.5, 1.5]), np.array([10.0, 30.0, 30.0, 10.0])
    cells = {"c_segment": np.zeros(4, int), "c_e": e, "c_v": np.full(4, 0.2), "c_n": n}
    odds, found, effect = np.array([-3.0, -2.0, -2.5]), np.array([1.5, -0.5, 0.4]), np.array([0.4, 0.4, 0.4])

    def share(level: Floats, slope: Floats) -> Floats:
        at = (level[:, None] - slope[:, None] * e) / np.sqrt(1 + np.pi / 8 * slope[:, None] ** 2 * 0.2)
        return np.asarray(special.expit(at) @ n / n.sum())

    level = matched_odds(odds, found, effect, cells, 0)
    assert share(level, effect) == pytest.approx(share(odds, found), rel=1e-4)
    assert level[2] == odds[2]
    assert level[0] > odds[0] + 0.2  # at mean engagement, 0, nothing would have been made up for
