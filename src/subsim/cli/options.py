"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file (YAML).")]
BookSource = Annotated[str, typer.Argument(metavar="BOOK", help="Folder, file or PostgreSQL URL of the customer base.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="Last day that counts, for example 2026-06-30.")]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="Mapping file; BOOK/book.yaml when not given.")]
Draws = Annotated[int, typer.Option("--draws", help="Number of simulated futures.")]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same result.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Threads; all processors when not given.")]
EngineName = Annotated[Literal["compiled", "simpy"], typer.Option("--engine", help="simpy is the slow reference.")]
Fixed = Annotated[bool, typer.Option("--fixed-parameters", help="Central parameter values: chance alone varies.")]
PosteriorFolder = Annotated[
    Path | None, typer.Option("--posterior", help="What `calibrate` wrote: draws that it learned.")
]
Force = Annotated[bool, typer.Option("--force", help="Run although the posterior's checks failed.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of results.")]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no pictures.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
