"""A crawl of the Hub gives every record once, whatever happens on the way; by the Hub's own client, against loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zstandard

from llmkg.errors import LlmkgError, RemoteError, SourceError, UsageError, WriteError
from llmkg.sources.hub_crawl import RECORDS, STATE
from llmkg.sources.hub_files import parse_line, read_batches
from llmkg.sources.hub_live import Patience, crawl

pytest.importorskip("huggingface_hub")

PAGE = 10
QUICK = Patience(tries=4, first=0.01, longest=0.02, bidden=5, silence=5, page=5)
Fault = Callable[["Handler"], None]


def record(number: int) -> dict[str, Any]:
    day = f"2024-{12 - number // 28 % 12:02}-{28 - number % 28:02}"
    return {
        "_id": f"{number:024x}",
        "id": f"owner/model-{number}",
        "lastModified": f"{day}T10:00:00.000Z",
        "tags": ["é"],
    }


class Hub(ThreadingHTTPServer):
    """Speaks the paging of the Hub: ``Link`` to a cursor; a fault stands in for the answer to the request of its number."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models = [record(number) for number in range(95)]
        self.faults: dict[int, Fault] = {}
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.delay = 0.0
        self.link = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.asked.append((parts.path, query, {name.lower(): value for name, value in self.headers.items()}))
        time.sleep(self.server.delay)
        fault = self.server.faults.pop(len(self.server.asked), None)
        if fault:
            fault(self)
            return
        start = int(query.get("cursor", ["0"])[0])
        models = self.server.models[start : start + PAGE]
        cursor = "" if start + PAGE >= len(self.server.models) else re.sub(r"&cursor=\d+", "", parts.query)
        link = f'<{self.server.link or self.server.url}/api/models?{cursor}&cursor={start + PAGE}>; rel="next"'
        self.answer(200, json.dumps(models).encode(), {"Link": link} if cursor else {})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body)), "Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def says(status: int, body: bytes = b"{}", **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(status, body, named)


def hangs_up(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'[{"id": "owner/mod')
    handler.wfile.flush()
    handler.close_connection = True


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


def records(path: Path) -> list[Any]:
    return [parse_line(line, place) for batch in read_batches([path]) for place, line in batch.places()]


def failure(hub: Hub, folder: Path, **options: Any) -> LlmkgError:
    with pytest.raises(LlmkgError) as caught:
        crawl(folder, endpoint=hub.url, patience=QUICK, **options)
    assert caught.value.hint
    return caught.value


# --- what comes out ---


def test_all_pages_are_written_as_the_hub_gave_them(hub: Hub, tmp_path: Path) -> None:
    told: list[int] = []
    path = crawl(tmp_path / "c", endpoint=hub.url, progress=lambda count, note: told.append(count))
    assert path == tmp_path / "c" / RECORDS
    assert records(path) == hub.models
    assert told == [*range(10, 95, 10), 95]
    assert {asked[0] for asked in hub.asked} == {"/api/models"}  # and nothing is reported elsewhere


def test_what_was_asked_for_is_what_records_need(hub: Hub, tmp_path: Path) -> None:
    crawl(tmp_path, endpoint=hub.url, filter=["gguf", "license:mit"], limit=3)
    _, query, headers = hub.asked[0]
    assert query["filter"] == ["gguf", "license:mit"]
    assert query["limit"] == ["3"]
    assert {"cardData", "safetensors", "config", "tags", "lastModified"} <= set(query["expand"])
    assert (query["sort"], query["direction"]) == (["createdAt"], ["-1"])
    assert headers["user-agent"].startswith("llmkg/")
    assert "authorization" not in headers


def test_a_token_is_sent_where_it_is_given_and_kept_nowhere(hub: Hub, tmp_path: Path) -> None:
    crawl(tmp_path, endpoint=hub.url, token="hf_secret")
    assert {headers["authorization"] for _, _, headers in hub.asked} == {"Bearer hf_secret"}
    assert "hf_secret" not in (tmp_path / STATE).read_text(encoding="utf-8")


