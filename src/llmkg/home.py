"""The home folder: versions of the built graph, each immutable, one of them current.

::

    <home>/llmkg.json     marker with the format version
           .lock          held by the one builder
           v-<hash>/      store/, names.db, graph.nq.zst (what was loaded), manifest.json
           current -> v-…
           .tmp-*         cleared at the next build
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import Any
from zlib import crc32

from llmkg.errors import StoreCorrupt, StoreUnavailable, WriteError
from llmkg.trust import is_trusted, trust

__all__ = [
    "FORMAT",
    "GRAPH",
    "NAMES",
    "Manifest",
    "current_version",
    "hash_file",
    "hold",
    "is_new",
    "publish",
    "read_manifest",
    "sound_version",
    "verify",
    "whole_file",
]

FORMAT = 2
NAMES = "names.db"
GRAPH = "graph.nq.zst"
SMALL = 128_000_000  # bytes of a version up to which the names index, too, is read at each opening
#: of more bytes than this a version's files are compared once an hour, not at every opening
LARGE = 1_000_000_000
_MANIFEST = "manifest.json"
_MARKER = "llmkg.json"
_NEW_MARKER = ".tmp-marker"
_ANEW = "llmkg build makes it anew"
_CHUNK = 4_194_304
_BUFFER = 262_144  # fits the cache of a core


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version was made from and what it holds.

    ``files`` maps each file but the manifest to its SHA-256, ``sizes`` to its bytes, and ``sums`` to its CRC-32.
    """

    hash: str
    quads: dict[str, int]
    inputs: dict[str, str]
    tools: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    format: int = FORMAT


#: gives those of the named files of a version whose content is not what its manifest says
Changed = Callable[[Path, Manifest, Iterable[str]], Iterable[str]]


def is_new(home: Path) -> bool:
    """Tell whether nothing is in the place of ``home`` yet, so that the first use may build there."""
    try:
        return not any(home.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def current_version(home: Path) -> Path:
    """Give the folder of the current version; raise :class:`StoreUnavailable` where there is none to open."""
    hint = f"llmkg --home {home} build makes one"
    try:
        if not home.is_dir():
            raise StoreUnavailable("there is no built graph", str(home), hint)
        _check_marker(home)
        version = (home / "current").resolve(strict=True)
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(home), "give another --home") from error
    except (OSError, RuntimeError) as error:
        raise StoreUnavailable("has no current version", str(home), hint) from error
    if version.parent != home.resolve() or not version.is_dir():
        raise StoreUnavailable(f"'current' leads to {version}, which is no version", str(home), hint)
    return version


def _check_marker(home: Path) -> None:
    marker = home / _MARKER
    if not marker.is_file():
        raise StoreUnavailable("is no llmkg folder (it has no llmkg.json)", str(home), "give another --home")
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))["format"]
    except PermissionError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreCorrupt("is no llmkg marker", str(marker), "llmkg build in another --home") from error
    if found != FORMAT:
        message = f"has format {found}; this version reads format {FORMAT}"
        hint = "install the llmkg that wrote it, or run llmkg build with another --home"
        if found in range(1, FORMAT):
            hint += f": llmkg --home {home}-{FORMAT} build"
        raise StoreUnavailable(message, str(home), hint)


def read_manifest(version: Path) -> Manifest:
    """Give the manifest of a version; raise :class:`StoreCorrupt` where it is damaged."""
    path = version / _MANIFEST
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        if listed.pop("digest") != _digest(listed):
            raise ValueError("another digest")
        return Manifest(**listed)
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(path)) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreCorrupt("is no manifest, or is changed", str(path), _ANEW) from error


def _digest(listed: dict[str, Any]) -> str:
    """Give the SHA-256 of a manifest's content, by which a change to the manifest itself is seen."""
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


