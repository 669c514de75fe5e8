"""How the command begins and ends: errors become messages and exit codes, and nothing is left to take apart."""

from __future__ import annotations

import atexit
import errno
import gc
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from subsim.errors import EngineError, InputError, SubsimError

# Typer vendors Click or imports it, by version; the class that both raise is found from one that both export.
_UsageError: Any = typer.BadParameter.__mro__[1]

_FAULT = 70  # of ours, not of the input
_STOPPED = 130
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # not every system knows quotas


def main(app: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run a command and turn errors into messages and exit codes, never into tracebacks."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else it looks through every installed package
    gc.set_threshold(500_000)  # loading libraries makes many objects and no garbage: a tenth of a short command
    given = list(sys.argv[1:] if arguments is None else arguments)
    codes: list[int] = []
    if arguments is None:  # this process is the command
        atexit.register(_end, codes)  # before any library registers something: it then runs after all of them
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without block characters still gets its table
    codes.append(_code(app, given))
    sys.exit(codes[0])


def _end(codes: Sequence[int]) -> None:
    """End the process without taking apart the libraries it has loaded, which takes a third of a second.

    Not after a fault, and not where the last words cannot be written: the interpreter then ends as it always does.
    """
    if not codes:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(codes[0])


def _code(app: typer.Typer, arguments: list[str]) -> int:
    try:
        code = app(arguments or ["--help"], prog_name="subsim", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = _STOPPED
    except EngineError as error:
        _complain(error, arguments)
        return _FAULT
    except SubsimError as error:
        _complain(error, arguments)
        return 2
    except _UsageError as error:
        _complain(_usage(error), arguments)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; nothing more can be said
        return 1
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:  # files that are written say so themselves
            raise
        _complain(_no_room(error), arguments)
        return 2
    if code == _STOPPED:
        sys.stderr.write("Stopped. Nothing was written.\n")
    return code if isinstance(code, int) else 0


def _no_room(error: OSError) -> InputError:
    """Standard output cannot take what is said; the rest is dropped, so that nothing tries again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return InputError(where="standard output", found=str(error.strerror), allowed="a place with room for what is said")


def _usage(error: Any) -> InputError:
    """A wrong option or argument as an error like any other."""
    command = error.ctx.command_path if error.ctx else "subsim"
    return InputError(
        where=command, found=error.format_message(), allowed="the options of this command", do=f"See {command} --help."
    )


def _complain(error: SubsimError, arguments: Sequence[str]) -> None:
    """The error on standard error: words, or with --json one object."""
    if "--json" in arguments:
        facts = error.to_dict()
        kind = facts.pop("error")
        body = {"errors": facts["errors"]} if "errors" in facts else {"error": {"kind": kind, **facts}}
        sys.stderr.write(json.dumps(body, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
