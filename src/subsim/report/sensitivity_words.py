"""What moves a forecast, in words: the largest numbers, how much is explained, what of it is assumed."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Final

from subsim.experiment.at_horizon import NET_VALUE
from subsim.experiment.metrics import METRICS
from subsim.report.words import capital, listed, money, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.sensitivity import Sensitivity

NAMES: Final = {"arr": "ARR", "net_value": "net value", "grr_ttm": "GRR", "nrr_ttm": "NRR", "cs_cost": "cost of CS"}
SAID: Final = 3


def paragraph(found: Sensitivity) -> str:
    """The largest numbers with interval and source, what all explain, and what to measure first."""
    large = found.table[found.table["stands_out"]]
    what = f"{capital(metric_name(found))} of {plain(found.scenario)} after {found.horizon_months} months"
    if found.base is not None:
        what = f"The difference of {metric_name(found)} between {plain(found.scenario)} and {plain(found.base)}"
        what += f" after {found.horizon_months} months"
    if large.empty:
        return (
            f"{what}: no number stands out in {found.runs.draws} draws from what numbers without any effect would show "
            f"({percent(found.noise)} of the variance). More draws would tell more."
        )
    rows = large.head(SAID).to_dict("records")
    explained = min(1.0, float(large["first_order"].sum()))
    assumed = int((large["rests_on"] == "assumed").sum())
    return (
        f"{what} is moved most by {listed([_one(found, row) for row in rows])}. The {len(large)} of {len(found.table)} "
        f"numbers that stand out explain {percent(explained)} of the variance one by one; the rest is chance, numbers "
        f"that act together, and what {found.runs.draws} draws do not tell. {_rests_on(assumed, len(large))} "
        f"Intervals: 90 %, {found.table.attrs['interval']['kind']}."
    )


def metric_name(found: Sensitivity) -> str:
    """The metric as people say it."""
    return NAMES.get(found.metric, plain(found.metric))


def label(row: Any, letters: int = 200) -> str:
    """A number's title and whose it is; the title is cut where both have more letters than asked."""
    title, of = str(row["title"]).split(" (")[0], f", {plain(row['of'])}" if row["of"] else ""
    room = letters - len(of)
    return (title if len(title) <= room else title[:room].rsplit(" ", 1)[0] + " …") + of


def shown(found: Sensitivity, value: float) -> str:
    """A value of the metric in its unit."""
    kind = "money" if found.metric == NET_VALUE else METRICS[found.metric].kind
    if kind == "money":
        return money(value, found.currency, sign=found.base is not None)
    if kind == "ratio":
        return percent(value, 1)
    return f"{value:,.0f}"


def _one(found: Sensitivity, row: Any) -> str:
    low, high = (percent(max(0.0, row[key])) for key in ("low", "high"))
    total = "" if isnan(row["total"]) else f", {percent(row['total'])} in all"
    return (
        f"{label(row)[:1].lower() + label(row)[1:]} ({row['parameter']}, {row['rests_on']}; "
        f"{percent(row['first_order'])} of the variance alone, {low} to {high}{total}; {shown(found, row['at_low'])} "
        f"in its lowest fifth, {shown(found, row['at_high'])} in its highest)"
    )


def _rests_on(assumed: int, large: int) -> str:
    if assumed == 0:
        return "All of them are learned or declared."
    of = "All" if assumed == large else f"{assumed}"
    return f"{of} of these {large} are assumed, not learned: look at what they rest on before you rely on the forecast."
