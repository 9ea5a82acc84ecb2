"""The Hub itself, asked page by page for all its models, with the Hub's own client."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import urlencode, urlsplit

import orjson

from llmkg.errors import InternalError, RemoteError, UsageError
from llmkg.identifiers import check_iri
from llmkg.sources.hub_crawl import RECORDS, CrawlState, open_crawl, write_page
from llmkg.version import __version__

__all__ = ["EXPAND", "Patience", "Progress", "crawl"]

#: the fields asked for: what the API's ``full``, ``cardData`` and ``config`` bring, and the sizes, which these leave out
EXPAND = (
    "author", "cardData", "config", "createdAt", "disabled", "downloads", "gated", "gguf", "lastModified",
    "library_name", "likes", "pipeline_tag", "private", "safetensors", "sha", "siblings", "tags",
)  # fmt: skip
_MAX_PAGE = 512_000_000
_AGAIN = (408, 425, 429, 500, 502, 503, 504)

#: is told how many records there are so far, and what is being waited for, if anything
Progress = Callable[[int, str], object]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the Hub is borne with: ``tries`` for each page, waiting ``first`` seconds, then twice as long, up to ``longest``.

    Where the Hub says how long to wait, that counts, unless it is more than ``bidden`` seconds. An answer may let us wait
    ``silence`` seconds for its next bytes, and ``page`` seconds for all of them.
    """

    tries: int = 8
    first: float = 1.0
    longest: float = 60.0
    bidden: float = 900.0
    silence: float = 60.0
    page: float = 600.0


