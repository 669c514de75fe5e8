"""The model page names every parameter, and shows the catalogue's symbols, units and defaults."""

import re
from pathlib import Path

from subsim.engine import metrics
from subsim.model.catalogue import Parameter, parameters
from subsim.scenario.roles import OVERLOAD, ROLES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "concepts" / "model.md").read_text(encoding="utf-8")
COUNTERS = PAGE.split("## 19.")[1]


def number(value: float) -> str:
    return f"{value:,.10g}" if abs(value) >= 1000 else f"{value:.6g}"


def default(row: Parameter) -> str:
    """The central value and its departures; those by work type have a table of their own."""
    departures = {key: value for key, value in row.values.items() if value != row.value}
    if "work" in row.by or not departures:
        return number(row.value)
    return f"{number(row.value)} ({', '.join(f'{key} {number(value)}' for key, value in departures.items())})"


def table_row(row: Parameter) -> str:
    by = ", ".join(row.by) or "company"
    return f"| `{row.name}` | {row.symbol} | {row.unit} | {by} | {default(row)} |"


def work_row(work: str) -> str:
    hours, deadline, priority, lift, overload = (
        parameters()[f"work.{name}"].value_for(work) for name in ("hours", "deadline", "priority", "lift", "overload")
    )
    shown = "-" if work == "onboarding" else number(hours)
    return (
        f"| {work} | {shown} | {number(deadline)} | {number(priority)} | {number(lift)} | {OVERLOAD[int(overload)]} |"
    )


def test_every_parameter_has_its_row_as_the_catalogue_has_it() -> None:
    lines = PAGE.splitlines()
    assert [row.name for row in parameters().values() if lines.count(table_row(row)) != 1] == []


def test_every_name_that_looks_like_a_parameter_is_one() -> None:
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", PAGE))
    assert named - parameters().keys() == set()


def test_every_work_type_has_its_row() -> None:
    types = dict.fromkeys(
        [*ROLES, *(work for row in parameters().values() if row.by == ("work",) for work in row.values)]
    )
    lines = PAGE.splitlines()
    assert [work for work in types if lines.count(work_row(work)) != 1] == []


def test_every_counter_is_defined() -> None:
    words = set(re.findall(r"\w+", COUNTERS))
    assert {*metrics.SEGMENT, *metrics.TEAM, *metrics.TIER} - words == set()
