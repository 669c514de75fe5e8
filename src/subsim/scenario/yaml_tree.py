"""YAML text to a tree of values that know their file and line; nothing is guessed and nothing is executed.

Only plain data is read: mappings, lists and scalars. Text stays text unless it is a decimal number, `true` or `false`
(so `no`, `on` and dates are text). Anchors, tags, merge keys, several documents and repeated keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from subsim.errors import InputError
from subsim.units import shown

Scalar = str | int | float | bool | None

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
MAX_VALUES = 50_000

_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?(\d{1,20}\.\d{0,20}|\.\d{1,20}|\d{1,20})([eE][-+]?\d{1,2})?")
_LEADING_ZERO = re.compile(r"[-+]?0\d")


@dataclass(frozen=True)
class Tree:
    """A value with its place: a scalar, a list of trees, or a mapping of keys to trees."""

    value: Scalar | list[Tree] | dict[str, Tree]
    file: str
    line: int

    @property
    def where(self) -> str:
        """File and line, as an error starts."""
        return f"{self.file}:{self.line}"


def read_tree(path: Path) -> Tree:
    """The YAML mapping in a file; raises InputError with file and line for anything else."""
    file = path.as_posix()
    try:
        if path.stat().st_size > MAX_BYTES:
            found = f"a file of {path.stat().st_size:,} bytes"
            raise InputError(where=file, found=found, allowed=f"at most {MAX_BYTES:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise InputError(where=file, found=found, allowed="a scenario file (.yaml)") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"a byte that is not text (0x{data[error.start]:02x})"
        raise InputError(where=f"{file}:{line}", found=found, allowed="UTF-8 text") from None
    return parse_tree(text, file)


def parse_tree(text: str, file: str) -> Tree:
    """The mapping in a YAML text; `file` is the name that errors show."""
    try:
        return _Parser(text, file).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"the control character #x{ord(text[error.position]):04x}"
        raise InputError(where=f"{file}:{line}", found=found, allowed="plain text") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from None


class _Parser:
    """Builds the tree from PyYAML's events, which come one by one, so that limits hold before anything is built."""

    def __init__(self, text: str, file: str) -> None:
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self.file = file
        self.values = 0

    def document(self) -> Tree:
        """The one mapping of the one document."""
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise InputError(
                where=f"{self.file}:1", found="an empty file", allowed="a scenario: name, start, horizon, ..."
            )
        tree = self.node(next(self.events), depth=0)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.refuse(after, "a second document (---)", "one scenario in a file")
        if not isinstance(tree.value, dict):
            what = "an empty file" if tree.value is None else "a list" if isinstance(tree.value, list) else "plain text"
            raise InputError(where=tree.where, found=what, allowed="keys with values, such as name: Baseline")
        return tree

    def node(self, event: yaml.Event, depth: int) -> Tree:
        """The value that starts with this event."""
        self.values += 1
        line = _line(event)
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            found = f"more than {MAX_VALUES:,} values" if depth <= MAX_DEPTH else "values nested too deeply"
            raise self.refuse(event, found, f"at most {MAX_VALUES:,} values, {MAX_DEPTH} levels deep")
        anchor = getattr(event, "anchor", None)
        if anchor:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise self.refuse(
                event, f"the anchor {sign}{shown(anchor)[1:-1]}", "plain values", "write it out, or use extends"
            )
        tag = getattr(event, "tag", None)
        if tag:
            raise self.refuse(event, f"the tag {shown(tag)}", "plain values without tags")
        if isinstance(event, yaml.MappingStartEvent):
            return Tree(self.mapping(depth), self.file, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(item, depth + 1))
            return Tree(items, self.file, line)
        return Tree(_scalar(event) if isinstance(event, yaml.ScalarEvent) else None, self.file, line)

    def mapping(self, depth: int) -> dict[str, Tree]:
        """Keys with values; the place of a value is the line of its key."""
        entries: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refuse(event, "a key that is not plain text", "a name followed by a colon")
            self.node(event, depth)
            key = event.value
            if key == "<<":
                raise self.refuse(event, "a merge key (<<)", "plain keys", "use extends")
            if key in entries:
                first = entries[key].line
                raise self.refuse(
                    event, f"the key {shown(key)} a second time", f"each key once (first on line {first})"
                )
            value = self.node(next(self.events), depth + 1)
            entries[key] = Tree(value.value, self.file, _line(event))
        return entries

    def refuse(self, event: yaml.Event, found: str, allowed: str, do: str = "") -> InputError:
        """An error at the event's line."""
        return InputError(where=f"{self.file}:{_line(event)}", found=found, allowed=allowed, do=do)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text: str = event.value
    if event.style is not None:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and not _LEADING_ZERO.match(text):
        return float(text)
    return text


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    content = lines[line - 1] if line <= len(lines) else ""
    if "\t" in content[: len(content) - len(content.lstrip())]:
        found, allowed = "a tab before the text", "spaces for indentation"
    else:
        found, allowed = (
            f"{shown(content.strip())} ({error.problem})",
            "YAML: one key: value a line, indented with spaces",
        )
    return InputError(where=f"{file}:{line}", found=found, allowed=allowed)
