"""The JSON Schema (2020-12) of scenario files, for editors; `schema.json` beside this module is its output.

Write it again after changing the models: python -m subsim.scenario.schema > src/subsim/scenario/schema.json
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import Any

from subsim.scenario.levers import LEVERS
from subsim.scenario.models import Scenario

_ROOMS = ("segments", "tiers", "teams", "work", "campaigns")


def scenario_schema() -> dict[str, Any]:
    """The schema of a scenario file: the models' schema with `extends`, levers as written, and removal by no value."""
    schema = Scenario.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    keys = schema["properties"]
    for kind, model in LEVERS.items():
        definitions[model.__name__]["description"] = (model.__doc__ or "").strip()
        body = {"$ref": f"#/$defs/{model.__name__}"}
        definitions[f"lever_{kind}"] = _mapping({kind: body}, [kind])
    keys["levers"] = {
        "description": "Dated changes, one an item",
        "type": "array",
        "items": {"oneOf": [{"$ref": f"#/$defs/lever_{kind}"} for kind in LEVERS]},
    }
    flat = {"type": "string", "pattern": r"^\s*[0-9.]+\s*(per|a|/)\s*([Dd]ay|[Ww]eek|[Mm]onth|[Yy]ear)s?\s*$"}
    definitions["Segment"]["properties"]["new_business"] = {"anyOf": [flat, {"$ref": "#/$defs/NewBusiness"}]}
    definitions["Assumption"]["properties"]["value"] = {"type": ["number", "string", "boolean"]}
    for room in _ROOMS:
        ((name, entry),) = keys[room]["patternProperties"].items()
        definitions[entry["$ref"].rsplit("/", 1)[1]].pop("required", None)  # a variant may give a part
        keys[room]["patternProperties"] = {name: {"anyOf": [entry, {"type": "null"}]}}
        keys[room]["additionalProperties"] = False
    required = schema.pop("required")
    extends = {"description": "The file that this one varies", "type": "string", "minLength": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "subsim scenario",
        "description": "What is decided: teams, tiers, routing, policies and dated levers. Values carry their units.",
        "type": "object",
        "properties": {"extends": extends, **keys},
        "additionalProperties": False,
        "anyOf": [{"required": ["extends"]}, {"required": required}],
        "$defs": definitions,
    }


def published_schema() -> dict[str, Any]:
    """The schema that ships with the package."""
    shipped: dict[str, Any] = json.loads(files("subsim.scenario").joinpath("schema.json").read_text(encoding="utf-8"))
    return shipped


def _mapping(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


if __name__ == "__main__":
    json.dump(scenario_schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
