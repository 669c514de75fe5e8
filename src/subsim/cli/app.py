"""`subsim`: one thin command for each thing people do. Exit codes: 0 done, 1 the result says no, 2 bad input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from subsim.cli import coverage, forecasting, measuring, process, staff, value
from subsim.cli.options import (
    AsOf,
    BookSource,
    Draws,
    EngineName,
    Fixed,
    Force,
    Json,
    MappingFile,
    NoFigures,
    Out,
    PosteriorFolder,
    ScenarioFile,
    Seed,
    Workers,
)
from subsim.errors import InputError

app = typer.Typer(
    help="Simulate a subscription customer base: where ARR goes, with honest bands, under which coverage plan.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.command()
def run(
    scenario: ScenarioFile,
    draws: Draws = 200,
    seed: Seed = 1,
    workers: Workers = None,
    engine: EngineName = "compiled",
    fixed_parameters: Fixed = False,
    posterior: PosteriorFolder = None,
    force: Force = False,
    out: Out = Path("results"),
    no_figures: NoFigures = False,
    as_json: Json = False,
) -> None:
    """Forecast one scenario: monthly table, ARR fan, bridge, load on teams.

    Example: `subsim run scenarios/baseline.yaml --draws 500`
    """
    from subsim.cli import drawing

    with drawing.drawer(wanted=not no_figures, workers=workers) as drawer:
        from subsim.cli import reading, screen, work
        from subsim.report import prose
        from subsim.scenario import load_scenario

        options = work.Options(
            draws, seed, workers, engine, fixed_parameters, out, not no_figures, as_json, posterior, force, drawer
        )
        books = reading.Books(out)
        runs = work.simulate([load_scenario(scenario)], options, books.read)
        folder = work.keep(runs, options)
        books.keep()
        if as_json:
            screen.print_json(work.run_json(runs))
            return
        screen.show_run(runs, runs.names[0])
        screen.show_text(prose.run_summary(runs))
        screen.out.print(f"\nWritten to {folder}")


@app.command()
def compare(
    base: ScenarioFile,
    others: Annotated[list[Path], typer.Argument(metavar="OTHER...", help="Scenario files to compare with it.")],
    draws: Draws = 200,
    seed: Seed = 1,
    workers: Workers = None,
    engine: EngineName = "compiled",
    fixed_parameters: Fixed = False,
    posterior: PosteriorFolder = None,
    force: Force = False,
    out: Out = Path("results"),
    no_figures: NoFigures = False,
    drivers: Annotated[
        bool, typer.Option("--drivers", help="Also run every change alone: what drives the gap.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare scenarios with a base, draw by draw: differences, intervals, P(better).

    Example: `subsim compare scenarios/baseline.yaml scenarios/two_more_csms.yaml`
    """
    from subsim.cli import drawing

    with drawing.drawer(wanted=not no_figures, workers=workers, compared=True) as drawer:
        from subsim.cli import reading, screen, work
        from subsim.report import prose
        from subsim.scenario import load_scenario

        options = work.Options(
            draws, seed, workers, engine, fixed_parameters, out, not no_figures, as_json, posterior, force, drawer
        )
        plans = [load_scenario(path) for path in (base, *others)]
        books = reading.Books(out)
        runs = work.simulate(plans, options, books.read)
        found = [work.attributed(plans[0], plan, options) for plan in plans[1:]] if drivers else []
        folder = work.keep(runs, options)
        books.keep()
        if as_json:
            screen.print_json(work.compare_json(runs, found))
            return
        screen.show_contrasts(runs.contrasts())
        for one in found:
            screen.show_drivers(one)
        screen.show_text(prose.compare_summary(runs))
        screen.out.print(f"\nWritten to {folder}")


app.command()(forecasting.forecast)


@app.command()
def explain(scenario: ScenarioFile, as_json: Json = False) -> None:
    """Say what a scenario will do, in words and a calendar, before running it.

    Example: `subsim explain scenarios/high_touch.yaml`
    """
    from subsim.cli import screen
    from subsim.scenario import explain as explained
    from subsim.scenario import load_scenario

    loaded = load_scenario(scenario)
    if as_json:
        screen.print_json({"scenario": loaded.to_dict(), "text": explained(loaded)})
    else:
        screen.show_plain(explained(loaded))


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="Scenario file.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Scenario file to compare it with.")],
    as_json: Json = False,
) -> None:
    """Say in what two scenarios differ.

    Example: `subsim diff scenarios/baseline.yaml scenarios/high_touch.yaml`
    """
    from subsim.cli import screen
    from subsim.scenario import changes, load_scenario

    found = changes(load_scenario(a), load_scenario(b))
    if as_json:
        rows = [{"path": change.path, "before": change.before, "after": change.after} for change in found]
        screen.print_json({"a": str(a), "b": str(b), "changes": rows})
    else:
        screen.show_plain("\n".join(map(str, found)) or "no difference")


