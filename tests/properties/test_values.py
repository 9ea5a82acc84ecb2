"""P13: values survive the way into the store and out again as JSON, CSV, Turtle and N-Quads.

The store writes a literal by its value; these are the rules, and all else is kept to the character:

* ``xsd:integer``: no plus sign, no leading noughts (``+07`` → ``7``);
* ``xsd:decimal``: no plus sign, no needless noughts, no point without places (``0.10`` → ``0.1``, ``1.0`` → ``1``);
* ``xsd:double``: one spelling a number, without an exponent where there is none to speak of (``1.5E3`` → ``1500``);
* ``xsd:boolean``: ``true`` or ``false`` (``1`` → ``true``);
* language tags: lower case (``zh-Hant`` → ``zh-hant``).
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyoxigraph
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat

from llmkg.export import export
from llmkg.namespaces import graph_iri, term
from llmkg.quantities import parse
from llmkg.render import render
from llmkg.resources import resource_folder
from llmkg.results import to_python
from llmkg.store import Store, open_store, write_store

NODE = NamedNode("https://w3id.org/llmkg/model/nimbus")
CONTEXT = resource_folder("ontology") / "context.jsonld"

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text(
    " \"\\'\n\r\t,;=+-@|<>{}.#\0\u0085\u2028\ufeff伶", max_size=10
)
tags = st.sampled_from(["en", "zh", "zh-Hant", "en-GB", "pt-BR", "de-CH-1996"])
whole = st.integers(-(2**63) + 1, 2**63 - 1)
decimals = st.decimals(-(10**18), 10**18, places=18)
signs = st.sampled_from(["", "+", "0", "00"])


def typed(kind: str) -> NamedNode:
    return term(f"xsd:{kind}")


def signed(number: str, sign: str) -> str:
    return number if number.startswith("-") else sign + number


#: spellings of one value: what goes in, and what must come out
CASES: dict[str, st.SearchStrategy[tuple[Literal, Literal]]] = {
    "string": texts.map(lambda text: (Literal(text), Literal(text))),
    "anyURI": texts.map(lambda text: (Literal(text, datatype=typed("anyURI")),) * 2),
    "language": st.tuples(texts, tags).map(
        lambda pair: (Literal(pair[0], language=pair[1]), Literal(pair[0], language=pair[1].lower()))
    ),
    "integer": st.tuples(whole, signs).map(
        lambda pair: (
            Literal(signed(str(pair[0]), pair[1]), datatype=typed("integer")),
            Literal(str(pair[0]), datatype=typed("integer")),
        )
    ),
    "decimal": st.tuples(decimals, signs).map(
        lambda pair: (
            Literal(signed(f"{pair[0]:f}", pair[1]), datatype=typed("decimal")),
            Literal(plain(pair[0]), datatype=typed("decimal")),
        )
    ),
    "boolean": st.sampled_from([("1", "true"), ("0", "false"), ("true", "true"), ("false", "false")]).map(
        lambda pair: (Literal(pair[0], datatype=typed("boolean")), Literal(pair[1], datatype=typed("boolean")))
    ),
    "date": st.dates().map(lambda day: (Literal(day.isoformat(), datatype=typed("date")),) * 2),
    "gYearMonth": st.dates().map(lambda day: (Literal(day.isoformat()[:7], datatype=typed("gYearMonth")),) * 2),
    "gYear": st.dates().map(lambda day: (Literal(day.isoformat()[:4], datatype=typed("gYear")),) * 2),
}
literals = st.sampled_from(sorted(CASES)).flatmap(CASES.__getitem__)


def plain(number: Decimal) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if number else "0"


def stored(*found: Literal) -> Store:
    """Give a store that says these values of one node, each with a property of its own."""
    store = pyoxigraph.Store()
    store.bulk_extend(Quad(NODE, term(f"p{number}"), value, DefaultGraph()) for number, value in enumerate(found))
    return Store(store, "memory", 60)


def only(store: Store) -> Literal:
    (quad,) = store.quads()
    assert isinstance(quad.object, Literal)
    return quad.object


@pytest.mark.parametrize("kind", CASES)
def test_the_store_keeps_a_value_by_the_rules(kind: str) -> None:
    @given(CASES[kind])
    def check(pair: tuple[Literal, Literal]) -> None:
        given_literal, kept = pair
        assert only(stored(given_literal)) == kept
        assert only(stored(kept)) == kept

    check()


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1.5e23)
@example(3.14e23)
@example(5e-324)
def test_the_store_keeps_a_double(number: float) -> None:
    kept = only(stored(Literal(f"{Decimal(number):E}", datatype=typed("double"))))
    assert kept.datatype == typed("double")
    assert to_python(kept) == number
    assert only(stored(kept)) == kept


@given(literals)
def test_json_gives_a_value_back(pair: tuple[Literal, Literal]) -> None:
    results = stored(pair[0]).query("SELECT ?value WHERE { ?node ?property ?value }")
    (row,) = json.loads(render(results, "json"))["results"]["bindings"]
    cell = row["value"]
    if "xml:lang" in cell:
        back = Literal(cell["value"], language=cell["xml:lang"])
    else:
        back = Literal(cell["value"], datatype=NamedNode(cell.get("datatype", typed("string").value)))
    assert back == pair[1]


@given(st.lists(literals, min_size=1, max_size=4))
def test_csv_gives_the_text_of_a_value_back(pairs: list[tuple[Literal, Literal]]) -> None:
    columns = " ".join(f"?v{number}" for number in range(len(pairs)))
    pattern = " ".join(f"?node <{term(f'p{number}').value}> ?v{number} ." for number in range(len(pairs)))
    results = stored(*(given_literal for given_literal, _ in pairs)).query(f"SELECT {columns} WHERE {{ {pattern} }}")
    header, row = csv.reader(io.StringIO(render(results, "csv"), newline=""), strict=True)
    assert header == [f"v{number}" for number in range(len(pairs))]
    assert row == [kept.value for _, kept in pairs]


@pytest.mark.parametrize(
    ("form", "parsed"), [("ttl", RdfFormat.TURTLE), ("nt", RdfFormat.N_TRIPLES), ("nq", RdfFormat.N_QUADS)]
)
def test_an_export_gives_values_back(form: str, parsed: RdfFormat) -> None:
    @given(st.lists(literals, max_size=6))
    def check(pairs: list[tuple[Literal, Literal]]) -> None:
        text = export(stored(*(given_literal for given_literal, _ in pairs)), form, CONTEXT)
        back = {quad.predicate.value: quad.object for quad in pyoxigraph.parse(text.encode(), parsed)}
        assert back == {term(f"p{number}").value: kept for number, (_, kept) in enumerate(pairs)}

    check()


@given(st.lists(literals, max_size=6))
def test_a_constructed_graph_gives_values_back_as_turtle(pairs: list[tuple[Literal, Literal]]) -> None:
    results = stored(*(given_literal for given_literal, _ in pairs)).query("CONSTRUCT WHERE { ?s ?p ?o }")
    back = {
        quad.predicate.value: quad.object
        for quad in pyoxigraph.parse(render(results, "ttl").encode(), RdfFormat.TURTLE)
    }
    assert back == {term(f"p{number}").value: kept for number, (_, kept) in enumerate(pairs)}


@given(whole, decimals, st.booleans(), st.dates())
def test_python_gets_the_number_the_truth_and_the_day(number: int, fraction: Decimal, truth: bool, day: date) -> None:
    found = (
        Literal(str(number), datatype=typed("integer")),
        Literal(f"{fraction:f}", datatype=typed("decimal")),
        Literal(str(truth).lower(), datatype=typed("boolean")),
        Literal(day.isoformat(), datatype=typed("date")),
    )
    (row,) = stored(*found).query(
        "PREFIX : <https://w3id.org/llmkg/ontology#> SELECT ?a ?b ?c ?d WHERE { ?s :p0 ?a ; :p1 ?b ; :p2 ?c ; :p3 ?d }"
    )
    assert tuple(row.values()) == (number, fraction, truth, day)


def test_values_survive_on_disk(tmp_path: Path) -> None:
    graph = graph_iri("north-list")
    quads = [
        Quad(NODE, term("feature"), value, graph)
        for value in (Literal("a\r\n\0\u2028b"), Literal("伶荔", language="zh"))
    ]
    quads.append(Quad(NODE, term("parameterCount"), Literal("0070", datatype=typed("integer")), graph))
    write_store(tmp_path / "store", (f"{quad} .\n".encode() for quad in quads))
    found = {quad.object for quad in open_store(tmp_path / "store").quads()}
    assert found == {quads[0].object, quads[1].object, Literal("70", datatype=typed("integer"))}


@given(st.integers(1, 10**9), st.sampled_from(["K", "M", "B", " 亿"]))
def test_a_size_that_a_source_states_comes_back_as_the_same_number(number: int, scale: str) -> None:
    value = parse(f"{number}{scale}", "count").value
    if value < 2**63:
        assert to_python(only(stored(Literal(f"{value:f}", datatype=typed("integer"))))) == value


def test_versions_and_identifiers_keep_their_spelling_as_strings() -> None:
    for text in ("3.10", "1.0", "007", "1e3", "2101.00027", "TRUE"):
        assert only(stored(Literal(text))) == Literal(text)
