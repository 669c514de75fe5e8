"""Where the public data lie when they are beside the repository."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
FOLDER = ROOT.parent / "shared" / "data"


def real(name: str) -> Path:
    """A public file, or a skip that says which one is missing."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository")
    return path
