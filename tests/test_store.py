"""The store: what it refuses, its limits, what it says of a wrong query, and that it answers from one version."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad

import llmkg.store
from llmkg.build import rebuild
from llmkg.config import Settings
from llmkg.errors import LimitError, QueryError, StoreCorrupt, StoreUnavailable
from llmkg.home import current_version, read_manifest
from llmkg.store import Store, canonical_lines, count_quads, open_store, write_store

Run = Callable[..., "subprocess.CompletedProcess[str]"]

#: nine million pairs, a second's work: long enough to pass a short limit, short enough to end with the tests
SLOW = """SELECT (COUNT(*) AS ?n) WHERE {
  { SELECT ?a { ?a ?b ?c } LIMIT 3000 } { SELECT ?d { ?d ?e ?f } LIMIT 3000 } FILTER(CONCAT(STR(?a), STR(?d)) != "")
}"""
NOTHING = "SELECT ?s WHERE { ?s ?p ?o FILTER(false) }"


def count(store: Store) -> str:
    cell = store.query("SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }").rows[0][0]
    assert cell is not None
    return cell.value


# --- answers


def test_a_select_keeps_the_order_of_columns_and_rows(store: Store) -> None:
    text = "SELECT ?z ?a WHERE { VALUES (?a ?z) { (1 2) (3 4) (5 UNDEF) } } ORDER BY DESC(?a)"
    answer = store.query(text)
    assert answer.columns == ("z", "a")
    assert [tuple(cell.value if cell else None for cell in row) for row in answer.rows] == [
        (None, "5"),
        ("4", "3"),
        ("2", "1"),
    ]


def test_an_ask_is_one_row_and_a_construct_is_a_sorted_set(store: Store) -> None:
    assert store.query("ASK { ?s ?p ?o }").rows == ((Literal(True),),)
    built = store.query('CONSTRUCT { <e:s> <e:p> ?x, "b" } WHERE { VALUES ?x { "c" "a" "a" } }')
    assert built.is_graph
    assert [row[2].value for row in built.rows if row[2]] == ["a", "b", "c"]


def test_the_default_graph_counts_each_triple_once(store: Store) -> None:
    triples = {(quad.subject, quad.predicate, quad.object) for quad in store.quads()}
    assert count(store) == str(len(triples))


def test_quads_by_pattern_and_by_graph(store: Store) -> None:
    llama = NamedNode("https://w3id.org/llmkg/model/llama")
    own = set(store.pattern(llama, None, None))
    assert own
    assert own <= set(store.graph_quads(DefaultGraph()))
    assert {quad.subject for quad in own} == {llama}
    assert not list(store.pattern(NamedNode("https://e.org/no"), None, None))


@pytest.mark.parametrize(
    "clause", ["FROM <https://e.org/no>", "FROM NAMED <https://e.org/no>", "FROM <file:///etc/passwd>"]
)
def test_an_unknown_graph_is_empty_and_nothing_is_fetched(store: Store, clause: str) -> None:
    body = "GRAPH ?g { ?s ?p ?o }" if "NAMED" in clause else "?s ?p ?o"
    assert len(store.query(f"SELECT ?s {clause} WHERE {{ {body} }}")) == 0


def test_a_source_can_be_asked_alone(store: Store) -> None:
    graph = "https://w3id.org/llmkg/graph/alpaca-models"
    inside = store.query(f"SELECT (COUNT(*) AS ?n) FROM <{graph}> WHERE {{ ?s ?p ?o }}")
    assert inside.rows[0][0] == Literal(sum(1 for _ in store.graph_quads(NamedNode(graph))))


# --- limits


def test_a_query_past_its_time_ends_with_a_limit_error(built: Settings) -> None:
    hurried = open_store(current_version(built.home) / "store", timeout=0.05)
    with pytest.raises(LimitError, match=r"no answer within 0\.05 seconds") as raised:
        hurried.query(SLOW)
    assert "--timeout" in raised.value.hint


def test_the_command_line_ends_a_query_past_its_time(run: Run) -> None:
    cartesian = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    done = run("--timeout", "0.5", "sparql", "-", input=cartesian)
    assert (done.returncode, done.stdout) == (6, "")
    assert "no answer within 0.5 seconds" in done.stderr


@pytest.mark.parametrize("head", ["SELECT ?s ?o", "SELECT *", "CONSTRUCT { ?s ?p ?o }"])
def test_more_rows_than_the_limit_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    text = f"{head} WHERE {{ ?s ?p ?o }} LIMIT "
    monkeypatch.setattr(llmkg.store, "MAX_ROWS", 100)
    assert len(store.query(text + "100")) == 100
    with pytest.raises(LimitError, match="more than 100 rows") as raised:
        store.query(text + "101")
    assert raised.value.hint == "add LIMIT"


def test_an_error_leaves_nothing_behind_in_the_wrong_thread(built: Settings) -> None:
    """The engine complains on stderr when its iterators end in another thread than began."""
    script = f"""
