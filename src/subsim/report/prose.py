"""Results in words that a board can read: what the numbers say, how sure, and on which assumptions they rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from subsim.experiment.contrast import DEFINITIONS, GROSS_MARGIN_SOURCE, SURE
from subsim.experiment.results import month_ends
from subsim.model.catalogue import parameters
from subsim.report import prose_staffing
from subsim.report.words import capital, chance, listed, money, month, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.contrast import Contrast
    from subsim.experiment.results import Runs
    from subsim.scenario import Scenario
    from subsim.staffing.choice import Choice
    from subsim.staffing.staff import Staffing, TeamStaffing

frontier_paragraph = prose_staffing.frontier_paragraph
coverage_paragraph = prose_staffing.coverage_paragraph

#: Parameters through which coverage works in the model; what they rest on is printed under every comparison.
CARRIED_BY: Final = {"work.lift": "the lift of touches", "renewal.engagement": "the effect of engagement on renewal"}


def run_summary(runs: Runs, name: str | None = None) -> str:
    """Where ARR lands, retention, the busiest team, dropped work and declared effects, as paragraphs of Markdown."""
    parts = [_arr_paragraph(runs, name), _retention_paragraph(runs, name), _work_paragraph(runs, name)]
    effects = declared_effects([outcome.scenario for outcome in runs.outcomes.values()])
    return "\n\n".join([*parts, *([effects] if effects else [])])


def _arr_paragraph(runs: Runs, name: str | None) -> str:
    scenario = runs.outcome(name).scenario
    draws = runs.samples(name, "arr")[:, -1]
    quantiles = np.quantile(draws, [0.05, 0.5, 0.95])
    low, median, high = (money(value, scenario.currency) for value in quantiles)
    opening = runs.opening_arr(name)
    last = month(month_ends(runs.outcome(name).setup)[-1])
    growth = f" ({percent(quantiles[1] / opening - 1)} in all)" if opening > 0 else ""
    return (
        f"**{capital(plain(scenario.name))}.** ARR goes from {money(opening, scenario.currency)} to a median of "
        f"{median} by {last}{growth}; the 90 % interval is {low} to {high} "
        f"({runs.interval['kind']}, {runs.draws} draws)."
    )


def _retention_paragraph(runs: Runs, name: str | None) -> str:
    parts = []
    for metric, words in (("grr_ttm", "Gross revenue retention"), ("nrr_ttm", "net revenue retention")):
        draws = runs.samples(name, metric)[:, -1]
        known = draws[~np.isnan(draws)]
        if known.size:
            low, median, high = np.quantile(known, [0.05, 0.5, 0.95])
            parts.append(f"{words} {percent(median, 1)} (90 % interval {percent(low, 1)} to {percent(high, 1)})")
    if not parts:
        return "Retention over twelve months cannot be said yet: the horizon is shorter than a year."
    return f"{', '.join(parts)}, over the last twelve months of the horizon."


def _work_paragraph(runs: Runs, name: str | None) -> str:
    teams = runs.groups(name, "utilisation")[:-1]
    load = {team: _mean(runs, name, "utilisation", team) for team in teams}
    known = {team: value for team, value in load.items() if not np.isnan(value)}
    if not known:
        return "No team had hours to work in this scenario."
    busiest = max(known, key=lambda team: known[team])
    dropped = {team: _mean(runs, name, "expired_share", team) for team in known}
    lost = [
        f"{plain(runs.team_title(name, team))} {percent(share)}" for team, share in dropped.items() if share >= 0.005
    ]
    tail = (
        f" Work dropped at its deadline: {listed(lost)} of items."
        if lost
        else " No team drops 1 % of its work or more."
    )
    title = plain(runs.team_title(name, busiest))
    return f"The busiest team is {title}: {percent(known[busiest])} of its hours on average.{tail}"


def _mean(runs: Runs, name: str | None, metric: str, team: str) -> float:
    draws = runs.samples(name, metric, team)
    known = draws[~np.isnan(draws)]
    return float(known.mean()) if known.size else float("nan")


def contrast_paragraph(contrast: Contrast) -> str:
    """One plan against its base, with what its numbers are."""
    return f"{contrast_found(contrast)} {contrast_terms(contrast)}"


def contrast_found(contrast: Contrast) -> str:
    """Differences of a plan to its base at the longest horizon, intervals, chances of improvement, verdicts."""
    arr, cost, value = (contrast.row(metric) for metric in ("arr", "cs_cost", "net_value"))
    return (
        f"**{capital(plain(contrast.scenario))} against {plain(contrast.base)}**, {arr['horizon_months']} months on. "
        f"ARR: {_with_interval(arr, contrast.currency)}, higher with probability {chance(arr['p_better'])}. "
        f"Cost of customer success: {_with_interval(cost, contrast.currency)}. "
        f"Net value: {_with_interval(value, contrast.currency)}, better with probability {chance(value['p_better'])}. "
        f"On ARR: {contrast.verdict('arr')}; on net value: {contrast.verdict('net_value')}."
    )


def contrast_terms(contrast: Contrast) -> str:
    """Kind of interval, what a verdict asks for, and what net value is: the same for all plans that ran together."""
    kind = contrast.table.attrs["interval"]["kind"]
    return (
        f"Medians of differences with 90 % intervals ({kind}, {contrast.draws} paired draws); for a verdict "
        f"{100 * SURE:.0f} % of draws have to agree. Net value is {DEFINITIONS['net_value']} ({GROSS_MARGIN_SOURCE})."
    )


def _with_interval(row: object, currency: str) -> str:
    low, median, high = (money(row[key], currency, sign=True) for key in ("q05", "q50", "q95"))  # type: ignore[index]
    return f"{median} ({low} to {high})"


def compare_summary(runs: Runs) -> str:
    """The base in words, every other plan against it, and what the answer rests on."""
    contrasts = runs.contrasts()
    best = max(contrasts, key=lambda contrast: float(contrast.row("net_value")["mean"]))
    row = best.row("net_value")
    if row["mean"] > 0:
        verdict = (
            f"Of the plans compared, {plain(best.scenario)} has the highest mean net value, better than "
            f"{plain(best.base)} with probability {chance(row['p_better'])}."
        )
    else:
        verdict = f"None of the plans compared has a higher mean net value than {plain(best.base)}."
    found = [contrast_found(contrast) for contrast in contrasts]
    return "\n\n".join([run_summary(runs), verdict, *found, contrast_terms(best), assumptions(runs)])


def calibration(runs: Runs) -> str:
    """Which posterior the numbers were drawn from and whether its checks passed; empty without one."""
    known = runs.calibrated
    if known is None:
        return ""
    verdict = {
        "PASS": "Its checks passed.",
        "REVIEW": "Its checks ask for a review: see the summary of the calibration.",
        "FAIL": "**Its checks FAILED and this run was forced: do not rely on these numbers.**",
    }[known.status]
    books = {runs.outcome(name).setup.book_fingerprint for name in runs.names}
    other = "" if books == {known.book_fingerprint} else " It was made from another book, or as of another day."
    return (
        f"{known.learned} numbers were learned from the book {known.book} and drawn from its posterior "
        f"({known.fingerprint[:12]}). {verdict}{other} Before the book spoke,"
    )


def assumptions(runs: Runs) -> str:
    """Which of the model's numbers are judgement rather than measurement, with their grades."""
    rows = parameters()
    used = [row for row in rows.values() if row.label in ("assumed", "calibrated")]
    judged = sum(row.grade == "D" for row in used)
    carriers = [f"{words} (grade {rows[name].grade}: {rows[name].source})" for name, words in CARRIED_BY.items()]
    spread = "held fixed" if runs.fixed_parameters else "drawn from their priors"
    learned = f"{calibration(runs)} " if runs.calibrated else ""
    what = "what was not learned is" if runs.calibrated else "they are"
    return (
        f"**What this rests on.** {learned}{judged} of {len(used)} parameters are judgement (grade D), not "
        f"measurement; {what} {spread}. Differences between plans run through {' and through '.join(carriers)}. They "
        "are what the model says under these assumptions, not measured effects. List them with `subsim parameters`."
    )


