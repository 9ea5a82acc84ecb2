"""Cuts the default graph of a store into chunks of whole things, each with the classes of what it mentions.

Oxigraph dumps a graph on disk subject by subject, so a cut between two subjects leaves every thing whole (one in memory it
dumps in no order, so that is sorted first). A chunk can be judged by itself as long as no shape looks further than at a
thing's own triples and the classes of their values (:func:`llmkg.shapes.reach`); the classes of things described in another
chunk are added from a table that is made first.

A thing that is mentioned has its class only to be a right value, and must not be judged for lacking all else. So a thing
that a chunk describes bears a second class beside each of its own, and in the shapes targets are of these second classes.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, RdfFormat

from llmkg.namespaces import term
from llmkg.shapes import Reach, Triple, ntriples

__all__ = ["CHUNK", "Context", "chunks", "for_chunks", "read_context"]

#: characters of N-Triples in a chunk, about 65,000 triples, for which the engine takes some 100 MB
CHUNK = 8 * 1024 * 1024
_DESCRIBED = "-described"
_BLOCK = 1024 * 1024
_TYPE = str(term("rdf:type"))
# "\n" rather than "^" gives a text to look for, which is three times as fast
_TYPED = re.compile(rf"\n(<[^>]*>|_:\S+) {re.escape(_TYPE)} <([^>]*)> \.")


@dataclass(frozen=True, slots=True)
class Context:
    """Which classes each thing has, of those that shapes ask for, and how classes stand below each other.

    The table is the one thing in memory that grows with the graph: about 200 bytes for each thing with such a class.
    """

    classes: dict[str, frozenset[str]]
    hierarchy: str
    mention: re.Pattern[str]

    def complete(self, text: str) -> str:
        """Give ``text`` with second classes for what it describes, and the classes of what it mentions."""
        described = _TYPED.findall("\n" + text)
        second = (f"{name} {_TYPE} <{kind}{_DESCRIBED}> .\n" for name, kind in described)
        mentioned = {name for name in self.mention.findall(text) if name in self.classes}
        mentioned.difference_update(name for name, _ in described)
        types = (f"{name} {_TYPE} <{kind}> .\n" for name in mentioned for kind in sorted(self.classes[name]))
        return "".join([text, *second, *types, self.hierarchy])


def for_chunks(shapes: Iterable[Triple]) -> list[Triple]:
    """Give ``shapes`` with targets of second classes.

    >>> for_chunks([(term("Model"), term("sh:targetClass"), term("Model"))])[0][2].value
    'https://w3id.org/llmkg/ontology#Model-described'
    """
    target = term("sh:targetClass")
    return [(shape, part, _second(value) if part == target else value) for shape, part, value in shapes]


def _second(kind: NamedNode) -> NamedNode:
    return NamedNode(kind.value + _DESCRIBED)


def read_context(store: pyoxigraph.Store, seen: Reach) -> Context:
    """Give the classes of all things of the default graph, as far as shapes ask for them."""
    below: dict[str, set[str]] = {}
    order: list[Triple] = []
    for quad in store.quads_for_pattern(None, term("rdfs:subClassOf"), None, DefaultGraph()):
        if isinstance(quad.object, NamedNode) and isinstance(quad.subject, NamedNode):
            below.setdefault(quad.object.value, set()).add(quad.subject.value)
            order.append((quad.subject, quad.predicate, quad.object))
            order.append((_second(quad.subject), quad.predicate, _second(quad.object)))
    classes: dict[str, frozenset[str]] = {}
    # few sets of classes are in use, so each is kept once
    known: dict[frozenset[str], frozenset[str]] = {}
    for wanted in sorted(seen.classes):
        for kind in _closure(wanted, below):
            for quad in store.quads_for_pattern(None, term("rdf:type"), NamedNode(kind), DefaultGraph()):
                name = str(quad.subject)
                had = classes.get(name, frozenset())
                if wanted not in had:
                    more = had | {wanted}
                    classes[name] = known.setdefault(more, more)
    return Context(classes, ntriples(order), _mention(seen.paths))


def _closure(top: str, below: dict[str, set[str]]) -> list[str]:
    found, waiting = {top}, [top]
    while waiting:
        for name in below.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return sorted(found)


def _mention(paths: Iterable[str]) -> re.Pattern[str]:
    """Give a pattern that finds the values of ``paths`` in N-Triples; what it finds in a text by mistake does no harm."""
    spaces: dict[str, list[str]] = {}
    for path in sorted(paths):
        cut = max(path.rfind("#"), path.rfind("/")) + 1
        spaces.setdefault(path[:cut], []).append(path[cut:])
    ways = [f"{re.escape(space)}(?:{'|'.join(map(re.escape, names))})" for space, names in spaces.items()]
    return re.compile(rf" <(?:{'|'.join(ways)})> (<[^>]*>|_:\S+) \.")


def chunks(store: pyoxigraph.Store, size: int = CHUNK) -> Iterator[str]:
    """Give the default graph as N-Triples, cut between subjects into texts of about ``size`` bytes."""
    rest = b""
    parts: list[bytes] = []
    held = 0
    for block in _sorted_blocks(store) if _is_in_memory(store) else _dumped_blocks(store):
        parts.append(block)
        held += len(block)
        if held < size:
            continue
        text = rest + b"".join(parts)
        parts, held = [], 0
        cut = _last_subject(text)
        rest = text[cut:]
        if cut:
            yield text[:cut].decode()
    last = (rest + b"".join(parts)).decode()
    if last:
        yield last


def _is_in_memory(store: pyoxigraph.Store) -> bool:
    """Tell whether ``store`` has no folder; it does not say so itself, but refuses to be copied for that reason only.

    >>> _is_in_memory(pyoxigraph.Store())
    True
    """
    try:
        store.backup(os.path.join(os.devnull, "nowhere"))
    except RuntimeError:
        return True
    except OSError:
        return False
    return False


def _sorted_blocks(store: pyoxigraph.Store) -> Iterator[bytes]:
    quads = store.quads_for_pattern(None, None, None, DefaultGraph())
    for line in sorted(f"{quad.subject} {quad.predicate} {quad.object} .\n" for quad in quads):
        yield line.encode()


def _dumped_blocks(store: pyoxigraph.Store) -> Iterator[bytes]:
    """Give the dump of the default graph; it runs in a thread of its own, which a full pipe holds up."""
    reader, writer = os.pipe()
    failed: list[BaseException] = []

    def dump() -> None:
        try:
            with os.fdopen(writer, "wb", buffering=_BLOCK) as out:
                store.dump(out, format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph())
        except BrokenPipeError:
            return  # the reader has gone, for a reason of its own
        except BaseException as error:  # noqa: BLE001 - handed to the reader, whatever it is
            failed.append(error)

    thread = threading.Thread(target=dump, daemon=True)
    thread.start()
    with os.fdopen(reader, "rb", buffering=0) as lines:
        while block := lines.read(_BLOCK):
            yield block
    thread.join()
    if failed:
        raise failed[0]


def _last_subject(text: bytes) -> int:
    """Give where the lines of the last subject start of which ``text`` holds a whole line, 0 if it holds no other subject.

    >>> _last_subject(b"<a> <p> <x> .\\n<b> <p> <x> .\\n<b> <p> <y> .\\n<b> <q")
    14
    """
    end = text.rfind(b"\n") + 1
    start = text.rfind(b"\n", 0, max(end - 1, 0)) + 1
    subject = text[start : text.find(b" ", start) + 1]
    while start and text.startswith(subject, text.rfind(b"\n", 0, start - 1) + 1):
        start = text.rfind(b"\n", 0, start - 1) + 1
    return start
