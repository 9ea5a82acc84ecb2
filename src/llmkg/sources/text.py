"""Text files as text: UTF-8, with a clear complaint where a file is something else."""

from __future__ import annotations

import re
from pathlib import Path

from llmkg.errors import Problem, SourceError

__all__ = ["decode", "hidden_characters", "read_text"]

MAX_BYTES = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def read_text(path: Path, name: str = "") -> str:
    """Give the text of ``path`` with line ends as ``\\n`` and no byte order mark; ``name`` is used in messages.

    Raise :class:`SourceError` where the file cannot be read, is too large, is empty, or is no UTF-8 text.
    """
    shown = name or str(path)
    try:
        if not path.is_file():
            reason = "is a folder" if path.is_dir() else "does not exist or is no regular file"
            raise SourceError([Problem(shown, reason, "give the path of a text file")])
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"{size} bytes, more than the {MAX_BYTES} that are read"
            raise SourceError([Problem(shown, message, "split the file")])
        return decode(path.read_bytes(), shown)
    except OSError as error:
        raise SourceError([Problem(shown, f"cannot be read: {error.strerror}")]) from error


def decode(data: bytes, shown: str) -> str:
    """Give the text that ``data`` holds; ``shown`` names the file in messages.

    >>> decode(b"\\xef\\xbb\\xbfa: 1\\r\\n", "x.yaml")
    'a: 1\\n'
    >>> decode("a".encode("utf-16"), "x.yaml")
    Traceback (most recent call last):
    llmkg.errors.SourceError: x.yaml:1:1: is UTF-16, not UTF-8
      hint: save the file as UTF-8
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError([Problem(f"{shown}:1:1", "is UTF-16, not UTF-8", "save the file as UTF-8")])
    body = data.removeprefix(_BOM)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        message = f"byte 0x{body[error.start]:02x} is not UTF-8 (a Latin-1 or GBK file?)"
        raise SourceError([Problem(f"{shown}:{line}:{column}", message, "save the file as UTF-8")]) from error
    if not text.strip():
        raise SourceError([Problem(f"{shown}:1:1", "is empty", "delete the file, or write something into it")])
    text = text.replace("\r\n", "\n")
    for bad, name in (("\x00", "a NUL character"), ("\r", "a carriage return with no line feed")):
        at = text.find(bad)
        if at >= 0:
            line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
            raise SourceError([Problem(f"{shown}:{line}:{column}", f"holds {name}", "remove the character")])
    return text


def hidden_characters(text: str) -> str:
    """Give the first invisible control or direction character of ``text`` as ``U+…``, or an empty string.

    >>> hidden_characters("LLa\\u200bMA"), hidden_characters("伶荔")
    ('U+200B', '')
    """
    found = _HIDDEN.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""
