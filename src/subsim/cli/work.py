"""What several commands do: run scenarios with progress, keep the results with pictures and a summary."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from subsim.cli import drawing, screen
from subsim.experiment import store
from subsim.experiment.starts import read_start
from subsim.report import prose

if TYPE_CHECKING:
    from subsim.calibrate import Posterior
    from subsim.experiment.attribution import Attribution
    from subsim.experiment.build import Reader
    from subsim.experiment.results import Runs
    from subsim.experiment.run import Engine
    from subsim.scenario import Scenario


@dataclass(frozen=True)
class Options:
    """Options that every running command shares."""

    draws: int
    seed: int
    workers: int | None
    engine: Engine
    fixed_parameters: bool
    out: Path
    figures: bool
    json: bool
    posterior: Path | None = None
    force: bool = False
    drawer: drawing.Drawer | None = None
    """Who draws the pictures, if not this process."""


def simulate(scenarios: Sequence[Scenario], options: Options, read: Reader = read_start) -> Runs:
    """Run scenarios under a progress bar; `read` gives the start state of a book."""
    from subsim.experiment.run import run

    store.check_folder(options.out)
    posterior = posterior_of(options.posterior)
    with screen.progress(options.draws * len(scenarios), quiet=options.json) as advance:

        def progress(done: int) -> None:
            advance(done)
            _load_ahead(options)

        return run(
            scenarios,
            draws=options.draws,
            seed=options.seed,
            engine=options.engine,
            workers=options.workers,
            fixed_parameters=options.fixed_parameters,
            posterior=posterior,
            force=options.force,
            progress=progress,
            read=read,
        )


def _load_ahead(options: Options) -> None:
    """Load what comes after the simulation while its threads are busy."""
    if options.figures and options.drawer is None:
        import subsim.report.pictures  # noqa: F401 - the drawing library
    import pyarrow.parquet  # noqa: F401

    if not options.json:
        import rich.markdown  # noqa: F401


def posterior_of(folder: Path | None) -> Posterior | None:
    """What a calibration wrote to a folder; None where none was named."""
    if folder is None:
        return None
    from subsim.calibrate import load_posterior

    return load_posterior(folder)


def attributed(base: Scenario, plan: Scenario, options: Options) -> Attribution:
    """What drives the difference of a plan to the base, every change run alone too."""
    from subsim.experiment.attribution import attribute, drivers_of

    with screen.progress(options.draws * (2 + len(drivers_of(base, plan))), quiet=options.json) as progress:
        return attribute(
            base,
            plan,
            draws=options.draws,
            seed=options.seed,
            engine=options.engine,
            workers=options.workers,
            fixed_parameters=options.fixed_parameters,
            posterior=posterior_of(options.posterior),
            force=options.force,
            progress=progress,
        )


def keep(runs: Runs, options: Options) -> Path:
    """Save results with summary and pictures; gives their folder."""
    summary = (
        prose.compare_summary(runs) if len(runs) > 1 else prose.run_summary(runs) + "\n\n" + prose.assumptions(runs)
    )

    command = ["subsim", *sys.argv[1:]]
    pictures = partial(drawing.drawn, runs, by=options.drawer) if options.figures else None
    return store.save(runs, options.out, summary=summary, command=command, pictures=pictures)


def run_json(runs: Runs) -> dict[str, object]:
    """The object that `run --json` prints."""
    facts = runs.to_dict()
    return {"scenario": facts.pop("scenario"), "run_id": store.run_id(runs), **facts}


def compare_json(runs: Runs, drivers: Sequence[Attribution] = ()) -> dict[str, object]:
    """The object that `compare --json` prints; `drivers` only where they were asked for."""
    contrasts = runs.contrasts()
    rows = [{"scenario": one.scenario, **row} for one in drivers for row in one.to_records()]
    return ({"drivers": rows} if drivers else {}) | {
        "base": runs.names[0],
        "scenarios": list(runs.names[1:]),
        "draws": runs.draws,
        "seed": runs.seed,
        "run_id": store.run_id(runs),
        "currency": contrasts[0].currency,
        "interval": contrasts[0].table.attrs["interval"],
        "definitions": contrasts[0].table.attrs["definitions"],
        "assumption": contrasts[0].table.attrs["assumption"],
        "differences": [row for contrast in contrasts for row in contrast.to_records()],
    }
