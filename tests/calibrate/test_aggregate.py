"""A bridge alone: what it teaches, what it cannot, and what is refused in a sentence."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import subsim as ss
from subsim.book import Book, read_book
from subsim.calibrate import calibrate, load_posterior
from subsim.calibrate.aggregate import BridgeAlone
from subsim.calibrate.aggregate_data import Sums
from subsim.calibrate.aggregate_design import ALWAYS, OWN, SHARED, Anchor, anchors_of, designed
from subsim.calibrate.aggregate_emulator import fit_emulator
from subsim.calibrate.aggregate_likelihood import Likelihood
from subsim.calibrate.aggregate_summaries import summaries
from subsim.calibrate.block import Frame
from subsim.calibrate.company import company_priors
from subsim.calibrate.importance import sample
from subsim.calibrate.posterior import Posterior
from subsim.cli.app import main
from subsim.engine.metrics import SEGMENT as SEGMENT_COLUMNS
from subsim.errors import InputError
from subsim.experiment.bridge_histories import bridge_histories
from subsim.experiment.new_business import plan_of
from subsim.experiment.run import run
from subsim.scenario import Scenario

START, MONTHS, SEGMENT = dt.date(2024, 7, 1), 24, "smb"
AS_OF = "2026-06-30"
OPENING = 48_000_000  # cents: about 60 accounts
FRAME = Frame(dt.date.fromisoformat(AS_OF), (SEGMENT,))
PRIORS = company_priors(FRAME)
SIMULATIONS, WORLDS = 320, 20
KEYS = [*((name, (SEGMENT,)) for name in OWN), *((name, ()) for name in SHARED)]


def middle(runs: int = 1) -> dict[Any, NDArray[np.float64]]:
    """Every number at its prior's median, three new logos a month."""
    numbers = {key: np.asarray(own.quantile(np.full(runs, 0.5))) for key, own in PRIORS.items() if not own.fixed}
    return numbers | {("arrival.plan", (SEGMENT,)): np.full(runs, 3.0)}


@cache
def typical() -> NDArray[np.int64]:
    """Flows [months, segments, 4] of a typical company."""
    (flows,) = bridge_histories(START, MONTHS, {SEGMENT: OPENING}, middle(), seed=7)
    return np.asarray(flows)


@dataclass(frozen=True)
class Worlds:
    """Simulated companies around a typical bridge: numbers on their standard scale, and summaries."""

    sums: Sums
    anchor: Anchor
    x: NDArray[np.float64]
    made: NDArray[np.float64]


@cache
def worlds() -> Worlds:
    sums = Sums(START, typical(), np.array([OPENING]))
    anchor = Anchor.of(sums, 0, PRIORS, SEGMENT)
    x, numbers = designed([anchor], sums, PRIORS, FRAME, SIMULATIONS, 1)
    flows = bridge_histories(START, MONTHS, {SEGMENT: OPENING}, numbers, seed=1)
    return Worlds(sums, anchor, x[:, 0], summaries(flows[:, :, 0].astype(float), OPENING, anchor.new_cents))


def book_of(folder: Path, flows: NDArray[np.int64], **changes: Any) -> Book:
    """A book of sums; `changes` replace columns."""
    folder.mkdir(exist_ok=True)
    months = pd.period_range(START, periods=len(flows), freq="M").astype(str)
    change = flows[:, 0] @ np.array([1, 1, -1, -1])
    opening = OPENING + np.cumsum(change) - change
    table = pd.DataFrame({"month": months, "segment": SEGMENT, "opening": opening / 100})
    for column, name in enumerate(("new", "expansion", "contraction", "churn")):
        table[name] = flows[:, 0, column] / 100
    table.assign(**changes).to_csv(folder / "bridge.csv", index=False, float_format="%.2f")
    return read_book(folder, as_of=AS_OF)


def never(*_: Any, **__: Any) -> NDArray[np.int64]:
    raise AssertionError("refused books are not simulated")


def learn(book: Book, simulate: Any = bridge_histories, simulations: int = SIMULATIONS) -> Posterior:
    return calibrate(book, only=(BridgeAlone(simulate, simulations),), draws=200, chains=2)


@cache
def posterior(folder: Path) -> Posterior:
    return learn(book_of(folder, typical()))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Posterior:
    return posterior(tmp_path_factory.mktemp("bridge"))


