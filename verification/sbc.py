"""Simulation-based calibration: is the truth anywhere among the posterior's draws, as often as it should be?

Many small companies are drawn from a calibration's own prior, simulated, calibrated by the product, and forecast from
their posterior. Where the truth stands among the draws, as a share from 0 to 1, is uniform if prior, simulator and
likelihoods agree. The same for ARR and GRR of the year after the book.

    python -m verification.sbc run ranks.jsonl --first 1 --last 200     (resumes: numbers already there are left out)
    python -m verification.sbc page ranks.jsonl                         (writes sbc.md, sbc.png and sbc_ranks.csv)
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import subsim as ss
from subsim.calibrate import calibrate
from subsim.calibrate.company import described
from subsim.random import Purpose, uniform_array
from subsim.random.entities import name_entity
from verification.command import command
from verification.companies import believed

Floats = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
MONTHS, RUNS, DRAWS = 30, 99, 100  # draws of each of four chains
FORECASTS = {"ARR after 12 months": "arr", "GRR over 12 months": "grr_ttm"}
#: Numbers of the state at the book's end, or that a history of contracts cannot show.
LEFT_OUT = {"engagement.opening_mean", "engagement.opening_sd", "contraction.rate"}
BAND, TRIALS = 0.95, 20_000


def rank(draws: Floats, truth: float, u: float) -> float:
    """Where the truth stands among the draws, from 0 to 1; u, a uniform, chooses within its place."""
    below, equal = int((draws < truth).sum()), int((draws == truth).sum())
    return (below + u * (equal + 1)) / (len(draws) + 1)


def one(number: int) -> dict[str, Any]:
    """Ranks of one company's numbers and of its year to come."""
    company, priors = believed(number, MONTHS)
    future = company.to_come()
    with tempfile.TemporaryDirectory() as folder:
        company.write(Path(folder))
        book = ss.read_book(folder, as_of=company.as_of)
        posterior = calibrate(book, priors=priors, seed=number, draws=DRAWS)
        runs = ss.run(
            company.outlook(Path(folder)), draws=RUNS, seed=number, posterior=posterior, force=True, workers=1
        )
    known = float(future.samples(None, "arr")[0, MONTHS - 1]) - float(runs.opening_arr())
    if abs(known) > 0.01 * len(book.tables["accounts"]):
        raise RuntimeError(f"company {number}: its book ends with another ARR than its history ({known:,.2f})")
    ranks: dict[str, float] = {}
    keys = [key for key in posterior.draws if key not in posterior.silent and key[0] not in LEFT_OUT]
    u = uniform_array(number, 0, Purpose.PARAMETER, name_entity("sbc"), np.arange(len(keys) + len(FORECASTS)))
    for place, key in enumerate(keys):
        draws = posterior.draws[key].reshape(-1)
        if key in company.truth and np.ptp(draws) > 0:
            ranks["|".join((key[0], *key[1]))] = rank(draws, company.truth[key], float(u[place]))
    for place, (name, metric) in enumerate(FORECASTS.items()):
        truth = float(future.samples(None, metric)[0, -1])
        ranks[name] = rank(runs.samples(None, metric)[:, -1], truth, float(u[len(keys) + place]))
    return {"seed": number, "accounts": len(book.tables["accounts"]), "status": posterior.status, "ranks": ranks}


