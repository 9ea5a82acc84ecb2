"""Writing answers: data to stdout or a file, everything else to stderr; a closed pipe or a full disk ends cleanly."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmkg.errors import WriteError
from llmkg.namespaces import BASE
from llmkg.render import render, shown
from llmkg.results import Results

__all__ = ["emit", "emit_results", "is_ascii", "note", "on_terminal"]


def on_terminal() -> bool:
    """Tell whether stdout is a terminal."""
    return sys.stdout.isatty()


def is_ascii() -> bool:
    """Tell whether stdout can hold nothing but ASCII."""
    return "utf" not in (sys.stdout.encoding or "ascii").lower()


def note(text: str) -> None:
    """Say something about the work, on stderr."""
    click.echo(text, err=True)


def emit(text: str, output: Path | None = None) -> None:
    """Write ``text`` to stdout, or to the file ``output`` as a whole; raise :class:`WriteError` where that cannot be.

    A device or pipe (``--output /dev/stderr``) is written to, never replaced; a link stays, and what it leads to is replaced.
    """
    if output is None:
        if is_ascii():
            text = text.encode("ascii", "backslashreplace").decode()
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        if output.exists() and not output.is_file():
            output.write_text(text, encoding="utf-8", newline="")
        else:
            _replace(output.resolve(), text)
    except BrokenPipeError:
        return
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", str(output), "give another --output") from error
    note(f"wrote {output}")


def _replace(output: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".llmkg-", dir=output.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def emit_results(results: Results, form: str | None, output: Path | None = None) -> None:
    """Write an answer: as a table on a terminal and as TSV elsewhere, unless ``form`` says otherwise.

    On a terminal a column of IRIs is left out where the next column holds their labels.
    """
    if form is None:
        form = "table" if on_terminal() and output is None else "tsv"
        form = "ttl" if results.is_graph else form
    if form == "table" and on_terminal() and output is None:
        _print_table(results)
    else:
        emit(render(results, form), output)


def _print_table(results: Results) -> None:
    console = Console(highlight=False)
    kept = [i for i in range(len(results.columns)) if not _is_labelled(results, i)]
    box = ASCII2 if is_ascii() else SIMPLE_HEAD
    table = Table(box=box, show_edge=False, pad_edge=False, header_style="bold")
    for index in kept:
        name = results.columns[index]
        numbers = any(not isinstance(row[index], type(None)) and _is_number(row, index) for row in results.rows)
        table.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in results.rows:
        table.add_row(*(Text(_ascii(shown(row[index], results.columns[index]))) for index in kept))
    console.print(table)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode() if is_ascii() else text


def _is_labelled(results: Results, index: int) -> bool:
    following = results.columns[index + 1] if index + 1 < len(results.columns) else ""
    named = following in ("label", f"{results.columns[index]}Label")
    return named and all(row[index] is None or getattr(row[index], "value", "").startswith(BASE) for row in results.rows)


def _is_number(row: tuple[object, ...], index: int) -> bool:
    datatype = getattr(row[index], "datatype", None)
    return datatype is not None and datatype.value.rpartition("#")[2] in ("integer", "decimal", "double")
