"""The command that asks what faster time to value is worth: what is printed and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subsim.cli.options import Draws, Force, Json, PosteriorFolder, ScenarioFile, Seed, Workers
from subsim.errors import InputError

if TYPE_CHECKING:
    from subsim.experiment.investments import Investment
    from subsim.experiment.time_to_value import TimeToValue

Plans = Annotated[list[Path], typer.Argument(metavar="PLAN...", help="Scenario files, one for each investment.")]


def ttv(
    scenario: ScenarioFile,
    plans: Plans,
    one_off: Annotated[
        list[str] | None, typer.Option("--one-off", metavar="MONEY", help="Cost once, such as $60k; one for each PLAN.")
    ] = None,
    yearly: Annotated[
        list[str] | None, typer.Option("--yearly", metavar="MONEY", help="Cost a year; one for each PLAN.")
    ] = None,
    follow: Annotated[
        str, typer.Option("--follow", metavar="DAYS", help="How long a new customer is followed.")
    ] = "180 days",
    draws: Draws = 200,
    seed: Seed = 1,
    workers: Workers = None,
    posterior: PosteriorFolder = None,
    force: Force = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for picture, tables and text.")] = None,
    as_json: Json = False,
) -> None:
    """What is faster time to value worth? Days saved, ARR, renewals, what it may cost, and what other work loses.

    Example: `subsim ttv scenarios/baseline.yaml scenarios/faster_onboarding.yaml --one-off "$60k"`
    """
    from subsim.cli import screen, work
    from subsim.cli.deliver import deliver
    from subsim.experiment.investments import investment
    from subsim.experiment.time_to_value import time_to_value
    from subsim.scenario import load_scenario

    base, *others = (load_scenario(path) for path in (scenario, *plans))
    costs = zip(others, _each("--one-off", one_off, len(others)), _each("--yearly", yearly, len(others)), strict=True)
    chosen: list[Investment] = [
        investment(plan.name, scenario=plan, one_off=once, yearly=year) for plan, once, year in costs
    ]
    with screen.progress(draws * (1 + len(chosen)), quiet=as_json) as progress:
        found = time_to_value(
            base,
            chosen,
            draws=draws,
            seed=seed,
            follow=follow,
            workers=workers,
            posterior=work.posterior_of(posterior),
            force=force,
            progress=progress,
        )
    tables = {"differences": found.table, "days": found.days, "break_even": found.break_even, "work": found.work}
    figures = {"time_to_value": found.figure}
    deliver(found, _show, name="time_to_value", tables=tables, figures=figures, out=out, as_json=as_json)


def _each(option: str, given: Sequence[str] | None, count: int) -> list[str]:
    """A cost for each plan."""
    if given and len(given) != count:
        raise InputError(where=option, found=f"{len(given)} of them", allowed=f"one for each PLAN, so {count}, or none")
    return list(given or ["0"] * count)


def _show(found: TimeToValue) -> None:
    from rich import box
    from rich.table import Table

    from subsim.cli import screen
    from subsim.report.words import chance, money, plain

    months = int(found.break_even["horizon_months"].max())
    title = f"Time to value: against {plain(found.base)} after {months} months ({found.runs.draws} draws)"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("investment", min_width=13)
    for head in ("days", "saved", "ARR", "net value", "90 % interval", "P(pays)"):
        table.add_column(head, justify="right", no_wrap=True)
    for each in found.investments:
        days, arr, cost = found.days_row(each.name), found.row(each.name, "arr"), found.cost_row(each.name)
        low, mean, high = (money(cost[key], found.currency, sign=True) for key in ("q05", "mean", "q95"))
        table.add_row(
            plain(each.name),
            f"{days['with']:.1f}",
            f"{-days['mean']:.1f}",
            money(arr["mean"], found.currency, sign=True),
            mean,
            f"{low} to {high}",
            chance(cost["p_pays"]),
        )
    screen.out.print(table)
    screen.show_text(found.text)