def declared_effects(scenarios: Sequence[Scenario]) -> str:
    """The effects that scenarios declare, each with its source and statement; nothing where none does."""
    lines = [
        f"- {effect.parameter}{f' of {listed(list(effect.keys.values()))}' if effect.keys else ''}: "
        f"{effect.kind.replace('_', ' ')}, {effect.statement}"
        for scenario in scenarios
        for effect in scenario.effects
    ]
    return "**Declared effects.**\n\n" + "\n".join(dict.fromkeys(lines)) if lines else ""


def staffing_paragraph(staffing: Staffing, one: TeamStaffing) -> str:
    """The counts that hold up for a team, what one more seat than today adds, and how sure that is."""
    scenario, choice = staffing.scenario, one.choice
    title = plain(scenario.teams[one.response.team].title or one.response.team)
    return " ".join(
        [f"**{capital(title)}.**", _verdict(staffing, one), _next_seat(staffing, one), _limits(choice)]
    ).strip()


def _verdict(staffing: Staffing, one: TeamStaffing) -> str:
    choice, currency = one.choice, staffing.scenario.currency
    if not choice.best:
        return "No count that was tried keeps the limits."
    expected = dict(zip(choice.table["seats"], choice.table["expected"].astype(float), strict=True))
    after = f"after {choice.horizon_months} months"
    if len(choice.best) == 1:
        value = money(expected[choice.best[0]], currency)
        return f"{choice.best[0]} seats have the highest expected net value ({value} {after}); it is {one.today} today."
    counts = listed([str(count) for count in sorted(choice.best)])
    return (
        f"No count is best: {counts} seats cannot be told apart (expected net value within "
        f"{money(choice.worth, currency)} {after}, on draws that had no part in choosing them); "
        f"it is {one.today} today."
    )


def _next_seat(staffing: Staffing, one: TeamStaffing) -> str:
    table = one.response.marginal()
    rows = table[(table["seats_from"] == one.today) & (table["horizon_months"] == one.choice.horizon_months)]
    if rows.empty:
        return ""
    arr, value = (rows[rows["metric"] == metric].iloc[0] for metric in ("arr", "net_value"))
    currency = staffing.scenario.currency
    low, mean, high = (money(arr[key], currency, sign=True) for key in ("q05", "mean", "q95"))
    return (
        f"One seat more than today: ARR {mean} on average (90 % interval {low} to {high}), and it pays for itself in "
        f"{chance(value['p_better'])} of draws."
    )


def _limits(choice: Choice) -> str:
    if choice.limits.grr_floor is None:
        return ""
    return (
        f"Counted are sizes at which GRR falls below {percent(choice.limits.grr_floor)} with at most "
        f"{percent(choice.limits.risk)} chance."
    )
