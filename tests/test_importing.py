"""An import of the Hub: one snapshot whatever the order, what a second crawl changes, and what nothing may change."""

from __future__ import annotations

import fcntl
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import hub_generator
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmkg.errors import SourceError, StoreCorrupt, StoreUnavailable
from llmkg.importing import ImportSummary, import_hub, snapshot_path
from llmkg.records import HubRecord
from llmkg.sources.snapshot import decode, read_entries, read_info

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Environment = Callable[..., dict[str, str]]

CRAWL = Path(__file__).parent / "fixtures" / "hub" / "crawl.jsonl"
FIRST, SECOND, THIRD = "2026-01-01", "2026-02-02", "2026-03-03"


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def imported(home: Path, *records: dict[str, Any], day: str = FIRST, is_whole: bool = True) -> ImportSummary:
    home.parent.mkdir(exist_ok=True)
    return import_hub(home, [write(home.parent / "crawl.jsonl", records)], day, is_whole=is_whole)


def held(home: Path) -> dict[str, HubRecord]:
    return {entry.key: decode(entry.line) for entry in read_entries(snapshot_path(home))}


def tally(summary: ImportSummary) -> dict[str, int]:
    names = ("read", "added", "changed", "unchanged", "gone", "repeated")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def wait_for_lock(home: Path) -> None:
    """Wait until the workers of a process that was killed have seen it."""
    with (home / ".lock").open("a") as handle:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
    raise AssertionError(f"{home} is still held")


A, B, C = ({"id": f"lab/{name}", "likes": 1} for name in "abc")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


# --- P2: one crawl, one snapshot


@pytest.mark.parametrize("seed", range(2))
def test_p2_the_order_of_records_and_files_changes_nothing(seed: int, tmp_path: Path) -> None:
    lines = list(hub_generator.lines(4_100, 1))  # several batches, parsed by several workers
    import_hub(tmp_path / "one", [put(tmp_path / "all.jsonl", lines)], FIRST)
    Random(seed).shuffle(lines)
    cut = 1 + 1_000 * seed
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(b"".join(lines[:cut])))
    import_hub(tmp_path / "two", [put(tmp_path / "a.jsonl", lines[cut:]), packed], FIRST)
    first, second = (list(read_entries(snapshot_path(tmp_path / name))) for name in ("one", "two"))
    assert first == second
    assert [entry.key for entry in first] == sorted(entry.key for entry in first)


