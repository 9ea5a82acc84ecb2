"""The snapshot of the Hub → models by number, the steps between them, and what had to be repaired.

Everything that needs to know all models at once is held here as numbers; what one record says by itself is written by
:mod:`llmkg.hub_facts` in another pass over the snapshot.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmkg.hub_facts import SOURCE, Fact, Known, entity_statements, model_path
from llmkg.namespaces import BASE
from llmkg.ntriples import Statement, iri, predicate, text
from llmkg.records import HubRecord, StatedParent
from llmkg.repair import meanings, relation_of
from llmkg.sources.record_line import is_hub_id
from llmkg.sources.snapshot import SnapshotInfo, key_of, read_info, read_records

__all__ = [
    "HubModels",
    "HubStep",
    "Repair",
    "Steps",
    "repair_statements",
    "resolve_steps",
    "scan",
    "stated_lineage",
    "statements_of",
]


@dataclass(frozen=True, slots=True)
class RawStep:
    """A parent as one record names it, with the relation that holds and the rule by which it is inferred.

    ``record`` is the number of the record: several repositories can be one model, ``child``.
    """

    record: int
    child: int
    parent: StatedParent
    relation: str
    rule: str


@dataclass(slots=True)
class HubModels:
    """All models of the snapshot by number, in the order of their keys: ids, numbers by key, and what hangs on them.

    ``joined`` are the records of models that the curated data name, by number; ``paths`` their paths, ``spellings`` their ids
    by key. Several repositories
    can be one such model: its steps are those of its number in ``own``, by path. ``created`` are days, ``types`` numbers of the
    configured model types, 0 where there is none.
    """

    info: SnapshotInfo
    ids: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)
    joined: dict[int, HubRecord] = field(default_factory=dict)
    spellings: dict[str, str] = field(default_factory=dict)
    steps: list[RawStep] = field(default_factory=list)
    newer: list[tuple[int, str]] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    terms: bytearray = field(default_factory=bytearray)
    created: array[int] = field(default_factory=lambda: array("l"))
    parameters: array[int] = field(default_factory=lambda: array("q"))
    types: array[int] = field(default_factory=lambda: array("l"))
    tagged: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def path(self, number: int) -> str:
        """Give the path of the model with ``number``."""
        return self.paths.get(number) or model_path(self.ids[number])


@dataclass(frozen=True, slots=True)
class HubStep:
    """One effective step between two models by number; ``rule`` names what was inferred (empty: all of it is stated)."""

    child: int
    parent: int
    relation: str
    rule: str
    hub_relation: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """One case of a rule: the model, the text of its card, what it came to mean, and the relation before."""

    rule: str
    child: int
    text: str
    parent: int = -1
    before: str = ""


@dataclass(slots=True)
class Steps:
    """The steps of all records: those that hold, what is stated as it stands, texts that name no model, and repairs."""

    effective: list[HubStep] = field(default_factory=list)
    stated: list[tuple[int, str, int]] = field(default_factory=list)
    newer: list[tuple[int, int]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    @property
    def rules(self) -> Counter[str]:
        """Give the number of cases of each rule that had some."""
        return Counter(repair.rule for repair in self.repairs)


def scan(snapshot: Path, known: Known, strictness: Mapping[str, int]) -> HubModels:
    """Give the models of ``snapshot`` in one pass; ``strictness`` ranks the terms of licenses by their Hub id."""
    models = HubModels(read_info(snapshot))
    types = {"": 0}
    for number, record in enumerate(read_records(snapshot)):
        key = key_of(record.id)
        models.ids.append(record.id)
        path = known.paths.get(("model", key))
        own = models.own.setdefault(path, number) if path else number
        models.numbers[key] = own
        if path:
            models.paths[number] = path
            models.joined[number] = record
            models.spellings[key] = record.id
        models.weights.append(record.downloads or 0)
        models.terms.append(_strictest(record.licenses, strictness))
        models.created.append(int(record.created.replace("-", "") or 0))
        models.parameters.append(record.parameters or 0 if record.parameters_from != "name" else 0)
        models.types.append(types.setdefault(record.model_type, len(types)))
        if record.tagged:
            models.tagged[number] = record.tagged
        for parent in record.parents:
            models.steps.append(RawStep(number, own, parent, *relation_of(record, parent)))
        if record.new_version:
            models.newer.append((number, record.new_version))
    return models


def _strictest(licenses: tuple[str, ...], strictness: Mapping[str, int]) -> int:
    """Give the rank of the strictest license, or 0 where one of them is of unknown terms."""
    ranks = [strictness.get(name, 0) for name in licenses]
    return max(ranks) if ranks and all(ranks) else 0


def resolve_steps(models: HubModels, known: Known, redirects: Mapping[str, str]) -> Steps:
    """Give what the parents that records name come to; a model that is only named is added to ``models``."""
    found = Steps()
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    seen: set[tuple[int, int]] = set()
    count = len(models.ids)
    for step in models.steps:
        for meaning in meanings(step.parent.text, models.numbers, redirects):
            if not meaning.id:
                _note(found, meaning.rules, step, -1)
                found.texts.append((step.record, step.parent.text))
                continue
            key = key_of(meaning.id)
            number = _number(models, key, known)
            if number >= count:
                spelled[key][meaning.id] += 1
            _settle(models, step, meaning.id, meaning.rules, number, found, seen, count)
    for number, newer in models.newer:
        if is_hub_id(newer):
            target = _number(models, key_of(newer), known)
            if target >= count:
                spelled[key_of(newer)][newer] += 1
            found.newer.append((number, target))
        else:
            _note(
                found,
                ("unreadable",),
                RawStep(number, models.numbers[key_of(models.ids[number])], StatedParent(newer), "", ""),
                -1,
            )
    for key, spellings in spelled.items():
        models.ids[models.numbers[key]] = min(spellings, key=lambda name: (-spellings[name], name))
    return found


def _number(models: HubModels, key: str, known: Known) -> int:
    """Give the number of the model with ``key``, a new one where no record holds it."""
    number = models.numbers.get(key)
    if number is None:
        path = known.paths.get(("model", key), "")
        number = models.numbers[key] = models.own.get(path, len(models.ids))
        if number < len(models.ids):
            return number
        if path:
            models.paths[number] = path
            models.own[path] = number
        models.ids.append(key)
        models.weights.append(0)
        models.terms.append(0)
    return number


def _settle(
    models: HubModels,
    step: RawStep,
    name: str,
    rules: tuple[str, ...],
    number: int,
    found: Steps,
    seen: set[tuple[int, int]],
    count: int,
) -> None:
    """Add what one parent of one model comes to."""
    is_joined = number in models.paths
    spelling = models.spellings.get(key_of(name), "") if is_joined else models.ids[number] if number < count else ""
    if spelling not in ("", name) and "redirect" not in rules:
        rules = (*rules, "letter-case")
    if step.parent.place == "config":
        rules = (*rules, "adapter-config")
    if rules:
        found.texts.append((step.record, step.parent.text))
    elif step.parent.place != "config":
        found.stated.append((step.record, step.parent.relation or "derivedFrom", number))
    if number == step.child:
        _note(found, ("self-loop",), step, number)
        return
    if (step.child, number) in seen:
        _note(found, ("repeated",), step, number)
        return
    seen.add((step.child, number))
    relation_rules = (step.rule,) if step.rule else ()
    absent = () if number < count or is_joined else ("absent",)
    _note(found, (*rules, *absent, *relation_rules), step, number)
    rule = "; ".join((*rules, *relation_rules))
    hub = step.parent.hub_relation
    found.effective.append(HubStep(step.child, number, step.relation, rule, hub if hub != step.relation else ""))


def _note(found: Steps, rules: tuple[str, ...], step: RawStep, number: int) -> None:
    for rule in rules:
        before = step.parent.relation or step.parent.hub_relation
        found.repairs.append(
            Repair(rule, step.child, step.parent.text, number, before if before != step.relation else "")
        )


def stated_lineage(models: HubModels, steps: Steps) -> Iterator[tuple[int, Fact]]:
    """Give what records state of lineage, each with the number of its record."""
    for number, relation, parent in steps.stated:
        yield number, Fact(relation, iri(models.path(parent)), f"base_model: {models.ids[parent]}")
    for number, words in dict.fromkeys(steps.texts):
        yield number, Fact("statedParent", text(words), f"base_model: {words}")
    for number, newer in steps.newer:
        yield number, Fact("supersededBy", iri(models.path(newer)), f"new_version: {models.ids[newer]}")


def statements_of(models: HubModels, steps: Steps, count: int) -> Iterator[Statement]:
    """Give what is stated of lineage, text by text, and the models that are only named (numbered from ``count`` on)."""
    for number, fact in stated_lineage(models, steps):
        if number not in models.joined:
            yield iri(models.path(number)), predicate(fact.property), fact.value
    for number in range(count, len(models.ids)):
        if number in models.paths:
            continue
        path = models.path(number)
        yield from entity_statements(path, "model-variant", models.ids[number])
        yield iri(path), predicate("hubId"), text(models.ids[number])
        yield iri(path), predicate("absentFrom"), iri(f"source/{SOURCE}")


def repair_statements(models: HubModels, repairs: list[Repair]) -> Iterator[Statement]:
    """Give one node for each case of a rule."""
    numbers: Counter[tuple[str, int]] = Counter()
    for repair in repairs:
        child = models.path(repair.child)
        numbers[repair.rule, repair.child] += 1
        place = f"{child.partition('/')[2]}/{numbers[repair.rule, repair.child]}"
        node = iri(f"repair/{repair.rule}/{place}")
        yield node, predicate("rdf:type"), predicate("Repair")
        yield node, predicate("repairRule"), text(repair.rule)
        yield node, predicate("repairedModel"), iri(child)
        yield node, predicate("statedText"), text(repair.text)
        if repair.parent >= 0:
            yield node, predicate("repairedParent"), iri(models.path(repair.parent))
        if repair.before:
            yield node, predicate("relationBefore"), f"<{BASE}ontology#{repair.before}>"