import llmkg, llmkg.store
llmkg.store.MAX_ROWS = 10
kg = llmkg.open({str(built.home)!r})
for text in ("SELECT ?s {{ ?s ?p ?o }}", "CONSTRUCT {{ ?s ?p ?o }} {{ ?s ?p ?o }}", "SELECT ?s {{ ?s ?p }}"):
    try:
        kg.sparql(text)
    except llmkg.LlmkgError as error:
        print(error.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["6", "6", "5"], "")


# --- refusals


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * WHERE { service silent <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * WHERE { ?s ?p ?o OPTIONAL { SERVICE ?s { ?s ?p ?o } } }",
        "LOAD <http://127.0.0.1:9/>",
        "LOAD SILENT <file:///etc/passwd> INTO GRAPH <e:g>",
        "INSERT DATA { <e:s> <e:p> <e:o> }",
        "DELETE WHERE { ?s ?p ?o }",
        "WITH <e:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "DROP ALL",
        "CLEAR DEFAULT",
        "CREATE GRAPH <e:g>",
        "COPY <e:g> TO <e:h>",
        "MOVE <e:g> TO <e:h>",
        "ADD <e:g> TO <e:h>",
    ],
)
def test_federation_and_updates_are_refused(store: Store, text: str) -> None:
    before = count(store)
    with pytest.raises(QueryError, match="is refused: a query reads this graph") as raised:
        store.query("# SERVICE\n" + text)
    assert raised.value.where.startswith("query:2:")
    assert raised.value.hint
    assert count(store) == before


@pytest.mark.parametrize(
    "text",
    [
        'SELECT ?x WHERE { BIND("SERVICE <http://e.org/> LOAD" AS ?x) }',
        "SELECT ?service WHERE { VALUES ?service { <http://e.org/SERVICE> } }",
        "PREFIX load: <http://e.org/> SELECT ?x WHERE { VALUES ?x { load:SERVICE } } # DROP ALL",
        "SELECT ?x WHERE { BIND('''SERVICE\n''' AS ?x) }",
    ],
)
def test_the_same_words_in_names_texts_and_comments_are_no_harm(store: Store, text: str) -> None:
    assert len(store.query(text)) == 1


@pytest.mark.parametrize(
    ("left", "right", "levels"), [("{", "}", 101), ("{", "}", 20_000), ("(", ")", 20_000), ("[", "]", 20_000)]
)
def test_deep_nesting_is_refused(store: Store, left: str, right: str, levels: int) -> None:
    with pytest.raises(LimitError, match="nested deeper than 100 levels") as raised:
        store.query("SELECT * WHERE " + left * levels + right * levels)
    assert raised.value.where == "query:1:116"


def test_nesting_within_the_limit_is_answered(store: Store) -> None:
    assert len(store.query("SELECT ?s WHERE " + "{" * 90 + " VALUES ?s { 1 } " + "}" * 90)) == 1


def test_a_query_of_megabytes_is_refused(store: Store) -> None:
    with pytest.raises(LimitError, match="characters"):
        store.query(NOTHING + "#" * 1_000_001)


# --- wrong queries


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("SELECT ?s\nWHERE { ?s ?p }", "query:2:16"),
        ("SELEC ?s WHERE { ?s ?p ?o }", "query:1:1"),
        ("# 伶荔\n\n  SELECT ?s WHERE {{ ?s ?p ?o }", "query:3:"),
        ("SELECT ?s { ?s nope:x ?o }", "query:1:"),
        ("", "query:1:1"),
    ],
)
def test_a_syntax_error_has_line_and_column(store: Store, text: str, where: str) -> None:
    with pytest.raises(QueryError, match="is no SPARQL") as raised:
        store.query(text)
    assert raised.value.where.startswith(where)
    assert "error at" not in raised.value.message


