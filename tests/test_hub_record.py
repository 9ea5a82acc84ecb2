"""What is taken of a record of the Hub, and that nothing in a record can stop an import."""

from __future__ import annotations

import unicodedata
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkg.records import HubRecord, StatedParent
from llmkg.sources.hub_record import METHOD_TAGS, RELATIONS, normalize_record
from llmkg.sources.snapshot import decode, encode

_OTHER_LISTS = ("methods", "licenses", "languages", "datasets", "papers", "files", "architectures", "tensor_types")


def record(identifier: str = "a/b", **said: Any) -> HubRecord:
    return normalize_record({"id": identifier, **said})


def parents(card: Any = None, tags: Any = None, config: Any = None) -> list[tuple[str, str, str, str]]:
    found = record(cardData=card, tags=tags, config=config).parents
    return [(parent.text, parent.place, parent.relation, parent.hub_relation) for parent in found]


# --- parents


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("x/y", ["x/y"]),
        (["x/y"], ["x/y"]),
        (["x/y", "v/w"], ["x/y", "v/w"]),
        (["x/y", "x/y"], ["x/y", "x/y"]),
        (None, []),
        ("", []),
        ("  ", []),
        ([], []),
        ([None, "x/y", 7, {"id": "v/w"}, ["v/w"], True], ["x/y"]),
        ({"model": "x/y"}, []),
        (7, []),
        (False, []),
    ],
)
def test_base_model_is_a_text_or_a_list_of_texts(said: Any, named: list[str]) -> None:
    assert [parent[0] for parent in parents({"base_model": said})] == named


def test_the_two_tags_of_a_parent_are_one_parent() -> None:
    tags = ["base_model:x/y", "base_model:adapter:x/y"]
    assert parents(tags=tags) == [("x/y", "tag", "", "adapterOf")]
    assert parents(tags=tags[::-1]) == [("x/y", "tag", "", "adapterOf")]


def test_a_parent_in_card_and_tags_is_the_cards_with_the_hubs_relation() -> None:
    assert parents({"base_model": "x/y"}, ["base_model:x/y", "base_model:finetune:x/y"]) == [
        ("x/y", "card", "", "fineTunedFrom")
    ]


def test_a_parent_of_tags_alone_comes_after_those_of_the_card() -> None:
    assert parents({"base_model": "x/y"}, ["base_model:v/w"]) == [("x/y", "card", "", ""), ("v/w", "tag", "", "")]


@pytest.mark.parametrize(("word", "relation"), RELATIONS.items())
def test_a_card_may_name_the_relation(word: str, relation: str) -> None:
    assert parents({"base_model": "x/y", "base_model_relation": word.upper()}) == [("x/y", "card", relation, "")]
    assert parents(tags=[f"base_model:{word}:x/y"]) == [("x/y", "tag", "", relation)]


@pytest.mark.parametrize("said", ["distilled", "", None, 7, ["finetune", "merge"], {}])
def test_an_unknown_relation_is_none(said: Any) -> None:
    assert parents({"base_model": "x/y", "base_model_relation": said}) == [("x/y", "card", "", "")]


@pytest.mark.parametrize("text", ["x/y:main", "C:\\models\\y", "https://huggingface.co/x/y", "other:x/y"])
def test_a_tag_is_split_only_after_a_relation(text: str) -> None:
    assert parents(tags=[f"base_model:{text}"]) == [(text, "tag", "", "")]
    assert parents(tags=[f"base_model:merge:{text}"]) == [(text, "tag", "", "mergedFrom")]


@pytest.mark.parametrize("tag", ["base_model:", "base_model:adapter:", "base_model:finetune:", "base_model"])
def test_a_tag_without_a_name_names_no_parent(tag: str) -> None:
    assert parents(tags=[tag]) == []


def test_the_configuration_of_an_adapter_names_a_parent_where_nothing_else_does() -> None:
    config = {"peft": {"base_model_name_or_path": "x/y", "task_type": "CAUSAL_LM"}}
    assert parents(config=config) == [("x/y", "config", "", "")]
    assert parents({"base_model": "v/w"}, config=config) == [("v/w", "card", "", "")]
    assert parents(config={"peft": {"base_model_name_or_path": None}}) == []
    assert parents(config={"peft": "x/y"}) == []


# --- licenses


