"""The names index: it answers as the index in memory does, keeps apart what the Hub calls alike, and tells when it is damaged."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pyoxigraph
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from llmkg.build import rebuild
from llmkg.config import Settings
from llmkg.endpoint_names import EndpointNames, index_of, names_in
from llmkg.errors import QueryError, StoreCorrupt, StoreUnavailable
from llmkg.graph import connect
from llmkg.home import NAMES, current_version, sound_version, verify, whole_file
from llmkg.identifiers import entity_iri
from llmkg.identity import Index, Name, Names, normalize
from llmkg.names import NameIndex, write_names
from llmkg.namespaces import term
from llmkg.store import Store

HUB = [
    Name("model/llama", "LLaMA"),
    Name("model/gpt-2", "GPT-2"),
    Name("dataset/squad", "SQuAD"),
    Name("model/hub/meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-7b-hf", 1),
    Name("model/hub/someone/llama", "someone/llama", 1),
    Name("model/hub/meta-llama/Llama-2-7b", "meta-llama/Llama-2-7b", 1),
    Name("model/hub/metallama/Llama2-7b", "metallama/Llama2-7b", 1),
    Name("model/hub/meta/llama-2_7b", "meta/llama-2_7b", 1),
    Name("model/hub/openai-community/gpt2", "openai-community/gpt2", 1),
    Name("dataset/hub/rajpurkar/squad", "rajpurkar/squad", 1),
    Name("model/hub/rajpurkar/squad", "rajpurkar/squad", 1),
    Name("model/hub/FlagAlpha/羊驼-中文", "FlagAlpha/羊驼-中文", 1),
]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Iterable[Name]], NameIndex]:
    """Give a function that writes an index of names and opens it."""

    def write(names: Iterable[Name]) -> NameIndex:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        write_names(path, names)
        return NameIndex(path)

    return write


@pytest.fixture(scope="module")
def both(built: Settings) -> tuple[Names, Names]:
    """Give the index in the file and the one in memory of the packed data."""
    kg = connect(built)
    return kg.index, index_of(kg.endpoint)


def ordered(names: Iterable[Name]) -> list[Name]:
    return sorted(set(names), key=lambda name: (name.rank, name.text, name.path))


def outcome(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except QueryError as error:
        return str(error)


def agree(one: Names, other: Names, text: str, kinds: tuple[str, ...] = ()) -> None:
    assert one.candidates(text, kinds) == other.candidates(text, kinds), text
    assert one.search(text) == other.search(text), text
    assert one.search(text, 3) == other.search(text, 3), text
    assert one.suggest(text, kinds) == other.suggest(text, kinds), text
    assert outcome(lambda: one.resolve(text, kinds)) == outcome(lambda: other.resolve(text, kinds)), text


# --- the same as in memory


def test_the_index_of_the_packed_data_answers_as_the_one_in_memory(both: tuple[Names, Names], store: Store) -> None:
    chance = Random("names")
    names = list(names_in(store.pattern))
    assert Index(names).search("a", 10_000) == both[1].search("a", 10_000) == both[0].search("a", 10_000)
    for name in chance.sample(names, 150):
        at = chance.randrange(len(name.text))
        pieces = {
            name.text,
            name.text[at : at + 2],
            name.text[: at + 1],
            name.text[at:],
            name.text[:at] + "x" + name.text[at + 1 :],
        }
        for text in pieces | {name.path, name.text.upper()}:
            agree(*both, text, chance.choice([(), ("model",), ("property", "dataset")]))


TEXTS = st.text(
    st.sampled_from("LLa -_/1é\u0301ß·羊驼\0\"'\x02\U0001f999") | st.characters(exclude_categories=["Cs"]), max_size=12
)
PATHS = st.sampled_from(
    [f"{kind}/{slug}" for kind in ("model", "dataset") for slug in ("a", "lla-1", "la/b")] + ["ontology#la"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.builds(Name, PATHS, TEXTS.filter(bool), st.integers(0, 1)), max_size=8), st.lists(TEXTS, max_size=4))
@example([Name("model/a", "a\0b"), Name("model/b", "\0\0\0\0")], ["\0", "\0b", "\0\0\0"])
@example([], ["a", "abc"])
def test_any_names_are_found_as_in_memory(
    written: Callable[[Iterable[Name]], NameIndex], names: list[Name], texts: list[str]
) -> None:
    index, known = written(ordered(names)), Index(names)
    for text in [*texts, *(name.text for name in names), *(name.text[1:3] for name in names)]:
        agree(index, known, text)
        agree(index, known, text, ("dataset",))


@pytest.mark.parametrize("text", ["\ud800", "", " ", "-", "\0", '"', "*", "a" * 100_000, "%", "NEAR(", "^a"])
def test_odd_texts_find_nothing_or_something_and_never_fail(both: tuple[Names, Names], text: str) -> None:
    agree(*both, text)


def test_names_of_a_store_are_the_same_by_pattern_and_by_query(both: tuple[Names, Names], store: Store) -> None:
    found = Index(names_in(store.pattern))
    assert found.search("", 1) == ()
    for letter in "aeiou1中的模":
        assert found.search(letter, 10_000) == both[1].search(letter, 10_000)


# --- the Hub


@pytest.fixture(params=["file", "memory"])
def hub(request: pytest.FixtureRequest, written: Callable[[Iterable[Name]], NameIndex]) -> Names:
    return written(HUB) if request.param == "file" else Index(HUB)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("meta-llama/Llama-2-7b-hf", "model/hub/meta-llama/Llama-2-7b-hf"),
        ("model/hub/meta-llama/Llama-2-7b-hf", "model/hub/meta-llama/Llama-2-7b-hf"),
        ("https://w3id.org/llmkg/model/hub/meta-llama/Llama-2-7b-hf", "model/hub/meta-llama/Llama-2-7b-hf"),
        ("META-LLAMA/llama-2-7B-HF", "model/hub/meta-llama/Llama-2-7b-hf"),
        ("Llama 2 7B HF", "model/hub/meta-llama/Llama-2-7b-hf"),
        ("meta-llama/Llama-2-7b", "model/hub/meta-llama/Llama-2-7b"),
        ("META-LLAMA/LLAMA-2-7B", "model/hub/meta-llama/Llama-2-7b"),
        ("metallama/Llama2-7b", "model/hub/metallama/Llama2-7b"),
        ("llama", "model/llama"),
        ("gpt2", "model/gpt-2"),
        ("openai-community/gpt2", "model/hub/openai-community/gpt2"),
        ("rajpurkar/squad", "model/hub/rajpurkar/squad"),
        ("squad", "dataset/squad"),
    ],
)
def test_a_hub_id_is_one_thing_and_what_is_written_by_hand_goes_first(hub: Names, text: str, path: str) -> None:
    assert hub.resolve(text).value == f"https://w3id.org/llmkg/{path}"


def test_ids_that_are_alike_are_asked_about_unless_one_is_written_so(hub: Names) -> None:
    alike = {"model/hub/meta-llama/Llama-2-7b", "model/hub/metallama/Llama2-7b"}
    assert set(hub.candidates("meta_llama/llama_2_7b")) == alike
    with pytest.raises(QueryError, match="names several things"):
        hub.resolve("meta_llama/llama_2_7b")
    assert hub.resolve("rajpurkar/squad", ("dataset",)).value.endswith("dataset/hub/rajpurkar/squad")


def test_many_ids_of_one_name_are_told_in_short(written: Callable[[Iterable[Name]], NameIndex]) -> None:
    index = written(Name(f"model/hub/owner{n}/gpt2", f"owner{n}/gpt2", 1) for n in range(3000))
    with pytest.raises(QueryError) as caught:
        index.resolve("gpt2")
    assert caught.value.hint.startswith("write one of: model/hub/owner0/gpt2, model/hub/owner1/gpt2, ")
    assert caught.value.hint.endswith(" and 195 more")
    assert index.resolve("owner2999/GPT2").value.endswith("/owner2999/gpt2")


def test_a_search_gives_what_is_written_by_hand_then_the_hub_in_its_order(
    written: Callable[[Iterable[Name]], NameIndex],
) -> None:
    found = [path for path, _ in written(HUB).search("llama")]
    assert found[:2] == ["model/llama", "model/hub/someone/llama"]
    assert found[2:] == [name.path for name in HUB[3:8] if name.path not in found[:2]]
    assert [path for path, _ in written(HUB).search("llama", 3)] == found[:3]


def test_a_search_finds_the_first_of_many_and_each_of_few(written: Callable[[Iterable[Name]], NameIndex]) -> None:
    names = [Name(f"model/hub/o{n % 50}/model-{n}", f"o{n % 50}/model-{n}", 1) for n in range(30_000)]
    names.append(Name("model/hub/last/羊驼", "last/羊驼", 1))
    index = written(names)
    assert [name for _, name in index.search("model")] == [name.text for name in names[:100]]
    assert [name for _, name in index.search("o", 7)] == [name.text for name in names[:7]]
    assert index.search("29999") == (("model/hub/o49/model-29999", "o49/model-29999"),)
    for text in ("羊驼", "羊", "驼", "t/羊", "/羊驼"):
        assert index.search(text) == (("model/hub/last/羊驼", "last/羊驼"),)
    assert index.search("羊羊") == index.search("驼羊驼") == ()
    assert "o49/model-29999" in index.suggest("o49/modle-29999")


# --- the file


def test_the_same_names_give_the_same_bytes(tmp_path: Path) -> None:
    names = [*HUB, *(Name(f"model/hub/o/m{n}", f"o/m{n}", 1) for n in range(25_000))]
    hashes = set()
    for number in range(2):
        write_names(tmp_path / f"{number}.db", iter(names))
        hashes.add(hashlib.sha256((tmp_path / f"{number}.db").read_bytes()).hexdigest())
    assert len(hashes) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.db", "1.db"]


def test_reading_creates_nothing(tmp_path: Path) -> None:
    write_names(tmp_path / "n.db", HUB)
    (tmp_path / "n.db").chmod(0o444)
    before = (tmp_path / "n.db").stat()
    index = NameIndex(tmp_path / "n.db")
    agree(index, index, "llama")
    assert [path.name for path in tmp_path.iterdir()] == ["n.db"]
    assert (tmp_path / "n.db").stat().st_mtime_ns == before.st_mtime_ns


def test_a_missing_file_is_told_and_stays_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreCorrupt, match="cannot be opened"):
        NameIndex(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_index_is_told(tmp_path: Path) -> None:
    for body in (b"", b"SQLite format 3\0" + bytes(100), b"text" * 1000):
        (tmp_path / "n.db").write_bytes(body)
        with pytest.raises(StoreCorrupt):
            NameIndex(tmp_path / "n.db")


def test_a_python_whose_sqlite_lacks_trigrams_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkg.names._SCHEMA", "CREATE VIRTUAL TABLE x USING fts5(form, tokenize='no such tokenizer')")
    with pytest.raises(StoreUnavailable, match="cannot index names") as caught:
        write_names(tmp_path / "n.db", HUB)
    assert "3.34" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def with_hub(built: Settings, store: Store, folder: Path, more: Iterable[Name]) -> Settings:
    """Give the settings of a home in ``folder`` with the packed data and ``more`` names of the Hub."""
    dump = folder / "graph.nq"
    known = [f"{quad} .\n" for quad in store.quads()]
    hub = [f"{entity_iri(name.path)} {term('hubId')} {json.dumps(name.text)} .\n" for name in more]
    dump.write_text("".join([*known, *hub]), encoding="utf-8")
    mine = replace(built, home=folder / "home")
    rebuild(mine, dump)
    return mine


def test_a_build_takes_the_names_of_the_hub(built: Settings, store: Store, tmp_path: Path) -> None:
    more = (Name(f"model/hub/owner/model-{n}", f"owner/model-{n}", 1) for n in range(10))
    mine = with_hub(built, store, tmp_path, more)
    index = connect(mine).index
    assert index.resolve("Owner/Model-7").value.endswith("/model/hub/owner/model-7")
    assert index.resolve("LLaMA").value.endswith("/model/llama")


# --- damage


QUESTIONS: tuple[tuple[str, str], ...] = (
    ("candidates", "meta-llama/Llama-2-7b"),
    ("candidates", "LLaMA"),
    ("candidates", "o/m1234"),
    ("candidates", "m4999"),
    ("candidates", "no such name"),
    ("search", "m123"),
    ("search", "羊驼"),
    ("search", "7b"),
    ("suggest", "o/m12x4"),
)


def answers(path: Path, check: Callable[..., None]) -> Iterator[object]:
    """Give what each question is answered by an index of its own, as in a process of its own; an error is an answer."""
    for method, text in QUESTIONS:
        try:
            yield getattr(NameIndex(path, check), method)(text)
        except StoreCorrupt as error:
            yield type(error)


def test_p5_a_damaged_index_answers_rightly_or_not_at_all(built: Settings, store: Store, tmp_path: Path) -> None:
    more = [*HUB[3:], *(Name(f"model/hub/o/m{n}", f"o/m{n}", 1) for n in range(5000))]
    mine = with_hub(built, store, tmp_path, more)
    version = current_version(mine.home)
    path, check = version / NAMES, whole_file(version, NAMES)
    body, right = path.read_bytes(), list(answers(path, check))
    assert StoreCorrupt not in right
    chance, told = Random("P5 names"), 0
    for number in range(int(os.environ.get("LLMKG_FLIPS", "150"))):
        damaged = bytearray(body)
        at = chance.randrange(200) if number % 10 == 0 else chance.randrange(len(body))
        damaged[at] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        for found, expected in zip(answers(path, check), right, strict=True):
            assert found in (expected, StoreCorrupt), at
            told += found is StoreCorrupt
        with pytest.raises(StoreCorrupt, match=r"names\.db"):
            verify(mine.home)
    for cut in (0, 100, 4096, len(body) // 2, len(body) - 1):
        path.write_bytes(body[:cut])
        for found, expected in zip(answers(path, check), right, strict=True):
            assert found in (expected, StoreCorrupt), cut
    assert told
    path.write_bytes(body)
    assert verify(mine.home)


def test_p5_the_command_line_tells_a_bit_flip_in_the_names(small: Settings, run: Callable[..., object]) -> None:
    path = current_version(small.home) / NAMES
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 4
    path.write_bytes(body)
    for command in (("verify",), ("search", "x")):
        done = run(*command, home=small.home)
        assert (done.returncode, done.stdout) == (8, "")  # type: ignore[attr-defined]
        assert NAMES in done.stderr  # type: ignore[attr-defined]


def test_sqlite_has_what_the_index_needs() -> None:
    assert sqlite3.sqlite_version_info >= (3, 34)


# --- a large version: the names index is compared when it is used, all else at each opening


def test_p5_every_bit_of_a_large_version_counts_but_in_the_names_index(small: Settings) -> None:
    version, chance = current_version(small.home), Random("P5 large")
    assert sound_version(small.home, small=0) == version
    for path in sorted((version / "store").iterdir()):
        body = path.read_bytes()
        changes = [body + b"x", body[:-1] if body else b"y"]
        for bit in (chance.randrange(len(body) * 8) for _ in range(8 if body else 0)):
            changes.append(body[: bit // 8] + bytes([body[bit // 8] ^ 1 << bit % 8]) + body[bit // 8 + 1 :])
        for damaged in changes:
            path.write_bytes(damaged)
            with pytest.raises(StoreCorrupt, match=path.name):
                sound_version(small.home, small=0)
        path.write_bytes(body)
    body = (version / NAMES).read_bytes()
    (version / NAMES).write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    assert sound_version(small.home, small=0) == version
    with pytest.raises(StoreCorrupt, match=NAMES):
        sound_version(small.home)
    with (version / NAMES).open("rb", buffering=0) as file, pytest.raises(StoreCorrupt, match=NAMES):
        whole_file(version, NAMES)(file)


# --- an endpoint


class Large:
    """An endpoint that answers from a store, as if it knew too many names to read them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[str] = []

    def query(self, text: str) -> object:
        self.asked.append(text)
        found = self._store.query(text)
        return replace(found, rows=((None, None, None),) * 50_001) if "LIMIT 50001" in text else found

    def describe(self) -> str:
        return "large"


