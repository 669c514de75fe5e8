"""What a report says, apart from any format: sections of text, tables and pictures. HTML is one way to write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.axes import Axes


@dataclass(frozen=True)
class Text:
    """A paragraph; words between double asterisks stand out."""

    words: str


@dataclass(frozen=True)
class Terms:
    """Names with what they mean."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows of text under heads; the first column names the row. `numbers` are columns that align to the right."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: bool = True
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure, drawn when it is written, and the words for those who do not see it."""

    draw: Callable[[], Axes]
    words: str


Block = Text | Terms | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """A whole report: `lead` says first how sure it is and how much of it rests on assumptions."""

    title: str
    question: str
    lead: str
    sections: tuple[Section, ...]
    footer: str