def sound_version(home: Path, small: int = SMALL, stamps: Path | None = None, large: int = LARGE) -> Path:
    """Give the folder of the current version if its files are as they were written.

    Every file is read and its CRC-32 compared, by all cores: 0.2 to 1 s a gigabyte. Nothing less will do for the store. Its
    tables have checksums of their own, but where one does not fit, the engine may drop the row (in a filter, in ORDER BY), take
    it for found (in NOT EXISTS) or never end. The names index of a version of more than ``small`` bytes, and the file of its
    graph, are left to :func:`whole_file`, since they are compared as they are needed. A version of more than ``large`` bytes
    whose files were compared within the hour, as a stamp in the folder ``stamps`` tells, is not compared again. Raise as
    :func:`verify` does.
    """

    def changed(version: Path, manifest: Manifest, names: Iterable[str]) -> Iterable[str]:
        size = sum(manifest.sizes.values())
        read = sorted(name for name in names if size <= small or name not in (GRAPH, NAMES))
        if stamps and size > large and is_trusted(stamps, version, read):
            return []
        read.sort(key=lambda name: -manifest.sizes[name])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sums = pool.map(lambda name: _sum(version / name), read)
            wrong = [name for name, found in zip(read, sums, strict=True) if found != manifest.sums[name]]
        if stamps and size > large and not wrong:
            trust(stamps, version, read)
        return wrong

    return _checked(home, changed)[0]


def verify(home: Path) -> Manifest:
    """Give the manifest of the current version if every file is as it was written, hashing them all.

    Raise :class:`StoreCorrupt` that names the files that are changed, missing, or too many.
    """

    def changed(version: Path, manifest: Manifest, names: Iterable[str]) -> Iterable[str]:
        return [name for name in names if _digests(version / name)[0] != manifest.files[name]]

    return _checked(home, changed)[1]


def whole_file(version: Path, name: str) -> Callable[[FileIO], None]:
    """Give a function that raises :class:`StoreCorrupt` where an open file is not what the file ``name`` was written as."""
    manifest = read_manifest(version)

    def check(file: FileIO) -> None:
        try:
            file.seek(0)
            found = _sum_of(file)
        except OSError as error:
            raise StoreCorrupt(f"cannot be read: {error.strerror}", str(version / name), _ANEW) from error
        if found != manifest.sums.get(name):
            raise StoreCorrupt("does not match its manifest", str(version / name), _ANEW)

    return check


def _checked(home: Path, changed: Changed) -> tuple[Path, Manifest]:
    version = current_version(home)
    try:
        return version, _check_files(version, changed)
    except StoreCorrupt:
        if current_version(home) == version:
            raise
    return _checked(home, changed)  # two builds have come between, and the second has removed what was looked at


def _check_files(version: Path, changed: Changed) -> Manifest:
    """Compare the files that there are, and their sizes, with the manifest, then their content by ``changed``."""
    manifest = read_manifest(version)
    try:
        found = _sizes(version)
        wrong = {name for name, size in manifest.sizes.items() if found.get(name) != size}
        wrong |= set(changed(version, manifest, manifest.sizes.keys() - wrong))
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(version)) from error
    except OSError as error:
        raise StoreCorrupt(f"cannot be read: {error.strerror}", str(version), _ANEW) from error
    strange = found.keys() - manifest.sizes.keys()
    if wrong or strange:
        message = "; ".join(
            f"{word}: {', '.join(sorted(names))}"
            for word, names in (("changed or missing", wrong), ("added", strange))
            if names
        )
        raise StoreCorrupt(f"does not match its manifest ({message})", str(version), _ANEW)
    return manifest


def publish(home: Path, fill: Callable[[Path], Manifest]) -> Path:
    """Give the new current version, which ``fill`` makes in a folder beside the others.

    The version before it stays; nothing that a reader sees changes until the link is swapped. Raise
    :class:`StoreUnavailable` where another build is running and :class:`WriteError` where the folder cannot be written.
    """
    try:
        with hold(home):
            _clear(home)
            previous = _previous(home)
            temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=home))
            try:
                manifest = fill(temporary)
                version = _finish(home, temporary, manifest)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            _drop_old(home, (version, previous))
            return version
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        full = error.errno == errno.ENOSPC or "No space left" in reason
        hint = "free some space" if full else "give another --home"
        raise WriteError(f"cannot be written: {reason}", str(home), hint) from error


