"""The engagement block on companies whose truth is known: what it learns, and what it must not claim to learn."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest

from subsim.book import Book
from subsim.calibrate.block import BlockFit, Frame, Sampling
from subsim.calibrate.engagement import Engagement, filtered
from subsim.calibrate.priors import catalogue_prior, prior_draws
from tests.calibrate.made_engagement import PROGRAMME, Truth, book, tables

FRAME = Frame(
    dt.date(2024, 12, 31), ("named", "plain"), ("named", "plain"), ("status_call", "business_review", PROGRAMME[0])
)
SAMPLING = Sampling(chains=2, draws=250, seed=7)
REVIEW = ("work.lift", ("business_review",))


@cache
def company(seed: int, truth: Truth) -> Book:
    """A company's book; kept, because several tests ask about it."""
    with TemporaryDirectory() as folder:
        return book(Path(folder), tables(seed, truth))


@cache
def fitted(seed: int, truth: Truth) -> BlockFit:
    """The block's fit of a company."""
    block = Engagement()
    return block.fit(block.summarise(company(seed, truth), FRAME), {}, FRAME, SAMPLING)


def association(fit: BlockFit, name: str, *of: str) -> dict[str, float]:
    """A row of the associations."""
    return next(row for row in fit.extra["associations"] if row["name"] == name and row["of"] == list(of))


