"""What is kept of a book is found again as long as nothing has changed that it follows from."""

import datetime as dt
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from subsim.experiment import kept
from subsim.experiment.shipped import demo_folder
from subsim.experiment.starts import Start, read_start

AS_OF = dt.date(2026, 6, 30)
TEXTS = ["é, with, commas", "", "b"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_folder(), tmp_path / "book"))


def start() -> Start:
    accounts = {
        "account_id": np.array(TEXTS, object),
        "arr_cents": np.array([3, 2, 1]),
        "onboarded": np.array([1, 0, -1], np.int8),
        "score": np.array([0.1, np.nan, 1e300]),
    }
    touches = {"account_id": np.array([], object), "due_minute": np.array([], np.int64)}
    scores = {"account_id": np.array(["a"], object), "minute": np.array([-5]), "score": np.array([71.5])}
    done = {"kind": np.array(["call", "visit"], object), "done_minute": np.array([-9, -1])}
    lost = {"smb": np.arange(13), "enterprise": np.arange(13) * 2**40}
    return Start(accounts, touches, scores, done, lost, {name: values % 7 for name, values in lost.items()}, "abc")


def assert_same_columns(one: Start, other: Start) -> None:
    for mine, theirs in ((getattr(one, table), getattr(other, table)) for table in kept._TABLES):
        assert list(mine) == list(theirs)
        for name, values in theirs.items():
            assert mine[name].dtype == values.dtype
            np.testing.assert_array_equal(mine[name], values)


def test_a_start_state_comes_back_as_it_was(tmp_path: Path) -> None:
    kept.keep(tmp_path, "one", start())
    found = kept.find(tmp_path, "one")
    assert found is not None
    assert found.fingerprint == "abc"
    assert found.accounts["account_id"].tolist() == TEXTS
    assert_same_columns(found, start())
    for lost in ("lost_arr", "lost_logos"):
        mine, theirs = getattr(found, lost), getattr(start(), lost)
        assert set(mine) == set(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])


def test_a_real_book_comes_back_as_it_was(tmp_path: Path) -> None:
    read = read_start(demo_folder(), AS_OF)
    kept.keep(tmp_path, "demo", read)
    found = kept.find(tmp_path, "demo")
    assert found is not None
    assert_same_columns(found, read)
    assert len(read.touches["account_id"]) > 500


@pytest.mark.parametrize(
    "harm", [lambda p: p.write_bytes(p.read_bytes()[:99]), lambda p: p.write_text("no"), Path.unlink]
)
def test_a_file_that_cannot_be_used_is_no_file(tmp_path: Path, harm: object) -> None:
    kept.keep(tmp_path, "one", start())
    harm(tmp_path / kept.FOLDER / "one.npz")  # type: ignore[operator]
    assert kept.find(tmp_path, "one") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / kept.FOLDER).write_text("in the way")
    kept.keep(tmp_path, "one", start())
    assert kept.find(tmp_path, "one") is None


def test_only_the_last_books_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", 2)
    for age, name in enumerate("abc"):
        kept.keep(tmp_path, name, start())
        os.utime(tmp_path / kept.FOLDER / f"{name}.npz", (age, age))
    assert [kept.find(tmp_path, name) is not None for name in "abc"] == [False, True, True]


def test_whatever_changes_is_another_book(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def now() -> str:
        name = kept.identity(book, AS_OF)
        assert name is not None
        return name

    first = now()
    assert now() == first
    seen = {first, kept.identity(book, AS_OF - dt.timedelta(days=1))}
    with (book / "contracts.csv").open("a") as file:
        file.write("\n")
    seen.add(now())
    (book / "contracts.csv").rename(book / "contracts2.csv")
    seen.add(now())
    (book / "book.yaml").write_text("name: Acme\n")
    seen.add(now())
    monkeypatch.setattr(kept, "_sources", list)
    seen.add(now())
    monkeypatch.setattr("importlib.metadata.version", lambda _: "0")
    seen.add(now())
    assert len(seen) == 7


def test_what_may_lie_elsewhere_is_read_every_time(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = book / "book.yaml"
    for text in ("file: ../export.csv", "tables: {accounts: {file: x.csv}}", "derive: {age: today() - start}"):
        mapping.write_text(text)
        assert kept.identity(book, AS_OF) is None
    mapping.write_text("name: Known profiles")
    assert kept.identity(book, AS_OF) is not None
    assert kept.identity(mapping, AS_OF) is None
    assert kept.identity(book / "missing", AS_OF) is None
    monkeypatch.setattr(kept, "MOST_BYTES", 10)
    assert kept.identity(book, AS_OF) is None
