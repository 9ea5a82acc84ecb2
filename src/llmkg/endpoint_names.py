"""The names that an endpoint knows: read into memory where they are few, asked one by one where they are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Quad

from llmkg.endpoint import Endpoint
from llmkg.identifiers import ENTITY_KINDS, check_iri, entity_iri, path_of
from llmkg.identity import LIMIT, Index, Name, Names, best, entity_path, is_hub, is_kind, last_part
from llmkg.namespaces import BASE, term
from llmkg.queries import fill
from llmkg.results import Results, plain_text

__all__ = ["FEW", "EndpointNames", "index_of", "names_in"]

FEW = 50_000
_LANGUAGES = ("en", "zh")
_SLUG_PLACES = tuple(dict.fromkeys((*ENTITY_KINDS.values(), "model/hub", "dataset/hub", "agent/hub")))

#: property whose values are names, what an entity must have for it (property, value), rank
_RULES = (
    (term("rdfs:label"), term("kind"), None, 0),
    (term("skos:altLabel"), term("kind"), None, 1),
    (term("hubId"), None, None, 1),
    (term("skos:prefLabel"), term("rdf:type"), term("skos:Concept"), 0),
    (term("skos:altLabel"), term("rdf:type"), term("skos:Concept"), 1),
    (term("rdfs:label"), term("valueType"), None, 1),
)

_PATTERN = """
  {
    { VALUES ?name { UNDEF } ?entity llmkg:kind ?kind ; rdfs:label ?name . BIND(0 AS ?rank) }
    UNION { VALUES ?name { UNDEF } ?entity llmkg:kind ?kind ; skos:altLabel ?name . BIND(1 AS ?rank) }
    UNION { VALUES ?name { UNDEF } ?entity llmkg:hubId ?name . BIND(1 AS ?rank) }
    UNION { VALUES ?name { UNDEF } ?entity a skos:Concept ; skos:prefLabel ?name . BIND(0 AS ?rank) }
    UNION { VALUES ?name { UNDEF } ?entity a skos:Concept ; skos:altLabel ?name . BIND(1 AS ?rank) }
    UNION { VALUES ?name { UNDEF } ?entity llmkg:valueType ?type ; rdfs:label ?name . BIND(1 AS ?rank) }
  }
"""
_PREFIXES = """
PREFIX llmkg: <https://w3id.org/llmkg/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""
_NAMES = f"{_PREFIXES}SELECT ?entity ?name ?rank WHERE {_PATTERN}"
_SOME_NAMES = f"{_NAMES} LIMIT {FEW + 1}"
_HOLDING = f"""{_PREFIXES}
SELECT ?entity ?name ?rank WHERE {{
  VALUES ?text {{ "" }}
  {_PATTERN}
  FILTER(CONTAINS(LCASE(STR(?name)), LCASE(?text)))
}} LIMIT 1000
"""
_KNOWN = "SELECT DISTINCT ?entity WHERE { VALUES ?entity { UNDEF } ?entity ?property ?value }"

Pattern = Callable[[NamedNode | None, NamedNode | None, NamedNode | None], Iterable[Quad]]


def index_of(endpoint: Endpoint) -> Index:
    """Give the index of all names that ``endpoint`` knows."""
    return Index(_with_properties(_read(endpoint.query(_NAMES))))


def names_in(pattern: Pattern, with_hub: bool = True) -> Iterator[Name]:
    """Give the names in a store that answers ``pattern``: what is written by hand, sorted, then what comes from the Hub.

    The names of the Hub come in the order of the store, one by one; without ``with_hub`` they are left out.
    """
    by_hand = set(_stated(pattern, of_hub=False))
    yield from sorted(_with_properties(by_hand), key=lambda name: (name.rank, name.text, name.path))
    if with_hub:
        yield from _stated(pattern, of_hub=True)


def _stated(pattern: Pattern, of_hub: bool) -> Iterator[Name]:
    for name, needed, value, rank in _RULES:
        for quad in pattern(None, name, None):
            iri = quad.subject.value  # type: ignore[union-attr]
            path = path_of(iri) or iri
            if is_hub(path) == of_hub and (needed is None or any(True for _ in pattern(quad.subject, needed, value))):  # type: ignore[arg-type]
                yield Name(path, plain_text(quad.object), rank)  # type: ignore[arg-type]


def _with_properties(names: set[Name]) -> set[Name]:
    """Give ``names`` and, of each property, the name by which SPARQL knows it."""
    return names | {Name(name.path, last_part(name.path)) for name in names if name.path.startswith("ontology#")}


def _read(results: Results) -> set[Name]:
    found = set()
    for entity, name, rank in results.rows:
        iri = plain_text(entity)
        found.add(Name(path_of(iri) or iri, plain_text(name), int(plain_text(rank))))
    return found


class EndpointNames(Names):
    """The names behind a SPARQL endpoint.

    Where there are at most 50,000 they are read once, and all is as with an index of our own. Where there are more, a name is
    found as it is written (in English, Chinese or no language), as a path or as an IRI; nothing is suggested, and a search goes
    over all names, so it takes its time.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Ask ``endpoint``, and only when a name is looked for."""
        self._endpoint = endpoint

    @cached_property
    def _index(self) -> Index | None:
        rows = self._endpoint.query(_SOME_NAMES)
        return Index(_with_properties(_read(rows))) if len(rows) <= FEW else None

    def candidates(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the paths of the entities that ``text`` names equally well."""
        if self._index:
            return self._index.candidates(text, kinds)
        known = self._known([entity_path(text)])
        if known and is_kind(known[0], kinds):
            return known
        written = (Literal(text), *(Literal(text, language=language) for language in _LANGUAGES))
        found = _read(self._endpoint.query(fill(_NAMES, {"name": written})))
        slug = "-".join(text.split())
        slugs = [f"{place}/{form}" for place in _SLUG_PLACES for form in dict.fromkeys((slug.lower(), slug))]
        named = sorted(found, key=str) + [Name(path, last_part(path), 2) for path in self._known(slugs)]
        return best((name for name in named if is_kind(name.path, kinds)), text)

    def suggest(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the names nearest to ``text``; none where the endpoint knows too many to compare."""
        return self._index.suggest(text, kinds) if self._index else ()

    def search(self, text: str, limit: int = LIMIT) -> tuple[tuple[str, str], ...]:
        """Give ``(path, matching name)`` of the entities with a name that holds ``text``, of 1,000 such names at most."""
        if self._index:
            return self._index.search(text, limit)
        return Index(_read(self._endpoint.query(fill(_HOLDING, {"text": (Literal(text),)})))).search(text, limit)

    def _known(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Give those of ``paths`` that the endpoint knows, in their order."""
        nodes = tuple(entity_iri(path) for path in paths if not check_iri(BASE + path))
        if not nodes:
            return ()
        rows = self._endpoint.query(fill(_KNOWN, {"entity": nodes})).rows
        known = {plain_text(row[0]) for row in rows}
        return tuple(path_of(node.value) for node in nodes if node.value in known)
