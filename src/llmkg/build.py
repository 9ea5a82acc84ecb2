"""The pipeline: sources → records → identity → quads → store → inference → validation → published version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import pyoxigraph
import zstandard
from pyoxigraph import BlankNode, DefaultGraph, Quad, RdfFormat

from llmkg.config import Settings
from llmkg.counts import Counts, count
from llmkg.endpoint_names import names_in
from llmkg.errors import Problem, SourceError, StoreCorrupt
from llmkg.home import GRAPH, NAMES, Manifest, hash_file, publish
from llmkg.hub_facts import SOURCE
from llmkg.hub_part import HubPart, read_hub
from llmkg.identifiers import split_path
from llmkg.identity import Index, Name
from llmkg.importing import snapshot_path
from llmkg.inference import Facts, Inferred, compute, gather, infer, infer_lineage
from llmkg.names import write_names
from llmkg.namespaces import BASE, graph_iri, term
from llmkg.ntriples import statement_chunks
from llmkg.quads import (
    ClaimWriter,
    Triple,
    entity_triples,
    in_graph,
    names_of,
    ontology_triples,
    source_triples,
    value_problems,
)
from llmkg.records import ClaimRecord, EntityRecord, Redirect, SourceRecord
from llmkg.sources.claim_file import read_claim_file
from llmkg.sources.entity_file import read_entity_file
from llmkg.sources.redirects import new_ids, read_redirects
from llmkg.sources.source_list import read_source_list
from llmkg.sources.text import read_text
from llmkg.store import Store, canonical_lines, count_quads, open_store, write_store
from llmkg.version import __version__

__all__ = ["Inputs", "Summary", "assemble", "build", "input_hashes", "read_inputs", "rebuild"]

_LEVEL = 1  # of compression: the disk is slower
_DUMPS = {".nq": RdfFormat.N_QUADS, ".trig": RdfFormat.TRIG}


@dataclass(frozen=True, slots=True)
class Inputs:
    """All records of a data folder."""

    sources: tuple[SourceRecord, ...]
    entities: tuple[EntityRecord, ...]
    claims: tuple[ClaimRecord, ...]
    redirects: Mapping[str, str] = field(default_factory=dict)


#: sees the finished store, and the file of what was loaded into it
Check = Callable[[pyoxigraph.Store, Path], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a build made: the version's folder, its hash, and counts of what it holds."""

    version: Path
    hash: str
    quads: dict[str, int]
    claims: dict[str, int] = field(default_factory=dict)
    entities: dict[str, int] = field(default_factory=dict)
    inferred: int = 0
    conflicts: int = 0
    hub: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What a build writes: quads held in memory, then statements about lineage, then the mass of the Hub as a stream."""

    quads: list[Quad]
    lineage: Inferred = field(default_factory=Inferred)
    counts: Counts = field(default_factory=Counts)
    hub: HubPart | None = None

    def chunks(self) -> Iterator[bytes]:
        """Give all of it as N-Quads, each part in an order that depends on the inputs alone."""
        memory = pyoxigraph.Store()  # it rewrites literals as the store on disk does
        memory.bulk_extend(self.quads)
        yield "".join(f"{text}\n" for text in canonical_lines(memory)).encode()
        if self.hub:
            yield from self.hub.chunks()
            yield from _inferred_chunks(self.lineage)
            yield from self.hub.repair_chunks()
            self.hub.add_counts(self.counts)
            yield from statement_chunks(self.counts.statements())


def build(settings: Settings, check: Check | None = None) -> Summary:
    """Give the summary of a new current version made from ``settings.data`` and the snapshot of the Hub, if there is one.

    ``check`` sees the graph before it is published and raises to refuse it. Raise :class:`SourceError` with every
    problem found; the version before stays current then.
    """
    inputs = read_inputs(settings.data)
    snapshot = snapshot_path(settings.home)
    if not snapshot.exists():
        made = assemble(inputs, settings.ontology)
        lineage = infer_lineage(made.facts, made.counts)
        chunks = chain(_inferred_chunks(lineage), statement_chunks(made.counts.statements()))
        more = (quad for chunk in chunks for quad in pyoxigraph.parse(chunk, RdfFormat.N_QUADS))
        return _publish(settings, Content([*made.quads, *more]), input_hashes(settings), check)
    hub = read_hub(snapshot, inputs.entities, settings.ontology, inputs.redirects)
    made = assemble(replace(inputs, sources=(*inputs.sources, hub.source)), settings.ontology, hub)
    made.facts.steps |= hub.joined_steps()
    lineage = infer_lineage(made.facts, made.counts, hub.models, hub.steps.effective)
    hashes = input_hashes(settings) | {"imports/hub.jsonl.zst": hash_file(snapshot)}
    return _publish(settings, Content(made.quads, lineage, made.counts, hub), hashes, check)


def _inferred_chunks(lineage: Inferred) -> Iterator[bytes]:
    yield from statement_chunks(lineage.relations, ("", "inferred"))
    yield from statement_chunks(lineage.computed)


def rebuild(settings: Settings, dump: Path, check: Check | None = None) -> Summary:
    """Give the summary of a new current version made from an export of the whole graph (N-Quads or TriG)."""
    form = _DUMPS.get(dump.suffix)
    if form is None:
        hint = "llmkg export --format nquads --output graph.nq"
        raise SourceError([Problem(str(dump), "is neither .nq nor .trig", hint)])
    text = read_text(dump)
    try:
        quads = list(pyoxigraph.parse(text.encode(), form))
    except SyntaxError as error:
        place = f"{dump}:{error.lineno or 1}:{error.offset or 1}"
        raise SourceError([Problem(place, f"is no {form.name}: {error.msg}")]) from error
    if any(isinstance(part, BlankNode) for quad in quads for part in quad):
        hint = "give every node an IRI: with blank nodes a graph has no one sorted form, and so no hash"
        raise SourceError([Problem(str(dump), "holds blank nodes", hint)])
    inputs = {dump.name: hashlib.sha256(text.encode()).hexdigest()}
    return _publish(settings, Content(quads), inputs, check)


def read_inputs(data: Path) -> Inputs:
    """Give all records of the data folder; raise :class:`SourceError` with every problem of every file."""
    problems: list[Problem] = []
    shown = data.name or data.resolve().name
    sources = read_source_list(data / "sources.yaml", f"{shown}/sources.yaml")
    problems += sources.problems
    entities: list[EntityRecord] = []
    for path in sorted((data / "entities").glob("*.yaml")):
        found = read_entity_file(path, f"{shown}/entities/{path.name}")
        entities += found.records
        problems += found.problems
    claims: list[ClaimRecord] = []
    for path in sorted((data / "claims").glob("*.yaml")):
        said = read_claim_file(path, f"{shown}/claims/{path.name}")
        claims += said.records
        problems += said.problems
        if not sources.problems and path.stem not in {source.slug for source in sources.records}:
            hint = f"add an entry with 'id: {path.stem}' to sources.yaml"
            problems.append(Problem(f"{shown}/claims/{path.name}:1:1", "belongs to no source", hint))
    redirects: tuple[Redirect, ...] = ()
    if (data / "redirects.csv").exists():  # who brings no models of the Hub needs none
        moved = read_redirects(data / "redirects.csv", f"{shown}/redirects.csv")
        redirects = moved.records
        problems += moved.problems
    inputs = Inputs(sources.records, tuple(entities), tuple(claims), new_ids(redirects))
    problems += _clashes(inputs)
    if problems:
        raise SourceError([*problems, *value_problems(inputs.claims)])
    return inputs


def _clashes(inputs: Inputs) -> Iterable[Problem]:
    """Give what is wrong between entries: one slug or name twice in a kind, a family that is not there, a wrong line."""
    seen: dict[tuple[str, str], EntityRecord] = {}
    for record in inputs.entities:
        key = (_segment(record), record.slug)
        if key in seen:
            yield Problem(str(record.place), f"{key[0]}/{key[1]} stands twice", f"the other is at {seen[key].place}")
        seen[key] = record
    for record in inputs.entities:
        family = seen.get(("model", record.family))
        if record.family and (family is None or family.kind != "model-family" or family.slug == record.slug):
            hint = "a family is another entry, of kind model-family"
            yield Problem(str(record.place), f"{record.slug} belongs to no known family {record.family!r}", hint)
        if record.replaced_by and seen.get(split_path(record.replaced_by), record) is record:
            message = f"{record.slug} is replaced by no other entity: {record.replaced_by!r}"
            yield Problem(str(record.place), message, "write the path of another entity, e.g. model/llama")
    yield from _shared_names(inputs.entities)
    yield from _shared_hub_ids(inputs.entities)
    yield from _source_clashes(inputs)


def _source_clashes(inputs: Inputs) -> Iterable[Problem]:
    listed: dict[str, SourceRecord] = {}
    for source in inputs.sources:
        if source.slug in listed:
            hint = f"the other is at {listed[source.slug].place}"
            yield Problem(str(source.place), f"source {source.slug} stands twice", hint)
        listed[source.slug] = source
    lines = {source.slug: source.lines for source in inputs.sources}
    for claim in inputs.claims:
        last = lines.get(claim.source, 0)
        if last and max(claim.lines) > last:
            hint = "compare it with the source, and with 'lines' in sources.yaml"
            yield Problem(str(claim.place), f"line {max(claim.lines)} of a source with {last} lines", hint)


def _shared_names(entities: tuple[EntityRecord, ...]) -> Iterable[Problem]:
    index = Index(names_of(entities))
    for record in entities:
        segment = _segment(record)
        for label in record.labels:
            others = [p for p in index.candidates(label.value, (segment,)) if p != f"{segment}/{record.slug}"]
            if others:
                hint = "two entries of one kind may not share a label; make one an alias, or tell them apart"
                yield Problem(str(record.place), f"label {label.value!r} is also that of {others[0]}", hint)


def _shared_hub_ids(entities: tuple[EntityRecord, ...]) -> Iterable[Problem]:
    """Give the Hub identifiers that two entities of one kind share; the Hub does not tell upper from lower case."""
    owners: dict[tuple[str, str], EntityRecord] = {}
    for record in entities:
        for key, value in record.external_ids:
            if key == "hub":
                owner = owners.setdefault((_segment(record), value.lower()), record)
                if owner is not record:
                    hint = f"a repository is one thing; the other is at {owner.place}"
                    yield Problem(str(record.place), f"{value!r} is also a Hub identifier of {owner.slug}", hint)


def _segment(record: EntityRecord) -> str:
    return "model" if record.kind.startswith("model-") else record.kind


@dataclass(frozen=True, slots=True)
class Assembly:
    """All quads that are held in memory, default graph included, the facts from which lineage follows, and counts."""

    quads: list[Quad]
    facts: Facts
    counts: Counts


def assemble(inputs: Inputs, ontology: Path, hub: HubPart | None = None) -> Assembly:
    """Give the curated graph, with the claims of ``hub`` about the models that it knows.

    Raise :class:`SourceError` with every wrong claim.
    """
    vocabulary = list(ontology_triples(ontology))
    concepts = {triple[0].value.removeprefix(BASE) for triple in vocabulary if "/vocabulary/" in triple[0].value}
    named: dict[str, set[Triple]] = {"ontology": set(vocabulary), "entities": set()}
    for entity in inputs.entities:
        named["entities"].update(entity_triples(entity))
    for source in inputs.sources:
        named["entities"].update(source_triples(source))
        named.setdefault(source.slug, set())
    writer = _writer(inputs, concepts)
    problems: list[Problem] = []
    for claim in inputs.claims:
        try:
            stated = writer.triples(claim)
            described = writer.event_triples(claim)
        except SourceError as error:
            problems.extend(error.problems)
            continue
        named["entities"].update(described)
        named[claim.source].update(stated)
    if problems:
        raise SourceError(problems)
    if hub:
        named[SOURCE].update(hub.claims())
    facts = gather(triple for triples in named.values() for triple in triples)
    counts = count(named)
    named["inferred"] = set(infer(facts))
    quads = [quad for name, triples in named.items() for quad in in_graph(triples, name)]
    computed = set(compute(facts))
    counts.instances["ConflictingValue"] = sum(value == term("ConflictingValue") for _, _, value in computed)
    merged = {triple for triples in named.values() for triple in triples} | computed
    return Assembly(quads + [Quad(*triple, DefaultGraph()) for triple in merged], facts, counts)


def _writer(inputs: Inputs, concepts: set[str]) -> ClaimWriter:
    paths = {f"{_segment(record)}/{record.slug}": record.labels for record in inputs.entities}
    paths |= {f"source/{source.slug}": source.titles for source in inputs.sources}
    return ClaimWriter(Index(names_of(inputs.entities)), frozenset(paths), paths, frozenset(concepts))


def input_hashes(settings: Settings) -> dict[str, str]:
    """Give the SHA-256 of every input file of a build by its name."""
    found = {}
    for folder, pattern in ((settings.data, "*.yaml"), (settings.data, "*.csv"), (settings.ontology, "*.ttl")):
        for path in sorted(folder.rglob(pattern)):
            if "examples" not in path.parts and "alignments" not in path.parts and "shapes" not in path.parts:
                name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _publish(settings: Settings, content: Content, inputs: dict[str, str], check: Check | None) -> Summary:
    made: list[Manifest] = []

    def fill(folder: Path) -> Manifest:
        digest = hashlib.sha256()
        store = write_store(folder / "store", _kept(content.chunks(), folder / GRAPH, digest))
        counts = count_quads(store)
        if check:
            check(store, folder / GRAPH)
        tools = {"llmkg": __version__, "pyoxigraph": pyoxigraph.__version__}
        manifest = Manifest(digest.hexdigest(), dict(sorted(counts.items())), inputs, tools)
        write_names(folder / NAMES, _names(store, content.hub))
        del store
        _smoke_test(folder / "store", sum(counts.values()))
        made.append(manifest)
        return manifest

    version = publish(settings.home, fill)
    return _summarize(version, made[0], content)


def _kept(chunks: Iterable[bytes], path: Path, digest: hashlib._Hash) -> Iterator[bytes]:
    """Give ``chunks``, keeping them compressed in the file ``path``, and their hash in ``digest``."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=1, write_checksum=True)
    with path.open("wb") as file, compressor.stream_writer(file) as writer:
        for chunk in chunks:
            digest.update(chunk)
            writer.write(chunk)
            yield chunk


