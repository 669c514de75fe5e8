"""Where each table of a book is: in a folder, in one file, in a database, or as a mapping says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import duckdb

from subsim.book.mapping import Mapping, TableMapping, nearest, read_mapping
from subsim.book.schema import TABLES
from subsim.book.source import Loaded, Store, one_error
from subsim.book.sources import TABLE_SUFFIXES, WORKBOOK_SUFFIXES, called, is_url, open_store
from subsim.errors import InputError, InputErrors

MAPPING_FILE = "book.yaml"
MAPPING_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Place:
    """One table in a store."""

    store: Store
    table: str
    delimiter: str | None

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.store.place(self.table)

    def load(self, connection: duckdb.DuckDBPyConnection) -> Loaded:
        """See `Store.load`."""
        return self.store.load(connection, self.table, self.delimiter)


class Stores:
    """Stores that are open, each once, until the `with` block ends."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._open: dict[str, Store] = {}

    def open(self, source: str | Path) -> Store:
        """The store of a URL or path."""
        key = str(source)
        if key not in self._open:
            self._open[key] = open_store(source, self._connection)
        return self._open[key]

    def __enter__(self) -> Stores:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for store in self._open.values():
            store.close()


def is_mapping(source: str | Path) -> bool:
    """Whether a source is itself a mapping, which then says where the data is."""
    return not is_url(str(source)) and Path(source).suffix in MAPPING_SUFFIXES and Path(source).is_file()


def rules_of(source: str | Path, mapping: str | Path | None) -> Mapping:
    """The mapping that is given, that is read itself, or that lies in the folder; else one that changes nothing.

    Raises:
        InputErrors: there is no such source, two mappings, or one that cannot be read.
    """
    if not is_url(str(source)) and not Path(source).exists():
        raise one_error(called(source), "nothing there", "a folder or a file of tables")
    if is_mapping(source):
        if mapping is not None:
            allowed = "the data with its mapping, or a mapping that names its file"
            raise one_error(Path(source).as_posix(), "two mappings", allowed)
        return read_mapping(Path(source))
    if mapping is not None:
        return read_mapping(Path(mapping))
    beside = None if is_url(str(source)) else Path(source) / MAPPING_FILE
    return read_mapping(beside) if beside and beside.exists() else Mapping()


def locate(source: str | Path, rules: Mapping, stores: Stores, mapping: str | Path | None = None) -> dict[str, Place]:
    """Place of every table that the source has.

    Raises:
        InputErrors: a store cannot be opened, a table that the mapping speaks of is not there, or there is none at all.
    """
    folder: Path | None = None
    common: Store | None = None
    if is_url(str(source)):
        base = Path(mapping).parent if mapping is not None else Path()
        common = stores.open(str(source))
    else:
        path = Path(source)
        folder = path if path.is_dir() else None
        base = folder or path.parent
        if path.is_file() and not is_mapping(path):
            common = stores.open(path)
            if common.tables is None and not rules.tables:
                allowed = "a mapping that names the tables in the file"
                raise one_error(path.name, "one file, no mapping", allowed, "pass mapping=")
        elif rules.file:
            common = stores.open(_beside(base, rules.file))
    places: dict[str, Place] = {}
    errors: list[InputError] = []
    for name in TABLES:
        entry = rules.tables.get(name)
        try:
            store = stores.open(_beside(base, entry.file)) if entry and entry.file else common
            place = None if store is None else _within(store, name, entry)
            if place is None and folder is not None:
                place = _in_folder(folder, name, entry, stores)
        except InputErrors as missing:
            errors += missing.errors
            continue
        if place:
            places[name] = place
        elif entry:
            allowed = f"{name}.csv or {name}.parquet" if folder else "file: a path"
            do = "" if folder else "add file:, or read the data and give this mapping with it"
            where = Path(source).name if folder else called(source)
            errors.append(InputError(where=where, found=f"no file for table {name}", allowed=allowed, do=do))
    if errors:
        raise InputErrors(errors)
    if not places:
        _nothing(source, folder, common)
    return places


def _beside(base: Path, file: str) -> str | Path:
    """A file that a mapping names, seen from where the mapping is; or a URL."""
    return file if is_url(file) else base / file


def _within(store: Store, name: str, entry: TableMapping | None) -> Place | None:
    """A table of the book in a store: a file that is one table holds all tables that a mapping takes from it."""
    delimiter = entry.delimiter if entry else None
    if store.tables is None:
        return Place(store, name, delimiter) if entry else None
    wanted = (entry.table if entry else None) or name
    found = next((table for table in store.tables if table.lower() == wanted.lower()), None)
    if found is None and entry and not entry.table and len(store.tables) == 1:
        found = store.tables[0]
    if found is None and entry and (entry.table or entry.file or entry.columns):
        where, here = store.place(wanted), ", ".join(store.tables[:20]) or "nothing"
        raise one_error(where, f"no table {wanted}", f"one of {here}", nearest(wanted, store.tables))
    return None if found is None else Place(store, found, delimiter)


def _in_folder(folder: Path, name: str, entry: TableMapping | None, stores: Stores) -> Place | None:
    candidates = (folder / f"{name}{suffix}" for suffix in (*TABLE_SUFFIXES, *WORKBOOK_SUFFIXES))
    present = [path for path in candidates if path.is_file()]
    if len(present) > 1:
        found = " and ".join(path.name for path in present)
        raise one_error(folder.name, found, f"one file for table {name}")
    return _within(stores.open(present[0]), name, entry or TableMapping()) if present else None


def _nothing(source: str | Path, folder: Path | None, store: Store | None) -> None:
    """Say what is there instead of tables of a book.

    Raises:
        InputErrors: always.
    """
    here = (
        sorted(path.name for path in folder.iterdir())[:20] if folder else list((store.tables if store else []) or [])
    )
    do = next((advice for name in here if (advice := nearest(Path(name).stem, list(TABLES)))), "")
    where = store.name if store is not None else Path(source).as_posix()
    nothing = "an empty folder" if folder else "no tables"
    allowed = "accounts.csv and contracts.csv or mrr.csv" if folder else "tables accounts and contracts, or mrr"
    raise one_error(where, ", ".join(here) or nothing, allowed, do or "name the tables in a mapping, book.yaml")
