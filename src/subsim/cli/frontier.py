"""`staff --together`: combinations of team sizes; what is printed and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from subsim.cli import screen
from subsim.cli.deliver import deliver
from subsim.report.words import chance, money, percent
from subsim.staffing.frontier import MOST_JUDGED, MOST_PLANS, Frontier
from subsim.staffing.frontier import frontier as answer

if TYPE_CHECKING:
    from subsim.scenario import Scenario


def together(
    scenario: Scenario,
    seats: Mapping[str, Sequence[int]],
    *,
    draws: int,
    out: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Find the frontier under a progress bar, write it where asked, and show it."""
    combinations = 1
    for counts in seats.values():
        combinations *= len(set(counts))
    total = draws * (1 + min(MOST_PLANS, combinations) + min(MOST_JUDGED, combinations + 1))
    with screen.progress(total, quiet=as_json) as progress:
        found = answer(scenario, seats=seats, draws=draws, progress=progress, **options)
    tables, figures = {"frontier": found.table, "tried": found.tried}, {"frontier": found.figure}
    deliver(found, show, name="frontier", tables=tables, figures=figures, out=out, as_json=as_json)


def show(found: Frontier) -> None:
    """Table of the plans and the paragraph."""
    screen.out.print(_table(found))
    screen.show_text(found.text)


def _table(found: Frontier) -> Table:
    currency = found.scenario.currency
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=f"{' + '.join(found.teams)}, after {found.horizon_months} months ({found.draws} fresh draws)",
        title_justify="left",
        caption=f"Risk: chance that GRR misses {percent(found.floor, 1)}. * today; ^ on the frontier of ARR against "
        "cost, v of risk against cost; green: worth most in net value, or not to be told from it. Means over draws; "
        "ARR and net value as paired differences to today.",
        caption_justify="left",
    )
    for head in ("seats", "cost/year", "ARR", "90 % interval", "risk", "net value", "pays"):
        table.add_column(head, justify="left" if head == "seats" else "right", no_wrap=True)
    for row in found.table.to_dict("records"):
        low, mean, high = (
            money(row[key], currency, sign=True) for key in ("arr_change_q05", "arr_change", "arr_change_q95")
        )
        table.add_row(
            f"{' + '.join(str(row[f'seats_{team}']) for team in found.teams)} "
            f"{'*' if row['today'] else ' '}{'^' if row['on_arr_frontier'] else ' '}"
            f"{'v' if row['on_risk_frontier'] else ' '}",
            money(row["cost_a_year"], currency),
            "-" if row["today"] else mean,
            "-" if row["today"] else f"{low} to {high}",
            chance(row["p_grr_below_floor"]),
            "-" if row["today"] else money(row["net_change"], currency, sign=True),
            "-" if row["today"] else chance(row["p_pays"]),
            style="bold green" if row["best"] else None,
        )
    return table
