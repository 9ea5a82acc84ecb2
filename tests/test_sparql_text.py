"""Queries as tokens: what is text, what is a comment, what is refused, and no query takes long to look at."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal

from llmkg.errors import LimitError, QueryError
from llmkg.sparql_text import MAX_BYTES, MAX_DEPTH, MAX_TOKENS, guard, tokens


def texts(query: str) -> list[str]:
    return [token.text for token in tokens(query)]


def test_tokens_are_the_words_of_a_query() -> None:
    query = 'SELECT ?s $t WHERE { ?s a <http://e/#x> ; ex:p-1.2 \'a b\'@en-GB, 1.5, """c"\nd""" . } # end'
    assert texts(query) == [
        "SELECT", "?s", "$t", "WHERE", "{", "?s", "a", "<http://e/#x>", ";", "ex:p-1.2", "'a b'", "@en-GB", ",", "1", ".", "5", ",",
        '"""c"\nd"""', ".", "}",
    ]  # fmt: skip


def test_tokens_know_where_they_stand() -> None:
    query = "ASK # a } b\n{ ?s ?p '}' }"
    for token in tokens(query):
        assert query[token.start : token.end] == token.text
    assert [token.kind for token in tokens(query)] == ["word", "sign", "variable", "variable", "string", "sign"]


@given(st.text())
def test_every_character_is_in_a_token_or_is_space_or_comment(query: str) -> None:
    at = 0
    for token in tokens(query):
        between = query[at : token.start]
        assert all(line.lstrip().startswith("#") or not line.strip() for line in between.split("\n"))
        assert query[token.start : token.end] == token.text
        at = token.end


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_is_one_token_whatever_it_holds(text: str) -> None:
    assert texts(f"{{ {Literal(text)} }}") == ["{", str(Literal(text)), "}"]


@pytest.mark.parametrize(
    "word", ["SERVICE", "service", "Load", "INSERT", "DELETE", "DROP", "CLEAR", "CREATE", "COPY", "MOVE", "ADD", "WITH"]
)
def test_words_that_reach_out_or_change_data_are_refused(word: str) -> None:
    with pytest.raises(QueryError, match=f"{word.upper()} is refused") as caught:
        guard(f"# a comment\nASK {{ }}\n  {word} <http://127.0.0.1/> {{ }}")
    assert caught.value.where == "query:3:3"
    assert caught.value.hint


@pytest.mark.parametrize(
    "query",
    [
        "ASK { ?s ?p 'SERVICE' }",
        'ASK { ?s ?p """\nLOAD <http://e/>\n""" }',
        "ASK { ?s ?p ?o } # SERVICE",
        "ASK { ?service ex:load <http://e/SERVICE> }",
        "ASK { ?s ?p ex:SERVICE ; ex:p? ?service }",
        "ASK { ?s ?p 'x'@add }",
        "ASK { ?s ?p 'it''s \\' SERVICE' }",
    ],
)
def test_the_same_words_in_strings_names_and_comments_are_not(query: str) -> None:
    guard(query)


#: by each of these the engine (0.5.13) reads SERVICE, and some reached the network past an earlier guard
GLUED = [
    "?s ?p ?o.SERVICE<http://e/>{}",
    "?s ?p 1SERVICE<http://e/>{}",
    "?s ?p 1e5SERVICE<http://e/>{}",
    "?s ?p trueSERVICE<http://e/>{}",
    "SERVICE:x{}",
    "SERVICESILENT:x{}",
    "FILTER EXISTS{SERVICE:x{}}",
    "?s ex:-1SERVICE<http://e/>{}",
    "?s ?p ex:.SERVICE<http://e/>{}",
    "?s ex:p?trueSERVICE<http://e/>{}",
    "?s <a:p>?trueSERVICE<http://e/>{}",
    "?s (ex:p)?trueSERVICE<http://e/>{}",
    '?s ?p "x"@en--ltrSERVICE<http://e/>{}',
    "# x\rSERVICE <http://e/> {}\n",
    "?s ?p <a:\\u0041'> SERVICE <http://e/> {} #'\n",
    "BIND(1AS?x)SERVICE<http://e/>{}",
    "<<?a?b?c#>'''\n>> ?s ?p.SERVICE<http://e/>{} #'''\n",
    "?s ?p <<(?a?b?c#)>'''\n)>>.SERVICE<http://e/>{} #'''\n",
]


