"""Where the packed files are: ``ontology/``, ``data/`` and ``queries/``."""

from __future__ import annotations

from pathlib import Path

__all__ = ["resource_folder"]


def resource_folder(name: str) -> Path:
    """Give the folder ``name``: the copy packed into the wheel, or the checkout's own.

    >>> resource_folder("queries").is_dir()
    True
    """
    package = Path(__file__).parent
    packed = package / "packed" / name
    return packed if packed.is_dir() else package.parents[1] / name
