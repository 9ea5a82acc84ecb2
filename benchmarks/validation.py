"""Measure validation by both engines on made-up Hub models beside the shipped ontology; print a Markdown table.

``python benchmarks/validation.py [MODELS …]``, by default 1000 10000 100000 1000000; pySHACL takes part up to 10000. Each run
is a process of its own, so that its memory is its own; that of making the store is not counted.
"""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import DefaultGraph, Quad, RdfFormat

from llmkg.engines import find_by_pyshacl, find_by_shacl
from llmkg.namespaces import BASE, LLMKG, PREFIXES
from llmkg.quads import ontology_triples
from llmkg.resources import resource_folder
from llmkg.shapes import load_shapes
from llmkg.validate import load_checks

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST_FOR_PYSHACL = 10_000
STEPS = ("fineTunedFrom", "adapterOf", "quantizedFrom", "mergedFrom")
TYPE, LABEL, XSD = f"<{PREFIXES['rdf']}type>", f"<{PREFIXES['rdfs']}label>", PREFIXES["xsd"]


def models(number: int, seed: int = 1) -> Iterator[str]:
    """Give ``number`` imported models, their makers and datasets as N-Triples; one model in a hundred is wrong."""
    chance = random.Random(seed)
    makers, datasets = max(1, number // 3), number // 10 + 1
    for maker in range(makers):
        node = f"<{BASE}agent/hub/a{maker}>"
        yield f'{node} {TYPE} <{LLMKG}Agent> .\n{node} {LABEL} "a{maker}"@en .\n{node} <{LLMKG}hubId> "a{maker}" .\n'
    for index in range(datasets):
        yield from _described("dataset", f"a{index % makers}/d{index}", ("Dataset",), "dataset")
    for index in range(number):
        maker = index % makers
        name = f"a{maker}/m{index}"
        node = f"<{BASE}model/hub/{name}>"
        yield from _described("model", name, ("Model", "ModelVariant"), "model-variant")
        yield f"{node} <{LLMKG}releasedBy> <{BASE}agent/hub/a{maker}> .\n"
        date = "soon" if index % 100 == 7 else f"20{chance.randint(20, 26)}-0{chance.randint(1, 9)}-11"
        yield f'{node} <{LLMKG}releaseDate> "{date}"^^<{XSD}date> .\n'
        yield f"{node} <{LLMKG}modality> <{BASE}vocabulary/modality/text> .\n"
        if chance.random() < 0.5:
            yield f'{node} <{LLMKG}parameterCount> "{chance.randint(10**6, 10**11)}"^^<{XSD}integer> .\n'
        if chance.random() < 0.3:
            parent = chance.randrange(number)
            other = f"<{BASE}model/hub/a{parent % makers}/m{parent}>"
            yield f"{node} <{LLMKG}{chance.choice(STEPS)}> {other} .\n{node} <{LLMKG}ancestor> {other} .\n"
        for _ in range(chance.randint(0, 2)):
            used = chance.randrange(datasets)
            yield f"{node} <{LLMKG}trainedOn> <{BASE}dataset/hub/a{used % makers}/d{used}> .\n"
        for tag in range(4):
            yield f'{node} <{LLMKG}supportsFormat> "format {tag}{chance.randint(0, 9)}" .\n'


def _described(kind: str, name: str, classes: tuple[str, ...], written: str) -> Iterator[str]:
    node = f"<{BASE}{kind}/hub/{name}>"
    for one in classes:
        yield f"{node} {TYPE} <{LLMKG}{one}> .\n"
    yield f'{node} {LABEL} "{name}"@en .\n{node} <{LLMKG}hubId> "{name}" .\n{node} <{LLMKG}kind> "{written}" .\n'
    yield f'{node} <{LLMKG}page> "https://huggingface.co/{name}"^^<{XSD}anyURI> .\n'


def make(folder: Path, number: int) -> None:
    """Write a store with ontology and models."""
    text = folder / "models.nt"
    with text.open("w", encoding="utf-8") as out:
        out.writelines(models(number))
    store = pyoxigraph.Store(str(folder / "store"))
    store.bulk_extend(Quad(*triple, DefaultGraph()) for triple in ontology_triples(resource_folder("ontology")))
    store.bulk_load(path=str(text), format=RdfFormat.N_TRIPLES)
    store.flush()
    store.optimize()
    text.unlink()


def measure(folder: str, what: str) -> None:
    """Print seconds, seconds of CPU, megabytes and findings of one run as JSON: shapes by an engine, or the checks."""
    store = pyoxigraph.Store.read_only(folder)
    ontology = resource_folder("ontology")
    shapes, checks = load_shapes(ontology / "shapes"), load_checks(ontology / "checks")
    start, cpu = time.perf_counter(), time.process_time()
    if what == "checks":
        slowest = ("", 0.0)
        found = 0
        for check in checks:
            began = time.perf_counter()
            rows: Any = store.query(check.text)
            found += sum(1 for _ in rows)
            slowest = max(slowest, (check.name, time.perf_counter() - began), key=lambda pair: pair[1])
        note = f"slowest: {slowest[0]}, {slowest[1]:.1f} s"
    else:
        tally = (find_by_pyshacl if what == "pyshacl" else find_by_shacl)(store, shapes)
        found, note = len(tally.own) + sum(tally.counts.values()), ""
    spent = (time.perf_counter() - start, time.process_time() - cpu)
    # not ru_maxrss, which a process takes over from the one that started it
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    triples = sum(1 for _ in store.quads_for_pattern(None, None, None, DefaultGraph())) if what == "shacl" else 0
    print(json.dumps([*spent, peak, found, note, triples]))


def main(sizes: tuple[int, ...]) -> None:
    tools = ", ".join(f"{name} {version(name)}" for name in ("pyshacl", "shacl", "pyoxigraph"))
    print(f"{tools}; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| models | triples | what | seconds | CPU seconds | peak MB | findings | |")
    print("| ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |")
    for number in sizes:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), number)
            triples = ""
            for what in ("shacl", "pyshacl", "checks"):
                if what == "pyshacl" and number > MOST_FOR_PYSHACL:
                    continue
                command = [sys.executable, __file__, "--measure", f"{folder}/store", what]
                out = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
                seconds, cpu, peak, found, note, count = json.loads(out.splitlines()[-1])
                triples = str(count or triples)
                print(
                    f"| {number} | {triples} | {what} | {seconds:.1f} | {cpu:.1f} | {peak:.0f} | {found} | {note} |",
                    flush=True,
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main(tuple(map(int, sys.argv[1:])) or SIZES)
