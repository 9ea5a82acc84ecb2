"""Commands that add a source: import hub."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmkg.cli.output import emit, note
from llmkg.config import Settings
from llmkg.errors import UsageError
from llmkg.sources.hub_live import crawl

if TYPE_CHECKING:
    from llmkg.importing import ImportSummary

__all__ = ["COMMANDS"]

_EVERY = 1.0  # seconds between two lines of progress


@click.group("import")
def import_group() -> None:
    """Add a source that is too large to be read by people; the next build takes it in."""


@import_group.command("hub")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--live", is_flag=True, help="Crawl the Hub (HF_ENDPOINT, HF_TOKEN) instead of reading PATHS.")
@click.option("--filter", "filters", multiple=True, help="With --live: only models with this tag (may be repeated).")
@click.option("--limit", type=click.IntRange(min=1), help="With --live: stop after so many models.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="With --live: only models modified since this day.")
@click.option("--crawled", type=click.DateTime(["%Y-%m-%d"]), help="Day of the crawl [default: of the newest file].")
@click.option("--update", is_flag=True, help="PATHS hold a part of the Hub: keep the models that they leave out.")
@click.option("--skip-bad", is_flag=True, help="Import the other records where some cannot be read.")
@click.option("-f", "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def hub_command(
    settings: Settings,
    paths: Sequence[Path],
    live: bool,
    filters: Sequence[str],
    limit: int | None,
    since: datetime | None,
    crawled: datetime | None,
    update: bool,
    skip_bad: bool,
    form: str,
) -> None:
    """Import models of the Hugging Face Hub from PATHS, or with --live from the Hub itself.

    PATHS are API records as JSON Lines (.jsonl, .gz, .zst), a JSON array, Parquet, model cards (README.md), or folders of these.
    """
    from llmkg.importing import crawl_folder, import_hub

    if live == bool(paths):
        raise UsageError("give PATHS or --live", hint="llmkg import hub models.jsonl.zst")
    is_part = bool(filters or limit or since)
    if is_part and not live:
        raise UsageError("--filter, --limit and --since go with --live")
    day, first = (given.date() if given else None for given in (crawled, since))
    if live:
        folder = crawl_folder(settings.home, filters, limit, first)
        paths = [
            crawl(
                folder,
                filter=filters,
                limit=limit,
                since=first,
                progress=_Progress("crawled"),
            )
        ]
        day = day or datetime.now(UTC).date()
    summary = import_hub(
        settings.home,
        list(paths),
        (day or _newest(paths)).isoformat(),
        is_whole=not (update or is_part),
        skips_bad=skip_bad,
        progress=_Progress("read"),
    )
    if live:
        shutil.rmtree(folder, ignore_errors=True)  # the next crawl asks the Hub anew
    emit(_as_json(summary) if form == "json" else _as_text(summary))
    note("llmkg build takes it in")


class _Progress:
    """Tells on stderr how many records there are so far, on a terminal, at most once a second."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._last = time.monotonic()

    def __call__(self, count: int, waiting: str = "") -> None:
        now = time.monotonic()
        if waiting:
            note(f"{self._word} {count} records; {waiting}")
        elif sys.stderr.isatty() and now - self._last >= _EVERY:
            self._last = now
            click.echo(f"\r{self._word} {count} records … ", nl=False, err=True)


def _newest(paths: Sequence[Path]) -> date:
    """Give the day on which the newest of the files was written."""
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return datetime.fromtimestamp(max(times, default=0), UTC).date()


def _as_text(summary: ImportSummary) -> str:
    told = (
        ("read", summary.read),
        ("added", summary.added),
        ("changed", summary.changed),
        ("unchanged", summary.unchanged),
        ("gone", summary.gone),
        ("repeated ids", summary.repeated),
        ("not readable", len(summary.problems)),
    )
    for problem in summary.problems:
        note(str(problem))
    return "".join(f"{name:<14}{count:>10}\n" for name, count in told)


def _as_json(summary: ImportSummary) -> str:
    told = asdict(summary) | {"snapshot": str(summary.snapshot)}
    return json.dumps(told, indent=2, sort_keys=True) + "\n"


COMMANDS: tuple[click.Command, ...] = (import_group,)
