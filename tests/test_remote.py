"""A remote endpoint that fails does so as one clear error, in bounded time and memory, and leads nowhere else (F16, P9)."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode

from llmkg.errors import QueryError, RemoteError
from llmkg.remote import RemoteEndpoint
from llmkg.transport import MAX_BYTES, Answer, Client, failure
from servers import free_port

#: what a server does with a connection and the head and body of the request
Behaviour = Callable[[socket.socket, str], None]
ROWS = b'{"head": {"vars": ["n"]}, "results": {"bindings": [{"n": {"type": "literal", "value": "\xe4\xbc\xb6"}}]}}'
JSON = "application/sparql-results+json"
CERTIFICATE = Path(__file__).parent / "fixtures" / "self-signed.pem"


@contextmanager
def serving(behaviour: Behaviour, tls: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Run a server on loopback; give its URL and the list of the requests that it gets."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def handle(plain: socket.socket) -> None:
        with suppress(OSError), plain:
            connection = context.wrap_socket(plain, server_side=True) if tls else plain
            with connection:
                requests.append(_request(connection))
                behaviour(connection, requests[-1])

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}/query", requests
    finally:
        listener.close()


def _request(connection: socket.socket) -> str:
    found = b""
    while b"\r\n\r\n" not in found:
        piece = connection.recv(65536)
        if not piece:
            return ""
        found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    size = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-len")), 0
    )
    while len(body) < size:
        body += connection.recv(65536)
    return (head + b"\r\n\r\n" + body).decode()


def answer(status: int, kind: str, body: bytes, *headers: str, size: int | None = None) -> Behaviour:
    lines = (
        f"HTTP/1.1 {status} Said",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body) if size is None else size}",
        *headers,
    )

    def give(connection: socket.socket, request: str) -> None:
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)

    return give


def redirect(place: str) -> Behaviour:
    return answer(307, "text/plain", b"", f"Location: {place}")


def hang(connection: socket.socket, request: str) -> None:
    time.sleep(10)


def drip(connection: socket.socket, request: str) -> None:
    """Send a byte now and then, so that no single read waits for long."""
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: 1000\r\n\r\n".encode())
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_head(connection: socket.socket, request: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.05)


def endless(connection: socket.socket, request: str) -> None:
    """Send 10 GB of white space in chunks, which is the start of sound JSON."""
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for _ in range(10_000):
        connection.sendall(piece)


def nonsense(connection: socket.socket, request: str) -> None:
    connection.sendall(b"220 mail.example.org ESMTP\r\n")


BOMB = gzip.compress(b" " * 10_000_000)
FAULTS: dict[str, tuple[Behaviour, str]] = {
    "hangs": (hang, "no whole answer within 1 seconds.*--timeout"),
    "slow drip of the body": (drip, "no whole answer within 1 seconds"),
    "slow drip of the head": (drip_head, "no whole answer within 1 seconds"),
    "closes at once": (lambda connection, request: None, "failed: .*closed.*is the server up"),
    "500": (answer(500, "text/plain", b"out of \x1b[31mmemory\nat line 7"), r"answers 500: out of  \[31mmemory\n.*fault is on"),
    "500 in HTML": (answer(500, "text/html", b"<h1>no</h1>"), r"answers 500\n"),
    "401": (answer(401, "text/plain", b"", 'WWW-Authenticate: Basic realm="x"'), "answers 401.*LLMKG_AUTH"),
    "403": (answer(403, "text/plain", b"not you"), "answers 403: not you.*may not"),
    "404": (answer(404, "text/plain", b""), "answers 404.*is the path right"),
    "429": (answer(429, "text/plain", b""), "answers 429.*less often"),
    "429 for long": (answer(429, "text/plain", b"", "Retry-After: 3600"), "answers 429.*asks to wait 3600 seconds"),
    "503": (answer(503, "text/plain", b"", "Retry-After: Sat, 21 Nov 2026 07:28:00 GMT"), "answers 503.*asks to wait Sat"),
    "HTML with 200": (answer(200, "text/html; charset=utf-8", b"<html>hello"), "answers 'text/html'.*is this a SPARQL"),
    "no content type": (answer(200, "", ROWS), "answers 'something unnamed'"),
    "wrong content type": (answer(200, "application/sparql-results+xml", ROWS), r"answers 'application/sparql-results\+xml'"),
    "HTML that is called JSON": (answer(200, JSON, b"<html>hello"), "answers no SPARQL result: '<html>hello'"),
    "truncated JSON": (answer(200, JSON, ROWS[:-9]), "answers no SPARQL result"),
    "truncated body": (answer(200, JSON, ROWS[:-9], size=len(ROWS)), "ends its answer before the end.*try again"),
    "JSON of another kind": (answer(200, JSON, b"[1, 2]"), "answers no SPARQL result"),
    "JSON nested too deep": (answer(200, JSON, b"[" * 200_000), "answers no SPARQL result"),
    "no IRI for an IRI": (answer(200, JSON, ROWS.replace(b"literal", b"uri")), "answers no SPARQL result"),
    "rows for a truth value": (answer(200, JSON, b'{"head": {"vars": ["x"]}, "results": {"bindings": []}}'), "gives 0 rows"),
    "wrong character set": (answer(200, JSON + "; charset=gb18030", ROWS), "character set 'gb18030', not UTF-8"),
    "not the character set it says": (answer(200, JSON, ROWS.replace(b"\xe4\xbc\xb6", b"\xff")), "no SPARQL result"),
    "gzip bomb": (answer(200, JSON, BOMB, "Content-Encoding: gzip"), "answers packed as 'gzip', unasked"),
    "10 GB, said at the start": (answer(200, JSON, b" ", size=10**10), f"answers more than {MAX_BYTES} bytes.*LIMIT"),
    "no HTTP": (nonsense, "failed: 220 mail"),
    "redirect to itself": (redirect("/query"), "redirects to /query.*not followed"),
    "redirect to a file": (redirect("file:///etc/passwd"), "redirects to file:///etc/passwd"),
    "redirect to nowhere": (answer(302, "text/plain", b""), "redirects to another place"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_server_is_one_clear_error(name: str) -> None:
    behaviour, expected = FAULTS[name]
    start = time.monotonic()
    with serving(behaviour) as (url, requests), pytest.raises(RemoteError) as caught:
        RemoteEndpoint(url, timeout=1.0).query("SELECT ?n WHERE { ?n ?p ?o }")
    assert time.monotonic() - start < 4.0
    message = str(caught.value)
    assert message.startswith(url)
    assert re.search(expected, message, re.DOTALL), message
    assert caught.value.code == 9
    assert caught.value.hint
    assert "\x1b" not in message
    assert len(requests) == 1


@pytest.mark.parametrize("behaviour", [FAULTS["HTML with 200"][0], answer(200, "text/turtle", b"<a> <b"), hang, drip])
def test_an_answer_that_should_be_a_graph_fails_as_clearly(behaviour: Behaviour) -> None:
    with serving(behaviour) as (url, _), pytest.raises(RemoteError):
        RemoteEndpoint(url, 1.0, "").query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")


def test_nothing_listens() -> None:
    with pytest.raises(RemoteError, match="refused: nothing listens there") as caught:
        RemoteEndpoint(f"http://127.0.0.1:{free_port()}/query", 2.0).query("ASK { ?s ?p ?o }")
    assert "is the server up" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@127.0.0.1:1/",
        "http://127.0.0.1:notaport/",
        "http:///query",
        "http://[::1/",
        "http://h:99999/",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(RemoteError) as caught:
        RemoteEndpoint(url, 2.0).query("ASK { ?s ?p ?o }")
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_redirection_is_not_followed_to_another_port() -> None:
    with serving(answer(200, JSON, ROWS)) as (other, reached):
        for place in (other, other.replace("http:", ""), other.replace("127.0.0.1", "localhost")):
            with serving(redirect(place)) as (url, _), pytest.raises(RemoteError, match="redirects to"):
                RemoteEndpoint(url, 2.0).query("ASK { ?s ?p ?o }")
        assert reached == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer(200, JSON, ROWS)) as (url, reached), serving(hang) as (proxy, proxied):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        RemoteEndpoint(url, 2.0, "").query("SELECT ?n WHERE { ?n ?p ?o }")
        assert len(reached) == 1
        assert proxied == []


def test_ten_gigabytes_are_read_up_to_the_limit() -> None:
    with serving(endless) as (url, _), pytest.raises(RemoteError, match="answers more than 3000000 bytes"):
        Client(20.0, limit=3_000_000).send("POST", url, {}, b"x")


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with serving(answer(200, JSON, ROWS), tls=True) as (url, requests):
        with pytest.raises(RemoteError, match="no certificate to trust: self-signed certificate") as caught:
            RemoteEndpoint(url, 5.0).query("ASK { ?s ?p ?o }")
        assert "SSL_CERT_FILE" in caught.value.hint
        assert requests == []


def test_a_certificate_that_the_user_trusts_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with serving(answer(200, JSON, ROWS), tls=True) as (url, _):
        assert len(RemoteEndpoint(url, 5.0, "").query("SELECT ?n WHERE { ?n ?p ?o }")) == 1


def test_tls_that_never_ends_its_greeting_is_cut_off() -> None:
    start = time.monotonic()
    with serving(hang) as (url, _), pytest.raises(RemoteError, match="no whole answer"):
        RemoteEndpoint(url.replace("http:", "https:"), 1.0).query("ASK { ?s ?p ?o }")
    assert time.monotonic() - start < 4.0


def test_plain_http_behind_https_is_one_clear_error() -> None:
    with serving(answer(200, JSON, ROWS)) as (url, _), pytest.raises(RemoteError, match=r"failed|no whole answer"):
        RemoteEndpoint(url.replace("http:", "https:"), 1.0).query("ASK { ?s ?p ?o }")


def test_a_busy_server_is_asked_once_more_when_it_says_when() -> None:
    seen: list[float] = []

    def busy(connection: socket.socket, request: str) -> None:
        seen.append(time.monotonic())
        later = answer(429, "text/plain", b"", "Retry-After: 1") if len(seen) == 1 else answer(200, JSON, ROWS)
        later(connection, request)

    with serving(busy) as (url, _):
        found = RemoteEndpoint(url, 10.0, "").query("SELECT ?n WHERE { ?n ?p ?o }")
    assert found.rows == ((Literal("伶"),),)
    assert len(seen) == 2
    assert seen[1] - seen[0] >= 1.0


def test_a_busy_server_is_not_asked_for_ever() -> None:
    with serving(answer(503, "text/plain", b"", "Retry-After: 0")) as (url, requests):
        with pytest.raises(RemoteError, match="answers 503"):
            RemoteEndpoint(url, 10.0, "").query("ASK { ?s ?p ?o }")
        assert len(requests) == 2


def test_a_query_that_the_server_calls_malformed_is_an_error_of_the_query() -> None:
    told = answer(400, "text/plain", b"expected a brace\nmore")
    with serving(told) as (url, _), pytest.raises(QueryError, match="malformed: answers 400: expected a brace"):
        RemoteEndpoint(url, 2.0, "").query("SELECT ?n WHERE { ?n ?p ?o }")


@pytest.mark.parametrize(
    ("header", "message"), [("X-SPARQL-MaxRows: 1", "no more than 1 rows"), ("X-SQL-State: S1TAT", "only a part")]
)
def test_an_answer_that_says_that_it_is_cut_is_not_taken_for_whole(header: str, message: str) -> None:
    with serving(answer(200, JSON, ROWS, header)) as (url, _), pytest.raises(RemoteError, match=message):
        RemoteEndpoint(url, 2.0, "").query("SELECT ?n WHERE { ?n ?p ?o }")


def test_a_password_is_sent_only_where_it_is_asked_for() -> None:
    def guarded(connection: socket.socket, request: str) -> None:
        known = "Authorization: Basic dTpw" in request
        asked = answer(401, "text/plain", b"", 'WWW-Authenticate: Basic realm="x"')
        (answer(200, JSON, ROWS) if known else asked)(connection, request)

    with serving(guarded) as (url, requests):
        assert len(RemoteEndpoint(url, 2.0, "", "u:p").query("SELECT ?n WHERE { ?n ?p ?o }")) == 1
        assert ["Authorization" in request for request in requests] == [False, True]
        with pytest.raises(RemoteError, match="does not accept this user and password"):
            RemoteEndpoint(url, 2.0, "", "u:wrong").query("ASK { ?s ?p ?o }")
    with serving(answer(200, JSON, ROWS)) as (url, requests):
        RemoteEndpoint(url, 2.0, "", "u:p").query("SELECT ?n WHERE { ?n ?p ?o }")
        assert "Authorization" not in requests[0]
    other = answer(401, "text/plain", b"", "WWW-Authenticate: Negotiate")
    with serving(other) as (url, _), pytest.raises(RemoteError, match="asks for 'Negotiate'"):
        RemoteEndpoint(url, 2.0, "", "u:p").query("ASK { ?s ?p ?o }")


def test_digest_answers_as_the_standard_says() -> None:
    """The example of RFC 2617, section 3.5, save the client's own nonce, which is new every time."""
    fields = (
        'realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c"'
    )

    def guarded(connection: socket.socket, request: str) -> None:
        told = "Authorization: Digest" in request
        asked = answer(401, "text/plain", b"", f"WWW-Authenticate: Digest {fields}")
        (answer(200, JSON, ROWS) if told else asked)(connection, request)

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    with serving(guarded) as (url, requests):
        address = url.replace("/query", "/dir/index.html")
        Client(2.0, "Mufasa:Circle Of Life").send("GET", address, {})
        said = dict(re.findall(r'(\w+)="?([^",\r]+)"?', requests[1].partition("Digest ")[2]))
    assert md5("Mufasa:testrealm@host.com:Circle Of Life") == "939e7578ed9e3c518a452acee763bce9"
    assert md5("GET:/dir/index.html") == "39aff3a2bab6126f332b942af96d3366"
    middle = f"dcd98b7102dd2f0e8b11d0f600bfb0c093:00000001:{said['cnonce']}:auth"
    assert said["response"] == md5(f"939e7578ed9e3c518a452acee763bce9:{middle}:39aff3a2bab6126f332b942af96d3366")
    assert (said["uri"], said["opaque"], said["nc"]) == ("/dir/index.html", "5ccc069c", "00000001")


