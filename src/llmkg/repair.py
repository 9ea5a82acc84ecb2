"""Broken lineage, repaired in the open: each rule has a name, and what it changed counts as inferred.

The rules about parents say which repository a text means; the rules about relations say by which step it became the child.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass

from llmkg.records import HubRecord, StatedParent
from llmkg.sources.snapshot import key_of

__all__ = ["RULES", "Meaning", "meanings", "relation_of"]

#: every rule with what it does; docs/reference/repair-rules.md is written from it
RULES = {
    "absent": "The parent is in no record of the crawl: it becomes a model with no record.",
    "adapter-config": "The card names no parent; the configuration of the adapter does.",
    "adapter-files": "The repository holds an adapter and no whole model, so the step is adapterOf.",
    "cycle": "Steps lead from the model back to itself: they stay, and the models are marked.",
    "gguf-files": "All weights of the repository are GGUF files, so the step is quantizedFrom.",
    "hub-relation": "The card does not name the step; the Hub's tag does.",
    "letter-case": "The parent differs from a repository by upper and lower case alone.",
    "local-path": "The parent is a folder of somebody's machine: no step follows.",
    "merge-tags": "The repository has several parents and says that it is a merge, so the step is mergedFrom.",
    "quantization-config": "The configuration names a quantization of finished weights, so the step is quantizedFrom.",
    "redirect": "The parent was renamed or moved (data/redirects.csv).",
    "repeated": "The same parent is named twice: it counts once.",
    "self-loop": "The model is named as its own parent: no step follows.",
    "several-in-one": "One text names several repositories: each is a parent.",
    "surrounding-text": "The text holds more than the id of a repository: the id counts.",
    "unreadable": "The text names no repository: no step follows.",
    "url": "The parent is given by its address.",
}

#: quantization methods that are applied to finished weights (bitsandbytes is not among them: it serves fine-tuning too)
_AFTER_TRAINING = frozenset(
    {"aqlm", "autoround", "awq", "compressed-tensors", "exl2", "exl3", "fp8", "gptq", "hqq", "marlin", "quip"}
)
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_ID = re.compile(rf"(?:{_PART}/)?{_PART}")
_FULL_ID = re.compile(rf"(?<![A-Za-z0-9._/-]){_PART}/{_PART}(?![/A-Za-z0-9_-])")
_URL = re.compile(
    rf"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:models/)?(?!(?:datasets|spaces)/)({_PART}(?:/{_PART})?)(?:[/?#].*)?"
)
_CACHE = re.compile(rf"models--({_PART}?)--({_PART})(?![^/\\])")
_LOCAL = re.compile(
    r"[./~\\]|[A-Za-z]:[\\/]|file:|(?:content|data|home|mnt|models?|output|root|tmp|workspace)/[^/]*/", re.IGNORECASE
)
_BETWEEN = re.compile(r"[\s,;+&|]+(?:and\s+)?")
_TRAILING = ".,;:)]}'\"`"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a stated parent means: the id of a repository (empty: none), and the rules that say so (none: as it stands)."""

    id: str
    rules: tuple[str, ...] = ()


def meanings(text: str, known: Container[str], redirects: Mapping[str, str]) -> tuple[Meaning, ...]:
    """Give the repositories that ``text`` names as parents; ``known`` holds ids in lower case.

    >>> known, redirects = {"google/gemma-7b"}, {"gemma": "google/gemma-7b"}
    >>> meanings("https://huggingface.co/google/gemma-7b", known, redirects)
    (Meaning(id='google/gemma-7b', rules=('url',)),)
    >>> meanings("./checkpoint-500", known, redirects)
    (Meaning(id='', rules=('local-path',)),)
    >>> meanings("the base google/gemma-7b (4 bit)", known, redirects)[0].rules
    ('surrounding-text',)
    """
    if _ID.fullmatch(text) and not _CACHE.fullmatch(text):
        return (_known(text, (), known, redirects),)
    found = _URL.fullmatch(text)
    if found:
        return (_known(found[1].removesuffix(".git"), ("url",), known, redirects),)
    cached = _CACHE.search(text)
    if cached:
        return (_known(f"{cached[1]}/{cached[2]}", ("surrounding-text",), known, redirects),)
    if _LOCAL.match(text):
        return (Meaning("", ("local-path",)),)
    parts = [part.strip(_TRAILING + "([{") for part in _BETWEEN.split(text)]
    if len(parts) > 1 and all(_FULL_ID.fullmatch(part) for part in parts):
        return tuple(_known(part, ("several-in-one",), known, redirects) for part in dict.fromkeys(parts))
    return (_inside(text, known, redirects),)


def _inside(text: str, known: Container[str], redirects: Mapping[str, str]) -> Meaning:
    """Give the one repository that a longer text names: one that is known, else the only thing that reads like an id."""
    addresses = [found[1] for found in _URL.finditer(text)]
    candidates = [found.rstrip(_TRAILING) for found in (*addresses, *_FULL_ID.findall(text))]
    for candidate in candidates:
        if key_of(candidate) in known:
            return _known(candidate, ("surrounding-text",), known, redirects)
    if len(set(candidates)) == 1 and text.count("/") == 1:
        return _known(candidates[0], ("surrounding-text",), known, redirects)
    is_path = text.count("/") > 1 and " " not in text and "://" not in text
    return Meaning("", ("local-path",) if is_path else ("unreadable",))


def _known(text: str, rules: tuple[str, ...], known: Container[str], redirects: Mapping[str, str]) -> Meaning:
    """Follow renamed repositories; letter case and absence are for the caller, who knows how the id is written."""
    key = key_of(text)
    if key not in known and key in redirects:
        return Meaning(redirects[key], (*rules, "redirect"))
    return Meaning(text, rules)


def relation_of(record: HubRecord, parent: StatedParent) -> tuple[str, str]:
    """Give the relation of a step, and the rule by which it is inferred (empty where the card states it).

    Files say more than the Hub's tag, which is ``finetune`` wherever nothing else was found.

    >>> relation_of(HubRecord("a/b-GGUF", files=("gguf",)), StatedParent("a/b", hub_relation="fineTunedFrom"))
    ('quantizedFrom', 'gguf-files')
    """
    relation, rule = _by_repository(record)
    if parent.relation and (rule != "gguf-files" or relation == parent.relation):
        return parent.relation, ""
    if relation and relation != parent.hub_relation:
        return relation, rule
    if parent.hub_relation:
        return parent.hub_relation, "hub-relation"
    return "derivedFrom", ""


def _by_repository(record: HubRecord) -> tuple[str, str]:
    if record.files == ("gguf",):
        return "quantizedFrom", "gguf-files"
    if "adapter" in record.files and "full" not in record.files:
        return "adapterOf", "adapter-files"
    if record.merged and len({parent.text for parent in record.parents}) > 1:
        return "mergedFrom", "merge-tags"
    if record.quantization in _AFTER_TRAINING:
        return "quantizedFrom", "quantization-config"
    return "", ""
