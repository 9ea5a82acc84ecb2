"""The two engines of SHACL find the same, whole or in chunks, and findings about imported things are counted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from llmkg.chunks import CHUNK, _unnamed, chunks, file_blocks, store_blocks
from llmkg.config import Settings
from llmkg.engines import choose_engine, find_by_pyshacl, find_by_shacl
from llmkg.errors import SourceError
from llmkg.findings import MOST_EXAMPLES, Finding, Tally, joined
from llmkg.home import GRAPH, current_version
from llmkg.identifiers import entity_iri
from llmkg.namespaces import BASE, PREFIXES, term
from llmkg.quads import ontology_triples
from llmkg.reports import report_json, report_text, report_turtle
from llmkg.resources import resource_folder
from llmkg.shapes import Triple, load_shapes, ntriples, reach, read_turtle
from llmkg.store import write_store
from llmkg.validate import validate_store

ONTOLOGY = resource_folder("ontology")
SHAPES = load_shapes(ONTOLOGY / "shapes")
#: of bytes: about 200 triples, so that most of what a thing mentions stands in another chunk
SMALL = 25_000
Break = Callable[[random.Random, Quad], list[Quad]]


def graph_of(quads: list[Quad]) -> pyoxigraph.Store:
    store = pyoxigraph.Store()
    store.bulk_extend(quads)
    return store


@pytest.fixture(scope="module")
def known() -> list[Quad]:
    """Give ontology and vocabularies, as quads of the default graph."""
    return [Quad(*triple, DefaultGraph()) for triple in ontology_triples(ONTOLOGY)]


@pytest.fixture(scope="module")
def shipped(built: Settings) -> list[Quad]:
    """Give the default graph of the packed data."""
    store = pyoxigraph.Store.read_only(str(current_version(built.home) / "store"))
    return list(store.quads_for_pattern(None, None, None, DefaultGraph()))


def assert_equal(store: pyoxigraph.Store, size: int = SMALL) -> Tally:
    reference, found = find_by_pyshacl(store, SHAPES), find_by_shacl(store, SHAPES, size=size)
    assert found.own == reference.own
    assert found.counts == reference.counts
    assert found.examples == reference.examples
    return reference


@pytest.mark.parametrize("folder", ["valid", "invalid"])
@pytest.mark.parametrize("size", [SMALL, CHUNK], ids=["in chunks", "whole"])
def test_both_engines_find_the_same_in_the_examples(known: list[Quad], folder: str, size: int) -> None:
    paths = sorted((ONTOLOGY / "examples" / folder).glob("*.ttl"))
    found = assert_equal(graph_of([*known, *(quad for path in paths for quad in read_turtle(path))]), size)
    assert bool(found.own) == (folder == "invalid")


@pytest.mark.parametrize("size", [SMALL, CHUNK], ids=["in chunks", "whole"])
def test_both_engines_find_nothing_in_the_shipped_graph(built: Settings, size: int) -> None:
    store = pyoxigraph.Store.read_only(str(current_version(built.home) / "store"))
    assert assert_equal(store, size).own == set()


def _dropped(chance: random.Random, quad: Quad) -> list[Quad]:
    return []


def _other_datatype(chance: random.Random, quad: Quad) -> list[Quad]:
    kinds = ("string", "integer", "date", "gYear", "gYearMonth", "boolean", "decimal", "double", "anyURI", "nonsense")
    text = quad.object.value if isinstance(quad.object, Literal | NamedNode) else "x"
    return [_saying(quad, Literal(text, datatype=term(f"xsd:{chance.choice(kinds)}")))]


def _other_language(chance: random.Random, quad: Quad) -> list[Quad]:
    return [
        _saying(
            quad, Literal(str(chance.randint(0, 9)), language=chance.choice(("en", "en-GB", "zh", "zh-Hans", "fr")))
        )
    ]


def _extreme(chance: random.Random, quad: Quad) -> list[Quad]:
    text = chance.choice(("0", "-1", "1", "100000000000000", "9223372036854775807", "99999999999999999999", "1.5"))
    return [quad, _saying(quad, Literal(text, datatype=term(f"xsd:{chance.choice(('integer', 'decimal', 'double'))}")))]


def _odd_text(chance: random.Random, quad: Quad) -> list[Quad]:
    return [
        quad,
        _saying(quad, Literal(chance.choice(("", " ", "x" * 201, "伶" * 200, "😀" * 101, "a\nb", 'q"\\', "é")))),
    ]


def _wrong_thing(chance: random.Random, quad: Quad) -> list[Quad]:
    paths = (
        "license/gpl",
        "model/llama",
        "model/hub/a/b",
        "vocabulary/modality/text",
        "source/nowhere",
        "organization/meta",
    )
    return [_saying(quad, entity_iri(chance.choice(paths)))]


def _blank(chance: random.Random, quad: Quad) -> list[Quad]:
    return [_saying(quad, BlankNode(f"b{chance.randint(0, 9)}"))]


def _wrong_place(chance: random.Random, quad: Quad) -> list[Quad]:
    paths = ("model/llama", "model/hub/a/b", "license/gpl", "source/alpaca-models", "dataset/hub/a/c")
    return [quad, Quad(entity_iri(chance.choice(paths)), quad.predicate, quad.object, DefaultGraph())]


def _other_class(chance: random.Random, quad: Quad) -> list[Quad]:
    classes = (
        "Model",
        "ModelFamily",
        "FineTunedModel",
        "Dataset",
        "Claim",
        "Organization",
        "Descent",
        "Source",
        "Evaluation",
    )
    return [quad, Quad(quad.subject, term("rdf:type"), term(chance.choice(classes)), DefaultGraph())]


def _saying(quad: Quad, value: NamedNode | BlankNode | Literal) -> Quad:
    return Quad(quad.subject, quad.predicate, value, DefaultGraph())


BREAKS: tuple[Break, ...] = (
    _dropped, _other_datatype, _other_language, _extreme, _odd_text, _wrong_thing, _blank, _wrong_place, _other_class,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_both_engines_find_the_same_in_a_graph_that_was_broken_by_chance(
    shipped: list[Quad], seed: int, tmp_path: Path
) -> None:
    """Of the shipped graph 400 triples are broken, each in one of the ways above, in a store on disk or in memory."""
    chance = random.Random(seed)
    ordered = sorted(shipped, key=str)
    # classes and their order are no data: a class that is below itself is for the reasoner
    chosen = {
        quad: chance.choice(BREAKS)(chance, quad)
        for quad in chance.sample([quad for quad in ordered if "/ontology#" not in str(quad.subject)], 400)
    }
    quads = [new for quad in ordered for new in chosen.get(quad, [quad])]
    found = assert_equal(
        write_store(tmp_path / "store", (f"{quad} .\n".encode() for quad in quads)) if seed % 2 else graph_of(quads)
    )
    assert len({finding.rule for finding in found.own}) > 20
    assert found.counts


@pytest.mark.parametrize("held", [0, 10**9], ids=["put by on disk", "held in memory"])
def test_chunks_together_are_the_graph_and_no_thing_is_cut(
    shipped: list[Quad], built: Settings, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr("llmkg.chunks._HELD", held)
    mixed = random.Random(1).sample(shipped, len(shipped))
    lines = sorted(f"{q.subject} {q.predicate} {q.object} ." for q in shipped)
    for blocks in (store_blocks(graph_of(mixed)), file_blocks(current_version(built.home) / GRAPH)):
        texts = list(chunks(blocks, 1_000_000, SMALL))
        assert len(texts) == 41
        subjects = [{line.split(" ")[0] for line in text.splitlines()} for text in texts]
        assert sum(map(len, subjects)) == len(set().union(*subjects))
        assert sorted("".join(texts).splitlines()) == lines


def test_lines_of_named_graphs_are_left_out_and_no_others() -> None:
    graph = f"<{BASE}graph/hub>"
    kept = [
        f"<a> <b> {graph} .",
        f'<a> <b> "x <{BASE}graph/hub> y" .',
        f'<a> <b> "c <{BASE}graph/" .',
        '<a> <b> "c"@en .',
    ]
    named = [f"<a> <b> {graph} {graph} .", f'<a> <b> "x <{BASE}graph/hub> y" {graph} .', f"<a> <b> <c> {graph} ."]
    assert _unnamed("".join(f"{line}\n" for line in [*named, *kept, *named]).encode()).decode().splitlines() == kept


def test_an_empty_graph_has_no_chunks() -> None:
    assert list(chunks(store_blocks(pyoxigraph.Store()), 0)) == []


@pytest.mark.parametrize(
    ("name", "text", "kind", "wrong"),
    [
        ("cased", "maybe", "boolean", True),
        ("cased", "1", "boolean", False),
        ("parameterCount", "007", "integer", False),
        ("parameterCount", "+7", "integer", False),
        ("parameterCount", "7.0", "integer", True),
        ("parameterCount", "9223372036854775808", "integer", True),
        ("releaseDate", "2023-02-30", "date", True),
        ("releaseDate", "2023-13", "gYearMonth", False),  # neither engine reads months; the build does
        ("releaseDate", "23", "gYear", False),  # nor years
        ("releaseDate", "2023-02-24Z", "date", False),
        ("homepage", "https://e.org/a b", "anyURI", True),
    ],
)
def test_both_engines_read_a_value_alike(known: list[Quad], name: str, text: str, kind: str, wrong: bool) -> None:
    model = entity_iri("model/x")
    value = Quad(model, term(name), Literal(text, datatype=term(f"xsd:{kind}")), DefaultGraph())
    found = assert_equal(graph_of([*known, value]))
    assert bool(found.own) == wrong


def test_white_space_around_a_number_is_wrong_to_one_engine_only(known: list[Quad]) -> None:
    """RDF 1.1 leaves it open whether " 7" is an integer; this fails when the engines come to agree."""
    value = Quad(
        entity_iri("model/x"), term("parameterCount"), Literal(" 7", datatype=term("xsd:integer")), DefaultGraph()
    )
    store = graph_of([*known, value])
    assert find_by_pyshacl(store, SHAPES).own == set()
    assert {finding.rule for finding in find_by_shacl(store, SHAPES).own} == {"parameterCount"}


def test_our_shapes_look_no_further_than_at_a_thing_and_the_classes_of_its_values() -> None:
    seen = reach(SHAPES)
    assert seen.further == ()
    assert term("license").value in seen.paths
    assert term("releaseDate").value not in seen.paths
    assert term("basedOn").value in seen.paths, "classes stand in shapes within sh:or, too"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("sh:path [ sh:inversePath llmkg:license ]", "e.org/shape has a sh:path that is not one property"),
        ("sh:path ( llmkg:license rdf:type )", "e.org/shape has a sh:path that is not one property"),
        ("sh:path [ sh:zeroOrMorePath llmkg:license ]", "e.org/shape has a sh:path that is not one property"),
        ("sh:path [ sh:alternativePath ( llmkg:license llmkg:doi ) ]", "e.org/shape has a sh:path that is not one property"),
        ("sh:targetObjectsOf llmkg:license", "e.org/shape has sh:targetObjectsOf"),
        ("sh:targetNode llmkg:license", "e.org/shape has sh:targetNode"),
        ('sh:sparql [ sh:select "SELECT $this {}" ]', "e.org/shape has sh:sparql"),
        ("sh:qualifiedValueShapesDisjoint true", "e.org/shape has sh:qualifiedValueShapesDisjoint"),
        ("sh:targetSubjectsOf rdf:type", "e.org/shape is about all that has a class"),
        ("sh:path rdf:type ; sh:maxCount 2", "e.org/shape says more of classes than which must be there"),
        ("a rdfs:Class", "e.org/shape is a class, and so the target of itself"),
        ("sh:path llmkg:license ; sh:property [ sh:path rdf:type ]", "e.org/shape looks at the properties of values"),
        ("sh:path llmkg:license ; sh:or ( [ sh:path rdf:type ] )", "e.org/shape looks at the properties of values"),
        ("sh:path llmkg:license ; sh:node [ sh:not [ sh:path rdf:type ] ]", "e.org/shape looks at the properties of values"),
    ],
)  # fmt: skip
def test_a_shape_that_looks_further_is_refused(known: list[Quad], rule: str, reason: str) -> None:
    prefixes = "".join(f"PREFIX {name}: <{PREFIXES[name]}>\n" for name in ("sh", "llmkg", "rdf", "rdfs"))
    text = f"{prefixes}<https://e.org/shape> {rule} ."
    shapes: list[Triple] = [
        (quad.subject, quad.predicate, quad.object)
        for quad in pyoxigraph.parse(text.encode(), pyoxigraph.RdfFormat.TURTLE)
    ]
    assert any(reason in found for found in reach(shapes).further)
    with pytest.raises(SourceError, match="no large graph can be cut"):
        find_by_shacl(graph_of(known), shapes)


def hub(number: int) -> list[Quad]:
    """Give ``number`` imported models with a date that is none and with parameters that they cannot have."""
    quads = []
    for index in range(number):
        model = entity_iri(f"model/hub/a/m{index:03}")
        said: dict[str, NamedNode | Literal] = {
            "rdf:type": term("Model"), "rdfs:label": Literal(f"a/m{index}", language="en"), "releaseDate": Literal("soon"),
            "kind": Literal("model-variant"), "license": entity_iri("license/nowhere"),
        }  # fmt: skip
        quads += [Quad(model, term(name), value, DefaultGraph()) for name, value in said.items()]
        quads.append(Quad(model, term("rdf:type"), term("ModelVariant"), DefaultGraph()))
    return quads


@pytest.mark.parametrize("engine", ["pyshacl", "shacl"])
def test_findings_about_imported_things_are_counted_and_never_fail(known: list[Quad], engine: str) -> None:
    report = validate_store(graph_of([*known, *hub(50)]), ONTOLOGY, engine)
    assert report.findings == ()
    assert report.conforms
    counts = {counted.rule: counted.count for counted in report.imported}
    assert counts == {"releaseDate": 50, "license": 50}
    assert report.count("Warning") == 100
    assert {counted.severity for counted in report.imported} == {"Warning"}
    assert [finding.focus[-4:] for finding in report.imported[-1].examples] == [
        f"m{n:03}" for n in range(MOST_EXAMPLES)
    ]
    text = report_text(report)
    assert "warning releaseDate: 50 times, of imported things" in text
    assert "  for example model/hub/a/m000 releaseDate, found: soon" in text
    assert "conforms: 0 violations, 100 warnings (" in text
    assert json.loads(report_json(report))["imported"][1]["count"] == 50
    assert "Warning releaseDate: 50 results about imported things, 20 given" in report_turtle(report)


def test_a_violation_of_ours_fails_beside_imported_things(known: list[Quad]) -> None:
    ours = Quad(entity_iri("model/ours"), term("releaseDate"), Literal("soon"), DefaultGraph())
    report = validate_store(graph_of([*known, *hub(3), ours]), ONTOLOGY, "shacl")
    assert not report.conforms
    assert [finding.focus for finding in report.findings] == [ours.subject.value]  # type: ignore[union-attr]


def test_the_engine_fits_the_size_of_the_graph(monkeypatch: pytest.MonkeyPatch, known: list[Quad]) -> None:
    store = graph_of(known)
    assert choose_engine(store, "auto") == "pyshacl"
    monkeypatch.setattr("llmkg.engines._LARGE", 100)
    assert choose_engine(store, "auto") == "shacl"
    assert choose_engine(store, "pyshacl") == "pyshacl"
    assert validate_store(store, ONTOLOGY).engine == "shacl, and the checks by pyoxigraph"
    assert validate_store(store, ONTOLOGY, "pyshacl").engine == "pySHACL, and the checks by pyoxigraph"


def test_a_tally_is_the_same_in_whatever_order_findings_come() -> None:
    findings = [
        Finding(
            "Violation",
            f"rule-{n % 3}",
            f"https://w3id.org/llmkg/{'model/hub/a' if n % 4 else 'model'}/m{n}",
            "",
            "",
            "m",
        )
        for n in range(300)
    ]
    forward, parts = Tally(), [Tally() for _ in range(7)]
    forward.add(findings)
    mixed = random.Random(1).sample(findings, len(findings))
    for index, part in enumerate(parts):
        part.add(mixed[index::7])
    merged = Tally()
    for part in parts:
        merged.merge(part)
    assert merged.report("x") == forward.report("x")
    assert joined([part.report("x") for part in parts]) == forward.report("x")


def test_the_engines_read_the_same_shapes() -> None:
    assert len(ntriples(SHAPES).splitlines()) == len(SHAPES)
    assert Path(ONTOLOGY / "shapes").is_dir()
