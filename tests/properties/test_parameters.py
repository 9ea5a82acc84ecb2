"""P10, P11: a value that goes into a slot comes out unchanged, and changes nothing else of the query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pyoxigraph
import pytest
import rdflib
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode

from llmkg.errors import QueryError
from llmkg.identifiers import entity_iri
from llmkg.namespaces import term
from llmkg.queries import Parameter, StoredQuery, bind, find_queries, load_query, parse_value
from llmkg.resources import resource_folder
from llmkg.results import Term
from llmkg.sparql_text import Token, guard, tokens
from llmkg.store import Store

EVERY_TYPE = Path(__file__).parents[1] / "fixtures" / "queries" / "every-type.rq"
PATHS = [EVERY_TYPE, *find_queries(resource_folder("queries")).values()]
WITH_PARAMETERS = [path for path in PATHS if load_query(path).parameters]

#: what would end a string, a group, a comment or a query, were it text of the query
HOSTILE = (
    '"', "'", '"""', "'''", "\\", "\\\\", '\\"', "}", "{", "} UNION { ?s ?p ?o } #", '" } INSERT DATA { <a:> <b:> "',
    "#", "\n#", "<", ">", "\n", "\r", "\r\n", "\t", "\0", "\u0008", "\u000c", "\u0085", "\u2028", "\ufeff", "\ufffe",
    "\\u0022", "\\U00000022", "\\u", "\\n", "?x", "$x", "@en", "^^<a:>", "^^xsd:integer", "VALUES ?x { 1 }",
    "SERVICE <http://127.0.0.1/>", "%s", "{0}", "UNDEF", "伶荔", "𝒩", "e\u0301",
)  # fmt: skip
texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=6).map("".join)
iris = texts.map("https://example.org/".__add__) | st.text("abc/#?%40:@[].-_~é伶", max_size=20).map(
    "https://example.org/".__add__
)
SPELLINGS = {
    "string": texts,
    "matches": texts,
    "entity": texts,
    "iri": iris | texts,
    "integer": st.integers(-(2**63) + 1, 2**63 - 1).map(str) | texts,
    "decimal": st.decimals(-(10**19), 10**19, places=18).map("{:f}".format) | texts,
    "boolean": st.sampled_from(["true", "false", "TRUE", "False"]) | texts,
    "date": st.dates().map(date.isoformat) | texts,
}


def resolve(text: str, kinds: tuple[str, ...]) -> NamedNode:
    """Give an entity for any text, as the index does for known names; which one does not matter here."""
    try:
        return NamedNode(f"https://w3id.org/llmkg/model/{text}")
    except ValueError:
        return entity_iri(f"{(kinds or ('model',))[0]}/llama")


@cache
def stored(path: Path) -> StoredQuery:
    return load_query(path)


def terms(parameter: Parameter) -> st.SearchStrategy[Term]:
    """Give what texts mean for the parameter; the texts that it refuses are passed over."""
    texts_of_type = st.sampled_from(parameter.choices) if parameter.type == "choice" else SPELLINGS[parameter.type]
    return texts_of_type.map(lambda text: meaning(parameter, text)).filter(lambda found: found is not None)  # type: ignore[return-value]


def meaning(parameter: Parameter, text: str) -> Term | None:
    try:
        return parse_value(parameter, text, resolve)
    except QueryError:
        return None


@st.composite
def values(draw: st.DrawFn, query: StoredQuery) -> dict[str, Term]:
    """Give terms for the required parameters and for some of the others."""
    chosen = [parameter for parameter in query.parameters if parameter.required or draw(st.booleans())]
    return {parameter.variable: draw(terms(parameter)) for parameter in chosen}


def expected(query: StoredQuery, given_terms: dict[str, Term]) -> Iterator[list[Token] | Token]:
    """Give the tokens of the query, with a list of the terms' own tokens where a slot is bound."""
    at = 0
    every = list(tokens(query.text))
    for variable, start, end in sorted(query.slots, key=lambda slot: slot[1]):
        yield from (token for token in every if at <= token.start and token.end <= start)
        inside = [token for token in every if start <= token.start and token.end <= end]
        yield list(tokens(str(given_terms[variable]))) if variable in given_terms else inside
        at = end
    yield from (token for token in every if token.start >= at)


