"""Exports and pictures: the same bytes each time, sorted, read alike by two libraries, and a graph can be built from them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyoxigraph
import pytest
import rdflib
from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, RdfFormat

from llmkg.build import rebuild
from llmkg.config import Settings
from llmkg.diagrams import FORMATS as PICTURES
from llmkg.errors import QueryError, SourceError
from llmkg.export import FORMATS, export
from llmkg.graph import connect
from llmkg.home import current_version, verify
from llmkg.store import Store

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Terms = tuple[object, ...]
Tree = dict[str, Any]
Exported = Callable[[str, str], str]

LLAMA = NamedNode("https://w3id.org/llmkg/model/llama")
SCOPES: dict[str, dict[str, Any]] = {"graph": {}, "source": {"source": "alpaca-models"}, "entity": {"entity": LLAMA}}
WITH_GRAPHS = ("nq", "trig")
ONTOLOGY = "https://w3id.org/llmkg/ontology#"
#: things, properties and classes that only a build makes, and that stand in the default graph alone
COMPUTED_THING = re.compile(r"<https://w3id\.org/llmkg/(conflict|coverage|derivation|descent|repair-rule)/")
COMPUTED = set(
    """
    aliasList ancestor childCount claimCount descendantCount entityCount inheritedCommercialUse instanceCount lineageDepth
    modelCount namedDescendantCount onlyHereCount propertyCount quadCount rootModel sourceList statementCount workCount
    BaseModel ContinuedPretrainedModel DerivedModel FineTunedModel QuantizedModel
    """.split()
)
READERS = {
    "ttl": (RdfFormat.TURTLE, "turtle"),
    "nt": (RdfFormat.N_TRIPLES, "nt"),
    "nq": (RdfFormat.N_QUADS, "nquads"),
    "trig": (RdfFormat.TRIG, "trig"),
    "jsonld": (RdfFormat.JSON_LD, "json-ld"),
}
#: prints the hash of every format and scope, and of every picture
ALL_HASHES = """
import hashlib, json, llmkg, pyoxigraph
from llmkg.diagrams import FORMATS as PICTURES
from llmkg.export import FORMATS, export
kg = llmkg.open({home!r})
scopes = {{"graph": {{}}, "source": {{"source": "alpaca-models"}}, "entity": {{"entity": pyoxigraph.NamedNode({llama!r})}}}}
context = kg.settings.ontology / "context.jsonld"
texts = {{f"{{scope}} {{form}}": export(kg.endpoint, form, context, **what) for form in FORMATS for scope, what in scopes.items()}}
for up in (False, True):
    for form in PICTURES:
        texts[f"{{up}} {{form}}"] = kg.lineage("WizardLM" if up else "LLaMA", up).draw(form)
