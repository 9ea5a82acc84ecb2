"""Commands that read the graph: query, sparql, search, show, claims, lineage, export, stats, schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from pyoxigraph import Literal

from llmkg.cli.output import cut, emit, emit_results, is_ascii, note
from llmkg.cli.page import description_text
from llmkg.config import Settings, read_settings
from llmkg.diagrams import FORMATS as LINEAGE_FORMATS
from llmkg.errors import UsageError
from llmkg.export import FORMATS as EXPORT_FORMATS
from llmkg.export import export as export_graph
from llmkg.graph import KnowledgeGraph, connect
from llmkg.home import current_version, is_new
from llmkg.identifiers import entity_iri
from llmkg.queries import Parameter, StoredQuery
from llmkg.render import FORMATS
from llmkg.results import Results
from llmkg.sources.text import decode, read_text
from llmkg.store import Store

__all__ = ["COMMANDS"]

_format = click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Form of the answer [default: table on a terminal, else tsv].",
)
_output = click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file instead of stdout.")


def connected(settings: Settings) -> KnowledgeGraph:
    """Give the graph, saying on stderr when it has to be built first."""
    if not settings.endpoint and is_new(settings.home):
        note(f"building the graph in {settings.home} (once, a few seconds) …")
    return connect(settings)


class QueryGroup(click.Group):
    """The stored queries as commands: each file is one, with the options its header declares."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Give the names of all stored queries."""
        return list(KnowledgeGraph(_settings(context), None).queries())  # type: ignore[arg-type]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Give the command of one stored query; raise with the nearest names where there is none."""
        return _command_of(KnowledgeGraph(_settings(context), None).stored_query(name))  # type: ignore[arg-type]


def _settings(context: click.Context) -> Settings:
    found = context.find_object(Settings)
    return found if found is not None else read_settings({})


def _command_of(query: StoredQuery) -> click.Command:
    @_format
    @_output
    @click.pass_obj
    def run(settings: Settings, /, form: str | None, output: Path | None, **values: Any) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        results = connected(settings).query(query.name, **given)
        emit_results(results, form, output)
        chosen = {parameter.name: parameter.default for parameter in query.parameters if parameter.type == "choice"}
        _explain_empty(results, query.summary, {name: value for name, value in chosen.items() if value} | given)

    epilog = f"Answers {', '.join(query.answers)} of the competency questions." if query.answers else ""
    command = click.command(
        query.name, help=f"{query.summary}.\n\n{query.description}", epilog=epilog, short_help=query.summary
    )
    made = command(run)
    made.params = [*(_option(parameter) for parameter in query.parameters), *made.params]
    return made


def _option(parameter: Parameter) -> click.Option:
    kind: Any = click.Choice(parameter.choices) if parameter.type == "choice" else str
    default = f" [default: {parameter.default}]" if parameter.default else ""
    needed = " [required]" if parameter.required else ""
    return click.Option(
        [f"--{parameter.name}"], type=kind, help=parameter.help + default + needed, metavar=_metavar(parameter)
    )


def _metavar(parameter: Parameter) -> str | None:
    words = {
        "entity": "NAME",
        "iri": "IRI",
        "string": "TEXT",
        "matches": "TEXT",
        "boolean": "true|false",
        "date": "YYYY-MM-DD",
    }
    return None if parameter.type == "choice" else words.get(parameter.type, parameter.type.upper())


def _explain_empty(results: Results, question: str, given: dict[str, Any]) -> None:
    if not results.rows:
        told = (
            " with " + ", ".join(f"--{name.replace('_', '-')} {value}" for name, value in given.items())
            if given
            else ""
        )
        note(f"no rows: nothing in the graph answers “{question}”{told}")


@click.group("query", cls=QueryGroup, invoke_without_command=True)
@click.pass_context
def query(context: click.Context) -> None:
    """List the stored queries, or run one: llmkg query derivatives --of LLaMA."""
    if context.invoked_subcommand is not None:
        return
    graph = KnowledgeGraph(_settings(context), None)  # type: ignore[arg-type]
    found = [graph.stored_query(name) for name in graph.queries()]
    size = max(len(stored.name) for stored in found)
    for topic in sorted({stored.topic for stored in found}):
        click.echo(f"{topic}:")
        for stored in (s for s in found if s.topic == topic):
            click.echo(cut(f"  {stored.name.ljust(size)}  {stored.summary}"))
    note("\nRun one with llmkg query NAME; its options: llmkg query NAME --help")


