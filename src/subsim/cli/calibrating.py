"""`subsim calibrate`: progress while blocks are fitted, then what was learned and what stays assumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from subsim.cli import screen

if TYPE_CHECKING:
    from subsim.calibrate import Posterior

_COLOURS = {"PASS": "green", "REVIEW": "yellow", "FAIL": "red"}


@dataclass(frozen=True)
class Sizes:
    """How much to sample."""

    draws: int
    tune: int
    chains: int
    seed: int


def calibrate_book(
    book: str,
    as_of: str,
    mapping: Path | None,
    priors: Path | None,
    scenario: Path | None,
    output: Path | None,
    sizes: Sizes,
    *,
    as_json: bool,
) -> None:
    """Calibrate, write, and show."""
    from subsim.book import read_book
    from subsim.calibrate import calibrate
    from subsim.experiment.bridge_histories import bridge_histories

    known = read_book(book, as_of=as_of, mapping=mapping)
    with progress(quiet=as_json) as say:
        posterior = calibrate(
            known,
            priors=priors,
            draws=sizes.draws,
            tune=sizes.tune,
            chains=sizes.chains,
            seed=sizes.seed,
            simulate=bridge_histories,
            progress=say,
        )
        if scenario is not None:
            say("replaying the last year")
            posterior = _replayed(posterior, scenario)
        if output is not None:
            say("writing")
            posterior.save(output)
    if as_json:
        screen.print_json(posterior.to_dict())
        return
    show(posterior)
    if output is not None:
        screen.out.print(f"\nWritten to {output}. Use it: subsim run SCENARIO --posterior {output}", markup=False)


def _replayed(posterior: Posterior, scenario: Path) -> Posterior:
    """The posterior with the checks of a simulated last year added."""
    from subsim.calibrate.diagnose import predictive_check
    from subsim.experiment.replay import replay
    from subsim.scenario import load_scenario

    found = replay(load_scenario(scenario), posterior, seed=posterior.seed)
    checks = [predictive_check(row.name, row.observed, row.predicted) for row in found]
    return replace(posterior, checks=(*posterior.checks, *checks))


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """What is being done, on standard error, where somebody sees it."""
    if quiet or not screen.err.is_terminal:
        yield lambda _: None
        return
    began = time.monotonic()
    with screen.err.status("reading") as status:
        yield lambda text: status.update(f"{text} ({time.monotonic() - began:.0f} s)")


def show(posterior: Posterior) -> None:
    """Summary, checks, then the table of learned and assumed."""
    for line in posterior.text.splitlines():
        screen.show_plain(line)
    screen.out.print(_checks(posterior))
    fitted = [row for row in posterior.rows if row["posterior"]]
    screen.out.print(_parameters(fitted))
    others = len(posterior.rows) - len(fitted)
    screen.show_plain(f"{others} more numbers rest on their priors alone: see learned.csv or --json.")


def _checks(posterior: Posterior) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Checks", title_justify="left")
    for name, side in (("check", "left"), ("status", "left"), ("value", "right"), ("what to do", "left")):
        table.add_column(name, justify="right" if side == "right" else "left")
    for check in posterior.checks:
        status = Text(check.status, style=_COLOURS[check.status])
        table.add_row(check.name, status, f"{check.value:.4g}", Text(check.advice))
    return table


def _parameters(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Learned and assumed (medians, 5 % to 95 %)", title_justify="left")
    for name in ("number", "of"):
        table.add_column(name, no_wrap=True)
    for name in ("prior", "posterior", "from data", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("rests on")
    for row in rows:
        cell = next((row[name] for name in ("segment", "tier", "work", "team", "month") if row[name]), "")
        is_learned = row["verdict"] == "learned"
        rests = Text(
            row["verdict"] + ("" if is_learned else f" (grade {row['grade']})"), style="" if is_learned else "red"
        )
        share = f"{max(row['contraction'], 0.0):.0%}"
        table.add_row(
            row["name"], cell, f"{row['prior']['q50']:,.3g}", _band(row["posterior"]), share, f"{row['rows']:,}", rests
        )
    return table


def _band(quantiles: dict[str, float]) -> str:
    return f"{quantiles['q50']:,.3g} ({quantiles['q05']:,.3g} to {quantiles['q95']:,.3g})"