class _Again(Exception):
    """Something that may go well next time: what it was, and after how many seconds, if the Hub says."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


def crawl(
    folder: Path,
    *,
    filter: Sequence[str] = (),
    limit: int | None = None,
    since: date | None = None,
    endpoint: str = "",
    token: str | bool | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Path:
    """Give the file of all models' records, as the Hub's API gives them, one JSON object on each line.

    A crawl that was interrupted goes on where it stopped; one that is done is not done again. ``filter`` holds tags, all of which
    a model must have; ``since`` stops at the first model last modified before that day; ``limit`` stops after so many.
    ``endpoint`` and ``token`` are those of ``huggingface_hub`` (``HF_ENDPOINT``, the stored token) unless given.

    Raise :class:`RemoteError` where the Hub fails for good, :class:`UsageError` where the folder is of another crawl or the client
    is not installed, :class:`WriteError` where the disk does not take more.
    """
    try:
        from huggingface_hub import constants
    except ImportError as error:
        raise UsageError("huggingface_hub is not installed", hint="pip install 'huggingface_hub>=1.2'") from error
    address = f"{(endpoint or constants.ENDPOINT).rstrip('/')}/api/models"
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} models", hint="give 1 or more, or no limit")
    request = {
        "address": address,
        "filter": sorted(filter),
        "since": since.isoformat() if since else "",
        "limit": limit or 0,
    }
    fetch = _Fetcher(address, token, progress or (lambda number, note: None), patience or Patience())
    with open_crawl(folder, request, _query(request)) as (file, state):
        while not state.is_done:
            records, following = fetch.page(state)
            records, is_enough = _wanted(records, state, since, limit)
            state = write_page(folder, file, state, records, "" if is_enough else following)
            fetch.progress(state.count, "")
    return folder / RECORDS


def _query(request: Mapping[str, Any]) -> str:
    """Give the query of the first page.

    Without a date the order is that of creation, which does not change while the pages are read.
    """
    parameters = {
        "sort": "lastModified" if request["since"] else "createdAt",
        "direction": -1,
        "expand": EXPAND,
        "filter": request["filter"],
    }
    if request["limit"]:
        parameters["limit"] = min(request["limit"], 1000)
    return urlencode(parameters, doseq=True)


def _wanted(records: list[Any], state: CrawlState, since: date | None, limit: int | None) -> tuple[list[Any], bool]:
    """Give the records of a page that are wanted, and whether they are the last."""
    wanted = records
    if since:
        day = since.isoformat()
        old = (number for number, record in enumerate(records) if str(record.get("lastModified") or day) < day)
        wanted = records[: next(old, len(records))]
    if limit is not None:
        wanted = wanted[: limit - state.count]
    return wanted, len(wanted) < len(records) or (limit is not None and state.count + len(wanted) >= limit)


class _Fetcher:
    """Asks for pages, and asks again where that may help."""

    def __init__(self, address: str, token: str | bool | None, progress: Progress, patience: Patience) -> None:
        if check_iri(address) or not address.startswith(("http://", "https://")):
            raise RemoteError("is no web address", address, "give http://… or https://…, or mend HF_ENDPOINT")
        self._headers = _headers(token, address)
        self._address = address
        self._patience = patience
        self.progress = progress

    def page(self, state: CrawlState) -> tuple[list[Any], str]:
        """Give the records of the next page, and the query of the page after it."""
        wait = self._patience.first
        for number in count(1):
            try:
                return self._ask(state.next)
            except _Again as trouble:
                if trouble.wait is not None and trouble.wait > self._patience.bidden:
                    self._give_up(f"{trouble.reason}, and wants {trouble.wait:.0f} seconds of rest")
                if number >= self._patience.tries:
                    self._give_up(f"{trouble.reason}, {number} times")
                # jitter, so that many who were turned away do not come back at once
                pause = wait * random.uniform(0.5, 1.0) if trouble.wait is None else trouble.wait  # noqa: S311
                self.progress(state.count, f"{trouble.reason}; next try in {pause:.0f} s")
                time.sleep(pause)
                wait = min(2 * wait, self._patience.longest)
        raise InternalError("counting came to an end")

    def _give_up(self, reason: str) -> NoReturn:
        raise RemoteError(reason, self._address, "run the same command later; it goes on where it stopped")

    def _ask(self, query: str) -> tuple[list[Any], str]:
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
        from huggingface_hub.utils import get_session

        # httpx's or httpx2's, as the client's version has it
        transport_error = cast(type[Exception], HfHubHTTPError.__bases__[0])
        url = f"{self._address}?{query}"
        try:
            with get_session().stream(
                "GET", url, headers=self._headers, timeout=self._patience.silence, follow_redirects=False
            ) as response:
                self._check_status(response)
                body = self._body(response)
                link = response.links.get("next", {}).get("url", "")
        except OfflineModeIsEnabled as error:
            raise RemoteError("the Hub's client is offline", self._address, "unset HF_HUB_OFFLINE") from error
        except (transport_error, OSError) as error:
            reason = str(error).split("\n")[0][:200] or type(error).__name__
            raise _Again(f"failed: {reason}") from error
        following = urlsplit(link).query
        if link and (not following or following == query):
            raise RemoteError("the next page is the same again", self._address, "tell the Hub's keepers")
        return self._records(body), following

    def _check_status(self, response: Any) -> None:
        status = response.status_code
        if status in _AGAIN:
            raise _Again(f"answers {status} {response.reason_phrase}".strip(), _bidden_wait(response.headers))
        if 300 <= status < 400:
            target = str(response.headers.get("location", ""))[:200]
            raise RemoteError(f"redirects to {target}", self._address, "set HF_ENDPOINT to where it redirects")
        if status != 200:
            hint = {
                400: "is the filter right? to start again a crawl that rested for too long, delete its folder, imports/crawl-…",
                401: "is the token right? hf auth login, or try without a token",
                403: "may the token read the list of models?",
            }.get(status, "is HF_ENDPOINT right?")
            raise RemoteError(f"answers {status} {response.reason_phrase}".strip(), self._address, hint)

    def _body(self, response: Any) -> bytes:
        """Give the body, unless it is endless or never comes."""
        end = time.monotonic() + self._patience.page
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > _MAX_PAGE:
                raise RemoteError(f"answers more than {_MAX_PAGE} bytes", self._address, "is this the Hub?")
            if time.monotonic() > end:
                raise _Again(f"failed: a page took more than {self._patience.page:.0f} seconds")
        return b"".join(pieces)

    def _records(self, body: bytes) -> list[Any]:
        try:
            records = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self._nonsense(body) from error
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise self._nonsense(body)
        return records

    def _nonsense(self, body: bytes) -> RemoteError:
        start = body[:60].decode("utf-8", "replace")
        return RemoteError(f"answers no list of models: {start!r}", self._address, "is HF_ENDPOINT the Hub?")


def _headers(token: str | bool | None, address: str) -> dict[str, str]:
    """Give the headers of all requests.

    Not by the client's own function, which asks ``/api/agent-harnesses`` at an address of its choice to report on our surroundings.
    A stored token is sent, unasked, only where the client itself would send it.
    """
    from huggingface_hub import __version__ as client_version
    from huggingface_hub import constants, get_token

    headers = {"user-agent": f"llmkg/{__version__}; hf_hub/{client_version}"}
    if token is True or (token is None and address.startswith(f"{constants.ENDPOINT}/")):
        stored = None if token is None and constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
        if token and not stored:
            raise RemoteError("there is no stored token to send", address, "hf auth login, or give the token")
        token = stored
    if token:
        if not str(token).isascii() or not str(token).isprintable() or " " in str(token):
            raise RemoteError("the token holds characters that no token has", address, "copy it again")
        headers["authorization"] = f"Bearer {token}"
    return headers


def _bidden_wait(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that the Hub asks us to wait, by ``Retry-After`` or ``RateLimit``."""
    from huggingface_hub.utils import parse_ratelimit_headers

    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 10:
        return float(said)
    rate = parse_ratelimit_headers(headers)
    return float(rate.reset_in_seconds) + 1 if rate and rate.remaining == 0 else None
