"""Where the files are that come with the package: the demo company and its scenarios."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def demo_folder() -> Path:
    """Where the shipped files of the demo company lie."""
    return _PACKAGE / "book" / "demo"


def scenario_folder() -> Path:
    """Where the shipped scenarios lie: in the package, or beside the sources of a checkout."""
    inside = _PACKAGE / "scenarios"
    return inside if inside.is_dir() else _PACKAGE.parent.parent / "scenarios"
