"""JSON Lines, or the elements of one JSON array, taken apart as bytes while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy

from llmkg.errors import Problem
from llmkg.sources.batch import BATCH_LINES, Batch, Limits, batches_of

__all__ = ["split_array", "split_lines"]

_QUOTE, _COMMA = 3, 2
#: each byte's mark: opening 1, closing -1, and nothing for what is no part of an array's frame
_MARKS = bytes({34: _QUOTE, 44: _COMMA, 91: 1, 123: 1, 93: 255, 125: 255}.get(byte, 0) for byte in range(256))


def split_lines(name: str, blocks: Iterable[bytes | Problem], limits: Limits) -> Iterator[Batch | Problem]:
    """Give the lines of ``blocks`` in batches, line ends taken off, and a problem for each line that is too long."""
    pieces: list[bytes] = []  # of a line whose end has not come
    held = 0
    first = 1
    ending: Problem | None = None
    for block in blocks:
        if isinstance(block, Problem):
            ending = block
            break
        cut = block.rfind(b"\n")
        if cut >= 0:
            lines = b"".join((*pieces, block[:cut])).split(b"\n")
            if held > limits.line:  # pieces hold only its start
                lines[0] = bytes(limits.line + 1)
            yield from _line_batches(name, first, lines, limits)
            first += len(lines)
            pieces, held = [], 0
        if held <= limits.line:
            pieces.append(block[cut + 1 :])
        held += len(block) - cut - 1
    if held:
        last = b"".join(pieces) if held <= limits.line else bytes(limits.line + 1)
        yield from _line_batches(name, first, [last], limits)
    if ending:
        yield replace(ending, where=f"{name}:{first}:1")


def _line_batches(name: str, first: int, lines: list[bytes], limits: Limits) -> Iterator[Batch | Problem]:
    """Give ``lines`` in batches, an empty one for each that is too long, and the problems of these."""
    for start in range(0, len(lines), BATCH_LINES):
        part = lines[start : start + BATCH_LINES]
        if max(map(len, part)) > limits.line:
            for number, line in enumerate(part):
                if len(line) > limits.line:
                    message = f"a line of more than {limits.line} bytes"
                    yield Problem(f"{name}:{first + start + number}:1", message, "write one record on a line")
                    part[number] = b""
        yield Batch(name, first + start, tuple(part))


def split_array(name: str, blocks: Iterable[bytes | Problem], limits: Limits) -> Iterator[Batch | Problem]:
    """Give the elements of the JSON array in ``blocks`` in batches, then what is wrong with the array itself."""
    found: list[Problem] = []
    yield from batches_of(name, 1, _elements(name, blocks, limits, found), "element")
    yield from found


def _elements(name: str, blocks: Iterable[bytes | Problem], limits: Limits, found: list[Problem]) -> Iterator[bytes]:
    """Give each element; what is wrong with the array goes to ``found``.

    ``rest`` always starts with an element or the space before it, so that nothing has to be remembered from block to block.
    """
    rest = b""
    number = 0

    def tell(message: str, hint: str) -> None:
        found.append(Problem(f"{name}:element {number + 1}", message, hint))

    waiting = iter(blocks)
    for block in waiting:
        if isinstance(block, Problem):
            tell(block.message, block.hint)
            break
        is_first = not number and not rest
        rest = block.lstrip()[1:] if is_first else rest + block
        ends, is_closed = _ends(rest)
        start = 0
        for end in ends:
            element = rest[start:end].strip()
            start = end + 1
            if not element and number == 0 and is_closed and len(ends) == 1:
                continue  # the array is empty
            if not element and not found:
                tell("a comma with no element before or after it", "remove the comma")
            yield element
            number += 1
        rest = rest[start:] or b" "
        if is_closed:
            if rest.strip() or any(isinstance(more, Problem) or more.strip() for more in waiting):
                tell("something follows the array", "keep one array in a file")
            return
        if len(rest) > limits.line:
            tell(f"an element of more than {limits.line} bytes, or one never closed", "mend its brackets and quotes")
            return
    if not found:
        tell("the array is cut short", "was the file cut short? get it again")
    if rest.strip():
        yield rest.strip()


def _ends(data: bytes) -> tuple[list[int], bool]:
    """Give where elements end in the inside of an array, and whether the last end is that of the array.

    Escapes are blotted out first, so that each quote left opens or closes a text; the brackets outside of texts are then
    counted for the whole block at once.

    >>> _ends(b' {"a": "],"}, [1, 2]] x')
    ([12, 20], True)
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    marks = numpy.frombuffer(data.translate(_MARKS), dtype=numpy.int8)
    places = numpy.flatnonzero(marks != 0)
    marks = marks[places]
    is_quote = marks == _QUOTE
    is_outside = ~(is_quote | numpy.logical_xor.accumulate(is_quote))
    places, marks = places[is_outside], marks[is_outside]
    is_comma = marks == _COMMA
    depth = numpy.cumsum(numpy.where(is_comma, 0, marks), dtype=numpy.int32)
    closing = numpy.flatnonzero(depth < 0)
    last = int(closing[0]) if closing.size else len(depth)
    ends = places[:last][is_comma[:last] & (depth[:last] == 0)].tolist()
    if closing.size:
        ends.append(int(places[last]))
    return ends, bool(closing.size)
