import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subsim.calibrate import diagnose, learned
from subsim.calibrate.block import BlockData, BlockFit, Frame
from subsim.calibrate.company import company_priors
from subsim.calibrate.posterior import Posterior, load_posterior
from subsim.calibrate.priors import Key, Prior, catalogue_prior, prior_draws
from subsim.calibrate.rates import Rates
from subsim.calibrate.together import calibrate
from subsim.errors import InputError
from subsim.units import day
from tests.calibrate import books

KEY: Key = ("value.first_arr", ("smb",))
SMALL: Any = {"draws": 200, "tune": 100, "chains": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("book")


@pytest.fixture(scope="module")
def posterior(folder: Path) -> Posterior:
    return calibrate(books.book(folder), only=[Rates()], **SMALL)


def test_a_book_teaches_what_it_shows_and_leaves_the_rest_to_the_catalogue(posterior: Posterior) -> None:
    rows = {(row["name"], row["segment"]): row for row in posterior.rows}
    taught, kept = rows["value.first_arr", "smb"], rows["onboarding.hours", "smb"]
    assert taught["verdict"] == "learned"
    assert taught["contraction"] > 0.9
    assert taught["posterior"]["q05"] < 10_000 < taught["posterior"]["q95"]
    assert kept["posterior"] is None
    assert kept["verdict"] == "prior, not data"
    own = catalogue_prior(("onboarding.hours", ("smb",)))
    assert kept["prior"]["q50"] == pytest.approx(float(own.quantile(0.5)))
    assert rows["engagement.ttv_effect", None]["verdict"] == "assumed"


def test_a_run_gets_joint_draws_of_what_was_learned_and_nothing_else(posterior: Posterior) -> None:
    values = posterior.values(*KEY)
    assert values is not None
    assert values.shape == (400,)
    assert posterior.values("onboarding.hours", ("smb",)) is None
    assert posterior.values("work.lift", ("save",)) is None


def test_each_run_takes_another_draw_until_all_are_used(posterior: Posterior) -> None:
    order = posterior.order(900)
    assert sorted(order[:400]) == list(range(400))
    assert sorted(order[400:800]) == list(range(400))
    assert np.array_equal(order[:50], posterior.order(50))


def test_the_same_seed_gives_the_same_posterior_and_another_seed_another(posterior: Posterior, folder: Path) -> None:
    book = books.book(folder)
    assert calibrate(book, only=[Rates()], **SMALL).fingerprint == posterior.fingerprint
    assert calibrate(book, only=[Rates()], seed=2, **SMALL).fingerprint != posterior.fingerprint


def test_what_is_written_is_read_back_and_opens_as_a_tree(posterior: Posterior, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    xr = pytest.importorskip("xarray")
    files = posterior.save(tmp_path / "out")
    assert all(path.exists() for path in files)
    again = load_posterior(tmp_path / "out")
    assert again.to_dict() == posterior.to_dict()
    assert again.fingerprint == posterior.fingerprint
    assert str(again.values(*KEY)) == str(posterior.values(*KEY))
    tree = xr.open_datatree(tmp_path / "out" / "posterior.zarr", engine="zarr", consolidated=False)
    assert set(tree.children) == {"posterior", "prior", "sample_stats", "observed_data"}
    assert tree["posterior"]["value.first_arr"].dims == ("chain", "draw", "segment")


def test_json_has_the_agreed_keys_and_no_numbers_that_json_lacks(posterior: Posterior) -> None:
    facts = json.loads(json.dumps(posterior.to_dict(), allow_nan=False))
    assert {"name", "rows", "seconds", "status"} <= facts["blocks"][0].keys()
    assert {"name", "status", "value", "advice"} == facts["checks"][0].keys()
    row = facts["parameters"][0]
    assert {"name", "segment", "tier", "label", "source", "grade", "prior", "posterior", "contraction"} <= row.keys()
    assert row["prior"].keys() == {"q05", "q50", "q95"}


def test_no_posterior_is_said_with_what_to_do(tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    with pytest.raises(InputError, match="subsim calibrate"):
        load_posterior(tmp_path)
    (tmp_path / "posterior.zarr").mkdir()
    with pytest.raises(InputError, match="a posterior of subsim"):
        load_posterior(tmp_path)


def test_the_picture_has_a_line_for_every_fitted_number(posterior: Posterior, tmp_path: Path) -> None:
    made = posterior.figure()
    fitted = [row for row in posterior.rows if row["posterior"]]
    assert [label.get_text() for label in made.axes[0].get_yticklabels()] == [
        f"{row['name']}  {row['segment'] or row['month'] or ''}".rstrip() for row in fitted
    ]


def test_a_stated_prior_of_a_number_that_nobody_speaks_about_reaches_the_run(folder: Path) -> None:
    own = Prior("lognormal", 20.0, 0.1, source="a test", grade="C")
    key: Key = ("onboarding.hours", ("smb",))
    found = calibrate(books.book(folder), only=[Rates()], priors={key: own}, **SMALL)
    values = found.values(*key)
    assert values is not None
    assert np.median(values) == pytest.approx(20.0, rel=0.02)
    (row,) = [row for row in found.rows if (row["name"], row["segment"]) == ("onboarding.hours", "smb")]
    assert (row["source"], row["grade"], row["posterior"]) == ("a test", "C", None)


class Failing:
    """A block that fails."""

    name = "failing"
    parameters = ("renewal.engagement",)

    def summarise(self, *_: Any) -> BlockData:
        return BlockData(3, {}, {})

    def fit(self, *_: Any) -> BlockFit:
        raise ValueError("no maximum")


class Bad:
    """A block whose chains disagree."""

    name = "bad"
    parameters = ("renewal.engagement",)

    def summarise(self, *_: Any) -> BlockData:
        return BlockData(3, {}, {("renewal.engagement", ()): 3})

    def fit(self, *given: Any) -> BlockFit:
        _, priors, _, sampling = given
        key = ("renewal.engagement", ())
        draws = prior_draws(key, priors[key], chains=sampling.chains, draws=sampling.draws, seed=1)
        poor = {"rhat_max": 1.4, "ess_bulk_min": 8.0, "ess_tail_min": 9.0, "divergences": 30.0}
        said = {"name": "association.price", "of": ["smb"], "q05": -1.0, "q50": 0.5, "q95": 2.0}
        return BlockFit({key: draws}, poor, 0.1, {"associations": [said]})


def test_a_block_that_fails_leaves_the_others_and_fails_the_posterior(folder: Path) -> None:
    found = calibrate(books.book(folder), only=[Failing(), Rates()], **SMALL)
    assert found.status == "FAIL"
    assert [(block.name, block.status) for block in found.blocks] == [("failing", "FAIL"), ("rates", "PASS")]
    assert found.values(*KEY) is not None
    assert "no maximum" in found.text


def test_chains_that_disagree_fail_with_advice(folder: Path) -> None:
    found = calibrate(books.book(folder), only=[Bad()], **SMALL)
    failed = {check.name: check.advice for check in found.checks if check.status == "FAIL"}
    assert set(failed) == {"bad: R-hat", "bad: bulk ESS", "bad: tail ESS", "bad: divergences"}
    assert "sample longer" in failed["bad: R-hat"]


def test_associations_are_named_as_such(folder: Path) -> None:
    found = calibrate(books.book(folder), only=[Bad()], **SMALL)
    assert "no effects: association.price of smb 0.5 (-1 to 2)" in found.text


@pytest.mark.parametrize(("name", "value"), [("draws", 3), ("chains", 1), ("seed", -1), ("tune", 0)])
def test_sizes_out_of_range_are_refused(folder: Path, name: str, value: int) -> None:
    with pytest.raises(InputError, match=name):
        calibrate(books.book(folder), **(SMALL | {name: value}))


def test_a_posterior_far_from_its_prior_asks_for_a_review() -> None:
    key: Key = ("expansion.rate", ("smb",))
    own = {key: Prior("lognormal", 1.0, 0.1)}
    assert diagnose.shift_check(own, {key: np.full(100, 1.05)}).status == "PASS"
    found = diagnose.shift_check(own, {key: np.full(100, 3.0)})
    assert (found.status, found.value) == ("REVIEW", 1.0)
    assert "expansion.rate of smb" in found.advice


def test_sensitivity_is_that_of_the_normal_model() -> None:
    # Prior N(0, 1), posterior N(1, 1/2): with power a of the prior the mean is 2 / (1 + a), so its slope is -1/2.
    draws = prior_draws(("a", ()), Prior("normal", 1.0, 0.5**0.5), chains=4, draws=5000, seed=1).ravel()
    exact = (2 / 1.8 - 2 / 2.25) / 0.5**0.5 / np.log2(1.25 / 0.8)
    assert diagnose.sensitivity(Prior("normal", 0.0, 1.0), draws) == pytest.approx(exact, rel=0.05)


def test_contraction_is_the_share_of_variance_removed() -> None:
    own = Prior("normal", 0.0, 2.0)
    draws = prior_draws(("a", ()), Prior("normal", 5.0, 1.0), chains=4, draws=1000, seed=1).ravel()
    assert learned.contraction(own, draws) == pytest.approx(0.75, abs=0.02)
    assert learned.verdict("calibrated", 0.19) == "prior, not data"
    assert learned.verdict("assumed", 0.0) == "assumed"
    assert learned.verdict("calibrated", 0.2) == "learned"


def test_every_company_prior_lies_within_the_range_of_its_number() -> None:
    frame = Frame(day("2026-06-30"), ("smb",))
    for key, own in company_priors(frame).items():
        assert own.low <= float(own.quantile(0.5)) <= own.high, key
