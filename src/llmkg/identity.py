"""Surface name → entity: exact label, alias, slug, Hub id or IRI, per kind; never a guess.

Names are compared after Unicode NFKC, case folding, and removal of white space and of ``-``, ``_`` and ``·`` between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import NamedNode
from rapidfuzz import fuzz, process

from llmkg.endpoint import Endpoint
from llmkg.errors import QueryError
from llmkg.identifiers import entity_iri, path_of, split_path
from llmkg.results import plain_text

__all__ = ["Index", "Name", "index_of", "normalize"]

_DROPPED = re.compile("[\\s_·・‧•‐‑–—-]")
_SUGGESTIONS = 3
_LEAST_SCORE = 60.0

_NAMES = """
PREFIX llmkg: <https://w3id.org/llmkg/ontology#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?entity ?name ?rank WHERE {
  { ?entity llmkg:kind ?kind ; rdfs:label ?name . BIND(0 AS ?rank) }
  UNION { ?entity llmkg:kind ?kind ; skos:altLabel ?name . BIND(1 AS ?rank) }
  UNION { ?entity llmkg:hubId ?name . BIND(1 AS ?rank) }
  UNION { ?entity a skos:Concept ; skos:prefLabel ?name . BIND(0 AS ?rank) }
  UNION { ?entity a skos:Concept ; skos:altLabel ?name . BIND(1 AS ?rank) }
  UNION { ?entity llmkg:valueType ?type ; rdfs:label ?name . BIND(1 AS ?rank) }
}
"""


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one entity; ``rank`` is 0 for a label and 1 for an alias."""

    path: str
    text: str
    rank: int = 0


def normalize(text: str) -> str:
    """Give the form under which names are compared.

    >>> normalize("LLaMA-2 7B") == normalize("llama 2-7b"), normalize("鹏程·盘古α") == normalize("鹏程・盘古 α")
    (True, True)
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    form = _DROPPED.sub("", folded) or folded
    return form if form == text else normalize(form)  # what one step joins, the next may compose


class Index:
    """Every name of every entity, for exact look-up, search and suggestions."""

    def __init__(self, names: Iterable[Name]) -> None:
        """Index ``names``; the order in which they come does not matter."""
        self._names = sorted(set(names), key=lambda name: (name.rank, name.text, name.path))
        self._by_text: dict[str, dict[str, int]] = {}
        self._paths = {name.path for name in self._names}
        for name in self._names:
            self._by_text.setdefault(normalize(name.text), {}).setdefault(name.path, name.rank)
        for path in sorted(self._paths):
            self._by_text.setdefault(normalize(_last_part(path)), {}).setdefault(path, 2)

    def candidates(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the paths of the entities that ``text`` names, best first: labels, then aliases, then slugs.

        >>> index = Index([Name("model/llama", "LLaMA"), Name("software/llama", "LLaMA code")])
        >>> index.candidates("llama"), index.candidates("llama", ("software",))
        (('model/llama',), ('software/llama',))
        """
        path = path_of(text) or text.replace("llmkg:", "ontology#", 1)
        if path in self._paths and _is_kind(path, kinds):
            return (path,)
        ranks = {p: rank for p, rank in self._by_text.get(normalize(text), {}).items() if _is_kind(p, kinds)}
        best = min(ranks.values(), default=0)
        return tuple(sorted(p for p, rank in ranks.items() if rank == best))

    def resolve(self, text: str, kinds: tuple[str, ...] = ()) -> NamedNode:
        """Give the IRI of the one entity that ``text`` names, models before other kinds.

        Raise :class:`QueryError` where there is none (with suggestions) or where several kinds share the name.
        """
        found = self.candidates(text, kinds)
        models = tuple(path for path in found if path.startswith("model/"))
        if len(found) == 1 or len(models) == 1:
            return entity_iri((models or found)[0])
        if found:
            raise QueryError(f"{text!r} names several things", hint=f"write one of: {', '.join(found)}")
        among = f" among {', '.join(kinds)}" if kinds else ""
        near = self.suggest(text, kinds)
        hint = f"did you mean {' or '.join(repr(name) for name in near)}?" if near else "try: llmkg search TEXT"
        raise QueryError(f"no entity is called {text!r}{among}", hint=hint)

    def suggest(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the names nearest to ``text``, best first, three at most, one an entity."""
        names = {index: normalize(name.text) for index, name in enumerate(self._names) if _is_kind(name.path, kinds)}
        near = process.extract(normalize(text), names, scorer=fuzz.ratio, limit=12, score_cutoff=_LEAST_SCORE)
        by_path: dict[str, str] = {}
        for _, _, index in near:
            by_path.setdefault(self._names[index].path, self._names[index].text)
        return tuple(by_path.values())[:_SUGGESTIONS]

    def search(self, text: str) -> tuple[tuple[str, str], ...]:
        """Give ``(path, matching name)`` of every entity with a name that holds ``text``: exact, then prefix, then within."""
        wanted = normalize(text)
        hits: dict[str, tuple[int, int, str]] = {}
        for name in self._names:
            form = normalize(name.text)
            if wanted and wanted in form:
                place = 0 if form == wanted else 1 if form.startswith(wanted) else 2
                hits[name.path] = min(hits.get(name.path, (9, 0, "")), (place, len(form), name.text))
        ranked = sorted(hits.items(), key=lambda item: (item[1], item[0]))
        return tuple((path, hit[2]) for path, hit in ranked)


def index_of(endpoint: Endpoint) -> Index:
    """Give the index of all names that ``endpoint`` knows."""
    rows = endpoint.query(_NAMES).rows
    names = {Name(_path(plain_text(entity)), plain_text(name), int(plain_text(rank))) for entity, name, rank in rows}
    return Index(names | {Name(name.path, _last_part(name.path)) for name in names if _is_property(name.path)})


def _path(iri: str) -> str:
    return path_of(iri) or iri


def _last_part(path: str) -> str:
    return re.split("[/#]", path)[-1]


def _is_property(path: str) -> bool:
    return path.startswith("ontology#")


def _is_kind(path: str, kinds: tuple[str, ...]) -> bool:
    kind = "property" if _is_property(path) else split_path(path)[0]
    return not kinds or kind in kinds
