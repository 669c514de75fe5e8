"""Processes beside a command: one reads the book, one draws, while the command itself loads, simulates and writes.

The libraries that read and those that draw take longer to load than their work takes. What comes out is the same
whoever does it: where there is no second processor, or a process fails or takes too long, it is done here.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Final

from subsim.experiment.processors import processors

SERVE: Final = "from subsim.cli import companion; companion.serve"
READING: Final = ("subsim.book",)


class Companion:
    """A process that does one thing after another. It ends with this process at the latest: its input then ends."""

    def __init__(self, needed: Sequence[str]) -> None:
        """A process that will load these modules as soon as it begins."""
        self.process: subprocess.Popen[bytes] | None = None
        self._needed = tuple(needed)
        self._thread = ThreadPoolExecutor(1)

    def begin(self) -> None:
        """Start the process, unless it has begun; where it cannot be started, nothing that it is asked for comes."""
        if self.process is None:
            code = f"import sys; sys.path[:] = {sys.path!r}; {SERVE}({self._needed!r})"
            pipe = subprocess.PIPE
            with suppress(OSError):
                self.process = subprocess.Popen(
                    [sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
                )

    def ask[T](self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Let the process call a function of a module; the future holds what it gives, or an error of any kind."""
        self.begin()
        return self._thread.submit(self._talk, function, arguments)

    def _talk(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if self.process is None or self.process.stdin is None or self.process.stdout is None:
            raise EOFError
        pickle.dump((function, arguments), self.process.stdin)
        self.process.stdin.flush()
        value, said = pickle.load(self.process.stdout)  # from the process that was started here
        sys.stderr.write(said)  # warnings
        return value

    def wait[T](self, asked: Future[T], seconds: float) -> T | None:
        """What the process gives; None, and no process any more, where it has failed or takes longer."""
        try:
            return asked.result(seconds)
        except Exception:  # noqa: BLE001 - whatever went wrong over there, doing it here works or says what is wrong
            self.stop()  # so that two do not write the same files
            return None

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self.process:
            self.process.kill()
        self._thread.shutdown(cancel_futures=True)
        if self.process:
            with suppress(OSError, ValueError):  # pipes that are closed already
                self.process.communicate()


@contextmanager
def beside(workers: int | None, drawing: Sequence[str]) -> Iterator[tuple[Companion | None, Companion | None]]:
    """Who can read and who can draw, both not begun; None where there would be no processor, or nothing to draw."""
    if workers == 1 or processors() == 1 or not sys.executable or hasattr(sys, "frozen"):
        yield None, None
        return
    reader, drawer = Companion(READING), Companion(drawing)
    try:
        yield reader, drawer if drawing else None
    finally:
        reader.stop()
        drawer.stop()


def serve(needed: Sequence[str]) -> None:
    """What a process does: load what it will need, then answer until nobody can ask any more."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no reply
    gc.disable()  # loading makes no garbage
    for module in needed:
        importlib.import_module(module)
    gc.enable()
    while True:
        sys.stderr = io.StringIO()
        try:
            function, arguments = pickle.load(sys.stdin.buffer)  # from the process that started this one
        except EOFError:
            return
        pickle.dump((function(*arguments), sys.stderr.getvalue()), replies)
        replies.flush()
