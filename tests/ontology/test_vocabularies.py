"""The vocabularies hold the concepts that data from elsewhere name by their codes."""

from __future__ import annotations

import pytest

from llmkg.namespaces import BASE, term
from llmkg.quads import ontology_triples
from llmkg.resources import resource_folder
from llmkg.sources.hub_record import METHOD_TAGS

TRIPLES = list(ontology_triples(resource_folder("ontology")))
CONCEPTS = {s.value.removeprefix(f"{BASE}vocabulary/") for s, p, o in TRIPLES if o == term("skos:Concept")}
NOTATIONS = {
    (s.value.removeprefix(f"{BASE}vocabulary/").partition("/")[0], o.value): s.value.rpartition("/")[2]
    for s, p, o in TRIPLES
    if p == term("skos:notation")
}


@pytest.mark.parametrize(
    ("scheme", "code", "concept"),
    [
        ("task", "text-generation", "text-generation"),
        ("task", "translation", "machine-translation"),
        ("task", "text-to-image", "text-to-image-generation"),
        ("task", "image-text-to-text", "image-text-to-text"),
        ("language", "zh", "zh"),
        ("language", "no", "no"),
        ("language", "yue", "yue"),
    ],
)
def test_a_code_stands_for_a_concept(scheme: str, code: str, concept: str) -> None:
    assert NOTATIONS[scheme, code] == concept


def test_the_code_of_a_language_is_the_last_part_of_its_address() -> None:
    languages = {name.partition("/")[2] for name in CONCEPTS if name.startswith("language/")}
    assert {code: concept for (scheme, code), concept in NOTATIONS.items() if scheme == "language"} == {
        code: code for code in languages
    }


def test_every_method_that_tags_of_the_hub_name_is_a_concept() -> None:
    assert {f"training-method/{concept}" for concept in METHOD_TAGS.values()} - CONCEPTS == set()
