"""One content, one fingerprint: whatever order, names, notation or kind of source it comes in."""

import datetime as dt
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subsim.book import read_book
from tests.unit.book import exports

AS_OF = "2025-06-30"
#: Ids and words as people have them: leading zeros, spaces inside, signs that mean something to CSV, other alphabets.
WORDS = st.text(st.sampled_from("0123456789abcXYZ-_. ,;'\"äßΩ中"), min_size=1, max_size=8)
IDS = WORDS.map(lambda text: " ".join(text.split())).filter(lambda text: text not in ("", "."))
DAYS = st.dates(dt.date(2023, 1, 1), dt.date(2025, 6, 30))
MONEY = st.integers(1, 10**11).map(lambda cents: Decimal(cents) / 100)
MAYBE = st.one_of(st.none(), IDS.filter(lambda text: text.lower() != "all"))


@st.composite
def books(draw: st.DrawFn) -> exports.Tables:
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique_by=str.lower))
    accounts = [
        {"account_id": name, "start_date": draw(DAYS), "segment": draw(MAYBE), "parent_id": None, "tier": draw(MAYBE)}
        for name in ids
    ]
    contracts = []
    for name, start in draw(st.lists(st.tuples(st.sampled_from(ids), DAYS), min_size=1, max_size=6)):
        end = start + dt.timedelta(days=draw(st.integers(0, 1200)))
        billing = draw(st.sampled_from([None, "annual", "Quarterly"]))
        amounts = {"arr": draw(MONEY), "list_arr": draw(st.one_of(st.none(), MONEY))}
        contracts.append({"account_id": name, "start_date": start, "end_date": end, **amounts, "billing": billing})
    scores = st.floats(-1e6, 1e6, allow_nan=False).map(lambda score: float(f"{score:.12g}"))
    health = [
        {"account_id": draw(st.sampled_from(ids)), "date": draw(DAYS), "score": draw(st.one_of(st.none(), scores))}
        for _ in range(draw(st.integers(1, 3)))
    ]
    return {"accounts": accounts, "contracts": contracts, "health": health}


def renamed(folder: Path, tables: exports.Tables) -> Path:
    """Other column and file names, another delimiter, a decimal comma; columns that are always blank are left out."""
    shown: dict[str, list[dict[str, Any]]] = {}
    mapping = ["name: other", "tables:"]
    for name, rows in tables.items():
        kept = [column for column in rows[0] if any(row[column] is not None for row in rows)]
        columns = ", ".join(f"{column}: Their {column}" for column in kept)
        mapping.append(
            f"  {name}: {{file: export {name}.csv, decimal: ',', columns: {{{columns}}}}}".replace("Their ", "x_")
        )
        shown[f"export {name}"] = [{f"x_{column}": comma(row[column]) for column in kept} for row in rows]
    exports.write_csv(folder, shown, delimiter=";")
    (folder / "book.yaml").write_text("\n".join(mapping), encoding="utf-8")
    return folder


def comma(value: object) -> object:
    return str(value).replace(".", ",") if isinstance(value, Decimal | float) else value


def shuffled(data: st.DataObject, tables: exports.Tables) -> exports.Tables:
    return {name: data.draw(st.permutations(list(rows))) for name, rows in tables.items()}


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(books(), st.data())
def test_order_names_and_kind_of_file_mean_nothing(tables: exports.Tables, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        one = read_book(exports.write_csv(here / "csv", tables), as_of=AS_OF).fingerprint()
        ways: list[Callable[[exports.Tables], Path]] = [
            lambda rows: renamed(here / "renamed", rows),
            lambda rows: exports.write_parquet(here / "parquet", rows),
            lambda rows: exports.write_workbook(here / "book.xlsx", rows),
            lambda rows: exports.write_duckdb(here / "book.duckdb", rows),
            lambda rows: exports.write_sqlite(here / "book.db", rows),
        ]
        for way in ways:
            source = way(shuffled(data, tables))
            assert read_book(source, as_of=AS_OF).fingerprint() == one, source.name


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books(), st.data())
def test_a_server_holds_the_same_content(postgres_url: str, tables: exports.Tables, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        one = read_book(exports.write_csv(Path(name) / "csv", tables), as_of=AS_OF).fingerprint()
    exports.write_postgres(postgres_url, shuffled(data, tables))
    assert read_book(postgres_url, as_of=AS_OF).fingerprint() == one


@settings(deadline=None, max_examples=6)
@given(books(), st.data())
def test_any_other_value_is_another_content(tables: exports.Tables, data: st.DataObject) -> None:
    contracts = [dict(row) for row in tables["contracts"]]
    row = data.draw(st.sampled_from(contracts))
    change = data.draw(st.sampled_from(["arr", "end_date", "billing"]))
    others = {"arr": row["arr"] + Decimal("0.01"), "end_date": row["end_date"] + dt.timedelta(days=1)}
    row[change] = others.get(change, "monthly")
    with tempfile.TemporaryDirectory() as name:
        one = read_book(exports.write_csv(Path(name) / "one", tables), as_of=AS_OF)
        other = read_book(exports.write_csv(Path(name) / "other", tables | {"contracts": contracts}), as_of=AS_OF)
    assert one.fingerprint() != other.fingerprint()