def _names(store: pyoxigraph.Store, hub: HubPart | None) -> Iterable[Name]:
    """Give the names for the index: what is written by hand, then what comes from the Hub, most important first."""
    pattern = Store(store, "build", 0).pattern
    return chain(names_in(pattern, with_hub=False), hub.names()) if hub else names_in(pattern)


def _smoke_test(folder: Path, expected: int) -> None:
    """Open the new store as a reader will, and count what it holds."""
    found = sum(count_quads(open_store(folder).engine).values())
    if found != expected:
        raise StoreCorrupt(f"the new store holds {found} quads, not {expected}", str(folder))


def _summarize(version: Path, manifest: Manifest, content: Content) -> Summary:
    claims: dict[str, set[str]] = {}
    subjects: dict[str, set[str]] = {}
    conflicts: set[tuple[str, str]] = set()
    parts: dict[str, dict[str, str]] = {}
    for quad in content.quads:
        graph = "" if isinstance(quad.graph_name, DefaultGraph) else quad.graph_name.value.rpartition("/")[2]
        subject = quad.subject.value  # type: ignore[union-attr]
        if graph and "/claim/" in subject:
            claims.setdefault(graph, set()).add(subject)
            if quad.predicate.value.endswith("#subject"):
                subjects.setdefault(graph, set()).add(quad.object.value)  # type: ignore[union-attr]
        elif not graph and "/conflict/" in subject:
            parts.setdefault(subject, {})[quad.predicate.value.rpartition("#")[2]] = str(quad.object)
    for part in parts.values():
        conflicts.add((part["subject"], part["predicate"]))
    return Summary(
        version=version,
        hash=manifest.hash,
        quads=manifest.quads,
        claims={name: len(found) for name, found in sorted(claims.items())},
        entities={name: len(found) for name, found in sorted(subjects.items())},
        inferred=manifest.quads.get(graph_iri("inferred").value.rpartition("/")[2], 0),
        conflicts=len(conflicts),
        hub=content.hub.counts() if content.hub else {},
        rules=dict(sorted(content.counts.rules.items())),
    )
