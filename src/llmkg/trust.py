"""What was compared a short while ago is not compared again: stamps outside the home folder, for large versions.

A stamp names every file with size, times and inode, so that whatever is written, moved or restored is compared anew. What a
stamp cannot see is a disk that turns bits by itself; that is why it holds for an hour only, and ``llmkg verify`` ignores it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["is_trusted", "trust"]

_HOLDS = 3600.0


def is_trusted(stamps: Path, version: Path, names: Iterable[str]) -> bool:
    """Tell whether the files ``names`` of ``version`` are those that were compared within the last hour."""
    path = _path(stamps, version)
    try:
        age = time.time() - path.stat().st_mtime
        return 0 <= age < _HOLDS and json.loads(path.read_text(encoding="utf-8")) == _identities(version, names)
    except (OSError, ValueError):
        return False


def trust(stamps: Path, version: Path, names: Iterable[str]) -> None:
    """Note that the files ``names`` of ``version`` have just been compared; where that cannot be noted, nothing happens."""
    with suppress(OSError):
        stamps.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".tmp-", dir=stamps)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(_identities(version, names), file)
        Path(name).replace(_path(stamps, version))


def _path(stamps: Path, version: Path) -> Path:
    return stamps / f"checked-{hashlib.sha256(str(version.resolve()).encode()).hexdigest()[:16]}.json"


def _identities(version: Path, names: Iterable[str]) -> dict[str, list[int]]:
    found = {}
    for name in sorted(names):
        stat = (version / name).stat()
        found[name] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    return found
