"""Priors that the user states instead of the catalogue's: in Python, or in a file that says where each comes from.

A file of priors:

    priors:
      - {parameter: renewal.base, of: smb, family: normal, mean: -1.6, sd: 0.4, source: board deck 2025, grade: B}
      - {parameter: expansion.win, family: beta, lower: 0.2, upper: 0.5, mass: 0.9, source: head of sales, grade: D}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from subsim.calibrate.company import described
from subsim.calibrate.priors import GRADES, NUMBERS, Key, Prior, elicit, family_of, label_of
from subsim.errors import InputError, InputErrors

_TWO_QUANTILES = ("lower", "upper", "mass")
_COMMON = ("parameter", "of", "family", "source", "grade")


def override(priors: Mapping[Key, Prior], changes: Mapping[Key, Prior]) -> dict[Key, Prior]:
    """Priors with some replaced; a key without names stands for every cell of its parameter.

    Raises:
        InputError: a parameter or a name that the calibration does not have, or a prior that contradicts its range.
    """
    result = dict(priors)
    for key, own in changes.items():
        result |= dict.fromkeys(_cells(priors, key, label_of(key)), checked(key, own, where=label_of(key)))
    return result


def read_priors(path: str | Path, priors: Mapping[Key, Prior]) -> dict[Key, Prior]:
    """The priors that a file states, by cell; raises InputErrors that name every wrong row with file and line."""
    path = Path(path)
    try:
        tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _wrong(str(path), str(error).splitlines()[0], "a readable YAML file of priors") from None
    found: dict[Key, Prior] = {}
    problems: list[InputError] = []
    for node in _rows(tree, path):
        where = f"{path}:{node.start_mark.line + 1}"
        try:
            key, own = _read(_plain(node), where)
            cells = _cells(priors, key, where)
            repeated = [cell for cell in cells if cell in found]
            if repeated:
                raise _wrong(where, f"{label_of(repeated[0])} twice", "one prior for each number")
            found |= dict.fromkeys(cells, own)
        except InputError as error:
            problems.append(error)
    if problems:
        raise InputErrors(problems)
    return found


def checked(key: Key, own: Prior, *, where: str) -> Prior:
    """A prior that fits its parameter, with the parameter's range; raises InputError where it contradicts it."""
    row = described(key[0], where)
    if row.label not in ("calibrated", "assumed"):
        raise _wrong(where, f"{row.name} is a {row.label}", "a parameter that is calibrated or assumed")
    if own.grade not in GRADES or not own.source.strip():
        raise _wrong(where, f"source {own.source!r}, grade {own.grade!r}", f"a source, and a grade {', '.join(GRADES)}")
    if not np.isfinite(own.centre) or not np.isfinite(own.spread) or (own.family != "fixed") != (own.spread > 0):
        raise _wrong(where, str(own), f"finite numbers: {' and '.join(NUMBERS[own.family])}, the spread above 0")
    if own.family in ("lognormal", "gamma") and own.centre <= 0:
        raise _wrong(where, str(own), f"a {own.family} prior around a number above 0")
    if own.family == "beta" and not 0 < own.centre < 1:
        raise _wrong(where, str(own), "a beta prior around a share between 0 and 1")
    outside = 0.0 if own.fixed else float(own.distribution().cdf(row.low) + own.distribution().sf(row.high))
    if not row.low <= own.centre <= row.high or outside > 0.5:
        raise _wrong(where, str(own), f"values within {row.low:g} to {row.high:g} {row.unit}, the range of {row.name}")
    return replace(own, low=row.low, high=row.high)


def _cells(priors: Mapping[Key, Prior], key: Key, where: str) -> list[Key]:
    found = [known for known in priors if known[0] == key[0] and (not key[1] or known[1] == key[1])]
    if not found:
        row = described(key[0], where)
        names = sorted({name for known in priors if known[0] == key[0] for name in known[1]})
        allowed = f"one of {', '.join(names)}" if names else f"a number that a book has cells for; {row.name} has none"
        raise _wrong(where, label_of(key), allowed)
    return found


def _rows(tree: Any, path: Path) -> list[yaml.Node]:
    if isinstance(tree, yaml.MappingNode):
        for name, value in tree.value:
            if name.value == "priors" and isinstance(value, yaml.SequenceNode):
                return list(value.value)
    raise _wrong(str(path), "no list of priors", "priors: [{parameter: ..., family: ..., source: ..., grade: ...}]")


def _plain(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _read(row: Any, where: str) -> tuple[Key, Prior]:
    if not isinstance(row, dict) or "parameter" not in row:
        raise _wrong(where, repr(row), "a row with parameter, family, its numbers, source and grade")
    family = family_of(row.get("family"), where)
    elicited = any(name in row for name in _TWO_QUANTILES)
    numbers = _TWO_QUANTILES if elicited else NUMBERS[family]
    unknown = [str(name) for name in row if name not in (*_COMMON, *numbers)]
    missing = [name for name in ("source", "grade", *numbers) if name not in row]
    if unknown or missing:
        found = f"unknown key {unknown[0]!r}" if unknown else f"no {missing[0]}"
        raise _wrong(where, found, f"{', '.join((*_COMMON, *numbers))}")
    values = [row[name] for name in numbers]
    wrong = [value for value in values if isinstance(value, bool) or not isinstance(value, (int, float))]
    if wrong:
        raise _wrong(where, repr(wrong[0]), f"numbers for {', '.join(numbers)}")
    source, grade = str(row["source"]), str(row["grade"])
    of = row.get("of", [])
    key = (str(row["parameter"]), tuple(map(str, of)) if isinstance(of, list) else (str(of),))
    if elicited:
        try:
            lower, upper, mass = map(float, values)
            own = elicit(lower, upper, mass, family, source=source, grade=grade)
        except InputError as error:
            raise InputError(where=where, found=error.found, allowed=error.allowed) from None
    else:
        spread = float(values[1]) if len(values) > 1 else 0.0
        own = Prior(family, float(values[0]), spread, source=source, grade=grade)
    return key, checked(key, own, where=where)


def _wrong(where: str, found: str, allowed: str) -> InputError:
    return InputError(where=where, found=found, allowed=allowed)
