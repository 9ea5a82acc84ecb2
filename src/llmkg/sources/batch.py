"""Batches: some records of one file, still as JSON bytes, with the places where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["BATCH_BYTES", "BATCH_LINES", "Batch", "Limits", "batches_of"]

BATCH_BYTES = 2_000_000
BATCH_LINES = 2_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read before a file is taken for a trap; a crawl of the whole Hub, some 10 GB, stays far below.

    ``line`` is the longest record in bytes. ``ratio`` is how many times its size a compressed file may grow, which counts once
    it has grown to ``grown`` bytes: real crawls grow some 5 to 100 times, repeated bytes 1,000 times. ``total`` is how
    many bytes a compressed file may grow to.
    """

    line: int = 32_000_000
    ratio: int = 500
    grown: int = 256_000_000
    total: int = 256_000_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of the file called ``name``, each as JSON bytes; the first is number ``first``, counted from 1.

    ``unit`` says what is counted: lines, the elements of an array, or the rows of a table. An empty line stays in its place as
    ``b""``, so that the others keep their numbers.
    """

    name: str
    first: int
    lines: tuple[bytes, ...]
    unit: str = "line"

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Give each record with its place, lines that are blank left out.

        >>> list(Batch("a.jsonl", 7, (b"{}", b"", b"[]")).places())
        [('a.jsonl:7', b'{}'), ('a.jsonl:9', b'[]')]
        >>> list(Batch("a.json", 1, (b"{}",), "element").places())
        [('a.json:element 1', b'{}')]
        """
        start = f"{self.name}:" if self.unit == "line" else f"{self.name}:{self.unit} "
        for number, line in enumerate(self.lines, self.first):
            if line and not line.isspace():
                yield f"{start}{number}", line


def batches_of(name: str, first: int, lines: Iterable[bytes], unit: str = "line") -> Iterator[Batch]:
    """Give ``lines`` in batches of the usual size.

    >>> [len(batch.lines) for batch in batches_of("a.jsonl", 1, [b"{}"] * 5_000)]
    [2000, 2000, 1000]
    """
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if len(held) == BATCH_LINES or size >= BATCH_BYTES:
            yield Batch(name, first, tuple(held), unit)
            first += len(held)
            held, size = [], 0
    if held:
        yield Batch(name, first, tuple(held), unit)
