"""HermiT finds the ontology consistent, and classifies models from the properties alone. Skipped where Java is absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rdflib

from llmkg.resources import resource_folder

pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="HermiT needs Java")
BASE = "https://w3id.org/llmkg/"

FACTS = f"""
@prefix llmkg: <{BASE}ontology#> .
@prefix model: <{BASE}model/> .
model:llama a llmkg:ModelFamily .
model:llama-7b a llmkg:ModelVariant ; llmkg:memberOf model:llama .
model:alpaca a llmkg:ModelFamily ; llmkg:fineTunedFrom model:llama-7b .
model:chatflow-int4 a llmkg:ModelVariant ; llmkg:quantizedFrom model:alpaca .
model:openllama a llmkg:ModelFamily ; llmkg:reproductionOf model:llama .
"""


def world(turtle: str, folder: Path) -> Any:
    """Give the ontology with ``turtle`` loaded into a reasoner's world."""
    import owlready2

    graph = rdflib.Graph().parse(resource_folder("ontology") / "llmkg.ttl")
    graph.parse(data=turtle, format="turtle")
    path = folder / "ontology.nt"
    graph.serialize(path, format="nt", encoding="utf-8")
    found = owlready2.World()
    found.get_ontology(path.as_uri()).load()
    return found


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import owlready2

    found = world(FACTS, tmp_path_factory.mktemp("reasoner"))
    owlready2.sync_reasoner_hermit(found, debug=0)
    yield found
    found.close()


def classes(classified: Any, name: str) -> set[str]:
    individual = classified[BASE + "model/" + name]
    return {cls.name for cls in individual.INDIRECT_is_a if hasattr(cls, "name")}


def test_the_ontology_is_consistent(classified: Any) -> None:
    assert [cls.name for cls in classified.inconsistent_classes()] == []


def test_alpaca_is_a_fine_tuned_model_from_the_properties_alone(classified: Any) -> None:
    assert {"FineTunedModel", "DerivedModel", "Model"} <= classes(classified, "alpaca")


def test_llama_7b_is_a_base_model_from_the_properties_alone(classified: Any) -> None:
    assert "BaseModel" in classes(classified, "llama-7b")


def test_a_quantized_model_is_one_and_a_reproduction_is_no_derived_model(classified: Any) -> None:
    assert "QuantizedModel" in classes(classified, "chatflow-int4")
    assert "DerivedModel" not in classes(classified, "openllama")


def test_a_thing_that_is_family_and_variant_is_inconsistent(tmp_path: Path) -> None:
    import owlready2

    both = f"<{BASE}model/x> a <{BASE}ontology#ModelFamily>, <{BASE}ontology#ModelVariant> ."
    found = world(both, tmp_path)
    with pytest.raises(owlready2.OwlReadyInconsistentOntologyError):
        owlready2.sync_reasoner_hermit(found, debug=0)
    found.close()


def test_the_claims_about_llama_and_alpaca_make_them_what_they_are(tmp_path: Path) -> None:
    """The stated lineage of the shipped data, and nothing that our own inference added, goes to the reasoner."""
    import owlready2

    from llmkg.build import read_inputs
    from llmkg.mapping import LINEAGE

    claims = read_inputs(resource_folder("data")).claims
    lines = [
        f"<{BASE}{c.about}> <{BASE}ontology#{c.name}> <{BASE}model/{c.value}> ." for c in claims if c.name in LINEAGE
    ]
    found = world("\n".join(lines), tmp_path)
    owlready2.sync_reasoner_hermit(found, debug=0)
    assert "FineTunedModel" in classes(found, "alpaca")
    assert "BaseModel" in classes(found, "llama")
    found.close()
