"""What `subsim coverage` prints and writes: outcomes by plan, who serves the segment, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich import box
from rich.table import Table

from subsim.cli import screen
from subsim.report.prose_staffing import segment_title
from subsim.report.words import chance, money, percent

if TYPE_CHECKING:
    from subsim.staffing.coverage import Coverage


def show(found: Coverage) -> None:
    """Outcomes, who serves the segment, and the paragraph."""
    screen.out.print(_outcomes(found))
    screen.out.print(_tiers(found))
    screen.show_text(found.text)


def _outcomes(found: Coverage) -> Table:
    currency = found.scenario.currency
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=f"{segment_title(found)} after {found.horizon_months} months, against today ({found.runs.draws} draws)",
        title_justify="left",
        caption=f"Budget {money(found.budget, currency)} a year; ~ not the same within a seat. Green: highest net "
        "value, or not to be told from it. Means over draws; 90 % interval of the difference of ARR.",
        caption_justify="left",
    )
    table.add_column("plan", min_width=13)
    for head in ("cost/year", "ARR", "90 % interval", "net value", "P(pays)"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in found.plans.to_dict("records"):
        low, mean, high, value = (
            money(row[key], currency, sign=True)
            for key in ("arr_change_q05", "arr_change", "arr_change_q95", "net_change")
        )
        changes = (mean, f"{low} to {high}", value, chance(row["p_pays"]))
        table.add_row(
            row["title"],
            f"{'' if row['equal_budget'] else '~'}{money(row['cost_a_year'], currency)}",
            *(("-",) * 4 if row["plan"] == found.plans["plan"].iloc[0] else changes),
            style="bold green" if row["best"] else None,
        )
    return table


def _tiers(found: Coverage) -> Table:
    """Who serves the segment, how many accounts each has, and what is left undone."""
    currency = found.scenario.currency
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title="Who serves it, last twelve months",
        title_justify="left",
        caption="Seats at the start. Accounts and ARR per CSM, hours busy, mean wait and items dropped of the people "
        "who serve the segment; uncovered: ARR whose touches are dropped, all tiers. Tier by tier: --json or --out.",
        caption_justify="left",
    )
    table.add_column("plan", min_width=13)
    table.add_column("seats")
    for head in ("acc/CSM", "ARR/CSM", "busy", "wait", "dropped", "uncovered"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in found.plans.to_dict("records"):
        served = not pd.isna(row["accounts_per_csm"])
        numbers = (
            f"{row['accounts_per_csm']:.0f}",
            money(row["arr_per_csm"], currency) if served else "",
            percent(row["utilisation"]),
            f"{row['wait_days']:.1f} d",
            percent(row["dropped_share"], 1),
        )
        table.add_row(
            row["title"],
            row["seats"],
            *(numbers if served else ("digital" if row["served_by"] == "campaigns" else "nobody", "-", "-", "-", "-")),
            money(row["uncovered_arr"], currency),
        )
    return table
