"""Missing parents, suggested from names, tags and sizes. A suggestion is no lineage: nothing is derived from it.

Each rule proposes at most one parent for a model of which none is stated. How sure a rule is, is the share of its suggestions
that held where the parent is stated: measured by ``benchmarks/suggestions.py`` with a tenth of the stated steps hidden.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from llmkg.hub import HubModels
from llmkg.ntriples import Statement, decimal, iri, predicate, text
from llmkg.sources.snapshot import key_of

__all__ = ["CONFIDENCE", "Suggestion", "suggest", "suggestion_statements"]

#: the share of each rule's suggestions that name the hidden parent (docs/benchmarks.md)
CONFIDENCE = {"name-of-quantized": 0.95, "name-prefix": 0.9, "same-size": 0.65, "tag-names-model": 0.75}

_SEPARATOR = re.compile(r"[-_ .]+")
#: what people add to the name of a model when they quantize or convert it
_QUANTIZED = re.compile(
    r"gguf|ggml|gptq|awq|exl[23]|mlx|hqq|aqlm|onnx|openvino|ov|bnb|nf4|fp8|fp16|bf16|int[48]|w[48]a\d+|i1|imatrix|"
    r"\d(?:\.\d+)?bpw|\d{1,2}bits?|q\d(?:[a-z0-9]*)|k|m|s|quantized|quant|smashed|h6|hf|\d{1,2}g|\d"
)
_LEAST = 6  # characters of a name that can be told from chance


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A parent that ``rule`` proposes for a model, both by number."""

    model: int
    parent: int
    rule: str


def suggest(models: HubModels, children: Mapping[int, int], with_parent: Collection[int]) -> Iterator[Suggestion]:
    """Give what the rules suggest for the models that have no parent.

    ``children`` counts the stated children of each model that has some: only such models are proposed.
    """
    count = len(models.parameters)
    bases = sorted((n for n in children if n < count), key=lambda n: (-children[n], models.ids[n]))
    by_name: dict[str, int] = {}
    by_size: dict[tuple[int, int], int] = {}
    for base in bases:
        name = _plain(models.ids[base])
        if len(name) >= _LEAST:
            by_name.setdefault(name, base)
        if models.parameters[base] and models.types[base]:
            by_size.setdefault((models.types[base], models.parameters[base]), base)
    for model in range(count):
        if model in with_parent or model in models.paths:
            continue
        proposed = (
            ("tag-names-model", _by_tag(models, model)),
            *_by_name(models.ids[model], by_name),
            ("same-size", by_size.get((models.types[model], models.parameters[model]))),
        )
        seen: set[int] = set()
        for rule, parent in proposed:
            if parent is not None and parent not in seen and _can_be(models, children, model, parent):
                seen.add(parent)
                yield Suggestion(model, parent, rule)


def _can_be(models: HubModels, children: Mapping[int, int], model: int, parent: int) -> bool:
    """Tell whether ``parent`` can be one: another model, not made later, and with more children."""
    born, before = models.created[model], models.created[parent]
    return (
        parent != model and not (born and before and before > born) and children.get(parent, 0) > children.get(model, 0)
    )


def _by_tag(models: HubModels, model: int) -> int | None:
    for tag in models.tagged.get(model, ()):
        number = models.numbers.get(key_of(tag))
        if number is not None and number < len(models.parameters) and number != model:
            return number
    return None


def _by_name(identifier: str, by_name: Mapping[str, int]) -> tuple[tuple[str, int | None], ...]:
    """Give the model whose name this name is, once words of quantization are taken off its end, or with which it begins."""
    words = [word for word in _SEPARATOR.split(identifier.rpartition("/")[2].lower()) if word]
    quantized = list(words)
    while quantized and _QUANTIZED.fullmatch(quantized[-1]):
        quantized.pop()
    if len(quantized) < len(words) and "".join(quantized) in by_name:
        return (("name-of-quantized", by_name["".join(quantized)]),)
    for length in range(len(words) - 1, 1, -1):
        found = by_name.get("".join(words[:length]))
        if found is not None:
            return (("name-prefix", found),)
    return ()


def _plain(identifier: str) -> str:
    """Give the name in an id, without owner, case and separators."""
    return _SEPARATOR.sub("", identifier.rpartition("/")[2].lower())


def suggestion_statements(models: HubModels, found: Iterable[Suggestion], counts: Counter[str]) -> Iterator[Statement]:
    """Give one node for each suggestion; they are counted as things of their class."""
    numbers: dict[int, int] = defaultdict(int)
    for one in found:
        numbers[one.model] += 1
        counts["Suggestion"] += 1
        child = models.path(one.model)
        node = iri(f"suggestion/{child.partition('/')[2]}/{numbers[one.model]}")
        yield node, predicate("rdf:type"), predicate("Suggestion")
        yield node, predicate("suggestedFor"), iri(child)
        yield node, predicate("suggestedParent"), iri(models.path(one.parent))
        yield node, predicate("repairRule"), text(one.rule)
        yield node, predicate("confidence"), decimal(CONFIDENCE[one.rule])
