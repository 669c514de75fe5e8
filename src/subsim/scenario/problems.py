"""Validation errors in the words of a person: file and line, path, what was found, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from subsim import units
from subsim.errors import InputError, InputErrors
from subsim.scenario import models
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
        found = [item for detail in error.errors(include_url=False) for item in _input_errors(detail, model, where)]
    raise InputErrors(found)


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
        known = _keys(model if len(path) == 1 else _model_at(path[:-1]))
        return _unknown(where(path), "key", str(path[-1]), known)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _no_lever(where(path), detail["input"])
    return InputError(where=where(path), found=_shape(detail["input"]), allowed=_WORDS.get(kind, detail["msg"]))


def _model_at(path: Path) -> type[BaseModel]:
    if path[0] == "levers":
        return LEVERS[str(path[2])]
    return _MODELS[tuple("*" if place == 1 else step for place, step in enumerate(path))]


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _no_lever(where: str, given: object) -> InputError:
    tag = next(iter(given)) if isinstance(given, dict) and len(given) == 1 else None
    if isinstance(tag, str):
        return _unknown(where, "lever", tag, list(LEVERS))
    allowed = "one lever an item, such as - hire: {team: ..., seats: 1, on: 2026-10-01}"
    return InputError(where=where, found=_shape(given), allowed=allowed)


def _unknown(where: str, what: str, name: str, known: list[str]) -> InputError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    do = f"did you mean {near[0]}?" if near else ""
    return InputError(where=where, found=f"the unknown {what} {units.shown(name)}", allowed=", ".join(known), do=do)


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "keys with values"
    return "a list" if isinstance(value, (list, tuple)) else units.shown(value)
