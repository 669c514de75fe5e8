"""Field types of scenario files: how a value is read with its unit, written back, and described to an editor."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from subsim import units
from subsim.errors import InputError
from subsim.model.catalogue import parameter

_NUMBER = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"
_DURATION = {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*([Hh]our|[Dd]ay|[Ww]eek|[Mm]onth|[Yy]ear)s?\s*$"}
_HOURS = {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*([Mm]inute|[Hh]our)s?\s*$"}
_MONTHS = {"type": "string", "pattern": r"^\s*[0-9.]+\s*([Mm]onth|[Yy]ear)s?\s*$"}
_SHARE = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*%?\s*$"}]}
_MONEY = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-$€£A-Z ]*[0-9][0-9,.]*\s*(k|K|M|m|B|bn)?[A-Z ]*$"}]
}
_DAY = {"type": "string", "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SEGMENT_NAME = re.compile(r"[a-z]([a-z0-9_ -]{0,38}[a-z0-9_])?")


def problem(found: str, allowed: str, do: str = "") -> PydanticCustomError:
    """A validation error with the parts of an InputError."""
    return PydanticCustomError(
        "input", "found {found}; allowed: {allowed}", {"found": found, "allowed": allowed, "do": do}
    )


class Strict(BaseModel):
    """Base of everything in a scenario: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False, validate_default=False)


@dataclasses.dataclass(frozen=True)
class Quantity:
    """How one kind of value is read, written and described; `parameter` names the catalogue row whose range holds."""

    read: Callable[[object], Any]
    write: Callable[[Any], object]
    schema: dict[str, Any]
    parameter: str = ""
    hint: str = ""

    def within(self, parameter: str) -> Quantity:
        """The same kind of value, held to the range of a catalogue parameter."""
        return dataclasses.replace(self, parameter=parameter)

    def check(self, value: object) -> Any:
        """The value in its inner unit."""
        try:
            result = self.read(value)
        except InputError as error:
            raise problem(error.found, error.allowed, error.do or self.hint) from None
        if self.parameter:
            in_range(self.parameter, result, self.write)
        return result

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.check, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.schema)


def in_range(name: str, value: float, write: Callable[[Any], object]) -> None:
    """Refuse a value outside the catalogue's range; money is compared in its catalogue unit, dollars."""
    row = parameter(name)
    scale = 100 if row.unit.startswith("dollars") else 1
    if not row.low * scale <= value <= row.high * scale:
        low, high = (write(type(value)(end * scale)) for end in (row.low, row.high))
        raise problem(str(write(value)), f"{low} to {high} ({row.title.lower()})")


def whole(low: int, high: int, hint: str = "") -> Quantity:
    """Whole numbers from `low` to `high`; `hint` says what to do instead."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(where="", found=units.shown(value), allowed="a whole number")
        if value < low:
            raise InputError(where="", found=units.shown(value), allowed=f"at least {low}", do=hint)
        if value > high:
            raise InputError(where="", found=units.shown(value), allowed=f"at most {high:,}")
        return value

    return Quantity(read, int, {"type": "integer", "minimum": low, "maximum": high})


def text(longest: int) -> Quantity:
    """One or more lines of text."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            raise InputError(where="", found=units.shown(value), allowed=f"text of at most {longest} characters")
        return value.strip()

    return Quantity(read, str, {"type": "string", "minLength": 1, "maxLength": longest})


def choice(*options: str) -> Quantity:
    """One of a few words."""

    def read(value: object) -> str:
        if value not in options:
            raise InputError(where="", found=units.shown(value), allowed=", ".join(options))
        return str(value)

    return Quantity(read, str, {"enum": list(options)})


def numbers(low: float, high: float) -> Quantity:
    """Plain numbers in a range."""

    def read(value: object) -> float:
        result = units.number(value)
        if not low <= result <= high:
            allowed = f"a number from {units.number_text(low)} to {units.number_text(high)}"
            raise InputError(where="", found=units.shown(value), allowed=allowed)
        return result

    return Quantity(read, _plain, {"type": "number", "minimum": low, "maximum": high})


def share_of(name: str) -> Quantity:
    """A share, `7 %` or `0.07`, in the range of a catalogue parameter."""
    row = parameter(name)

    def read(value: object) -> float:
        return units.share(value, low=row.low, high=row.high)

    return Quantity(read, _plain, _SHARE)


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        allowed = "a short name of lower-case letters, digits and _, such as mid_market"
        raise InputError(where="", found=units.shown(value), allowed=allowed)
    return value


def _segment_name(value: object) -> str:
    if not isinstance(value, str) or not _SEGMENT_NAME.fullmatch(value):
        allowed = "a short name of lower-case letters, digits, spaces, _ and -, such as mid_market"
        raise InputError(where="", found=units.shown(value), allowed=allowed)
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError(where="", found=units.shown(value), allowed="true or false")
    return value


def _positive_days(value: object) -> float:
    result = units.days(value)
    if result <= 0:
        raise InputError(where="", found=units.shown(value), allowed="more than 0 days")
    return result


def _currency(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise InputError(where="", found=units.shown(value), allowed="a currency code of three letters, such as USD")
    return value


def _horizon(value: object) -> int:
    result = units.months(value)
    if not 1 <= result <= 240:
        raise InputError(where="", found=units.shown(value), allowed="1 to 240 months")
    return result


def _first_of_month(value: object) -> dt.date:
    result = units.day(value)
    if result.day != 1:
        allowed = "the first day of a month"
        raise InputError(where="", found=str(result), allowed=allowed, do=f"write {result.replace(day=1)}")
    return result


DAYS = Quantity(units.days, units.days_text, _DURATION)
HOURS = Quantity(units.hours, units.hours_text, _HOURS)
MONEY = Quantity(units.money_cents, units.money_text, _MONEY)
NUMBER = Quantity(units.number, _plain, {"type": "number"})
SWITCH = Quantity(_switch, bool, {"type": "boolean"})

Name = Annotated[str, Quantity(_name, str, {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"})]
#: Segments may be called what the book calls them: `monthly plan`.
SegmentName = Annotated[str, Quantity(_segment_name, str, {"type": "string", "pattern": f"^{_SEGMENT_NAME.pattern}$"})]
Title = Annotated[str, text(120)]
Prose = Annotated[str, text(1000)]
Day = Annotated[dt.date, Quantity(units.day, str, _DAY)]
MonthStart = Annotated[dt.date, Quantity(_first_of_month, str, _DAY)]
Horizon = Annotated[int, Quantity(_horizon, units.months_text, _MONTHS)]
Currency = Annotated[str, Quantity(_currency, str, {"type": "string", "pattern": "^[A-Z]{3}$"})]
Every = Annotated[float, Quantity(_positive_days, units.days_text, _DURATION)]
Switch = Annotated[bool, SWITCH]
Seats = Annotated[int, whole(0, 10_000)]