def test_the_merged_graph_is_asked_for_once_and_named_in_each_request() -> None:
    def union(connection: socket.socket, request: str) -> None:
        is_trial = "query=ASK" in request
        names = {"head": {"vars": ["g"]}, "results": {"bindings": [
            {"g": {"type": "uri", "value": f"https://w3id.org/llmkg/graph/{name}"}} for name in ("merged", "entities")
        ]}}  # fmt: skip
        listed = json.dumps(names).encode() if "DISTINCT" in request else ROWS
        answer(200, JSON, b'{"boolean": true}' if is_trial else listed)(connection, request)

    merged = "default-graph-uri=https%3A//w3id.org/llmkg/graph/merged"
    with serving(union) as (url, requests):
        endpoint = RemoteEndpoint(url, 2.0)
        endpoint.query("SELECT ?n WHERE { ?n ?p ?o }")
        endpoint.query("SELECT ?n FROM <https://e.org/g> WHERE { ?n ?p ?o }")
        endpoint.query("SELECT ?n WHERE { GRAPH ?g { ?n ?p ?o } }")
        assert [merged in request for request in requests] == [False, True, False, False, True]
        assert ["named-graph-uri" in request for request in requests] == [False, False, False, False, True]
        assert requests[-1].count("named-graph-uri=https%3A//w3id.org/llmkg/graph/entities") == 1
        assert endpoint.graphs() == (NamedNode("https://w3id.org/llmkg/graph/entities"),)
    with serving(union) as (url, requests):
        RemoteEndpoint(url, 2.0, "https://e.org/mine").query("SELECT ?n WHERE { ?n ?p ?o }")
        assert len(requests) == 1
        assert "default-graph-uri=https%3A//e.org/mine" in requests[0]


