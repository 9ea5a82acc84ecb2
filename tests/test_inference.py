"""The lineage rules, one by one, on the smallest families that tell them apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmkg.descent import closure_of
from llmkg.identifiers import entity_iri
from llmkg.inference import Facts, Lineage, Step, effective_lineage, lines_of


def facts(steps: list[Step], members: dict[str, str], models: str = "") -> Facts:
    found = Facts(steps=set(steps))
    for child, family in members.items():
        found.families[child].add(family)
    names = (
        {s.child for s in steps}
        | {s.parent for s in steps}
        | set(members)
        | set(members.values())
        | set(models.split())
    )
    found.entities = {entity_iri(name) for name in names}
    return found


def step(child: str, parent: str, relation: str = "fineTunedFrom", qualifier: str = "") -> Step:
    return Step(f"model/{child}", relation, f"model/{parent}", "stated", qualifier)


def parents(found: Facts, model: str) -> set[tuple[str, str]]:
    steps = effective_lineage(found).steps.get(f"model/{model}", ())
    return {(s.parent.removeprefix("model/"), s.evidence) for s in steps}


def distances(model: str, lineage: Lineage) -> dict[str, int]:
    lines = lines_of(lineage)
    found = closure_of(lines)
    pairs = zip(found.models.tolist(), found.ancestors.tolist(), found.distances.tolist(), strict=True)
    return {lines.paths[ancestor]: distance for child, ancestor, distance in pairs if lines.paths[child] == model}


def ancestors(found: Facts, model: str) -> dict[str, int]:
    reached = distances(f"model/{model}", effective_lineage(found))
    return {path.removeprefix("model/"): distance for path, distance in reached.items()}


FAMILY = {"model/vicuna-7b": "model/vicuna", "model/llama-7b": "model/llama"}


def test_a_variant_without_a_parent_inherits_its_familys_marked_as_inherited() -> None:
    found = facts([step("vicuna", "llama")], FAMILY)
    assert parents(found, "vicuna-7b") == {("llama", "inherited")}
    assert parents(found, "vicuna") == {("llama", "stated")}


def test_a_variant_with_a_stated_parent_has_that_lineage_and_no_other() -> None:
    members = {"model/oa-12b": "model/oa", "model/oa-30b": "model/oa"}
    found = facts([step("oa", "llama"), step("oa-12b", "pythia")], members)
    assert parents(found, "oa-12b") == {("pythia", "stated")}
    assert parents(found, "oa-30b") == {("llama", "inherited")}
    assert "llama" not in ancestors(found, "oa-12b")


def test_alternative_parents_of_a_family_are_not_inherited() -> None:
    found = facts([step("oa", "llama"), step("oa", "pythia")], {"model/oa-12b": "model/oa"})
    assert parents(found, "oa-12b") == set()
    assert parents(found, "oa") == {("llama", "stated"), ("pythia", "stated")}


def test_the_parents_of_a_merge_are_all_inherited() -> None:
    steps = [step("mix", "a", "mergedFrom"), step("mix", "b", "mergedFrom")]
    assert parents(facts(steps, {"model/mix-7b": "model/mix"}), "mix-7b") == {("a", "inherited"), ("b", "inherited")}


def test_a_family_is_derived_from_what_its_variants_are_derived_from() -> None:
    members = {"model/dolly-6b": "model/dolly", "model/dolly-12b": "model/dolly"}
    found = facts([step("dolly-12b", "pythia-12b")], members)
    assert parents(found, "dolly") == {("pythia-12b", "inherited")}
    assert parents(found, "dolly-6b") == set(), "what one variant comes from says nothing of its siblings"


def test_who_descends_from_a_variant_descends_from_its_family() -> None:
    found = facts([step("alpaca", "llama-7b")], FAMILY)
    assert ancestors(found, "alpaca") == {"llama-7b": 1, "llama": 1}


def test_the_other_parents_of_a_family_are_no_ancestors_of_who_descends_from_one_variant() -> None:
    members = {"model/oa-12b": "model/oa", "model/oa-30b": "model/oa"}
    found = facts([step("oa-12b", "pythia"), step("oa-30b", "llama"), step("x", "oa-30b")], members)
    assert ancestors(found, "x") == {"oa-30b": 1, "oa": 1, "llama": 2}


def test_a_family_is_no_ancestor_of_its_own_members() -> None:
    members = {"model/chat": "model/linly", "model/base": "model/linly"}
    found = facts([step("chat", "base"), step("base", "llama")], members)
    assert ancestors(found, "chat") == {"base": 1, "llama": 2}
    assert parents(found, "linly") == {("llama", "inherited")}


def test_the_narrower_of_two_parents_counts_and_the_wider_is_inherited() -> None:
    members = FAMILY | {"model/alpaca-13b": "model/alpaca"}
    found = facts([step("alpaca", "llama"), step("alpaca", "llama-7b")], members)
    assert parents(found, "alpaca") == {("llama-7b", "stated")}
    assert parents(found, "alpaca-13b") == {("llama", "inherited")}


def test_the_more_exact_relation_and_the_surer_statement_count() -> None:
    steps = [step("x", "y", "derivedFrom"), step("x", "y"), step("x", "y", qualifier="ambiguous")]
    found = effective_lineage(facts(steps, {})).steps["model/x"]
    assert [(s.relation, s.qualifier) for s in found] == [("fineTunedFrom", "")]


def test_a_doubt_goes_with_what_is_inherited() -> None:
    found = effective_lineage(facts([step("lora", "llama", qualifier="ambiguous")], {"model/lora-7b": "model/lora"}))
    assert found.steps["model/lora-7b"][0].qualifier == "ambiguous"


def test_a_cycle_is_kept_and_ends() -> None:
    found = facts([step("a", "b"), step("b", "c"), step("c", "a")], {})
    assert ancestors(found, "a") == {"b": 1, "c": 2, "a": 3}


def test_membership_in_a_cycle_ends() -> None:
    found = facts([step("a", "x")], {"model/a": "model/b", "model/b": "model/a"})
    assert ancestors(found, "a") == {"x": 1}


NAMES = st.sampled_from("abcdef")


@given(st.lists(st.tuples(NAMES, NAMES)), st.dictionaries(NAMES, NAMES))
def test_any_lineage_and_membership_is_answered(pairs: list[tuple[str, str]], members: dict[str, str]) -> None:
    steps = [step(child, parent) for child, parent in pairs]
    found = facts(steps, {f"model/{m}": f"model/{f}" for m, f in members.items()}, "model/a")
    lineage = effective_lineage(found)
    for model in lineage.steps:
        reached = distances(model, lineage)
        stated = {s.parent for s in steps if s.child == model}
        assert all(reached[parent] == 1 for parent in {s.parent for s in lineage.steps[model]})
        wider = {p for p in stated if any(p in lineage.families.get(o, ()) for o in stated)}
        assert stated - wider <= {s.parent for s in lineage.steps[model] if s.evidence == "stated"}
