"""Answers as text: tables for a terminal, TSV and CSV, JSON, Markdown, HTML and RDF."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable

import pyoxigraph
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple

from llmkg.errors import QueryError
from llmkg.namespaces import PREFIXES, shorten
from llmkg.results import Results, Term, plain_text, to_python

__all__ = ["FORMATS", "render", "short_number", "shown", "width", "wrap"]

_XSD = PREFIXES["xsd"]
_SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"))
_MAX_CELL = 46


def shown(term: Term | None, column: str = "") -> str:
    """Give a term as a person reads it: our IRIs by path, large counts in the field's short form.

    >>> seven = Literal("7000000000", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))
    >>> shown(seven), shown(NamedNode("https://w3id.org/llmkg/model/llama"))
    ('7B', 'model/llama')
    """
    if isinstance(term, NamedNode):
        return shorten(term.value)
    if isinstance(term, Literal) and term.datatype.value in (_XSD + "integer", _XSD + "decimal") and column != "line":
        return short_number(term.value)
    return plain_text(term)


def short_number(text: str) -> str:
    """Give a number in the field's short form where that loses nothing.

    >>> short_number("1400000000000"), short_number("6200000000"), short_number("2048"), short_number("1234567")
    ('1.4T', '6.2B', '2048', '1234567')
    """
    value = to_python(Literal(text, datatype=NamedNode(_XSD + "decimal")))
    for scale, letter in _SCALES:
        if not isinstance(value, str) and value is not None and abs(value) >= scale:  # type: ignore[operator,arg-type]
            short = format(value / scale, "f")  # type: ignore[operator]
            short = short.rstrip("0").rstrip(".") if "." in short else short
            return short + letter if len(short) <= 5 else text
    return text


def width(text: str) -> int:
    """Give the number of terminal columns that ``text`` takes: two for each wide (Chinese) character.

    >>> width("LLaMA"), width("伶荔")
    (5, 4)
    """
    wide = sum(1 for character in text if unicodedata.east_asian_width(character) in "WF")
    marks = sum(1 for character in text if unicodedata.combining(character))
    return len(text) + wide - marks


def wrap(text: str, room: int, indent: str, first: str | None = None) -> list[str]:
    """Give ``text`` as lines of at most ``room`` terminal columns, broken at spaces, and inside wide text where it must be.

    >>> wrap("sources: alpaca-models, open-llm-survey", 26, "  ", "")
    ['sources: alpaca-models,', '  open-llm-survey']
    """
    lines = [indent if first is None else first]
    empty = True
    for word in text.split():
        while True:
            space = "" if empty else " "
            if width(lines[-1] + space + word) <= room:
                lines[-1] += space + word
                empty = False
                break
            fits = _fitting(word, room - width(lines[-1] + space))
            if empty or (fits and not word.isascii()):
                fits = max(fits, 1)
                lines[-1] += space + word[:fits]
                word = word[fits:]
            lines.append(indent)
            empty = True
    return lines


def _fitting(word: str, room: int) -> int:
    """Give how many characters of ``word`` fit in ``room`` columns."""
    taken = 0
    for count, character in enumerate(word):
        taken += width(character)
        if taken > room:
            return count
    return len(word)


def render(results: Results, form: str) -> str:
    """Give ``results`` in the format ``form`` (one of ``FORMATS``), ending with a line end.

    Raise :class:`QueryError` where an RDF format is asked for rows, or the reverse is impossible.
    """
    if form in _RDF:
        if not results.is_graph:
            raise QueryError(f"rows cannot be written as {form}", hint="use CONSTRUCT, or --format json, csv, tsv")
        triples = [Triple(*row) for row in results.rows]  # type: ignore[arg-type]
        return (pyoxigraph.serialize(triples, format=_RDF[form], prefixes=PREFIXES) or b"").decode()
    return _WRITERS[form](results)


def _table(results: Results) -> str:
    """Give a plain table, each column as wide as it needs, no line broken."""
    rows = [[_cut(shown(term, name)) for term, name in zip(row, results.columns, strict=True)] for row in results.rows]
    widths = [max([width(name), *(width(row[i]) for row in rows)]) for i, name in enumerate(results.columns)]
    lines = [_line(list(results.columns), widths), _line(["-" * size for size in widths], widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)]) + "\n"


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MAX_CELL else flat[: _MAX_CELL - 1] + "…"


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(cells, widths, strict=True)).rstrip()


def _tsv(results: Results) -> str:
    def clean(text: str) -> str:
        return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")

    lines = ["\t".join(results.columns)]
    lines += ["\t".join(clean(plain_text(term)) for term in row) for row in results.rows]
    return "\n".join(lines) + "\n"


def _csv(results: Results) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # as SPARQL 1.1 Query Results CSV says
    writer.writerow(results.columns)
    writer.writerows([plain_text(term) for term in row] for row in results.rows)
    return out.getvalue()


def _json(results: Results) -> str:
    """Give SPARQL 1.1 Query Results JSON, which keeps datatypes and languages."""
    bindings = [
        {name: _json_term(term) for name, term in zip(results.columns, row, strict=True) if term is not None}
        for row in results.rows
    ]
    answer = {"head": {"vars": list(results.columns)}, "results": {"bindings": bindings}}
    return json.dumps(answer, ensure_ascii=False, indent=1) + "\n"


def _json_term(term: Term) -> dict[str, str]:
    if isinstance(term, NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, BlankNode):
        return {"type": "bnode", "value": term.value}
    if term.language:
        return {"type": "literal", "value": term.value, "xml:lang": term.language}
    kind = {} if term.datatype.value == _XSD + "string" else {"datatype": term.datatype.value}
    return {"type": "literal", "value": term.value} | kind


def _jsonl(results: Results) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in results)


def _markdown(results: Results) -> str:
    def cell(text: str) -> str:
        return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")

    lines = ["| " + " | ".join(results.columns) + " |", "|" + " --- |" * len(results.columns)]
    for row in results.rows:
        texts = [cell(shown(term, name)) for term, name in zip(row, results.columns, strict=True)]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


_RDF = {"ttl": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES}
_WRITERS: dict[str, Callable[[Results], str]] = {
    "table": _table,
    "tsv": _tsv,
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "md": _markdown,
}
FORMATS = (*_WRITERS, *_RDF)
