"""Tables of a report: years, bridge, segments, plans against the base, load on teams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from subsim.experiment.metrics import ALL
from subsim.experiment.results import month_ends
from subsim.report.page import Table
from subsim.report.waterfall import GAINS, LOSSES
from subsim.report.words import capital, chance, money, month, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.contrast import Contrast
    from subsim.experiment.results import Runs

Floats = npt.NDArray[np.float64]
Write = Callable[[float], str]
QUANTILES: Final = (0.05, 0.5, 0.95)


def years(runs: Runs, name: str | None = None) -> list[tuple[int, int]]:
    """First month and month after the last of each year of the horizon; the last may be shorter."""
    months = runs.outcome(name).setup.months
    return [(first, min(first + 12, months)) for first in range(0, months, 12)]


def year_heads(runs: Runs, name: str | None = None) -> tuple[str, ...]:
    """Last months of the years, with the number of months where it is not twelve."""
    days = month_ends(runs.outcome(name).setup)
    return tuple(
        f"to {month(days[last - 1])}{'' if last - first == 12 else f' ({last - first} months)'}"
        for first, last in years(runs, name)
    )


def spread(draws: Floats, write: Write) -> str:
    """Median and central 90 % interval of draws: `$1.0M ($0.8M to $1.3M)`."""
    known = draws[~np.isnan(draws)]
    if not known.size:
        return "n/a"
    low, median, high = (write(float(value)) for value in np.quantile(known, QUANTILES))
    return f"{median} ({low} to {high})"


def by_year(runs: Runs, name: str) -> Table:
    """ARR, retention, accounts and cost of customer success at or over each year."""
    cash = _money(runs, name)
    lines: list[tuple[str, str, Write, bool]] = [
        ("ARR at the end", "arr", cash, False),
        ("GRR, last twelve months", "grr_ttm", lambda value: percent(value, 1), False),
        ("NRR, last twelve months", "nrr_ttm", lambda value: percent(value, 1), False),
        ("Accounts at the end", "logos", _count, False),
        ("Accounts won", "logos_new", _count, True),
        ("Accounts lost", "logos_lost", _count, True),
        ("Cost of customer success", "cs_cost", cash, True),
    ]
    rows = []
    for title, metric, write, is_sum in lines:
        draws = runs.samples(name, metric)
        parts = [draws[:, a:b].sum(axis=1) if is_sum else draws[:, b - 1] for a, b in years(runs, name)]
        rows.append((title, *(spread(part, write) for part in parts)))
    caption = f"{capital(plain(name))} by year: medians with central 90 % intervals"
    return Table(caption, ("", *year_heads(runs, name)), tuple(rows))


def bridge(runs: Runs, name: str) -> Table:
    """Opening ARR, movements and closing ARR by year: means, which add up, with central 90 % intervals."""
    arr = np.concatenate([np.full((runs.draws, 1), runs.opening_arr(name)), runs.samples(name, "arr")], axis=1)
    cash = _money(runs, name)

    def cell(draws: Floats, sign: int = 1) -> str:
        low, high = sorted(sign * np.quantile(draws, [0.05, 0.95]))
        mean = money(sign * float(draws.mean()), runs.outcome(name).scenario.currency, sign=True)
        return f"{mean} ({cash(float(low))} to {cash(float(high))})"

    rows = [("Opening ARR", *(cash(float(arr[:, first].mean())) for first, _ in years(runs, name)))]
    for metric in (*GAINS, *LOSSES):
        draws, sign = runs.samples(name, metric), -1 if metric in LOSSES else 1
        cells = (cell(draws[:, first:last].sum(axis=1), sign) for first, last in years(runs, name))
        rows.append((capital(metric), *cells))
    rows.append(("Closing ARR", *(cash(float(arr[:, last].mean())) for _, last in years(runs, name))))
    caption = f"{capital(plain(name))}, ARR bridge by year: means, which add up, with central 90 % intervals"
    return Table(caption, ("", *year_heads(runs, name)), tuple(rows), note="Rounded for reading.")


def segments(runs: Runs, name: str) -> Table:
    """ARR at the end of each year by segment."""
    known = runs.outcome(name).scenario.segments
    rows = []
    for group in runs.groups(name, "arr"):
        draws = runs.samples(name, "arr", group)
        title = "All" if group == ALL else (known[group].title if group in known else "") or capital(plain(group))
        cells = (spread(draws[:, last - 1], _money(runs, name)) for _, last in years(runs, name))
        rows.append((title, *cells))
    caption = f"{capital(plain(name))}, ARR by segment: medians with central 90 % intervals"
    note = "Medians of segments do not add up to the median of all."
    return Table(caption, ("Segment", *year_heads(runs, name)), tuple(rows), note=note)


def plans(contrasts: Sequence[Contrast]) -> Table:
    """Every plan against the base: differences at each year's end, chances of more ARR and of paying off."""
    first = contrasts[0]
    rows = []
    for contrast in contrasts:
        for horizon in _horizons(contrast):
            arr, grr, cost, value = (
                contrast.row(metric, horizon) for metric in ("arr", "grr_ttm", "cs_cost", "net_value")
            )
            rows.append(
                (
                    capital(plain(contrast.scenario)),
                    f"{horizon}",
                    _change(arr, contrast.currency),
                    _points(float(grr["q50"])),
                    _change(cost, contrast.currency),
                    _change(value, contrast.currency),
                    chance(arr["p_better"]),
                    chance(value["p_better"]),
                )
            )
    heads = ("Plan", "Months", "ARR", "GRR (median)", "Cost of CS", "Net value", "P(more ARR)", "P(pays off)")
    caption = f"Differences to {plain(first.base)}: medians with central 90 % intervals over {first.draws} paired draws"
    return Table(caption, heads, tuple(rows), note=f"Net value: {first.table.attrs['definitions']['net_value']}.")


