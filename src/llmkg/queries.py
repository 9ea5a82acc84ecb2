"""Stored queries: ``.rq`` files with a ``#+`` YAML header, whose parameters are ``VALUES ?name { … }`` slots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
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

__all__ = ["Filling", "Parameter", "StoredQuery", "bind", "fill", "find_queries", "load_query", "parse_value"]

TYPES = ("entity", "iri", "string", "integer", "decimal", "boolean", "date", "choice", "matches")
_HEADER_KEYS = ("summary", "description", "tags", "params", "answers")
_PARAMETER_KEYS = ("type", "help", "required", "kinds", "choices", "default", "fills")
_ESCAPE = re.compile(r"\\\\([uU])|\\u([0-9A-F]{4})|\\.", re.DOTALL)
_FORMS = {
    "integer": re.compile(r"[+-]?[0-9]{1,3}(?:_?[0-9]){0,20}"),
    "decimal": re.compile(r"[+-]?(?:[0-9]{1,25}(?:\.[0-9]{0,25})?|\.[0-9]{1,25})(?:[eE][+-]?[0-9]{1,2})?"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
_PLACES = 18  # what xsd:decimal keeps in the store
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")

#: gives the IRI of an entity's name, searched among some kinds; raises QueryError with suggestions
Resolve = Callable[[str, tuple[str, ...]], NamedNode]

#: what goes into a slot: one term, or any number of them
Filling = Term | tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: ``name`` as on the command line (kebab-case), its type, help and constraints.

    One of type ``matches`` is a text; besides its own slot, that of the variable ``fills`` can be given the entities whose names
    hold it, found in the names index by whoever asks. The query means the same without, but takes a scan of all names then.
    """

    name: str
    type: str
    help: str
    required: bool = False
    kinds: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    default: str = ""
    fills: str = ""

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
    name = f"queries/{path.parent.name}/{path.name}"
    text = read_text(path, name)
    header = _header(text, name)
    header.only(*_HEADER_KEYS)
    parameters = _parameters(header, name)
    slots = tuple(_slots(text, name))
    _compare(name, header, parameters, text, slots)
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
    # other lines are kept as blanks, so that lines and columns are the file's own
    header = "\n".join("   " + line[3:] if line.startswith("#+ ") else "" for line in lines)
    tree = yaml_tree.parse_yaml(header, name) if header.strip() else None
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
    required = entry.text("required", "false")
    wrong = (
        (not _NAME.fullmatch(name), "is not in kebab-case", "write it like max-distance"),
        (kind not in TYPES, f"has the unknown type {kind!r}", f"types: {', '.join(TYPES)}"),
        ((kind == "choice") != ("choices" in entry.items), "has choices and another type, or no choices",
         "give choices: […] with type: choice, and with no other"),
        ((kind == "matches") != ("fills" in entry.items), "fills a slot and has another type, or fills none",
         "give fills: variable with type: matches, and with no other"),
        (required not in ("true", "false"), f"has required: {required}", "write true or false"),
    )  # fmt: skip
    for is_wrong, message, hint in wrong:
        if is_wrong:
            raise SourceError([Problem(str(entry.place), f"parameter {name!r} {message}", hint)])
    return Parameter(
        name=name,
        type=kind,
        help=entry.text("help"),
        required=required == "true",
        kinds=entry.texts("kinds"),
        choices=entry.texts("choices"),
        default=entry.text("default", ""),
        fills=entry.text("fills", ""),
    )


def _slots(text: str, name: str) -> list[tuple[str, int, int]]:
    """Give ``(variable, start, end)`` of what stands between the braces of each ``VALUES ?variable { … }``."""
    found = []
    window = list(tokens(text))
    for index, token in enumerate(window[:-2]):
        variable, brace = window[index + 1], window[index + 2]
        if token.kind == "word" and token.text.upper() == "VALUES" and variable.kind == "variable":
            end = next((t for t in window[index + 3 :] if t.text in ("{", "}")), None)
            if brace.text != "{" or end is None or end.text != "}":
                hint = "write VALUES ?name { default }"
                raise SourceError(
                    [Problem(_place(text, token.start, name), f"slot {variable.text} is not closed", hint)]
                )
            found.append((variable.text[1:], brace.end, end.start))
    return found


def _place(text: str, at: int, name: str) -> str:
    return f"{name}:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"


