"""One visual style: colours that colour-blind people tell apart, type for slides, titles that state a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import DateFormatter, MonthLocator
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.ticker import FuncFormatter, MaxNLocator

from subsim.report.words import money

# Okabe and Ito (2008), "Color universal design".
BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
SKY: Final = "#56B4E9"
INK: Final = "#222222"
GREY: Final = "#6B6B6B"
PALE: Final = "#D9D9D9"
SERIES: Final = (GREY, BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
LOAD: Final = LinearSegmentedColormap.from_list("load", ["#F4F8FB", "#BFD9EA", "#F6D9A8", "#E8833A", "#A63603"])

SIZE_INCHES: Final = (8.0, 4.5)
DPI: Final = 200  # 1600 x 900 pixels
TITLE_LETTERS: Final = 64  # what fits on one line at full size
# Without a date or version inside, equal figures are equal files.
_PNG: Final[Any] = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}}
_SETTINGS: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.grid": False,
    "text.parse_math": False,  # dollars are dollars
    "text.hinting": "none",  # at this size it shows nowhere and costs a tenth of drawing
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """The house style for what is drawn inside, without touching anybody's settings."""
    with mpl.rc_context(_SETTINGS):
        yield


def axes(ax: Axes | None, *, right: float = 0.86, left: float = 0.09, bottom: float = 0.13, top: float = 0.79) -> Axes:
    """The axes given, or one on a new figure at slide size with room for a title and labels at the right."""
    if ax is not None:
        return ax
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=left, right=right, bottom=bottom, top=top)
    return figure.add_subplot()


def room(labels: Iterable[str], *, least: float = 0.15, letter: float = 0.0086) -> float:
    """Share of the slide's width that the longest of these labels needs."""
    return min(0.4, max(least, 0.045 + letter * max((len(label) for label in labels), default=0)))


def headline(ax: Axes, finding: str, subtitle: str) -> None:
    """Title that states the finding, and below it what is shown and which interval."""
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    left = -_left_margin_points(ax)
    lines = subtitle.count("\n") + 1
    top = 14 * lines + 8
    size = 13 * min(1.0, TITLE_LETTERS / len(finding))
    ax.annotate(finding, (0, 1), (left, top + 6), va="bottom", fontsize=size, fontweight="bold", color=INK, **where)
    ax.annotate(subtitle, (0, 1), (left, top), va="top", fontsize=8.5, color=GREY, linespacing=1.35, **where)


def _left_margin_points(ax: Axes) -> float:
    """How far the axes begin right of the figure's margin, in points: titles start at the margin."""
    figure = ax.get_figure(root=True)
    if figure is None or len(figure.axes) > 1:
        return 0.0
    return float((ax.get_position().x0 - 0.03) * figure.get_figwidth() * 72)


def money_axis(ax: Axes, currency: str, *, axis: str = "y", sign: bool = False) -> None:
    """Ticks in the user's currency, with quiet grid lines."""
    chosen = ax.yaxis if axis == "y" else ax.xaxis
    chosen.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    chosen.set_major_formatter(FuncFormatter(lambda value, _: tick(value, currency, sign=sign)))
    ax.grid(axis="y" if axis == "y" else "x", color=PALE, linewidth=0.6, alpha=0.7)
    ax.set_axisbelow(True)


def tick(value: float, currency: str, *, sign: bool = False) -> str:
    """An amount on an axis: without zeros that say nothing."""
    text = money(value, currency, sign=sign)
    head, letter = (text[:-1], text[-1]) if text[-1:] in "kMB" else (text, "")
    return (head.rstrip("0").rstrip(".") if "." in head else head) + letter


def month_axis(ax: Axes, months: int) -> None:
    """Ticks at quarters, half years or years, whichever stays readable."""
    step = 1 if months <= 7 else 3 if months <= 26 else 6 if months <= 50 else 12
    ax.xaxis.set_major_locator(MonthLocator(bymonth=range(1, 13, step)))  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(DateFormatter("%b\n%Y"))  # type: ignore[no-untyped-call]
    ax.tick_params(axis="both", length=3)


def spread(positions: list[float], gap: float) -> list[float]:
    """Positions of labels moved apart until neighbours are at least `gap` apart, order kept.

    >>> spread([1.0, 1.0], 0.5)
    [0.75, 1.25]
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    groups: list[tuple[float, int]] = []  # (centre, members): each group is laid out evenly around its centre
    for i in order:
        groups.append((positions[i], 1))
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], gap):
            (c1, n1), (c2, n2) = groups[-2:]
            groups[-2:] = [((c1 * n1 + c2 * n2) / (n1 + n2), n1 + n2)]
    moved = [centre + (k - (n - 1) / 2) * gap for centre, n in groups for k in range(n)]
    out = [0.0] * len(positions)
    for i, position in zip(order, moved, strict=True):
        out[i] = position
    return out


def _overlap(below: tuple[float, int], above: tuple[float, int], gap: float) -> bool:
    return above[0] - (above[1] - 1) / 2 * gap - (below[0] + (below[1] - 1) / 2 * gap) < gap


def rehearse() -> None:
    """Draw a slide that nobody sees: the first one of a process takes longer by a sixth of a second, for its fonts."""
    with styled():
        ax = axes(None)
        headline(ax, "0 %", "$")
        ax.figure.canvas.draw()


def save(ax: Axes, path: Path) -> None:
    """Write the figure of the axes as PNG."""
    figure = ax.get_figure(root=True)
    if figure is not None:
        with styled():
            figure.savefig(path, dpi=DPI, **_PNG)


@contextmanager
def saving() -> Iterator[Callable[[Axes, Path], None]]:
    """A function like `save` for axes on figures of our own: one is compressed while the next is drawn.

    All are written when the context ends, or an OSError says why not.
    """
    written = []
    with ThreadPoolExecutor(1) as pool:

        def later(ax: Axes, path: Path) -> None:
            canvas: Any = ax.figure.canvas
            with styled():
                canvas.draw()
            written.append(pool.submit(imsave, path, canvas.buffer_rgba(), format="png", dpi=DPI, **_PNG))

        yield later
    for each in written:
        each.result()
