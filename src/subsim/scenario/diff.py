"""What one scenario has that another has not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from subsim.scenario.models import Scenario


@dataclass(frozen=True)
class Change:
    """One changed place: its path, and the value before and after (None where there was or is nothing)."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {_text(self.after)}"
        if self.after is None:
            return f"- {self.path}: {_text(self.before)}"
        return f"~ {self.path}: {_text(self.before)} -> {_text(self.after)}"


def changes(a: Scenario, b: Scenario) -> list[Change]:
    """Every changed path from `a` to `b`; list items (levers, rules) count as added or removed whole."""
    return _mapping("", a.to_dict(), b.to_dict())


def diff(a: Scenario, b: Scenario) -> str:
    """The changes as text, one a line: + added, - removed, ~ changed."""
    return "\n".join(str(change) for change in changes(a, b)) or "no difference"


def _mapping(path: str, a: dict[str, Any], b: dict[str, Any]) -> list[Change]:
    found = []
    for key in [*a, *(key for key in b if key not in a)]:
        found += _value(f"{path}.{key}" if path else key, a.get(key), b.get(key))
    return found


def _value(path: str, a: Any, b: Any) -> list[Change]:
    if a == b:
        return []
    if isinstance(a, dict) and isinstance(b, dict):
        return _mapping(path, a, b)
    lists = [value for value in (a, b) if value is not None]
    if not all(isinstance(value, list) and all(isinstance(item, dict) for item in value) for value in lists):
        return [Change(path, a, b)]
    before, after = a or [], b or []
    gone = [Change(f"{path}[{place}]", item, None) for place, item in enumerate(before) if item not in after]
    new = [Change(f"{path}[{place}]", None, item) for place, item in enumerate(after) if item not in before]
    return gone + new or [Change(path, a, b)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
