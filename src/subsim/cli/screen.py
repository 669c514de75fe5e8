"""What the terminal shows: progress, tables, and a fan of ARR in characters."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from subsim.experiment.quantiles import LEVELS
from subsim.experiment.results import month_ends
from subsim.report.words import capital, chance, money, month, percent, plain

if TYPE_CHECKING:
    from subsim.experiment.attribution import Attribution
    from subsim.experiment.contrast import Contrast
    from subsim.experiment.results import Runs

COMPILE_SECONDS = 60
FAN_ROWS = 9
FAN_COLUMNS = 60

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(data: Any) -> None:
    """One JSON object on standard output; equal data are equal bytes."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n")


@contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while draws are simulated, where somebody sees it; says so when the engine compiles."""
    from subsim import _jit, engine  # noqa: F401 - the engine registers what has to be compiled

    if _jit.needs_compiling() and not quiet:
        err.print(f"Compiling the engine once, about {COMPILE_SECONDS} s; later runs start at once.")
    if quiet or not err.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TextColumn("draws"), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=total)
        began = time.monotonic()
        yield lambda done: bar.advance(task, done)
    err.print(f"simulated {total} draws in {time.monotonic() - began:.1f} s")


def show_run(runs: Runs, name: str) -> None:
    """Fan, yearly table and teams of one scenario."""
    out.print(f"\n[bold]{capital(plain(name))}[/bold]  {runs.draws} draws, seed {runs.seed}")
    out.print(fan_text(runs, name), style="blue")
    out.print(_outlook(runs, name))
    if not np.isnan(runs.samples(name, "utilisation")).all():
        out.print(_teams(runs, name))


def show_contrasts(contrasts: Sequence[Contrast]) -> None:
    """Differences to the base at the longest horizon."""
    first = contrasts[0]
    horizon = int(first.row("arr")["horizon_months"])
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"Difference to {plain(first.base)} after {horizon} months",
        title_justify="left",
        padding=(0, 1, 0, 0),
    )
    table.add_column("plan", min_width=13)  # words, not letters, on a terminal of 80 columns
    for head in ("ARR", "90 % interval", "P(more)", "CS cost", "net value", "P(pays)"):
        table.add_column(head, justify="right", no_wrap=True)
    for contrast in contrasts:
        arr, cost, value = (contrast.row(metric) for metric in ("arr", "cs_cost", "net_value"))
        signed = [
            money(x, first.currency, sign=True) for x in (arr["q50"], arr["q05"], arr["q95"], cost["q50"], value["q50"])
        ]
        table.add_row(
            plain(contrast.scenario),
            signed[0],
            f"{signed[1]} to {signed[2]}",
            chance(arr["p_better"]),
            signed[3],
            signed[4],
            chance(value["p_better"]),
        )
    out.print(table)


def show_drivers(found: Attribution) -> None:
    """ARR and net value of every change alone, the interaction and the total, at the longest horizon."""
    horizon = int(found.table["horizon_months"].max())
    rows = found.table[found.table["horizon_months"] == horizon].to_dict("records")
    of = {(row["metric"], row["driver"]): row for row in rows}
    title = f"What drives {plain(found.scenario)}, after {horizon} months"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for head in ("change alone", "ARR", "90 % interval", "net value"):
        table.add_column(head, justify="left" if head == "change alone" else "right")
    currency = found.table.attrs["currency"]
    for driver in dict.fromkeys(row["driver"] for row in rows):
        arr, value = of["arr", driver], of["net_value", driver]
        low, mean, high = (money(arr[key], currency, sign=True) for key in ("q05", "mean", "q95"))
        table.add_row(driver, mean, f"{low} to {high}", money(value["mean"], currency, sign=True))
    out.print(table)


def show_plain(text: str) -> None:
    """Text as it is, for the terminal to wrap."""
    out.print(text, markup=False, soft_wrap=True)


def show_text(markdown: str) -> None:
    """Prose, wrapped for the terminal."""
    from rich.markdown import Markdown  # slow to import, and only text for people needs it

    out.print(Markdown(markdown))


def fan_text(runs: Runs, name: str) -> str:
    """ARR by month in characters: light shade holds 90 %, dark shade 50 %, blocks the median."""
    draws = runs.samples(name, "arr")
    shown = np.unique(np.linspace(0, draws.shape[1] - 1, min(draws.shape[1], FAN_COLUMNS)).astype(int))
    levels = np.quantile(
        draws[:, shown], [LEVELS["q05"], LEVELS["q25"], LEVELS["q50"], LEVELS["q75"], LEVELS["q95"]], axis=0
    )
    low, high = float(levels.min()), float(levels.max())
    step = (high - low) / (FAN_ROWS - 1) or 1.0
    rows = np.rint((levels - low) / step).astype(int)
    currency = runs.outcome(name).scenario.currency
    lines = []
    for row in reversed(range(FAN_ROWS)):
        cells = "".join(_cell(row, *(int(x) for x in column)) for column in rows.T)
        label = money(low + row * step, currency) if row in (0, FAN_ROWS // 2, FAN_ROWS - 1) else ""
        lines.append(f"{label:>9} {cells}")
    return "\n".join(lines)


def _cell(row: int, q05: int, q25: int, q50: int, q75: int, q95: int) -> str:
    if row == q50:
        return "█"
    return "▒" if q25 <= row <= q75 else "░" if q05 <= row <= q95 else " "


def _outlook(runs: Runs, name: str) -> Table:
    currency = runs.outcome(name).scenario.currency
    days = month_ends(runs.outcome(name).setup)
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("month end", no_wrap=True)
    for head in ("ARR median", "90 % interval", "GRR", "NRR", "accounts"):
        table.add_column(head, justify="right", no_wrap=True)
    for i in [m - 1 for m in (3, 6, 12, 24, 36, 48, 60) if m < len(days)] + [len(days) - 1]:
        low, median, high = (
            money(x, currency) for x in np.quantile(runs.samples(name, "arr")[:, i], [0.05, 0.5, 0.95])
        )
        ratios = [percent(float(np.median(runs.samples(name, metric)[:, i])), 1) for metric in ("grr_ttm", "nrr_ttm")]
        logos = f"{np.median(runs.samples(name, 'logos')[:, i]):,.0f}"
        table.add_row(month(days[i]), median, f"{low} to {high}", *ratios, logos)
    return table


def _teams(runs: Runs, name: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("team")
    for head in ("busy", "work dropped", "wait, days"):
        table.add_column(head, justify="right", no_wrap=True)
    for team in runs.groups(name, "utilisation")[:-1]:
        load, dropped, wait = (
            _mean(runs.samples(name, metric, team)) for metric in ("utilisation", "expired_share", "wait_days")
        )
        table.add_row(
            plain(runs.team_title(name, team)),
            percent(load),
            percent(dropped),
            "n/a" if np.isnan(wait) else f"{wait:.1f}",
        )
    return table


def _mean(draws: np.ndarray[Any, Any]) -> float:
    known = draws[~np.isnan(draws)]
    return float(known.mean()) if known.size else float("nan")
