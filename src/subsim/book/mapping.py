"""`book.yaml`: where a book's tables are and how their columns are named, checked key by key."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from subsim.book.parse import Notation
from subsim.book.schema import SIGNALS, TABLES
from subsim.errors import InputError, InputErrors
from subsim.units import shown

MAX_BYTES = 1_000_000
Sql = Annotated[str, Field(min_length=1, max_length=2_000, coerce_numbers_to_str=True)]
Text = Annotated[str, Field(max_length=200, coerce_numbers_to_str=True)]
_DATES = r"^(iso|excel|%[dmbByY][-./ ,]{0,2}%[dmbByY][-./ ,]{0,2}%[dmbByY])$"


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("a zone such as Europe/Berlin or UTC")
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Exclusion(_Strict):
    """Rows left out on purpose; the book counts them and repeats the reason."""

    where: Sql
    because: str = Field(min_length=1)


class TableMapping(_Strict):
    """One table: where it is, its columns by name or SQL expression, its notation, and what to leave out."""

    file: str | None = None
    table: str | None = None
    """Sheet of a workbook or table of a database; by default of the same name."""
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    derive: dict[str, Sql] = {}
    columns: dict[str, Sql] = {}
    constants: dict[str, Text] = {}
    """Column -> the text that it has in every row."""
    values: dict[str, dict[str, Text]] = {}
    """Column -> word in the source -> word of the book; case does not count, other words stay."""
    exclude: list[Exclusion] = []
    dates: Annotated[str, Field(pattern=_DATES)] = "iso"
    decimal: Literal[".", ","] = "."
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    end_date_is: Literal["last_day", "first_day_out"] = "last_day"
    arr_is: Literal["annual", "monthly", "total"] = "annual"

    @property
    def notation(self) -> Notation:
        """How the table writes dates and numbers."""
        return Notation(self.dates, self.decimal, self.time_zone)


class Mapping(_Strict):
    """The whole `book.yaml`."""

    name: str | None = None
    file: str | None = None
    """File of the tables that name none, seen from the mapping; a data file that is read with a mapping comes first."""
    grace_days: int = Field(default=30, ge=0, le=365, strict=True)
    note: str = ""
    tables: dict[str, TableMapping] = {}


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        InputErrors: every key that is not right, with its line.
    """
    file = path.as_posix()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputErrors([InputError(where=file, found=error.strerror or "", allowed="a readable file")]) from None
    if len(data) > MAX_BYTES:
        raise InputErrors(
            [InputError(where=file, found=f"{len(data):,} bytes", allowed=f"at most {MAX_BYTES:,} bytes")]
        )
    try:
        text = data.decode("utf-8-sig")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        lines, errors = _lines(tree, file)
        content = yaml.safe_load(text) if not errors else {}
    except UnicodeDecodeError:
        raise InputErrors([InputError(where=file, found="bytes that are not text", allowed="UTF-8 text")]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        found = getattr(error, "problem", None) or "text that is not YAML"
        raise InputErrors([InputError(where=where, found=str(found), allowed="plain YAML")]) from None
    if errors:
        raise InputErrors(errors)
    try:
        mapping = Mapping.model_validate({} if content is None else content)
    except ValidationError as invalid:
        raise InputErrors(_explain(invalid, lines, file)) from None
    errors = _unknown_names(mapping, lines, file)
    if errors:
        raise InputErrors(errors)
    return mapping


def nearest(name: str, names: list[str]) -> str:
    """Advice that names what was probably meant, or nothing."""
    match = difflib.get_close_matches(name.lower(), [known.lower() for known in names], n=1, cutoff=0.6)
    return f"did you mean {next(known for known in names if known.lower() == match[0])}?" if match else ""


def _lines(tree: yaml.Node | None, file: str) -> tuple[dict[tuple[str, ...], int], list[InputError]]:
    """Line of every key by its path, and keys that are written twice; anchors are followed once."""
    lines: dict[tuple[str, ...], int] = {(): 1}
    errors: list[InputError] = []
    seen: set[int] = set()

    def walk(node: yaml.Node, path: tuple[str, ...]) -> None:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                line, here = key.start_mark.line + 1, (*path, str(key.value))
                if here in lines:
                    where = f"{file}:{line} {'.'.join(here)}"
                    errors.append(InputError(where=where, found="a key written twice", allowed="one value per key"))
                lines[here] = line
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[*path, str(index)] = value.start_mark.line + 1
                walk(value, (*path, str(index)))

    if tree is not None:
        walk(tree, ())
    return lines, errors


def _place(path: tuple[str, ...], lines: dict[tuple[str, ...], int], file: str) -> str:
    known = next(path[:length] for length in range(len(path), -1, -1) if path[:length] in lines)
    return f"{file}:{lines[known]} {'.'.join(path)}".rstrip()


def _explain(invalid: ValidationError, lines: dict[tuple[str, ...], int], file: str) -> list[InputError]:
    errors = []
    for problem in invalid.errors():
        path = tuple(str(part) for part in problem["loc"] if part != "[key]")
        if problem["type"] == "extra_forbidden":
            model = TableMapping if path[0] == "tables" else Mapping
            keys = list(Exclusion.model_fields if "exclude" in path else model.model_fields)
            found, allowed, do = f"unknown key {path[-1]}", ", ".join(keys), nearest(path[-1], keys)
        else:
            found, allowed, do = shown(problem["input"]), problem["msg"].replace("Input should be ", ""), ""
        errors.append(InputError(where=_place(path, lines, file), found=found, allowed=allowed, do=do))
    return errors


def _unknown_names(mapping: Mapping, lines: dict[tuple[str, ...], int], file: str) -> list[InputError]:
    """Tables and columns that a book does not have."""
    errors = []
    for table, entry in mapping.tables.items():
        known = [column.name for column in TABLES.get(table, ())]
        if not known:
            where = _place(("tables", table), lines, file)
            names, found = list(TABLES), f"unknown table {table}"
            errors.append(InputError(where=where, found=found, allowed=", ".join(names), do=nearest(table, names)))
            continue
        for key, name in _named_columns(entry):
            if name not in known and not (key == "columns" and table in SIGNALS):
                where = _place(("tables", table, key, name), lines, file)
                found, allowed = f"unknown column {name} of {table}", ", ".join(known)
                errors.append(InputError(where=where, found=found, allowed=allowed, do=nearest(name, known)))
            elif key == "constants" and name in entry.columns:
                where = _place(("tables", table, key, name), lines, file)
                errors.append(InputError(where=where, found="a column and a constant", allowed="one of them"))
    return errors


def _named_columns(entry: TableMapping) -> Iterator[tuple[str, str]]:
    """Key of the mapping and column of the book, for every column that it speaks of."""
    for key in ("columns", "constants", "values"):
        yield from ((key, name) for name in getattr(entry, key))
