"""The report of a run: forecast, decision, load on teams, what it rests on, definitions, sources, facts of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from subsim.experiment.contrast import DEFINITIONS, GROSS_MARGIN_SOURCE
from subsim.experiment.results import month_ends
from subsim.report import figures, page_rests_on, page_tables, prose
from subsim.report.page import Block, Page, Picture, Section, Table, Terms, Text
from subsim.report.page_stored import Stored
from subsim.report.words import capital, chance, listed, money, month, plain
from subsim.scenario.explain import calendar

if TYPE_CHECKING:
    from subsim.experiment.contrast import Contrast
    from subsim.experiment.results import Runs

_INTERVAL: Final = (
    "A central 90 % interval leaves out the lowest and the highest twentieth of the simulated futures. It is as wide "
    "as the uncertainty that the model knows of; what the model leaves out comes on top."
)


def build(stored: Stored, learned: Sequence[Mapping[str, Any]] = ()) -> Page:
    """Put the report of a stored run together; `learned` are the rows of its calibration, where there is one."""
    runs = stored.runs
    contrasts = runs.contrasts()
    scenario = runs.outcome().scenario
    best = _best(contrasts)
    shown = [runs.names[0], *([best.scenario] if best else [])]
    sections = [
        *([_decision(runs, contrasts, best)] if best else []),
        _forecast(runs),
        _load(runs, shown),
        page_rests_on.section(stored, learned),
        _definitions(stored),
        page_rests_on.sources(stored),
        _facts(stored),
    ]
    return Page(
        title=capital(plain(scenario.name)) + (f" against {_plans(len(contrasts))}" if best else ""),
        question="" if best else scenario.question or "",
        lead=lead(stored, best),
        sections=tuple(sections),
        footer=f"subsim {stored.manifest['versions']['subsim']}, run {stored.manifest['run_id']}",
    )


def _plans(count: int) -> str:
    return "another plan" if count == 1 else f"{count} other plans"


def _best(contrasts: Sequence[Contrast]) -> Contrast | None:
    """The plan with the highest mean net value at the longest horizon."""
    return max(contrasts, key=lambda each: float(each.row("net_value")["mean"])) if contrasts else None


def lead(stored: Stored, best: Contrast | None = None) -> str:
    """First words of the page: how sure the forecast is, and how much of it rests on assumptions."""
    runs = stored.runs
    currency = runs.outcome().scenario.currency
    arr = runs.samples(None, "arr")[:, -1]
    low, median, high = (money(value, currency) for value in np.quantile(arr, [0.05, 0.5, 0.95]))
    end = month(month_ends(runs.outcome().setup)[-1])
    few, many = page_rests_on.judged(stored.manifest)
    rests = (
        f"{runs.calibrated.learned} numbers were learned from the book {runs.calibrated.book}; before it spoke, {few} "
        f"of {many} parameters were judgement"
        if runs.calibrated
        else f"{few} of the {many} parameters behind it are judgement, and none was learned from a book"
    )
    narrow = (
        " The bands show chance alone and are too narrow: parameters were held fixed." if runs.fixed_parameters else ""
    )
    failed = " **The checks of its calibration FAILED: do not rely on it.**"
    warning = failed if runs.calibrated and runs.calibrated.status == "FAIL" else ""
    whose = f" of {plain(runs.names[0])}" if best else ""
    return (
        f"**How sure:** ARR{whose} in {end} lies between {low} and {high} in 9 of 10 simulated futures "
        f"(median {median}). **On what it rests:** {rests}.{narrow}{warning}{_verdict(best)}"
    )


def _verdict(best: Contrast | None) -> str:
    if best is None:
        return ""
    row = best.row("net_value")
    months = int(row["horizon_months"])
    if row["mean"] <= 0:
        return f" **The decision:** no plan has a higher mean net value than {plain(best.base)} after {months} months."
    return (
        f" **The decision:** {plain(best.scenario)} has the highest mean net value and pays off within {months} months "
        f"with probability {chance(row['p_better'])}."
    )


def _decision(runs: Runs, contrasts: Sequence[Contrast], best: Contrast | None) -> Section:
    blocks: list[Block] = [
        Terms(
            tuple(
                (
                    capital(plain(name)),
                    " ".join([runs.outcome(name).scenario.question or "", *_dated(runs, name)]).strip(),
                )
                for name in runs.names
            )
        ),
        Picture(
            lambda: figures.coverage(contrasts),
            f"Differences of ARR and of cost to {plain(runs.names[0])} by plan, with intervals; "
            "the table below gives the same numbers.",
        ),
        page_tables.plans(contrasts),
        *([Text(best.text)] if best else []),
        Picture(
            lambda: figures.plans_fan(runs),
            f"ARR by month under {listed([plain(name) for name in runs.names])}: medians with central 80 % bands.",
        ),
    ]
    return Section("decision", "The decision", tuple(blocks))


def _dated(runs: Runs, name: str) -> list[str]:
    """What a plan does and when, one sentence a lever."""
    lines = calendar(runs.outcome(name).scenario)
    return [f"{plain(': '.join(line.split('  ', 1)))}." for line in lines]


def _forecast(runs: Runs) -> Section:
    name = runs.names[0]
    summary = prose.run_summary(runs, name).split("\n\n")
    blocks: list[Block] = [
        Text(summary[0]),
        Picture(lambda: figures.fan(runs, name), f"Fan of ARR by month. {_bare(summary[0])}"),
        page_tables.by_year(runs, name),
        Text(summary[1]),
        Picture(
            lambda: figures.bridge(runs, name),
            "Waterfall of ARR over the first twelve months, from opening to closing; the table below has its numbers.",
        ),
        page_tables.bridge(runs, name),
        page_tables.segments(runs, name),
        *(page_tables.by_year(runs, other) for other in runs.names[1:]),
    ]
    return Section("forecast", "The forecast", tuple(blocks))


def _load(runs: Runs, shown: Sequence[str]) -> Section:
    blocks: list[Block] = []
    for name in shown:
        if bool(np.isnan(runs.samples(name, "utilisation")).all()):
            blocks.append(Text(f"{capital(plain(name))}: no team had hours to work."))
            continue
        words = f"Heat map of hours busy by team and month under {plain(name)}; the table below has the years."
        blocks += [Picture(lambda name=name: figures.utilisation(runs, name), words), page_tables.load(runs, name)]  # type: ignore[misc]
    return Section("load", "Load on teams", tuple(blocks))


def _definitions(stored: Stored) -> Section:
    manifest, runs = stored.manifest, stored.runs
    metrics = tuple((name, f"{row['definition']} ({row['unit']})") for name, row in manifest["metrics"].items())
    interval = runs.interval
    blocks: list[Block] = [Text(f"Intervals: {interval['kind']}, {runs.draws} draws. {_INTERVAL}"), Terms(metrics)]
    if len(runs) > 1:
        compared = tuple((f"difference of {name}", words) for name, words in DEFINITIONS.items())
        blocks += [
            Text(
                "Differences between plans are paired: each draw gives all plans the same parameters and the same "
                "luck. P(pays off) is the share of draws in which the difference of net value is above zero; ties "
                "count half. "
                f"Gross margin is {GROSS_MARGIN_SOURCE}."
            ),
            Terms(compared),
        ]
    return Section("definitions", "Definitions", tuple(blocks))


def _facts(stored: Stored) -> Section:
    manifest = stored.manifest
    facts = [
        ("Run", manifest["run_id"]),
        ("Made", manifest["created"]),
        ("Command", " ".join(manifest["command"]) or "from Python"),
        ("Seed", str(manifest["seed"])),
        ("Draws", str(manifest["draws"])),
        ("Engine", manifest["engine"]),
        ("Versions", ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())),
    ]
    if stored.runs.calibrated is not None:
        known = stored.runs.calibrated
        facts.append(("Posterior", f"{known.fingerprint} of {known.book}, {known.status}"))
    rows = tuple(
        (capital(plain(each["name"])), each.get("book_fingerprint") or "no book", each["setup_fingerprint"])
        for each in manifest["scenarios"]
    )
    table = Table("Fingerprints (SHA-256)", ("Scenario", "Book", "Set-up"), rows, numbers=False)
    return Section("run", "This run", (Terms(tuple(facts)), table))


def _bare(words: str) -> str:
    return words.replace("**", "")
