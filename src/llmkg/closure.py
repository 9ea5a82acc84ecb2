"""Who descends from whom, at what distance: one pass over sparse matrices, for millions of models.

Numbers stand for models. A matrix holds a step from child (row) to parent (column); its powers hold the longer ways, and each
pair is kept at the first power that holds it, its smallest distance. Cycles end, since nothing new is found in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

__all__ = ["Closure", "Integers", "close", "cycles"]

Integers = NDArray[numpy.int64]


@dataclass(frozen=True, slots=True)
class Closure:
    """Every pair of a model and an ancestor of it, by model and then ancestor, with the smallest number of steps."""

    models: Integers
    ancestors: Integers
    distances: Integers


def close(count: int, children: Integers, parents: Integers) -> Closure:
    """Give the closure of the steps between ``count`` models.

    Linear in the number of pairs times the greatest distance. A model in a cycle is its own ancestor.

    >>> found = close(3, numpy.array([0, 1]), numpy.array([1, 2]))
    >>> list(zip(found.models.tolist(), found.ancestors.tolist(), found.distances.tolist()))
    [(0, 1, 1), (0, 2, 2), (1, 2, 1)]
    """
    # only models with a step take part, so that matrices are as small as the lineage
    involved = numpy.unique(numpy.concatenate([children, parents])) if len(children) else numpy.empty(0, numpy.int64)
    rows, columns = numpy.searchsorted(involved, children), numpy.searchsorted(involved, parents)
    size = len(involved)
    steps = csr_matrix((numpy.ones(len(rows), bool), (rows, columns)), shape=(size, size))
    keys: list[Integers] = []
    distances: list[Integers] = []
    seen = numpy.empty(0, numpy.int64)
    reached = steps
    distance = 0
    while reached.nnz:
        distance += 1
        found = reached.tocoo()
        pairs = numpy.unique(found.row.astype(numpy.int64) * size + found.col)
        pairs = pairs[~numpy.isin(pairs, seen, assume_unique=True)]
        keys.append(pairs)
        distances.append(numpy.full(len(pairs), distance, numpy.int64))
        seen = numpy.union1d(seen, pairs)
        fresh = csr_matrix((numpy.ones(len(pairs), bool), (pairs // size, pairs % size)), shape=(size, size))
        reached = fresh @ steps
    if not keys:
        return Closure(seen, seen, seen)
    # each pair stands once, so that the sorted pairs are those seen
    key, away = seen, numpy.concatenate(distances)[numpy.argsort(numpy.concatenate(keys), kind="stable")]
    return Closure(involved[key // size], involved[key % size], away)


def cycles(count: int, children: Integers, parents: Integers) -> list[list[int]]:
    """Give the members of every cycle of two or more models, by strongly connected components (Tarjan's, in scipy).

    >>> cycles(4, numpy.array([0, 1, 2]), numpy.array([1, 0, 3]))
    [[0, 1]]
    """
    steps = csr_matrix((numpy.ones(len(children), bool), (children, parents)), shape=(count, count))
    _, labels = connected_components(steps, directed=True, connection="strong")
    sizes = numpy.bincount(labels)
    members = numpy.flatnonzero(sizes[labels] > 1)
    found: dict[int, list[int]] = {}
    for model, label in zip(members.tolist(), labels[members].tolist(), strict=True):
        found.setdefault(label, []).append(model)
    return sorted(found.values())
