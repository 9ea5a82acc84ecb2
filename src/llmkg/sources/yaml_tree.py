"""YAML read string-first: every scalar is the text that stands in the file, with its line and column.

Refused, with file and line: duplicate keys, anchors and aliases, tags, a second document, deep nesting.
The reader builds from libyaml's events, whose parser keeps its own stack, so that no nesting can exhaust ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from llmkg.errors import Problem, SourceError
from llmkg.records import Place
from llmkg.sources.text import read_text

__all__ = ["MAX_DIGITS", "Mapping", "Node", "Reading", "Scalar", "Sequence", "parse_yaml", "read_entries", "wrong"]

MAX_DEPTH = 32
#: how long a whole number may be that counts lines or ranks sources
MAX_DIGITS = 9
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# what YAML does not allow, and the line ends that YAML knows but editors do not count
_REFUSED = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text and its place."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list and its place."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values, in the order of the file, and the place of the first key."""

    items: dict[str, Node]
    place: Place

    def text(self, key: str, default: str | None = None) -> str:
        """Give the text under ``key``, or ``default``; raise :class:`SourceError` where neither is there."""
        node = self.items.get(key)
        if node is None:
            if default is None:
                raise wrong(self.place, f"has no {key!r}", f"add '{key}: …'")
            return default
        if not isinstance(node, Scalar):
            raise wrong(node.place, f"{key!r} is no single value", f"write '{key}: …' on one line")
        return node.text

    def texts(self, key: str) -> tuple[str, ...]:
        """Give the texts under ``key``: a list's items, one text alone, or nothing."""
        node = self.items.get(key)
        if node is None:
            return ()
        nodes = node.items if isinstance(node, Sequence) else (node,)
        found = []
        for item in nodes:
            if not isinstance(item, Scalar):
                raise wrong(item.place, f"{key!r} must hold texts only", f"write '{key}: [text, text]'")
            found.append(item.text)
        return tuple(found)

    def only(self, *allowed: str) -> None:
        """Raise :class:`SourceError` for the first key that is not ``allowed``."""
        for key in self.items:
            if key not in allowed:
                raise wrong(self.place, f"unknown key {key!r}", f"known keys: {', '.join(allowed)}")


Node = Scalar | Sequence | Mapping
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """The records of a file, and the problems found beside them."""

    records: tuple[T, ...]
    problems: tuple[Problem, ...]


def wrong(place: Place, message: str, hint: str = "") -> SourceError:
    """Give the error of one wrong place in a file."""
    return SourceError([Problem(str(place), message, hint)])


def parse_yaml(text: str, name: str) -> Node:
    """Give the tree of one YAML document; ``name`` is the file's name in messages.

    >>> node = parse_yaml("- {languages: [en, no], version: 3.10}", "x.yaml")
    >>> node.items[0].texts("languages"), node.items[0].text("version")
    (('en', 'no'), '3.10')
    """
    refused = _REFUSED.search(text)
    if refused:
        at = refused.start()
        place = Place(name, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        raise wrong(place, f"holds the control character U+{ord(refused.group()):04X}", "remove the character")
    try:
        return _build(yaml.parse(text, Loader=_LOADER), name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1)
        raise wrong(place, f"is no YAML: {error.problem or error.context}", _yaml_hint(error)) from error
    except yaml.YAMLError as error:
        raise wrong(Place(name, 1), f"is no YAML: {error}") from error


def _yaml_hint(error: yaml.MarkedYAMLError) -> str:
    if "tab" in str(error.problem) or "cannot start any token" in str(error.problem):
        return "indent with spaces, and put texts that start with a special character in quotes"
    return "put texts that hold ': ' or ' #' in quotes"


def _build(events: Iterator[Any], name: str) -> Node:
    """Build the tree without recursion: ``stack`` holds the open collections."""
    root: list[Node] = []
    stack: list[_Open] = []
    documents = 0
    for event in events:
        place = Place(name, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise wrong(place, "a second document starts here", "keep one document in a file")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise wrong(place, "anchors (&) and aliases (*) are not read", "write the value out, or quote it")
        elif _tag(event):
            raise wrong(place, f"tag {_tag(event)!r} is not read", "remove the tag")
        if isinstance(event, yaml.ScalarEvent):
            _add(root, stack, Scalar(event.value, place))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) >= MAX_DEPTH:
                raise wrong(place, f"nested deeper than {MAX_DEPTH} levels", "flatten the file")
            stack.append(_Open(place, isinstance(event, yaml.MappingStartEvent), [], {}, None))
        elif isinstance(event, yaml.CollectionEndEvent):
            _add(root, stack, stack.pop().close())
    if not root:
        raise wrong(Place(name, 1), "is empty", "delete the file, or write something into it")
    return root[0]


def _tag(event: Any) -> str:
    tag = getattr(event, "tag", None) or ""
    return "" if tag == "!" else str(tag)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    place: Place
    is_mapping: bool
    items: list[Node]
    pairs: dict[str, Node]
    key: Scalar | None

    def close(self) -> Node:
        return Mapping(self.pairs, self.place) if self.is_mapping else Sequence(tuple(self.items), self.place)


def _add(root: list[Node], stack: list[_Open], node: Node) -> None:
    if not stack:
        root.append(node)
        return
    top = stack[-1]
    if not top.is_mapping:
        top.items.append(node)
    elif top.key is None:
        if not isinstance(node, Scalar):
            raise wrong(node.place, "a key must be a text", "write 'key: value'")
        if node.text in top.pairs:
            raise wrong(node.place, f"key {node.text!r} stands twice", "keep one of the two")
        top.key = node
    else:
        top.pairs[top.key.text] = node
        top.key = None


def read_entries(path: Path, name: str, read: Callable[[Mapping], list[T]]) -> Reading[T]:
    """Give the records that ``read`` makes of each entry of the list in ``path``, and every problem found.

    A wrong entry does not hide the others.
    """
    records: list[T] = []
    problems: list[Problem] = []
    try:
        tree = parse_yaml(read_text(path, name), name)
        if not isinstance(tree, Sequence):
            raise wrong(tree.place, "the file is no list of entries", "start each entry with '- '")
    except SourceError as error:
        return Reading((), error.problems)
    for entry in tree.items:
        try:
            if not isinstance(entry, Mapping):
                raise wrong(entry.place, "this entry has no keys", "write 'key: value' lines")
            records.extend(read(entry))
        except SourceError as error:
            problems.extend(error.problems)
    return Reading(tuple(records), tuple(problems))
