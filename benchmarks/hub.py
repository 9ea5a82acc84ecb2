"""Measure import and build of made crawls of the Hub, by size: time, quads, memory, disk, and what the parts take.

``python benchmarks/hub.py --folder DIR 10000 100000 1000000 3100000`` keeps crawls, homes and figures in DIR, so that it goes on
where it stopped, and writes its part of docs/benchmarks.md with a chart. Machines are noisy: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from page import PAGE, machine, table, write_part

ROOT = Path(__file__).parents[1]
CHART = ROOT / "docs" / "images" / "hub-size.svg"
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one command took: wall seconds, seconds of all cores, and the most memory of all its processes in bytes."""

    seconds: float
    cpu: float
    memory: int


def measure(command: list[str], more: dict[str, str]) -> Figures:
    """Give what ``command`` takes, its worker processes included."""
    start = time.perf_counter()
    before = os.times()
    process = subprocess.Popen(command, env=os.environ | more, stdout=subprocess.DEVNULL)
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, sum(map(resident, tree(process.pid))))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    watcher.join()
    after = os.times()
    if process.returncode:
        sys.exit(f"{command}: exit {process.returncode}")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Figures(time.perf_counter() - start, spent, peak)


def tree(root: int) -> list[int]:
    """Give the process ``root`` and all below it."""
    found = [root]
    for parent in found:
        try:
            found += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
        except OSError:
            continue
    return found


def resident(process: int) -> int:
    """Give the memory of a process in bytes, pages that it shares with others counted by its share of them."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def run(folder: Path, size: int) -> dict[str, object]:
    """Give the figures of one size, measured once and then kept."""
    kept = folder / f"hub-{size}.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    crawl, home = folder / f"crawl-{size}.jsonl", folder / f"home-{size}"
    if not crawl.exists():
        subprocess.run([sys.executable, ROOT / "benchmarks/hub_generator.py", str(size), "--output", crawl], check=True)
    llmkg, here = [sys.executable, "-m", "llmkg"], {"LLMKG_HOME": str(home)}
    taken = measure([*llmkg, "import", "hub", str(crawl), "--crawled", "2026-09-01"], here)
    built = measure([*llmkg, "build", "--no-validate"], here)
    again = measure([*llmkg, "import", "hub", str(crawl), "--crawled", "2026-09-02"], here)
    manifest = json.loads(next(home.glob("v-*/manifest.json")).read_text())
    figures: dict[str, object] = {
        "models": size,
        "crawl": crawl.stat().st_size,
        "snapshot": (home / "imports/hub.jsonl.zst").stat().st_size,
        "import": asdict(taken),
        "build": asdict(built),
        "import again": asdict(again),
        "quads": sum(manifest["quads"].values()),
        "store": disk(next(home.glob("v-*/store"))),
        "names": next(home.glob("v-*/names*")).stat().st_size,
        "parse": parse_alone(crawl),
    }
    kept.write_text(json.dumps(figures, indent=1))
    return figures


def parse_alone(crawl: Path) -> float:
    """Give the seconds of parsing the same JSON with orjson on one core, and doing nothing else."""
    code = "import orjson,sys\nfor line in open(sys.argv[1],'rb'): orjson.loads(line)"
    return measure([sys.executable, "-c", code, str(crawl)], {}).seconds


def disk(folder: Path) -> int:
    """Give the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def part(found: list[dict[str, object]]) -> str:
    """Give the part of the page."""
    rows = []
    for one in found:
        size = int(str(one["models"]))
        taken, built, again = (Figures(**one[name]) for name in ("import", "build", "import again"))  # type: ignore[arg-type]
        whole, quads = taken.seconds + built.seconds, int(str(one["quads"]))
        parse = float(str(one["parse"]))
        rows.append((
            f"{size:,}", f"{taken.seconds:.1f}", f"{built.seconds:.1f}", f"{whole / size * 1e6:.0f}", f"{size / whole:,.0f}",
            f"{quads:,}", f"{quads / built.seconds:,.0f}", f"{max(taken.memory, built.memory) / 2**30:.2f}",
            f"{int(str(one['store'])) / 1e9:.2f}", f"{int(str(one['names'])) / 1e9:.2f}", f"{whole / parse:.0f}",
            f"{again.seconds:.1f}",
        ))  # fmt: skip
    head = (
        "models", "import, s", "build, s", "µs a model", "models/s", "quads", "quads/s of build", "peak memory, GiB",
        "store, GB", "names, GB", "times parsing alone", "same crawl again, s",
    )  # fmt: skip
    by_size = {int(str(one["models"])): one for one in found}
    ratio = ""
    if {10_000, 1_000_000} <= set(by_size):
        each = [_each(by_size[size]) for size in (10_000, 1_000_000)]
        ratio = f"\nTime of one model at 1,000,000 to that at 10,000: {each[1] / each[0]:.2f} (goal: at most 1.5).\n"
    text = f"""
## The Hub by size

Made crawls (benchmarks/hub_generator.py, seed 0) through `llmkg import hub` and `llmkg build --no-validate`, once each.
{machine("llmkg", "pyoxigraph", "orjson", "scipy", "zstandard")} Memory is of all processes together. Parsing alone is orjson on
one core. The last column imports the same crawl once more, when every record is known.

"""
    return text + table(head, rows) + ratio + "\n![Time against size](images/hub-size.svg)\n\n"


