"""Recovery: companies with known numbers are simulated and calibrated; do the intervals hold the truth?

Each demo company has every number drawn from the catalogue's prior. The calibration knows nothing of it and begins with
its own, wider priors, as for any company.

    python -m verification.recovery run recovered.jsonl --first 1 --last 20     (resumes)
    python -m verification.recovery alike alike.jsonl --first 1 --last 10       (companies without heterogeneity)
    python -m verification.recovery page recovered.jsonl alike.jsonl            (writes recovery.md, recovery.png)
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray

import subsim as ss
from subsim.calibrate import calibrate
from subsim.calibrate.company import described
from subsim.calibrate.priors import Prior, Priors
from subsim.engine import Cube, simulate
from subsim.experiment.build import build
from subsim.experiment.results import Outcome, Runs
from subsim.scenario import Scenario
from verification.command import command
from verification.companies import YEAR, Company, drawn, with_opening
from verification.futures import futures

Floats = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
#: Numbers of the state at the book's end, or that a history of contracts cannot show.
LEFT_OUT = {"engagement.opening_mean", "engagement.opening_sd", "contraction.rate"}
LEVELS = (0.05, 0.5, 0.95)
RUNS = 100
FUTURES, OTHER_LUCK = 100, 1_000_000  # of the company's own past; and the seed of their luck
COMPARED = (
    ("forecast less what truly comes", "posterior", "true"),
    ("forecast less that of a calibration told that accounts are alike", "posterior", "told"),
    ("forecast with the company's own numbers less what truly comes", "own", "true"),
)
COLUMNS = ("seed", "name", "of", "truth", "q05", "q50", "q95", "rank")


def one(seed: int) -> dict[str, Any]:
    """Truth, 90 % interval and rank of each number that the book speaks about."""
    company = drawn(seed)
    posterior = calibrate(company.book())
    rows = []
    for key, draws in posterior.draws.items():
        values = draws.reshape(-1)
        if key in posterior.silent or key[0] in LEFT_OUT or key not in company.truth or np.ptp(values) == 0:
            continue
        truth = company.truth[key]
        rows.append([key[0], "|".join(key[1]), truth, *np.quantile(values, LEVELS), float((values < truth).mean())])
    return {"seed": seed, "status": posterior.status, "rows": rows}


def alike(seed: int) -> dict[str, Any]:
    """A company whose accounts share one risk: its year to come as forecast, and as the company's own past goes on.

    Forecast from its posterior, from the posterior of a calibration that is told that accounts are alike, and from its
    own numbers; the first two differ by the belief in differences alone, the last shows what the opening state costs.
    """
    company = drawn(seed, size=0.6, numbers={"renewal.frailty": 0.0})
    told: Priors = {("renewal.frailty", ()): Prior("fixed", 0.0, source="how these companies were made", grade="A")}
    with tempfile.TemporaryDirectory() as folder:
        company.write(Path(folder))
        book = ss.read_book(folder, as_of=company.as_of)
        outlook = company.outlook(Path(folder), with_plan=True)
        posterior = calibrate(book)
        posteriors = {"posterior": posterior, "told": calibrate(book, priors=told)}
        forecasts = {
            name: ss.run(outlook, draws=RUNS, seed=seed, posterior=each, force=True, workers=1)
            for name, each in posteriors.items()
        }
        forecasts["own"] = _own_forecast(company, outlook, seed)
    came = _what_comes(company)
    start = float(came.samples(None, "arr")[0, -YEAR - 1])
    found: dict[str, Any] = {"seed": seed, "frailty": float(np.median(posterior.draws["renewal.frailty", ("smb",)]))}
    for name, runs in (forecasts | {"true": came}).items():
        found[f"arr_{name}"] = float(runs.samples(None, "arr")[:, -1].mean()) / start
        found[f"grr_{name}"] = float(runs.samples(None, "grr_ttm")[:, -1].mean())
    return found


def _what_comes(company: Company) -> Runs:
    """The company's own past going on for a year, with other luck each time; its plan of new business goes on too."""
    months = company.scenario.horizon_months + YEAR
    scenario = Scenario.from_dict(company.scenario.to_dict() | {"horizon": f"{months} months"})
    setup = replace(build(scenario, draws=1, seed=company.seed), parameters=company.setup.parameters)
    luck = OTHER_LUCK + company.seed
    segments = futures(setup, company.scenario.horizon_months, seed=company.seed, luck=luck, count=FUTURES)
    none = np.zeros((FUTURES, months, 0, 0), np.int64)
    opening = np.zeros(len(setup.segment_names), np.int64)
    setup = replace(setup, parameters=np.repeat(setup.parameters, FUTURES, axis=0))
    outcome = Outcome(scenario, setup, Cube(segments, none, none, opening, opening))
    return Runs({scenario.name: outcome}, seed=luck, draws=FUTURES, engine="compiled", fixed_parameters=True)


