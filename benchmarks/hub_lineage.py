"""Draws who descends from whom in a made Hub, as arrays of a few bytes per model."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from typing import Any

import hub_targets as targets
import numpy as np
from numpy.typing import NDArray

RELATIONS = ("none", "finetune", "adapter", "quantized", "merge", "unstated")
#: an array of whole numbers, of the smallest type that holds them
Numbers = NDArray[Any]
_CYCLE_LENGTHS = (2, 3, 2, 4, 2, 5)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Says of every model its relation, its parents, its time of creation (seconds since 1970).

    ``order`` lists the models by generation, in each the most popular first, and ``starts`` says where each
    generation starts in it. ``first`` is the place in ``order`` of a model's first parent, -1 without one; further
    parents follow it there. ``loops`` gives the one parent of the models on a cycle; ``spine`` is one line of descent
    through all generations.
    """

    relation: Numbers
    parents: Numbers
    first: Numbers
    created: Numbers
    order: Numbers
    starts: tuple[int, ...]
    loops: dict[int, int]
    spine: frozenset[int]

    def parents_of(self, model: int) -> list[int]:
        """Give the parents of ``model``, the main one first."""
        place = int(self.first[model])
        if place < 0:
            return []
        if model in self.loops:
            return [self.loops[model]]
        count = int(self.parents[model])
        if count == 1:
            return [int(self.order[place])]
        generation = bisect_right(self.starts, place) - 1
        start, end = self.starts[generation], self.starts[generation + 1]
        return [int(self.order[start + (place - start + k) % (end - start)]) for k in range(min(count, end - start))]


def power_law(rng: np.random.Generator, size: int, exponent: float, most: int) -> Numbers:
    """Draw numbers from 1 to ``most``, of which P(x >= k) falls as ``k ** -exponent``."""
    return np.minimum((1 - rng.random(size)) ** (-1 / exponent), most).astype(np.int64)


def make_lineage(n: int, seed: int) -> Lineage:
    """Draw the lineage of ``n`` models."""
    rng = np.random.default_rng([seed, 1])
    starts = _generations(n)
    order = rng.permutation(n).astype(np.int32)
    first = np.full(n, -1, np.int32)
    for generation in range(1, len(starts) - 1):
        members = order[starts[generation] : starts[generation + 1]]
        first[members] = starts[generation - 1] + _popular(rng, len(members), generation, starts)
    relation, parents = _edges(rng, n, first)
    spine: frozenset[int] = frozenset()
    loops: dict[int, int] = {}
    if n >= targets.SMALLEST_WITH_ODDITIES:
        heads = order[list(starts[1:-1])]
        first[heads] = starts[:-2]
        parents[heads] = 1
        spine = frozenset(heads.tolist())
        greatest = order[starts[1] + 1]
        relation[greatest], parents[greatest] = RELATIONS.index("merge"), targets.MOST_PARENTS
        loops = _loops(rng, n, order[starts[1] + 2 : starts[2]])
        relation[list(loops)], parents[list(loops)] = RELATIONS.index("finetune"), 1
    created = _times(rng, order, first, starts)
    return Lineage(relation, parents, first, created, order, starts, loops, spine)


def _generations(n: int) -> tuple[int, ...]:
    """Give where each generation starts in the order, ending with ``n``."""
    children = round(n * targets.SHARE_WITH_PARENT)
    weights = targets.SHARE_OF_NEXT_GENERATION ** np.arange(targets.DEEPEST)
    least = 1 if n >= targets.SMALLEST_WITH_ODDITIES else 0
    sizes = np.maximum(np.round(children * weights / weights.sum()).astype(int), least)
    sizes[0] += children - sizes.sum()
    return (0, *(n - children + np.concatenate(([0], np.cumsum(sizes[sizes > 0])))).tolist())


def _popular(rng: np.random.Generator, count: int, generation: int, starts: tuple[int, ...]) -> Numbers:
    """Draw places within the generation before, the first places most often."""
    size = starts[generation] - starts[generation - 1]
    power = 1 - targets.CHILDREN_EXPONENT
    ranks = (1 + rng.random(count) * ((size + 1.0) ** power - 1)) ** (1 / power)
    places: Numbers = np.minimum(ranks.astype(np.int64) - 1, size - 1)
    return places


def _edges(rng: np.random.Generator, n: int, first: Numbers) -> tuple[Numbers, Numbers]:
    """Draw the relation of each model to its parents, and how many they are."""
    children = np.flatnonzero(first >= 0)
    several = dict.fromkeys(RELATIONS, targets.SHARE_OF_OTHERS_WITH_SEVERAL)
    several["merge"] = targets.SHARE_OF_MERGES_WITH_SEVERAL
    further = sum(k**-targets.PARENTS_EXPONENT for k in range(1, targets.MOST_PARENTS))
    models = {name: edges / (1 + several[name] * further) for name, edges in targets.EDGES_BY_RELATION.items()}
    shares = np.array([models[name] for name in RELATIONS[1:]])
    relation = np.zeros(n, np.int8)
    relation[children] = 1 + rng.choice(len(shares), len(children), p=shares / shares.sum())
    parents = np.zeros(n, np.int8)
    has_several = rng.random(len(children)) < np.array([several[name] for name in RELATIONS])[relation[children]]
    extra = power_law(rng, len(children), targets.PARENTS_EXPONENT, targets.MOST_PARENTS - 1)
    parents[children] = 1 + has_several * extra
    return relation, parents


def _loops(rng: np.random.Generator, n: int, members: Numbers) -> dict[int, int]:
    """Choose the models that are their own parent, and those on longer cycles."""
    own = max(1, round(targets.SELF_LOOPS * n / targets.MODELS))
    lengths = list(islice(cycle(_CYCLE_LENGTHS), max(2, round(targets.LARGER_CYCLES * n / targets.MODELS))))
    chosen = rng.choice(members, own + sum(lengths), replace=False).tolist()
    loops = {model: model for model in chosen[:own]}
    for length in lengths:
        ring = chosen[len(loops) : len(loops) + length]
        loops.update(zip(ring, ring[1:] + ring[:1], strict=True))
    return loops


def _times(rng: np.random.Generator, order: Numbers, first: Numbers, starts: tuple[int, ...]) -> Numbers:
    """Draw times of creation, children after their first parent, the Hub growing faster every year."""
    opened, last = (np.datetime64(t, "s").astype(int) for t in (targets.OLDEST_CREATED, targets.LAST_CREATED))
    created = np.zeros(len(order), np.int32)
    for start, end in pairwise(starts):
        members = order[start:end]
        after = created[order[first[members]]] if start else np.full(len(members), opened)
        created[members] = after + (last - after) * np.sqrt(rng.random(len(members)))
    oldest = order[: starts[1]][rng.random(starts[1]) < targets.SHARE_OLDEST * len(order) / max(starts[1], 1)]
    created[oldest] = opened
    return created