def table_of(path: Path) -> pd.DataFrame:
    """One row for each company, one column for each number."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return pd.DataFrame({row["seed"]: row["ranks"] for row in rows}).T.sort_index()


def distance(ranks: Floats, grid: Floats) -> float:
    """How unlikely the ECDF is where it is unlikeliest: the smallest two-sided binomial tail over a grid."""
    counts, n = np.searchsorted(np.sort(ranks), grid, side="right"), len(ranks)
    tails = np.minimum(stats.binom.cdf(counts, n, grid), stats.binom.sf(counts - 1, n, grid))
    return float(2 * tails.min())


def limits(n: int, grid: Floats, shares: Sequence[float]) -> list[float]:
    """The distances that uniform ranks fall short of in such shares of cases: simultaneous bands of the ECDF."""
    u = uniform_array(1, np.arange(TRIALS)[:, None], Purpose.PARAMETER, name_entity("sbc/band"), np.arange(n)[None])
    place = np.searchsorted(grid, u) + (len(grid) + 1) * np.arange(TRIALS)[:, None]
    counts = np.bincount(place.ravel(), minlength=TRIALS * (len(grid) + 1)).reshape(TRIALS, -1).cumsum(axis=1)[:, :-1]
    each = np.arange(n + 1)[:, None]
    tails = 2 * np.minimum(stats.binom.cdf(each, n, grid), stats.binom.sf(each - 1, n, grid))
    worst = np.take_along_axis(tails, counts, axis=0).min(axis=1)
    return [float(q) for q in np.quantile(worst, shares)]


def limit(n: int, grid: Floats) -> float:
    """The distance that uniform ranks fall short of in one of twenty cases."""
    return limits(n, grid, [1 - BAND])[0]


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """For each number: companies, share of truths in the 50 % and 90 % intervals, mean rank, within the bands or not.

    The plain band is left by one in twenty numbers by chance; the joint one, of Bonferroni, by any of all in one of
    twenty tables.
    """
    grid = np.arange(1, 50) / 50
    shares = [1 - BAND, (1 - BAND) / len(table.columns)]
    bands = {n: limits(n, grid, shares) for n in {int(count) for count in table.notna().sum()}}
    rows = []
    for name in table.columns:
        ranks = table[name].dropna().to_numpy(float)
        within = [float((np.abs(ranks - 0.5) <= half).mean()) for half in (0.25, 0.45)]
        fits = [distance(ranks, grid) >= least for least in bands[len(ranks)]]
        rows.append((name, _label(name), len(ranks), *within, ranks.mean(), ranks.std() * np.sqrt(12), *fits))
    names = ["number", "label", "fits", "in_50", "in_90", "mean_rank", "spread", "in_band", "in_joint"]
    return pd.DataFrame(rows, columns=names)


def _label(name: str) -> str:
    return "forecast" if name in FORECASTS else described(name.split("|", maxsplit=1)[0]).label


def _shown(name: str) -> str:
    return name.replace("|", " of ")


def figure(table: pd.DataFrame, outside: Collection[str], path: Path) -> None:
    """ECDF of the ranks less the diagonal: forecasts, and calibrated numbers, named where they leave the band."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    grid = np.arange(1, 50) / 50
    count = int(table.notna().sum().max())
    worst = limit(count, grid)
    inside = [[k for k in range(count + 1) if _tail(k, count, x) >= worst] for x in grid]
    low, high = (np.array([edge(ks) for ks in inside]) / count - grid for edge in (min, max))
    shown, axes = plt.subplots(1, 2, figsize=(11, 5.2), sharey=True, layout="constrained")
    groups = [list(FORECASTS), [name for name in table.columns if _label(name) == "calibrated"]]
    for axis, names, title in zip(axes, groups, ("Forecasts", "Calibrated numbers"), strict=True):
        axis.fill_between(grid, low, high, color="0.9", label="95 % band of uniform ranks")
        for name in names:
            ranks = np.sort(table[name].dropna().to_numpy(float))
            y = np.searchsorted(ranks, grid, side="right") / len(ranks) - grid
            named = name in FORECASTS or name in outside
            look: dict[str, Any] = (
                {"lw": 1.5, "label": _shown(name), "zorder": 3} if named else {"lw": 0.5, "color": "0.55"}
            )
            axis.plot(grid, y, **look)
        axis.set(title=title, xlabel="rank of the truth among the draws")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=8, frameon=False)
    axes[0].set_ylabel("share of companies below, less the rank")
    shown.savefig(path, dpi=110)


def _tail(count: int, n: int, x: float) -> float:
    return float(2 * min(stats.binom.cdf(count, n, x), stats.binom.sf(count - 1, n, x)))


def page(results: Path) -> None:
    """Write `sbc.md`, `sbc.png` and `sbc_ranks.csv`."""
    table = table_of(results)
    found = judged(table)
    table.round(4).to_csv(HERE / "sbc_ranks.csv", index_label="company")
    figure(table, set(found.loc[~found["in_band"], "number"]), HERE / "sbc.png")
    lines = [(HERE / "sbc_text.md").read_text(encoding="utf-8").rstrip(), "", f"Companies: {len(table)}.", ""]
    for label, rows in found.groupby("label"):
        lines.append(
            f"- {label}: {rows['in_band'].sum()} of {len(rows)} within the band, {rows['in_joint'].sum()} within the "
            f"joint band; in the 90 % interval {rows['in_90'].mean():.1%}, "
            f"in the 50 % interval {rows['in_50'].mean():.1%}"
        )
    lines += [
        "",
        "| number | label | companies | in 50 % | in 90 % | mean rank | spread | in band | in joint band |",
        "|---|---|" + "---:|" * 7,
    ]
    for row in found.sort_values(["label", "number"]).itertuples():
        lines.append(
            f"| {_shown(str(row.number))} | {row.label} | {row.fits} | {row.in_50:.0%} | {row.in_90:.0%} "
            f"| {row.mean_rank:.2f} | {row.spread:.2f} | {'yes' if row.in_band else 'NO'} "
            f"| {'yes' if row.in_joint else 'NO'} |"
        )
    (HERE / "sbc.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    command(__doc__, {"run": one}, page, last=200)
