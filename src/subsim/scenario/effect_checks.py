"""Checks of declared effects, and of levers whose effect nobody has declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from subsim.scenario.checks import Problem, selected
from subsim.scenario.effects import carrier, worked_through

if TYPE_CHECKING:
    from subsim.scenario.models import Scenario


def effect_problems(scenario: Scenario) -> list[Problem]:
    """What is wrong with the declared effects, and which levers work through an effect without a source."""
    return [*_declared(scenario), *_undeclared(scenario)]


def _declared(scenario: Scenario) -> Iterator[Problem]:
    assumed = {(item.parameter, *sorted(item.keys.items())) for item in scenario.assumptions}
    seen: dict[tuple[object, ...], int] = {}
    for place, effect in enumerate(scenario.effects):
        path = ("effects", place)
        yield from selected(scenario, path, effect)
        key = (effect.parameter, *sorted(effect.keys.items()))
        if key in assumed:
            do = "keep one: an assumption is a number, an effect has a spread and a source"
            yield Problem(path, f"{effect.parameter} under assumptions too", "each number once", do)
        elif key in seen:
            yield Problem(path, f"{effect.parameter} a second time", f"each once (first in effects[{seen[key]}])")
        seen.setdefault(key, place)


def _undeclared(scenario: Scenario) -> Iterator[Problem]:
    for place, lever in enumerate(scenario.levers):
        for name, of in dict.fromkeys(worked_through(scenario, lever)):
            if carrier(scenario, name, of).kind:
                continue
            do = (
                f"add under effects: - {{parameter: {name}, work: {of}, "
                "elicited: {lower: ..., upper: ..., mass: 0.9}}, or experiment, or assumed_identified"
            )
            found = f"a lever that works through the lift of {of}, an effect without a declared source"
            yield Problem(("levers", place, lever.kind), found, "effects with a declared source", do)
