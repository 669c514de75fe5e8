"""Scenario files: read with line numbers, joined along `extends`, checked, and reported with all their problems."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from subsim.errors import InputError, InputErrors
from subsim.scenario.models import Scenario
from subsim.scenario.problems import Path as KeyPath
from subsim.scenario.problems import path_text, validated_at
from subsim.scenario.yaml_tree import Tree, read_tree

#: Longest chain of `extends`.
MAX_CHAIN = 8

#: Keys that name a file or folder, relative to the file in which they are written.
_PATHS = ("book", "parameters")

#: The book that is made by the package itself rather than read from a folder.
DEMO_BOOK = "demo"


def load_scenario(path: str | Path) -> Scenario:
    """Read and check a scenario file.

    Files joined by `extends` are laid over each other: mappings key by key, lists and values whole; an empty value
    (`key:` or `key: null`) removes what was inherited. Paths are relative to the file in which they are written.

    Raises:
        InputErrors: everything that is wrong, each with file, line and path.
    """
    try:
        tree = _joined(Path(path), ())
    except InputError as error:
        raise InputErrors([error]) from None
    empty = _empty(tree, ())
    if empty:
        raise InputErrors(empty)
    try:
        scenario = validated_at(Scenario, _plain(tree), lambda keys: _place(tree, keys))
    except InputErrors as error:
        raise InputErrors(sorted(error.errors, key=_line)) from None
    scenario._source_path = Path(path)
    return scenario


def _line(error: InputError) -> tuple[str, int]:
    match = re.match(r"(.*?):(\d+)(?: |$)", error.where)
    return (match[1], int(match[2])) if match else ("", 0)


def _joined(path: Path, chain: tuple[Path, ...]) -> Tree:
    tree = read_tree(path)
    entries = dict(_entries(tree))
    for key in _PATHS:
        if key in entries:
            entries[key] = _resolved(key, entries[key], path.parent)
    base = entries.pop("extends", None)
    if base is None:
        return Tree(entries, tree.file, tree.line)
    chain = (*chain, path)
    where = f"{base.where} extends"
    if not isinstance(base.value, str):
        raise InputError(where=where, found=str(_plain(base)), allowed="the name of one scenario file")
    target = path.parent / base.value
    if not target.is_file():
        raise InputError(
            where=where, found=f"{base.value}, which is not there", allowed="a scenario file beside this one"
        )
    known = [link.resolve() for link in chain]
    if target.resolve() in known:
        circle = " -> ".join(link.name for link in (*chain[known.index(target.resolve()) :], target))
        raise InputError(where=where, found=f"a circle: {circle}", allowed="a chain that ends", do="remove one extends")
    if len(chain) >= MAX_CHAIN:
        raise InputError(where=where, found=f"a chain of more than {MAX_CHAIN} files", allowed=f"at most {MAX_CHAIN}")
    return _laid_over(_joined(target, chain), Tree(entries, tree.file, tree.line))


def _resolved(key: str, tree: Tree, folder: Path) -> Tree:
    """The path seen from the working directory; it must exist, unless it is the demo book."""
    if not isinstance(tree.value, str) or (key == "book" and tree.value == DEMO_BOOK):
        return tree
    target = folder / tree.value
    if not target.exists():
        what = "a folder with a book, a book.yaml, or demo" if key == "book" else "a parameter file"
        raise InputError(where=f"{tree.where} {key}", found=f"{tree.value}, which is not there", allowed=what)
    return Tree(target.as_posix(), tree.file, tree.line)


def _entries(tree: Tree) -> dict[str, Tree]:
    return tree.value if isinstance(tree.value, dict) else {}


def _laid_over(base: Tree, over: Tree) -> Tree:
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    entries = dict(base.value)
    for key, value in over.value.items():
        if key in entries and value.value is None:
            del entries[key]
        else:
            entries[key] = _laid_over(entries[key], value) if key in entries else value
    return Tree(entries, over.file, over.line)


def _children(tree: Tree) -> list[tuple[str | int, Tree]]:
    if isinstance(tree.value, dict):
        return list(tree.value.items())
    return list(enumerate(tree.value)) if isinstance(tree.value, list) else []


def _empty(tree: Tree, path: KeyPath) -> list[InputError]:
    if tree.value is None:
        where = f"{tree.where} {path_text(path)}"
        return [InputError(where=where, found="no value", allowed="a value", do="write one, or remove the key")]
    return [error for key, child in _children(tree) for error in _empty(child, (*path, key))]


def _plain(tree: Tree) -> Any:
    if isinstance(tree.value, dict):
        return {key: _plain(child) for key, child in tree.value.items()}
    return [_plain(child) for child in tree.value] if isinstance(tree.value, list) else tree.value


def _place(tree: Tree, path: KeyPath) -> str:
    """File and line of the deepest part of the path that was written, then the path."""
    for key in path:
        child = dict(_children(tree)).get(key)
        if child is None:
            break
        tree = child
    return f"{tree.where} {path_text(path)}".rstrip()
