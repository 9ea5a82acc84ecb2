"""The home folder: its layout, what is refused, what is kept, and what is found when it is damaged."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmkg.build import rebuild
from llmkg.config import Settings
from llmkg.errors import InternalError, LlmkgError, StoreCorrupt, StoreUnavailable, WriteError
from llmkg.home import FORMAT, current_version, is_new, read_manifest, sound_version, verify
from llmkg.store import open_store

Run = Callable[..., "subprocess.CompletedProcess[str]"]

Dumps = tuple[Path, ...]


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


def marked(home: Path, text: str) -> Path:
    (home / "llmkg.json").write_text(text, encoding="utf-8")
    return home


# --- layout


def test_a_home_holds_marker_lock_version_and_link(small: Settings) -> None:
    version = current_version(small.home)
    assert names(small.home) == {"llmkg.json", ".lock", "current", version.name}
    assert json.loads((small.home / "llmkg.json").read_text(encoding="utf-8")) == {"format": FORMAT}
    assert os.readlink(small.home / "current") == version.name
    assert names(version) == {"store", "names.db", "graph.nq.zst", "manifest.json"}


def test_the_manifest_says_what_a_version_was_made_from_and_holds(built: Settings) -> None:
    manifest = read_manifest(current_version(built.home))
    assert current_version(built.home).name == f"v-{manifest.hash[:12]}"
    assert {"data/sources.yaml", "data/redirects.csv", "ontology/llmkg.ttl"} <= set(manifest.inputs)
    assert {"default", "inferred", "entities", "ontology"} <= set(manifest.quads)
    assert {"llmkg", "pyoxigraph"} <= set(manifest.tools)
    stored = {f"store/{name}" for name in names(current_version(built.home) / "store")}
    assert set(manifest.files) == set(manifest.sizes) == set(manifest.sums) == stored | {"names.db", "graph.nq.zst"}
    assert manifest.format == FORMAT


def test_a_missing_home_is_new_and_an_empty_one_too(small: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert is_new(tmp_path / "none")
    assert is_new(tmp_path / "empty")
    assert not is_new(small.home)
    assert not is_new(small.home / "llmkg.json")


def test_a_build_makes_the_folders_above_its_home(small: Settings, dumps: Dumps, tmp_path: Path) -> None:
    home = tmp_path / "far" / "away" / "home"
    rebuild(replace(small, home=home), dumps[0])
    assert verify(home)


# --- what is refused


def test_a_missing_home_is_unavailable(tmp_path: Path) -> None:
    for ask in (current_version, sound_version, verify):
        with pytest.raises(StoreUnavailable, match="no built graph") as raised:
            ask(tmp_path / "none")
        assert "build makes one" in raised.value.hint
    assert names(tmp_path) == set()


def test_a_folder_of_somebody_else_is_refused_and_left_alone(built: Settings, dumps: Dumps, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("not ours", encoding="utf-8")
    with pytest.raises(StoreUnavailable, match="not empty and no llmkg folder"):
        rebuild(replace(built, home=tmp_path), dumps[0])
    with pytest.raises(StoreUnavailable, match="no llmkg folder"):
        current_version(tmp_path)
    assert names(tmp_path) == {"thesis.txt"}


def test_a_file_in_the_place_of_the_home_is_refused(run: Run, tmp_path: Path, dumps: Dumps) -> None:
    path = tmp_path / "home"
    path.write_text("a file", encoding="utf-8")
    assert run("verify", home=path).returncode == 7
    assert run("query", "sources", home=path).returncode == 7
    assert run("build", "--from", str(dumps[0]), home=path).returncode == 10
    assert path.read_text(encoding="utf-8") == "a file"


@pytest.mark.parametrize("other", [FORMAT - 1, FORMAT + 1, "2.0", None])
def test_another_format_is_named_with_what_to_do(small: Settings, dumps: Dumps, other: object) -> None:
    marked(small.home, json.dumps({"format": other}))
    before = names(small.home)
    for ask in (current_version, sound_version, verify, lambda _: rebuild(small, dumps[0])):
        with pytest.raises(StoreUnavailable, match=f"has format {other}; this version reads format {FORMAT}") as raised:
            ask(small.home)
        assert "install the llmkg that wrote it, or run llmkg build with another --home" in raised.value.hint
    assert names(small.home) == before


def test_an_older_format_says_which_command_builds_it_anew(small: Settings, run: Run) -> None:
    marked(small.home, '{"format": 1}')
    done = run("query", "sources", home=small.home)
    assert (done.returncode, done.stdout) == (7, "")
    assert f"llmkg --home {small.home}-{FORMAT} build" in done.stderr


@pytest.mark.parametrize("command", [("verify",), ("query", "sources"), ("export",), ("validate",), ("build",)])
def test_every_command_refuses_another_format(small: Settings, run: Run, command: tuple[str, ...]) -> None:
    marked(small.home, '{"format": 99}')
    done = run(*command, home=small.home)
    assert (done.returncode, done.stdout) == (7, "")
    assert "has format 99" in done.stderr
    assert "hint: install the llmkg that wrote it" in done.stderr


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", "7", "\x00", '{"form": 1}'])
def test_a_damaged_marker_is_told(small: Settings, text: str) -> None:
    with pytest.raises(StoreCorrupt, match="no llmkg marker"):
        current_version(marked(small.home, text))


def test_a_second_builder_is_told_to_wait(small: Settings, dumps: Dumps, run: Run) -> None:
    told: list[subprocess.CompletedProcess[str]] = []
    rebuild(small, dumps[1], lambda *_: told.append(run("build", "--from", str(dumps[2]), home=small.home)))
    assert [done.returncode for done in told] == [7]
    assert "another build is running" in told[0].stderr
    assert "wait" in told[0].stderr
    assert sum(verify(small.home).quads.values()) == 4


def test_the_lock_is_free_after_a_build_that_failed(small: Settings, dumps: Dumps) -> None:
    def refuse(*_: object) -> None:
        raise InternalError("refused")

    before = current_version(small.home)
    with pytest.raises(InternalError):
        rebuild(small, dumps[1], refuse)
    assert current_version(small.home) == before
    assert names(small.home) == {"llmkg.json", ".lock", "current", before.name}
    with (small.home / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def link_to_nothing(home: Path) -> None:
    (home / "current").symlink_to("v-nothing")


def link_in_a_loop(home: Path) -> None:
    (home / "current").symlink_to("current")


def link_to_a_file(home: Path) -> None:
    (home / "current").symlink_to("llmkg.json")


def link_to_the_outside(home: Path) -> None:
    (home / "current").symlink_to("/")


def link_to_the_home(home: Path) -> None:
    (home / "current").symlink_to(".")


def file_in_its_place(home: Path) -> None:
    (home / "current").write_text("v-1", encoding="utf-8")


def nothing_in_its_place(home: Path) -> None:
    assert not (home / "current").exists()


BROKEN = [
    link_to_nothing,
    link_in_a_loop,
    link_to_a_file,
    link_to_the_outside,
    link_to_the_home,
    file_in_its_place,
    nothing_in_its_place,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_current_is_told_and_mended_by_a_build(
    small: Settings, dumps: Dumps, broken: Callable[[Path], None]
) -> None:
    (small.home / "current").unlink()
    broken(small.home)
    for ask in (current_version, verify):
        with pytest.raises(StoreUnavailable, match=r"current") as raised:
            ask(small.home)
        assert "build makes one" in raised.value.hint
    rebuild(small, dumps[1])
    assert verify(small.home)


def test_a_home_without_permission_is_unavailable(small: Settings, run_unprivileged: Run, open_folder: Path) -> None:
    home = open_folder / "home"
    shutil.copytree(small.home, home, symlinks=True)
    version = current_version(home)
    for shut in (home, home / "llmkg.json", version, version / "manifest.json", version / "store"):
        mode = shut.stat().st_mode
        shut.chmod(0)
        for command in (("verify",), ("sparql", "-")):
            done = run_unprivileged(*command, home=home, input="ASK {}")
            assert (done.returncode, done.stdout) == (7, ""), (shut.name, command, done.stderr)
            assert "no permission" in done.stderr
        shut.chmod(mode)
    assert run_unprivileged("verify", home=home).returncode == 0


def test_a_build_into_a_folder_that_cannot_be_written_is_a_write_error(
    small: Settings, run_unprivileged: Run, open_folder: Path, dumps: Dumps
) -> None:
    dump = Path(shutil.copy(dumps[1], open_folder))
    home = open_folder / "home"
    shutil.copytree(small.home, home, symlinks=True)
    for path in [home, *home.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    for place in (home, open_folder / "none" / "home"):
        (open_folder / "none").mkdir(mode=0o555, exist_ok=True)
        done = run_unprivileged("build", "--from", str(dump), home=place)
        assert done.returncode == 10, done.stderr
        assert "cannot be written: Permission denied" in done.stderr
        assert "Traceback" not in done.stderr
    assert sum(verify(home).quads.values()) == 2


# --- what is kept


def test_the_version_before_stays_and_older_ones_go(small: Settings, dumps: Dumps) -> None:
    versions = [current_version(small.home)] + [rebuild(small, dump).version for dump in dumps[1:4]]
    assert [version.exists() for version in versions] == [False, False, True, True]
    assert current_version(small.home) == versions[-1]
    assert sum(1 for _ in open_store(versions[-2] / "store").quads()) == 6


def test_the_version_before_stays_when_the_clock_goes_back(small: Settings, dumps: Dumps) -> None:
    first = current_version(small.home)
    os.utime(first / "manifest.json", (4e9, 4e9))
    second, third = rebuild(small, dumps[1]).version, rebuild(small, dumps[2]).version
    assert [version.exists() for version in (first, second, third)] == [False, True, True]


def test_the_same_graph_again_is_a_version_of_its_own(small: Settings, dumps: Dumps) -> None:
    first = current_version(small.home)
    second = rebuild(small, dumps[0]).version
    assert first != second == current_version(small.home)
    old, new = read_manifest(first), read_manifest(second)
    assert old == replace(new, files=old.files, sizes=old.sizes, sums=old.sums)
    assert old.files["names.db"] == new.files["names.db"]


def test_a_build_mends_a_version_without_manifest(small: Settings, dumps: Dumps) -> None:
    (current_version(small.home) / "manifest.json").unlink()
    with pytest.raises(StoreCorrupt, match="no manifest"):
        verify(small.home)
    rebuild(small, dumps[1])
    rebuild(small, dumps[2])
    assert sum(verify(small.home).quads.values()) == 6


def test_what_a_killed_build_left_is_cleared_by_the_next(small: Settings, dumps: Dumps) -> None:
    (small.home / ".tmp-dead" / "store").mkdir(parents=True)
    (small.home / ".tmp-dead" / "store" / "000001.sst").write_bytes(b"half")
    (small.home / ".tmp-marker").write_text("{", encoding="utf-8")
    (small.home / ".tmp-current").symlink_to("v-nothing")
    assert verify(small.home)
    version = rebuild(small, dumps[1]).version
    assert {name for name in names(small.home) if not name.startswith("v-")} == {"llmkg.json", ".lock", "current"}
    assert current_version(small.home) == version


@pytest.mark.parametrize("left", [(), (".lock",), (".tmp-marker",), (".lock", ".tmp-marker")])
def test_a_first_build_that_was_killed_can_be_done_again(
    built: Settings, dumps: Dumps, tmp_path: Path, left: tuple[str, ...]
) -> None:
    for name in left:
        (tmp_path / name).touch()
    rebuild(replace(built, home=tmp_path), dumps[0])
    assert verify(tmp_path)


# --- what verify finds


def damaged(change: Callable[[Path], object], home: Path) -> LlmkgError:
    change(current_version(home) / "store")
    with pytest.raises(StoreCorrupt) as raised:
        verify(home)
    with pytest.raises(StoreCorrupt):
        sound_version(home)
    assert raised.value.hint == "llmkg build makes it anew"
    return raised.value


def test_verify_names_files_that_changed_are_missing_or_were_added(small: Settings, dumps: Dumps) -> None:
    def change(folder: Path) -> None:
        (folder / "CURRENT").write_text("MANIFEST-000009\n", encoding="utf-8")
        (folder / "IDENTITY").unlink()
        (folder / "notes.txt").touch()
        os.mkfifo(folder / "pipe")

    error = damaged(change, small.home)
    assert "changed or missing: store/CURRENT, store/IDENTITY; added: store/notes.txt, store/pipe" in error.message
    rebuild(small, dumps[0])
    assert verify(small.home)


def test_verify_misses_the_whole_store(small: Settings) -> None:
    assert "changed or missing: store/000004.log, store/000008.log" in damaged(shutil.rmtree, small.home).message


def test_verify_sees_a_change_of_the_manifest(small: Settings) -> None:
    path = current_version(small.home) / "manifest.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    for key, value in (("hash", "0" * 64), ("quads", {}), ("tools", {}), ("format", 3), ("digest", ""), ("more", 1)):
        path.write_text(json.dumps(listed | {key: value}), encoding="utf-8")
        with pytest.raises(StoreCorrupt, match="manifest"):
            verify(small.home)
    for text in ("", "[]", "null", "{}", "{"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StoreCorrupt, match="manifest"):
            verify(small.home)


def test_a_home_on_a_path_that_is_too_long_is_no_bug_of_ours(small: Settings, dumps: Dumps, tmp_path: Path) -> None:
    home = tmp_path / ("x" * 300)
    with pytest.raises(StoreUnavailable):
        current_version(home)
    with pytest.raises(WriteError, match="name too long"):
        rebuild(replace(small, home=home), dumps[0])


def test_a_large_version_is_compared_once_an_hour_and_whenever_a_file_is_written(
    built: Settings, tmp_path: Path
) -> None:
    home, stamps = tmp_path / "home", tmp_path / "stamps"
    shutil.copytree(built.home, home, symlinks=True)
    version = sound_version(home, stamps=stamps, large=0)
    (stamp,) = stamps.iterdir()
    assert sound_version(home, stamps=stamps, large=0) == version
    victim = max((version / "store").glob("*.sst"), key=lambda path: path.stat().st_size)
    damaged = bytearray(victim.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    victim.write_bytes(damaged)
    with pytest.raises(StoreCorrupt, match="changed or missing"):
        sound_version(home, stamps=stamps, large=0)
    identities = json.loads(stamp.read_text(encoding="utf-8"))
    now = victim.stat()
    identities[f"store/{victim.name}"] = [now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino]
    stamp.write_text(json.dumps(identities), encoding="utf-8")
    assert sound_version(home, stamps=stamps, large=0) == version  # the stamp is believed …
    os.utime(stamp, (0, 0))
    with pytest.raises(StoreCorrupt):  # … for an hour
        sound_version(home, stamps=stamps, large=0)
