"""The command that puts the built graph onto a server: load."""

from __future__ import annotations

from dataclasses import replace

import click

from llmkg.cli.asking import connected
from llmkg.cli.output import emit, note
from llmkg.config import Settings
from llmkg.errors import InternalError, UsageError
from llmkg.home import current_version, read_manifest
from llmkg.publish import Target, load, state_file
from llmkg.store import Store

__all__ = ["COMMANDS"]


@click.command("load")
@click.option("--endpoint", help="URL where the server answers queries [env: LLMKG_ENDPOINT].")
@click.option("--graph-store", default="", help="URL where it takes graphs (SPARQL 1.1 Graph Store HTTP Protocol).")
@click.option("--update", default="", help="URL where it takes SPARQL updates; used where there is no graph store.")
@click.option("--default-graph", help="Named graph for the merged graph [default: found out].")
@click.option("--auth", help="USER:PASSWORD, for HTTP digest or basic [env: LLMKG_AUTH, which others cannot see].")
@click.pass_obj
def load_command(
    settings: Settings,
    endpoint: str | None,
    graph_store: str,
    update: str,
    default_graph: str | None,
    auth: str | None,
) -> None:
    """Load the built graph onto a SPARQL 1.1 server, replacing what llmkg put there before.

    A load that was interrupted goes on where it stopped. At the end the server counts what it holds. For Oxigraph (…/query) and
    Virtuoso (…/sparql) the address of the queries is enough.
    """
    there = endpoint or settings.endpoint
    if not there:
        raise UsageError("load needs a server", hint="give --endpoint URL")
    graph = connected(replace(settings, endpoint=""))
    if not isinstance(graph.endpoint, Store):
        raise InternalError("the local graph is no store")
    target = Target(
        endpoint=there,
        graph_store=graph_store,
        update=update,
        default_graph=default_graph or settings.default_graph,
        auth=auth or settings.auth,
        timeout=settings.timeout,
    )
    build = read_manifest(current_version(settings.home)).hash
    counts = load(graph.endpoint, build, target, state_file(settings.home, there), note)
    width = max(map(len, counts))
    emit("".join(f"{name:<{width}}  {count:>10}\n" for name, count in (*counts.items(), ("all", sum(counts.values())))))


COMMANDS = (load_command,)
