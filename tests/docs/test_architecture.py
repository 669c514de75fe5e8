"""The architecture page shows the rooms there are, and points to files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "subsim"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def rooms_in_page() -> list[str]:
    """First column of the table of rooms."""
    table = PAGE.split("## Rooms")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def rooms_in_tree() -> set[str]:
    """Folders with code, and modules beside them."""
    folders = {f"{path.parent.name}/" for path in SOURCE.glob("*/*.py")}
    return folders | {path.name for path in SOURCE.glob("*.py") if path.name not in ("__init__.py", "__main__.py")}


def test_every_room_has_its_row_and_every_row_its_room() -> None:
    assert set(rooms_in_page()) == rooms_in_tree()


def test_no_room_is_listed_twice() -> None:
    rooms = rooms_in_page()
    assert len(rooms) == len(set(rooms))


def test_every_file_that_the_page_names_exists() -> None:
    named = [name for name in re.findall(r"`([\w./-]+)`", PAGE) if re.search(r"\w/\w|\.md$", name)]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
