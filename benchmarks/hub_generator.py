"""Make records of the Hugging Face Hub's API, as many as asked and of the true shape, for measurements.

``python benchmarks/hub_generator.py 100000 --output crawl.jsonl.zst``. The same number and seed give the same bytes.
The figures to which the records are held are in ``hub_targets.py``.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import hub_targets as targets
import numpy as np
import orjson
import zstandard
from hub_cards import POOL, Cards, Listed, make_cards
from hub_lineage import RELATIONS, Lineage, Numbers, make_lineage, power_law
from hub_names import LEGACY_IDS, REPOSITORIES, Names, make_names
from hub_repositories import VARIANTS, Repository, make_repositories

__all__ = ["lines", "records", "write"]

Json = dict[str, Any]

_CHUNK = 1 << 14
_FORMS = ("as it is", *targets.EDGE_FORMS)
_PATHS = (
    "./output/checkpoint-500",
    "/workspace/models/x",
    "../models/base",
    "outputs/merged",
    "C:\\models\\base",
    "./",
)
_GATED = (False, *targets.SHARE_GATED)
_METRICS = (["accuracy"], ["accuracy", "f1"], ["wer"], ["perplexity"], ["rouge"])


class Draw(NamedTuple):
    """What is drawn for one model; places in the lists of ``Cards`` are 0 where the card is silent."""

    form: int
    variant: int
    licence: int
    languages: int
    datasets: int
    papers: int
    tags: int
    gated: int
    downloads: int
    likes: int
    created: str
    modified: str
    sha: str
    has_card: bool
    is_placeholder: bool
    #: whether the card repeats the library, the task, and says its metrics, its name, its successor
    further: int
    chance: int


@dataclass(frozen=True, slots=True)
class Hub:
    """Holds all that was drawn once for the whole of a made Hub."""

    lineage: Lineage
    names: Names
    repositories: Sequence[Sequence[Repository]]
    cards: Cards
    #: gives the id of a model, and remembers it: most models name the same few parents
    parent_name: Callable[[int], str]

    def record(self, model: int, draw: Draw) -> Json:
        """Give the record of ``model``."""
        name = self.names.of(model)
        kind = self.names.repository[model]
        repository = self.repositories[kind][draw.variant]
        relation = RELATIONS[self.lineage.relation[model]]
        said, tagged = self._parents(model, draw, relation)
        card = self._card(said, draw, repository, _explicit(relation, kind, draw.chance)) if draw.has_card else None
        record: Json = {
            "id": name,
            "author": name[: name.index("/")],
            "sha": draw.sha,
            "lastModified": draw.modified,
            "createdAt": draw.created,
            "private": False,
            "gated": _GATED[draw.gated],
            "disabled": False,
            "downloads": draw.downloads,
            "likes": draw.likes,
            "library_name": repository.library,
            "pipeline_tag": repository.pipeline,
            "tags": self._tags(tagged, draw, repository),
            "cardData": card,
        }
        if repository.config is not None:
            record["config"] = repository.config
        if repository.safetensors:
            record["safetensors"] = repository.safetensors
        if repository.gguf:
            record["gguf"] = repository.gguf
        record["siblings"] = repository.siblings
        return record

    def _parents(self, model: int, draw: Draw, relation: str) -> tuple[list[str], list[str]]:
        """Give the parents as the card names them, and the tags that name them."""
        said = [self.parent_name(parent) for parent in self.lineage.parents_of(model)]
        if not said:
            return said, said
        meant, canonical = said, draw.chance >> 20 & 255 < 256 * targets.SHARE_OF_CANONICAL_TAGS
        if draw.form and model not in self.lineage.spine and model not in self.lineage.loops:
            said = _misname(said, _FORMS[draw.form], draw.chance)
            if _FORMS[draw.form] in ("url", "path", "text"):
                return said, [f"base_model:{said[0]}"] if canonical else []
        elif said[0] in LEGACY_IDS and draw.chance >> 12 & 255 < 256 * targets.SHARE_OF_LEGACY_IDS:
            said = [LEGACY_IDS[said[0]], *said[1:]]
        shown = meant if canonical and _FORMS[draw.form] != "dead" else dict.fromkeys(said)
        if relation == "unstated":
            return said, [f"base_model:{parent}" for parent in shown]
        return said, [tag for name in shown for tag in (f"base_model:{name}", f"base_model:{relation}:{name}")]

    def _card(self, parents: list[str], draw: Draw, repository: Repository, relation: str | None) -> Json:
        card: Json = {}
        if parents:
            as_list = len(parents) > 1 or draw.chance & 255 < 256 * targets.SHARE_OF_LISTS
            card["base_model"] = parents if as_list else parents[0]
            if relation:
                card["base_model_relation"] = relation
        if draw.datasets:
            card["datasets"] = self.cards.datasets[draw.datasets]
        if draw.languages:
            card["language"] = self.cards.languages[draw.languages]
        if draw.further & 1 and repository.library:
            card["library_name"] = repository.library
        if draw.is_placeholder:
            card["licence"] = "license"
        elif draw.licence:
            card["license"] = self.cards.licences[draw.licence]
            if card["license"] == "other":
                card |= self.cards.other_licence(draw.chance >> 8)
        if draw.further & 2 and repository.pipeline:
            card["pipeline_tag"] = repository.pipeline
        if draw.further & 4:
            card["metrics"] = _METRICS[draw.chance % len(_METRICS)]
        if draw.further & 8:
            card["model_name"] = f"checkpoint-{draw.chance % 4_000}"
        if draw.further & 16:
            card["new_version"] = self.parent_name(draw.chance % len(self.names.author))
        if draw.tags:
            card["tags"] = self.cards.tags[draw.tags]
        return card

    def _tags(self, parents: list[str], draw: Draw, repository: Repository) -> list[str]:
        tags = [*repository.head]
        if draw.tags:
            tags += self.cards.tags[draw.tags] or ()
        tags += _each(self.cards.languages[draw.languages])
        if draw.datasets:
            tags += [f"dataset:{name}" for name in self.cards.datasets[draw.datasets] or ()]
        tags += [f"arxiv:{paper}" for paper in self.cards.papers[draw.papers]]
        tags += parents
        tags += [f"license:{name}" for name in _each(self.cards.licences[draw.licence])]
        tags += repository.tail
        tags.append("region:us")
        return tags


def records(n: int, seed: int = 0) -> Iterator[Json]:
    """Give ``n`` records; what is nested in them is shared by many, so change nothing."""
    lineage = make_lineage(n, seed)
    names = make_names(lineage, seed)
    hub = Hub(lineage, names, make_repositories(seed), make_cards(seed), lru_cache(1 << 15)(names.of))
    for start in range(0, n, _CHUNK):
        for model, draw in enumerate(_draws(lineage, start, seed), start):
            yield hub.record(model, draw)


def lines(n: int, seed: int = 0) -> Iterator[bytes]:
    """Give ``n`` records as lines of JSON."""
    for record in records(n, seed):
        yield orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def write(n: int, seed: int, file: IO[bytes]) -> None:
    """Write ``n`` records to ``file``."""
    made = lines(n, seed)
    while some := b"".join(islice(made, 1_000)):
        file.write(some)


def _explicit(relation: str, kind: int, chance: int) -> str | None:
    """Give the relation where the card says it itself."""
    said_of_gguf = relation == "finetune" and REPOSITORIES[kind] == "gguf"
    share = targets.SHARE_OF_GGUF_SAID_FINETUNE if said_of_gguf else targets.SHARE_OF_EXPLICIT_RELATION
    return relation if relation not in ("none", "unstated") and chance >> 28 & 0xFFFF < 65_536 * share else None


def _misname(parents: list[str], form: str, chance: int) -> list[str]:
    """Give the parents with the first of them in a form that is not its id."""
    first, *others = parents
    if form == "twice":
        return [*parents, first]
    if form == "letter case":
        small = first.lower()
        return [small if small != first else first.upper(), *others]
    named = {
        "dead": f"{first}-preview",
        "url": f"https://huggingface.co/{first}",
        "path": _PATHS[chance % len(_PATHS)],
        "text": f"This model was trained from {first} on our own data",
    }
    return [named[form], *others]


def _each(values: Listed) -> Sequence[str]:
    return [values] if isinstance(values, str) else values or ()


def _draws(lineage: Lineage, start: int, seed: int) -> Iterator[Draw]:
    """Draw what concerns one model alone, for the models of a chunk."""
    rng = np.random.default_rng([seed, 5, start])
    is_child = lineage.first[start : start + _CHUNK] >= 0
    size = len(is_child)
    has_card = is_child | (rng.random(size) >= targets.SHARE_WITHOUT_CARD)

    def chosen(shares: tuple[float, float]) -> Numbers:
        return (rng.random(size) < np.where(is_child, *shares)) & has_card

    def place(shares: tuple[float, float]) -> list[int]:
        return np.where(chosen(shares), rng.integers(1, POOL + 1, size), 0).tolist()  # type: ignore[no-any-return]

    licence = np.where(chosen(_licence_shares()), rng.integers(1, POOL + 1, size), 0)
    unlicensed = 1 - targets.SHARE_OF_CHILDREN_WITH_LICENCE
    is_placeholder = (licence == 0) & chosen((targets.SHARE_OF_PLACEHOLDERS / unlicensed, 0.0))
    further = [targets.SHARE_WITH_CARD_LIBRARY, targets.SHARE_WITH_CARD_PIPELINE, targets.SHARE_WITH_METRICS,
               targets.SHARE_WITH_MODEL_NAME, targets.SHARE_WITH_NEW_VERSION]  # fmt: skip
    hexes = rng.bytes(20 * size).hex()
    return map(
        Draw,
        _lot(rng, size, targets.EDGE_FORMS),
        rng.integers(VARIANTS, size=size).tolist(),
        licence.tolist(),
        place(targets.SHARE_WITH_LANGUAGE),
        place(targets.SHARE_WITH_DATASETS),
        place(targets.SHARE_WITH_ARXIV),
        place(targets.SHARE_WITH_TAGS),
        _lot(rng, size, targets.SHARE_GATED),
        _counts(rng, size, targets.SHARE_DOWNLOADED, targets.DOWNLOADS_EXPONENT, targets.MOST_DOWNLOADS),
        _counts(rng, size, targets.SHARE_LIKED, targets.LIKES_EXPONENT, targets.MOST_LIKES),
        *_dates(rng, lineage.created[start : start + _CHUNK]),
        [hexes[at : at + 40] for at in range(0, 40 * size, 40)],
        has_card.tolist(),
        is_placeholder.tolist(),
        sum(chosen(shares).astype(int) << bit for bit, shares in enumerate(further)).tolist(),  # type: ignore[union-attr]
        rng.integers(1 << 62, size=size).tolist(),
    )


def _licence_shares() -> tuple[float, float]:
    """Give the shares of cards with a licence, of models with a parent and of others, that make the published one."""
    child, licensed = targets.SHARE_WITH_PARENT, targets.SHARE_OF_CHILDREN_WITH_LICENCE
    other = (targets.SHARE_WITH_LICENCE - child * licensed) / (1 - child)
    return licensed, other / (1 - targets.SHARE_WITHOUT_CARD)


def _lot(rng: np.random.Generator, size: int, shares: dict[str, float]) -> list[int]:
    """Draw 1 for the first of some kinds, 2 for the second, and 0 for none of them."""
    ends = np.cumsum(list(shares.values()))
    return ((np.searchsorted(ends, rng.random(size), "right") + 1) % (len(ends) + 1)).tolist()  # type: ignore[no-any-return]


def _counts(rng: np.random.Generator, size: int, share: float, exponent: float, most: int) -> list[int]:
    """Draw how often something was downloaded or liked: never, or by a power law."""
    return np.where(rng.random(size) < share, power_law(rng, size, exponent, most), 0).tolist()  # type: ignore[no-any-return]


def _dates(rng: np.random.Generator, created: Numbers) -> tuple[list[str], list[str]]:
    """Give the times of creation, and of the last change (sample: half within hours, 10 % after a month or more)."""
    last = np.datetime64(targets.LAST_CREATED, "s").astype(int)
    modified = np.minimum(created + rng.lognormal(9.5, 3.6, len(created)), last + 86_400).astype(np.int64)
    first, second = (np.datetime_as_string(t.astype(np.int64).astype("M8[s]")) for t in (created, modified))
    return [f"{time}.000Z" for time in first.tolist()], [f"{time}.000Z" for time in second.tolist()]


def _open(path: Path | None) -> AbstractContextManager[Any]:
    if path is None:
        return nullcontext(sys.stdout.buffer)
    if path.suffix == ".gz":
        return gzip.GzipFile(path, "wb", compresslevel=1, mtime=0)  # no clock: the same bytes every time
    if path.suffix == ".zst":
        compressed: AbstractContextManager[Any] = zstandard.open(path, "wb")
        return compressed
    return path.open("wb")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("n", type=int, help="how many records")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--output", type=Path, help="FILE.jsonl, FILE.jsonl.gz or FILE.jsonl.zst; standard output without"
    )
    arguments = parser.parse_args()
    with _open(arguments.output) as file:
        write(arguments.n, arguments.seed, file)


if __name__ == "__main__":
    main()
