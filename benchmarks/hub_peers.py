"""Measure other tools on records of the Hub, each alone in a process of its own.

``python benchmarks/hub_peers.py DIR 10000`` measures all of them on the crawl that benchmarks/hub.py made in DIR, and writes a
part of the page beside the figures of llmkg. ``json`` and ``orjson`` parse the records and do nothing else; ``rdflib`` and
``morph-kgc`` make the same graph of the same fields. Seconds are those of the work, without the start of Python; the memory is the
greatest of the process. Every peer has one core.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import rdflib
from page import PAGE, machine, table, write_part
from rdflib import XSD

HERE = Path(__file__).parent
MORPH_KGC = "morph-kgc==2.10.0"
SPACE = "https://example.org/"

Json = dict[str, Any]

#: run by morph-kgc's own Python, where none of this module's imports need be
_MORPH_KGC_WORK = """
import json, runpy, sys, time
import morph_kgc
start = time.perf_counter()
runpy.run_module("morph_kgc", run_name="__main__")
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Says what a peer needed.

    ``triples`` is 0 for those that only parse; ``peak_mb`` is of the resident memory. ``cpu_seconds`` are less noisy than
    ``seconds`` on a busy machine, and hold the start of Python too.
    """

    peer: str
    records: int
    seconds: float
    cpu_seconds: float
    records_per_second: int
    triples: int
    peak_mb: int


def measure(peer: str, file: Path, cache: Path) -> Figures:
    """Give the figures of ``peer`` on ``file``, JSON Lines; ``cache`` is where morph-kgc is installed."""
    seconds, triples = morph_kgc(file, cache) if peer == "morph-kgc" else _apart(peer, file)
    with file.open("rb") as lines:
        records = sum(1 for _ in lines)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # the peer is the only child: --install is a run of its own
    return Figures(
        peer=peer,
        records=records,
        seconds=round(seconds, 3),
        cpu_seconds=round(used.ru_utime + used.ru_stime, 3),
        records_per_second=round(records / seconds),
        triples=triples,
        peak_mb=used.ru_maxrss // 1024,
    )


def parse_with(loads: Callable[[bytes], Any]) -> Callable[[Path], int]:
    """Give a work that parses every line and keeps nothing."""

    def work(file: Path) -> int:
        with file.open("rb") as lines:
            for line in lines:
                loads(line)
        return 0

    return work


def build_with_rdflib(file: Path) -> int:
    """Build the graph of the records in memory, and give the number of its triples."""
    graph = rdflib.Graph()
    with file.open("rb") as lines:
        for line in lines:
            record = orjson.loads(line)
            subject = _iri("model", record["id"])
            for predicate, value in statements(record):
                graph.add((subject, rdflib.URIRef(f"{SPACE}hub#{predicate}"), value))
    return len(graph)


def statements(record: Json) -> Iterator[tuple[str, rdflib.URIRef | rdflib.Literal]]:
    """Give what is said of a record, as the RML mapping says it."""
    card = record["cardData"] or {}
    yield "author", _iri("author", record["author"])
    for predicate, text in (
        ("id", record["id"]),
        ("sha", record["sha"]),
        ("gated", str(record["gated"]).lower()),
        ("library", record["library_name"]),
        ("task", record["pipeline_tag"]),
        ("modelType", (record.get("config") or {}).get("model_type")),
    ):
        if text is not None:
            yield predicate, rdflib.Literal(text)
    for predicate, text, kind in (
        ("created", record["createdAt"], XSD.dateTime),
        ("modified", record["lastModified"], XSD.dateTime),
        ("downloads", record["downloads"], XSD.integer),
        ("likes", record["likes"], XSD.integer),
        ("parameters", (record.get("safetensors") or {}).get("total"), XSD.integer),
    ):
        if text is not None:
            yield predicate, rdflib.Literal(str(text), datatype=kind)
    for predicate, field in (("licence", "license"), ("language", "language")):
        yield from ((predicate, rdflib.Literal(text)) for text in _each(card.get(field)))
    for predicate, field, thing in (("dataset", "datasets", "dataset"), ("parent", "base_model", "model")):
        yield from ((predicate, _iri(thing, text)) for text in _each(card.get(field)))
    yield from (("paper", rdflib.Literal(tag[6:])) for tag in record["tags"] if tag.startswith("arxiv:"))


#: what is done in the process of its own; the graph has the same triples by rdflib and by morph-kgc
WORKS: dict[str, Callable[[Path], int]] = {
    "json": parse_with(json.loads),
    "orjson": parse_with(orjson.loads),
    "rdflib": build_with_rdflib,
}


def morph_kgc(file: Path, cache: Path) -> tuple[float, int]:
    """Give the seconds and the triples of morph-kgc with ``hub_mapping.rml.ttl``."""
    python = cache / "morph-kgc" / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"morph-kgc is not in {cache}: run with --install first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hub.jsonl").symlink_to(file.resolve())
        (folder / "config.ini").write_text(
            "[CONFIGURATION]\noutput_file = hub.nt\noutput_format = N-TRIPLES\nnumber_of_processes = 1\n"
            "na_values = ,nan,None\nlogging_level = ERROR\n"  # a null of a view arrives as the text None
            f"[hub]\nmappings = {HERE / 'hub_mapping.rml.ttl'}\n",
            encoding="utf-8",
        )
        # DuckDB takes every core unless told otherwise, and morph-kgc has no setting for it
        one_core = {min(os.sched_getaffinity(0))}
        done = subprocess.run(
            [python, "-c", _MORPH_KGC_WORK, "config.ini"],
            cwd=folder,
            check=True,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, one_core),
        )
        with (folder / "hub.nt").open("rb") as lines:
            triples = sum(1 for _ in lines)
    return json.loads(done.stdout.splitlines()[-1])["seconds"], triples


def install(cache: Path) -> None:
    """Install morph-kgc in an environment of its own, since it pins old dependencies."""
    folder = cache / "morph-kgc"
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", MORPH_KGC], check=True)


def _apart(peer: str, file: Path) -> tuple[float, int]:
    size = file.stem.partition("-")[2]
    command = [sys.executable, __file__, str(file.parent), size, "--peer", peer, "--here"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    answer = json.loads(done.stdout)
    return answer["seconds"], answer["triples"]


def _each(values: str | list[str] | None) -> list[str]:
    return [values] if isinstance(values, str) else values or []


def _iri(kind: str, name: str) -> rdflib.URIRef:
    return rdflib.URIRef(f"{SPACE}{kind}/{quote(name, safe='')}")


def part(folder: Path, size: int, cache: Path) -> str:
    """Give the part of the page: every peer on the crawl of ``size`` records in ``folder``, beside llmkg."""
    own = json.loads((folder / f"hub-{size}.json").read_text())
    seconds = own["import"]["seconds"] + own["build"]["seconds"]
    cpu = own["import"]["cpu"] + own["build"]["cpu"]
    peak = max(own["import"]["memory"], own["build"]["memory"]) // 2**20
    rows = [("llmkg, import and build", seconds, cpu, round(size / seconds), own["quads"], peak)]
    for peer in (*WORKS, "morph-kgc"):
        command = [sys.executable, __file__, str(folder), str(size), "--cache", str(cache), "--peer", peer]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        names = ("seconds", "cpu_seconds", "records_per_second", "triples", "peak_mb")
        rows.append((peer, *(told[name] for name in names)))
    head = (
        "what",
        "seconds",
        "CPU seconds",
        "records/s",
        "triples or quads",
        "peak memory, MB",
        "llmkg's CPU time to its",
    )
    shown = [
        (
            name,
            f"{wall:.2f}",
            f"{work:.2f}",
            f"{speed:,}",
            f"{count:,}" if count else "",
            f"{memory:,}",
            f"{cpu / work:.1f}",
        )
        for name, wall, work, speed, count, memory in rows
    ]
    text = f"""