def row(of: Posterior, name: str) -> dict[str, Any]:
    return next(row for row in of.rows if row["name"] == name and row["segment"] in (None, SEGMENT))


def test_intervals_cover_companies_that_were_held_out() -> None:
    known = worlds()
    train = SIMULATIONS - WORLDS
    emulator = fit_emulator(known.x[:train], known.made[:train], ALWAYS)
    edges = known.anchor.edges[None]
    inside = []
    for world in range(train, SIMULATIONS):
        tied = anchors_of([known.anchor], known.sums, PRIORS, FRAME)
        target = Likelihood([emulator], [known.made[world]], tied, edges, len(OWN))
        found = sample(target, len(target.places), draws=400, proposals=3000, seed=world, name="test", enough=300)
        low, high = np.quantile(found.z, [0.05, 0.95], axis=0)
        truth = np.array([known.x[world, k if i >= 0 else len(OWN) + k] for i, k in target.places])
        inside += ((low <= truth) & (truth <= high)).tolist()
    # Some 10 numbers in each of 20 worlds, strongly dependent within one: as if there were 3 to a world.
    slack = 3 * np.sqrt(0.9 * 0.1 / (3 * WORLDS))
    assert 0.9 - slack <= np.mean(inside) <= 1.0
    assert len(inside) >= 8 * WORLDS


def test_a_bridge_tells_new_business_and_expansion_and_not_onboarding(learned: Posterior) -> None:
    for name in ("arrival.plan", "value.first_arr", "expansion.rate"):
        assert row(learned, name)["contraction"] > 0.5, name
        assert row(learned, name)["verdict"] == "learned"
    for name in ("engagement.ttv_effect", "renewal.frailty", "renewal.engagement"):
        assert (row(learned, name)["contraction"] or 0.0) < 0.2, name
        assert row(learned, name)["verdict"] in ("assumed", "prior, not data")
    assert [(block.name, block.rows) for block in learned.blocks] == [("bridge", MONTHS)]
    assert learned.status in ("PASS", "REVIEW")


def test_the_truth_lies_in_the_posterior(learned: Posterior) -> None:
    truth = {key: float(value[0]) for key, value in middle().items()}
    for name in ("arrival.plan", "value.first_arr", "renewal.base", "expansion.rate"):
        values = learned.values(name, (SEGMENT,))
        assert values is not None
        low, high = np.quantile(values, [0.01, 0.99])
        assert low < truth[name, (SEGMENT,)] < high, name


def test_untold_numbers_are_left_to_the_prior_in_a_run(learned: Posterior) -> None:
    assert learned.values("engagement.ttv_effect", ()) is None
    assert learned.values("arrival.plan", (SEGMENT,)) is not None
    assert any("price rises are part of expansion" in note for note in learned.notes)


def test_it_is_written_and_read_back(learned: Posterior, tmp_path: Path) -> None:
    learned.save(tmp_path / "out")
    again = load_posterior(tmp_path / "out")
    assert again.fingerprint == learned.fingerprint
    assert again.to_dict()["checks"] == learned.to_dict()["checks"]


def test_the_same_seed_gives_the_same_draws(learned: Posterior, tmp_path: Path) -> None:
    assert learn(book_of(tmp_path, typical())).fingerprint == learned.fingerprint


def test_a_scenario_runs_on_what_a_bridge_taught(learned: Posterior) -> None:
    scenario = Scenario.from_dict(
        {
            "name": "next year",
            "start": "2026-07-01",
            "horizon": "12 months",
            "segments": {SEGMENT: {"opening": {"accounts": 60, "tenure": "730 days"}}},
            "routing": [{"to": "served"}],
            "tiers": {"served": {"coverage": "digital"}},
        }
    )
    plan, level = plan_of(scenario, learned), learned.values("arrival.plan", (SEGMENT,))
    assert level is not None
    np.testing.assert_allclose(plan, np.median(level))
    runs = run(scenario, draws=4, seed=1, workers=1, posterior=learned)
    assert (runs.outcomes["next year"].cube.segments[..., SEGMENT_COLUMNS.index("logos_new")].sum(axis=1) > 0).all()


