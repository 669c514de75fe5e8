"""A report as one HTML file that needs nothing else: pictures inside, no scripts, no fonts or styles from elsewhere."""

from __future__ import annotations

import base64
import io
import os
import re
import tempfile
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from matplotlib.axes import Axes

from subsim.errors import InputError
from subsim.report.page import Block, Page, Picture, Section, Table, Terms, Text
from subsim.report.style import BLUE, GREY, INK, PALE, styled

_DPI: Final = 150  # 1200 x 675 pixels: sharp on paper at the page's width
_STRONG: Final = re.compile(r"\*\*(.+?)\*\*")
_KEPT: Final = re.compile(r"(\(\S+ to [^()]{1,16}\)|[\d.]+ (?:%|days|points)(?: [a-z]+)?)")

_STYLE: Final = Template("""
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.5rem 4rem; color: $ink; background: white;
  font: 16px/1.5 "DejaVu Sans", Verdana, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .8rem; padding-top: .6rem; border-top: 3px solid $blue; }
.question { color: $grey; font-size: 1.1rem; margin: 0 0 1rem; }
.lead { border-left: 5px solid $blue; background: #F4F8FB; padding: .8rem 1rem; margin: 0 0 1rem; }
nav { font-size: .9rem; } nav a { color: $blue; margin-right: 1.1rem; white-space: nowrap; }
figure { margin: 1.2rem 0; } img { width: 100%; height: auto; border: 1px solid $pale; }
.wide { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .82rem; line-height: 1.35; }
caption { text-align: left; font-weight: bold; padding: .3rem 0; font-size: .92rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid $pale; vertical-align: top; }
thead th { border-bottom: 2px solid $ink; } tbody th { font-weight: normal; }
table.numbers td, table.numbers thead th + th { text-align: right; font-variant-numeric: tabular-nums; }
.note, footer { color: $grey; font-size: .85rem; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .25rem 1rem; font-size: .9rem; }
dt { font-weight: bold; } dd { margin: 0; overflow-wrap: anywhere; }
table:not(.numbers) td { overflow-wrap: anywhere; } td span { white-space: nowrap; }
@media (max-width: 42rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } nav { display: none; }
  figure, tr, dl > * { break-inside: avoid; } h2, caption { break-after: avoid; } thead { display: table-header-group; }
  .wide { overflow: visible; } .lead { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
@page { margin: 16mm; }
""")

_PAGE: Final = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header>
<h1>$title</h1>
$question
<p class="lead">$lead</p>
<nav aria-label="Sections">$links</nav>
</header>
<main>
$sections
</main>
<footer><p>$footer</p></footer>
</body>
</html>
""")


def to_html(page: Page) -> str:
    """The page as HTML; every text in it is escaped.

    >>> from subsim.report.page import Page
    >>> "&lt;b&gt;" in to_html(Page("<b>", "", "", (), ""))
    True
    """
    links = "\n".join(f'<a href="#{each.name}">{escape(each.title)}</a>' for each in page.sections)
    return _PAGE.substitute(
        title=escape(page.title),
        style=_STYLE.substitute(ink=INK, blue=BLUE, grey=GREY, pale=PALE),
        question=f'<p class="question">{escape(page.question)}</p>' if page.question else "",
        lead=_marked(page.lead),
        links=links,
        sections="\n".join(map(_section, page.sections)),
        footer=escape(page.footer),
    )


def check_target(path: Path, *, force: bool) -> None:
    """Refuse, before any work is done, a file that exists (unless forced) or whose folder cannot be written."""
    if path.exists() and not (force and path.is_file()):
        found = "a file that exists" if path.is_file() else "not a file"
        raise InputError(where=str(path), found=found, allowed="a new file", do="Replace a file with --force.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(
            where=str(path), found="no such folder, or not writable", allowed="a file in a folder of yours"
        )


def write(page: Page, path: Path) -> None:
    """Write the page to a file, all of it or nothing.

    Raises:
        InputError: the file cannot be written.
    """
    text = to_html(page)
    made: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        made = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        made.chmod(0o644)
        made.replace(path)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(where=str(path), found=found, allowed="a file that can be written") from error
    finally:
        if made is not None:
            made.unlink(missing_ok=True)


def _section(section: Section) -> str:
    blocks = "\n".join(map(_block, section.blocks))
    name = escape(section.name)
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(section.title)}</h2>\n{blocks}\n</section>'


def _block(block: Block) -> str:
    match block:
        case Text(words):
            return f"<p>{_marked(words)}</p>"
        case Terms(rows):
            return "<dl>" + "\n".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in rows) + "</dl>"
        case Picture(draw, words):
            return f'<figure><img alt="{escape(words)}" src="data:image/png;base64,{_png(draw())}"></figure>'
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{_cell(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in table.rows
    )
    kind = ' class="numbers"' if table.numbers else ""
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    body = f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>"
    return f'<div class="wide"><table{kind}><caption>{escape(table.caption)}</caption>\n{body}</table>{note}</div>'


def _cell(words: str) -> str:
    """Escaped; an interval stays on one line, and so does a number with its unit."""
    pieces = _KEPT.split(words)
    return "".join(f"<span>{escape(piece)}</span>" if at % 2 else escape(piece) for at, piece in enumerate(pieces))


def _marked(words: str) -> str:
    """Escaped, with words between double asterisks strong."""
    return _STRONG.sub(r"<strong>\1</strong>", escape(words))


def _png(ax: Axes) -> str:
    figure = ax.get_figure(root=True)
    buffer = io.BytesIO()
    if figure is not None:
        with styled():
            figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")
