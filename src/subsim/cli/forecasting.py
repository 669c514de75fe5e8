"""`subsim forecast`: the main job in one command, from the book to the board's report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subsim.cli.options import Draws, Json, Out, Seed, Workers

if TYPE_CHECKING:
    from subsim.scenario import Scenario

#: Coverage plans that are compared, the first is the base.
PLANS = ("baseline", "pooled_mid_market", "tech_touch_long_tail", "high_touch", "two_more_csms")


def forecast(
    scenarios: Annotated[Path, typer.Option("--scenarios", help="Folder of scenario files.")] = Path("scenarios"),
    draws: Draws = 200,
    seed: Seed = 1,
    workers: Workers = None,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Calibrate on the demo company's book, compare the shipped coverage plans, write pictures and the report.

    Example: `subsim forecast --draws 500`
    """
    from subsim.cli import reporting, screen, work
    from subsim.report import prose
    from subsim.scenario import explain, load_scenario

    plans = [load_scenario(scenarios / f"{name}.yaml") for name in PLANS]
    if not as_json:
        screen.show_plain(explain(plans[0]))
    learned = _calibrated(plans[0], out, seed, as_json=as_json)
    options = work.Options(draws, seed, workers, "compiled", False, out, figures=True, json=as_json, posterior=learned)
    runs = work.simulate(plans, options)
    folder = work.keep(runs, options)
    reporting.write_html(str(folder), out, None, learned, force=True)
    if as_json:
        screen.print_json(work.compare_json(runs))
        return
    screen.show_run(runs, runs.names[0])
    screen.show_contrasts(runs.contrasts())
    screen.show_text(prose.compare_summary(runs))
    screen.out.print(f"\nReport, pictures, summary, table and manifest are in {folder}:")
    for path in sorted(folder.iterdir()):
        screen.out.print(f"  {path}", markup=False)


def _calibrated(base: Scenario, out: Path, seed: int, *, as_json: bool) -> Path | None:
    """What the base's book teaches, written into the folder of results; nothing where it has no book."""
    from subsim.calibrate import calibrate
    from subsim.cli import calibrating, screen
    from subsim.experiment.build import book_of

    book = book_of(base)
    if book is None:
        return None
    folder = out / "calibration"
    with calibrating.progress(quiet=as_json) as say:
        posterior = calibrate(book, seed=seed, progress=say)
        posterior.save(folder)
    if not as_json:
        first, *others = posterior.text.splitlines()
        for line in (first, *(line for line in others if line.startswith(("REVIEW", "FAIL")))):
            screen.show_plain(line)
        screen.show_plain(f"What was learned and what stays assumed: {folder}")
    return folder
