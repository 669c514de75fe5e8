"""Pictures drawn by a process of their own, which loads the drawing library while this one reads and simulates.

Loading that library takes longer than drawing. The pictures are the same bytes whoever draws them: where there is no
second processor, or the other process fails or takes too long, they are drawn here.
"""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from subsim.experiment.processors import processors

if TYPE_CHECKING:
    from subsim.experiment.results import Runs

#: Metrics that pictures are drawn from, besides those that plans are compared in.
SHOWN: Final = ("arr", "new", "expansion", "reactivation", "contraction", "churn", "utilisation", "expired_share")
MOST_BYTES: Final = 200_000_000  # of draws that are worth sending
PATIENCE_SECONDS: Final = 60  # for one scenario; it takes less than one second on an idle machine


class Drawer:
    """A process that waits for results to draw. It ends when this process does: its input then ends too."""

    def __init__(self) -> None:
        """Start the process.

        Raises:
            OSError: it cannot be started.
        """
        code = f"import sys; sys.path[:] = {sys.path!r}; from subsim.cli import drawing; drawing.serve()"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe
        )
        self._thread = ThreadPoolExecutor(1)

    def send(self, runs: Runs, folder: Path) -> Future[bool]:
        """Let the process draw results into a folder; the future says whether it did."""
        from subsim.experiment.contrast import COMPARED
        from subsim.experiment.finished import parts

        metrics = {*SHOWN, *COMPARED} - {"net_value"} if len(runs) > 1 else set(SHOWN)
        return self._thread.submit(self._talk, parts(runs, sorted(metrics)), folder, PATIENCE_SECONDS * len(runs))

    def _talk(self, facts: dict[str, Any], folder: Path, seconds: float) -> bool:
        if sum(values.nbytes for values in facts["_cache"].values()) > MOST_BYTES:
            return False
        _, said = self._process.communicate(pickle.dumps((facts, folder.absolute())), timeout=seconds)
        if self._process.returncode == 0:
            sys.stderr.write(said.decode(errors="replace"))  # warnings; errors come again from drawing here
        return self._process.returncode == 0

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._thread.shutdown(wait=True, cancel_futures=True)
        with suppress(OSError, ValueError):
            self._process.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def drawer(*, wanted: bool, workers: int | None) -> Iterator[Drawer | None]:
    """A process that gets ready to draw; None where none is wanted, has a processor of its own, or can be started."""
    started = None
    if wanted and workers != 1 and processors() > 1 and sys.executable and not hasattr(sys, "frozen"):
        with suppress(OSError):
            started = Drawer()
    try:
        yield started
    finally:
        if started:
            started.stop()


@contextmanager
def drawn(runs: Runs, folder: Path, by: Drawer | None) -> Iterator[None]:
    """Pictures are in the folder when this ends; the drawer makes them meanwhile, where there is one."""
    sent = by.send(runs, folder) if by else None
    yield
    if sent is None or not _done(sent):
        from subsim.report.pictures import draw

        draw(runs, folder)


def _done(sent: Future[bool]) -> bool:
    try:
        return sent.result()
    except Exception:  # noqa: BLE001 - whatever went wrong over there, drawing here does it or says what is wrong
        return False


def serve() -> None:
    """What the process does: load the drawing library, wait for results, draw them."""
    gc.disable()
    from subsim.experiment.results import Runs
    from subsim.report import pictures

    message = sys.stdin.buffer.read()
    gc.enable()
    if message:
        facts, folder = pickle.loads(message)  # from the process that started this one
        pictures.draw(Runs(**facts), folder)
