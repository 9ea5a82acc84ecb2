"""The snapshot of the Hub as a stream of statements, record by record on all cores, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from llmkg.hub_facts import Known, Mentions, mention_statements, model_statements
from llmkg.ntriples import line, statement_chunks
from llmkg.sources.snapshot import decode, key_of, read_lines
from llmkg.workers import in_order

__all__ = ["record_chunks"]

_BATCH = 4_000
_AHEAD = 6
_known: list[Known] = []


def record_chunks(snapshot: Path, known: Known, mentions: Mentions) -> Iterator[bytes]:
    """Give N-Quads of what every record of ``snapshot`` states, then of the things that they name.

    Records of models that ``known`` names are left out: they become claims. Counts go into ``mentions``.
    """
    lines = (text for text in read_lines(snapshot) if text.startswith(b"["))
    batches = enumerate(iter(lambda: list(islice(lines, _BATCH)), []))
    for written, named in in_order(_write, batches, _start, known, _AHEAD):
        mentions.add(named)
        yield written
    yield from statement_chunks(mention_statements(mentions))


def _start(known: Known) -> None:
    _known[:] = [known]


def _write(numbered: tuple[int, list[bytes]]) -> tuple[bytes, Mentions]:
    """Give the statements of a batch of the snapshot; all batches before it, which its number counts, are full."""
    place, batch = numbered
    known = _known[0]
    mentions = Mentions()
    written: list[str] = []
    for number, text in enumerate(batch, place * _BATCH + 1):
        record = decode(text)
        if ("model", key_of(record.id)) not in known.paths:
            written += map(line, model_statements(record, number, known, mentions))
    return "".join(written).encode(), mentions
