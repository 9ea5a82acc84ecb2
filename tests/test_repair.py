"""Each rule by which broken lineage is repaired, on texts as real cards have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkg.descent import Line, Lines, cycle_statements
from llmkg.hub import HubModels, Steps, repair_statements, resolve_steps, scan, statements_of
from llmkg.hub_facts import Known
from llmkg.records import HubRecord, StatedParent
from llmkg.repair import RULES, meanings, relation_of
from llmkg.sources.snapshot import SnapshotInfo, encode, key_of, write_entries

REDIRECTS = {"meta-llama/llama2-7b": "meta-llama/Llama-2-7b-hf"}
BASE = HubRecord("meta-llama/Llama-2-7b-hf", files=("full",))
OTHER = HubRecord("mistralai/Mistral-7B-v0.1", files=("full",))


@dataclass(frozen=True)
class Case:
    """One record beside BASE and OTHER, and the steps that come out: parent and relation."""

    record: HubRecord
    steps: tuple[tuple[str, str], ...]
    more: tuple[str, ...] = ()


def child(*texts: str, files: tuple[str, ...] = ("full",), **said: str) -> HubRecord:
    parents = tuple(StatedParent(text, **said) for text in texts)
    return HubRecord("someone/child", files=files, parents=parents)


def named(text: str, *steps: str, more: tuple[str, ...] = ()) -> Case:
    """Give a case of a record that names its parent as ``text``, by whatever rule."""
    return Case(child(text, relation="fineTunedFrom"), tuple((step, "fineTunedFrom") for step in steps), more)


L, M = BASE.id, OTHER.id

CASES: dict[str, list[Case]] = {
    "absent": [named("huggyllama/llama-7b", "huggyllama/llama-7b"), named("gpt2", "gpt2")],
    "adapter-config": [
        Case(child(L, files=("adapter",), place="config"), ((L, "adapterOf"),), ("adapter-files",)),
    ],
    "adapter-files": [
        Case(child(L, files=("adapter",)), ((L, "adapterOf"),)),
        Case(child(L, files=("adapter",), hub_relation="fineTunedFrom"), ((L, "adapterOf"),)),
        Case(child(L, files=("adapter", "gguf"), hub_relation="quantizedFrom"), ((L, "adapterOf"),)),
    ],
    "gguf-files": [
        Case(child(L, files=("gguf",)), ((L, "quantizedFrom"),)),
        Case(child(L, files=("gguf",), relation="fineTunedFrom"), ((L, "quantizedFrom"),)),
        Case(child(L, files=("gguf",), hub_relation="fineTunedFrom"), ((L, "quantizedFrom"),)),
    ],
    "hub-relation": [
        Case(child(L, hub_relation="fineTunedFrom"), ((L, "fineTunedFrom"),)),
        Case(child(L, files=(), hub_relation="quantizedFrom"), ((L, "quantizedFrom"),)),
        Case(child(L, files=("adapter",), hub_relation="adapterOf"), ((L, "adapterOf"),)),
    ],
    "letter-case": [named("meta-llama/llama-2-7B-HF", L), named("MistralAI/Mistral-7B-v0.1", M)],
    "local-path": [
        named("./x"),
        named("."),
        named("../models/llama"),
        named("~/models/llama"),
        named("/workspace/x"),
        named("/root/outputs/checkpoint-500/"),
        named("outputs/merged/v2"),
        named("workspace/models/llama"),
        named("C:\\models\\llama"),
        named("D:/models/llama"),
        named("\\\\server\\models"),
        named("file:///home/me/llama"),
    ],
    "merge-tags": [
        Case(
            HubRecord("someone/merge", merged=True, parents=(StatedParent(L), StatedParent(M))),
            ((L, "mergedFrom"), (M, "mergedFrom")),
        ),
    ],
    "quantization-config": [
        Case(
            HubRecord("someone/awq", files=("full",), quantization="awq", parents=(StatedParent(L),)),
            ((L, "quantizedFrom"),),
        ),
        Case(
            HubRecord(
                "someone/gptq", quantization="gptq", parents=(StatedParent(L, hub_relation="fineTunedFrom"),)
            ),
            ((L, "quantizedFrom"),),
        ),
    ],
    "redirect": [
        named("meta-llama/llama2-7b", L),
        named("Meta-Llama/Llama2-7B", L),
        named("https://huggingface.co/meta-llama/llama2-7b", L, more=("url",)),
    ],
    "repeated": [
        Case(child(L, L, relation="fineTunedFrom"), ((L, "fineTunedFrom"),)),
        Case(child(L, f"https://hf.co/{L}", relation="fineTunedFrom"), ((L, "fineTunedFrom"),)),
    ],
    "self-loop": [named("someone/child"), named("Someone/Child")],
    "several-in-one": [
        named(f"{L}, {M}", L, M),
        named(f"{L} and {M}", L, M),
        named(f"{L} + {M}", L, M),
        named(f"['{L}', '{M}']", L, M),
        named(f"{L}\n{M}", L, M),
    ],
    "surrounding-text": [
        named(f"the base {L} (4 bit)", L),
        named(f"This model was trained from {L} on our own data.", L),
        named(f"{L}@main", L),
        named(f"`{L}`", L),
        named(f"/root/.cache/huggingface/hub/models--{L.replace('/', '--')}/snapshots/01c7f73d", L),
        named(f"models--{L.replace('/', '--')}", L),
        named(f"see https://huggingface.co/{L} for more", L),
    ],
    "unreadable": [
        named("my own model"),
        named("LLaMA 7B, trained by us"),
        named("https://github.com/someone/project"),
        named("https://huggingface.co/datasets/someone/data"),
        named("https://huggingface.co/spaces/someone/demo"),
        named("无"),
    ],
    "url": [
        named(f"https://huggingface.co/{L}", L),
        named(f"http://www.huggingface.co/{L}/", L),
        named(f"huggingface.co/{L}/tree/main", L),
        named(f"https://huggingface.co/{L}/blob/main/README.md", L),
        named(f"https://huggingface.co/{L}?library=transformers", L),
        named(f"https://huggingface.co/{L}.git", L),
        named(f"https://huggingface.co/models/{L}", L),
    ],
}  # fmt: skip


def resolved(folder: Path, *records: HubRecord) -> tuple[HubModels, Steps, int]:
    path = folder / "hub.jsonl.zst"
    lines = [encode(record, "00") for record in sorted(records, key=lambda record: key_of(record.id))]
    write_entries(path, lines, SnapshotInfo("2026-01-01"))
    models = scan(path, Known(), {})
    return models, resolve_steps(models, Known(), REDIRECTS), len(records)


def test_every_rule_has_an_example() -> None:
    assert {*CASES, "cycle"} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "case"),
    [(rule, case) for rule, cases in CASES.items() for case in cases],
    ids=lambda value: str(value)[:30],
)
def test_a_rule_repairs_its_examples(rule: str, case: Case, tmp_path: Path) -> None:
    models, steps, _ = resolved(tmp_path, BASE, OTHER, case.record)
    assert {(models.ids[step.parent], step.relation) for step in steps.effective} == set(case.steps)
    expected = {rule, *case.more}
    if rule == "repeated":
        expected |= set(steps.rules) & {"url"}
    assert set(steps.rules) == expected, steps.rules
    if rule not in ("absent", "repeated"):  # these change nothing of a step
        assert all(rule in step.rule.split("; ") for step in steps.effective)


def test_a_parent_as_it_stands_is_no_case_of_any_rule(tmp_path: Path) -> None:
    models, steps, _ = resolved(tmp_path, BASE, child(L, relation="fineTunedFrom"))
    (step,) = steps.effective
    assert (models.ids[step.parent], step.relation, step.rule) == (L, "fineTunedFrom", "")
    assert (steps.rules, steps.repairs) == (Counter(), [])
    assert steps.stated == [(step.child, "fineTunedFrom", step.parent)]


def test_a_step_of_which_nobody_says_anything_is_derivation(tmp_path: Path) -> None:
    _, steps, _ = resolved(tmp_path, BASE, child(L))
    assert [(step.relation, step.rule) for step in steps.effective] == [("derivedFrom", "")]


def test_the_card_counts_before_all_files_but_those_of_gguf() -> None:
    stated = StatedParent(L, relation="fineTunedFrom", hub_relation="adapterOf")
    assert relation_of(HubRecord("a/b", files=("adapter",)), stated) == ("fineTunedFrom", "")
    assert relation_of(HubRecord("a/b", quantization="awq"), stated) == ("fineTunedFrom", "")
    assert relation_of(HubRecord("a/b", files=("gguf",)), stated) == ("quantizedFrom", "gguf-files")


def test_an_adapter_beside_whole_weights_or_of_bitsandbytes_says_nothing() -> None:
    hub = StatedParent(L, hub_relation="fineTunedFrom")
    assert relation_of(HubRecord("a/b", files=("adapter", "full")), hub) == ("fineTunedFrom", "hub-relation")
    assert relation_of(HubRecord("a/b", quantization="bitsandbytes"), hub) == ("fineTunedFrom", "hub-relation")


def test_a_merge_of_one_parent_is_no_merge() -> None:
    record = HubRecord("a/b", merged=True, parents=(StatedParent(L), StatedParent(L)))
    assert relation_of(record, record.parents[0]) == ("derivedFrom", "")


def test_absent_parents_are_one_model_under_their_most_frequent_spelling(tmp_path: Path) -> None:
    children = [
        HubRecord(f"someone/{number}", parents=(StatedParent(text),))
        for number, text in enumerate(["Lab/Gone", "lab/gone", "lab/gone", "LAB/gone"])
    ]
    models, steps, count = resolved(tmp_path, *children)
    assert models.ids[count:] == ["lab/gone"]
    assert {step.parent for step in steps.effective} == {count}
    stated = list(statements_of(models, steps, count))
    assert {subject for subject, verb, _ in stated if verb.endswith("#absentFrom>")} == {
        "<https://w3id.org/llmkg/model/hub/lab/gone>"
    }


def test_every_case_has_a_node_of_its_own(tmp_path: Path) -> None:
    records = [
        HubRecord(f"someone/{rule}-{number}", **{name: getattr(case.record, name) for name in _SAID})
        for rule, cases in CASES.items()
        for number, case in enumerate(cases)
    ]
    models, steps, _ = resolved(tmp_path, BASE, OTHER, *records)
    nodes = {subject for subject, _, _ in repair_statements(models, steps.repairs)}
    assert len(nodes) == len(steps.repairs) == steps.rules.total()
    assert Counter(repair.rule for repair in steps.repairs) == steps.rules


_SAID = ("files", "merged", "quantization", "parents")


def test_the_models_of_a_cycle_are_marked_and_counted(tmp_path: Path) -> None:
    ring = [HubRecord(f"lab/{one}", parents=(StatedParent(f"lab/{other}"),)) for one, other in ("ab", "bc", "ca", "da")]
    models, steps, _ = resolved(tmp_path, *ring)
    lines = Lines(
        [models.path(number) for number in range(len(models.ids))],
        [Line(step.child, step.parent, step.relation, "stated") for step in steps.effective],
        {},
    )
    rules = Counter[str]()
    marked = list(cycle_statements(lines, rules))
    assert [subject[-2] for subject, _, _ in marked] == ["a", "b", "c"]
    assert {value for _, _, value in marked} == {'"model/hub/lab/a"'}
    assert rules == {"cycle": 3}


@given(st.text(max_size=60) | st.text(alphabet="ab/:.-_ \\,'[]~@?#\n", max_size=30))
def test_any_text_has_a_meaning(text: str) -> None:
    found = meanings(text, {"a/b"}, {"b/a": "a/b"})
    assert found
    assert all(set(meaning.rules) <= set(RULES) for meaning in found)
    assert all(meaning.id or meaning.rules in (("local-path",), ("unreadable",)) for meaning in found)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._]{0,20}/[A-Za-z0-9]([A-Za-z0-9._]{0,20}[A-Za-z0-9])?", fullmatch=True))
def test_the_id_of_a_known_repository_means_it_in_every_form(name: str) -> None:
    known = {key_of(name)}
    forms = [name, f"https://huggingface.co/{name}", f"models--{name.replace('/', '--')}", f"on {name} we trained"]
    for form in forms:
        ids = [meaning.id for meaning in meanings(form, known, {})]
        assert ids in ([name], [name.removesuffix(".git")]), form
