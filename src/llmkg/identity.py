"""Surface name → entity: exact label, alias, slug, Hub id or IRI, per kind; never a guess.

Names are compared after Unicode NFKC, case folding, and removal of white space and of ``-``, ``_`` and ``·`` between words.
"""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pyoxigraph import NamedNode
from rapidfuzz import fuzz, process

from llmkg.errors import QueryError
from llmkg.identifiers import entity_iri, path_of, split_path

__all__ = [
    "Index",
    "Name",
    "Names",
    "best",
    "entity_path",
    "hit",
    "is_hub",
    "is_kind",
    "last_part",
    "nearest",
    "normalize",
]

LIMIT = 100
_DROPPED = re.compile("[\\s_·・‧•‐‑–—-]")
_DROPPED_ASCII = {ord(character): None for character in map(chr, range(128)) if _DROPPED.match(character)}
_LISTED = 5
_SUGGESTIONS = 3
_LEAST_SCORE = 60.0
_SLUG_RANK = 2

#: where a text stands in a name (0: it is the name, 1: at its start, 2: within), and what orders equally good hits
Hit = tuple[int, bool, int, str]


@dataclass(frozen=True, slots=True)
class Name:
    """One name of one entity; ``rank`` is 0 for a label, 1 for an alias and 2 for the slug."""

    path: str
    text: str
    rank: int = 0


def normalize(text: str) -> str:
    """Give the form under which names are compared.

    >>> normalize("LLaMA-2 7B") == normalize("llama 2-7b"), normalize("鹏程·盘古α") == normalize("鹏程・盘古 α")
    (True, True)
    """
    if text.isascii():
        folded = text.lower()
        return folded.translate(_DROPPED_ASCII) or folded
    folded = unicodedata.normalize("NFKC", text).casefold()
    form = _DROPPED.sub("", folded) or folded
    return form if form == text else normalize(form)  # what one step joins, the next may compose


