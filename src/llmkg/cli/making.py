"""Commands that make the graph or look after it: build, validate, verify, completion."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyoxigraph
from click.shell_completion import get_completion_class

from llmkg.cli.output import emit, note
from llmkg.config import Settings
from llmkg.engines import ENGINES
from llmkg.errors import SourceError, UsageError, ValidationError
from llmkg.findings import Report, joined
from llmkg.home import GRAPH, current_version, sound_version, verify, whole_file
from llmkg.reports import report_json, report_text, report_turtle
from llmkg.validate import validate_file, validate_store

if TYPE_CHECKING:
    from llmkg.build import Summary

__all__ = ["COMMANDS"]

_REPORTS = {"table": report_text, "json": report_json, "ttl": report_turtle}
_engine = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="What checks the shapes: pyshacl for small graphs, shacl for large ones.",
)


@click.command("build")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of entities and claims [default: the packed data]."
)
@click.option(
    "--from", "dump", type=click.Path(path_type=Path), help="Build from an export (.nq or .trig) instead of data."
)
@click.option(
    "--validate/--no-validate", default=True, help="Refuse a graph that breaks shapes or checks.", show_default=True
)
@_engine
@click.option("-f", "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def build_command(
    settings: Settings, data: Path | None, dump: Path | None, validate: bool, engine: str, form: str
) -> None:
    """Build the graph and make it the current version; the one before stays until this one is complete."""
    from llmkg.build import build, rebuild

    settings = replace(settings, data=data or settings.data)
    found: list[Report] = []
    spent: list[float] = []

    def check(store: pyoxigraph.Store, graph: Path) -> None:
        start = time.monotonic()
        note("validating …")
        report = validate_store(store, settings.ontology, engine, graph)
        spent.append(time.monotonic() - start)
        found.append(report)
        if not report.conforms:
            raise ValidationError(
                f"the graph breaks its rules\n{report_text(report)}", str(settings.data), "mend the data"
            )

    start = time.monotonic()
    note(f"building {settings.home} from {dump or settings.data} …")
    summary = (
        rebuild(settings, dump, check if validate else None) if dump else build(settings, check if validate else None)
    )
    seconds = time.monotonic() - start - sum(spent)
    emit(_summary_json(summary, found) if form == "json" else _summary_text(summary, found))
    validated = f", validated in {sum(spent):.1f} s by {found[0].engine}" if found else ""
    note(f"built in {seconds:.1f} s{validated}")


def _counts(summary: Summary, found: list[Report]) -> dict[str, Any]:
    return asdict(summary) | {
        "version": summary.version.name,
        "violations": sum(report.count("Violation") for report in found),
        "warnings": sum(report.count("Warning") for report in found),
    }


def _summary_json(summary: Summary, found: list[Report]) -> str:
    return json.dumps(_counts(summary, found), indent=2, sort_keys=True) + "\n"


def _summary_text(summary: Summary, found: list[Report]) -> str:
    lines = [f"{'source':<26}{'entities':>9}{'claims':>9}{'quads':>9}"]
    for name, quads in summary.quads.items():
        cells = (summary.entities.get(name, ""), summary.claims.get(name, ""), quads)
        lines.append(f"{name:<26}" + "".join(f"{cell:>9}" for cell in cells))
    lines.append(f"{'all named graphs':<26}{'':>9}{sum(summary.claims.values()):>9}{_named(summary):>9}")
    counts = _counts(summary, found)
    checked = f"violations {counts['violations']}, warnings {counts['warnings']}" if found else "not validated"
    lines.append(f"\ninferred {summary.inferred} triples; conflicts {summary.conflicts}; {checked}")
    if summary.hub:
        lines.append("Hub: " + ", ".join(f"{name} {count}" for name, count in summary.hub.items()))
        lines += [f"  {rule:<22}{cases:>9}" for rule, cases in summary.rules.items()]
    lines.append(f"hash {summary.hash}")
    return "\n".join(lines) + "\n"


def _named(summary: Summary) -> int:
    return sum(count for name, count in summary.quads.items() if name != "default")


@click.command("validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@_engine
@click.option("-f", "--format", "form", type=click.Choice(list(_REPORTS)), default="table", show_default=True)
@click.pass_obj
def validate_command(settings: Settings, files: Sequence[Path], engine: str, form: str) -> int:
    """Check the built graph, or Turtle FILES, against the shapes and checks; exit 4 where a rule is broken."""
    if settings.endpoint:
        raise UsageError("validate reads the local graph or files", hint="leave out --endpoint")
    reports: list[Report] = []
    problems: list[Any] = []
    for path in files:
        try:
            reports.append(validate_file(path, settings.ontology, engine))
        except SourceError as error:
            problems += error.problems
    if not files:
        version = sound_version(settings.home, stamps=settings.cache)
        with (version / GRAPH).open("rb", buffering=0) as file:
            whole_file(version, GRAPH)(file)
        store = pyoxigraph.Store.read_only(str(version / "store"))
        reports.append(validate_store(store, settings.ontology, engine, version / GRAPH))
    report = joined(reports)
    if reports:
        emit(_REPORTS[form](report))
    if problems:
        raise SourceError(problems)
    return 0 if report.conforms else ValidationError.code


@click.command("verify")
@click.pass_obj
def verify_command(settings: Settings) -> None:
    """Check every file of the current version against its manifest."""
    manifest = verify(settings.home)
    quads = sum(manifest.quads.values())
    emit(
        f"{current_version(settings.home).name}: {len(manifest.files)} files as written, {quads} quads, hash {manifest.hash}\n"
    )


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL; for bash: llmkg completion bash > ~/.local/share/bash-completion/completions/llmkg."""
    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"no completion for {shell}")
    emit(found(click.Group(), {}, "llmkg", "_LLMKG_COMPLETE").source() + "\n")


COMMANDS = (build_command, validate_command, verify_command, completion)
