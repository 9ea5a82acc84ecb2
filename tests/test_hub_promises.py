"""The promises P1, P2 and P4, kept while a crawl of the Hub is imported and built.

``LLMKG_HUB_MODELS=100000 pytest tests/test_hub_promises.py`` keeps them at the size of a large crawl.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import hub_generator
import pytest

from llmkg.build import build
from llmkg.config import Settings
from llmkg.errors import StoreUnavailable
from llmkg.graph import connect
from llmkg.home import current_version, hold, read_manifest, verify
from llmkg.importing import import_hub
from llmkg.store import open_store

Environment = Callable[..., dict[str, str]]

MODELS = int(os.environ.get("LLMKG_HUB_MODELS", "2000"))
KILLS = max(3, int(os.environ.get("LLMKG_KILLS", "0")) // 5)
SECONDS = 120 + MODELS / 100
DAYS = ("2026-01-01", "2026-02-02")
COUNT = "SELECT (COUNT(*) AS ?n) { ?model <https://w3id.org/llmkg/ontology#hubRecordLine> ?line }"


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a crawl, and a later one in which some models are new and others are gone."""
    folder = tmp_path_factory.mktemp("crawls")
    lines = list(hub_generator.lines(MODELS, 5))
    later = lines[MODELS // 10 :] + list(hub_generator.lines(MODELS // 5, 6))
    paths = folder / "first.jsonl", folder / "second.jsonl"
    for path, made in zip(paths, (lines, later), strict=True):
        path.write_bytes(b"".join(made))
    return paths


@pytest.fixture(scope="module")
def first(built: Settings, crawls: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give the settings of a home with the first crawl; tests that change a home copy it."""
    settings = replace(built, home=tmp_path_factory.mktemp("first") / "home", timeout=SECONDS)
    import_hub(settings.home, [crawls[0]], DAYS[0])
    build(settings)
    return settings


@pytest.fixture
def home(first: Settings, tmp_path: Path) -> Path:
    shutil.copytree(first.home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "llmkg", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def update(environment: dict[str, str], crawl: Path) -> None:
    """Import ``crawl`` and build, each as a process of its own."""
    for command in (("import", "hub", str(crawl), "--crawled", DAYS[1]), ("build", "--no-validate")):
        with start(environment, *command) as process:
            _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, errors


def wait_for_home(home: Path) -> None:
    """Wait until the workers of a process that was killed have seen it and let go of the lock."""
    end = time.monotonic() + 10
    while True:
        try:
            with hold(home):
                return
        except StoreUnavailable:
            assert time.monotonic() < end, f"{home} is still held"
            time.sleep(0.01)


def test_p2_the_order_of_a_crawl_changes_nothing_of_the_graph(
    first: Settings, crawls: tuple[Path, Path], environment: Environment, tmp_path: Path
) -> None:
    lines = crawls[0].read_bytes().splitlines(keepends=True)
    Random("P2").shuffle(lines)
    (tmp_path / "first.jsonl").write_bytes(b"".join(lines))
    home = tmp_path / "home"
    import_hub(home, [tmp_path / "first.jsonl"], DAYS[0])
    with start(environment(home, {"PYTHONHASHSEED": "11"}), "build", "--no-validate") as process:
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    here, there = (read_manifest(current_version(folder)) for folder in (first.home, home))
    assert (here.hash, here.quads, here.inputs) == (there.hash, there.quads, there.inputs)


def test_p4_readers_answer_while_another_crawl_is_imported_and_built(
    home: Path, first: Settings, crawls: tuple[Path, Path], environment: Environment
) -> None:
    settings, stop = replace(first, home=home), threading.Event()
    keeps = connect(settings)
    answers: dict[str, list[tuple[str, int]]] = {"keeps": [], "opens": []}
    failures: list[str] = []

    def read(name: str) -> None:
        while not stop.is_set():
            try:
                graph = keeps if name == "keeps" else connect(settings)
                (row,) = graph.sparql(COUNT).to_dicts()
                (base, *_) = graph.query("top-base-models", min_descendants=MODELS // 100).to_dicts()
                answers[name].append((str(row["n"]), int(str(base["descendants"]))))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a broken promise
                failures.append(f"{name}: {error!r}")
                return

    threads = [threading.Thread(target=read, args=(name,)) for name in answers]
    for thread in threads:
        thread.start()
    try:
        update(environment(home), crawls[1])
        seen = len(answers["opens"])
        while not failures and len(answers["opens"]) < seen + 2:
            time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    old, new = answers["opens"][0], answers["opens"][-1]
    assert old != new
    assert set(answers["keeps"]) == {old}
    changed = answers["opens"].index(new)
    assert answers["opens"] == [old] * changed + [new] * (len(answers["opens"]) - changed)


def test_p1_a_build_of_the_hub_that_is_killed_leaves_the_old_graph_or_the_new(
    home: Path, first: Settings, crawls: tuple[Path, Path], environment: Environment
) -> None:
    old = verify(home).hash
    import_hub(home, [crawls[1]], DAYS[1])
    chance, seconds = Random("P1 hub"), 2 + MODELS / 1_000
    for _ in range(KILLS):
        with start(environment(home), "build", "--no-validate") as process:
            time.sleep(chance.uniform(0.5, seconds))
            process.kill()
        manifest = verify(home)
        store = open_store(current_version(home) / "store", SECONDS)
        assert sum(1 for _ in store.quads()) == sum(manifest.quads.values())
        del store
        wait_for_home(home)
    built = build(replace(first, home=home))
    assert built.hash != old
    assert manifest.hash in (old, built.hash)
    assert not list(home.glob(".tmp-*"))