@pytest.mark.parametrize(
    ("card", "tags", "licenses"),
    [
        ({"license": "mit"}, [], ("mit",)),
        ({"license": "MIT"}, [], ("mit",)),
        ({"license": ["mit", "apache-2.0", "mit"]}, [], ("mit", "apache-2.0")),
        ({"licence": "license"}, [], ()),
        ({"licence": "mit"}, [], ()),
        ({"license": "other", "license_name": "exaone"}, [], ("other:exaone",)),
        ({"license": ["other", "mit"], "license_name": "exaone"}, [], ("other:exaone", "mit")),
        ({"license": "other"}, [], ("other",)),
        ({"license_name": "exaone"}, [], ("other:exaone",)),
        ({"license": "other", "license_name": ["exaone"]}, [], ("other",)),
        ({}, ["license:mit", "license:apache-2.0"], ("mit", "apache-2.0")),
        ({"license": "mit"}, ["license:apache-2.0"], ("mit",)),
        ({"license_name": "exaone"}, ["license:other"], ("other:exaone",)),
        (None, ["license:"], ()),
        ({"license": None}, None, ()),
        ({"license": {"name": "mit"}}, [], ()),
    ],
)
def test_licenses_are_those_of_the_card_or_else_of_the_tags(card: Any, tags: Any, licenses: tuple[str, ...]) -> None:
    assert record(cardData=card, tags=tags).licenses == licenses


# --- languages, dates, gates, counts


@pytest.mark.parametrize(
    ("said", "languages"),
    [
        ("en", ("en",)),
        (["en", "zh", "EN"], ("en", "zh")),
        (["sv", False, "da"], ("sv", "no", "da")),
        (False, ("no",)),
        (True, ()),
        (None, ()),
        ([None, 7, ["en"]], ()),
    ],
)
def test_languages_are_codes_and_yamls_false_is_norwegian(said: Any, languages: tuple[str, ...]) -> None:
    assert record(cardData={"language": said}).languages == languages


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2024-02-21T23:03:54.000Z", "2024-02-21"),
        ("2024-02-29", "2024-02-29"),
        ("2022-03-02T23:29:04.000Z", ""),
        ("2022-03-02T23:29:05.000Z", "2022-03-02"),
        ("2024-02-30T00:00:00.000Z", ""),
        ("2024-13-01T00:00:00.000Z", ""),
        ("0000-01-01", ""),
        ("２０２４-01-01", ""),
        ("2024-01-011", ""),
        ("2024-W01-1", ""),
        ("yesterday", ""),
        (1708556634, ""),
        (None, ""),
    ],
)
def test_a_day_of_creation_is_a_day_and_the_placeholder_is_unknown(said: Any, day: str) -> None:
    assert record(createdAt=said).created == day


def test_the_placeholder_of_creation_is_a_true_day_of_change() -> None:
    assert record(lastModified="2022-03-02T23:29:04.000Z").modified == "2022-03-02"


@pytest.mark.parametrize(
    ("said", "gate"),
    [(False, "no"), ("auto", "auto"), ("manual", "manual"), (True, ""), (None, ""), (0, ""), ("yes", ""), ([], "")],
)
def test_a_gate_is_automatic_or_manual_or_none_or_not_known(said: Any, gate: str) -> None:
    assert record(gated=said).gated == gate


@pytest.mark.parametrize("said", [None, -1, 2**63, 1.5, True, "7", [], {}])
def test_a_count_that_is_no_natural_number_is_not_known(said: Any) -> None:
    assert record(downloads=said).downloads is None
    assert record(likes=said).likes is None


def test_a_count_of_zero_is_known() -> None:
    assert (record(downloads=0).downloads, record(likes=2**63 - 1).likes) == (0, 2**63 - 1)


@pytest.mark.parametrize(("said", "kind"), [("org", "organization"), ("user", "person"), ("bot", ""), (7, "")])
def test_an_author_is_an_organization_or_a_person_where_the_hub_says_so(said: Any, kind: str) -> None:
    assert record(authorData={"type": said}).author_kind == kind


def test_an_author_is_else_the_owner_in_the_id() -> None:
    assert (record("a/b").author, record("gpt2").author, record("a/b", author="c").author) == ("a", "", "c")


# --- parameters


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gemma-7b", 7_000_000_000),
        ("phi-1.5B-chat", 1_500_000_000),
        ("gpt2-124M", 124_000_000),
        ("7B", 7_000_000_000),
        ("model.13b", 13_000_000_000),
        ("pythia_70m_v2", 70_000_000),
        ("Qwen2.5-0.5B", 500_000_000),
        ("TinyLlama1.1B", None),
        ("Mixtral-8x7B", None),
        ("llama-4bit", None),
        ("llama-8bits-v2", None),
        ("model-0b", None),
        ("12-monkeys", None),
        ("b7", None),
    ],
)
def test_a_name_tells_a_size(name: str, parameters: int | None) -> None:
    found = record(f"70b-lab/{name}")
    assert (found.parameters, found.parameters_from) == (parameters, "name" if parameters else "")


