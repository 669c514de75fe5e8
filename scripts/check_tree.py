"""Checks of the tracked tree that no linter makes: what it may name, how big files are, which room imports which.

Usage: python scripts/check_tree.py [ROOT]. Prints `file:line: what; what to do` and exits 1 if anything is found.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MAX_BYTES = 5_000_000
BINARY_PROBE_BYTES = 8192

# Written in pieces, so that this file passes its own checks.
_HOSTS = (
    "py" + r"pi\.org", "python" + r"hosted\.org", "ana" + r"conda\.org", "np" + r"mjs\.(?:org|com)",
    "yarn" + r"pkg\.com", r"deb\.deb" + r"ian\.org", "crates" + r"\.io", r"download\.py" + r"torch\.org",
)  # fmt: skip
_WORDS = (
    "work" + "place", "sub-?" + "agents?", "AI " + "(?:agent|assistant|session)s?", "issues " + "show",
    r"issue\s+#?" + r"\d+", "co-authored" + "-by", "clau" + "de", "anthro" + "pic", "chat" + "gpt", "open" + "ai",
    "shared/" + "(?:design|reference)",
)  # fmt: skip
_PATHS = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/ho" + r"me/\w",
    "/Us" + r"ers/\w",
    "/tmp/" + "bash_jobs",
    "/opt/" + "(?:wheels|pypi)",
)

# (pattern, what, what to do)
TEXT_CHECKS = (
    (
        re.compile("|".join(_HOSTS), re.IGNORECASE),
        "names a package index host",
        "name the package alone; installers know where to look",
    ),
    (
        re.compile(r"--(?:extra-)?" + r"index-url|--find" + "-links"),
        "names a package index",
        "drop the option; write the lock with `make lock`",
    ),
    (
        re.compile(r"(?<![\w.~-])(?:" + "|".join(_PATHS) + ")"),
        "holds a path of one machine",
        "use a path relative to the repository",
    ),
    (
        re.compile(r"\b(?:" + "|".join(_WORDS) + r")\b", re.IGNORECASE),
        "speaks of how it was made",
        "write about the product alone",
    ),
)

# What each room may import besides itself; a room that is not here is reported.
FOUNDATION = {"_jit", "errors", "ratios", "units"}
ROOMS: dict[str, set[str]] = {
    "_jit": set(),
    "errors": set(),
    "ratios": set(),
    "units": {"errors"},
    "random": {"_jit", "errors"},
    "ledger": FOUNDATION,
    "book": FOUNDATION | {"ledger"},
    "model": FOUNDATION | {"random"},
    "engine": FOUNDATION | {"model", "random"},
    "scenario": FOUNDATION | {"model"},
    "calibrate": FOUNDATION | {"book", "ledger", "model", "random"},
    "experiment": FOUNDATION | {"book", "engine", "ledger", "model", "random", "scenario"},
    "staffing": FOUNDATION | {"engine", "experiment", "model", "random", "scenario"},
    "evaluate": FOUNDATION | {"book", "calibrate", "experiment", "ledger", "model", "scenario"},
    # Reports are computed from results, never by running anything.
    "report": FOUNDATION | {"book", "calibrate", "evaluate", "experiment", "ledger", "model", "scenario", "staffing"},
}
FREE_ROOMS = {"__init__", "__main__", "cli"}

# Heavy libraries stay behind one door.
LIBRARY_ROOM = {"arviz": "calibrate", "nutpie": "calibrate", "pymc": "calibrate", "pytensor": "calibrate"}
ONE_FILE_LIBRARY = "arviz"


def tracked_files(root: Path) -> list[str]:
    """Return the paths that git tracks under `root` and that exist, with `/` between parts."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
    return [name for name in listing.decode().split("\0") if name and (root / name).is_file()]


def text_findings(name: str, text: str) -> Iterator[str]:
    """Yield a finding for every line that names what the tree must not name."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, what, do in TEXT_CHECKS:
            if found := pattern.search(line):
                yield f"{name}:{number}: {what} ({found.group()!r}); {do}"


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of each absolute import; ruff refuses relative ones (TID252)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "subsim":
                yield from ((node.lineno, f"subsim.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def import_findings(name: str, text: str) -> Iterator[str]:
    """Yield a finding for every import that goes against the direction between rooms."""
    room = PurePosixPath(PurePosixPath(name).parts[2]).stem
    if room not in ROOMS and room not in FREE_ROOMS:
        yield f"{name}:1: {room!r} is not a known room; add it to ROOMS in scripts/check_tree.py and ARCHITECTURE.md"
        return
    for line, module in imports(ast.parse(text, filename=name)):
        top, *rest = module.split(".")
        if top in LIBRARY_ROOM and room != LIBRARY_ROOM[top]:
            yield f"{name}:{line}: {room} imports {top}; move what needs it to {LIBRARY_ROOM[top]}"
        if top != "subsim" or not rest or room in FREE_ROOMS:
            continue
        target = rest[0]
        if target in ROOMS.keys() | FREE_ROOMS and target != room and target not in ROOMS[room]:
            allowed = ", ".join(sorted(ROOMS[room])) or "nothing"
            yield f"{name}:{line}: {room} imports {target}; {room} may import {allowed}: pass a value or move code"


def seam_findings(sources: dict[str, str]) -> Iterator[str]:
    """Yield a finding for each file after the first that imports the one-file library."""
    users = [
        (name, line)
        for name, text in sorted(sources.items())
        for line, module in imports(ast.parse(text, filename=name))
        if module.split(".")[0] == ONE_FILE_LIBRARY
    ]
    first = users[0][0] if users else ""
    for name, line in users:
        if name != first:
            yield f"{name}:{line}: a second file imports {ONE_FILE_LIBRARY}; keep it behind {first}"


def findings(root: Path) -> Iterator[str]:
    """Yield every finding in the tracked files under `root`, as `file:line: what; what to do`."""
    sources: dict[str, str] = {}
    for name in tracked_files(root):
        data = (root / name).read_bytes()
        if len(data) > MAX_BYTES:
            yield f"{name}:1: {len(data):,} bytes, more than {MAX_BYTES:,}; make it by a command instead of tracking it"
        if PurePosixPath(name).name == "uv" + ".lock":
            yield f"{name}:1: names a package index host; untrack it and use requirements.lock (`make lock`)"
            continue
        yield from text_findings(name, name)
        if b"\0" in data[:BINARY_PROBE_BYTES]:
            continue
        text = data.decode(errors="replace")
        yield from text_findings(name, text)
        if name.startswith("src/subsim/") and name.endswith(".py"):
            sources[name] = text
            yield from import_findings(name, text)
    yield from seam_findings(sources)


def main() -> int:
    """Print the findings for the repository given, or the one this script is in; return the exit code."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(findings(root))
    for line in found:
        print(line)
    print(f"check_tree: {len(found)} finding(s) in {len(tracked_files(root))} tracked files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
