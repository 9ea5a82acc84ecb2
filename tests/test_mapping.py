"""The property table and the ontology say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import OWL, RDF, RDFS, SKOS

from llmkg.mapping import LINEAGE, PROPERTIES, PropertyRule
from llmkg.namespaces import BASE, LLMKG, PREFIXES
from llmkg.resources import resource_folder

LLM = rdflib.Namespace(LLMKG)
ROOT = Path(__file__).parents[1]
DATATYPES = {
    "text": "string",
    "integer": "integer",
    "decimal": "decimal",
    "double": "double",
    "boolean": "boolean",
    "url": "anyURI",
}


@pytest.fixture(scope="module")
def ontology() -> rdflib.Graph:
    return rdflib.Graph().parse(resource_folder("ontology") / "llmkg.ttl")


@pytest.mark.parametrize("rule", PROPERTIES.values(), ids=lambda rule: rule.name)
def test_a_property_is_in_the_ontology_with_its_kind_of_value_and_unit(
    rule: PropertyRule, ontology: rdflib.Graph
) -> None:
    term = LLM[rule.name]
    kinds = set(ontology.objects(term, RDF.type))
    is_object = rule.value in ("entity", "concept")
    assert (OWL.ObjectProperty if is_object else OWL.DatatypeProperty) in kinds
    assert [str(value) for value in ontology.objects(term, LLM.valueType)] == [rule.value]
    assert [str(value) for value in ontology.objects(term, LLM.unitLabel)] == ([rule.unit] if rule.unit else [])
    if rule.value in DATATYPES:
        assert list(ontology.objects(term, RDFS.range)) == [rdflib.URIRef(PREFIXES["xsd"] + DATATYPES[rule.value])]


def test_the_kinds_of_lineage_are_the_sub_properties_of_derived_from(ontology: rdflib.Graph) -> None:
    below = {str(term).removeprefix(LLMKG) for term in ontology.subjects(RDFS.subPropertyOf, LLM.derivedFrom)}
    assert below | {"derivedFrom"} == set(LINEAGE)


def test_every_term_has_labels_in_two_languages_a_definition_and_an_example(ontology: rdflib.Graph) -> None:
    own = {s for s in ontology.subjects(RDFS.isDefinedBy, None) if str(s).startswith(LLMKG)}
    typed = {s for s in ontology.subjects(RDF.type, None) if str(s).startswith(LLMKG)}
    assert own == typed
    for term in sorted(own, key=str):
        languages = sorted(str(label.language) for label in ontology.objects(term, RDFS.label))  # type: ignore[attr-defined]
        assert languages == ["en", "zh"], term
        assert len(list(ontology.objects(term, SKOS.definition))) == 1, term


def test_every_concept_scheme_of_the_table_is_a_vocabulary() -> None:
    schemes = {rule.targets[0] for rule in PROPERTIES.values() if rule.value == "concept"}
    files = {path.stem for path in (resource_folder("ontology") / "vocabularies").glob("*.ttl")}
    assert schemes <= files


def test_one_base_and_one_table_of_prefixes_hold_in_every_file() -> None:
    declared = re.compile(r"^(?:@prefix|PREFIX)\s+([\w-]*):\s+<([^>]+)>", re.MULTILINE)
    paths = [*resource_folder("ontology").rglob("*.ttl"), *resource_folder("ontology").rglob("*.rq")]
    for path in [*paths, *resource_folder("queries").rglob("*.rq")]:
        for prefix, iri in declared.findall(path.read_text(encoding="utf-8")):
            assert PREFIXES.get(prefix, iri) == iri, f"{path.name}: {prefix}"
            if "llmkg" in iri:
                assert iri.startswith(BASE), path.name