class Names(Protocol):
    """The names of a graph, wherever they are kept: look-up, search and suggestions."""

    @abstractmethod
    def candidates(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the paths of the entities that ``text`` names equally well."""

    @abstractmethod
    def suggest(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the names nearest to ``text``, best first, three at most, one an entity."""

    @abstractmethod
    def search(self, text: str, limit: int = LIMIT) -> tuple[tuple[str, str], ...]:
        """Give ``(path, matching name)`` of the entities with a name that holds ``text``: exact, then prefix, then within.

        Equally good hits come shortest first; those of the Hub come after all others, in the order of the index.
        """

    def resolve(self, text: str, kinds: tuple[str, ...] = ()) -> NamedNode:
        """Give the IRI of the one entity that ``text`` names, models before other kinds.

        Raise :class:`QueryError` where there is none (with suggestions) or where several kinds share the name.
        """
        found = self.candidates(text, kinds)
        models = tuple(path for path in found if path.startswith("model/"))
        if len(found) == 1 or len(models) == 1:
            return entity_iri((models or found)[0])
        if found:
            more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            raise QueryError(f"{text!r} names several things", hint=f"write one of: {', '.join(found[:_LISTED])}{more}")
        among = f" among {', '.join(kinds)}" if kinds else ""
        near = self.suggest(text, kinds)
        hint = f"did you mean {' or '.join(repr(name) for name in near)}?" if near else "try: llmkg search TEXT"
        raise QueryError(f"no entity is called {text!r}{among}", hint=hint)


class Index(Names):
    """Every name of every entity, in memory."""

    def __init__(self, names: Iterable[Name]) -> None:
        """Index ``names``; the order in which they come does not matter."""
        self._names = sorted(set(names), key=lambda name: (name.rank, name.text, name.path))
        self._by_form: dict[str, list[Name]] = {}
        self._paths = {name.path for name in self._names}
        slugs = (Name(path, last_part(path), _SLUG_RANK) for path in sorted(self._paths))
        for name in (*self._names, *slugs):
            self._by_form.setdefault(normalize(name.text), []).append(name)

    def candidates(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the paths of the entities that ``text`` names, best first: labels, then aliases, then slugs.

        >>> index = Index([Name("model/llama", "LLaMA"), Name("software/llama", "LLaMA code")])
        >>> index.candidates("llama"), index.candidates("llama", ("software",))
        (('model/llama',), ('software/llama',))
        """
        path = entity_path(text)
        if path in self._paths and is_kind(path, kinds):
            return (path,)
        return best((name for name in self._by_form.get(normalize(text), ()) if is_kind(name.path, kinds)), text)

    def suggest(self, text: str, kinds: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the names nearest to ``text``, best first, three at most, one an entity."""
        return nearest(text, (name for name in self._names if is_kind(name.path, kinds)))

    def search(self, text: str, limit: int = LIMIT) -> tuple[tuple[str, str], ...]:
        """Give ``(path, matching name)`` of the entities with a name that holds ``text``: exact, then prefix, then within."""
        wanted = normalize(text)
        hits: dict[str, tuple[Hit, str]] = {}
        for name in self._names:
            found = hit(name, wanted)
            if found and (name.path not in hits or (found, name.text) < hits[name.path]):
                hits[name.path] = (found, name.text)
        ranked = sorted(hits.items(), key=lambda item: (item[1][0], item[0]))
        return tuple((path, name) for path, (_, name) in ranked[:limit])


def best(found: Iterable[Name], text: str) -> tuple[str, ...]:
    """Give the paths of those of ``found``, all of one normal form, that ``text`` names best.

    What is written by hand goes before what comes from the Hub, and there the rank decides alone. Hub ids are unique without
    regard to case, but several may have one normal form: the very same text goes first, then the same but for case, then rank.

    >>> best([Name("model/hub/a/b-c", "a/b-c"), Name("model/hub/a/B_c", "a/B_c")], "A/b_c")
    ('model/hub/a/B_c',)
    """
    keys: dict[str, tuple[bool, int, int]] = {}
    for name in found:
        key = (True, _unlikeness(name.text, text), name.rank) if is_hub(name.path) else (False, 0, name.rank)
        keys[name.path] = min(keys.get(name.path, key), key)
    least = min(keys.values(), default=None)
    paths = [path for path, key in keys.items() if key == least]
    return tuple(paths if least and least[0] else sorted(paths))


def _unlikeness(text: str, wanted: str) -> int:
    return 0 if text == wanted else 1 if text.casefold() == wanted.casefold() else 2


def nearest(text: str, names: Iterable[Name]) -> tuple[str, ...]:
    """Give the three of ``names`` nearest to ``text``, one an entity; of a Hub id also the part after the owner is compared."""
    wanted = normalize(text)
    known = list(names)
    forms: list[tuple[str, int]] = []
    for number, name in enumerate(known):
        form = normalize(name.text)
        forms.append((form, number))
        if is_hub(name.path) and "/" in form and "/" not in wanted:
            forms.append((form.rpartition("/")[2], number))
    near = process.extract(wanted, [form for form, _ in forms], scorer=fuzz.ratio, limit=12, score_cutoff=_LEAST_SCORE)
    by_path: dict[str, str] = {}
    for _, _, place in near:
        name = known[forms[place][1]]
        by_path.setdefault(name.path, name.text)
    return tuple(by_path.values())[:_SUGGESTIONS]


def hit(name: Name, wanted: str, number: int = 0) -> Hit | None:
    """Give where the normal form ``wanted`` stands in ``name``, the ``number``-th of its index, or None.

    In a Hub id the part after the owner counts as a name of its own.
    """
    form = normalize(name.text)
    if not wanted or wanted not in form:
        return None
    of_hub = is_hub(name.path)
    forms = (form, form.rpartition("/")[2]) if of_hub else (form,)
    place = 0 if wanted in forms else 1 if any(part.startswith(wanted) for part in forms) else 2
    return (place, True, number, "") if of_hub else (place, False, len(form), name.text)


def entity_path(text: str) -> str:
    """Give the path that ``text`` would be if it is an IRI, a path, or a property with prefix.

    >>> entity_path("https://w3id.org/llmkg/model/llama"), entity_path("llmkg:license")
    ('model/llama', 'ontology#license')
    """
    return path_of(text) or text.replace("llmkg:", "ontology#", 1)


def last_part(path: str) -> str:
    """Give what follows the last ``/`` or ``#`` of a path."""
    return re.split("[/#]", path)[-1]


def is_hub(path: str) -> bool:
    """Tell whether a path is that of a thing of the Hub.

    >>> is_hub("model/hub/meta-llama/Llama-2-7b-hf"), is_hub("model/llama")
    (True, False)
    """
    return path.partition("/")[2].startswith("hub/")


def is_kind(path: str, kinds: tuple[str, ...]) -> bool:
    """Tell whether a path is of one of ``kinds``; no kinds are all of them."""
    kind = "property" if path.startswith("ontology#") else split_path(path)[0]
    return not kinds or kind in kinds
