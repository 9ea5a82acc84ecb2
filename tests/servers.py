"""Real SPARQL servers on loopback, each with a folder of its own, started by the tests and ended by them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

__all__ = ["Server", "free_port", "oxigraph", "virtuoso"]

_INI = """
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
MaxCheckpointRemap = 2000
TempStorage = TempDatabase

[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
MaxCheckpointRemap = 2000

[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
CheckpointInterval = 0
CaseMode = 2
DirsAllowed = .
NumberOfBuffers = 20000
MaxDirtyBuffers = 12000
ThreadsPerQuery = 2

[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = .
ServerThreads = 10
HTTPThreadSize = 280000

[URIQA]
DynamicLocal = 0
DefaultHost = localhost:{http}

[SPARQL]
ResultSetMaxRows = {rows}
MaxQueryExecutionTime = 60
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers queries, takes graphs and updates, and who may write there."""

    query: str
    graph_store: str
    update: str
    auth: str = ""


def free_port() -> int:
    """Give a port of loopback at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def oxigraph(folder: Path, read_only: bool = False) -> Iterator[Server]:
    """Run `oxigraph serve`, from the package on PyPI, on the store in ``folder``."""
    program = Path(sys.executable).parent / "oxigraph"
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        "serve-read-only" if read_only else "serve",
        "--location",
        str(folder),
        "--bind",
        url.removeprefix("http://"),
    ]
    with _running([str(program), *command], folder.parent, f"{url}/"):
        yield Server(f"{url}/query", f"{url}/store", f"{url}/update")


@contextmanager
def virtuoso(folder: Path, rows: int = 10_000) -> Iterator[Server]:
    """Run Virtuoso with a new database in ``folder``; it gives at most ``rows`` rows. Skip the test where it is not installed."""
    program = shutil.which("virtuoso-t")
    if program is None:
        pytest.skip("Virtuoso is not installed (Debian: apt-get install virtuoso-opensource-7)")
    sql, http = free_port(), free_port()
    (folder / "virtuoso.ini").write_text(_INI.format(sql=sql, http=http, rows=rows), encoding="utf-8")
    url = f"http://127.0.0.1:{http}"
    with _running([program, "+foreground", "+configfile", "virtuoso.ini"], folder, f"{url}/sparql"):
        yield Server(f"{url}/sparql", f"{url}/sparql-graph-crud-auth", f"{url}/sparql-auth", "dba:dba")


@contextmanager
def _running(command: list[str], folder: Path, url: str) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        _wait(url, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    for _ in range(600):
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            with opener.open(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the server did not come up: {log.read_text(errors='replace')[-500:]}")
