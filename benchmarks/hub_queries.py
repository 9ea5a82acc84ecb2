"""Measure every stored query on a graph with the Hub, beside naive SPARQL on the same store and breadth-first search in memory.

``python benchmarks/hub_queries.py HOME [--rounds 3]`` asks the graph in HOME (made by benchmarks/hub.py) and writes its part of
docs/benchmarks.md. Times are medians of wall time after one round that is not counted; a query over the limit is told so.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path

import numpy
from page import machine, table, write_part
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

import llmkg
from llmkg.errors import LlmkgError
from llmkg.graph import KnowledgeGraph
from llmkg.home import current_version, read_manifest
from llmkg.queries import find_queries

LLMKG = "https://w3id.org/llmkg/ontology#"
LIMIT = 120.0
PREFIXES = f"""PREFIX llmkg: <{LLMKG}>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
ALLOWED = "<https://w3id.org/llmkg/vocabulary/commercial-use/allowed>"
#: why a query over its goal is so: what it lists cannot be listed faster
REASONS = {
    "commercial-chain": "looks up the terms of every descendant",
    "derivatives": "lists every step below the model with relation and evidence; the models alone are in descendants",
    "descendants": "lists every descendant; the engine looks up each IRI and label, 30 µs a row",
    "lineage-edges": "lists every step among the kin of the model with its place",
    "lineage-nodes": "lists all kin of the model with family and size",
    "models": "lists every model of the organization",
    "models-by-language": "lists every model with the language",
    "models-by-license": "lists every work under the license; numbers are in license-counts",
    "models-by-method": "lists every model with the method",
    "models-by-task": "lists every model with the task",
    "popular": "compares the downloads of every model",
    "related": "lists every neighbour",
    "repairs": "lists every case of the rule; --model narrows it",
    "suggested-parents": "lists every suggestion; --model or --parent narrows it",
    "top-base-models": "lists every model with a descendant; --min-descendants narrows it",
}


def timed(work: Callable[[], int], rounds: int) -> tuple[str, float, int]:
    """Give what to show, the median seconds, and the number of rows; infinity where there is no answer in time."""
    times = []
    count = 0
    for _ in range(rounds + 1):
        start = time.perf_counter()
        try:
            count = work()
        except LlmkgError as error:
            return (f"no answer in {LIMIT:.0f} s" if error.code == 6 else str(error)[:60]), float("inf"), 0
        times.append(time.perf_counter() - start)
        if times[-1] > 10:
            break
    middle = statistics.median(times[1:] or times)
    return f"{middle:.3f}", middle, count


def asked(kg: KnowledgeGraph) -> dict[str, list[dict[str, str]]]:
    """Give the parameters with which each query is asked: the largest and deepest things that the graph holds."""

    def first(pattern: str, kind: str) -> str:
        rows = kg.sparql(f"{PREFIXES} SELECT ?x ?n WHERE {{ {pattern} }} ORDER BY DESC(?n) LIMIT 1000").rows
        fitting = [(row[0].value, row[1]) for row in rows if f"/{kind}/" in row[0].value]  # type: ignore[union-attr]
        return min(name for name, number in fitting if number == fitting[0][1])

    base = first("?x llmkg:descendantCount ?n", "model")
    deep = first("?x llmkg:lineageDepth ?n", "model")
    agent = first("?x llmkg:workCount ?n", "agent")
    one = {"of": base}
    return {
        "ancestors": [{"of": deep}], "claims": [{}, {"about": deep}], "commercial-chain": [one],
        "common-ancestors": [{"first": deep, "second": base}], "conflicts": [{}, {"about": deep}],
        "derivatives": [one, {"of": base, "max-distance": "1"}], "descendants": [one], "entity": [{"entity": deep}],
        "inherited-terms": [{"of": deep}], "lineage-counts": [one], "lineage-edges": [{}, one], "lineage-nodes": [one],
        "lineage-path": [{"from": deep, "to": base}], "models": [{}, {"organization": agent}],
        "models-by-language": [{}, {"language": "zh"}], "models-by-license": [{}, {"license": "apache-2.0"}],
        "models-by-method": [{}, {"method": "dpo"}], "models-by-task": [{}, {"task": "summarization"}],
        "not-stated": [{"entity": deep}, {}], "related": [{"entity": deep}, {"entity": base}],
        "repairs": [{"rule": "letter-case"}, {"rule": "url"}], "search-labels": [{"text": "llama-3"}],
        "suggested-parents": [{}, {"parent": base}], "top-base-models": [{}, {"min-descendants": "100"}, {"min-descendants": "1"}],
        "trained-on": [{}, {"model": deep}], "training-data": [{}, {"model": deep}], "value-labels": [{"about": deep}],
    }  # fmt: skip


def options(given: dict[str, str]) -> str:
    """Give parameters as they are typed, things by the last part of their names."""
    return " ".join(f"--{key} {value.rpartition('/')[2]}" for key, value in given.items())


def stored(kg: KnowledgeGraph, rounds: int) -> list[tuple[str, str, str, float, int]]:
    """Give name, parameters, time to show, seconds and rows of every stored query."""
    found = []
    cases = asked(kg)
    for name in find_queries(kg.settings.queries):
        for given in cases.get(name, [{}]):
            told = options(given)
            shown, seconds, count = timed(lambda n=name, g=given: len(kg.query(n, **g)), rounds)  # type: ignore[misc]
            print(f"{name:22} {told[:40]:40} {shown:>12} {count}", file=sys.stderr, flush=True)
            found.append((name, told, shown, seconds, count))
    return found


