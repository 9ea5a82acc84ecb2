"""Settings, read once from the environment and handed down as an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmkg.resources import resource_folder

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command needs to know of its surroundings.

    ``home`` holds the built graph; ``data``, ``ontology`` and ``queries`` are the inputs;
    ``endpoint`` is the URL of a remote SPARQL endpoint, or empty; ``default_graph`` is the named graph that is its merged
    graph, where it need not be asked; ``auth`` is ``user:password`` for it; ``timeout`` is in seconds. ``cache`` is a folder
    for what can be made anew at any time, or None.
    """

    home: Path
    data: Path
    ontology: Path
    queries: Path
    endpoint: str = ""
    timeout: float = 60.0
    default_graph: str = ""
    auth: str = field(default="", repr=False)
    cache: Path | None = None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Give the settings that environment variables ask for.

    ``LLMKG_HOME`` (default: ``$XDG_DATA_HOME/llmkg`` or ``~/.local/share/llmkg``), ``LLMKG_DATA``
    (default: the packed data), ``LLMKG_ENDPOINT``, ``LLMKG_DEFAULT_GRAPH`` and ``LLMKG_AUTH`` are read.

    >>> read_settings({"LLMKG_HOME": "/srv/llmkg"}).home.as_posix()
    '/srv/llmkg'
    """
    cache = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    share = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Settings(
        home=Path(environment.get("LLMKG_HOME") or Path(share) / "llmkg"),
        data=Path(environment.get("LLMKG_DATA") or resource_folder("data")),
        ontology=resource_folder("ontology"),
        queries=resource_folder("queries"),
        endpoint=environment.get("LLMKG_ENDPOINT", ""),
        cache=Path(cache) / "llmkg",
        default_graph=environment.get("LLMKG_DEFAULT_GRAPH", ""),
        auth=environment.get("LLMKG_AUTH", ""),
    )