def test_a_stored_token_goes_to_no_other_endpoint(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_stored")
    crawl(tmp_path, endpoint=hub.url)
    assert all("authorization" not in headers for _, _, headers in hub.asked)


@pytest.mark.parametrize("limit", [1, 10, 15, 95, 200])
def test_a_limit_ends_the_crawl(limit: int, hub: Hub, tmp_path: Path) -> None:
    assert records(crawl(tmp_path, endpoint=hub.url, limit=limit)) == hub.models[:limit]
    assert len(hub.asked) == -(-min(limit, 95) // PAGE)


def test_a_date_ends_the_crawl_at_the_first_older_record(hub: Hub, tmp_path: Path) -> None:
    path = crawl(tmp_path, endpoint=hub.url, since=date(2024, 12, 6))
    assert [one["id"] for one in records(path)] == [f"owner/model-{number}" for number in range(23)]
    assert hub.asked[0][1]["sort"] == ["lastModified"]
    assert len(hub.asked) == 3


def test_a_hub_without_models_gives_an_empty_file(hub: Hub, tmp_path: Path) -> None:
    hub.models = []
    assert crawl(tmp_path, endpoint=hub.url).read_bytes() == b""


def test_pages_are_asked_of_the_endpoint_whatever_the_link_says(hub: Hub, tmp_path: Path) -> None:
    hub.link = "https://huggingface.co"  # mirrors hand on the Hub's own links
    assert records(crawl(tmp_path, endpoint=hub.url)) == hub.models


# --- what goes wrong on the way ---


def test_trouble_that_passes_loses_no_record(hub: Hub, tmp_path: Path) -> None:
    hub.faults = {
        1: says(500),
        3: says(429, Retry_After="1"),
        5: hangs_up,
        6: hangs_up,
        8: says(503),
        10: says(429, RateLimit='"api";r=0;t=0', RateLimit_Policy='"fixed window";"api";q=500;w=300'),
    }
    told: list[str] = []
    start = time.monotonic()
    path = crawl(tmp_path, endpoint=hub.url, patience=QUICK, progress=lambda count, note: told.append(note))
    assert time.monotonic() - start > 1.9  # a second for Retry-After, one for RateLimit
    assert records(path) == hub.models
    assert [note.partition(";")[0][:11] for note in told if note] == [
        "answers 500",
        "answers 429",
        "failed: pee",
        "failed: pee",
        "answers 503",
        "answers 429",
    ]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (says(500), "answers 500 Internal Server Error, 4 times"),
        (says(429), "answers 429 Too Many Requests, 4 times"),
        (hangs_up, "failed: "),
        (says(429, Retry_After="3600"), "wants 3600 seconds of rest"),
        (says(429, RateLimit='"api";r=0;t=600'), "wants 601 seconds of rest"),
    ],
)
def test_trouble_that_stays_is_an_error_and_the_crawl_goes_on_later(
    fault: Fault, message: str, hub: Hub, tmp_path: Path
) -> None:
    hub.faults = dict.fromkeys(range(4, 8), fault)
    error = failure(hub, tmp_path)
    assert isinstance(error, RemoteError)
    assert error.code == 9
    assert message in error.message
    assert "run the same command later" in error.hint
    hub.faults = {}
    before = len(hub.asked)
    assert records(crawl(tmp_path, endpoint=hub.url)) == hub.models
    assert len(hub.asked) - before == 7


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (says(200, b"<html>hello"), "answers no list of models: '<html>hello'"),
        (says(200, b'{"error": "no"}'), "answers no list of models"),
        (says(200, b'[{"id": "a/b"}, 7]'), "answers no list of models"),
        (says(200, b'[{"id": "a/b"'), "answers no list of models"),
        (says(200, b""), "answers no list of models: ''"),
        (says(302, Location="http://127.0.0.1:9/"), "redirects to http://127.0.0.1:9/"),
        (says(400), "answers 400 Bad Request"),
        (says(401), "answers 401 Unauthorized"),
        (says(403), "answers 403 Forbidden"),
        (says(404), "answers 404 Not Found"),
        (says(200, b"[]", Link='</api/models>; rel="next"'), "the next page is the same again"),
        (says(200, b"x" * 99, Content_Encoding="gzip"), "failed: "),
    ],
)
def test_nonsense_is_an_error(fault: Fault, message: str, hub: Hub, tmp_path: Path) -> None:
    hub.faults = dict.fromkeys(range(3, 7), fault)
    error = failure(hub, tmp_path)
    assert isinstance(error, RemoteError)
    assert message in error.message
    assert error.where == f"{hub.url}/api/models"
    assert records(tmp_path / RECORDS) == hub.models[:20]


def test_an_answer_that_drips_is_given_up(hub: Hub, tmp_path: Path) -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        for _ in range(8):
            handler.wfile.write(b"[")
            time.sleep(0.1)
        handler.close_connection = True

    hub.faults = {1: drip}
    path = crawl(tmp_path, endpoint=hub.url, patience=Patience(first=0.01, page=0.3))
    assert records(path) == hub.models


def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="refused"):
        crawl(tmp_path, endpoint="http://127.0.0.1:9", patience=QUICK)


@pytest.mark.parametrize("endpoint", ["huggingface.co", "file:///etc", "http://a b", "ftp://e.org"])
def test_what_is_no_web_address_is_an_error(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="no web address"):
        crawl(tmp_path, endpoint=endpoint)


@pytest.mark.parametrize("token", ["a\nb", "a b", "é"])
def test_a_token_that_breaks_the_headers_is_refused(token: str, hub: Hub, tmp_path: Path) -> None:
    assert "token" in failure(hub, tmp_path, token=token).message
    assert hub.asked == []


# --- going on ---