def naive(base: str) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Give, by what is asked: the naive query, and the stored query that answers the same."""
    up = "llmkg:derivedFrom"
    return {
        "descendants of the largest base, counted": (
            f"SELECT (COUNT(DISTINCT ?m) AS ?n) WHERE {{ ?m {up}+ <{base}> }}", "lineage-counts", {"of": base}),
        "descendants of the largest base, with labels, sorted": (
            f"SELECT DISTINCT ?m ?l WHERE {{ ?m {up}+ <{base}> . ?m rdfs:label ?l }} ORDER BY ?m", "descendants", {"of": base}),
        "descendants of the largest base, with labels, in any order": (
            f"SELECT DISTINCT ?m ?l WHERE {{ ?m {up}+ <{base}> . ?m rdfs:label ?l }}", "descendants", {"of": base}),
        "models by organization, counted": (
            "SELECT ?o (COUNT(?m) AS ?n) WHERE { ?m llmkg:releasedBy ?o } GROUP BY ?o ORDER BY DESC(?n) LIMIT 20",
            "organizations", {}),
        "licenses, counted": (
            "SELECT ?l (COUNT(?m) AS ?n) WHERE { ?m llmkg:license ?l } GROUP BY ?l ORDER BY DESC(?n)", "license-counts", {}),
        "cycles": (f"SELECT DISTINCT ?m WHERE {{ ?m {up} ?p . ?m {up}+ ?m FILTER(?p != ?m) }}", "lineage-cycles", {}),
        "top roots by descendants": (
            f"SELECT ?r (COUNT(DISTINCT ?m) AS ?n) WHERE {{ ?m {up}+ ?r FILTER NOT EXISTS {{ ?r {up} ?x }} }}"
            " GROUP BY ?r ORDER BY DESC(?n) LIMIT 20", "top-base-models", {"min-descendants": "100"}),
        "part of a label": (
            'SELECT ?m WHERE { ?m llmkg:kind "model-variant" ; rdfs:label ?l FILTER(CONTAINS(LCASE(STR(?l)), "llama-3")) }',
            "search-labels", {"text": "llama-3"}),
        "commercial use allowed all the way up, counted": (
            f"SELECT (COUNT(?m) AS ?n) WHERE {{ ?m llmkg:license/llmkg:commercialUse {ALLOWED} MINUS {{ ?m {up}+ ?a MINUS"
            f" {{ ?a llmkg:license/llmkg:commercialUse {ALLOWED} }} }} }}", "terms-counts", {}),
    }  # fmt: skip


def in_memory(kg: KnowledgeGraph, base: str) -> list[tuple[str, str]]:
    """Give the limit: the same answers from arrays in memory, by scipy and by breadth-first search in Python."""
    numbers: dict[str, int] = {}
    text = f"{PREFIXES} SELECT ?c ?p WHERE {{ ?d llmkg:derivedModel ?c ; llmkg:parentModel ?p }}"
    pairs = [
        (numbers.setdefault(str(child), len(numbers)), numbers.setdefault(str(parent), len(numbers)))
        for child, parent in kg.sparql(text).rows
    ]
    array = numpy.array(pairs, numpy.int64)
    size = len(numbers)
    down = csr_matrix((numpy.ones(len(array), bool), (array[:, 1], array[:, 0])), shape=(size, size))
    below: dict[int, list[int]] = defaultdict(list)
    for child, parent in pairs:
        below[parent].append(child)
    root = numbers[f"<{base}>"]

    def search() -> int:
        seen, waiting = {root}, deque([root])
        while waiting:
            for child in below.get(waiting.popleft(), ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        return len(seen) - 1

    return [
        ("descendants of the largest base, scipy", timed(lambda: len(breadth_first_order(down, root)[0]) - 1, 3)[0]),
        ("descendants of the largest base, Python", timed(search, 3)[0]),
        ("cycles, scipy", timed(lambda: connected_components(down, connection="strong")[0], 3)[0]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    kg = llmkg.open(given.home, timeout=LIMIT)
    manifest = read_manifest(current_version(given.home))
    base = asked(kg)["descendants"][0]["of"]
    rows = stored(kg, given.rounds)
    pairs = []
    for what, (text, name, values) in naive(base).items():
        slow = timed(lambda t=text: len(kg.sparql(PREFIXES + t)), 1)  # type: ignore[misc]
        fast = timed(lambda n=name, v=values: len(kg.query(n, **v)), given.rounds)  # type: ignore[misc]
        gain = f"{slow[1] / fast[1]:,.0f}" if slow[1] != float("inf") else f"over {LIMIT / fast[1]:,.0f}"
        print(what, slow[0], fast[0], gain, file=sys.stderr, flush=True)
        pairs.append((what, slow[0], f"{name} {options(values)}", fast[0], gain))
    over = [row for row in rows if row[3] > 1.0]
    models = manifest.quads.get("default", 0)
    text = f"""
## Stored queries on the Hub

On a graph with {models:,} triples in the default graph ({given.home.name}). {machine("llmkg", "pyoxigraph", "scipy")}
Seconds in full; the first 100 rows take as long, as every query orders its rows. Largest base: {base.rpartition("model/")[2]}.

"""
    text += table(("query", "parameters", "rows", "seconds"), [(n, p, f"{c:,}", s) for n, p, s, _, c in rows])
    text += "\nOver one second, and why:\n\n"
    text += table(("query", "seconds", "reason"), [(f"{n} {p}", s, REASONS.get(n, "")) for n, p, s, _, _ in over])
    text += "\nNaive SPARQL on the same store, beside the stored query that answers it:\n\n"
    text += table(("question", "naive, s", "stored query", "s", "times faster"), pairs)
    text += "\nThe limit, arrays in memory:\n\n" + table(("what", "s"), in_memory(kg, base)) + "\n"
    write_part("hub_queries", text)
    print(text)


if __name__ == "__main__":
    main()
