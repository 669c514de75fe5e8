"""What the programs of this folder share: companies are run one by one into a file that can be resumed; then a page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Stage = Callable[[int], dict[str, Any]]


def command(doc: str | None, stages: Mapping[str, Stage], page: Callable[..., None], last: int = 20) -> None:
    """Read the command line: a stage with its file, first and last company; or `page` with the files of the stages."""
    asked = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", choices=[*stages, "page"])
    asked.add_argument("results", type=Path, nargs="+")
    asked.add_argument("--first", type=int, default=1)
    asked.add_argument("--last", type=int, default=last)
    given = asked.parse_args()
    if given.what == "page":
        page(*given.results)
    else:
        resumed(given.results[0], given.first, given.last, stages[given.what])


def resumed(path: Path, first: int, last: int, make: Stage) -> None:
    """Append one JSON line for each company (its `seed`) that the file does not have yet."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    done = {json.loads(line)["seed"] for line in lines}
    for seed in range(first, last + 1):
        if seed not in done:
            line = json.dumps(make(seed))
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
