"""Writing answers: data to stdout or a file, everything else to stderr; a closed pipe or a full disk ends cleanly."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

import click
from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmkg.errors import WriteError
from llmkg.namespaces import BASE
from llmkg.render import render, shown, width, wrap
from llmkg.results import Results, Term, plain_text

__all__ = ["cut", "emit", "emit_results", "is_ascii", "note", "on_terminal"]


def on_terminal() -> bool:
    """Tell whether stdout is a terminal."""
    return sys.stdout.isatty()


def is_ascii() -> bool:
    """Tell whether stdout can hold nothing but ASCII."""
    return "utf" not in (sys.stdout.encoding or "ascii").lower()


def cut(line: str) -> str:
    """Give a line that fits the terminal; elsewhere the line as it is."""
    room = shutil.get_terminal_size().columns
    return line if not on_terminal() or width(line) <= room else line[: room - 1] + "…"


def note(text: str) -> None:
    """Say something about the work, on stderr."""
    click.echo(text, err=True)


def emit(text: str, output: Path | None = None) -> None:
    """Write ``text`` to stdout, or to the file ``output`` as a whole; raise :class:`WriteError` where that cannot be.

    A device or pipe (``--output /dev/stderr``) is written to, never replaced; a link stays, and what it leads to
    is replaced.
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
    """Print a table that fits the terminal, or, where the columns cannot, one record after the other."""
    console = Console(highlight=False)
    kept = [i for i in range(len(results.columns)) if not _is_hidden(results, i)]
    columns = [results.columns[index] for index in kept]
    rows = [[_ascii(_brief(row[index], results.columns[index])) for index in kept] for row in results.rows]
    natural = [max([width(name), *(width(row[i]) for row in rows)]) for i, name in enumerate(columns)]
    least = [min(size, max(width(name), _NARROW)) for size, name in zip(natural, columns, strict=True)]
    if sum(least) + _GAP * (len(least) - 1) > console.width:
        sys.stdout.write("".join(_record(columns, row, console.width) for row in rows))
        return
    box = ASCII2 if is_ascii() else SIMPLE_HEAD
    table = Table(
        box=box, show_edge=False, padding=(0, _GAP // 2), collapse_padding=True, pad_edge=False, header_style="bold"
    )
    for position, index in enumerate(kept):
        numbers = any(_is_number(row[index]) for row in results.rows)
        justify: Literal["left", "right"] = "right" if numbers else "left"
        table.add_column(Text(columns[position]), justify=justify, overflow="fold", min_width=least[position])
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


_NARROW, _GAP = 13, 2


def _record(columns: list[str], row: list[str], room: int) -> str:
    """Give one row as a heading of its first cells and the rest below it, each with its name."""
    head = "  ".join(cell for cell in row[:3] if cell)
    rest = "; ".join(f"{name} {cell}" for name, cell in zip(columns[3:], row[3:], strict=True) if cell)
    first = [head] if width(head) <= room else wrap(head, room, "  ", "")
    return "\n".join([*first, *(wrap(rest, room, "    ") if rest else [])]) + "\n"


def _brief(term: Term | None, column: str) -> str:
    """Give a term for the narrow space of a terminal: a model or concept of ours by its last part, one of the Hub by its id."""
    text = " ".join(shown(term, column).split())
    if text.startswith("model/hub/"):
        return text.removeprefix("model/hub/")
    return text.rpartition("/")[2] if text.startswith(("model/", "vocabulary/")) else text


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode() if is_ascii() else text


def _is_hidden(results: Results, index: int) -> bool:
    """Tell whether a column tells a person nothing: empty, a claim's IRI, or IRIs whose labels stand beside them."""
    empty = bool(results.rows) and all(row[index] is None for row in results.rows)
    return empty or results.columns[index] == "claim" or _is_labelled(results, index)


def _is_labelled(results: Results, index: int) -> bool:
    following = results.columns[index + 1] if index + 1 < len(results.columns) else ""
    named = following in ("label", f"{results.columns[index]}Label")
    return named and all(row[index] is None or plain_text(row[index]).startswith(BASE) for row in results.rows)


def _is_number(term: Term | None) -> bool:
    datatype = getattr(term, "datatype", None)
    return datatype is not None and datatype.value.rpartition("#")[2] in ("integer", "decimal", "double")