def _each(one: dict[str, object]) -> float:
    whole = Figures(**one["import"]).seconds + Figures(**one["build"]).seconds  # type: ignore[arg-type]
    return whole / int(str(one["models"]))


def chart(found: list[dict[str, object]]) -> str:
    """Give time against size, both on logarithmic axes, as SVG."""
    import math

    width, height, left, top, right, bottom = 640, 400, 70, 50, 20, 50
    points = [(int(str(one["models"])), one) for one in found]
    low, high = math.log10(points[0][0]) - 0.1, math.log10(points[-1][0]) + 0.1
    times = [float(str(one["parse"])) for _, one in points]
    times += [Figures(**one[name]).seconds for _, one in points for name in ("import", "build")]  # type: ignore[arg-type]
    floor, roof = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))

    def x(size: float) -> float:
        return left + (math.log10(size) - low) / (high - low) * (width - left - right)

    def y(seconds: float) -> float:
        return height - bottom - (math.log10(seconds) - floor) / (roof - floor) * (height - top - bottom)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="24" font-size="15" fill="#222222">Seconds against number of models</text>',
    ]
    for power in range(floor, roof + 1):
        lines.append(f'<path d="M{left} {y(10**power):.1f}H{width - right}" stroke="#dddddd"/>')
        lines.append(
            f'<text x="{left - 8}" y="{y(10**power) + 4:.1f}" text-anchor="end" fill="#555555">{10**power:,g}</text>'
        )
    for size, _ in points:
        lines.append(
            f'<text x="{x(size):.1f}" y="{height - bottom + 20}" text-anchor="middle" fill="#555555">{size:,}</text>'
        )
    series = (("build", "#1b6ca8"), ("import", "#c4622d"), ("parse", "#777777"))
    names = {"build": "llmkg build", "import": "llmkg import hub", "parse": "parsing the JSON alone, one core"}
    for place, (name, colour) in enumerate(series):
        values = [
            (x(size), y(float(str(one["parse"])) if name == "parse" else Figures(**one[name]).seconds))  # type: ignore[arg-type]
            for size, one in points
        ]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in values)
        lines.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in values]
        lines.append(f'<text x="{left + 15}" y="{top + 14 + 17 * place}" fill="{colour}">{names[name]}</text>')
    lines.append(
        f'<text x="{(left + width - right) / 2:.0f}" y="{height - 8}" text-anchor="middle" fill="#555555">models</text>'
    )
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = [run(given.folder, size) for size in sorted(given.sizes)]
    CHART.write_text(chart(found), encoding="utf-8")
    write_part("hub", part(found))
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
