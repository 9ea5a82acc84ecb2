"""Terms and statements as lines of N-Triples, for graphs too large to hold as objects.

The texts are canonical (RDF 1.1 N-Triples, section 4): equal terms give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from llmkg.namespaces import BASE, graph_iri
from llmkg.namespaces import term as named

__all__ = ["Statement", "boolean", "day", "decimal", "integer", "iri", "line", "predicate", "statement_chunks", "text"]

#: subject, predicate and object, each as N-Triples writes it
Statement = tuple[str, str, str]

_SPECIAL = re.compile(r'["\\\n\r\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
_CHUNK = 20_000
_XSD = "http://www.w3.org/2001/XMLSchema#"


def iri(path: str) -> str:
    """Give the IRI of a path of ours, which holds no character that an IRI may not hold.

    >>> iri("model/llama")
    '<https://w3id.org/llmkg/model/llama>'
    """
    return f"<{BASE}{path}>"


@lru_cache(maxsize=512)
def predicate(curie: str) -> str:
    """Give the IRI that a prefixed name stands for; a bare name is a term of our ontology.

    >>> predicate("rdf:type"), predicate("license")
    ('<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>', '<https://w3id.org/llmkg/ontology#license>')
    """
    return f"<{named(curie).value}>"


def text(value: str, language: str = "") -> str:
    """Give a literal, of a language if one is named.

    >>> print(text('a "b"'), text("Llama", "en"))
    "a \\"b\\"" "Llama"@en
    """
    if _SPECIAL.search(value):
        value = _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], f"\\u{ord(found[0]):04X}"), value)
    return f'"{value}"@{language}' if language else f'"{value}"'


def integer(value: int) -> str:
    """Give an ``xsd:integer``."""
    return f'"{value}"^^<{_XSD}integer>'


def decimal(value: float) -> str:
    """Give an ``xsd:decimal`` of two places, as the store writes it.

    >>> decimal(0.5)
    '"0.5"^^<http://www.w3.org/2001/XMLSchema#decimal>'
    """
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return f'"{shown}"^^<{_XSD}decimal>'


def boolean(value: bool) -> str:
    """Give an ``xsd:boolean``."""
    return f'"{"true" if value else "false"}"^^<{_XSD}boolean>'


def day(value: str) -> str:
    """Give an ``xsd:date``."""
    return f'"{value}"^^<{_XSD}date>'


def line(statement: Statement, graph: str = "") -> str:
    """Give one line of N-Quads, in the named graph ``graph`` or in the default graph.

    >>> print(line((iri("a"), predicate("kind"), text("x")), "hub"), end="")
    <https://w3id.org/llmkg/a> <https://w3id.org/llmkg/ontology#kind> "x" <https://w3id.org/llmkg/graph/hub> .
    """
    subject, verb, value = statement
    return f"{subject} {verb} {value} <{graph_iri(graph).value}> .\n" if graph else f"{subject} {verb} {value} .\n"


def statement_chunks(statements: Iterable[Statement], graphs: tuple[str, ...] = ("",)) -> Iterator[bytes]:
    """Give ``statements`` as N-Quads in each of ``graphs`` (empty: the default graph), in chunks of a few megabytes."""
    rest = iter(statements)
    for some in iter(lambda: list(islice(rest, _CHUNK)), []):
        yield "".join(line(one, graph) for one in some for graph in graphs).encode()
