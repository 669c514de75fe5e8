"""The command that writes reports of a run that is already there."""

from __future__ import annotations

from pathlib import Path

from subsim.errors import InputError


def write_html(run: str, results: Path, output: Path | None, posterior: Path | None, *, force: bool) -> Path:
    """Write a run's report as one HTML page, by default into the run's folder; gives the file."""
    from subsim.report import html_page, page_build, page_rests_on, page_stored

    folder = page_stored.find(run, results)
    path = output or folder / "report.html"
    html_page.check_target(path, force=force)
    stored = page_stored.load(str(folder))
    page = page_build.build(stored, page_rests_on.learned_rows(stored, posterior))
    html_page.write(page, path)
    return path


def check_formats(*, html: bool) -> None:
    """Refuse a report in no format at all."""
    if not html:
        raise InputError(where="subsim report", found="no format", allowed="--html")
