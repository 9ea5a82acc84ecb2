"""The page docs/benchmarks.md: each benchmark writes its own part and leaves the others as they are."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["PAGE", "machine", "peak_memory", "table", "write_part"]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def write_part(name: str, text: str) -> None:
    """Replace the part ``name`` of the page, between its two marks, by ``text``."""
    start, end = f"<!-- {name}: written by benchmarks/{name}.py -->\n", f"<!-- end of {name} -->\n"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    if start in page:
        before, _, rest = page.partition(start)
        page = f"{before}{start}{text}{end}{rest.partition(end)[2]}"
    else:
        page = f"{page.rstrip()}\n\n{start}{text}{end}"
    PAGE.write_text(page, encoding="utf-8")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Give a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def peak_memory() -> int:
    """Give the most memory that this process has had, in bytes; ``ru_maxrss`` is taken over from the one that started it."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def machine(*packages: str) -> str:
    """Give one sentence on the versions and the machine."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} (not installed)")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{', '.join(found)}; Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB."
    )
