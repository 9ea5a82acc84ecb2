"""One raw record of the Hugging Face Hub's API → what llmkg takes of it.

The fields are those of the Hub's model API and of the public dumps made from it; where a card is silent, the tags that the
Hub itself derives are read. What is taken, and how, is listed in ``docs/explanation/the-hub.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from llmkg.identifiers import is_hub_id
from llmkg.records import HubRecord, StatedParent

__all__ = ["METHOD_TAGS", "RELATIONS", "normalize_record"]

#: what cards and tags call a step of lineage → our property
RELATIONS = {
    "adapter": "adapterOf",
    "finetune": "fineTunedFrom",
    "merge": "mergedFrom",
    "quantized": "quantizedFrom",
}

#: tags that name a training, quantization or merge method → concept of the scheme training-method
METHOD_TAGS = {
    "awq": "awq", "breadcrumbs": "model-breadcrumbs", "cpo": "cpo", "dare": "dare", "dare_linear": "dare",
    "dare_ties": "dare-ties", "della": "della", "distillation": "distillation", "dpo": "dpo", "exl2": "exl2",
    "gptq": "gptq", "grpo": "grpo", "ipo": "ipo", "knowledge-distillation": "distillation", "kto": "kto",
    "linear-merge": "linear-merge", "lora": "lora", "merge": "model-merging", "mergekit": "model-merging",
    "model_stock": "model-stock", "orpo": "orpo", "passthrough": "passthrough-merge", "peft": "peft", "ppo": "ppo",
    "qlora": "qlora", "reward-trainer": "reward-modelling", "rlhf": "rlhf", "rloo": "rloo",
    "sft": "supervised-fine-tuning", "simpo": "simpo", "slerp": "slerp", "task_arithmetic": "task-arithmetic",
    "ties": "ties",
}  # fmt: skip

#: the day on which the Hub began to keep creation dates: what is older carries it, and its true date is unknown
_PLACEHOLDER_DAY = "2022-03-02T23:29:04"
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T|$)", re.ASCII)
_SIZE = re.compile(r"(?:^|[-_/ ]|(?<!\d)\.)(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])", re.IGNORECASE)
_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
#: element types into which quantization packs several weights, so that elements are not parameters
_PACKED = frozenset({"I32", "U32", "I8", "U8", "I16"})
_MOST_TEXT = 300
_TELLING = {
    "adapter_config.json": "adapter", "mergekit_config.yml": "mergekit", "mergekit_config.yaml": "mergekit",
}  # fmt: skip
_WEIGHTS = re.compile(
    r"(?:model|pytorch_model|tf_model|flax_model|diffusion_pytorch_model|consolidated|weights)\b.*"
    r"\.(?:safetensors|bin|pt|pth|h5|msgpack|onnx)"
)


def normalize_record(raw: Mapping[str, Any]) -> HubRecord:
    """Give what one API record says; a field of a type that the API does not have counts as not stated.

    >>> record = normalize_record({"id": "a/b-7B", "tags": ["lora", "license:mit"], "gated": False})
    >>> record.author, record.licenses, record.methods, record.parameters, record.parameters_from, record.gated
    ('a', ('mit',), ('lora',), 7000000000, 'name', 'no')
    """
    identifier = _text(raw.get("id") or raw.get("modelId"))
    card = _mapping(raw.get("cardData"))
    config = _mapping(raw.get("config"))
    tags = _texts(raw.get("tags"))
    files = _files(raw.get("siblings"))
    quantization = _mapping(config.get("quantization_config"))
    tensors = _mapping(_mapping(raw.get("safetensors")).get("parameters"))
    parameters, parameters_from = _parameters(identifier, raw, tensors)
    return HubRecord(
        id=identifier,
        author=_text(raw.get("author")) or identifier.rpartition("/")[0],
        author_kind={"org": "organization", "user": "person"}.get(
            _text(_mapping(raw.get("authorData")).get("type")), ""
        ),
        sha=_text(raw.get("sha")),
        created=_created(raw.get("createdAt")),
        modified=_day(raw.get("lastModified")),
        gated=_gated(raw.get("gated")),
        downloads=_count(raw.get("downloads")),
        likes=_count(raw.get("likes")),
        library=_text(raw.get("library_name")),
        task=_text(raw.get("pipeline_tag")),
        licenses=_licenses(card, tags),
        license_link=_text(card.get("license_link")),
        languages=_languages(card.get("language")),
        datasets=_unique([*_texts(card.get("datasets")), *_tagged(tags, "dataset:")]),
        model_type=_text(config.get("model_type")),
        architectures=_unique(_texts(config.get("architectures"))),
        parameters=parameters,
        parameters_from=parameters_from,
        tensor_types=tuple(sorted({_text(name) for name in tensors} - {""})),
        bits=_bits(quantization, tags),
        quantization=_text(quantization.get("quant_method")).lower(),
        methods=_unique(METHOD_TAGS[tag] for tag in sorted(tag.lower() for tag in tags) if tag in METHOD_TAGS),
        papers=_unique(tag for tag in _tagged(tags, "arxiv:") if _ARXIV.fullmatch(tag)),
        new_version=_text(card.get("new_version")),
        merged="merge" in tags or "mergekit" in tags,
        tagged=tuple(tag for tag in tags if "/" in tag and ":" not in tag and is_hub_id(tag)),
        files=files,
        parents=_parents(card, config, tags),
    )


def _parents(card: Mapping[str, Any], config: Mapping[str, Any], tags: tuple[str, ...]) -> tuple[StatedParent, ...]:
    """Give the parents in the card's order, the same one twice where the card has it twice; then those of tags alone."""
    relation = RELATIONS.get(_text(card.get("base_model_relation")).lower(), "")
    by_tag: dict[str, str] = {}
    for tag in _tagged(tags, "base_model:"):
        kind, colon, text = tag.partition(":")
        if colon and kind in RELATIONS:
            if text:
                by_tag[text] = RELATIONS[kind]
        else:
            by_tag.setdefault(tag, "")
    named = _texts(card.get("base_model"))
    found = [StatedParent(text, "card", relation, by_tag.get(text, "")) for text in named]
    found += [StatedParent(text, "tag", "", kind) for text, kind in by_tag.items() if text not in named]
    adapted = _text(_mapping(config.get("peft")).get("base_model_name_or_path"))
    if adapted and not found:
        found.append(StatedParent(adapted, "config"))
    return tuple(found)


