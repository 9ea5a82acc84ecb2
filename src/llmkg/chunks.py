"""Cuts the default graph into chunks of whole things, each with the classes of what it mentions.

A chunk can be judged by itself as long as no shape looks further than at a thing's own triples and the classes of their values
(:func:`llmkg.shapes.reach`); the classes of things described in another chunk are added from a table that is made first. The
triples come from the file that a build keeps of what it loaded, since the store takes 9 microseconds to give one.

A thing that is mentioned has its class only to be a right value, and must not be judged for lacking all else. So a thing
that a chunk describes bears a second class beside each of its own, and in the shapes targets are of these second classes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import pyoxigraph
import zstandard
from pyoxigraph import DefaultGraph, NamedNode

from llmkg.namespaces import BASE, term
from llmkg.shapes import Reach, Triple, ntriples

__all__ = ["CHUNK", "Context", "chunks", "file_blocks", "for_chunks", "read_context", "store_blocks"]

#: characters of N-Triples in a chunk, about 65,000 triples, for which the engine takes some 100 MB
CHUNK = 8 * 1024 * 1024
_DESCRIBED = "-described"
_BLOCK = 4 * 1024 * 1024
_HELD = 128 * 1024 * 1024  # bytes of lines in memory
_LINES = 20_000
_LEVEL = 1
_GRAPH = f" <{BASE}graph/".encode()
_NAMED = re.compile(rb' \S+ .* <[^>"\s]*/graph/[^>"\s]*> \.\n\Z')
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
            # a query looks up one term a row, quads_for_pattern all four
            rows: Any = store.query(f"SELECT ?thing WHERE {{ ?thing a <{kind}> }}")
            for (thing,) in rows:
                name = str(thing)
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


def chunks(blocks: Iterable[bytes], size: int, chunk: int = CHUNK) -> Iterator[str]:
    """Give the lines of ``blocks``, N-Triples of about ``size`` bytes, as texts of about ``chunk`` bytes that hold whole things.

    A thing goes where the checksum of its name says. What does not fit into memory waits in a temporary folder, compressed.
    """
    parts: list[list[bytes]] = [[] for _ in range(size // chunk + 1)]
    held = 0
    with tempfile.TemporaryDirectory(prefix="llmkg-") as folder:
        paths = [Path(folder, str(number)) for number in range(len(parts))]
        for block in blocks:
            _deal(block, parts)
            held += len(block)
            if held > _HELD:
                for path, part in zip(paths, parts, strict=True):
                    _put_by(path, part)
                held = 0
        for path, part in zip(paths, parts, strict=True):
            text = b"".join((_taken_up(path), *part)).decode()
            part.clear()
            if text:
                yield text


def _deal(block: bytes, parts: list[list[bytes]]) -> None:
    """Give the lines of ``block`` to the parts of their subjects; lines of one subject mostly follow each other."""
    start = 0
    while start < len(block):
        subject = block[start : block.index(b" ", start) + 1]
        end = block.index(b"\n", start) + 1
        while block.startswith(subject, end):
            end = block.index(b"\n", end) + 1
        parts[crc32(subject) % len(parts)].append(block[start:end])
        start = end


def _put_by(path: Path, part: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(zstandard.compress(b"".join(part), _LEVEL))
    part.clear()


def _taken_up(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
        return reader.read()


def store_blocks(store: pyoxigraph.Store) -> Iterator[bytes]:
    """Give the default graph of ``store`` as N-Triples; for millions of triples :func:`file_blocks` takes a tenth of the time."""
    quads = store.quads_for_pattern(None, None, None, DefaultGraph())
    lines = (f"{quad.subject} {quad.predicate} {quad.object} .\n" for quad in quads)
    for some in iter(lambda: list(islice(lines, _LINES)), []):
        yield "".join(some).encode()


def file_blocks(path: Path) -> Iterator[bytes]:
    """Give the default graph as N-Triples from the compressed N-Quads of a whole graph, whatever graph stands in them."""
    rest = b""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
        while block := reader.read(_BLOCK):
            text = rest + block
            cut = text.rfind(b"\n") + 1
            rest = text[cut:]
            yield _unnamed(text[:cut])


def _unnamed(block: bytes) -> bytes:
    """Give the lines of ``block`` that are of no named graph.

    >>> _unnamed(b'<a> <b> <c> .\\n<a> <b> <c> <https://w3id.org/llmkg/graph/hub> .\\n')
    b'<a> <b> <c> .\\n'
    """
    if _GRAPH not in block:
        return block
    return b"".join(line for line in block.splitlines(keepends=True) if _GRAPH not in line or not _NAMED.search(line))