USUAL = Truth(accounts=300)
IDLE = Truth(accounts=300, lift=0.0)
SICK = Truth(accounts=300, lift=0.0, to_the_sick=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_drift_noise_and_levels_at_birth_are_learned(seed: int) -> None:
    draws = fitted(seed, USUAL).draws
    truth = {
        ("engagement.drift", ()): USUAL.drift,
        ("engagement.noise", ()): USUAL.noise,
        ("engagement.rest", ("named",)): USUAL.rest[0],
        ("engagement.rest", ("plain",)): USUAL.rest[1],
        ("engagement.neglect", ("plain",)): USUAL.neglect[1],
    }
    for key, value in truth.items():
        assert abs(draws[key].mean() - value) < 3 * draws[key].std(), key
        assert draws[key].std() < 0.8 * catalogue_prior(key).sd, key


@pytest.mark.parametrize("seed", [1, 2])
def test_every_draw_reproduces_the_observed_level(seed: int) -> None:
    draws = {key: values.ravel() for key, values in fitted(seed, USUAL).draws.items()}
    lifts = draws["work.lift", ("status_call",)] / 30 + draws["work.lift", ("business_review",)] / 91
    held = lifts / draws["engagement.drift", ()]
    level = draws["engagement.rest", ("named",)] - draws["engagement.neglect", ("named",)] + held
    truth = USUAL.rest[0] - USUAL.neglect[0] + (0.08 / 30 + 0.25 / 91) / USUAL.drift
    assert level.std() < 0.6 * held.std()  # the assumed lifts differ far more than what comes of them
    assert abs(level.mean() - truth) < 0.2


@pytest.mark.parametrize("truth", [USUAL, IDLE, SICK])
def test_readings_never_move_the_lift_of_a_touch(truth: Truth) -> None:
    found = fitted(1, truth).draws[REVIEW]
    own = prior_draws(REVIEW, catalogue_prior(REVIEW), chains=2, draws=250, seed=SAMPLING.seed)
    assert np.array_equal(found, own)
    assert np.quantile(found, 0.05) < 0 < np.quantile(found, 0.95)


def test_touches_that_do_nothing_are_associated_with_nothing() -> None:
    row = association(fitted(1, IDLE), "association.lift", "business_review")
    assert row["q05"] < 0.05
    assert row["q95"] < 0.15


def test_touches_that_do_something_are_associated_with_it() -> None:
    row = association(fitted(1, USUAL), "association.lift", "business_review")
    assert row["q05"] > 0.1


def test_what_the_block_says_rests_on_its_seed_alone() -> None:
    block = Engagement()
    data = block.summarise(company(1, USUAL), FRAME)
    again = block.fit(data, {}, FRAME, SAMPLING)
    assert all(np.array_equal(again.draws[key], values) for key, values in fitted(1, USUAL).draws.items())
    other = block.fit(data, {}, FRAME, Sampling(chains=2, draws=250, seed=8))
    assert not np.array_equal(other.draws["engagement.drift", ()], again.draws["engagement.drift", ()])


@pytest.mark.statistical
def test_a_pilot_teaches_the_lift_of_its_touch() -> None:
    key = ("work.lift", (PROGRAMME[0],))
    truth = Truth(accounts=300, pilot_month=18)
    inside = 0
    for seed in (2, 4, 5, 6, 9):
        found = fitted(seed, truth).draws[key]
        low, high = np.quantile(found, [0.05, 0.95])
        inside += bool(low <= truth.programme_lift <= high)
        assert abs(found.mean() - truth.programme_lift) < 3.5 * found.std()
        assert found.std() < 0.3 * catalogue_prior(key).sd
    assert inside >= 4


def test_a_pilot_of_a_touch_that_does_nothing_covers_nothing() -> None:
    found = fitted(4, Truth(accounts=300, pilot_month=18, programme_lift=0.0)).draws["work.lift", (PROGRAMME[0],)]
    assert np.quantile(found, 0.05) < 0 < np.quantile(found, 0.95)


def test_an_experiment_needs_a_control_arm(tmp_path: Path) -> None:
    made = tables(1, Truth(accounts=60, pilot_month=18))
    made["experiments"]["arm"] = made["experiments"]["arm"].replace("control", "usual")
    data = Engagement().summarise(book(tmp_path, made), FRAME)
    assert any("needs an arm called control" in note for note in data.notes)
    assert ("work.lift", (PROGRAMME[0],)) not in data.events


def test_an_assignment_without_consequence_is_said(tmp_path: Path) -> None:
    made = tables(1, Truth(accounts=60, pilot_month=18))
    made["touches"] = made["touches"][made["touches"]["kind"] != PROGRAMME[0]]
    data = Engagement().summarise(book(tmp_path, made), FRAME)
    assert any("its arms differ in no touch" in note for note in data.notes)


def test_scores_before_a_date_foretell_the_score_on_it() -> None:
    scores = company(1, USUAL).tables["health"].iloc[::5]
    found = filtered(company(1, USUAL), scores[["account_id", "date"]])
    y = np.log(scores["score"].clip(0.5, 99.5) / (100 - scores["score"].clip(0.5, 99.5))) - np.log(3)
    miss = (y - found["mean"]) / np.sqrt(found["variance"] + USUAL.error**2)
    assert abs(miss.mean()) < 0.1
    assert 0.85 < miss.var() < 1.15
    assert np.corrcoef(y, found["mean"])[0, 1] > 0.5


def test_irregular_and_missing_readings_say_the_same_with_less_certainty(tmp_path: Path) -> None:
    made = tables(1, USUAL)
    made["health"] = made["health"].iloc[::3]
    block = Engagement()
    fit = block.fit(block.summarise(book(tmp_path, made), FRAME), {}, FRAME, SAMPLING)
    for key in (("engagement.drift", ()), ("engagement.noise", ())):
        full, few = fitted(1, USUAL).draws[key], fit.draws[key]
        assert few.std() > full.std()
        assert abs(few.mean() - full.mean()) < 3 * few.std()


def changed(what: str) -> dict[str, pd.DataFrame]:
    """A company's tables with one thing wrong about its scores."""
    made = tables(1, Truth(accounts=40, months=18))
    if what == "none":
        del made["health"]
    elif what == "constant":
        made["health"]["score"] = 75.0
    elif what == "once":
        made["health"] = made["health"].drop_duplicates("account_id")
    elif what == "few":
        made["health"] = made["health"].iloc[:12]
    elif what == "top":
        made["health"]["score"] = made["health"]["score"].clip(upper=80)
    return made


@pytest.mark.parametrize(
    ("what", "said", "learns"),
    [
        ("none", "no health scores", False),
        ("constant", "never moves", False),
        ("once", "No account has two scores", True),
        ("few", "Only 12 scores", True),
        ("top", "highest or lowest", True),
    ],
)
def test_poor_scores_get_a_sentence_and_finite_draws(tmp_path: Path, what: str, said: str, learns: bool) -> None:
    own = book(tmp_path, changed(what), as_of="2023-06-30")
    block, frame = Engagement(), Frame(dt.date(2023, 6, 30), ("named", "plain"), (), FRAME.work)
    data = block.summarise(own, frame)
    assert any(said in note for note in data.notes)
    assert bool(data.rows) == learns
    fit = block.fit(data, {}, frame, SAMPLING)
    assert all(np.isfinite(values).all() and values.shape == (2, 250) for values in fit.draws.values())
    key = ("engagement.drift", ())
    own_prior = prior_draws(key, catalogue_prior(key), chains=2, draws=250, seed=SAMPLING.seed)
    assert np.array_equal(fit.draws[key], own_prior) != learns
    at = pd.DataFrame({"account_id": ["A00001"], "date": [pd.Timestamp("2023-06-30")]})
    assert np.isfinite(filtered(own, at).to_numpy()).all()
