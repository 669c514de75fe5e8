"""Text to values, as SQL: dates in the notations of exports, money as whole cents, never through a float."""

import re
from dataclasses import dataclass
from typing import Final

from subsim.book.schema import Column
from subsim.book.source import DIGITS, literal
from subsim.errors import InputError
from subsim.units import money_cents, shown

_DAY = r"\d{4}-\d\d-\d\d"
_TIME = r"[ T]\d\d:\d\d(:\d\d([.,]\d+)?)?"
_OFFSET = r"( ?Z| UTC| ?[+-]\d\d(:?\d\d)?)"
_WORD_MONTHS = "['%b-%y', '%b %y', '%b-%Y', '%b %Y', '%B %Y', '%B-%Y', '%m/%Y']"
#: Days that a spreadsheet may count from its day 0, 1899-12-30: 1950 to 2199. Smaller numbers are hardly dates.
_SERIAL_DAYS: Final = (18_264, 109_575)
_WHOLE = r"-?\d{1,9}(\.0*)?"
_PLAIN_MONEY = r"-?\d{1,12}(\.\d{1,2}0*)?"
_GROUPED_MONEY = r"-?\d{1,3}(,\d{3}){1,4}(\.\d{1,2}0*)?"
#: What may stand around an amount: currency signs and codes, spaces, and the apostrophes of Swiss thousands.
_AROUND_MONEY = r"[$€£¥\s\x{00A0}\x{202F}'’]|^[A-Z]{3} ?|^-?[A-Z]{3} | ?[A-Z]{3}$"
_SERIAL = re.compile(r"\d{5,6}(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[^,]*\d,\d{1,2}\D*")


@dataclass(frozen=True)
class Notation:
    """How a table writes dates and numbers, as its mapping says."""

    dates: str = "iso"
    """`iso`; `excel`, days since 1899-12-30; or a pattern such as `%d.%m.%Y`. ISO is read in any case."""
    decimal: str = "."
    time_zone: str | None = None
    """Zone whose date a time with an offset becomes; None takes the date as it is written."""


def expression(column: Column, notation: Notation, t: str) -> str:
    """SQL that gives the value of the text `t`, itself SQL, or NULL where it is not of the column's kind."""
    if column.words:
        words = ", ".join(literal(word) for word in column.words)
        return f"CASE WHEN lower({t}) IN ({words}) THEN lower({t}) WHEN coalesce({t}, '') = '' THEN '' END"
    return {
        "id": lambda: f"NULLIF({t}, '')",
        "text": lambda: f"coalesce({t}, '')",
        "date": lambda: _date(notation, t),
        "month": lambda: _month(notation, t),
        "money": lambda: _money(notation, t),
        "whole": lambda: f"CASE WHEN {_is(t, _WHOLE)} THEN CAST(TRY_CAST({t} AS DOUBLE) AS BIGINT) END",
        "number": lambda: _number(notation, t),
    }[column.kind]()


def _is(t: str, pattern: str) -> str:
    return f"regexp_full_match({t}, {literal(pattern)})"


def _date(notation: Notation, t: str) -> str:
    written = f"CAST(TRY_CAST({t}[:19] AS TIMESTAMP) AS DATE)"
    local = written
    if notation.time_zone:
        utc = f"replace(replace({t}, ' UTC', 'Z'), ' Z', 'Z')"
        moment = rf"TRY_CAST(regexp_replace({utc}, '([+-]\d\d):?(\d\d)$', '\1:\2') AS TIMESTAMPTZ)"
        local = f"CAST(timezone({literal(notation.time_zone)}, {moment}) AS DATE)"
    cases = [
        (_DAY, f"TRY_CAST({t} AS DATE)"),
        (_DAY + _TIME, written),
        (_DAY + _TIME + _OFFSET, local),
    ]
    if notation.dates == "excel":
        low, high = _SERIAL_DAYS
        number = f"CAST(floor(TRY_CAST({t} AS DOUBLE)) AS INTEGER)"
        between = f"CASE WHEN {number} BETWEEN {low} AND {high} THEN DATE '1899-12-30' + {number} END"
        cases.append((r"\d{1,6}(\.\d+)?", between))
    elif notation.dates != "iso":
        day = f"CAST(try_strptime({t}, {literal(notation.dates)}) AS DATE)"
        cases.append((".+", f"CASE WHEN year({day}) >= 1900 THEN {day} END"))  # %Y also takes a two-digit year
    whens = " ".join(f"WHEN {_is(t, pattern)} THEN {value}" for pattern, value in cases)
    return f"CASE {whens} END"


def _month(notation: Notation, t: str) -> str:
    short = rf"CASE WHEN {_is(t, r'\d{4}-\d\d')} THEN TRY_CAST({t} || '-01' AS DATE)"
    words = f"CAST(try_strptime({t}, {_WORD_MONTHS}) AS DATE)"
    return f"last_day({short} ELSE coalesce({_date(notation, t)}, {words}) END)"


def _money(notation: Notation, t: str) -> str:
    cents = "CAST(CAST({} AS DECIMAL(18, 2)) * 100 AS BIGINT)"
    swapped = t if notation.decimal == "." else f"translate({t}, ',.', '.,')"
    bare = f"regexp_replace({swapped}, {literal(_AROUND_MONEY)}, '', 'g')"
    bare = rf"regexp_replace({bare}, '^\((.+)\)$', '-\1')"  # accountants write a loss in brackets
    return (
        f"CASE WHEN {_is(swapped, _PLAIN_MONEY)} THEN {cents.format(swapped)} "
        f"WHEN {_is(bare, _PLAIN_MONEY)} THEN {cents.format(bare)} "
        f"WHEN {_is(bare, _GROUPED_MONEY)} THEN {cents.format(f"replace({bare}, ',', '')")} END"
    )


def _number(notation: Notation, t: str) -> str:
    value = f"TRY_CAST({t if notation.decimal == '.' else f"replace({t}, ',', '.')"} AS DOUBLE)"
    rounded = f"CAST(format('{{:.{DIGITS}g}}', {value}) AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN {rounded} + 0.0 END"  # minus zero is zero


def other_money(text: str, notation: Notation) -> int:
    """Cents of an amount that SQL does not read, such as $1.2M.

    Raises:
        InputError: it is not an amount with at most two decimals.
    """
    if notation.decimal != ".":
        raise InputError(where="amount", found=shown(text), allowed="an amount with a decimal comma")
    return money_cents(text)


def advice(column: Column, text: str, notation: Notation) -> str:
    """What to write in the mapping for a value that looks like another notation; nothing where none is likely."""
    if column.kind in ("date", "month") and notation.dates == "iso":
        if _SERIAL.fullmatch(text) and _SERIAL_DAYS[0] <= float(text) <= _SERIAL_DAYS[1]:
            return "if it counts days as spreadsheets do, write dates: excel for this table in book.yaml"
        if re.fullmatch(r"\d{1,2}([./-])\d{1,2}\1(\d{4}|\d\d)", text):
            return "say which part is the day: dates: '%d.%m.%Y' for this table in book.yaml, with %y for two digits"
    if column.kind == "money" and notation.decimal == "." and _DECIMAL_COMMA.fullmatch(text):
        return "if the comma is a decimal comma, write decimal: ',' for this table in book.yaml"
    return ""
