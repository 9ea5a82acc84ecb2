"""Stored queries: ``.rq`` files with a ``#+`` YAML header, whose parameters are ``VALUES ?name { … }`` slots."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from llmkg.errors import Problem, QueryError, SourceError
from llmkg.identifiers import check_iri
from llmkg.namespaces import term
from llmkg.results import Term
from llmkg.sources import yaml_tree
from llmkg.sources.text import read_text
from llmkg.sparql_text import tokens

__all__ = ["Parameter", "StoredQuery", "bind", "find_queries", "load_query", "parse_value"]

TYPES = ("entity", "iri", "string", "integer", "decimal", "boolean", "date", "choice")
_HEADER_KEYS = ("summary", "description", "tags", "params", "answers")
_PARAMETER_KEYS = ("type", "help", "required", "kinds", "choices", "default")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")

#: gives the IRI of an entity's name, searched among some kinds; raises QueryError with suggestions
Resolve = Callable[[str, tuple[str, ...]], NamedNode]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: ``name`` as on the command line (kebab-case), its type, help and constraints."""

    name: str
    type: str
    help: str
    required: bool = False
    kinds: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    default: str = ""

    @property
    def variable(self) -> str:
        """Give the name of the slot's variable.

        >>> Parameter("max-distance", "integer", "").variable
        'maxDistance'
        """
        first, *rest = self.name.split("-")
        return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """One question: its header, its text, and where its slots' values stand in the text."""

    name: str
    topic: str
    summary: str
    description: str
    tags: tuple[str, ...]
    answers: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    text: str
    slots: tuple[tuple[str, int, int], ...]

    def parameter(self, name: str) -> Parameter:
        """Give the parameter ``name`` (``_`` and ``-`` are one), or raise :class:`QueryError` that lists those there are."""
        for parameter in self.parameters:
            if parameter.name == name.replace("_", "-"):
                return parameter
        known = ", ".join(parameter.name for parameter in self.parameters) or "none"
        raise QueryError(f"no parameter {name!r}", f"query {self.name}", f"parameters: {known}")


def find_queries(folder: Path) -> dict[str, Path]:
    """Give the path of every stored query under ``folder`` by its name, sorted by name."""
    paths = sorted(folder.rglob("*.rq"), key=lambda path: path.stem)
    return {path.stem: path for path in paths}


def load_query(path: Path) -> StoredQuery:
    """Give the stored query in ``path``; raise :class:`SourceError` with file and line where it is malformed."""
    text = read_text(path)
    name = f"queries/{path.parent.name}/{path.name}"
    header = _header(text, name)
    header.only(*_HEADER_KEYS)
    parameters = _parameters(header, name)
    slots = tuple(_slots(text))
    _compare(name, parameters, slots)
    return StoredQuery(
        name=path.stem,
        topic=path.parent.name,
        summary=header.text("summary"),
        description=header.text("description", "").strip(),
        tags=header.texts("tags"),
        answers=header.texts("answers"),
        parameters=parameters,
        text=text,
        slots=slots,
    )


def _header(text: str, name: str) -> yaml_tree.Mapping:
    lines = text.split("\n")
    # other lines are kept as blanks, so that line numbers are the file's own
    header = "\n".join(line[3:] if line.startswith("#+ ") else "" for line in lines)
    tree = yaml_tree.parse_yaml(header, name)
    if not isinstance(tree, yaml_tree.Mapping):
        raise SourceError([Problem(f"{name}:1:1", "has no header", "start with '#+ summary: …'")])
    return tree


def _parameters(header: yaml_tree.Mapping, name: str) -> tuple[Parameter, ...]:
    node = header.items.get("params")
    if node is None:
        return ()
    if not isinstance(node, yaml_tree.Mapping):
        raise SourceError([Problem(str(node.place), "params is no mapping", "write 'params:' then 'name: {type: …}'")])
    return tuple(_parameter(key, entry) for key, entry in node.items.items())