def test_a_crawl_that_is_done_asks_nothing(hub: Hub, tmp_path: Path) -> None:
    path = crawl(tmp_path, endpoint=hub.url)
    before = path.read_bytes()
    count = len(hub.asked)
    assert crawl(tmp_path, endpoint=hub.url).read_bytes() == before
    assert len(hub.asked) == count


@pytest.mark.parametrize(
    "torn", [b"\x28\xb5\x2f\xfd torn", b"", zstandard.ZstdCompressor().compress(b'{"id": "a/b"}\n')]
)
def test_what_stands_behind_the_last_whole_page_is_cut_off(torn: bytes, hub: Hub, tmp_path: Path) -> None:
    hub.faults = dict.fromkeys(range(4, 8), says(500))
    failure(hub, tmp_path)
    with (tmp_path / RECORDS).open("ab") as file:
        file.write(torn)
    assert records(crawl(tmp_path, endpoint=hub.url)) == hub.models


@pytest.mark.parametrize("options", [{"filter": ["gguf"]}, {"limit": 5}, {"since": date(2024, 1, 1)}])
def test_a_folder_is_of_one_crawl(options: dict[str, Any], hub: Hub, tmp_path: Path) -> None:
    crawl(tmp_path, endpoint=hub.url)
    error = failure(hub, tmp_path, **options)
    assert isinstance(error, UsageError)
    assert next(iter(options)) in error.message


def test_records_of_which_nothing_is_known_are_not_overwritten(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / RECORDS).write_bytes(b"precious")
    assert isinstance(failure(hub, tmp_path), UsageError)
    assert (tmp_path / RECORDS).read_bytes() == b"precious"


@pytest.mark.parametrize("state", ["", "{}", "[]", "nonsense", '{"request": {}, "next": "x", "format": 99}'])
def test_a_state_that_cannot_be_read_is_refused(state: str, hub: Hub, tmp_path: Path) -> None:
    crawl(tmp_path, endpoint=hub.url)
    (tmp_path / STATE).write_text(state, encoding="utf-8")
    assert isinstance(failure(hub, tmp_path), SourceError)


def test_a_file_that_lost_its_end_is_refused(hub: Hub, tmp_path: Path) -> None:
    path = crawl(tmp_path, endpoint=hub.url)
    path.write_bytes(path.read_bytes()[:-1])
    assert isinstance(failure(hub, tmp_path), UsageError)


def test_a_folder_that_cannot_be_written_is_an_error(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert isinstance(failure(hub, tmp_path / "file" / "c"), WriteError)


CRAWL = """
import sys
from pathlib import Path
from llmkg.sources.hub_live import crawl
crawl(Path(sys.argv[1]), progress=lambda count, note: print(count, flush=True))
"""


def start(hub: Hub, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"HF_ENDPOINT": hub.url}
    return subprocess.Popen(
        [sys.executable, "-c", CRAWL, str(folder)],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # started in the background of a script it would be deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_two_crawls_do_not_share_a_folder(hub: Hub, tmp_path: Path) -> None:
    hub.delay = 0.3
    with start(hub, tmp_path) as first:
        assert first.stdout
        assert first.stdout.readline() == "10\n"
        assert "another crawl" in failure(hub, tmp_path).message
        first.kill()


def test_killed_at_any_moment_a_crawl_goes_on_with_each_record_once(hub: Hub, tmp_path: Path) -> None:
    hub.delay = 0.02
    reached = -1
    for number in range(8):
        with start(hub, tmp_path) as process:
            assert process.stdout
            line = process.stdout.readline()  # so that each run gets further
            time.sleep(0.006 * number)
            process.send_signal(signal.SIGKILL)
            process.wait()
        if not line:
            break
        assert int(line) > reached
        reached = int(line)
    hub.delay = 0
    with start(hub, tmp_path) as process:
        assert process.wait() == 0
    assert records(tmp_path / RECORDS) == hub.models


def test_ctrl_c_leaves_a_crawl_that_goes_on(hub: Hub, tmp_path: Path) -> None:
    hub.delay = 0.1
    with start(hub, tmp_path) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(5) != 0
    hub.delay = 0
    assert records(crawl(tmp_path, endpoint=hub.url)) == hub.models


def test_a_crawl_that_is_imported_is_not_taken_again(
    hub: Hub, tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    def summary(*options: str) -> dict[str, int]:
        command = ("import", "hub", "--live", "--format", "json", *options)
        done = run(*command, home=tmp_path / "home", more={"HF_ENDPOINT": hub.url})
        assert done.returncode == 0, done.stderr
        return {name: json.loads(done.stdout)[name] for name in ("added", "changed", "gone")}

    assert summary() == {"added": 95, "changed": 0, "gone": 0}
    hub.models = [*hub.models[1:], record(1000)]
    assert summary() == {"added": 1, "changed": 0, "gone": 1}
    hub.models = [record(1001)]
    assert summary("--limit", "1") == {"added": 1, "changed": 0, "gone": 0}
