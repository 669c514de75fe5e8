"""`subsim coverage`: ways to serve a segment for the same money."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subsim import units
from subsim.cli.options import Draws, Fixed, Force, Json, PosteriorFolder, ScenarioFile, Seed, Workers

if TYPE_CHECKING:
    from subsim.scenario import Scenario


def coverage(
    scenario: ScenarioFile,
    plan: Annotated[
        list[str] | None,
        typer.Option("--plan", metavar="NAME|FILE", help="Ready-made plan or scenario file; may be repeated."),
    ] = None,
    segment: Annotated[
        str | None, typer.Option("--segment", metavar="SEGMENT", help="Whose coverage; the first that people serve.")
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", metavar="TEAM", help="Who would serve it, where nobody does today.")
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option("--threshold", metavar="ARR", help="Below it an account is small; else the median."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="AMOUNT", help="Seats and campaigns a year; today's if not given.")
    ] = None,
    rep_cost: Annotated[
        str | None, typer.Option("--rep-cost", metavar="AMOUNT", help="What a representative costs a year.")
    ] = None,
    list_plans: Annotated[bool, typer.Option("--list", help="Only list the ready-made plans.")] = False,
    draws: Draws = 200,
    seed: Seed = 1,
    workers: Workers = None,
    fixed_parameters: Fixed = False,
    posterior: PosteriorFolder = None,
    force: Force = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the picture, tables and text.")] = None,
    as_json: Json = False,
) -> None:
    """High, low, pooled or tech touch? Ways to serve a segment for the same money, side by side.

    Example: `subsim coverage scenarios/baseline.yaml --plan pooled --plan tech_touch_below`
    """
    from subsim.cli import coverage_screen, screen, work
    from subsim.cli.deliver import deliver
    from subsim.scenario import load_scenario
    from subsim.staffing.coverage import coverage as answer
    from subsim.staffing.touch_models import DEFAULT, MODELS

    if list_plans:
        if as_json:
            screen.print_json({"plans": {name: model.title for name, model in MODELS.items()}, "usual": list(DEFAULT)})
        else:
            screen.show_plain("\n".join(f"{name:<22} {model.title}" for name, model in MODELS.items()))
        return
    wanted = _plans(plan)
    with screen.progress(draws * len(DEFAULT if wanted is None else ["today", *wanted]), quiet=as_json) as progress:
        found = answer(
            load_scenario(scenario),
            segment=segment,
            plans=wanted,
            team=team,
            threshold_cents=None if threshold is None else units.money_cents(threshold, where="--threshold"),
            budget=_amount(budget, "--budget"),
            rep_cost=_amount(rep_cost, "--rep-cost"),
            draws=draws,
            seed=seed,
            workers=workers,
            progress=progress,
            fixed_parameters=fixed_parameters,
            posterior=work.posterior_of(posterior),
            force=force,
        )
    tables, figures = {"plans": found.plans, "tiers": found.table}, {"coverage": found.figure}
    deliver(found, coverage_screen.show, name="coverage", tables=tables, figures=figures, out=out, as_json=as_json)


def _amount(text: str | None, where: str) -> float | None:
    return None if text is None else units.money_cents(text, where=where) / 100


def _plans(names: Sequence[str] | None) -> list[str | Scenario] | None:
    """Names as they are, files as scenarios."""
    from subsim.scenario import load_scenario

    if not names:
        return None
    return [load_scenario(Path(name)) if name.endswith((".yaml", ".yml")) else name for name in names]
