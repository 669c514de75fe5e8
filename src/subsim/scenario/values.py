"""Catalogue numbers in a scenario: read with the unit that the catalogue states, and written back."""

from __future__ import annotations

import difflib

from subsim import units
from subsim.errors import InputError
from subsim.model.catalogue import Parameter, parameters
from subsim.scenario.fields import problem
from subsim.scenario.roles import OVERLOAD


def row_of(name: object) -> Parameter:
    """The catalogue row of that name, or a problem with the nearest name."""
    rows = parameters()
    if not isinstance(name, str) or name not in rows:
        near = difflib.get_close_matches(str(name), rows, n=1, cutoff=0.4)
        raise problem(units.shown(name), "a parameter of the catalogue", f"did you mean {near[0]}?" if near else "")
    return rows[name]


def read_value(row: Parameter, value: object) -> float:
    """A value for a parameter, in the catalogue's unit and range.

    Days and hours need their unit, shares may be `7 %`, dollars may be `$40k`, switches are true or false and overload
    policies are words; every other unit is a plain number.
    """
    try:
        number = _read(row, value)
    except InputError as error:
        raise problem(error.found, error.allowed, error.do) from None
    if not row.low <= number <= row.high:
        low, high = (write_value(row, end) for end in (row.low, row.high))
        raise problem(units.shown(value), f"{low} to {high} {_unit(row)}".rstrip())
    return number


def write_value(row: Parameter, number: float) -> str | float | int | bool:
    """The value as `read_value` reads it back."""
    if row.unit == "days":
        return units.days_text(number)
    if row.unit == "hours":
        return units.hours_text(number)
    if row.unit == "switch":
        return number == 1
    if row.unit == "policy":
        return OVERLOAD[int(number)]
    return int(number) if number == int(number) else number


def _read(row: Parameter, value: object) -> float:
    if row.unit == "days":
        return units.days(value)
    if row.unit == "hours":
        return units.hours(value)
    if row.unit.startswith("share"):
        return units.share(value, low=row.low, high=row.high)
    if row.unit.startswith("dollars"):
        return units.money_cents(value) / 100
    words = {"switch": (False, True), "policy": OVERLOAD}.get(row.unit)
    if words is None:
        return units.number(value)
    if isinstance(value, (bool, str)) and value in words:
        return float(words.index(value))
    raise InputError(where="", found=units.shown(value), allowed=", ".join(str(word).lower() for word in words))


def _unit(row: Parameter) -> str:
    return "" if row.unit in ("days", "hours", "switch", "policy") else row.unit
