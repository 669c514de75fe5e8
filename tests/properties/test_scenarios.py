"""Scenario files made at random either load, and come back from their dictionary, or fail with a clear error."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from subsim.errors import InputError, InputErrors
from subsim.scenario import Scenario, explain, load_scenario

BASE = json.dumps(
    {
        "name": "Base",
        "start": "2026-07-01",
        "horizon": "12 months",
        "book": "demo",
        "segments": {"smb": {"new_business": "6 per month"}, "big": {}},
        "routing": [{"segment": "big", "arr_from": "$60k", "to": "high"}, {"to": "low"}],
        "tiers": {
            "high": {"coverage": "named", "team": "csm", "touches": {"status_call": "1 month"}, "playbooks": ["save"]},
            "low": {"coverage": "digital"},
        },
        "teams": {"csm": {"seats": 3, "cost": "$150k"}},
        "work": {"status_call": {"deadline": "14 days", "overload": "expire"}},
        "campaigns": {"news": {"every": "1 month", "tiers": ["low"]}},
        "policies": {"price_uplift": {"smb": "3 %"}},
        "assumptions": [{"parameter": "work.lift", "value": 0.3, "because": "pilot"}],
        "levers": [
            {"hire": {"team": "csm", "seats": 1, "on": "2026-10-01"}},
            {"scale": {"parameter": "onboarding.hours", "by": 0.8, "from": "2026-11-01"}},
        ],
    }
)

values = st.one_of(
    st.sampled_from(
        ["csm", "high", "low", "smb", "90 days", "7 %", "$40k", "2026-10-01", "2020-01-01", "", "save", "1e999"]
    ),
    st.none(),
    st.booleans(),
    st.integers(-3, 400),
    st.floats(),
    st.text(max_size=6),
    st.lists(st.sampled_from(["low", "smb", 3]), max_size=2),
    st.dictionaries(
        st.sampled_from(["hire", "team", "smb", "kind", "title"]), st.sampled_from(["csm", 1, {}]), max_size=2
    ),
)


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested data."""
    items = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    return [place for key, child in items for place in [(data, key), *places(child)]]


def attempt(load: Callable[[], Scenario]) -> tuple[Scenario | None, list[InputError]]:
    """The scenario, or the errors; anything else that is raised fails the test."""
    try:
        return load(), []
    except InputErrors as error:
        return None, error.errors


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """The base scenario with a few values replaced, removed or added."""
    data: dict[str, Any] = json.loads(BASE)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(places(data)))
        action = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if action == "replace":
            container[key] = draw(values)
        elif action == "remove":
            del container[key]
        elif isinstance(container, dict):
            container[draw(st.sampled_from(["title", "run", "because", "segment", "nmae", "opening"]))] = draw(values)
        if not places(data):
            break
    return data


@settings(max_examples=300, deadline=None)
@given(broken())
def test_a_changed_scenario_loads_or_says_why_not(data: dict[str, Any]) -> None:
    scenario, errors = attempt(lambda: Scenario.from_dict(data))
    assert all(item.found and item.allowed for item in errors)
    if scenario is not None:
        assert Scenario.from_dict(scenario.to_dict()) == scenario
        assert scenario.name in explain(scenario)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(BASE)), st.text(max_size=5), st.integers(0, 30))
def test_a_damaged_file_loads_or_names_its_line(at: int, text: str, cut: int) -> None:
    damaged = BASE[:at] + text + BASE[at + cut :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.yaml"
        path.write_bytes(damaged.encode("utf-8", "surrogatepass"))
        scenario, errors = attempt(lambda: load_scenario(path))
        assert scenario is not None or errors
        assert all(item.where.startswith(f"{path.as_posix()}:") for item in errors)
