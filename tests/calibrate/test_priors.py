from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subsim.calibrate.beliefs import override, read_priors
from subsim.calibrate.block import Frame
from subsim.calibrate.company import company_priors
from subsim.calibrate.priors import Prior, elicit, prior_draws
from subsim.errors import InputError, InputErrors
from subsim.units import day

FRAME = Frame(day("2026-06-30"), ("smb", "enterprise"), work=("save",), team=("csm",))
WHO = {"source": "a test", "grade": "D"}


@settings(deadline=None, max_examples=60)
@given(
    low=st.floats(0.02, 0.6), width=st.floats(0.02, 0.35), mass=st.floats(0.5, 0.98),
    family=st.sampled_from(["normal", "lognormal", "gamma", "beta"]),
)  # fmt: skip
def test_an_elicited_prior_has_the_two_quantiles(low: float, width: float, mass: float, family: str) -> None:
    own = elicit(low, low + width, mass, family, **WHO)
    tails = np.array([(1 - mass) / 2, (1 + mass) / 2])
    assert own.quantile(tails) == pytest.approx([low, low + width], rel=1e-4)


@pytest.mark.parametrize(
    ("lower", "upper", "mass", "family", "allowed"),
    [
        (2.0, 1.0, 0.9, "normal", "lower below upper"),
        (1.0, 2.0, 1.0, "normal", "between 0 and 1"),
        (-1.0, 2.0, 0.9, "lognormal", "positive"),
        (0.5, 1.5, 0.9, "beta", "shares"),
        (1.0, 2.0, 0.9, "cauchy", "lognormal"),
    ],
)
def test_contradictory_quantiles_are_refused_in_a_sentence(
    lower: float, upper: float, mass: float, family: str, allowed: str
) -> None:
    with pytest.raises(InputError, match=allowed):
        elicit(lower, upper, mass, family, **WHO)


def test_prior_draws_show_their_prior_and_depend_on_seed_and_name_alone() -> None:
    own = Prior("lognormal", 7.0, 0.5)
    draws = prior_draws(("a", ()), own, chains=4, draws=250, seed=3)
    assert np.quantile(draws, [0.05, 0.5, 0.95]) == pytest.approx(own.quantile(np.array([0.05, 0.5, 0.95])), rel=0.02)
    assert np.array_equal(draws, prior_draws(("a", ()), own, chains=4, draws=250, seed=3))
    other = prior_draws(("b", ()), own, chains=4, draws=250, seed=3)
    assert abs(np.corrcoef(draws.ravel(), other.ravel())[0, 1]) < 0.12


def test_a_prior_stays_within_the_range_of_its_parameter() -> None:
    own = Prior("normal", 0.9, 0.3, low=0.0, high=1.0)
    assert float(own.quantile(0.999)) == 1.0


def test_a_calibration_begins_wider_than_the_catalogue_where_the_book_shows_the_number() -> None:
    priors = company_priors(FRAME)
    assert priors["value.first_arr", ("smb",)].spread > 1.0
    assert priors["engagement.ttv_effect", ()].spread == 0.35  # an effect: no book widens it


def test_an_override_replaces_one_cell_or_all() -> None:
    priors = company_priors(FRAME)
    own = Prior("lognormal", 0.5, 0.1, **WHO)
    one = override(priors, {("contraction.rate", ("smb",)): own})
    assert one["contraction.rate", ("smb",)].centre == 0.5
    assert one["contraction.rate", ("enterprise",)] == priors["contraction.rate", ("enterprise",)]
    every = override(priors, {("contraction.rate", ()): own})
    assert {every["contraction.rate", (name,)].centre for name in FRAME.segment} == {0.5}


@pytest.mark.parametrize(
    ("key", "own", "says"),
    [
        (("contraction.rate", ("smd",)), Prior("lognormal", 0.5, 0.1, **WHO), "one of enterprise, smb"),
        (("contraction.rte", ()), Prior("lognormal", 0.5, 0.1, **WHO), "contraction.rate"),
        (("expansion.win", ()), Prior("beta", 0.5, 10.0), "a source"),
        (("expansion.win", ()), Prior("normal", 3.0, 0.1, **WHO), "range of expansion.win"),
        (("expansion.win", ()), Prior("beta", 1.5, 10.0, **WHO), "between 0 and 1"),
        (("contraction.rate", ()), Prior("lognormal", -0.5, 0.1, **WHO), "above 0"),
        (("contraction.rate", ()), Prior("lognormal", 0.5, 0.0, **WHO), "spread above 0"),
        (("renewal.price_uplift", ("smb",)), Prior("normal", 0.1, 0.1, **WHO), "number that a book has cells for"),
    ],
)
def test_a_prior_that_cannot_be_is_refused(key: tuple[str, tuple[str, ...]], own: Prior, says: str) -> None:
    with pytest.raises(InputError, match=says):
        override(company_priors(FRAME), {key: own})


GOOD = """\
priors:
  - {parameter: renewal.base, of: smb, family: normal, mean: -1.6, sd: 0.4, source: board deck, grade: B}
  - parameter: expansion.win
    family: beta
    lower: 0.2
    upper: 0.5
    mass: 0.9
    source: head of sales
    grade: D
"""


def test_a_file_of_priors_is_read(tmp_path: Path) -> None:
    path = tmp_path / "priors.yaml"
    path.write_text(GOOD)
    found = read_priors(path, company_priors(FRAME))
    base = found["renewal.base", ("smb",)]
    assert (base.family, base.centre, base.spread, base.source, base.grade) == ("normal", -1.6, 0.4, "board deck", "B")
    assert found["expansion.win", ()].quantile(np.array([0.05, 0.95])) == pytest.approx([0.2, 0.5], rel=1e-4)


def test_every_wrong_row_of_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "priors.yaml"
    path.write_text(
        "priors:\n"
        "  - {parameter: renewal.base, family: normal, mean: -1.6, sd: 0.4, grade: B}\n"
        "  - {parameter: expansion.win, family: beta, lower: 0.5, upper: 0.2, mass: 0.9, source: x, grade: D}\n"
        "  - {parameter: nothing.here, family: normal, mean: 1, sd: 1, source: x, grade: D}\n"
        "  - {parameter: expansion.win, family: beta, mean: lots, size: 3, source: x, grade: D}\n"
    )
    with pytest.raises(InputErrors) as caught:
        read_priors(path, company_priors(FRAME))
    wheres = [error.where for error in caught.value.errors]
    assert wheres == [f"{path}:{line}" for line in (2, 3, 4, 5)]
    says = str(caught.value)
    assert "no source" in says
    assert "lower below upper" in says
    assert "not a parameter" in says
    assert "'lots'" in says


@pytest.mark.parametrize("text", ["", "rows: []", "priors: 3", "priors: [", "- 1"])
def test_a_file_without_priors_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "priors.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"priors\.yaml"):
        read_priors(path, company_priors(FRAME))
