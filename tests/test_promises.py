"""The promises about builds, readers, damage and signals (promises.md: P1 to P5, P18), kept against real processes.

``LLMKG_KILLS=200 pytest tests/test_promises.py`` kills more builds than the usual run.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from llmkg.build import rebuild
from llmkg.config import Settings
from llmkg.errors import LlmkgError, StoreCorrupt, StoreUnavailable
from llmkg.graph import connect
from llmkg.home import NAMES, current_version, read_manifest, verify
from llmkg.store import Store, open_store

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Environment = Callable[..., dict[str, str]]
Dumps = tuple[Path, ...]

KILLS = int(os.environ.get("LLMKG_KILLS", "25"))
PARTS = 5
BUILD = ("build", "--no-validate")
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
#: P18 promises a second; the rest is for machines with other things to do
SECONDS = 1 + 9


def start(
    environment: dict[str, str],
    *arguments: str,
    stdout: int = subprocess.PIPE,
    before: Callable[[], object] | None = None,
) -> subprocess.Popen[str]:
    """Start the command line; ``before`` is done in the new process first."""
    return subprocess.Popen(
        [sys.executable, "-m", "llmkg", *arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        preexec_fn=before,
    )


def hear_signals() -> None:
    """A process started in the background of a script is deaf to Ctrl-C; this one is not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_temporary(home: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the build has begun to write, or has ended."""
    while process.poll() is None and not list(home.glob(".tmp-*")):
        time.sleep(0.002)


def count(store: Store) -> int:
    return sum(1 for _ in store.quads())


def opened(home: Path) -> Store:
    return open_store(current_version(home) / "store")


# --- P1: a build publishes completely or not at all


@pytest.fixture(scope="module")
def seconds(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Give how long a build takes here."""
    begin = time.monotonic()
    with start(environment(tmp_path_factory.mktemp("timed") / "home"), *BUILD) as process:
        process.communicate(timeout=120)
    return time.monotonic() - begin


@pytest.mark.parametrize("part", range(PARTS))
def test_p1_a_killed_build_leaves_the_old_graph_or_the_new(
    part: int, small: Settings, built: Settings, dumps: Dumps, environment: Environment, seconds: float
) -> None:
    chance = Random(f"P1 {part}")
    old, new = verify(small.home).hash, verify(built.home).hash
    for number in range(part, KILLS, PARTS):
        with start(environment(small.home), *BUILD, stdout=subprocess.DEVNULL) as process:
            if number % 2:
                wait_for_temporary(small.home, process)
            time.sleep(chance.uniform(0, seconds * (0.5 if number % 2 else 1)))
            process.kill()
        manifest = verify(small.home)
        assert manifest.hash in (old, new)
        assert count(opened(small.home)) == sum(manifest.quads.values())
        rebuild(small, dumps[0])
        assert verify(small.home).hash == old
        assert not list(small.home.glob(".tmp-*"))


def test_p1_a_first_build_that_is_killed_can_be_done_again(
    built: Settings, dumps: Dumps, environment: Environment, tmp_path: Path
) -> None:
    chance = Random("P1 first")
    for number in range(3):
        home = tmp_path / str(number)
        with start(environment(home), *BUILD) as process:
            while process.poll() is None and not home.exists():
                time.sleep(0.0005)
            time.sleep(chance.choice([0, 0.001, 0.3]))
            process.kill()
        rebuild(replace(built, home=home), dumps[number])
        assert count(opened(home)) == 2 * (number + 1)


# --- P2: the same input gives the same bytes

SHUFFLED_LISTINGS = """
import os, random

class Shuffled:
    def __init__(self, *arguments):
        with original(*arguments) as entries:
            found = list(entries)
        random.Random({seed}).shuffle(found)
        self.entries = iter(found)
    def __iter__(self): return self
    def __next__(self): return next(self.entries)
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def close(self): pass

original, os.scandir = os.scandir, Shuffled
os.listdir = lambda path=".": [entry.name for entry in Shuffled(path)]
"""

PLACES = [
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Pacific/Kiritimati"},
    {"PYTHONHASHSEED": "4294967295", "LC_ALL": "zh_CN.UTF-8", "TZ": "America/St_Johns"},
    {"PYTHONHASHSEED": "random", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"},
]


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_p2_hash_seed_locale_zone_and_file_order_change_nothing(
    place: int, built: Settings, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SHUFFLED_LISTINGS.format(seed=place), encoding="utf-8")
    files = sorted(path for path in built.data.rglob("*") if path.is_file())
    Random(place).shuffle(files)
    for path in files:
        copy = tmp_path / "data" / path.relative_to(built.data)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    home = tmp_path / "home"
    folders = os.pathsep.join(filter(None, (str(tmp_path / "site"), os.environ.get("PYTHONPATH"))))
    done = run(*BUILD, "--data", str(tmp_path / "data"), home=home, more=PLACES[place] | {"PYTHONPATH": folders})
    assert done.returncode == 0, done.stderr
    here, there = read_manifest(current_version(built.home)), verify(home)
    assert there.hash == here.hash
    assert there.files[NAMES] == here.files[NAMES]
    assert (there.quads, there.inputs, there.tools) == (here.quads, here.inputs, here.tools)


# --- P3: querying changes nothing


def fingerprint(folder: Path) -> dict[str, tuple[object, ...]]:
    """Give all that is known of each file: kind and mode, owner, size, times of change, content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        known = path.lstat()
        body = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        times = (known.st_mtime_ns, known.st_ctime_ns)
        found[str(path)] = (known.st_mode, known.st_uid, known.st_nlink, known.st_size, times, body)
    return found


READING: list[tuple[str, ...]] = [
    ("query",),
    ("query", "ancestors", "--of", "WizardLM"),
    ("sparql", "-"),
    ("search", "驼"),
    ("show", "LLaMA"),
    ("claims", "Alpaca-7B"),
    ("lineage", "LLaMA"),
    ("export", "LLaMA"),
    ("export", "--format", "nq"),
    ("stats",),
    ("schema",),
    ("verify",),
]


def test_p3_querying_leaves_the_folder_as_it_was(built: Settings, run: Run) -> None:
    before = fingerprint(built.home)
    kg = connect(built)
    for number in range(500):
        kg.sparql(f"SELECT ?s ?p WHERE {{ ?s ?p ?o }} OFFSET {number} LIMIT 10")
    for name in kg.queries():
        if not any(parameter.required for parameter in kg.stored_query(name).parameters):
            kg.query(name)
    for command in READING:
        assert run(*command, input="ASK { ?s ?p ?o }").returncode == 0
    for wrong in (("query", "none"), ("sparql", "-"), ("show", "no such thing"), ("--timeout", "0.1", "sparql", "-")):
        assert run(*wrong, input=ENDLESS if "--timeout" in wrong else "SELECT").returncode in (5, 6)
    assert fingerprint(built.home) == before


def test_p3_a_folder_that_cannot_be_written_is_read_all_the_same(
    built: Settings, run: Run, run_unprivileged: Run, open_folder: Path
) -> None:
    home = open_folder / "home"
    shutil.copytree(built.home, home, symlinks=True)
    for path in [home, *home.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    before = fingerprint(home)
    for command in READING[1:7]:
        there, here = (
            run_unprivileged(*command, home=home, input="ASK { ?s ?p ?o }"),
            run(*command, input="ASK { ?s ?p ?o }"),
        )
        assert there.returncode == 0, there.stderr
        assert there.stdout == here.stdout
    assert fingerprint(home) == before


def test_p3_a_missing_path_stays_missing(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "no" / "home"
    checking: list[tuple[str, ...]] = [("verify",), ("validate",)]
    for command in checking:
        done = run(*command, home=home)
        assert (done.returncode, done.stdout) == (7, "")
        assert "there is no built graph" in done.stderr
    for command in (
        ("--help",),
        ("--version",),
        ("query",),
        ("query", "derivatives", "--help"),
        ("completion", "bash"),
    ):
        assert run(*command, home=home).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_first_query_builds_the_graph_and_says_so(run: Run, tmp_path: Path) -> None:
    done = run("query", "ancestors", "--of", "WizardLM", home=tmp_path / "home")
    assert "building the graph in" in done.stderr
    assert done.stdout == run("query", "ancestors", "--of", "WizardLM").stdout
    assert verify(tmp_path / "home")


# --- P4: readers keep answering through a rebuild

BOTH = """SELECT ?default ?named WHERE {
  { SELECT (COUNT(*) AS ?default) WHERE { ?s ?p ?o } } { SELECT (COUNT(*) AS ?named) WHERE { GRAPH ?g { ?s ?p ?o } } }
}"""


def test_p4_readers_answer_through_rebuilds_each_from_one_version(small: Settings, dumps: Dumps, run: Run) -> None:
    first, stop = connect(small), threading.Event()
    answers: dict[str, list[tuple[str, ...]]] = {"keeps": [], "opens": [], "opens too": [], "process": []}
    failures: list[str] = []

    def read(name: str) -> None:
        while not stop.is_set():
            try:
                if name == "process":
                    done = run("sparql", "-", "--format", "csv", input=BOTH, home=small.home)
                    assert done.returncode == 0, done.stderr
                    answers[name].append(tuple(done.stdout.split()[1].split(",")))
                else:
                    kg = first if name == "keeps" else connect(small)
                    answers[name].append(tuple(cell.value for cell in kg.sparql(BOTH).rows[0] if cell))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a broken promise
                failures.append(f"{name}: {error!r}")
                return

    threads = [threading.Thread(target=read, args=(name,)) for name in answers]
    for thread in threads:
        thread.start()
    try:
        for dump in [*dumps[1:4], None]:
            seen = {name: len(found) for name, found in answers.items()}
            while not failures and any(len(found) < seen[name] + 2 for name, found in answers.items()):
                time.sleep(0.01)
            if dump:
                assert run("build", "--from", str(dump), "--no-validate", home=small.home).returncode == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    for name, found in answers.items():
        assert all(default == named for default, named in found), name
        assert found == sorted(found), name
        assert found[-1] == (("1", "1") if name == "keeps" else ("4", "4")), name


# --- P5: damage is found, never answered


def damages(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes | None]]:
    """Give, for every file, what it would hold with one bit flipped (6 times), cut short (3 times) and deleted."""
    chance = Random("P5")
    for path in sorted(paths):
        body = path.read_bytes()
        for bit in {chance.randrange(len(body) * 8) for _ in range(6)} if body else ():
            flipped = bytearray(body)
            flipped[bit // 8] ^= 1 << bit % 8
            yield path, bytes(flipped)
        for size in {0, chance.randrange(len(body)), len(body) - 1} if body else ():
            yield path, body[:size]
        yield path, None


def error_of(ask: Callable[[], object]) -> LlmkgError | None:
    try:
        ask()
    except LlmkgError as error:
        return error
    return None


def put(path: Path, body: bytes | None) -> None:
    if body is None:
        path.unlink()
    else:
        path.write_bytes(body)


@pytest.fixture
def own(built: Settings, tmp_path: Path) -> Settings:
    """Give the settings of a copy of the built graph that a test may damage."""
    shutil.copytree(built.home, tmp_path / "home", symlinks=True)
    return replace(built, home=tmp_path / "home")


def test_p5_verify_finds_every_damage_and_no_query_is_answered(own: Settings) -> None:
    version = current_version(own.home)
    undamaged, missed = {path: path.read_bytes() for path in [*(version / "store").iterdir(), version / NAMES]}, []
    tried = 0
    for path, body in damages(undamaged):
        put(path, body)
        for ask in (lambda: verify(own.home), lambda: connect(own)):
            told = error_of(ask)
            if not isinstance(told, StoreCorrupt) or path.name not in told.message:
                missed.append((path.name, body and len(body), told))
        put(path, undamaged[path])
        tried += 1
    assert missed == []
    assert tried > 150
    assert verify(own.home)


def test_p5_every_bit_of_manifest_marker_and_link_is_covered(small: Settings) -> None:
    version = current_version(small.home)
    for path in (version / "manifest.json", small.home / "llmkg.json"):
        body = path.read_bytes()
        for place in range(0, len(body), max(1, len(body) // 60)):
            flipped = bytearray(body)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            told = error_of(lambda: verify(small.home))
            assert isinstance(told, (StoreCorrupt, StoreUnavailable)) or json.loads(flipped) == json.loads(body)
        path.write_bytes(body)
    assert verify(small.home)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("*.sst", "flip"),
        ("*.sst", "cut"),
        ("*.sst", "delete"),
        ("MANIFEST-*", "flip"),
        ("MANIFEST-*", "cut"),
        ("CURRENT", "flip"),
        ("CURRENT", "delete"),
        ("../names.db", "flip"),
        ("../names.db", "cut"),
        ("../names.db", "delete"),
        ("../manifest.json", "delete"),
    ],
)
def test_p5_the_command_line_says_what_is_damaged(own: Settings, run: Run, name: str, damage: str) -> None:
    store = current_version(own.home) / "store"
    path = max(store.glob(name), key=lambda found: found.stat().st_size) if "/" not in name else store / name
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 4
    put(path, {"flip": bytes(body), "cut": path.read_bytes()[:-1], "delete": None}[damage])
    for command in (("verify",), ("query", "ancestors", "--of", "WizardLM")):
        done = run(*command, home=own.home)
        assert (done.returncode, done.stdout) == (8, ""), command
        assert path.name in done.stderr
        assert "llmkg build makes it anew" in done.stderr
        assert "Traceback" not in done.stderr


def test_p5_a_build_makes_a_damaged_graph_anew(own: Settings, run: Run, dumps: Dumps) -> None:
    version = current_version(own.home)
    for path in [*(version / "store").iterdir(), version / NAMES]:
        path.write_bytes(b"")
    assert run("verify", home=own.home).returncode == 8
    assert run("build", "--from", str(dumps[0]), "--no-validate", home=own.home).returncode == 0
    assert run("verify", home=own.home).returncode == 0


# --- P18: Ctrl-C, SIGTERM, closed pipe, full disk


def wait_until_busy(process: subprocess.Popen[str]) -> None:
    """Wait until a query has surely begun: a second of computing, where the system tells it."""
    ticks = os.sysconf("SC_CLK_TCK")
    for _ in range(1000):
        time.sleep(0.01)
        try:
            user = int(Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11])
        except OSError:
            continue
        if user > ticks:
            return


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_p18_a_signal_ends_a_long_query(environment: Environment, number: signal.Signals, code: int) -> None:
    with start(environment(), "sparql", "-", before=hear_signals) as process:
        assert process.stdin
        process.stdin.write(ENDLESS)
        process.stdin.close()
        process.stdin = None
        wait_until_busy(process)
        assert process.poll() is None
        begin = time.monotonic()
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        assert time.monotonic() - begin < SECONDS
    assert (process.returncode, output) == (code, "")
    assert errors.strip() in ("interrupted", "")


@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_p18_a_signal_ends_a_build_and_leaves_the_graph(
    small: Settings, dumps: Dumps, environment: Environment, number: signal.Signals, code: int, moment: int
) -> None:
    old = verify(small.home).hash
    with start(environment(small.home), *BUILD, before=hear_signals) as process:
        assert process.stderr
        assert "building" in process.stderr.readline()
        if moment:
            wait_for_temporary(small.home, process)
            time.sleep((moment - 1) * 0.1)
        begin = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - begin < SECONDS
    assert "Traceback" not in errors
    if process.returncode or not moment:  # with little left to do it may have been done
        assert process.returncode == code
        assert verify(small.home).hash == old
    rebuild(small, dumps[0])
    assert not list(small.home.glob(".tmp-*"))
    assert verify(small.home).hash == old


def test_p18_a_reader_that_stops_reading_is_no_error(environment: Environment) -> None:
    with start(environment(), "export", "--format", "nq") as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("<")
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    "command",
    [("query", "sources"), ("verify",), ("lineage", "LLaMA"), ("export", "LLaMA"), ("--help",), ("--version",)],
)
def test_p18_a_pipe_that_is_closed_already_is_no_error(environment: Environment, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with start(environment(), *command, stdout=writing) as process:
            assert process.stderr
            assert process.stderr.read() == ""
    finally:
        os.close(writing)
    assert process.returncode == 0


@pytest.mark.parametrize("command", [("query", "sources"), ("--version",)])
def test_p18_no_stdout_at_all_is_no_error(environment: Environment, command: tuple[str, ...]) -> None:
    with start(environment(), *command, before=lambda: os.close(1)) as process:
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    "command", [("query", "sources"), ("export", "--format", "nq"), ("lineage", "LLaMA"), ("verify",), ("--help",)]
)
def test_p18_a_full_disk_behind_stdout_is_told(environment: Environment, command: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not here")
    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        start(environment(), *command, stdout=full.fileno()) as process,
    ):
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 10
    assert errors == "error: cannot be written: No space left on device\n"


def assert_a_build_that_finds_no_room_changes_nothing(
    home: Path, environment: dict[str, str], before: Callable[[], object] | None = None
) -> None:
    old = verify(home)
    with start(environment, *BUILD, before=before) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (10, "")
    assert f"error: {home}: cannot be written: " in errors
    assert "hint: " in errors
    assert "Traceback" not in errors
    assert verify(home) == old
    assert not list(home.glob(".tmp-*"))


@pytest.mark.parametrize("size", [1, 1000, 400_000])
def test_p18_a_file_that_may_not_grow_changes_nothing(
    small: Settings, dumps: Dumps, environment: Environment, size: int
) -> None:
    assert_a_build_that_finds_no_room_changes_nothing(
        small.home, environment(small.home), before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    )
    rebuild(small, dumps[1])
    assert verify(small.home)


@pytest.mark.parametrize("megabytes", [1, 9])
def test_p18_a_full_disk_changes_nothing(
    small: Settings, environment: Environment, tmp_path: Path, megabytes: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        shutil.copytree(small.home, disk / "home", symlinks=True)
        assert_a_build_that_finds_no_room_changes_nothing(disk / "home", environment(disk / "home"))
    finally:
        subprocess.run(["umount", disk], check=True)
