"""Team sizes and coverage plans in words that a board can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from subsim.experiment.contrast import GROSS_MARGIN_SOURCE
from subsim.report.frontier import in_words
from subsim.report.words import capital, chance, listed, money, percent

if TYPE_CHECKING:
    from subsim.staffing.frontier import Frontier


def frontier_paragraph(found: Frontier) -> str:
    """Which plans hold up, against today's; what the frontier costs; how they were judged."""
    return " ".join([_verdict(found), _against_today(found), _line(found), _how(found)])


def _verdict(found: Frontier) -> str:
    months = f"after {found.horizon_months} months"
    if not found.best:
        return f"No combination that was tried keeps the limits {months}."
    if len(found.best) == 1:
        return f"{capital(in_words(found, found.best[0]))} have the highest expected net value {months}."
    plans = listed([in_words(found, plan) for plan in sorted(found.best)])
    worth = money(found.worth, found.scenario.currency)
    return f"No plan is best, these {len(found.best)} are: {plans}. Their net value {months} differs by less than " + (
        f"{worth} or cannot be told apart."
    )


def _row(found: Frontier, plan: tuple[int, ...]) -> Any:
    rows = found.table
    for team, count in zip(found.teams, plan, strict=True):
        rows = rows[rows[f"seats_{team}"] == count]
    return rows.iloc[0]


def _against_today(found: Frontier) -> str:
    today, currency = _row(found, found.today), found.scenario.currency
    base = f"today's {in_words(found, found.today)} ({money(today['cost_a_year'], currency)} a year)"
    if not found.best or found.best[0] == found.today:
        return f"That is against {base}."
    first = _row(found, found.best[0])
    name = "It" if len(found.best) == 1 else capital(in_words(found, found.best[0]))
    verb = "costs" if len(found.best) == 1 else "cost"
    change = money(first["cost_a_year"] - today["cost_a_year"], currency, sign=True)
    low, mean, high = (
        money(first[key], currency, sign=True) for key in ("arr_change_q05", "arr_change", "arr_change_q95")
    )
    return (
        f"{name} {verb} {change} a year against {base}: ARR {mean} on average (90 % interval {low} to {high}), "
        f"better in net value in {chance(first['p_pays'])} of draws."
    )


def _line(found: Frontier) -> str:
    rows = found.table[found.table["on_arr_frontier"]].sort_values("cost_a_year")
    today = _row(found, found.today)
    cheap, dear, currency = rows.iloc[0], rows.iloc[-1], found.scenario.currency
    place = "is on it" if today["on_arr_frontier"] else "is not on it: another plan costs no more and keeps more ARR"
    return (
        f"The frontier of ARR against cost has {len(rows)} plans, from {money(cheap['cost_a_year'], currency)} a year "
        f"({money(cheap['arr'], currency)} ARR, GRR below {percent(found.floor, 1)} in "
        f"{chance(cheap['p_grr_below_floor'])} of draws) to {money(dear['cost_a_year'], currency)} "
        f"({money(dear['arr'], currency)}, {chance(dear['p_grr_below_floor'])}); today's plan {place}."
    )


def _how(found: Frontier) -> str:
    floor = (
        f"plans count whose GRR falls below {percent(found.floor)} with at most {percent(found.limits.risk)} chance"
        if found.limits.grr_floor is not None
        else "without a floor of its own the risk is counted against today's median GRR"
    )
    return (
        f"Of {found.combinations} combinations {len(found.tried)} were run and {len(found.table)} judged again on "
        f"{found.draws} fresh draws; {floor}. Net value rests on a gross margin ({GROSS_MARGIN_SOURCE}) and on what "
        "touches do, which is assumed unless an experiment says otherwise."
    )
