"""Verification of decisions: futures go on from the true state, trials lie near the truth, the page counts rightly."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subsim.engine import metrics as m
from subsim.engine import simulate
from subsim.engine.run import _state
from subsim.experiment.build import build
from verification import decisions, decisions_page, futures
from verification.companies import drawn

NAMES = list(decisions.DECISIONS)


@pytest.mark.slow  # the event loop is compiled once more
def test_a_run_that_is_stopped_and_goes_on_is_the_same_run() -> None:
    company = drawn(1, 12, size=0.5)
    setup = replace(
        build(company.scenario.replace(horizon="18 months"), draws=1, seed=1), parameters=company.setup.parameters
    )
    state, whole = _state(setup), simulate(setup, seed=1).segments[0]
    futures._advance(setup, state, 1, 0, futures.BEGIN, int(setup.world.months[12]))
    assert not np.array_equal(state.segments, whole)
    futures._advance(setup, state, 1, 0, futures.GO_ON, int(setup.world.months[-1]) + 1)
    assert np.array_equal(state.segments, whole)
    months = futures.futures(setup, 12, seed=1, luck=5, count=3)
    arr = months[..., m.S_ARR].sum(axis=2)
    assert arr.shape == (3, 18)
    assert np.ptp(arr[:, -1]) > 0
    assert (months[:, :12] == whole[:12]).all()
    assert arr[:, 12] == pytest.approx(whole[12, :, m.S_ARR].sum(), rel=0.2)
    assert np.array_equal(months[:2], futures.futures(setup, 12, seed=1, luck=5, count=2))


@pytest.mark.slow
def test_nothing_follows_where_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HISTORY", 18), ("HORIZON", 6), ("DRAWS", 4)):
        monkeypatch.setattr(decisions, name, value)
    line = decisions.nothing(1)
    assert set(decisions_page.KINDS) <= set(line)
    assert len(line["judgement"][NAMES[0]]) == 8


def test_every_effect_that_is_listed_gets_a_trial_near_the_truth() -> None:
    company = drawn(2, 6, size=0.3)
    found = decisions.experiments(company, decisions.with_decisions(company.scenario, 6))
    names = {(each["parameter"], each.get("work", "")) for each in found}
    assert {("work.lift", "business_review"), ("engagement.ttv_effect", ""), ("renewal.engagement", "")} <= names
    for each in found:
        truth = company.truth[each["parameter"], (each["work"],) if "work" in each else ()]
        assert each["experiment"]["effect"] == pytest.approx(truth, abs=4 * each["experiment"]["sd"])


def _line(seed: int, effect: int) -> dict[str, object]:
    spread = [effect - 2, effect - 1, effect, effect + 1, effect + 2, effect]
    each = dict.fromkeys(NAMES, spread)
    said = {kind: {"arr": 10_000, **each} for kind in decisions_page.KINDS}
    return {"seed": seed, "arr": [10_000, 10_000], "truth": each, "said": each, "repeats": 2, **said}


def test_signs_sizes_intervals_and_verdicts_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions_page, "HERE", tmp_path)
    paths = [tmp_path / f"{stage}.jsonl" for stage in decisions.STAGES]
    for path, effects in zip(paths, ((100, -50), (100, 50), (0, 0)), strict=True):
        path.write_text("".join(json.dumps(_line(i, effect)) + "\n" for i, effect in enumerate(effects)))
    (tmp_path / "decisions_text.md").write_text("# Decisions\n", encoding="utf-8")
    decisions_page.page(*paths)
    text = (tmp_path / "decisions.md").read_text(encoding="utf-8")
    assert f"| {NAMES[0]} | numbers known | 2 | 2 | 2 | 2 |" in text
    assert f"| {NAMES[0]} | effects declared from experiments | 1 | 2 | 1 | 2 |" in text  # one wrong
    assert f"{NAMES[0]}: 1.00 of the truth" in text
    assert "holds the true mean in 2 of 4 (50.0%)" in text
    assert f"| nothing works | {NAMES[1]} | comparison, effects as the catalogue judges them | 0 | 0 | 2 |" in text
    assert (tmp_path / "decisions.png").stat().st_size > 10_000
