"""What a command read of a book is found by the next one, and nothing is kept of a book that cannot be read."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from subsim.cli import reading
from subsim.errors import InputErrors
from subsim.experiment import kept
from subsim.experiment.shipped import demo_folder
from subsim.experiment.starts import read_start

AS_OF = dt.date(2026, 6, 30)


def test_what_was_read_is_found_by_the_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = reading.Books(tmp_path)
    first = books.read(demo_folder(), AS_OF)
    books.keep()
    monkeypatch.setattr(reading, "read_start", lambda *_: pytest.fail("read again"))
    found = reading.Books(tmp_path).read(demo_folder(), AS_OF)
    assert found.fingerprint == first.fingerprint
    assert found.accounts["account_id"].tolist() == first.accounts["account_id"].tolist()


def test_a_book_that_changes_while_a_command_runs_is_not_kept(tmp_path: Path) -> None:
    book = Path(shutil.copytree(demo_folder(), tmp_path / "book"))
    books = reading.Books(tmp_path)
    books.read(book, AS_OF)
    (book / "seats.csv").unlink()
    books.keep()
    assert not (tmp_path / kept.FOLDER).exists()


def test_a_bad_book_gives_its_errors_every_time(tmp_path: Path) -> None:
    bad = tmp_path / "book"
    bad.mkdir()
    (bad / "accounts.csv").write_text("account_id,segment\na,smb\n")
    with pytest.raises(InputErrors) as plain:
        read_start(bad, AS_OF)
    for _ in range(2):
        books = reading.Books(tmp_path)
        with pytest.raises(InputErrors) as here:
            books.read(bad, AS_OF)
        books.keep()
        assert str(here.value) == str(plain.value)
    assert not (tmp_path / kept.FOLDER).exists()