def test_the_command_line_shows_where_a_query_is_wrong(run: Run) -> None:
    done = run("sparql", "-", input="SELECT ?s\nWHERE { ?s ?p }")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("error: query:2:16: is no SPARQL: expected")


def test_an_unknown_function_is_told(store: Store) -> None:
    with pytest.raises(QueryError):
        store.query("SELECT (<http://e.org/f>(1) AS ?x) WHERE { FILTER(<http://e.org/f>(1) = }")


# --- opening


def test_opening_never_makes_a_store(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(StoreUnavailable, match="holds no store"):
            open_store(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_opened_is_corrupt(small: Settings) -> None:
    folder = current_version(small.home) / "store"
    (folder / "CURRENT").write_text("MANIFEST-999999\n", encoding="utf-8")
    with pytest.raises(StoreCorrupt, match="cannot be opened"):
        open_store(folder)


def test_damage_met_while_reading_is_told(store: Store, tmp_path: Path) -> None:
    """Files are checked before a store is opened; this is what happens to damage that comes later."""
    write_store(tmp_path, [f"{quad} .\n".encode() for quad in store.quads()])
    for path in tmp_path.glob("*.sst"):
        body = bytearray(path.read_bytes())
        if len(body) < 100_000:  # read when the store is opened
            continue
        body[len(body) // 3] ^= 1
        path.write_bytes(body)
    damaged = open_store(tmp_path)
    assert damaged.describe() == str(tmp_path)
    for read in (
        lambda: list(damaged.quads()),
        lambda: list(damaged.graph_quads(DefaultGraph())),
        lambda: damaged.query("SELECT ?s ?p ?o WHERE { ?s ?p ?o }"),
    ):
        with pytest.raises(StoreCorrupt) as raised:
            read()
        assert "llmkg build" in raised.value.hint


def test_an_open_store_keeps_its_version_through_builds(small: Settings, dumps: tuple[Path, ...]) -> None:
    opened = open_store(current_version(small.home) / "store")
    for dump in dumps[1:4]:
        rebuild(small, dump)
    assert not Path(opened.describe()).exists()
    assert count(opened) == "1"
    assert count(open_store(current_version(small.home) / "store")) == "4"


# --- writing


@given(st.lists(st.integers(0, 400), max_size=20))
def test_a_store_is_written_from_chunks_cut_anywhere(cuts: list[int]) -> None:
    quads = [
        Quad(
            NamedNode(f"e:{n}"), NamedNode("e:p"), Literal("中\n"), NamedNode(f"e:{n}/{n % 2}") if n else DefaultGraph()
        )
        for n in range(6)
    ]
    text = "".join(f"{quad} .\n" for quad in quads).encode()
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    chunks = [text[start:end] for start, end in pairwise(places)]
    with TemporaryDirectory() as folder:
        written = write_store(Path(folder), [b"", *chunks, b""])
        assert set(written) == set(quads)
        assert count_quads(written) == {"0": 2, "1": 3, "default": 1}


def test_quads_are_counted_by_graph(built: Settings, store: Store) -> None:
    assert count_quads(store.engine) == read_manifest(current_version(built.home)).quads
    for name, size in count_quads(store.engine).items():
        graph = DefaultGraph() if name == "default" else NamedNode(f"https://w3id.org/llmkg/graph/{name}")
        assert sum(1 for _ in store.graph_quads(graph)) == size


# --- the canonical form


def test_the_canonical_form_is_sorted_whatever_the_order() -> None:
    quads = [Quad(NamedNode(f"e:{n}"), NamedNode("e:p"), Literal("中\n"), NamedNode("e:g")) for n in (2, 1, 1)]
    lines = canonical_lines(quads)
    assert lines == ['<e:1> <e:p> "中\\n" <e:g> .', '<e:2> <e:p> "中\\n" <e:g> .']
    assert lines == canonical_lines(reversed(quads))
    assert list(pyoxigraph.parse("\n".join(lines).encode(), pyoxigraph.RdfFormat.N_QUADS)) == [quads[1], quads[0]]
