"""The page of `verification.decisions`: what the product said beside what truly follows, company by company."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from subsim.experiment.contrast import p_better, verdict_of
from subsim.experiment.variance import expected

Floats = NDArray[np.float64]
HERE = Path(__file__).resolve().parent
KINDS = {"judgement": "effects as the catalogue judges them", "experiments": "effects declared from experiments"}
LEVELS = (0.05, 0.95)
NEAR = 0.2  # what "within 20 %" means
EDGES = (0.0, 0.4, 0.6, 0.75, 0.9, 1.0)  # bins of probabilities


def lines_of(path: Path) -> dict[int, dict[str, Any]]:
    """The results of a stage, by company."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["seed"]: row for row in sorted(rows, key=lambda row: row["seed"])}


def known_table(known: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each company and decision: the true difference and that said with known numbers, in % of ARR."""
    rows = []
    for seed, line in known.items():
        unit = line["arr"][0] / 100
        for name, values in line["truth"].items():
            truth, said = np.array(values) / unit, np.array(line["said"][name]) / unit
            errors = [float(each.std(ddof=1) / len(each) ** 0.5) for each in (truth, said)]
            rows.append((seed, name, truth.mean(), errors[0], said.mean(), errors[1]))
    return pd.DataFrame(rows, columns=["seed", "decision", "truth", "truth_se", "said", "said_se"])


def said_table(known: Mapping[int, Mapping[str, Any]], said: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each company, decision and kind of source: what the calibrated product says, and the truth, in %."""
    rows = []
    for seed in sorted(set(known) & set(said)):
        unit = known[seed]["arr"][0] / 100
        for kind in KINDS:
            for name, values in known[seed]["truth"].items():
                truth, draws = np.array(values) / unit, np.array(said[seed][kind][name]) / unit
                mean = expected(draws.reshape(-1, said[seed]["repeats"]))
                low, high = np.quantile(draws, LEVELS)
                rows.append(
                    {
                        "seed": seed,
                        "decision": name,
                        "kind": kind,
                        "truth": truth.mean(),
                        "truth_se": truth.std(ddof=1) / len(truth) ** 0.5,
                        "share_better": p_better(truth, "higher"),
                        "said": draws.mean(),
                        "p_one": p_better(draws, "higher"),
                        "held_one": float(((truth >= low) & (truth <= high)).mean()),
                        "p_mean": p_better(mean, "higher"),
                        "low": np.quantile(mean, LEVELS[0]),
                        "high": np.quantile(mean, LEVELS[1]),
                    }
                )
    table = pd.DataFrame(rows)
    table["judged"] = table["truth"].abs() > 2 * table["truth_se"]
    table["right"] = np.sign(table["said"]) == np.sign(table["truth"])
    table["held_mean"] = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    return table


def sign_lines(known: pd.DataFrame, said: pd.DataFrame) -> list[str]:
    """How often the sign of the expected difference is right."""
    known = known.assign(
        kind="numbers known",
        judged=known["truth"].abs() > 2 * known["truth_se"],
        right=np.sign(known["said"]) == np.sign(known["truth"]),
    )
    lines = ["## Signs", "", "| decision | product | right | of | right where the truth has a sign | of |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for table in (known, said):
        for (name, kind), rows in table.groupby(["decision", "kind"], sort=False):
            clear = rows[rows["judged"]]
            label = KINDS.get(str(kind), str(kind))
            lines.append(
                f"| {name} | {label} | {rows['right'].sum()} | {len(rows)} | {clear['right'].sum()} | {len(clear)} |"
            )
    return lines


def size_lines(known: pd.DataFrame) -> list[str]:
    """Size with known numbers: all companies together, and each."""
    lines = ["", "## Sizes, numbers known", ""]
    for name, rows in known.groupby("decision", sort=False):
        ratio = rows["said"].sum() / rows["truth"].sum()
        error = np.hypot((rows["said_se"] ** 2).sum() ** 0.5, ratio * (rows["truth_se"] ** 2).sum() ** 0.5)
        error /= abs(rows["truth"].sum())
        own = rows[rows["truth"].abs() > 5 * rows["truth_se"]]  # 20 % can be told from chance
        off = (own["said"] - own["truth"]).abs()
        chance = 2 * np.hypot(own["said_se"], own["truth_se"])
        near = int((off <= NEAR * own["truth"].abs()).sum())
        apart = int((off > NEAR * own["truth"].abs() + chance).sum())
        lines.append(
            f"- {name}: {ratio:.2f} of the truth over all companies (standard error {error:.2f}). Of the {len(own)} "
            f"companies in which the truth is more than 5 standard errors from 0, {near} are within 20 %, and "
            f"{apart} further off than 20 % and twice the standard error of so few runs"
        )
    return lines


def interval_lines(said: pd.DataFrame) -> list[str]:
    """How often 90 % intervals hold the truth."""
    lines = ["", "## Intervals of 90 %, calibrated", ""]
    for kind, rows in said.groupby("kind", sort=False):
        lines.append(
            f"- {KINDS[str(kind)]}: the interval that a comparison prints holds {rows['held_one'].mean():.1%} of "
            f"single true futures; the interval of the expected difference holds the true mean in "
            f"{rows['held_mean'].sum()} of {len(rows)} ({rows['held_mean'].mean():.1%})"
        )
    return lines


def chance_lines(said: pd.DataFrame) -> list[str]:
    """Brier scores of the probabilities: of one future, and of what is expected."""
    lines = ["", "## Probability of being better", ""]
    for kind, rows in said.groupby("kind", sort=False):
        clear = rows[rows["judged"]]
        brier = ((rows["p_one"] - rows["share_better"]) ** 2 + rows["share_better"] * (1 - rows["share_better"])).mean()
        best = (rows["share_better"] * (1 - rows["share_better"])).mean()
        signs = ((clear["p_mean"] - (clear["truth"] > 0)) ** 2).mean()
        lines.append(
            f"- {KINDS[str(kind)]}: of one future, as printed, mean {rows['p_one'].mean():.2f} where "
            f"{rows['share_better'].mean():.2f} of true futures were better; Brier score {brier:.3f} (a coin 0.250, "
            f"the true probabilities {best:.3f}). Of the expected difference: Brier score {signs:.3f} over "
            f"{len(clear)} signs"
        )
    lines += [
        "",
        "| source of effects | P(better) | cases | mean P | true futures better |",
        "|---|---|---:|---:|---:|",
    ]
    for kind, rows in said.groupby("kind", sort=False):
        for low, high, own in _bins(rows):
            lines.append(
                f"| {kind} | {low:.2f} to {high:.2f} | {len(own)} | {own['p_one'].mean():.2f} "
                f"| {own['share_better'].mean():.2f} |"
            )
    return lines


def _bins(rows: pd.DataFrame) -> list[tuple[float, float, pd.DataFrame]]:
    place = np.clip(np.searchsorted(EDGES, rows["p_one"], side="right"), 1, len(EDGES) - 1)
    parts = [(EDGES[k - 1], EDGES[k], rows[place == k]) for k in range(1, len(EDGES))]
    return [part for part in parts if len(part[2])]


def verdict_lines(said: pd.DataFrame, nothing: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """What the product says of decisions that do nothing, and of those that do something."""
    lines = ["", "## Verdicts", "", "| companies | decision | product | better | worse | cannot tell |"]
    lines += ["|---|---|---|---:|---:|---:|"]
    names = list(dict.fromkeys(said["decision"]))
    for kind, label in KINDS.items():
        for name in names:
            draws = [(np.array(line[kind][name], float), line["repeats"]) for line in nothing.values()]
            one = [verdict_of(p_better(each, "higher")) for each, _ in draws]
            mean = [verdict_of(p_better(expected(each.reshape(-1, n)), "higher")) for each, n in draws]
            lines += [_counted("nothing works", name, f"comparison, {label}", one)]
            lines += [_counted("nothing works", name, f"expected, {label}", mean)]
    for key, rows in said.groupby(["kind", "decision"], sort=False):
        kind, name = cast("tuple[str, str]", key)
        for column, what in (("p_one", "comparison"), ("p_mean", "expected")):
            found = [verdict_of(p) for p in rows[column]]
            lines.append(_counted("as drawn", name, f"{what}, {KINDS[kind]}", found))
    return lines


def _counted(companies: str, name: str, product: str, verdicts: Sequence[str]) -> str:
    counts = " | ".join(str(verdicts.count(verdict)) for verdict in ("better", "worse", "cannot tell"))
    return f"| {companies} | {name} | {product} | {counts} |"


def company_lines(known: pd.DataFrame, said: pd.DataFrame) -> list[str]:
    """One row for each company and decision, in % of ARR after 24 months."""
    lines = [
        "",
        "## Companies",
        "",
        "In % of ARR after 24 months without the decision; standard errors in brackets.",
        "",
    ]
    lines += [
        "| company | decision | truth | numbers known | judgement | experiments |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    wide = said.pivot_table(index=["seed", "decision"], columns="kind", values=["said", "low", "high"])
    found = dict(zip(wide.index, wide.to_dict("records"), strict=True))
    for row in known.to_dict("records"):
        cells = [f"{row['truth']:+.2f} ({row['truth_se']:.2f})", f"{row['said']:+.2f} ({row['said_se']:.2f})"]
        own = found.get((row["seed"], row["decision"]))
        if own:
            cells += [f"{own['said', k]:+.2f} ({own['low', k]:+.2f} to {own['high', k]:+.2f})" for k in KINDS]
        lines.append(f"| {row['seed']} | {row['decision']} | {' | '.join(cells)} |")
    return lines


def figure(known: pd.DataFrame, said: pd.DataFrame, path: Path) -> None:
    """Size with known numbers, intervals when calibrated, and reliability of P(better)."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    shown, axes = plt.subplots(1, 3, figsize=(14, 4.6), layout="constrained")
    _sizes(axes[0], known)
    _intervals(axes[1], said[said["kind"] == "experiments"])
    axes[2].plot([0, 1], [0, 1], color="0.6", lw=1, label="calibrated")
    for (kind, rows), mark in zip(said.groupby("kind", sort=False), "os", strict=False):
        bins = _bins(rows)
        x, y = ([own[column].mean() for *_, own in bins] for column in ("p_one", "share_better"))
        axes[2].plot(x, y, mark + "-", label=KINDS[str(kind)])
    axes[2].set(
        title="P(better) as a comparison prints it", xlabel="printed probability", ylabel="share of true futures better"
    )
    axes[2].set(xlim=(0, 1), ylim=(0, 1))
    axes[2].legend(loc="upper left", fontsize=8, frameon=False)
    shown.savefig(path, dpi=110)


def _sizes(axis: Any, known: pd.DataFrame) -> None:
    ends = np.array([min(known["truth"].min(), known["said"].min()), max(known["truth"].max(), known["said"].max())])
    ends = ends + 0.05 * np.ptp(ends) * np.array([-1, 1])
    line = np.linspace(float(ends[0]), float(ends[1]), 50)
    axis.fill_between(line, line - NEAR * abs(line), line + NEAR * abs(line), color="0.9", label="within 20 %")
    axis.plot(ends, ends, color="0.6", lw=1)
    for colour, (name, rows) in zip(("C0", "C1"), known.groupby("decision", sort=False), strict=False):
        errors = {"xerr": rows["truth_se"], "yerr": rows["said_se"]}
        axis.errorbar(rows["truth"], rows["said"], **errors, fmt="o", ms=4, lw=0.8, color=colour, label=name)
    axis.set(title="Numbers known", xlabel="true difference, % of ARR", ylabel="said by the product, % of ARR")
    axis.legend(loc="upper left", fontsize=8, frameon=False)


def _intervals(axis: Any, said: pd.DataFrame) -> None:
    rows = said.sort_values(["decision", "truth"]).reset_index(drop=True)
    for colour, (name, own) in zip(("C1", "C0"), rows.groupby("decision"), strict=False):
        axis.vlines(own.index, own["low"], own["high"], color=colour, lw=2, alpha=0.5, label=f"{name}, 90 % interval")
    axis.plot(rows.index, rows["truth"], "k_", ms=7, label="truth")
    axis.axhline(0, color="0.6", lw=0.8)
    axis.set(title="Calibrated, with experiments", xlabel="companies, by true difference", ylabel="% of ARR", xticks=[])
    axis.legend(loc="upper center", fontsize=8, frameon=False)


def page(known_path: Path, said_path: Path, nothing_path: Path) -> None:
    """Write `decisions.md` and `decisions.png`."""
    lines = lines_of(known_path)
    known, said = known_table(lines), said_table(lines, lines_of(said_path))
    nothing = lines_of(nothing_path)
    figure(known, said, HERE / "decisions.png")
    text = [(HERE / "decisions_text.md").read_text(encoding="utf-8").rstrip(), ""]
    text += [
        f"Companies: {len(lines)}; calibrated {said['seed'].nunique()}; in which nothing works {len(nothing)}.",
        "",
    ]
    text += sign_lines(known, said) + size_lines(known) + interval_lines(said) + chance_lines(said)
    text += verdict_lines(said, nothing) + company_lines(known, said)
    (HERE / "decisions.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print("\n".join(text))