def _compare(
    name: str,
    header: yaml_tree.Mapping,
    parameters: tuple[Parameter, ...],
    text: str,
    slots: tuple[tuple[str, int, int], ...],
) -> None:
    present = {variable for variable, _, _ in slots}
    problems = []
    filled = [(parameter, slot) for parameter in parameters for slot in (parameter.variable, parameter.fills) if slot]
    for parameter, slot in filled:
        if slot not in present:
            place = str(header.items["params"].items[parameter.name].place)  # type: ignore[union-attr,call-overload]
            hint = f"add VALUES ?{slot} {{ … }}"
            problems.append(Problem(place, f"parameter {parameter.name!r} has no VALUES slot", hint))
    declared = {slot for _, slot in filled}
    for variable, start, _ in slots:
        if variable not in declared:
            message = f"slot ?{variable} is not declared under params"
            problems.append(Problem(_place(text, start, name), message, "declare it, or use BIND"))
    if problems:
        raise SourceError(problems)


def bind(query: StoredQuery, values: Mapping[str, Filling]) -> str:
    """Give the text of ``query`` with each slot in ``values`` (by variable) holding its terms; the others keep theirs.

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
    return _filled(query.text, query.slots, values)


def fill(text: str, values: Mapping[str, Filling]) -> str:
    """Give a query's ``text`` with the slots of each variable in ``values`` holding its terms.

    >>> fill("ASK { VALUES ?name { UNDEF } ?s ?p ?name }", {"name": (Literal("a"), Literal("b"))})
    'ASK { VALUES ?name { "a" "b" } ?s ?p ?name }'
    """
    return _filled(text, _slots(text, "query"), values)


def _filled(text: str, slots: Iterable[tuple[str, int, int]], values: Mapping[str, Filling]) -> str:
    for variable, start, end in sorted(slots, key=lambda slot: -slot[1]):
        if variable in values:
            filling = values[variable]
            terms = filling if isinstance(filling, tuple) else (filling,)
            text = f"{text[:start]} {' '.join(map(_written, terms))} {text[end:]}"
    return text


def _written(term: Term) -> str:
    """Give a term as SPARQL text that engines read alike.

    Some (rdflib) replace ``\\u`` with 4 or 8 digits before they look for strings. So no text may seem to hold such an escape: its u
    is written as one, and every escape has 8 digits.
    """
    return _ESCAPE.sub(_escaped, str(term))


def _escaped(found: re.Match[str]) -> str:
    if found[1]:
        return rf"\\\U{ord(found[1]):08X}"
    return rf"\U0000{found[2]}" if found[2] else found[0]


def parse_value(parameter: Parameter, text: str, resolve: Resolve) -> Term:
    """Give the typed RDF term that ``text`` means for ``parameter``; raise :class:`QueryError` where it means none."""
    where = f"--{parameter.name}"
    if not _is_text(text):
        raise QueryError(f"{text!r} holds bytes that are not UTF-8", where, "give the value as UTF-8 text")
    if parameter.type == "entity":
        return resolve(text, parameter.kinds)
    if parameter.type == "iri":
        reason = check_iri(text)
        if reason:
            raise QueryError(
                f"{text[:60]!r} is no IRI: it {reason}", where, "write the full address, starting with https://"
            )
        return NamedNode(text)
    if parameter.type == "choice" and text not in parameter.choices:
        raise QueryError(f"{text!r} is none of the choices", where, f"choices: {', '.join(parameter.choices)}")
    if parameter.type in ("string", "choice", "matches"):
        return Literal(text)
    return Literal(_canonical(parameter.type, text, where), datatype=term(f"xsd:{parameter.type}"))


def _is_text(text: str) -> bool:
    """Tell whether ``text`` holds no lone surrogates, by which Python stands for bytes that it could not decode."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _canonical(kind: str, text: str, where: str) -> str:
    """Give the lexical form that the store writes for the value, or raise where the store has no such value."""
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise QueryError(f"{text!r} is neither true nor false", where, "write true or false")
        return text.lower()
    example = {"integer": "7000000000", "decimal": "0.5", "date": "2023-02-24"}[kind]
    if not _FORMS[kind].fullmatch(text):
        raise QueryError(f"{text[:60]!r} is no {kind}", where, f"write it like {example}")
    try:
        if kind == "date":
            return date.fromisoformat(text).isoformat()
        value = Decimal(text.replace("_", ""))
        plain = format(value, "f")
        if abs(value) >= (2**63 if kind == "integer" else 10**20):
            most = "2^63 - 1" if kind == "integer" else "10^20"
            raise QueryError(f"{text[:60]!r} is too large; the most is {most}", where, "check the scale")
    except (ValueError, InvalidOperation) as error:
        raise QueryError(f"{text[:60]!r} is no {kind}", where, f"write it like {example}") from error
    whole, point, places = plain.partition(".")
    if len(places.rstrip("0")) > _PLACES:
        raise QueryError(f"{text[:60]!r} has more than {_PLACES} decimal places", where, "round it")
    plain = f"{whole}{point}{places}".rstrip("0").rstrip(".") if point else whole
    return plain if value else "0"