def put(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def test_p2_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        import_hub(tmp_path / name, [CRAWL], FIRST)
    one, two = (snapshot_path(tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two


ORDERS = st.lists(st.sampled_from([A, B, C, A | {"likes": 2}, A | {"id": "Lab/A"}, B | {"lastModified": "2026-01-01"}]))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=ORDERS, chance=st.randoms(use_true_random=False))
def test_p2_repeated_ids_in_any_order_leave_the_same_record(tmp_path: Path, records: list[Any], chance: Any) -> None:
    shuffled = list(records)
    chance.shuffle(shuffled)
    found = []
    for number, some in enumerate((records, shuffled)):
        home = tmp_path / str(number)
        snapshot_path(home).unlink(missing_ok=True)
        imported(home, *some, {"id": "always"})
        found.append(held(home))
    assert found[0] == found[1]


def test_ids_that_differ_by_case_are_one_record_and_the_newest_counts(home: Path) -> None:
    old = {"id": "Lab/A", "lastModified": "2025-01-01T00:00:00.000Z"}
    new = {"id": "lab/a", "lastModified": "2025-01-02T00:00:00.000Z"}
    assert tally(imported(home, new, old)) == {"read": 2, "added": 1, "repeated": 1}
    assert [record.id for record in held(home).values()] == ["lab/a"]


# --- a second crawl


def test_a_second_import_tells_what_became_of_each_record(home: Path) -> None:
    assert tally(imported(home, A, B, C)) == {"read": 3, "added": 3}
    changed = B | {"likes": 2}
    summary = imported(home, A, changed, {"id": "lab/d"}, day=SECOND)
    assert tally(summary) == {"read": 3, "added": 1, "changed": 1, "unchanged": 1, "gone": 1}
    assert tally(imported(home, A, changed, {"id": "lab/d"}, day=SECOND)) == {"read": 3, "unchanged": 3}


def test_a_record_that_is_gone_stays_with_the_day_when_it_was_last_seen(home: Path) -> None:
    imported(home, A, B)
    imported(home, A, day=SECOND)
    assert held(home)["lab/b"] == HubRecord("lab/b", author="lab", likes=1, gone=FIRST)
    imported(home, A, day=THIRD)
    assert held(home)["lab/b"].gone == FIRST
    info = read_info(snapshot_path(home))
    assert (info.crawled, info.records, info.gone) == (THIRD, 2, 1)


@pytest.mark.parametrize("likes", [1, 2])
def test_a_record_that_was_gone_comes_back(home: Path, likes: int) -> None:
    imported(home, A, B)
    imported(home, A, day=SECOND)
    assert tally(imported(home, A, B | {"likes": likes}, day=THIRD)) == {"read": 2, "changed": 1, "unchanged": 1}
    assert held(home)["lab/b"] == HubRecord("lab/b", author="lab", likes=likes)
    assert read_info(snapshot_path(home)).gone == 0


def test_a_part_keeps_what_it_leaves_out(home: Path) -> None:
    imported(home, A, B)
    assert tally(imported(home, A | {"likes": 2}, C, day=SECOND, is_whole=False)) == {
        "read": 2,
        "added": 1,
        "changed": 1,
    }
    assert {key: record.gone for key, record in held(home).items()} == dict.fromkeys(["lab/a", "lab/b", "lab/c"], "")


def test_a_crawl_and_its_update_are_the_later_crawl(home: Path, tmp_path: Path) -> None:
    imported(home, A, B)
    imported(home, B | {"likes": 2}, C, day=SECOND, is_whole=False)
    imported(tmp_path / "other", A, B | {"likes": 2}, C, day=SECOND)
    assert {key: replace(record, seen="") for key, record in held(home).items()} == held(tmp_path / "other")
    for folder in (home, tmp_path / "other"):
        imported(folder, A, B | {"likes": 2}, C, day=THIRD)
    assert held(home) == held(tmp_path / "other")


def test_a_part_moves_the_day_of_what_it_holds_and_no_other(home: Path) -> None:
    imported(home, A, B, C)
    imported(home, B, C | {"likes": 2}, day=SECOND, is_whole=False)
    info = read_info(snapshot_path(home))
    assert (info.crawled, info.updated) == (FIRST, SECOND)
    assert [record.seen for record in held(home).values()] == ["", SECOND, SECOND]
    imported(home, C, day=THIRD)
    assert [(record.seen, record.gone) for record in held(home).values()] == [("", FIRST), ("", SECOND), ("", "")]
    info = read_info(snapshot_path(home))
    assert (info.crawled, info.updated) == (THIRD, "")


# --- bad records


BAD = ['{"id": "lab/x"', '{"likes": 1}', "[]", '{"id": "a/b/c"}']


def test_every_bad_record_is_told_with_its_place_and_nothing_changes(home: Path, tmp_path: Path, run: Run) -> None:
    imported(home, A)
    before = snapshot_path(home).read_bytes()
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join([json.dumps(B), *BAD, json.dumps(C)]), encoding="utf-8")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    done = run("import", "hub", str(bad), str(tmp_path / "empty.jsonl"), home=home)
    assert (done.returncode, done.stdout) == (3, "")
    places = [*(f"{bad}:{line}:" for line in range(2, 6)), f"{tmp_path / 'empty.jsonl'}:1:1: is empty"]
    assert all(place in done.stderr for place in places), done.stderr
    assert snapshot_path(home).read_bytes() == before
    assert [path.name for path in snapshot_path(home).parent.iterdir()] == [snapshot_path(home).name]


def test_bad_records_are_left_out_where_that_is_asked(home: Path, tmp_path: Path, run: Run) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join([json.dumps(B), *BAD, json.dumps(C)]), encoding="utf-8")
    done = run("import", "hub", str(bad), "--skip-bad", "--crawled", FIRST, "--format", "json", home=home)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["read"], told["added"], len(told["problems"])) == (2, 2, len(BAD))
    assert list(held(home)) == ["lab/b", "lab/c"]
    assert read_info(snapshot_path(home)).crawled == FIRST


def test_bad_records_of_every_batch_are_told_even_where_the_file_ends_in_the_middle(home: Path, tmp_path: Path) -> None:
    lines = list(hub_generator.lines(9_000, 2))
    for number in range(500, 9_000, 1_000):
        lines[number] = b"{\n"
    whole = gzip.compress(b"".join(lines))
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-20])
    with pytest.raises(SourceError) as raised:
        import_hub(home, [tmp_path / "cut.jsonl.gz"], FIRST)
    places = [problem.where for problem in raised.value.problems]
    for number in range(500, 8_000, 1_000):
        assert any(place.startswith(f"{tmp_path / 'cut.jsonl.gz'}:{number + 1}:") for place in places), number
    assert not snapshot_path(home).exists()


