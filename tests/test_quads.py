"""Records become triples: what is stated, what it is called, and one claim for each statement."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad

from llmkg.build import Assembly, assemble, read_inputs
from llmkg.errors import SourceError
from llmkg.identifiers import entity_iri
from llmkg.identity import Index
from llmkg.inference import compute, infer
from llmkg.namespaces import graph_iri, term
from llmkg.quads import ClaimWriter, Triple, entity_triples, names_of, ontology_triples, source_triples, value_problems
from llmkg.records import ClaimRecord, EntityRecord, Place, SourceRecord, Text
from llmkg.resources import resource_folder
from llmkg.sources.entity_file import read_entity_file

TINY = Path(__file__).parent / "fixtures" / "tiny"
PLACE = Place("data/claims/south-list.yaml", 4, 5)
CLAIM_PARTS = (
    "rdf:subject",
    "rdf:predicate",
    "rdf:object",
    "statedIn",
    "quote",
    "line",
    "qualifier",
    "unit",
    "note",
    "asOf",
    "valueStatus",
)
NIMBUS = entity_iri("model/nimbus-3b")


@pytest.fixture(scope="module")
def writer() -> ClaimWriter:
    inputs = read_inputs(TINY)
    labels = {f"{'model' if e.kind.startswith('model') else e.kind}/{e.slug}": e.labels for e in inputs.entities}
    labels |= {f"source/{source.slug}": source.titles for source in inputs.sources}
    concepts = frozenset({"vocabulary/architecture/transformer", "vocabulary/topic/large-language-model"})
    return ClaimWriter(Index(names_of(inputs.entities)), frozenset(labels), labels, concepts)


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assemble(read_inputs(TINY), resource_folder("ontology"))


@pytest.fixture(scope="module")
def graph(assembly: Assembly) -> list[Quad]:
    return assembly.quads


def said(
    name: str, value: str, about: str = "model/nimbus-3b", qualifiers: tuple[str, ...] = (), **more: str
) -> ClaimRecord:
    """Give a claim of line 4 of the southern list; ``more`` are ``quote``, ``as_of`` and ``note``."""
    quote = more.pop("quote", value[:80])
    return ClaimRecord("south-list", (4,), about, name, value, quote, PLACE, qualifiers, **more)


def literal(text: str, kind: str) -> Literal:
    return Literal(text, datatype=term(f"xsd:{kind}"))


def parts(triples: list[Triple]) -> dict[str, object]:
    """Give the parts of the one claim among ``triples``."""
    claim = next(subject for subject, _, value in triples if value == term("Claim"))
    named = {term(name): name for name in CLAIM_PARTS}
    return {named[predicate]: value for subject, predicate, value in triples if subject == claim and predicate in named}


def plain(triples: list[Triple]) -> list[Triple]:
    return [triple for triple in triples if "/claim/" not in triple[0].value]


# --- what things are ---


def test_an_entity_has_its_classes_names_and_family() -> None:
    record = EntityRecord(
        "model-variant",
        "nimbus-3b",
        (Text("Nimbus-3B", "en"), Text("雨云-3B", "zh")),
        PLACE,
        (Text("N3"),),
        "nimbus",
        "3B",
    )
    assert set(entity_triples(record)) == {
        (NIMBUS, term("kind"), Literal("model-variant")),
        (NIMBUS, term("rdf:type"), term("Model")),
        (NIMBUS, term("rdf:type"), term("ModelVariant")),
        (NIMBUS, term("rdfs:label"), Literal("Nimbus-3B", language="en")),
        (NIMBUS, term("rdfs:label"), Literal("雨云-3B", language="zh")),
        (NIMBUS, term("skos:altLabel"), Literal("N3")),
        (NIMBUS, term("memberOf"), entity_iri("model/nimbus")),
        (NIMBUS, term("nominalSize"), Literal("3B")),
    }


def test_a_license_that_spdx_lists_is_linked_to_it() -> None:
    record = EntityRecord(
        "license", "apache-2.0", (Text("Apache", "en"),), PLACE, external_ids=(("spdx", "Apache-2.0"),)
    )
    linked = (
        entity_iri("license/apache-2.0"),
        term("skos:exactMatch"),
        NamedNode("http://spdx.org/licenses/Apache-2.0"),
    )
    assert linked in set(entity_triples(record))


def test_a_license_says_whether_commercial_use_is_allowed() -> None:
    record = EntityRecord("license", "mit", (Text("MIT", "en"),), PLACE, commercial_use="allowed")
    use = entity_iri("vocabulary/commercial-use/allowed")
    assert (entity_iri("license/mit"), term("commercialUse"), use) in set(entity_triples(record))


def test_a_thing_can_have_several_hub_identifiers_and_each_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(
        "- {slug: nimbus-3b, kind: model-variant, label: {en: Nimbus-3B}, arxiv: 2301.00001, hub: [a/N, b/N]}\n",
        encoding="utf-8",
    )
    (record,) = read_entity_file(path, "data/entities/models.yaml").records
    assert record.external_ids == (("arxiv", "2301.00001"), ("hub", "a/N"), ("hub", "b/N"))
    assert {value for _, name, value in entity_triples(record) if name == term("hubId")} == {
        Literal("a/N"),
        Literal("b/N"),
    }
    assert {(name.text, name.rank) for name in names_of([record])} == {("Nimbus-3B", 0), ("a/N", 1), ("b/N", 1)}


def test_a_retired_entity_says_what_replaces_it() -> None:
    record = EntityRecord("dataset", "drift-1", (Text("Drift 1", "en"),), PLACE, replaced_by="dataset/drift")
    told = {(predicate, value) for _, predicate, value in entity_triples(record)}
    assert told >= {
        (term("owl:deprecated"), literal("true", "boolean")),
        (term("dcterms:isReplacedBy"), entity_iri("dataset/drift")),
    }


def test_a_source_names_its_graph_and_its_priority() -> None:
    record = SourceRecord("west-list", (Text("Western list", "en"),), "en", 3, "by hand", PLACE, lines=7)
    told = {(predicate, value) for _, predicate, value in source_triples(record)}
    assert told >= {
        (term("graph"), graph_iri("west-list")),
        (term("priority"), Literal(3)),
        (term("lineCount"), Literal(7)),
        (term("rdf:type"), term("Source")),
    }


def test_every_entity_alias_and_hub_identifier_is_a_name() -> None:
    names = {(name.path, name.text, name.rank) for name in names_of(read_inputs(TINY).entities)}
    assert names >= {
        ("model/nimbus", "雨云", 0),
        ("model/nimbus", "NIMBUS LM", 1),
        ("model/nimbus-12b", "polar-labs/Nimbus-12B", 1),
    }


def test_the_ontology_comes_without_blank_nodes() -> None:
    triples = list(ontology_triples(resource_folder("ontology")))
    assert triples
    assert not any(isinstance(part, BlankNode) for triple in triples for part in triple)


# --- what is said of them ---


@pytest.mark.parametrize(
    ("name", "value", "about", "meant"),
    [
        ("parameterCount", "30 亿", "model/nimbus-3b", literal("3000000000", "integer")),
        ("parameterCount", "2.7B", "model/nimbus-3b", literal("2700000000", "integer")),
        ("cost", "12.50 USD", "run/nimbus-3b", literal("12.5", "decimal")),
        ("durationHours", "20 minutes", "run/nimbus-3b/sft", literal("0.333333333333", "decimal")),
        ("computeFlop", "3.14x10^23 FLOPs", "run/nimbus-3b", literal("3.14E+23", "double")),
        ("releaseDate", "2023-02-24", "model/nimbus-3b", literal("2023-02-24", "date")),
        ("releaseDate", "2023-02", "model/nimbus-3b", literal("2023-02", "gYearMonth")),
        ("releaseDate", "2023", "model/nimbus-3b", literal("2023", "gYear")),
        ("cased", "false", "model/nimbus-3b", literal("false", "boolean")),
        ("homepage", "https://example.org/雨?a=1", "model/nimbus-3b", literal("https://example.org/雨?a=1", "anyURI")),
        ("feature", " 3.10 ", "model/nimbus-3b", Literal(" 3.10 ")),
        ("developedBy", "极地实验室", "model/nimbus-3b", entity_iri("organization/polar-labs")),
        ("trainedOn", "drift", "model/nimbus-3b", entity_iri("dataset/drift")),
        ("hasArchitecture", "transformer", "model/nimbus-3b", entity_iri("vocabulary/architecture/transformer")),
        ("definition", "a text", "vocabulary/topic/large-language-model", Literal("a text")),
    ],
)
def test_a_value_is_read_as_its_property_says(
    name: str, value: str, about: str, meant: object, writer: ClaimWriter
) -> None:
    triples = writer.triples(said(name, value, about))
    assert plain(triples) == [(entity_iri(about), term(name), meant)]
    assert parts(triples)["rdf:object"] == meant


def test_a_claim_tells_who_says_it_where_and_in_which_words(writer: ClaimWriter) -> None:
    record = said(
        "parameterCount", "约 3B", qualifiers=("reported",), quote="约 3B 参数", as_of="2023-06", note="from a table"
    )
    assert parts(writer.triples(record)) == {
        "rdf:subject": NIMBUS,
        "rdf:predicate": term("parameterCount"),
        "rdf:object": literal("3000000000", "integer"),
        "statedIn": entity_iri("source/south-list"),
        "quote": Literal("约 3B 参数"),
        "line": Literal(4),
        "qualifier": Literal("approximately; reported"),
        "unit": Literal("parameter"),
        "note": Literal("from a table"),
        "asOf": literal("2023-06", "gYearMonth"),
    }


@pytest.mark.parametrize(("word", "status"), [("unknown", "stated-unknown"), ("none", "stated-none")])
@pytest.mark.parametrize("name", ["parameterCount", "license", "homepage"])
def test_stated_to_be_unknown_or_none_is_a_claim_without_a_value(
    word: str, status: str, name: str, writer: ClaimWriter
) -> None:
    triples = writer.triples(said(name, word))
    assert plain(triples) == []
    assert "rdf:object" not in parts(triples)
    assert parts(triples)["valueStatus"] == entity_iri(f"vocabulary/value-status/{status}")


def test_a_claim_keeps_its_iri_unless_what_it_says_changes(writer: ClaimWriter) -> None:
    def iri(record: ClaimRecord) -> NamedNode:
        return writer.triples(record)[0][0]

    first = said("parameterCount", "3B")
    assert iri(first) == iri(said("parameterCount", "30 亿", about="Nimbus-3B", quote="other words"))
    others = (
        said("parameterCount", "3.1B"),
        said("contextLength", "3B"),
        said("parameterCount", "3B", about="nimbus-12b"),
    )
    assert len({iri(first), *map(iri, others)}) == 4


def test_an_event_is_described_in_the_languages_of_its_model(writer: ClaimWriter) -> None:
    described = writer.event_triples(said("acceleratorCount", "8", "run/nimbus/second-run"))
    run = entity_iri("run/nimbus/second-run")
    assert {(predicate, value) for subject, predicate, value in described if subject == run} >= {
        (term("rdf:type"), term("TrainingRun")),
        (term("rdfs:label"), Literal("Training of Nimbus: second run", language="en")),
        (term("rdfs:label"), Literal("雨云的训练: second run", language="zh")),
        (term("trainedModel"), entity_iri("model/nimbus")),
    }
    assert writer.event_triples(said("parameterCount", "3B")) == []


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (said("parameterCount", "3B", "model/nowhere"), "'model/nowhere' names nothing that we know"),
        (said("acceleratorCount", "8", "run/nowhere"), "'run/nowhere' is of no known model"),
        (said("acceleratorCount", "8", "run/nimbus/a b"), "'run/nimbus/a b' has a name that is no slug"),
        (said("acceleratorCount", "8", "run/nimbus/"), "'run/nimbus/' has a name that is no slug"),
        (said("acceleratorCount", "8", "run/nimbus/a/b"), "'run/nimbus/a/b' has a name that is no slug"),
        (said("parametercount", "3B"), "unknown property 'parametercount'"),
        (said("tokenCount", "3B"), "tokenCount is not said of a model"),
        (said("trainedOn", "nimbus"), "'nimbus' names no dataset that we know"),
        (said("hasArchitecture", "lstm"), "no concept 'lstm' in the scheme 'architecture'"),
        (said("cased", "yes"), "'yes' is neither true nor false"),
        (said("parameterCount", "3–7B"), "parameterCount: '3–7B' is a range"),
        (said("parameterCount", "0.5"), "parameterCount: '0.5' is no whole number"),
        (said("parameterCount", "9,223,372,036,854,775,808"), "is larger than 2^63 - 1"),
        (said("homepage", "example.org"), "address 'example.org' is relative"),
        (said("releaseDate", "2023-02-30"), "'2023-02-30' is no date"),
        (said("parameterCount", "3B", as_of="soon"), "'soon' is no date"),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_hint(
    record: ClaimRecord, message: str, writer: ClaimWriter
) -> None:
    with pytest.raises(SourceError) as caught:
        writer.triples(record)
    (problem,) = caught.value.problems
    assert problem.where == "data/claims/south-list.yaml:4:5"
    assert message in problem.message
    assert problem.hint


def test_a_name_of_several_things_is_asked_about(writer: ClaimWriter) -> None:
    names = [
        *names_of(read_inputs(TINY).entities),
        *names_of([EntityRecord("software", "drift", (Text("Drift corpus", "en"),), PLACE)]),
    ]
    unsure = ClaimWriter(Index(names), writer.paths | {"software/drift"}, writer.labels, writer.concepts)
    with pytest.raises(SourceError) as caught:
        unsure.triples(said("feature", "fast", "Drift corpus"))
    assert caught.value.hint == "write one of: dataset/drift, software/drift"


def test_values_can_be_checked_before_names_are_known() -> None:
    records = [
        said("parameterCount", "3–7B", "model/nowhere"),
        said("parameterCount", "unknown", "model/nowhere"),
        said("trainedOn", "nothing known"),
        said("lenght", "1"),
        said("feature", "fast", as_of="soon"),
    ]
    assert [problem.message for problem in value_problems(records)] == [
        "parameterCount: '3–7B' is a range",
        "unknown property 'lenght'",
        "'soon' is no date",
    ]


# --- all together ---


def test_every_plain_triple_of_a_source_has_its_claim_in_the_same_graph(graph: list[Quad]) -> None:
    for name in ("north-list", "south-list"):
        triples = {(q.subject, q.predicate, q.object) for q in graph if q.graph_name == graph_iri(name)}
        claims = {subject for subject, predicate, value in triples if value == term("Claim")}
        claimed = {
            tuple(
                next(v for s, p, v in triples if s == claim and p == term(f"rdf:{part}"))
                for part in ("subject", "predicate", "object")
            )
            for claim in claims
            if any(s == claim and p == term("rdf:object") for s, p, _ in triples)
        }
        assert claimed == {triple for triple in triples if triple[0] not in claims}


def test_the_default_graph_is_the_union_of_the_named_ones_and_what_is_computed_each_triple_once(
    assembly: Assembly,
) -> None:
    quads = assembly.quads
    merged = [(q.subject, q.predicate, q.object) for q in quads if isinstance(q.graph_name, DefaultGraph)]
    named = {(q.subject, q.predicate, q.object) for q in quads if not isinstance(q.graph_name, DefaultGraph)}
    computed = set(compute(assembly.facts))
    assert len(merged) == len(set(merged))
    assert computed
    assert set(merged) == named | computed
    assert not named & computed


def test_what_a_source_could_state_too_is_inferred_in_a_graph_of_its_own(assembly: Assembly) -> None:
    stored = {(q.subject, q.predicate, q.object) for q in assembly.quads if q.graph_name == graph_iri("inferred")}
    assert stored
    assert stored == set(infer(assembly.facts))


def test_no_built_triple_holds_a_blank_node(graph: list[Quad]) -> None:
    assert not any(isinstance(part, BlankNode) for quad in graph for part in (quad.subject, quad.object))
