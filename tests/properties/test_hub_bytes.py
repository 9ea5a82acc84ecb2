"""Bytes are taken apart into records, or told of, whatever they are and wherever a block ends."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmkg.errors import Problem
from llmkg.sources.batch import Batch, Limits
from llmkg.sources.hub_files import parse_line
from llmkg.sources.json_stream import split_array, split_lines

GOOD = b'{"id": "nimbus/nimbus-3b", "likes": 3, "tags": ["no", "\\u96e8"]}'
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.text('"\\[]{},: \n', max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    stream = io.BytesIO(data)
    return iter(lambda: stream.read(size), b"")


@given(st.lists(VALUES, max_size=8), st.integers(1, 40), st.sampled_from([None, 1, 2]), st.booleans())
def test_an_array_is_taken_apart_wherever_it_is_cut(
    values: list[Any], size: int, indent: int | None, is_ascii: bool
) -> None:
    data = b" " * (size % 3) + json.dumps(values, indent=indent, ensure_ascii=is_ascii).encode() + b"\n"
    items = list(split_array("x", pieces(data, size), Limits()))
    assert not [item for item in items if isinstance(item, Problem)]
    assert [json.loads(line) for item in items if isinstance(item, Batch) for line in item.lines] == values


@given(st.lists(VALUES, min_size=1, max_size=6), st.integers(1, 40), st.data())
def test_of_an_array_cut_short_all_whole_elements_are_given(values: list[Any], size: int, data: st.DataObject) -> None:
    texts = [json.dumps(value) for value in values]
    whole = f"[{','.join(texts)}]"
    cut = data.draw(st.integers(1, len(whole) - 1))
    items = list(split_array("x", pieces(whole[:cut].encode(), size), Limits()))
    given_ = [line for item in items if isinstance(item, Batch) for line in item.lines]
    closed = 0
    while closed < len(texts) and len(f"[{','.join(texts[: closed + 1])},") <= cut:
        closed += 1
    assert [json.loads(line) for line in given_[:closed]] == values[:closed]
    assert [item.message for item in items if isinstance(item, Problem)] == ["the array is cut short"]


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(1, 40))
def test_lines_are_taken_apart_wherever_they_are_cut(lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    items = list(split_lines("x", pieces(data, size), Limits()))
    numbered = {
        item.first + number: line for item in items if isinstance(item, Batch) for number, line in enumerate(item.lines)
    }
    assert numbered == dict(enumerate(lines, 1))


@given(st.lists(st.integers(0, 60), max_size=20), st.integers(1, 40))
def test_lines_that_are_too_long_are_left_out_and_told_of(lengths: list[int], size: int) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    items = list(split_lines("x", pieces(data, size), Limits(line=30)))
    numbered = {
        item.first + number: len(line)
        for item in items
        if isinstance(item, Batch)
        for number, line in enumerate(item.lines)
    }
    assert numbered == {number: length if length <= 30 else 0 for number, length in enumerate(lengths, 1)}
    told = [item.where for item in items if isinstance(item, Problem)]
    assert told == [f"x:{number}:1" for number, length in enumerate(lengths, 1) if length > 30]


@given(st.binary(max_size=60), st.integers(1, 20))
def test_any_bytes_are_taken_apart_or_told_of(data: bytes, size: int) -> None:
    for split in (split_array, split_lines):
        assert all(isinstance(item, (Batch, Problem)) for item in split("x", pieces(data, size), Limits(line=20)))


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_a_record_or_a_problem_with_place_and_hint(line: bytes) -> None:
    record = parse_line(line, "x:1")
    if isinstance(record, Problem):
        assert record.where.startswith("x:1:")
        assert record.hint


@given(st.integers(0, 60), st.integers(0, 255), st.integers(0, 60))
def test_a_record_with_a_wrong_byte_or_cut_short_is_read_or_told_of(at: int, byte: int, cut: int) -> None:
    line = bytearray(GOOD)
    line[at] = byte
    for damaged in (bytes(line), bytes(line[:-cut])):
        assert isinstance(parse_line(damaged, "x:1"), (dict, Problem))
