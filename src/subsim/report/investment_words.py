"""Investments in time to value in words: days, what they bring, what they may cost, what other work loses."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Final

from subsim.experiment.contrast import GROSS_MARGIN, GROSS_MARGIN_SOURCE
from subsim.report.words import capital, chance, listed, money, percent, plain
from subsim.scenario.effects import carriers

if TYPE_CHECKING:
    from subsim.experiment.investments import Investment
    from subsim.experiment.time_to_value import TimeToValue

#: A rise of the dropped share of a team's work that is worth a sentence.
WORTH_SAYING: Final = 0.005
#: Effects through which sooner value works; the rest of what a lever moves is not the question here.
_ON_THE_WAY: Final = ("engagement.ttv_effect", "renewal.engagement", "renewal.not_onboarded")


def paragraphs(found: TimeToValue) -> str:
    """A paragraph for each investment, and one on what all rest on."""
    return "\n\n".join([*(_investment(found, each) for each in found.investments), _rests_on(found)])


def _investment(found: TimeToValue, each: Investment) -> str:
    return " ".join([f"**{capital(plain(each.name))}.**", _days(found, each), _brings(found, each), _cost(found, each)])


def _days(found: TimeToValue, each: Investment) -> str:
    mean, median = (found.days_row(each.name, measure) for measure in ("ttv_mean", "ttv_median"))
    if mean["mean"] == 0 == mean["q05"] == mean["q95"]:
        return f"It moves no customer's first value: {mean['base']:.1f} days on average with and without it."
    ends = f"{-mean['q95']:.1f} to {-mean['q05']:.1f}"
    return (
        f"New customers reach first value after {mean['with']:.1f} days on average instead of {mean['base']:.1f}: "
        f"{-mean['mean']:.1f} days saved (90 % interval {ends}); median {median['with']:.1f} instead of "
        f"{median['base']:.1f}."
    )


def _brings(found: TimeToValue, each: Investment) -> str:
    arr, churn, grown = (found.row(each.name, metric) for metric in ("arr", "churn", "expansion"))
    first = found.days_row(each.name, "first_renewals")
    told = f" First renewals won: {percent(first['with'], 1)} instead of {percent(first['base'], 1)}."
    return (
        f"After {arr['horizon_months']} months ARR {_with_ends(found, arr)}, lost ARR {_signed(found, churn['mean'])}, "
        f"expansion {_signed(found, grown['mean'])} on average.{'' if isnan(first['base']) else told}"
    )


def _cost(found: TimeToValue, each: Investment) -> str:
    row = found.cost_row(each.name)
    what = "net value after its yearly cost" if each.yearly else "net value"
    ends = f"90 % interval {_signed(found, row['q05'])} to {_signed(found, row['q95'])}"
    error = f"standard error of the mean {money(row['se'], found.currency)}"
    mean = _signed(found, row["mean"])
    told = f"Mean {what} in {row['horizon_months']} months: {mean} ({ends}; {error})"
    if row["mean"] > 0:
        may = f": at most so much may it cost once{_per_day(found, row)}"
    else:
        may = ", so on average nothing is left to pay for it"
    if abs(row["mean"]) < 1.96 * row["se"]:
        may += f" (its sign is not known: {found.runs.draws} draws are too few)"
    yearly = f" and {money(each.yearly, found.currency)} a year" if each.yearly else ""
    price = f"At {money(each.one_off, found.currency)} once{yearly}" if each.one_off else "Without a price paid once"
    return f"{told}{may}. {price} it pays in {chance(row['p_pays'])} of draws: {_said(row)}.{_starves(found, each)}"


def _said(row: Any) -> str:
    return {"better": "it pays", "worse": "it does not pay"}.get(row["verdict"], "whether it pays cannot be told")


def _per_day(found: TimeToValue, row: Any) -> str:
    return "" if isnan(row["per_day"]) else f", {money(row['per_day'], found.currency)} for each day saved"


def _starves(found: TimeToValue, each: Investment) -> str:
    """Teams that drop more of their work, and what other renewals lose."""
    rows = found.work[(found.work["investment"] == each.name) & (found.work["metric"] == "expired_share")]
    worse = [
        f"{plain(found.runs.team_title(None, row['team']))} "
        f"{percent(row['base'] + row['mean'], 1)} instead of {percent(row['base'], 1)}"
        for row in rows.to_dict("records")
        if row["mean"] >= WORTH_SAYING
    ]
    renewals = _other_renewals(found, each)
    if not worse:
        return f" No team drops more of its work than before; {renewals}."
    return f" It takes time from other work, of which more is dropped: {listed(worse)}; {renewals}."


def _other_renewals(found: TimeToValue, each: Investment) -> str:
    """Other renewals in the segment in which they change for the worst."""
    rows = found.days[(found.days["investment"] == each.name) & (found.days["measure"] == "other_renewals")]
    known = [row for row in rows.to_dict("records") if not isnan(row["mean"])]
    if not known:
        return "no other renewals come due"
    worst = min(known, key=lambda row: float(row["mean"]))
    where = "" if worst["segment"] == "all" else f" in {plain(worst['segment'])}"
    return f"other renewals won, at worst{where}: {percent(worst['with'], 1)} instead of {percent(worst['base'], 1)}"


def _rests_on(found: TimeToValue) -> str:
    kind = found.table.attrs["interval"]["kind"]
    known: dict[str, Any] = {}
    for each in found.investments:
        for one in carriers(found.runs.outcome(each.name).scenario):
            if one.parameter in _ON_THE_WAY:
                known[one.parameter] = one.statement
    through = "; ".join(f"{name}: {statement}" for name, statement in known.items())
    return (
        f"Intervals: {kind}, {found.runs.draws} paired draws; days and renewals by customer from {found.traced} of "
        f"them, where each new customer is followed for {found.limit_days:g} days. Net value is "
        f"{percent(GROSS_MARGIN)} gross margin on ARR less cost of customer success ({GROSS_MARGIN_SOURCE}). That "
        f"sooner value makes renewals better is assumed, not shown by a book{f' ({through})' if through else ''}."
    )


def _with_ends(found: TimeToValue, row: Any) -> str:
    low, mean, high = (money(row[key], found.currency, sign=True) for key in ("q05", "mean", "q95"))
    return f"{mean} (90 % interval {low} to {high})"


def _signed(found: TimeToValue, amount: float) -> str:
    return money(amount, found.currency, sign=True)