@app.command()
def trace(
    scenario: ScenarioFile,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Account whose story is told.")],
    draw: Annotated[int, typer.Option("--draw", metavar="N", min=0, help="Which simulated future.")] = 0,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Tell one account's story in one simulated future.

    Example: `subsim trace scenarios/baseline.yaml --account acc-0001`
    """
    from subsim import engine
    from subsim.cli import screen
    from subsim.experiment.build import build
    from subsim.report.story import story
    from subsim.scenario import load_scenario

    loaded = load_scenario(scenario)
    events = engine.trace(build(loaded, draws=draw + 1, seed=seed), seed=seed, draw=draw)
    text = story(events, account, start=loaded.start, currency=loaded.currency)
    if as_json:
        rows = json.loads(events[events["account_id"] == account].to_json(orient="records"))
        screen.print_json({"account": account, "draw": draw, "seed": seed, "events": rows})
    else:
        screen.show_plain(text)


@app.command()
def check(
    book: BookSource,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Last day that counts, for example 2026-06-30.")
    ] = None,
    mapping: MappingFile = None,
    quarantine: Annotated[
        Path | None, typer.Option("--quarantine", metavar="FILE", help="New file for rows that break rules.")
    ] = None,
    propose_mapping: Annotated[
        bool, typer.Option("--propose-mapping", help="Only print a first guess of a mapping file.")
    ] = False,
    definitions: Annotated[
        bool, typer.Option("--definitions", help="Also say what other definitions of each metric would give.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read a customer base: its ARR bridge, what is wrong in it, and what it can identify. Exit 1 if rows break rules.

    Example: `subsim check data/acme --as-of 2026-06-30`
    """
    from subsim.book import BookProblems, read_book
    from subsim.book.propose import propose_mapping as guess
    from subsim.cli import checking, screen

    if propose_mapping:
        text = guess(book)
        if as_json:
            screen.print_json({"mapping": text})
        else:
            screen.show_plain(text.rstrip())
        return
    if as_of is None:
        raise InputError(where="--as-of", found="nothing", allowed="the last day that counts, such as 2026-06-30")
    try:
        known = read_book(book, as_of=as_of, mapping=mapping, quarantine=quarantine)
    except BookProblems as broken:
        if as_json:
            screen.print_json(checking.broken_json(book, as_of, broken.problems))
        else:
            checking.show_problems(broken.problems)
            screen.err.print("Correct these rows, or set them aside with --quarantine FILE.")
        raise typer.Exit(1) from None
    if as_json:
        screen.print_json(checking.check_json(known, definitions=definitions))
    else:
        checking.show(known, definitions=definitions)


@app.command()
def rates(
    book: BookSource,
    as_of: AsOf,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Parameter file to write (YAML).")],
    mapping: MappingFile = None,
    as_json: Json = False,
) -> None:
    """Count simple rates in a customer base and write them as a parameter file for scenarios.

    Example: `subsim rates data/acme --as-of 2026-06-30 -o acme_rates.yaml`
    """
    from subsim.book import read_book
    from subsim.cli import books, screen

    rows = books.write_rates(read_book(book, as_of=as_of, mapping=mapping), output)
    if as_json:
        screen.print_json({"written": str(output), "rates": rows})
    else:
        screen.show_plain(f"{len(rows)} rates written to {output}")


@app.command()
def calibrate(
    book: Annotated[str, typer.Argument(metavar="BOOK", help="Folder, file or PostgreSQL URL of the customer base.")],
    as_of: AsOf,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for the posterior and its report.")
    ] = None,
    mapping: MappingFile = None,
    priors: Annotated[Path | None, typer.Option("--priors", metavar="FILE", help="Priors of your own (YAML).")] = None,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", metavar="FILE", help="Replay the last year with its people and tiers.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Draws kept of each chain.")] = 500,
    tune: Annotated[int, typer.Option("--tune", help="Steps of each chain before them.")] = 500,
    chains: Annotated[int, typer.Option("--chains", help="Chains.")] = 4,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Learn from a customer base what it can teach about the model, and say what stays assumed.

    Example: `subsim calibrate data/acme --as-of 2026-06-30 -o acme_posterior`
    """
    from subsim.cli import calibrating

    sizes = calibrating.Sizes(draws, tune, chains, seed)
    calibrating.calibrate_book(book, as_of, mapping, priors, scenario, output, sizes, as_json=as_json)


@app.command()
def parameters(as_json: Json = False) -> None:
    """List every number of the model with unit, source, grade and label.

    Example: `subsim parameters --json`
    """
    from subsim.cli import books, screen

    if as_json:
        screen.print_json({"parameters": books.parameter_rows()})
    else:
        books.show_parameters()


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write.")] = Path("demo"),
    as_json: Json = False,
) -> None:
    """Write the demo company, whose truth is known, and its scenarios, to start from.

    Example: `subsim demo my_company`
    """
    from subsim.cli import screen
    from subsim.experiment.demo import write_demo

    write_demo(folder)
    if as_json:
        screen.print_json({"written": str(folder)})
    else:
        screen.show_plain(f"Written to {folder}")


@app.command()
def warmup(as_json: Json = False) -> None:
    """Compile the engine now, so that the first run starts at once.

    Example: `subsim warmup`
    """
    from subsim.cli import screen
    from subsim.experiment.run import warm_up

    with screen.progress(1, quiet=as_json):
        warm_up()
    if as_json:
        screen.print_json({"compiled": True})
    else:
        screen.show_plain("The engine is compiled.")


app.command()(staff.staff)


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder or id of a run, or latest.")],
    html: Annotated[bool, typer.Option("--html", help="One page that needs nothing else.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="File to write; in the run's folder if not given."),
    ] = None,
    posterior: Annotated[
        Path | None, typer.Option("--posterior", help="Where the calibration is, if it has moved since.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Write a report of a run: forecast, decision, load on teams, what was learned and what is assumed.

    Example: `subsim report latest --html`
    """
    from subsim.cli import reporting, screen

    reporting.check_formats(html=html)
    path = reporting.write_html(run, out, output, posterior, force=force)
    if as_json:
        screen.print_json({"html": str(path)})
    else:
        screen.show_plain(f"Written to {path}")


app.command()(coverage.coverage)
app.command()(value.ttv)
app.command()(measuring.pilot)
app.command()(measuring.sensitivity)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the command; `arguments` in place of the process's own."""
    process.main(app, arguments)
