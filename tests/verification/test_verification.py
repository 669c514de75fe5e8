"""Verification by simulation: companies are drawn and forecast, ranks lie where they should, pages are written."""

import json
from pathlib import Path

import numpy as np
import pytest

from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity
from verification import recovery, sbc
from verification.companies import believed, drawn


def uniforms(name: str, size: tuple[int, int]) -> np.ndarray:
    """Keyed uniforms of a name."""
    return uniform_array(1, np.arange(size[0])[:, None], Purpose.PARAMETER, name_entity(name), np.arange(size[1])[None])


def test_a_drawn_company_has_the_numbers_that_it_was_simulated_with() -> None:
    company = drawn(3, months=12, size=0.3, numbers={"renewal.frailty": 0.0})
    assert company.truth["renewal.frailty", ("smb",)] == 0.0
    assert company.truth["renewal.base", ("smb",)] != drawn(4, months=12, size=0.3).truth["renewal.base", ("smb",)]
    assert len(company.book().tables["accounts"]) > 10


def test_the_year_to_come_goes_on_from_the_history() -> None:
    company, _ = believed(5, 12)
    until = company.to_come().samples(None, "arr")[0]
    assert len(until) == 24
    book = company.book()
    assert until[11] == pytest.approx(book.ledger.drop_duplicates("account_id", keep="last")["after"].sum() / 100)


@pytest.mark.slow  # the event loop is compiled once more
def test_what_comes_shares_the_past_that_the_book_tells_and_differs_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "FUTURES", 3)
    company = drawn(3, months=12, size=0.3)
    runs = recovery._what_comes(company)
    arr = runs.samples(None, "arr")
    assert arr.shape == (3, 24)
    assert np.isfinite(runs.samples(None, "grr_ttm")[:, -1]).all()
    assert np.ptp(arr[:, :12], axis=0).max() == 0
    book = company.book()
    assert arr[0, 11] == pytest.approx(book.ledger.drop_duplicates("account_id", keep="last")["after"].sum() / 100)
    assert len(set(arr[:, -1])) == 3


def test_segments_share_half_of_the_prior_variance() -> None:
    truths = [believed(seed, 1)[0].truth for seed in range(60)]
    pair = np.array([[truth["renewal.base", (name,)] for name in ("smb", "enterprise")] for truth in truths])
    assert np.corrcoef(pair.T)[0, 1] == pytest.approx(0.5, abs=0.3)
    assert pair.std(axis=0) == pytest.approx([0.8, 0.8], abs=0.25)


def test_ranks_are_uniform_for_draws_of_the_same_distribution_and_leave_the_band_for_others() -> None:
    grid = np.arange(1, 50) / 50
    worst = sbc.limit(200, grid)
    same = uniforms("same", (200, 99))
    ranks = np.array([sbc.rank(row[2:], float(row[0]), float(row[1])) for row in same])
    assert sbc.distance(ranks, grid) >= worst
    assert sbc.distance(0.3 + 0.4 * ranks, grid) < worst  # intervals too wide
    assert sbc.distance(ranks**1.5, grid) < worst  # biased


@pytest.mark.slow
def test_a_fit_of_a_small_company_has_ranks_and_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbc, "MONTHS", 18)
    monkeypatch.setattr(sbc, "HERE", tmp_path)
    lines = [json.dumps(sbc.one(number)) for number in (1, 2)]
    results = tmp_path / "ranks.jsonl"
    results.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "sbc_text.md").write_text("# Ranks\n", encoding="utf-8")
    sbc.page(results)
    table = sbc.table_of(results)
    assert {"ARR after 12 months", "GRR over 12 months", "renewal.base|smb"} <= set(table.columns)
    assert all(0 <= rank <= 1 for line in lines for rank in json.loads(line)["ranks"].values())
    assert "renewal.base of smb" in (tmp_path / "sbc.md").read_text(encoding="utf-8")


def test_intervals_that_miss_are_counted(tmp_path: Path) -> None:
    rows = [
        ["renewal.base", "smb", -2.0, -2.5, -2.2, -1.9, 0.8],
        ["renewal.base", "enterprise", -2.0, -1.9, 0.0, 1.0, 0.01],
    ]
    path = tmp_path / "recovered.jsonl"
    path.write_text(json.dumps({"seed": 1, "status": "PASS", "rows": rows}) + "\n", encoding="utf-8")
    assert recovery.table_of(path)["covered"].tolist() == [True, False]


def test_biases_of_companies_without_heterogeneity_are_told(tmp_path: Path) -> None:
    names = ("posterior", "told", "own", "true")
    rows = [
        {"seed": seed, "frailty": 0.1}
        | {f"{of}_{name}": 1.0 + 0.01 * place * seed for place, name in enumerate(names)}
        | {f"arr_{name}": 1.2 for name in names}
        for seed in (1, 2)
        for of in ("grr",)
    ]
    path = tmp_path / "alike.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    told = "\n".join(recovery.alike_lines(path))
    assert "| forecast less what truly comes | +0.00 (0.00) | -4.50 (1.50) |" in told
