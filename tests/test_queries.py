"""Stored queries: headers, slots, and what is said where one of them is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode
from rdflib.plugins.sparql import prepareQuery

from llmkg.config import Settings, read_settings
from llmkg.errors import QueryError, SourceError
from llmkg.graph import KnowledgeGraph, connect
from llmkg.namespaces import PREFIXES, term
from llmkg.queries import Parameter, StoredQuery, bind, fill, find_queries, load_query, parse_value
from llmkg.resources import resource_folder
from llmkg.sparql_text import tokens
from llmkg.store import Store

EVERY_TYPE = Path(__file__).parent / "fixtures" / "queries" / "every-type.rq"
STORED = list(find_queries(resource_folder("queries")).values())
NIMBUS = NamedNode("https://w3id.org/llmkg/model/nimbus")


@pytest.fixture(scope="module")
def every_type() -> StoredQuery:
    return load_query(EVERY_TYPE)


def written(folder: Path, text: str) -> Path:
    path = folder / "asked" / "a-question.rq"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# --- the queries that we ship ---


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_shipped_query_runs_on_both_engines_as_it_stands(path: Path) -> None:
    query = load_query(path)
    columns = Store(pyoxigraph.Store(), "memory", 60).query(query.text).columns
    assert list(columns) == [str(variable) for variable in prepareQuery(query.text).algebra["PV"]]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_shipped_query_names_its_columns_its_order_and_our_prefixes(path: Path) -> None:
    text = load_query(path).text
    words = [token.text.upper() for token in tokens(text)]
    assert "*" not in words[words.index("SELECT") : words.index("WHERE")]
    assert "ORDER" in words
    for prefix, namespace in re.findall(r"^PREFIX (\S*): <([^>]*)>", text, re.MULTILINE):
        assert PREFIXES[prefix] == namespace
        assert f"{prefix}:" in text.partition(f"<{namespace}>")[2]


def test_no_two_queries_share_a_name() -> None:
    assert len(STORED) == len(list(resource_folder("queries").rglob("*.rq")))


# --- loading ---


def test_a_query_is_its_header_and_its_slots(every_type: StoredQuery) -> None:
    assert (every_type.name, every_type.topic) == ("every-type", "queries")
    assert every_type.summary == "A parameter of every type, one of them in two slots"
    assert every_type.description == "For the tests: what goes into a slot comes out unchanged."
    assert [(parameter.name, parameter.variable, parameter.required) for parameter in every_type.parameters][:2] == [
        ("an-entity", "anEntity", True),
        ("an-iri", "anIri", False),
    ]
    assert every_type.parameters[-1].choices == ("all", "no }", 'it\'s "so"')
    inside = [(name, every_type.text[start:end].strip()) for name, start, end in every_type.slots]
    assert inside == [
        ("anEntity", "UNDEF"),
        ("anIri", "UNDEF"),
        ("aString", '"VALUES ?norThis { } }"'),
        ("anInteger", "7"),
        ("aDecimal", "0.5"),
        ("aBoolean", "true"),
        ("aDate", '"2023-02-24"^^<http://www.w3.org/2001/XMLSchema#date>'),
        ("aChoice", '"all"'),
        ("anInteger", "7"),
    ]


def test_places_in_a_header_are_those_in_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, "# first line\n#+ summary: Which?\n#+ params:\n#+   of: {type: wrong, help: x}\n\nASK {}\n"
    )
    with pytest.raises(SourceError) as caught:
        load_query(path)
    line, column = caught.value.where.rsplit(":", 2)[1:]
    assert path.read_text(encoding="utf-8").split("\n")[int(line) - 1][int(column) - 1 :].startswith("{type: wrong")


def test_all_slots_and_parameters_that_do_not_match_are_told(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "#+ summary: Which?\n#+ params:\n#+   of: {type: entity, help: x}\n#+   to: {type: entity, help: x}\n"
        "\nSELECT ?a WHERE {\n  VALUES ?a { 1 }\n  VALUES ?b { 1 }\n}\n",
    )
    with pytest.raises(SourceError) as caught:
        load_query(path)
    assert [(problem.where, problem.message) for problem in caught.value.problems] == [
        ("queries/asked/a-question.rq:3:10", "parameter 'of' has no VALUES slot"),
        ("queries/asked/a-question.rq:4:10", "parameter 'to' has no VALUES slot"),
        ("queries/asked/a-question.rq:7:14", "slot ?a is not declared under params"),
        ("queries/asked/a-question.rq:8:14", "slot ?b is not declared under params"),
    ]
    assert all(problem.hint for problem in caught.value.problems)


def test_values_of_several_variables_are_no_slot(tmp_path: Path) -> None:
    query = load_query(
        written(tmp_path, "#+ summary: Which?\n\nSELECT ?a WHERE { VALUES (?a ?b) { (1 2) } } ORDER BY ?a\n")
    )
    assert query.slots == ()


def test_queries_are_found_by_name_in_all_folders(tmp_path: Path) -> None:
    for name in ("b/two.rq", "a/three.rq", "one.rq", "a/not.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert list(find_queries(tmp_path)) == ["one", "three", "two"]


# --- binding ---


def test_binding_nothing_but_the_required_keeps_the_defaults(every_type: StoredQuery) -> None:
    text = bind(every_type, {"anEntity": NIMBUS})
    assert text == every_type.text.replace("?anEntity { UNDEF }", f"?anEntity {{ {NIMBUS} }}")


def test_binding_fills_every_slot_of_a_variable(every_type: StoredQuery) -> None:
    eight = Literal(8)
    text = bind(every_type, {"anEntity": NIMBUS, "anInteger": eight})
    assert text.count(f"VALUES ?anInteger {{ {eight} }}") == 2
    (row,) = Store(pyoxigraph.Store(), "memory", 60).query(text)
    assert row["anInteger"] == 8


def test_a_required_parameter_must_be_given(every_type: StoredQuery) -> None:
    with pytest.raises(QueryError, match="parameter 'an-entity' is required") as caught:
        bind(every_type, {})
    assert (caught.value.where, caught.value.hint) == ("query every-type", "give --an-entity: An entity")


def test_a_variable_that_is_no_slot_is_refused(every_type: StoredQuery) -> None:
    with pytest.raises(QueryError, match="no parameter 'notASlot'"):
        bind(every_type, {"anEntity": NIMBUS, "notASlot": NIMBUS})


def test_a_parameter_is_found_by_its_name_with_either_stroke(every_type: StoredQuery) -> None:
    assert every_type.parameter("an_integer") is every_type.parameter("an-integer")
    with pytest.raises(QueryError, match="no parameter 'integer'") as caught:
        every_type.parameter("integer")
    assert caught.value.hint.startswith("parameters: an-entity, an-iri,")


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        ("integer", "7_000_000_000", Literal("7000000000", datatype=term("xsd:integer"))),
        ("integer", "+007", Literal("7", datatype=term("xsd:integer"))),
        ("integer", "-0", Literal("0", datatype=term("xsd:integer"))),
        ("decimal", "0.50", Literal("0.5", datatype=term("xsd:decimal"))),
        ("decimal", "1e-5", Literal("0.00001", datatype=term("xsd:decimal"))),
        ("decimal", "-0.0", Literal("0", datatype=term("xsd:decimal"))),
        ("boolean", "TRUE", Literal("true", datatype=term("xsd:boolean"))),
        ("date", "2023-02-24", Literal("2023-02-24", datatype=term("xsd:date"))),
        ("string", " 7 ", Literal(" 7 ")),
        ("choice", "large", Literal("large")),
        ("iri", "https://example.org/雨云?a=b#c", NamedNode("https://example.org/雨云?a=b#c")),
        ("iri", "urn:isbn:1", NamedNode("urn:isbn:1")),
    ],
)
def test_a_value_becomes_a_typed_term_in_the_form_that_the_store_writes(kind: str, text: str, meant: object) -> None:
    parameter = Parameter("given", kind, "", choices=("large",))
    assert parse_value(parameter, text, lambda name, kinds: NIMBUS) == meant


def test_an_entity_is_looked_up_among_its_kinds() -> None:
    asked = []

    def resolve(name: str, kinds: tuple[str, ...]) -> NamedNode:
        asked.append((name, kinds))
        return NIMBUS

    assert parse_value(Parameter("of", "entity", "", kinds=("model",)), "雨云", resolve) == NIMBUS
    assert asked == [("雨云", ("model",))]


# --- did you mean ---


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return KnowledgeGraph(read_settings({}), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "meant"), [("derivative", "derivatives"), ("ancestor", "ancestors"), ("Conflicts", "conflicts")]
)
def test_a_misspelt_query_is_answered_with_the_nearest_names(typed: str, meant: str, graph: KnowledgeGraph) -> None:
    with pytest.raises(QueryError, match=f"no stored query is called '{typed}'") as caught:
        graph.stored_query(typed)
    assert caught.value.hint.startswith("did you mean")
    assert repr(meant) in caught.value.hint


def test_a_name_like_none_is_answered_with_how_to_list_them(graph: KnowledgeGraph) -> None:
    with pytest.raises(QueryError) as caught:
        graph.stored_query("zzzzzz")
    assert caught.value.hint == "llmkg query lists them"


def test_a_text_to_match_fills_two_slots_and_means_the_same_without_the_second(built: Settings) -> None:
    kg = connect(built)
    query = kg.stored_query("search-labels")
    assert {name for name, _, _ in query.slots} == {"text", "entity"}
    for text in ("llama", "驼", "7b", "no such thing", "-", ""):
        plain = kg.sparql(bind(query, {"text": Literal(text)}))
        assert kg.query("search-labels", text=text).rows == plain.rows, text


def test_a_slot_takes_any_number_of_terms() -> None:
    text = "SELECT ?a WHERE { VALUES ?a { UNDEF } VALUES ?b { 1 } } ORDER BY ?a"
    assert fill(text, {"a": (NIMBUS, Literal('"}'))}) == text.replace("{ UNDEF }", f'{{ {NIMBUS} "\\"}}" }}')
    assert fill(text, {"a": ()}) == text.replace("{ UNDEF }", "{  }")


@pytest.mark.parametrize("header", ["{type: string, fills: a, help: x}", "{type: matches, help: x}"])
def test_only_a_text_to_match_fills_a_second_slot(tmp_path: Path, header: str) -> None:
    with pytest.raises(SourceError, match="fills"):
        load_query(written(tmp_path, f"#+ summary: Which?\n#+ params:\n#+   of: {header}\n\nASK {{}}\n"))


def test_a_slot_to_fill_that_is_not_there_is_told(tmp_path: Path) -> None:
    header = "#+ summary: Which?\n#+ params:\n#+   of: {type: matches, fills: a, help: x}\n\n"
    with pytest.raises(SourceError, match="has no VALUES slot") as caught:
        load_query(written(tmp_path, f'{header}SELECT ?a WHERE {{ VALUES ?of {{ "" }} BIND(1 AS ?a) }} ORDER BY ?a\n'))
    assert caught.value.hint == "add VALUES ?a { … }"
