"""Files are UTF-8 text or are refused, with the place where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkg.errors import SourceError
from llmkg.sources.text import MAX_BYTES, decode, hidden_characters, read_text


def complaint(data: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        decode(data, "x.yaml")
    assert caught.value.hint
    return f"{caught.value.where} {caught.value.message}"


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])).filter(str.strip))
def test_utf_8_text_is_given_as_it_is(text: str) -> None:
    assert decode(text.encode(), "x.yaml") == text.removeprefix("\ufeff")


@given(st.binary())
def test_any_bytes_are_text_or_refused_with_a_place(data: bytes) -> None:
    try:
        text = decode(data, "x.yaml")
    except SourceError as error:
        assert error.where.startswith("x.yaml:")
        assert error.hint
    else:
        assert "\0" not in text
        assert "\r" not in text


def test_a_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert decode("\ufeffa\ufeff".encode(), "x.yaml") == "a\ufeff"


def test_line_ends_become_line_feeds() -> None:
    assert decode(b"a\r\nb\r\n", "x.yaml") == "a\nb\n"


def test_a_wrong_byte_is_told_by_its_line_and_by_its_column_in_characters() -> None:
    assert (
        complaint("雨\r\n雨云".encode() + b"\xe9t\xe9") == "x.yaml:2:3 byte 0xe9 is not UTF-8 (a Latin-1 or GBK file?)"
    )
    assert complaint(b"\xef\xbb\xbf\xff") == "x.yaml:1:1 byte 0xff is not UTF-8 (a Latin-1 or GBK file?)"


@pytest.mark.parametrize("data", [b"", b"\n \t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_a_file_of_nothing_is_refused(data: bytes) -> None:
    assert complaint(data) == "x.yaml:1:1 is empty"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wider_encodings_are_refused(encoding: str) -> None:
    assert "UTF-16" in complaint("a: 1".encode(encoding)) or "NUL" in complaint("a: 1".encode(encoding))


@pytest.mark.parametrize(
    ("data", "place"), [(b"a\nb\0", "x.yaml:2:2"), (b"a\r\nb\rc", "x.yaml:2:2"), (b"\rb", "x.yaml:1:1")]
)
def test_nul_and_a_bare_carriage_return_are_refused(data: bytes, place: str) -> None:
    assert complaint(data).startswith(f"{place} holds a")


def test_only_regular_files_of_a_sensible_size_are_read(tmp_path: Path) -> None:
    large, pipe = tmp_path / "large.yaml", tmp_path / "pipe.yaml"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    os.mkfifo(pipe)
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "no.yaml", "does not exist"),
        (pipe, "no regular file"),
        (large, "bytes"),
    ):
        with pytest.raises(SourceError, match=message) as caught:
            read_text(path, "shown.yaml")
        assert caught.value.where == "shown.yaml"
        assert caught.value.hint


def test_a_file_is_called_by_its_path_unless_a_name_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\0")
    with pytest.raises(SourceError) as caught:
        read_text(path)
    assert caught.value.where == f"{path}:1:1"


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\x7f", "\x85", "\xad", "\u200b", "\u200f", "\u2028", "\u202e", "\u2066", "\ufeff"]
)
def test_characters_that_do_not_show_are_found(character: str) -> None:
    assert hidden_characters(f"Nim{character}bus") == f"U+{ord(character):04X}"


@pytest.mark.parametrize("name", ["Nimbus-3B", "雨云·α", "Café", "Cafe\u0301", "Ｎｉｍｂｕｓ", "नमस्ते"])
def test_names_in_any_script_are_not_called_hidden(name: str) -> None:
    assert hidden_characters(name) == ""
