"""The text of a SPARQL query as tokens: enough to find slots, refused words and hostile nesting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmkg.errors import LimitError, QueryError

__all__ = ["Token", "guard", "tokens"]

MAX_BYTES = 1_000_000
MAX_DEPTH = 100
MAX_TOKENS = (
    20_000  # outside VALUES; 70,000 in a chain (!!!…, ||…||, …/…) overflow the stack that the store gives the engine
)
_REFUSED = ("SERVICE", "LOAD", "INSERT", "DELETE", "DROP", "CLEAR", "CREATE", "COPY", "MOVE", "ADD", "WITH")
_DATA = "VALUES"

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n\r]*)
    |(?P<string>'{3}(?:(?!'{3})[^\\]|\\.)*'{3}|"{3}(?:(?!"{3})[^\\]|\\.)*"{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<triple><<)
    |(?P<iri><(?:[^<>"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*>)
    |(?P<variable>[?$]\w+)
    |(?P<tag>@[A-Za-z][A-Za-z0-9-]*)
    |(?P<number>\d+)
    |(?P<name>[\w.-]{0,64}:(?:(?:[\w:]|%[0-9A-Fa-f]{2}|\\.)(?:[\w.:-]|%[0-9A-Fa-f]{2}|\\.)*)?)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    ``kind`` is string, iri, triple (the ``<<`` before one), variable, tag (of a language), number, name, word or sign.
    """

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

    The engine needs no space after a keyword (``trueSERVICE<…>``, ``SERVICE:x``) and takes ``<`` for a comparison where the
    grammar wants one; what could be read in two ways is therefore refused too.

    >>> guard("SELECT ?s WHERE { SERVICE <http://example.org/> { ?s ?p ?o } }")
    Traceback (most recent call last):
    llmkg.errors.QueryError: query:1:19: SERVICE is refused: a query reads this graph, and nothing else
      hint: ask the other endpoint with --endpoint
    """
    if len(text) > MAX_BYTES:
        raise LimitError(f"a query of {len(text)} characters; the most is {MAX_BYTES}", "query")
    brackets: list[str] = []
    before = Token("sign", "", 0, 0)
    count = 0
    for token in tokens(text):
        word = _refused_word(token, before)
        if word:
            hint = "ask the other endpoint with --endpoint" if word == "SERVICE" else "change data/ and build again"
            message = f"{word} is refused: a query reads this graph, and nothing else"
            raise QueryError(message, _place(text, token.start), hint)
        if _is_doubtful(token, before, brackets):
            message = f"{token.text[:60]!r} can be an address or a comparison"
            raise QueryError(message, _place(text, token.start), "put a space after <, or use a prefixed name")
        _count(token, brackets)
        if len(brackets) > MAX_DEPTH:
            raise LimitError(f"nested deeper than {MAX_DEPTH} levels", _place(text, token.start))
        count += _DATA not in brackets
        if count > MAX_TOKENS:
            raise LimitError(f"more than {MAX_TOKENS} words and signs outside VALUES", _place(text, token.start))
        before = token


def _refused_word(token: Token, before: Token) -> str:
    """Give the refused word that ``token`` is or may hide, or nothing."""
    upper = token.text.upper()
    if token.kind == "word" and upper in _REFUSED:
        return upper
    # after a path, "?" can be an operator, and what follows it a word
    is_path = before.end == token.start and (before.kind in ("iri", "name", "word") or before.text == ")")
    seen = {"word": upper, "tag": upper, "name": upper.partition(":")[0], "variable": upper if is_path else ""}
    return "SERVICE" if "SERVICE" in seen.get(token.kind, "") else ""


def _is_doubtful(token: Token, before: Token, brackets: list[str]) -> bool:
    """Tell whether ``<`` may compare what is before it, and the rest would then hide a bracket, a string or a comment."""
    in_expression = brackets[-1:] == ["("] and _DATA not in brackets
    is_operand = before.kind not in ("sign", "triple") or before.text == ")"
    is_hiding = token.kind == "triple" or (token.kind == "iri" and any(sign in token.text for sign in "()'#"))
    return is_hiding and in_expression and is_operand


def _count(token: Token, brackets: list[str]) -> None:
    """Keep the open brackets; ``VALUES`` marks its own braces, in which nothing is compared."""
    if token.kind == "word" and token.text.upper() == "VALUES":
        brackets.append(_DATA)
    elif token.kind == "sign" and token.text in "{([":
        if not (token.text == "{" and brackets[-1:] == [_DATA]):
            brackets.append(token.text)
    elif token.kind == "sign" and token.text in "})]" and brackets:
        brackets.pop()


def _place(text: str, at: int) -> str:
    return f"query:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
