"""An Excel workbook: one sheet per table, its first row that is not blank is the header."""

import warnings
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, override
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

import duckdb
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from subsim.book.source import Loaded, Store, cell_text, checked_names, insert, one_error

Row = tuple[int, list[str | None]]
_DO = "save it as .xlsx, without a password"


class Workbook(Store):
    """An .xlsx or .xlsm file. Cells give the values that were calculated when it was saved."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._values = self._open(data_only=True)
        self._formulas = self._open(data_only=False) if _has_formulas(path) else None
        self.tables = [str(sheet.title) for sheet in self._values.worksheets]

    @override
    def place(self, table: str) -> str:
        """File and sheet."""
        return f"{self.path.name}[{table}]"

    @override
    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """See `Store.load`. A formula that was never calculated stays text, so that it is reported, not left out."""
        try:
            rows = list(self._rows(table))
        except (BadZipFile, zlib.error, ParseError, KeyError, ValueError, OSError):
            raise one_error(self.place(table), "a sheet that cannot be read", "an .xlsx file", _DO) from None
        (number, header), *body = rows or [(1, [])]
        width = max((_width(values) for _, values in chain([(number, header)], body)), default=0)
        if not width:
            raise one_error(self.place(table), "an empty sheet", "a header row and data rows")
        titles = [*header, *([None] * width)][:width]
        unnamed = next((at for at, title in enumerate(titles) if not (title or "").strip()), None)
        where = f"{self.place(table)}:{number}"
        if unnamed is not None:
            found = f"nothing above the values of column {get_column_letter(unnamed + 1)}"
            raise one_error(where, found, "a different name for every column")
        names = checked_names([title or "" for title in titles], where)
        insert(connection, names, ((at, [*values, *([None] * width)][:width]) for at, values in body))
        return Loaded(names)

    @override
    def close(self) -> None:
        """Close the file."""
        self._values.close()
        if self._formulas is not None:
            self._formulas.close()

    def _open(self, *, data_only: bool) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about drawings and styles, of which nothing is read
                return load_workbook(self.path, read_only=True, data_only=data_only)
        except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
            raise one_error(self.path.name, "a workbook that cannot be read", "an .xlsx file", _DO) from None

    def _rows(self, table: str) -> Iterator[Row]:
        """Rows that are not blank, with their numbers in the sheet."""
        values = self._cells(self._values, table)
        written = values if self._formulas is None else self._cells(self._formulas, table)
        pairs = zip(values, written, strict=True) if written is not values else ((row, row) for row in values)
        for number, (shown, formulas) in enumerate(pairs, start=1):
            cells = [
                cell_text(_formula(formula) if value is None else value)
                for value, formula in zip(shown, formulas, strict=True)
            ]
            if any(cells):
                yield number, cells

    @staticmethod
    def _cells(book: Any, table: str) -> Iterator[tuple[object, ...]]:
        sheet = book[table]
        sheet.reset_dimensions()  # some exporters write a wrong size into the file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield from sheet.iter_rows(values_only=True)


def _has_formulas(path: Path) -> bool:
    """Whether any sheet has a cell with a formula; most exports have none, and are then read once only."""
    with ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(b"</f>" in chunk or b":f>" in chunk for name in sheets for chunk in _chunks(archive, name))


def _chunks(archive: ZipFile, name: str) -> Iterator[bytes]:
    """A file in pieces that overlap by the length of a tag."""
    with archive.open(name) as file:
        tail = b""
        while piece := file.read(1 << 20):
            yield tail + piece
            tail = piece[-3:]


def _formula(cell: object) -> object:
    """Text of a cell that may be a formula over several cells."""
    return getattr(cell, "text", cell)


def _width(values: list[str | None]) -> int:
    return max((at for at, value in enumerate(values, start=1) if value), default=0)
