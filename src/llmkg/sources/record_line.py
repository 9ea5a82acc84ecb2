"""One record of the Hub, from its JSON bytes: an object with a usable id, or what is wrong with it.

Where a key stands twice, orjson keeps the last and says nothing. The keys of ``_ONCE``, from which statements are made, are
therefore counted in the bytes, which costs little, and a record that seems to hold one of them twice is read again with care.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from llmkg.errors import Problem

__all__ = ["MAX_PART", "is_hub_id", "parse_line"]

#: how long each part of an id may be
MAX_PART = 96
_ID = re.compile(rf"(?:(?!\.+/)[A-Za-z0-9._-]{{1,{MAX_PART}}}/)?(?!\.+$)[A-Za-z0-9._-]{{1,{MAX_PART}}}")
_FIRST_ID = re.compile(rb'"id"\s*:\s*"([^"]*)"')
_ONCE = (b'"cardData"', b'"base_model"', b'"license"')

_CUT = "was the file cut short? get it again, or delete the line"
#: what orjson says, in part, and what we say instead
_SAYINGS = (
    ("unexpected end of data", "the record ends in its middle", _CUT),
    ("failed to allocate", "the record ends in its middle, or is nested too deep", _CUT),
    ("depth limit", "is nested deeper than 1,024 levels", "no record of the Hub is; delete it"),
    ("trailing comma", "a comma with nothing after it", "remove the comma"),
    ("after document", "more than one record stands here", "write one record on a line"),
    ("infinity", "a number too large for a double", "write the number as a text"),
    (
        "surrogate in string",
        "half of a surrogate pair, which is no character",
        r"write the character itself, or \ufffd",
    ),
    ("control character", "a control character inside a text", r"write it as \n, \t or \u00…"),
)
_NO_NUMBERS = ("NaN", "Infinity", "nan", "inf")


def is_hub_id(text: str) -> bool:
    """Tell whether ``text`` has the form of a model's id: ``name`` or ``owner/name``.

    >>> is_hub_id("meta-llama/Llama-2-7b-hf"), is_hub_id("gpt2"), is_hub_id("../x"), is_hub_id("a/b/c"), is_hub_id("a b")
    (True, True, False, False, False)
    """
    return _ID.fullmatch(text) is not None


def parse_line(line: bytes, where: str) -> dict[str, Any] | Problem:
    """Give the record that ``line`` holds, its id under ``id``, or the problem that it is; ``where`` is its place.

    >>> parse_line(b'{"modelId": "gpt2", "likes": 3}', "a.jsonl:1")
    {'modelId': 'gpt2', 'likes': 3, 'id': 'gpt2'}
    >>> print(parse_line(b'{"id": "gpt2", "likes": NaN}', "a.jsonl:1"))
    a.jsonl:1:25: NaN is no JSON
      hint: write null
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _fault(line, where, error)
    if type(record) is not dict:
        kind = "an array" if type(record) is list else "a single value"
        return Problem(f"{where}:1", f"is {kind}, not a record", "write one {…} object on a line")
    name = record.get("id") or record.get("modelId")
    if type(name) is not str or not is_hub_id(name):
        if name is None:
            return Problem(f"{where}:1", "has no id", 'add "id": "owner/name"')
        found = f"{name!r:.80}"
        return Problem(
            f"{where}:1", f"{found} is no id of a model", f"ids are like owner/name, {MAX_PART} characters each"
        )
    record["id"] = name
    first = _FIRST_ID.search(line)
    if (first and first[1] != name.encode()) or any(line.count(key) > 1 for key in _ONCE):
        twice = _key_that_stands_twice(line)
        if twice:
            column = line.decode().rfind(f'"{twice}"') + 1
            return Problem(f"{where}:{column}", f"key {twice!r} stands twice", "keep one of the two")
    return record


def _key_that_stands_twice(line: bytes) -> str:
    """Give the first key that stands twice in one object, or an empty text."""
    twice: list[str] = []

    def check(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                twice.append(key)
            seen.add(key)

    try:
        json.loads(line, object_pairs_hook=check, parse_int=str)
    except (ValueError, RecursionError):  # orjson has read it, so this is a matter of the other parser's limits
        return ""
    return twice[0] if twice else ""


def _fault(line: bytes, where: str, error: orjson.JSONDecodeError) -> Problem:
    """Give what is wrong with a line that is no JSON."""
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(f"{where}:1", "is UTF-16, not UTF-8", "save the file as UTF-8")
    nul = line.find(b"\0")
    if nul >= 0:
        return Problem(f"{where}:{nul + 1}", "holds a NUL character", "get the file again, or delete the line")
    try:
        text = line.decode()
    except UnicodeDecodeError as wrong:
        column = len(line[: wrong.start].decode()) + 1
        byte = f"byte 0x{line[wrong.start]:02x} is not UTF-8 (a Latin-1 or GBK file?)"
        return Problem(f"{where}:{column}", byte, "save the file as UTF-8")
    bare = text.rstrip().find("\r")
    if bare >= 0 and "\n" not in text:
        message = "holds a carriage return with no line feed"
        return Problem(f"{where}:{bare + 1}", message, "save the file with line ends LF or CRLF")
    place = f"{where}:{error.pos + 1}"
    for number in _NO_NUMBERS:
        if text.startswith(number, error.pos):
            return Problem(place, f"{number} is no JSON", "write null")
    for said, message, hint in _SAYINGS:
        if said in error.msg:
            return Problem(place, message, hint)
    return Problem(place, f"is no JSON: {error.msg}", "write one JSON object on a line")