def _parameter(name: str, entry: yaml_tree.Node) -> Parameter:
    if not isinstance(entry, yaml_tree.Mapping):
        raise SourceError([Problem(str(entry.place), f"parameter {name!r} has no type", "write {type: …, help: …}")])
    entry.only(*_PARAMETER_KEYS)
    kind = entry.text("type")
    if kind not in TYPES or not _NAME.fullmatch(name) or (kind == "choice") != ("choices" in entry.items):
        message = f"parameter {name!r} of type {kind!r}"
        hint = f"names are kebab-case; types: {', '.join(TYPES)}; a choice, and nothing else, has choices"
        raise SourceError([Problem(str(entry.place), message, hint)])
    return Parameter(
        name=name,
        type=kind,
        help=entry.text("help"),
        required=entry.text("required", "false") == "true",
        kinds=entry.texts("kinds"),
        choices=entry.texts("choices"),
        default=entry.text("default", ""),
    )


def _slots(text: str) -> list[tuple[str, int, int]]:
    """Give ``(variable, start, end)`` of what stands between the braces of each ``VALUES ?variable { … }``."""
    found = []
    window = list(tokens(text))
    for index, token in enumerate(window[:-3]):
        variable, brace = window[index + 1], window[index + 2]
        if token.kind == "word" and token.text.upper() == "VALUES" and variable.kind == "variable":
            end = next(t for t in window[index + 3 :] if t.text == "}")
            found.append((variable.text[1:], brace.end, end.start))
    return found


def _compare(name: str, parameters: tuple[Parameter, ...], slots: tuple[tuple[str, int, int], ...]) -> None:
    declared = {parameter.variable for parameter in parameters}
    present = {variable for variable, _, _ in slots}
    for variable in sorted(declared - present):
        raise SourceError([Problem(f"{name}:1:1", f"parameter {variable!r} has no VALUES slot")])
    for variable in sorted(present - declared):
        raise SourceError([Problem(f"{name}:1:1", f"slot ?{variable} is not declared under params")])


def bind(query: StoredQuery, values: Mapping[str, Term]) -> str:
    """Give the text of ``query`` with each slot in ``values`` (by variable) holding its term; the others keep theirs.

    Raise :class:`QueryError` where a required parameter is missing or a name is no slot.
    """
    for parameter in query.parameters:
        if parameter.required and parameter.variable not in values:
            hint = f"give --{parameter.name}: {parameter.help}"
            raise QueryError(f"parameter {parameter.name!r} is required", f"query {query.name}", hint)
    known = {variable for variable, _, _ in query.slots}
    for name in values:
        if name not in known:
            raise QueryError(f"no parameter {name!r}", f"query {query.name}")
    text = query.text
    for variable, start, end in sorted(query.slots, key=lambda slot: -slot[1]):
        if variable in values:
            text = f"{text[:start]} {values[variable]} {text[end:]}"
    return text


def parse_value(parameter: Parameter, text: str, resolve: Resolve) -> Term:
    """Give the typed RDF term that ``text`` means for ``parameter``; raise :class:`QueryError` where it means none."""
    where = f"--{parameter.name}"
    if parameter.type == "entity":
        return resolve(text, parameter.kinds)
    if parameter.type == "iri":
        reason = check_iri(text)
        if reason:
            raise QueryError(f"{text!r} is no IRI: it {reason}", where)
        return NamedNode(text)
    if parameter.type == "choice" and text not in parameter.choices:
        raise QueryError(f"{text!r} is none of the choices", where, f"choices: {', '.join(parameter.choices)}")
    if parameter.type in ("string", "choice"):
        return Literal(text)
    return Literal(_canonical(parameter.type, text, where), datatype=term(f"xsd:{parameter.type}"))


def _canonical(kind: str, text: str, where: str) -> str:
    try:
        if kind == "integer":
            number = int(text.replace("_", ""))
            if abs(number) >= 2**63:
                raise QueryError(f"{text!r} is too large; the most is 2^63 - 1", where)
            return str(number)
        if kind == "decimal":
            value = Decimal(text)
            if not value.is_finite():
                raise QueryError(f"{text!r} is no number", where)
            return format(value, "f")
        if kind == "date":
            return date.fromisoformat(text).isoformat()
    except (ValueError, InvalidOperation) as error:
        example = {"integer": "7000000000", "decimal": "0.5", "date": "2023-02-24"}[kind]
        raise QueryError(f"{text!r} is no {kind}", where, f"write it like {example}") from error
    if text.lower() not in ("true", "false"):
        raise QueryError(f"{text!r} is neither true nor false", where)
    return text.lower()