def test_weights_count_before_gguf_and_gguf_before_the_name() -> None:
    weights, gguf = {"parameters": {"BF16": 7_241_732_096}, "total": 7_241_732_096}, {"total": 7_000_000_001}
    both = record("a/b-3b", safetensors=weights, gguf=gguf)
    assert (both.parameters, both.parameters_from) == (7_241_732_096, "safetensors")
    only = record("a/b-3b", gguf=gguf)
    assert (only.parameters, only.parameters_from) == (7_000_000_001, "gguf")
    none = record("a/b-3b", safetensors={"total": 0}, gguf={"total": None})
    assert (none.parameters, none.parameters_from) == (3_000_000_000, "name")


@pytest.mark.parametrize("kind", ["I32", "U32", "I8", "U8", "I16"])
def test_packed_elements_are_no_parameters(kind: str) -> None:
    packed = {"parameters": {kind: 900_000_000, "F16": 260_000_000}, "total": 1_160_000_000}
    assert record("a/llama-7b-GPTQ", safetensors=packed).parameters == 7_000_000_000
    assert record("a/llama-GPTQ", safetensors=packed).parameters is None


def test_a_few_packed_elements_change_nothing() -> None:
    weights = {"parameters": {"I32": 4096, "F16": 260_000_000}, "total": 260_004_096}
    assert record("a/b-7b", safetensors=weights).parameters == 260_004_096
    assert record("a/b-7b", safetensors=weights).tensor_types == ("F16", "I32")


# --- files and configuration


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (["adapter_config.json", "adapter_model.safetensors"], ("adapter",)),
        (["adapter_config.json", "model.safetensors"], ("adapter", "full")),
        (["checkpoint-500/adapter_config.json", "checkpoint-500/model.safetensors"], ()),
        (["a.Q4_K_M.gguf", "sub/b.GGUF"], ("gguf",)),
        (["model-00001-of-00004.safetensors", "a.gguf"], ("full", "gguf")),
        (["pytorch_model.bin"], ("full",)),
        (["model.safetensors.index.json", "training_args.bin", "tokenizer.model"], ()),
        (["mergekit_config.yml", "model.safetensors"], ("full", "mergekit")),
        (["mergekit_config.yaml"], ("mergekit",)),
        ([], ()),
    ],
)
def test_files_tell_what_a_repository_holds(names: list[str], kinds: tuple[str, ...]) -> None:
    assert record(siblings=[{"rfilename": name} for name in names]).files == kinds
    assert record(siblings=names).files == kinds


@pytest.mark.parametrize("siblings", [None, 7, "model.safetensors", [None], [{"rfilename": 7}], [{}], [[]], {}])
def test_a_list_of_files_of_another_shape_tells_nothing(siblings: Any) -> None:
    assert record(siblings=siblings).files == ()


@pytest.mark.parametrize(
    ("quantization", "tags", "bits"),
    [
        ({"bits": 4}, [], 4),
        ({"bits": 0}, ["4-bit"], None),
        ({"bits": 128}, [], None),
        ({"bits": "4"}, ["8-bit"], 8),
        ({"load_in_4bit": True, "load_in_8bit": False}, [], 4),
        ({"load_in_8bit": True}, [], 8),
        ({"load_in_4bit": "yes"}, [], None),
        ({}, ["8-bit", "4-bit"], 4),
        ({}, ["16-bit", "a-bit", "-bit"], None),
        (None, None, None),
        ("gptq", [], None),
    ],
)
def test_bits_are_those_of_the_configuration_or_else_of_the_tags(
    quantization: Any, tags: Any, bits: int | None
) -> None:
    assert record(config={"quantization_config": quantization}, tags=tags).bits == bits


def test_methods_are_known_tags_in_any_case() -> None:
    found = record(tags=["DPO", "lora", "ties", "trl", "mergekit", "unsloth", "merge"])
    assert found.methods == ("dpo", "lora", "model-merging", "ties")
    assert found.merged
    assert not record(tags=["lora"]).merged


def test_papers_are_identifiers_of_arxiv_alone() -> None:
    tags = ["arxiv:2305.14314", "arxiv:2305.14314", "arxiv:cs/0101001", "arxiv:2305", "arxiv:x y", "arxiv:2305.14314v2"]
    assert record(tags=tags).papers == ("2305.14314", "cs/0101001")


def test_datasets_of_card_and_tags_are_each_named_once() -> None:
    assert record(cardData={"datasets": "x/y"}, tags=["dataset:x/y", "dataset:v/w", "dataset:"]).datasets == (
        "x/y",
        "v/w",
    )