def _own_forecast(company: Company, outlook: Any, seed: int) -> Runs:
    """The same year with the company's own numbers in every run, from the opening state that a book gives."""
    setup = build(outlook, draws=RUNS, seed=seed, fixed_parameters=True)
    setup = replace(setup, parameters=np.repeat(with_opening(company), RUNS, axis=0))
    outcome = Outcome(outlook, setup, simulate(setup, seed=seed))
    return Runs({outlook.name: outcome}, seed=seed, draws=RUNS, engine="compiled", fixed_parameters=True)


def table_of(path: Path) -> pd.DataFrame:
    """One row for each company and number."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    table = pd.DataFrame([[line["seed"], *row] for line in lines for row in line["rows"]], columns=COLUMNS)
    table["covered"] = (table["q05"] <= table["truth"]) & (table["truth"] <= table["q95"])
    table["label"] = [described(name).label for name in table["name"]]
    return table


def figure(table: pd.DataFrame, path: Path) -> None:
    """Where the truth stands in each posterior, by number; outside the grey it was missed."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    names = sorted(set(table["name"]), reverse=True)
    shown, axis = plt.subplots(figsize=(8, 0.24 * len(names) + 1), layout="constrained")
    axis.axvspan(LEVELS[0], LEVELS[2], color="0.9")
    axis.plot(table["rank"], [names.index(name) for name in table["name"]], "|", color="C0", ms=9)
    axis.set(yticks=range(len(names)), yticklabels=names, xlabel="rank of the truth among the posterior's draws")
    axis.tick_params(axis="y", labelsize=7)
    shown.savefig(path, dpi=110)


def page(recovered: Path, of_alike: Path) -> None:
    """Write `recovery.md` and `recovery.png`."""
    table = table_of(recovered)
    learned = table[table["label"] == "calibrated"]
    figure(learned, HERE / "recovery.png")
    companies = table["seed"].nunique()
    lines = [(HERE / "recovery_text.md").read_text(encoding="utf-8").rstrip(), "", f"Companies: {companies}.", ""]
    for label, rows in table.groupby("label"):
        each = rows.groupby("seed")["covered"].mean()
        lines.append(
            f"- {label}: the 90 % interval holds the truth in {rows['covered'].mean():.1%} of {len(rows):,} cases "
            f"({each.min():.0%} to {each.max():.0%} in single companies)"
        )
    lines += ["", "| number | label | cases | held | truth below | truth above |", "|---|---|---:|---:|---:|---:|"]
    for key, rows in table.groupby(["name", "label"]):
        name, label = cast("tuple[str, str]", key)
        below, above = ((rows["rank"] < LEVELS[0]).mean(), (rows["rank"] > LEVELS[2]).mean())
        lines.append(f"| {name} | {label} | {len(rows)} | {rows['covered'].mean():.0%} | {below:.0%} | {above:.0%} |")
    lines += ["", *alike_lines(of_alike)]
    (HERE / "recovery.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def alike_lines(path: Path) -> list[str]:
    """The section on companies whose accounts share one risk."""
    rows = pd.DataFrame([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    lines = [f"## Companies without heterogeneity: {len(rows)}", ""]
    lines += ["Difference in points, mean and (standard error).", ""]
    lines += [f"| what | ARR after {YEAR} months, % of today's | GRR over {YEAR} months |", "|---|---:|---:|"]
    for title, one_side, other in COMPARED:
        cells = []
        for metric in ("arr", "grr"):
            bias = 100 * (rows[f"{metric}_{one_side}"] - rows[f"{metric}_{other}"])
            cells.append(f"{bias.mean():+.2f} ({bias.std() / np.sqrt(len(bias)):.2f})")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return [*lines, "", f"Median frailty of smb in the posteriors: {rows['frailty'].median():.2f}; in truth 0."]


if __name__ == "__main__":
    command(__doc__, {"run": one, "alike": alike}, page)
