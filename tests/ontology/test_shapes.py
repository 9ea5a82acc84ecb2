"""Every rule of shapes and checks is caught failing by an invalid example, and the valid ones conform (P17)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pyoxigraph
import pytest
import rdflib
from pyoxigraph import DefaultGraph, Quad
from rdflib.namespace import SH

from llmkg.config import Settings
from llmkg.errors import SourceError
from llmkg.home import current_version
from llmkg.identifiers import entity_iri
from llmkg.namespaces import term
from llmkg.quads import ontology_triples
from llmkg.reports import report_json, report_text, report_turtle
from llmkg.resources import resource_folder
from llmkg.shapes import load_shapes, read_turtle
from llmkg.store import open_store
from llmkg.validate import load_checks, validate_file, validate_store

ONTOLOGY = resource_folder("ontology")
VALID = sorted((ONTOLOGY / "examples" / "valid").glob("*.ttl"))
INVALID = sorted((ONTOLOGY / "examples" / "invalid").glob("*.ttl"))
EXPECTED = {path: re.match(r"# caught-by: (\S+)\n", path.read_text(encoding="utf-8")) for path in INVALID}


def union(paths: list[Path]) -> tuple[pyoxigraph.Store, dict[str, set[Path]]]:
    """Give one store with all examples, and which file describes a subject."""
    store = pyoxigraph.Store()
    store.bulk_extend(Quad(*triple, DefaultGraph()) for triple in ontology_triples(ONTOLOGY))
    owners: dict[str, set[Path]] = defaultdict(set)
    for path in paths:
        quads = read_turtle(path)
        store.bulk_extend(quads)
        for quad in quads:
            owners[quad.subject.value].add(path)  # type: ignore[union-attr]
    return store, owners


@pytest.fixture(scope="module")
def caught() -> dict[Path, set[str]]:
    """Give the rules that find something in each invalid example; all are validated at once, as none shares a subject."""
    store, owners = union(INVALID)
    assert [name for name, files in owners.items() if len(files) > 1] == []
    found: dict[Path, set[str]] = defaultdict(set)
    for finding in validate_store(store, ONTOLOGY).findings:
        for path in owners.get(finding.focus, ()):
            found[path].add(finding.rule)
    return found


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_is_caught_by_the_rule_that_it_names(caught: dict[Path, set[str]], path: Path) -> None:
    expected = EXPECTED[path]
    assert expected is not None, "the first line must be '# caught-by: <rule>'"
    assert caught[path] == {expected[1]}


def test_the_valid_examples_conform() -> None:
    store, _ = union(VALID)
    assert validate_store(store, ONTOLOGY).findings == ()


@pytest.mark.parametrize("path", VALID[:3] + VALID[-3:], ids=lambda path: path.stem)
def test_a_valid_example_conforms_alone(path: Path) -> None:
    assert validate_file(path, ONTOLOGY).conforms


def test_every_shape_and_every_check_has_an_invalid_example() -> None:
    shapes = rdflib.Graph()
    for path in (ONTOLOGY / "shapes").glob("*.ttl"):
        shapes.parse(path)
    reporting = {s for p in (SH.targetClass, SH.targetSubjectsOf, SH.targetObjectsOf) for s in shapes.subjects(p, None)}
    reporting |= set(shapes.objects(None, SH.property))
    named = {str(shape).rpartition("#")[2] for shape in reporting if isinstance(shape, rdflib.URIRef)}
    named = {
        name
        for name in named
        if list(shapes.objects(rdflib.URIRef(f"https://w3id.org/llmkg/shapes#{name}"), SH.message))
    }
    checks = {check.name for check in load_checks(ONTOLOGY / "checks")}
    told = {match[1] for match in EXPECTED.values() if match}
    assert (named | checks) - told == set()


@pytest.mark.parametrize("name", ["concept-undefined", "entity-undefined"])
def test_every_link_is_followed_by_a_shape_or_by_a_check(name: str) -> None:
    ontology = resource_folder("ontology")
    parts: dict[object, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for subject, part, value in load_shapes(ontology / "shapes"):
        parts[subject][part.value.rpartition("#")[2]].add(getattr(value, "value", ""))
    asked = {
        path
        for shape in parts.values()
        for path in shape["path"]
        if shape["class"] and (path in shape["targetSubjectsOf"] or shape["targetClass"])
    }
    links = {subject for subject, _, value in ontology_triples(ontology) if value == term("owl:ObjectProperty")}
    (check,) = (check for check in load_checks(ontology / "checks") if check.name == name)
    followed = {term(name) for name in re.findall(r"llmkg:\w+", check.text.partition("VALUES")[2].partition("}")[0])}
    assert {link.value for link in links - followed} <= asked


@pytest.mark.parametrize("broken", ["sh:minCount 1", "sh:datatype xsd:integer", "sh:severity sh:Violation"])
def test_a_misspelt_term_of_shacl_is_an_error(tmp_path: Path, broken: str) -> None:
    text = (ONTOLOGY / "shapes" / "model.ttl").read_text(encoding="utf-8") + (
        ONTOLOGY / "shapes" / "shared.ttl"
    ).read_text(encoding="utf-8")
    assert broken in text
    term = broken.split()[0]
    (tmp_path / "model.ttl").write_text(
        text.replace(broken, broken.replace(term, term.lower() + "x"), 1), encoding="utf-8"
    )
    with pytest.raises(SourceError, match=f"SHACL has no term {term.lower()}x"):
        load_shapes(tmp_path)


def test_a_term_in_wrong_case_gets_the_right_one_as_hint(tmp_path: Path) -> None:
    (tmp_path / "x.ttl").write_text("<https://e.org/s> <http://www.w3.org/ns/shacl#maxcount> 1 .\n", encoding="utf-8")
    with pytest.raises(SourceError) as caught_error:
        load_shapes(tmp_path)
    assert caught_error.value.hint == "did you mean sh:maxCount?"
    assert "x.ttl:1" in caught_error.value.where


def test_a_finding_tells_that_its_value_is_described_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ttl"
    path.write_text(
        """@prefix llmkg: <https://w3id.org/llmkg/ontology#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        <https://w3id.org/llmkg/model/child> a llmkg:Model, llmkg:ModelVariant ; llmkg:kind "model-variant" ;
            rdfs:label "child"@en ; llmkg:fineTunedFrom <https://w3id.org/llmkg/model/nowhere> ;
            llmkg:quantizedFrom <https://w3id.org/llmkg/model/child> , <https://w3id.org/llmkg/license/mit> .
        <https://w3id.org/llmkg/license/mit> a llmkg:License ; llmkg:kind "license" ; rdfs:label "MIT"@en ."""
    )
    found = {finding.rule: finding.hint for finding in validate_file(path, resource_folder("ontology")).findings}
    assert found["fineTunedFrom"] == "nothing describes model/nowhere: add it to data/entities/, or correct its slug"
    assert found["quantizedFrom"] == ""


def test_a_finding_leads_to_the_source_and_line_that_state_it(built: Settings) -> None:
    """A wrong value is put beside a claim of the shipped graph; what is found names the claim's line."""
    shipped = open_store(current_version(built.home) / "store")
    store = pyoxigraph.Store()
    store.bulk_extend(shipped.graph_quads(DefaultGraph()))
    date = pyoxigraph.Literal("soon")
    store.add(Quad(entity_iri("model/llama"), term("releaseDate"), date))
    report = validate_store(store, ONTOLOGY)
    assert not report.conforms
    found = next(finding for finding in report.findings if finding.rule == "releaseDate")
    assert found.where == ("alpaca-models:7",)
    assert "soon" in found.value
    assert "violation releaseDate: model/llama releaseDate  at alpaca-models:7" in report_text(report)
    assert json.loads(report_json(report))["conforms"] is False
    turtle = rdflib.Graph().parse(data=report_turtle(report), format="turtle")
    assert (None, SH.conforms, rdflib.Literal(False)) in turtle
    assert len(list(turtle.objects(None, SH.result))) == len(report.findings)