def is_one_term(found: list[Token]) -> bool:
    kinds = [token.kind for token in found]
    return kinds in (["iri"], ["string"]) or (kinds == ["string", "sign", "sign", "iri"] and found[1].text == "^")


@pytest.mark.parametrize("path", WITH_PARAMETERS, ids=lambda path: path.stem)
def test_a_bound_query_differs_from_the_stored_one_by_the_terms_alone(path: Path) -> None:
    query = stored(path)
    empty = pyoxigraph.Store()

    @settings(max_examples=settings().max_examples // 4)  # there are many queries
    @given(values(query))
    def check(given_terms: dict[str, Term]) -> None:
        text = bind(query, given_terms)
        found = list(tokens(text))
        for part in expected(query, given_terms):
            if isinstance(part, Token):
                assert (found[0].kind, found[0].text) == (part.kind, part.text)
                del found[0]
            else:
                own, found = found[: len(part)], found[len(part) :]
                assert [token.kind for token in own] == [token.kind for token in part]
        assert not found
        for term_ in given_terms.values():
            assert is_one_term(list(tokens(str(term_))))
        guard(text)
        empty.query(text)

    check()


@given(values(stored(EVERY_TYPE)))
def test_values_come_out_of_a_query_as_they_went_in(given_terms: dict[str, Term]) -> None:
    query = stored(EVERY_TYPE)
    row = dict(zip(*one_row(bind(query, given_terms)), strict=True))
    assert {name: row[name] for name in given_terms} == given_terms


def one_row(text: str) -> tuple[tuple[str, ...], tuple[Term | None, ...]]:
    results = Store(pyoxigraph.Store(), "memory", 60).query(text)
    assert len(results) == 1
    return results.columns, results.rows[0]


SLOT = "#+ summary: What goes in\n#+ params:\n#+   x: {type: string, help: Any}\n\nSELECT ?x WHERE { VALUES ?x { UNDEF } }\n"


@pytest.fixture(scope="module")
def slot(tmp_path_factory: pytest.TempPathFactory) -> StoredQuery:
    path = tmp_path_factory.mktemp("queries") / "what-goes-in.rq"
    path.write_text(SLOT, encoding="utf-8")
    return load_query(path)


@given(texts)
@example("\\u0041")
@example("\\\\u0022 } #")
@example("\\\0" + "0041")
@example("\\U0001F600")
def test_a_string_is_the_same_on_both_engines(slot: StoredQuery, text: str) -> None:
    bound = bind(slot, {"x": parse_value(slot.parameters[0], text, resolve)})
    assert one_row(bound)[1] == (Literal(text),)
    assert [str(row[0]) for row in rdflib.Graph().query(bound)] == [text]  # type: ignore[index]


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_an_integer_is_the_same_number(slot: StoredQuery, number: int) -> None:
    found = parse_value(Parameter("x", "integer", ""), str(number), resolve)
    assert one_row(bind(slot, {"x": found}))[1] == (found,) == (Literal(str(number), datatype=term("xsd:integer")),)


@given(st.decimals(-(10**19), 10**19, places=18))
@example(Decimal("-0"))
@example(Decimal("100"))
def test_a_decimal_is_the_same_number_and_one_to_calculate_with(slot: StoredQuery, number: Decimal) -> None:
    found = parse_value(Parameter("x", "decimal", ""), f"{number:f}", resolve)
    limited = bind(slot, {"x": found}).replace("} }", "} FILTER(ABS(?x) <= 10000000000000000000.0) }")
    assert one_row(limited)[1] == (found,)
    assert Decimal(found.value) == number


@given(st.text())
def test_an_iri_is_taken_as_it_is_or_refused(text: str) -> None:
    try:
        found = parse_value(Parameter("x", "iri", ""), f"https://example.org/{text}", resolve)
    except QueryError as error:
        assert error.hint
    else:
        assert found == NamedNode(f"https://example.org/{text}")
