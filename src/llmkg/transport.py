"""HTTP requests to the host that is named and to no other: bounded in time and size, never redirected, through no proxy.

The whole exchange has one deadline, so that a server that sends a byte now and then cannot hold it. An answer is read up to a
limit. Nothing compressed is asked for or taken. A user and password are sent only where the server asks for them (HTTP basic or
digest).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from llmkg.errors import RemoteError

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

__all__ = ["MAX_BYTES", "Answer", "Client", "failure"]

MAX_BYTES = 200_000_000
_AGENT = "llmkg (SPARQL client)"
_PIECE = 65_536
_SAFE = "%/:=&?~+!$,;'@()*[]"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^",\s]+))')
_HINTS = {
    401: "give user and password: LLMKG_AUTH=USER:PASSWORD",
    403: "this user may not do that; ask who keeps the server",
    404: "is the path right?",
    405: "is the path right?",
    413: "the server takes less at a time",
    429: "wait, and ask less often",
    503: "the server is busy or down; try again later",
    504: "the server gave up; narrow the query",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers; names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Give the media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """Give the character set that the server names, in lower case, or nothing."""
        found = re.search(r'charset="?([\w.:-]+)', self.headers.get("content-type", ""), re.IGNORECASE)
        return found[1].lower() if found else ""


class Client:
    """Sends requests, each within ``timeout`` seconds and with at most ``limit`` bytes of answer."""

    def __init__(self, timeout: float, auth: str = "", limit: int = MAX_BYTES) -> None:
        """Keep the limits, and ``auth`` as ``user:password`` for servers that ask for it."""
        self._timeout = timeout
        self._auth = auth
        self._limit = limit
        self._challenges: dict[str, str] = {}
        self._requests = 0

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Give the answer, whatever its status save a redirection.

        Where the server is busy (429, 503) and says for how long, and that is within the time limit, wait and ask once more.
        Raise :class:`RemoteError` for a redirection, and where there is no whole answer within the limits.
        """
        deadline = time.monotonic() + self._timeout
        answer = self._authorized(method, url, headers, body, deadline)
        wait = _pause(answer)
        if answer.status in (429, 503) and wait is not None and wait < deadline - time.monotonic():
            time.sleep(wait)
            answer = self._authorized(method, url, headers, body, deadline)
        if 300 <= answer.status < 400:
            place = _clean(answer.headers.get("location", "")) or "another place"
            raise RemoteError(
                f"redirects to {place}", url, "redirections are not followed; give that address if you trust it"
            )
        return answer

    def _authorized(self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Answer:
        parts = _parts(url)
        host = parts.netloc
        for _ in range(2):
            known = self._challenges.get(host, "")
            more = {"Authorization": self._credentials(known, method, parts)} if known else {}
            answer = self._exchange(method, url, parts, dict(headers) | more, body, deadline)
            challenge = answer.headers.get("www-authenticate", "")
            if answer.status != 401 or not self._auth or not challenge:
                return answer
            self._challenges[host] = challenge
        raise RemoteError("does not accept this user and password", url, "check LLMKG_AUTH, or --auth")

    def _credentials(self, challenge: str, method: str, parts: SplitResult) -> str:
        user, _, password = self._auth.partition(":")
        scheme = challenge.partition(" ")[0].lower()
        if scheme == "basic":
            return "Basic " + base64.b64encode(self._auth.encode()).decode()
        fields = {name.lower(): one or other for name, one, other in _FIELD.findall(challenge)}
        if scheme != "digest" or fields.get("algorithm", "MD5").upper() != "MD5" or "nonce" not in fields:
            raise RemoteError(
                f"asks for {_clean(challenge)[:60]!r}", parts.netloc, "llmkg knows HTTP basic, and digest with MD5"
            )
        self._requests += 1
        count, own, target = f"{self._requests:08x}", secrets.token_hex(8), _target(parts)
        realm, nonce = fields.get("realm", ""), fields["nonce"]
        secret, what = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{target}")
        quality = "auth" in re.split(r"[\s,]+", fields.get("qop", ""))
        middle = f"{nonce}:{count}:{own}:auth" if quality else nonce
        said = {
            "username": user, "realm": realm, "nonce": nonce, "uri": target, "response": _md5(f"{secret}:{middle}:{what}"),
        }  # fmt: skip
        said |= {"opaque": fields["opaque"]} if "opaque" in fields else {}
        said |= {"cnonce": own} if quality else {}
        text = ", ".join(f'{name}="{value}"' for name, value in said.items())
        return f"Digest {text}" + (f", qop=auth, nc={count}" if quality else "") + ", algorithm=MD5"

    def _exchange(
        self, method: str, url: str, parts: SplitResult, headers: dict[str, str], body: bytes, deadline: float
    ) -> Answer:
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=max(0.1, deadline - time.monotonic()))
        watch: threading.Timer | None = None
        try:
            connection.connect()
            watch = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (connection,))
            watch.daemon = True
            watch.start()
            with suppress(BrokenPipeError, ConnectionResetError):  # a server may refuse before it has read all
                connection.request(method, _target(parts), body or None, {"User-Agent": _AGENT} | headers)
            answer = self._read(connection.getresponse(), url)
        except (HTTPException, OSError, ValueError) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise self._late(url) from error
            raise _unreachable(error, url) from error
        finally:
            if watch:
                watch.cancel()
            connection.close()
        if time.monotonic() >= deadline:  # what was cut off can look like an end
            raise self._late(url)
        if answer is None:
            raise _torn(url)
        return answer

    def _read(self, response: HTTPResponse, url: str) -> Answer | None:
        """Give the answer, or None where it ends before its end."""
        headers = {name.lower(): value for name, value in response.getheaders()}
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            raise RemoteError(
                f"answers packed as {_clean(encoding)!r}, unasked", url, "the server must send plain text"
            )
        expected, found, size = response.length, [], 0
        while (expected or size) <= self._limit and (piece := response.read(_PIECE)):
            size += len(piece)
            found.append(piece)
        if (expected or size) > self._limit:
            raise RemoteError(f"answers more than {self._limit} bytes", url, "add LIMIT, or narrow the query")
        if expected is not None and size < expected:
            return None
        return Answer(response.status, headers, b"".join(found))

    def _late(self, url: str) -> RemoteError:
        hint = "narrow the query, or give a longer --timeout"
        return RemoteError(f"no whole answer within {self._timeout:g} seconds", url, hint)