def test_the_command_calibrates_a_bridge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book_of(tmp_path, typical()[:12], segment="")
    asked = ["calibrate", str(tmp_path), "--as-of", "2025-06-30", "--draws", "100", "--chains", "2", "--json"]
    with pytest.raises(SystemExit, match=r"^0$"):
        main(asked)
    told = json.loads(capsys.readouterr().out)
    assert [block["name"] for block in told["blocks"]] == ["bridge"]
    assert {row["segment"] for row in told["parameters"] if row["name"] == "arrival.plan"} == {"unsegmented"}


def test_the_command_refuses_a_single_month_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book_of(tmp_path, typical()[:1])
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["calibrate", str(tmp_path), "--as-of", AS_OF])
    assert "at least 12 months" in capsys.readouterr().err


def test_histories_have_the_bridges_shape_and_opening() -> None:
    flows = bridge_histories(START, 12, {"smb": OPENING, "mid_market": 0}, two_segments(), seed=3)
    assert flows.shape == (2, 12, 2, 4)
    assert (flows >= 0).all()
    assert flows[:, :, 0, 3].sum() > 0
    # Nobody is there at the start and terms last a year: a new segment loses nobody in its first months.
    assert flows[:, :6, 1, 3].sum() == 0


def two_segments() -> dict[Any, NDArray[np.float64]]:
    """Numbers of a company of two segments, the same in two runs."""
    priors = company_priors(Frame(dt.date.fromisoformat(AS_OF), ("smb", "mid_market")))
    return {key: np.asarray(own.quantile(np.full(2, 0.5))) for key, own in priors.items() if not own.fixed}


def test_more_losses_mean_a_worse_base() -> None:
    """Summaries order companies as their renewal base does."""
    known = worlds()
    churn = known.made[:, 18]
    base = known.x[:, OWN.index("renewal.base")]
    assert np.corrcoef(churn, base)[0, 1] > 0.4


def test_what_no_simulated_company_shows_is_refused(tmp_path: Path) -> None:
    flows = typical().copy()
    flows[:, 0, 0] += 14 * flows[:, 0, 3]
    flows[:, 0, 3] *= 15
    with pytest.raises(InputError, match=r"what none of 120 simulated companies showed .*churn .* of ARR a month"):
        learn(book_of(tmp_path, flows), simulations=120)


def test_a_negative_flow_is_refused(tmp_path: Path) -> None:
    flows = typical().copy()
    flows[4, 0, 3] = -5_000
    with pytest.raises(InputError, match=r"smb, churn: found -50\.00 in 2024-11; allowed: 0 or more"):
        learn(book_of(tmp_path, flows), never)


def test_a_month_that_is_missing_is_refused(tmp_path: Path) -> None:
    book_of(tmp_path, typical())
    file = tmp_path / "bridge.csv"
    rows = pd.read_csv(file, dtype=str).drop(index=5)
    change = pd.to_numeric(rows["new"]) + pd.to_numeric(rows["expansion"])
    change -= pd.to_numeric(rows["contraction"]) + pd.to_numeric(rows["churn"])
    rows["opening"] = (OPENING / 100 + change.cumsum() - change).map("{:.2f}".format)
    rows.to_csv(file, index=False)
    with pytest.raises(InputError, match="no row for 2024-12"):
        learn(read_book(tmp_path, as_of=AS_OF), never)


@pytest.mark.parametrize(("months", "found"), [(1, "1 month;"), (11, "11 months;")])
def test_a_short_bridge_is_refused(tmp_path: Path, months: int, found: str) -> None:
    with pytest.raises(InputError, match=f"found {found} allowed: at least 12 months"):
        learn(book_of(tmp_path, typical()[:months]), never)


def test_a_segment_without_revenue_is_refused(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("opening", "new", "expansion", "contraction", "churn"), 0.0)
    with pytest.raises(InputError, match="no ARR in any month"):
        learn(book_of(tmp_path, typical(), **nothing), never)


def test_a_bridge_needs_something_that_simulates(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found a bridge alone; allowed: a way to simulate"):
        calibrate(book_of(tmp_path, typical()))


def test_the_package_calibrates_bridges_whatever_was_imported_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room `subsim.calibrate` has been imported here, and must not hide the function of that name."""

    def simulate(*_: Any, **__: Any) -> NDArray[np.int64]:
        raise LookupError("asked for histories")

    monkeypatch.setattr("subsim.experiment.bridge_histories.bridge_histories", simulate)
    posterior = ss.calibrate(book_of(tmp_path, typical()), draws=50)
    assert posterior.status == "FAIL"
    assert "asked for histories" in posterior.text
