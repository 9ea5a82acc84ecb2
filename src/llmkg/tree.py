"""Lineage as a tree of models: what came from what, by which relation, and who says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from llmkg.identifiers import path_of
from llmkg.namespaces import shorten
from llmkg.results import Results, plain_text

__all__ = ["Edge", "Graph", "Model", "Tree", "grow", "read_graph"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model as drawn: its path, label, family path (or empty), and the size in its name (or empty)."""

    path: str
    label: str
    family: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """``child`` comes from ``parent``; ``sources`` are ``source:line`` of what says so (none if inherited).

    ``rule`` names what was inferred of an edge whose ``evidence`` is ``inferred``.
    """

    parent: str
    child: str
    relation: str
    evidence: str
    qualifier: str = ""
    sources: tuple[str, ...] = ()
    distance: int = 1
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """The lineage of one model in one direction (``up`` or down), without what only repeats another edge."""

    root: str
    up: bool
    models: dict[str, Model]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A node: a model, the edge that leads to it (None at the root), the models folded into it, and its branches."""

    model: Model
    edge: Edge | None
    folded: tuple[Model, ...]
    branches: tuple[Tree, ...]
    repeated: bool = False


def read_graph(root: str, up: bool, steps: Results, models: Results, stated: Results) -> Graph:
    """Give the lineage graph of ``root`` from the answers of ``derivatives`` or ``ancestors``, ``lineage-nodes`` and
    ``lineage-edges``.

    A family that is derived only through its models is left out beside them.
    """
    known = {
        path_of(plain_text(row[0])): Model(
            path_of(plain_text(row[0])), plain_text(row[1]), path_of(plain_text(row[2])), plain_text(row[3])
        )
        for row in models.rows
    }
    places: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in stated.rows:
        child, parent, relation, source, line = (plain_text(cell) for cell in row[:5])
        places[path_of(child), path_of(parent), shorten(relation)].append(f"{source}:{line}")
    edges = [_edge(row, up, places) for row in steps.rows]
    children = {edge.child for edge in edges}
    through = {known[child].family for child in children if child in known}
    kept = [edge for edge in edges if edge.evidence == "stated" or edge.child == root or edge.child not in through]
    return Graph(root, up, known, tuple(sorted(kept)))


def _edge(row: tuple[object, ...], up: bool, places: dict[tuple[str, str, str], list[str]]) -> Edge:
    model, _, relation, other, distance, evidence, qualifier, rule = (plain_text(cell) for cell in row[:8])  # type: ignore[arg-type]
    child, parent = (path_of(other), path_of(model)) if up else (path_of(model), path_of(other))
    name = shorten(relation)
    sources = tuple(sorted(set(places.get((child, parent, name), ())), key=_source_order))
    return Edge(parent, child, name, evidence, qualifier, sources, int(distance), rule)


def _source_order(place: str) -> tuple[str, int]:
    source, _, line = place.rpartition(":")
    return source, int(line)


def grow(graph: Graph) -> Tree:
    """Give the tree of a lineage graph; a model met again is named but not drawn again, so that cycles end.

    A variant that only inherits its family's lineage is folded into the family.
    """
    by_start: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        by_start[edge.child if graph.up else edge.parent].append(edge)
    folds = _folds(graph) if not graph.up else {}
    hidden = {model.path for members in folds.values() for model in members}
    inside = {path for path, model in graph.models.items() if model.family == graph.root}
    seen: set[str] = set()

    def node(path: str, edge: Edge | None) -> Tree:
        model = graph.models.get(path) or Model(path, path)
        if path in seen:
            return Tree(model, edge, (), (), repeated=True)
        seen.add(path)
        starts = [path, *sorted(inside)] if path == graph.root else [path, *(m.path for m in folds.get(path, ()))]
        branches = [
            node(_end(step, graph.up), step)
            for step in _ordered([s for start in starts for s in by_start[start]], graph, folds)
            if _end(step, graph.up) not in hidden
        ]
        return Tree(model, edge, folds.get(path, ()), tuple(branches))

    return node(graph.root, None)


def _end(edge: Edge, up: bool) -> str:
    return edge.parent if up else edge.child


def _ordered(edges: Iterable[Edge], graph: Graph, folds: dict[str, tuple[Model, ...]]) -> list[Edge]:
    """Sort by relation, then the most branched model first, then by name."""
    count: dict[str, int] = defaultdict(int)
    for edge in graph.edges:
        count[edge.child if graph.up else edge.parent] += 1

    def key(edge: Edge) -> tuple[str, int, str]:
        end = _end(edge, graph.up)
        return edge.relation, -count[end], graph.models[end].label.casefold() if end in graph.models else end

    return sorted(set(edges), key=key)


def _folds(graph: Graph) -> dict[str, tuple[Model, ...]]:
    """Give, for each family that is drawn, its variants whose every step is inherited."""
    by_child: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        by_child[edge.child].append(edge)
    inherited = [path for path, edges in by_child.items() if all(edge.evidence == "inherited" for edge in edges)]
    folds: dict[str, list[Model]] = defaultdict(list)
    for path in inherited:
        model = graph.models.get(path)
        if model and model.family in by_child and model.family not in inherited:
            folds[model.family].append(model)
    key: Callable[[Model], tuple[float, str]] = lambda model: (_size(model.size), model.path)  # noqa: E731 - a typed key
    return {family: tuple(sorted(models, key=key)) for family, models in folds.items()}


def _size(text: str) -> float:
    digits = text.rstrip("BMK")
    scale = {"K": 1e3, "M": 1e6, "B": 1e9}.get(text[-1:], 1.0)
    return float(digits) * scale if digits.replace(".", "", 1).isdigit() else 0.0
