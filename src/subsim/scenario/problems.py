"""Validation errors in the words of a person: file and line, path, what was found, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from subsim import units
from subsim.errors import InputError, InputErrors
from subsim.scenario import effects, models
from subsim.scenario.levers import LEVERS

Path = tuple[str | int, ...]

#: Which model reads the mapping at a path; * stands for any name or position.
_MODELS: dict[Path, type[BaseModel]] = {
    (): models.Scenario,
    ("segments", "*"): models.Segment,
    ("segments", "*", "new_business"): models.NewBusiness,
    ("segments", "*", "opening"): models.Opening,
    ("routing", "*"): models.Rule,
    ("tiers", "*"): models.Tier,
    ("teams", "*"): models.Team,
    ("work", "*"): models.Work,
    ("campaigns", "*"): models.Campaign,
    ("policies",): models.Policies,
    ("assumptions", "*"): models.Assumption,
    ("effects", "*"): effects.Effect,
    ("effects", "*", "elicited"): effects.Elicited,
    ("effects", "*", "experiment"): effects.Experiment,
    ("effects", "*", "assumed_identified"): effects.AssumedIdentified,
}

_WORDS = {
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "tuple_type": "a list",
    "string_type": "text",
}


def validated[M: BaseModel](model: type[M], data: dict[str, Any], name: str) -> M:
    """The model of the data; raises InputErrors whose places start with `name`."""
    return validated_at(model, data, lambda path: f"{name} {path_text(path)}".rstrip())


def validated_at[M: BaseModel](model: type[M], data: dict[str, Any], where: Callable[[Path], str]) -> M:
    """The model of the data; `where` turns a path into the place that an error names."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = _without_echoes(error.errors(include_url=False), model)
    raise InputErrors(item for detail in details for item in _input_errors(detail, model, where))


def _without_echoes(details: list[Any], model: type[BaseModel]) -> list[Any]:
    """Leave out "missing" where an unknown key of the same mapping is a misspelling of it: one fault, one error."""
    misspelt: set[Path] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *parent, key = detail["loc"]
            misspelt.update((*parent, near) for near in _near(str(key), _keys_at(tuple(parent), model)))
    return [detail for detail in details if detail["type"] != "missing" or detail["loc"] not in misspelt]


def path_text(path: Path) -> str:
    """A path as people write it: levers[0].hire.seats."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _input_errors(detail: Any, model: type[BaseModel], where: Callable[[Path], str]) -> list[InputError]:
    path: Path = tuple(step for step in detail["loc"] if step != "[key]")
    kind = detail["type"]
    if kind == "problems":
        found = detail["ctx"]["problems"]
        return [InputError(where=where(p.path), found=p.found, allowed=p.allowed, do=p.do) for p in found]
    return [_input_error(kind, path, detail, model, where)]


def _input_error(
    kind: str, path: Path, detail: Any, model: type[BaseModel], where: Callable[[Path], str]
) -> InputError:
    if kind == "input":
        return InputError(where=where(path), **{key: detail["ctx"][key] for key in ("found", "allowed", "do")})
    if kind == "missing":
        return InputError(where=where(path[:-1]), found=f"no {path[-1]}", allowed=f"{path[-1]}: a value (required)")
    if kind == "extra_forbidden":
        return _unknown(where(path), "key", str(path[-1]), _keys_at(path[:-1], model))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _no_lever(where(path), detail["input"])
    return InputError(where=where(path), found=_shape(detail["input"]), allowed=_WORDS.get(kind, detail["msg"]))


def _keys_at(path: Path, model: type[BaseModel]) -> list[str]:
    """The keys of the mapping at a path."""
    if path and path[0] == "levers":
        model = LEVERS[str(path[2])]
    elif path:
        model = _MODELS[tuple("*" if place == 1 else step for place, step in enumerate(path))]
    return [field.alias or name for name, field in model.model_fields.items()]


def _near(name: str, known: list[str]) -> list[str]:
    return difflib.get_close_matches(name, known, n=1, cutoff=0.5)


def _no_lever(where: str, given: object) -> InputError:
    tag = next(iter(given)) if isinstance(given, dict) and len(given) == 1 else None
    if isinstance(tag, str):
        return _unknown(where, "lever", tag, list(LEVERS))
    allowed = "one lever an item, such as - hire: {team: ..., seats: 1, on: 2026-10-01}"
    return InputError(where=where, found=_shape(given), allowed=allowed)


def _unknown(where: str, what: str, name: str, known: list[str]) -> InputError:
    near = _near(name, known)
    do = f"did you mean {near[0]}?" if near else ""
    return InputError(where=where, found=f"the unknown {what} {units.shown(name)}", allowed=", ".join(known), do=do)


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "keys with values"
    return "a list" if isinstance(value, (list, tuple)) else units.shown(value)
