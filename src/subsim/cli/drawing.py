"""Pictures drawn by a process of their own, which loads the drawing library while this one reads and simulates.

Loading that library takes longer than drawing. The pictures are the same bytes whoever draws them: where there is no
second processor, or the other process fails or takes too long, they are drawn here.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from subsim.experiment.processors import processors

if TYPE_CHECKING:
    from subsim.experiment.results import Runs

#: Metrics that the pictures of one scenario show; of several, those that plans are compared in as well.
SHOWN: Final = (
    "arr",
    "new",
    "expansion",
    "reactivation",
    "contraction",
    "churn",
    "utilisation",
    "expired_share",
    "hours_served",
)
MOST_BYTES = 200_000_000  # of draws that are worth sending
IN_TWO: Final = sys.platform == "linux"  # where copying a process is cheap and safe
PATIENCE_SECONDS = 60.0  # for each scenario, whose pictures take less than a second
SERVE = "from subsim.cli import drawing; drawing.serve"
#: What results refer to, and comparisons are computed with.
NEEDED: Final = ("subsim.report.pictures", "subsim.experiment.finished")
COMPARING: Final = ("pandas",)


class Drawer:
    """A process that waits for results to draw. It ends with this process at the latest, as its input then ends."""

    def __init__(self, needed: Sequence[str] = NEEDED) -> None:
        """Start the process, which loads these modules at once.

        Raises:
            OSError: it cannot be started.
        """
        code = f"import sys; sys.path[:] = {sys.path!r}; {SERVE}({tuple(needed)!r})"
        pipe = subprocess.PIPE
        own_group: dict[str, Any] = {"process_group": 0} if IN_TWO else {}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, **own_group
        )
        self._thread = ThreadPoolExecutor(1)

    def send(self, runs: Runs, folder: Path) -> Future[bool]:
        """Let the process draw results into a folder; the future says whether it did."""
        return self._thread.submit(self._talk, runs, folder)

    def _talk(self, runs: Runs, folder: Path) -> bool:
        from subsim.experiment.contrast import COMPARED
        from subsim.experiment.finished import parts

        metrics = {*SHOWN, *COMPARED} - {"net_value"} if len(runs) > 1 else set(SHOWN)
        facts = parts(runs, sorted(metrics))
        if sum(values.nbytes for values in facts["_cache"].values()) > MOST_BYTES:
            return False
        try:
            message = pickle.dumps((facts, folder.absolute()))
            _, said = self.process.communicate(message, timeout=PATIENCE_SECONDS * len(runs))
        except subprocess.TimeoutExpired:
            self._kill()
            self.process.wait()  # so that two do not write the same files
            return False
        if self.process.returncode:
            return False
        sys.stderr.write(said.decode(errors="replace"))  # warnings
        return True

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._kill()
        self._thread.shutdown(cancel_futures=True)
        with suppress(OSError, ValueError):  # pipes that are closed already
            self.process.communicate()

    def _kill(self) -> None:
        if self.process.poll() is None and IN_TWO:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # its copy too
        self.process.kill()


@contextmanager
def drawer(*, wanted: bool, workers: int | None, compared: bool = False) -> Iterator[Drawer | None]:
    """A process that gets ready to draw; None where none is wanted, it would have no processor, or none can start."""
    started = None
    if wanted and workers != 1 and processors() > 1 and sys.executable and not hasattr(sys, "frozen"):
        with suppress(OSError):
            started = Drawer((*NEEDED, *COMPARING) if compared else NEEDED)
    try:
        yield started
    finally:
        if started:
            started.stop()


@contextmanager
def drawn(runs: Runs, folder: Path, by: Drawer | None) -> Iterator[None]:
    """Pictures are in the folder when this ends; a drawer makes them meanwhile, where there is one."""
    try:
        sent = by.send(runs, folder) if by else None
        yield
        is_drawn = sent is not None and _result(sent)
    except BaseException:
        if by:
            by.stop()  # before the folder is taken away
        raise
    if not is_drawn:
        from subsim.report.pictures import draw

        draw(runs, folder)


def _result(sent: Future[bool]) -> bool:
    try:
        return sent.result()
    except Exception:  # noqa: BLE001 - whatever went wrong over there, drawing here works or says what is wrong
        return False


def serve(needed: Sequence[str]) -> None:
    """What the process does: load what it will need, wait for results, draw them."""
    gc.disable()  # loading makes no garbage
    for module in needed:
        importlib.import_module(module)
    style = sys.modules.get("subsim.report.style")
    if style:
        style.rehearse()
    gc.enable()
    message = sys.stdin.buffer.read()
    if message:
        facts, folder = pickle.loads(message)  # from the process that started this one
        from subsim.experiment.results import Runs

        _draw_in_two(Runs(**facts), folder)
        gc.freeze()  # the interpreter need not look for garbage before it ends, while the command waits


def _draw_in_two(runs: Runs, folder: Path) -> None:
    """Draw one half of the pictures here and the other in a copy of this process, which has everything loaded.

    The command has nothing else to do on the second processor by then.
    """
    from subsim.report.pictures import draw

    if not IN_TWO:
        draw(runs, folder)
        return
    copy = os.fork()
    if copy == 0:
        code = 1
        with suppress(Exception):  # whoever waits draws again, and says what is wrong
            draw(runs, folder, part=1, parts=2)
            code = 0
        os._exit(code)
    try:
        draw(runs, folder, part=0, parts=2)
    finally:
        _, status = os.waitpid(copy, 0)
    if status:
        sys.exit(1)
