"""A graph loaded onto a server is there as a whole, replaces the one before, goes on after a stop, and touches nothing else."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from llmkg import publish
from llmkg.build import rebuild
from llmkg.config import Settings
from llmkg.errors import RemoteError, UsageError, WriteError
from llmkg.home import current_version
from llmkg.publish import Target, load, state_file
from llmkg.remote import RemoteEndpoint
from llmkg.store import Store, open_store
from servers import Server, oxigraph

Run = Callable[..., "subprocess.CompletedProcess[str]"]
GRAPH = "https://w3id.org/llmkg/graph/"
COUNTS = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with oxigraph(tmp_path / "server") as running:
        yield running


@pytest.fixture
def target(server: Server) -> Target:
    return Target(server.query)


def silent(text: str) -> None:
    """Say nothing."""


def write(server: Server, method: str, which: str, body: str = "") -> None:
    request = Request(f"{server.graph_store}?{which}", body.encode(), {"Content-Type": "text/turtle"}, method=method)
    urlopen(request).close()


def counts(server: Server) -> dict[str, int]:
    """Give the number of triples of each graph on the server."""
    endpoint = RemoteEndpoint(server.query, default_graph="")
    found = {str(row["g"]): int(str(row["n"])) for row in endpoint.query(COUNTS)}
    whole = endpoint.query("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    return found | {"default": int(str(whole.to_dicts()[0]["n"]))}


def opened(settings: Settings, dump: Path) -> Store:
    """Give the store that is built from ``dump`` in the home of ``settings``."""
    return open_store(rebuild(settings, dump).version / "store")


def test_the_whole_graph_is_there_and_counted(store: Store, server: Server, target: Target, tmp_path: Path) -> None:
    said: list[str] = []
    loaded = load(store, "build", target, tmp_path / "state.json", said.append)
    assert loaded == counts(server)
    assert sum(loaded.values()) == sum(1 for _ in store.quads())
    assert len(said) == len(loaded)


def test_a_second_load_of_the_same_build_sends_nothing(
    store: Store, server: Server, target: Target, tmp_path: Path
) -> None:
    first = load(store, "build", target, tmp_path / "state.json", silent)
    read_only = replace(target, graph_store="http://127.0.0.1:9/nothing-listens")
    assert load(store, "build", read_only, tmp_path / "state.json", silent) == first


def test_updates_are_used_where_there_is_no_graph_store(
    small: Settings, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dumps: tuple[Path, ...]
) -> None:
    monkeypatch.setattr(publish._Updates, "batch", 2)
    by_update = Target(server.query, update=server.update)
    for dump in (dumps[4], dumps[2]):
        loaded = load(opened(small, dump), dump.name, by_update, tmp_path / "state.json", silent)
        assert loaded == counts(server)


def test_a_new_build_replaces_the_old_graphs_and_no_others(
    small: Settings, store: Store, server: Server, target: Target, tmp_path: Path, dumps: tuple[Path, ...]
) -> None:
    write(server, "PUT", "graph=https://e.org/mine", "<https://e.org/s> <https://e.org/p> 1 .")
    for known in (True, False):  # with and without the file that knows what was loaded
        first = load(store, "first", target, tmp_path / "state.json", silent)
        assert counts(server) == first | {"https://e.org/mine": 1}
        state = tmp_path / ("state.json" if known else "other.json")
        loaded = load(opened(small, dumps[3]), "second", target, state, silent)
        assert set(loaded) == {"https://e.org/g", "default"}
        assert counts(server) == loaded | {"https://e.org/mine": 1}


def test_a_stopped_load_goes_on_where_it_was(
    store: Store, server: Server, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state.json"
    monkeypatch.setattr(publish._GraphStore, "batch", 1000)

    def stop(text: str) -> None:
        if "inferred" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(store, "build", target, state, stop)
    done = sum(json.loads(state.read_text())["sent"].values())
    assert 0 < done < sum(1 for _ in store.quads())
    write(server, "DELETE", f"graph={GRAPH}entities")  # were it sent again, this would be mended
    said: list[str] = []
    with pytest.raises(
        RemoteError, match=r"does not hold what was sent: .*graph/entities has 0 triples, not \d+"
    ) as caught:
        load(store, "build", target, state, said.append)
    assert said[0] == f"going on where the load before stopped: {done} quads"
    assert "run the command again" in caught.value.hint
    assert load(store, "build", target, state, silent) == counts(server)


def test_a_load_that_was_killed_goes_on(
    built: Settings, server: Server, environment: Callable[..., dict[str, str]], run: Run
) -> None:
    command = [sys.executable, "-m", "llmkg", "load", "--endpoint", server.query]
    state = state_file(built.home, server.query)
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (state.exists() and json.loads(state.read_text())["sent"]):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = run("load", "--endpoint", server.query)
    assert done.returncode == 0, done.stderr
    assert "going on where the load before stopped" in done.stderr
    assert done.stdout.splitlines()[-1].split() == ["all", str(sum(counts(server).values()))]


def test_a_default_graph_of_others_is_not_replaced(
    store: Store, server: Server, target: Target, tmp_path: Path
) -> None:
    write(server, "PUT", "default", "<https://e.org/s> <https://e.org/p> 1 .")
    with pytest.raises(UsageError, match="has a default graph with other data") as caught:
        load(store, "build", target, tmp_path / "state.json", silent)
    assert counts(server) == {"default": 1}
    assert f"--default-graph {GRAPH}merged" in caught.value.hint
    loaded = load(store, "build", replace(target, default_graph=f"{GRAPH}merged"), tmp_path / "state.json", silent)
    assert counts(server) == loaded | {"default": 1}
    there = RemoteEndpoint(server.query).query("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    assert there.to_dicts()[0]["n"] == loaded[f"{GRAPH}merged"]


def test_a_server_that_takes_no_graphs_is_told_at_once(built: Settings, store: Store, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    (tmp_path / "home").mkdir()
    with oxigraph(current_version(built.home) / "store", read_only=True) as server:
        with pytest.raises(RemoteError, match=r"answers 40\d") as caught:
            load(store, "build", Target(server.query), state, silent)
        assert caught.value.hint
        with pytest.raises(RemoteError, match="answers 404") as caught:
            load(store, "build", Target(server.query, graph_store=server.query + "/none"), state, silent)
        assert "--graph-store URL" in caught.value.hint
    with pytest.raises(UsageError, match="not known where this server takes graphs"):
        load(store, "build", Target("http://127.0.0.1:9/ask"), state, silent)
    assert not state.exists()


def test_a_state_file_that_is_damaged_or_of_another_server_counts_for_nothing(
    small: Settings, server: Server, target: Target, tmp_path: Path
) -> None:
    store = open_store(current_version(small.home) / "store")
    state = tmp_path / "state.json"
    for text in ("", "[]", '{"endpoint": 1}', '{"endpoint": "http://e.org/", "build": "b", "sent": {"default": 1}}'):
        state.write_text(text)
        write(server, "DELETE", "default")
        assert load(store, "b", target, state, silent) == counts(server)


def test_a_home_that_cannot_be_written_is_an_error_of_writing(small: Settings, target: Target, tmp_path: Path) -> None:
    store = open_store(current_version(small.home) / "store")
    with pytest.raises(WriteError, match="cannot be written"):
        load(store, "b", target, tmp_path / "none" / "state.json", silent)


def test_the_command_says_what_is_missing(run: Run, small: Settings) -> None:
    done = run("load", home=small.home)
    assert done.returncode == 2
    assert "give --endpoint URL" in done.stderr
    done = run("load", "--endpoint", "http://127.0.0.1:9/query", home=small.home)
    assert done.returncode == 9
    assert "refused: nothing listens there" in done.stderr
