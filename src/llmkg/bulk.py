"""The snapshot of the Hub as a stream of statements, record by record on all cores, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from itertools import islice
from pathlib import Path

from llmkg.hub_facts import Known, Mentions, mention_statements, model_statements
from llmkg.ntriples import line, statement_chunks
from llmkg.sources.snapshot import decode, key_of, read_lines
from llmkg.workers import start_workers

__all__ = ["record_chunks"]

_BATCH = 4_000
_AHEAD = 6
_known: list[Known] = []


def record_chunks(snapshot: Path, known: Known, mentions: Mentions) -> Iterator[bytes]:
    """Give N-Quads of what every record of ``snapshot`` states, then of the things that they name.

    Records of models that ``known`` names are left out: they become claims. Counts go into ``mentions``.
    """
    lines = (text for text in read_lines(snapshot) if text.startswith(b"["))
    batches = iter(lambda: list(islice(lines, _BATCH)), [])
    first = list(islice(batches, 2))
    if len(first) < 2:
        _start(known)
        for number, batch in enumerate(first):
            yield _take(_write(number * _BATCH + 1, batch), mentions)
    else:
        with start_workers(_start, known) as pool:
            number = 1
            waiting: list[Future[tuple[bytes, Mentions]]] = []
            for batch in first:
                waiting.append(pool.submit(_write, number, batch))
                number += len(batch)
            while waiting:
                for batch in islice(batches, _AHEAD - len(waiting)):
                    waiting.append(pool.submit(_write, number, batch))
                    number += len(batch)
                yield _take(waiting.pop(0).result(), mentions)
    yield from statement_chunks(mention_statements(mentions))


def _take(answer: tuple[bytes, Mentions], mentions: Mentions) -> bytes:
    mentions.add(answer[1])
    return answer[0]


def _start(known: Known) -> None:
    _known[:] = [known]


def _write(first: int, batch: list[bytes]) -> tuple[bytes, Mentions]:
    """Give the statements of a batch whose first record stands on line ``first`` of the snapshot."""
    known = _known[0]
    mentions = Mentions()
    written: list[str] = []
    for number, text in enumerate(batch, first):
        record = decode(text)
        if ("model", key_of(record.id)) not in known.paths:
            written += map(line, model_statements(record, number, known, mentions))
    return "".join(written).encode(), mentions