# --- damage


def test_a_snapshot_that_was_cut_short_stops_a_build(home: Path, run: Run) -> None:
    import_hub(home, [CRAWL], FIRST)
    body = snapshot_path(home).read_bytes()
    snapshot_path(home).write_bytes(body[: len(body) // 2])
    done = run("build", "--no-validate", home=home)
    assert (done.returncode, done.stdout) == (8, "")
    assert "is no whole snapshot" in done.stderr
    assert "llmkg import hub makes it anew" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "current").exists()


def test_any_damage_to_a_snapshot_is_seen(home: Path) -> None:
    import_hub(home, [CRAWL], FIRST)
    path = snapshot_path(home)
    body = path.read_bytes()
    for place in range(0, len(body), 7):
        for damaged in (body[:place], body[:place] + bytes([body[place] ^ 1 << place % 8]) + body[place + 1 :]):
            path.write_bytes(damaged)
            try:
                read = [entry.line for entry in read_entries(path)]
            except (StoreCorrupt, StoreUnavailable):
                continue
            path.write_bytes(body)
            assert read == [entry.line for entry in read_entries(path)], place


def test_an_import_of_a_whole_crawl_makes_a_damaged_snapshot_anew(home: Path) -> None:
    imported(home, A, B)
    path = snapshot_path(home)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StoreCorrupt):
        imported(home, A, is_whole=False)
    assert tally(imported(home, A, day=SECOND)) == {"read": 1, "added": 1}
    assert list(held(home)) == ["lab/a"]


# --- one writer at a time, and P1


def test_an_import_waits_for_nobody(home: Path, run: Run) -> None:
    imported(home, A)
    before = snapshot_path(home).read_bytes()
    with (home / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = run("import", "hub", str(CRAWL), home=home)
    assert (done.returncode, done.stdout) == (7, "")
    assert "another build is running" in done.stderr
    assert snapshot_path(home).read_bytes() == before


@pytest.mark.parametrize("folder", ["a file", "a strange folder"])
def test_an_import_goes_only_into_a_folder_of_ours(folder: str, tmp_path: Path, run: Run) -> None:
    home = tmp_path / "home"
    if folder == "a file":
        home.write_text("mine", encoding="utf-8")
    else:
        home.mkdir()
        (home / "mine").write_text("mine", encoding="utf-8")
    done = run("import", "hub", str(CRAWL), home=home)
    assert done.returncode in (7, 10), done.stderr
    assert "Traceback" not in done.stderr
    assert not snapshot_path(home).exists()


def started(home: Path, environment: Environment, crawl: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "llmkg", "import", "hub", str(crawl), "--crawled", SECOND],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_p1_a_killed_import_leaves_the_old_snapshot_or_the_new(
    home: Path, tmp_path: Path, environment: Environment
) -> None:
    crawls = [put(tmp_path / f"{seed}.jsonl", list(hub_generator.lines(4_100, seed))) for seed in (1, 2)]
    import_hub(home, [crawls[0]], FIRST)
    old = snapshot_path(home).read_bytes()
    begin = time.monotonic()
    with started(home, environment, crawls[1]) as process:
        process.communicate()
    seconds, new = time.monotonic() - begin, snapshot_path(home).read_bytes()
    chance = Random("import")
    for number in range(4):
        snapshot_path(home).write_bytes(old)
        with started(home, environment, crawls[1]) as process:
            while process.poll() is None and not list(home.glob("imports/.tmp-*")):
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.6 * seconds) * number / 3)
            process.kill()
        assert snapshot_path(home).read_bytes() in (old, new)
        wait_for_lock(home)
    import_hub(home, [crawls[0]], THIRD)
    assert [path.name for path in (home / "imports").iterdir()] == [snapshot_path(home).name]


def test_what_a_killed_import_left_is_cleared(home: Path) -> None:
    imported(home, A)
    (home / "imports" / ".tmp-file").write_bytes(b"half")
    (home / "imports" / ".tmp-folder").mkdir()
    (home / "imports" / ".tmp-folder" / "run-0").write_bytes(b"half")
    imported(home, A)
    assert [path.name for path in (home / "imports").iterdir()] == [snapshot_path(home).name]