def failure(answer: Answer, url: str) -> RemoteError:
    """Give the error that an unsuccessful ``answer`` stands for, with what the server says and what to do."""
    said = "" if "html" in answer.kind else _clean(answer.body[:2000].decode("utf-8", "replace").strip().split("\n")[0])
    again = answer.headers.get("retry-after", "")
    told = f"{_HINTS.get(answer.status, 'the fault is on the server; try again, or ask who keeps it')}"
    if again and answer.status in (429, 503):
        told = f"it asks to wait {_clean(again)}{' seconds' if again.isdigit() else ''}"
    return RemoteError(f"answers {answer.status}" + (f": {said[:200]}" if said else ""), url, told)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError as error:
        raise RemoteError(f"is no web address: {error}", url, "give http://… or https://…") from error
    if not named:
        raise RemoteError("is no web address", url, "give http://… or https://…")
    if parts.username is not None:
        raise RemoteError("holds a user", parts.hostname or "", "give user and password as LLMKG_AUTH=USER:PASSWORD")
    return parts


def _target(parts: SplitResult) -> str:
    return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)


def _cut(connection: HTTPConnection) -> None:
    """End whatever waits for this connection; beneath TLS, which another thread may be reading."""
    if connection.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _pause(answer: Answer) -> float | None:
    """Give the seconds that a busy server asks to wait, or None where it does not say so in seconds."""
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else None


def _unreachable(error: BaseException, url: str) -> RemoteError:
    reason = _clean(str(error)) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        found = re.search(r"verify failed: (.*?)(?: \(_ssl|$)", reason)
        hint = "if you trust its authority, name the authority's certificate in SSL_CERT_FILE"
        return RemoteError(f"has no certificate to trust: {found[1] if found else reason}", url, hint)
    if isinstance(error, ConnectionRefusedError):
        return RemoteError("refused: nothing listens there", url, "is the server up, and is the port right?")
    return RemoteError(f"failed: {reason[:200]}", url, "is the server up, and is the address right?")


def _torn(url: str) -> RemoteError:
    return RemoteError(
        "ends its answer before the end", url, "try again; if it happens again, ask who keeps the server"
    )


def _clean(text: str) -> str:
    """Give ``text`` without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text[:500]).strip()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # what RFC 2617 says