def _prepare(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if (home / _MARKER).exists():
        _check_marker(home)
    elif any(entry.name not in (".lock", _NEW_MARKER) for entry in home.iterdir()):
        raise StoreUnavailable("is not empty and no llmkg folder", str(home), "give an empty or new folder as --home")


def _write_marker(home: Path) -> None:
    """Write the marker as a whole or not at all: without it, or with half of it, nothing here would be opened again."""
    _write(home / _NEW_MARKER, json.dumps({"format": FORMAT}) + "\n")
    (home / _NEW_MARKER).rename(home / _MARKER)
    _sync(home)


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Hold the lock under which one process at a time writes into ``home``, which is made where it is new.

    Raise :class:`StoreUnavailable` where another process holds it, or where the folder is no llmkg folder.
    """
    _prepare(home)
    with _lock(home):
        if not (home / _MARKER).exists():
            _write_marker(home)
        yield


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    with (home / ".lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreUnavailable("another build is running", str(home), "wait until it has ended") from error
        yield


def _clear(home: Path) -> None:
    for path in home.glob(".tmp-*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _finish(home: Path, temporary: Path, manifest: Manifest) -> Path:
    """Write the manifest, make everything durable, name the folder, and swap the link."""
    digests = {name: _digests(temporary / name) for name in sorted(_sizes(temporary))}
    listed = asdict(
        replace(
            manifest,
            files={name: sha for name, (sha, _, _) in digests.items()},
            sizes={name: size for name, (_, size, _) in digests.items()},
            sums={name: crc for name, (_, _, crc) in digests.items()},
        )
    )
    listed["digest"] = _digest(listed)
    _write(temporary / _MANIFEST, json.dumps(listed, indent=1, sort_keys=True) + "\n")
    for path in sorted(temporary.rglob("*")):
        _sync(path)
    version = home / f"v-{manifest.hash[:12]}"
    serial = 1
    while version.exists():
        serial += 1
        version = home / f"v-{manifest.hash[:12]}.{serial}"
    temporary.chmod(0o755)
    temporary.rename(version)
    _sync(home)
    link = home / ".tmp-current"
    link.unlink(missing_ok=True)
    link.symlink_to(version.name)
    link.replace(home / "current")
    _sync(home)
    return version


def _previous(home: Path) -> Path | None:
    """Give the version that is current before the swap; by the link, since clocks go back."""
    try:
        return home / os.readlink(home / "current")
    except OSError:
        return None


def _drop_old(home: Path, kept: tuple[Path | None, ...]) -> None:
    for path in home.glob("v-*"):
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _sizes(version: Path) -> dict[str, int | None]:
    """Give the size of every file of a version but its manifest; None for what is no file."""
    sizes: dict[str, int | None] = {}
    for parent, _, names in os.walk(version, onerror=_fail):
        for path in (Path(parent) / name for name in names):
            sizes[path.relative_to(version).as_posix()] = path.stat().st_size if path.is_file() else None
    sizes.pop(_MANIFEST, None)
    return sizes


def hash_file(path: Path) -> str:
    """Give the SHA-256 of a file."""
    return _digests(path)[0]


def _sum(path: Path) -> int:
    with path.open("rb", buffering=0) as file:
        return _sum_of(file)


def _sum_of(file: FileIO) -> int:
    buffer, found = bytearray(_BUFFER), 0
    view = memoryview(buffer)
    while size := file.readinto(buffer):
        found = crc32(view[:size], found)
    return found


def _digests(path: Path) -> tuple[str, int, int]:
    """Give SHA-256, size and CRC-32 of a file."""
    digest, size, crc = hashlib.sha256(), 0, 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
            size, crc = size + len(chunk), crc32(chunk, crc)
    return digest.hexdigest(), size, crc


def _fail(error: OSError) -> None:
    raise error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
