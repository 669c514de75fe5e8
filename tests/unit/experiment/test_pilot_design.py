"""Designing a pilot: closed forms, EVSI below EVPPI, a fake estimator for sizes and lengths, the real one once."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import subsim as ss
from subsim.book import Book
from subsim.errors import InputError
from subsim.experiment import pilot_design as module
from subsim.experiment import pilot_inputs, pilot_trials
from subsim.experiment.demo import AS_OF
from subsim.experiment.pilot_design import PilotDesign, design_pilot
from subsim.experiment.pilot_trials import Trials
from subsim.experiment.preposterior import Belief, Gain, worth_of
from subsim.scenario import Scenario

COMPANY: dict[str, Any] = {
    "name": "Company",
    "start": "2026-01-01",
    "horizon": "24 months",
    "segments": {"smb": {"opening": {"accounts": 60, "tenure": "300 days"}, "new_business": "2 per month"}},
    "tiers": {"served": {"coverage": "named", "team": "care", "touches": {"business_review": "1 year"}}},
    "routing": [{"to": "served"}],
    "teams": {"care": {"seats": 2, "cost": "$90k"}},
}
OFTEN = [ss.cadence("served", touch="business_review", every="1 month", on="2026-02-01")]
ASKED: dict[str, Any] = {"accounts": (40, 80), "months": (4, 8), "draws": 6, "seed": 2}


def base() -> Scenario:
    return Scenario.from_dict(COMPANY)


def plan() -> Scenario:
    return base().replace(name="Often", levers=OFTEN)


def read(book: Book, touch: str) -> tuple[float, float] | None:
    """A made-up estimator: information in proportion to accounts and months, none from fewer than 50 accounts."""
    table = book.tables["experiments"]
    months = (pd.Timestamp(AS_OF) - pd.to_datetime(table["assigned_on"]).min()).days / 30.4
    information = len(table) * months / 20
    return None if len(table) < 50 else ((0.2**-2 + information) ** -0.5, 0.2)


@pytest.fixture(scope="module")
def design() -> PilotDesign:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pilot_trials, "HISTORY_MONTHS", 20)
        return design_pilot(base(), plan(), estimate=read, **ASKED)


@pytest.mark.parametrize(("mean", "sd", "error"), [(0.0, 1.0, 0.5), (0.3, 0.2, 0.1), (-0.2, 0.5, 1.0)])
def test_a_linear_gain_has_the_unit_normal_loss(mean: float, sd: float, error: float) -> None:
    found = worth_of(Gain(0.0, 10.0, 0.0), Belief(mean, sd), error)
    spread = 10 * sd**2 / math.hypot(sd, error)
    z = abs(10 * mean) / spread
    assert found.value == pytest.approx(spread * (norm.pdf(z) - z * norm.cdf(-z)), rel=2e-3)
    assert found.p_changes == pytest.approx(norm.cdf(-z), abs=1e-3)


@pytest.mark.parametrize("curvature", [-1.0, 0.0, 3.0])
def test_less_noise_is_worth_more_up_to_knowing(curvature: float) -> None:
    gain, belief = Gain(-0.1, 1.0, curvature), Belief(0.2, 0.3)
    worths = [worth_of(gain, belief, error).value for error in (math.inf, 2.0, 0.5, 0.1, 0.0)]
    assert worths[0] == 0.0
    assert np.diff(worths).min() >= 0
    assert worths[-1] > worths[1]


def test_break_even_is_where_the_gain_is_nothing() -> None:
    gain = Gain.through(np.array([0.0, 0.5, 1.0]), np.array([-1.0, 0.25, 3.0]))
    at = gain.break_even(Belief(0.4, 0.3))
    assert at is not None
    assert float(gain.at(np.array(at))) == pytest.approx(0, abs=1e-9)
    assert gain.break_even(Belief(9.0, 0.1)) is None


def test_information_adds_up_over_accounts() -> None:
    rows = pd.DataFrame(
        {
            "asked": [50, 100],
            "months": [6, 6],
            "repeat": [0, 0],
            "accounts": [50, 100],
            "learned": [True, False],
            "error": [0.2, math.inf],
        }
    )
    tried = Trials(rows)
    assert tried.error(50, 6) == pytest.approx(0.2)
    assert tried.error(200, 6) == pytest.approx(0.1)
    assert (tried.p_learns(50, 6), tried.p_learns(100, 6)) == (1.0, 0.0)
    assert math.isinf(tried.error(50, 12))
    assert pilot_trials._without_prior(0.3, 0.3) == math.inf


def test_no_pilot_is_worth_more_than_knowing(design: PilotDesign) -> None:
    table = design.table
    assert len(table) == 4
    assert (table["evsi"] <= table["evppi"] + 0.01).all()
    assert (table["evsi"] >= 0).all()
    spent = table["evsi"] - table["delay_cost"] - table["pilot_cost"]
    assert np.allclose(spent, table["net_benefit"], atol=0.02)


def test_what_teaches_nothing_changes_nothing(design: PilotDesign) -> None:
    small = design.table[design.table["accounts"] == 40]
    assert (small[["p_learns", "evsi", "p_changes"]] == 0).all(axis=None)
    large = design.table[design.table["accounts"] == 80]
    assert (large["error"].diff().dropna() < 0).all()  # longer is better known


def test_extra_touches_cost_what_people_cost(design: PilotDesign) -> None:
    row = design.table[(design.table["accounts"] == 80) & (design.table["months"] == 4)].iloc[0]
    month = 365.25 / 12
    extra = 1 - month / 365.25
    assert row["pilot_cost"] == pytest.approx(40 * 4 * extra * 5.0 * 90_000 / 1065, rel=1e-3)


def test_the_smallest_worth_it_is_recommended_or_none_is(design: PilotDesign) -> None:
    table = design.table.assign(net_benefit=[-5.0, 3.0, -1.0, 9.0])
    made = PilotDesign(**{**vars(design), "table": table})
    assert made.smallest is not None
    assert (made.smallest["accounts"], made.smallest["months"]) == (80, 4)
    assert made.best["months"] == 8
    assert "smallest pilot worth its cost: 80 accounts" in made.text
    none = PilotDesign(**{**vars(design), "table": table.assign(net_benefit=-1.0)})
    assert none.smallest is None
    assert "decide now" in none.text
    assert none.figure() is not None


def test_words_json_and_the_same_bytes_again(design: PilotDesign, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "simulated pilots" in design.text
    assert "nan" not in design.text
    facts = json.dumps(design.to_dict(), allow_nan=False)
    monkeypatch.setattr(module, "trials", lambda *_, **__: design.trials)
    again = design_pilot(base(), plan(), estimate=read, **ASKED)
    assert json.dumps(again.to_dict(), allow_nan=False) == facts


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"accounts": (5,)}, "20 to"),
        ({"accounts": ()}, "accounts: found none"),
        ({"months": (24,)}, "1 to 23"),
        ({"touch": "site_visit"}, "site_visit"),
        ({"tier": "gold"}, "served"),
        ({"every": "2 years"}, "more often than now"),
        ({"estimate": None}, "how a pilot is read"),
        ({"fixed_cost": "much"}, "amount"),
    ],
)
def test_what_cannot_be_designed_is_told_in_a_sentence(change: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        design_pilot(base(), plan(), **({"estimate": read, **ASKED} | change))


def test_a_lift_taken_as_known_leaves_nothing_to_learn() -> None:
    known = {"parameter": "work.lift", "work": "business_review", "value": 0.2, "because": "said so"}
    with pytest.raises(InputError, match="taken as known"):
        design_pilot(base().replace(assumptions=[known]), plan(), estimate=read, **ASKED)


def test_what_a_posterior_knows_of_the_lift_is_the_belief_and_its_noise_the_companys() -> None:
    class Taught:
        book, book_fingerprint, fingerprint, status, learned = "b", "b", "b", "PASS", 2

        def values(self, name: str, _: tuple[str, ...]) -> np.ndarray | None:
            known = {"work.lift": np.array([0.1, 0.3]), "engagement.noise": np.array([0.4, 0.5, 0.9])}
            return known.get(name)

        def order(self, runs: int) -> np.ndarray:
            return np.zeros(runs, int)

    belief = pilot_inputs.belief(base(), "business_review", Taught())
    assert (belief.mean, belief.sd) == pytest.approx((0.2, 0.1))
    assert pilot_inputs.numbers(Taught()) == {"engagement.noise": 0.5}
    declared = {
        "parameter": "work.lift",
        "work": "business_review",
        "experiment": {"effect": 0.4, "sd": 0.1, "data": "x"},
    }
    stated = pilot_inputs.belief(base().replace(effects=[declared]), "business_review", Taught())
    assert (stated.mean, stated.sd) == pytest.approx((0.4, 0.1))


def test_the_calibration_reads_the_pilots_of_the_package() -> None:
    found = ss.design_pilot(base(), plan(), accounts=(60,), months=(12,), draws=2, seed=1)
    assert found.trials.table["learned"].all()
    assert 0.02 < found.table["error"].iloc[0] < 0.2
