"""Commands that ask what to measure: pilots designed before they are run, and what moves a forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subsim.cli.options import Draws, Force, Json, PosteriorFolder, ScenarioFile, Seed, Workers
from subsim.errors import InputError

if TYPE_CHECKING:
    from subsim.experiment.pilot_design import PilotDesign
    from subsim.experiment.sensitivity import Sensitivity

OutFolder = Annotated[Path | None, typer.Option("--out", help="Folder for picture, table and text.")]
SHOWN = 12


def pilot(
    base: ScenarioFile,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="Scenario file of the decision.")],
    touch: Annotated[
        str, typer.Option("--touch", help="The touch whose lift the decision rests on.")
    ] = "business_review",
    every: Annotated[str, typer.Option("--every", help="How often the treated half gets it.")] = "1 month",
    accounts: Annotated[
        str, typer.Option("--accounts", metavar="N,N", help="Sizes to try, both halves together.")
    ] = "60,120,240",
    months: Annotated[str, typer.Option("--months", metavar="N,N", help="Lengths to try.")] = "6,12",
    fixed_cost: Annotated[
        str, typer.Option("--fixed-cost", metavar="MONEY", help="Cost besides the extra hours.")
    ] = "0",
    repeats: Annotated[int, typer.Option("--repeats", help="Simulated pilots of each size and length.")] = 1,
    draws: Annotated[int, typer.Option("--draws", help="Futures of each plan at each of five lifts.")] = 50,
    seed: Seed = 1,
    workers: Workers = None,
    posterior: PosteriorFolder = None,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Is a pilot worth running before this decision, and which is the smallest that is?

    Example: `subsim pilot scenarios/baseline.yaml scenarios/high_touch.yaml --accounts 60,120 --months 12`
    """
    import subsim as ss
    from subsim.cli import screen, work
    from subsim.cli.deliver import deliver
    from subsim.scenario import load_scenario

    sizes, lengths = _numbers("--accounts", accounts), _numbers("--months", months)
    with screen.progress(10 * draws + len(sizes) * len(lengths) * repeats, quiet=as_json) as progress:
        found = ss.design_pilot(
            load_scenario(base),
            load_scenario(plan),
            touch=touch,
            every=every,
            accounts=sizes,
            months=lengths,
            fixed_cost=fixed_cost,
            repeats=repeats,
            draws=draws,
            seed=seed,
            workers=workers,
            posterior=work.posterior_of(posterior),
            progress=progress,
        )
    figures = {"pilot": found.figure}
    deliver(
        found, _show_pilots, name="pilot", tables={"pilots": found.table}, figures=figures, out=out, as_json=as_json
    )


def sensitivity(
    scenario: ScenarioFile,
    base: Annotated[
        Path | None, typer.Option("--base", metavar="FILE", help="Explain the difference to this scenario.")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="arr, grr_ttm, nrr_ttm, churn, net_value ...")] = "arr",
    horizon: Annotated[
        int | None, typer.Option("--horizon", metavar="MONTHS", help="Where it is read; the end if not given.")
    ] = None,
    totals: Annotated[
        int, typer.Option("--totals", metavar="N", help="Also the total effect of the N largest, one more run each.")
    ] = 0,
    draws: Draws = 500,
    seed: Seed = 1,
    workers: Workers = None,
    posterior: PosteriorFolder = None,
    force: Force = False,
    out: OutFolder = None,
    as_json: Json = False,
) -> None:
    """Which numbers move the forecast most, and which of them are assumed?

    Example: `subsim sensitivity scenarios/baseline.yaml --metric arr --horizon 12`
    """
    from subsim.cli import screen, work
    from subsim.cli.deliver import deliver
    from subsim.experiment.sensitivity import sensitivity as answer
    from subsim.scenario import load_scenario

    plans = 1 if base is None else 2
    with screen.progress(draws * plans * (1 + max(0, totals)), quiet=as_json) as progress:
        found = answer(
            load_scenario(scenario),
            None if base is None else load_scenario(base),
            metric=metric,
            horizon_months=horizon,
            totals=max(0, totals),
            draws=draws,
            seed=seed,
            workers=workers,
            posterior=work.posterior_of(posterior),
            force=force,
            progress=progress,
        )
    tables, figures = {"numbers": found.table}, {"sensitivity": found.figure}
    deliver(found, _show_numbers, name="sensitivity", tables=tables, figures=figures, out=out, as_json=as_json)


def _numbers(option: str, text: str) -> list[int]:
    """Whole numbers of an option.

    >>> _numbers("--months", "6, 12")
    [6, 12]
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        raise InputError(where=option, found=repr(text), allowed="whole numbers with commas between, such as 60,120")
    return [int(part) for part in parts]


def _show_pilots(found: PilotDesign) -> None:
    from math import isinf

    from rich import box
    from rich.table import Table

    from subsim.cli import screen
    from subsim.report.words import chance, money

    table = Table(box=box.SIMPLE_HEAD, title="Pilots", title_justify="left", padding=(0, 1, 0, 0))
    for head in ("accounts", "months", "error", "P(changes)", "worth", "wait", "cost", "net"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in found.table.to_dict("records"):
        amounts = (money(row[key], found.currency) for key in ("evsi", "delay_cost", "pilot_cost", "net_benefit"))
        error = "-" if isinf(row["error"]) or row["p_learns"] == 0 else f"{row['error']:.3f}"
        table.add_row(str(row["accounts"]), str(row["months"]), error, chance(row["p_changes"]), *amounts)
    screen.out.print(table)
    screen.show_text(found.text)


def _show_numbers(found: Sensitivity) -> None:
    from rich import box
    from rich.table import Table

    from subsim.cli import screen
    from subsim.report.sensitivity_words import metric_name, shown
    from subsim.report.words import percent, plain

    title = f"What moves {metric_name(found)} after {found.horizon_months} months ({found.runs.draws} draws)"
    table = Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        padding=(0, 1, 0, 0),
        caption=f"* beyond what numbers without effect would show ({percent(found.noise, 1)})",
        caption_justify="left",
    )
    for head in ("number", "rests on", "alone", "90 %", "at low", "at high"):
        table.add_column(head, justify="left" if head in ("number", "rests on") else "right")
    for row in found.table.head(SHOWN).to_dict("records"):
        low, high = (percent(max(0.0, row[key])) for key in ("low", "high"))
        table.add_row(
            f"{row['parameter']} {plain(row['of'])}".strip(),
            row["rests_on"],
            f"{percent(row['first_order'])}{'*' if row['stands_out'] else ' '}",
            f"{low} to {high}",
            shown(found, row["at_low"]),
            shown(found, row["at_high"]),
        )
    screen.out.print(table)
    screen.show_text(found.text)