print(json.dumps({{name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}}))
"""


@pytest.fixture(scope="module")
def exported(built: Settings, store: Store) -> Exported:
    """Give a function that exports a scope in a format, once."""

    @cache
    def make(form: str, scope: str) -> str:
        what = SCOPES[scope]
        return export(store, form, built.ontology / "context.jsonld", **what)

    return make


def normal(quads: Iterable[Quad]) -> set[Quad]:
    """Give quads as the store keeps them: it rewrites literals by value."""
    store = pyoxigraph.Store()
    store.bulk_extend(quads)
    return set(store)


def expected(store: Store, form: str, scope: str) -> set[Quad]:
    if scope == "entity":
        text = export(store, "nt", Path(), entity=LLAMA)
        return normal(pyoxigraph.parse(text.encode(), RdfFormat.N_TRIPLES))
    graph = NamedNode("https://w3id.org/llmkg/graph/alpaca-models") if scope == "source" else DefaultGraph()
    found = set(store.quads()) if form in WITH_GRAPHS and scope == "graph" else set(store.graph_quads(graph))
    return found if form in WITH_GRAPHS else {Quad(q.subject, q.predicate, q.object) for q in found}


# --- the graph itself


def test_built_data_has_no_blank_nodes(store: Store) -> None:
    for quad in store.quads():
        assert not any(
            isinstance(part, BlankNode) for part in (quad.subject, quad.predicate, quad.object, quad.graph_name)
        )


def is_computed(triple: Terms) -> bool:
    """Tell whether only a build says so; the ontology itself speaks of its terms."""
    subject, *rest = map(str, triple)
    names = {text.removeprefix(f"<{ONTOLOGY}").removesuffix(">") for text in rest}
    if COMPUTED & names and subject.startswith(f"<{ONTOLOGY}"):
        return f"<{ONTOLOGY}instanceCount>" in rest
    return bool(COMPUTED & names or COMPUTED_THING.match(subject))


def test_the_default_graph_is_the_union_of_all_named_graphs_and_of_what_only_a_build_makes(store: Store) -> None:
    merged: set[Terms] = set()
    named: set[Terms] = set()
    for quad in store.quads():
        (merged if isinstance(quad.graph_name, DefaultGraph) else named).add(
            (quad.subject, quad.predicate, quad.object)
        )
    assert named <= merged
    assert {triple for triple in merged if is_computed(triple)} == merged - named


def test_what_is_inferred_is_in_no_source_graph(store: Store) -> None:
    inferred = set(store.graph_quads(NamedNode("https://w3id.org/llmkg/graph/inferred")))
    assert inferred
    properties = {quad.predicate.value.rpartition("#")[2] for quad in inferred}
    assert properties == {"label", "comparedWith", "derivedFrom"}, "what a source could state too, and no more"
    homes = {
        name: {str(quad.graph_name) for quad in store.quads() if quad.predicate.value == f"{ONTOLOGY}{name}"}
        for name in ("ancestor", "comparedWith")
    }
    assert homes == {
        "ancestor": {"DEFAULT"},
        "comparedWith": {"DEFAULT", "<https://w3id.org/llmkg/graph/inferred>"},
    }


# --- the same bytes


def test_another_process_with_another_hash_seed_writes_the_same_bytes(
    built: Settings, exported: Exported, environment: Callable[..., dict[str, str]]
) -> None:
    seed = str(1 + int(os.environ.get("PYTHONHASHSEED", "0").replace("random", "0")))
    there = subprocess.run(
        [sys.executable, "-c", ALL_HASHES.format(home=str(built.home), llama=LLAMA.value)],
        capture_output=True,
        encoding="utf-8",
        env=environment(more={"PYTHONHASHSEED": seed}),
        check=True,
    )
    texts = {f"{scope} {form}": exported(form, scope) for form in FORMATS for scope in SCOPES}
    kg = connect(built)
    for up in (False, True):
        for form in PICTURES:
            texts[f"{up} {form}"] = kg.lineage("WizardLM" if up else "LLaMA", up).draw(form)
    here = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    assert json.loads(there.stdout) == here


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("form", FORMATS)
def test_an_export_holds_no_clock_and_no_path(exported: Exported, built: Settings, form: str, scope: str) -> None:
    text = exported(form, scope)
    assert text.endswith("\n")
    assert "\r" not in text
    assert str(built.home) not in text
    assert str(Path.home()) + "/" not in text
    assert "_:" not in text


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("form", ["nt", "nq"])
def test_lines_are_sorted_and_stand_once(exported: Exported, form: str, scope: str) -> None:
    lines = exported(form, scope).splitlines()
    assert lines == sorted(set(lines))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("form", ["ttl", "trig"])
def test_prefixes_graphs_and_subjects_are_sorted(exported: Exported, form: str, scope: str) -> None:
    text = exported(form, scope)
    lines = text.splitlines()
    prefixes = [line for line in lines if line.startswith("@prefix ")]
    assert prefixes
    assert lines[: len(prefixes)] == sorted(set(prefixes))
    quads = list(pyoxigraph.parse(text.encode(), READERS[form][0]))
    order = [("" if q.graph_name == DefaultGraph() else str(q.graph_name), str(q.subject)) for q in quads]
    assert order == sorted(order)


@pytest.mark.parametrize("scope", SCOPES)
def test_json_ld_is_sorted(exported: Exported, scope: str) -> None:
    def check(node: object) -> None:
        if isinstance(node, dict):
            assert list(node) == sorted(node)
            for key, value in node.items():
                if key != "@context":
                    check(value)
        elif isinstance(node, list):
            keys = [json.dumps(item, sort_keys=True) for item in node]
            assert keys == sorted(keys)
            for item in node:
                check(item)

    check(json.loads(exported("jsonld", scope)))


# --- two libraries read the same


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("form", FORMATS)
def test_pyoxigraph_reads_back_what_was_exported(store: Store, exported: Exported, form: str, scope: str) -> None:
    quads = list(pyoxigraph.parse(exported(form, scope).encode(), READERS[form][0]))
    assert normal(quads) == expected(store, form, scope)
    assert len(quads) == len(set(quads))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("form", FORMATS)
def test_rdflib_reads_back_what_was_exported(store: Store, exported: Exported, form: str, scope: str) -> None:
    data = rdflib.Dataset()
    data.parse(data=exported(form, scope), format=READERS[form][1])
    lines = data.serialize(format="nquads")
    assert normal(pyoxigraph.parse(lines.encode(), RdfFormat.N_QUADS)) == expected(store, form, scope)


def test_an_entity_comes_with_its_claims_and_the_labels_of_what_it_names(store: Store, exported: Exported) -> None:
    quads = list(pyoxigraph.parse(exported("nt", "entity").encode(), RdfFormat.N_TRIPLES))
    whole = {(q.subject, q.predicate, q.object) for q in store.graph_quads(DefaultGraph())}
    assert {(q.subject, q.predicate, q.object) for q in quads} <= whole
    assert {(q.subject, q.predicate, q.object) for q in store.pattern(LLAMA, None, None)} <= {
        (q.subject, q.predicate, q.object) for q in quads
    }
    assert any("/claim/" in str(q.subject) for q in quads)
    assert len(quads) < len(whole) / 4


# --- a graph can be built from an export


@pytest.mark.parametrize("form", WITH_GRAPHS)
def test_a_graph_built_from_an_export_has_the_same_hash(built: Settings, run: Run, tmp_path: Path, form: str) -> None:
    dump, home = tmp_path / f"graph.{form}", tmp_path / "home"
    assert run("export", "--format", form, "--output", str(dump)).returncode == 0
    done = run("build", "--no-validate", "--from", str(dump), "--format", "json", home=home)
    assert done.returncode == 0, done.stderr
    here = verify(built.home)
    assert json.loads(done.stdout)["hash"] == here.hash == verify(home).hash
    assert verify(home).quads == here.quads
    assert set(verify(home).inputs) == {dump.name}
    again = run("export", "--format", form, home=home)
    assert again.stdout == dump.read_text(encoding="utf-8")


def test_the_hash_is_that_of_the_n_quads(built: Settings, exported: Exported) -> None:
    assert hashlib.sha256(exported("nq", "graph").encode()).hexdigest() == verify(built.home).hash


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("graph.ttl", "<e:s> <e:p> <e:o> .", "is neither .nq nor .trig"),
        ("graph.nq", "<e:s> <e:p> <e:o> .\n<e:s> oops", "graph.nq:2:"),
        ("graph.trig", "<e:g> { <e:s> <e:p> ", "graph.trig:1:"),
        ("graph.nq", "", "is empty"),
        ("graph.nq", None, "does not exist"),
    ],
)
def test_a_dump_that_is_none_is_told_and_changes_nothing(
    small: Settings, tmp_path: Path, name: str, text: str | None, told: str
) -> None:
    before = current_version(small.home)
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        rebuild(small, tmp_path / name)
    assert told in str(raised.value)
    assert current_version(small.home) == before


def test_a_dump_with_blank_nodes_is_refused(small: Settings, tmp_path: Path) -> None:
    """With them the sorted lines would be no canonical form, and the hash would mean nothing."""
    dump = tmp_path / "graph.nq"
    dump.write_text("<e:s> <e:p> <e:o> .\n<e:s> <e:p> _:b .\n", encoding="utf-8")
    with pytest.raises(SourceError, match="blank node"):
        rebuild(small, dump)


# --- the command


def test_the_command_exports_what_the_function_does(run: Run, exported: Exported, tmp_path: Path) -> None:
    assert run("export", "LLaMA").stdout == exported("ttl", "entity")
    assert run("export", "--format", "nq", "--source", "alpaca-models").stdout == exported("nq", "source")
    path = tmp_path / "graph.trig"
    done = run("export", "-f", "trig", "-o", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"wrote {path}\n")
    assert path.read_text(encoding="utf-8") == exported("trig", "graph")


def test_an_unknown_source_is_told(store: Store, run: Run) -> None:
    with pytest.raises(QueryError, match="no source graph 'alpaca'"):
        export(store, "nt", Path(), source="alpaca")
    assert run("export", "--source", "alpaca").returncode == 5
    assert run("export", "LLaMA", "--source", "alpaca-models").returncode == 2
    assert run("export", "--format", "rdfxml").returncode == 2


def test_output_into_a_pipe_a_link_or_a_missing_folder(run: Run, exported: Exported, tmp_path: Path) -> None:
    pipe, link, real = tmp_path / "pipe", tmp_path / "link", tmp_path / "real.ttl"
    os.mkfifo(pipe)
    read: list[str] = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    thread.start()
    assert run("export", "LLaMA", "--output", str(pipe)).returncode == 0
    thread.join(timeout=30)
    assert pipe.is_fifo()
    assert read == [exported("ttl", "entity")]
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    assert run("export", "LLaMA", "--output", str(link)).returncode == 0
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == exported("ttl", "entity")
    for path in (tmp_path / "no" / "x.ttl", tmp_path):
        done = run("export", "LLaMA", "--output", str(path))
        assert done.returncode == 10
        assert "cannot be written" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "link", "real.ttl"}


# --- pictures of lineage


@pytest.fixture(scope="module")
def drawn(built: Settings) -> Callable[..., str]:
    kg = connect(built)

    @cache
    def draw(form: str, model: str = "LLaMA") -> str:
        return kg.lineage(model).draw(form)

    return draw


@pytest.fixture(scope="module")
def tree(drawn: Callable[..., str]) -> Tree:
    """Give the lineage as JSON has it, with which the other formats are compared."""
    found: Tree = json.loads(drawn("json"))
    return found


def test_the_json_of_a_lineage_is_a_sound_graph(tree: Tree) -> None:
    ids = [node["id"] for node in tree["nodes"]]
    assert tree["root"] in ids
    assert len(ids) == len(set(ids)) > 40
    for edge in tree["edges"]:
        assert {edge["parent"], edge["child"]} <= set(ids)
        assert edge["relation"].endswith(("From", "Of"))
        assert edge["evidence"] in ("stated", "inherited", "family")
        assert int(edge["distance"]) >= 1
    stated = [edge for edge in tree["edges"] if edge["evidence"] == "stated"]
    assert all(re.fullmatch(r"[a-z0-9-]+:\d+", place) for edge in stated for place in edge["sources"])


def test_graphml_is_xml_with_typed_keys(drawn: Callable[..., str], tree: Tree) -> None:
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ElementTree.fromstring(drawn("graphml"))
    assert root.tag == space + "graphml"
    keys = {key.get("id"): (key.get("for"), key.get("attr.type")) for key in root.iter(space + "key")}
    assert set(keys.values()) <= {(on, kind) for on in ("node", "edge") for kind in ("string", "int")}
    assert keys["distance"] == ("edge", "int")
    nodes, edges = list(root.iter(space + "node")), list(root.iter(space + "edge"))
    assert sorted(node.get("id", "") for node in nodes) == sorted(node["id"] for node in tree["nodes"])
    assert len(edges) == len(tree["edges"])
    for on, things in (("node", nodes), ("edge", edges)):
        for thing in things:
            for data in thing.iter(space + "data"):
                assert keys[data.get("key")][0] == on
                assert keys[data.get("key")][1] == "string" or str(int(data.text or "")) == data.text
    assert {(edge.get("source"), edge.get("target")) for edge in edges} == {
        (edge["parent"], edge["child"]) for edge in tree["edges"]
    }


def test_svg_is_xml_in_which_nothing_stands_outside(drawn: Callable[..., str], tree: Tree) -> None:
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(drawn("svg"))
    assert root.tag == space + "svg"
    title = root.find(space + "title")
    assert title is not None
    assert title.text == "Lineage of LLaMA"
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for box in root.iter(space + "rect"):
        assert 0 <= float(box.get("x", "0")) <= width - float(box.get("width", "0"))
        assert 0 <= float(box.get("y", "0")) <= height - float(box.get("height", "0"))
    labels = " ".join(element.text or "" for element in root.iter(space + "title"))
    for node in tree["nodes"]:
        if node["id"] in ("model/alpaca", "model/vicuna", "model/linly"):
            assert node["label"] in labels
    assert not list(root.iter(space + "script"))


def test_dot_names_each_node_and_edge_once(drawn: Callable[..., str], tree: Tree) -> None:
    lines = drawn("dot").splitlines()
    assert (lines[0], lines[-1]) == ("digraph lineage {", "}")
    text = r'"((?:[^"\\]|\\.)*)"'
    nodes = [found[1] for line in lines if (found := re.fullmatch(rf"  {text} \[label={text}\];", line))]
    edges = [
        (found[1], found[2])
        for line in lines
        if (
            found := re.fullmatch(
                rf'  {text} -> {text} \[label={text}, style=(?:solid|dashed), color="#\w{{6}}"\];', line
            )
        )
    ]
    assert nodes == [node["id"] for node in tree["nodes"]]
    assert edges == [(edge["parent"], edge["child"]) for edge in tree["edges"]]
    assert len(lines) == len(nodes) + len(edges) + 4


def test_mermaid_names_each_node_and_edge_once(drawn: Callable[..., str], tree: Tree) -> None:
    lines = drawn("mermaid").splitlines()
    assert lines[0] == "flowchart LR"
    nodes = [found[1] for line in lines if (found := re.fullmatch(r'  (n\d+)\["[^"\[\]]+"\]', line))]
    edges = [found for line in lines if (found := re.fullmatch(r'  (n\d+) (?:-->|-\.->)\|"[^"|]+"\| (n\d+)', line))]
    assert len(nodes) == len(set(nodes)) == len(tree["nodes"])
    assert len(edges) == len(tree["edges"])
    assert {end for found in edges for end in found.groups()} <= set(nodes)
    assert len(lines) == 1 + len(nodes) + len(edges)


@pytest.mark.parametrize("form", PICTURES)
def test_the_command_draws_what_python_draws(run: Run, drawn: Callable[..., str], form: str) -> None:
    done = run("lineage", "LLaMA", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == drawn(form)
    assert done.stdout.endswith("\n")


@pytest.mark.parametrize("form", PICTURES)
def test_a_model_without_descendants_can_be_drawn(drawn: Callable[..., str], form: str) -> None:
    text = drawn(form, "HuaTuo")
    assert "HuaTuo" in text
    if form in ("svg", "graphml"):
        ElementTree.fromstring(text)
    if form == "json":
        assert json.loads(text)["edges"] == []
