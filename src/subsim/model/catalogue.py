"""The parameter catalogue: every number of the model with its unit, range, prior, source and grade.

The rows live in ``catalogue.toml``; this module gives typed access to them.

>>> from subsim.model.catalogue import parameter
>>> parameter("onboarding.customer_delay").value_for("smb")
14.0
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from subsim.errors import InputError

Label = Literal["calibrated", "assumed", "lever", "definition"]

#: Most segments, tiers, work types, teams and campaigns that one scenario may have.
SIZES: dict[str, int] = {"segment": 8, "tier": 8, "work": 16, "team": 8, "campaign": 8}


@dataclass(frozen=True)
class Prior:
    """A prior's family and spread; its centre is the parameter's value.

    ``normal`` has sd (or sd_share times the size of the value), ``lognormal`` the sd of the logarithm, ``beta`` its two
    shapes, ``gamma`` its shape (the mean is the value); ``fixed`` has no spread.
    """

    family: Literal["fixed", "normal", "lognormal", "beta", "gamma"]
    sd: float = 0.0
    sd_share: float = 0.0
    a: float = 0.0
    b: float = 0.0
    shape: float = 0.0


@dataclass(frozen=True)
class Parameter:
    """One row of the catalogue."""

    name: str
    symbol: str
    title: str
    unit: str
    by: tuple[str, ...]
    value: float
    low: float
    high: float
    prior: Prior
    source: str
    grade: str
    label: Label
    values: dict[str, float] = field(default_factory=dict)

    @property
    def slot(self) -> str:
        """Name of the parameter in compiled code: dots become underscores."""
        return self.name.replace(".", "_")

    @property
    def size(self) -> int:
        """How many numbers the parameter occupies in a parameter vector."""
        size = 1
        for dimension in self.by:
            size *= SIZES[dimension]
        return size

    def value_for(self, *keys: str) -> float:
        """The default for a segment, tier, work type, team or campaign of that name."""
        return next((self.values[key] for key in keys if key in self.values), self.value)


def _row(name: str, row: dict[str, Any]) -> Parameter:
    low, high = row["range"]
    plain = {key: row[key] for key in ("symbol", "title", "unit", "source", "grade", "label")}
    return Parameter(
        name=name,
        by=tuple(row["by"]),
        value=float(row["value"]),
        values=dict(row.get("values", {})),
        low=float(low),
        high=float(high),
        prior=Prior(**row["prior"]),
        **plain,
    )


@cache
def parameters() -> dict[str, Parameter]:
    """All parameters by name, in the order of the catalogue file."""
    text = files("subsim.model").joinpath("catalogue.toml").read_text(encoding="utf-8")
    rooms = tomllib.loads(text)
    return {f"{room}.{key}": _row(f"{room}.{key}", row) for room, rows in rooms.items() for key, row in rows.items()}


def parameter(name: str, where: str = "parameter") -> Parameter:
    """The parameter of that name; raises InputError with the nearest name if there is none."""
    known = parameters()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    raise InputError(
        where=where,
        found=f"{name!r} is not a parameter",
        allowed=f"nearest: {', '.join(near)}" if near else "a name of the parameter catalogue",
        do="list them with: subsim parameters",
    )
