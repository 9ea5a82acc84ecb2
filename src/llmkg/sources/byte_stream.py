"""The bytes of a file in blocks, unpacked where it is compressed, within limits of how much they grow."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from llmkg.errors import LimitError, Problem, SourceError
from llmkg.sources.batch import BATCH_BYTES, Limits

__all__ = ["GZIP", "ZSTD", "check_regular", "read_blocks", "read_start"]

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
#: so little is unpacked at once that it cannot fill the memory: 8 kB of Zstandard grow to 256 MB at most
_STEP = 8_192
_BOM = b"\xef\xbb\xbf"


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def check_regular(path: Path, name: str) -> None:
    """Raise :class:`SourceError` where ``path`` is no regular file, which opening could wait for without end."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SourceError([Problem(name, f"cannot be read: {error.strerror}", "is the path right?")]) from error
    if not stat.S_ISREG(mode):
        raise SourceError([Problem(name, "is no regular file", "give a file, or a folder of files")])


def read_start(path: Path, name: str, size: int = 4_096) -> bytes:
    """Give the first bytes of ``path``, unpacked, without a byte order mark; fewer where the file is damaged."""
    try:
        with path.open("rb") as file:
            data = file.read(size)
    except OSError as error:
        raise SourceError([Problem(name, f"cannot be read: {error.strerror}", "may you read it?")]) from error
    if data.startswith((GZIP, ZSTD)):
        try:
            return _unpacker(data).decompress(data)[: 8 * size].removeprefix(_BOM)
        except (zlib.error, zstandard.ZstdError):
            return b""
    return data.removeprefix(_BOM)


def read_blocks(path: Path, name: str, limits: Limits) -> Iterator[bytes | Problem]:
    """Give the bytes of ``path`` in blocks of about 2 MB without a byte order mark, and a problem where it ends too early.

    Raise :class:`LimitError` where a compressed file grows beyond the ``limits``.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            is_packed = magic.startswith((GZIP, ZSTD))
            pieces = _unpack(file, name, limits) if is_packed else iter(lambda: file.read(BATCH_BYTES), b"")
            yield from _gathered(pieces)
    except OSError as error:
        yield Problem(name, f"cannot be read: {error.strerror}", "may you read it, and is the disk sound?")


def _gathered(pieces: Iterator[bytes | Problem]) -> Iterator[bytes | Problem]:
    held: list[bytes] = []
    size = 0
    is_start = True
    ending: Problem | None = None
    for piece in pieces:
        if isinstance(piece, Problem):
            ending = piece
            break
        held.append(piece)
        size += len(piece)
        if size >= BATCH_BYTES:
            block = b"".join(held) if len(held) > 1 else piece
            yield block.removeprefix(_BOM) if is_start else block
            held, size, is_start = [], 0, False
    if held:
        block = b"".join(held)
        yield block.removeprefix(_BOM) if is_start else block
    if ending:
        yield ending


def _unpack(file: BinaryIO, name: str, limits: Limits) -> Iterator[bytes | Problem]:
    """Give what the compressed ``file`` holds; one file may hold several streams, one after the other."""
    data = file.read(_STEP)
    unpacker = _unpacker(data)
    given = taken = 0
    while data:
        taken += len(data)
        try:
            piece = unpacker.decompress(data)
        except (zlib.error, zstandard.ZstdError) as error:
            yield _damaged(name, given, f"is damaged: {str(error)[:80]}")
            return
        given += len(piece)
        if given > limits.total or (given > limits.grown and given > taken * limits.ratio):
            message = f"grows to more than {given // max(1, taken)} times its size, {given} bytes so far"
            raise LimitError(message, name, "is it a trap? if not, unpack it yourself and give the unpacked file")
        if piece:
            yield piece
        data = b""
        if unpacker.eof:
            data = unpacker.unused_data
            taken -= len(data)
            data = data or file.read(_STEP)
            if not data.strip(b"\0"):  # tar and tape tools pad with zeros
                data = b""
            if data:
                data += file.read(4) if len(data) < 4 else b""
                if not data.startswith((GZIP, ZSTD)):
                    yield _damaged(name, given, "goes on with something that is not compressed")
                    return
                unpacker = _unpacker(data)
        else:
            data = file.read(_STEP)
    if not unpacker.eof:
        yield _damaged(name, given, "ends in its middle")


def _unpacker(data: bytes) -> _Unpacker:
    if data.startswith(GZIP):
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor().decompressobj()


def _damaged(name: str, given: int, message: str) -> Problem:
    return Problem(
        name, f"{message}, after {given} bytes of text", "get the file again; what stands before this was read"
    )