## Other tools on the same records

{size:,} records of benchmarks/hub_generator.py. {machine("llmkg", "orjson", "rdflib")} {MORPH_KGC.replace("==", " ")}. json and
orjson only parse. rdflib and morph-kgc make the triples of single fields; llmkg also sorts, resolves parents, infers lineage,
counts, and writes store and names index.

"""
    return text + table(head, shown) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where benchmarks/hub.py put its crawls and figures")
    parser.add_argument("size", type=int, help="number of records")
    parser.add_argument("--peer", choices=[*WORKS, "morph-kgc"], help="measure this one, and print one line of JSON")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "llmkg-peers")
    parser.add_argument("--install", action="store_true", help="install morph-kgc in the cache, and measure nothing")
    parser.add_argument("--here", action="store_true", help="work in this process, and give its seconds and triples")
    arguments = parser.parse_args()
    file = arguments.folder / f"crawl-{arguments.size}.jsonl"
    if arguments.install:
        install(arguments.cache)
    elif arguments.here:
        start = time.perf_counter()
        triples = WORKS[arguments.peer](file)
        print(json.dumps({"seconds": time.perf_counter() - start, "triples": triples}))
    elif arguments.peer:
        print(json.dumps(asdict(measure(arguments.peer, file, arguments.cache))))
    else:
        write_part("hub_peers", part(arguments.folder, arguments.size, arguments.cache))
        print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
