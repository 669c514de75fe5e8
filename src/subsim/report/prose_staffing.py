"""Team sizes and coverage plans in words that a board can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from subsim.experiment.contrast import GROSS_MARGIN_SOURCE
from subsim.report.words import capital, chance, listed, money, percent, plain

if TYPE_CHECKING:
    from subsim.staffing.coverage import Coverage
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


def coverage_paragraph(found: Coverage) -> str:
    """Which way of coverage holds up, what it changes against today, what is left uncovered, and on what it rests."""
    return " ".join(
        [_ways(found), _change(found), _left_open(found), _same_money(found), *_left_out(found), _rests_on(found)]
    )


def _ways(found: Coverage) -> str:
    titles = dict(zip(found.plans["plan"], found.plans["title"], strict=True))
    segment, after = segment_title(found), f"after {found.horizon_months} months"
    best = [titles[plan] for plan in found.best]
    if len(best) == 1:
        return f"**{segment}.** Of {len(found.plans)} ways of coverage {best[0]} has the highest net value {after}."
    if len(best) == len(found.plans):
        return f"**{segment}.** {found.runs.draws} draws cannot tell the {len(best)} ways of coverage apart {after}."
    return f"**{segment}.** No way of coverage is best {after}, these {len(best)} are: {listed(best)}."


def _change(found: Coverage) -> str:
    first = found.plans[found.plans["plan"] == found.best[0]].iloc[0]
    if first["plan"] == "today":
        return "None of the others has a higher mean net value than today's."
    currency = found.scenario.currency
    arr, value = (
        " to ".join(money(first[f"{name}_{end}"], currency, sign=True) for end in ("q05", "q95"))
        for name in ("arr_change", "net_change")
    )
    return (
        f"{first['title']} against today: ARR {money(first['arr_change'], currency, sign=True)} on average (90 % "
        f"interval {arr}), net value {money(first['net_change'], currency, sign=True)} ({value}), better in "
        f"{chance(first['p_pays'])} of draws."
    )


def _left_open(found: Coverage) -> str:
    rows, currency = found.plans.sort_values("uncovered_arr", kind="stable"), found.scenario.currency
    least, most = rows.iloc[0], rows.iloc[-1]
    return (
        f"ARR whose touches are dropped goes from {money(least['uncovered_arr'], currency)} ({least['title']}) to "
        f"{money(most['uncovered_arr'], currency)} ({most['title']})."
    )


def _same_money(found: Coverage) -> str:
    budget = money(found.budget, found.scenario.currency)
    text = f"Seats are solved for a budget of {budget} a year, the same within a seat"
    other = found.plans[~found.plans["equal_budget"]]
    if other.empty:
        return f"{text}."
    gaps = [
        f"{row['title']} ({money(row['budget_gap'], found.scenario.currency, sign=True)} a year)"
        for row in other.to_dict("records")
    ]
    return f"{text}, but for {listed(gaps)}."


def _left_out(found: Coverage) -> list[str]:
    if not found.left_out:
        return []
    return [f"Left out: {listed([f'{title} ({reason})' for title, reason in found.left_out.items()])}."]


def _rests_on(found: Coverage) -> str:
    kind = found.plans.attrs["interval"]["kind"]
    return (
        f"Intervals: {kind}, {found.runs.draws} paired draws. Net value rests on a gross margin "
        f"({GROSS_MARGIN_SOURCE}); the plans differ through what touches, campaigns and continuity do, which is "
        "assumed unless an experiment says otherwise."
    )


def segment_title(found: Coverage) -> str:
    """The segment as people call it."""
    title = found.scenario.segments[found.segment].title
    named = title and title != found.segment.replace("_", " ").capitalize()
    return title if named else capital(plain(found.segment))


def titles(found: Frontier) -> list[str]:
    """Names of the teams as people say them."""
    return [plain(found.scenario.teams[team].title or team) for team in found.teams]


def in_words(found: Frontier, plan: tuple[int, ...]) -> str:
    """A plan as words: `4 mid-touch CSMs + 6 enterprise CSMs`."""
    return " + ".join(f"{count} {title}" for count, title in zip(plan, titles(found), strict=True))
