"""What all tests share: a built graph, the command line as users start it, small graphs, the surveys' documents."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from llmkg.build import build, rebuild
from llmkg.config import Settings, read_settings
from llmkg.home import current_version
from llmkg.store import Store, open_store

Run = Callable[..., "subprocess.CompletedProcess[str]"]

_NOBODY = 65534  # root may write anywhere, so a test of permissions becomes somebody else first
_AS_ANOTHER_USER = f"""
import os, sys
import llmkg.build, llmkg.cli, llmkg.importing  # what they bring may not be readable afterwards
from llmkg.resources import resource_folder
if os.geteuid() == 0:
    os.setgroups([])
    os.setegid({_NOBODY})
    os.seteuid({_NOBODY})
if not os.access(resource_folder("queries"), os.R_OK, effective_ids=True):
    sys.exit(99)
llmkg.cli.main(sys.argv[1:])
"""
_SHARED = Path(__file__).parents[2] / "shared"
_SEEDS = _SHARED / "seeds"
_HUB_SAMPLE = _SHARED / "data" / "hub" / "models.jsonl"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give the settings of a home with the packed data, built once; tests that change a home make their own."""
    settings = read_settings({"LLMKG_HOME": str(tmp_path_factory.mktemp("built") / "home")})
    build(settings)
    return settings


@pytest.fixture(scope="session")
def store(built: Settings) -> Store:
    """Give the built graph, opened for reading."""
    return open_store(current_version(built.home) / "store", built.timeout)


@pytest.fixture(scope="session")
def environment(built: Settings) -> Callable[..., dict[str, str]]:
    """Give a function that gives the environment of a command on ``home``: nothing of the caller's own llmkg."""

    def make(home: Path | None = None, more: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLMKG_", "LC_", "PYTEST_"))}
        return kept | {"LC_ALL": "C.UTF-8", "LLMKG_HOME": str(home or built.home)} | dict(more or {})

    return make


@pytest.fixture(scope="session")
def run(environment: Callable[..., dict[str, str]]) -> Run:
    """Give a function that runs the command line as its own process, on the built graph unless ``home`` is given."""

    def start(
        *arguments: str, input: str | None = None, home: Path | None = None, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "llmkg", *arguments],
            input="" if input is None else input,
            capture_output=True,
            encoding="utf-8",
            env=environment(home, more),
            timeout=120,
            check=False,
        )

    return start


@pytest.fixture(scope="session")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Give exports of small graphs, the n-th (from 0) with n + 1 things, from which a home is built in no time."""
    folder = tmp_path_factory.mktemp("dumps")
    paths = []
    for number in range(5):
        triples = [f'<https://e.org/{n}> <https://e.org/p> "{n}" ' for n in range(number + 1)]
        path = folder / f"graph-{number}.nq"
        path.write_text("".join(f"{t}.\n{t}<https://e.org/g> .\n" for t in triples), encoding="utf-8")
        paths.append(path)
    return tuple(paths)


@pytest.fixture
def small(built: Settings, dumps: tuple[Path, ...], tmp_path: Path) -> Settings:
    """Give the settings of a home of its own with the first of the small graphs."""
    settings = replace(built, home=tmp_path / "home")
    rebuild(settings, dumps[0])
    return settings


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="llmkg-test-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def run_unprivileged(environment: Callable[..., dict[str, str]]) -> Run:
    """Give a function like ``run`` whose process is held to file permissions even where the tests run as root."""

    def start(*arguments: str, home: Path, input: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", _AS_ANOTHER_USER, *arguments],
            input=input,
            capture_output=True,
            encoding="utf-8",
            env=environment(home),
            timeout=120,
            check=False,
        )
        if done.returncode == 99:
            pytest.skip("the checkout is not readable for another user")
        return done

    return start


@pytest.fixture(scope="session")
def seeds() -> Path:
    """Give the folder of the five surveys, which are no part of the repository."""
    if not _SEEDS.is_dir():
        pytest.skip(f"the documents of the surveys are not at {_SEEDS}")
    return _SEEDS


@pytest.fixture(scope="session")
def hub_sample() -> Path:
    """Give the file of real records of the Hub, which is no part of the repository."""
    if not _HUB_SAMPLE.is_file():
        pytest.skip(f"the sample of the Hub is not at {_HUB_SAMPLE}")
    return _HUB_SAMPLE