def load(runs: Runs, name: str) -> Table:
    """Busy hours, days waited and items dropped by team and year, means over months and draws."""
    rows = []
    for team in runs.groups(name, "utilisation")[:-1]:
        busy, wait, dropped = (
            runs.samples(name, metric, team) for metric in ("utilisation", "wait_days", "expired_share")
        )
        cells = (
            f"{percent(_mean(busy[:, a:b]))} busy, {_days(_mean(wait[:, a:b]))}, {_share(_mean(dropped[:, a:b]))}"
            for a, b in years(runs, name)
        )
        rows.append((capital(plain(runs.team_title(name, team))), *cells))
    caption = f"{capital(plain(name))}, load on teams: means over months and draws"
    return Table(caption, ("Team", *year_heads(runs, name)), tuple(rows))


def _horizons(contrast: Contrast) -> list[int]:
    """Ends of years, or the longest horizon there is."""
    known = sorted(set(contrast.table["horizon_months"].astype(int)))
    return [months for months in known if months % 12 == 0] or known[-1:]


def _change(row: Any, currency: str) -> str:
    low, median, high = (money(float(row[key]), currency, sign=True) for key in ("q05", "q50", "q95"))
    return f"{median} ({low} to {high})"


def _points(share: float) -> str:
    """A difference of shares in percentage points; nought has no sign."""
    points = round(100 * share, 1)
    return "n/a" if np.isnan(share) else f"{points:+.1f} points" if points else "0.0 points"


def _money(runs: Runs, name: str) -> Write:
    return lambda value: money(value, runs.outcome(name).scenario.currency)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _mean(draws: Floats) -> float:
    known = draws[~np.isnan(draws)]
    return float(known.mean()) if known.size else float("nan")


def _days(value: float) -> str:
    return "no wait known" if np.isnan(value) else f"{value:.1f} days wait"


def _share(value: float) -> str:
    return "nothing due" if np.isnan(value) else f"{percent(value, 1)} dropped"
