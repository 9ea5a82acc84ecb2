"""The command ``llmkg``: options that hold for all commands, and errors as exit codes."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import llmkg
from llmkg.cli import asking, importing, making, publishing
from llmkg.config import read_settings
from llmkg.errors import InternalError, LlmkgError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(llmkg.__version__, message="llmkg %(version)s")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the built graph [env: LLMKG_HOME].")
@click.option("--endpoint", help="URL of a SPARQL endpoint to ask instead of the local graph [env: LLMKG_ENDPOINT].")
@click.option(
    "--default-graph",
    help="Named graph of the endpoint that holds the merged graph [default: asked for; env: LLMKG_DEFAULT_GRAPH].",
)
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds a query may take."
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def cli(
    context: click.Context,
    home: Path | None,
    endpoint: str | None,
    default_graph: str | None,
    timeout: float,
    debug: bool,
) -> None:
    """Ask a knowledge graph of large language models: lineage, licences, sizes, training — with evidence.

    Start with `llmkg query`, which lists the questions that can be asked, or with `llmkg show LLaMA`.
    """
    settings = read_settings(os.environ)
    settings = replace(settings, home=home or settings.home, timeout=timeout)
    settings = replace(settings, default_graph=default_graph or settings.default_graph)
    context.obj = replace(settings, endpoint=settings.endpoint if endpoint is None else endpoint)


for command in (*asking.COMMANDS, *making.COMMANDS, *importing.COMMANDS, *publishing.COMMANDS):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code that ``llmkg.errors`` lists."""
    signal.signal(signal.SIGTERM, _terminate)
    _open_closed()
    # in an ASCII locale Python leaves the bytes of other characters undecoded
    typed = [os.fsencode(argument).decode("utf-8", "replace") for argument in sys.argv[1:]]
    given = typed if arguments is None else arguments
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        code = 0
    except OSError as error:
        code = _write_failed(error)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Run and give the exit code; every error is written to stderr, without a traceback unless ``--debug`` is given."""
    try:
        result: Any = cli.main(arguments, prog_name="llmkg", standalone_mode=False)
    except LlmkgError as error:
        return _failed(error, arguments)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        _leave(130)
    except BrokenPipeError:
        raise
    except SystemExit as error:
        if error.code != 1:
            raise
        _close_stdout()  # click exits so, and only so, when the reader has closed the pipe
        return 0
    except OSError as error:
        return _write_failed(error)
    except Exception as error:  # noqa: BLE001 - the last place where a bug can become a message
        return _failed(
            InternalError(f"{type(error).__name__}: {error}", hint="run with --debug, and report it"), arguments
        )
    return result if isinstance(result, int) else 0


def _failed(error: LlmkgError, arguments: list[str]) -> int:
    if "--debug" in arguments:
        traceback.print_exc()
    click.echo(f"error: {error}", err=True)
    if error.code == 6:
        _leave(error.code)  # the engine cannot be interrupted, and its thread must not hold the process
    return error.code


def _write_failed(error: OSError) -> int:
    _close_stdout()
    if error.errno == errno.EPIPE:
        return 0
    with suppress(OSError):  # stderr may be on the same full disk
        click.echo(f"error: cannot be written: {error.strerror}", err=True)
    return 10


def _open_closed() -> None:
    """Give closed standard streams a place to go, so that no file of ours takes their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - never closed


def _close_stdout() -> None:
    """Let nothing be written to the broken stdout again, not even by the interpreter at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def _leave(code: int) -> None:
    sys.stderr.flush()
    os._exit(code)


def _terminate(number: int, frame: object) -> None:
    sys.exit(128 + number)