# --- nothing stops an import


@pytest.mark.parametrize("text", ["a\0b", "a\x1b[31mb", "a\u2028b", "a\nb", "a\ud800b", "a\x85\x9fb"])
def test_control_characters_become_a_blank(text: str) -> None:
    found = record(sha=text, cardData={"license_name": text, "base_model": text}, tags=[f"license:{text}"])
    for shown in (found.sha, found.parents[0].text, found.licenses[0]):
        assert shown.encode()
        assert all(unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") for character in shown)
        assert shown.startswith(("a ", "other:a "))


def test_long_texts_are_cut() -> None:
    found = record(sha="x" * 10_000_000, cardData={"base_model": "y" * 1_000})
    assert (len(found.sha), len(found.parents[0].text)) == (300, 300)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.sampled_from(
    ["x/y", "base_model:", "base_model:merge:x/y", "license:mit", "mit", "4-bit", "2024-01-01", "a.gguf", "ｘ٣b", "\0"]
)
ANY = JSON | TEXTS | st.lists(TEXTS | JSON, max_size=4)
CARD = st.dictionaries(
    st.sampled_from(
        "base_model base_model_relation datasets language license license_name license_link new_version".split()
    ),
    ANY,
)
CONFIG = st.dictionaries(
    st.sampled_from("model_type architectures quantization_config peft".split()),
    ANY
    | st.dictionaries(
        st.sampled_from("bits quant_method load_in_4bit base_model_name_or_path".split()), ANY, max_size=3
    ),
)
SIZES = st.dictionaries(st.sampled_from(["parameters", "total"]), ANY)
FIELDS = st.fixed_dictionaries(
    {"id": st.just("a/b") | ANY},
    optional={
        "cardData": CARD | ANY,
        "config": CONFIG | ANY,
        "safetensors": SIZES | ANY,
        "gguf": SIZES | ANY,
        "siblings": st.lists(st.fixed_dictionaries({"rfilename": ANY}), max_size=3) | ANY,
    }
    | dict.fromkeys(
        "modelId author authorData sha createdAt lastModified gated downloads likes library_name pipeline_tag tags".split(),
        ANY,
    ),
)


@settings(max_examples=100, deadline=None)
@given(FIELDS)
def test_any_value_in_any_field_gives_a_record(raw: dict[str, Any]) -> None:
    found = normalize_record(raw)
    for field in fields(HubRecord):
        value = getattr(found, field.name)
        if field.name == "parents":
            assert all(isinstance(parent, StatedParent) and parent.text for parent in value)
        elif field.name in _OTHER_LISTS:
            assert isinstance(value, tuple)
            assert all(isinstance(text, str) and text for text in value)
            assert len(set(value)) == len(value)
        elif field.default is None:
            assert value is None or (type(value) is int and 0 <= value < 2**63)
        else:
            assert type(value) is type(field.default) or field.name == "id"
    for day in (found.created, found.modified):
        assert not day or date.fromisoformat(day).isoformat() == day
    assert decode(encode(found, "00")) == found


# --- the sample


@pytest.fixture(scope="module")
def sample(hub_sample: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in hub_sample.read_bytes().splitlines()]


def test_parents_and_relations_of_the_sample_are_those_of_its_tags(sample: list[dict[str, Any]]) -> None:
    for raw in sample:
        tagged = [tag.split(":", 2)[1:] for tag in raw["tags"] if tag.startswith("base_model:")]
        related = {(tag[1], RELATIONS[tag[0]]) for tag in tagged if len(tag) == 2}
        found = normalize_record(raw).parents
        assert {parent.text for parent in found} >= {tag[0] for tag in tagged if len(tag) == 1}, raw["id"]
        assert {(p.text, p.hub_relation) for p in found if p.hub_relation} == related, raw["id"]


def test_plain_fields_of_the_sample_are_taken_as_they_are(sample: list[dict[str, Any]]) -> None:
    for raw in sample:
        found = normalize_record(raw)
        assert (found.id, found.sha, found.downloads, found.likes) == tuple(
            raw[k] for k in "id sha downloads likes".split()
        )
        assert found.modified == raw["lastModified"][:10]
        assert [name for name in found.licenses if not name.startswith("other")] == [
            tag.removeprefix("license:") for tag in raw["tags"] if tag.startswith("license:") and tag != "license:other"
        ]
        assert set(found.methods) == {METHOD_TAGS[tag.lower()] for tag in raw["tags"] if tag.lower() in METHOD_TAGS}
