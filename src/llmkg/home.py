"""The home folder: versions of the built graph, each immutable, one of them current.

::

    <home>/llmkg.json     marker with the format version
           .lock          held by the one builder
           v-<hash>/      store/, manifest.json
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmkg.errors import StoreCorrupt, StoreUnavailable, WriteError

__all__ = [
    "FORMAT",
    "Manifest",
    "current_version",
    "hold",
    "is_new",
    "publish",
    "read_manifest",
    "sound_version",
    "verify",
]

FORMAT = 1
_MARKER = "llmkg.json"
_NEW_MARKER = ".tmp-marker"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version was made from and what it holds; ``files`` maps each store file to its SHA-256."""

    hash: str
    quads: dict[str, int]
    inputs: dict[str, str]
    tools: dict[str, str]
    files: dict[str, str]
    format: int = FORMAT


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
        raise StoreUnavailable(message, str(home), hint)


def read_manifest(version: Path) -> Manifest:
    """Give the manifest of a version; raise :class:`StoreCorrupt` where it is damaged."""
    path = version / "manifest.json"
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        if listed.pop("digest") != _digest(listed):
            raise ValueError("another digest")
        return Manifest(**listed)
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(path)) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreCorrupt("is no manifest, or is changed", str(path), "llmkg build makes it anew") from error


def _digest(listed: dict[str, Any]) -> str:
    """Give the SHA-256 of a manifest's content, by which a change to the manifest itself is seen."""
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


def sound_version(home: Path) -> Path:
    """Give the folder of the current version if every file of its store is as it was written.

    The engine answers wrongly, or never, from some damaged files; hashing them costs 3 ms a megabyte. Raise as
    :func:`verify` does.
    """
    return _checked(home)[0]


def verify(home: Path) -> Manifest:
    """Give the manifest of the current version if every file of its store is as it was written.

    Raise :class:`StoreCorrupt` that names the files that are changed, missing, or too many.
    """
    return _checked(home)[1]


def _checked(home: Path) -> tuple[Path, Manifest]:
    version = current_version(home)
    try:
        return version, _check_files(version)
    except StoreCorrupt:
        if current_version(home) == version:
            raise
    return _checked(home)  # two builds have come between, and the second has removed what was looked at


def _check_files(version: Path) -> Manifest:
    manifest = read_manifest(version)
    try:
        found = _hash_files(version / "store")
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(version)) from error
    except OSError as error:
        raise StoreCorrupt(f"cannot be read: {error.strerror}", str(version), "llmkg build makes it anew") from error
    changed = sorted(name for name in manifest.files if found.get(name, "") != manifest.files[name])
    strange = sorted(name for name in found if name not in manifest.files)
    if changed or strange:
        message = "; ".join(
            f"{word}: {', '.join(names)}"
            for word, names in (("changed or missing", changed), ("added", strange))
            if names
        )
        raise StoreCorrupt(f"does not match its manifest ({message})", str(version), "llmkg build makes it anew")
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
    listed = asdict(manifest) | {"files": _hash_files(temporary / "store")}
    listed["digest"] = _digest(listed)
    _write(temporary / "manifest.json", json.dumps(listed, indent=1, sort_keys=True) + "\n")
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


def _hash_files(folder: Path) -> dict[str, str]:
    hashes = {}
    for parent, _, names in os.walk(folder, onerror=_fail):
        for path in (Path(parent) / name for name in names):
            hashes[path.relative_to(folder).as_posix()] = hash_file(path) if path.is_file() else ""
    return hashes


def hash_file(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


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
