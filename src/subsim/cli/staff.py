"""`subsim staff`: how many people, in one team or in several together."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from subsim.cli.options import Draws, Fixed, Force, Json, PosteriorFolder, ScenarioFile, Seed, Workers


def staff(
    scenario: ScenarioFile,
    team: Annotated[list[str], typer.Option("--team", metavar="TEAM", help="Team to size; may be repeated.")],
    seats: Annotated[
        list[str], typer.Option("--seats", metavar="LOW..HIGH", help="Counts to try, one after each --team.")
    ],
    grr_floor: Annotated[
        str | None, typer.Option("--grr-floor", metavar="SHARE", help="GRR to keep, such as 85 %.")
    ] = None,
    risk: Annotated[str, typer.Option("--risk", metavar="SHARE", help="Chance allowed below that floor.")] = "5 %",
    together: Annotated[
        bool, typer.Option("--together", help="Size the teams together: which combinations no other beats.")
    ] = False,
    draws: Draws = 200,
    seed: Seed = 1,
    workers: Workers = None,
    fixed_parameters: Fixed = False,
    posterior: PosteriorFolder = None,
    force: Force = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for pictures, curve and text.")] = None,
    as_json: Json = False,
) -> None:
    """How many people? ARR, retention, waits and value by the number of seats in a team.

    Example: `subsim staff scenarios/baseline.yaml --team mid_touch --seats 2..12`
    """
    from subsim import units
    from subsim.cli import frontier, screen, staffing, work
    from subsim.cli.deliver import deliver
    from subsim.scenario import load_scenario
    from subsim.staffing.choice import Limits
    from subsim.staffing.staff import staff as answer

    wanted = staffing.pairs(team, seats)
    floor = None if grr_floor is None else units.share(grr_floor, where="--grr-floor")
    limits = Limits(grr_floor=floor, risk=units.share(risk, where="--risk"))
    options: dict[str, Any] = {"seed": seed, "limits": limits, "workers": workers, "fixed_parameters": fixed_parameters}
    options |= {"posterior": work.posterior_of(posterior), "force": force}
    if together:
        frontier.together(load_scenario(scenario), wanted, draws=draws, out=out, as_json=as_json, **options)
        return
    total = draws * sum(len(set(counts)) for counts in wanted.values())
    with screen.progress(total, quiet=as_json) as progress:
        found = answer(load_scenario(scenario), seats=wanted, draws=draws, progress=progress, **options)
    figures = {f"seats_{one}": partial(found.figure, one) for one in wanted}
    tables = {"curve": found.table}
    deliver(found, staffing.show, name="staffing", tables=tables, figures=figures, out=out, as_json=as_json)