def test_an_endpoint_with_few_names_is_as_an_index_of_our_own(both: tuple[Names, Names], store: Store) -> None:
    names = EndpointNames(store)
    for text in ("LLaMA", "llama", "伶荔", "LLaMMA", "驼", "model/linly", "llmkg:license"):
        agree(names, both[0], text)


def test_an_endpoint_with_many_names_is_asked_for_each(store: Store) -> None:
    large, index = Large(store), index_of(store)
    names = EndpointNames(large)  # type: ignore[arg-type]
    for text in (
        "LLaMA",
        "llama",
        "伶荔",
        "model/linly",
        "https://w3id.org/llmkg/model/linly",
        "华驼",
        "llmkg:license",
    ):
        assert names.resolve(text) == index.resolve(text), text
    assert names.candidates("LLaMA", ("dataset",)) == ()
    assert "model/huatuo" in [path for path, _ in names.search("华驼")]
    assert [name for _, name in names.search("OPENLLaMA", 1)] == ["OpenLLaMA"]
    with pytest.raises(QueryError, match="no entity is called"):
        names.resolve('x" } DROP')
    assert len(large.asked) < 40


def test_a_text_cannot_change_what_an_endpoint_is_asked() -> None:
    names = EndpointNames(Large(Store(pyoxigraph.Store(), "memory", 60)))  # type: ignore[arg-type]
    for text in ('"', "\\", '" } #', "\n", "\0", "{", "?x", "\\u0022 }"):
        assert names.candidates(text) == ()
        assert names.search(text) == ()


def test_normal_forms_of_ascii_are_made_as_of_any_text() -> None:
    for character in map(chr, range(128)):
        text = f"A{character}b"
        assert normalize(text) == normalize(text + "é").removesuffix("é")
