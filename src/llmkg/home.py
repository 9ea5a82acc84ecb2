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

from llmkg.errors import StoreCorrupt, StoreUnavailable, WriteError

__all__ = ["FORMAT", "Manifest", "current_version", "publish", "read_manifest", "verify"]

FORMAT = 1
_MARKER = "llmkg.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version was made from and what it holds; ``files`` maps each store file to its SHA-256."""

    hash: str
    quads: dict[str, int]
    inputs: dict[str, str]
    tools: dict[str, str]
    files: dict[str, str]
    format: int = FORMAT


def current_version(home: Path) -> Path:
    """Give the folder of the current version; raise :class:`StoreUnavailable` where there is none to open."""
    hint = f"llmkg --home {home} build makes one"
    if not home.is_dir():
        raise StoreUnavailable("there is no built graph", str(home), hint)
    _check_marker(home)
    link = home / "current"
    try:
        version = link.resolve(strict=True)
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
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(marker)) from error
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
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except PermissionError as error:
        raise StoreUnavailable("cannot be read: no permission", str(path)) from error
    except (OSError, ValueError, TypeError) as error:
        raise StoreCorrupt("is no manifest", str(path), "llmkg build makes it anew") from error


def verify(home: Path) -> Manifest:
    """Give the manifest of the current version if every file of its store is as it was written.

    Raise :class:`StoreCorrupt` that names the files that are changed, missing, or too many.
    """
    version = current_version(home)
    manifest = read_manifest(version)
    found = _hash_files(version / "store")
    changed = sorted(name for name in manifest.files if found.get(name, "") != manifest.files[name])
    strange = sorted(name for name in found if name not in manifest.files)
    if changed or strange:
        message = "; ".join(
            f"{word}: {', '.join(names)}" for word, names in (("changed or missing", changed), ("added", strange)) if names
        )
        raise StoreCorrupt(f"does not match its manifest ({message})", str(version), "llmkg build makes it anew")
    return manifest


def publish(home: Path, fill: Callable[[Path], Manifest]) -> Path:
    """Give the new current version, which ``fill`` makes in a folder beside the others.

    The version before it stays; nothing that a reader sees changes until the link is swapped. Raise
    :class:`StoreUnavailable` where another build is running and :class:`WriteError` where the folder cannot be written.
    """
    try:
        _prepare(home)
        with _lock(home):
            _clear(home)
            temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=home))
            try:
                manifest = fill(temporary)
                version = _finish(home, temporary, manifest)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            _drop_old(home, version)
            return version
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = "free some space" if error.errno == errno.ENOSPC else "give another --home"
        raise WriteError(f"cannot be written: {reason}", str(home), hint) from error


def _prepare(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if (home / _MARKER).exists():
        _check_marker(home)
    elif any(entry.name != ".lock" for entry in home.iterdir()):
        raise StoreUnavailable("is not empty and no llmkg folder", str(home), "give an empty or new folder as --home")
    else:
        _write(home / _MARKER, json.dumps({"format": FORMAT}) + "\n")


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
        shutil.rmtree(path, ignore_errors=True)


def _finish(home: Path, temporary: Path, manifest: Manifest) -> Path:
    """Write the manifest, make everything durable, name the folder, and swap the link."""
    listed = asdict(manifest) | {"files": _hash_files(temporary / "store")}
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


def _drop_old(home: Path, current: Path) -> None:
    """Keep the current version and the newest of the others."""
    others = [path for path in home.glob("v-*") if path != current]
    others.sort(key=lambda path: (path / "manifest.json").stat().st_mtime_ns if path.is_dir() else 0)
    for path in others[:-1]:
        shutil.rmtree(path, ignore_errors=True)


def _hash_files(folder: Path) -> dict[str, str]:
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as handle:
                hashes[path.relative_to(folder).as_posix()] = hashlib.file_digest(handle, "sha256").hexdigest()
    return hashes


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
