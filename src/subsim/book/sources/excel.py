"""An Excel workbook: one sheet per table, its first row that is not blank is the header."""

import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, override
from zipfile import BadZipFile

import duckdb
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from subsim.book.source import Loaded, Store, cell_text, checked_names, insert, one_error

Row = tuple[int, list[str | None]]


class Workbook(Store):
    """An .xlsx or .xlsm file. Cells give the values that were calculated when it was saved."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._values = self._open(data_only=True)
        self._formulas: Any = None  # opened only if a sheet holds a formula without a value
        self.tables = [str(sheet.title) for sheet in self._values.worksheets]

    @override
    def place(self, table: str) -> str:
        """File and sheet."""
        return f"{self.path.name}[{table}]"

    @override
    def load(self, connection: duckdb.DuckDBPyConnection, table: str, delimiter: str | None) -> Loaded:
        """See `Store.load`. A formula that was never calculated stays text, so that it is reported, not left out."""
        rows = self._rows(table)
        number, header = next(rows, (1, []))
        body = list(rows)
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
            do = "save it as .xlsx, without a password"
            raise one_error(self.path.name, "a workbook that cannot be read", "an .xlsx file", do) from None

    def _rows(self, table: str) -> Iterator[Row]:
        """Rows that are not blank, with their numbers in the sheet."""
        if self._formulas is None:
            self._formulas = self._open(data_only=False)
        values, formulas = self._values[table], self._formulas[table]
        for sheet in (values, formulas):
            sheet.reset_dimensions()  # some exporters write a wrong size into the file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            both = zip(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=True)
            for number, (shown, written) in enumerate(both, start=1):
                cells = [
                    cell_text(text if value is None else value) for value, text in zip(shown, written, strict=True)
                ]
                if any(cells):
                    yield number, cells


def _width(values: list[str | None]) -> int:
    return max((at for at, value in enumerate(values, start=1) if value), default=0)
