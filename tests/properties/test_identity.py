"""Laws of ``identity``: one thing, however its name is written; no name is ever guessed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from llmkg.build import read_inputs
from llmkg.errors import QueryError
from llmkg.identifiers import entity_iri, path_of, split_path
from llmkg.identity import Index, Name, normalize
from llmkg.quads import names_of
from llmkg.resources import resource_folder

TINY = Path(__file__).parents[1] / "fixtures" / "tiny"
FOLDERS = {"tiny": TINY, "data": resource_folder("data")}
NAMES = {name: sorted(names_of(read_inputs(folder).entities), key=str) for name, folder in FOLDERS.items()}
INDEXES = {name: Index(names) for name, names in NAMES.items()}
TINY_LABELS = [name for name in NAMES["tiny"] if name.rank == 0 and len(name.text) > 4]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.builds(
    Name,
    st.sampled_from(["model/", "dataset/", "software/"]).flatmap(
        lambda kind: st.sampled_from("abcdefgh").map(kind.__add__)
    ),
    st.text("Ll -_aA1ée\u0301ß·", min_size=1, max_size=6) | texts.filter(bool),
    st.integers(0, 1),
)


@given(texts)
@example("e-\u0301")
@example("\u0390")
@example("ͅ")
@example("- -")
@example("İ")
def test_normal_forms_are_final(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(texts)
def test_composed_and_decomposed_forms_are_one_name(text: str) -> None:
    assert normalize(unicodedata.normalize("NFC", text)) == normalize(unicodedata.normalize("NFD", text))


@given(texts, st.sampled_from(list(" \t\n\u00a0\u2009\u3000-_·・‐–—")))
def test_spaces_and_hyphens_between_words_change_nothing(text: str, joint: str) -> None:
    assume(normalize(text) and normalize(text) != text)
    assert normalize(f"Nimbus{joint}{text}") == normalize(f"Nimbus{text}")


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=20))
def test_case_and_width_change_nothing(text: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in text)
    assert normalize(text) == normalize(text.swapcase()) == normalize(wide)


def test_a_name_of_hyphens_alone_keeps_them() -> None:
    assert normalize("--") == "--"


@pytest.mark.parametrize("folder", INDEXES)
def test_a_label_is_found_however_it_is_written(folder: str) -> None:
    for name in (name for name in NAMES[folder] if name.rank == 0):
        kind = split_path(name.path)[0]
        for written in (
            name.text,
            name.text.upper(),
            name.text.replace("-", " "),
            unicodedata.normalize("NFD", name.text),
        ):
            assert INDEXES[folder].resolve(written, (kind,)) == entity_iri(name.path)


@pytest.mark.parametrize("folder", INDEXES)
def test_a_slug_a_path_and_an_iri_are_found(folder: str) -> None:
    for path in {name.path for name in NAMES[folder]}:
        assert INDEXES[folder].candidates(path) == (path,)
        assert INDEXES[folder].candidates(entity_iri(path).value) == (path,)
        kind, slug = split_path(path)
        assert INDEXES[folder].candidates(slug, (kind,))


@pytest.mark.parametrize("folder", INDEXES)
def test_an_alias_is_found_unless_it_is_the_label_of_another(folder: str) -> None:
    labels = {(split_path(name.path)[0], normalize(name.text)) for name in NAMES[folder] if name.rank == 0}
    for name in NAMES[folder]:
        kind = split_path(name.path)[0]
        found = INDEXES[folder].candidates(name.text, (kind,))
        assert name.path in found or (kind, normalize(name.text)) in labels


@given(st.lists(names, max_size=12), st.randoms())
def test_an_index_finds_every_name_in_whatever_order_they_came(given_names: list[Name], random: object) -> None:
    index = Index(given_names)
    shuffled = list(given_names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for name in given_names:
        kind = split_path(name.path)[0]
        found = index.candidates(name.text, (kind,))
        alike = {n.path for n in given_names if normalize(n.text) == normalize(name.text) and n.rank <= name.rank}
        assert found
        assert set(found) <= alike
        assert found == Index(shuffled).candidates(name.text, (kind,))
        assert index.search(name.text)


@given(texts)
@example("")
@example("\ud800")
def test_any_text_names_one_thing_or_is_refused(text: str) -> None:
    for index in INDEXES.values():
        try:
            found = index.resolve(text)
        except QueryError as error:
            assert error.hint
        else:
            assert path_of(found.value) in index.candidates(text)


@given(st.sampled_from(TINY_LABELS), st.data())
def test_a_slip_of_the_pen_is_suggested_and_never_taken(name: Name, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(name.text) - 1))
    slip = name.text[:at] + data.draw(st.sampled_from(["", "x", "а", "ö"])) + name.text[at + 1 :]
    assume(not INDEXES["tiny"].candidates(slip))
    assert name.text in INDEXES["tiny"].suggest(slip)
    with pytest.raises(QueryError, match="no entity is called"):
        INDEXES["tiny"].resolve(slip)


def test_a_letter_that_looks_alike_is_another_letter() -> None:
    with pytest.raises(QueryError) as caught:
        INDEXES["tiny"].resolve("N\u0456mbus")
    assert caught.value.hint.startswith("did you mean 'Nimbus' or")


def test_a_name_that_several_kinds_share_is_asked_about_unless_one_is_a_model() -> None:
    shared = Index([Name("dataset/drift", "Drift"), Name("software/drift", "drift")])
    with pytest.raises(QueryError) as caught:
        shared.resolve("DRIFT")
    assert caught.value.hint == "write one of: dataset/drift, software/drift"
    assert shared.resolve("DRIFT", ("software",)) == entity_iri("software/drift")
    with_model = Index([Name("dataset/drift", "Drift"), Name("model/drift", "Drift")])
    assert with_model.resolve("drift") == entity_iri("model/drift")


def test_suggestions_are_of_the_kinds_asked_for_and_one_an_entity() -> None:
    index = INDEXES["tiny"]
    assert index.suggest("Drift corpu", ("model",)) == ()
    assert len(index.suggest("Auror")) == len(set(index.suggest("Auror"))) <= 3