def test_a_graph_that_comes_shortened_is_an_error() -> None:
    counted = ROWS.replace(b"\xe4\xbc\xb6", b"3")

    def shortened(connection: socket.socket, request: str) -> None:
        graph = answer(200, "application/n-triples", b"<http://e/s> <http://e/p> <http://e/o> .\n")
        (answer(200, JSON, counted) if "COUNT" in request else graph)(connection, request)

    with serving(shortened) as (url, _), pytest.raises(RemoteError, match="gives 1 of 3 triples"):
        list(RemoteEndpoint(url, 2.0, "").graph_quads(NamedNode("https://e.org/g")))


def test_what_a_failure_says_holds_nothing_that_a_terminal_obeys() -> None:
    said = str(failure(Answer(500, {"content-type": "text/plain"}, "\x1b]0;x\x07 \u202e".encode()), "http://e/"))
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_the_command_line_ends_with_nine(run: Any) -> None:
    for behaviour, expected in (
        (FAULTS["HTML with 200"][0], "answers 'text/html'"),
        (FAULTS["500"][0], "answers 500: out of  [31mmemory"),
        (hang, "no whole answer within 1 seconds"),
    ):
        with serving(behaviour) as (url, _):
            done = run("--endpoint", url, "--timeout", "1", "query", "sources")
        assert done.returncode == 9
        assert done.stdout == ""
        assert done.stderr.startswith(f"error: {url}: ")
        assert "hint: " in done.stderr
        assert "Traceback" not in done.stderr
        assert expected in done.stderr


def test_descriptors_are_given_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for name in ("500", "truncated body", "gzip bomb", "hangs"):
        with serving(FAULTS[name][0]) as (url, _), pytest.raises(RemoteError):
            RemoteEndpoint(url, 0.5).query("ASK { ?s ?p ?o }")
    assert len(os.listdir("/proc/self/fd")) <= before + 8  # the servers' own threads may still hold theirs
