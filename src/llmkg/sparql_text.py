"""The text of a SPARQL query as tokens: enough to find slots, refused words and hostile nesting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmkg.errors import LimitError, QueryError

__all__ = ["Token", "guard", "tokens"]

MAX_BYTES = 1_000_000
MAX_DEPTH = 100
_REFUSED = ("SERVICE", "LOAD", "INSERT", "DELETE", "DROP", "CLEAR", "CREATE", "COPY", "MOVE", "ADD", "WITH")

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>'{3}(?:(?!'{3})[^\\]|\\.)*'{3}|"{3}(?:(?!"{3})[^\\]|\\.)*"{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
    |(?P<variable>[?$]\w+)
    |(?P<tag>@[A-Za-z][A-Za-z0-9-]*)
    |(?P<number>\d+)
    |(?P<name>[\w.-]{0,64}:(?:[\w.:-]|%[0-9A-Fa-f]{2}|\\.)*)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: ``kind`` is string, iri, variable, tag (of a language), number, name, word or sign."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """Give the tokens of ``text``, without white space and comments.

    >>> [token.text for token in tokens('ASK { ?s a <http://e/#x> } # SERVICE')]
    ['ASK', '{', '?s', 'a', '<http://e/#x>', '}']
    """
    for found in _TOKEN.finditer(text):
        if found.lastgroup != "space":
            yield Token(found.lastgroup or "sign", found.group(), found.start(), found.end())


def guard(text: str) -> None:
    """Raise where ``text`` asks for something refused (federation, updates) or would exhaust the engine's stack.

    >>> guard("SELECT ?s WHERE { SERVICE <http://example.org/> { ?s ?p ?o } }")
    Traceback (most recent call last):
    llmkg.errors.QueryError: query:1:19: SERVICE is refused: a query reads this graph, and nothing else
      hint: ask the other endpoint with --endpoint
    """
    if len(text) > MAX_BYTES:
        raise LimitError(f"a query of {len(text)} characters; the most is {MAX_BYTES}", "query")
    depth = 0
    for token in tokens(text):
        if token.text in ("{", "(", "["):
            depth += 1
        elif token.text in ("}", ")", "]"):
            depth -= 1
        elif token.kind == "word" and token.text.upper() in _REFUSED:
            word = token.text.upper()
            hint = "ask the other endpoint with --endpoint" if word == "SERVICE" else "change data/ and build again"
            raise QueryError(
                f"{word} is refused: a query reads this graph, and nothing else", _place(text, token.start), hint
            )
        if depth > MAX_DEPTH:
            raise LimitError(f"nested deeper than {MAX_DEPTH} levels", _place(text, token.start))


def _place(text: str, at: int) -> str:
    return f"query:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
