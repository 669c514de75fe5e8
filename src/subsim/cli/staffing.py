"""The command about team sizes: which counts were asked for, what is printed and written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from rich import box
from rich.table import Table

from subsim.cli import screen
from subsim.errors import InputError
from subsim.report.words import capital, chance, money, percent, plain

if TYPE_CHECKING:
    from subsim.staffing.staff import Staffing, TeamStaffing

_RANGE = re.compile(r"(\d+)\s*\.\.\s*(\d+)")
MOST_COUNTS = 60


def counts(text: str) -> list[int]:
    """Seat counts of an option: `2..12`, `4`, `2,4,8` or a mix.

    >>> counts("2..4,8")
    [2, 3, 4, 8]
    """
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match:
            low, high = int(match[1]), int(match[2])
            if low > high or high - low >= MOST_COUNTS:
                raise _wrong(text)
            found += range(low, high + 1)
        elif part.strip().isdigit():
            found.append(int(part))
        else:
            raise _wrong(text)
    return found


def _wrong(text: str) -> InputError:
    return InputError(
        where="--seats",
        found=repr(text),
        allowed=f"counts from low to high, at most {MOST_COUNTS}, such as 2..12 or 2,4,8",
    )


def pairs(teams: Sequence[str], seats: Sequence[str]) -> dict[str, list[int]]:
    """Teams with their counts, in the order of the command line."""
    if len(teams) != len(seats) or len(set(teams)) != len(teams):
        found = f"{len(teams)} --team and {len(seats)} --seats"
        raise InputError(where="subsim staff", found=found, allowed="one --seats after each --team, every team once")
    return {team: counts(text) for team, text in zip(teams, seats, strict=True)}


def show(staffing: Staffing) -> None:
    """Curve, next seats, formulas and the paragraph, for each team."""
    for one in staffing.teams:
        screen.out.print(_curve(staffing, one))
        if not one.thumbs.empty:
            screen.out.print(_thumbs(one))
    screen.show_text(staffing.text)


def _curve(staffing: Staffing, one: TeamStaffing) -> Table:
    choice, currency = one.choice, staffing.scenario.currency
    curve = one.response.curve()
    curve = curve[curve["horizon_months"] == choice.horizon_months].set_index(["metric", "seats"])
    steps = one.response.marginal()
    steps = steps[(steps["horizon_months"] == choice.horizon_months) & (steps["metric"] == "net_value")]
    pays = dict(zip(steps["seats_to"], steps["p_better"], strict=True))
    title = plain(staffing.scenario.teams[one.response.team].title or one.response.team)
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=f"{capital(title)} after {choice.horizon_months} months ({staffing.draws} draws each)",
        title_justify="left",
        caption="* today. Means over draws. Pays: chance that the last seat is worth its cost. Regret: mean shortfall "
        "of net value to the best count of each draw. Busy, wait and dropped: last twelve months.",
        caption_justify="left",
    )
    heads = ("seats", "ARR", "GRR", "net value", "pays", "regret", "busy", "wait", "dropped")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    mean = {key: float(value) for key, value in curve["mean"].items()}
    for row in choice.table.to_dict("records"):
        count = int(row["seats"])
        table.add_row(
            f"{count}{' *' if count == one.today else '  '}",
            money(mean["arr", count], currency),
            percent(mean["grr_ttm", count], 1),
            money(row["expected"], currency),
            chance(pays.get(count, float("nan"))),
            money(row["regret"], currency),
            percent(mean["utilisation", count]),
            f"{mean['wait_days', count]:.1f} d",
            percent(mean["expired_share", count], 1),
            style="bold green" if count in choice.best else None,
        )
    return table


def _thumbs(one: TeamStaffing) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What the usual formulas say", title_justify="left")
    for head in ("rule", "seats", "what it looks at", "what it leaves out"):
        table.add_column(head, justify="right" if head == "seats" else "left")
    for row in one.thumbs.to_dict("records"):
        seats = "-" if pd.isna(row["seats"]) else f"{row['seats']:.0f}"
        table.add_row(row["rule"], seats, row["basis"], row["leaves_out"])
    return table
