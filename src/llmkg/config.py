"""Settings, read once from the environment and handed down as an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmkg.resources import resource_folder

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command needs to know of its surroundings.

    ``home`` holds the built graph; ``data``, ``ontology`` and ``queries`` are the inputs;
    ``endpoint`` is the URL of a remote SPARQL endpoint, or empty; ``timeout`` is in seconds.
    """

    home: Path
    data: Path
    ontology: Path
    queries: Path
    endpoint: str = ""
    timeout: float = 60.0


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Give the settings that environment variables ask for.

    ``LLMKG_HOME`` (default: ``$XDG_DATA_HOME/llmkg`` or ``~/.local/share/llmkg``), ``LLMKG_DATA``
    (default: the packed data) and ``LLMKG_ENDPOINT`` are read.

    >>> read_settings({"LLMKG_HOME": "/srv/llmkg"}).home.as_posix()
    '/srv/llmkg'
    """
    share = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Settings(
        home=Path(environment.get("LLMKG_HOME") or Path(share) / "llmkg"),
        data=Path(environment.get("LLMKG_DATA") or resource_folder("data")),
        ontology=resource_folder("ontology"),
        queries=resource_folder("queries"),
        endpoint=environment.get("LLMKG_ENDPOINT", ""),
    )
