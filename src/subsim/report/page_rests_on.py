"""What a run rests on: which numbers were learned and which assumed, with sources and grades."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from subsim.errors import InputError
from subsim.report.page import Section, Table, Terms, Text
from subsim.report.page_stored import Stored
from subsim.report.prose import CARRIED_BY, calibration, declared_effects
from subsim.report.words import listed, plain

CALIBRATION: Final = "calibration.json"
GRADES: Final = {
    "A": "measured on many companies",
    "B": "published by practitioners",
    "C": "convention, or a vendor's text",
    "D": "judgement",
}
LABELS: Final = {
    "calibrated": "a book can teach it",
    "assumed": "no book teaches it",
    "lever": "a decision",
    "definition": "a definition",
}
UNKNOWN: Final = ("calibrated", "assumed")
_CELLS = ("segment", "tier", "work", "team", "month")


def learned_rows(stored: Stored, posterior: Path | None) -> list[dict[str, Any]]:
    """Prior and posterior by number of the calibration that the run was drawn from; none where it cannot be found.

    Looks in `posterior` or, where that is not given, in the folder that the run's own command named.

    Raises:
        InputError: `posterior` holds no calibration, or another one than the run was drawn from.
    """
    known = stored.runs.calibrated
    folder = posterior or _named(stored.manifest.get("command", ()))
    if folder is None or (known is None and posterior is None):
        return []
    try:
        facts = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
        if known is not None and facts["posterior_fingerprint"] == known.fingerprint:
            rows: list[dict[str, Any]] = facts["parameters"]
            return rows
        found = f"the calibration of {facts['book']}, which this run was not drawn from"
    except (OSError, ValueError, KeyError, TypeError):
        found = f"no {CALIBRATION} that can be read"
    if posterior is None:
        return []
    where = f"--posterior {posterior}"
    raise InputError(where=where, found=found, allowed="the folder of the posterior that the run was drawn from")


def _named(command: Sequence[str]) -> Path | None:
    """What follows `--posterior` on a command line."""
    for word, value in zip(command, [*command[1:], ""], strict=True):
        if word == "--posterior":
            return Path(value)
        if word.startswith("--posterior="):
            return Path(word.partition("=")[2])
    return None


def judged(manifest: Mapping[str, Any]) -> tuple[int, int]:
    """How many of the numbers that are neither decided nor defined are judgement, and how many there are."""
    used = [row for row in manifest["parameters"] if row["label"] in UNKNOWN]
    return sum(row["grade"] == "D" for row in used), len(used)


def section(stored: Stored, rows: Sequence[Mapping[str, Any]]) -> Section:
    """Learned versus assumed in words, by label and grade, and number by number where a book was learned from."""
    runs = stored.runs
    blocks: list[Text | Table] = [Text(_words(stored)), _grades(stored.manifest)]
    if rows:
        blocks.append(_learned(rows))
    elif runs.calibrated is not None:
        where = "the folder of the calibration was not found; name it with --posterior to list them here"
        blocks.append(Text(f"What was learned, number by number, is not shown: {where}."))
    if any(each.get("effects") for each in stored.manifest["scenarios"]):
        blocks.append(_carried(stored.manifest))
    effects = declared_effects([outcome.scenario for outcome in runs.outcomes.values()])
    blocks += [Text(part.removeprefix("- ")) for part in effects.split("\n") if part]
    return Section("rests-on", "Learned and assumed", tuple(blocks))


def _words(stored: Stored) -> str:
    runs, facts = stored.runs, {row["name"]: row for row in stored.manifest["parameters"]}
    few, many = judged(stored.manifest)
    carriers = [
        f"{words} (grade {facts[name]['grade']}: {facts[name]['source']})"
        for name, words in CARRIED_BY.items()
        if name in facts
    ]
    learned = f"{calibration(runs)} " if runs.calibrated else "Nothing was learned from a book. "
    spread = "held at their central values" if runs.fixed_parameters else "drawn from their priors"
    others = "What was not learned is" if runs.calibrated else "They are"
    through = f" Differences between plans run through {listed(carriers)}." if carriers else ""
    were = "were" if runs.calibrated else "are"
    return (
        f"{learned}{few} of {many} parameters that are neither decided nor defined {were} "
        f"judgement (grade D), not measurement. {others} {spread}.{through} What follows from a plan here is what the "
        "model says under these assumptions, not a measured effect."
    )


def _grades(manifest: Mapping[str, Any]) -> Table:
    counts = Counter((row["label"], row["grade"]) for row in manifest["parameters"])
    rows = tuple((meaning, *(str(counts[label, grade]) for grade in GRADES)) for label, meaning in LABELS.items())
    heads = ("Parameter", *(f"{grade}: {words}" for grade, words in GRADES.items()))
    return Table("Parameters of the model by what they are and by the grade of their source", heads, rows)


def _carried(manifest: Mapping[str, Any]) -> Table:
    """What the levers of each plan work through, and what that rests on."""
    rows = tuple(
        (plain(each["name"]), f"{effect['parameter']} {effect['of']}".rstrip(), effect["kind"], effect["statement"])
        for each in manifest["scenarios"]
        for effect in each.get("effects", ())
    )
    caption = "Effects that the plans work through"
    return Table(caption, ("Plan", "Effect", "Rests on", "Statement"), rows, numbers=False)


def _learned(rows: Sequence[Mapping[str, Any]]) -> Table:
    order = {"learned": 0, "prior, not data": 1, "assumed": 2}
    known = sorted(rows, key=lambda row: order.get(row["verdict"], 3))
    lines = tuple(
        (
            " ".join([row["name"], *(str(row[cell]) for cell in _CELLS if row.get(cell))]),
            row["unit"],
            _quantiles(row["prior"]),
            _quantiles(row["posterior"]),
            "" if row["contraction"] is None else f"{100 * max(row['contraction'], 0.0):.0f} %",
            row["verdict"],
            row["grade"],
        )
        for row in known
    )
    heads = ("Number", "Unit", "Before (90 %)", "After (90 %)", "From data", "Verdict", "Grade")
    caption = "Before and after the book: medians with central 90 % intervals of prior and posterior"
    note = "From data: share of the prior's variance that the book removed; learned from 20 % on."
    return Table(caption, heads, lines, numbers=False, note=note)


def _quantiles(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "not fitted"
    low, median, high = (_number(found[key]) for key in ("q05", "q50", "q95"))
    return f"{median} ({low} to {high})"


def _number(value: float) -> str:
    """Three digits that count; whole numbers from a thousand on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def sources(stored: Stored) -> Section:
    """Every number of the model with unit, label, grade and source, as the run recorded them."""
    rows = tuple(
        (row["name"], row["unit"], LABELS.get(row["label"], row["label"]), row["grade"], row["source"])
        for row in stored.manifest["parameters"]
    )
    heads = ("Parameter", "Unit", "What it is", "Grade", "Source")
    grades = Terms(tuple((f"Grade {grade}", words) for grade, words in GRADES.items()))
    return Section("sources", "Sources", (grades, Table("Every number of the model", heads, rows, numbers=False)))