@click.command()
@click.argument("file")
@_format
@_output
@click.pass_obj
def sparql(settings: Settings, file: str, form: str | None, output: Path | None) -> None:
    """Run any SPARQL query from FILE, or from stdin with -."""
    text = decode(sys.stdin.buffer.read(), "stdin") if file == "-" else read_text(Path(file))
    results = connected(settings).sparql(text)
    emit_results(results, form, output)
    _explain_empty(results, "this query", {})


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Show at most this many.")
@_format
@click.pass_obj
def search(settings: Settings, text: Sequence[str], limit: int, form: str | None) -> None:
    """Find entities by a name, or a part of one, in any language."""
    graph = connected(settings)
    words = " ".join(text)
    hits = graph.index.search(words, limit)
    rows = tuple((entity_iri(path), Literal(name)) for path, name in hits)
    emit_results(Results(("entity", "name"), rows), form)
    if not hits:
        near = graph.index.suggest(words)
        note(
            f"no entity has a name with {words!r}" + (f"; did you mean {' or '.join(map(repr, near))}?" if near else "")
        )


@click.command()
@click.argument("entity", nargs=-1, required=True)
@click.option("-f", "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def show(settings: Settings, entity: Sequence[str], form: str) -> None:
    """Show everything known of ENTITY: each value with its sources, conflicts, and what nobody states."""
    found = connected(settings).show(" ".join(entity))
    if form == "json":
        emit(json.dumps(asdict(found), ensure_ascii=False, indent=2) + "\n")
    else:
        emit(description_text(found, ascii_only=is_ascii()))


@click.command()
@click.argument("entity", nargs=-1, required=True)
@_format
@_output
@click.pass_obj
def claims(settings: Settings, entity: Sequence[str], form: str | None, output: Path | None) -> None:
    """List every claim about ENTITY with its source and line."""
    results = connected(settings).query("claims", about=" ".join(entity))
    emit_results(results, form, output)
    _explain_empty(results, "claims", {"about": " ".join(entity)})


@click.command()
@click.argument("model", nargs=-1, required=True)
@click.option("--up/--down", default=False, help="Show ancestors instead of descendants [default: --down].")
@click.option("--depth", type=click.IntRange(min=1), help="Show at most this many steps.")
@click.option("-f", "--format", "form", type=click.Choice(LINEAGE_FORMATS), default="tree", show_default=True)
@_output
@click.pass_obj
def lineage(
    settings: Settings, model: Sequence[str], up: bool, depth: int | None, form: str, output: Path | None
) -> None:
    """Draw what descends from MODEL, or with --up what it descends from."""
    found = connected(settings).lineage(" ".join(model), up, depth or 0)
    emit(found.draw(form, ascii_only=is_ascii() and output is None), output)
    if not found.graph.edges:
        note(f"no source states a model that {'this one comes from' if up else 'comes from this one'}")


@click.command("export")
@click.argument("entity", nargs=-1)
@click.option("-f", "--format", "form", type=click.Choice(list(EXPORT_FORMATS)), default="ttl", show_default=True)
@click.option("--source", default="", help="Only what this source states (its id).")
@_output
@click.pass_obj
def export_command(settings: Settings, entity: Sequence[str], form: str, source: str, output: Path | None) -> None:
    """Export the graph, one source's graph, or the neighbourhood of ENTITY."""
    graph = connected(settings)
    if entity and source:
        raise UsageError("ENTITY and --source cannot go together")
    node = graph.resolve(" ".join(entity)) if entity else None
    emit(export_graph(graph.readable, form, settings.ontology / "context.jsonld", source, node), output)


@click.command()
@_format
@click.pass_obj
def stats(settings: Settings, form: str | None) -> None:
    """Count what the graph holds."""
    graph = connected(settings)
    emit_results(graph.query("statistics"), form)
    if isinstance(graph.endpoint, Store):
        note(f"version: {current_version(settings.home)}")


@click.command()
@click.option("--classes", is_flag=True, help="List classes instead of properties.")
@_format
@click.pass_obj
def schema(settings: Settings, classes: bool, form: str | None) -> None:
    """List the properties (or classes) of the ontology with their values and units."""
    emit_results(connected(settings).query("class-list" if classes else "property-list"), form)


COMMANDS = (query, sparql, search, show, claims, lineage, export_command, stats, schema)