def _licenses(card: Mapping[str, Any], tags: tuple[str, ...]) -> tuple[str, ...]:
    """Give license ids; ``other:<name>`` where the card names one that the Hub does not list.

    The template's placeholder ``licence: license`` is another key, and no license.
    """
    given = [text.lower() for text in _texts(card.get("license"))] or [t.lower() for t in _tagged(tags, "license:")]
    name = _text(card.get("license_name"))
    named = [f"other:{name}" if text == "other" and name else text for text in given]
    if name and not named:
        named = [f"other:{name}"]
    return _unique(named)


def _languages(value: Any) -> tuple[str, ...]:
    """Give language codes; YAML 1.1 reads ``no``, Norwegian, as false, and dumps carry that on."""
    given = value if isinstance(value, list) else [value]
    return _unique("no" if one is False else _text(one).lower() for one in given)


def _parameters(identifier: str, raw: Mapping[str, Any], tensors: Mapping[str, Any]) -> tuple[int | None, str]:
    """Give the number of parameters: what the weights' files hold, else what the name says.

    Elements into which quantization packs several weights are no parameters, so such files do not count.
    """
    total = _count(_mapping(raw.get("safetensors")).get("total"))
    packed = sum(_count(size) or 0 for kind, size in tensors.items() if kind in _PACKED)
    if total and 2 * packed < total:
        return total, "safetensors"
    total = _count(_mapping(raw.get("gguf")).get("total"))
    if total:
        return total, "gguf"
    found = _SIZE.search(identifier.rpartition("/")[2])
    total = round(float(found[1]) * (10**9 if found[2] in "bB" else 10**6)) if found else 0
    return (total, "name") if total else (None, "")


def _bits(quantization: Mapping[str, Any], tags: tuple[str, ...]) -> int | None:
    stated = _count(quantization.get("bits"))
    if stated is not None:
        return stated if 0 < stated <= 64 else None
    for bits in (4, 8):
        if quantization.get(f"load_in_{bits}bit") is True:
            return bits
    found = [int(tag.removesuffix("-bit")) for tag in tags if re.fullmatch(r"[1-9]-bit", tag)]
    return min(found) if found else None


def _files(value: Any) -> tuple[str, ...]:
    """Give which telling kinds of file a repository holds; adapters and whole models are those of its top folder."""
    found = set()
    for entry in value if isinstance(value, list) else ():
        name = entry.get("rfilename") if isinstance(entry, dict) else entry
        if not isinstance(name, str):
            continue
        if name.endswith((".gguf", ".GGUF")):
            found.add("gguf")
        elif name in _TELLING:
            found.add(_TELLING[name])
        elif _WEIGHTS.fullmatch(name):
            found.add("full")
    return tuple(sorted(found))


def _created(value: Any) -> str:
    return "" if _text(value).startswith(_PLACEHOLDER_DAY) else _day(value)


def _day(value: Any) -> str:
    found = _DAY.match(_text(value))
    try:
        return date.fromisoformat(found[1]).isoformat() if found else ""
    except ValueError:
        return ""


def _gated(value: Any) -> str:
    return "no" if value is False else _text(value) if value in ("auto", "manual") else ""


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _tagged(tags: tuple[str, ...], prefix: str) -> list[str]:
    return [tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix) and tag != prefix]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    """Give the texts of a field that holds one text or a list of them."""
    given = value if isinstance(value, list) else [value]
    return tuple(text for text in map(_text, given) if text)


def _text(value: Any) -> str:
    """Give a text without control characters, cut where it is longer than any name; of anything else nothing."""
    if not isinstance(value, str):
        return ""
    shown = value if value.isprintable() else _CONTROL.sub(" ", value)
    return shown.strip()[:_MOST_TEXT]


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
