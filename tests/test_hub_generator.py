"""The made Hub: the same every time, of the published shares, with the oddities of the true one."""

from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import hub_generator
import hub_targets as targets
import orjson
import pytest
import zstandard

Records = list[dict[str, Any]]

N = 5_000
_SAMPLE = Path(__file__).parents[2] / "shared" / "data" / "hub" / "models.jsonl"
_OPTIONAL = {"config", "safetensors", "gguf"}


@pytest.fixture(scope="module")
def made() -> Records:
    return [orjson.loads(line) for line in hub_generator.lines(N)]


@pytest.fixture(scope="module")
def real() -> Records:
    if not _SAMPLE.is_file():
        pytest.skip(f"the sample of the Hub is not at {_SAMPLE}")
    return [orjson.loads(line) for line in _SAMPLE.read_bytes().splitlines()]


def card(record: dict[str, Any]) -> dict[str, Any]:
    return record["cardData"] or {}


def parents(record: dict[str, Any]) -> list[str]:
    said = card(record).get("base_model", [])
    return [said] if isinstance(said, str) else said


def relation(record: dict[str, Any]) -> str:
    tags = " ".join(record["tags"])
    found = re.search(r"base_model:(finetune|adapter|quantized|merge):", tags)
    return found[1] if found else "unstated"


def chain(record: dict[str, Any], known: dict[str, dict[str, Any]]) -> list[str]:
    """Give the ids from a record along its first parents, ending where the crawl ends or an id comes again."""
    ids = [record["id"]]
    while ids[-1] in known and ids[-1] not in ids[:-1] and parents(known[ids[-1]]):
        ids.append(parents(known[ids[-1]])[0])
    return ids


def test_the_same_number_and_seed_give_the_same_bytes() -> None:
    first = b"".join(hub_generator.lines(1_200, 7))
    assert first == b"".join(hub_generator.lines(1_200, 7))
    assert first != b"".join(hub_generator.lines(1_200, 8))


@pytest.mark.parametrize("n", [0, 1, 2, 10, 999, 1_000])
def test_any_number_can_be_made(n: int) -> None:
    assert len({record["id"].lower() for record in hub_generator.records(n)}) == n


def test_ids_are_unique_without_regard_to_case(made: Records) -> None:
    assert len({record["id"].lower() for record in made}) == N
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,96}/[A-Za-z0-9._-]{1,96}", record["id"]) for record in made)
    assert all(record["id"].startswith(record["author"] + "/") for record in made)


@pytest.mark.parametrize(
    ("share", "wanted", "tolerance"),
    [
        (lambda r: bool(parents(r)), targets.SHARE_WITH_PARENT, 0.001),
        (lambda r: "license" in card(r), targets.SHARE_WITH_LICENCE, 0.02),
        (lambda r: card(r).get("license") == "apache-2.0", targets.SHARE_WITH_LICENCE * 249.1 / 541.6, 0.02),
        (lambda r: card(r).get("licence") == "license", 0.28 * targets.SHARE_OF_PLACEHOLDERS, 0.01),
        (lambda r: r["createdAt"] == f"{targets.OLDEST_CREATED}.000Z", targets.SHARE_OLDEST, 0.005),
        (lambda r: r["gated"] == "auto", targets.SHARE_GATED["auto"], 0.005),
        (lambda r: r["downloads"] > 0, targets.SHARE_DOWNLOADED, 0.03),
    ],
    ids="parent licence apache placeholder oldest gated downloaded".split(),
)
def test_shares_are_those_of_the_hub(made: Records, share: Any, wanted: float, tolerance: float) -> None:
    assert sum(map(share, made)) / N == pytest.approx(wanted, abs=tolerance)


@pytest.mark.parametrize("name", targets.EDGES_BY_RELATION)
def test_edges_are_of_the_relations_of_the_hub(made: Records, name: str) -> None:
    edges = Counter[str]()
    for record in made:
        edges[relation(record)] += len(parents(record))
    assert edges[name] / N == pytest.approx(targets.EDGES_BY_RELATION[name] / targets.MODELS, abs=0.02)
    assert edges.total() / N == pytest.approx(targets.EDGES / targets.MODELS, abs=0.01)


def test_lineages_are_as_deep_as_asked_and_closed_in_cycles(made: Records) -> None:
    known = {record["id"]: record for record in made}
    chains = [chain(record, known) for record in made]
    closed = [ids[ids.index(ids[-1]) :] for ids in chains if ids[-1] in ids[:-1]]
    assert {2, 3, 4} <= {len(ids) for ids in closed}  # a model itself, two, three
    assert max(len(ids) - 1 for ids in chains if ids[-1] not in ids[:-1]) == targets.DEEPEST
    assert max(len(parents(record)) for record in made) == targets.MOST_PARENTS


def test_the_largest_base_has_its_share_of_children(made: Records) -> None:
    children = Counter(parent for record in made for parent in parents(record))
    assert 0.7 < children.most_common(1)[0][1] / N * targets.MODELS / targets.CHILDREN_OF_LARGEST < 2


def test_parents_are_named_in_every_odd_way() -> None:
    made = list(hub_generator.records(20_000))
    ids = {record["id"] for record in made}
    small = {name.lower() for name in ids}
    odd = [parent for record in made for parent in parents(record) if parent not in ids]
    assert any(parent.lower() in small for parent in odd)
    for form in (
        r"https://huggingface\.co/.+/.+",
        r"[./].*/.*",
        r"\w[\w.-]*/[\w.-]+",
        r"bert-base-uncased",
        r".+ from .+",
    ):
        assert any(re.fullmatch(form, parent) for parent in odd), form
    assert any(len(set(parents(record))) < len(parents(record)) for record in made)
    misfiled = [
        r for r in made if relation(r) == "finetune" and any(f["rfilename"].endswith(".gguf") for f in r["siblings"])
    ]
    assert misfiled


def test_a_record_has_the_fields_of_a_real_one(made: Records, real: Records) -> None:
    always = set.intersection(*map(set, real))
    assert set.intersection(*map(set, made)) == always
    assert set.union(*map(set, made)) == set.union(*map(set, real)) == always | _OPTIONAL
    for field in always | _OPTIONAL:
        kinds = {type(record[field]) for record in real if field in record}
        assert {type(record[field]) for record in made if field in record} - {type(None)} <= kinds, field


def test_nothing_of_the_sample_is_made(made: Records, real: Records) -> None:
    bases = {parent for record in real for parent in parents(record)}
    assert not {record["id"] for record in made} & ({record["id"] for record in real} - bases)


def unpack(packed: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(packed).read()


def test_output_is_written_as_its_name_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = b"".join(hub_generator.lines(30, 3))
    for name, read in (("a.jsonl", bytes), ("a.jsonl.gz", gzip.decompress), ("a.jsonl.zst", unpack)):
        monkeypatch.setattr(sys, "argv", ["hub_generator.py", "30", "--seed", "3", "--output", str(tmp_path / name)])
        hub_generator.main()
        assert read((tmp_path / name).read_bytes()) == plain