@pytest.mark.parametrize("pattern", GLUED)
def test_a_refused_word_is_seen_wherever_the_engine_sees_it(pattern: str) -> None:
    with pytest.raises(QueryError, match="SERVICE is refused"):
        guard(f"PREFIX : <http://e/> PREFIX ex: <http://e/> ASK {{ {pattern} }}")


@pytest.mark.parametrize(
    "filter_",
    [
        "?a<?b)SERVICE?x#>\n{}",
        "?a<'b>')SERVICE<http://e/>{}#'\n",
        "?a<?b#>'''\n)SERVICE<http://e/>{}#'''\n",
        "?a<<x:#>)SERVICE<http://e/>{}\n",
    ],
)
def test_a_comparison_that_looks_like_an_address_is_refused(filter_: str) -> None:
    with pytest.raises(QueryError, match="can be an address or a comparison") as caught:
        guard(f"ASK {{ ?s ?p ?a FILTER({filter_} }}")
    assert caught.value.hint


@pytest.mark.parametrize(
    "pattern",
    [
        "FILTER(?a = <x:#a> || ?a IN (<x:#a>, <x:(b)>) || ?a < ?b || EXISTS { ?a <x:#c> <x:#d> })",
        "VALUES (?a ?b) { (<x:#a> <x:(b)>) (<x:'c'> UNDEF) } FILTER(?a<?b&&?b>?a)",
        "VALUES ?a { <x:#a> <x:#b> } BIND(IF(?a < ?b, <x:#a>, <x:#b>) AS ?c)",
        "?s (<x:#a>|<x:#b>/^<x:#c>)+ ?o . << ?s <x:#p> ?o >> ?q <x:#r>",
    ],
)
def test_addresses_where_only_addresses_can_stand_are_not(pattern: str) -> None:
    guard(f"ASK {{ ?s ?p ?a . {pattern} }}")


@pytest.mark.parametrize("chain", ["!", "||?o", "+1", "/:p", "|:p", "<<", " UNION {}"])
def test_a_long_chain_is_refused_before_it_overflows_the_stack(chain: str) -> None:
    with pytest.raises(LimitError, match=f"more than {MAX_TOKENS} words and signs"):
        guard(f"ASK {{ ?s ?p ?o {chain * MAX_TOKENS} }}")


def test_many_values_are_no_long_chain() -> None:
    guard(f"ASK {{ VALUES ?x {{ {'1 ' * 2 * MAX_TOKENS} }} VALUES (?y ?z) {{ {'(1 2) ' * MAX_TOKENS} }} }}")


@pytest.mark.parametrize("opening", ["{", "(", "["])
def test_deep_nesting_is_refused(opening: str) -> None:
    guard(opening * MAX_DEPTH)
    with pytest.raises(LimitError, match=f"nested deeper than {MAX_DEPTH} levels") as caught:
        guard("\n" + opening * 100_000)
    assert caught.value.where == f"query:2:{MAX_DEPTH + 1}"


def test_brackets_in_strings_are_no_nesting() -> None:
    guard(f"ASK {{ ?s ?p '{'(' * 1000}' }}")


def test_a_query_of_many_characters_is_refused() -> None:
    with pytest.raises(LimitError, match="characters"):
        guard(" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "a",
        "a.",
        "a-",
        "-",
        ".",
        '"',
        "'''",
        '"""a',
        "'''a\n",
        "<",
        "<a",
        "?",
        "@",
        "\\",
        "%",
        ":",
        "a:",
        "#",
        "# \n",
        "伶",
    ],
)
def test_no_query_takes_long_to_look_at(piece: str) -> None:
    start = time.process_time()
    for _ in tokens(piece * (100_000 // len(piece))):
        pass
    assert time.process_time() - start < 5  # in truth a tenth of a second; a loop in a loop would take minutes
