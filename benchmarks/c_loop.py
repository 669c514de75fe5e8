"""The event loop in C, for comparison: its header is written from the Python sources, so that it cannot drift."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from subsim.engine import events, metrics, state
from subsim.engine.frame import frame
from subsim.engine.run import Setup, _state
from subsim.model import slots
from subsim.model.rules import clock, engagement, expansion, people, renewal, risk, work
from subsim.random import purposes

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
#: No fused multiply-add, which would change results. Code for this very processor (-march=native) is no faster.
FLAGS = ("-O3", "-ffp-contract=off", "-std=gnu11", "-Wall", "-shared", "-fPIC")

_C_TYPES = {"float64": "double", "int64": "int64_t", "uint64": "uint64_t", "int32": "int32_t"} | {
    "int16": "int16_t",
    "int8": "int8_t",
}
_RECORDS = ("ACCOUNT", "ITEM", "EVENT", "SEAT", "LEVER", "ROUTE", "OPENING", "LOG")
#: Modules whose numbers the C sources use, with the prefix that they have there.
_CONSTANTS: dict[str, ModuleType] = {
    "at_": slots,
    "ev_": events,
    "clock_": clock,
    "engagement_": engagement,
    "expansion_": expansion,
    "people_": people,
    "renewal_": renewal,
    "risk_": risk,
    "work_": work,
    "purposes_": purposes,
}
_COUNTERS = (
    "N_ACCOUNTS",
    "N_EVENTS",
    "N_LOG",
    "N_HANDLED",
    "MONTH",
    "STATUS",
    "BUCKET",
    "FREE",
    "N_LATER",
    "N_NOW",
    "ASKED",
    "ASKED_AT",
    "CHANGES",
    "ROOM_BITS",
    "BUCKET_BITS",
)

Cubes = tuple[np.ndarray, ...]


def has_compiler() -> bool:
    """Whether this machine has gcc."""
    return shutil.which("gcc") is not None


def load(setup: Setup) -> ctypes.CDLL:
    """Write the header for a set-up's arrays, compile the loop, load it."""
    BUILD.mkdir(exist_ok=True)
    (BUILD / "generated.h").write_text(header(setup), encoding="utf-8")
    library = BUILD / "loop.so"
    sources = ["-I", str(BUILD), str(HERE / "c" / "loop.c"), "-lm"]
    subprocess.run(["gcc", *FLAGS, "-o", str(library), *sources], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.simulate.restype = ctypes.c_int64
    return loaded


class CLoop:
    """The C loop with the arrays of one set-up, ready to run again and again."""

    def __init__(self, setup: Setup) -> None:
        self.library = load(setup)
        self.state = _state(setup)
        self.world, self.frame = frame(setup.world), frame(self.state)

    def run(self, rows: np.ndarray, seed: int, first_run: int, cubes: Cubes) -> None:
        """Simulate rows of parameters into cubes; an error when an array is too small."""
        done = self.library.simulate(
            ctypes.c_void_p(self.world.address),
            ctypes.c_void_p(self.frame.address),
            ctypes.c_void_p(rows.ctypes.data),
            ctypes.c_int64(len(rows)),
            ctypes.c_uint64(seed),
            ctypes.c_int64(first_run),
            *(ctypes.c_void_p(cube.ctypes.data) for cube in cubes),
        )
        if done != len(rows):
            raise RuntimeError(f"the C loop stopped with status {int(self.state.count[state.STATUS])}")


def header(setup: Setup) -> str:
    """Constants, records and the two tables of arrays, as C."""
    lines = ["/* Written by c_loop.py. */", "#include <stdint.h>"]
    for prefix, module in _CONSTANTS.items():
        lines += [_constant(prefix + name, value) for name, value in vars(module).items() if _is_number(name, value)]
    lines += [_constant(name, value) for name, value in vars(metrics).items() if name[:2] in {"S_", "T_", "R_"}]
    lines += [_constant(name, getattr(state, name)) for name in _COUNTERS]
    lines += [_record(name, getattr(state, name)) for name in _RECORDS]
    lines += [_table("World", setup.world), _table("State", _state(setup))]
    return "\n".join(lines) + "\n"


def _is_number(name: str, value: object) -> bool:
    return not name.startswith("_") and isinstance(value, int | float) and not isinstance(value, bool)


def _constant(name: str, value: float) -> str:
    return f"#define {name} {value!r}" if isinstance(value, float) else f"#define {name} INT64_C({int(value)})"


def _record(name: str, kind: np.dtype[Any]) -> str:
    fields = {field: kind.fields[field] for field in kind.names or ()} if kind.fields else {}
    members = " ".join(f"{_C_TYPES[str(part[0])]} {field};" for field, part in fields.items())
    checks = [f'_Static_assert(__builtin_offsetof({name}, {f}) == {part[1]}, "{f}");' for f, part in fields.items()]
    size = f'_Static_assert(sizeof({name}) == {kind.itemsize}, "{name}");'
    return "\n".join([f"typedef struct {{ {members} }} {name};", size, *checks])


def _table(name: str, members: Any) -> str:
    """The layout of `subsim.engine.frame`: for each member an address and three lengths, or a number and padding."""
    rows = []
    for member, value in members._asdict().items():
        if isinstance(value, np.ndarray):
            rows.append(f"    {_c_type(value.dtype)} *{member}; int64_t {member}_n[3];")
        else:
            rows.append(f"    int64_t {member}, {member}_unused[3];")
    size = f'_Static_assert(sizeof({name}) == {len(rows)} * 32, "{name}");'
    return "\n".join(["typedef struct {", *rows, f"}} {name};", size])


def _c_type(kind: np.dtype[Any]) -> str:
    record = next((name for name in _RECORDS if getattr(state, name).names == kind.names), None)
    return record if kind.names and record else _C_TYPES[str(kind)]
