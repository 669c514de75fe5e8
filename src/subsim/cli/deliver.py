"""How a result leaves a command: as files where a folder was given, and as JSON or for people to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from subsim.cli import screen
from subsim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    Tables = Mapping[str, pd.DataFrame]
    Figures = Mapping[str, Callable[[], Axes]]


class Result(Protocol):
    """What every result of a question can do."""

    @property
    def text(self) -> str:
        """The answer in words."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        ...


def deliver[Found: Result](
    found: Found,
    show: Callable[[Found], None],
    *,
    name: str,
    tables: Tables,
    figures: Figures,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write a result where asked, then print it: one JSON object, or what `show` prints and the files written.

    Files are `name`.md with the text, a CSV for each table and a PNG for each figure, by their names.

    Raises:
        InputError: the folder cannot be written.
    """
    files = [] if out is None else _written(found.text, out, name, tables, figures)
    if as_json:
        screen.print_json(found.to_dict())
        return
    show(found)
    for path in files:
        screen.out.print(f"Written: {path}", markup=False)


def _written(text: str, folder: Path, name: str, tables: Tables, figures: Figures) -> list[Path]:
    from subsim.report import figures as drawing

    files = [folder / f"{name}.md"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files[0].write_text(text + "\n", encoding="utf-8")
        for table, rows in tables.items():
            files.append(folder / f"{table}.csv")
            rows.to_csv(files[-1], index=False, lineterminator="\n")
        for picture, draw in figures.items():
            files.append(folder / f"{picture}.png")
            drawing.save(draw(), files[-1])
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(where=f"--out {folder}", found=found, allowed="a folder that can be written") from error
    return files
